//! Every decoder with any bytes: none may panic, run long or take much memory, and what it takes
//! it must give back the same.
//!
//! The functions here are called by `fuzz/` (which a nightly compiler steers towards new code) and
//! by a plain test with seeds and random changes of them, so that CI guards them without nightly.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a target that finds something stops")]

pub mod peers;
pub mod seeds;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::cose::{Context, Signer, SoftwareKey, Unverified};
use sync_model::credential::{open_credential, open_device_certificate};
use sync_model::credential_code::{Options, check_text};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::{Range, consistency_holds, root_from_inclusion};
use sync_model::record::Record;
use sync_model::rulebook::Rulebook;
use sync_model::time::Timestamp;
use sync_model::wire::encoding::decompress;
use sync_model::wire::enroll::{ActivateReply, ActivateRequest, EnrollReply, EnrollRequest};
use sync_model::wire::feed::{FeedItem, FeedPage};
use sync_model::wire::pack::{pack, unpack};
use sync_model::wire::problem::Problem;
use sync_model::wire::push::{NeedReply, NeedRequest, PushRequest, Receipt};
use sync_model::wire::request::RequestStatement;
use sync_model::wire::{FEED_BYTES_MAX, PUSH_BYTES_MAX};

use peers::{audit, partner, tile};

/// Takes what a decoder gave; only that it gave it matters.
fn done<T>(_: T) {}

/// A decoder under test.
pub type Target = fn(&[u8]);

/// Every decoder, by the name of its fuzz target.
pub const TARGETS: &[(&str, Target)] = &[
    ("audit", audit),
    ("bundle", bundle),
    ("checkpoint", checkpoint),
    ("credential_code", credential_code),
    ("enrollment", enrollment),
    ("feed", feed),
    ("need", need),
    ("packed", packed),
    ("partner", partner),
    ("problem", problem),
    ("proof", proof),
    ("push", push),
    ("receipt", receipt),
    ("record", record),
    ("rulebook", rulebook),
    ("statement", statement),
    ("strict", strict),
    ("tile", tile),
];

/// The key that the seeds are signed with.
pub(crate) fn key() -> SoftwareKey {
    SoftwareKey::from_secret(&[7; 32])
}

/// Decodes, encodes, decodes: both times the same value.
fn both_ways<T>(bytes: &[u8], max: usize) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = canonical::from_bytes(bytes, max).ok()?;
    let again = canonical::to_bytes(&value).expect("what was decoded can be encoded");
    let second: T = canonical::from_bytes(&again, max.max(again.len())).expect("and decoded");
    assert_eq!(value, second, "it is not what it was");
    Some(value)
}

/// The strict pass in front of every CBOR decoder.
pub fn strict(bytes: &[u8]) {
    if canonical::check(bytes, 1 << 20).is_ok() {
        // Strict bytes are one value and nothing behind it: one more byte is no such value.
        let longer = [bytes, &[0]].concat();
        assert!(canonical::check(&longer, 1 << 20).is_err(), "bytes behind the end are taken");
    }
}

/// A push as HQ takes it, and each record in it.
pub fn push(bytes: &[u8]) {
    if let Some(request) = both_ways::<PushRequest>(bytes, PUSH_BYTES_MAX) {
        request.records.iter().for_each(|one| record(one));
    }
}

/// A packed push, and bytes that claim to be compressed.
pub fn packed(bytes: &[u8]) {
    if let Ok(opened) = decompress(bytes, PUSH_BYTES_MAX) {
        assert!(opened.len() <= PUSH_BYTES_MAX, "more than was asked for");
        done(unpack(&opened));
    }
    if let Ok(request) = unpack(bytes) {
        let again = pack(&request).expect("what was unpacked can be packed");
        assert_eq!(unpack(&again.bytes).as_ref().ok(), Some(&request), "a push is not what it was");
        request.records.iter().for_each(|one| record(one));
    }
}

/// A receipt as the handheld takes it.
pub fn receipt(bytes: &[u8]) {
    let Some(receipt) = both_ways::<Receipt>(bytes, 1 << 20) else { return };
    Checkpoint::open(&receipt.checkpoint, "hq.test/log", &key().public()).ok();
    for run in &receipt.runs {
        // As many leaves as a push may have; a receipt that claims more is refused for it.
        let count = usize::try_from(run.count).unwrap_or(usize::MAX).min(500);
        let leaves = vec![Hash::ZERO; count];
        if let Some(range) = Range::build(run.log_index, &leaves, u64::MAX, &run.proof) {
            done(range.root());
        }
    }
}

