//! The decision: rules, pages, two officers' keys, evidence manifest, number: one act.

use sync_core::store::{CaseRow, CaseState, Reader};
use sync_model::hash::Hash;
use sync_model::id::{CaseId, DocumentId};
use sync_model::money::Fen;
use sync_model::record::Record;
use sync_model::record::case::DecisionIssued;
use sync_model::rule::on_spot::{HandOver, IssueFacts, OnSpotFacts, check, check_issue};
use sync_model::rulebook::Rulebook;
use sync_model::rulebook::lookup::text;
use sync_model::time::Timestamp;

use super::facts::{PartyDetails, gather};
use super::notice::penalty_text;
use super::reserve_number;
use crate::document;
use crate::document::content::{Content, OnSpotDecision};
use crate::error::{AppError, Step, judge};
use crate::inspection::order_time;
use crate::services::{Services, rulebook};
use crate::transcript::compose::{printed_evidence, printed_officers, printed_party};
use crate::transcript::lock::{Statement, officers_sign};

/// What the officers say when deciding.
#[derive(Clone, Debug)]
pub struct DecideInput {
    /// About the party and the act.
    pub details: PartyDetails,
    /// Reason for going past warnings; empty if there are none.
    pub override_reason: String,
}

/// Decides on the spot; returns the decision document and the record.
///
/// # Errors
/// [`AppError::Blocked`], [`AppError::NeedsReason`], [`AppError::NoNumbers`], [`AppError::Order`].
// 《行政处罚法》第五十一条、第五十二条.
pub fn decide_on_spot(
    services: &Services,
    case: CaseId,
    input: &DecideInput,
) -> Result<(DocumentId, Record), AppError> {
    // Rules first: no number is taken for a decision that cannot be made.
    let now = services.clock.now().wall_at;
    let officers = services.session().officer_facts();
    let row = services.store.read(|r| r.case(case))?.ok_or(AppError::NotFound("case"))?;
    in_order(&row)?;
    let rules = services.rulebook()?;
    let judged_at = services.store.read(|r| order_time(r, row.filed.inspection, now))?;
    let facts =
        services.store.read(|r| gather(r, &row, officers.clone(), &input.details, judged_at))?;
    judge(check(&facts, &rules, judged_at), &input.override_reason)?;
    // If the power fails after this, the reserved number waits in the case and is used again.
    let (document, number) = reserve_number(services, case)?;
    let (content, manifest) =
        services.store.read(|r| compose(services, r, &rules, &row, &facts, &number, now))?;
    let stored = document::put(services.store.blobs(), &Content::OnSpotDecision(content.clone()))?;
    let ids = services.session().officer_ids();
    let statement =
        Statement { document, revision: 1, content: stored.content.sha256, pages: &stored.pages };
    let officer_signatures = officers_sign(services, &ids, &statement)?;
    let scope = services.scope(Some(row.filed.inspection), Some(case));
    let record = services.store.act(&scope, |reader, moment| {
        let row = reader.case(case)?.ok_or(AppError::NotFound("case"))?;
        let now = order_time(reader, row.filed.inspection, moment.wall_at)?;
        in_order(&row)?;
        let rules = rulebook(reader)?;
        let facts = gather(reader, &row, officers, &input.details, now)?;
        let mut findings = check(&facts, &rules, now);
        // Handing over is the next act; until it is done the visit cannot be concluded.
        let issue = check_issue(&issue_facts(&content, &row, &ids), &rules);
        findings.extend(issue.into_iter().filter(|finding| finding.code != "S7"));
        let overrides = judge(findings, &input.override_reason)?;
        Ok::<_, AppError>(
            DecisionIssued {
                case,
                document,
                document_number: content.number.clone(),
                warning: content.warning,
                fine_fen: content.fine_fen,
                content: stored.content.clone(),
                text: stored.text.clone(),
                pages: stored.pages.clone(),
                evidence_manifest: manifest,
                facts: Box::new(facts),
                overrides,
                officer_signatures,
            }
            .into(),
        )
    })?;
    Ok((document, record))
}

fn in_order(row: &CaseRow) -> Result<(), AppError> {
    match row.state {
        CaseState::Filed => Err(AppError::Order(Step::PriorNotice)),
        CaseState::Noticed => Err(AppError::Order(Step::Defense)),
        CaseState::Decided => Err(AppError::Order(Step::Locked)),
        CaseState::Heard => Ok(()),
    }
}

