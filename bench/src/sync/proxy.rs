//! A link in user space between device and HQ: counts the bytes of both directions, and can be
//! slow or cut every connection after so many bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the link is like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    /// Time from end to end, one way; the handshake of a connection costs it twice.
    pub(crate) delay: Duration,
    /// Bits a second in each direction; 0 is unlimited.
    pub(crate) bits_per_s: u64,
    /// Each connection is cut once it carried so many bytes to HQ; 0 is never.
    pub(crate) cut_after: u64,
}

/// What went over the link.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) up: AtomicU64,
    pub(crate) down: AtomicU64,
    /// Times the device spoke after HQ had answered, over all connections: request round trips.
    pub(crate) turns: AtomicU64,
    pub(crate) connections: AtomicU64,
}

/// A running link.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

/// A snapshot of [`Counts`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) turns: u64,
    pub(crate) connections: u64,
}

impl Proxy {
    /// Starts a link to `target`; it lives as long as the program.
    pub(crate) fn start(target: SocketAddr, link: Link) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let known = Arc::clone(&open);
        std::thread::Builder::new().name("link".into()).spawn(move || {
            for client in listener.incoming().flatten() {
                let (counts, opened) = (Arc::clone(&shared), Instant::now());
                counts.connections.fetch_add(1, Ordering::Relaxed);
                if let Ok(same) = client.try_clone() {
                    known.lock().unwrap_or_else(PoisonError::into_inner).push(same);
                }
                std::thread::spawn(move || {
                    // A connection that fails is the device's to notice.
                    carry(client, target, link, opened, &counts).ok();
                });
            }
        })?;
        Ok(Self { address, counts, open })
    }

    /// Ends every connection, as a mast does that is lost; new ones go through.
    pub(crate) fn hang_up(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            up: self.counts.up.load(Ordering::SeqCst),
            down: self.counts.down.load(Ordering::SeqCst),
            turns: self.counts.turns.load(Ordering::SeqCst),
            connections: self.counts.connections.load(Ordering::SeqCst),
        }
    }
}

impl Seen {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            up: self.up - before.up,
            down: self.down - before.down,
            turns: self.turns - before.turns,
            connections: self.connections - before.connections,
        }
    }
}

fn carry(
    client: TcpStream,
    target: SocketAddr,
    link: Link,
    opened: Instant,
    counts: &Arc<Counts>,
) -> std::io::Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // The device's system took the connection at once; over the link that costs one round trip.
    let from = opened + link.delay * 2;
    let answered = Arc::new(AtomicBool::new(true));
    let (up, down) = (client.try_clone()?, server.try_clone()?);
    let (counted, spoke) = (Arc::clone(counts), Arc::clone(&answered));
    let upward = std::thread::spawn(move || {
        let mut carried = 0;
        flow(&client, &server, link, from, |count| {
            counted.up.fetch_add(count, Ordering::SeqCst);
            if spoke.swap(false, Ordering::SeqCst) {
                counted.turns.fetch_add(1, Ordering::SeqCst);
            }
            carried += count;
            link.cut_after == 0 || carried < link.cut_after
        })
    });
    let counted = Arc::clone(counts);
    flow(&down, &up, link, from, |count| {
        counted.down.fetch_add(count, Ordering::SeqCst);
        answered.store(true, Ordering::SeqCst);
        true
    })?;
    upward.join().unwrap_or(Ok(()))
}

/// Carries bytes one way until the end or until `count` says that the connection is cut.
fn flow(
    from: &TcpStream,
    to: &TcpStream,
    link: Link,
    not_before: Instant,
    mut count: impl FnMut(u64) -> bool,
) -> std::io::Result<()> {
    let slow = link.delay > Duration::ZERO || link.bits_per_s > 0;
    let (parts, queue) = channel();
    std::thread::scope(|scope| {
        if slow {
            scope.spawn(move || deliver(to, &queue));
        }
        let mut buffer = vec![0; 64 * 1024];
        let (mut source, mut sink, mut free) = (from, to, not_before);
        loop {
            let size = source.read(&mut buffer).unwrap_or(0);
            let Some(bytes) = buffer.get(..size).filter(|bytes| !bytes.is_empty()) else { break };
            let length = u64::try_from(size).unwrap_or(0);
            let goes_on = count(length);
            if slow {
                free = free.max(Instant::now()) + sending(length, link.bits_per_s);
                queue_part(&parts, free + link.delay, bytes);
            } else if sink.write_all(bytes).is_err() {
                break;
            }
            if !goes_on {
                // What was read may still arrive, like packets under way when a mast is lost.
                from.shutdown(Shutdown::Both).ok();
                break;
            }
        }
        drop(parts);
    });
    to.shutdown(Shutdown::Both).ok();
    Ok(())
}

fn sending(bytes: u64, bits_per_s: u64) -> Duration {
    if bits_per_s == 0 {
        return Duration::ZERO;
    }
    Duration::from_nanos(bytes.saturating_mul(8_000_000_000) / bits_per_s)
}

fn queue_part(parts: &Sender<(Instant, Vec<u8>)>, at: Instant, bytes: &[u8]) {
    // A sink that is gone is noticed at its next read.
    parts.send((at, bytes.to_vec())).ok();
}

fn deliver(mut to: &TcpStream, queue: &Receiver<(Instant, Vec<u8>)>) {
    for (at, bytes) in queue {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
}
