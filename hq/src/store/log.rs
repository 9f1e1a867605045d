//! The Merkle tree over all records: stored hashes of perfect subtrees, appended only.

use std::cell::RefCell;
use std::collections::HashMap;

use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log::tree::{self, Nodes};

use super::{StoreError, Tx, Value, params};

/// Most nodes that one statement asks for.
const NODES_AT_ONCE: usize = 16;

/// Most nodes that one statement counts.
const COUNTED_AT_ONCE: u64 = 500_000;

/// A node of the tree: its level above the leaves and its place in the level.
pub(crate) type Place = (u32, u64);

/// The size of the log and the perfect subtrees at its right edge, which is all that an append
/// needs.
pub(super) struct Edge {
    size: u64,
    known: HashMap<Place, Hash>,
}

/// The tree as one transaction sees it; nodes that it read or made are kept at hand.
pub(crate) struct LogNodes<'t, 'c> {
    tx: &'t Tx<'c>,
    size: u64,
    known: RefCell<HashMap<Place, Hash>>,
}

impl<'t, 'c> LogNodes<'t, 'c> {
    /// Opens the tree at its present size.
    pub(crate) fn open(tx: &'t Tx<'c>) -> Result<Self, StoreError> {
        Ok(Self::at(tx, tx.log_size()?))
    }

    /// Opens the tree as it was when it had `size` leaves.
    pub(crate) fn at(tx: &'t Tx<'c>, size: u64) -> Self {
        Self { tx, size, known: RefCell::default() }
    }

    /// Opens the tree for appending: where an earlier write of the group left its edge, nothing is
    /// read.
    pub(crate) fn for_append(tx: &'t Tx<'c>) -> Result<Self, StoreError> {
        if let Some(Edge { size, known }) = tx.edge.take() {
            return Ok(Self { tx, size, known: RefCell::new(known) });
        }
        let log = Self::open(tx)?;
        log.load(&edge(log.size))?;
        Ok(log)
    }

    /// Returns the number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root over all leaves.
    pub(crate) fn root(&self) -> Result<Hash, StoreError> {
        tree::root(self, self.size)
    }

    /// Appends leaves and stores the subtrees they complete; returns the index of the first.
    pub(crate) fn append(
        &mut self,
        leaves: impl IntoIterator<Item = Hash>,
    ) -> Result<u64, StoreError> {
        let (first, mut made) = (self.size, Vec::new());
        for leaf in leaves {
            let nodes = tree::append(self, self.size, leaf)?;
            let known = nodes.iter().map(|(level, index, hash)| ((*level, *index), *hash));
            self.known.borrow_mut().extend(known);
            made.extend(nodes);
            self.size = self.size.saturating_add(1);
        }
        self.tx.insert_log_nodes(&made)?;
        let edge = edge(self.size);
        let known = self.known.borrow();
        let known = edge.iter().filter_map(|place| Some((*place, *known.get(place)?)));
        self.tx.edge.replace(Some(Edge { size: self.size, known: known.collect() }));
        Ok(first)
    }

    /// Reads the nodes that are not at hand, many at once.
    pub(crate) fn load(&self, places: &[Place]) -> Result<(), StoreError> {
        let wanted: Vec<Place> = {
            let known = self.known.borrow();
            places.iter().filter(|place| !known.contains_key(place)).copied().collect()
        };
        self.know(Self::read(self.tx, &wanted)?);
        Ok(())
    }

    /// Reads nodes, many at once; those that are not stored are left out.
    pub(crate) fn read(tx: &Tx<'_>, places: &[Place]) -> Result<Vec<(Place, Hash)>, StoreError> {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        let mut nodes = Vec::with_capacity(places.len());
        for places in places.chunks(NODES_AT_ONCE) {
            nodes.extend(tx.log_nodes(places)?);
        }
        Ok(nodes)
    }

    /// Keeps nodes that were read at hand.
    pub(crate) fn know(&self, nodes: Vec<(Place, Hash)>) {
        self.known.borrow_mut().extend(nodes);
    }
}

/// Returns the perfect subtrees of which a tree of this size consists.
fn edge(size: u64) -> Vec<Place> {
    (0..u64::BITS)
        .filter(|level| (size >> level) % 2 == 1)
        .map(|level| (level, (size >> level).saturating_sub(1)))
        .collect()
}

/// Notes which nodes a proof asks for, so that they can be read at once.
#[derive(Default)]
pub(crate) struct Wanted(RefCell<Vec<Place>>);

impl Wanted {
    pub(crate) fn into_places(self) -> Vec<Place> {
        self.0.into_inner()
    }
}

