//! The outbox: what waits for HQ, what HQ has receipted, and what is parked and why.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::time::Timestamp;

use super::sql::{Reader, hash, signed, unsigned};
use super::{Store, lock};
use crate::error::StoreError;

/// How sure it is that a record survives this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// R0: durable here.
    Local,
    /// R1: HQ holds it; the proof was verified here.
    Held,
    /// R2: and every file it cites.
    Complete,
    /// R3: and HQ has archived all of it twice.
    Archived,
}

/// Counts for the status bar and the sync page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutboxCounts {
    /// Records without a receipt.
    pub pending: u64,
    /// Records with a receipt.
    pub received: u64,
    /// Records and files that HQ will not take as they are.
    pub parked: u64,
    /// Files not at HQ yet.
    pub pending_blobs: u64,
    /// Their bytes.
    pub pending_blob_bytes: u64,
    /// Files HQ holds whole.
    pub received_blobs: u64,
}

/// Files that wait, apart by what a network must carry for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlobCounts {
    /// Texts and thumbnails.
    pub previews: u64,
    /// Their bytes not at HQ.
    pub preview_bytes: u64,
    /// Originals and large copies.
    pub originals: u64,
    /// Their bytes not at HQ.
    pub original_bytes: u64,
    /// Files of visits marked urgent, whatever they are; not counted above.
    pub urgent: u64,
    /// Their bytes not at HQ.
    pub urgent_bytes: u64,
}

/// Something parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// Record it is or belongs to.
    pub seq: u64,
    /// Kind of act, or `blob`.
    pub kind: String,
    /// Why, in HQ's words.
    pub reason: String,
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingBlob {
    /// Its name.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
    /// Text or thumbnail.
    pub is_preview: bool,
    /// Of a visit marked urgent.
    pub is_urgent: bool,
}

/// A verified receipt of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The record.
    pub seq: u64,
    /// Its index in HQ's log.
    pub log_index: u64,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: String,
    /// Inclusion proof.
    pub proof: Vec<Hash>,
    /// HQ's clock.
    pub received_at: Timestamp,
}

impl ReceiptRow {
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let proof: Vec<u8> = row.get("proof")?;
        Ok(Self {
            seq: unsigned(row, "seq")?,
            log_index: unsigned(row, "log_index")?,
            checkpoint: row.get("note")?,
            proof: proof.chunks(32).filter_map(Hash::from_slice).collect(),
            received_at: Timestamp(row.get("received_at")?),
        })
    }
}

