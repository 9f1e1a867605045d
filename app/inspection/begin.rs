//! Beginning a visit: approval, published matters, frequency, two officers.

use sync_core::random;
use sync_core::store::Reader;
use sync_model::id::{AssignmentId, InspectionId};
use sync_model::record::inspection::InspectionBegun;
use sync_model::rule::credential::OfficerFacts;
use sync_model::rule::frequency::{Trigger, VisitCount};
use sync_model::rule::inspection::{
    Approval, BeginFacts, VisitCode, check_begin, permitted_matters,
};
use sync_model::rule::on_spot::PartyKind;
use sync_model::rule::{Finding, Weight};
use sync_model::time::Timestamp;
use sync_model::wire::assignment::{Assignment, AssignmentSource, Participation};

use crate::error::{AppError, judge};
use crate::services::{Services, rulebook};
use crate::session::shift;

/// What the officer says when stepping in.
#[derive(Clone, Debug, Default)]
pub struct BeginInput {
    /// Why this cannot be verified off-site (`domain` R-72).
    pub on_site_reason: String,
    /// Reason for going past warnings; empty if there are none.
    pub override_reason: String,
}

/// Begins the visit of an assignment; returns it, and what was found about matters left out.
/// Beginning again resumes the visit that is open.
///
/// # Errors
/// [`AppError::Blocked`], [`AppError::NeedsReason`], [`AppError::NoShift`].
pub fn begin(
    services: &Services,
    assignment: AssignmentId,
    input: &BeginInput,
) -> Result<(InspectionId, Vec<Finding>), AppError> {
    if let Some(open) = services.store.read(|r| r.open_inspection_of(assignment))? {
        return Ok((open.begun.inspection, vec![]));
    }
    let shift = shift::current(services)?;
    let officers = services.session().officer_facts();
    let inspection = InspectionId::new(services.clock.now().wall_at.0, &random::bytes());
    let mut left_out = Vec::new();
    services.store.act(&services.scope(Some(inspection), None), |reader, moment| {
        let row = reader.assignment(assignment)?.ok_or(AppError::NotFound("assignment"))?;
        let weighed = weigh(reader, &row.assignment, &officers, input, moment.wall_at)?;
        left_out = weighed.left_out;
        if weighed.participations.is_empty() {
            // An assignment that cites only unknown matters: said so, nothing begun.
            return Err(AppError::Blocked(left_out.clone()));
        }
        let overrides = judge(weighed.findings, &input.override_reason)?;
        Ok::<_, AppError>(
            InspectionBegun {
                inspection,
                assignment,
                shift: shift.begun_hash,
                premises: row.assignment.premises.clone(),
                party: row.assignment.party.clone(),
                participations: weighed.participations,
                on_site_reason: input.on_site_reason.trim().to_owned(),
                overrides,
            }
            .into(),
        )
    })?;
    Ok((inspection, left_out))
}

/// Returns what beginning this assignment now would find, left-out matters first; records nothing.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn foresee(
    services: &Services,
    assignment: AssignmentId,
    input: &BeginInput,
) -> Result<Vec<Finding>, AppError> {
    let officers = services.session().officer_facts();
    let now = services.clock.now().wall_at;
    services.store.read(|reader| {
        let row = reader.assignment(assignment)?.ok_or(AppError::NotFound("assignment"))?;
        let mut weighed = weigh(reader, &row.assignment, &officers, input, now)?;
        let nothing_left = weighed.participations.is_empty();
        for finding in &mut weighed.left_out {
            // One bad matter does not stop the visit; only when none is left nothing begins.
            finding.weight = if nothing_left { Weight::Block } else { Weight::Record };
        }
        Ok(weighed.left_out.into_iter().chain(weighed.findings).collect())
    })
}

/// What the rules say about an assignment as a whole.
struct Weighed {
    participations: Vec<Participation>,
    findings: Vec<Finding>,
    left_out: Vec<Finding>,
}

fn weigh(
    reader: &Reader<'_>,
    assignment: &Assignment,
    officers: &[OfficerFacts],
    input: &BeginInput,
    now: Timestamp,
) -> Result<Weighed, AppError> {
    let rulebook = rulebook(reader)?;
    let mut weighed = Weighed { participations: vec![], findings: vec![], left_out: vec![] };
    for part in &assignment.participations {
        let mut facts = begin_facts(assignment, part, input);
        facts.officers = officers.to_vec();
        let (matters, refused) = permitted_matters(&facts, &rulebook, now);
        weighed.left_out.extend(refused);
        if matters.is_empty() {
            continue;
        }
        facts.matter_codes.clone_from(&matters);
        weighed.findings.extend(check_begin(&facts, &rulebook, now));
        let authority = part.authority.clone();
        weighed.participations.push(Participation { authority, matters });
    }
    dedupe(&mut weighed.findings);
    Ok(weighed)
}

/// The same officers are judged once for each department; one sentence is enough.
fn dedupe(findings: &mut Vec<Finding>) {
    let mut seen: Vec<Finding> = Vec::new();
    findings.retain(|finding| {
        let fresh = !seen.contains(finding);
        if fresh {
            seen.push(finding.clone());
        }
        fresh
    });
}

fn begin_facts(assignment: &Assignment, part: &Participation, input: &BeginInput) -> BeginFacts {
    BeginFacts {
        authority_id: part.authority.clone(),
        region_code: assignment.premises.region_code.clone(),
        matter_codes: part.matters.clone(),
        trigger: match assignment.source {
            AssignmentSource::JointInspection | AssignmentSource::Routine => Trigger::Planned,
            AssignmentSource::RandomDraw => Trigger::RandomDraw,
            AssignmentSource::Complaint => Trigger::Complaint,
        },
        approval: assignment.approval.as_ref().map_or(Approval::Missing, |approval| {
            Approval::Approved { by: approval.approver.clone(), at: approval.approved_at }
        }),
        code: assignment
            .visit_code
            .as_ref()
            .map_or(VisitCode::MadeByDevice, |_| VisitCode::IssuedByHq),
        is_enterprise: assignment.party.kind != PartyKind::Citizen,
        visit_count: assignment
            .visits
            .map(|visits| VisitCount { count: visits.count, as_of: visits.as_of }),
        on_site_reason: input.on_site_reason.trim().to_owned(),
        // HQ's joint assignment is itself the arrangement between the departments.
        cooperation: (assignment.source == AssignmentSource::JointInspection)
            .then(|| assignment.assignment.to_string()),
        officers: vec![],
    }
}
