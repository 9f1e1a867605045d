//! The checklist and leaving: a tap is an answer, words are drafts until they are one.

use slint::{ComponentHandle, Model};
use sync_model::id::InspectionId;
use sync_model::record::Act;
use sync_model::record::inspection::{EntryAnswer, EntryResult};
use xunzheng::ui::{ChecklistAdapter, ConcludeAdapter, Page};

use crate::support::hands::Hands;
use crate::support::people::{arrive, scene};
use crate::support::photos;
use crate::support::world::{World, put};

/// Puts a photograph where the import looks.
fn import(world: &World, name: &str, shade: u8) {
    let folder = world.devices[0].folder.join("import");
    std::fs::create_dir_all(&folder).unwrap();
    put(&folder.join(name), &photos::jpeg(shade));
}

/// A visit with credentials shown and rights told, the program stopped.
fn visit(with_transcript: bool) -> (World, InspectionId) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    if with_transcript {
        scene(&world, device, inspection, "演练当事人");
    }
    world.devices[0].power_off();
    (world, inspection)
}

fn acts(hands: &Hands<'_>, kind: &str) -> Vec<Act> {
    let rows = hands.desk.services().store.read(|r| r.records_from(1, 1000)).unwrap();
    let found = rows.iter().filter(|row| row.kind == kind);
    found.map(|row| row.record().unwrap().envelope.act()).collect()
}

fn answers(hands: &Hands<'_>, inspection: InspectionId) -> Vec<EntryAnswer> {
    hands.desk.services().store.read(|r| r.answers(inspection)).unwrap()
}

#[test]
fn a_tap_is_an_answer_and_a_failure_needs_words_before_it_is_one() {
    let (world, inspection) = visit(false);
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Checklist);
    hands.press("1.1：合格");
    let given = answers(&hands, inspection);
    assert_eq!((given.len(), given[0].result), (1, EntryResult::Pass));
    hands.press("1.1：不合格");
    assert_eq!(answers(&hands, inspection)[0].result, EntryResult::Pass, "no words yet");
    let page = hands.window.global::<ChecklistAdapter<'_>>();
    hands.write("1.1 备注", "许可证已过期");
    hands.press("返回");
    hands.desk.show(Page::Checklist);
    hands.settle();
    let given = answers(&hands, inspection);
    assert_eq!((given[0].result, given[0].note.as_str()), (EntryResult::Fail, "许可证已过期"));
    let before = acts(&hands, "checklist_answered").len();
    assert_eq!(before, 2, "one record for each answer, none for a look");
    hands.press("1.1：未检查");
    hands.write("1.1 未检查的原因", "现场停电");
    let first = page.get_groups().row_data(0).unwrap();
    hands.press(&format!("全部合格：{}", first.title));
    let given = answers(&hands, inspection);
    assert_eq!(given.len(), first.entries.row_count());
    assert_eq!(given[0].result, EntryResult::NotChecked);
    assert!(given[0].note.starts_with("现场停电"), "{}", given[0].note);
    assert_eq!(acts(&hands, "checklist_answered").len(), before + 1, "one record for the group");
}

#[test]
fn a_photograph_taken_for_an_entry_is_tied_to_it() {
    let (world, inspection) = visit(false);
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Checklist);
    hands.press("1.1：合格");
    hands.press("1.1 拍照");
    assert_eq!(hands.page(), Page::Evidence);
    import(&world, "a.jpg", 3);
    hands.press("从文件导入");
    hands.press("导入：a.jpg");
    hands.press("返回");
    assert_eq!(hands.page(), Page::Checklist);
    let rows = hands.desk.services().store.read(|r| r.evidence_of(inspection)).unwrap();
    let given = answers(&hands, inspection);
    assert_eq!(given[0].evidence, [rows[0].captured.evidence], "{}", hands.told());
}

#[test]
fn leaving_is_refused_with_the_article_until_nothing_is_missing() {
    let (world, inspection) = visit(true);
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Conclude);
    let page = hands.window.global::<ConcludeAdapter<'_>>();
    assert!(!hands.is_enabled("结束检查"));
    let findings = page.get_findings();
    let missing = findings.iter().find(|one| one.text.contains("没有填写")).unwrap();
    assert!(missing.article.contains("第四十七条"), "{}", missing.article);

    hands.go(inspection, Page::Checklist);
    let groups = hands.window.global::<ChecklistAdapter<'_>>().get_groups();
    for index in 0..groups.row_count() {
        let page = hands.window.global::<ChecklistAdapter<'_>>();
        let group = page.get_groups().row_data(index).unwrap();
        if !group.open {
            hands.press(&format!("展开：{}", group.title));
        }
        for (line, entry) in group.entries.iter().enumerate() {
            let number = entry.number.as_str();
            if line == 0 && index == 0 {
                hands.press(&format!("{number}：不合格"));
                hands.write(&format!("{number} 备注"), "未见公示");
            } else {
                hands.press(&format!("{number}：合格"));
            }
            if entry.photo_text.contains("需拍照") {
                hands.press(&format!("{number} 拍照"));
                let name = format!("{index}-{line}.jpg");
                let shade = u8::try_from(10 * index + line).unwrap();
                import(&world, &name, shade);
                hands.press("从文件导入");
                hands.press(&format!("导入：{name}"));
                hands.press("返回");
            }
        }
        hands.press(&format!("收起：{}", group.title));
    }
    hands.press("检查结束");
    assert_eq!(hands.page(), Page::Conclude);
    let matters: Vec<_> = page.get_matters().iter().collect();
    hands.press(&format!("{}：发现问题已责令改正", matters[0].name));
    if matters.len() > 1 {
        assert!(!hands.is_enabled("结束检查"), "one matter has no result yet");
    }
    for matter in matters.iter().skip(1) {
        hands.press(&format!("{}：发现问题已责令改正", matter.name));
    }
    let left: Vec<String> = page.get_findings().iter().map(|one| one.text.to_string()).collect();
    assert!(left.is_empty(), "{left:?}");
    hands.write("检查备注", "已当场说明整改要求");
    hands.press("结束检查");
    match acts(&hands, "inspection_concluded").as_slice() {
        [Act::InspectionConcluded(body)] => {
            assert_eq!(body.results.len(), matters.len());
            assert!(body.results.iter().all(|one| one.note == "已当场说明整改要求"));
        }
        other => panic!("{other:?}; {}", hands.told()),
    }
    assert!(hands.told().contains("检查已结束"), "{}", hands.told());
}
