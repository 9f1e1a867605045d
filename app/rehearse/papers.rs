//! The visit's papers: a scene transcript that is signed, an interview whose signature is refused
//! before a witness, and a small fine decided and handed over.

use sync_core::random;
use sync_core::store::{CaseRow, CaseState, TranscriptRow, TranscriptState};
use sync_model::id::{CaseId, InspectionId, TranscriptId};
use sync_model::record::document::DeliveryWay;
use sync_model::record::signature::{SignerRole, Witness};
use sync_model::record::transcript::{PageReading, ReadBackWay, TranscriptKind};
use sync_model::rule::discretion::TierChoice;
use sync_model::rule::on_spot::{ExemptionReview, PartyKind};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::discretion::{PartyScope, PenaltyKind};
use sync_model::rulebook::matter::MatterKind;

use super::day::REASON;
use super::{Rehearsal, signature_strokes};
use crate::case::{
    DecideInput, FileInput, HearInput, NoticeInput, PartyDetails, decide_on_spot, file_case,
    give_prior_notice, hear_defense,
};
use crate::document::content::{PrintedPerson, QuestionAnswer};
use crate::document::{DeliverInput, deliver, print};
use crate::error::AppError;
use crate::transcript::{
    InterviewInput, LockInput, RefusalInput, SceneInput, SignInput, compose_interview,
    compose_scene, lock, prepare, read_back, refuse, save_field, sign_page,
};

const MINUTE_MS: u64 = 60_000;

/// The person who is there; a practice name with a character beyond the Basic Multilingual Plane.
const PERSON: &str = "演练当事人𠮷";

pub(super) fn scene(
    rehearsal: &mut Rehearsal<'_>,
    inspection: InspectionId,
) -> Result<(), AppError> {
    let Some(transcript) = begun(rehearsal, inspection, TranscriptKind::Scene)? else {
        return rehearsal.step("现场检查笔录（已完成）");
    };
    let services = rehearsal.services;
    if services.store.read(|r| r.transcript(transcript))?.is_none() {
        let started_at = services.clock.now().wall_at;
        let statement = "对检查情况无异议，马上整改。";
        save_field(services, transcript, "statement", statement)?;
        rehearsal.clock.advance_ms(6 * MINUTE_MS);
        let input = SceneInput {
            started_at,
            ended_at: services.clock.now().wall_at,
            person_present: person(),
            statement: statement.to_owned(),
        };
        prepare(services, inspection, transcript, &compose_scene(services, inspection, &input)?)?;
        services.store.forget_draft(&format!("transcript:{transcript}"))?;
        rehearsal.step("现场检查笔录：生成页面")?;
    }
    read(rehearsal, transcript)?;
    let row = row(rehearsal, transcript)?;
    for (page, hash) in (1_u32..).zip(row.prepared.pages.clone()) {
        let ink = signature_strokes(hash, 3);
        let name = PERSON.to_owned();
        sign_page(services, transcript, SignInput { page, role: SignerRole::Party, name, ink })?;
        rehearsal.tell_committed()?;
    }
    rehearsal.step("现场检查笔录：当事人逐页签名")?;
    officers_sign_and_lock(rehearsal, transcript)?;
    rehearsal.step("现场检查笔录：锁定")
}

pub(super) fn interview(
    rehearsal: &mut Rehearsal<'_>,
    inspection: InspectionId,
) -> Result<(), AppError> {
    let Some(transcript) = begun(rehearsal, inspection, TranscriptKind::Interview)? else {
        return rehearsal.step("询问笔录（已完成）");
    };
    let services = rehearsal.services;
    if services.store.read(|r| r.transcript(transcript))?.is_none() {
        let officers = services.session().officer_ids();
        let (Some(asker), Some(recorder)) = (officers.first(), officers.get(1)) else {
            return Err(AppError::NoShift);
        };
        let started_at = services.clock.now().wall_at;
        rehearsal.clock.advance_ms(10 * MINUTE_MS);
        let input = InterviewInput {
            started_at,
            ended_at: services.clock.now().wall_at,
            nth: 1,
            place: "检查现场".to_owned(),
            asker: *asker,
            recorder: *recorder,
            interviewee: person(),
            dialog: dialog(),
        };
        let content = compose_interview(services, inspection, &input)?;
        prepare(services, inspection, transcript, &content)?;
        rehearsal.step("询问笔录：生成页面")?;
    }
    read(rehearsal, transcript)?;
    let row = row(rehearsal, transcript)?;
    let page = row.prepared.pages.last().copied().ok_or(AppError::NotFound("page"))?;
    let witness = Witness {
        name: "演练见证人".to_owned(),
        identity: "北山街道栖霞岭社区居民委员会".to_owned(),
        ink: Some(signature_strokes(page, 3)),
    };
    let input = RefusalInput {
        role: SignerRole::Party,
        name: PERSON.to_owned(),
        reason: "未说明理由".to_owned(),
        witness: Some(witness),
        recording: None,
    };
    refuse(services, transcript, input)?;
    rehearsal.step("询问笔录：拒签，见证人在场")?;
    officers_sign_and_lock(rehearsal, transcript)?;
    rehearsal.step("询问笔录：锁定")
}

