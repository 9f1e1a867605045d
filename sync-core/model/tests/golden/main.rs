//! The golden corpus: signed records of every act kind of every released version.
//!
//! They were made once by this program's predecessors and never change; whatever reads records
//! today must read them to the same meaning. `UPDATE_GOLDEN=1 cargo test -p sync-model --test golden`
//! writes files that are not there yet and never touches one that is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly"
)]

mod acts;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ciborium::Value;
use sync_model::chain::Head;
use sync_model::cose::{Signer, SoftwareKey};
use sync_model::credential::{
    DeviceCertificate, issue_device_certificate, open_device_certificate,
};
use sync_model::hash::{Hash, hex};
use sync_model::id::{BootId, DeviceId, RecordId};
use sync_model::record::{Act, BlobRef, ENVELOPE_VERSION, Envelope, LogHead, Record, raw_act};
use sync_model::schema::{Registry, upcast};
use sync_model::time::{Moment, TimeQuality};
use uuid::Uuid;

/// SHA-256 of each released manifest, which holds the SHA-256 of each file.
const RELEASED: &[(u32, &str)] = &[(1, include_str!("../../fixtures/records/v1.sha256"))];

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/records/v{version}"))
}

fn device_key() -> SoftwareKey {
    SoftwareKey::from_secret(&[1; 32])
}

fn issuer_key() -> SoftwareKey {
    SoftwareKey::from_secret(&[2; 32])
}

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(0xd001))
}

fn certificate() -> Vec<u8> {
    let certificate = DeviceCertificate {
        device: device(),
        name: "演练一号机".into(),
        authority: "xh-zhzf".into(),
        key: device_key().public(),
        issued_at: acts::NINE,
    };
    issue_device_certificate(&certificate, &issuer_key()).unwrap()
}

fn blobs(act: &Act) -> Vec<BlobRef> {
    match act {
        Act::EvidenceCaptured(body) => {
            let derived = body.thumbnail.iter().chain(&body.watermarked);
            std::iter::once(&body.original).chain(derived).cloned().collect()
        }
        Act::TranscriptPrepared(body) => vec![body.content.clone(), body.text.clone()],
        Act::DecisionIssued(body) => vec![body.content.clone(), body.text.clone()],
        _ => vec![],
    }
}

/// Seals the acts to one chain with fixed keys, ids and times.
fn chain() -> Vec<(&'static str, Record)> {
    let mut head = Head::genesis(&certificate());
    let mut records = Vec::new();
    for (name, act) in acts::all() {
        let seq = head.seq + 1;
        let in_visit = (3..=27).contains(&seq);
        let envelope = Envelope {
            version: ENVELOPE_VERSION,
            record: RecordId(Uuid::from_u128(u128::from(seq))),
            device: device(),
            seq,
            previous: head.hash,
            recorded: Moment {
                wall_at: acts::NINE.plus_ms(i64::try_from(seq).unwrap() * 60_000),
                mono_ms: seq * 60_000,
                boot: BootId(Uuid::from_u128(9)),
                quality: TimeQuality::ServerSynced,
            },
            hq_seen: (seq > 1).then_some(LogHead { size: 1, root: Hash::of(b"root") }),
            rulebook: (seq > 1).then_some(Hash::of(b"rulebook")),
            inspection: in_visit.then(acts::inspection),
            visit_previous: (in_visit && seq > 3).then_some(head.hash),
            case: (17..=26).contains(&seq).then(acts::case),
            officers: acts::officers(),
            blobs: blobs(&act),
            salt: [5; 16],
            act: raw_act(&act).unwrap(),
        };
        let record = Record::seal(envelope, &device_key()).unwrap();
        head = head.follow(&record.envelope, record.hash).unwrap();
        records.push((name, record));
    }
    records
}

/// Returns the value as a person reads it.
fn readable(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => {
            let number = i128::from(*number);
            i64::try_from(number).map_or_else(|_| number.to_string().into(), Into::into)
        }
        Value::Bytes(bytes) => format!("h'{}'", hex(bytes)).into(),
        Value::Text(text) => text.clone().into(),
        Value::Bool(bool) => (*bool).into(),
        Value::Array(items) => items.iter().map(readable).collect::<Vec<_>>().into(),
        Value::Map(entries) => serde_json::Value::Object(
            entries
                .iter()
                .map(|(key, value)| (key.as_text().unwrap().to_owned(), readable(value)))
                .collect(),
        ),
        _ => serde_json::Value::Null,
    }
}

fn describe(record: &Record) -> String {
    let value = Value::serialized(&record.envelope).unwrap();
    let schema = Registry::released().describe(&record.envelope.act).unwrap();
    let json = serde_json::json!({
        "hash": record.hash.hex(),
        "schema": schema.hash.hex(),
        "device_key": hex(&device_key().public().0),
        "envelope": readable(&value),
    });
    serde_json::to_string_pretty(&json).unwrap() + "\n"
}

