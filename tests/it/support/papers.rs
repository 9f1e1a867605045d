//! The papers of a visit: transcripts from typing to the lock, and a small fine on the spot.

use sync_core::random;
use sync_core::store::TranscriptState;
use sync_model::hash::Hash;
use sync_model::id::{CaseId, InspectionId, TranscriptId};
use sync_model::record::document::DeliveryWay;
use sync_model::record::signature::{SignerRole, Witness};
use sync_model::record::transcript::{PageReading, ReadBackWay, TranscriptKind};
use sync_model::rule::discretion::TierChoice;
use sync_model::rule::on_spot::ExemptionReview;
use sync_model::rulebook::discretion::PenaltyKind;
use sync_model::rulebook::matter::MatterKind;
use xunzheng::case::{
    DecideInput, FileInput, HearInput, NoticeInput, PartyDetails, decide_on_spot, file_case,
    give_prior_notice, hear_defense,
};
use xunzheng::document::content::{Content, PrintedPerson, QuestionAnswer};
use xunzheng::document::{DeliverInput, deliver, load_pages};
use xunzheng::error::AppError;
use xunzheng::rehearse::signature_strokes;
use xunzheng::transcript::{
    InterviewInput, LockInput, RefusalInput, SceneInput, SignInput, compose_interview,
    compose_scene, lock, prepare, read_back, refuse, sign_page,
};

use super::people::{MINUTE_MS, REASON};
use super::world::{Device, World, ok};

pub fn person(name: &str) -> PrintedPerson {
    PrintedPerson {
        name: name.to_owned(),
        identity: Some("身份证 11010519491231002X".to_owned()),
        post: Some("现场负责人".to_owned()),
        phone: Some("13800000000".to_owned()),
        ..PrintedPerson::default()
    }
}

pub fn new_transcript(device: &Device) -> TranscriptId {
    TranscriptId::new(device.services().clock.now().wall_at.0, &random::bytes())
}

/// The content of a scene transcript about the last six minutes.
pub fn scene_content(
    world: &World,
    device: &Device,
    inspection: InspectionId,
    name: &str,
) -> Content {
    let services = device.services();
    let started_at = services.clock.now().wall_at;
    world.clock.advance_ms(6 * MINUTE_MS);
    let input = SceneInput {
        started_at,
        ended_at: services.clock.now().wall_at,
        person_present: person(name),
        statement: "无异议，马上整改。".to_owned(),
    };
    ok(compose_scene(services, inspection, &input))
}

/// Pages of a scene transcript, not read yet.
pub fn prepare_scene(
    world: &World,
    device: &Device,
    inspection: InspectionId,
    name: &str,
) -> TranscriptId {
    let transcript = new_transcript(device);
    let content = scene_content(world, device, inspection, name);
    ok(prepare(device.services(), inspection, transcript, &content));
    device.remember();
    transcript
}

pub fn prepare_interview(
    world: &World,
    device: &Device,
    inspection: InspectionId,
    name: &str,
) -> TranscriptId {
    let services = device.services();
    let transcript = new_transcript(device);
    let officers = services.session().officer_ids();
    let started_at = services.clock.now().wall_at;
    world.clock.advance_ms(10 * MINUTE_MS);
    let input = InterviewInput {
        started_at,
        ended_at: services.clock.now().wall_at,
        nth: 1,
        place: "检查现场".to_owned(),
        asker: officers[0],
        recorder: officers[1],
        interviewee: person(name),
        dialog: vec![QuestionAnswer {
            question: "现场情况是否属实？".to_owned(),
            answer: "属实。".to_owned(),
        }],
    };
    let content = ok(compose_interview(services, inspection, &input));
    ok(prepare(services, inspection, transcript, &content));
    device.remember();
    transcript
}

pub fn pages(device: &Device, transcript: TranscriptId) -> Vec<Hash> {
    let row = device.services().store.read(|r| r.transcript(transcript)).unwrap().unwrap();
    row.prepared.pages
}

pub fn read(world: &World, device: &Device, transcript: TranscriptId) -> Result<(), AppError> {
    world.clock.advance_ms(2 * MINUTE_MS);
    let readings = (1..)
        .zip(pages(device, transcript))
        .map(|(page, _)| PageReading { page, dwell_ms: MINUTE_MS })
        .collect();
    let words = "以上笔录我已看过，与我说的一致。";
    let done = read_back(device.services(), transcript, ReadBackWay::Read, readings, words);
    device.remember();
    done.map(|_| ())
}

pub fn sign_as(
    device: &Device,
    transcript: TranscriptId,
    page: u32,
    role: SignerRole,
    name: &str,
) -> Result<(), AppError> {
    let hash = pages(device, transcript)[page as usize - 1];
    let input = SignInput { page, role, name: name.to_owned(), ink: signature_strokes(hash, 3) };
    let signed = sign_page(device.services(), transcript, input);
    device.remember();
    signed.map(|_| ())
}

/// The party signs every page.
pub fn party_signs(device: &Device, transcript: TranscriptId, name: &str) -> Result<(), AppError> {
    for page in 1..=pages(device, transcript).len() as u32 {
        sign_as(device, transcript, page, SignerRole::Party, name)?;
    }
    Ok(())
}

pub fn party_refuses(device: &Device, transcript: TranscriptId, name: &str) {
    let last = pages(device, transcript).pop().unwrap();
    let witness = Witness {
        name: "演练见证人".to_owned(),
        identity: "社区工作人员".to_owned(),
        ink: Some(signature_strokes(last, 3)),
    };
    let input = RefusalInput {
        role: SignerRole::Party,
        name: name.to_owned(),
        reason: "未说明理由".to_owned(),
        witness: Some(witness),
        recording: None,
    };
    ok(refuse(device.services(), transcript, input));
    device.remember();
}