impl Reader<'_> {
    /// Returns the counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        // The second condition lets SQLite use the index of what is open; see the tests.
        let status = "SELECT COUNT(*) FROM outbox WHERE status = :status AND status <> 'received'";
        let blob = "SELECT COUNT(*) FROM blob WHERE status = :status AND status <> 'received'";
        // Counting receipts would read all of them at every look: each record stands in the outbox
        // exactly once (I-2), so what is not open is received.
        let records = self.count("SELECT COALESCE(MAX(seq), 0) FROM outbox", [])?;
        let (pending, parked) = (self.count(status, ["pending"])?, self.count(status, ["parked"])?);
        let (pending_blobs, parked_blobs) =
            (self.count(blob, ["pending"])?, self.count(blob, ["parked"])?);
        let blobs = self.count("SELECT COUNT(*) FROM blob", [])?;
        Ok(OutboxCounts {
            pending,
            received: records.saturating_sub(pending + parked),
            parked: parked + parked_blobs,
            pending_blobs,
            pending_blob_bytes: self.count(
                "SELECT COALESCE(SUM(bytes - sent_offset), 0) FROM blob
                 WHERE status = 'pending' AND status <> 'received'",
                [],
            )?,
            received_blobs: blobs.saturating_sub(pending_blobs + parked_blobs),
        })
    }

    /// Returns how many records wait without a receipt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending_records(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM outbox WHERE status = 'pending' AND status <> 'received'";
        self.count(sql, [])
    }

    /// Returns how many files records cite, and their bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn blob_totals(&self) -> Result<(u64, u64), StoreError> {
        Ok((
            self.count("SELECT COUNT(*) FROM blob", [])?,
            self.count("SELECT COALESCE(SUM(bytes), 0) FROM blob", [])?,
        ))
    }

    /// Returns the first record without a receipt, or `None` if HQ holds all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn first_pending(&self) -> Result<Option<u64>, StoreError> {
        self.first(
            "SELECT seq FROM outbox WHERE status = 'pending' AND status <> 'received'
             ORDER BY seq LIMIT 1",
            [],
            |row| unsigned(row, "seq"),
        )
    }

    /// Says whether a record waits for its receipt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn is_pending(&self, seq: u64) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM outbox WHERE seq = :seq AND status = 'pending'";
        Ok(self.count(sql, [signed(seq)])? > 0)
    }

    /// Returns the first parked record from `seq` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn first_parked_from(&self, seq: u64) -> Result<Option<u64>, StoreError> {
        self.first(
            "SELECT seq FROM outbox
             WHERE status = 'parked' AND status <> 'received' AND seq >= :seq
             ORDER BY seq LIMIT 1",
            [signed(seq)],
            |row| unsigned(row, "seq"),
        )
    }

    /// Returns the receipt of a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn receipt(&self, seq: u64) -> Result<Option<ReceiptRow>, StoreError> {
        self.first(
            "SELECT receipt.seq, log_index, note, proof, received_at FROM receipt
             JOIN checkpoint ON checkpoint.id = receipt.checkpoint WHERE receipt.seq = :seq",
            [signed(seq)],
            ReceiptRow::from_row,
        )
    }

    /// Returns how sure it is that a record survives this device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn level(&self, seq: u64) -> Result<Level, StoreError> {
        let held = self.count("SELECT COUNT(*) FROM receipt WHERE seq = :seq", [signed(seq)])?;
        if held == 0 {
            return Ok(Level::Local);
        }
        // Asked by the record's own citations: a file is listed under the first record that cites
        // it and counts for every other too.
        for row in self.records_from(seq, 1)? {
            for blob in row.record()?.envelope.blobs {
                let sql =
                    "SELECT COUNT(*) FROM blob WHERE sha256 = :sha256 AND status = 'received'";
                if self.count(sql, [blob.sha256.0])? == 0 {
                    return Ok(Level::Held);
                }
            }
        }
        Ok(if seq <= self.archived_seq()? { Level::Archived } else { Level::Complete })
    }

    /// Returns what is parked, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn parked(&self) -> Result<Vec<ParkedRow>, StoreError> {
        self.rows(
            "SELECT outbox.seq, journal.kind, parked_reason FROM outbox
             JOIN journal ON journal.seq = outbox.seq
             WHERE status = 'parked' AND status <> 'received'
             UNION ALL SELECT seq, 'blob', parked_reason FROM blob
             WHERE status = 'parked' AND status <> 'received' ORDER BY 1",
            [],
            |row| {
                Ok(ParkedRow {
                    seq: unsigned(row, "seq")?,
                    kind: row.get("kind")?,
                    reason: row.get("parked_reason")?,
                })
            },
        )
    }

    /// Returns files to send: urgent ones first, then small ones (texts, thumbnails) before
    /// originals, then by age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending_blobs(&self, count: u64) -> Result<Vec<PendingBlob>, StoreError> {
        self.rows(
            "SELECT blob.sha256, blob.bytes,
                    CASE role WHEN 'original' THEN 2 WHEN 'watermarked' THEN 1 ELSE 0 END AS rank,
                    journal.inspection IN (SELECT inspection FROM urgent) IS TRUE AS is_urgent
             FROM blob JOIN receipt ON receipt.seq = blob.seq JOIN journal ON journal.seq = blob.seq
             WHERE blob.status = 'pending' AND blob.status <> 'received'
             ORDER BY is_urgent DESC, rank, blob.seq LIMIT :count",
            [signed(count)],
            |row| {
                Ok(PendingBlob {
                    sha256: hash(row, "sha256")?,
                    bytes: unsigned(row, "bytes")?,
                    is_preview: row.get::<_, i64>("rank")? == 0,
                    is_urgent: row.get("is_urgent")?,
                })
            },
        )
    }

    /// Returns what waits of files, apart by what a network must carry for them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn blob_counts(&self) -> Result<BlobCounts, StoreError> {
        let groups = self.rows(
            "SELECT role IN ('original', 'watermarked') AS is_large,
                    journal.inspection IN (SELECT inspection FROM urgent) IS TRUE AS is_urgent,
                    COUNT(*) AS files, SUM(blob.bytes - sent_offset) AS unsent
             FROM blob JOIN journal ON journal.seq = blob.seq
             WHERE blob.status = 'pending' AND blob.status <> 'received'
             GROUP BY is_large, is_urgent",
            [],
            |row| {
                let kind: (bool, bool) = (row.get("is_large")?, row.get("is_urgent")?);
                Ok((kind, unsigned(row, "files")?, unsigned(row, "unsent")?))
            },
        )?;
        let mut counts = BlobCounts::default();
        for ((is_large, is_urgent), files, unsent) in groups {
            let (count, bytes) = match (is_urgent, is_large) {
                (true, _) => (&mut counts.urgent, &mut counts.urgent_bytes),
                (false, true) => (&mut counts.originals, &mut counts.original_bytes),
                (false, false) => (&mut counts.previews, &mut counts.preview_bytes),
            };
            *count = count.saturating_add(files);
            *bytes = bytes.saturating_add(unsent);
        }
        Ok(counts)
    }

    /// Returns the first record without a receipt, parked or not; one past the last if all have one.
    pub(super) fn first_unreceipted(&self) -> Result<u64, StoreError> {
        // Each by its own index.
        let open = self.first_pending()?.into_iter().chain(self.first_parked_from(0)?).min();
        let after = self.head()?.map_or(1, |head| head.seq.saturating_add(1));
        Ok(open.unwrap_or(after))
    }
}

