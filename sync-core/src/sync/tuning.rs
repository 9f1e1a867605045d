//! How much goes in one request (pure): learnt from the line, kept between rounds.
//!
//! Records: halved on a cut, doubled on success, 16 to 500. Chunks: where a line is cut every `T`
//! bytes and a request costs `h` bytes beside its chunk, a chunk of `c` bytes wastes `c / 2T` on cuts
//! and `h / c` on headers; together least at `c = √(2hT)`. A chunk also holds a new record up, so a
//! slow line gets smaller ones.

use serde::{Deserialize, Serialize};
use sync_model::wire::{CHUNK_BYTES, CHUNK_BYTES_MAX, PUSH_RECORDS_MAX};

use super::machine::Request;

/// Fewest records in a push.
const RECORDS_MIN: usize = 16;
/// Chunks are cut at whole pages of the disk.
const PAGE_BYTES: u64 = 4 * 1024;
/// Smallest chunk: below it, headers cost more than cuts.
const CHUNK_BYTES_MIN: u64 = 16 * 1024;
/// Bytes of a request and its answer beside the chunk: signed statement, headers, state.
const REQUEST_BYTES: u64 = 1_000;
/// A line without a cut for so many chunks gets chunks of twice the size.
const STEADY: u64 = 64;
/// A chunk that took longer is made smaller: a record waits behind it.
const SLOW_MS: u64 = 8_000;
/// A chunk grows only where it took less.
const QUICK_MS: u64 = 1_500;

/// What was learnt of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuning {
    records: u64,
    chunk_bytes: u64,
    /// Bytes of chunks that got through since the last cut.
    #[serde(default)]
    through_bytes: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        Self {
            records: number(PUSH_RECORDS_MAX),
            chunk_bytes: number(CHUNK_BYTES),
            through_bytes: 0,
        }
    }
}

impl Tuning {
    /// Returns the most records for the next push.
    #[must_use]
    pub fn records(&self) -> usize {
        usize::try_from(self.records).unwrap_or(PUSH_RECORDS_MAX).clamp(1, PUSH_RECORDS_MAX)
    }

    /// Returns the most bytes for the next chunk.
    #[must_use]
    pub fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes.clamp(CHUNK_BYTES_MIN, most())
    }

    pub(super) fn pushed(&mut self) {
        let doubled = self.records().saturating_mul(2).min(PUSH_RECORDS_MAX);
        self.records = u64::try_from(doubled).unwrap_or(self.records);
    }

    pub(super) fn sent(&mut self, bytes: u64, took_ms: u64) {
        self.through_bytes = self.through_bytes.saturating_add(bytes);
        if took_ms > SLOW_MS && bytes >= self.chunk_bytes {
            self.chunk_bytes = (self.chunk_bytes() / 2).max(CHUNK_BYTES_MIN);
        } else if took_ms <= QUICK_MS
            && self.through_bytes >= self.chunk_bytes().saturating_mul(STEADY)
        {
            self.chunk_bytes = self.chunk_bytes().saturating_mul(2).min(most());
        }
    }

    pub(super) fn cut(&mut self, request: &Request) {
        match request {
            Request::Push { .. } => {
                self.halve_records();
            }
            Request::Chunk { .. } => {
                let usual = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
                let best = REQUEST_BYTES.saturating_mul(2).saturating_mul(self.through_bytes);
                let best = best.isqrt() / PAGE_BYTES * PAGE_BYTES;
                self.chunk_bytes = best.min(usual).min(self.chunk_bytes()).max(CHUNK_BYTES_MIN);
                self.through_bytes = 0;
            }
            Request::Pull | Request::Need(_) => {}
        }
    }

    /// Halves the push; says whether it got smaller.
    pub(super) fn halve_records(&mut self) -> bool {
        let halved = (self.records() / 2).max(RECORDS_MIN);
        let smaller = halved < self.records();
        if smaller {
            self.records = u64::try_from(halved).unwrap_or(self.records);
        }
        smaller
    }
}

fn most() -> u64 {
    u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk() -> Request {
        let file = sync_model::hash::Hash::ZERO;
        Request::Chunk { file, offset: 0, bytes: 1, whole: 1 }
    }

    #[test]
    fn a_push_halves_to_sixteen_and_doubles_to_five_hundred() {
        let mut tuning = Tuning::default();
        let push = Request::Push { from: None, records_max: 0 };
        let mut seen = vec![tuning.records()];
        for _ in 0..7 {
            tuning.cut(&push);
            seen.push(tuning.records());
        }
        assert_eq!(seen, [500, 250, 125, 62, 31, 16, 16, 16]);
        assert!(!tuning.halve_records());
        for _ in 0..6 {
            tuning.pushed();
        }
        assert_eq!(tuning.records(), 500);
    }

    /// Sends `total` bytes over a line cut every `every` bytes; returns the bytes that went.
    fn over_a_cut_line(total: u64, every: u64) -> u64 {
        let (mut tuning, mut done, mut went, mut left) = (Tuning::default(), 0, 0, every);
        while done < total {
            let bytes = tuning.chunk_bytes().min(total - done);
            // Headers and the signed statement of a request and its answer.
            let cost = bytes + 1_000;
            if cost <= left {
                (left, went, done) = (left - cost, went + cost, done + bytes);
                tuning.sent(bytes, 100);
            } else {
                went += left + 1_500;
                left = every - 1_500;
                tuning.cut(&chunk());
            }
        }
        went
    }

    #[test]
    fn cuts_cost_little_wherever_they_come() {
        let total = 80_000_000;
        for (every, percent_max) in [(3_000_000, 103), (1_000_000, 106), (300_000, 115)] {
            let went = over_a_cut_line(total, every);
            assert!(went * 100 <= total * percent_max, "cut every {every}: {went}");
        }
        // Progress even where hardly a chunk fits.
        assert!(over_a_cut_line(1_000_000, 20_000) < 2_000_000);
    }

    #[test]
    fn a_good_line_gets_large_chunks_and_a_slow_one_small() {
        let mut tuning = Tuning::default();
        for _ in 0..300 {
            tuning.sent(tuning.chunk_bytes(), 50);
        }
        assert_eq!(tuning.chunk_bytes(), 4 * 1024 * 1024);
        tuning.cut(&chunk());
        assert_eq!(tuning.chunk_bytes(), 256 * 1024);
        for _ in 0..10 {
            tuning.sent(tuning.chunk_bytes(), 20_000);
        }
        assert_eq!(tuning.chunk_bytes(), 16 * 1024);
    }
}