pub fn officers_sign(device: &Device, transcript: TranscriptId) -> Result<(), AppError> {
    let last = pages(device, transcript).len() as u32;
    let names: Vec<String> = {
        let session = device.services().session();
        session.unlocked().iter().map(|one| one.credential.name.clone()).collect()
    };
    for (role, name) in [SignerRole::FirstOfficer, SignerRole::SecondOfficer].into_iter().zip(names)
    {
        sign_as(device, transcript, last, role, &name)?;
    }
    Ok(())
}

pub fn lock_it(device: &Device, transcript: TranscriptId) -> Result<(), AppError> {
    let input = LockInput { override_reason: REASON.to_owned(), ..LockInput::default() };
    let locked = lock(device.services(), transcript, &input);
    device.remember();
    locked.map(|_| ())
}

/// A scene transcript from typing to the lock.
pub fn scene(world: &World, device: &Device, inspection: InspectionId, name: &str) -> TranscriptId {
    let transcript = prepare_scene(world, device, inspection, name);
    ok(read(world, device, transcript));
    ok(party_signs(device, transcript, name));
    ok(officers_sign(device, transcript));
    ok(lock_it(device, transcript));
    transcript
}

/// An interview whose signature is refused before a witness.
pub fn refused_interview(world: &World, device: &Device, inspection: InspectionId, name: &str) {
    let transcript = prepare_interview(world, device, inspection, name);
    ok(read(world, device, transcript));
    party_refuses(device, transcript, name);
    ok(officers_sign(device, transcript));
    ok(lock_it(device, transcript));
    let row = device.services().store.read(|r| r.transcript(transcript)).unwrap().unwrap();
    assert_eq!(
        (row.state, row.prepared.kind),
        (TranscriptState::Locked, TranscriptKind::Interview)
    );
}

/// Opens a case on the first matter that allows a small fine; returns it with tier and fine.
pub fn open_case(device: &Device, inspection: InspectionId) -> (CaseId, TierChoice, i64) {
    let services = device.services();
    let rules = ok(services.rulebook());
    let visit = services.store.read(|r| r.inspection(inspection)).unwrap().unwrap().begun;
    let today = services.clock.now().wall_at.legal_date();
    let region = &visit.premises.region_code;
    let (authority, matter, choice, fine_fen) = visit
        .participations
        .iter()
        .flat_map(|part| rules.matters.iter().map(move |matter| (&part.authority, matter)))
        .filter(|(_, matter)| matter.kind == MatterKind::Penalty)
        .filter(|(authority, matter)| rules.delegated(authority, &matter.code, region, today))
        .find_map(|(authority, matter)| {
            let benchmark = rules.benchmark_at(&matter.code, today)?;
            let fines = benchmark.tiers.iter().filter(|tier| {
                tier.penalty_kinds.contains(&PenaltyKind::Fine) && tier.formula.is_none()
            });
            let tier = fines.into_iter().find(|tier| (1..=20_000).contains(&tier.min_fen.0))?;
            let choice = TierChoice {
                benchmark_id: benchmark.id.clone(),
                version: benchmark.version,
                tier_order: tier.order,
                circumstances: tier.conditions.clone(),
            };
            Some((authority.clone(), matter.code.clone(), choice, tier.min_fen.0))
        })
        .expect("a matter for a small fine");
    let evidence = services.store.read(|r| r.evidence_of(inspection)).unwrap();
    let input = FileInput {
        matter,
        authority,
        party: visit.party.clone(),
        violation: "门前堆放杂物".to_owned(),
        acted_at: services.clock.now().wall_at,
        place: visit.premises.address.clone(),
        evidence: evidence.iter().take(3).map(|row| row.captured.evidence).collect(),
    };
    let case = ok(file_case(services, inspection, input));
    device.remember();
    (case, choice, fine_fen)
}

/// A small fine decided and handed over on the spot.
pub fn decision(world: &World, device: &Device, inspection: InspectionId, name: &str) {
    let services = device.services();
    let (case, tier, fine_fen) = open_case(device, inspection);
    let told = NoticeInput { tier: Some(tier.clone()), warning: false, fine_fen };
    ok(give_prior_notice(services, case, &told));
    ok(hear_defense(services, case, &HearInput { waived: true, ..HearInput::default() }));
    device.remember();
    world.clock.advance_ms(5 * MINUTE_MS);
    let details = PartyDetails {
        present: true,
        identified: true,
        capacity_doubt: false,
        suspected_crime: false,
        exemption: ExemptionReview::NoGround,
        tier: Some(tier),
        correction_order: "责令立即改正".to_owned(),
    };
    let input = DecideInput { details, override_reason: REASON.to_owned() };
    ok(decide_on_spot(services, case, &input));
    device.remember();
    for row in services.store.read(|r| r.documents_of(inspection)).unwrap() {
        if row.case.is_none() || row.delivery.is_some() {
            continue;
        }
        let pages = ok(load_pages(services.store.blobs(), &row.text));
        let ink = signature_strokes(Hash::of(pages.last().unwrap().as_bytes()), 3);
        let way = DeliveryWay::InPerson { ink };
        let place = "检查现场".to_owned();
        ok(deliver(
            services,
            row.document,
            &DeliverInput { recipient: name.to_owned(), way, place },
        ));
        device.remember();
    }
}
