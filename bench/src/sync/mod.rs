//! One device and one HQ, each in a process of its own: every row of the sync goals.
//!
//! Over TLS by HQ's own authority, as in the field, unless `--no-tls` is said. Times come from a
//! direct connection; bytes and round trips from a second run of the same work
//! over a counting link. Floors run in the same run on the same disk.

mod audit;
pub(crate) mod device;
mod floor;
mod proxy;
mod receipts;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use hq::{Hq, SystemClock};
use xunzheng::practice;

use crate::line::line;
use crate::process::{Role, load};
use device::Round;
use proxy::{Link, Proxy, Seen};

/// Rounds of 10,000 fresh records; the median counts.
const FRESH_ROUNDS: usize = 3;
/// Rounds of 100 records with 100,000 there.
const SMALL_ROUNDS: usize = 9;

/// The whole bench with its HQ.
struct Bench {
    folder: PathBuf,
    hq: Role,
    url: String,
    devices: usize,
    lines: Vec<String>,
}

pub(crate) fn run(words: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
    let (mut only, mut tls) = (None, true);
    for word in words {
        match word.as_str() {
            "--no-tls" => tls = false,
            "push" | "bytes" | "blobs" | "cuts" | "audit" => only = Some(word),
            _ => bail!("sync knows push, bytes, blobs, cuts, audit and --no-tls, not {word}"),
        }
    }
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let folder = tempfile::tempdir_in(".").context("make a folder on this disk")?;
    let data = folder.path().join("hq");
    let open = Hq::init(&data, &hq::InitOptions::default(), Arc::new(SystemClock))?;
    drop(open);
    let path = data.to_string_lossy().into_owned();
    let mut served = vec![path.as_str()];
    served.extend(tls.then_some("tls"));
    let mut role = Role::start("hq", &served)?;
    let url = role.read()?;
    let mut bench =
        Bench { folder: folder.path().to_owned(), hq: role, url, devices: 0, lines: vec![] };
    if wanted("push") {
        bench.push()?;
    }
    if wanted("bytes") {
        bench.bytes_and_slow_link()?;
    }
    if wanted("blobs") {
        bench.blobs()?;
    }
    if wanted("cuts") {
        bench.cuts()?;
    }
    if wanted("audit") {
        bench.audit()?;
    }
    let usage = bench.hq.finish()?;
    bench.lines.push(line("sync", "hq_rss_mb", usage.peak_mb, "MB", "VmHWM after all of it", ""));
    bench.lines.push(line("sync", "hq_cpu_s", usage.cpu_s, "s", "all of it", ""));
    let report = Hq::open(&data, Arc::new(SystemClock))?.verify_log()?;
    eprintln!("verify-log ok: {} records, {} files", report.records, report.blobs);
    Ok(bench.lines)
}

/// A device's folder and its running process.
struct Device {
    folder: String,
    role: Role,
}

impl Device {
    fn round(&mut self) -> anyhow::Result<Round> {
        let round: Round = serde_json::from_str(&self.role.ask("round")?)?;
        if round.error.is_empty() { Ok(round) } else { bail!("round: {}", round.error) }
    }

    /// Ends the process and starts a fresh one on the same folder, so that peak memory is that of
    /// what comes next.
    fn restart(self, url: &str) -> anyhow::Result<Self> {
        let Self { folder, role } = self;
        role.finish()?;
        let role = Role::start("device", &[folder.as_str(), url])?;
        Ok(Self { folder, role })
    }
}

impl Bench {
    fn say(&mut self, measure: &str, value: f64, unit: &str, note: &str) {
        self.lines.push(line("sync", measure, value, unit, note, ""));
    }

    fn floor(&mut self, measure: &str, value: f64, unit: &str, what: &str) {
        self.lines.push(line("sync", measure, value, unit, "floor, same run, same disk", what));
    }

    /// Enrolls a new device by codes that the running HQ's administrator gives out beside it.
    fn device(&mut self) -> anyhow::Result<Device> {
        let hq = Hq::open(&self.folder.join("hq"), Arc::new(SystemClock))?;
        let codes = hq::practice::seed(&hq, practice::RULEBOOK)?;
        drop(hq);
        self.devices += 1;
        let folder = self.folder.join(format!("device-{}", self.devices));
        let folder = folder.to_string_lossy().into_owned();
        let authority = self.folder.join("hq/tls/ca.pem");
        if authority.is_file() {
            // As an administrator gives it to a device before it is enrolled.
            std::fs::create_dir_all(&folder)?;
            std::fs::copy(authority, Path::new(&folder).join(sync_core::sync::AUTHORITY_FILE))?;
        }
        let mut role = Role::start("device", &[folder.as_str(), self.url.as_str()])?;
        let mut words = format!("enroll {}", codes.enrollment_code);
        for officer in &codes.officers {
            words.push_str(&format!(" {}:{}", officer.officer, officer.code));
        }
        role.ask(&words)?;
        Ok(Device { folder, role })
    }

