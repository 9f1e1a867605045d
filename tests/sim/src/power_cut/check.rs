//! The invariants, derived again from what is found on both disks after a cut.
//!
//! I-1 what was told as committed is there unchanged; I-2 the chain is whole, each record stands in
//! the outbox once; I-3 HQ holds what it receipted, and the receipts verify from their bytes; I-5
//! HQ's log has the records in the order of the chain; I-7 what is neither received nor pending is
//! parked with a reason; I-8 files are what their names say. SQLite's own check passes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hq::{Hq, SystemClock as HqTime};
use rusqlite::{Connection, OpenFlags};
use sync_core::Store;
use sync_core::clock::SystemClock;
use sync_core::disk::RealDisk;
use sync_core::vault;
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::{leaf, proof};
use sync_model::record::Record;

use super::pair::{DEVICE, HQ, Pair, Told};

/// How much was looked at: a check of nothing proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records compared with what was told.
    pub records: usize,
    /// Receipts verified and compared with HQ.
    pub receipts: usize,
    /// Files hashed.
    pub files: usize,
    /// Records that were durable although nobody had been told yet.
    pub untold: usize,
}

/// A file as the handheld's store notes it.
pub(crate) struct FileRow {
    pub(crate) sha256: Hash,
    pub(crate) reached: u64,
    pub(crate) held: bool,
    pub(crate) parked: bool,
}

type Found<T> = Result<T, String>;

fn wrong<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("{what}: {error}")
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Found<()> {
    if holds { Ok(()) } else { Err(what()) }
}

pub(crate) fn read_only(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // HQ's database is plain; the handheld's lies under the data key.
    if let Ok(Some(key)) = path.parent().map_or(Ok(None), vault::open_without_pin) {
        connection.execute_batch(&key.database_pragma())?;
    }
    Ok(connection)
}

pub(crate) fn files(database: &Connection) -> Result<Vec<FileRow>, rusqlite::Error> {
    let mut statement = database.prepare("SELECT sha256, sent_offset, status FROM blob")?;
    let rows = statement.query_map([], |row| {
        let status: String = row.get(2)?;
        Ok(FileRow {
            sha256: Hash(row.get(0)?),
            reached: row.get::<_, i64>(1)?.unsigned_abs(),
            held: status == "received",
            parked: status == "parked",
        })
    })?;
    rows.collect()
}

/// Checks both ends as they are found below `root`.
///
/// # Errors
/// The first invariant that does not hold, in words.
pub fn check(root: &Path, told: &[Told]) -> Found<Checked> {
    let mut checked = Checked::default();
    let hq = open_hq(&root.join(HQ), told)?;
    let folder = root.join(DEVICE);
    let store = Store::open(&folder, Arc::new(SystemClock::new()), Arc::new(RealDisk))
        .map_err(wrong("the handheld does not open"))?;
    let database = read_only(&folder.join("xunzheng.db")).map_err(wrong("device database"))?;
    integrity(&database).map_err(wrong("I-2 device"))?;
    let enrollment = store.read(|r| r.enrollment()).map_err(wrong("enrollment"))?;
    if enrollment.is_none() {
        let lost = told.contains(&Told::Enrolled);
        ensure(!lost, || "I-1: the enrollment is lost".to_owned())?;
        return Ok(checked);
    }
    let records = chain(&store, &database)?;
    acknowledged(&store, &records, told, &mut checked)?;
    waiting(&database)?;
    if let Some(hq) = &hq {
        receipts(&store, &records, hq, &mut checked)?;
        custody(&records, hq)?;
    }
    for file in files(&database).map_err(wrong("files"))? {
        if !file.parked {
            store.blobs().read(&file.sha256).map_err(wrong("I-8 at the device"))?;
            checked.files += 1;
        }
        if file.held && hq.is_some() {
            held(root, &file.sha256)?;
        }
    }
    Ok(checked)
}

fn open_hq(folder: &Path, told: &[Told]) -> Found<Option<Hq>> {
    let database = folder.join("hq.sqlite");
    if !database.exists() {
        ensure(told.is_empty(), || "I-3: HQ's database is gone".to_owned())?;
        return Ok(None);
    }
    let hq = Hq::open(folder, Arc::new(HqTime)).map_err(wrong("HQ does not open"))?;
    let connection = read_only(&database).map_err(wrong("HQ's database"))?;
    integrity(&connection).map_err(wrong("I-3 HQ"))?;
    hq.verify_log().map_err(wrong("I-3 HQ's log"))?;
    Ok(Some(hq))
}

