//! The invariants, derived again from what is stored after every scenario.
//!
//! I-1 nothing told as committed is missing or changed; I-2 the chain is whole and each record
//! stands in the outbox once; I-3 every receipt verifies from its stored bytes, and HQ holds the
//! record byte-equal exactly once; I-4 numbers are unique and no decision is half-issued; I-5 HQ's
//! log has a device's records in the order of its chain; I-6 a locked transcript never changes;
//! I-7 what waited still waits or has arrived, what is parked has a reason; I-8 every file is what
//! its name says, here and at HQ.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OpenFlags};
use sync_core::Store;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::{leaf, proof};
use sync_model::record::{Act, Record};

use super::world::{Device, World};

/// What a device's features have acknowledged.
#[derive(Default)]
pub struct Memory {
    committed: BTreeMap<u64, Hash>,
    files: BTreeSet<Hash>,
    receipted: BTreeMap<u64, u64>,
}

impl Memory {
    pub fn remember(&mut self, store: &Store) {
        let next = self.committed.keys().last().map_or(1, |seq| seq + 1);
        for row in store.read(|r| r.records_from(next, 100_000)).unwrap() {
            self.committed.insert(row.seq, row.hash);
            let blobs = row.record().unwrap().envelope.blobs;
            self.files.extend(blobs.into_iter().map(|blob| blob.sha256));
        }
        for seq in self.committed.keys().copied().collect::<Vec<_>>() {
            if let Some(receipt) = store.read(|r| r.receipt(seq)).unwrap() {
                // HQ never gives a record another place.
                let first = *self.receipted.entry(seq).or_insert(receipt.log_index);
                assert_eq!(first, receipt.log_index, "I-3: receipt of {seq} moved");
            }
        }
    }
}

/// How much was looked at; a check of nothing proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub records: usize,
    pub receipts: usize,
    pub files: usize,
    pub transcripts: usize,
    pub decisions: u64,
}

pub fn check(world: &World) -> Counted {
    let mut counted = Counted::default();
    let hq = read_only(&world.hq_folder().join("hq.sqlite"));
    let mut numbers = BTreeMap::new();
    let mut known: BTreeMap<Vec<u8>, BTreeSet<Hash>> = BTreeMap::new();
    for device in &world.devices {
        let Some(id) = device.id() else { continue };
        let records = check_chain(device);
        check_receipts(device, &records, &hq, &mut counted);
        check_order(&hq, id.as_bytes());
        check_transcripts(device, &records, &mut counted);
        check_waiting(device);
        check_files(world, device, &mut counted);
        let here = read_only(&device.folder.join("xunzheng.db"));
        counted.decisions += check_decisions(&here);
        for number in texts(&here, "SELECT number FROM document_number") {
            let other = numbers.insert(number.clone(), id);
            assert!(other.is_none_or(|other| other == id), "I-4: {number} on two devices");
        }
        known.entry(id.as_bytes().to_vec()).or_default().extend(records.iter().map(|r| r.hash));
        counted.records += records.len();
    }
    for (id, hash) in hq_records(&hq) {
        let hashes = known.get(&id).expect("HQ holds records of a device that is not there");
        assert!(hashes.contains(&hash), "I-1: HQ holds {hash}, the device has lost it");
    }
    let report = world.hq(|hq| hq.verify_log().unwrap());
    assert_eq!(report.records, number(&hq, "SELECT COUNT(*) FROM record"), "I-8: log");
    counted
}

/// I-1 and I-2.
fn check_chain(device: &Device) -> Vec<Record> {
    let store = &device.services().store;
    let length = store.check_chain().expect("I-2: chain");
    let rows = store.read(|r| r.records_from(1, 100_000)).expect("I-1: records");
    assert_eq!(rows.len() as u64, length, "I-2: records outside the chain");
    for (seq, hash) in &device.memory.lock().unwrap().committed {
        let row = rows.get(*seq as usize - 1).unwrap_or_else(|| panic!("I-1: {seq} is lost"));
        assert_eq!((row.seq, row.hash), (*seq, *hash), "I-1: record {seq} changed");
    }
    let here = read_only(&device.folder.join("xunzheng.db"));
    assert_eq!(number(&here, "SELECT COUNT(*) FROM outbox"), length, "I-2: outbox");
    rows.iter().map(|row| row.record().unwrap()).collect()
}

