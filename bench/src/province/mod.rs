//! The province's day: every device's records of a day, pushed to one HQ, each receipt verified.
//!
//! HQ runs in a process of its own. Devices are enrolled and records signed before the clock
//! starts; the load generator shares the machine with HQ. Receipts are kept as they come and all
//! verified after the clock stopped, since verifying is the devices' work and not HQ's.

mod load;
mod make;
mod place;

use std::time::Instant;

use anyhow::{Context, bail};

use crate::line::{line, percentile_us};
use crate::process::{Role, load as machine_load};
use make::DAY_RECORDS;
use place::Place;

/// Devices of the province.
const DEVICES: u64 = 20_769;
/// Devices at once, in the order measured.
const AT_ONCE: [usize; 2] = [256, 32];

struct Options {
    store: String,
    devices: u64,
    at_once: Vec<usize>,
    tls: bool,
}

fn options(words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options =
        Options { store: "sqlite".into(), devices: DEVICES, at_once: AT_ONCE.into(), tls: false };
    let mut words = words;
    while let Some(word) = words.next() {
        if word == "--tls" {
            options.tls = true;
            continue;
        }
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--store" => options.store = value()?,
            "--devices" => options.devices = value()?.parse()?,
            // Rounded down to whole days of whole devices.
            "--records" => {
                let records: u64 = value()?.parse()?;
                options.devices = options.devices.min(records / DAY_RECORDS);
            }
            "--at-once" => options.at_once = vec![value()?.parse()?],
            _ => bail!("province-day knows no {word}"),
        }
    }
    Ok(options)
}

pub(crate) fn run(words: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
    let options = options(words)?;
    let mut lines = Vec::new();
    for at_once in &options.at_once {
        let folder = tempfile::tempdir_in(".").context("make a folder on this disk")?;
        let place = Place::make(&options.store, &folder.path().join("hq"))?;
        lines.extend(day(&place, &options, *at_once)?);
    }
    Ok(lines)
}

fn day(place: &Place, options: &Options, at_once: usize) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    let devices = make::enroll(&place.data, &place.database, options.devices)?;
    let enrolled_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let hq = place.open()?;
    let (trust, now) = (hq.trust(), hq.now());
    drop(hq);
    let parcels = make::parcels(&devices, now)?;
    let sent_bytes: usize = parcels.iter().map(|parcel| parcel.request.len()).sum();
    eprintln!(
        "{} devices enrolled in {enrolled_s:.1} s, {} MB of pushes made in {:.1} s",
        devices.len(),
        sent_bytes / 1_000_000,
        began.elapsed().as_secs_f64()
    );
    let before = place.bytes()?;
    let mut words = place.words();
    words.extend(options.tls.then(|| "tls".to_owned()));
    let mut role = Role::start("hq", &words)?;
    let address = role.read()?;
    let (_, address) = address.split_once("://").context("address of HQ")?;
    let trust_tls = options.tls.then(|| load::trusting(&place.data.join("tls/ca.pem")));
    let trust_tls = trust_tls.transpose()?;
    let load = machine_load();
    let outcome = load::send(address, trust_tls.as_ref(), &parcels, at_once)?;
    let usage = role.finish()?;
    let records = load::verify(&trust, &parcels, &outcome.receipts)?;
    let began = Instant::now();
    let report = place.open()?.verify_log()?;
    if report.records != records {
        bail!("verify-log found {} records, {records} were receipted", report.records);
    }
    eprintln!("verify-log ok in {:.1} s", began.elapsed().as_secs_f64());
    let grown = place.bytes()?.saturating_sub(before);
    let total_s = outcome.took.as_secs_f64();
    let note = format!(
        "{}, {} devices x {DAY_RECORDS} records, {at_once} at once over {} kept alive, packed, {} \
         receipts of {} verified after the clock, {} asked to come again, \
         verify-log ok, machine load {load} at the start",
        options.store,
        devices.len(),
        if options.tls { "TLS" } else { "plain HTTP/1.1 (TLS at the gateway)" },
        outcome.receipts.len(),
        devices.len(),
        outcome.asked_again,
    );
    let mut latencies = outcome.latencies;
    let own = |measure: &str, value: f64, unit: &str| {
        let store = &options.store;
        let measure = match at_once {
            256 => format!("{store}_{measure}"),
            _ => format!("{store}_{measure}_{at_once}"),
        };
        line("province-day", &measure, value, unit, &note, "")
    };
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let (count, grown) = (records as f64, grown as f64);
    Ok(vec![
        own("total_s", total_s, "s"),
        own("p50_ms", percentile_us(&mut latencies, 50) / 1000.0, "ms"),
        own("p99_ms", percentile_us(&mut latencies, 99) / 1000.0, "ms"),
        own("records", count, "records"),
        own("records_per_s", count / total_s, "records/s"),
        own("hq_rss_mb", usage.peak_mb, "MB"),
        own("hq_cpu_s", usage.cpu_s, "s"),
        own("hq_bytes_per_record", grown / count, "bytes"),
    ])
}
