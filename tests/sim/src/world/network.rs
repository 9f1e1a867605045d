//! The line between real devices and the real HQ, in one process: requests meet the fate that the
//! script has for them.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hq::{Hq, HqClock, InProcess};
use sync_core::SyncError;
use sync_core::clock::{Clock, ManualClock};
use sync_core::sync::{Exchange, Reply, Transport};
use sync_model::canonical;
use sync_model::time::Timestamp;
use sync_model::wire::FEED_BYTES_MAX;
use sync_model::wire::push::Receipt;

use super::Violation;
use super::event::Fate;

/// Answers kept for coming too late.
const STALE_MAX: usize = 8;

/// What happened on the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Requests that devices sent.
    pub requests: u64,
    /// Requests or answers lost.
    pub lost: u64,
    /// Requests that arrived twice.
    pub doubled: u64,
    /// Requests and answers that came out of order.
    pub reordered: u64,
    /// Bodies cut or flipped.
    pub damaged: u64,
    /// Restarts of HQ.
    pub hq_restarts: u64,
}

struct HqTime(Arc<ManualClock>);

impl HqClock for HqTime {
    fn now(&self) -> Timestamp {
        self.0.now().wall_at
    }
}

/// HQ and everything under way to it.
pub(super) struct Net {
    folder: PathBuf,
    clock: Arc<ManualClock>,
    // The function goes before the handle that it calls.
    call: Option<InProcess>,
    hq: Option<Hq>,
    fates: VecDeque<Fate>,
    late: Vec<Exchange>,
    stale: BTreeMap<(usize, String), VecDeque<Reply>>,
    replaced: Option<Exchange>,
    cut_off: Vec<usize>,
    /// What happened so far.
    pub traffic: Traffic,
    /// What HQ must never answer and did.
    pub broken: Option<String>,
}

impl Net {
    /// Starts HQ in `folder`.
    pub(super) fn start(folder: &Path, clock: &Arc<ManualClock>) -> Result<Self, Violation> {
        let mut net = Self {
            folder: folder.to_owned(),
            clock: Arc::clone(clock),
            call: None,
            hq: None,
            fates: VecDeque::new(),
            late: vec![],
            stale: BTreeMap::new(),
            replaced: None,
            cut_off: vec![],
            traffic: Traffic::default(),
            broken: None,
        };
        net.open()?;
        Ok(net)
    }

    fn open(&mut self) -> Result<(), Violation> {
        let time = Arc::new(HqTime(Arc::clone(&self.clock)));
        let hq = Hq::open_or_init(&self.folder, time).map_err(Violation::of("HQ starts"))?;
        self.call = Some(InProcess::new(&hq).map_err(Violation::of("HQ starts"))?);
        self.hq = Some(hq);
        Ok(())
    }

    /// Ends HQ's process.
    pub(super) fn stop(&mut self) {
        self.call = None;
        self.hq = None;
    }

    /// Ends HQ's process and starts it on what is on its disk.
    pub(super) fn restart(&mut self) -> Result<(), Violation> {
        self.stop();
        self.traffic.hq_restarts += 1;
        self.open()
    }