/// A record: signed bytes, envelope, act.
pub fn record(bytes: &[u8]) {
    if let Ok(parsed) = Unverified::parse(bytes) {
        done(parsed.payload());
    }
    if let Ok(record) = Record::read(bytes) {
        assert_eq!(record.hash, Hash::of(bytes), "a record is its bytes");
        done(record.envelope.act());
    }
    Record::open(bytes, &key().public()).ok();
}

/// A page of the feed and the items in it.
pub fn feed(bytes: &[u8]) {
    if let Some(page) = both_ways::<FeedPage>(bytes, FEED_BYTES_MAX) {
        for item in &page.items {
            if let Ok(parsed) = Unverified::parse(item) {
                both_ways::<FeedItem>(parsed.payload(), FEED_BYTES_MAX);
            }
        }
    }
    both_ways::<FeedItem>(bytes, FEED_BYTES_MAX);
}

/// A problem as HQ answers it.
pub fn problem(bytes: &[u8]) {
    if let Some(problem) = both_ways::<Problem>(bytes, 1 << 16) {
        assert!((400..600).contains(&problem.status()), "a problem is no success");
        done(problem.is_transient());
    }
}

/// Questions and answers about files.
pub fn need(bytes: &[u8]) {
    both_ways::<NeedRequest>(bytes, 1 << 20);
    both_ways::<NeedReply>(bytes, 1 << 20);
}

/// Enrollment and activation, both directions, and the certificates in them.
pub fn enrollment(bytes: &[u8]) {
    both_ways::<EnrollRequest>(bytes, 1 << 16);
    both_ways::<ActivateRequest>(bytes, 1 << 16);
    if let Some(reply) = both_ways::<EnrollReply>(bytes, 1 << 20) {
        open_device_certificate(&reply.device_certificate, &reply.trust.issuer_key).ok();
    }
    if let Some(reply) = both_ways::<ActivateReply>(bytes, 1 << 20) {
        open_credential(&reply.credential, &key().public()).ok();
    }
}

/// The signed statement of a request.
pub fn statement(bytes: &[u8]) {
    let Ok(parsed) = Unverified::parse(bytes) else { return };
    both_ways::<RequestStatement>(parsed.payload(), 4096);
    parsed.verify(Context::Request, &key().public()).ok();
}

/// What a camera reads from another handheld's screen.
pub fn credential_code(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    done(check_text(&text, &key().public(), Timestamp(1_795_500_000_000), &Options::default()));
}

/// A checkpoint note.
pub fn checkpoint(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(found) = Checkpoint::open(&text, "hq.test/log", &key().public()) {
        let signed = found.sign(&key());
        let again = Checkpoint::open(&signed, "hq.test/log", &key().public());
        assert_eq!(again.as_ref(), Ok(&found), "a note is not what it was");
    }
}

/// Proofs of a range, of one leaf, of growth; the first 17 bytes say where and how much.
pub fn proof(bytes: &[u8]) {
    let number = |at: usize| {
        let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        eight.map_or(0, u64::from_be_bytes)
    };
    let (start, size) = (number(0), number(8));
    let count = usize::from(bytes.get(16).copied().unwrap_or(0));
    let rest = bytes.get(17..).unwrap_or_default();
    let hashes: Vec<Hash> = rest.chunks_exact(32).filter_map(Hash::from_slice).collect();
    let leaves = vec![Hash::ZERO; count];
    if let Some(range) = Range::build(start, &leaves, size, &hashes) {
        let root = range.root().expect("what is built has a root");
        for index in start..start.saturating_add(count as u64) {
            let path = range.inclusion(index).expect("each leaf of the range has its proof");
            let found = root_from_inclusion(Hash::ZERO, index, size, &path);
            assert_eq!(found, Some(root), "a derived proof leads elsewhere");
        }
    }
    done(root_from_inclusion(Hash::ZERO, start, size, &hashes));
    done(consistency_holds(start, Hash::ZERO, size, Hash::ZERO, &hashes));
}

/// A rulebook as an authority writes it.
pub fn rulebook(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(rulebook) = hq::practice::read_rulebook("fuzz", text) {
        done(rulebook.problems());
        let stored = canonical::to_bytes(&rulebook).expect("a rulebook has a canonical form");
        let again: Rulebook =
            canonical::from_bytes(&stored, FEED_BYTES_MAX.max(stored.len())).expect("and back");
        assert_eq!(again, rulebook, "a rulebook is not what it was");
    }
}

/// A case bundle whose manifest, keys and certificate are any bytes.
pub fn bundle(bytes: &[u8]) {
    let folder = crate::power_cut::scratch();
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    for name in ["manifest.cose", "trust.cbor", "device.cose"] {
        let part = parts.next().unwrap_or_default();
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        std::io::Write::write_all(&mut file, part).unwrap();
    }
    sync_core::bundle::verify(folder.path()).ok();
}
