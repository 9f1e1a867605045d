//! The rehearsal as a user runs it, and the bundle it exports, byte by byte.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::photos;

fn xunzheng() -> Command {
    Command::new(env!("CARGO_BIN_EXE_xunzheng"))
}

fn rehearse(photos: &Path, out: &Path) -> serde_json::Value {
    let output = xunzheng()
        .args(["rehearse", "--json", "--photos"])
        .arg(photos)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn verify(bundle: &Path) -> Output {
    xunzheng().arg("verify").arg(bundle).output().unwrap()
}

#[test]
fn a_whole_day_runs_on_real_photographs_and_its_bundle_proves_itself() {
    let out = tempfile::tempdir().unwrap();
    let generated = out.path().join("photos");
    let folder = photos::real().unwrap_or_else(|| {
        photos::generate(&generated, 12);
        generated.clone()
    });
    let report = rehearse(&folder, &out.path().join("out"));
    assert!(report["joint_inspections"].as_u64() >= Some(1), "{report}");
    assert!(report["photos"].as_u64() >= Some(10), "{report}");
    assert_eq!(report["transcripts_signed"], 1, "{report}");
    assert_eq!(report["transcripts_refused"], 1, "{report}");
    assert_eq!(report["decisions"], 1, "{report}");
    assert_eq!(report["records"], report["records_receipted"], "{report}");
    assert_eq!(report["bundle_verified"], true, "{report}");
    let bundle = PathBuf::from(report["bundle_path"].as_str().unwrap());
    assert!(verify(&bundle).status.success());
}

#[test]
fn any_changed_byte_of_a_bundle_is_found_and_named() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("photos");
    photos::generate(&folder, 2);
    let report = rehearse(&folder, &out.path().join("out"));
    let bundle = PathBuf::from(report["bundle_path"].as_str().unwrap());
    let mut changed = 0;
    for file in files(&bundle) {
        let name = file.strip_prefix(&bundle).unwrap().to_string_lossy().into_owned();
        let good = std::fs::read(&file).unwrap();
        for index in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[index] ^= 0x01;
            put(&file, &bad);
            let found = sync_core::bundle::verify(&bundle);
            let error = found.expect_err(&format!("{name} byte {index} changed unnoticed"));
            assert!(error.to_string().contains(&name), "{name}: {error}");
            changed += 1;
        }
        put(&file, &good);
    }
    assert!(sync_core::bundle::verify(&bundle).is_ok());
    println!("bundle bytes changed and found: {changed}");
    let record =
        files(&bundle).into_iter().find(|path| path.to_string_lossy().contains("records/"));
    let record = record.unwrap();
    let mut bad = std::fs::read(&record).unwrap();
    bad[40] ^= 0x80;
    put(&record, &bad);
    let output = verify(&bundle);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = record.file_name().unwrap().to_string_lossy().into_owned();
    assert!(text.contains(&name), "the message does not name {name}: {text}");
}

#[expect(clippy::disallowed_methods, reason = "damages a file on purpose")]
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