    /// Returns HQ, for what its administrator does.
    pub(super) fn hq(&self) -> Result<&Hq, Violation> {
        self.hq.as_ref().ok_or_else(|| Violation::new("simulator", "HQ is not running"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets what becomes of the next requests.
    pub(super) fn expect(&mut self, fates: &[Fate]) {
        self.fates = fates.iter().copied().collect();
    }

    /// Puts a device off the network, or back on it.
    pub(super) fn connect(&mut self, device: usize, connected: bool) {
        self.cut_off.retain(|one| *one != device);
        if !connected {
            self.cut_off.push(device);
        }
    }

    /// The n-th request under way arrives at last.
    pub(super) fn arrive(&mut self, nth: usize) {
        if !self.late.is_empty() {
            let exchange = self.late.remove(nth % self.late.len());
            self.answer(&exchange).ok();
        }
    }

    /// A request reaches HQ and nobody waits for the answer.
    pub(super) fn deliver(&mut self, exchange: &Exchange) {
        self.answer(exchange).ok();
    }

    /// The next push is answered as if it were this one.
    pub(super) fn replace_next(&mut self, exchange: Exchange) {
        self.replaced = Some(exchange);
    }

    pub(super) fn under_way(&self) -> usize {
        self.late.len()
    }

    fn answer(&mut self, exchange: &Exchange) -> Result<Reply, SyncError> {
        let gone = || SyncError::Unreachable("no connection".to_owned());
        let call = self.call.as_ref().ok_or_else(gone)?;
        let (method, path) = (exchange.method.name(), exchange.path.as_str());
        let answered = call.call(method, path, &exchange.headers, exchange.body.clone());
        let answered = answered.map_err(|error| SyncError::Unreachable(error.to_string()))?;
        if answered.status == 500 {
            self.broken = Some(format!("{method} {path} failed inside HQ"));
        }
        let (status, headers, body) = (answered.status, answered.headers, answered.body);
        Ok(Reply { status, headers, body })
    }

    fn carry(&mut self, device: usize, mut exchange: Exchange) -> Result<Reply, SyncError> {
        self.traffic.requests += 1;
        let mut answers_another = false;
        if self.replaced.as_ref().is_some_and(|other| other.path == exchange.path) {
            exchange = self.replaced.take().unwrap_or(exchange);
            answers_another = true;
        }
        if self.cut_off.contains(&device) {
            self.traffic.lost += 1;
            return lost("no network");
        }
        let fate = self.fates.pop_front().unwrap_or(Fate::Arrives);
        self.count(fate);
        match fate {
            Fate::Arrives => {}
            Fate::Lost => return lost("timeout"),
            Fate::ReplyLost => {
                let reply = self.answer(&exchange)?;
                self.remember(device, &exchange, reply);
                return lost("connection broke");
            }
            Fate::Twice => {
                let reply = self.answer(&exchange)?;
                self.remember(device, &exchange, reply);
            }
            Fate::Late => {
                self.late.push(exchange);
                return lost("timeout");
            }
            Fate::StaleReply => {
                let old = self.stale.get_mut(&(device, plane(&exchange)));
                return old.and_then(VecDeque::pop_front).map_or_else(|| lost("timeout"), Ok);
            }
            Fate::Cut(at) => {
                exchange.body.truncate(place(exchange.body.len(), at));
                self.answer(&exchange).ok();
                return lost("connection broke");
            }
            Fate::Flipped(at) => flip(&mut exchange.body, at),
            Fate::ReplyCut(at) => {
                let mut reply = self.answer(&exchange)?;
                reply.body.truncate(place(reply.body.len(), at));
                return Ok(reply);
            }
            Fate::HqDies => {
                self.die();
                return lost("connection broke");
            }
            Fate::HqDiesAfter => {
                self.answer(&exchange).ok();
                self.die();
                return lost("connection broke");
            }
            Fate::Busy => {
                return Ok(Reply { status: 503, headers: vec![], body: b"busy".to_vec() });
            }
        }
        let mut reply = self.answer(&exchange)?;
        if answers_another {
            take_word(&mut reply);
        }
        self.remember(device, &exchange, reply.clone());
        Ok(reply)
    }

    fn count(&mut self, fate: Fate) {
        let traffic = &mut self.traffic;
        match fate {
            Fate::Lost | Fate::ReplyLost => traffic.lost += 1,
            Fate::Twice => traffic.doubled += 1,
            Fate::Late | Fate::StaleReply => traffic.reordered += 1,
            Fate::Cut(_) | Fate::ReplyCut(_) | Fate::Flipped(_) => traffic.damaged += 1,
            Fate::Arrives | Fate::HqDies | Fate::HqDiesAfter | Fate::Busy => {}
        }
    }

    fn die(&mut self) {
        if let Err(violation) = self.restart() {
            self.broken = Some(violation.to_string());
        }
    }

    fn remember(&mut self, device: usize, exchange: &Exchange, reply: Reply) {
        let kept = self.stale.entry((device, plane(exchange))).or_default();
        kept.push_back(reply);
        if kept.len() > STALE_MAX {
            kept.pop_front();
        }
    }
}

fn lost(what: &str) -> Result<Reply, SyncError> {
    Err(SyncError::Unreachable(what.to_owned()))
}

/// Makes of a receipt what an HQ of an earlier age gave: HQ's signed word names the request it
/// answers, so that with it a device refuses every answer to another request before it looks at the
/// proofs, and these are what is compared with the model.
fn take_word(reply: &mut Reply) {
    if let Ok(mut receipt) = canonical::from_bytes::<Receipt>(&reply.body, FEED_BYTES_MAX) {
        receipt.word = None;
        reply.body = canonical::to_bytes(&receipt).unwrap_or_default();
    }
}

fn flip(body: &mut [u8], at: u16) {
    let place = place(body.len(), at);
    if let Some(byte) = body.get_mut(place) {
        *byte ^= 1 << (at % 8);
    }
}

/// Returns what a request is about: the path without what differs between two of a kind.
fn plane(exchange: &Exchange) -> String {
    let path = exchange.path.split('?').next().unwrap_or_default();
    format!("{} {path}", exchange.method.name())
}

/// Returns the place in a body at so many thousandths.
fn place(length: usize, thousandths: u16) -> usize {
    length.saturating_mul(usize::from(thousandths)) / 1000
}

/// One device's way to HQ.
pub(super) struct Line {
    pub(super) net: Arc<Mutex<Net>>,
    pub(super) device: usize,
}

impl Transport for Line {
    fn call(&self, exchange: Exchange) -> Result<Reply, SyncError> {
        lock(&self.net).carry(self.device, exchange)
    }
}

/// Locks the line; a panic elsewhere is reported there.
pub(super) fn lock(net: &Mutex<Net>) -> MutexGuard<'_, Net> {
    net.lock().unwrap_or_else(PoisonError::into_inner)
}
