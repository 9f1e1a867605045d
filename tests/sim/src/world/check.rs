//! The invariants of the design (I1 to I10), derived again from what is stored at both ends after
//! everything healed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use sync_model::hash::Hash;
use sync_model::id::DeviceId;
use sync_model::log::note::Checkpoint;
use sync_model::log::{leaf, proof};
use sync_model::record::Record;

use super::device::Device;
use super::network::lock;
use super::{Violation, World, ends_sending};

/// How much was looked at; a check of nothing proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Records in the chains of devices.
    pub records: u64,
    /// Receipts whose proofs were recomputed.
    pub receipts: u64,
    /// Files hashed, here and at HQ.
    pub files: u64,
    /// Records that HQ keeps beside its log because they contradict it.
    pub forks: u64,
    /// Records that HQ keeps without attributing them.
    pub quarantined: u64,
    /// Document numbers taken.
    pub numbers: u64,
}

/// What HQ has on its disk.
struct Holdings {
    /// By log index: hash, device, seq, bytes.
    log: Vec<(Hash, Vec<u8>, u64, Vec<u8>)>,
    forks: BTreeMap<Hash, Vec<u8>>,
    quarantine: BTreeSet<Hash>,
    files: BTreeSet<Hash>,
}

fn open(path: &Path) -> Result<Connection, Violation> {
    crate::power_cut::check::read_only(path).map_err(Violation::of("I1 database opens"))
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Violation> {
    let run = || -> rusqlite::Result<Vec<T>> {
        let mut statement = connection.prepare(sql)?;
        statement.query_map([], |row| read(row))?.collect()
    };
    run().map_err(Violation::of("database reads"))
}

fn number(connection: &Connection, sql: &str) -> Result<u64, Violation> {
    let count: i64 =
        connection.query_row(sql, [], |row| row.get(0)).map_err(Violation::of("database reads"))?;
    Ok(count.unsigned_abs())
}

/// Returns how many records of the device HQ's log holds.
pub(super) fn held_of(hq: &Path, device: DeviceId) -> Result<u64, Violation> {
    let hex = sync_model::hash::hex(device.as_bytes());
    number(
        &open(&hq.join("hq.sqlite"))?,
        &format!("SELECT COUNT(*) FROM record WHERE device = x'{hex}'"),
    )
}

fn holdings(hq: &Path) -> Result<Holdings, Violation> {
    let database = open(&hq.join("hq.sqlite"))?;
    let log = rows(
        &database,
        "SELECT log_index, hash, device, seq, bytes FROM record ORDER BY log_index",
        |row| {
            let seq: i64 = row.get("seq")?;
            Ok((
                row.get::<_, i64>("log_index")?,
                Hash(row.get("hash")?),
                row.get::<_, Vec<u8>>("device")?,
                seq.unsigned_abs(),
                row.get::<_, Vec<u8>>("bytes")?,
            ))
        },
    )?;
    for (expected, (index, ..)) in (0..).zip(&log) {
        require(expected == *index, "I2 log index is contiguous", || {
            format!("{index} at {expected}")
        })?;
    }
    let forks = rows(&database, "SELECT hash, device FROM fork", |row| {
        Ok((Hash(row.get(0)?), row.get(1)?))
    })?;
    let quarantine = rows(&database, "SELECT hash FROM quarantine", |row| Ok(Hash(row.get(0)?)))?;
    let files = rows(&database, "SELECT sha256 FROM blob", |row| Ok(Hash(row.get(0)?)))?;
    Ok(Holdings {
        log: log
            .into_iter()
            .map(|(_, hash, device, seq, bytes)| (hash, device, seq, bytes))
            .collect(),
        forks: forks.into_iter().collect(),
        quarantine: quarantine.into_iter().collect(),
        files: files.into_iter().collect(),
    })
}

/// Names of the records that HQ holds.
pub(super) struct Held {
    pub(super) log: Vec<Hash>,
    pub(super) forks: Vec<Hash>,
    pub(super) quarantine: Vec<Hash>,
}

/// Returns what HQ holds, by name.
pub(super) fn held(hq: &Path) -> Result<Held, Violation> {
    let holdings = holdings(hq)?;
    Ok(Held {
        log: holdings.log.iter().map(|(hash, ..)| *hash).collect(),
        forks: holdings.forks.into_keys().collect(),
        quarantine: holdings.quarantine.into_iter().collect(),
    })
}

fn require(holds: bool, rule: &str, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(rule, what())) }
}

