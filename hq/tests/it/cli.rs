//! The binary, as an administrator uses it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use sync_model::wire::enroll::EnrollReply;
use sync_model::wire::push::Receipt;

use crate::support::database;
use crate::support::device::{Device, enroll_request, key, post};
use crate::support::http::send;

fn hq(data: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
        .arg(arguments[0])
        .args(["--data".as_ref(), data.as_os_str()])
        .args(&arguments[1..])
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    String::from_utf8(out.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_administrator_sets_up_serves_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let rulebook = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/rulebook/sample.json");
    assert!(complaint(&hq(&data, &["verify-log"])).contains("init"));
    assert!(text(&hq(&data, &["init"])).starts_with("log xunzheng-hq/"));
    assert!(complaint(&hq(&data, &["init"])).contains("already"));
    let enroll = ["enroll", "--authority", "xh-zhzf", "--device", "一号机", "--officer", "甲:A1"];
    assert!(complaint(&hq(&data, &enroll)).contains("import-rulebook"));
    text(&hq(&data, &["import-rulebook", rulebook]));

    let mut server = Command::new(env!("CARGO_BIN_EXE_xunzheng-hq"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().parse().unwrap();
    assert_eq!(send(address, "GET", "/health", &[], &[]).status, 200);
    assert!(complaint(&hq(&data, &["serve", "--listen", "127.0.0.1:0"])).contains("another HQ"));

    // Codes are issued beside the running server.
    let codes = text(&hq(&data, &enroll));
    let code = codes.lines().next().unwrap().split_whitespace().last().unwrap();
    assert_eq!(codes.lines().count(), 3);
    let key = key();
    let reply: EnrollReply = post(address, None, &key, "/enroll", &enroll_request(&key, code)).ok();
    let mut device = Device::from_reply(address, key, &reply);
    let listed = text(&hq(&data, &["devices"]));
    assert!(listed.contains(&device.id.to_string()) && listed.contains("一号机"));
    let id = device.id.to_string();
    let lease = ["lease", "--device", &id, "--authority", "xh-zhzf", "--word", "杭西综执当罚"];
    let leased = text(&hq(&data, &[&lease[..], &["--count", "50", "--year", "2026"]].concat()));
    assert_eq!(leased.trim(), "杭西综执当罚字〔2026〕 1 - 50");
    device.any();
    device.any();
    device.push(&device.records).ok::<Receipt>();
    assert!(text(&hq(&data, &["verify-log"])).starts_with("ok: 2 records of 1 devices"));

    Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(server.wait().unwrap().success(), "SIGTERM ends it gracefully");
    let database = database(&data);
    database.execute_batch("DROP TRIGGER record_is_never_changed").unwrap();
    let changed = "UPDATE record SET bytes = zeroblob(9) WHERE log_index = 1";
    assert_eq!(database.execute(changed, []).unwrap(), 1);
    drop(database);
    let wrong = complaint(&hq(&data, &["verify-log"]));
    assert!(wrong.contains("log index 1") && wrong.contains(&id), "{wrong}");
}

#[test]
fn mistyped_commands_are_answered_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["serve", "--listen", "nowhere"][..], "--listen nowhere"),
        (&["serve"][..], "--listen is missing"),
        (&["verify-log", "--dat", "x"][..], "--dat is not an option"),
        (&["assign", "--device", "x", "FILE"][..], "--device x"),
        (&["nothing"][..], "usage"),
    ] {
        let complaint = complaint(&hq(folder.path(), arguments));
        assert!(complaint.contains(expected), "{complaint}");
    }
}

/// Accounts and certificates by command; what is wrong says what to do.
#[test]
fn an_administrator_makes_accounts_and_withdraws_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let rulebook = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/rulebook/sample.json");
    text(&hq(&data, &["init"]));
    text(&hq(&data, &["import-rulebook", rulebook]));
    text(&hq(
        &data,
        &["enroll", "--authority", "xh-zhzf", "--device", "一号机", "--officer", "甲:A1"],
    ));
    assert!(text(&hq(&data, &["officers"])).contains("A1 甲 有效"));
    text(&hq(&data, &["certificate", "--number", "A1", "--status", "suspended"]));
    assert!(text(&hq(&data, &["officers"])).contains("A1 甲 已暂扣"));
    let wrong = ["certificate", "--number", "A1", "--status", "gone"];
    assert!(complaint(&hq(&data, &wrong)).contains("suspended"));
    let unknown = ["certificate", "--number", "A9", "--status", "lost"];
    assert!(complaint(&hq(&data, &unknown)).contains("no such officer"));

    let made = ["account", "--name", "老王", "--role", "leader", "--authority", "xh-zhzf"];
    let password = text(&hq(&data, &made));
    assert_eq!(password.split_whitespace().last().unwrap().len(), 23);
    let unbound = ["account", "--name", "小李", "--role", "reviewer"];
    assert!(complaint(&hq(&data, &unbound)).contains("--authority"));
    text(&hq(&data, &["account", "--disable", "老王"]));
    assert_eq!(text(&hq(&data, &["account"])).trim(), "老王 leader 停用 xh-zhzf");
    assert!(text(&hq(&data, &["reads"])).contains("0 条"));
}

/// Others who can get into the folder of the keys can put theirs in: HQ does not start.
#[test]
fn a_key_folder_that_is_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    text(&hq(&data, &["init"]));
    let keys = data.join("keys");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o700);
    for key in std::fs::read_dir(&keys).unwrap() {
        let mode = key.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(complaint(&hq(&data, &["devices"])).contains("chmod 700"));
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    assert!(complaint(&hq(&data, &serve)).contains("chmod 700"));
}
