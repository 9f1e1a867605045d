//! Clients that mean harm, over real sockets: each gets a named problem or a closed line, honest
//! devices go on meanwhile, and nothing acknowledged is lost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use sync_model::canonical;
use sync_model::cose::Signer;
use sync_model::hash::Hash;
use sync_model::record::Record;
use sync_model::wire::problem::{Problem, ProblemCode};
use sync_model::wire::push::Receipt;
use sync_model::wire::{HEADER_CHUNK_SHA256, HEADER_LENGTH, HEADER_OFFSET};

use crate::support::World;
use crate::support::device::{Device, key};

/// An honest device at work beside the hostile ones.
struct Honest(Device);

impl Honest {
    fn at(world: &World) -> Self {
        Self(Device::enroll(world))
    }

    /// Makes one record and gets a receipt that holds, for it and for all before it.
    fn works(&mut self) {
        self.0.any();
        let receipt: Receipt = self.0.push(&self.0.records).ok();
        let places = self.0.verify(&receipt, &self.0.records);
        assert_eq!(places.len(), self.0.records.len());
    }
}

/// Sends bytes as they are and returns what comes back until the line is closed or `wait` is over.
fn raw(address: SocketAddr, bytes: &[u8], wait: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    // HQ may close before it has read everything.
    stream.write_all(bytes).ok();
    let (until, mut reply, mut buffer) = (Instant::now() + wait, Vec::new(), [0; 4096]);
    while Instant::now() < until {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => reply.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                if !reply.is_empty() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    reply
}

fn status(reply: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(reply.get(..reply.len().min(64))?).into_owned();
    line.split(' ').nth(1)?.parse().ok()
}

/// `{"records": …}` around any bytes of CBOR.
fn around(value: &[u8]) -> Vec<u8> {
    [b"\xa1\x67records", value].concat()
}

#[test]
fn cbor_that_is_not_strict_is_malformed_however_it_is_signed() {
    let world = World::start();
    let mut honest = Honest::at(&world);
    let mut device = Device::enroll(&world);
    let record = device.any().bytes;
    let bytes = canonical::to_bytes(&serde_bytes::ByteBuf::from(record)).unwrap();
    let list = [b"\x81", bytes.as_slice()].concat();
    let twice = [b"\xa2\x67records", list.as_slice(), b"\x67records", list.as_slice()].concat();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("a key twice", twice),
        ("an array without length", around(&[b"\x9f", bytes.as_slice(), b"\xff"].concat())),
        ("bytes without length", around(b"\x81\x5f\x41\x00\xff")),
        ("a map without length", [b"\xbf\x67records", list.as_slice(), b"\xff"].concat()),
        ("10,000 arrays in each other", around(&[vec![0x81; 10_000], vec![0]].concat())),
        ("10,000 maps in each other", around(&[b"\xa1\x60".repeat(10_000), vec![0]].concat())),
        ("10,000 tags on each other", around(&[vec![0xc0; 10_000], vec![0]].concat())),
        ("2^62 elements promised", around(b"\x9b\x3f\xff\xff\xff\xff\xff\xff\xff")),
        ("2^62 bytes promised", around(b"\x81\x5b\x3f\xff\xff\xff\xff\xff\xff\xff")),
        ("a length in more bytes than it needs", around(&[b"\x98\x01", bytes.as_slice()].concat())),
        ("a float", around(b"\x81\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00")),
        ("text that is no UTF-8", around(b"\x81\x62\xff\xfe")),
        ("a negative number", around(b"\x20")),
        ("two values", [around(&list), vec![0x00]].concat()),
        ("zeros", vec![0; 100_000]),
    ];
    for (what, body) in &bodies {
        let began = Instant::now();
        let problem = device.call("POST", "/push", &[], body).problem();
        assert_eq!(problem.code, ProblemCode::Malformed, "{what}: {problem:?}");
        assert!(!problem.message.is_empty(), "{what}: says nothing");
        assert!(began.elapsed() < Duration::from_secs(5), "{what} took {:?}", began.elapsed());
        let asked = device.call("POST", "/blobs/need", &[], body).problem();
        assert_eq!(asked.code, ProblemCode::Malformed, "{what}");
    }
    honest.works();
    // What it did not get through was never its record: that still goes.
    device.push(&device.records).ok::<Receipt>();
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.quarantined, counts.forks), (2, 0, 0));
    world.hq().verify_log().unwrap();
}

