//! What an error of one request means for the rest of the round; what HQ will never take is parked.

use sync_model::time::Timestamp;
use sync_model::wire::problem::{Problem, ProblemCode};

use super::machine::{Failure, Request};
use super::push;
use crate::error::{StoreError, SyncError};
use crate::store::{JournalRow, Store};

/// Judges a push that was refused or cut.
pub(super) fn push_failure(
    store: &Store,
    error: &SyncError,
    batch: &[JournalRow],
) -> Result<Failure, SyncError> {
    let SyncError::Problem(problem) = error else {
        // The chain ended; files and feed go on.
        let stopped = matches!(error, SyncError::Stopped(_));
        return Ok(if stopped { Failure::Plane } else { of_any(error) });
    };
    Ok(match problem.code {
        ProblemCode::Gap => {
            push::missing_before(store, error, batch)?.map_or(Failure::Plane, Failure::Gap)
        }
        ProblemCode::BadRecord | ProblemCode::Fork => {
            if push::park_refused(store, error, batch)? {
                Failure::Parked
            } else {
                Failure::Plane
            }
        }
        ProblemCode::TooLarge => Failure::TooLarge,
        ProblemCode::Revoked if push::park_kept(store, problem, batch)? => Failure::Parked,
        _ => of_problem(problem).unwrap_or(Failure::Plane),
    })
}

/// Judges a question about files or the feed that was not answered.
pub(super) fn feed_failure(error: &SyncError) -> Failure {
    match error {
        SyncError::Problem(problem) => of_problem(problem).unwrap_or(Failure::Plane),
        // What cannot be read or verified of the feed says nothing about files.
        SyncError::Garbage(_) | SyncError::BadProof(_) => Failure::Plane,
        error => of_any(error),
    }
}

/// Judges a chunk that was refused or cut.
pub(super) fn chunk_failure(
    store: &Store,
    error: &SyncError,
    request: &Request,
) -> Result<Failure, SyncError> {
    let Request::Chunk { file, whole, .. } = request else { return Ok(Failure::Round) };
    let park = |reason: &str| {
        store.park_blob(file, reason)?;
        Ok(Failure::Parked)
    };
    match error {
        // Never sent as something it is not: parked, said so, the others go on.
        SyncError::Store(StoreError::MissingBlob(_)) => park("本机缺少该文件，请联系总部核查"),
        SyncError::Store(StoreError::HashMismatch { .. }) => park(DAMAGED),
        SyncError::Garbage(_) => Ok(Failure::Item),
        SyncError::Problem(problem) => match problem.code {
            // Another round was here at the same time; HQ says where it stands.
            ProblemCode::BadOffset => Ok(problem
                .expected_offset
                .filter(|offset| offset <= whole)
                .map_or(Failure::Item, Failure::Offset)),
            ProblemCode::BadDigest => match store.blobs().check(file, *whole) {
                Ok(()) => Ok(Failure::Damaged),
                Err(StoreError::HashMismatch { .. } | StoreError::MissingBlob(_)) => park(DAMAGED),
                Err(error) => Err(error.into()),
            },
            // HQ will never take it as it is.
            ProblemCode::UnknownBlob | ProblemCode::TooLarge => park(&not_taken(problem)),
            _ => Ok(of_problem(problem).unwrap_or(Failure::Item)),
        },
        error => Ok(of_any(error)),
    }
}

const DAMAGED: &str = "本机文件已损坏，与取证时不一致";

/// Says that HQ does not take something as it is, and why in its own words.
pub(super) fn not_taken(problem: &Problem) -> String {
    format!("总部没有收下：{problem}")
}

/// Says that a file was tried as often as makes sense.
pub(super) fn tried_in_vain(error: Option<&SyncError>) -> String {
    let why = error.map_or_else(String::new, |error| format!("（{error}）"));
    format!("多次上传都没有成功{why}，请联系总部核查")
}

/// Says where a record of a revoked device is.
pub(super) fn kept_apart(at: Timestamp) -> String {
    format!("本机已被注销，该记录由总部另行保全（{}）", at.chinese())
}

/// What every kind of request has in common; `None` where the kind decides.
fn of_problem(problem: &Problem) -> Option<Failure> {
    if problem.is_transient() {
        let asked = problem.retry_after_s.map(|seconds| u64::from(seconds).saturating_mul(1000));
        return Some(Failure::Later(asked));
    }
    let whole_device = matches!(problem.code, ProblemCode::Revoked | ProblemCode::NotAuthentic);
    whole_device.then_some(Failure::Round)
}

fn of_any(error: &SyncError) -> Failure {
    match error {
        SyncError::Unreachable(_) => Failure::Cut,
        _ => Failure::Round,
    }
}
