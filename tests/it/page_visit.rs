//! A visit by pressing what the pages offer: begin, show credentials, tell, resume.

use slint::{ComponentHandle, Model};
use sync_model::id::InspectionId;
use sync_model::record::Act;
use sync_model::record::credential::PartyReaction;
use xunzheng::ui::{AssignmentAdapter, CredentialAdapter, MainWindow, Page, Tone};

use crate::support::hands::Hands;
use crate::support::people::arrive;
use crate::support::world::{World, ok};

/// A device on shift, its program stopped.
fn on_shift() -> World {
    let mut world = World::new(1);
    world.devices[0].power_off();
    world
}

/// A visit with credentials shown and rights told, the program stopped.
fn visit() -> (World, InspectionId) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    world.devices[0].power_off();
    (world, inspection)
}

fn acts(hands: &Hands<'_>, kind: &str) -> Vec<Act> {
    let rows = hands.desk.services().store.read(|r| r.records_from(1, 1000)).unwrap();
    let found = rows.iter().filter(|row| row.kind == kind);
    found.map(|row| row.record().unwrap().envelope.act()).collect()
}

fn assignments(window: &MainWindow) -> AssignmentAdapter<'_> {
    window.global::<AssignmentAdapter<'_>>()
}

/// Begins the visit at the snack bar from home; returns it.
fn begin(hands: &Hands<'_>) -> InspectionId {
    hands.desk.restart_at(Page::Home);
    hands.press("接收：今天 演练小吃店");
    hands.press("开始检查：今天 演练小吃店");
    for finding in assignments(&hands.window).get_findings().iter().filter(|one| one.asks_reason) {
        let field = format!("继续的理由：{}", finding.text);
        hands.write(&field, "须现场查看经营场所");
    }
    if hands.page() == Page::Assignment {
        hands.press("开始检查");
    }
    hands.desk.at().inspection.unwrap()
}

#[test]
fn the_search_narrows_the_list_and_a_lead_goes_on_record() {
    let world = on_shift();
    let hands = Hands::open(&world);
    hands.desk.restart_at(Page::Home);
    let all = assignments(&hands.window).get_rows().row_count();
    assert!(all >= 5, "{all}");
    hands.write("搜索任务", "水果");
    assert_eq!(assignments(&hands.window).get_rows().row_count(), 1);
    hands.write("搜索任务", "没有这家店");
    assert_eq!(assignments(&hands.window).get_empty_text(), "没有找到任务");
    hands.press("线索");
    hands.write("线索内容", "河边有人夜间倾倒渣土");
    hands.press("保存线索");
    let leads = hands.desk.services().store.read(|r| r.leads()).unwrap();
    assert_eq!(leads[0].description, "河边有人夜间倾倒渣土");
}

