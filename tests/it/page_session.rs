//! Enrolling, activating, unlocking and beginning a shift by pressing what the pages offer.

use slint::ComponentHandle;
use sync_model::record::Act;
use xunzheng::practice::PIN;
use xunzheng::ui::{EnrollAdapter, Page, SessionAdapter, StatusAdapter};

use crate::support::hands::Hands;
use crate::support::world::World;

fn type_pin(hands: &Hands<'_>, pin: &str) {
    for digit in pin.chars() {
        hands.press(&digit.to_string());
    }
    hands.press("解锁");
}

fn message(hands: &Hands<'_>) -> String {
    hands.window.global::<SessionAdapter<'_>>().get_message().to_string()
}

fn kinds(hands: &Hands<'_>) -> Vec<String> {
    let rows = hands.desk.services().store.read(|r| r.records_from(1, 1000)).unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

/// A device that is activated, its program stopped.
fn activated() -> World {
    let mut world = World::fresh();
    world.devices[0].enroll().unwrap();
    world.devices[0].activate().unwrap();
    world.devices[0].power_off();
    world
}

#[test]
fn a_device_is_enrolled_with_its_code_and_each_officer_sets_an_own_pin() {
    let mut world = World::fresh();
    world.devices[0].power_off();
    let codes = world.devices[0].codes.clone();
    let hands = Hands::open_locked(&world);
    assert_eq!(hands.page(), Page::Enroll);
    hands.write("总部地址", &world.devices[0].proxy.url());
    hands.write("一次性开通码", "000000000000");
    hands.press("开通");
    let page = hands.window.global::<EnrollAdapter<'_>>();
    assert!(page.get_error().contains("开通码"), "{}", page.get_error());
    hands.write("一次性开通码", &codes.device);
    hands.press("开通");
    assert!(page.get_device_enrolled() && page.get_error().is_empty(), "{}", page.get_error());

    let services = hands.desk.services();
    for one in &codes.officers {
        let row = services.store.read(|r| r.officer(one.officer)).unwrap().unwrap();
        hands.press(&format!("选择{}", row.name));
        hands.write("激活码", &one.code);
        hands.write("口令（6 至 12 位数字）", "123456");
        hands.write("再输一次口令", "123456");
        hands.press("激活");
        assert!(page.get_pin_error().contains("太简单"), "{}", page.get_pin_error());
        hands.write("口令（6 至 12 位数字）", PIN);
        hands.press("激活");
        assert!(page.get_pin_error().contains("不一致"), "{}", page.get_pin_error());
        hands.write("再输一次口令", PIN);
        hands.press("激活");
        assert_eq!(page.get_pin_error(), "");
        assert_eq!(page.get_pin(), "", "the PIN is not kept in the page");
        let row = services.store.read(|r| r.officer(one.officer)).unwrap().unwrap();
        assert!(row.credential.is_some() && row.sealed_key.is_some());
    }
    hands.press("完成开通");
    assert_eq!(hands.page(), Page::Unlock);
}

#[test]
fn practice_needs_no_codes_and_says_its_pin() {
    let mut world = World::fresh();
    world.devices[0].power_off();
    let hands = Hands::open_locked(&world);
    hands.press("进入演练");
    assert_eq!(hands.page(), Page::Unlock, "{}", hands.told());
    let officers = hands.desk.services().store.read(|r| r.officers()).unwrap();
    assert_eq!(officers.iter().filter(|one| one.credential.is_some()).count(), 2);
    let hint = hands.window.global::<SessionAdapter<'_>>().get_begin_hint();
    assert!(hint.contains(PIN), "{hint}");
    assert_eq!(hands.window.global::<StatusAdapter<'_>>().get_practice_text(), "演练");
    type_pin(&hands, PIN);
    type_pin(&hands, PIN);
    hands.press("开始值班");
    assert_eq!(hands.page(), Page::Home);
    assert!(hands.has("接收：今天 演练小吃店"), "assignments came with the first round");
    drop(hands);

    let again = Hands::open_locked(&world);
    assert!(
        again.desk.practice.borrow().is_some(),
        "the practice HQ runs whenever the window does"
    );
    type_pin(&again, PIN);
    type_pin(&again, PIN);
    again.press("继续值班");
    again.press("同步");
    again.press("立即同步");
    assert!(again.told().contains("同步完成"), "{}", again.told());
}

#[test]
fn two_officers_unlock_one_after_the_other_and_begin_one_shift() {
    let world = activated();
    let hands = Hands::open_locked(&world);
    assert_eq!(hands.page(), Page::Unlock);
    assert!(!hands.is_enabled("开始值班"), "nobody is here yet");
    type_pin(&hands, PIN);
    assert_eq!(message(&hands), "");
    let hint = hands.window.global::<SessionAdapter<'_>>().get_begin_hint();
    assert!(hint.contains("还需一名"), "{hint}");
    assert!(hands.is_enabled("开始值班"));
    type_pin(&hands, PIN);
    hands.press("开始值班");
    assert_eq!(hands.page(), Page::Home, "{}", hands.told());
    let rows = hands.desk.services().store.read(|r| r.records_from(1, 10)).unwrap();
    assert_eq!(kinds(&hands), ["shift_begun"]);
    match rows[0].record().unwrap().envelope.act() {
        Act::ShiftBegun(begun) => assert_eq!(begun.officers.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_pins_are_counted_on_disk_and_lock_with_the_delay_said() {
    let world = activated();
    let officer = world.devices[0].codes.officers[0].officer;
    let hands = Hands::open_locked(&world);
    for count in 1..=5_u32 {
        type_pin(&hands, "999999");
        assert!(message(&hands).contains(&format!("已错 {count} 次")), "{}", message(&hands));
        let store = &hands.desk.services().store;
        assert_eq!(store.read(|r| r.officer(officer)).unwrap().unwrap().failures, count);
    }
    assert!(message(&hands).contains("30 秒"), "{}", message(&hands));
    type_pin(&hands, PIN);
    assert!(message(&hands).contains("后再试"), "locked means locked: {}", message(&hands));
    assert!(hands.desk.services().session().unlocked().is_empty());
    hands.wait_s(31);
    type_pin(&hands, PIN);
    assert_eq!(message(&hands), "");
    assert_eq!(hands.desk.services().session().officer_ids(), [officer]);
}

#[test]
fn locking_closes_every_key_and_digits_are_erased_one_by_one() {
    let world = activated();
    let hands = Hands::open_locked(&world);
    type_pin(&hands, PIN);
    hands.press("9");
    hands.press("9");
    hands.press("删除一位");
    assert_eq!(hands.window.global::<SessionAdapter<'_>>().get_pin_length(), 1);
    hands.press("锁定");
    assert_eq!(hands.window.global::<SessionAdapter<'_>>().get_pin_length(), 0);
    assert!(hands.desk.services().session().unlocked().is_empty());
    assert!(!hands.is_enabled("开始值班"));
}
