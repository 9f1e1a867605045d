//! The process is killed at any moment, again and again, and nothing it had said was done is lost
//! (I-1); the chain is whole and the outbox holds each record once (I-2).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sync_model::hash::Hash;
use sync_model::record::{Act, BlobRole};

use super::rebuild::{projections, rebuilt};
use super::world::{World, answered, begun, captured, count, lead, scope, shift, sql};
use crate::clock::SystemClock;
use crate::disk::RealDisk;
use crate::error::StoreError;
use crate::random;
use crate::store::{Scope, Store};

const KILLS: u32 = 40;
const CHILD_FOLDER: &str = "XUNZHENG_TEST_CRASH_FOLDER";
const NAME: &str = "store::tests::crash::no_acknowledged_act_is_lost_over_forty_kills";

/// The child: acts without end; tells each record's seq and hash once the act returned.
fn act_until_killed(folder: &Path) -> ! {
    let store = Store::open(folder, Arc::new(SystemClock::new()), Arc::new(RealDisk)).unwrap();
    let mut told = std::io::stderr();
    let mut tell = |scope: &Scope, act: Act| {
        let record = store.act(scope, |_, _| Ok::<_, StoreError>(act)).unwrap();
        // One write, so that a kill never leaves half a line.
        let line = format!("done {} {}\n", record.envelope.seq, record.hash);
        told.write_all(line.as_bytes()).unwrap();
        record.hash
    };
    for step in 0_u128.. {
        // Ids of one run start at a random offset, so that runs do not meet.
        let number = u128::from_be_bytes(random::bytes()) >> 8;
        let begun_shift = tell(&Scope::default(), shift(number).into());
        tell(&scope(number), begun(number, begun_shift).into());
        tell(&scope(number), answered(number, "地面清洁").into());
        let bytes = random::bytes::<3000>();
        let original = store.blobs().put(&bytes, "image/jpeg", BlobRole::Original).unwrap();
        tell(&scope(number), captured(number, original).into());
        store.save_draft("case/1", "violation", &step.to_string()).unwrap();
        tell(&Scope::default(), lead(&"长".repeat(700)).into());
    }
    unreachable!("numbers do not end")
}

/// Runs the child, kills it at a random moment and returns what it had told by then.
fn run_and_kill(folder: &Path) -> Vec<(u64, Hash)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let [first, second] = random::bytes::<2>();
    let mut told = Vec::new();
    // So many acts, and then some turns of the wheel: anywhere within the act after.
    told.extend(lines.by_ref().take(usize::from(first % 12)));
    for _ in 0..u32::from(second) * 8_000 {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    told.extend(lines);
    assert!(!child.wait().unwrap().success());
    told.into_iter().map(|line| parse(&line.unwrap())).collect()
}

fn parse(line: &str) -> (u64, Hash) {
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words.len(), words[0]), (3, "done"), "child said {line:?}");
    (words[1].parse().unwrap(), Hash::from_hex(words[2]).unwrap())
}

#[test]
fn no_acknowledged_act_is_lost_over_forty_kills() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        act_until_killed(Path::new(&folder));
    }
    let mut world = World::enrolled();
    world.close();
    let mut told: BTreeMap<u64, Hash> = BTreeMap::new();
    let (mut untold, mut records) = (0, 0);
    for round in 1..=KILLS {
        for (seq, hash) in run_and_kill(world.path()) {
            assert_eq!(told.insert(seq, hash), None, "seq {seq} was told twice");
        }
        let store = world.open_with(Arc::new(RealDisk)).unwrap();
        records = store.check_chain().unwrap();
        let rows = store.read(|r| r.records_from(1, 1_000_000)).unwrap();
        assert_eq!(u64::try_from(rows.len()).unwrap(), records);
        let stored: BTreeMap<u64, Hash> =
            rows.iter().map(|row| (row.seq, Hash::of(&row.bytes))).collect();
        for (seq, hash) in &told {
            assert_eq!(stored.get(seq), Some(hash), "seq {seq} after kill {round}");
        }
        untold = stored.len() - told.len();
        check_beside(&store);
    }
    println!("{KILLS} kills: {records} records, {} told, {untold} committed unheard", told.len());
    assert!(told.len() > 40, "the child hardly ran");
    // At most one act a round was durable and not told yet.
    assert!(untold <= usize::try_from(KILLS).unwrap());
}

/// Outbox, projections and files agree with the journal.
fn check_beside(store: &Store) {
    let unmatched = "SELECT COUNT(*) FROM journal FULL JOIN outbox ON outbox.seq = journal.seq
                     WHERE outbox.seq IS NULL OR journal.seq IS NULL";
    let unmatched: i64 = sql(store, |c| c.query_row(unmatched, [], |row| row.get(0)).unwrap());
    assert_eq!(unmatched, 0);
    assert_eq!(count(store, "outbox"), count(store, "journal"));
    let enrollment = store.read(|r| r.enrollment()).unwrap().unwrap();
    let found = projections(store);
    assert!(rebuilt(store, &enrollment) == found, "projections differ from the journal");
    let cited: Vec<Vec<u8>> = sql(store, |c| {
        let mut statement = c.prepare("SELECT sha256 FROM blob").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    });
    for sha256 in cited {
        store.blobs().read(&Hash::from_slice(&sha256).unwrap()).unwrap();
    }
}
