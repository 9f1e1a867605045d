//! Every decoder over its seeds and thousands of changes of them.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise and print what they counted"
)]

use std::path::{Path, PathBuf};

use sim::decode::{TARGETS, seeds};
use sim::power_cut::Chance;
use sync_model::hash::Hash;

/// Changed inputs for each target; the bundle writes files for each.
const CHANGES: usize = 4_000;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// Returns the files that came with the repository: seeds, and what fuzzing found interesting.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let mut found = seeds::of(target);
    for entry in std::fs::read_dir(corpus(target)).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(Hash::of(&bytes).hex().starts_with(name), "{} is misnamed", path.display());
        found.push(bytes);
    }
    found
}

/// Changes a few bytes: flips, borders, cuts, repeats, lengths.
fn change(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(bytes.len());
        match chance.below(8) {
            0 => bytes.truncate(at),
            1 => {
                let (from, count) = (chance.below(bytes.len()), chance.below(40));
                let piece: Vec<u8> = bytes.iter().skip(from).take(count).copied().collect();
                bytes.splice(at..at, piece);
            }
            2 => {
                let piece = [[0xff; 9], [0x00; 9], [0x1b; 9], [0x81; 9], [0xbf; 9], [0x7f; 9]];
                bytes.splice(at..at, piece[chance.below(piece.len())]);
            }
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            4 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(1),
            _ if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            _ => bytes.push(chance.byte()),
        }
    }
}

#[test]
fn no_decoder_panics_over_its_seeds_and_changes_of_them() {
    let mut ran = 0;
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(!inputs.is_empty(), "{name} has no seeds");
        inputs.iter().for_each(|bytes| target(bytes));
        let mut chance = Chance::of(11);
        let count = if *name == "bundle" { CHANGES / 10 } else { CHANGES };
        for _ in 0..count {
            let mut bytes = inputs[chance.below(inputs.len())].clone();
            change(&mut bytes, &mut chance);
            target(&bytes);
        }
        ran += count + inputs.len();
    }
    println!("decoders: {} targets, {ran} inputs", TARGETS.len());
}

#[test]
fn what_is_nested_deep_or_promises_much_is_refused_at_once() {
    let deep = [vec![0x81; 10_000], vec![0x00]].concat();
    let deep_maps = [b"\xa1\x60".repeat(10_000), vec![0x00]].concat();
    // An array, a map, a text and bytes of 2^62 elements, and their indefinite kinds.
    let huge: Vec<Vec<u8>> = [0x9b, 0xbb, 0x7b, 0x5b]
        .into_iter()
        .map(|kind| [vec![kind, 0x3f], vec![0xff; 7]].concat())
        .chain([vec![0x9f, 0xff], vec![0xbf, 0xff], vec![0x7f, 0xff], vec![0x5f, 0xff]])
        .collect();
    let twice = b"\xa2\x61a\x00\x61a\x01".to_vec();
    for bytes in [vec![deep, deep_maps, twice], huge].concat() {
        assert!(sync_model::canonical::check(&bytes, 1 << 20).is_err(), "{:x?}", &bytes[..2]);
        TARGETS.iter().for_each(|(_, target)| target(&bytes));
    }
}

/// Writes the seeds where fuzzing starts from: `XUNZHENG_WRITE_CORPUS=1 cargo test -p sim decode`.
#[test]
fn seeds_are_what_their_decoders_take() {
    use sync_model::canonical::from_bytes;
    use sync_model::wire::{enroll::EnrollReply, push::PushRequest, push::Receipt};
    let seed = |target: &str, nth: usize| seeds::of(target)[nth].clone();
    from_bytes::<Receipt>(&seed("receipt", 0), 1 << 20).unwrap();
    from_bytes::<EnrollReply>(&seed("enrollment", 1), 1 << 20).unwrap();
    let push: PushRequest = from_bytes(&seed("push", 0), 1 << 20).unwrap();
    assert!(push.records.iter().all(|one| sync_model::record::Record::read(one).is_ok()));
}

#[test]
fn the_corpus_holds_every_seed_and_stays_small() {
    let mut total = 0;
    for (name, _) in TARGETS {
        for bytes in seeds::of(name) {
            let hex: String = Hash::of(&bytes).hex().chars().take(16).collect();
            let path = corpus(name).join(hex);
            if std::env::var_os("XUNZHENG_WRITE_CORPUS").is_some() {
                std::fs::create_dir_all(corpus(name)).unwrap();
                let mut file = std::fs::File::create(&path).unwrap();
                std::io::Write::write_all(&mut file, &bytes).unwrap();
            }
            assert!(path.is_file(), "{} is missing", path.display());
        }
        for entry in std::fs::read_dir(corpus(name)).unwrap() {
            total += entry.unwrap().metadata().unwrap().len();
        }
    }
    assert!(total <= 200 * 1024, "{total} bytes");
}
