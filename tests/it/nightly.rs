//! The night's sync: at its minute, once, through cuts and a second start; and the units that start
//! it.

use std::cell::Cell;
use std::time::Duration;

use sync_core::clock::{Clock, ManualClock};
use sync_model::wire::policy::Policy;
use xunzheng::error::AppError;
use xunzheng::services::Services;
use xunzheng::sync_status::nightly::{self, EXIT_CONFIG, EXIT_TRY_LATER, Means, Night};

use crate::support::device::Device;
use crate::support::people::arrive;
use crate::support::proxy::Fault;
use crate::support::world::World;

/// A device with unsent records whose program is not running, and how many.
fn evening() -> (World, u64) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    arrive(&world, device, device.find("演练小吃店"));
    let records = device.length();
    world.devices[0].power_off();
    (world, records)
}

fn night(world: &World, device: &Device, sleep: &dyn Fn(Duration)) -> Result<Night, AppError> {
    let open = || device.open();
    nightly::run(&Means {
        folder: device.folder.clone(),
        clock: world.clock.as_ref() as &ManualClock,
        open: &open,
        sleep,
    })
}

fn pending(services: &Services) -> u64 {
    let counts = services.store.read(|r| r.outbox_counts()).unwrap();
    counts.pending + counts.pending_blobs
}

#[test]
fn the_night_begins_at_its_minute_and_nothing_is_open_before() {
    let (world, records) = evening();
    let device = &world.devices[0];
    // Yesterday's night is made up for at once; tonight has a minute of its own.
    assert!(matches!(night(&world, device, &|_| {}), Ok(Night::Done(..))));
    let opens = Policy::DEFAULT.nightly_opens(world.clock.now().wall_at.legal_date());
    let until_ms = opens.since_ms(world.clock.now().wall_at);
    world.clock.advance_ms(u64::try_from(until_ms).unwrap());
    let id = device.open().unwrap().store.read(|r| r.enrollment()).unwrap().unwrap();
    let begins = Policy::DEFAULT.nightly_start(id.certificate.device, opens.legal_date());
    let naps = Cell::new(0_u32);
    let sleep = |long: Duration| {
        naps.set(naps.get() + 1);
        assert!(device.open().is_ok(), "the officer cannot open the handheld");
        assert!(matches!(night(&world, device, &|_| {}), Ok(Night::Busy)), "two at once");
        world.clock.advance_ms(u64::try_from(long.as_millis()).unwrap());
    };
    let done = night(&world, device, &sleep).unwrap();
    assert!(matches!(done, Night::Done(..)), "{done:?}");
    assert!(world.clock.now().wall_at >= begins && naps.get() > 0);
    assert!(matches!(night(&world, device, &|_| {}), Ok(Night::DoneBefore)));
    let services = device.open().unwrap();
    assert_eq!(pending(&services), 0);
    assert!(services.store.read(|r| r.outbox_counts()).unwrap().received >= records);
}

#[test]
fn a_night_without_a_line_tries_again_and_goes_on_once_there_is_one() {
    let (world, _) = evening();
    let device = &world.devices[0];
    device.proxy.fail_all(Fault::Refused);
    let naps = Cell::new(0_u32);
    let sleep = |long: Duration| {
        naps.set(naps.get() + 1);
        world.clock.advance_ms(u64::try_from(long.as_millis()).unwrap());
        if naps.get() == 4 {
            device.proxy.pass();
        }
    };
    let done = night(&world, device, &sleep).unwrap();
    assert!(matches!(done, Night::Done(..)), "{done:?}");
    assert_eq!(naps.get(), 4);
    assert_eq!(pending(&device.open().unwrap()), 0);
}

