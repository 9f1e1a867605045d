//! Several HQ processes on one PostgreSQL and one folder: I-3 and I-5 while they die and start.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hq::{Database, Hq, SystemClock};
use sync_model::record::Record;
use sync_model::wire::enroll::EnrollReply;
use sync_model::wire::push::Receipt;

use super::schema;
use crate::support::device::{Device, enroll_request, key, post};
use crate::support::http::try_send;

const DEVICES: usize = 6;
const PUSHES: usize = 40;
const KILLS: u64 = 8;

/// A server process; killed when dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(data: &Path, url: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", url, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("an address").parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: no chance to finish anything.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn enroll(hq: &Hq, address: SocketAddr) -> Device {
    let codes = hq.issue_enrollment("xh-zhzf", "一号机", &[]).unwrap();
    let key = key();
    let request = enroll_request(&key, &codes.enrollment);
    let reply: EnrollReply = post(address, None, &key, "/enroll", &request).ok();
    Device::from_reply(address, key, &reply)
}

/// Pushes until some process gives a receipt.
fn push_until_held(
    device: &Device,
    addresses: &Mutex<Vec<SocketAddr>>,
    records: &[Record],
    retries: &AtomicU64,
) -> Receipt {
    let began = Instant::now();
    for turn in 0_usize.. {
        assert!(began.elapsed() < Duration::from_secs(60), "no receipt for a minute");
        let address = {
            let addresses = addresses.lock().unwrap();
            addresses[(turn + records.len()) % addresses.len()]
        };
        match device.try_push(address, records) {
            Ok(reply) if reply.status == 200 => return reply.ok(),
            Ok(reply) => assert_eq!(reply.status, 503, "{:?}", reply.maybe_problem()),
            Err(_) => {}
        }
        retries.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
    }
    unreachable!()
}

#[test]
fn two_processes_share_one_log_without_gap_or_duplicate_while_they_are_killed() {
    let Some(schema) = schema() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, url): (PathBuf, String) = (folder.path().join("hq"), schema.url());
    // Both start at once on nothing: one set of keys, one schema.
    let mut processes: Vec<Process> = std::thread::scope(|scope| {
        let starting = [(); 2].map(|()| scope.spawn(|| Process::start(&data, &url)));
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let hq = Hq::open_on(&data, &Database::postgres(&url), Arc::new(SystemClock)).unwrap();
    let devices: Vec<Device> =
        (0..DEVICES).map(|at| enroll(&hq, processes[at % 2].address)).collect();
    let addresses = Mutex::new(processes.iter().map(|process| process.address).collect());
    let (retries, done, kills) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU64::new(0));

    let (devices, indices): (Vec<Device>, Vec<Vec<u64>>) = std::thread::scope(|scope| {
        let pushing: Vec<_> = devices
            .into_iter()
            .map(|mut device| {
                let (addresses, retries) = (&addresses, &retries);
                scope.spawn(move || {
                    let mut indices = vec![];
                    for push in 0..PUSHES {
                        let records: Vec<Record> =
                            (0..push % 23 + 1).map(|_| device.any()).collect();
                        let receipt = push_until_held(&device, addresses, &records, retries);
                        indices.extend(device.verify(&receipt, &records));
                    }
                    (device, indices)
                })
            })
            .collect();
        let killer = scope.spawn(|| {
            let mut which = 0;
            while !done.load(Ordering::SeqCst) || kills.load(Ordering::SeqCst) < KILLS {
                std::thread::sleep(Duration::from_millis(400));
                which = (which + 1) % processes.len();
                processes[which].child.kill().unwrap();
                processes[which] = Process::start(&data, &url);
                addresses.lock().unwrap()[which] = processes[which].address;
                kills.fetch_add(1, Ordering::SeqCst);
            }
        });
        let pushed = pushing.into_iter().map(|thread| thread.join().unwrap()).unzip();
        done.store(true, Ordering::SeqCst);
        killer.join().unwrap();
        pushed
    });

    let mut all: Vec<u64> = indices.iter().flatten().copied().collect();
    all.sort_unstable();
    let expected: u64 = devices.iter().map(|device| device.records.len() as u64).sum();
    assert!(all.iter().copied().eq(0..expected), "a gap or a duplicate among {expected} places");
    for (device, indices) in devices.iter().zip(&indices) {
        // Sent again, everything stands where the first receipt said, and is proven again.
        for (records, places) in device.records.chunks(500).zip(indices.chunks(500)) {
            let again = push_until_held(device, &addresses, records, &retries);
            assert_eq!(device.verify(&again, records), places);
        }
        assert!(indices.is_sorted(), "I-5: the order of the log is the order of the chain");
    }
    let report = hq.verify_log().unwrap();
    assert_eq!((report.records, report.devices), (expected, DEVICES as u64));
    drop(processes);
    println!(
        "two processes: {expected} records, {} SIGKILLs, {} retries, 0 gaps, 0 duplicates",
        kills.load(Ordering::SeqCst),
        retries.load(Ordering::SeqCst)
    );
}

#[test]
fn the_binary_serves_and_checks_a_postgresql_store() {
    let Some(schema) = schema() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, secret) = (folder.path().join("hq"), folder.path().join("database"));
    std::fs::File::create(&secret).unwrap().write_all(schema.url().as_bytes()).unwrap();
    let database = format!("@{}", secret.display());
    let process = Process::start(&data, &database);
    assert_eq!(try_send(process.address, "GET", "/health", &[], &[]).unwrap().status, 200);
    let checked = Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
        .args(["verify-log", "--database", &database, "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(String::from_utf8(checked.stdout).unwrap().starts_with("ok: 0 records"));
}
