//! Finding the partner on a local network without typing an address.
//!
//! A listening device says twice a second, by broadcast on every network it is in, at which port it
//! listens; it says no name, no visit and no code. Whoever answers a forged call meets a device
//! without a certificate of HQ and no six digits: the link itself refuses (see the parent module).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// UDP port at which a connecting device hears who listens.
pub const BEACON_PORT: u16 = 47_120;
/// What a call begins with; the port follows, big endian.
const WORD: &[u8; 16] = b"xunzheng copy 1 ";
/// From one call to the next.
const EVERY: Duration = Duration::from_millis(500);
/// Partners kept of one look round: a flood of calls must not fill the page.
const FOUND_MAX: usize = 8;

/// Calls until it is dropped.
pub struct Beacon {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Beacon {
    /// Calls on every network this device is in that `port` listens here.
    ///
    /// # Errors
    /// What the system reports; the copy then works by address.
    pub fn call(port: u16) -> io::Result<Self> {
        Self::call_to(port, || broadcasts().unwrap_or_default())
    }

    fn call_to(
        port: u16,
        places: impl Fn() -> Vec<SocketAddr> + Send + 'static,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_broadcast(true)?;
        let mut call = WORD.to_vec();
        call.extend(port.to_be_bytes());
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread =
            std::thread::Builder::new().name("partner-beacon".to_owned()).spawn(move || {
                while !seen.load(Ordering::Relaxed) {
                    // Looked up each time: the partner's hotspot may come up while this one waits.
                    for place in places() {
                        if let Err(error) = socket.send_to(&call, place) {
                            tracing::debug!(%error, "partner call not sent");
                        }
                    }
                    std::thread::park_timeout(EVERY);
                }
            })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the partner beacon panicked");
            }
        }
    }
}

/// Returns the devices that call within `wait`, at most eight, in order of address.
///
/// # Errors
/// What the system reports, such as another program at [`BEACON_PORT`].
pub fn find(wait: Duration) -> io::Result<Vec<SocketAddr>> {
    find_at(&UdpSocket::bind((Ipv4Addr::UNSPECIFIED, BEACON_PORT))?, wait)
}

fn find_at(socket: &UdpSocket, wait: Duration) -> io::Result<Vec<SocketAddr>> {
    let (until, mut found) = (Instant::now() + wait, BTreeSet::new());
    let mut bytes = [0; 64];
    while found.len() < FOUND_MAX {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv_from(&mut bytes) {
            Ok((length, from)) => {
                found.extend(bytes.get(..length).and_then(|call| place_of(call, from.ip())));
            }
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                break;
            }
            Err(error) => return Err(error),
        }
        // One partner is what is looked for; a moment more shows whether there are two.
        if found.len() == 1 && left > EVERY * 2 {
            return find_more(socket, found);
        }
    }
    Ok(found.into_iter().collect())
}

fn find_more(socket: &UdpSocket, mut found: BTreeSet<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    found.extend(find_at(socket, EVERY * 2)?);
    Ok(found.into_iter().collect())
}

/// Returns where the sender of `call` listens; nothing if it is no call.
fn place_of(call: &[u8], from: IpAddr) -> Option<SocketAddr> {
    let port = call.strip_prefix(WORD)?;
    let port = u16::from_be_bytes(port.try_into().ok()?);
    (port != 0).then_some(SocketAddr::new(from, port))
}

/// Returns the addresses of this device that a partner can reach, loopback left out.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let faces = if_addrs::get_if_addrs().unwrap_or_default();
    faces
        .into_iter()
        .filter(|face| !face.is_loopback())
        .map(|face| face.ip())
        .filter(IpAddr::is_ipv4)
        .collect()
}

fn broadcasts() -> io::Result<Vec<SocketAddr>> {
    let faces = if_addrs::get_if_addrs()?;
    Ok(faces
        .into_iter()
        .filter(|face| !face.is_loopback())
        .filter_map(|face| match face.addr {
            if_addrs::IfAddr::V4(v4) => v4.broadcast,
            if_addrs::IfAddr::V6(_) => None,
        })
        .map(|ip| SocketAddr::from((ip, BEACON_PORT)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ear() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = socket.local_addr().unwrap();
        (socket, at)
    }

    #[test]
    fn who_listens_is_found_with_its_port_and_silence_ends_when_the_wait_does() {
        let (socket, at) = ear();
        let beacon = Beacon::call_to(4_711, move || vec![at]).unwrap();
        let found = find_at(&socket, Duration::from_secs(10)).unwrap();
        assert_eq!(found, [SocketAddr::from((Ipv4Addr::LOCALHOST, 4_711))]);
        drop(beacon);
        let (quiet, _) = ear();
        assert_eq!(find_at(&quiet, Duration::from_millis(30)).unwrap(), []);
    }

    #[test]
    fn two_that_listen_are_both_found() {
        let (socket, at) = ear();
        let beacons = [4_712, 4_713].map(|port| Beacon::call_to(port, move || vec![at]).unwrap());
        assert_eq!(find_at(&socket, Duration::from_secs(10)).unwrap().len(), 2);
        drop(beacons);
    }

    #[test]
    fn what_is_no_call_is_not_heard_and_a_flood_ends() {
        let from = IpAddr::from(Ipv4Addr::LOCALHOST);
        for call in [
            &b""[..],
            b"xunzheng copy 1 ",
            b"xunzheng copy 1 \x01",
            b"xunzheng copy 1 \x00\x00",
            b"xunzheng copy 1 \x01\x02\x03",
            b"xunzheng copy 2 \x01\x02",
        ] {
            assert_eq!(place_of(call, from), None, "{call:?}");
        }
        let (socket, at) = ear();
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for port in 1_u16..100 {
            let mut call = WORD.to_vec();
            call.extend(port.to_be_bytes());
            sender.send_to(&call, at).unwrap();
        }
        let found = find_at(&socket, Duration::from_secs(5)).unwrap();
        assert!(found.len() <= 2 * FOUND_MAX, "{}", found.len());
    }
}