#[test]
fn a_warning_wants_its_reason_and_the_visit_begins_with_it_on_record() {
    let world = on_shift();
    let hands = Hands::open(&world);
    hands.desk.restart_at(Page::Home);
    hands.press("接收：今天 演练小吃店");
    assert_eq!(acts(&hands, "assignment_accepted").len(), 1);
    hands.press("开始检查：今天 演练小吃店");
    assert_eq!(hands.page(), Page::Assignment, "no reason yet");
    assert!(acts(&hands, "inspection_begun").is_empty());
    assert!(hands.told().contains("请填写继续的理由"), "{}", hands.told());
    let findings = assignments(&hands.window).get_findings();
    let asked = findings.iter().find(|one| one.asks_reason).unwrap();
    assert!(!asked.article.is_empty(), "a warning names its article");
    hands.write(&format!("继续的理由：{}", asked.text), "须现场查看后厨");
    hands.press("开始检查");
    assert_eq!(hands.page(), Page::Credential, "{}", hands.told());
    match acts(&hands, "inspection_begun").first().unwrap() {
        Act::InspectionBegun(begun) => assert_eq!(begun.on_site_reason, "须现场查看后厨"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_officer_alone_is_shown_why_no_visit_begins() {
    let world = on_shift();
    let hands = Hands::open_locked(&world);
    let services = hands.desk.services();
    let one = &world.devices[0].codes.officers[0];
    ok(xunzheng::session::unlock(services, one.officer, &one.pin));
    hands.desk.restart_at(Page::Home);
    hands.press("接收：今天 演练小吃店");
    hands.press("打开任务：今天 演练小吃店");
    let findings = assignments(&hands.window).get_findings();
    let block = findings.iter().find(|one| one.tone == Tone::Bad).unwrap();
    assert!(block.article.contains("第四十二条"), "{}", block.article);
    assert!(!hands.is_enabled("开始检查"));
    assert!(acts(&hands, "inspection_begun").is_empty());
}

#[test]
fn matters_outside_the_list_are_marked_and_nothing_begins_with_them_alone() {
    let world = on_shift();
    let hands = Hands::open(&world);
    hands.desk.restart_at(Page::Home);
    hands.press("打开任务：今天 演练仓库");
    let matters = assignments(&hands.window).get_matters();
    let marked = matters.iter().filter(|matter| matter.chips.row_count() > 0).count();
    assert!(marked > 0, "no matter is marked as unknown");
}

#[test]
fn credentials_go_on_record_after_they_were_really_shown() {
    let world = on_shift();
    let hands = Hands::open(&world);
    let inspection = begin(&hands);
    assert_eq!(hands.page(), Page::Credential, "{}", hands.told());
    let page = hands.window.global::<CredentialAdapter<'_>>();
    assert!(!hands.is_enabled("确认亮证"), "the party's reaction is not chosen yet");
    let first = page.get_qr().to_rgb8().unwrap();
    assert!(first.width() > 40, "no code is drawn");
    hands.press("已扫码");
    hands.press("已出示实体执法证件");
    hands.press("确认亮证");
    assert!(hands.told().contains("3 秒"), "{}", hands.told());
    assert!(acts(&hands, "credential_displayed").is_empty());
    hands.wait_s(4);
    let later = page.get_qr().to_rgb8().unwrap();
    assert_ne!(first.as_bytes(), later.as_bytes(), "the code stands still");
    hands.press("确认亮证");
    let shown = acts(&hands, "credential_displayed");
    match shown.as_slice() {
        [Act::CredentialDisplayed(body)] => {
            assert_eq!(body.inspection, inspection);
            assert_eq!(body.credentials.len(), 2);
            assert!(body.shown_ms >= 4_000, "{}", body.shown_ms);
            assert!(body.physical_card_shown);
            assert_eq!(body.reaction, PartyReaction::Scanned);
        }
        other => panic!("{other:?}; {}", hands.told()),
    }
    assert_eq!(hands.page(), Page::Notice);
}

#[test]
fn nothing_is_told_before_the_recusal_question_is_answered() {
    let world = on_shift();
    let hands = Hands::open(&world);
    begin(&hands);
    hands.press("已看");
    hands.wait_s(4);
    hands.press("确认亮证");
    hands.write("在场人员姓名", "张建国");
    hands.write("在场人员身份", "店长");
    assert!(!hands.is_enabled("已告知"));
    hands.press("申请回避");
    assert!(!hands.is_enabled("已告知"), "a request needs its reason");
    hands.write("申请回避的理由", "与执法人员有亲属关系");
    hands.press("已说明检查全程录音录像");
    hands.press("已告知");
    match acts(&hands, "notice_given").as_slice() {
        [Act::NoticeGiven(body)] => {
            assert!(body.recusal_requested);
            assert_eq!(body.told.len(), 4);
            for word in ["张建国", "店长", "亲属关系"] {
                assert!(body.reply.contains(word), "{}", body.reply);
            }
        }
        other => panic!("{other:?}; {}", hands.told()),
    }
    assert_eq!(hands.page(), Page::Checklist);
}

#[test]
fn a_visit_under_way_is_resumed_where_it_stopped() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    hands.desk.restart_at(Page::Home);
    hands.press("继续检查：今天 演练小吃店");
    assert_eq!(hands.desk.at().inspection, Some(inspection));
    assert_eq!(hands.page(), Page::Checklist, "{}", hands.told());
    hands.press("返回");
    assert_eq!(hands.page(), Page::Assignment);
    hands.press("取证");
    assert_eq!(hands.page(), Page::Evidence);
    assert_eq!(acts(&hands, "inspection_begun").len(), 1);
}
