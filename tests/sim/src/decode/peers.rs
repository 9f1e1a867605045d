//! What others say: partners at a visit, HQ and device in an audit, files of a log that somebody
//! else serves.

use sync_core::audit::compare;
use sync_model::canonical;
use sync_model::cose::Signer as _;
use sync_model::credential::open_device_certificate;
use sync_model::hash::Hash;
use sync_model::log::tile::{Tile, entries, push_entry};
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::audit::{AUDIT_BYTES_MAX, AuditReply, AuditRequest, ChainHead};
use sync_model::wire::partner::{
    COPY_MESSAGE_BYTES_MAX, CopyMessage, CustodyRequest, PartnerRecords,
};

use super::{both_ways, done, key, record};

/// Records on each side of the audit.
pub(super) const AUDITED: u64 = 40;

/// A chain for both sides of an audit.
pub(super) fn chain() -> Vec<(u64, Hash)> {
    (1..=AUDITED).map(|seq| (seq, Hash::of(&seq.to_be_bytes()))).collect()
}

/// A message of a partner, and what is handed on for one.
pub fn partner(bytes: &[u8]) {
    match both_ways::<CopyMessage>(bytes, COPY_MESSAGE_BYTES_MAX) {
        Some(CopyMessage::Records(records)) => records.iter().for_each(|one| record(one)),
        Some(CopyMessage::Hello(hello)) => {
            open_device_certificate(&hello.certificate, &key().public()).ok();
        }
        _ => {}
    }
    if let Some(request) = both_ways::<CustodyRequest>(bytes, FEED_BYTES_MAX) {
        request.records.iter().for_each(|one| record(one));
    }
    if let Some(told) = both_ways::<PartnerRecords>(bytes, FEED_BYTES_MAX) {
        told.records.iter().for_each(|one| record(&one.bytes));
    }
}

/// One step of an audit: any question to HQ, and any answer, given again and again, to a device.
pub fn audit(bytes: &[u8]) {
    let own = chain();
    if let Some(request) = both_ways::<AuditRequest>(bytes, AUDIT_BYTES_MAX) {
        let head = own.last().map(|(seq, hash)| ChainHead { seq: *seq, hash: *hash });
        if let Ok(reply) = hq::answer_audit(&own, head, &request) {
            let answered = canonical::to_bytes(&reply).expect("an answer has a canonical form");
            assert!(answered.len() <= AUDIT_BYTES_MAX, "{} bytes", answered.len());
        }
    }
    if let Some(reply) = both_ways::<AuditReply>(bytes, AUDIT_BYTES_MAX) {
        done(compare(&own, AUDITED, |_| Ok(reply.clone())));
    }
}

/// A bundle of entries, and the path of a file.
pub fn tile(bytes: &[u8]) {
    if let Some(found) = entries(bytes) {
        let mut again = Vec::new();
        for entry in found {
            push_entry(&mut again, entry).expect("what was in a bundle fits into one");
        }
        assert_eq!(again, bytes, "a bundle is not what it was");
    }
    if let Ok(path) = std::str::from_utf8(bytes)
        && let Some(tile) = Tile::parse(path)
    {
        assert_eq!(tile.to_string(), path, "a file has two paths");
        done(tile.first());
    }
}