#[test]
fn chains_that_skip_repeat_or_fork_and_strange_keys_are_named_and_harm_nobody() {
    let world = World::start();
    let mut honest = Honest::at(&world);
    let mut device = Device::enroll(&world);
    let records: Vec<Record> = (0..4).map(|_| device.any()).collect();
    honest.works();
    device.push(&records[..1]).ok::<Receipt>();

    let skips = device.push(&records[2..3]).problem();
    assert_eq!((skips.code, skips.expected_seq), (ProblemCode::Gap, Some(2)));
    honest.works();

    let repeats = [records[1].clone(), records[1].clone(), records[2].clone()];
    let repeats = device.push(&repeats).problem();
    assert_eq!(repeats.code, ProblemCode::Gap, "{repeats:?}");
    honest.works();

    let backwards: Vec<Record> = records.iter().rev().cloned().collect();
    assert_eq!(device.push(&backwards).problem().code, ProblemCode::Gap);
    device.push(&records).ok::<Receipt>();

    let mut other = records[3].envelope.clone();
    other.salt = [9; 16];
    let fork = Record::seal(other, &device.key).unwrap();
    let forked = device.push(&[fork]).problem();
    assert_eq!((forked.code, forked.seq), (ProblemCode::Fork, Some(4)));
    honest.works();

    // The last place there is, and the place before the first.
    for seq in [u64::MAX, 0] {
        let mut strange = records[3].envelope.clone();
        strange.seq = seq;
        let Ok(strange) = Record::seal(strange, &device.key) else { continue };
        let problem = device.push(&[strange]).problem();
        let named = matches!(
            problem.code,
            ProblemCode::Gap | ProblemCode::BadRecord | ProblemCode::Malformed
        );
        assert!(named, "seq {seq}: {problem:?}");
    }
    // A key that HQ never saw: in the record, and for the request.
    let next = device.any();
    let unknown = Record::seal(next.envelope.clone(), &key()).unwrap();
    assert_eq!(device.push(&[unknown]).problem().code, ProblemCode::BadRecord);
    let stranger = Device { key: key(), ..Device::enroll(&world) };
    assert_ne!(stranger.key.public(), device.key.public());
    assert_eq!(stranger.push(&[]).problem().code, ProblemCode::NotAuthentic);
    honest.works();

    world.hq().revoke(device.id).unwrap();
    assert_eq!(device.push(&[next]).problem().code, ProblemCode::Revoked);
    honest.works();
    // The fork stands beside the log, what nobody can attribute is kept, what was held is held.
    let counts = world.hq().counts().unwrap();
    assert_eq!(counts.records, 4 + honest.0.records.len() as u64);
    assert!(counts.forks == 1 && counts.quarantined >= 2, "{counts:?}");
    for record in records.iter().chain(&honest.0.records) {
        assert_eq!(world.hq().record(&record.hash).unwrap().as_ref(), Some(&record.bytes));
    }
    world.hq().verify_log().unwrap();
}

#[test]
fn numbers_that_are_none_and_files_that_are_others_are_named() {
    let world = World::start();
    let mut honest = Honest::at(&world);
    let mut device = Device::enroll(&world);
    let file = vec![7; 10_000];
    let name = Hash::of(&file);
    device.cite(&[&file]);
    device.push(&device.records).ok::<Receipt>();
    let chunk = &file[..100];
    let path = format!("/blobs/{name}");
    let numbers =
        ["-1", "18446744073709551616", "99999999999999999999999", "1e3", "", " ", "0x10", "１２"];
    for number in numbers {
        for bent in [HEADER_OFFSET, HEADER_LENGTH] {
            let value = |header: &str, right: &str| {
                if header == bent { number.to_owned() } else { right.to_owned() }
            };
            // Beyond ASCII a header cannot be sent; the digits of another script are none.
            if !number.is_ascii() {
                continue;
            }
            let headers = [
                (HEADER_OFFSET, value(HEADER_OFFSET, "0")),
                (HEADER_LENGTH, value(HEADER_LENGTH, "10000")),
                (HEADER_CHUNK_SHA256, Hash::of(chunk).hex()),
            ];
            let problem = device.call("PATCH", &path, &headers, chunk).problem();
            let named = matches!(problem.code, ProblemCode::Malformed | ProblemCode::TooLarge);
            assert!(named, "{bent} {number:?}: {problem:?}");
        }
    }
    let far = device.chunk_of(&name, 10_000, usize::MAX, chunk, &Hash::of(chunk)).problem();
    assert_eq!((far.code, far.expected_offset), (ProblemCode::BadOffset, Some(0)));
    let long = vec![7; 10_001];
    let beyond = device.chunk_of(&name, 10_000, 0, &long, &Hash::of(&long)).problem();
    assert_eq!(beyond.code, ProblemCode::Malformed);
    // Chunk for chunk what was signed, and as a whole another file.
    let other = vec![8; 10_000];
    let whole = device.chunk_of(&name, 10_000, 0, &other, &Hash::of(&other)).problem();
    assert_eq!(whole.code, ProblemCode::BadDigest);
    for path in ["/blobs/zz", "/blobs/..%2f..%2fkeys%2flog.key", "/blobs/", "/blobs/%00"] {
        let reply = device.call("GET", path, &[], &[]);
        assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
    }
    for query in ["after=-1", "after=99999999999999999999", "limit=-5", "after=0&limit=99999999999"]
    {
        let reply = device.call("GET", &format!("/feed?{query}"), &[], &[]);
        assert!(reply.status == 200 || (400..500).contains(&reply.status), "{query}");
    }
    honest.works();
    // The right file arrives after all.
    device.upload(&file, 4096);
    let receipt: Receipt = device.push(&[]).ok();
    assert!(receipt.wanted.is_empty());
    world.hq().verify_log().unwrap();
}

