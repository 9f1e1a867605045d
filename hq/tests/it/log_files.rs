//! The log as static files: read by an independent reader, written from the text of C2SP
//! `tlog-tiles` and RFC 6962 alone.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::root_from_inclusion;
use sync_model::wire::push::Receipt;

use crate::support::device::Device;
use crate::support::http::send;
use crate::support::{World, put};

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// RFC 6962 §2.1: the hash of a list of leaf hashes.
fn tree_hash(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha(&[]),
        [leaf] => *leaf,
        leaves => {
            let k = leaves.len().next_power_of_two() / 2;
            sha(&[&[1], &tree_hash(&leaves[..k]), &tree_hash(&leaves[k..])])
        }
    }
}

/// A reader of the files of one log that asks for nothing else.
struct Reader {
    address: std::net::SocketAddr,
    full: HashMap<String, Vec<u8>>,
}

impl Reader {
    fn get(&mut self, path: &str) -> Option<Vec<u8>> {
        let reply = send(self.address, "GET", &format!("/log/v1/{path}"), &[], &[]);
        if reply.status != 200 {
            return None;
        }
        if path.starts_with("tile/") {
            let cache = reply.header("cache-control").unwrap();
            assert!(cache.contains("immutable"), "{cache}");
            // A name stands for one content for ever.
            let before = self.full.insert(path.to_owned(), reply.body.clone());
            assert!(before.is_none_or(|before| before == reply.body), "{path} changed");
        }
        Some(reply.body)
    }

    fn checkpoint(&mut self) -> (usize, [u8; 32]) {
        let note = String::from_utf8(self.get("checkpoint").unwrap()).unwrap();
        let lines: Vec<&str> = note.lines().collect();
        let root = STANDARD.decode(lines[2]).unwrap().try_into().unwrap();
        (lines[1].parse().unwrap(), root)
    }

    /// The name of tile `index` of a row that holds `filled` in all.
    fn name(row: &str, index: usize, filled: usize) -> (String, usize) {
        let number = if index < 1000 {
            format!("{index:03}")
        } else {
            format!("x{:03}/{:03}", index / 1000, index % 1000)
        };
        match (filled - index * 256).min(256) {
            256 => (format!("tile/{row}/{number}"), 256),
            width => (format!("tile/{row}/{number}.p/{width}"), width),
        }
    }

    fn hashes(&mut self, level: usize, filled: usize) -> Vec<[u8; 32]> {
        let mut hashes = vec![];
        for index in 0..filled.div_ceil(256) {
            let (name, width) = Self::name(&level.to_string(), index, filled);
            let bytes = self.get(&name).unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(bytes.len(), width * 32, "{name}");
            hashes.extend(bytes.chunks(32).map(|hash| <[u8; 32]>::try_from(hash).unwrap()));
        }
        hashes
    }

    /// Reads everything and checks it against the checkpoint; returns the entries.
    fn check(&mut self) -> Vec<Vec<u8>> {
        let (size, root) = self.checkpoint();
        let leaves = self.hashes(0, size);
        assert_eq!(tree_hash(&leaves), root);
        let mut entries: Vec<Vec<u8>> = vec![];
        for index in 0..size.div_ceil(256) {
            let (name, width) = Self::name("entries", index, size);
            let bundle = self.get(&name).unwrap_or_else(|| panic!("{name} is missing"));
            let mut rest = &bundle[..];
            for _ in 0..width {
                let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                entries.push(rest[2..2 + length].to_vec());
                rest = &rest[2 + length..];
            }
            assert!(rest.is_empty(), "{name}");
        }
        for (entry, leaf) in entries.iter().zip(&leaves) {
            assert_eq!(sha(&[&[0], entry]), *leaf);
        }
        // The second row: each hash stands for 256 leaves.
        let upper = self.hashes(1, size / 256);
        for (hash, leaves) in upper.iter().zip(leaves.chunks(256)) {
            assert_eq!(tree_hash(leaves), *hash);
        }
        entries
    }
}

