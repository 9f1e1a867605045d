//! Admission: what HQ finds when it looks at a record that is already in custody.
//!
//! Custody is not acceptance: whatever is found here, the record stays where it is, and the device
//! learns the result from its feed. The judging itself is in pure functions; this file asks the
//! store for what they need. Only a finding of weight Block withholds acceptance.

mod beforehand;
mod decision;
mod known;
mod officers;
mod signatures;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sync_model::canonical;
use sync_model::cose::PublicKey;
use sync_model::id::OfficerId;
use sync_model::record::document::NumberReserved;
use sync_model::record::evidence::EvidencePhase;
use sync_model::record::shift::{PresenceProof, ShiftBegun, ShiftEnded};
use sync_model::record::{Act, Envelope, Record};
use sync_model::rule::{Finding, blocks};
use sync_model::time::Timestamp;
use sync_model::wire::feed::{Acceptance, FeedBody};

use crate::error::HqError;
use crate::hq::Inner;
use crate::store::Tx;

pub(crate) use beforehand::Beforehand;
pub(crate) use known::Known;

/// Kinds whose result a device always learns; of others only what was found.
const ALWAYS_TOLD: &[&str] =
    &["shift_begun", "credential_displayed", "transcript_locked", "decision_issued"];
/// Acts at the scene that only two officers may do, and only after showing who they are.
const ACTS_AT_SCENE: [&str; 8] = [
    "notice_given",
    "checklist_answered",
    "evidence_captured",
    "transcript_prepared",
    "transcript_locked",
    "inspection_concluded",
    "prior_notice_given",
    "decision_issued",
];
/// The act of showing who they are.
const DISPLAY: &str = "credential_displayed";
/// Basis of findings that come from HQ's own order and not from an article.
const OWN_ORDER: &str = "总部平台受理规则";

impl Inner {
    /// Judges a record that was just taken; keeps the result and tells the device.
    pub(crate) fn admit(
        &self,
        known: &Known<'_, '_>,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), HqError> {
        let (envelope, tx) = (&record.envelope, known.tx());
        // A record that breaks a rule's code must not keep others out of custody.
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(known, record)));
        let findings = judged.unwrap_or_else(|_| {
            tracing::error!(record = %record.hash, "judging panicked");
            Ok(vec![unjudged()])
        })?;
        let told = ALWAYS_TOLD.contains(&envelope.act.kind.as_str());
        if findings.is_empty() && !told {
            return Ok(());
        }
        let acceptance = Acceptance {
            record: record.hash,
            seq: envelope.seq,
            accepted: !blocks(&findings),
            findings,
        };
        let findings = canonical::to_bytes(&acceptance.findings)?;
        tx.insert_acceptance(envelope.device, &acceptance, &findings, now)?;
        self.issue(tx, Some(envelope.device), FeedBody::Acceptance(acceptance), now)?;
        Ok(())
    }

    fn judge(&self, known: &Known<'_, '_>, record: &Record) -> Result<Vec<Finding>, HqError> {
        let (envelope, before, tx) = (&record.envelope, known.beforehand(), known.tx());
        let act = before.act(record);
        let mut findings = at_scene(known, envelope, &act)?;
        match &*act {
            Act::Unknown(_) => findings.push(Finding::record(
                "HQ-KIND",
                OWN_ORDER,
                "总部平台尚不认识该类记录，已原样保存，无需处理",
            )),
            Act::ShiftBegun(begun) => findings.extend(begin_shift(known, envelope, begun)?),
            Act::ShiftEnded(ended) => findings.extend(end_shift(tx, envelope, ended)?),
            Act::CredentialDisplayed(displayed) => {
                for shown in &displayed.credentials {
                    let keys = known.officer_keys(shown.officer)?;
                    let own = known.credential_is_of(&shown.credential, shown.officer)?;
                    let keys = if own { keys } else { Vec::new() };
                    findings.extend(signatures::displayed(before, displayed, shown, &keys));
                }
            }
            Act::TranscriptLocked(locked) => {
                let keys = keys_of(known, &locked.officer_signatures)?;
                findings.extend(signatures::transcript(before, locked, &keys));
            }
            Act::NumberReserved(reserved) => findings.extend(number(tx, envelope, reserved)?),
            Act::DecisionIssued(decision) => {
                let rulebook = match &envelope.rulebook {
                    Some(hash) => self.rulebook(tx, hash)?,
                    None => None,
                };
                let keys = keys_of(known, &decision.officer_signatures)?;
                findings.extend(signatures::decision(before, decision, &keys));
                let at = decision::judged_at(decision, &envelope.recorded);
                findings.extend(decision::check_decision(decision, rulebook.as_deref(), at));
                let number = &decision.document_number;
                let taken = tx.use_document_number(number, decision.document, envelope.device)?;
                findings.extend(taken.then(|| decision::number_taken(number)));
            }
            _ => {}
        }
        Ok(findings)
    }
}

