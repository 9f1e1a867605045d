//! The feed plane: signed items from HQ, numbered by HQ; a device keeps a cursor.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::hash::Hash;
use crate::id::{DeviceId, LeaseId};
use crate::rule::Finding;
use crate::rulebook::Rulebook;
use crate::time::Timestamp;
use crate::wire::assignment::Assignment;
use crate::wire::audit::Order;
use crate::wire::day::DayReport;
use crate::wire::partner::PartnerRecords;

/// A block of document numbers for one device (`domain` §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberLease {
    /// The lease.
    pub lease: LeaseId,
    /// For which device.
    pub device: DeviceId,
    /// In whose name.
    pub authority: String,
    /// Words before 字, for example `西综执当罚`.
    pub word: String,
    /// Year of the documents.
    pub year: i32,
    /// First number.
    pub first: u64,
    /// Last number, inclusive.
    pub last: u64,
}

/// What HQ found when it looked at a record: acceptance, apart from custody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The record.
    pub record: Hash,
    /// Its seq in the device's chain.
    pub seq: u64,
    /// Whether HQ accepts it as it is.
    pub accepted: bool,
    /// Why not, or what to know.
    pub findings: Vec<Finding>,
}

/// Kinds of feed items that every released device reads; a device of protocol 1 gets no other.
pub const FEED_KINDS_V1: &[&str] =
    &["rulebook", "assignment", "number_lease", "credential", "acceptance", "command"];

/// A rulebook that is fetched apart from the feed: whole, or as what changed since another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulebookName {
    /// SHA-256 of its canonical bytes; records pin it.
    pub hash: Hash,
    /// Version.
    pub version: u32,
    /// Length of the canonical bytes.
    pub bytes: u64,
}

/// What a feed item says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedBody {
    /// The whole rulebook of a version.
    Rulebook(Box<Rulebook>),
    /// A new or changed assignment.
    Assignment(Box<Assignment>),
    /// A block of numbers.
    NumberLease(NumberLease),
    /// A renewed credential of an officer on this device.
    Credential(ByteBuf),
    /// A result of acceptance.
    Acceptance(Acceptance),
    /// A message from command that the handheld shows.
    Command(CommandMessage),
    /// The rulebook of a version, to be fetched by its hash; for devices that ask for it so.
    RulebookNamed(RulebookName),
    /// Records of a partner's device in the same visit or case.
    Partner(PartnerRecords),
    /// What HQ holds of a day that the device closed.
    Day(Box<DayReport>),
    /// What the device is to do about its chain.
    Order(Order),
    /// The signed status list ([`crate::status`]); the newest alone is in the feed.
    Status(ByteBuf),
}

/// A message from the command center.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMessage {
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
}

/// What HQ's feed key signs ([`crate::cose::Context::Feed`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    /// Number in HQ's feed; rises, with gaps for items of other devices.
    pub index: u64,
    /// For one device, or for all.
    pub device: Option<DeviceId>,
    /// When HQ issued it.
    pub issued_at: Timestamp,
    /// What it says.
    pub body: FeedBody,
}

/// A page of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPage {
    /// Signed [`FeedItem`]s in order of index.
    pub items: Vec<ByteBuf>,
    /// Newest index for this device.
    pub head: u64,
    /// HQ's clock.
    pub hq_at: Timestamp,
}