fn integrity(database: &Connection) -> Found<()> {
    let said: String = database
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(wrong("integrity"))?;
    ensure(said == "ok", || format!("integrity_check says {said}"))
}

fn count(database: &Connection, sql: &str) -> Found<u64> {
    let count: i64 = database.query_row(sql, [], |row| row.get(0)).map_err(wrong(sql))?;
    Ok(count.unsigned_abs())
}

fn chain(store: &Store, database: &Connection) -> Found<Vec<Record>> {
    let length = store.check_chain().map_err(wrong("I-2 chain"))?;
    let rows = store.read(|r| r.records_from(1, 1_000_000)).map_err(wrong("I-1 records"))?;
    ensure(rows.len() as u64 == length, || "I-2: records outside the chain".to_owned())?;
    let outbox = count(database, "SELECT COUNT(*) FROM outbox JOIN journal USING (seq)")?;
    let all = count(database, "SELECT COUNT(*) FROM outbox")?;
    ensure(outbox == length && all == length, || "I-2: outbox is not the journal".to_owned())?;
    rows.iter().map(|row| row.record().map_err(wrong("I-1 record"))).collect()
}

fn acknowledged(
    store: &Store,
    records: &[Record],
    told: &[Told],
    checked: &mut Checked,
) -> Found<()> {
    let hashes: BTreeMap<u64, Hash> =
        records.iter().map(|record| (record.envelope.seq, record.hash)).collect();
    let mut heard = BTreeSet::new();
    let mut draft = None;
    for one in told {
        match one {
            Told::Act { seq, hash } => {
                let found = hashes.get(seq);
                ensure(found == Some(hash), || format!("I-1: record {seq} is {found:?}"))?;
                heard.insert(*seq);
            }
            Told::Receipt { seq } => {
                let found = store.read(|r| r.receipt(*seq)).map_err(wrong("receipt"))?;
                ensure(found.is_some(), || format!("I-3: receipt of {seq} is lost"))?;
            }
            Told::Draft(text) => draft = Some(text),
            // Looked at when both ends run again, or with the files.
            Told::Code(_)
            | Told::Enrolled
            | Told::Held(_)
            | Told::Reached(..)
            | Told::Command(_) => {}
        }
    }
    if let Some(text) = draft {
        let rows = store.read(|r| r.draft("case/1")).map_err(wrong("draft"))?;
        // A later one may have become durable before anybody was told.
        let found = rows.first().map(|row| row.value.as_str()).unwrap_or_default();
        ensure(found >= text.as_str(), || format!("I-1: draft {text} is {found:?}"))?;
    }
    checked.records += heard.len();
    checked.untold += hashes.len() - heard.len();
    Ok(())
}

fn waiting(database: &Connection) -> Found<()> {
    let lost = "SELECT COUNT(*) FROM journal LEFT JOIN outbox USING (seq)
                LEFT JOIN receipt USING (seq)
                WHERE status IS NULL OR (receipt.seq IS NULL) = (status = 'received')";
    ensure(count(database, lost)? == 0, || "I-7: neither received nor waiting".to_owned())?;
    for table in ["outbox", "blob"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE status = 'parked'");
        ensure(count(database, &sql)? == 0, || format!("I-7: something parked in {table}"))?;
    }
    Ok(())
}

fn receipts(store: &Store, records: &[Record], hq: &Hq, checked: &mut Checked) -> Found<()> {
    let enrollment = store.read(|r| r.enrollment()).map_err(wrong("enrollment"))?;
    let trust = enrollment.ok_or("not enrolled")?.trust;
    let mut previous = None;
    for record in records {
        let seq = record.envelope.seq;
        let Some(receipt) = store.read(|r| r.receipt(seq)).map_err(wrong("receipt"))? else {
            continue;
        };
        let note = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)
            .map_err(wrong("I-3 checkpoint"))?;
        let leaf = leaf(&record.hash, record.envelope.device, seq);
        let root = proof::root_from_inclusion(leaf, receipt.log_index, note.size, &receipt.proof);
        ensure(root == Some(note.root), || format!("I-3: proof of {seq} does not hold"))?;
        let held = hq.record(&record.hash).map_err(wrong("record at HQ"))?;
        ensure(held.as_ref() == Some(&record.bytes), || format!("I-3: HQ has lost {seq}"))?;
        ensure(previous < Some(receipt.log_index), || format!("I-5: order of {seq}"))?;
        previous = Some(receipt.log_index);
        checked.receipts += 1;
    }
    Ok(())
}

