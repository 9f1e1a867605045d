//! The Merkle tree over all records: stored hashes of perfect subtrees, appended only.

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::{OptionalExtension, named_params};
use sync_model::hash::Hash;
use sync_model::log::tree::{self, Nodes};

use super::{StoreError, Tx, signed, unsigned};

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
        for (level, place, hash) in tree::append(self, index, leaf)? {
            self.tx.insert_log_node(level, place, &hash)?;
            self.known.borrow_mut().insert((level, place), hash);
        }
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
        let mut query = self.0.prepare_cached("SELECT MAX(log_index) AS last FROM record")?;
        let last: Option<i64> = query.query_row([], |row| row.get("last"))?;
        last.map_or(Ok(0), |last| Ok(unsigned(last, "log index")?.saturating_add(1)))
    }

    /// Returns the number of stored subtree hashes.
    pub(crate) fn log_node_count(&self) -> Result<u64, StoreError> {
        let count: i64 = self
            .0
            .query_row("SELECT COUNT(*) AS count FROM log_node", [], |row| row.get("count"))?;
        unsigned(count, "log node count")
    }

    /// Returns the stored hash of a perfect subtree.
    pub(crate) fn log_node(&self, level: u32, index: u64) -> Result<Option<Hash>, StoreError> {
        let mut query = self
            .0
            .prepare_cached("SELECT hash FROM log_node WHERE level = :level AND idx = :index")?;
        Ok(query
            .query_row(named_params! { ":level": level, ":index": signed(index) }, |row| {
                row.get("hash").map(Hash)
            })
            .optional()?)
    }

    fn insert_log_node(&self, level: u32, index: u64, hash: &Hash) -> Result<(), StoreError> {
        let mut insert = self.0.prepare_cached(
            "INSERT INTO log_node (level, idx, hash) VALUES (:level, :index, :hash)",
        )?;
        insert.execute(named_params! {
            ":level": level,
            ":index": signed(index),
            ":hash": hash.0,
        })?;
        Ok(())
    }
}
