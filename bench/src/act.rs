//! One committed act (record, chain link, projection, outbox, fsync) beside a bare SQLite commit
//! of as many bytes on the same disk, interleaved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::Connection;
use sync_core::clock::{Clock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::sync::{self, HqClient};
use sync_model::record::evidence::LeadRecorded;
use xunzheng::services::Services;
use xunzheng::{practice, session};

use crate::line::{line, percentile_us};

/// Acts measured.
const ACTS: usize = 1000;

pub(crate) fn run() -> anyhow::Result<Vec<String>> {
    let folder = tempfile::tempdir_in(".").context("make a folder on this disk")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let practice = practice::start(&folder.path().join("hq"), Arc::clone(&clock))?;
    let device = folder.path().join("device");
    let services = Services::open(&device, clock, Arc::new(RealDisk), Hardness::REHEARSAL)?;
    let codes = practice.codes()?;
    session::enroll(&services, &practice.address(), &codes.device)?;
    let client = HqClient::new(&practice.address())?;
    for code in &codes.officers {
        session::activate(&services, &client, code.officer, &code.code, &code.pin)?;
        session::unlock(&services, code.officer, &code.pin)?;
    }
    sync::round(&services.store, &client, &mut |_| {})?;
    session::begin_shift(&services)?;
    let bare = bare(&folder.path().join("bare.db"))?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for index in 0..ACTS {
        let (took, length) = act(&services, index)?;
        ours.push(took);
        bytes = length;
        floor.push(bare_commit(&bare, length)?);
    }
    practice.stop();
    let note = format!("{ACTS} acts of {bytes} bytes, synchronous=FULL");
    let own = |measure, value| line("act", measure, value, "us", &note, "");
    let peer = |measure, value| line("act", measure, value, "us", &note, "bare sqlite commit");
    let (median, floor_median) = (percentile_us(&mut ours, 50), percentile_us(&mut floor, 50));
    Ok(vec![
        own("act_median_us", median),
        own("act_p99_us", percentile_us(&mut ours, 99)),
        peer("act_median_us", floor_median),
        peer("act_p99_us", percentile_us(&mut floor, 99)),
        line("act", "act_commit_ratio", median / floor_median, "ratio", &note, ""),
    ])
}

fn act(services: &Services, index: usize) -> anyhow::Result<(Duration, usize)> {
    let lead = LeadRecorded {
        place: "北山街道演练路1号".to_owned(),
        description: format!("线索{index}：门前堆放杂物"),
        hand_to: "西湖区综合行政执法局".to_owned(),
        evidence: vec![],
    };
    let began = Instant::now();
    let record = services
        .store
        .act::<sync_core::StoreError>(&services.scope(None, None), |_, _| Ok(lead.into()))?;
    Ok((began.elapsed(), record.bytes.len()))
}

fn bare(path: &std::path::Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes BLOB) STRICT")?;
    Ok(connection)
}

fn bare_commit(connection: &Connection, length: usize) -> anyhow::Result<Duration> {
    let bytes = vec![7_u8; length];
    let began = Instant::now();
    connection.execute("INSERT INTO record (bytes) VALUES (?1)", [bytes])?;
    Ok(began.elapsed())
}