fn push(device: &mut Device, count: usize) {
    for chunk in vec![(); count].chunks(200) {
        let records: Vec<_> = chunk.iter().map(|()| device.any()).collect();
        device.push(&records).ok::<Receipt>();
    }
}

#[test]
fn an_independent_reader_gets_the_same_root_from_the_files_of_every_size() {
    let mut world = World::start();
    let mut device = Device::enroll(&world);
    let mut reader = Reader { address: world.address(), full: HashMap::new() };
    for (count, size) in [(1, 1), (254, 255), (1, 256), (1, 257), (300, 557)] {
        push(&mut device, count);
        assert_eq!(world.hq().publish_log().unwrap(), size);
        assert_eq!(reader.check().len() as u64, size);
        // Published twice, by whichever process: nothing changes.
        world.hq().publish_log().unwrap();
        reader.check();
    }
    // The partial files of tiles that are full by now are gone; the full ones serve.
    assert!(reader.get("tile/0/000.p/1").is_none());
    assert!(reader.get("tile/0/000").is_some());
    for path in ["tile/0/0", "tile/0/000.p/256", "tile/7/000", "tile/..%2f..%2fkeys/000", "keys"] {
        assert!(reader.get(path).is_none(), "{path}");
    }
    // Each device's seq runs without a gap, and anybody can see it.
    let entries = reader.check();
    let seqs: Vec<u64> =
        entries.iter().map(|entry| u64::from_be_bytes(entry[41..49].try_into().unwrap())).collect();
    assert!(seqs.iter().copied().eq(1..=557));
    // After a restart it goes on from what is published.
    world.restart();
    device.address = world.address();
    reader.address = world.address();
    push(&mut device, 10);
    assert_eq!(world.hq().publish_log().unwrap(), 567);
    assert_eq!(reader.check().len(), 567);
}

/// If the power fails between the files and the note, they are written again, the same.
#[test]
fn a_publisher_that_was_cut_off_catches_up() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    push(&mut device, 300);
    // Some files were written before the plug was pulled; one of them was torn by a bad disk.
    let folder = world.data().join("blobs/log/tile/0");
    std::fs::create_dir_all(&folder).unwrap();
    put(folder.join("000"), b"torn");
    assert_eq!(world.hq().publish_log().unwrap(), 300);
    let mut reader = Reader { address: world.address(), full: HashMap::new() };
    assert_eq!(reader.check().len(), 300);
}

#[test]
fn two_publishers_at_once_leave_one_right_log() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let beside = world.beside().unwrap();
    let stop = &std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for hq in [world.hq(), &beside] {
            scope.spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    hq.publish_log().unwrap();
                }
            });
        }
        for _ in 0..12 {
            push(&mut device, 50);
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(world.hq().publish_log().unwrap(), 600);
    let mut reader = Reader { address: world.address(), full: HashMap::new() };
    assert_eq!(reader.check().len(), 600);
}

#[test]
fn an_inclusion_proof_leads_from_an_entry_to_the_checkpoint() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    push(&mut device, 70);
    world.hq().publish_log().unwrap();
    let note = world.hq().published_checkpoint().unwrap();
    let trust = &device.trust;
    let checkpoint = Checkpoint::open(&note, &trust.log_origin, &trust.log_key).unwrap();
    for (index, record) in device.records.iter().enumerate() {
        let path = format!("/log/v1/inclusion?index={index}&size={}", checkpoint.size);
        let proof: Vec<Hash> = send(world.address(), "GET", &path, &[], &[]).ok();
        let leaf = sync_model::log::leaf(&record.hash, device.id, record.envelope.seq);
        let root = root_from_inclusion(leaf, index as u64, checkpoint.size, &proof);
        assert_eq!(root, Some(checkpoint.root));
    }
    let beyond = send(world.address(), "GET", "/log/v1/inclusion?index=70", &[], &[]);
    assert_eq!(beyond.status, 422);
}
