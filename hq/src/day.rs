//! Close of day: HQ checks what a device said it made against what HQ holds.
//!
//! The statement is a record like any other and may come by another device. Without one HQ says
//! what it holds and that nothing says whether that is all.

use chrono::NaiveDate;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::record::shift::DayClosed;
use sync_model::record::{Act, Record};
use sync_model::time::Timestamp;
use sync_model::wire::audit::SeqRun;
use sync_model::wire::day::{DAY_LISTED_MAX, DayReport, DayStatement};
use sync_model::wire::feed::FeedBody;

use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::{StoreError, Tx};

/// Most files that a report looks up one by one.
const LISTED: u64 = 500;

impl Inner {
    /// Keeps the statement in a record; returns the date it speaks of.
    pub(crate) fn keep_statement(
        &self,
        tx: &Tx<'_>,
        record: &Record,
    ) -> Result<Option<NaiveDate>, StoreError> {
        let envelope = &record.envelope;
        if envelope.act.kind != "day_closed" {
            return Ok(None);
        }
        let Act::DayClosed(closed) = envelope.act() else { return Ok(None) };
        let on = envelope.recorded.wall_at.legal_date();
        let statement = statement(record.hash, envelope.seq, envelope.recorded.wall_at, &closed);
        tx.insert_statement(envelope.device, on, &statement)?;
        Ok(Some(on))
    }

    /// Checks the day and tells the device.
    pub(crate) fn tell_day(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        on: NaiveDate,
        now: Timestamp,
    ) -> Result<(), HqError> {
        let report = check(tx, device, on)?;
        self.issue(tx, Some(device), FeedBody::Day(Box::new(report)), now)?;
        Ok(())
    }
}

fn statement(record: Hash, seq: u64, stated_at: Timestamp, closed: &DayClosed) -> DayStatement {
    DayStatement {
        seq,
        record,
        stated_at,
        last_seq: closed.last_seq,
        head: closed.head,
        blobs: closed.blobs,
        blob_bytes: closed.blob_bytes,
        brought_by: None,
    }
}

fn check(tx: &Tx<'_>, device: DeviceId, on: NaiveDate) -> Result<DayReport, StoreError> {
    let (statement, held) = tx.together::<_, StoreError>(|tx| {
        Ok((tx.statement_on(device, on)?, tx.head(device)?.map_or(0, |head| head.seq)))
    })?;
    // A day reaches from behind the statement of the day before to its own statement.
    let last = statement.map_or(held, |statement| statement.last_seq.max(statement.seq));
    let upto = statement.map_or(held, |statement| statement.last_seq);
    let (before, (missing, missing_records), (blobs, blob_bytes), missing_blobs, at_head) =
        tx.together::<_, StoreError>(|tx| {
            let before = tx.statement_before(device, last.saturating_add(1), on);
            let (cited, gaps) = (tx.cited(device, upto), missing(tx, device, upto));
            let missing_blobs = tx.cited_missing(device, upto, LISTED)?;
            let at_head = tx.records_at(device, upto, upto)?;
            Ok((before?, gaps?, cited?, missing_blobs, at_head))
        })?;
    let first = before.saturating_add(1);
    let records = tx.records_between(device, first, last)?;
    let listed = u64::try_from(missing_blobs.len()).unwrap_or(u64::MAX);
    // Counted apart only where the list does not say it.
    let missing_blob_count =
        if listed < LISTED { listed } else { tx.cited_missing_count(device, upto)? };
    let head_matches = match &statement {
        Some(stated) if stated.last_seq > 0 => {
            at_head.iter().any(|(_, record)| record.hash == stated.head)
        }
        _ => statement.is_some(),
    };
    let complete = statement.is_some_and(|stated| {
        head_matches
            && missing_records == 0
            && missing_blob_count == 0
            && (stated.blobs, stated.blob_bytes) == (blobs, blob_bytes)
    });
    Ok(DayReport {
        device,
        on,
        statement,
        first_seq: if records == 0 { 0 } else { first },
        last_seq: if records == 0 { 0 } else { last.min(held) },
        records,
        missing,
        missing_records,
        head_matches,
        blobs,
        blob_bytes,
        missing_blobs,
        missing_blob_count,
        complete,
    })
}

/// Returns what is missing up to a place: at most [`DAY_LISTED_MAX`] runs, and how many in all.
fn missing(tx: &Tx<'_>, device: DeviceId, upto: u64) -> Result<(Vec<SeqRun>, u64), StoreError> {
    let held = tx.records_between(device, 1, upto)?;
    if held == upto {
        return Ok((Vec::new(), 0));
    }
    // What waits for others is held too, only not in the log yet.
    let mut known: Vec<u64> =
        tx.chain_hashes(device, upto)?.into_iter().map(|(seq, _)| seq).collect();
    known.extend(tx.early_seqs(device, upto)?);
    known.sort_unstable();
    known.dedup();
    let (mut runs, mut count, mut next) = (Vec::new(), 0_u64, 1_u64);
    for seq in known.into_iter().chain([upto.saturating_add(1)]) {
        let gap = seq.saturating_sub(next);
        if gap > 0 {
            count = count.saturating_add(gap);
            if runs.len() < DAY_LISTED_MAX {
                runs.push(SeqRun { first: next, count: gap });
            }
        }
        next = seq.saturating_add(1);
    }
    Ok((runs, count))
}

impl Hq {
    /// Checks what HQ holds of a device's day; a lost device's too, from its last statement known.
    ///
    /// # Errors
    /// [`AdminError::NoSuchDevice`], or if the store cannot be read.
    pub fn day(&self, device: DeviceId, on: NaiveDate) -> Result<DayReport, HqError> {
        self.0.store.read(|tx| {
            if tx.device(device)?.is_none() {
                return Err(AdminError::NoSuchDevice(device.to_string()).into());
            }
            Ok(check(tx, device, on)?)
        })
    }
}
