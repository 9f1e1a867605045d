//! The tamper matrix: every field of every kind of record, a byte of every class of every file, and
//! whole records × what a forger can do × what the forger holds. All are found, and the message
//! names the record (I-2, I-3, I-6).

mod change;
mod forge;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ciborium::Value;
use sync_model::canonical;
use sync_model::cose::{self, Context, SoftwareKey, Unverified};
use sync_model::hash::Hash;
use sync_model::record::{Envelope, Record};

use self::change::{BYTE_CHANGES, FIELD_CHANGES, byte, field, fields, places};
use self::forge::{Files, Forged, bundle, corpus, device_key, receipt_path, record_path};
use super::{MANIFEST, put, verify};

/// A folder that holds a bundle, and what of it was changed.
struct Bench {
    room: tempfile::TempDir,
    whole: Files,
}

impl Bench {
    fn of(whole: &Files) -> Self {
        let room = tempfile::tempdir().unwrap();
        whole.iter().for_each(|(path, bytes)| put(room.path(), path, bytes));
        assert!(verify(room.path()).is_ok(), "{:?}", verify(room.path()));
        Self { room, whole: whole.clone() }
    }

    /// Returns the paths at which `files` differ from the whole bundle.
    fn touched(&self, files: &Files) -> BTreeSet<String> {
        let differs = |path: &&String| self.whole.get(*path) != files.get(*path);
        self.whole.keys().chain(files.keys()).filter(differs).cloned().collect()
    }

    /// Lays `files` out in the folder, has them checked, and puts everything back.
    fn judge(&self, files: &Files) -> Option<(String, String)> {
        let folder = self.room.path();
        let touched = self.touched(files);
        lay(folder, &touched, files);
        let said = verify(folder).err().map(|error| (error.item().to_owned(), error.to_string()));
        lay(folder, &touched, &self.whole);
        said
    }
}

fn lay(folder: &Path, paths: &BTreeSet<String>, files: &Files) {
    for path in paths {
        match files.get(path) {
            Some(bytes) => put(folder, path, bytes),
            None => fs::remove_file(folder.join(path)).unwrap(),
        }
    }
}

/// What was tried and found.
#[derive(Default)]
struct Count(BTreeMap<String, u32>);

impl Count {
    /// Demands that the change was found, at one of these files.
    fn found(&mut self, row: &str, said: Option<(String, String)>, at: &[&str]) {
        let (item, message) = said.unwrap_or_else(|| panic!("not found: {row} at {at:?}"));
        assert!(at.contains(&item.as_str()), "{row}: {message}, not {at:?}");
        assert!(message.contains(&item), "{row}: {message} does not name {item}");
        *self.0.entry(row.to_owned()).or_default() += 1;
    }

