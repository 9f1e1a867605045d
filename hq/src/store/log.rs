//! The Merkle tree over all records: stored hashes of perfect subtrees, appended only.

use std::cell::RefCell;
use std::collections::HashMap;

use sync_model::hash::Hash;
use sync_model::log::tree::{self, Nodes};

use super::{StoreError, Tx, Value, params};

/// The tree as one transaction sees it; nodes that it made are kept at hand.
pub(crate) struct LogNodes<'t, 'c> {
    tx: &'t Tx<'c>,
    size: u64,
    known: RefCell<HashMap<(u32, u64), Hash>>,
}

impl<'t, 'c> LogNodes<'t, 'c> {
    /// Opens the tree at its present size.
    pub(crate) fn open(tx: &'t Tx<'c>) -> Result<Self, StoreError> {
        Ok(Self { tx, size: tx.log_size()?, known: RefCell::default() })
    }

    /// Returns the number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root over all leaves.
    pub(crate) fn root(&self) -> Result<Hash, StoreError> {
        tree::root(self, self.size)
    }

    /// Appends a leaf and stores the subtrees it completes; returns its index.
    pub(crate) fn append(&mut self, leaf: Hash) -> Result<u64, StoreError> {
        let index = self.size;
        let made = tree::append(self, index, leaf)?;
        self.tx.insert_log_nodes(&made)?;
        let made = made.into_iter().map(|(level, place, hash)| ((level, place), hash));
        self.known.borrow_mut().extend(made);
        self.size = index.saturating_add(1);
        Ok(index)
    }
}

impl Nodes for LogNodes<'_, '_> {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        if let Some(hash) = self.known.borrow().get(&(level, index)) {
            return Ok(*hash);
        }
        let hash = self.tx.log_node(level, index)?.ok_or(StoreError::Damaged("log node"))?;
        self.known.borrow_mut().insert((level, index), hash);
        Ok(hash)
    }
}

impl Tx<'_> {
    /// Returns the number of leaves.
    pub(crate) fn log_size(&self) -> Result<u64, StoreError> {
        let last: Option<u64> =
            self.one("SELECT MAX(log_index) AS last FROM record", &params! {}, |row| {
                row.get("last")
            })?;
        Ok(last.map_or(0, |last| last.saturating_add(1)))
    }

    /// Returns the number of stored subtree hashes.
    pub(crate) fn log_node_count(&self) -> Result<u64, StoreError> {
        self.one("SELECT COUNT(*) AS count FROM log_node", &params! {}, |row| row.get("count"))
    }

    /// Returns the stored hash of a perfect subtree.
    pub(crate) fn log_node(&self, level: u32, index: u64) -> Result<Option<Hash>, StoreError> {
        self.first(
            "SELECT hash FROM log_node WHERE level = :level AND idx = :index",
            &params! { ":level": level, ":index": index },
            |row| row.get("hash"),
        )
    }

    fn insert_log_nodes(&self, nodes: &[(u32, u64, Hash)]) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value<'_>>> = nodes
            .iter()
            .map(|(level, index, hash)| vec![(*level).into(), (*index).into(), hash.into()])
            .collect();
        self.run_many(
            "INSERT INTO log_node (level, idx, hash) VALUES (:level, :index, :hash)",
            &rows,
        )
    }
}
