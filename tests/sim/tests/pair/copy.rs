//! Partner copy over a real socket: what a lost device had made arrives at HQ by its partner.

use std::net::SocketAddr;
use std::time::Duration;

use sync_core::partner::{Copied, CopyError, Listener, bring, connect};
use sync_core::store::Scope;
use sync_model::wire::partner::Refusal;

use crate::world::{Device, World, accepted, begun, inspection, scope};

const LOOPBACK: &str = "127.0.0.1:0";
const WAIT: Duration = Duration::from_secs(20);

/// Lets `listening` wait and `connecting` come with the code as `typed` makes it.
fn copy(
    listening: &Device,
    connecting: &Device,
    typed: impl Fn(&str) -> String + Send,
) -> (Result<Copied, CopyError>, Result<Copied, CopyError>) {
    let address: SocketAddr = LOOPBACK.parse().unwrap();
    let listener = Listener::bind(address, inspection()).unwrap();
    let (address, code) = (listener.address().unwrap(), typed(listener.code()));
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| listener.copy(listening.store(), WAIT));
        let came = connect(connecting.store(), address, &code, Some(inspection()));
        (waiting.join().unwrap(), came)
    })
}

fn right(code: &str) -> String {
    code.to_owned()
}

fn visit(device: &Device) {
    device.act(&scope(1, false), accepted());
    device.act(&scope(1, false), begun());
    device.photograph(&scope(1, false), 1);
    device.photograph(&scope(1, false), 2);
}

#[test]
fn a_lost_devices_day_arrives_by_its_partner_and_hq_says_what_is_missing() {
    let world = World::new();
    let (a, b) = (world.device("a"), world.device("b"));
    a.lead("此前的线索");
    a.sync().unwrap();
    visit(&a);
    b.lead("搭档自己的记录");
    a.close_day();
    let (waited, came) = copy(&b, &a, right);
    let (waited, came) = (waited.unwrap(), came.unwrap());
    // Everything that HQ had not receipted, and the two previews; no originals.
    assert_eq!((waited.received, waited.files, came.sent), (5, 2, 5));
    assert_eq!((came.received, waited.sent), (1, 1));
    assert_eq!(waited.partner.unwrap().device, a.id);

    // A is gone for good.
    let (lost, on) = (a.id, world.hq.now().legal_date());
    std::fs::remove_dir_all(a.close()).unwrap();
    assert_eq!(world.hq.counts().unwrap().records, 1);
    b.sync().unwrap();
    assert_eq!(b.store().read(|r| r.to_bring_count()).unwrap(), 0);
    assert_eq!(world.hq.counts().unwrap().records, 7, "one, five brought, and the partner's own");
    let report = world.hq.day(lost, on).unwrap();
    assert_eq!(report.statement.unwrap().brought_by, Some(b.id));
    assert!(report.head_matches && report.missing.is_empty() && !report.complete);
    // Exactly the two originals that went down with the device.
    assert_eq!(report.missing_blob_count, 2);
    assert!(report.missing_blobs.iter().all(|blob| blob.bytes == 70_000));
    world.hq.verify_log().unwrap();
    // Brought once: another round asks nothing more.
    let again = bring(b.store(), &b.client).unwrap();
    assert_eq!((again.records, again.files, again.parked), (0, 0, 0));
}

#[test]
fn a_second_copy_goes_on_where_the_first_ended_and_hqs_word_ends_the_duty() {
    let world = World::new();
    let (a, b) = (world.device("a"), world.device("b"));
    visit(&a);
    assert_eq!(copy(&b, &a, right).0.unwrap().received, 4);
    a.lead("之后");
    assert_eq!(copy(&a, &b, right).1.unwrap().received, 1);
    assert_eq!(copy(&b, &a, right).0.unwrap().received, 0);
    // A comes back itself: the same places, nothing twice.
    a.sync().unwrap();
    b.sync().unwrap();
    let counts = world.hq.counts().unwrap();
    assert_eq!((counts.records, counts.forks, counts.quarantined), (5, 0, 0));
    assert_eq!(a.pending(), 0);
    assert_eq!(b.store().read(|r| r.to_bring_count()).unwrap(), 0);
}

#[test]
fn wrong_digits_strangers_and_other_authorities_get_nothing() {
    let world = World::new();
    let (a, b) = (world.device("a"), world.device("b"));
    visit(&a);
    let wrong = |code: &str| if code == "000000" { "000001" } else { "000000" };
    let address: SocketAddr = LOOPBACK.parse().unwrap();
    let listener = Listener::bind(address, inspection()).unwrap();
    let (address, code) = (listener.address().unwrap(), listener.code().to_owned());
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| listener.copy(a.store(), WAIT));
        for _ in 0..3 {
            let refused = connect(b.store(), address, wrong(&code), None).unwrap_err();
            assert!(
                matches!(refused, CopyError::Refused(Refusal::WrongCode) | CopyError::Link(_)),
                "{refused}"
            );
        }
        // Three tries and nobody is waited for any more.
        assert!(matches!(waiting.join().unwrap(), Err(CopyError::Nobody)));
    });
    let other = world.device_of("xh-scjg", "c");
    let (waited, came) = copy(&a, &other, right);
    assert!(matches!(waited, Err(CopyError::Refuses(Refusal::OtherAuthority))), "{waited:?}");
    assert!(came.is_err());
    let elsewhere = World::new();
    let stranger = elsewhere.device("s");
    let (waited, came) = copy(&a, &stranger, right);
    assert!(matches!(waited, Err(CopyError::Refuses(Refusal::UnknownDevice))), "{waited:?}");
    assert!(came.is_err());
    for device in [&b, &other, &stranger] {
        assert!(
            device.store().read(|r| r.partner_records_of_visit(inspection())).unwrap().is_empty()
        );
    }
}

#[test]
fn garbage_on_the_port_is_no_reason_to_stop_waiting() {
    use std::io::Write;
    let world = World::new();
    let (a, b) = (world.device("a"), world.device("b"));
    b.act(&Scope::default(), accepted());
    let listener = Listener::bind(LOOPBACK.parse().unwrap(), inspection()).unwrap();
    let address = listener.address().unwrap();
    let code = listener.code().to_owned();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| listener.copy(a.store(), WAIT));
        let mut scanner = std::net::TcpStream::connect(address).unwrap();
        scanner.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        drop(scanner);
        connect(b.store(), address, &code, None).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().received, 1);
    });
}
