//! The chain as a whole: its hashes for the audit, what goes out again, and whether it may go on.

use serde::{Deserialize, Serialize};
use sync_model::hash::Hash;
use sync_model::time::Timestamp;
use sync_model::wire::audit::{Order, SeqRun};

use super::sql::{Reader, forget_meta, from_content, hash, set_meta, signed, to_content, unsigned};
use super::{Store, lock};
use crate::error::StoreError;

/// Why a chain does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// Another device writes with this device's key: records are kept here and not sent; files are.
    Copied,
    /// HQ holds records of this chain that are not here: the folder was restored from a backup. No
    /// record is taken any more, since each would contradict one that HQ holds.
    Restored,
}

/// A chain that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStop {
    /// Why.
    pub kind: StopKind,
    /// First place in the chain that is in doubt.
    pub seq: u64,
}

impl Reader<'_> {
    /// Returns whether and why the chain does not go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn chain_stop(&self) -> Result<Option<ChainStop>, StoreError> {
        self.meta("chain_stop")?.map(|bytes| from_content(&bytes, "chain stop")).transpose()
    }

    /// Returns the last record that HQ receipted, 0 for none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_receipted(&self) -> Result<u64, StoreError> {
        self.count("SELECT COALESCE(MAX(seq), 0) FROM receipt", [])
    }

    /// Returns seq and hash of every record up to `last`, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn chain_hashes(&self, last: u64) -> Result<Vec<(u64, Hash)>, StoreError> {
        // The plus keeps SQLite on the index of hashes, which is a tenth of the table.
        let sql = "SELECT seq, hash FROM journal WHERE +seq <= :last";
        let mut rows =
            self.rows(sql, [signed(last)], |row| Ok((unsigned(row, "seq")?, hash(row, "hash")?)))?;
        rows.sort_unstable();
        Ok(rows)
    }

    /// Returns when, by this device's clock, the chain was last compared with HQ.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audited_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.meta("audited_at")?.map(|bytes| from_content(&bytes, "audited at")).transpose()
    }

    /// Says whether HQ ordered an audit that was not made yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_ordered(&self) -> Result<bool, StoreError> {
        Ok(self.meta("audit_ordered")?.is_some())
    }
}

impl Store {
    /// Notes that the chain does not go on. The first reason stands, but a restored chain is worse
    /// than a copied one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stop_chain(&self, stop: &ChainStop) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        stop_chain(&connection, stop)
    }

    /// Puts receipted records back in line because HQ does not hold them any more; returns how
    /// many. Their receipts stay: they prove that HQ once did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn resend(&self, runs: &[SeqRun]) -> Result<u64, StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        let mut again = 0;
        for run in runs {
            again += tx
                .prepare_cached(
                    "UPDATE outbox SET status = 'pending'
                     WHERE seq BETWEEN :first AND :last AND status = 'received'",
                )?
                .execute((signed(run.first), signed(run.last())))?;
        }
        tx.commit()?;
        Ok(u64::try_from(again).unwrap_or(u64::MAX))
    }

    /// Notes that the chain was compared with HQ now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_audit(&self) -> Result<(), StoreError> {
        let now = self.clock.now().wall_at;
        let mut connection = lock(&self.writer);
        let tx = connection.transaction()?;
        set_meta(&tx, "audited_at", &to_content(&now)?)?;
        forget_meta(&tx, "audit_ordered")?;
        tx.commit()?;
        Ok(())
    }

    /// Orders an audit at the next round, for example after a folder was restored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn order_audit(&self) -> Result<(), StoreError> {
        set_meta(&lock(&self.writer), "audit_ordered", &[1])
    }
}

/// Does what HQ orders about the chain.
pub(super) fn obey(tx: &rusqlite::Connection, order: &Order) -> Result<(), StoreError> {
    match order {
        Order::Audit => set_meta(tx, "audit_ordered", &[1]),
        Order::ForkSeen { seq, other, .. } => {
            let here: Option<Hash> = Reader::new(tx).first(
                "SELECT hash FROM journal WHERE seq = :seq",
                [signed(*seq)],
                |row| hash(row, "hash"),
            )?;
            // Original and copy read the same feed; only the one whose branch it is stops.
            if here == Some(*other) {
                stop_chain(tx, &ChainStop { kind: StopKind::Copied, seq: *seq })?;
            }
            Ok(())
        }
    }
}

pub(super) fn stop_chain(
    connection: &rusqlite::Connection,
    stop: &ChainStop,
) -> Result<(), StoreError> {
    let held = Reader::new(connection).chain_stop()?;
    if held.is_some_and(|held| held.kind == StopKind::Restored || stop.kind == StopKind::Copied) {
        return Ok(());
    }
    set_meta(connection, "chain_stop", &to_content(stop)?)
}
