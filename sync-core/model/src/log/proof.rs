//! Proofs over the log: inclusion and consistency (RFC 6962 §2.1.1–2), and the range proof with
//! which one receipt proves a whole batch and yields each record's own inclusion proof.

use std::collections::BTreeMap;

use super::tree::{Nodes, node_hash, range_hash, split};
use crate::hash::Hash;

/// More hashes than any tree of 2⁶³ leaves needs; longer proofs are refused unread.
pub const PROOF_HASHES_MAX: usize = 64;

/// Returns the audit path of leaf `index` in the tree of `size` leaves, lowest first.
///
/// # Errors
/// From `nodes`. `index` must be below `size`.
pub fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Returns the root that `path` proves for `leaf` at `index` of `size`, or `None` if the path has
/// the wrong length.
#[must_use]
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size || path.len() > PROOF_HASHES_MAX {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// Returns the consistency proof from the first `old` to the first `new` leaves.
///
/// # Errors
/// From `nodes`. `old` must not exceed `new`.
pub fn consistency<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut start, mut end, mut whole) = (0, new, true);
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range_hash(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Says whether `path` proves that the tree `(old, old_root)` is a prefix of `(new, new_root)`
/// (RFC 9162 §2.1.4.2).
#[must_use]
pub fn consistency_holds(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    path: &[Hash],
) -> bool {
    if old > new || path.len() > PROOF_HASHES_MAX {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return path.is_empty();
    }
    let mut hashes = path.iter().copied();
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let first = if node == 0 { Some(old_root) } else { hashes.next() };
    let Some(first) = first else { return false };
    let (mut old_hash, mut new_hash) = (first, first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(&hash, &old_hash);
            new_hash = node_hash(&hash, &new_hash);
            while node % 2 == 0 && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            new_hash = node_hash(&new_hash, &hash);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

/// Returns the hashes outside `start..start + count` from which, with the leaves inside, the root
/// of `size` leaves can be computed; in tree order.
///
/// # Errors
/// From `nodes`.
pub fn range<N: Nodes>(
    nodes: &N,
    start: u64,
    count: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if count > 0 {
        collect_outside(nodes, (0, size), (start, start + count), &mut proof)?;
    }
    Ok(proof)
}

fn collect_outside<N: Nodes>(
    nodes: &N,
    node: (u64, u64),
    wanted: (u64, u64),
    proof: &mut Vec<Hash>,
) -> Result<(), N::Error> {
    if node.1 <= wanted.0 || node.0 >= wanted.1 {
        proof.push(range_hash(nodes, node.0, node.1)?);
    } else if !(node.0 >= wanted.0 && node.1 <= wanted.1) {
        let middle = node.0 + split(node.1 - node.0);
        collect_outside(nodes, (node.0, middle), wanted, proof)?;
        collect_outside(nodes, (middle, node.1), wanted, proof)?;
    }
    Ok(())
}

/// The part of a tree that a range proof and its leaves determine.
pub struct Range {
    size: u64,
    known: BTreeMap<(u64, u64), Hash>,
}

impl Range {
    /// Returns the partial tree, or `None` if the proof does not fit the range.
    #[must_use]
    pub fn build(start: u64, leaves: &[Hash], size: u64, proof: &[Hash]) -> Option<Self> {
        let count = u64::try_from(leaves.len()).ok()?;
        let end = start.checked_add(count)?;
        if count == 0 || end > size || proof.len() > 2 * PROOF_HASHES_MAX {
            return None;
        }
        let mut range = Self { size, known: BTreeMap::new() };
        let mut outside = proof.iter().copied();
        range.fill((0, size), (start, end), leaves, &mut outside)?;
        outside.next().is_none().then_some(range)
    }

    fn fill(
        &mut self,
        node: (u64, u64),
        wanted: (u64, u64),
        leaves: &[Hash],
        outside: &mut dyn Iterator<Item = Hash>,
    ) -> Option<Hash> {
        let hash = if node.1 <= wanted.0 || node.0 >= wanted.1 {
            outside.next()?
        } else if node.1 - node.0 == 1 {
            *leaves.get(usize::try_from(node.0 - wanted.0).ok()?)?
        } else {
            let middle = node.0 + split(node.1 - node.0);
            let left = self.fill((node.0, middle), wanted, leaves, outside)?;
            let right = self.fill((middle, node.1), wanted, leaves, outside)?;
            node_hash(&left, &right)
        };
        self.known.insert(node, hash);
        Some(hash)
    }

    /// Returns the root that the range proves.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.known.get(&(0, self.size)).copied()
    }

    /// Returns the inclusion proof of one leaf of the range.
    #[must_use]
    pub fn inclusion(&self, index: u64) -> Option<Vec<Hash>> {
        let mut path = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while end - start > 1 {
            let middle = start + split(end - start);
            let sibling = if index < middle { (middle, end) } else { (start, middle) };
            path.push(*self.known.get(&sibling)?);
            (start, end) = if index < middle { (start, middle) } else { (middle, end) };
        }
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tree::{append, leaf_hash, root};
    use std::convert::Infallible;

    #[derive(Default)]
    struct Memory(BTreeMap<(u32, u64), Hash>);

    impl Nodes for Memory {
        type Error = Infallible;
        fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
            Ok(*self.0.get(&(level, index)).expect("stored node"))
        }
    }

    fn tree(size: u64) -> (Memory, Vec<Hash>) {
        let mut memory = Memory::default();
        let mut leaves = Vec::new();
        for index in 0..size {
            let leaf = leaf_hash(&index.to_be_bytes());
            for (level, index, hash) in append(&memory, index, leaf).unwrap() {
                memory.0.insert((level, index), hash);
            }
            leaves.push(leaf);
        }
        (memory, leaves)
    }

    fn place(index: u64) -> usize {
        usize::try_from(index).expect("a small tree")
    }

    #[test]
    fn inclusion_holds_for_every_leaf_of_every_size_and_only_there() {
        let (memory, leaves) = tree(70);
        for size in 1..=70 {
            let root = root(&memory, size).unwrap();
            for index in 0..size {
                let path = inclusion(&memory, index, size).unwrap();
                let leaf = leaves[place(index)];
                assert_eq!(root_from_inclusion(leaf, index, size, &path), Some(root));
                assert_ne!(
                    root_from_inclusion(leaf, (index + 1) % size, size, &path),
                    Some(root).filter(|_| size > 1)
                );
                let mut longer = path.clone();
                longer.push(root);
                assert_ne!(root_from_inclusion(leaf, index, size, &longer), Some(root));
            }
        }
    }

    #[test]
    fn consistency_holds_between_every_two_sizes() {
        let (memory, _) = tree(40);
        for new in 0..=40 {
            for old in 0..=new {
                let (a, b) = (root(&memory, old).unwrap(), root(&memory, new).unwrap());
                let path = consistency(&memory, old, new).unwrap();
                assert!(consistency_holds(old, a, new, b, &path), "{old} {new}");
                if old > 0 && old < new {
                    assert!(!consistency_holds(old, b, new, a, &path));
                }
            }
        }
    }

    #[test]
    fn a_range_proof_yields_the_root_and_each_inclusion_proof() {
        let (memory, leaves) = tree(33);
        for size in 1..=33_u64 {
            let expected = root(&memory, size).unwrap();
            for start in 0..size {
                for count in 1..=(size - start) {
                    let proof = range(&memory, start, count, size).unwrap();
                    let inside = &leaves[place(start)..place(start + count)];
                    let built = Range::build(start, inside, size, &proof).unwrap();
                    assert_eq!(built.root(), Some(expected));
                    for index in start..start + count {
                        let path = built.inclusion(index).unwrap();
                        assert_eq!(path, inclusion(&memory, index, size).unwrap());
                    }
                    let mut longer = proof.clone();
                    longer.push(expected);
                    assert!(Range::build(start, inside, size, &longer).is_none());
                }
            }
        }
    }
}
