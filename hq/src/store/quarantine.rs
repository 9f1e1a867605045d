//! What cannot stand in the chain and is kept all the same: forks and unattributable bytes.

use rusqlite::named_params;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::record::Record;
use sync_model::time::Timestamp;

use super::{StoreError, Tx, unsigned};

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
        let mut insert = self.0.prepare_cached(
            "INSERT INTO fork (hash, device, seq, held, bytes, seen_at)
             VALUES (:hash, :device, :seq, :held, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":hash": record.hash.0,
            ":device": record.envelope.device.as_bytes(),
            ":seq": super::signed(record.envelope.seq),
            ":held": held.map(|held| held.0),
            ":bytes": record.bytes,
            ":now": now.0,
        })?;
        Ok(())
    }

    /// Keeps bytes that nobody can attribute, up to a limit per device.
    pub(crate) fn keep_in_quarantine(
        &self,
        device: DeviceId,
        bytes: &[u8],
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut query = self.0.prepare_cached(
            "SELECT COALESCE(SUM(length(bytes)), 0) AS held FROM quarantine
             WHERE device = :device",
        )?;
        let held: i64 = query
            .query_row(named_params! { ":device": device.as_bytes() }, |row| row.get("held"))?;
        let held = unsigned(held, "quarantine")?;
        if held.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            > QUARANTINE_BYTES_MAX
        {
            tracing::warn!(%device, "quarantine of this device is full; bytes not kept");
            return Ok(());
        }
        let mut insert = self.0.prepare_cached(
            "INSERT INTO quarantine (hash, device, reason, bytes, seen_at)
             VALUES (:hash, :device, :reason, :bytes, :now)
             ON CONFLICT (hash) DO NOTHING",
        )?;
        insert.execute(named_params! {
            ":hash": Hash::of(bytes).0,
            ":device": device.as_bytes(),
            ":reason": reason,
            ":bytes": bytes,
            ":now": now.0,
        })?;
        Ok(())
    }
}
