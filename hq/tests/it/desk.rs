//! People at HQ: who logs in as what, reads which cases, and that every read is written down first.

use hq::{Database, HqError, NewAccount, Read, Role, StoreError};
use sync_model::hash::Hash;
use sync_model::id::CaseId;
use sync_model::record::Record;
use uuid::Uuid;

use crate::admission::{Scene, world};
use crate::partner::filed;
use crate::support::World;
use crate::support::device::next;
use crate::support::http::{Reply, send};

const LOGIN: &str = "/hq/v1/login";

fn account(world: &World, name: &str, role: Role) -> String {
    let bound = matches!(role, Role::Leader | Role::Reviewer);
    let new = NewAccount {
        name: name.into(),
        role,
        authority: bound.then(|| "xh-zhzf".into()),
        certificate_number: (role == Role::Officer).then(|| "A1".into()),
    };
    world.hq().put_account(&new).unwrap()
}

fn log_in(world: &World, name: &str, password: &str) -> Reply {
    let body = serde_json::json!({ "name": name, "password": password, "purpose": "办案复核" });
    send(world.address(), "POST", LOGIN, &[], body.to_string().as_bytes())
}

fn json(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.status, 200);
    serde_json::from_slice(&reply.body).unwrap()
}

/// Somebody who is logged in.
struct Person<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Person<'w> {
    fn new(world: &'w World, name: &str, role: Role) -> Self {
        let password = account(world, name, role);
        let reply = json(&log_in(world, name, &password));
        Self { world, token: reply["token"].as_str().unwrap().to_owned() }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Reply {
        let header = [("authorization", format!("Bearer {}", self.token))];
        send(self.world.address(), method, path, &header, body.as_bytes())
    }

    fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "")
    }

    fn cases(&self) -> usize {
        json(&self.get("/hq/v1/cases"))["cases"].as_array().unwrap().len()
    }
}

/// Returns a world with one case in which two decisions stand, and the scene it was made at.
fn decided_twice() -> (World, Scene, CaseId) {
    let (world, rulebook) = world();
    let mut scene = Scene::new(&world, rulebook);
    let case = CaseId(Uuid::from_u128(u128::from(next())));
    let inspection = scene.device.inspection.unwrap();
    scene.act(filed(case, inspection, "乱扔烟蒂", &[]));
    for number in ["西综执当罚字〔2026〕1号", "西综执当罚字〔2026〕2号"] {
        let mut decision = scene.decision(number);
        decision.case = case;
        scene.act(decision);
    }
    (world, scene, case)
}

fn reads(world: &World) -> Vec<Read> {
    let mut reads = Vec::new();
    world.hq().check_reads(|read| reads.push(read.clone())).unwrap();
    reads
}

/// TC-40: each role reads what is its own, and each read is in the audit.
#[test]
fn every_role_reads_its_own_cases_and_each_read_is_written_down() {
    let (world, scene, case) = decided_twice();
    let path = format!("/hq/v1/cases/{case}");
    let hash = scene.device.records[0].hash;
    for role in [Role::Officer, Role::Leader, Role::Reviewer, Role::Supervisor] {
        let before = reads(&world).len();
        let person = Person::new(&world, role.name(), role);
        assert_eq!(person.cases(), 1, "{role:?}");
        let records = json(&person.get(&path));
        assert_eq!(records["records"].as_array().unwrap().len(), 3);
        let record = person.get(&format!("{path}/records/{}", hash.hex()));
        assert_eq!(Record::read(&record.body).unwrap().hash, hash);
        let other = person.get(&format!("{path}/records/{}", Hash::of(b"none").hex()));
        assert_eq!(other.status, 404);
        let noted = reads(&world).split_off(before);
        let what: Vec<&str> = noted.iter().map(|read| read.what.as_str()).collect();
        assert_eq!(what, ["/hq/v1/cases", &path, &format!("{path}/records/{}", hash.hex())]);
        assert!(noted.iter().all(|read| read.role == role.name() && read.purpose == "办案复核"));
    }
    let administrator = Person::new(&world, "root", Role::Administrator);
    assert_eq!(administrator.get("/hq/v1/cases").status, 401);
    assert_eq!(administrator.get(&path).status, 404);
    // A leader elsewhere, an officer who was not there, and nobody at all.
    let elsewhere = NewAccount {
        name: "elsewhere".into(),
        role: Role::Leader,
        authority: Some("other".into()),
        certificate_number: None,
    };
    let password = world.hq().put_account(&elsewhere).unwrap();
    let token = json(&log_in(&world, "elsewhere", &password))["token"].as_str().unwrap().to_owned();
    let elsewhere = Person { world: &world, token };
    assert_eq!((elsewhere.cases(), elsewhere.get(&path).status), (0, 404));
    assert_eq!(send(world.address(), "GET", &path, &[], &[]).status, 401);
}