impl Store {
    /// Keeps verified receipts, with the checkpoint they lead to; returns for how many records they
    /// are the first.
    ///
    /// # Errors
    /// [`StoreError`]; none of them is kept then and the records stay pending.
    pub fn keep_receipts(
        &self,
        note: &str,
        checkpoint: &Checkpoint,
        receipts: &[ReceiptRow],
    ) -> Result<u64, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        tx.execute(
            "INSERT INTO checkpoint (size, root, note) VALUES (:size, :root, :note)
             ON CONFLICT (note) DO NOTHING",
            (signed(checkpoint.size), checkpoint.root.0, note),
        )?;
        let id: i64 =
            tx.query_row("SELECT id FROM checkpoint WHERE note = :note", [note], |row| row.get(0))?;
        let mut gained = 0;
        for receipt in receipts {
            let proof: Vec<u8> = receipt.proof.iter().flat_map(|hash| hash.0).collect();
            tx.prepare_cached(
                "INSERT INTO receipt (seq, log_index, checkpoint, proof, received_at)
                 VALUES (:seq, :log_index, :checkpoint, :proof, :received_at)
                 ON CONFLICT (seq) DO NOTHING",
            )?
            .execute((
                signed(receipt.seq),
                signed(receipt.log_index),
                id,
                proof,
                receipt.received_at.0,
            ))?;
            gained += tx
                .prepare_cached(
                    "UPDATE outbox SET status = 'received', parked_reason = ''
                     WHERE seq = :seq AND status <> 'received'",
                )?
                .execute([signed(receipt.seq)])?;
        }
        tx.commit()?;
        Ok(u64::try_from(gained).unwrap_or(u64::MAX))
    }

    /// Parks a record that HQ refuses, with HQ's reason; the others go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn park(&self, seq: u64, reason: &str) -> Result<(), StoreError> {
        lock(&self.writer)
            .prepare_cached(
                "UPDATE outbox SET status = 'parked', parked_reason = :reason WHERE seq = :seq",
            )?
            .execute((reason, signed(seq)))?;
        Ok(())
    }

    /// Puts everything parked back in line, for example after HQ repaired its side.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn resume_parked(&self) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        connection.execute_batch(
            "UPDATE outbox SET status = 'pending', parked_reason = '' WHERE status = 'parked';
             UPDATE blob SET status = 'pending', parked_reason = '' WHERE status = 'parked';",
        )?;
        Ok(())
    }

    /// Notes how far a file has reached HQ, as HQ promised it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_blob(&self, sha256: &Hash, offset: u64, complete: bool) -> Result<(), StoreError> {
        self.note_blobs(&[(*sha256, offset, complete)])
    }

    /// Notes how far files have reached HQ and whether they are whole there, all or none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn note_blobs(&self, states: &[(Hash, u64, bool)]) -> Result<(), StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        for (sha256, offset, complete) in states {
            let status = if *complete { "received" } else { "pending" };
            tx.prepare_cached(
                "UPDATE blob SET sent_offset = :offset, status = :status
                 WHERE sha256 = :sha256 AND (sent_offset <> :offset OR status <> :status)",
            )?
            .execute((signed(*offset), status, sha256.0))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Puts files back in line that HQ asks for although it once had them whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn reopen_blobs(&self, wanted: &[Hash]) -> Result<u64, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let mut reopened = 0;
        for sha256 in wanted {
            // One that was removed here cannot come back from here; its row says so.
            reopened += tx
                .prepare_cached(
                    "UPDATE blob SET status = 'pending', sent_offset = 0, archived_at = NULL
                     WHERE sha256 = :sha256 AND status = 'received' AND deleted_at IS NULL",
                )?
                .execute([sha256.0])?;
        }
        tx.commit()?;
        Ok(u64::try_from(reopened).unwrap_or(u64::MAX))
    }

    /// Parks a file that is damaged here or refused there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn park_blob(&self, sha256: &Hash, reason: &str) -> Result<(), StoreError> {
        lock(&self.writer)
            .prepare_cached(
                "UPDATE blob SET status = 'parked', parked_reason = :reason
                 WHERE sha256 = :sha256",
            )?
            .execute((reason, sha256.0))?;
        Ok(())
    }
}
