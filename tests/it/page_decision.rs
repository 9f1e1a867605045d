//! The decision and documents pages: from the facts to a decision that the party has signed for.

use slint::{ComponentHandle, Model};
use sync_core::store::{CaseState, DocumentState};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::money::Fen;
use sync_model::record::Act;
use sync_model::record::document::DeliveryWay;
use xunzheng::document::load_pages;
use xunzheng::ui::{DecisionAdapter, DocumentAdapter, Page};

use crate::support::hands::Hands;
use crate::support::people::{REASON, arrive, photograph, walk};
use crate::support::photos;
use crate::support::world::{World, ok};

fn visit() -> (World, InspectionId) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    ok(photograph(device, inspection, &photos::jpeg(1)));
    walk(&world, device, inspection);
    world.devices[0].power_off();
    (world, inspection)
}

/// Chooses the first matter that has a tier which may be fined on the spot; returns its yuan.
fn choose_matter_and_tier(hands: &Hands<'_>, inspection: InspectionId) -> Fen {
    let page = hands.window.global::<DecisionAdapter<'_>>();
    let services = hands.desk.services();
    let rules = ok(services.rulebook());
    let now = services.clock.now().wall_at;
    for place in 0..page.get_violations().row_count() {
        page.invoke_choose_violation(i32::try_from(place).unwrap());
        let typed = ok(xunzheng::case::typed::load(services, inspection));
        let tiers = xunzheng::case::view::tiers(&rules, &typed, now);
        let most = xunzheng::case::view::most(&rules, &typed);
        for tier in tiers {
            use sync_model::rulebook::discretion::PenaltyKind::Fine;
            let least = tier.min_fen.max(Fen(5_000).min(tier.max_fen));
            if tier.formula.is_none()
                && tier.penalty_kinds.contains(&Fine)
                && least > Fen::ZERO
                && least <= most
            {
                hands.press("立案，下一步：裁量");
                hands.press("罚款");
                hands.press(&format!("裁量阶次：{}", tier.name));
                return least;
            }
        }
    }
    panic!("no matter of the visit can be fined on the spot");
}

fn decide(hands: &Hands<'_>, world: &World, inspection: InspectionId) -> Fen {
    hands.go(inspection, Page::Decision);
    hands.write("查明的事实", "现场检查发现门前堆放杂物，占用公共通道。");
    hands.press("证1　门前堆放杂物");
    let fine = choose_matter_and_tier(hands, inspection);
    hands.write("罚款金额", "三百");
    let page = hands.window.global::<DecisionAdapter<'_>>();
    assert!(!page.get_amount_error().is_empty(), "words are no amount");
    hands.write("罚款金额", &fine.to_string());
    hands.write("责令改正", "责令立即改正");
    hands.press("当事人或者可以代收的人在场");
    hands.press("已核实当事人身份");
    hands.press("下一步：告知");
    assert!(!hands.is_enabled("记录告知，下一步：申辩"), "told first, then recorded");
    hands.press("已向当事人告知以上内容");
    hands.press("记录告知，下一步：申辩");
    hands.press("记录申辩，下一步：出具");
    world.clock.advance_ms(5 * 60_000);
    hands.desk.refresh_shown();
    for finding in page.get_findings().iter() {
        assert_ne!(finding.level, "不能继续", "{} {}", finding.text, finding.article);
        if finding.asks_reason {
            assert!(!hands.is_enabled("出具决定书"), "a warning asks for its reason");
            hands.write(&format!("继续的理由：{}", finding.text), REASON);
        }
    }
    hands.press("出具决定书");
    assert_eq!(hands.page(), Page::Documents, "{}", hands.told());
    fine
}

#[test]
fn a_fine_is_decided_step_by_step_and_the_party_signs_for_it_on_the_last_page() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    let fine = decide(&hands, &world, inspection);
    let store = &hands.desk.services().store;
    let case = store.read(|r| r.cases_of(inspection)).unwrap().pop().unwrap();
    assert_eq!(case.state, CaseState::Decided);
    let issued = store.read(|r| r.records_of_kind(inspection, "decision_issued")).unwrap();
    let Act::DecisionIssued(body) = issued[0].record().unwrap().envelope.act() else { panic!() };
    assert_eq!((body.fine_fen, body.warning), (fine.0, false));
    assert_eq!(body.evidence_manifest, [Hash::of(&photos::jpeg(1))]);

    hands.press("送达");
    hands.write("与当事人关系", "店长");
    hands.press("确认送达");
    assert_eq!(hands.page(), Page::Sign, "{}", hands.told());
    hands.press("受送达人签名");
    hands.draw();
    hands.press("确认签名");
    assert_eq!(hands.page(), Page::Documents, "{}", hands.told());
    let document = store.read(|r| r.document(body.document)).unwrap().unwrap();
    assert_eq!(document.state, DocumentState::Delivered);
    let delivered = document.delivery.unwrap();
    assert!(delivered.recipient.ends_with("（店长）"), "{}", delivered.recipient);
    let DeliveryWay::InPerson { ink } = delivered.way else { panic!() };
    let pages = load_pages(store.blobs(), &document.text).unwrap();
    assert_eq!(ink.page, Hash::of(pages.last().unwrap().as_bytes()));
    assert!(!hands.is_enabled("送达"), "handed over once");

    hands.press("打印");
    let printed = world.devices[0].folder.join("print").join(format!("{}.txt", document.number));
    assert!(hands.told().contains(&printed.display().to_string()), "{}", hands.told());
    let text = std::fs::read_to_string(printed).unwrap();
    assert!(text.contains(&document.number) && text.contains("已签收"));
}

#[test]
fn a_refused_receipt_is_noted_with_reason_and_witness() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    decide(&hands, &world, inspection);
    hands.press("送达");
    hands.press("拒收");
    hands.press("确认送达");
    let page = hands.window.global::<DocumentAdapter<'_>>();
    assert!(page.get_delivery_error().contains("拒收理由"), "{}", page.get_delivery_error());
    hands.write("拒收理由", "不认可罚款数额");
    hands.write("见证人及单位", "李四 栖霞岭社区居民委员会");
    hands.press("确认送达");
    let store = &hands.desk.services().store;
    let documents = store.read(|r| r.documents_of(inspection)).unwrap();
    let row = documents.into_iter().find(|row| row.case.is_some()).unwrap();
    let DeliveryWay::RefusedReceipt { reason, witness } = row.delivery.unwrap().way else {
        panic!()
    };
    assert_eq!(reason, "不认可罚款数额");
    assert_eq!(witness.unwrap().identity, "栖霞岭社区居民委员会");
}

#[test]
fn what_was_typed_for_a_decision_outlives_a_pulled_battery() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Decision);
    hands.write("查明的事实", "占用公共通道");
    hands.press("证1　门前堆放杂物");
    hands.write("法定代表人、负责人", "王五");
    hands.pull_battery();
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Decision);
    assert_eq!(hands.read("查明的事实"), "占用公共通道");
    assert_eq!(hands.read("法定代表人、负责人"), "王五");
    assert_eq!(hands.find("证1　门前堆放杂物").accessible_checked(), Some(true));
}
