//! The server under people who mean it harm, under too many who do not, and when it is told to stop.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hq::{Config, Limits};
use sync_model::wire::push::Receipt;

use crate::support::device::Device;
use crate::support::http::send;
use crate::support::{World, put};

/// Half-open connections in all: what the system lets one process hold, both ends being here.
const MANY: usize = 10_000;

fn small(limits: Limits) -> World {
    World::start_with(move |config: &mut Config| config.limits = limits.clone())
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn raise_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(wanted);
    limit.current = Some(wanted.min(most));
    setrlimit(Resource::Nofile, limit).unwrap();
    wanted.min(most)
}

/// Waits until HQ has closed the connection; says whether it did so in time.
fn is_cut(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn ten_thousand_half_open_connections_keep_no_device_out() {
    let files = raise_files(2 * MANY as u64 + 6_000);
    let count = MANY.min((files as usize).saturating_sub(6_000));
    println!("half-open connections: {count} (the system allows {files} files)");
    assert!(count >= 1_000, "too few files for this test to mean anything");
    let world = small(Limits { per_address: usize::MAX, ..Limits::default() });
    let mut device = Device::enroll(&world);
    device.any();
    let before = resident_kib();
    let address = world.address();
    let mut held = Vec::with_capacity(count);
    let mut slowest = Duration::ZERO;
    for nth in 0..count {
        let mut stream = TcpStream::connect(address).unwrap();
        if nth % 2 == 0 {
            // Half a head, and never the rest. HQ may have cut it for those that came after.
            stream.write_all(b"POST /sync/v1/push HTTP/1.1\r\nhost: h").ok();
        }
        held.push(stream);
        if nth % 500 == 499 {
            let started = Instant::now();
            device.any();
            device.push(&device.records).ok::<Receipt>();
            slowest = slowest.max(started.elapsed());
        }
    }
    let grown = resident_kib().saturating_sub(before);
    println!("slowest push among them {} ms, memory +{grown} KiB", slowest.as_millis());
    // Both ends of each connection are in this process.
    assert!(grown < 160 * 1024, "{grown} KiB");
    assert!(is_cut(&mut held[0], Duration::from_secs(1)), "the quietest made room");
    drop(held);
    device.push(&device.records).ok::<Receipt>();
}

#[test]
fn one_address_gets_its_share_and_the_quietest_of_it_goes_first() {
    let world = small(Limits { per_address: 4, ..Limits::default() });
    let mut held: Vec<_> = (0..6).map(|_| TcpStream::connect(world.address()).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert!(is_cut(&mut held[0], Duration::from_secs(2)));
    assert!(is_cut(&mut held[1], Duration::from_secs(2)));
    assert!(!is_cut(&mut held[5], Duration::from_millis(200)));
    assert_eq!(send(world.address(), "GET", "/health", &[], &[]).status, 200);
}

/// Sends a byte now and then until HQ has had enough; returns how long that took.
fn drip(address: SocketAddr, head: &[u8]) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut answer = [0; 4096];
    while started.elapsed() < Duration::from_secs(40) {
        if stream.write_all(b"a").is_err() {
            break;
        }
        match stream.read(&mut answer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break,
        }
    }
    started.elapsed()
}

#[test]
fn who_sends_letter_by_letter_is_cut() {
    let world = World::start();
    let address = world.address();
    let device = Device::enroll(&world);
    let body = format!(
        "POST /sync/v1/push HTTP/1.1\r\nhost: hq\r\n{}: {}\r\ncontent-length: 4000\r\n\r\n",
        sync_model::wire::HEADER_REQUEST,
        crate::support::device::statement(
            Some(device.id),
            &device.key,
            "POST",
            "/sync/v1/push",
            b"x"
        ),
    );
    let heads = [
        // A head that never ends; one of HTTP/2 that stops after its preface; nothing but letters;
        // a body.
        b"GET /health HTTP/1.1\r\nx-a: ".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"".to_vec(),
        body.into_bytes(),
    ];
    std::thread::scope(|scope| {
        let senders: Vec<_> =
            heads.iter().map(|head| scope.spawn(move || drip(address, head))).collect();
        for (sender, head) in senders.into_iter().zip(&heads) {
            let took = sender.join().unwrap();
            let what = String::from_utf8_lossy(head).chars().take(20).collect::<String>();
            assert!(took < Duration::from_secs(20), "{what:?} was borne for {took:?}");
        }
    });
    assert_eq!(send(address, "GET", "/health", &[], &[]).status, 200);
}

#[test]
fn heads_without_end_are_refused() {
    let world = World::start();
    let many: Vec<_> = (0..200).map(|_| ("x-many", "1".to_owned())).collect();
    assert_eq!(send(world.address(), "GET", "/health", &many, &[]).status, 431);
    let long = format!("/{}", "a".repeat(100_000));
    let status = send(world.address(), "GET", &long, &[], &[]).status;
    assert!(matches!(status, 414 | 431), "{status}");
}

#[test]
fn a_shutdown_answers_what_is_under_way() {
    let mut world = World::start();
    let mut device = Device::enroll(&world);
    device.any();
    let address = world.address();
    let body = sync_model::canonical::to_bytes(&sync_model::wire::push::PushRequest {
        records: vec![serde_bytes::ByteBuf::from(device.records[0].bytes.clone())],
        seen_size: None,
    })
    .unwrap();
    let statement = crate::support::device::statement(
        Some(device.id),
        &device.key,
        "POST",
        "/sync/v1/push",
        &body,
    );
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /sync/v1/push HTTP/1.1\r\nhost: hq\r\n{}: {statement}\r\ncontent-length: {}\r\n\r\n",
        sync_model::wire::HEADER_REQUEST,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() / 2]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let running = world.running.take().unwrap();
    let stopping = std::thread::spawn(move || running.shutdown());
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(&body[body.len() / 2..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    stopping.join().unwrap();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn metrics_are_for_this_machine_and_name_nobody() {
    let world = World::start_with(|config: &mut Config| {
        config.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    });
    let mut device = Device::enroll(&world);
    device.any();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    assert_eq!(device.push_bytes(vec![b"no record".to_vec()]).status, 422);
    let get = |headers: &[(&str, String)]| send(world.address(), "GET", "/metrics", headers, &[]);
    let text = String::from_utf8(get(&[]).body).unwrap();
    for line in [
        "xunzheng_hq_pushes_total 1",
        "xunzheng_hq_records_total 2",
        "xunzheng_hq_refusals_total{code=\"bad_record\"} 1",
        "xunzheng_hq_requests_total{route=\"/sync/v1/push\",status=\"200\"} 1",
        "xunzheng_hq_commit_seconds_count 1",
        "xunzheng_hq_commit_group_bucket{le=\"1.0\"} ",
        "# EOF",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    let groups = text.lines().find_map(|line| line.strip_prefix("xunzheng_hq_commit_group_count "));
    assert!(groups.is_some_and(|count| count != "0"), "{text}");
    assert!(!text.contains(&device.id.to_string()), "{text}");
    // A gateway on this machine asks for somebody else.
    for passed_on in ["forwarded", "x-forwarded-for", "x-real-ip", "via"] {
        assert_eq!(get(&[(passed_on, "for=192.0.2.1".to_owned())]).status, 404);
    }
    let own = world.running.as_ref().unwrap().metrics_address.unwrap();
    assert_eq!(send(own, "GET", "/metrics", &[], &[]).status, 200);
    assert_eq!(send(own, "GET", "/ready", &[], &[]).status, 200);
    assert_eq!(send(own, "POST", "/sync/v1/push", &[], &[]).status, 404);
}

#[test]
fn ready_means_that_records_and_files_can_be_taken() {
    let world = World::start();
    let get = |path: &str| send(world.address(), "GET", path, &[], &[]);
    assert_eq!(get("/ready").status, 200);
    // A file stands where the folder of files was.
    let (files, aside) = (world.data().join("blobs"), world.data().join("aside"));
    std::fs::rename(&files, &aside).unwrap();
    put(&files, b"");
    let reply = get("/ready");
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    assert!(reply.problem().message.contains("files"), "{}", reply.problem());
    // The process is well: restarting it would help nobody.
    assert_eq!(get("/health").status, 200);
    std::fs::remove_file(&files).unwrap();
    std::fs::rename(&aside, &files).unwrap();
    assert_eq!(get("/ready").status, 200);
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_name_and_no_path_of_a_file_reaches_the_log() {
    use sync_model::record::evidence::LeadRecorded;
    let captured = Captured::default();
    let writer = captured.clone();
    // Requests are worked on by threads of their own, so the subscriber is the process's.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .try_init()
        .unwrap();
    let world = World::start();
    let officer = world.officer("欧阳守密", "SECRET-330100");
    let codes = world.hq().issue_enrollment("xh-zhzf", "一号机", &[officer]).unwrap();
    let mut device = Device::enroll_with(&world, &codes.enrollment);
    let activation = &codes.activations[0];
    device.activated(officer, &activation.code);
    let file = "店主司马藏私的照片".as_bytes();
    let record = device.cite(&[file]);
    let seen = LeadRecorded {
        place: "司马藏私的店".into(),
        description: "电话 13912345678".into(),
        hand_to: "欧阳守密".into(),
        evidence: vec![],
    };
    let lead = device.act(seen, vec![]);
    device.push(&[record, lead]).ok::<Receipt>();
    device.push_bytes(vec!["司马藏私".as_bytes().to_vec()]);
    device.upload(file, 8);
    device.feed(0, 10);
    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(log.contains("/sync/v1/push") && log.contains("/sync/v1/blobs/{sha256}"), "{log}");
    let secrets = [
        "欧阳守密",
        "SECRET-330100",
        "司马藏私",
        "13912345678",
        &sync_model::hash::Hash::of(file).hex(),
        &codes.enrollment,
        &activation.code,
    ];
    for secret in secrets {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}
