//! The transcript pages: typed, pulled out of the battery, read, signed with the pointer, locked.

use slint::{ComponentHandle, Model};
use sync_core::store::{SignatureRow, TranscriptRow, TranscriptState};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::signature::SignerRole;
use sync_model::record::transcript::Strength;
use xunzheng::ui::{Page, SignAdapter};

use crate::support::hands::Hands;
use crate::support::people::{REASON, arrive, photograph, walk};
use crate::support::photos;
use crate::support::world::{World, ok};

const NAME: &str = "张建国";

/// A visit that was walked, its program stopped.
fn visit() -> (World, InspectionId) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    ok(photograph(device, inspection, &photos::jpeg(1)));
    walk(&world, device, inspection);
    world.devices[0].power_off();
    (world, inspection)
}

fn write_scene(hands: &Hands<'_>, inspection: InspectionId) {
    hands.go(inspection, Page::Transcript);
    hands.press("现场检查笔录");
    hands.write("姓名", NAME);
    hands.press("添加一段");
    hands.write("第 1 段", "对检查情况无异议，马上整改。");
}

fn row(hands: &Hands<'_>, inspection: InspectionId) -> TranscriptRow {
    let store = &hands.desk.services().store;
    store.read(|r| r.transcripts_of(inspection)).unwrap().pop().unwrap()
}

/// Looks at every page for a few seconds and says so.
fn read_all(hands: &Hands<'_>, pages: usize) {
    hands.wait_s(5);
    for _ in 1..pages {
        hands.press("下一页");
        hands.wait_s(5);
    }
    hands.press("当事人已阅读");
}

/// Presses a signer's button, twice if the page to sign has to come up first, draws and confirms.
fn sign(hands: &Hands<'_>, button: &str) {
    hands.press(button);
    if !hands.has("签名区") {
        hands.press(button);
    }
    assert!(!hands.is_enabled("确认签名"), "an empty pad is no signature");
    hands.draw();
    hands.press("确认签名");
}

/// Locks, giving a reason under each warning that asks for one.
fn lock(hands: &Hands<'_>) {
    hands.press("锁定笔录");
    for finding in hands.window.global::<SignAdapter<'_>>().get_findings().iter() {
        assert!(finding.asks_reason, "blocked: {} {}", finding.text, finding.article);
        hands.write(&format!("继续的理由：{}", finding.text), REASON);
    }
    if hands.page() == Page::Sign {
        hands.press("锁定笔录");
    }
}

#[test]
fn a_scene_transcript_is_typed_read_signed_page_by_page_and_locked() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    write_scene(&hands, inspection);
    world.clock.advance_ms(6 * 60_000);
    hands.press("生成页面");
    assert_eq!(hands.page(), Page::Sign, "{}", hands.told());
    let pages = row(&hands, inspection).prepared.pages;
    assert!(!hands.is_enabled("当事人签名"), "nobody signs what was not read");
    read_all(&hands, pages.len());
    assert_eq!(row(&hands, inspection).state, TranscriptState::ReadBack, "{}", hands.told());
    assert!(!hands.is_enabled("检查人签名"), "the officers sign last");
    for _ in &pages {
        sign(&hands, "当事人签名");
    }
    sign(&hands, "检查人签名");
    sign(&hands, "记录人签名");
    lock(&hands);

    let row = row(&hands, inspection);
    assert_eq!((row.state, row.strength), (TranscriptState::Locked, Some(Strength::Signed)));
    assert_eq!(hands.page(), Page::Assignment);
    let prepared = &row.prepared;
    let store = &hands.desk.services().store;
    let signed = store.read(|r| r.signatures(prepared.document, prepared.revision)).unwrap();
    let party: Vec<(Hash, Hash, usize)> = signed
        .iter()
        .filter_map(|one| match one {
            SignatureRow::Signed(body) if body.role == SignerRole::Party => {
                Some((body.page_hash, body.ink.page, body.ink.point_count()))
            }
            _ => None,
        })
        .collect();
    let bound: Vec<(Hash, Hash, usize)> = pages.iter().map(|page| (*page, *page, 24)).collect();
    assert_eq!(party, bound, "each page has its own strokes, all points of them");
}

#[test]
fn a_pulled_battery_loses_not_one_typed_field() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Transcript);
    hands.press("询问笔录");
    hands.write("姓名", NAME);
    hands.write("单位和职务", "店长");
    hands.press("添加一问");
    hands.write("第 1 问", "冷冻禽肉有没有查验合格证明？");
    hands.write("第 1 答", "有三批没有");
    // The program goes without leaving the page; nothing is told to save.
    hands.pull_battery();
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Transcript);
    let read = ["姓名", "单位和职务", "第 1 问", "第 1 答"].map(|label| hands.read(label));
    assert_eq!(read, [NAME, "店长", "冷冻禽肉有没有查验合格证明？", "有三批没有"]);
    assert!(hands.is_enabled("生成页面"));
}

#[test]
fn a_refusal_is_recorded_with_the_witness_who_signs_for_it() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    write_scene(&hands, inspection);
    world.clock.advance_ms(6 * 60_000);
    hands.press("生成页面");
    let pages = row(&hands, inspection).prepared.pages;
    assert!(!hands.is_enabled("拒签"), "what was not read cannot be refused");
    read_all(&hands, pages.len());
    hands.press("拒签");
    hands.press("记录拒签");
    let sheet = hands.window.global::<SignAdapter<'_>>();
    assert!(sheet.get_refusal_error().contains("拒签理由"), "a refusal needs its reason");
    hands.press("对内容有异议");
    hands.write("见证人姓名", "李四");
    hands.write("见证人单位或住址", "栖霞岭社区居民委员会");
    hands.press("记录拒签");
    hands.draw();
    hands.press("确认签名");

    let prepared = row(&hands, inspection).prepared;
    let store = &hands.desk.services().store;
    let signed = store.read(|r| r.signatures(prepared.document, prepared.revision)).unwrap();
    let [SignatureRow::Refused(body)] = &signed[..] else { panic!("{signed:?}") };
    let witness = body.witness.as_ref().unwrap();
    assert_eq!((body.reason.as_str(), witness.name.as_str()), ("对内容有异议", "李四"));
    assert_eq!(witness.ink.as_ref().unwrap().page, *pages.last().unwrap());

    sign(&hands, "检查人签名");
    sign(&hands, "记录人签名");
    lock(&hands);
    assert_eq!(row(&hands, inspection).strength, Some(Strength::RefusedAttested));
}

#[test]
fn a_correction_makes_a_new_revision_that_nobody_has_signed() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    write_scene(&hands, inspection);
    world.clock.advance_ms(6 * 60_000);
    hands.press("生成页面");
    let before = row(&hands, inspection).prepared;
    read_all(&hands, before.pages.len());
    sign(&hands, "当事人签名");
    hands.press("当事人要求更正");
    hands.write("更正内容", "第一段应为：已经整改");
    hands.press("保存更正");

    let after = row(&hands, inspection);
    assert_eq!(after.prepared.revision, before.revision + 1);
    assert_ne!(after.prepared.pages, before.pages);
    assert_eq!(after.state, TranscriptState::Prepared, "it is read anew");
    assert!(!hands.is_enabled("当事人签名"));
    let store = &hands.desk.services().store;
    let document = after.prepared.document;
    assert!(store.read(|r| r.signatures(document, after.prepared.revision)).unwrap().is_empty());
    assert_eq!(store.read(|r| r.signatures(document, before.revision)).unwrap().len(), 1, "kept");
}