impl Nodes for Wanted {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        self.0.borrow_mut().push((level, index));
        Ok(Hash::ZERO)
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

    /// Returns the number of stored subtree hashes, counted in pieces: no statement reads more than
    /// a bounded part of the table.
    pub(crate) fn log_node_count(&self) -> Result<u64, StoreError> {
        let mut count: u64 = self.one(
            "SELECT COUNT(*) AS count FROM log_node WHERE level < 0 OR level >= :end",
            &params! { ":end": u64::BITS },
            |row| row.get("count"),
        )?;
        for level in 0..u64::BITS {
            let last: Option<u64> = self.one(
                "SELECT MAX(idx) AS last FROM log_node WHERE level = :level",
                &params! { ":level": level },
                |row| row.get("last"),
            )?;
            let end = last.map_or(0, |last| last.saturating_add(1));
            let mut from = 0_u64;
            while from < end {
                let to = from.saturating_add(COUNTED_AT_ONCE);
                let piece: u64 = self.one(
                    "SELECT COUNT(*) AS count FROM log_node
                     WHERE level = :level AND idx >= :from AND idx < :to",
                    &params! { ":level": level, ":from": from, ":to": to },
                    |row| row.get("count"),
                )?;
                count = count.saturating_add(piece);
                from = to;
            }
        }
        Ok(count)
    }

    /// Returns the stored hash of a perfect subtree.
    pub(crate) fn log_node(&self, level: u32, index: u64) -> Result<Option<Hash>, StoreError> {
        self.first(
            "SELECT hash FROM log_node WHERE level = :level AND idx = :index",
            &params! { ":level": level, ":index": index },
            |row| row.get("hash"),
        )
    }

    /// Returns the stored hashes of up to sixteen subtrees; those that are not stored are left out.
    fn log_nodes(&self, places: &[Place]) -> Result<Vec<(Place, Hash)>, StoreError> {
        let Some(last) = places.last() else { return Ok(Vec::new()) };
        // The last one fills the places that are left.
        let place = |at: usize| places.get(at).unwrap_or(last);
        let mut params = Vec::with_capacity(NODES_AT_ONCE.saturating_mul(2));
        for (at, (level, index)) in NODE_NAMES.iter().enumerate() {
            params.push((*level, place(at).0.into()));
            params.push((*index, place(at).1.into()));
        }
        self.rows(NODES_SQL, &params, |row| {
            Ok(((row.get("level")?, row.get("idx")?), row.get("hash")?))
        })
    }

    /// Returns up to `count` hashes of a level from `first` on.
    pub(crate) fn log_row(
        &self,
        level: u32,
        first: u64,
        count: u64,
    ) -> Result<Vec<Hash>, StoreError> {
        self.rows(
            "SELECT hash FROM log_node WHERE level = :level AND idx >= :first
             ORDER BY idx LIMIT :count",
            &params! { ":level": level, ":first": first, ":count": count },
            |row| row.get("hash"),
        )
    }

    /// Returns what the entries of up to `count` leaves from `first` on say.
    pub(crate) fn log_leaves(
        &self,
        first: u64,
        count: u64,
    ) -> Result<Vec<(Hash, DeviceId, u64)>, StoreError> {
        self.rows(
            "SELECT hash, device, seq FROM record WHERE log_index >= :first
             ORDER BY log_index LIMIT :count",
            &params! { ":first": first, ":count": count },
            |row| Ok((row.get("hash")?, row.get("device")?, row.get("seq")?)),
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

macro_rules! node_statement {
    ($($level:literal $index:literal),* ; $last_level:literal $last_index:literal) => {
        const NODE_NAMES: [(&str, &str); NODES_AT_ONCE] =
            [$(($level, $index),)* ($last_level, $last_index)];
        const NODES_SQL: &str = concat!(
            "SELECT level, idx, hash FROM log_node WHERE (level, idx) IN (VALUES ",
            $("(CAST(", $level, " AS BIGINT), CAST(", $index, " AS BIGINT)), ",)*
            "(CAST(", $last_level, " AS BIGINT), CAST(", $last_index, " AS BIGINT)))"
        );
    };
}
node_statement!(
    ":la" ":ia", ":lb" ":ib", ":lc" ":ic", ":ld" ":id", ":le" ":ie", ":lf" ":if", ":lg" ":ig",
    ":lh" ":ih", ":li" ":ii", ":lj" ":ij", ":lk" ":ik", ":ll" ":il", ":lm" ":im", ":ln" ":in",
    ":lo" ":io" ; ":lp" ":ip"
);
