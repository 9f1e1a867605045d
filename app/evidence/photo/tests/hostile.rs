//! No bytes make ingest panic, and whatever begins as a picture is kept with its hash.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::super::{PhotoError, THUMBNAIL_BYTES_MAX};
use super::samples::{data_folder, exif_block, ingest_plain, jpeg, jpeg_with_exif, png};
use sync_model::hash::Hash;

const MUTATIONS: usize = 2000;

/// Ingests and checks what must hold of every file; returns whether it was kept.
fn keep_or_refuse(bytes: &[u8], name: &str) -> bool {
    let outcome = catch_unwind(AssertUnwindSafe(|| ingest_plain(bytes)));
    let outcome = outcome.unwrap_or_else(|_| panic!("ingest panicked on {name}"));
    let begins = bytes.starts_with(&[0xFF, 0xD8]) || bytes.starts_with(b"\x89PNG");
    match outcome {
        Ok(photo) => {
            assert!(begins, "{name}");
            assert_eq!(photo.sha256, Hash::of(bytes), "{name}");
            match photo.derivatives {
                Some(made) => assert!(made.thumbnail.len() <= THUMBNAIL_BYTES_MAX, "{name}"),
                None => assert!(!photo.findings.is_empty(), "{name} lost its picture silently"),
            }
            true
        }
        Err(error) => {
            assert!(!begins, "{name}: {error}");
            assert_eq!(error == PhotoError::Empty, bytes.is_empty(), "{name}");
            false
        }
    }
}

fn files_under(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_under(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// A linear congruential generator: the same files on every machine.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

fn mutate(bytes: &[u8], random: &mut Seeded) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match random.below(4) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => {
            let at = random.below(bytes.len());
            let end = (at + random.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => {
            for _ in 0..=random.below(8) {
                // Headers are small; half of the hits go there on purpose.
                let span = if random.below(2) == 0 { 700 } else { bytes.len() };
                let at = random.below(span.min(bytes.len()));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256).try_into().unwrap();
                }
            }
        }
    }
    bytes
}

#[test]
fn no_file_makes_ingest_panic() {
    let mut files = vec![
        ("generated jpeg".to_owned(), jpeg(160, 120)),
        ("generated exif".to_owned(), jpeg_with_exif(160, 120, &exif_block(6))),
        ("generated png".to_owned(), png(80, 60)),
    ];
    if let Some(folder) = data_folder() {
        for part in ["photos", "vectors/image-fuzz", "vectors/png"] {
            files_under(&folder.join(part), &mut files);
        }
        assert!(files.len() > 500, "the folder of real files has only {}", files.len());
    }
    let kept = files.iter().filter(|(name, bytes)| keep_or_refuse(bytes, name)).count();
    assert!(kept >= 3);
    println!("{} files, {kept} kept", files.len());

    // Small ones only: thousands of mutations must stay a matter of seconds.
    files.retain(|(_, bytes)| (16..20_000).contains(&bytes.len()));
    let mut random = Seeded(2026);
    for round in 0..MUTATIONS {
        let (name, bytes) = files.get(random.below(files.len())).unwrap();
        keep_or_refuse(&mutate(bytes, &mut random), &format!("mutation {round} of {name}"));
    }
}
