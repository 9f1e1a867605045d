//! 搭档互存: two handhelds at one visit keep a copy of each other's records, without HQ, so that a
//! lost device loses less. Page and command call the same functions.

#[cfg(feature = "window")]
pub mod adapter;
pub mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sync_core::partner::{self, Beacon, Copied, CopyError, Listener};
use sync_model::id::InspectionId;

use crate::error::{AppError, Input};
use crate::services::Services;

/// How long a device waits for its partner.
pub const WAIT: Duration = Duration::from_secs(180);
/// How long it is looked for a partner who waits.
const LOOK: Duration = Duration::from_secs(4);
/// Where a waiting device listens if nothing else does.
pub const PORT: u16 = 47_121;

/// A device that waits, and calls on the local network that it does.
pub struct Wait {
    listener: Listener,
    /// Kept for its calls; `None` where the system allows none: the partner types the address.
    _beacon: Option<Beacon>,
    addresses: Vec<SocketAddr>,
}

impl Wait {
    /// Begins to wait for the partner of this visit: at `address`, or wherever the device can be
    /// reached.
    ///
    /// # Errors
    /// [`AppError::Copy`] if the system gives no such address.
    pub fn begin(inspection: InspectionId, address: Option<SocketAddr>) -> Result<Self, AppError> {
        let any = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let listener = match address {
            Some(address) => Listener::bind(address, inspection)?,
            None => Listener::bind(any(PORT), inspection)
                .or_else(|_| Listener::bind(any(0), inspection))?,
        };
        let bound = listener.address()?;
        let beacon = Beacon::call(bound.port());
        if let Err(error) = &beacon {
            tracing::info!(%error, "no calls on the local network");
        }
        let own = if bound.ip().is_unspecified() {
            partner::own_addresses()
                .into_iter()
                .map(|ip| SocketAddr::new(ip, bound.port()))
                .collect()
        } else {
            vec![bound]
        };
        Ok(Self { listener, _beacon: beacon.ok(), addresses: own })
    }

    /// Returns the six digits for the partner and nobody else.
    #[must_use]
    pub fn code(&self) -> &str {
        self.listener.code()
    }

    /// Returns where the partner can reach this device; empty without any network.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Copies with the partner who brings the code within [`WAIT`]; `stop` ends the waiting.
    ///
    /// # Errors
    /// [`AppError::Copy`]; what was kept until then stays kept.
    pub fn copy(&self, services: &Services, stop: &dyn Fn() -> bool) -> Result<Copied, AppError> {
        Ok(self.listener.copy_until(&services.store, WAIT, stop)?)
    }
}

/// Connects to the partner who waits and copies: at `address`, or whoever calls on the local
/// network.
///
/// # Errors
/// [`AppError::Input`] for digits or an address that are none, [`AppError::NoPartner`] if nobody
/// calls or more than one does, [`AppError::Copy`] for what the link brings.
pub fn join(services: &Services, code: &str, address: &str) -> Result<Copied, AppError> {
    let code = code.trim();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AppError::Input(Input::CopyCode));
    }
    let address = match parse_address(address)? {
        Some(address) => address,
        None => match partner::find(LOOK).map_err(CopyError::Link)?.as_slice() {
            [one] => *one,
            several => return Err(AppError::NoPartner { calling: several.len() }),
        },
    };
    Ok(partner::connect(&services.store, address, code, None)?)
}

/// Reads `地址:端口` or an address alone; `None` if nothing was typed.
fn parse_address(typed: &str) -> Result<Option<SocketAddr>, AppError> {
    // A full-width colon is what an input method gives.
    let typed = typed.trim().replace('：', ":");
    if typed.is_empty() {
        return Ok(None);
    }
    let address = typed.parse::<SocketAddr>().ok();
    let alone = || typed.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, PORT));
    address.or_else(alone).map(Some).ok_or(AppError::Input(Input::Address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_come_with_or_without_a_port_and_nonsense_is_named() {
        let at = |text: &str| parse_address(text).unwrap().map(|one| one.to_string());
        assert_eq!(at(" "), None);
        assert_eq!(at("192.168.43.1").as_deref(), Some("192.168.43.1:47121"));
        assert_eq!(at("192.168.43.1：5000").as_deref(), Some("192.168.43.1:5000"));
        assert!(matches!(parse_address("搭档"), Err(AppError::Input(Input::Address))));
    }
}
