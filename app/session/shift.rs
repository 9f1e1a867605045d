//! Beginning and ending a shift, and closing the day.

use sync_core::random;
use sync_core::store::ShiftRow;
use sync_model::canonical;
use sync_model::cose::{self, Context, CoseError};
use sync_model::id::ShiftId;
use sync_model::record::Record;
use sync_model::record::shift::{
    DayClosed, Presence, PresenceProof, PresenceStatement, ShiftBegun, ShiftEnded,
};

use crate::error::AppError;
use crate::services::Services;

/// Begins a shift of the unlocked officers; another unlock later begins it anew with both.
///
/// # Errors
/// [`AppError::NoShift`] if nobody is unlocked.
pub fn begin_shift(services: &Services) -> Result<Record, AppError> {
    let shift = ShiftId::new(services.clock.now().wall_at.0, &random::bytes());
    let begun = {
        let session = services.session();
        let first = session.unlocked().first().ok_or(AppError::NoShift)?;
        let officers = session
            .unlocked()
            .iter()
            .map(|one| {
                let statement = PresenceStatement {
                    shift,
                    officer: one.credential.officer,
                    proved_at: one.proved_at,
                };
                let payload = canonical::to_bytes(&statement).map_err(CoseError::from)?;
                Ok(Presence {
                    officer: one.credential.officer,
                    name: one.credential.name.clone(),
                    certificate_number: one.credential.certificate_number.clone(),
                    proof: PresenceProof::OwnUnlock,
                    proved_at: one.proved_at,
                    signature: cose::sign(Context::OfficerAct, &payload, &one.key)?,
                })
            })
            .collect::<Result<Vec<_>, CoseError>>()?;
        ShiftBegun { shift, authority: first.credential.authority.clone(), officers }
    };
    services.store.act(&services.scope(None, None), |_, _| Ok(begun.into()))
}

/// Returns the shift that is on, of exactly the officers who are unlocked now.
///
/// # Errors
/// [`AppError::NoShift`] if there is none or an unlocked officer is not in it.
pub(crate) fn current(services: &Services) -> Result<ShiftRow, AppError> {
    let row = services.store.read(|r| r.current_shift())?.ok_or(AppError::NoShift)?;
    let here = services.session().officer_ids();
    let listed = |officer| row.begun.officers.iter().any(|one| one.officer == officer);
    if !here.is_empty() && here.into_iter().all(listed) { Ok(row) } else { Err(AppError::NoShift) }
}

/// Ends the shift and locks the device. What is unsent is said, never dropped.
///
/// # Errors
/// [`AppError::NoShift`].
pub fn end_shift(services: &Services, note: &str) -> Result<Record, AppError> {
    let row = services.store.read(|r| r.current_shift())?.ok_or(AppError::NoShift)?;
    let record = services.store.act(&services.scope(None, None), |reader, _| {
        let unsent = reader.outbox_counts()?.pending;
        let shift = row.begun.shift;
        Ok::<_, AppError>(ShiftEnded { shift, unsent, note: note.to_owned() }.into())
    })?;
    super::lock(services);
    Ok(record)
}

/// States all that the device made so far, so that HQ can prove it holds all of it.
///
/// # Errors
/// [`AppError::Store`].
pub fn close_day(services: &Services) -> Result<Record, AppError> {
    services.store.act(&services.scope(None, None), |reader, _| {
        let head = reader.head()?.ok_or(AppError::NotFound("records"))?;
        let (blobs, blob_bytes) = reader.blob_totals()?;
        Ok(DayClosed { last_seq: head.seq, head: head.hash, blobs, blob_bytes }.into())
    })
}
