//! Vectors made by others: signatures, sealing, PIN keys, canonical CBOR, COSE, Merkle proofs, the
//! static log. The folder lies beside the clone (`XUNZHENG_DATA_SAMPLES` names another); a clone
//! without it says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly"
)]

mod log;
mod objects;
mod primitives;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Returns the suite's folder or file, or says that it is not there.
fn suite(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("XUNZHENG_DATA_SAMPLES").map_or(beside, PathBuf::from);
    let path = data.join("vectors").join(name);
    if !path.exists() {
        println!("absent: {}; nothing was tried", path.display());
        return None;
    }
    Some(path)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Returns every JSON file at or below `path`, with its name.
fn json_below(path: &Path) -> Vec<(String, Value)> {
    let (mut open, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(next) = open.pop() {
        if next.is_dir() {
            open.extend(fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()));
        } else if next.extension().is_some_and(|ending| ending == "json") {
            found.push((next.display().to_string(), json(&next)));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Returns the bytes of hex digits in any case.
fn hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2).unwrap(), 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Returns each test of a Wycheproof file with its group.
fn wycheproof(name: &str) -> Vec<(Value, Value)> {
    let Some(path) = suite(&format!("wycheproof/testvectors_v1/{name}_test.json")) else {
        return Vec::new();
    };
    let file = json(&path);
    let tests = |group: &Value| {
        let group = group.clone();
        let tests = group["tests"].as_array().unwrap().clone();
        tests.into_iter().map(move |test| (group.clone(), test)).collect::<Vec<_>>()
    };
    let all: Vec<_> = file["testGroups"].as_array().unwrap().iter().flat_map(tests).collect();
    assert_eq!(all.len() as u64, file["numberOfTests"].as_u64().unwrap());
    all
}
