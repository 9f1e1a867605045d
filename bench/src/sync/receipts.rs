//! Whether what a device keeps proves by itself, offline, that HQ has each of its records.

use std::collections::BTreeMap;

use anyhow::Context;
use sync_core::Store;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::{leaf, proof};

/// Returns how many records there are, and how many of them have a receipt that holds from its
/// stored bytes and HQ's public key alone.
pub(super) fn verify(store: &Store) -> anyhow::Result<(usize, usize)> {
    let trust = store.read(|r| r.enrollment())?.context("not enrolled")?.trust;
    let (mut opened, mut hold): (BTreeMap<String, Checkpoint>, usize) = (BTreeMap::new(), 0);
    let rows = store.read(|r| r.records_from(1, 1_000_000))?;
    for row in &rows {
        let Some(receipt) = store.read(|r| r.receipt(row.seq))? else { continue };
        if !opened.contains_key(&receipt.checkpoint) {
            let note = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)?;
            opened.insert(receipt.checkpoint.clone(), note);
        }
        let note = opened.get(&receipt.checkpoint).context("no checkpoint")?;
        let record = row.record()?;
        let leaf = leaf(&Hash::of(&row.bytes), record.envelope.device, row.seq);
        let root = proof::root_from_inclusion(leaf, receipt.log_index, note.size, &receipt.proof);
        hold += usize::from(root == Some(note.root));
    }
    Ok((rows.len(), hold))
}
