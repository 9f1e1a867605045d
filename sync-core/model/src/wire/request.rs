//! How a device says who asks: a signed statement over method, path and body.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id::DeviceId;

/// What the device key signs for each request ([`crate::cose::Context::Request`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestStatement {
    /// Who asks; absent only while enrolling.
    pub device: Option<DeviceId>,
    /// `GET`, `POST`, `PATCH`.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Hash of the body.
    pub body: Hash,
    /// Never twice the same.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 16],
}
