//! Signing page by page with the raw strokes, or refusing; each is a record of its own.

use sync_core::store::{Reader, TranscriptRow, TranscriptState};
use sync_model::id::{EvidenceId, TranscriptId};
use sync_model::record::Record;
use sync_model::record::signature::{Ink, PageSigned, SignatureRefused, SignerRole, Witness};

use crate::error::{AppError, Input, Step};
use crate::services::Services;

/// One page signed.
#[derive(Clone, Debug)]
pub struct SignInput {
    /// Page number, from 1.
    pub page: u32,
    /// In which role.
    pub role: SignerRole,
    /// Name of the signer.
    pub name: String,
    /// The strokes, bound to the page they were made on.
    pub ink: Ink,
}

/// A refusal.
#[derive(Clone, Debug)]
pub struct RefusalInput {
    /// In which role.
    pub role: SignerRole,
    /// Who refused.
    pub name: String,
    /// The stated reason; 未说明理由 if none.
    pub reason: String,
    /// Who saw it.
    pub witness: Option<Witness>,
    /// A recording that covers it.
    pub recording: Option<EvidenceId>,
}

/// Records one page's signature.
///
/// # Errors
/// [`AppError::Order`] before the read-back, [`AppError::PageChanged`] if the strokes belong to
/// another page or revision, [`AppError::Input`].
pub fn sign_page(
    services: &Services,
    transcript: TranscriptId,
    input: SignInput,
) -> Result<Record, AppError> {
    if input.ink.point_count() < Ink::POINTS_MIN {
        return Err(AppError::Input(Input::SignatureTooShort));
    }
    sync_model::identifier::person_name::check(&input.name)
        .map_err(|_| AppError::Input(Input::Name))?;
    let inspection = services.store.read(|r| signable(r, transcript))?.prepared.inspection;
    let scope = services.scope_of_officers(Some(inspection), None)?;
    services.store.act(&scope, |reader, _| {
        let row = signable(reader, transcript)?;
        let index = usize::try_from(input.page.saturating_sub(1)).unwrap_or(usize::MAX);
        let page_hash = row.prepared.pages.get(index).copied().ok_or(AppError::NotFound("page"))?;
        if input.ink.page != page_hash {
            return Err(AppError::PageChanged);
        }
        Ok(PageSigned {
            document: row.prepared.document,
            revision: row.prepared.revision,
            page: input.page,
            page_hash,
            role: input.role,
            name: input.name.clone(),
            ink: input.ink.clone(),
        }
        .into())
    })
}

/// Records a refusal.
///
/// # Errors
/// [`AppError::Input`] without a reason or with a name that is none, [`AppError::Order`] before the read-back.
// 《最高人民法院关于行政诉讼证据若干问题的规定》第十五条: 当事人拒绝签名的，应当注明原因.
pub fn refuse(
    services: &Services,
    transcript: TranscriptId,
    input: RefusalInput,
) -> Result<Record, AppError> {
    if input.reason.trim().is_empty() {
        return Err(AppError::Input(Input::Empty("拒签理由")));
    }
    let witness = input.witness.as_ref().map(|witness| witness.name.as_str());
    for name in std::iter::once(input.name.as_str()).chain(witness) {
        sync_model::identifier::person_name::check(name)
            .map_err(|_| AppError::Input(Input::Name))?;
    }
    let inspection = services.store.read(|r| signable(r, transcript))?.prepared.inspection;
    let scope = services.scope_of_officers(Some(inspection), None)?;
    services.store.act(&scope, |reader, _| {
        let row = signable(reader, transcript)?;
        Ok::<_, AppError>(
            SignatureRefused {
                document: row.prepared.document,
                revision: row.prepared.revision,
                role: input.role,
                name: input.name,
                reason: input.reason.trim().to_owned(),
                witness: input.witness,
                recording: input.recording,
            }
            .into(),
        )
    })
}

/// Returns the transcript if it was read back and is not locked yet.
fn signable(reader: &Reader<'_>, transcript: TranscriptId) -> Result<TranscriptRow, AppError> {
    let row = reader.transcript(transcript)?.ok_or(AppError::NotFound("transcript"))?;
    match row.state {
        TranscriptState::Prepared => Err(AppError::Order(Step::ReadBack)),
        TranscriptState::Locked => Err(AppError::Order(Step::Locked)),
        TranscriptState::ReadBack => Ok(row),
    }
}
