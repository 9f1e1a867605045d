//! The page of 搭档互存 against a partner's real device over a real socket, and the urgent mark.

use slint::{ComponentHandle, Model};
use xunzheng::partner_copy::Wait;
use xunzheng::ui::{CopyAdapter, Page, SyncAdapter};

use crate::support::hands::Hands;
use crate::support::people::arrive;
use crate::support::world::{World, ok};

#[test]
fn typing_the_partners_digits_keeps_both_officers_records_on_both_devices() {
    let mut world = World::new(2);
    let visit = {
        let device = &world.devices[1];
        arrive(&world, device, device.find("演练小吃店"))
    };
    arrive(&world, &world.devices[0], world.devices[0].find("演练小吃店"));
    world.devices[0].power_off();
    let partner = world.devices[1].services();
    let wait = ok(Wait::begin(visit, Some("127.0.0.1:0".parse().unwrap())));
    let (code, address) = (wait.code().to_owned(), wait.addresses()[0].to_string());
    let hands = Hands::open(&world);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ok(wait.copy(partner, &|| false)));
        hands.desk.show(Page::Sync);
        hands.settle();
        hands.press("与搭档互存");
        let page = hands.window.global::<CopyAdapter<'_>>();
        assert!(!page.get_has_visit(), "nothing is open on this page yet");

        page.set_code("12".into());
        hands.settle();
        hands.press("连接搭档");
        assert!(hands.told().contains("六位数字"), "{}", hands.told());

        page.set_code(code.into());
        page.set_address(address.into());
        hands.settle();
        hands.press("连接搭档");
        assert!(hands.told().contains("已与搭档互存"), "{}", hands.told());
        assert_eq!(page.get_code(), "", "digits serve once");
        let theirs = waiting.join().unwrap();
        assert!(theirs.received > 0 && theirs.sent > 0, "{theirs:?}");
    });
    let copied = hands.desk.services().store.read(|r| r.partner_records_of_visit(visit)).unwrap();
    assert!(!copied.is_empty());
}

#[test]
fn waiting_without_a_visit_is_not_offered_and_nobody_there_is_said() {
    let mut world = World::new(1);
    world.devices[0].power_off();
    let hands = Hands::open(&world);
    hands.desk.show(Page::Copy);
    hands.settle();
    let page = hands.window.global::<CopyAdapter<'_>>();
    page.set_code("123456".into());
    // Nothing listens there: the port was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    page.set_address(address.into());
    hands.settle();
    hands.press("连接搭档");
    assert!(hands.told().contains("与搭档终端的连接断开"), "{}", hands.told());
    page.set_address("搭档".into());
    hands.settle();
    hands.press("连接搭档");
    assert!(hands.told().contains("地址不对"), "{}", hands.told());
}

#[test]
fn a_visit_marked_urgent_stays_so_until_it_is_taken_back() {
    let mut world = World::new(1);
    let visit = arrive(&world, &world.devices[0], world.devices[0].find("演练小吃店"));
    world.devices[0].power_off();
    let hands = Hands::open(&world);
    hands.desk.set_at(|at| at.inspection = Some(visit));
    hands.desk.show(Page::Sync);
    hands.settle();
    let sync = hands.window.global::<SyncAdapter<'_>>();
    assert!(sync.get_visit().contains("演练小吃店"), "{}", sync.get_visit());
    let marked = || hands.desk.services().store.read(|r| r.is_urgent(visit)).unwrap();
    hands.press("加急上报");
    assert!(marked() && sync.get_urgent());
    hands.press("加急上报");
    assert!(!marked() && !sync.get_urgent());
    assert_eq!(sync.get_levels().row_count(), 4);
}