#[test]
fn a_night_that_never_finds_hq_ends_and_says_so() {
    let (world, _) = evening();
    let device = &world.devices[0];
    device.proxy.fail_all(Fault::Refused);
    let begun = world.clock.now().wall_at;
    let sleep =
        |long: Duration| world.clock.advance_ms(u64::try_from(long.as_millis()).unwrap() + 60_000);
    assert!(matches!(night(&world, device, &sleep), Ok(Night::TryLater(_))));
    let took_ms = world.clock.now().wall_at.since_ms(begun);
    assert!((3_600_000..2 * 3_600_000).contains(&took_ms), "{took_ms}");
    assert!(pending(&device.open().unwrap()) > 0);
}

#[test]
fn a_device_that_is_not_enrolled_is_a_matter_of_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(ManualClock::at(sync_model::time::Timestamp(0)));
    let open = || {
        let disk = std::sync::Arc::new(sync_core::disk::RealDisk);
        let hardness = sync_core::key::Hardness::REHEARSAL;
        Services::open(folder.path(), clock.clone(), disk, hardness)
    };
    let means = Means {
        folder: folder.path().to_owned(),
        clock: clock.as_ref(),
        open: &open,
        sleep: &|_| {},
    };
    let error = nightly::run(&means).unwrap_err();
    assert_eq!(nightly::exit_code(&error), EXIT_CONFIG);
}

#[test]
fn the_handheld_gets_the_folder_from_a_night_under_way() {
    let (world, _) = evening();
    let device = &world.devices[0];
    let folder = &device.folder;
    let held = device.open().unwrap();
    let in_use = AppError::Store(device.open().err().map_or_else(
        || panic!("two programs in one folder"),
        |error| match error {
            AppError::Store(error) => error,
            other => panic!("{other}"),
        },
    ));
    assert_eq!(nightly::exit_code(&in_use), EXIT_TRY_LATER);
    // A night holds the folder and gives it up when it is wanted.
    let lock = std::fs::File::create(folder.join("nightly.lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !nightly::wanted_path(folder).exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            drop(held);
        });
        let clock = std::sync::Arc::clone(&device.clock) as std::sync::Arc<dyn Clock>;
        let disk = std::sync::Arc::new(sync_core::disk::RealDisk);
        let hardness = sync_core::key::Hardness::REHEARSAL;
        Services::open_asking(folder, clock, disk, hardness).unwrap();
    });
    assert!(!nightly::wanted_path(folder).exists());
}

#[test]
fn the_units_say_what_the_command_does() {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/systemd");
        std::fs::read_to_string(path.join(name)).unwrap()
    };
    let (service, timer) = (read("xunzheng-sync.service"), read("xunzheng-sync.timer"));
    let has = |text: &str, line: &str| assert!(text.lines().any(|one| one == line), "{line}");
    let try_later = format!("SuccessExitStatus={EXIT_TRY_LATER}");
    for line in [
        "Type=oneshot",
        "ExecStart=/usr/bin/xunzheng sync --nightly",
        "User=xunzheng",
        &try_later,
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=xunzheng",
        "CapabilityBoundingSet=",
    ] {
        has(&service, line);
    }
    let minute = Policy::DEFAULT.nightly_start_minute;
    let opens = format!("OnCalendar=*-*-* {:02}:{:02}:00 Asia/Shanghai", minute / 60, minute % 60);
    for line in [&opens, "Persistent=true", "RandomizedDelaySec=0"] {
        has(&timer, line);
    }
    // Where systemd is there, it reads them too; the program itself need not be installed.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/systemd");
    let units =
        ["xunzheng-sync.service", "xunzheng-sync.timer"].map(|one| format!("{folder}/{one}"));
    match std::process::Command::new("systemd-analyze").arg("verify").args(&units).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let complaints: Vec<&str> = said
                .lines()
                .filter(|line| line.contains("xunzheng-sync") && !line.contains("not executable"))
                .collect();
            assert!(complaints.is_empty(), "{complaints:#?}");
        }
        Err(error) => println!("absent: systemd-analyze ({error})"),
    }
}
