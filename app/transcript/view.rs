//! A prepared transcript as the signing page shows it: pages, who signs, what is open.

use sync_core::store::{SignatureRow, TranscriptRow, TranscriptState};
use sync_model::hash::Hash;
use sync_model::id::{InspectionId, TranscriptId};
use sync_model::record::signature::SignerRole;
use sync_model::rulebook::lookup::text;

use super::lock::read_content;
use crate::document::content::Content;
use crate::document::load_pages;
use crate::error::AppError;
use crate::services::Services;

/// Somebody who signs or has signed.
#[derive(Clone, Debug)]
pub struct Signer {
    /// In which role.
    pub role: SignerRole,
    /// The role in words.
    pub label: String,
    /// Name.
    pub name: String,
    /// Pages signed so far.
    pub signed: Vec<u32>,
    /// The page to sign next; `None` if nothing is left.
    pub next: Option<u32>,
    /// Refused.
    pub refused: bool,
    /// Whether it is this person's turn.
    pub may_sign: bool,
}

impl Signer {
    /// Says whether this signer is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.refused || self.next.is_none()
    }
}

/// A transcript ready to be read and signed.
#[derive(Clone, Debug)]
pub struct SignView {
    /// As stored.
    pub row: TranscriptRow,
    /// Title with the person's name.
    pub title: String,
    /// Text of each page.
    pub pages: Vec<String>,
    /// The person's name.
    pub party: String,
    /// The party first, then both officers.
    pub signers: Vec<Signer>,
    /// Closing words to choose from.
    pub closings: Vec<String>,
}

impl SignView {
    /// Returns the hash of a page, counted from 1.
    #[must_use]
    pub fn page_hash(&self, page: u32) -> Option<Hash> {
        let index = usize::try_from(page.checked_sub(1)?).ok()?;
        self.row.prepared.pages.get(index).copied()
    }

    /// Says whether everybody has signed or refused and it may be locked.
    #[must_use]
    pub fn may_lock(&self) -> bool {
        self.row.state == TranscriptState::ReadBack && self.signers.iter().all(Signer::is_done)
    }
}

/// Returns a visit's transcript to sign: the chosen one, else the last one that is not locked.
///
/// # Errors
/// [`AppError::Store`].
pub fn to_sign(
    services: &Services,
    inspection: InspectionId,
    chosen: Option<TranscriptId>,
) -> Result<Option<TranscriptId>, AppError> {
    let rows = services.store.read(|r| r.transcripts_of(inspection))?;
    let of_visit = |id: &TranscriptId| rows.iter().any(|row| row.prepared.transcript == *id);
    let open = rows.iter().rev().find(|row| row.state != TranscriptState::Locked);
    Ok(chosen.filter(of_visit).or(open.map(|row| row.prepared.transcript)))
}

/// Returns the transcript as it is to be read and signed.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn sign_view(services: &Services, transcript: TranscriptId) -> Result<SignView, AppError> {
    let row = services.store.read(|r| r.transcript(transcript))?;
    let row = row.ok_or(AppError::NotFound("transcript"))?;
    let prepared = &row.prepared;
    let content = read_content(services, &prepared.content.sha256)?;
    let pages = load_pages(services.store.blobs(), &prepared.text.sha256)?;
    let signatures = services.store.read(|r| r.signatures(prepared.document, prepared.revision))?;
    let words = services.rulebook()?.text(text::CLOSING_WORDS, &[]).unwrap_or_default();
    let (party, label, asker) = match &content {
        Content::Interview(body) => {
            (body.interviewee.name.clone(), "被询问人", Some(body.asker.name.clone()))
        }
        Content::Scene(body) => (body.person_present.name.clone(), "当事人", None),
        _ => (String::new(), "当事人", None),
    };
    let signers = signers(services, &row, &signatures, (&party, label), asker.as_deref());
    Ok(SignView {
        title: format!("{}　{party}", prepared.title),
        pages,
        party,
        signers,
        closings: words.lines().map(str::to_owned).collect(),
        row,
    })
}

fn signers(
    services: &Services,
    row: &TranscriptRow,
    signatures: &[SignatureRow],
    party: (&str, &str),
    asker: Option<&str>,
) -> Vec<Signer> {
    let page_count = u32::try_from(row.prepared.pages.len()).unwrap_or(u32::MAX);
    let read = row.state == TranscriptState::ReadBack;
    let signer = |role, label: &str, name: &str, first_page| {
        let (signed, refused) = acts(signatures, role);
        let next = (first_page..=page_count).find(|page| !signed.contains(page));
        Signer {
            role,
            label: label.to_owned(),
            name: name.to_owned(),
            may_sign: read && !refused && next.is_some(),
            signed,
            next,
            refused,
        }
    };
    let first = signer(SignerRole::Party, party.1, party.0, 1);
    let party_done = first.is_done();
    let mut found = vec![first];
    let session = services.session();
    let roles = [SignerRole::FirstOfficer, SignerRole::SecondOfficer];
    for (role, one) in roles.into_iter().zip(session.unlocked()) {
        let name = one.credential.name.as_str();
        let label = match asker {
            Some(asker) if asker == name => "询问人",
            Some(_) => "记录人",
            None if role == SignerRole::FirstOfficer => "检查人",
            None => "记录人",
        };
        let mut officer = signer(role, label, name, page_count);
        // The officers sign last: what they vouch for is the page with the person's answer on it.
        officer.may_sign &= party_done;
        found.push(officer);
    }
    found
}

/// Returns the pages signed in a role, and whether it refused.
fn acts(signatures: &[SignatureRow], role: SignerRole) -> (Vec<u32>, bool) {
    let mut signed = Vec::new();
    let mut refused = false;
    for signature in signatures.iter().filter(|one| one.role() == role) {
        match signature {
            SignatureRow::Signed(body) => signed.push(body.page),
            SignatureRow::Refused(_) => refused = true,
        }
    }
    (signed, refused)
}
