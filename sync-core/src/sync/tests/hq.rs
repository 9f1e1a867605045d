//! A small HQ on loopback: right by itself, and wrong exactly where a test tells it to be.
//!
//! Its log is the model's Merkle tree in memory, so that receipts are real ones.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use sync_model::canonical;
use sync_model::cose::{self, Context, PublicKey};
use sync_model::hash::Hash;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof;
use sync_model::log::tree::{self, Nodes};
use sync_model::log::{self};
use sync_model::record::Record;
use sync_model::time::Timestamp;
use sync_model::wire::encoding::decompress;
use sync_model::wire::feed::FeedPage;
use sync_model::wire::pack::unpack;
use sync_model::wire::policy::Policy;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest, PushRequest, Receipt, ReceiptRun};
use sync_model::wire::request::RequestStatement;
use sync_model::wire::word::ReceiptWord;
use sync_model::wire::{
    HEADER_LENGTH, HEADER_OFFSET, HEADER_PROTOCOL, HEADER_REQUEST, PUSH_BYTES_MAX,
};

use crate::store::tests::world::{HqKeys, LOG_ORIGIN, TEN, World, device_id};

/// One request as it arrived.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What goes back.
pub(crate) enum Reply {
    Body(Vec<u8>),
    Status(u16, Vec<u8>),
    /// Bytes as they are, then the connection ends.
    Raw(Vec<u8>),
}

pub(crate) fn body<T: Serialize>(value: &T) -> Reply {
    Reply::Body(canonical::to_bytes(value).unwrap())
}

pub(crate) fn refuse(problem: &Problem) -> Reply {
    Reply::Status(problem.status(), canonical::to_bytes(problem).unwrap())
}

#[derive(Default)]
struct Memory(BTreeMap<(u32, u64), Hash>);

impl Nodes for Memory {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[&(level, index)])
    }
}

/// What HQ holds.
pub(crate) struct State {
    pub(crate) keys: HqKeys,
    device_key: PublicKey,
    nodes: Memory,
    size: u64,
    pub(crate) held: BTreeMap<u64, (Record, u64)>,
    pub(crate) blobs: BTreeMap<Hash, Vec<u8>>,
    pub(crate) complete: Vec<Hash>,
    pub(crate) feed: Vec<(u64, Vec<u8>)>,
    pub(crate) asked: Vec<String>,
    pub(crate) wanted: Vec<Hash>,
    pub(crate) archived_seq: u64,
    pub(crate) policy: Option<Policy>,
    pub(crate) now: Timestamp,
}

type Fault = Box<dyn FnMut(&Request, &mut State) -> Option<Reply> + Send>;

impl State {
    /// Adds a leaf that belongs to somebody else.
    pub(crate) fn grow(&mut self, text: &str) {
        self.append(tree::leaf_hash(text.as_bytes()));
    }

    fn append(&mut self, leaf: Hash) -> u64 {
        let Ok(made) = tree::append(&self.nodes, self.size, leaf);
        self.nodes.0.extend(made.into_iter().map(|(level, index, hash)| ((level, index), hash)));
        self.size += 1;
        self.size - 1
    }

    /// Forgets the device's records from `seq` on, while the log has grown on.
    pub(crate) fn forget_from(&mut self, seq: u64) {
        self.held.retain(|held, _| *held < seq);
    }

    pub(crate) fn range(&self, start: u64, count: u64) -> Vec<Hash> {
        let Ok(proof) = proof::range(&self.nodes, start, count, self.size);
        proof
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let Ok(root) = tree::root(&self.nodes, self.size);
        Checkpoint { origin: LOG_ORIGIN.to_owned(), size: self.size, root }
    }

