//! Planted bugs: the simulator must find each of them, every time.

use rusqlite::Connection;

use super::event::{Event, Fate};
use super::network::lock;
use super::template::copy_folder;
use super::{Template, Violation, World};

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// HQ loses its newest record.
    HqLosesLast,
    /// HQ loses a record in the middle.
    HqLosesOne,
    /// HQ changes one bit of a record.
    HqAlters,
    /// HQ exchanges two records.
    HqReorders,
    /// HQ comes back from an older copy of its folder.
    HqRollsBack,
    /// HQ comes back from an older copy, and other records took the place before the device asks.
    HqRewrites,
    /// HQ loses a file.
    HqLosesFile,
    /// HQ changes a file.
    HqAltersFile,
    /// The device forgets its newest record.
    DeviceForgets,
    /// The device changes a record.
    DeviceAlters,
    /// The device forgets that a record waits.
    DeviceDropsFromOutbox,
    /// The device shows as received what HQ does not have.
    DeviceClaims,
    /// The device changes a file.
    DeviceAltersFile,
}

/// Every bug.
pub const BUGS: [Bug; 13] = [
    Bug::HqLosesLast,
    Bug::HqLosesOne,
    Bug::HqAlters,
    Bug::HqReorders,
    Bug::HqRollsBack,
    Bug::HqRewrites,
    Bug::HqLosesFile,
    Bug::HqAltersFile,
    Bug::DeviceForgets,
    Bug::DeviceAlters,
    Bug::DeviceDropsFromOutbox,
    Bug::DeviceClaims,
    Bug::DeviceAltersFile,
];

/// Plays `events`, plants `bug`, goes on, heals and checks.
///
/// # Errors
/// What was found: that is what is hoped for.
pub fn run(template: &Template, devices: u8, events: &[Event], bug: Bug) -> Result<(), Violation> {
    let mut world = World::new(template, devices)?;
    // There is something to lose: two devices have records and a file at HQ.
    for number in [0, 1, 0, 1] {
        world.play(&Event::Lead(number))?;
        world.play(&Event::Photo(number, 900))?;
        world.play(&Event::Sync(number, vec![]))?;
    }
    let before = world.folder.path().join("hq-before");
    lock(&world.net).stop();
    copy_folder(&world.folder.path().join("hq"), &before)?;
    lock(&world.net).restart()?;
    for event in events {
        world.play(event)?;
    }
    // What was written is here whatever the script did: one more record of each, receipted.
    for number in [0, 1] {
        lock(&world.net).connect(usize::from(number), true);
        world.play(&Event::Lead(number))?;
        world.play(&Event::Sync(number, vec![Fate::Arrives]))?;
    }
    let planted = plant(&mut world, bug, &before);
    lock(&world.net).restart()?;
    planted?;
    let first = world.device(0)?;
    if first.store().is_err() {
        first.start()?;
    }
    if bug == Bug::HqRewrites {
        // Other records come first: those of the device that asks last are gone for good.
        for _ in 0..12 {
            world.play(&Event::Lead(1))?;
        }
        world.play(&Event::Sync(1, vec![]))?;
    }
    let healed = world.heal();
    let alarms: u64 = world.devices.iter().map(|device| device.alarms).sum();
    healed?;
    if alarms > 0 {
        return Err(Violation::new(
            "I3 a device found HQ's proof wrong",
            format!("{alarms} rounds"),
        ));
    }
    world.finish().map(|_| ())
}

fn plant(world: &mut World, bug: Bug, before: &std::path::Path) -> Result<(), Violation> {
    lock(&world.net).stop();
    let hq = world.folder.path().join("hq");
    let at_hq = |sql: &str| change(&hq.join("hq.sqlite"), sql);
    let device = world.folder.path().join("device0");
    match bug {
        Bug::HqLosesLast => {
            at_hq("DELETE FROM record WHERE log_index = (SELECT MAX(log_index) FROM record)")
        }
        Bug::HqLosesOne => at_hq("DELETE FROM record WHERE log_index = 1"),
        Bug::HqAlters => at_hq(
            "UPDATE record SET bytes = CAST(substr(bytes, 1, 90) || x'00' || substr(bytes, 92) AS BLOB) WHERE log_index = 1",
        ),
        Bug::HqReorders => at_hq(
            "UPDATE record SET log_index = -1 WHERE log_index = 1;
             UPDATE record SET log_index = 1 WHERE log_index = 2;
             UPDATE record SET log_index = 2 WHERE log_index = -1;",
        ),
        Bug::HqRollsBack | Bug::HqRewrites => {
            std::fs::remove_dir_all(&hq).map_err(Violation::of("simulator"))?;
            copy_folder(before, &hq)
        }
        Bug::HqLosesFile | Bug::HqAltersFile => {
            let blobs = hq.join("blobs");
            spoil(&blobs, bug == Bug::HqLosesFile)
        }
        Bug::DeviceForgets
        | Bug::DeviceAlters
        | Bug::DeviceDropsFromOutbox
        | Bug::DeviceClaims
        | Bug::DeviceAltersFile => {
            world.device(0)?.lead()?;
            world.device(0)?.stop();
            let database = device.join("xunzheng.db");
            let last = "seq = (SELECT MAX(seq) FROM journal)";
            match bug {
                Bug::DeviceForgets => change(
                    &database,
                    &format!("DELETE FROM outbox WHERE {last}; DELETE FROM journal WHERE {last};"),
                ),
                Bug::DeviceAlters => change(
                    &database,
                    &format!(
                        "UPDATE journal SET bytes = CAST(substr(bytes, 1, 90) || x'00' || substr(bytes, 92) AS BLOB) WHERE {last}"
                    ),
                ),
                Bug::DeviceDropsFromOutbox => {
                    change(&database, &format!("DELETE FROM outbox WHERE {last}"))
                }
                Bug::DeviceClaims => change(
                    &database,
                    &format!("UPDATE outbox SET status = 'received' WHERE {last}"),
                ),
                _ => spoil(&device.join("blobs"), false),
            }
        }
    }
}

/// Changes a database behind everybody's back; what guards it against that is taken off first.
fn change(path: &std::path::Path, sql: &str) -> Result<(), Violation> {
    let run = || -> rusqlite::Result<()> {
        let database = Connection::open(path)?;
        if let Ok(Some(key)) = path.parent().map_or(Ok(None), sync_core::vault::open_without_pin) {
            database.execute_batch(&key.database_pragma())?;
        }
        database.pragma_update(None, "foreign_keys", false)?;
        let guards: Vec<String> = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for guard in guards {
            database.execute_batch(&format!("DROP TRIGGER {guard}"))?;
        }
        database.execute_batch(sql)
    };
    run().map_err(Violation::of("simulator"))
}

/// Deletes the first file of a blob folder, or changes its first byte.
fn spoil(blobs: &std::path::Path, delete: bool) -> Result<(), Violation> {
    let mut open = vec![blobs.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Violation::of("simulator"))? {
            let path = entry.map_err(Violation::of("simulator"))?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            if delete {
                return std::fs::remove_file(&path).map_err(Violation::of("simulator"));
            }
            return flip(&path).map_err(Violation::of("simulator"));
        }
    }
    Err(Violation::new("simulator", "no file to spoil"))
}

fn flip(path: &std::path::Path) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom, Write};
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    let mut first = [0];
    file.read_exact(&mut first)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&first.map(|byte| byte ^ 1))
}
