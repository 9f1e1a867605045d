//! What goes over the network between handheld and HQ: canonical CBOR bodies.

pub mod assignment;
pub mod audit;
pub mod custody;
pub mod day;
pub mod encoding;
pub mod enroll;
pub mod feed;
pub mod frames;
pub mod pack;
pub mod partner;
pub mod policy;
pub mod problem;
pub mod push;
pub mod request;
pub mod word;

/// First part of every path of this protocol.
pub const PREFIX: &str = "/sync/v1";
/// Largest push body.
pub const PUSH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most records in one push.
pub const PUSH_RECORDS_MAX: usize = 500;
/// Bytes of one blob chunk.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Largest chunk HQ takes.
pub const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest blob: a long recording.
pub const BLOB_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Largest feed page.
pub const FEED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Header of a rulebook that is sent as a difference: the hash of the one it differs from.
pub const HEADER_FROM: &str = "xunzheng-from";
/// Largest window of a compressed rulebook, as a power of two: the largest rulebook and the one it
/// differs from.
pub const RULEBOOK_WINDOW_LOG: u32 = 25;
/// Media type of all CBOR bodies.
pub const MEDIA_CBOR: &str = "application/cbor";
/// Header with the base64 of the signed request.
pub const HEADER_REQUEST: &str = "xunzheng-request";
/// Header with the offset a chunk starts at, and in answers the offset reached.
pub const HEADER_OFFSET: &str = "upload-offset";
/// Header with the whole length of a blob.
pub const HEADER_LENGTH: &str = "upload-length";
/// Header with the hex SHA-256 of a chunk.
pub const HEADER_CHUNK_SHA256: &str = "xunzheng-chunk-sha256";
/// Header with the range of protocol versions a device speaks, `1-2`; in HQ's answers the newest
/// that HQ speaks. Absent on both sides means 1.
pub const HEADER_PROTOCOL: &str = "xunzheng-protocol";
/// First version, 2026-11: plain canonical CBOR. Every HQ takes it for ever.
pub const PROTOCOL_PLAIN: u16 = 1;
/// 2026-11: packed pushes ([`pack`]), zstd with the dictionary `push-1` ([`encoding`]).
pub const PROTOCOL_PACKED: u16 = 2;