    fn link(&self, link: Link) -> anyhow::Result<(Proxy, String)> {
        let (scheme, address) = self.url.split_once("://").context("address of HQ")?;
        let proxy = Proxy::start(address.parse()?, link)?;
        let url = format!("{scheme}://{}", proxy.address);
        Ok((proxy, url))
    }

    /// 10,000 fresh records, then 100 more where 100,000 are.
    fn push(&mut self) -> anyhow::Result<()> {
        let mut device = self.device()?;
        let mut acts = Vec::new();
        let (mut times, mut rounds) = (Vec::new(), Vec::new());
        let (mut device_mb, mut device_cpu) = (0.0_f64, Vec::new());
        let machine = load();
        let mut there = 0;
        for _ in 0..FRESH_ROUNDS {
            acts.push(device.role.ask("make 10000")?.parse::<f64>()? * 100.0);
            device = device.restart(&self.url)?;
            let round = device.round()?;
            let usage = device.role.usage()?;
            device_mb = device_mb.max(usage.peak_mb);
            device_cpu.push(usage.cpu_s);
            times.push(round.records_s);
            rounds.push(round.total_s);
            there += 10_000;
        }
        let note = format!(
            "median of {times:.3?}; whole round with feed {rounds:.3?}; device cpu {device_cpu:.2?} \
             s; each signature checked, {}, load {machine}",
            self.transport()
        );
        self.say("push_10000_s", median(&mut times), "s", &note);
        self.say("device_rss_mb", device_mb, "MB", "VmHWM of a device that pushes 10,000 records");
        self.say(
            "act_us",
            median(&mut acts),
            "us",
            "one act committed, mean of 10,000, median of runs",
        );
        let bytes = 700;
        let insert = floor::insert_s(&self.folder.join("floor.db"), 10_000, bytes)?;
        self.floor(
            "push_10000_s",
            insert,
            "s",
            "bare sqlite, 10,000 rows of 700 bytes, 500 a commit",
        );
        let verify = floor::verify_s(10_000, bytes)?;
        self.floor("push_10000_s", verify, "s", "ed25519 verify_strict, one core");
        device.role.ask(&format!("make {}", 100_000 - there))?;
        device.round()?;
        self.small(device)
    }