#[test]
fn requests_that_are_none_are_refused_or_cut_and_honest_devices_go_on() {
    let world = World::start();
    let mut honest = Honest::at(&world);
    let post = "POST /sync/v1/push HTTP/1.1\r\nhost: hq\r\n";
    let flood: String = (0..20_000).map(|number| format!("x-{number}: {number}\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(2 << 20));
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("a negative length", format!("{post}content-length: -1\r\n\r\n").into()),
        ("a length that is no number", format!("{post}content-length: ten\r\n\r\n").into()),
        (
            "a length beyond all numbers",
            format!("{post}content-length: 99999999999999999999999\r\n\r\n").into(),
        ),
        ("two lengths", format!("{post}content-length: 1\r\ncontent-length: 2\r\n\r\nab").into()),
        ("20,000 headers", format!("{post}{flood}\r\n").into()),
        ("a header of two megabytes", format!("{post}{long}\r\n").into()),
        ("a path of a megabyte", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20)).into()),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20)),
        ("another version", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
        ("a body over the limit", format!("{post}content-length: 4294967296\r\n\r\n").into()),
        (
            "a chunk of nonsense length",
            format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n").into(),
        ),
    ];
    for (what, bytes) in &requests {
        let reply = raw(world.address(), bytes, Duration::from_secs(10));
        let refused = status(&reply).is_none_or(|status| (400..600).contains(&status));
        assert!(refused, "{what}: {}", String::from_utf8_lossy(&reply));
        honest.works();
    }
    // More bytes than were promised belong to no request: the first stands alone.
    let extra =
        format!("{post}content-length: 3\r\nconnection: close\r\n\r\nabcGET / HTTP/1.1\r\n\r\n");
    let reply = raw(world.address(), extra.as_bytes(), Duration::from_secs(10));
    let unsigned = Problem::new(ProblemCode::NotAuthentic, "").status();
    assert_eq!(status(&reply), Some(unsigned));
    honest.works();
    world.hq().verify_log().unwrap();
}

#[test]
fn a_hundred_half_requests_that_fall_silent_keep_nobody_waiting() {
    let world = World::start();
    let mut honest = Honest::at(&world);
    let halves: [&[u8]; 4] = [
        b"",
        b"POST /sync/v1/pu",
        b"POST /sync/v1/push HTTP/1.1\r\nhost: hq\r\n",
        b"POST /sync/v1/push HTTP/1.1\r\nhost: hq\r\ncontent-length: 1000\r\n\r\nhalf",
    ];
    let silent: Vec<TcpStream> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(world.address()).unwrap();
            stream.write_all(halves[number % halves.len()]).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    for _ in 0..5 {
        honest.works();
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Those who hang up in the middle leave nothing behind.
    drop(silent);
    honest.works();
    let counts = world.hq().counts().unwrap();
    assert_eq!((counts.records, counts.quarantined), (6, 0));
}

#[test]
fn every_problem_a_hostile_client_gets_is_cbor_with_a_name() {
    let world = World::start();
    let device = Device::enroll(&world);
    let calls = [
        ("POST", "/push", b"x".as_slice()),
        ("DELETE", "/push", b""),
        ("GET", "/nothing", b""),
        ("POST", "/enroll", b"\xa0"),
        ("POST", "/activate", b"\xff"),
        ("PATCH", "/blobs/00", b""),
    ];
    for (method, path, body) in calls {
        let reply = device.call(method, path, &[], body);
        let problem: Problem = canonical::from_bytes(&reply.body, 1 << 16).unwrap();
        assert_eq!(problem.status(), reply.status, "{method} {path}");
        assert!(!problem.message.is_empty() && reply.status >= 400, "{method} {path}");
    }
}
