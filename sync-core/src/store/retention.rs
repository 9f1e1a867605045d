//! R3 and what follows: HQ has archived, and after the retention time originals leave this device.
//!
//! | the power fails after | on disk | next |
//! |---|---|---|
//! | removal decided, not noted | file and row as before | decided again |
//! | noted | row says removed, name in `unlinking`, file there | the sweep finishes it |
//! | some files unlinked | the same, fewer files | the same |
//! | all unlinked, `unlinking` not cleared | rows say removed | the sweep finds nothing to do |
//!
//! Noted before unlinked, so that a file that is missing without a note is damage, never taken for
//! tidiness.

use std::fs;

use rusqlite::Connection;
use serde_bytes::ByteBuf;
use sync_model::hash::Hash;
use sync_model::record::BlobRole;
use sync_model::time::Timestamp;

use super::sql::{
    Reader, forget_meta, from_content, hash, named, set_meta, signed, to_content, unsigned,
};
use super::{Store, lock};
use crate::error::StoreError;

/// Originals removed in one step; records wait behind no more than this.
const STEP: u64 = 20;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// An original that HQ keeps and this device does not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedRow {
    /// Its name.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
    /// Record that cites it.
    pub seq: u64,
    /// When it was removed, by HQ's clock.
    pub deleted_at: Timestamp,
}

impl Reader<'_> {
    /// Returns the last record that HQ has archived with all before it; 0 for none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn archived_seq(&self) -> Result<u64, StoreError> {
        let kept = self.meta("archived_seq")?;
        kept.map_or(Ok(0), |bytes| from_content(&bytes, "archived seq"))
    }

    /// Returns when an original was removed here, or `None` if it was not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn removed_at(&self, sha256: &Hash) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT deleted_at FROM blob
                   WHERE sha256 = :sha256 AND deleted_at IS NOT NULL";
        self.first(sql, [sha256.0], |row| Ok(Timestamp(row.get("deleted_at")?)))
    }

    /// Returns the originals removed here, newest records first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn removed(&self, count: u64) -> Result<Vec<RemovedRow>, StoreError> {
        self.rows(
            "SELECT sha256, bytes, seq, deleted_at FROM blob INDEXED BY blob_removed
             WHERE deleted_at IS NOT NULL ORDER BY seq DESC LIMIT :count",
            [signed(count)],
            |row| {
                Ok(RemovedRow {
                    sha256: hash(row, "sha256")?,
                    bytes: unsigned(row, "bytes")?,
                    seq: unsigned(row, "seq")?,
                    deleted_at: Timestamp(row.get("deleted_at")?),
                })
            },
        )
    }

    /// Returns how many originals were removed here, and their bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn removed_totals(&self) -> Result<(u64, u64), StoreError> {
        Ok((
            self.count("SELECT COUNT(*) FROM blob WHERE deleted_at IS NOT NULL", [])?,
            self.count(
                "SELECT COALESCE(SUM(bytes), 0) FROM blob WHERE deleted_at IS NOT NULL",
                [],
            )?,
        ))
    }

    /// Returns media type and role of a file as its record states them.
    pub(crate) fn citation(&self, sha256: &Hash) -> Result<Option<(String, BlobRole)>, StoreError> {
        let sql = "SELECT media, role FROM blob WHERE sha256 = :sha256";
        self.first(sql, [sha256.0], |row| Ok((row.get("media")?, named(row, "role")?)))
    }

    fn unlinking(&self) -> Result<Vec<Hash>, StoreError> {
        let Some(bytes) = self.meta("unlinking")? else { return Ok(vec![]) };
        let names: Vec<ByteBuf> = from_content(&bytes, "files to unlink")?;
        Ok(names.iter().filter_map(|name| Hash::from_slice(name)).collect())
    }
}

