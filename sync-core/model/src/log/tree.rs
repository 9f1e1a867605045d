//! The Merkle tree of RFC 6962 §2.1 over stored hashes of perfect subtrees.
//!
//! `Nodes` gives the hash of the perfect subtree `(level, index)`, which covers the leaves
//! `index << level .. (index + 1) << level`. Only perfect subtrees are ever stored, so a stored
//! hash never changes.

use crate::hash::Hash;

/// Returns `SHA-256(0x00 ‖ entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of_parts(&[&[0x00], entry])
}

/// Returns `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of_parts(&[&[0x01], &left.0, &right.0])
}

/// Gives stored hashes of perfect subtrees.
pub trait Nodes {
    /// What reading a node can fail with.
    type Error;
    /// Returns the hash of the perfect subtree.
    ///
    /// # Errors
    /// If the node is not stored or cannot be read.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Returns the perfect subtrees that appending `leaf` at index `size` completes, lowest first:
/// `(level, index, hash)`.
///
/// # Errors
/// From `nodes`.
pub fn append<N: Nodes>(
    nodes: &N,
    size: u64,
    leaf: Hash,
) -> Result<Vec<(u32, u64, Hash)>, N::Error> {
    let mut made = vec![(0, size, leaf)];
    let (mut level, mut index, mut hash) = (0, size, leaf);
    while index % 2 == 1 {
        hash = node_hash(&nodes.node(level, index - 1)?, &hash);
        level += 1;
        index /= 2;
        made.push((level, index, hash));
    }
    Ok(made)
}

/// Returns the root of the first `size` leaves; of no leaves it is `SHA-256("")`.
///
/// # Errors
/// From `nodes`.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(Hash::of(b"")) } else { range_hash(nodes, 0, size) }
}

/// Returns the largest power of two below `count`; `count` must be at least 2.
#[must_use]
pub fn split(count: u64) -> u64 {
    let below = count.saturating_sub(1).max(1);
    1 << (63 - below.leading_zeros())
}

/// Returns the hash over the leaves `start..end`, where the range is a node of some tree.
///
/// # Errors
/// From `nodes`.
pub fn range_hash<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let count = end - start;
    if count.is_power_of_two() && start.is_multiple_of(count) {
        let level = count.trailing_zeros();
        return nodes.node(level, start >> level);
    }
    let middle = start + split(count);
    Ok(node_hash(&range_hash(nodes, start, middle)?, &range_hash(nodes, middle, end)?))
}