/// Returns the visit's transcript of this kind that is not locked, a new one if there is none, or
/// `None` if it is locked already.
fn begun(
    rehearsal: &Rehearsal<'_>,
    inspection: InspectionId,
    kind: TranscriptKind,
) -> Result<Option<TranscriptId>, AppError> {
    let services = rehearsal.services;
    let rows = services.store.read(|r| r.transcripts_of(inspection))?;
    Ok(match rows.iter().find(|row| row.prepared.kind == kind) {
        Some(row) if row.state == TranscriptState::Locked => None,
        Some(row) => Some(row.prepared.transcript),
        None => Some(TranscriptId::new(services.clock.now().wall_at.0, &random::bytes())),
    })
}

fn row(rehearsal: &Rehearsal<'_>, transcript: TranscriptId) -> Result<TranscriptRow, AppError> {
    let row = rehearsal.services.store.read(|r| r.transcript(transcript))?;
    row.ok_or(AppError::NotFound("transcript"))
}

fn read(rehearsal: &mut Rehearsal<'_>, transcript: TranscriptId) -> Result<(), AppError> {
    let row = row(rehearsal, transcript)?;
    if row.state == TranscriptState::Prepared {
        let readings = (1_u32..)
            .zip(&row.prepared.pages)
            .map(|(page, _)| PageReading { page, dwell_ms: MINUTE_MS })
            .collect();
        rehearsal.clock.advance_ms(2 * MINUTE_MS);
        let words = "以上笔录我已看过，与我说的一致。";
        read_back(rehearsal.services, transcript, ReadBackWay::Read, readings, words)?;
    }
    rehearsal.step("笔录核对")
}

fn officers_sign_and_lock(
    rehearsal: &mut Rehearsal<'_>,
    transcript: TranscriptId,
) -> Result<(), AppError> {
    let services = rehearsal.services;
    let row = row(rehearsal, transcript)?;
    let pages = u32::try_from(row.prepared.pages.len()).unwrap_or(u32::MAX);
    let page_hash = row.prepared.pages.last().copied().ok_or(AppError::NotFound("page"))?;
    let names: Vec<String> =
        services.session().unlocked().iter().map(|one| one.credential.name.clone()).collect();
    for (role, name) in [SignerRole::FirstOfficer, SignerRole::SecondOfficer].into_iter().zip(names)
    {
        let ink = signature_strokes(page_hash, 3);
        sign_page(services, transcript, SignInput { page: pages, role, name, ink })?;
        rehearsal.tell_committed()?;
    }
    let input = LockInput { override_reason: REASON.to_owned(), ..LockInput::default() };
    lock(services, transcript, &input)?;
    Ok(())
}

fn person() -> PrintedPerson {
    PrintedPerson {
        name: PERSON.to_owned(),
        identity: Some("身份证 11010519491231002X".to_owned()),
        post: Some("现场负责人".to_owned()),
        phone: Some("13800000000".to_owned()),
        ..PrintedPerson::default()
    }
}

fn dialog() -> Vec<QuestionAnswer> {
    let pairs = [
        ("请说明您的身份以及与本店的关系。", "我是本店现场负责人。"),
        ("现场发现的情况是否属实？", "属实。"),
        ("您是否还有补充？", "没有。"),
    ];
    pairs
        .iter()
        .map(|(question, answer)| QuestionAnswer {
            question: (*question).to_owned(),
            answer: (*answer).to_owned(),
        })
        .collect()
}

pub(super) fn decision(
    rehearsal: &mut Rehearsal<'_>,
    inspection: InspectionId,
) -> Result<(), AppError> {
    let services = rehearsal.services;
    let rules = services.rulebook()?;
    let cases = services.store.read(|r| r.cases_of(inspection))?;
    let case = match cases.first() {
        Some(row) => row.filed.case,
        None => open_case(rehearsal, inspection, &rules)?,
    };
    rehearsal.step("当场处罚：记录违法事实")?;
    let row = case_row(rehearsal, case)?;
    let choice = choose(&rules, &row).ok_or(AppError::NotFound("benchmark"))?;
    if row.state == CaseState::Filed {
        let input = NoticeInput {
            tier: Some(choice.tier.clone()),
            warning: false,
            fine_fen: choice.fine_fen,
        };
        give_prior_notice(services, case, &input)?;
    }
    rehearsal.step("当场处罚：告知")?;
    if case_row(rehearsal, case)?.state == CaseState::Noticed {
        hear_defense(services, case, &HearInput { waived: true, ..HearInput::default() })?;
    }
    rehearsal.step("当场处罚：听取陈述申辩")?;
    rehearsal.clock.advance_ms(5 * MINUTE_MS);
    if case_row(rehearsal, case)?.state == CaseState::Heard {
        let details = PartyDetails {
            present: true,
            identified: true,
            capacity_doubt: false,
            suspected_crime: false,
            exemption: ExemptionReview::NoGround,
            tier: Some(choice.tier),
            correction_order: "责令立即改正".to_owned(),
        };
        decide_on_spot(
            services,
            case,
            &DecideInput { details, override_reason: REASON.to_owned() },
        )?;
    }
    rehearsal.step("当场处罚：出具决定书")?;
    hand_over(rehearsal, inspection)
}