    /// Answers as a right HQ does.
    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        let asked = self.check_request(request);
        let path = request.path.strip_prefix("/sync/v1").unwrap();
        if path == "/push" {
            self.push(&request.body, asked)
        } else if path == "/audit" || path == "/partner" {
            refuse(&Problem::new(ProblemCode::NotFound, "nothing at this path"))
        } else if path == "/blobs/need" {
            let need: NeedRequest = canonical::from_bytes(&request.body, PUSH_BYTES_MAX).unwrap();
            let blobs = need.blobs.iter().map(|sha256| self.state(sha256)).collect();
            body(&NeedReply { blobs })
        } else if let Some(hex) = path.strip_prefix("/blobs/").filter(|_| request.method == "GET") {
            Reply::Body(self.blobs[&Hash::from_hex(hex).unwrap()].clone())
        } else if let Some(hex) = path.strip_prefix("/blobs/") {
            self.chunk(&Hash::from_hex(hex).unwrap(), request)
        } else if let Some(sizes) = path.strip_prefix("/log/consistency?from=") {
            let (from, to) = sizes.split_once("&to=").unwrap();
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            if from > to || to > self.size {
                return refuse(&Problem::new(ProblemCode::Malformed, "not that long"));
            }
            body(&self.consistency(from, to))
        } else {
            let after = path.strip_prefix("/feed?after=").unwrap().split('&').next().unwrap();
            let after: u64 = after.parse().unwrap();
            let newer = self.feed.iter().filter(|(index, _)| *index > after);
            let items = newer.map(|(_, bytes)| bytes.clone().into()).collect();
            let head = self.feed.last().map_or(0, |(index, _)| *index);
            body(&FeedPage { items, head, hq_at: self.now })
        }
    }

    /// Each request carries a statement by the device key over exactly itself; returns its hash.
    pub(crate) fn check_request(&self, request: &Request) -> Hash {
        let signed = STANDARD.decode(&request.headers[HEADER_REQUEST]).unwrap();
        let payload = cose::verify(Context::Request, &signed, &self.device_key).unwrap();
        let statement: RequestStatement = canonical::from_bytes(&payload, 4096).unwrap();
        assert_eq!(statement.device, Some(device_id()));
        assert_eq!((&statement.method, &statement.path), (&request.method, &request.path));
        assert_eq!(statement.body, Hash::of(&request.body));
        Hash::of(&signed)
    }

    pub(crate) fn push(&mut self, bytes: &[u8], asked: Hash) -> Reply {
        let request = push_request(bytes);
        let mut runs = Vec::new();
        for bytes in request.records {
            let record = Record::open(&bytes, &self.device_key).unwrap();
            let seq = record.envelope.seq;
            let expected = self.held.last_key_value().map_or(1, |(last, _)| last + 1);
            if seq > expected {
                let mut problem = Problem::new(ProblemCode::Gap, "missing");
                problem.expected_seq = Some(expected);
                return refuse(&problem);
            }
            let index = match self.held.get(&seq) {
                Some((held, index)) => {
                    assert_eq!(held.hash, record.hash, "another record at {seq}");
                    *index
                }
                None => {
                    let leaf = log::leaf(&record.hash, device_id(), seq);
                    let index = self.append(leaf);
                    self.held.insert(seq, (record, index));
                    index
                }
            };
            runs.push((seq, index));
        }
        let mut receipt = self.receipt(&runs);
        let seen = request.seen_size.filter(|seen| *seen <= self.size);
        receipt.consistency = seen.map(|seen| self.consistency(seen, self.size));
        let word = ReceiptWord::sign(&receipt, device_id(), asked, &self.keys.log).unwrap();
        receipt.word = Some(word.into());
        body(&receipt)
    }

    /// Proves that the first `from` leaves are a prefix of the first `to`.
    pub(crate) fn consistency(&self, from: u64, to: u64) -> Vec<Hash> {
        let Ok(proof) = proof::consistency(&self.nodes, from, to);
        proof
    }

    pub(crate) fn receipt(&self, places: &[(u64, u64)]) -> Receipt {
        let run = |(seq, index): &(u64, u64)| {
            let Ok(proof) = proof::range(&self.nodes, *index, 1, self.size);
            ReceiptRun { first_seq: *seq, count: 1, log_index: *index, proof }
        };
        Receipt {
            checkpoint: self.checkpoint().sign(&self.keys.log),
            runs: places.iter().map(run).collect(),
            received_at: self.now,
            feed_head: self.feed.last().map_or(0, |(index, _)| *index),
            wanted: self.wanted.clone(),
            consistency: None,
            archived_seq: self.archived_seq,
            policy: self.policy,
            chain_head: None,
            word: None,
        }
    }

    fn state(&self, sha256: &Hash) -> BlobState {
        let offset = self.blobs.get(sha256).map_or(0, Vec::len);
        BlobState {
            sha256: *sha256,
            offset: u64::try_from(offset).unwrap(),
            complete: self.complete.contains(sha256),
        }
    }

    fn chunk(&mut self, sha256: &Hash, request: &Request) -> Reply {
        let number = |name: &str| request.headers[name].parse::<usize>().unwrap();
        let (offset, length) = (number(HEADER_OFFSET), number(HEADER_LENGTH));
        let held = self.blobs.entry(*sha256).or_default();
        if offset != held.len() {
            let mut problem = Problem::new(ProblemCode::BadOffset, "elsewhere");
            problem.expected_offset = Some(u64::try_from(held.len()).unwrap());
            return refuse(&problem);
        }
        held.extend_from_slice(&request.body);
        if held.len() == length {
            assert_eq!(Hash::of(held), *sha256, "another file arrived");
            self.complete.push(*sha256);
        }
        body(&self.state(sha256))
    }
}

