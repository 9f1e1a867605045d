//! A proxy between one device and HQ that loses, tears or replaces an exchange when told to.
//!
//! Every connection carries one exchange, so that a fault hits the request it was meant for and no
//! pooled connection is left half-used.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// No exchange of a test takes longer; a proxy that waits for ever would hide a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before anything is read.
    Refused,
    /// Half of the request reaches HQ, then the line is cut.
    RequestLost,
    /// HQ answers in full; nothing of it reaches the device.
    ReplyLost,
    /// HQ answers in full; half of the body reaches the device.
    ReplyTorn,
    /// HQ answers in full; half of the header reaches the device.
    HeaderTorn,
    /// HQ never sees it; a server error page comes back.
    Answer500,
    /// HQ never sees it; somebody in between asks to come back later.
    Answer429,
    /// HQ never sees it; 200 with bytes that are no CBOR.
    AnswerGarbage,
    /// HQ never sees it; 200 with well-formed CBOR of another type.
    AnswerForeign,
    /// HQ dies while it works on the request.
    HqDies,
}

struct Plan {
    path: String,
    skip: usize,
    fault: Fault,
    for_ever: bool,
}

struct Shared {
    target: Mutex<Option<SocketAddr>>,
    plan: Mutex<Option<Plan>>,
    hits: Mutex<usize>,
    kill_hq: Mutex<Box<dyn FnMut() + Send>>,
    stopped: Mutex<bool>,
}

/// A running proxy; dropping it stops it.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts on a free port; `kill_hq` is what [`Fault::HqDies`] does.
    pub fn start(target: SocketAddr, kill_hq: impl FnMut() + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(Some(target)),
            plan: Mutex::new(None),
            hits: Mutex::new(0),
            kill_hq: Mutex::new(Box::new(kill_hq)),
            stopped: Mutex::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *served.stopped.lock().unwrap() {
                    return;
                }
                let shared = Arc::clone(&served);
                let stream = stream.unwrap();
                // A broken pipe is what half of the faults are about.
                std::thread::spawn(move || exchange(stream, &shared).ok());
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends what comes from now on to another address, as after a restart of HQ.
    pub fn retarget(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = Some(target);
    }

    /// Breaks the next request whose path contains `path`, after `skip` good ones.
    pub fn fail_once(&self, path: &str, skip: usize, fault: Fault) {
        self.plan(path, skip, fault, false);
    }

    /// Breaks every request until [`Proxy::pass`].
    pub fn fail_all(&self, fault: Fault) {
        self.plan("/", 0, fault, true);
    }

    /// Lets everything through.
    pub fn pass(&self) {
        *self.shared.plan.lock().unwrap() = None;
    }

    /// Returns how many exchanges were broken so far.
    pub fn hits(&self) -> usize {
        *self.shared.hits.lock().unwrap()
    }

    fn plan(&self, path: &str, skip: usize, fault: Fault, for_ever: bool) {
        let plan = Plan { path: path.to_owned(), skip, fault, for_ever };
        *self.shared.plan.lock().unwrap() = Some(plan);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *self.shared.stopped.lock().unwrap() = true;
        // Wakes the accepting thread.
        TcpStream::connect(self.address).ok();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Shared {
    fn fault_for(&self, path: &str) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let found = plan.as_mut()?;
        if !path.contains(&found.path) {
            return None;
        }
        if found.skip > 0 {
            found.skip -= 1;
            return None;
        }
        let fault = found.fault;
        if !found.for_ever {
            *plan = None;
        }
        *self.hits.lock().unwrap() += 1;
        Some(fault)
    }
}

/// A request as read from the device.
struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    fn path(&self) -> String {
        let text = String::from_utf8_lossy(&self.head).into_owned();
        text.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// Returns the bytes for HQ, asking for the connection to be closed after the answer.
    fn to_hq(&self) -> Vec<u8> {
        let line = self.head.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let (first, rest) = self.head.split_at(line);
        [first, b"connection: close\r\n", rest, &self.body].concat()
    }
}

fn exchange(mut device: TcpStream, shared: &Shared) -> std::io::Result<()> {
    device.set_read_timeout(Some(PATIENCE))?;
    let Some(request) = read_request(&mut device)? else { return Ok(()) };
    let fault = shared.fault_for(&request.path());
    let bytes = request.to_hq();
    let reply = match fault {
        Some(Fault::Refused) => return Ok(()),
        Some(Fault::Answer500) => canned("500 Internal Server Error", b"<h1>Bad Gateway</h1>"),
        Some(Fault::Answer429) => canned("429 Too Many Requests", b"slow down"),
        Some(Fault::AnswerGarbage) => canned("200 OK", b"\xff\xfe this is no answer \x00"),
        // {"ok": true} in CBOR.
        Some(Fault::AnswerForeign) => canned("200 OK", b"\xa1\x62ok\xf5"),
        Some(Fault::RequestLost) => {
            let half = bytes.len() - request.body.len().div_ceil(2).max(2);
            connect(shared)?.write_all(&bytes[..half])?;
            return Ok(());
        }
        Some(Fault::HqDies) => {
            let mut hq = connect(shared)?;
            hq.write_all(&bytes)?;
            (shared.kill_hq.lock().unwrap())();
            return Ok(());
        }
        Some(Fault::ReplyLost | Fault::ReplyTorn | Fault::HeaderTorn) | None => {
            let mut hq = connect(shared)?;
            hq.write_all(&bytes)?;
            let mut reply = Vec::new();
            hq.read_to_end(&mut reply)?;
            reply
        }
    };
    let header = reply.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    let shown = match fault {
        Some(Fault::ReplyLost) => 0,
        Some(Fault::HeaderTorn) => header / 2,
        Some(Fault::ReplyTorn) => header + (reply.len() - header) / 2,
        _ => reply.len(),
    };
    device.write_all(&reply[..shown])
}

fn connect(shared: &Shared) -> std::io::Result<TcpStream> {
    let target = shared.target.lock().unwrap().ok_or(std::io::ErrorKind::ConnectionRefused)?;
    let hq = TcpStream::connect(target)?;
    hq.set_read_timeout(Some(PATIENCE))?;
    Ok(hq)
}

fn canned(status: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Reads head and body, or `None` if the connection was only opened.
fn read_request(device: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let (head, body) = bytes.split_at(at + 4);
            if body.len() >= content_length(head) {
                return Ok(Some(Request { head: head.to_vec(), body: body.to_vec() }));
            }
        }
        let read = device.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let line =
        text.lines().find_map(|line| line.strip_prefix("content-length:").map(str::to_owned));
    line.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}