/// HQ holds nothing that the device has lost, and holds a beginning of its chain.
fn custody(records: &[Record], hq: &Hq) -> Found<()> {
    let counts = hq.counts().map_err(wrong("counts"))?;
    ensure(counts.forks + counts.quarantined == 0, || format!("I-1: HQ says {counts:?}"))?;
    for (number, record) in (0_u64..).zip(records) {
        let held = hq.record(&record.hash).map_err(wrong("record at HQ"))?.is_some();
        ensure(held == (number < counts.records), || {
            format!("I-5: HQ holds {} records, but {number} is {held}", counts.records)
        })?;
    }
    let length = records.len() as u64;
    ensure(counts.records <= length, || "I-1: the device lost a record that HQ holds".to_owned())
}

/// I-8 at HQ.
fn held(root: &Path, sha256: &Hash) -> Found<()> {
    let name = sha256.hex();
    let shelf: String = name.chars().take(2).collect();
    let path = root.join(HQ).join("blobs").join(shelf).join(&name);
    let bytes = std::fs::read(&path).map_err(wrong("I-8 at HQ"))?;
    ensure(Hash::of(&bytes) == *sha256, || format!("I-8: another file at HQ under {name}"))
}

/// Lets both ends run on and sync: everything arrives, once.
///
/// # Errors
/// What did not work or did not arrive.
pub fn heal(root: &Path, told: &[Told]) -> Found<()> {
    let mut pair = Pair::at(root);
    pair.start_hq().map_err(wrong("HQ does not start"))?;
    pair.start_device().map_err(wrong("the handheld does not start"))?;
    pair.enroll(code(told), &mut |_| {}).map_err(wrong("enroll"))?;
    promised(&pair, told)?;
    pair.lead(30, &mut |_| {}).map_err(wrong("act"))?;
    for _ in 0..2 {
        pair.sync(&mut |_| {}).map_err(wrong("sync"))?;
    }
    let store = pair.store().map_err(wrong("store"))?;
    let counts = store.read(|r| r.outbox_counts()).map_err(wrong("counts"))?;
    let waits = counts.pending + counts.pending_blobs + counts.parked;
    ensure(waits == 0, || format!("I-7: still waiting: {counts:?}"))?;
    let held = pair.hq().and_then(|hq| Ok(hq.counts()?)).map_err(wrong("counts"))?;
    let length = store.check_chain().map_err(wrong("I-2"))?;
    ensure(held.records == length && held.blobs_wanted == 0, || format!("I-2: {held:?}"))?;
    let messages = store.read(|r| r.command_messages()).map_err(wrong("messages"))?;
    for one in told {
        if let Told::Command(text) = one {
            let count = messages.iter().filter(|row| row.title == *text).count();
            ensure(count == 1, || format!("I-7: message {text} arrived {count} times"))?;
        }
    }
    pair.stop();
    check(root, told).map(drop)
}

/// Returns the code that HQ gave for the handheld.
pub(crate) fn code(told: &[Told]) -> Option<String> {
    told.iter().rev().find_map(|one| match one {
        Told::Code(code) => Some(code.clone()),
        _ => None,
    })
}

/// HQ still has of each file what it said it had.
fn promised(pair: &Pair, told: &[Told]) -> Found<()> {
    let mut reached = BTreeMap::new();
    for one in told {
        match one {
            Told::Reached(sha256, offset) => reached.insert(*sha256, *offset),
            Told::Held(sha256) => reached.insert(*sha256, u64::MAX),
            _ => None,
        };
    }
    let states = pair.ask(reached.keys().copied().collect()).map_err(wrong("ask for files"))?;
    for state in states {
        let promise = reached.get(&state.sha256).copied().unwrap_or(0);
        let kept = state.complete || state.offset >= promise;
        ensure(kept, || format!("I-8: HQ promised {promise} bytes and has {}", state.offset))?;
    }
    Ok(())
}