    fn print(&self, what: &str) {
        for (row, count) in &self.0 {
            println!("{what}, {row}: {count} of {count} found");
        }
        println!("{what}: {} found, 0 accepted", self.0.values().sum::<u32>());
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn payload(record: &[u8]) -> Vec<u8> {
    Unverified::parse(record).unwrap().payload().to_vec()
}

/// Puts another payload under the old signature.
fn under_old_signature(record: &[u8], payload: &[u8]) -> Vec<u8> {
    let Value::Array(mut parts) = ciborium::from_reader(record).unwrap() else { panic!("array") };
    parts[2] = Value::Bytes(payload.to_vec());
    encoded(&Value::Array(parts))
}

/// Signs the second record anew with the device's key, and what follows it so that it fits.
fn resealed(forged: &Forged, payload: &[u8]) -> Files {
    let mut files = forged.files.clone();
    let second = cose::sign(Context::Record, payload, &device_key()).unwrap();
    let hash = Hash::of(&second);
    files.insert(record_path(2), second);
    let [first, _, third] = forged.records.as_slice() else { panic!("three records") };
    let claimed = canonical::from_bytes::<Envelope>(payload, canonical::RECORD_BYTES_MAX).ok();
    let visited = claimed.as_ref().is_some_and(|envelope| envelope.inspection.is_some());
    let visit_previous = Some(if visited { hash } else { first.hash });
    let envelope = Envelope { previous: hash, visit_previous, ..third.envelope.clone() };
    files.insert(record_path(3), Record::seal(envelope, &device_key()).unwrap().bytes);
    // Who drops a citation drops the file too.
    let cited: BTreeSet<Hash> = [&first.envelope, &third.envelope]
        .into_iter()
        .chain(&claimed)
        .flat_map(|envelope| envelope.blobs.iter().map(|blob| blob.sha256))
        .collect();
    files.retain(|path, bytes| !path.starts_with("blobs/") || cited.contains(&Hash::of(bytes)));
    forge::list(&mut files, &device_key());
    files
}

/// Tries every change of every field of the record in the middle of a bundle of three.
fn every_field(opener: &Envelope, envelope: &Envelope) -> (Count, usize) {
    let mut count = Count::default();
    let forged = bundle(&[opener.clone(), envelope.clone(), opener.clone()], 1);
    let bench = Bench::of(&forged.files);
    let path = record_path(2);
    let record = &forged.files[&path];
    let read = |bytes: &[u8]| -> Value { ciborium::from_reader(bytes).unwrap() };
    let value = read(&payload(record));
    let older = read(&payload(&forged.files[&record_path(1)]));
    assert_eq!(encoded(&value), payload(record));
    let ways = fields(&value);
    for way in &ways {
        for how in FIELD_CHANGES {
            let Some(changed) = field(&value, way, how, &older) else { continue };
            let changed = encoded(&changed);
            let by = |who: &str| format!("{how}, {who}");
            let mut files = forged.files.clone();
            files.insert(path.clone(), under_old_signature(record, &changed));
            count.found(&by("no key"), bench.judge(&files), &[&path]);
            forge::list(&mut files, &device_key());
            count.found(&by("manifest signed anew"), bench.judge(&files), &[&path]);
            // Also where the device signs all: HQ's receipt holds the old record.
            let said = bench.judge(&resealed(&forged, &changed));
            count.found(&by("everything signed anew by the device"), said, &[&path]);
        }
    }
    (count, ways.len())
}

#[test]
fn every_change_of_every_field_of_every_kind_is_found() {
    let corpus = corpus();
    let kinds: BTreeSet<_> = corpus.iter().map(|one| &one.act.kind).collect();
    let (opener, next) = (&corpus[9], AtomicUsize::new(0));
    let all = Mutex::new((Count::default(), 0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(envelope) = corpus.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (found, places) = every_field(opener, envelope);
                    let mut all = all.lock().unwrap();
                    found.0.into_iter().for_each(|(row, n)| *all.0.0.entry(row).or_default() += n);
                    all.1 += places;
                }
            });
        }
    });
    let (count, places) = all.into_inner().unwrap();
    count.print("fields");
    println!("{} kinds, {} records, {places} fields", kinds.len(), corpus.len());
    assert!(kinds.len() >= 24 && places > 1_000);
}

#[test]
fn a_change_of_a_byte_of_every_class_is_found() {
    let corpus = corpus();
    let forged = bundle(&corpus, 1);
    let bench = Bench::of(&forged.files);
    let mut count = Count::default();
    for (path, bytes) in &forged.files {
        for place in places(path, bytes) {
            for how in BYTE_CHANGES {
                let Some(changed) = byte(bytes, place, how) else { continue };
                let mut files = forged.files.clone();
                files.insert(path.clone(), changed.clone());
                let said = bench.judge(&files);
                // A bent manifest breaks at whatever it says next; all others are named.
                let at = said.as_ref().map_or("", |(item, _)| item).to_owned();
                let at = if path == MANIFEST { &at } else { path };
                count.found(how, said, &[at]);
            }
        }
    }
    // And each byte of each kind of record, against its signature.
    let device = forge::device_public();
    for record in &forged.records {
        for place in 0..record.bytes.len() {
            let changed = byte(&record.bytes, place, "bit").unwrap();
            assert!(Record::open(&changed, &device).is_err(), "byte {place} of {record:?}");
            *count.0.entry("bit, each byte of each record".into()).or_default() += 1;
        }
    }
    count.print("bytes");
}

