//! No room: for a file, for a page of the database, at any moment.

use std::process::Command;

use sync_core::{Outcome, StoreError};
use xunzheng::assignment;
use xunzheng::error::AppError;
use xunzheng::transcript::prepare;

use super::{PERSON, finish, on_visit};
use crate::support::people::{lead, new_transcript, photograph, scene, scene_content};
use crate::support::photos;
use crate::support::world::{SwitchedDisk, World, ok, refused};

#[test]
fn a_full_disk_refuses_a_capture_and_a_transcript_whole_and_work_goes_on_after_room_is_made() {
    let (mut world, inspection) = on_visit();
    let device = &world.devices[0];
    ok(photograph(device, inspection, &photos::jpeg(1)));
    for state in [SwitchedDisk::NO_ROOM, SwitchedDisk::FULL] {
        let before = device.length();
        device.disk.set(state);
        let (error, sentence) = refused(photograph(device, inspection, &photos::jpeg(2)));
        assert!(matches!(error, AppError::Store(StoreError::DiskFull { .. })), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Fixable);
        assert!(sentence.contains("存储空间已满") && sentence.contains("已有记录完好"));
        let content = scene_content(&world, device, inspection, PERSON);
        let transcript = new_transcript(device);
        let made = prepare(device.services(), inspection, transcript, &content);
        let (_, sentence) = refused(made);
        assert!(sentence.contains("存储空间已满"), "{sentence}");
        assert_eq!(device.length(), before, "half an act was recorded");
        // Records are small and have a reserve: a lead can still be noted.
        lead(device, "存储已满时仍可记录线索");
        device.disk.set(SwitchedDisk::FINE);
    }
    // Torn parts of files are gone after the next start.
    world.devices[0].restart();
    let device = &world.devices[0];
    let shelves = std::fs::read_dir(device.folder.join("blobs")).unwrap();
    for shelf in shelves.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(shelf).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(".part"), "{name} was left");
        }
    }
    device.unlock();
    ok(photograph(device, inspection, &photos::jpeg(2)));
    scene(&world, device, inspection, PERSON);
    finish(&world);
}

#[test]
fn a_full_disk_does_not_keep_records_from_going_up() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    ok(photograph(device, inspection, &photos::jpeg(1)));
    device.disk.set(SwitchedDisk::FULL);
    finish(&world);
}

/// The database itself cannot grow: SQLite says so in the middle of an act and of a sync.
#[test]
fn a_full_disk_under_the_database_undoes_the_act_and_the_round_whole() {
    let world = World::new(1);
    let Some(mount) = SmallDisk::mount(world.folder.path().join("small")) else {
        // The switch on `Disk` is checked above; only the system can fill a database.
        println!("skipped: mounting a small disk needs root");
        return;
    };
    let mut world = world;
    let device = &mut world.devices[0];
    device.power_off();
    mount.take_in(&device.folder);
    device.power_on();
    device.unlock();
    let device = &world.devices[0];
    let mut made = 0;
    mount.fill();
    let error = loop {
        match assignment::record_lead(device.services(), None, &"长".repeat(3000)) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        device.remember();
        assert!(made < 1000, "the disk never filled");
    };
    let (error, sentence) = refused::<()>(Err(error));
    assert_eq!(error.outcome(), Outcome::Fixable, "{error:?}");
    assert!(sentence.contains("存储空间已满"), "{sentence}");
    // A round may keep its receipts or not; it never half-keeps them and never lies about HQ.
    if let Err(error) = device.sync() {
        let (_, sentence) = refused::<()>(Err(error));
        assert!(sentence.contains("存储空间已满"), "{sentence}");
    }
    mount.make_room();
    lead(device, "清理空间以后");
    ok(device.sync());
    assert!(device.is_empty());
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
    println!("full database: {made} records before it was full");
    world.devices[0].power_off();
    mount.give_back(&world.devices[0].folder);
    drop(mount);
}

/// A mounted file system of a few MiB.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let command = ["-t", "tmpfs", "-o", "size=8m", "tmpfs"];
        let mounted = Command::new("mount").args(command).arg(&at).output().ok()?;
        mounted.status.success().then_some(Self(at))
    }

    /// Moves the database onto the small disk, behind a link at its old place.
    fn take_in(&self, folder: &std::path::Path) {
        let target = self.0.join("device");
        let moved = Command::new("cp").arg("-a").arg(folder).arg(&target).status().unwrap();
        assert!(moved.success());
        std::fs::remove_dir_all(folder).unwrap();
        std::os::unix::fs::symlink(&target, folder).unwrap();
    }

    fn give_back(&self, folder: &std::path::Path) {
        std::fs::remove_file(folder).unwrap();
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        // Writes until the system says that it is full.
        while ballast.write_all(&[0; 4096]).is_ok() {}
        // A few pages of room, so that some acts still fit.
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(128 * 1024)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().unwrap();
    }
}
