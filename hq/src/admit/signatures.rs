//! Officers' own signatures: by a key that HQ registered, over exactly what stands in the record.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::cose::{Context, PublicKey};
use sync_model::id::{OfficerId, ShiftId};
use sync_model::record::case::DecisionIssued;
use sync_model::record::credential::{CredentialDisplayed, DisplayMoment, DisplayedCredential};
use sync_model::record::shift::{Presence, PresenceStatement};
use sync_model::record::signature::{OfficerSignature, OfficerStatement};
use sync_model::record::transcript::TranscriptLocked;
use sync_model::rule::Finding;

use super::Beforehand;

/// Largest statement of an officer.
const STATEMENT_BYTES_MAX: usize = 64 * 1024;
/// Officers who must have signed.
const SIGNERS_MIN: usize = 2;

/// Each signer with the keys that HQ registered for him.
type Keys = [(OfficerId, Vec<PublicKey>)];

/// Returns the signed value if one of `keys` signed it.
fn open<'a, T: DeserializeOwned>(
    before: &Beforehand,
    context: Context,
    bytes: &[u8],
    keys: impl IntoIterator<Item = &'a PublicKey> + Clone,
) -> Option<T> {
    let payload = before.payload(context, bytes, keys)?;
    canonical::from_bytes(&payload, STATEMENT_BYTES_MAX).ok()
}

fn check(
    before: &Beforehand,
    signed: &[OfficerSignature],
    keys: &Keys,
    basis: &str,
    fits: impl Fn(&OfficerStatement) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut valid = BTreeSet::new();
    for signature in signed {
        let known = keys.iter().find(|(officer, _)| *officer == signature.officer);
        let known = known.map_or(&[][..], |(_, keys)| keys.as_slice());
        match open(before, Context::OfficerAct, &signature.statement, known) {
            Some(statement) if fits(&statement) => {
                valid.insert(signature.officer);
            }
            Some(_) => {
                let message = "执法人员签名所对应的内容与该文书不一致，请核查";
                findings.push(Finding::block("HQ-SIGNATURE", basis, message));
            }
            None => {
                let message = "执法人员签名无法用登记的密钥验证，请核查";
                findings.push(Finding::block("HQ-SIGNATURE", basis, message));
            }
        }
    }
    if valid.len() < SIGNERS_MIN {
        let message = format!("有效的执法人员签名只有{}个，应当由两名执法人员签名", valid.len());
        findings.push(Finding::block("R-30", basis, message));
    }
    findings
}

/// Checks the signatures under a decision.
// 《行政处罚法》第五十二条: 行政处罚决定书由执法人员签名或者盖章.
pub(super) fn decision(
    before: &Beforehand,
    decision: &DecisionIssued,
    keys: &Keys,
) -> Vec<Finding> {
    let basis = "《行政处罚法》第五十二条";
    check(before, &decision.officer_signatures, keys, basis, |statement| {
        statement.document == decision.document
            && statement.content == decision.content.sha256
            && statement.pages == decision.pages
    })
}

/// Checks the signatures under a transcript.
// 《行政处罚法》第五十五条: 询问或者检查应当制作笔录.
pub(super) fn transcript(
    before: &Beforehand,
    locked: &TranscriptLocked,
    keys: &Keys,
) -> Vec<Finding> {
    check(
        before,
        &locked.officer_signatures,
        keys,
        "《行政处罚法》第五十五条",
        |statement| {
            statement.revision == locked.revision
                && statement.content == locked.content
                && statement.pages == locked.pages
        },
    )
}

/// Checks that an officer himself stated his presence.
pub(super) fn presence(
    before: &Beforehand,
    shift: ShiftId,
    presence: &Presence,
    keys: &[PublicKey],
) -> Option<Finding> {
    let expected =
        PresenceStatement { shift, officer: presence.officer, proved_at: presence.proved_at };
    let stated = open::<PresenceStatement>(before, Context::OfficerAct, &presence.signature, keys);
    (stated != Some(expected)).then(|| {
        let message = format!("{}的到岗签名无法验证，请本人重新解锁", presence.name);
        Finding::block("R-91", "《行政处罚法》第四十二条", message)
    })
}

/// Checks that a displayed code was made by the officer for this visit and the credential shown;
/// `keys` are empty if that credential was never his.
pub(super) fn displayed(
    before: &Beforehand,
    displayed: &CredentialDisplayed,
    shown: &DisplayedCredential,
    keys: &[PublicKey],
) -> Option<Finding> {
    let moment: Option<DisplayMoment> = open(before, Context::Moment, &shown.moment, keys);
    let fits = moment.is_some_and(|moment| {
        moment.inspection == displayed.inspection && moment.credential == shown.credential
    });
    (!fits).then(|| {
        let message = format!("证件{}的亮证签名无法验证，请核查", shown.certificate_number);
        Finding::block("R-92", "《行政处罚法》第五十五条", message)
    })
}
