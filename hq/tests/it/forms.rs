//! Every form of a body ever released is taken; hostile ones are refused within bounds.

use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::record::Record;
use sync_model::wire::encoding::{compress, decompress};
use sync_model::wire::feed::FeedPage;
use sync_model::wire::pack::{MEDIA_PACKED, pack};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{PushRequest, Receipt};
use sync_model::wire::{HEADER_PROTOCOL, MEDIA_CBOR, PUSH_BYTES_MAX};

use crate::support::World;
use crate::support::device::Device;
use crate::support::http::Reply;

fn request(records: &[Record]) -> PushRequest {
    let records = records.iter().map(|record| ByteBuf::from(record.bytes.clone())).collect();
    PushRequest { records, seen_size: None }
}

fn send(device: &Device, media: &str, encoding: &str, body: &[u8]) -> Reply {
    let headers = [("content-type", media.to_owned()), ("content-encoding", encoding.to_owned())];
    device.call("POST", "/push", &headers, body)
}

#[test]
fn every_form_of_a_push_gets_the_same_receipt() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let records: Vec<Record> = (0..20).map(|_| device.any()).collect();
    let mut plain: Receipt = device.push(&records).ok();
    // The word names the request, which differs.
    plain.word = None;
    let bytes = canonical::to_bytes(&request(&records)).unwrap();
    let packed = pack(&request(&records)).unwrap();
    let forms = [
        send(&device, MEDIA_CBOR, "identity", &bytes),
        send(&device, MEDIA_CBOR, "zstd", &compress(&bytes, 0, false).unwrap()),
        send(&device, MEDIA_PACKED, "identity", &packed.bytes),
        send(&device, MEDIA_PACKED, "zstd", &compress(&packed.bytes, 0, false).unwrap()),
        send(
            &device,
            MEDIA_PACKED,
            "zstd",
            &compress(&packed.bytes, packed.compressible, true).unwrap(),
        ),
    ];
    for reply in forms {
        assert_eq!(reply.header(HEADER_PROTOCOL).as_deref(), Some("2"));
        assert_eq!(Receipt { word: None, ..reply.ok() }, plain);
    }
    assert_eq!(world.hq().counts().unwrap().records, 20);
}

#[test]
fn what_hq_does_not_know_is_named_so_and_the_plain_form_still_goes() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let record = device.any();
    let bytes = canonical::to_bytes(&request(&[record])).unwrap();
    let mut later = compress(&bytes, 0, true).unwrap();
    // Another dictionary, by its id in the frame (RFC 8878 §3.1.1.1.3).
    let at = later.windows(2).position(|id| id == 32_769_u16.to_le_bytes()).unwrap();
    later[at..at + 2].copy_from_slice(&32_770_u16.to_le_bytes());
    for reply in [
        send(&device, "application/vnd.later", "identity", &bytes),
        send(&device, MEDIA_CBOR, "br", &bytes),
        send(&device, MEDIA_CBOR, "zstd", &later),
    ] {
        assert_eq!(reply.problem().code, ProblemCode::Unsupported);
        assert_eq!(reply.status, 415);
    }
    let broken = send(&device, MEDIA_PACKED, "zstd", b"no frame");
    assert_eq!(broken.problem().code, ProblemCode::Malformed);
    let broken = send(&device, MEDIA_PACKED, "identity", &bytes);
    assert_eq!(broken.problem().code, ProblemCode::Malformed);
    device.push(&device.records).ok::<Receipt>();
}

#[test]
fn a_bomb_is_too_large_and_takes_no_memory() {
    let world = World::start();
    let device = Device::enroll(&world);
    // 128 MiB in some 8 KiB, which no limit on what arrives would stop.
    let zeros = vec![0; 1 << 27];
    let bomb = compress(&zeros, 0, false).unwrap();
    drop(zeros);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let before = resident_kib();
    for _ in 0..8 {
        let reply = send(&device, MEDIA_PACKED, "zstd", &bomb);
        assert_eq!(reply.problem().code, ProblemCode::TooLarge);
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB more");
    // Small once opened, many times larger once unpacked: the same answer.
    let same = vec![vec![7; PUSH_BYTES_MAX / 8]; 9].into_iter().map(ByteBuf::from).collect();
    let packed = pack(&PushRequest { records: same, seen_size: None }).unwrap();
    let small = compress(&packed.bytes, 0, false).unwrap();
    assert_eq!(send(&device, MEDIA_PACKED, "zstd", &small).problem().code, ProblemCode::TooLarge);
}

/// Memory resident now.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn nothing_is_opened_before_its_sender_is_known() {
    let world = World::start();
    let device = Device::enroll(&world);
    let signed = compress(&vec![0; 1 << 20], 0, false).unwrap();
    let headers = [
        ("content-type", MEDIA_PACKED.to_owned()),
        ("content-encoding", "zstd".to_owned()),
        (
            sync_model::wire::HEADER_REQUEST,
            crate::support::device::statement(
                Some(device.id),
                &device.key,
                "POST",
                "/sync/v1/push",
                &signed,
            ),
        ),
    ];
    // Signed for what it is when opened, or for other bytes: neither is the body that was sent.
    let mut other = signed.clone();
    *other.last_mut().unwrap() ^= 1;
    for body in [other, vec![0; 1 << 20], b"garbage".to_vec()] {
        let reply =
            crate::support::http::send(world.address(), "POST", "/sync/v1/push", &headers, &body);
        assert_eq!(reply.problem().code, ProblemCode::NotAuthentic);
    }
}