/// Checks everything.
pub(super) fn check(world: &World) -> Result<Counted, Violation> {
    let net = lock(&world.net);
    let hq = holdings(net.folder())?;
    let mut counted = Counted {
        forks: u64::try_from(hq.forks.len()).unwrap_or(0),
        quarantined: u64::try_from(hq.quarantine.len()).unwrap_or(0),
        ..Counted::default()
    };
    let report = net.hq()?.verify_log().map_err(Violation::of("I6 HQ's log verifies"))?;
    let size = u64::try_from(hq.log.len()).unwrap_or(u64::MAX);
    require(report.records == size, "I2 log", || format!("{} of {size}", report.records))?;
    let mut numbers = BTreeMap::new();
    let mut branches: BTreeMap<DeviceId, BTreeSet<Hash>> = BTreeMap::new();
    for device in &world.devices {
        let records = chain(device)?;
        counted.records += u64::try_from(records.len()).unwrap_or(0);
        receipts(device, &records, &hq, &mut counted)?;
        arrived(world, device, &records, &hq)?;
        let here = open(&device.folder.join("xunzheng.db"))?;
        files(net.folder(), device, &here, &hq, &mut counted)?;
        taken_numbers(world, device, &here, &mut numbers)?;
        let known = branches.entry(device.id).or_default();
        known.extend(records.iter().map(|record| record.hash));
    }
    counted.numbers = u64::try_from(numbers.len()).unwrap_or(0);
    order(&hq)?;
    nothing_foreign(world, &hq, &branches)?;
    forks_found(world, &hq)?;
    revocations(world, &hq)?;
    same_rulebook(world)?;
    Ok(counted)
}

/// I1 and I6: what was committed is there, byte for byte, in one whole chain.
fn chain(device: &Device) -> Result<Vec<Record>, Violation> {
    let store = device.store()?;
    let length = store.check_chain().map_err(Violation::of("I1 chain"))?;
    let rows = store.read(|r| r.records_from(1, 100_000)).map_err(Violation::of("I1 records"))?;
    require(u64::try_from(rows.len()) == Ok(length), "I1 records", || format!("{length}"))?;
    let found: BTreeMap<u64, Hash> = rows.iter().map(|row| (row.seq, row.hash)).collect();
    for (seq, hash) in &device.committed {
        require(found.get(seq) == Some(hash), "I1 a committed record is lost or changed", || {
            format!("{seq}")
        })?;
    }
    rows.iter()
        .map(|row| {
            require(Hash::of(&row.bytes) == row.hash, "I6 signed bytes", || {
                format!("{}", row.seq)
            })?;
            row.record().map_err(Violation::of("I6 record opens"))
        })
        .collect()
}

/// I4 and I5: every receipt leads from its stored bytes to its signed checkpoint, and HQ holds the
/// record there, byte for byte.
fn receipts(
    device: &Device,
    records: &[Record],
    hq: &Holdings,
    counted: &mut Counted,
) -> Result<(), Violation> {
    let store = device.store()?;
    let enrollment = store.read(|r| r.enrollment()).map_err(Violation::of("I4"))?;
    let Some(enrollment) = enrollment else { return Ok(()) };
    let trust = enrollment.trust;
    let mut opened: BTreeMap<String, Checkpoint> = BTreeMap::new();
    let mut previous = None;
    for record in records {
        let seq = record.envelope.seq;
        let receipt = store.read(|r| r.receipt(seq)).map_err(Violation::of("I4"))?;
        let shown = device.receipted.get(&seq);
        require(
            receipt.as_ref().map(|one| one.log_index).as_ref() == shown,
            "I4 a receipt is lost or moved",
            || format!("{seq}"),
        )?;
        let Some(receipt) = receipt else { continue };
        if !opened.contains_key(&receipt.checkpoint) {
            let open = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key);
            opened
                .insert(receipt.checkpoint.clone(), open.map_err(Violation::of("I4 checkpoint"))?);
        }
        let root = opened.get(&receipt.checkpoint).map(|checkpoint| {
            let leaf = leaf(&Hash::of(&record.bytes), record.envelope.device, seq);
            (
                proof::root_from_inclusion(
                    leaf,
                    receipt.log_index,
                    checkpoint.size,
                    &receipt.proof,
                ),
                checkpoint.root,
            )
        });
        require(matches!(root, Some((Some(found), root)) if found == root), "I4 proof", || {
            format!("{seq}")
        })?;
        let index = usize::try_from(receipt.log_index).unwrap_or(usize::MAX);
        let held = hq
            .log
            .get(index)
            .is_some_and(|(hash, _, _, bytes)| (*hash, bytes) == (record.hash, &record.bytes));
        require(held, "I4 HQ does not hold what it receipted", || format!("{seq} at {index}"))?;
        require(previous < Some(receipt.log_index), "I5 order of receipts", || format!("{seq}"))?;
        previous = Some(receipt.log_index);
        counted.receipts += 1;
    }
    Ok(())
}