/// Returns the decision's content and the hashes of the originals it rests on.
fn compose(
    services: &Services,
    reader: &Reader<'_>,
    rules: &Rulebook,
    row: &CaseRow,
    facts: &OnSpotFacts,
    number: &str,
    now: Timestamp,
) -> Result<(OnSpotDecision, Vec<Hash>), AppError> {
    let filed = &row.filed;
    let authority = rules.authority(&filed.authority).ok_or(AppError::NotFound("authority"))?;
    let matter = rules.matter(&filed.matter).ok_or(AppError::NotFound("matter"))?;
    let notice = row.notice.as_ref().ok_or(AppError::Order(Step::PriorNotice))?;
    let cite = |norm: &Option<sync_model::rulebook::matter::LegalBasis>| {
        norm.as_ref().map_or_else(String::new, sync_model::rulebook::matter::LegalBasis::cite)
    };
    let mut cited = Vec::new();
    let mut manifest = Vec::new();
    let fit = printed_evidence(reader, filed.inspection)?;
    for id in &filed.evidence {
        let found = reader.evidence(*id)?.ok_or(AppError::NotFound("evidence"))?;
        let line = fit.iter().find(|(ordinal, _)| *ordinal == found.captured.ordinal);
        if let Some(line) = line {
            cited.push(line.clone());
            manifest.push(found.captured.original.sha256);
        }
    }
    let payment = rules
        .text(text::PAYMENT_NOTICE, &[("payment_institution", &authority.payment_institution)])
        .unwrap_or_default();
    let officers: Vec<_> = services.session().officer_ids();
    let content = OnSpotDecision {
        number: number.to_owned(),
        authority: authority.name.clone(),
        party: printed_party(&filed.party),
        violation: filed.violation.clone(),
        acted_at: filed.acted_at,
        place: filed.place.clone(),
        evidence: cited,
        violated_norm: cite(&matter.violated_norm),
        penalty_norm: cite(&matter.penalty_norm),
        discretion: discretion_text(rules, facts),
        warning: notice.warning,
        fine_fen: notice.fine_fen,
        correction: facts.correction_order.clone(),
        defense: defense_text(row),
        payment: if notice.fine_fen > 0 { payment } else { String::new() },
        remedies: rules.on_spot_remedies(&filed.authority).unwrap_or_default(),
        decided_at: now,
        decided_place: filed.place.clone(),
        officers: printed_officers(services, &officers)?,
    };
    Ok((content, manifest))
}

fn discretion_text(rules: &Rulebook, facts: &OnSpotFacts) -> String {
    let Some(choice) = &facts.tier else { return String::new() };
    let Some(benchmark) = rules.benchmark(&choice.benchmark_id, choice.version) else {
        return String::new();
    };
    let tier = benchmark.tiers.iter().find(|tier| tier.order == choice.tier_order);
    format!(
        "{}（第{}版）“{}”阶次：{}",
        benchmark.source_document,
        benchmark.version,
        tier.map_or("", |tier| tier.name.as_str()),
        choice.circumstances.join("；")
    )
}

fn defense_text(row: &CaseRow) -> String {
    match &row.defense {
        Some(heard) if heard.waived => "当事人明确表示放弃陈述、申辩".to_owned(),
        Some(heard) => {
            let result = if heard.adopted { "予以采纳" } else { "不予采纳" };
            format!("当事人陈述、申辩：{}。复核意见：{}，{result}", heard.content, heard.reply)
        }
        None => String::new(),
    }
}

/// Returns the fields that 《行政处罚法》第五十二条第二款 lists, to find an empty one.
fn issue_facts(
    content: &OnSpotDecision,
    row: &CaseRow,
    officers: &[sync_model::id::OfficerId],
) -> IssueFacts {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    IssueFacts {
        authority_id: row.filed.authority.clone(),
        document_number: content.number.clone(),
        contents: vec![
            field("party", &content.party.name),
            field("act", &content.violation),
            field("kinds", &penalty_text(content.warning, content.fine_fen)),
            field("basis", &content.penalty_norm),
            field("amount", &Fen(content.fine_fen).to_string()),
            field("time", &content.decided_at.chinese()),
            field("place", &content.decided_place),
            field("authority", &content.authority),
        ],
        remedies_text: content.remedies.clone(),
        signed_by: officers.to_vec(),
        hand_over: HandOver::NotYet,
    }
}
