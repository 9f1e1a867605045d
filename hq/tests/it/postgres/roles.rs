//! Who owns the schema and who serves are two roles; and several may bring it up to date at once.

use hq::{Database, Hq, HqError, InitOptions, StoreError, SystemClock};
use std::sync::Arc;

use super::schema;
use crate::support::World;
use crate::support::device::Device;
use sync_model::wire::push::Receipt;

/// A role that may log in, for one test.
struct Role<'s> {
    schema: &'s crate::support::postgres::Schema,
    name: String,
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let drop = format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.name);
        if let Err(error) = self.schema.run(&drop) {
            eprintln!("role {} stays: {error}", self.name);
        }
    }
}

#[test]
fn the_role_that_serves_can_add_and_read_and_never_change_evidence() {
    let Some(schema) = schema() else { return };
    let name = format!("{}_serves", schema.name);
    let made = schema.run(&format!("CREATE ROLE {name} LOGIN PASSWORD 'one-time'"));
    if let Err(error) = made {
        return println!("absent: the right to make roles ({error})");
    }
    let role = Role { schema: &schema, name };
    let parsed: tokio_postgres::Config = schema.server().parse().unwrap();
    let Some(tokio_postgres::config::Host::Tcp(host)) = parsed.get_hosts().first() else {
        return println!("absent: a PostgreSQL that is reached by TCP");
    };
    let port = parsed.get_ports().first().copied().unwrap_or(5432);
    let database = parsed.get_dbname().unwrap_or("postgres");
    let server = format!("postgres://{}:one-time@{host}:{port}/{database}", role.name);
    let serving = Database::Postgres { url: schema.url_at(&server), partition_records: Some(20) };
    let folder = tempfile::tempdir().unwrap();
    let init = || {
        let data = folder.path().join("hq");
        Hq::init_on(&data, &serving, &InitOptions::default(), Arc::new(SystemClock))
    };
    // The owner has not been there yet.
    let refused = init().err();
    let older = matches!(refused, Some(HqError::Store(StoreError::Older { found: 0, .. })));
    assert!(older, "{refused:?}");
    schema.database().migrate(Some(&role.name)).unwrap();

    let mut config = hq::Config::new(folder.path().join("hq"), ([127, 0, 0, 1], 0).into());
    config.database = serving;
    let mut world = World::start_on(None);
    world.running = Some(hq::serve_with_clock(&config, world.clock.clone()).unwrap());
    let mut device = Device::enroll(&world);
    for _ in 0..90 {
        device.any();
    }
    // Partitions of twenty are made on the way, by a role that may not make tables.
    let receipt: Receipt = device.push(&device.records).ok();
    device.verify(&receipt, &device.records);
    assert_eq!(world.hq().verify_log().unwrap().records, 90);
    assert!(schema.number("SELECT COUNT(*) FROM record_partition") >= 5);
    for statement in [
        "UPDATE record SET seq = 9",
        "DELETE FROM record",
        "TRUNCATE record",
        "UPDATE record_body SET bytes = ''",
        "DELETE FROM record_body_0",
        "DELETE FROM log_node",
        "DELETE FROM feed",
        "DELETE FROM fork",
        "UPDATE identity SET log_key = log_key",
        "UPDATE schema_version SET version = 0",
        "ALTER TABLE record DISABLE TRIGGER ALL",
        "DROP TRIGGER record_is_never_changed ON record",
        "CREATE TABLE other (a BIGINT)",
    ] {
        // Each in the shoes of the serving role.
        let refused = schema.run(&format!("SET ROLE {}; {statement}", role.name));
        let why = refused.expect_err(statement);
        assert!(why.contains("42501"), "{statement}: {why}");
    }
    drop(world);
}

#[test]
fn several_processes_bring_one_schema_up_to_date_at_once() {
    let Some(schema) = schema() else { return };
    std::thread::scope(|scope| {
        let migrating: Vec<_> =
            (0..6).map(|_| scope.spawn(|| schema.database().migrate(None))).collect();
        for thread in migrating {
            thread.join().unwrap().unwrap();
        }
    });
    assert_eq!(schema.number("SELECT COUNT(*) FROM schema_version"), 1);
}
