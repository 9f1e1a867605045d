//! What people at HQ read and rule: cases, their records and files, each by role and each written
//! down before it is given out.

use std::collections::BTreeSet;

use sync_model::canonical;
use sync_model::fold::CaseState;
use sync_model::hash::Hash;
use sync_model::id::CaseId;
use sync_model::record::Record;
use sync_model::wire::problem::ProblemCode;

use crate::account::{Caller, Role};
use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::reads::Read;
use crate::store::StoreError;

/// Cases looked at for one page of the list.
const PAGE: u64 = 200;
/// Largest folded case.
const STATE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest ruling, in characters.
const RULING_CHARS_MAX: usize = 2_000;

/// A case in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseLine {
    pub(crate) case: CaseId,
    pub(crate) matter: String,
    pub(crate) authority: String,
    pub(crate) reviews: u64,
}

/// A record of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordLine {
    pub(crate) log_index: u64,
    pub(crate) hash: Hash,
    pub(crate) kind: String,
    pub(crate) files: Vec<Hash>,
}

impl Caller {
    /// Says whether the caller may read the case.
    fn may_read(&self, state: &CaseState) -> bool {
        match self.role {
            Role::Officer => self.officer.is_some_and(|officer| state.officers.contains(&officer)),
            Role::Leader | Role::Reviewer => {
                let mut names = state.authority.versions().iter().map(|one| one.value.as_str());
                self.authority.as_deref().is_some_and(|own| names.any(|name| name == own))
            }
            Role::Supervisor => true,
            Role::Administrator => false,
        }
    }
}

fn hidden() -> HqError {
    // The same for a case that is not there: nobody learns which cases there are.
    refuse(ProblemCode::NotFound, "no such case for this account")
}

fn state_of(bytes: &[u8]) -> Result<CaseState, HqError> {
    Ok(canonical::from_bytes(bytes, STATE_BYTES_MAX)?)
}

impl Hq {
    /// Writes down what the caller asked for; before anything is given out.
    fn note_read(&self, caller: &Caller, what: &str) -> Result<(), HqError> {
        let read = Read {
            seq: 0,
            previous: Hash::of(b""),
            at: self.now(),
            account: caller.name.clone(),
            role: caller.role.name().to_owned(),
            purpose: caller.purpose.clone(),
            what: what.to_owned(),
        };
        self.0.store.write::<_, HqError, _>(move |tx| Inner::note_read(tx, read))
    }

    /// Returns cases that the caller may read, after `after`, and where to go on.
    pub(crate) fn list_cases(
        &self,
        caller: &Caller,
        after: Option<CaseId>,
        path: &str,
    ) -> Result<(Vec<CaseLine>, Option<CaseId>), HqError> {
        if caller.role == Role::Administrator {
            return Err(refuse(ProblemCode::NotAuthentic, "an administrator reads no cases"));
        }
        let after = after.map_or_else(Vec::new, |case| case.as_bytes().to_vec());
        let rows = self.0.store.read::<_, HqError>(|tx| Ok(tx.case_states(&after, PAGE)?))?;
        let full = u64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
        let next = rows.last().map(|(case, ..)| *case).filter(|_| full);
        let mut lines = Vec::new();
        for (case, state, reviews) in rows {
            let state = state_of(&state)?;
            if caller.may_read(&state) {
                let shown = |text: Option<&String>| text.cloned().unwrap_or_default();
                lines.push(CaseLine {
                    case,
                    matter: shown(state.matter.shown().map(|one| &one.value)),
                    authority: shown(state.authority.shown().map(|one| &one.value)),
                    reviews,
                });
            }
        }
        self.note_read(caller, path)?;
        Ok((lines, next))
    }

    /// Returns the records that tell the case.
    pub(crate) fn read_case(
        &self,
        caller: &Caller,
        case: CaseId,
        path: &str,
    ) -> Result<Vec<RecordLine>, HqError> {
        let records = self.records_for(caller, case)?;
        self.note_read(caller, path)?;
        Ok(records
            .into_iter()
            .map(|(log_index, record)| RecordLine {
                log_index,
                hash: record.hash,
                kind: record.envelope.act.kind.clone(),
                files: record.envelope.blobs.iter().map(|blob| blob.sha256).collect(),
            })
            .collect())
    }

    /// Returns the signed bytes of one record of the case.
    pub(crate) fn read_record(
        &self,
        caller: &Caller,
        case: CaseId,
        record: &Hash,
        path: &str,
    ) -> Result<Vec<u8>, HqError> {
        let mut records = self.records_for(caller, case)?.into_iter();
        let found = records.find(|(_, one)| one.hash == *record).ok_or_else(hidden)?;
        self.note_read(caller, path)?;
        Ok(found.1.bytes)
    }

    /// Returns a file that a record of the case cites, with its media type.
    pub(crate) fn read_file(
        &self,
        caller: &Caller,
        case: CaseId,
        file: &Hash,
        path: &str,
    ) -> Result<(Vec<u8>, String), HqError> {
        let records = self.records_for(caller, case)?;
        let cites = |record: &&(u64, Record)| {
            record.1.envelope.blobs.iter().any(|blob| blob.sha256 == *file)
        };
        let author = records.iter().find(cites).ok_or_else(hidden)?.1.envelope.device;
        let device = self.0.store.read::<_, HqError>(|tx| Ok(tx.device(author)?))?;
        self.note_read(caller, path)?;
        self.give_blob(&device.ok_or(StoreError::Damaged("device"))?, file)
    }

    /// Rules on the open questions of a case: a new one opens it again.
    pub(crate) fn rule(&self, caller: &Caller, case: CaseId, text: &str) -> Result<(), HqError> {
        if caller.role != Role::Reviewer {
            return Err(refuse(ProblemCode::NotAuthentic, "a legal reviewer rules"));
        }
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > RULING_CHARS_MAX {
            return Err(refuse(ProblemCode::Malformed, "a ruling of 1 to 2,000 characters"));
        }
        let (caller, now) = (caller.clone(), self.now());
        self.0.store.write::<_, HqError, _>(move |tx| {
            let state = state_of(&tx.case_state(case)?.ok_or_else(hidden)?)?;
            if !caller.may_read(&state) {
                return Err(hidden());
            }
            let reviews = u64::try_from(state.reviews.len()).unwrap_or(u64::MAX);
            if reviews == 0 {
                return Err(refuse(ProblemCode::NotFound, "the case has no open question"));
            }
            if tx.insert_ruling(case, reviews, &caller.name, &text, now)? {
                Ok(())
            } else {
                Err(refuse(ProblemCode::NotFound, "somebody ruled on this already"))
            }
        })
    }

    fn records_for(&self, caller: &Caller, case: CaseId) -> Result<Vec<(u64, Record)>, HqError> {
        let (state, records) = self.0.store.read::<_, HqError>(|tx| {
            Ok((tx.case_state(case)?.ok_or_else(hidden)?, tx.records_of_case(case)?))
        })?;
        if !caller.may_read(&state_of(&state)?) {
            return Err(hidden());
        }
        let mut seen = BTreeSet::new();
        let mut opened = Vec::new();
        for (index, bytes) in records {
            let record = Record::read(&bytes).map_err(|_| StoreError::Damaged("record"))?;
            if seen.insert(record.hash) {
                opened.push((index, record));
            }
        }
        Ok(opened)
    }
}
