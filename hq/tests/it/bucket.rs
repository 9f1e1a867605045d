//! Files in an S3-compatible bucket, by the real binary with its credentials from the environment.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, Receipt};

use crate::support::device::{Device, enroll_request, key, post};
use crate::support::http::send;
use crate::support::s3::S3;
use crate::support::shelf_name;

/// The binary, serving; killed when dropped.
struct Server {
    process: Child,
    address: std::net::SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().unwrap();
    }
}

fn command(data: &Path, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"));
    command
        .arg(name)
        .arg("--data")
        .arg(data)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

fn serve(data: &Path, arguments: &[&str]) -> Server {
    let mut process = command(data, "serve")
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").expect("an address").parse().unwrap();
    Server { process, address }
}

fn run(data: &Path, name: &str, arguments: &[&str]) -> String {
    let output = command(data, name).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn enrolled(data: &Path, server: &Server) -> Device {
    let rulebook = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/rulebook/sample.json");
    run(data, "import-rulebook", &[rulebook]);
    let codes = run(data, "enroll", &["--authority", "xh-zhzf", "--device", "一号机"]);
    let code = codes.lines().next().unwrap().split_whitespace().last().unwrap();
    let key = key();
    let reply = post(server.address, None, &key, "/enroll", &enroll_request(&key, code)).ok();
    Device::from_reply(server.address, key, &reply)
}

fn file(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ seed ^ (index >> 16) as u8).collect()
}

/// Most memory that the process ever had, in KiB.
fn peak_kib(server: &Server) -> u64 {
    let status = format!("/proc/{}/status", server.process.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn files_go_to_a_bucket_in_bounded_memory_and_survive_kills_and_faults() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let s3 = S3::start();
    let place = s3.place("hq");
    let mut server = serve(&data, &["--objects", &place]);
    let mut device = enrolled(&data, &server);
    let (small, photo, video) = (file(1, 3_000), file(2, 700_000), file(3, 64 << 20));
    device.cite(&[&small, &photo, &video]);
    device.push(&device.records).ok::<Receipt>();

    device.upload(&small, 4_000);
    assert_eq!(s3.state.lock().unwrap().multipart, 0, "a small file is one request");
    let before = peak_kib(&server);
    device.upload(&video, 4 << 20);
    let grown = peak_kib(&server).saturating_sub(before);
    println!("a file of 64 MiB took {grown} KiB of memory");
    assert!(grown < 52 << 10, "{grown} KiB");
    assert_eq!(s3.state.lock().unwrap().multipart, 1);

    // Killed between chunks, and between a part and its note: nothing promised is lost.
    let mut offset = 0;
    for round in 0..4 {
        let end = offset + 100_000;
        device.chunk(&photo, offset, end).ok::<BlobState>();
        offset = end;
        // The store takes the part and the answer is lost: HQ does not know of it.
        s3.fault(move |method, path| (method == "PUT" && path.contains("parts/")).then_some(403));
        let problem = device.chunk(&photo, offset, offset + 50_000 + round).problem();
        assert!(problem.is_transient(), "{problem}");
        s3.heal();
        drop(server);
        server = serve(&data, &[]);
        device.address = server.address;
        let problem = device.chunk(&photo, 0, 10).problem();
        assert_eq!(problem.code, ProblemCode::BadOffset);
        assert_eq!(problem.expected_offset, Some(offset as u64));
    }
    // A bucket that is full says so once, and the upload goes on when it is not.
    s3.fault(|method, _| (method == "PUT").then_some(507));
    assert!(device.chunk(&photo, offset, photo.len()).problem().is_transient());
    s3.heal();
    assert!(device.chunk(&photo, offset, photo.len()).ok::<BlobState>().complete);
    let given = device.call("GET", &format!("/blobs/{}", Hash::of(&photo)), &[], &[]);
    assert_eq!((given.status, given.body == photo), (200, true));
    assert!(run(&data, "verify-log", &[]).contains("3 files"));
    assert!(s3.names().iter().all(|name| !name.contains("parts/")), "{:?}", s3.names());
    assert!(!data.join("blobs").join("parts").exists());

    // The archive is a bucket as well, and a run that is cut off by it goes on.
    let archive = s3.place("archive");
    s3.fault(|method, path| (method == "PUT" && path.contains("/archive/")).then_some(403));
    let output = command(&data, "archive").arg(&archive).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    s3.heal();
    // The server may be first: together they archive everything once.
    run(&data, "archive", &[]);
    let archived: Vec<String> =
        s3.names().into_iter().filter(|name| name.starts_with("archive/")).collect();
    assert_eq!(archived.len(), 4, "{archived:?}");
    let name = format!("{}/{}", shelf_name(&Hash::of(&video)), Hash::of(&video));
    assert!(s3.state.lock().unwrap().objects[&format!("archive/{name}")] == video);

    // The published log lies there too, as files that anybody may be given.
    for _ in 0..100 {
        if s3.names().iter().any(|name| name == "hq/log/checkpoint") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let note = send(server.address, "GET", "/log/v1/checkpoint", &[], &[]);
    assert_eq!(s3.state.lock().unwrap().objects["hq/log/checkpoint"], note.body);

    // Damage in the bucket is found, and a place is not changed by a slip.
    let name = format!("hq/{}/{}", shelf_name(&Hash::of(&small)), Hash::of(&small));
    s3.state.lock().unwrap().objects.get_mut(&name).unwrap()[5] ^= 1;
    let output = command(&data, "verify-log").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains(&Hash::of(&small).hex()));
    let elsewhere = folder.path().join("elsewhere");
    let output = command(&data, "objects").arg(elsewhere.to_str().unwrap()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("another place"));
}