fn case_row(rehearsal: &Rehearsal<'_>, case: CaseId) -> Result<CaseRow, AppError> {
    rehearsal.services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))
}

fn open_case(
    rehearsal: &Rehearsal<'_>,
    inspection: InspectionId,
    rules: &Rulebook,
) -> Result<CaseId, AppError> {
    let services = rehearsal.services;
    let visit = services.store.read(|r| r.inspection(inspection))?;
    let visit = visit.ok_or(AppError::NotFound("inspection"))?;
    let today = services.clock.now().wall_at.legal_date();
    let region = &visit.begun.premises.region_code;
    let (authority, matter) = visit
        .begun
        .participations
        .iter()
        .flat_map(|part| rules.matters.iter().map(move |matter| (part.authority.as_str(), matter)))
        .find(|(authority, matter)| {
            matter.kind == MatterKind::Penalty
                && rules.delegated(authority, &matter.code, region, today)
                && rules.benchmark_at(&matter.code, today).is_some_and(|benchmark| {
                    fitting(benchmark, visit.begun.party.kind, rules).is_some()
                })
        })
        .ok_or(AppError::NotFound("matter for a fine on the spot"))?;
    let evidence = services.store.read(|r| r.evidence_of(inspection))?;
    file_case(
        services,
        inspection,
        FileInput {
            matter: matter.code.clone(),
            authority: authority.to_owned(),
            party: visit.begun.party.clone(),
            violation: format!("现场检查发现：{}的情形", matter.name.trim_end_matches("的处罚")),
            acted_at: services.clock.now().wall_at,
            place: visit.begun.premises.address.clone(),
            evidence: evidence.iter().take(3).map(|row| row.captured.evidence).collect(),
        },
    )
}

struct Choice {
    tier: TierChoice,
    fine_fen: i64,
}

fn choose(rules: &Rulebook, row: &CaseRow) -> Option<Choice> {
    let on = row.filed.acted_at.legal_date();
    let benchmark = rules.benchmark_at(&row.filed.matter, on)?;
    fitting(benchmark, row.filed.party.kind, rules)
}

/// Returns the lightest tier with a fine that fits under the cap of an on-the-spot decision.
fn fitting(
    benchmark: &sync_model::rulebook::discretion::DiscretionBenchmark,
    kind: PartyKind,
    rules: &Rulebook,
) -> Option<Choice> {
    let citizen = matches!(kind, PartyKind::Citizen | PartyKind::SoleProprietor);
    let (scope, cap) = if citizen {
        (PartyScope::Individual, rules.policies.on_spot_citizen_max_fen.0)
    } else {
        (PartyScope::Organization, rules.policies.on_spot_organization_max_fen.0)
    };
    benchmark
        .tiers
        .iter()
        .filter(|tier| tier.scope == PartyScope::Any || tier.scope == scope)
        .filter(|tier| tier.penalty_kinds.contains(&PenaltyKind::Fine) && tier.formula.is_none())
        .map(|tier| (tier, tier.min_fen.0.max(tier.max_fen.0.min(5_000))))
        .find(|(_, fine_fen)| (1..=cap).contains(fine_fen))
        .map(|(tier, fine_fen)| Choice {
            tier: TierChoice {
                benchmark_id: benchmark.id.clone(),
                version: benchmark.version,
                tier_order: tier.order,
                circumstances: tier.conditions.clone(),
            },
            fine_fen,
        })
}

fn hand_over(rehearsal: &mut Rehearsal<'_>, inspection: InspectionId) -> Result<(), AppError> {
    let services = rehearsal.services;
    let documents = services.store.read(|r| r.documents_of(inspection))?;
    for row in documents {
        if row.case.is_none() || row.delivery.is_some() {
            continue;
        }
        let pages = crate::document::load_pages(services.store.blobs(), &row.text)?;
        let last = pages.last().map(|page| sync_model::hash::Hash::of(page.as_bytes()));
        let ink = signature_strokes(last.ok_or(AppError::NotFound("page"))?, 3);
        let input = DeliverInput {
            recipient: PERSON.to_owned(),
            way: DeliveryWay::InPerson { ink },
            place: "检查现场".to_owned(),
        };
        deliver(services, row.document, &input)?;
        print(services, row.document)?;
    }
    rehearsal.step("当场处罚：当场交付决定书")
}
