//! Merkle proofs good and broken, and a static log of sizes 0 to 15 with its signed checkpoints.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sync_model::cose::PublicKey;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::tree::{self, Nodes};
use sync_model::log::{proof, tile};

use super::{json_below, suite, text};

/// The verifier key that the project of the log publishes for its test data.
const LOG_KEY: &str = "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const ORIGIN: &str = "example.com/log/testdata";

/// Broken in their convention only: growth from an empty tree. Here a log grows from nothing, since a
/// device that has seen none yet takes the first one it is shown (trust on first use).
const FROM_NOTHING: [&str; 3] = [
    "sizes-are-equal-zero-and-proof-is-empty",
    "size1-is-zero-and-size2-is-not-zero",
    "size1-is-zero-and-does-not-equal-size2",
];

/// Returns the hash in base64; `None` if it is none, which no reader of ours lets in.
fn hash(text: &str) -> Option<Hash> {
    Some(Hash(STANDARD.decode(text).ok()?.try_into().ok()?))
}

/// Returns a root. Some cases of growth put words in its place; a hash of them is as good.
fn root(text: &str) -> Option<Hash> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(bytes.as_slice().try_into().map_or_else(|_| Hash::of(&bytes), Hash))
}

fn path(value: &Value) -> Option<Vec<Hash>> {
    let Some(items) = value["proof"].as_array() else { return Some(Vec::new()) };
    items.iter().map(|one| hash(one.as_str()?)).collect()
}

fn consistent(case: &Value) -> Option<bool> {
    let number = |name: &str| case[name].as_u64();
    Some(proof::consistency_holds(
        number("size1")?,
        root(text(case, "root1"))?,
        number("size2")?,
        root(text(case, "root2"))?,
        &path(case)?,
    ))
}

fn included(case: &Value) -> Option<bool> {
    let number = |name: &str| case[name].as_u64();
    let (leaf, root) = (hash(text(case, "leafHash"))?, hash(text(case, "root"))?);
    let found =
        proof::root_from_inclusion(leaf, number("leafIdx")?, number("treeSize")?, &path(case)?);
    Some(found == Some(root))
}

#[test]
fn every_merkle_proof_is_judged_as_stated() {
    let mut counts = BTreeMap::new();
    for (name, judge) in [
        ("consistency", consistent as fn(&Value) -> Option<bool>),
        ("inclusion", included as fn(&Value) -> Option<bool>),
    ] {
        let Some(folder) = suite(&format!("merkle/testdata/{name}")) else { return };
        for (file, case) in json_below(&folder) {
            let holds = judge(&case).unwrap_or(false);
            let theirs = FROM_NOTHING.iter().any(|one| file.ends_with(&format!("/{one}.json")));
            assert_eq!(!holds, case["wantErr"] == true && !theirs, "{file}");
            *counts.entry(name).or_insert(0) += 1;
        }
    }
    println!("merkle: {counts:?}, all as stated but {} named here", FROM_NOTHING.len());
    assert_eq!(counts.values().sum::<i32>(), 196);
}

struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let of = |at: u64| self.0[usize::try_from(at).unwrap()];
        if level == 0 {
            return Ok(of(index));
        }
        let (left, right) =
            (self.node(level - 1, index * 2)?, self.node(level - 1, index * 2 + 1)?);
        Ok(tree::node_hash(&left, &right))
    }
}

#[test]
fn the_static_log_of_another_program_is_read_whole() {
    let Some(folder) = suite("tessera/testdata/log") else { return };
    let key = STANDARD.decode(LOG_KEY).unwrap();
    let key = PublicKey(key.get(1..).unwrap().try_into().unwrap());
    let (mut opened, mut tiles) = (0, 0);
    for size in 1..=15_u64 {
        let note = fs::read_to_string(folder.join(format!("checkpoint.{size}"))).unwrap();
        let checkpoint = Checkpoint::open(&note, ORIGIN, &key).unwrap();
        assert_eq!(checkpoint.size, size);
        let bundle = folder.join(format!("tile/entries/000.p/{size}"));
        let hashes = folder.join(format!("tile/0/000.p/{size}"));
        let (bundle, hashes) = (fs::read(bundle).unwrap(), fs::read(hashes).unwrap());
        let entries = tile::entries(&bundle).unwrap();
        let leaves: Vec<Hash> = entries.iter().map(|entry| tree::leaf_hash(entry)).collect();
        assert_eq!(leaves.iter().flat_map(|leaf| leaf.0).collect::<Vec<u8>>(), hashes);
        let Ok(root) = tree::root(&Leaves(leaves), size);
        assert_eq!(root, checkpoint.root, "size {size}");
        // One bit of it, and another log's name.
        let bent = note.replacen("\n\n", "\n \n", 1);
        assert!(Checkpoint::open(&bent, ORIGIN, &key).is_err());
        assert!(Checkpoint::open(&note, "example.com/log", &key).is_err());
        (opened, tiles) = (opened + 1, tiles + 2);
    }
    println!("static log: {opened} checkpoints, {tiles} tiles, all roots met");
}