/// I-3, from the bytes of the checkpoint and of the record up.
fn check_receipts(device: &Device, records: &[Record], hq: &Connection, counted: &mut Counted) {
    let store = &device.services().store;
    let trust = store.read(|r| r.enrollment()).unwrap().unwrap().trust;
    let mut previous = None;
    for record in records {
        let seq = record.envelope.seq;
        let Some(receipt) = store.read(|r| r.receipt(seq)).unwrap() else { continue };
        let open = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key);
        let checkpoint = open.unwrap_or_else(|error| panic!("I-3: checkpoint of {seq}: {error}"));
        let leaf = leaf(&Hash::of(&record.bytes), record.envelope.device, seq);
        let (index, size) = (receipt.log_index, checkpoint.size);
        let root = proof::root_from_inclusion(leaf, index, size, &receipt.proof);
        assert_eq!(root, Some(checkpoint.root), "I-3: proof of {seq}");
        let held: Vec<Vec<u8>> = hq
            .prepare_cached("SELECT bytes FROM record WHERE hash = ?1")
            .unwrap()
            .query_map([record.hash.0], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let sent = std::slice::from_ref(&record.bytes);
        assert_eq!(held, sent, "I-3: HQ does not hold {seq} byte-equal once");
        assert!(previous < Some(index), "I-5: {seq} was logged before its predecessor");
        previous = Some(index);
        counted.receipts += 1;
    }
    for seq in device.memory.lock().unwrap().receipted.keys() {
        assert!(store.read(|r| r.receipt(*seq)).unwrap().is_some(), "I-3: receipt {seq} is lost");
    }
}

/// I-5 at HQ: the log has the device's records in chain order, without gaps.
fn check_order(hq: &Connection, device: &[u8]) {
    let sql = "SELECT seq FROM record WHERE device = ?1 ORDER BY log_index";
    let mut statement = hq.prepare(sql).unwrap();
    let seqs: Vec<i64> =
        statement.query_map([device], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let whole: Vec<i64> = (1..).take(seqs.len()).collect();
    assert_eq!(seqs, whole, "I-5: order of the log");
}

/// I-6: what was locked is what lies in the files, and nothing came after the lock.
fn check_transcripts(device: &Device, records: &[Record], counted: &mut Counted) {
    let store = &device.services().store;
    for record in records {
        let Act::TranscriptLocked(locked) = record.envelope.act() else { continue };
        let row = store.read(|r| r.transcript(locked.transcript)).unwrap().unwrap();
        assert_eq!(row.state, sync_core::store::TranscriptState::Locked, "I-6: unlocked again");
        assert_eq!(row.prepared.revision, locked.revision, "I-6: a revision after the lock");
        let pages = xunzheng::document::load_pages(store.blobs(), &row.prepared.text.sha256);
        let pages: Vec<Hash> =
            pages.unwrap().iter().map(|page| Hash::of(page.as_bytes())).collect();
        assert_eq!(pages, locked.pages, "I-6: pages changed");
        assert_eq!(row.prepared.content.sha256, locked.content, "I-6: content changed");
        let document = row.prepared.document;
        let late =
            records.iter().filter(|one| one.envelope.seq > record.envelope.seq).any(
                |one| match one.envelope.act() {
                    Act::TranscriptPrepared(body) => body.document == document,
                    Act::PageSigned(body) => body.document == document,
                    Act::SignatureRefused(body) => body.document == document,
                    Act::TranscriptReadBack(body) => body.transcript == locked.transcript,
                    _ => false,
                },
            );
        assert!(!late, "I-6: an act on a locked transcript");
        counted.transcripts += 1;
    }
}

/// I-7: a record has a receipt, waits, or is parked with a reason; so has a file.
fn check_waiting(device: &Device) {
    let here = read_only(&device.folder.join("xunzheng.db"));
    let lost = "SELECT COUNT(*) FROM journal LEFT JOIN outbox USING (seq)
                LEFT JOIN receipt USING (seq)
                WHERE (receipt.seq IS NULL) = (COALESCE(status, '') = 'received')
                   OR status IS NULL";
    assert_eq!(number(&here, lost), 0, "I-7: neither received nor waiting");
    for table in ["outbox", "blob"] {
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE status = 'parked' AND TRIM(parked_reason) = ''"
        );
        assert_eq!(number(&here, &sql), 0, "I-7: parked without a reason in {table}");
    }
    let cited: BTreeSet<Hash> = hashes(&here, "SELECT sha256 FROM blob").into_iter().collect();
    let memory = device.memory.lock().unwrap();
    assert!(memory.files.is_subset(&cited), "I-7: a cited file is not listed any more");
}

