//! What cannot stand in the chain and is kept all the same: forks and unattributable bytes.

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::record::Record;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

/// Bytes that one device can put into quarantine; more is refused without being kept.
const QUARANTINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl Tx<'_> {
    /// Keeps a record that contradicts the chain.
    pub(crate) fn keep_fork(
        &self,
        record: &Record,
        held: Option<Hash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO fork (hash, device, seq, held, bytes, seen_at)
             VALUES (:hash, :device, :seq, :held, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
            &params! {
                ":hash": &record.hash,
                ":device": &record.envelope.device,
                ":seq": record.envelope.seq,
                ":held": held.as_ref(),
                ":bytes": &record.bytes,
                ":now": now,
            },
        )
    }

    /// Keeps bytes that cannot stand in the log, up to a limit per device; says whether they are
    /// kept now.
    pub(crate) fn keep_in_quarantine(
        &self,
        device: DeviceId,
        bytes: &[u8],
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let held: u64 = self.one(
            "SELECT CAST(COALESCE(SUM(length(bytes)), 0) AS BIGINT) AS held FROM quarantine
             WHERE device = :device",
            &params! { ":device": &device },
            |row| row.get("held"),
        )?;
        if held.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            > QUARANTINE_BYTES_MAX
        {
            tracing::warn!(%device, "quarantine of this device is full; bytes not kept");
            return Ok(false);
        }
        self.run(
            "INSERT INTO quarantine (hash, device, reason, bytes, seen_at)
             VALUES (:hash, :device, :reason, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
            &params! {
                ":hash": &Hash::of(bytes),
                ":device": &device,
                ":reason": reason,
                ":bytes": bytes,
                ":now": now,
            },
        )?;
        Ok(true)
    }
}
