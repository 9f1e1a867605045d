//! A device that was copied, one that was restored from a backup, and an HQ that lost records.

use std::path::Path;

use sync_core::store::StopKind;
use sync_core::{StoreError, SyncError, audit};
use sync_model::wire::problem::ProblemCode;

use crate::world::{Device, World, scope};

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn stop(device: &Device) -> Option<StopKind> {
    device.store().read(|r| r.chain_stop()).unwrap().map(|stop| stop.kind)
}

#[test]
fn a_copied_device_stops_its_log_plane_and_keeps_everything_else_going() {
    let world = World::new();
    let original = world.device("a");
    original.lead("复制之前");
    original.sync().unwrap();
    let folder = original.close();
    let copy_at = world.folder.path().join("copy");
    copy_folder(&folder, &copy_at);
    let (original, copy) = (world.open(&folder), world.open(&copy_at));
    original.lead("原机");
    copy.photograph(&scope(1, false), 1);
    copy.lead("副本");
    original.sync().unwrap();

    let error = copy.sync().unwrap_err();
    assert!(
        matches!(&error, SyncError::Problem(problem) if problem.code == ProblemCode::Fork),
        "{error}"
    );
    assert_eq!(stop(&copy), Some(StopKind::Copied));
    assert_eq!(
        world.hq.counts().unwrap().forks,
        2,
        "the whole branch is kept with the first batch"
    );
    // Work goes on, nothing is parked one by one, no record is sent; the feed is read.
    for round in 0..3 {
        copy.lead(&format!("继续 {round}"));
        assert!(matches!(copy.sync(), Err(SyncError::Stopped(_))));
    }
    assert_eq!(world.hq.counts().unwrap().forks, 2);
    assert!(copy.store().read(|r| r.parked()).unwrap().len() <= 1);
    let messages = copy.store().read(|r| r.command_messages()).unwrap();
    assert!(messages.iter().any(|message| message.title.contains("同一密钥")), "{messages:?}");
    // The original reads the same feed, is warned, and goes on.
    original.lead("原机继续");
    original.sync().unwrap();
    assert_eq!((original.pending(), stop(&original)), (0, None));
    let alarms = world.hq.alarms().unwrap();
    assert_eq!((alarms.len(), alarms[0].kind.as_str(), alarms[0].device), (1, "fork", original.id));
}

#[test]
fn a_restored_device_finds_out_before_it_writes_and_takes_no_record_any_more() {
    let world = World::new();
    let device = world.device("a");
    device.lead("备份之前");
    device.sync().unwrap();
    let folder = device.close();
    let backup = world.folder.path().join("backup");
    copy_folder(&folder, &backup);
    let device = world.open(&folder);
    device.lead("备份之后");
    device.sync().unwrap();
    device.close();

    let restored = world.open(&backup);
    // Its push is empty: the receipt alone says that HQ holds more.
    restored.sync().unwrap();
    assert_eq!(stop(&restored), Some(StopKind::Restored));
    let refused = restored.try_act(&scope(1, false), crate::world::accepted());
    assert!(matches!(refused, Err(StoreError::ChainStopped(_))), "{refused:?}");
    assert!(matches!(restored.sync(), Err(SyncError::Stopped(_))));
    let counts = world.hq.counts().unwrap();
    assert_eq!((counts.records, counts.forks), (2, 0));
    let found = audit::run(restored.store(), &restored.client).unwrap();
    assert_eq!((found.again, found.unknown), (0, 1));
}

#[test]
fn what_hq_lost_goes_pending_again_and_every_receipt_holds_as_before() {
    let world = World::new();
    let (device, other) = (world.device("a"), world.device("b"));
    for nth in 0..30 {
        device.lead(&format!("{nth}"));
        if nth % 10 == 0 {
            device.sync().unwrap();
            other.lead("之间");
            other.sync().unwrap();
        }
    }
    device.sync().unwrap();
    let receipt = |seq| device.store().read(|r| r.receipt(seq)).unwrap().unwrap();
    let before: Vec<_> = (1..=30).map(receipt).collect();
    let clean = audit::run(device.store(), &device.client).unwrap();
    assert!(clean.is_clean() && clean.requests == 1, "{clean:?}");

    let database = rusqlite::Connection::open(world.folder.path().join("hq/hq.sqlite")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER record_is_never_deleted;
             DELETE FROM record WHERE seq IN (1, 4, 5, 17) AND device IN
               (SELECT device FROM device WHERE name = 'a');",
        )
        .unwrap();
    drop(database);
    assert!(world.hq.verify_log().is_err());
    // HQ orders it; the next round finds and sends what was lost.
    world.hq.order_audit(device.id).unwrap();
    device.sync().unwrap();
    assert_eq!(device.pending(), 4);
    device.sync().unwrap();
    assert_eq!(device.pending(), 0);
    assert_eq!((1..=30).map(receipt).collect::<Vec<_>>(), before);
    world.hq.verify_log().unwrap();
    let after = audit::run(device.store(), &device.client).unwrap();
    assert!(after.is_clean(), "{after:?}");
    assert!(world.hq.alarms().unwrap().iter().any(|alarm| alarm.kind == "healed"));
}

#[test]
fn an_audit_comes_weekly_and_a_clock_set_back_does_not_put_it_off() {
    let world = World::new();
    let device = world.device("a");
    device.lead("一");
    device.sync().unwrap();
    assert!(!audit::is_due(device.store()).unwrap());
    world.clock.advance_ms(8 * 24 * 3_600_000);
    assert!(audit::is_due(device.store()).unwrap());
    device.sync().unwrap();
    assert!(!audit::is_due(device.store()).unwrap());
    world.clock.jump_ms(-30 * 24 * 3_600_000);
    assert!(audit::is_due(device.store()).unwrap());
}