/// Checks what holds for every act at the scene.
fn at_scene(
    known: &Known<'_, '_>,
    envelope: &Envelope,
    act: &Act,
) -> Result<Vec<Finding>, HqError> {
    if !ACTS_AT_SCENE.contains(&act.kind()) {
        return Ok(Vec::new());
    }
    if let Act::EvidenceCaptured(captured) = act
        && captured.phase != EvidencePhase::Visit
    {
        // A lead before the visit is one officer's observation and says so.
        return Ok(Vec::new());
    }
    let mut kinds = Vec::with_capacity(envelope.officers.len());
    for officer in envelope.officers.iter().collect::<BTreeSet<_>>() {
        kinds.push(known.officer_kind(*officer)?);
    }
    let mut findings = officers::check_two(&kinds);
    if let Some(inspection) = envelope.inspection {
        let done = known.done_before(envelope.device, inspection, envelope.seq)?;
        // Said once for the visit, and again where it decides.
        let missing = !done.display;
        if missing && (matches!(act, Act::DecisionIssued(_)) || !done.act_at_scene) {
            findings.push(officers::not_displayed());
        }
    }
    Ok(findings)
}

fn unjudged() -> Finding {
    Finding::block("HQ-UNJUDGED", OWN_ORDER, "总部平台未能自动核查该记录，已保存，待人工复核")
}

fn begin_shift(
    known: &Known<'_, '_>,
    envelope: &Envelope,
    begun: &ShiftBegun,
) -> Result<Vec<Finding>, HqError> {
    let (mut findings, tx) = (Vec::new(), known.tx());
    for presence in &begun.officers {
        let keys = known.officer_keys(presence.officer)?;
        findings.extend(signatures::presence(known.beforehand(), begun.shift, presence, &keys));
        // Who proves presence on his own device is rightly on two devices at once.
        if presence.proof != PresenceProof::OwnUnlock {
            continue;
        }
        let at = presence.proved_at;
        let (officer, device) = (presence.officer, envelope.device);
        tx.begin_presence(officer, device, begun.shift, at)?;
        let others = tx.overlapping_presences(officer, device, at, at.plus_ms(1))?;
        findings.extend(officers::check_overlap(&presence.name, others));
    }
    Ok(findings)
}

/// The end of a shift closes its presences: only now is it known what they overlap.
fn end_shift(
    tx: &Tx<'_>,
    envelope: &Envelope,
    ended: &ShiftEnded,
) -> Result<Vec<Finding>, HqError> {
    let to = envelope.recorded.wall_at;
    let mut findings = Vec::new();
    for (officer, from) in tx.shift_presences(envelope.device, ended.shift)? {
        let others = tx.overlapping_presences(officer, envelope.device, from, to)?;
        let name = tx.officer(officer)?.map_or_else(String::new, |officer| officer.name);
        findings.extend(officers::check_overlap(&name, others));
    }
    tx.end_presence(envelope.device, ended.shift, to)?;
    Ok(findings)
}

fn number(
    tx: &Tx<'_>,
    envelope: &Envelope,
    reserved: &NumberReserved,
) -> Result<Vec<Finding>, HqError> {
    let leased = tx.lease_covers(envelope.device, reserved.lease, reserved.number)?;
    let text = &reserved.document_number;
    let taken = tx.use_document_number(text, reserved.document, envelope.device)?;
    let mut findings = Vec::new();
    findings.extend(taken.then(|| decision::number_taken(text)));
    findings.extend((!leased).then(|| decision::number_not_leased(text)));
    Ok(findings)
}

/// Returns each signer's registered keys.
fn keys_of(
    known: &Known<'_, '_>,
    signed: &[sync_model::record::signature::OfficerSignature],
) -> Result<Vec<(OfficerId, Vec<PublicKey>)>, HqError> {
    let officers: BTreeSet<OfficerId> = signed.iter().map(|signature| signature.officer).collect();
    officers.into_iter().map(|officer| Ok((officer, known.officer_keys(officer)?))).collect()
}