/// Writes what is missing; a released file is never written again.
fn update(version: u32) {
    let put = |name: String, bytes: &[u8]| {
        let path = folder(version).join(name);
        if !path.exists() {
            fs::write(path, bytes).unwrap();
        }
    };
    fs::create_dir_all(folder(version)).unwrap();
    put("00_certificate.cert".into(), &certificate());
    for (number, (name, record)) in (1..).zip(chain()) {
        put(format!("{number:02}_{name}.cbor"), &record.bytes);
        put(format!("{number:02}_{name}.json"), describe(&record).as_bytes());
    }
    fs::write(folder(version).with_extension("sha256"), manifest(version)).unwrap();
}

fn manifest(version: u32) -> String {
    let mut names: Vec<String> = fs::read_dir(folder(version))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let line = |name: &String| {
        let bytes = fs::read(folder(version).join(name)).unwrap();
        format!("{}  {name}\n", Hash::of(&bytes))
    };
    names.iter().map(line).collect()
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Returns the released records of a version: name, bytes, description.
fn released(version: u32) -> Vec<(String, Vec<u8>, String)> {
    let mut found: Vec<(String, Vec<u8>, String)> = fs::read_dir(folder(version))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cbor"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(path.with_extension("json")).unwrap();
            (name, fs::read(&path).unwrap(), text)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn released_fixtures_never_change() {
    if updating() {
        update(1);
        return;
    }
    for (version, listed) in RELEASED {
        assert_eq!(manifest(*version), *listed, "a released fixture changed, came or went");
    }
}

#[test]
fn every_released_record_opens_to_the_meaning_it_had() {
    if updating() {
        return;
    }
    let mut opened = 0;
    for (version, _) in RELEASED {
        let bytes = fs::read(folder(*version).join("00_certificate.cert")).unwrap();
        let certificate = open_device_certificate(&bytes, &issuer_key().public()).unwrap();
        let mut head = Head::genesis(&bytes);
        for (name, bytes, text) in released(*version) {
            let record = Record::open(&bytes, &certificate.key).expect(&name);
            head = head.follow(&record.envelope, record.hash).expect(&name);
            let (act, schema) = upcast(&record.envelope);
            assert!(!matches!(act, Act::Unknown(_)), "{name} is not understood any more");
            let schema = schema.unwrap_or_else(|| panic!("{name} has no schema"));
            assert_eq!(schema.version, *version, "{name}");
            assert_eq!(describe(&record), text, "{name} means something else");
            // Verbatim: what this program would write is the body that was signed.
            assert_eq!(raw_act(&act).unwrap(), record.envelope.act, "{name}");
            opened += 1;
        }
    }
    println!("golden: {opened} released records opened");
    assert!(opened >= 25, "only {opened} records");
}

#[test]
fn every_act_kind_has_a_schema_and_a_released_record() {
    if updating() {
        return;
    }
    let kinds: BTreeSet<String> =
        acts::all().iter().map(|(_, act)| act.kind().to_owned()).collect();
    let schemas: BTreeSet<String> =
        Registry::released().schemas().iter().map(|schema| schema.kind.clone()).collect();
    assert_eq!(kinds, schemas);
    // The vocabulary of this program, as its source lists it: a new kind needs both.
    let source = include_str!("../../src/record/mod.rs");
    let named: BTreeSet<String> = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(") = \""))
        .map(|(_, name)| name.to_owned())
        .collect();
    assert_eq!(kinds, named, "a kind has no golden record or no schema");
    let files: BTreeSet<String> = RELEASED
        .iter()
        .flat_map(|(version, _)| released(*version))
        .map(|(_, bytes, _)| Record::read(&bytes).unwrap().envelope.act.kind)
        .collect();
    assert_eq!(kinds, files);
}

/// What this program makes today is described by a released schema, field for field; whoever adds a
/// field registers a schema for it.
#[test]
fn todays_acts_fit_a_released_schema_exactly() {
    for (name, record) in chain() {
        let act = &record.envelope.act;
        assert!(Registry::released().describe(act).is_some(), "{name} fits no released schema");
        let mut more = act.clone();
        let Value::Map(entries) = &mut more.body else { panic!("{name} is no map") };
        entries.push((Value::Text("zz_new".into()), Value::Null));
        assert!(Registry::released().describe(&more).is_none(), "{name}");
        let Value::Map(entries) = &mut more.body else { panic!("{name} is no map") };
        entries.pop();
        entries.pop();
        assert!(Registry::released().describe(&more).is_none(), "{name}");
    }
}
