//! A small S3 on loopback: objects, ranges, multipart uploads, lists and deletes over real HTTP. It
//! wants a signature but does not check it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a fault makes of a request: a status instead of the answer.
type Fault = Box<dyn FnMut(&str, &str) -> Option<u16> + Send>;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    uploads: HashMap<String, BTreeMap<u32, Vec<u8>>>,
    pub(crate) multipart: usize,
    pub(crate) asked: usize,
    next: u32,
}

/// The store; it serves until the test ends.
pub(crate) struct S3 {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<Mutex<State>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl S3 {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let (served, faulty) = (Arc::clone(&state), Arc::clone(&fault));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, fault) = (Arc::clone(&served), Arc::clone(&faulty));
                std::thread::spawn(move || serve(&stream.unwrap(), &state, &fault));
            }
        });
        Self { address, state, fault }
    }

    pub(crate) fn place(&self, prefix: &str) -> String {
        format!("s3://evidence/{prefix}?endpoint=http://{}", self.address)
    }

    pub(crate) fn fault(&self, fault: impl FnMut(&str, &str) -> Option<u16> + Send + 'static) {
        *self.fault.lock().unwrap() = Some(Box::new(fault));
    }

    pub(crate) fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }
}

/// Answers requests on one connection until it ends.
fn serve(stream: &TcpStream, state: &Mutex<State>, fault: &Mutex<Option<Fault>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let wrong = fault.lock().unwrap().as_mut().and_then(|fault| fault(&method, &target));
        let (status, extra, answer) = match wrong {
            Some(status) => (status, String::new(), b"<Error><Code>Fault</Code></Error>".to_vec()),
            None if !headers.contains_key("authorization") => (403, String::new(), vec![]),
            None => answer(&mut state.lock().unwrap(), &method, &target, &headers, body),
        };
        let length = match answer.len() {
            0 if extra.contains("content-length") => String::new(),
            length => format!("content-length: {length}\r\n"),
        };
        let head = format!("HTTP/1.1 {status} X\r\n{length}{extra}\r\n");
        let mut stream = stream;
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer)).is_err() {
            return;
        }
    }
}

/// What every object says of itself.
const STAMP: &str = "last-modified: Tue, 24 Nov 2026 06:00:00 GMT\r\netag: \"e\"\r\n";

fn answer(
    state: &mut State,
    method: &str,
    target: &str,
    headers: &HashMap<String, String>,
    body: Vec<u8>,
) -> (u16, String, Vec<u8>) {
    state.asked += 1;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = path.trim_start_matches("/evidence").trim_start_matches('/').to_owned();
    let query: HashMap<&str, &str> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let xml = |text: String| (200, "content-type: application/xml\r\n".to_owned(), text.into());
    let plain = |status| (status, STAMP.to_owned(), vec![]);
    match method {
        "POST" if query.contains_key("uploads") => {
            state.next += 1;
            state.multipart += 1;
            let id = state.next.to_string();
            state.uploads.insert(id.clone(), BTreeMap::new());
            xml(format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        "PUT" if query.contains_key("uploadId") => {
            let number = query["partNumber"].parse().unwrap();
            state.uploads.get_mut(query["uploadId"]).unwrap().insert(number, body);
            plain(200)
        }
        "POST" if query.contains_key("uploadId") => {
            let parts = state.uploads.remove(query["uploadId"]).unwrap();
            let count = parts.len();
            for (place, part) in parts.values().enumerate() {
                assert!(place + 1 == count || part.len() >= 5 << 20, "S3 refuses such a part");
            }
            state.objects.insert(key, parts.into_values().collect::<Vec<_>>().concat());
            xml("<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>"
                .to_owned())
        }
        "DELETE" if query.contains_key("uploadId") => {
            state.uploads.remove(query["uploadId"]);
            plain(204)
        }
        "POST" if query.contains_key("delete") => xml(delete(state, &body)),
        "DELETE" => {
            state.objects.remove(&key);
            plain(204)
        }
        "PUT" => {
            state.objects.insert(key, body);
            plain(200)
        }
        "GET" if query.contains_key("list-type") => xml(list(state, query.get("prefix"))),
        _ => give(state, method, &key, headers.get("range")),
    }
}

fn delete(state: &mut State, body: &[u8]) -> String {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut answer = "<DeleteResult>".to_owned();
    for piece in text.split("<Key>").skip(1) {
        let name = piece.split("</Key>").next().unwrap();
        state.objects.remove(name);
        write!(answer, "<Deleted><Key>{name}</Key></Deleted>").unwrap();
    }
    answer + "</DeleteResult>"
}

fn list(state: &State, prefix: Option<&&str>) -> String {
    let prefix = prefix.map_or(String::new(), |text| text.replace("%2F", "/"));
    let mut answer = "<ListBucketResult>".to_owned();
    for (name, bytes) in state.objects.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        let size = bytes.len();
        write!(
            answer,
            "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>\"e\"</ETag>\
             <LastModified>2026-11-24T06:00:00.000Z</LastModified></Contents>"
        )
        .unwrap();
    }
    answer + "</ListBucketResult>"
}

fn give(state: &State, method: &str, key: &str, range: Option<&String>) -> (u16, String, Vec<u8>) {
    let plain = |status| (status, STAMP.to_owned(), vec![]);
    let Some(bytes) = state.objects.get(key) else { return plain(404) };
    let length = bytes.len();
    if method == "HEAD" {
        return (200, format!("{STAMP}content-length: {length}\r\n"), vec![]);
    }
    let range = range.and_then(|text| text.strip_prefix("bytes="));
    let Some((start, end)) = range.and_then(|range| range.split_once('-')) else {
        return (200, STAMP.to_owned(), bytes.clone());
    };
    let start: usize = start.parse().unwrap();
    if start >= length {
        return plain(416);
    }
    let end = end.parse().map_or(length, |end: usize| length.min(end + 1));
    let range = format!("{STAMP}content-range: bytes {start}-{}/{length}\r\n", end - 1);
    (206, range, bytes[start..end].to_vec())
}
