//! A blocking HTTP/1.1 client of one request per connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;
use sync_model::canonical;
use sync_model::wire::problem::Problem;

/// A reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{:?}", self.maybe_problem());
        canonical::from_bytes(&self.body, 32 << 20).unwrap()
    }

    pub(crate) fn problem(&self) -> Problem {
        let problem = self.maybe_problem().expect("a problem");
        assert_eq!(self.status, problem.status());
        problem
    }

    pub(crate) fn maybe_problem(&self) -> Option<Problem> {
        canonical::from_bytes(&self.body, 1 << 20).ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// Sends one request and reads its reply.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> Reply {
    try_send(address, method, path, headers, body).unwrap()
}

/// Sends one request; an error if no whole head of a reply came back.
pub(crate) fn try_send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: hq\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    // HQ may answer and close before it has read a body that is too large.
    stream.write_all(body).ok();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| io::Error::other(format!("no reply: {read:?}")))?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    let reply = Reply { status, head, body };
    let stated = reply.header("content-length").and_then(|length| length.parse().ok());
    if stated.is_some_and(|stated: usize| stated != reply.body.len()) {
        return Err(io::Error::other("reply was cut"));
    }
    Ok(reply)
}
