//! One measurement as one JSON line.

use std::time::Duration;

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
    if !peer.is_empty()
        && let Some(object) = object.as_object_mut()
    {
        object.insert("peer".to_owned(), peer.into());
    }
    object.to_string()
}

/// Returns the `percent`-th percentile in microseconds; 0 of nothing.
pub(crate) fn percentile_us(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = times.len().saturating_sub(1) * percent / 100;
    times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}