/// I2 and I7: everything arrived, or there is a reason.
fn arrived(
    world: &World,
    device: &Device,
    records: &[Record],
    hq: &Holdings,
) -> Result<(), Violation> {
    let counts = device.store()?.read(|r| r.outbox_counts()).map_err(Violation::of("I7"))?;
    let parked = device.store()?.read(|r| r.parked()).map_err(Violation::of("I7"))?;
    require(
        parked.iter().all(|row| !row.reason.trim().is_empty()),
        "I7 parked without a reason",
        String::new,
    )?;
    let length = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let doubled = world.doubled.contains(&device.id);
    let revoked = world.revoked.contains_key(&device.id);
    let stop = device.store()?.read(|r| r.chain_stop()).map_err(Violation::of("I7"))?;
    let wrongly = (device.stopped || stop.is_some()) && !doubled;
    require(!wrongly, "a chain was stopped without a reason", || format!("{stop:?}"))?;
    if !doubled && !revoked {
        let all = counts.received == length
            && counts.pending == 0
            && counts.parked == 0
            && counts.pending_blobs == 0;
        let why = device.last.as_ref().map(ToString::to_string);
        return require(all && why.is_none(), "I2 everything arrives", || {
            format!("{counts:?} of {length}, {why:?}")
        });
    }
    if counts.pending > 0 {
        let told = stop.is_some() || device.last.as_ref().is_some_and(ends_sending);
        require(told, "I7 pending without a reason", || format!("{:?}", device.last))?;
    }
    for record in records {
        let shown = device.receipted.contains_key(&record.envelope.seq);
        let apart = hq.forks.contains_key(&record.hash) || hq.quarantine.contains(&record.hash);
        let parked = parked.iter().any(|row| row.seq == record.envelope.seq && row.kind != "blob");
        require(shown || !parked || apart, "I1 parked and not held by HQ", || {
            format!("{}", record.envelope.seq)
        })?;
        if revoked && !doubled && !shown {
            require(
                apart || is_logged(hq, record),
                "I10 a revoked device's record is not kept",
                || format!("{}", record.envelope.seq),
            )?;
        }
    }
    Ok(())
}

fn is_logged(hq: &Holdings, record: &Record) -> bool {
    hq.log.iter().any(|(hash, ..)| *hash == record.hash)
}

/// I5: the log has each device's records in the order of its chain, without a gap.
fn order(hq: &Holdings) -> Result<(), Violation> {
    let mut next: BTreeMap<&[u8], u64> = BTreeMap::new();
    for (_, device, seq, _) in &hq.log {
        let expected = next.entry(device).or_insert(1);
        require(seq == expected, "I5 order of the log", || format!("{seq}, not {expected}"))?;
        *expected += 1;
    }
    Ok(())
}

/// I1 from the other side: what HQ holds, a device made; a device that lost it would show here.
fn nothing_foreign(
    world: &World,
    hq: &Holdings,
    made: &BTreeMap<DeviceId, BTreeSet<Hash>>,
) -> Result<(), Violation> {
    for (hash, device, seq, _) in &hq.log {
        let own = made.iter().find(|(id, _)| id.as_bytes() == device.as_slice());
        let Some((id, hashes)) = own else { continue };
        let known = hashes.contains(hash) || world.doubled.contains(id);
        require(known, "I1 HQ holds what its device has lost", || format!("{seq}"))?;
    }
    Ok(())
}

