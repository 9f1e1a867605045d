//! A partner's copy: two officers at one visit, a handheld each, no network. Each keeps a copy of
//! the other's records, so that a lost device loses less.
//!
//! One device listens because its officer asked for it, and shows an address and six digits; the
//! other connects and types them. The link is TLS 1.3 between the two device keys; inside it both
//! show the certificates that HQ gave those keys. Copies lie beside the own chain, read-only, and
//! either device brings the other's records to HQ ([`bring`]).

mod beacon;
mod bring;
mod copy;
mod identity;
mod link;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection, StreamOwned};
use sync_model::cose::PublicKey;
use sync_model::credential::DeviceCertificate;
use sync_model::id::InspectionId;
use sync_model::wire::partner::Refusal;
use thiserror::Error;

use crate::error::StoreError;
use crate::random;
use crate::store::Store;

pub use beacon::{BEACON_PORT, Beacon, find, own_addresses};
pub use bring::{Brought, bring};

use copy::Terms;
use link::Link;

/// How long one step of a copy may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Wrong codes after which a listener stops: six digits cannot be guessed in so few tries.
const TRIES_MAX: u32 = 3;

/// What a copy achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// The other device.
    pub partner: Option<DeviceCertificate>,
    /// Records given.
    pub sent: u64,
    /// Records received that were not here before.
    pub received: u64,
    /// Small files received.
    pub files: u64,
}

/// Why a copy ended early. What was kept until then stays kept.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The link broke or could not be made.
    #[error("partner link: {0}")]
    Link(#[from] std::io::Error),
    /// TLS could not be set up.
    #[error("partner link: {0}")]
    Tls(#[from] rustls::Error),
    /// The other side refused.
    #[error("partner refused: {0:?}")]
    Refused(Refusal),
    /// This side refused.
    #[error("refused the partner: {0:?}")]
    Refuses(Refusal),
    /// The other side sent what is not of this protocol.
    #[error("partner sent what cannot be read")]
    Malformed,
    /// Nobody came, or the code was typed wrong too often.
    #[error("nobody came with the right code")]
    Nobody,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A device that waits for its partner.
pub struct Listener {
    socket: TcpListener,
    code: String,
    inspection: InspectionId,
}

impl Listener {
    /// Waits at `address` (port 0: any) for the partner of this visit.
    ///
    /// # Errors
    /// [`CopyError::Link`] if the system gives no such address.
    pub fn bind(address: SocketAddr, inspection: InspectionId) -> Result<Self, CopyError> {
        let socket = TcpListener::bind(address)?;
        let bytes: [u8; 8] = random::bytes();
        let code = format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000);
        Ok(Self { socket, code, inspection })
    }

    /// Returns the address to connect to.
    ///
    /// # Errors
    /// What the system reports.
    pub fn address(&self) -> Result<SocketAddr, CopyError> {
        Ok(self.socket.local_addr()?)
    }

    /// Returns the six digits to show to the partner and to nobody else.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Copies with the first partner who brings the right code within `wait`.
    ///
    /// # Errors
    /// [`CopyError::Nobody`], or why the copy ended early.
    pub fn copy(&self, store: &Store, wait: Duration) -> Result<Copied, CopyError> {
        self.copy_until(store, wait, &|| false)
    }

    /// As [`Self::copy`], and stops waiting once `stop` says so; a copy under way is finished.
    ///
    /// # Errors
    /// [`CopyError::Nobody`], also when stopped, or why the copy ended early.
    pub fn copy_until(
        &self,
        store: &Store,
        wait: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<Copied, CopyError> {
        let config = Arc::new(identity::listening(store.device_key())?);
        self.socket.set_nonblocking(true)?;
        let (until, mut tries) = (Instant::now() + wait, 0);
        while tries < TRIES_MAX && Instant::now() < until && !stop() {
            let stream = match self.socket.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let connection = ServerConnection::new(Arc::clone(&config))?;
            let mut link = Link::new(StreamOwned::new(connection, patient(stream)?));
            let terms = Terms { code: &self.code, inspection: Some(self.inspection) };
            let done = handshake(&mut link, |stream| stream.conn.complete_io(&mut stream.sock))
                .and_then(|()| peer(link.stream().conn.peer_certificates()))
                .and_then(|peer| copy::answer(store, &mut link, &peer, &terms));
            match done {
                // A port scanner or a neighbour is no reason to stop waiting for the partner.
                Err(CopyError::Refuses(Refusal::WrongCode)) => tries += 1,
                Err(CopyError::Link(_) | CopyError::Tls(_) | CopyError::Malformed)
                    if link.stream().conn.is_handshaking() => {}
                done => return done,
            }
        }
        Err(CopyError::Nobody)
    }
}

/// Connects to a listening partner and copies; `inspection` if this device knows the visit.
///
/// # Errors
/// Why the copy could not begin or ended early.
pub fn connect(
    store: &Store,
    address: SocketAddr,
    code: &str,
    inspection: Option<InspectionId>,
) -> Result<Copied, CopyError> {
    let config = Arc::new(identity::connecting(store.device_key())?);
    // The name is not looked at: the key is.
    let name = ServerName::try_from("partner.invalid").map_err(|_| CopyError::Malformed)?;
    let connection = ClientConnection::new(config, name)?;
    let stream = patient(TcpStream::connect_timeout(&address, PATIENCE)?)?;
    let mut link = Link::new(StreamOwned::new(connection, stream));
    handshake(&mut link, |stream| stream.conn.complete_io(&mut stream.sock))?;
    let peer = peer(link.stream().conn.peer_certificates())?;
    copy::ask(store, &mut link, &peer, &Terms { code, inspection })
}

fn patient(stream: TcpStream) -> Result<TcpStream, CopyError> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn handshake<S: std::io::Read + std::io::Write>(
    link: &mut Link<S>,
    complete: impl FnOnce(&mut S) -> std::io::Result<(usize, usize)>,
) -> Result<(), CopyError> {
    complete(link.stream())?;
    Ok(())
}

fn peer(
    keys: Option<&[rustls::pki_types::CertificateDer<'static>]>,
) -> Result<PublicKey, CopyError> {
    let key = keys.and_then(<[_]>::first).ok_or(CopyError::Malformed)?;
    identity::public_key(key).ok_or(CopyError::Malformed)
}
