//! Opening: lock, keys, check, migrate. A database that fails its check is copied aside, never deleted.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};
use sync_model::cose::{Signer, SoftwareKey};

use super::line::{Access, Line};
use super::{Store, migrate, plain};
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::disk::{self, Disk};
use crate::error::StoreError;
use crate::key;
use crate::vault::{DEVICE_KEY, DataKey, Vault, first_unlock};

/// Where copies of damaged databases lie.
pub const QUARANTINE_FOLDER: &str = "quarantine";

const DATABASE: &str = "xunzheng.db";

/// What every connection is set to, and why.
const PRAGMAS: &[(&str, &str)] = &[
    ("journal_mode", "WAL"),   // readers never wait for the writer
    ("synchronous", "FULL"),   // a dropped battery must not lose a signature
    ("foreign_keys", "ON"),    // no outbox row without its record
    ("temp_store", "MEMORY"),  // no personal data in temporary files
    ("secure_delete", "ON"),   // replaced drafts leave no trace on disk
    ("cell_size_check", "ON"), // a damaged page is noticed when read
];

pub(super) fn open(
    folder: &Path,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    given: Option<DataKey>,
) -> Result<Store, StoreError> {
    disk::create_folder(folder).map_err(StoreError::io("make data folder"))?;
    let lock = lock_folder(folder)?;
    let path = folder.join(DATABASE);
    let (vault, data_key, device_key) = keys(folder, &path, given)?;
    plain::encrypt(folder, &path, &data_key).map_err(|error| explained(folder, error))?;
    let mut writer =
        checked(folder, &path, Some(&data_key)).map_err(|error| explained(folder, error))?;
    migrate::migrate(&mut writer)?;
    let reader = connect(&path, Some(&data_key))?;
    let writer = Line::new(writer, &path, &data_key, Access::Write)?;
    let reader = Line::new(reader, &path, &data_key, Access::Read)?;
    let blobs = Blobs::open(&folder.join("blobs"), Arc::clone(&disk), &data_key)?;
    let store = Store {
        folder: folder.to_owned(),
        clock,
        disk,
        device_key,
        writer: Mutex::new(writer),
        reader: Mutex::new(reader),
        blobs,
        vault: Mutex::new(vault),
        data_key,
        own: Mutex::new(None),
        _lock: lock,
    };
    store.check_head()?;
    check_key(&store)?;
    Ok(store)
}

/// Returns the slots, the data key and the device key, made at the first call.
fn keys(
    folder: &Path,
    database: &Path,
    given: Option<DataKey>,
) -> Result<(Vault, DataKey, SoftwareKey), StoreError> {
    let device_path = folder.join(DEVICE_KEY);
    let Some(vault) = Vault::read(folder)? else {
        // A key that is gone is not replaced in silence: what lies under it would be lost for good.
        if plain::state(database)? == plain::State::Encrypted {
            return Err(StoreError::BadStored("key slots (file is missing)"));
        }
        let device_key = key::device_key(&device_path)?;
        // If the power fails after this, the next start finds the slots and goes on from there.
        let (vault, data_key) = Vault::make(folder, &device_key)?;
        return Ok((vault, data_key, device_key));
    };
    let device_key = key::read_device_key(&device_path)?;
    let device_key = device_key.ok_or(StoreError::BadStored("device key (file is missing)"))?;
    let data_key = match given {
        Some(key) => key,
        None => vault
            .open_by_device(&device_key)?
            .or_else(|| first_unlock::find(vault.name()))
            .ok_or(StoreError::Locked)?,
    };
    Ok((vault, data_key, device_key))
}

/// A lost key file is not replaced in silence: nothing signed with a new key would count.
fn check_key(store: &Store) -> Result<(), StoreError> {
    let enrollment = store.read(|reader| reader.enrollment())?;
    match enrollment {
        Some(found) if found.certificate.key != store.device_key.public() => {
            Err(StoreError::BadStored("device key (not the enrolled one)"))
        }
        _ => Ok(()),
    }
}

/// Keeps other processes off the folder.
pub(super) struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Said outright: closing alone leaves the lock with a child that is just being started.
        flock(&self.0, FlockOperation::Unlock).ok();
    }
}

fn lock_folder(folder: &Path) -> Result<FolderLock, StoreError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(StoreError::io("open lock file"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(FolderLock(file)),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => {
            Err(StoreError::InUse(folder.to_owned()))
        }
        Err(error) => Err(StoreError::io("lock data folder")(error.into())),
    }
}

/// Bytes that opening needs at most: a WAL's header and its index.
const OPENING_BYTES: usize = 64 * 1024;

/// Of a full disk SQLite only says while opening that something does not work; the officer is told
/// that room is missing, since that can be helped.
fn explained(folder: &Path, error: StoreError) -> StoreError {
    let StoreError::Sqlite(said) = &error else { return error };
    let code = said.sqlite_error_code();
    if !matches!(code, Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::SystemIoFailure))
    {
        return error;
    }
    let probe = folder.join("room");
    let tried = disk::RealDisk.write(&probe, &[0; OPENING_BYTES]);
    fs::remove_file(&probe).ok();
    match tried {
        Err(why) if disk::is_full(&why) => StoreError::DiskFull { doing: "opening the database" },
        _ => error,
    }
}

/// Opens the database and runs SQLite's own check over it.
pub(super) fn checked(
    folder: &Path,
    path: &Path,
    key: Option<&DataKey>,
) -> Result<Connection, StoreError> {
    let opened = connect(path, key).and_then(|connection| {
        let finding: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok((connection, finding))
    });
    let finding = match opened {
        Ok((connection, finding)) if finding == "ok" => return Ok(connection),
        Ok((_, finding)) => finding,
        Err(error) if is_damage(&error) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    // The original stays where it is, so that every later start says the same; the copy is for
    // whoever repairs it.
    let quarantine = quarantine(folder, path).ok();
    Err(StoreError::Corrupt { finding, quarantine })
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}

/// Connects to the database; without `key` to a plain one.
pub(super) fn connect(path: &Path, key: Option<&DataKey>) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if let Some(key) = key {
        connection.execute_batch(&key.database_pragma())?;
    }
    // Where writing is refused for whatever reason, SQLite falls back to reading, without a word.
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        let why = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY_CANTLOCK);
        let said = "database cannot be opened for writing".to_owned();
        return Err(rusqlite::Error::SqliteFailure(why, Some(said)));
    }
    // Until the check has passed, closing must not write the WAL into a damaged database.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Statements stay prepared: without this SQLite plans anew whenever a bound value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    for (name, value) in PRAGMAS {
        connection.pragma_update(None, name, value)?;
    }
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Copies the database and its WAL aside, under the hash of the database, once.
fn quarantine(folder: &Path, path: &Path) -> Result<PathBuf, std::io::Error> {
    let bytes = fs::read(path)?;
    let name = sync_model::hash::Hash::of(&bytes).short();
    let target = folder.join(QUARANTINE_FOLDER).join(name);
    fs::create_dir_all(&target)?;
    for suffix in ["", "-wal"] {
        let from = folder.join(format!("{DATABASE}{suffix}"));
        let to = target.join(format!("{DATABASE}{suffix}"));
        if from.exists() && !to.exists() {
            disk::RealDisk.write(&to, &fs::read(&from)?)?;
        }
    }
    Ok(target)
}