/// What a forger does to whole records: name, and the files of record `seq` afterwards, with what is
/// named if the device signed the manifest anew.
fn moves(forged: &Forged, other: &Forged, seq: u64) -> Vec<(&'static str, Files, Vec<String>)> {
    let (path, next) = (record_path(seq), record_path(seq + 1));
    let last = record_path(u64::try_from(forged.records.len()).unwrap() + 1);
    let change = |edit: &dyn Fn(&mut Files)| {
        let mut files = forged.files.clone();
        edit(&mut files);
        files
    };
    let copy = |from: &Files, name: &String| from[name].clone();
    let removed = change(&|files| {
        let cited = &forged.records[usize::try_from(seq).unwrap() - 1].envelope.blobs;
        let cited = cited.iter().map(|blob| format!("blobs/{}", blob.sha256));
        [path.clone(), receipt_path(seq)].into_iter().chain(cited).for_each(|path| {
            files.remove(&path);
        });
    });
    let moved = |files| ("", files, vec![path.clone(), next.clone(), last.clone()]);
    let named_as = |name, (_, files, at): (&str, Files, Vec<String>)| (name, files, at);
    let exchange = change(&|files| {
        files.insert(path.clone(), copy(&forged.files, &next));
        files.insert(next.clone(), copy(&forged.files, &path));
    });
    let again = change(&|files| drop(files.insert(last.clone(), copy(&forged.files, &path))));
    let earlier = record_path(seq.max(2) - 1);
    let earlier = if earlier == path { &next } else { &earlier };
    let replay = change(&|files| drop(files.insert(path.clone(), copy(&forged.files, earlier))));
    let back = change(&|files| drop(files.insert(path.clone(), copy(&other.files, &path))));
    vec![
        ("removed", removed, vec![next.clone()]),
        named_as("reordered", moved(exchange)),
        named_as("duplicated", moved(again)),
        named_as("replayed", moved(replay)),
        named_as("rolled back to another signing", moved(back)),
    ]
}

#[test]
fn every_record_moved_removed_or_replaced_is_found() {
    let corpus = corpus();
    let (forged, other) = (bundle(&corpus, 1), bundle(&corpus, 2));
    let bench = Bench::of(&forged.files);
    let mut count = Count::default();
    let records = u64::try_from(forged.records.len()).unwrap();
    for seq in 1..records {
        for (how, mut files, at) in moves(&forged, &other, seq) {
            let at: Vec<&str> = at.iter().map(String::as_str).collect();
            let touched = bench.touched(&files);
            let touched: Vec<&str> = touched.iter().map(String::as_str).collect();
            count.found(&format!("{how}, no key"), bench.judge(&files), &touched);
            forge::list(&mut files, &SoftwareKey::from_secret(&[99; 32]));
            let said = bench.judge(&files);
            count.found(&format!("{how}, a stranger's manifest"), said, &[MANIFEST]);
            forge::list(&mut files, &device_key());
            let said = bench.judge(&files);
            count.found(&format!("{how}, manifest signed anew"), said, &at);
        }
    }
    // The end cut off: whoever has no device key cannot. With it the shorter bundle is a true one of
    // an earlier hour; that it ends too soon is told by HQ's log and by the party's slip.
    for keep in 1..records {
        let mut files = forged.files.clone();
        for seq in keep + 1..=records {
            files.remove(&record_path(seq));
            files.remove(&receipt_path(seq));
        }
        let touched = bench.touched(&files);
        let touched: Vec<&str> = touched.iter().map(String::as_str).collect();
        count.found("rolled back, no key", bench.judge(&files), &touched);
    }
    count.print("records");
}
