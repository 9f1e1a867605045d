//! A database of each released version becomes what a fresh one is, and keeps its rows.

use rusqlite::Connection;

use crate::store::migrate::migrate;

/// Databases as each released version left them.
const FROZEN: &[&str] = &[
    include_str!("../../../fixtures/store_0001.sql"),
    include_str!("../../../fixtures/store_0002.sql"),
    include_str!("../../../fixtures/store_0003.sql"),
];

fn schema(connection: &Connection) -> Vec<(String, String, String)> {
    let sql = "SELECT type, name, COALESCE(sql, '') FROM sqlite_schema
               WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn fresh() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection).unwrap();
    connection
}

fn migrated(frozen: &str) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(frozen).unwrap();
    migrate(&mut connection).unwrap();
    connection
}

fn version(connection: &Connection) -> u32 {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_migrated_database_has_the_schema_of_a_fresh_one() {
    let expected = fresh();
    for (number, frozen) in (1_u32..).zip(FROZEN) {
        let old = Connection::open_in_memory().unwrap();
        old.execute_batch(frozen).unwrap();
        assert_eq!(version(&old), number);
        assert_ne!(schema(&old), schema(&expected), "the fixture is not an old database");
        let found = migrated(frozen);
        assert_eq!(schema(&found), schema(&expected));
        assert_eq!(version(&found), version(&expected));
    }
    // Every version but the newest has left a fixture behind.
    assert_eq!(FROZEN.len(), usize::try_from(version(&expected)).unwrap() - 1);
}

#[test]
fn rows_survive_migration_with_their_values() {
    for frozen in FROZEN {
        keeps_its_values(&migrated(frozen));
    }
}

fn keeps_its_values(found: &Connection) {
    let text = |sql: &str| -> String { found.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("SELECT hex(bytes) FROM journal WHERE seq = 1"), "C0FFEE");
    assert_eq!(text("SELECT hex(inspection) FROM journal WHERE seq = 2"), "0102");
    assert_eq!(text("SELECT parked_reason FROM outbox WHERE seq = 2"), "BadRecord: x");
    assert_eq!(text("SELECT CAST(received_at AS TEXT) FROM receipt"), "1795485600002");
    assert_eq!(text("SELECT value FROM draft WHERE field = 'place'"), "门前");
    assert_eq!(text("SELECT name FROM officer"), "李梅");
    assert_eq!(text("SELECT hex(bytes) FROM feed WHERE idx = 7"), "0B");
    assert_eq!(text("SELECT status FROM blob"), "pending");
    let broken: i64 =
        found.query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |r| r.get(0)).unwrap();
    assert_eq!(broken, 0);
    // Append-only survives too.
    assert!(found.execute("DELETE FROM journal", []).is_err());
}

#[test]
fn a_step_that_fails_leaves_the_version_and_the_schema_it_found() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(FROZEN[0]).unwrap();
    // The name the second step wants is taken in its middle: what it did before must go.
    connection.execute_batch("CREATE TABLE lead_note (x)").unwrap();
    let before = schema(&connection);
    assert!(migrate(&mut connection).is_err());
    assert_eq!(schema(&connection), before);
    assert_eq!(version(&connection), 1);
}
