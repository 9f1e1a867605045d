//! What HQ counts about itself (`OpenMetrics` text at `/metrics`).
//!
//! No label grows with devices or people: routes are templates, codes are a closed list.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sync_model::wire::problem::ProblemCode;

/// Upper bounds in seconds: from a warm commit to a disk that hangs.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Upper bounds of counts.
const COUNTS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Refusal {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Answered {
    route: String,
    status: u16,
}

/// The counters of one HQ process.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests by route template and status.
    pub(crate) requests: Family<Answered, Counter>,
    /// Seconds from the whole request to the answer.
    pub(crate) request_seconds: Histogram,
    /// Pushes that got a receipt.
    pub(crate) pushes: Counter,
    /// Records in them, those sent again included.
    pub(crate) records: Counter,
    /// Seconds that a push waited for its commit.
    pub(crate) commit_seconds: Histogram,
    /// Writes that shared one commit.
    pub(crate) group_size: Histogram,
    /// Bytes of files taken.
    pub(crate) blob_bytes: Counter,
    /// Problems told to devices.
    pub(crate) refusals: Family<Refusal, Counter>,
    /// Items a device was behind when it asked for its feed.
    pub(crate) feed_lag: Histogram,
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Connections closed for want of room, a request or speed.
    pub(crate) connections_cut: Counter,
    /// Requests being worked on or waiting for it.
    pub(crate) under_way: Gauge,
    /// Bytes of bodies being received.
    pub(crate) body_bytes: Gauge<i64>,
    /// Connections since the start.
    pub(crate) accepted: Counter<u64, AtomicU64>,
}

impl Metrics {
    /// Begins to count; `group_size` is observed by the store.
    pub(crate) fn new(group_size: Histogram) -> Self {
        let mut made = Self {
            registry: Registry::with_prefix("xunzheng_hq"),
            requests: Family::default(),
            request_seconds: Histogram::new(SECONDS),
            pushes: Counter::default(),
            records: Counter::default(),
            commit_seconds: Histogram::new(SECONDS),
            group_size,
            blob_bytes: Counter::default(),
            refusals: Family::default(),
            feed_lag: Histogram::new(COUNTS),
            connections: Gauge::default(),
            connections_cut: Counter::default(),
            under_way: Gauge::default(),
            body_bytes: Gauge::default(),
            accepted: Counter::default(),
        };
        made.register();
        made
    }

    fn register(&mut self) {
        let all = &mut self.registry;
        all.register("requests", "Requests answered", self.requests.clone());
        let seconds = self.request_seconds.clone();
        all.register_with_unit("request", "Time to answer", Unit::Seconds, seconds);
        all.register("pushes", "Pushes receipted", self.pushes.clone());
        all.register("records", "Records receipted, those sent again too", self.records.clone());
        let seconds = self.commit_seconds.clone();
        all.register_with_unit(
            "commit",
            "Time a push waits for its commit",
            Unit::Seconds,
            seconds,
        );
        all.register("commit_group", "Writes that shared one commit", self.group_size.clone());
        let bytes = self.blob_bytes.clone();
        all.register_with_unit("blob", "Bytes of files taken", Unit::Bytes, bytes);
        all.register("refusals", "Problems told to devices", self.refusals.clone());
        all.register("feed_lag", "Items a device was behind", self.feed_lag.clone());
        all.register("connections", "Open connections", self.connections.clone());
        let cut = self.connections_cut.clone();
        all.register("connections_cut", "Closed for want of room, request or speed", cut);
        all.register("connections_accepted", "Connections accepted", self.accepted.clone());
        all.register("under_way", "Requests being worked on or waiting", self.under_way.clone());
        let bytes = self.body_bytes.clone();
        all.register_with_unit("body", "Bodies being received", Unit::Bytes, bytes);
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, route: &str, status: u16, seconds: f64) {
        let labels = Answered { route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(seconds);
    }

    /// Counts a problem that was told.
    pub(crate) fn refused(&self, code: ProblemCode) {
        self.refusals.get_or_create(&Refusal { code: name(code) }).inc();
    }

    /// Returns everything as text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Returns a histogram of counts.
pub(crate) fn counts() -> Histogram {
    Histogram::new(COUNTS)
}

/// Returns the code's name on the wire.
fn name(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Malformed => "malformed",
        ProblemCode::TooLarge => "too_large",
        ProblemCode::Unsupported => "unsupported",
        ProblemCode::TooOld => "too_old",
        ProblemCode::BadCode => "bad_code",
        ProblemCode::NotAuthentic => "not_authentic",
        ProblemCode::Revoked => "revoked",
        ProblemCode::Gap => "gap",
        ProblemCode::Fork => "fork",
        ProblemCode::BadRecord => "bad_record",
        ProblemCode::BadDigest => "bad_digest",
        ProblemCode::BadOffset => "bad_offset",
        ProblemCode::UnknownBlob => "unknown_blob",
        ProblemCode::NotFound => "not_found",
        ProblemCode::Busy => "busy",
        ProblemCode::Full => "full",
        ProblemCode::Internal => "internal",
    }
}
