//! What two officers do on a visit, through the features that the pages call.
//!
//! Every act that returns is kept in mind at once: what was told as done must be there for ever.

use sync_model::id::{AssignmentId, InspectionId};
use sync_model::record::credential::PartyReaction;
use sync_model::record::evidence::{EvidenceKind, EvidenceOrigin};
use sync_model::record::inspection::{EntryAnswer, EntryResult, MatterResult};
use xunzheng::assignment;
use xunzheng::credential::{DisplayInput, display};
use xunzheng::error::AppError;
use xunzheng::evidence::{CaptureInput, Captured, capture};
use xunzheng::inspection::{
    BeginInput, ConcludeInput, NoticeInput, answer, begin, conclude, give_notice, merged,
};

pub use super::papers::*;

use super::world::{Device, World, ok};

pub const MINUTE_MS: u64 = 60_000;
/// What officers type under a warning.
pub const REASON: &str = "现场情况紧急，事后补充说明";

pub fn begin_input() -> BeginInput {
    BeginInput {
        on_site_reason: "须现场查看经营场所".to_owned(),
        override_reason: REASON.to_owned(),
    }
}

/// A visit with credentials shown and rights told.
pub fn arrive(world: &World, device: &Device, assignment: AssignmentId) -> InspectionId {
    let services = device.services();
    ok(assignment::accept(services, assignment));
    let (inspection, _) = ok(begin(services, assignment, &begin_input()));
    device.remember();
    world.clock.advance_ms(4_000);
    let input = DisplayInput {
        shown_ms: 4_000,
        physical_card_shown: true,
        reaction: PartyReaction::Scanned,
    };
    ok(display(services, inspection, &input));
    let input = NoticeInput { recusal_requested: false, reply: "不申请回避".to_owned() };
    ok(give_notice(services, inspection, &input));
    device.remember();
    inspection
}

pub fn photograph(
    device: &Device,
    inspection: InspectionId,
    bytes: &[u8],
) -> Result<Captured, AppError> {
    let input = CaptureInput {
        kind: EvidenceKind::AudiovisualMaterial,
        origin: EvidenceOrigin::Captured,
        source: "测试相机".to_owned(),
        description: "门前堆放杂物".to_owned(),
    };
    let captured = capture(device.services(), inspection, bytes, &input);
    device.remember();
    captured
}

/// Answers every entry; the first of each group fails with the first photograph.
pub fn walk(world: &World, device: &Device, inspection: InspectionId) {
    let services = device.services();
    let list = ok(services.store.read(|r| merged(r, inspection)));
    let evidence = services.store.read(|r| r.evidence_of(inspection)).unwrap();
    for group in &list.groups {
        let answers: Vec<EntryAnswer> = (0..)
            .zip(&group.entries)
            .map(|(index, one)| EntryAnswer {
                entry: one.entry.id.clone(),
                matters: one.matter_codes.clone(),
                result: if index == 0 { EntryResult::Fail } else { EntryResult::Pass },
                note: if index == 0 { "发现问题".to_owned() } else { String::new() },
                evidence: evidence.iter().take(1).map(|row| row.captured.evidence).collect(),
            })
            .collect();
        ok(answer(services, inspection, answers));
        device.remember();
        world.clock.advance_ms(MINUTE_MS);
    }
}

pub fn leave(device: &Device, inspection: InspectionId) {
    let services = device.services();
    let classes = ok(services.rulebook()).result_classes;
    let class = classes.iter().find(|class| class.has_problem).unwrap().id.clone();
    let visit = services.store.read(|r| r.inspection(inspection)).unwrap().unwrap().begun;
    let results = visit
        .participations
        .iter()
        .flat_map(|part| &part.matters)
        .map(|matter| MatterResult {
            matter: matter.clone(),
            result_class: class.clone(),
            note: "已责令改正".to_owned(),
        })
        .collect();
    let input = ConcludeInput { results, override_reason: REASON.to_owned() };
    ok(conclude(services, inspection, &input));
    device.remember();
}

/// Cheap work for fault tables: one lead, which cites no file.
pub fn lead(device: &Device, text: &str) {
    ok(assignment::record_lead(device.services(), None, text));
    device.remember();
}
