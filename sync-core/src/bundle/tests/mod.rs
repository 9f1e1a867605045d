//! A bundle proves itself, and whatever is done to it shows (I-6, I-8).

mod tamper;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sync_model::canonical;
use sync_model::cose::Signer;
use sync_model::cose::{self, Context, SoftwareKey, Unverified};
use sync_model::credential::{DeviceCertificate, issue_device_certificate};
use sync_model::hash::Hash;

use super::{DEVICE, FileEntry, MANIFEST, MANIFEST_BYTES_MAX, Manifest, TRUST, export, verify};
use crate::error::StoreError;
use crate::store::tests::world::{HqKeys, TEN, World, device_id, inspection, lead};
use crate::sync::tests::hq::ScriptedHq;
use crate::sync::{HqClient, round};

struct Case {
    world: World,
    out: tempfile::TempDir,
    folder: PathBuf,
}

/// A visit of five records with records of others in between, receipted, and one record more
/// without a receipt.
fn exported() -> Case {
    let world = World::enrolled();
    world.act(lead("of nobody's visit"));
    world.visit(1);
    world.act(lead("in between"));
    let hq = ScriptedHq::of(&world);
    hq.state().grow("somebody else's record");
    round(world.store(), &HqClient::new(&hq.base()).unwrap(), &mut |_| {}).unwrap();
    let mut late = world.photo(2, b"late photo");
    (late.inspection, late.ordinal) = (Some(inspection(1)), 2);
    world.act_in(&crate::store::tests::world::scope(1), late);
    let out = tempfile::tempdir().unwrap();
    let folder = export(world.store(), inspection(1), out.path()).unwrap();
    Case { world, out, folder }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::io::Write::write_all(&mut fs::File::create(path).unwrap(), bytes).unwrap();
}

/// Runs the check that must fail; returns its message.
fn refused(folder: &Path) -> String {
    match verify(folder) {
        Ok(_) => panic!("a changed bundle was accepted"),
        Err(error) => error.to_string(),
    }
}

fn manifest(folder: &Path) -> Manifest {
    let signed = fs::read(folder.join(MANIFEST)).unwrap();
    let object = Unverified::parse(&signed).unwrap();
    canonical::from_bytes(object.payload(), MANIFEST_BYTES_MAX).unwrap()
}

fn sign(folder: &Path, manifest: &Manifest, key: &SoftwareKey) {
    let payload = canonical::to_bytes(manifest).unwrap();
    put(folder, MANIFEST, &cose::sign(Context::Bundle, &payload, key).unwrap());
}

/// Writes a file and makes the manifest say so.
fn put_listed(folder: &Path, name: &str, bytes: &[u8], manifest: &mut Manifest) {
    put(folder, name, bytes);
    let entry = FileEntry {
        path: name.to_owned(),
        label: name.to_owned(),
        sha256: Hash::of(bytes),
        bytes: u64::try_from(bytes.len()).unwrap(),
    };
    manifest.files.retain(|file| file.path != name);
    manifest.files.push(entry);
}

#[test]
fn a_whole_bundle_holds_and_says_what_was_checked() {
    let case = exported();
    let found = verify(&case.folder).unwrap();
    assert_eq!((found.records, found.receipts, found.blobs), (7, 6, 2));
    let issuer = case.world.hq.issuer.public();
    assert_eq!(found.issuer_fingerprint, Hash::of(&issuer.0).hex());
    // Others' records stay at home.
    let names = files(&case.folder);
    assert!(!names.contains_key("records/000001.cose"));
    assert!(!names.contains_key("records/000008.cose"));
    assert_eq!(fs::read_dir(case.out.path()).unwrap().count(), 1, "nothing half-written beside it");
}

#[test]
fn a_bundle_cannot_be_made_without_every_file_it_cites() {
    let case = exported();
    let blobs = case.world.store().blobs();
    fs::remove_file(blobs.path(&Hash::of(b"late photo"))).unwrap();
    let out = tempfile::tempdir().unwrap();
    let failed = export(case.world.store(), inspection(1), out.path());
    assert!(matches!(failed, Err(StoreError::MissingBlob(_))));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "personal data was left behind");
}