/// Returns the push in a body of any form.
pub(crate) fn push_request(bytes: &[u8]) -> PushRequest {
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return unpack(&decompress(bytes, PUSH_BYTES_MAX).unwrap()).unwrap();
    }
    canonical::from_bytes(bytes, PUSH_BYTES_MAX).unwrap()
}

struct Shared {
    state: Mutex<State>,
    fault: Mutex<Option<Fault>>,
    stop: AtomicBool,
}

/// The HQ, listening.
pub(crate) struct ScriptedHq {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedHq {
    /// Starts an HQ that knows the device of `world`.
    pub(crate) fn of(world: &World) -> Self {
        use sync_model::cose::Signer;
        let state = State {
            keys: HqKeys::new(10),
            device_key: world.store().device_key().public(),
            nodes: Memory::default(),
            size: 0,
            held: BTreeMap::new(),
            blobs: BTreeMap::new(),
            complete: vec![],
            feed: vec![],
            asked: vec![],
            wanted: vec![],
            archived_seq: 0,
            policy: None,
            now: TEN,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            fault: Mutex::new(None),
            stop: AtomicBool::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.stop.load(Ordering::SeqCst) {
                    return;
                }
                serve(&served, stream.unwrap());
            }
        });
        Self { shared, address, thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Puts `fault` in front of every answer; `None` from it lets HQ answer rightly.
    pub(crate) fn fault(
        &self,
        fault: impl FnMut(&Request, &mut State) -> Option<Reply> + Send + 'static,
    ) {
        *self.shared.fault.lock().unwrap() = Some(Box::new(fault));
    }

    pub(crate) fn heal(&self) {
        *self.shared.fault.lock().unwrap() = None;
    }
}

impl Drop for ScriptedHq {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread; whether this reaches it or the listener is gone is the same.
        TcpStream::connect(self.address).ok();
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking(), "HQ found the device at fault");
    }
}

/// Answers one request and closes the connection.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let Some(request) = read(&stream) else { return };
    let reply = {
        let mut state = shared.state.lock().unwrap();
        state.asked.push(format!("{} {}", request.method, request.path));
        let wrong = match shared.fault.lock().unwrap().as_mut() {
            Some(fault) => fault(&request, &mut state),
            None => None,
        };
        wrong.unwrap_or_else(|| state.answer(&request))
    };
    let (status, bytes) = match reply {
        Reply::Body(bytes) => (200, bytes),
        Reply::Status(status, bytes) => (status, bytes),
        Reply::Raw(bytes) => {
            // The device may have hung up already; that is its right.
            stream.write_all(&bytes).ok();
            return;
        }
    };
    let length = bytes.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\n{HEADER_PROTOCOL}: 2\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes)).ok();
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}