/// TC-40: an entry that is taken out or changed is found, and the head that HQ signed tells the end.
#[test]
fn a_changed_audit_of_reads_is_found() {
    let (world, _, _) = decided_twice();
    let person = Person::new(&world, "s", Role::Supervisor);
    for _ in 0..3 {
        person.cases();
    }
    let head = String::from_utf8(send(world.address(), "GET", "/hq/v1/reads", &[], &[]).body);
    let head = head.unwrap();
    let origin = format!("{}/reads", world.hq().trust().log_origin);
    let key = world.hq().trust().log_key;
    let opened = sync_model::log::note::Checkpoint::open(&head, &origin, &key).unwrap();
    assert_eq!((opened.size, reads(&world).len()), (3, 3));
    assert!(world.meddle("DELETE FROM read_audit WHERE seq = 3").is_err(), "it is append-only");
    assert!(world.meddle("UPDATE read_audit SET hash = hash WHERE seq = 2").is_err());
    // Whoever owns the database gets past that, and not past the chain.
    let guard = match world.store() {
        Database::Embedded => "DROP TRIGGER read_audit_is_never_deleted;",
        Database::Postgres { .. } => "ALTER TABLE read_audit DISABLE TRIGGER USER;",
    };
    world.meddle(&format!("{guard} DELETE FROM read_audit WHERE seq = 2;")).unwrap();
    let found = world.hq().check_reads(|_| {});
    assert!(matches!(found, Err(HqError::Store(StoreError::Damaged("audit of reads")))));
    // Cut off at its end the chain is whole again, and shorter than HQ once signed.
    world.meddle("DELETE FROM read_audit WHERE seq = 3").unwrap();
    assert!(world.hq().check_reads(|_| {}).unwrap() < opened.size);
}

#[test]
fn wrong_passwords_make_the_wait_longer_and_a_right_one_ends_it() {
    let world = World::start();
    let password = account(&world, "s", Role::Supervisor);
    for _ in 0..4 {
        assert_eq!(log_in(&world, "s", "wrong").status, 401);
    }
    let waiting = log_in(&world, "s", &password);
    assert_eq!((waiting.status, waiting.problem().retry_after_s), (503, Some(3)));
    world.clock.advance(2_000);
    assert_eq!(log_in(&world, "s", "wrong").status, 401);
    world.clock.advance(2_000);
    assert_eq!(log_in(&world, "s", &password).status, 503);
    world.clock.advance(2_000);
    assert_eq!(log_in(&world, "s", &password).status, 200);
    assert_eq!(log_in(&world, "nobody", &password).status, 401);
    let without = serde_json::json!({ "name": "s", "password": password, "purpose": " " });
    let without = send(world.address(), "POST", LOGIN, &[], without.to_string().as_bytes());
    assert_eq!(without.status, 422);
}

#[test]
fn a_login_ends_when_it_is_unused_ended_or_the_account_is() {
    let world = World::start();
    let status = |person: &Person<'_>| person.get("/hq/v1/cases").status;
    let person = Person::new(&world, "s", Role::Supervisor);
    world.clock.advance(29 * 60_000);
    assert_eq!(status(&person), 200);
    world.clock.advance(31 * 60_000);
    assert_eq!(status(&person), 401);
    let person = Person::new(&world, "s", Role::Supervisor);
    assert_eq!(person.ask("POST", "/hq/v1/logout", "").status, 200);
    assert_eq!(status(&person), 401);
    let person = Person::new(&world, "s", Role::Supervisor);
    for _ in 0..25 {
        world.clock.advance(29 * 60_000);
        let age = person.get("/hq/v1/cases").status;
        assert!(age == 200 || age == 401);
    }
    assert_eq!(status(&person), 401, "no shift is that long");
    let person = Person::new(&world, "s", Role::Supervisor);
    world.hq().disable_account("s").unwrap();
    assert_eq!(status(&person), 401);
    assert!(world.hq().disable_account("t").is_err());
    let unbound = NewAccount {
        name: "l".into(),
        role: Role::Leader,
        authority: None,
        certificate_number: None,
    };
    assert!(world.hq().put_account(&unbound).is_err());
}

/// A possible double penalty is listed until a legal reviewer of the authority ruled on it.
#[test]
fn a_legal_reviewer_closes_a_review_and_a_new_question_opens_it_again() {
    let (world, mut scene, case) = decided_twice();
    assert_eq!(world.hq().cases_in_review().unwrap(), [case]);
    let path = format!("/hq/v1/cases/{case}/ruling");
    let ruling = r#"{"text":"两份决定针对不同行为，不构成重复处罚"}"#;
    for role in [Role::Officer, Role::Leader, Role::Supervisor, Role::Administrator] {
        let person = Person::new(&world, role.name(), role);
        assert_eq!(person.ask("POST", &path, ruling).status, 401, "{role:?}");
    }
    let reviewer = Person::new(&world, "法制", Role::Reviewer);
    assert_eq!(reviewer.ask("POST", &path, r#"{"text":" "}"#).status, 422);
    assert_eq!(reviewer.ask("POST", &path, ruling).status, 200);
    assert!(world.hq().cases_in_review().unwrap().is_empty());
    assert_eq!(reviewer.ask("POST", &path, ruling).status, 404);
    // Another record of the case changes nothing about the ruling.
    let inspection = scene.device.inspection.unwrap();
    scene.act(filed(case, inspection, "乱扔烟蒂", &[]));
    assert!(world.hq().cases_in_review().unwrap().is_empty());
}
