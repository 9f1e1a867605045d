//! A hole in a chain that HQ once held whole: the device sends the record again and it goes back to
//! its place, so that every receipt handed out for it proves again what it said.

use sync_model::chain::Head;
use sync_model::log;
use sync_model::record::{BlobRef, Record};
use sync_model::time::Timestamp;

use crate::error::HqError;
use crate::hq::Inner;
use crate::store::{Device, Tx};

/// Returns where in the log the record stood before it was lost, or `None` if it never did. The
/// tree is kept apart from the records: its leaf still says so.
pub(crate) fn place(
    tx: &Tx<'_>,
    device: &Device,
    record: &Record,
    log_size: u64,
) -> Result<Option<u64>, HqError> {
    let (seq, hash) = (record.envelope.seq, record.hash);
    let [before, after] = tx.neighbours(device.device, seq)?;
    let follows = match before {
        Some((before, held, _)) if before.saturating_add(1) == seq => {
            held == record.envelope.previous
        }
        // More is missing before it; its own leaf in the log says enough.
        Some(_) => true,
        None => seq > 1 || record.envelope.previous == Head::genesis(&device.certificate).hash,
    };
    if !follows {
        return Ok(None);
    }
    let end = after.map_or(log_size, |(_, _, index)| index);
    let leaf = log::leaf(&hash, device.device, seq);
    Ok(tx.leaf_between(&leaf, before.map(|(_, _, index)| index), end)?)
}

impl Inner {
    /// Puts lost records back at their places.
    pub(crate) fn put_back(
        &self,
        tx: &Tx<'_>,
        device: &Device,
        lost: &[(u64, &Record)],
        now: Timestamp,
    ) -> Result<(), HqError> {
        let Some((_, first)) = lost.first() else { return Ok(()) };
        tx.insert_records(lost, now)?;
        let cited: Vec<(u64, _, &BlobRef)> = lost
            .iter()
            .flat_map(|(index, record)| {
                record.envelope.blobs.iter().map(|blob| (*index, device.device, blob))
            })
            .collect();
        tx.cite_blobs(&cited)?;
        let seq = first.envelope.seq;
        tx.raise_alarm(device.device, "healed", seq, now)?;
        tracing::error!(device = %device.device, seq, count = lost.len(), "lost records came back");
        Ok(())
    }
}