impl Store {
    /// Keeps how far HQ has archived. What was archived stays archived. `at` is HQ's clock where this
    /// device's clock agrees with it; without it no retention time begins.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn keep_archived(&self, seq: u64, at: Option<Timestamp>) -> Result<(), StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let reader = Reader::new(&tx);
        // Never beyond what has a receipt here: R3 stands on R1 and R2.
        let held = reader.first_unreceipted()?.saturating_sub(1);
        let (before, seq) = (reader.archived_seq()?, seq.min(held));
        if seq > before {
            set_meta(&tx, "archived_seq", &to_content(&seq)?)?;
        }
        if let Some(at) = at {
            tx.execute(
                "UPDATE blob SET archived_at = :at
                 WHERE archived_at IS NULL AND seq <= :seq AND status = 'received'",
                (at.0, signed(seq.max(before))),
            )?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Removes originals that HQ archived more than `retain_days` before `hq_now`; returns how many.
    ///
    /// `hq_now` is HQ's clock in an answer of this round, and the caller has found this device's
    /// clock to agree with it: no jump of either clock alone removes anything.
    ///
    /// # Errors
    /// [`StoreError`]; what was noted as removed is finished by the next call.
    pub(crate) fn remove_archived(
        &self,
        hq_now: Timestamp,
        retain_days: u32,
    ) -> Result<u64, StoreError> {
        let before = hq_now.plus_ms(-i64::from(retain_days).saturating_mul(DAY_MS));
        let mut removed = 0;
        loop {
            // The lock is let go between steps, so that an act never waits for a long sweep.
            let step = self.remove_step(hq_now, before)?;
            removed += step;
            if step == 0 {
                return Ok(removed);
            }
        }
    }

    fn remove_step(&self, hq_now: Timestamp, before: Timestamp) -> Result<u64, StoreError> {
        let mut connection = lock(&self.writer);
        self.finish_unlinking(&connection)?;
        let tx = connection.transaction()?;
        let due = Reader::new(&tx).rows(
            "SELECT sha256 FROM blob INDEXED BY blob_removable
             WHERE archived_at IS NOT NULL AND deleted_at IS NULL AND role = 'original'
               AND archived_at <= :before AND status = 'received' LIMIT :count",
            (before.0, signed(STEP)),
            |row| hash(row, "sha256"),
        )?;
        if due.is_empty() {
            return Ok(0);
        }
        for sha256 in &due {
            tx.prepare_cached("UPDATE blob SET deleted_at = :at WHERE sha256 = :sha256")?
                .execute((hq_now.0, sha256.0))?;
        }
        let names: Vec<ByteBuf> = due.iter().map(|one| ByteBuf::from(one.0.to_vec())).collect();
        set_meta(&tx, "unlinking", &to_content(&names)?)?;
        tx.commit()?;
        // If the power fails here, the rows say removed and the next sweep unlinks.
        self.finish_unlinking(&connection)?;
        Ok(u64::try_from(due.len()).unwrap_or(u64::MAX))
    }

    fn finish_unlinking(&self, connection: &Connection) -> Result<(), StoreError> {
        let reader = Reader::new(connection);
        let names = reader.unlinking()?;
        if names.is_empty() {
            return Ok(());
        }
        for sha256 in names {
            // Cited again or fetched back meanwhile: it stays.
            if reader.removed_at(&sha256)?.is_none() {
                continue;
            }
            match fs::remove_file(self.blobs.path(&sha256)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove archived original")(error));
                }
                _ => {}
            }
        }
        forget_meta(connection, "unlinking")
    }

    /// Notes that a removed original lies here again. When HQ next says that it is archived, another
    /// retention time begins.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn note_fetched(&self, sha256: &Hash) -> Result<(), StoreError> {
        lock(&self.writer)
            .prepare_cached(
                "UPDATE blob SET deleted_at = NULL, archived_at = NULL
                 WHERE sha256 = :sha256 AND deleted_at IS NOT NULL",
            )?
            .execute([sha256.0])?;
        Ok(())
    }
}
