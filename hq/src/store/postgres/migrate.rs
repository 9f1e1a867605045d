//! Brings a PostgreSQL schema to the newest version, forward only, and hands out rights.

use super::super::StoreError;
use super::super::steps::STEPS;
use super::connection::PostgresConnection;
use super::translate::translate;

/// What has to be there before the first step.
const GROUND: &str = "
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO schema_version VALUES (0);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;";

/// Held while the schema is changed, so that several processes may start at once.
const LOCK: &str = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('xunzheng-hq schema'), \
     hashtext(current_schema()))";

/// Gives the role that serves what it needs and no more: tables that refuse changes can only be
/// read and added to.
const RIGHTS: &str = "
DO $do$
DECLARE
    role TEXT := current_setting('xunzheng.role');
    known RECORD;
    append_only BOOLEAN;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    FOR known IN
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
          AND NOT relispartition
    LOOP
        SELECT EXISTS (
            SELECT 1 FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
            WHERE tgrelid = known.oid AND proname = 'refuse_change'
        ) INTO append_only;
        EXECUTE format('REVOKE ALL ON %I FROM %I', known.relname, role);
        IF known.relname IN ('schema_version', 'record_partition') THEN
            EXECUTE format('GRANT SELECT ON %I TO %I', known.relname, role);
        ELSIF append_only OR known.relname = 'identity' THEN
            EXECUTE format('GRANT SELECT, INSERT ON %I TO %I', known.relname, role);
        ELSE
            EXECUTE format(
                'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', known.relname, role);
        END IF;
    END LOOP;
    REVOKE ALL ON FUNCTION make_record_partitions(BIGINT, BIGINT) FROM PUBLIC;
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION make_record_partitions(BIGINT, BIGINT) TO %I', role);
END $do$;";

/// Applies the steps that the schema lacks.
///
/// # Errors
/// [`StoreError::Newer`] for a schema of a later program, [`StoreError::Older`] where this role may
/// not change an older one; either is left as it is.
pub(super) fn migrate(connection: &PostgresConnection) -> Result<(), StoreError> {
    while step(connection)? {}
    Ok(())
}

/// Applies one step; says whether there may be another.
fn step(connection: &PostgresConnection) -> Result<bool, StoreError> {
    let known = STEPS.len();
    // Asked without the lock first: a role that only serves need not wait for it.
    if version(connection)? == i64::try_from(known).ok() {
        return Ok(false);
    }
    connection.batch(LOCK)?;
    let changed = change(connection);
    match &changed {
        Ok(_) => connection.batch("COMMIT")?,
        Err(_) => connection.batch("ROLLBACK")?,
    }
    changed
}

fn change(connection: &PostgresConnection) -> Result<bool, StoreError> {
    let known = STEPS.len();
    let found = version(connection)?;
    let older = |error| match error {
        StoreError::Database(_) if !may_change(connection) => {
            StoreError::Older { found: found.unwrap_or(0), known }
        }
        other => other,
    };
    if found.is_none() {
        connection.batch(GROUND).map_err(older)?;
    }
    let found = found.unwrap_or(0);
    let Some(position) = usize::try_from(found).ok().filter(|found| *found <= known) else {
        return Err(StoreError::Newer { found, known });
    };
    let Some(step) = STEPS.get(position) else { return Ok(false) };
    let sql = step.postgres.map_or_else(|| translate(step.sqlite), str::to_owned);
    connection.batch(&sql).map_err(older)?;
    connection.batch("UPDATE schema_version SET version = version + 1").map_err(older)?;
    Ok(true)
}

fn version(connection: &PostgresConnection) -> Result<Option<i64>, StoreError> {
    // Asked of the catalog itself: what a session remembers of names may be older than the lock.
    let there: Option<bool> = connection.ask(
        "SELECT EXISTS (
             SELECT 1 FROM pg_class WHERE relname = 'schema_version'
             AND relnamespace = current_schema()::regnamespace
         )",
    )?;
    if there == Some(true) {
        connection.ask("SELECT version FROM schema_version")
    } else {
        Ok(None)
    }
}

/// Says whether this role may make tables here; asked after a statement failed.
fn may_change(connection: &PostgresConnection) -> bool {
    let asked = connection
        .batch("ROLLBACK; BEGIN")
        .and_then(|()| connection.ask("SELECT has_schema_privilege(current_schema(), 'CREATE')"));
    matches!(asked, Ok(Some(true)))
}

/// Gives the role that serves its rights on the newest schema.
pub(super) fn grant(connection: &PostgresConnection, role: &str) -> Result<(), StoreError> {
    let role = role.replace('\'', "''");
    connection.batch(&format!("SET xunzheng.role = '{role}'"))?;
    connection.batch(RIGHTS)
}