#[test]
fn an_old_device_is_fed_or_told_to_update_and_its_records_are_always_taken() {
    let world = World::start();
    let mut device = Device::enroll(&world);
    let old = [(HEADER_PROTOCOL, "0-0".to_owned())];
    let reply = device.call("GET", "/feed?after=0&limit=5", &old, &[]);
    assert_eq!((reply.status, reply.problem().code), (426, ProblemCode::TooOld));
    let record = device.any();
    let bytes = canonical::to_bytes(&request(&[record])).unwrap();
    device.call("POST", "/push", &old, &bytes).ok::<Receipt>();
    for range in ["1", "1-1", "1-2", "2-9"] {
        let spoken = [(HEADER_PROTOCOL, range.to_owned())];
        device.call("GET", "/feed?after=0&limit=5", &spoken, &[]).ok::<FeedPage>();
    }
    let nonsense = [(HEADER_PROTOCOL, "new".to_owned())];
    let reply = device.call("GET", "/feed?after=0&limit=5", &nonsense, &[]);
    assert_eq!(reply.problem().code, ProblemCode::Malformed);
}

#[test]
fn large_answers_are_compressed_for_whoever_reads_that() {
    let world = World::start();
    let rulebook = include_str!("../../../assets/rulebook/sample.json");
    let codes = hq::practice::seed(world.hq(), rulebook).unwrap();
    let device = Device::enroll_with(&world, &codes.enrollment_code);
    let path = "/feed?after=0&limit=200";
    let plain = device.call("GET", path, &[], &[]);
    assert_eq!(plain.header("content-encoding"), None);
    for asked in ["zstd", "gzip, zstd;q=0.5"] {
        let small = device.call("GET", path, &[("accept-encoding", asked.to_owned())], &[]);
        assert_eq!(small.header("content-encoding").as_deref(), Some("zstd"));
        assert!(small.body.len() * 3 < plain.body.len(), "{} bytes", small.body.len());
        assert_eq!(decompress(&small.body, 16 << 20).unwrap(), plain.body);
    }
    let refused = device.call("GET", path, &[("accept-encoding", "zstd;q=0".to_owned())], &[]);
    assert_eq!(refused.header("content-encoding"), None);
}

#[test]
fn a_request_sent_again_by_somebody_else_changes_nothing_and_tells_nothing_new() {
    use crate::support::device::statement;
    use crate::support::http::send;
    let world = World::start();
    let mut device = Device::enroll(&world);
    let file = b"a photograph".to_vec();
    let record = device.cite(&[&file]);
    let push = canonical::to_bytes(&request(&[record])).unwrap();
    let name = sync_model::hash::Hash::of(&file);
    let chunk = format!("/sync/v1/blobs/{name}");
    let asked = [
        ("POST", "/sync/v1/push".to_owned(), vec![], push),
        (
            "PATCH",
            chunk,
            vec![
                (sync_model::wire::HEADER_OFFSET, "0".to_owned()),
                (sync_model::wire::HEADER_LENGTH, file.len().to_string()),
                (sync_model::wire::HEADER_CHUNK_SHA256, name.hex()),
            ],
            file.clone(),
        ),
        ("GET", "/sync/v1/feed?after=0&limit=9".to_owned(), vec![], vec![]),
    ];
    let mut first = Vec::new();
    for (method, path, headers, body) in &asked {
        let signed = statement(Some(device.id), &device.key, method, path, body);
        let mut headers = headers.clone();
        headers.push((sync_model::wire::HEADER_REQUEST, signed));
        let reply = send(world.address(), method, path, &headers, body);
        assert_eq!(reply.status, 200);
        first.push((method, path, headers, body, reply.body));
    }
    let held = world.hq().counts().unwrap();
    for (method, path, headers, body, told) in first {
        let reply = send(world.address(), method, path, &headers, body);
        assert_eq!(reply.status, 200, "{method} {path}");
        if path.ends_with("/push") {
            // The file has come since; the records stand where they stood.
            let told: Receipt = canonical::from_bytes(&told, 1 << 20).unwrap();
            let again: Receipt = reply.ok();
            assert_eq!((&again.runs, &again.checkpoint), (&told.runs, &told.checkpoint));
        } else {
            assert_eq!(reply.body, told, "{method} {path}");
        }
        // It is good for nothing but exactly itself.
        let elsewhere = send(world.address(), "GET", "/sync/v1/feed?after=1", &headers, &[]);
        assert_eq!(elsewhere.problem().code, ProblemCode::NotAuthentic);
    }
    assert_eq!(world.hq().counts().unwrap(), held);
}
