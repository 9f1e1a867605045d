//! Files in an S3-compatible bucket, by the real binary with its credentials from the environment.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sync_model::hash::Hash;
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::{BlobState, NeedReply, NeedRequest, Receipt};

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
    let process = command(data, "serve")
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    listening(process)
}

/// Waits until the server says where it listens.
fn listening(mut process: Child) -> Server {
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
    let (small, photo, video) = (file(1, 3_000), file(2, 700_000), file(3, 1 << 20).repeat(64));
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

/// The system refuses the write in the middle of it: the server may not make files over 2 MiB.
#[test]
fn a_write_that_fails_in_the_middle_keeps_what_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let server = serve(&data, &[]);
    let mut device = enrolled(&data, &server);
    let video = file(9, 3 << 20);
    device.cite(&[&video]);
    device.push(&device.records).ok::<Receipt>();
    drop(server);
    let script =
        "trap '' XFSZ; ulimit -f 2048; exec \"$0\" serve --data \"$1\" --listen 127.0.0.1:0";
    let process = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_xunzheng-hq")])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = listening(process);
    device.address = server.address;
    for start in [0, 1 << 20] {
        device.chunk(&video, start, start + (1 << 20)).ok::<BlobState>();
    }
    for _ in 0..3 {
        let problem = device.chunk(&video, 2 << 20, 3 << 20).problem();
        assert!(problem.is_transient(), "{problem}");
    }
    drop(server);
    // With room again it goes on from what was promised, and nothing half is left.
    let server = serve(&data, &[]);
    device.address = server.address;
    let problem = device.chunk(&video, 0, 10).problem();
    assert_eq!(problem.expected_offset, Some(2 << 20));
    assert!(device.chunk(&video, 2 << 20, 3 << 20).ok::<BlobState>().complete);
    assert!(run(&data, "verify-log", &[]).contains("1 files"));
    let shelf = data.join("blobs").join(shelf_name(&Hash::of(&video)));
    assert_eq!(std::fs::read_dir(shelf).unwrap().count(), 1);
}

/// A server is killed again and again in the middle of uploads.
#[test]
fn a_server_that_is_killed_under_load_loses_no_promise() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let mut server = serve(&data, &[]);
    let mut device = enrolled(&data, &server);
    let files: Vec<Vec<u8>> = (0..12).map(|seed| file(seed, 90_000)).collect();
    device.cite(&files.iter().map(Vec::as_slice).collect::<Vec<_>>());
    device.push(&device.records).ok::<Receipt>();
    let mut promised = vec![0_usize; files.len()];
    for kill in 0..6 {
        // Killed while all files are under way, at another moment each time.
        let process = server.process.id().to_string();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(60 + 35 * kill));
            Command::new("kill").args(["-9", &process]).status().unwrap();
        });
        'work: for round in 0..1000 {
            for (file, promised) in files.iter().zip(&mut promised) {
                if *promised == file.len() {
                    continue;
                }
                let end = file.len().min(*promised + 3_000 + round);
                match device.try_chunk(file, *promised, end) {
                    Some(state) => *promised = state.offset as usize,
                    None => break 'work,
                }
            }
        }
        killer.join().unwrap();
        drop(server);
        server = serve(&data, &[]);
        device.address = server.address;
        let names: Vec<Hash> = files.iter().map(|file| Hash::of(file)).collect();
        let reply: NeedReply = device.post("/blobs/need", &NeedRequest { blobs: names }).ok();
        for (state, promised) in reply.blobs.iter().zip(&mut promised) {
            assert!(state.offset as usize >= *promised, "a promise was lost");
            *promised = state.offset as usize;
        }
    }
    for (file, promised) in files.iter().zip(promised) {
        let mut offset = promised;
        while offset < file.len() {
            let end = file.len().min(offset + 50_000);
            offset = device.chunk(file, offset, end).ok::<BlobState>().offset as usize;
        }
    }
    assert!(run(&data, "verify-log", &[]).contains("12 files"));
}

#[test]
fn an_operator_sets_witnesses_and_restores_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    run(&one, "init", &[]);
    run(&two, "init", &[]);
    let keys = |data: &Path| -> (String, String) {
        let text = run(data, "witness", &[]);
        let of = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once(' ').unwrap().1.to_owned()
        };
        (of("log"), of("witness"))
    };
    let ((log, _), (_, witness)) = (keys(&one), keys(&two));
    run(&two, "witness", &["--of", &log]);
    run(
        &one,
        "witness",
        &["--by", &witness, "--url", "http://127.0.0.1:9/witness/v1", "--quorum", "1"],
    );
    let wrong = command(&one, "witness").args(["--of", &witness]).output().unwrap();
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("not the key of a log"));
    let (backup, new) = (folder.path().join("backup"), folder.path().join("new"));
    let to = backup.to_str().unwrap();
    assert!(run(&one, "backup", &["--to", to]).contains("0 records"));
    assert!(run(&new, "restore", &["--from", to]).contains("log of 0 leaves"));
    assert_eq!(keys(&new), keys(&one));
    assert!(run(&new, "sweep", &[]).starts_with("0 uploads"));
    assert!(
        run(&new, "archive", &[folder.path().join("a").to_str().unwrap()]).contains("0 records")
    );
}