#[test]
fn any_change_to_any_file_is_found_and_named() {
    let case = exported();
    let original = files(&case.folder);
    assert!(original.len() > 15);
    let mut changes = 0;
    for (name, bytes) in &original {
        let mut variants: Vec<Vec<u8>> = vec![bytes[..bytes.len() / 2].to_vec(), vec![]];
        variants.push([bytes.as_slice(), b"\n"].concat());
        for part in 0..8 {
            let mut flipped = bytes.clone();
            let at = part * (bytes.len() - 1) / 7;
            flipped[at] ^= 1 << part;
            variants.push(flipped);
        }
        for variant in variants {
            put(&case.folder, name, &variant);
            let message = refused(&case.folder);
            // A bent manifest may break at whatever it says next; all others are named.
            assert!(name == MANIFEST || message.contains(name.as_str()), "{name}: {message}");
            changes += 1;
        }
        fs::remove_file(case.folder.join(name)).unwrap();
        assert!(refused(&case.folder).contains(name.as_str()), "{name} deleted");
        put(&case.folder, name, bytes);
    }
    println!("{} files, {changes} changes, {} deletions", original.len(), original.len());
    assert!(verify(&case.folder).is_ok());
}

#[test]
fn a_stray_file_is_found_and_named() {
    let case = exported();
    for name in ["records/000099.cose", "blobs/extra", "note.txt", "deep/er/file", ".hidden"] {
        put(&case.folder, name, b"x");
        assert!(refused(&case.folder).contains(name));
        fs::remove_file(case.folder.join(name)).unwrap();
    }
    assert!(verify(&case.folder).is_ok());
}

#[test]
fn swapped_records_are_found_with_and_without_the_device_key() {
    let case = exported();
    let (first, second) = ("records/000004.cose", "records/000005.cose");
    let original = files(&case.folder);
    put(&case.folder, first, &original[second]);
    put(&case.folder, second, &original[first]);
    assert!(refused(&case.folder).contains(first));
    // Even if the device itself signed the swap.
    let mut listed = manifest(&case.folder);
    put_listed(&case.folder, first, &original[second], &mut listed);
    put_listed(&case.folder, second, &original[first], &mut listed);
    sign(&case.folder, &listed, case.world.store().device_key());
    assert!(refused(&case.folder).contains(first));
}

#[test]
fn a_removed_record_is_found_whoever_signs_the_manifest_anew() {
    let case = exported();
    let mut listed = manifest(&case.folder);
    for name in ["records/000005.cose", "receipts/000005.cbor"] {
        fs::remove_file(case.folder.join(name)).unwrap();
        listed.files.retain(|file| file.path != name);
    }
    sign(&case.folder, &listed, &SoftwareKey::from_secret(&[99; 32]));
    assert!(refused(&case.folder).contains(MANIFEST));
    // The device's own signature does not help: the next record names the missing one.
    sign(&case.folder, &listed, case.world.store().device_key());
    let message = refused(&case.folder);
    assert!(message.contains("000006") && message.contains("missing"), "{message}");
}

#[test]
fn another_hq_can_only_vouch_under_its_own_fingerprint() {
    let case = exported();
    let thief = HqKeys::new(90);
    let key = SoftwareKey::from_secret(&[91; 32]);
    let certificate = DeviceCertificate {
        device: device_id(),
        name: "terminal".to_owned(),
        authority: "town".to_owned(),
        key: key.public(),
        issued_at: TEN,
    };
    let certificate = issue_device_certificate(&certificate, &thief.issuer).unwrap();
    let mut listed = manifest(&case.folder);
    let trust = canonical::to_bytes(&thief.trust()).unwrap();
    put_listed(&case.folder, DEVICE, &certificate, &mut listed);
    sign(&case.folder, &listed, &key);
    assert!(refused(&case.folder).contains(DEVICE));
    put_listed(&case.folder, TRUST, &trust, &mut listed);
    sign(&case.folder, &listed, &key);
    // Manifest and certificate hold now, and the records still name the real device.
    assert!(refused(&case.folder).contains("000002"));
}

#[test]
fn a_receipt_of_another_record_is_found() {
    let case = exported();
    let original = files(&case.folder);
    let mut listed = manifest(&case.folder);
    let name = "receipts/000004.cbor";
    put_listed(&case.folder, name, &original["receipts/000005.cbor"], &mut listed);
    sign(&case.folder, &listed, case.world.store().device_key());
    let message = refused(&case.folder);
    assert!(message.contains("000004") && message.contains("root"), "{message}");
}

#[test]
fn a_manifest_that_points_outside_the_bundle_is_refused() {
    let case = exported();
    put(case.out.path(), "secret", b"outside");
    for path in ["../secret", "/etc/hostname", "records/../../secret", ""] {
        let mut listed = manifest(&case.folder);
        listed.files.push(FileEntry {
            path: path.to_owned(),
            label: String::new(),
            sha256: Hash::of(b"outside"),
            bytes: 7,
        });
        sign(&case.folder, &listed, case.world.store().device_key());
        assert!(refused(&case.folder).contains(MANIFEST), "{path}");
    }
}
