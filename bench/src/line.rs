//! One measurement as one JSON line, beside its goal where there is one.

use std::time::Duration;

/// What is aimed at on a machine of two cores: bench, measure, value. The first that fits counts.
const GOALS: &[(&str, &str, f64)] = &[
    ("sync", "push_10000_s", 0.35),
    ("sync", "bytes_per_record", 270.0),
    ("sync", "push_100_of_100000_ms", 8.0),
    ("sync", "push_100_of_100000_bytes", 28_000.0),
    ("sync", "push_100_of_100000_turns", 1.0),
    ("sync", "push_100_slow_link_resumed_s", 0.6),
    ("sync", "blobs_500x400k_s", 1.5),
    ("sync", "blobs_extra_percent", 0.3),
    ("sync", "cut_3mb_amplification", 1.03),
    ("sync", "cut_300kb_amplification", 1.15),
    ("sync", "device_rss_mb", 16.0),
    ("sync", "hq_rss_mb", 64.0),
    ("sync", "audit_100_lost_bytes", 2_000.0),
    ("sync", "audit_100_lost_s", 0.1),
    ("sync", "audit_single_missed", 0.0),
    ("sync", "records_without_proof", 0.0),
    ("sync", "receipt_batch_bytes", 1_024.0),
    ("province-day", "sqlite_total_s", 15.0),
    ("province-day", "sqlite_p99_ms", 250.0),
    ("province-day", "postgres_total_s", 60.0),
];

/// Returns the line of a measurement; `peer` is empty for our own figures.
pub(crate) fn line(
    bench: &str,
    measure: &str,
    value: f64,
    unit: &str,
    note: &str,
    peer: &str,
) -> String {
    let mut object = serde_json::json!({
        "bench": bench, "measure": measure, "value": value, "unit": unit, "note": note,
    });
    if let Some(object) = object.as_object_mut() {
        let goal = GOALS.iter().find(|(of, what, _)| (*of, *what) == (bench, measure));
        if !peer.is_empty() {
            object.insert("peer".to_owned(), peer.into());
        } else if let Some((_, _, goal)) = goal {
            object.insert("goal".to_owned(), (*goal).into());
            object.insert("reached".to_owned(), (value <= *goal).into());
        }
    }
    object.to_string()
}

/// Returns the `percent`-th percentile in microseconds; 0 of nothing.
pub(crate) fn percentile_us(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = times.len().saturating_sub(1) * percent / 100;
    times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}
