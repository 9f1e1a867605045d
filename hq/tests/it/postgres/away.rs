//! A PostgreSQL that goes away and comes back: nothing acknowledged is lost, nobody waits for ever.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hq::{Config, Database};
use sync_model::wire::problem::ProblemCode;
use sync_model::wire::push::Receipt;

use super::schema;
use crate::support::World;
use crate::support::device::Device;
use crate::support::http::Reply;

/// Returns the receipt, or `None` for the one problem that a device waits out.
fn held(reply: &Reply) -> Option<Receipt> {
    if reply.status == 200 {
        return Some(reply.ok());
    }
    assert_eq!(reply.problem().code, ProblemCode::Busy);
    None
}

#[test]
fn connections_that_are_ended_under_load_lose_nothing_that_was_acknowledged() {
    let Some(schema) = schema() else { return };
    let world = World::start_on(Some(schema));
    let mut devices: Vec<Device> = (0..4).map(|_| Device::enroll(&world)).collect();
    let done = AtomicBool::new(false);
    let (mut indices, ended): (Vec<u64>, i64) = std::thread::scope(|scope| {
        let pushing: Vec<_> = devices
            .iter_mut()
            .map(|device| {
                scope.spawn(|| {
                    let mut indices = vec![];
                    for _ in 0..50 {
                        let records = [device.any(), device.any(), device.any()];
                        let began = Instant::now();
                        let receipt = loop {
                            assert!(began.elapsed() < Duration::from_secs(60), "no receipt");
                            if let Some(receipt) = held(&device.push(&records)) {
                                break receipt;
                            }
                            std::thread::sleep(Duration::from_millis(10));
                        };
                        indices.extend(device.verify(&receipt, &records));
                    }
                    indices
                })
            })
            .collect();
        let ending = scope.spawn(|| {
            let mut ended = 0;
            while !done.load(Ordering::SeqCst) || ended < 5 {
                std::thread::sleep(Duration::from_millis(400));
                ended += world.schema.as_ref().unwrap().terminate_connections();
            }
            ended
        });
        let indices = pushing.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        done.store(true, Ordering::SeqCst);
        (indices, ending.join().unwrap())
    });
    indices.sort_unstable();
    assert!(indices.iter().copied().eq(0..600));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(world.hq().verify_log().unwrap().records, 600);
    assert!(ended > 4, "only {ended} connections were ended");
    println!("{ended} connections ended under load, 600 records, 0 lost");
}

/// Hands bytes on to a server, until it is told to refuse.
struct Proxy {
    address: SocketAddr,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(AtomicBool::new(true));
        let streams: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (passes, kept) = (Arc::clone(&open), Arc::clone(&streams));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if !passes.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(target).unwrap();
                kept.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (mut from, mut to) in
                    [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)]
                {
                    std::thread::spawn(move || {
                        let mut buffer = [0; 16 * 1024];
                        while let Ok(count @ 1..) = from.read(&mut buffer) {
                            if to.write_all(&buffer[..count]).is_err() {
                                break;
                            }
                        }
                        to.shutdown(Shutdown::Both).ok();
                    });
                }
            }
        });
        Self { address, open, streams }
    }

    /// Cuts every connection and takes no new one.
    fn refuse(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    fn pass(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_server_that_cannot_be_reached_makes_devices_wait_and_then_everything_goes_on() {
    let Some(schema) = schema() else { return };
    let parsed: tokio_postgres::Config = schema.server().parse().unwrap();
    let Some(tokio_postgres::config::Host::Tcp(host)) = parsed.get_hosts().first() else {
        return println!("absent: a PostgreSQL that is reached by TCP");
    };
    let port = parsed.get_ports().first().copied().unwrap_or(5432);
    let target = std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port)).unwrap().next();
    let proxy = Proxy::start(target.unwrap());
    let server = format!(
        "postgres://{}@{}/{}",
        parsed.get_user().unwrap_or("postgres"),
        proxy.address,
        parsed.get_dbname().unwrap_or("postgres")
    );
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().join("hq"), ([127, 0, 0, 1], 0).into());
    config.database = Database::postgres(&schema.url_at(&server));
    let mut world = World::start_on(None);
    world.running = Some(hq::serve_with_clock(&config, world.clock.clone()).unwrap());
    let mut device = Device::enroll(&world);
    device.any();
    let before: Receipt = device.push(&device.records).ok();

    proxy.refuse();
    for _ in 0..3 {
        device.any();
        let began = Instant::now();
        assert!(held(&device.push(&device.records)).is_none());
        assert!(began.elapsed() < Duration::from_secs(10), "a device waited {:?}", began.elapsed());
    }
    assert!(world.hq().counts().is_err());
    proxy.pass();
    let began = Instant::now();
    let after = loop {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come back");
        if let Some(receipt) = held(&device.push(&device.records)) {
            break receipt;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(device.verify(&after, &device.records), [0, 1, 2, 3]);
    assert_eq!(after.runs[0].first_seq, before.runs[0].first_seq);
    assert_eq!(world.hq().verify_log().unwrap().records, 4);
    drop(world);
}
