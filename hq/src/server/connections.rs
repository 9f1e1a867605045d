//! Who is connected: how many at most, from one address too, and who makes room.
//!
//! A connection that waits for nobody (no request under way) is closed first, the one that has
//! been quiet longest before the others. A device in the middle of its push is never the one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a new connection may take to send a whole request head.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// How long a connection that had a request may stay quiet.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(75);

/// How many connections HQ holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address.
    pub per_address: usize,
    /// Gateways that carry many devices behind one address; only the limit in all holds for them.
    pub gateways: Vec<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, per_address: 256, gateways: Vec::new() }
    }
}

/// One connection, as its task and the table see it.
pub(super) struct Connection {
    address: IpAddr,
    /// Milliseconds after the table was made at which it last did something.
    active_ms: AtomicU64,
    under_way: AtomicUsize,
    requests: AtomicU64,
    close: Notify,
}

/// All open connections.
pub(super) struct Connections {
    limits: Limits,
    made: Instant,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            made: Instant::now(),
            open: Mutex::default(),
            next: AtomicU64::new(0),
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Enters a connection from `address`, closing a quiet one where there is no room; `None` if
    /// all the others are at work. Says whether another was closed for it.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<(Entry, bool)> {
        let address = address.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut closed = false;
        if !self.limits.gateways.contains(&address) {
            let same = open.values().filter(|one| one.address == address).count();
            if same >= self.limits.per_address {
                close_quietest(&mut open, |one| one.address == address)?;
                closed = true;
            }
        }
        if open.len() >= self.limits.connections {
            close_quietest(&mut open, |_| true)?;
            closed = true;
        }
        let connection = Arc::new(Connection {
            address,
            active_ms: AtomicU64::new(self.now_ms()),
            under_way: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            close: Notify::new(),
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        open.insert(id, Arc::clone(&connection));
        Some((Entry { table: Arc::clone(self), id, connection }, closed))
    }

    /// Returns how many are open.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Takes the quietest of those without a request out of the table and tells it to close.
fn close_quietest(
    open: &mut HashMap<u64, Arc<Connection>>,
    which: impl Fn(&Connection) -> bool,
) -> Option<()> {
    let quietest = open
        .iter()
        .filter(|(_, one)| one.under_way.load(Ordering::SeqCst) == 0 && which(one))
        .min_by_key(|(id, one)| (one.active_ms.load(Ordering::SeqCst), **id))
        .map(|(id, _)| *id)?;
    let removed = open.remove(&quietest)?;
    removed.close.notify_one();
    Some(())
}

/// A connection's place in the table, given back when its task ends.
pub(super) struct Entry {
    table: Arc<Connections>,
    id: u64,
    connection: Arc<Connection>,
}

impl Entry {
    /// Notes a request under way until the returned value is dropped.
    pub(super) fn request(&self) -> UnderWay {
        self.connection.under_way.fetch_add(1, Ordering::SeqCst);
        self.connection.requests.fetch_add(1, Ordering::SeqCst);
        UnderWay { table: Arc::clone(&self.table), connection: Arc::clone(&self.connection) }
    }

    /// Notes that bytes were taken by the other end.
    pub(super) fn wrote(&self) {
        self.connection.active_ms.store(self.table.now_ms(), Ordering::SeqCst);
    }

    /// Returns when the connection has been without a request for too long, or must make room.
    pub(super) async fn should_close(&self) {
        loop {
            let active = self.connection.active_ms.load(Ordering::SeqCst);
            let had_one = self.connection.requests.load(Ordering::SeqCst) > 0;
            let patience = if had_one { BETWEEN_REQUESTS } else { FIRST_REQUEST };
            let quiet = Duration::from_millis(self.table.now_ms().saturating_sub(active));
            let busy = self.connection.under_way.load(Ordering::SeqCst) > 0;
            let left = if busy { patience } else { patience.saturating_sub(quiet) };
            if left.is_zero() {
                return;
            }
            if tokio::time::timeout(left, self.connection.close.notified()).await.is_ok() {
                return;
            }
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// A request under way.
pub(super) struct UnderWay {
    table: Arc<Connections>,
    connection: Arc<Connection>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.connection.active_ms.store(self.table.now_ms(), Ordering::SeqCst);
        self.connection.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn table(connections: usize, per_address: usize) -> Arc<Connections> {
        let gateways = vec![address(200)];
        Connections::new(Limits { connections, per_address, gateways })
    }

    #[test]
    fn the_quietest_makes_room_and_whoever_works_stays() {
        let table = table(2, 9);
        let (first, _) = table.enter(address(1)).unwrap();
        let working = first.request();
        let (second, _) = table.enter(address(2)).unwrap();
        let (third, closed) = table.enter(address(3)).unwrap();
        assert!(closed);
        assert_eq!(table.count(), 2);
        let _also = third.request();
        assert!(table.enter(address(4)).is_none(), "both are at work");
        drop((working, second));
        assert!(table.enter(address(4)).is_some());
    }

    #[test]
    fn one_address_cannot_take_all_and_a_gateway_may() {
        let table = table(10, 2);
        let held: Vec<_> = (0..5).map(|_| table.enter(address(1)).unwrap()).collect();
        assert_eq!(table.count(), 2);
        let (other, closed) = table.enter(address(2)).unwrap();
        assert!(!closed);
        let gateway: Vec<_> = (0..5).map(|_| table.enter(address(200)).unwrap()).collect();
        assert!(gateway.iter().all(|(_, closed)| !closed));
        assert_eq!(table.count(), 8);
        drop((held, other, gateway));
        assert_eq!(table.count(), 0);
    }
}