/// I3: where two folders signed different records for one place, HQ has both, and one was told.
fn forks_found(world: &World, hq: &Holdings) -> Result<(), Violation> {
    for id in &world.doubled {
        if world.revoked.contains_key(id) {
            continue;
        }
        let folders: Vec<&Device> =
            world.devices.iter().filter(|device| device.id == *id).collect();
        let differs = folders.iter().any(|device| {
            device.committed.iter().any(|(seq, hash)| {
                hq.log
                    .iter()
                    .any(|(other, of, at, _)| of == id.as_bytes() && at == seq && other != hash)
            })
        });
        if differs {
            // Kept at HQ beside the log, or kept here by a chain that ended before it sent it.
            let mut known = hq.forks.values().any(|of| of == id.as_bytes());
            let mut told = false;
            for device in &folders {
                let store = device.store()?;
                let counts = store.read(|r| r.outbox_counts()).map_err(Violation::of("I3"))?;
                let stop = store.read(|r| r.chain_stop()).map_err(Violation::of("I3"))?;
                known |= stop.is_some();
                told |= counts.parked > 0 || stop.is_some();
            }
            require(known, "I3 a fork was not kept", || format!("{id}"))?;
            require(told, "I3 a fork was not told", || format!("{id}"))?;
        }
    }
    Ok(())
}

/// I10: a revoked device's records end where they ended.
fn revocations(world: &World, hq: &Holdings) -> Result<(), Violation> {
    for (id, then) in &world.revoked {
        let now = hq.log.iter().filter(|(_, device, ..)| device == id.as_bytes()).count();
        require(u64::try_from(now) == Ok(*then), "I10 log after revocation", || {
            format!("{then} became {now}")
        })?;
    }
    Ok(())
}

/// I8: every file is what its name says, here and at HQ; and I7: what HQ promised it has.
fn files(
    hq_folder: &Path,
    device: &Device,
    here: &Connection,
    hq: &Holdings,
    counted: &mut Counted,
) -> Result<(), Violation> {
    let cited = rows(here, "SELECT sha256, status FROM blob", |row| {
        Ok((Hash(row.get(0)?), row.get::<_, String>(1)?))
    })?;
    for (hash, status) in cited {
        device.store()?.blobs().read(&hash).map_err(Violation::of("I8 file here"))?;
        counted.files += 1;
        if status == "received" {
            require(hq.files.contains(&hash), "I8 HQ does not know a file it has", || {
                hash.to_string()
            })?;
            let name = hash.hex();
            let shelf: String = name.chars().take(2).collect();
            let path = hq_folder.join("blobs").join(shelf).join(&name);
            let bytes = std::fs::read(path).map_err(Violation::of("I8 file at HQ"))?;
            require(Hash::of(&bytes) == hash, "I8 another file at HQ", || name)?;
        }
    }
    Ok(())
}

/// I-4: a document number is used once over all devices; copies of one device excepted, and those
/// are found as forks.
fn taken_numbers(
    world: &World,
    device: &Device,
    here: &Connection,
    numbers: &mut BTreeMap<String, DeviceId>,
) -> Result<(), Violation> {
    let taken = rows(here, "SELECT number FROM document_number", |row| row.get::<_, String>(0))?;
    for printed in taken {
        let other = numbers.insert(printed.clone(), device.id);
        let fine = other.is_none_or(|other| other == device.id && world.doubled.contains(&other));
        require(fine, "I-4 a number was used twice", || printed)?;
    }
    Ok(())
}

/// I6: replicas that were told the same end up the same.
fn same_rulebook(world: &World) -> Result<(), Violation> {
    for device in &world.devices {
        if world.revoked.contains_key(&device.id) {
            continue;
        }
        let found = device.store()?.read(|r| r.rulebook()).map_err(Violation::of("I6"))?;
        let version = found.map(|rulebook| rulebook.version);
        require(version == Some(world.rulebook.version), "I6 rulebook", || format!("{version:?}"))?;
    }
    Ok(())
}
