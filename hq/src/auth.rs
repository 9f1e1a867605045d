//! Who asks: the signed statement that comes with every request.
//!
//! The statement binds device, method, path and body. A replayed statement is not refused here:
//! every operation gives the same result when repeated, and TLS in front keeps statements private.

use base64::{Engine, engine::general_purpose::STANDARD};
use sync_model::canonical;
use sync_model::cose::{Context, PublicKey, Unverified};
use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::request::RequestStatement;

use crate::certify::Standing;
use crate::error::{HqError, refuse};
use crate::hq::{Hq, Inner};
use crate::store::Device;

/// Largest statement, in bytes before base64.
const STATEMENT_BYTES_MAX: usize = 4096;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `GET`, `POST` …
    pub(crate) method: String,
    /// Path with query.
    pub(crate) path: String,
    /// [`sync_model::wire::HEADER_REQUEST`], if it came.
    pub(crate) statement: Option<String>,
    /// Media type of the body, if it was named.
    pub(crate) media: Option<String>,
    /// How the body was compressed, if it was.
    pub(crate) encoding: Option<String>,
    /// The body as it was sent, which is what the statement covers.
    pub(crate) body: Vec<u8>,
}

impl Call {
    fn open(&self) -> Result<(RequestStatement, Unverified), HqError> {
        let not_authentic = || refuse(ProblemCode::NotAuthentic, "no usable request statement");
        let header = self.statement.as_deref().ok_or_else(not_authentic)?;
        if header.len() > 2 * STATEMENT_BYTES_MAX {
            return Err(not_authentic());
        }
        let bytes = STANDARD.decode(header).map_err(|_| not_authentic())?;
        let object = Unverified::parse(&bytes).map_err(|_| not_authentic())?;
        let statement = canonical::from_bytes(object.payload(), STATEMENT_BYTES_MAX)
            .map_err(|_| not_authentic())?;
        Ok((statement, object))
    }

    fn check(
        &self,
        statement: &RequestStatement,
        object: Unverified,
        key: &PublicKey,
    ) -> Result<(), HqError> {
        object
            .verify(Context::Request, key)
            .map_err(|_| refuse(ProblemCode::NotAuthentic, "request signature does not verify"))?;
        if statement.method != self.method || statement.path != self.path {
            return Err(refuse(ProblemCode::NotAuthentic, "statement is about another request"));
        }
        if statement.body != Hash::of(&self.body) {
            // A chunk that was damaged on its way is sent again, so it gets its own name.
            let code = match self.method.as_str() {
                "PATCH" => ProblemCode::BadDigest,
                _ => ProblemCode::NotAuthentic,
            };
            return Err(refuse(code, "body is not the one that was signed"));
        }
        Ok(())
    }

    /// Returns the hash of the statement, which an answer names to be no answer to anything else.
    ///
    /// # Errors
    /// [`ProblemCode::NotAuthentic`] if there is none.
    pub(crate) fn request_hash(&self) -> Result<Hash, HqError> {
        let header = self.statement.as_deref().and_then(|header| STANDARD.decode(header).ok());
        let none = || refuse(ProblemCode::NotAuthentic, "no usable request statement");
        header.map(|bytes| Hash::of(&bytes)).ok_or_else(none)
    }

    /// Checks that the request was signed by the key it brings.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> Result<(), HqError> {
        let (statement, object) = self.open()?;
        if statement.device.is_some() {
            return Err(refuse(ProblemCode::NotAuthentic, "enrollment names a device"));
        }
        self.check(&statement, object, key)
    }
}

impl Hq {
    /// Returns the enrolled device that signed the request; it may be revoked.
    ///
    /// # Errors
    /// [`ProblemCode::NotAuthentic`]; for a damaged chunk [`ProblemCode::BadDigest`].
    pub(crate) fn known_device(&self, call: &Call) -> Result<Device, HqError> {
        let (statement, object) = call.open()?;
        let unknown = || refuse(ProblemCode::NotAuthentic, "device is not known");
        let device = statement.device.ok_or_else(unknown)?;
        let device =
            self.0.store.read::<_, HqError>(|tx| Ok(tx.device(device)?))?.ok_or_else(unknown)?;
        call.check(&statement, object, &device.key)?;
        Ok(device)
    }

    /// Returns the device that signed the request if its authority to send stands.
    ///
    /// # Errors
    /// As [`Hq::known_device`], [`ProblemCode::Revoked`], and [`ProblemCode::Busy`] for a device that
    /// has to send first (`certify`).
    pub(crate) fn device(&self, call: &Call) -> Result<Device, HqError> {
        let device = self.known_device(call)?;
        if device.revoked_at.is_some() {
            return Err(refuse(ProblemCode::Revoked, "device was revoked"));
        }
        device.may_be_told(self.now())?;
        Ok(device)
    }

    /// Returns the device that signed the request if it may compare its chain, which like a push
    /// renews its certificate.
    ///
    /// # Errors
    /// As [`Hq::known_device`], and [`ProblemCode::Revoked`].
    pub(crate) fn comparing_device(&self, call: &Call) -> Result<Device, HqError> {
        let (device, now) = (self.known_device(call)?, self.now());
        if device.revoked_at.is_some() || device.standing(now) == Standing::Lapsed {
            return Err(refuse(ProblemCode::Revoked, "device was revoked"));
        }
        let renewed = device.clone();
        self.0.store.write::<_, HqError, _>(move |tx| Inner::recertify(tx, &renewed, now))?;
        Ok(device)
    }
}