/// I-8.
fn check_files(world: &World, device: &Device, counted: &mut Counted) {
    let here = read_only(&device.folder.join("xunzheng.db"));
    let blobs = device.services().store.blobs();
    for hash in hashes(&here, "SELECT sha256 FROM blob WHERE status <> 'parked'") {
        blobs.read(&hash).unwrap_or_else(|error| panic!("I-8: {error}"));
        counted.files += 1;
    }
    for hash in hashes(&here, "SELECT sha256 FROM blob WHERE status = 'received'") {
        let name = hash.hex();
        let shelf: String = name.chars().take(2).collect();
        let path = world.hq_folder().join("blobs").join(shelf).join(&name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("I-8: at HQ: {error}"));
        assert_eq!(Hash::of(&bytes), hash, "I-8: another file at HQ");
    }
}

/// I-4: a decision has its number, its document and its record, or none of them.
fn check_decisions(here: &Connection) -> u64 {
    let issued = number(here, "SELECT COUNT(*) FROM journal WHERE kind = 'decision_issued'");
    let numbers = number(here, "SELECT COUNT(*) FROM document_number WHERE state = 'issued'");
    let documents = number(here, "SELECT COUNT(*) FROM document WHERE number <> ''");
    let decided = number(here, "SELECT COUNT(*) FROM case_file WHERE state = 'decided'");
    assert_eq!((issued, issued, issued), (numbers, documents, decided), "I-4: half-issued");
    let reserved = number(here, "SELECT COUNT(*) FROM journal WHERE kind = 'number_reserved'");
    let distinct = number(here, "SELECT COUNT(DISTINCT number) FROM document_number");
    assert_eq!(reserved, distinct, "I-4: a number was taken twice");
    issued
}

pub fn read_only(path: &std::path::Path) -> Connection {
    keyed(path, Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
}

/// Gives a connection to a handheld's database its key; HQ's is plain.
pub fn keyed(path: &std::path::Path, connection: Connection) -> Connection {
    let folder = path.parent().unwrap();
    if let Some(key) = super::device::data_key(folder) {
        connection.execute_batch(&key.database_pragma()).unwrap();
    }
    connection
}

pub fn number(connection: &Connection, sql: &str) -> u64 {
    let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    count.try_into().unwrap()
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn hashes(connection: &Connection, sql: &str) -> Vec<Hash> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows: Vec<Vec<u8>> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    rows.iter().map(|bytes| Hash::from_slice(bytes).unwrap()).collect()
}

fn hq_records(hq: &Connection) -> Vec<(Vec<u8>, Hash)> {
    let mut statement = hq.prepare("SELECT device, hash FROM record ORDER BY log_index").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    rows.map(|row| row.map(|(id, hash)| (id, Hash::from_slice(&hash).unwrap())).unwrap()).collect()
}