    fn small(&mut self, mut device: Device) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for _ in 0..SMALL_ROUNDS {
            device.role.ask("make 100")?;
            times.push(device.round()?.records_s * 1000.0);
        }
        let (proxy, url) = self.link(Link::default())?;
        device.role.ask(&format!("connect {url}"))?;
        device.role.ask("make 100")?;
        device.round()?;
        let cold = proxy.seen();
        device.role.ask("make 100")?;
        let round = device.round()?;
        let warm = proxy.seen().since(cold);
        let note = format!("median of {times:.1?}; kept connection, {}", self.transport());
        self.say("push_100_of_100000_ms", median(&mut times), "ms", &note);
        let note = format!(
            "up {} down {}, counted on the link; new connection {}",
            warm.up,
            warm.down,
            both(cold)
        );
        self.say("push_100_of_100000_bytes", both(warm), "bytes", &note);
        let note = format!("of a whole round that brought {} feed items", round.feed_items);
        self.say("push_100_of_100000_turns", whole(warm.turns), "round trips", &note);
        let note = "all that came down in that round, TLS, HTTP and the feed's answer included";
        self.say("receipt_batch_bytes", whole(warm.down), "bytes", note);
        self.proven(&mut device)?;
        device.role.finish()?;
        Ok(())
    }

    /// Whether each record has a receipt that holds without HQ.
    fn proven(&mut self, device: &mut Device) -> anyhow::Result<()> {
        let answer = device.role.ask("verify")?;
        let (records, hold) = answer.split_once(' ').context("two counts")?;
        let (records, hold): (u64, u64) = (records.parse()?, hold.parse()?);
        let note =
            format!("{hold} of {records} receipts hold from stored bytes and HQ's key alone");
        self.say("records_without_proof", whole(records - hold), "records", &note);
        Ok(())
    }

    fn audit(&mut self) -> anyhow::Result<()> {
        let (hundred, singles) = audit::run()?;
        let note = format!(
            "100 scattered losses among 100,000, bodies of {} requests, both ends in this process",
            hundred.requests
        );
        let bytes = u64::try_from(hundred.bytes)?;
        self.say("audit_100_lost_bytes", whole(bytes), "bytes", &note);
        self.say("audit_100_lost_s", hundred.seconds, "s", &note);
        let note = format!("{singles} single losses among 100,000, first and last included");
        self.say("audit_single_missed", 0.0, "records", &note);
        Ok(())
    }

    fn transport(&self) -> &'static str {
        if self.url.starts_with("https") { "TLS" } else { "plain HTTP" }
    }

    fn bytes_and_slow_link(&mut self) -> anyhow::Result<()> {
        let mut device = self.device()?;
        device.role.ask("make 10000")?;
        let (proxy, url) = self.link(Link::default())?;
        device.role.ask(&format!("connect {url}"))?;
        let round = device.round()?;
        let seen = proxy.seen();
        let note = format!(
            "up {} down {} over the link, both directions, {} feed items included, {}",
            seen.up,
            seen.down,
            round.feed_items,
            self.transport()
        );
        self.say("bytes_per_record", both(seen) / 10_000.0, "bytes", &note);
        let slow = Link { delay: Duration::from_millis(150), bits_per_s: 1_000_000, cut_after: 0 };
        let (proxy, url) = self.link(slow)?;
        device.role.ask(&format!("connect {url}"))?;
        device.round()?;
        let (mut warm, before) = (Vec::new(), proxy.seen());
        for _ in 0..3 {
            device.role.ask("make 100")?;
            warm.push(device.round()?.records_s);
        }
        let seen = proxy.seen().since(before);
        let note = format!(
            "RTT 300 ms, 1 Mbit/s each way, 100 records of 10,000; connection kept from the round \
             before; median of {warm:.3?}; {} connections, {} bytes for the three rounds, {}",
            seen.connections,
            both(seen),
            self.transport()
        );
        self.say("push_100_slow_link_s", median(&mut warm), "s", &note);
        device.role.ask("make 100")?;
        device.role.ask(&format!("connect {url}"))?;
        let cold = device.round()?.records_s;
        let note = "as above on a first connection: whole handshakes of TCP and TLS included";
        self.say("push_100_slow_link_cold_s", cold, "s", note);
        let mut resumed = Vec::new();
        for _ in 0..3 {
            device.role.ask("make 100")?;
            proxy.hang_up();
            std::thread::sleep(Duration::from_millis(500));
            resumed.push(device.round()?.records_s);
        }
        let note = format!(
            "as above on a connection after the last one was lost: TCP, and TLS resumed by its \
             ticket; median of {resumed:.3?}"
        );
        self.say("push_100_slow_link_resumed_s", median(&mut resumed), "s", &note);
        device.role.finish()?;
        Ok(())
    }

    fn blobs(&mut self) -> anyhow::Result<()> {
        let mut times = Vec::new();
        let mut device_mb = 0.0_f64;
        for _ in 0..FRESH_ROUNDS {
            let mut device = self.device()?;
            device.role.ask("photos 500 400000")?;
            device = device.restart(&self.url)?;
            let round = device.round()?;
            if round.blobs != 500 {
                bail!("{} of 500 files arrived", round.blobs);
            }
            times.push(round.blobs_s);
            device_mb = device_mb.max(device.role.finish()?.peak_mb);
        }
        let note =
            format!("median of {times:.2?}; hash checked and synced at HQ, {}", self.transport());
        self.say("blobs_500x400k_s", median(&mut times), "s", &note);
        self.say("blobs_device_rss_mb", device_mb, "MB", "VmHWM of the device that sends them");
        let copy = floor::copy_s(&self.folder.join("copied"), 500, 400_000)?;
        self.floor("blobs_500x400k_s", copy, "s", "plain TCP, each file synced before the next");
        let mut device = self.device()?;
        device.role.ask("photos 500 400000")?;
        let (proxy, url) = self.link(Link::default())?;
        device.role.ask(&format!("connect {url}"))?;
        device.round()?;
        let seen = proxy.seen();
        let extra = (both(seen) - 200_000_000.0) / 2_000_000.0;
        let note =
            format!("both directions, records that cite them included: {} bytes", both(seen));
        self.say("blobs_extra_percent", extra, "percent", &note);
        device.role.finish()?;
        Ok(())
    }

    fn cuts(&mut self) -> anyhow::Result<()> {
        for (measure, cut_after) in
            [("cut_3mb_amplification", 3_000_000), ("cut_300kb_amplification", 300_000)]
        {
            let mut device = self.device()?;
            device.role.ask("photos 20 4000000")?;
            let (proxy, url) = self.link(Link { cut_after, ..Link::default() })?;
            device.role.ask(&format!("connect {url}"))?;
            let mut rounds = 0;
            loop {
                rounds += 1;
                let round: Round = serde_json::from_str(&device.role.ask("round")?)?;
                if round.error.is_empty() {
                    break;
                }
                if rounds > 2000 {
                    bail!("not done after {rounds} rounds: {}", round.error);
                }
            }
            let seen = proxy.seen();
            let note = format!(
                "20 photos of 4 MB, each connection cut after {cut_after} bytes up: {} sent up on {} \
                 connections in {rounds} rounds",
                seen.up, seen.connections
            );
            self.say(measure, whole(seen.up) / 80_000_000.0, "ratio", &note);
            device.role.finish()?;
        }
        Ok(())
    }
}

fn both(seen: Seen) -> f64 {
    whole(seen.up + seen.down)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn whole(count: u64) -> f64 {
    count as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Where the bench's folders lie, for the roles.
pub(crate) fn role(words: &mut impl Iterator<Item = String>) -> anyhow::Result<()> {
    let folder = words.next().context("no folder")?;
    let hq = words.next().context("no address")?;
    std::fs::create_dir_all(Path::new(&folder))?;
    device::serve(&folder, &hq)
}
