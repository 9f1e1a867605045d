//! The sync and settings pages: rounds by pressing and by time, look, self-check, export, leaving.

use slint::{ComponentHandle, Model};
use sync_model::record::Act;
use xunzheng::ui::{
    CheckRow, DamagedAdapter, MainWindow, Page, SettingsAdapter, SyncAdapter, Theme, ThemeKind,
    Tone,
};

use crate::support::hands::Hands;
use crate::support::people::arrive;
use crate::support::proxy::Fault;
use crate::support::world::{World, put};

/// A device with a visit begun, its program stopped, and how many records it has.
fn visit() -> (World, u64) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    arrive(&world, device, device.find("演练小吃店"));
    let records = device.length();
    world.devices[0].power_off();
    (world, records)
}

fn sync(window: &MainWindow) -> SyncAdapter<'_> {
    window.global::<SyncAdapter<'_>>()
}

fn pending(hands: &Hands<'_>) -> u64 {
    hands.desk.services().store.read(|r| r.outbox_counts()).unwrap().pending
}

#[test]
fn pressing_sync_brings_a_receipt_for_every_record() {
    let (world, records) = visit();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Sync);
    hands.settle();
    assert!(pending(&hands) > 0);
    hands.press("立即同步");
    assert!(hands.told().contains("同步完成"), "{}", hands.told());
    let counts = hands.desk.services().store.read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received), (0, records));
    let held = sync(&hands.window).get_levels().row_data(1).unwrap();
    assert_eq!((held.code.as_str(), held.count.as_str()), ("R1", records.to_string().as_str()));
    assert_eq!(sync(&hands.window).get_error(), "");
}

#[test]
fn a_round_that_was_asked_for_says_why_it_failed_and_one_by_time_does_not_interrupt() {
    let (world, _) = visit();
    world.devices[0].proxy.fail_all(Fault::Refused);
    let hands = Hands::open(&world);
    hands.desk.show(Page::Sync);
    hands.settle();
    let before = pending(&hands);
    hands.wait_s(5);
    assert_eq!(hands.told().trim(), "", "a round by time is quiet");
    assert!(sync(&hands.window).get_error().contains("连不上总部"), "but the page says it");
    hands.press("立即同步");
    assert!(hands.told().contains("连不上总部"), "{}", hands.told());
    assert!(sync(&hands.window).get_error_advice().contains("资料都在本机"));
    assert_eq!(pending(&hands), before, "nothing is lost by a failed round");
}

#[test]
fn rounds_run_by_themselves_once_there_is_a_line() {
    let (world, records) = visit();
    world.devices[0].proxy.fail_all(Fault::Refused);
    let hands = Hands::open(&world);
    hands.desk.restart_at(Page::Home);
    hands.wait_s(10);
    assert!(pending(&hands) > 0);
    world.devices[0].proxy.pass();
    hands.wait_s(120);
    let counts = hands.desk.services().store.read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.received), (0, records));
}

#[test]
fn what_is_parked_is_listed_with_its_reason_and_sent_again() {
    let (world, records) = visit();
    let hands = Hands::open(&world);
    hands.desk.services().store.park(records, "总部正在维护").unwrap();
    hands.desk.show(Page::Sync);
    hands.settle();
    let row = sync(&hands.window).get_parked().row_data(0).unwrap();
    assert!(row.reason.contains("总部正在维护"), "{}", row.reason);
    hands.press(&format!("重新上报：{}", row.title));
    assert_eq!(sync(&hands.window).get_parked().row_count(), 0);
    assert_eq!(pending(&hands), 0);
}

#[test]
fn the_chosen_look_is_there_after_a_restart() {
    let (world, _) = visit();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Settings);
    hands.settle();
    hands.press("夜间");
    hands.press("特大");
    assert_eq!(hands.window.global::<Theme<'_>>().get_kind(), ThemeKind::Dark);
    drop(hands);

    let again = Hands::open(&world);
    let theme = again.window.global::<Theme<'_>>();
    assert_eq!((theme.get_kind(), theme.get_text_factor()), (ThemeKind::Dark, 1.3));
}

fn check(window: &MainWindow, name: &str) -> CheckRow {
    let rows = window.global::<SettingsAdapter<'_>>().get_checks();
    rows.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn the_self_check_walks_every_record_and_names_what_it_found() {
    let (world, records) = visit();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Settings);
    hands.settle();
    assert_eq!(check(&hands.window, "本机数据").tone, Tone::Warn, "not looked at yet");
    hands.press("重新自检");
    let data = check(&hands.window, "本机数据");
    assert_eq!(data.tone, Tone::Good, "{}", data.detail);
    assert!(data.detail.contains(&records.to_string()), "{}", data.detail);
    for name in ["存储空间", "时钟", "规则库", "上报队列", "相机"] {
        assert!(!check(&hands.window, name).detail.is_empty(), "{name}");
    }
}

#[test]
fn an_exported_bundle_lies_in_the_data_folder_and_verifies() {
    let (world, _) = visit();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Settings);
    hands.settle();
    hands.press("导出案卷");
    assert!(hands.told().contains("核验一致"), "{}", hands.told());
    let folder = world.devices[0].folder.join("export");
    let bundles: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(bundles.len(), 1);
    assert!(sync_core::bundle::verify(&bundles[0]).unwrap().records > 3);
}

#[test]
fn ending_the_day_says_what_is_unsent_locks_and_states_the_whole_chain() {
    let (world, records) = visit();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Settings);
    hands.settle();
    let page = hands.window.global::<SettingsAdapter<'_>>();
    assert!(page.get_hand_over_warning().contains("没有结束"), "{}", page.get_hand_over_warning());
    hands.press("下班");
    assert_eq!(hands.page(), Page::Unlock, "{}", hands.told());
    assert!(hands.told().contains("待上报"), "{}", hands.told());
    assert!(hands.desk.services().session().unlocked().is_empty());
    let rows = hands.desk.services().store.read(|r| r.records_from(records + 1, 10)).unwrap();
    let acts: Vec<Act> = rows.iter().map(|row| row.record().unwrap().envelope.act()).collect();
    match acts.as_slice() {
        [Act::ShiftEnded(ended), Act::DayClosed(closed)] => {
            assert!(ended.unsent > 0);
            assert_eq!((closed.last_seq, closed.head), (records + 1, rows[0].hash));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_store_is_said_plainly_set_aside_and_not_deleted() {
    use xunzheng::settings_page::adapter::show_damaged;
    let (world, _) = visit();
    let device = &world.devices[0];
    let mut spare = World::fresh();
    spare.devices[0].power_off();
    let other = Hands::open_locked(&spare);
    let database = device.folder.join("xunzheng.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let length = bytes.len();
    for byte in &mut bytes[4096..length / 2] {
        *byte ^= 0x5A;
    }
    put(&database, &bytes);
    let Err(error) = device.open() else { panic!("damage was not noticed") };
    show_damaged(&other.window, &error, &device.folder);
    other.settle();
    assert_eq!(other.page(), Page::Damaged);
    let page = other.window.global::<DamagedAdapter<'_>>();
    assert!(page.get_what_happened().contains("没有删除"), "{}", page.get_what_happened());
    other.press("导出封存件");
    assert!(device.folder.join("export/quarantine").is_dir(), "{}", other.told());
    other.press("再试一次");
    assert_eq!(other.page(), Page::Damaged, "it is still damaged");
}
