//! TLS and HTTP/2 as a handheld uses them, and as people use them who mean harm.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hq::{Config, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use sync_model::wire::push::Receipt;

use crate::support::World;
use crate::support::device::Device;

/// HQ gives a handshake ten seconds.
const HANDSHAKE_MAX: Duration = Duration::from_secs(14);
/// Requests opened and taken back; an HQ that bears them all has lost.
const RESETS: u32 = 200_000;

fn with_tls() -> World {
    World::start_with(|config: &mut Config| config.tls = Tls::Own(vec!["127.0.0.1".to_owned()]))
}

fn client(world: &World) -> Arc<ClientConfig> {
    let authority = std::fs::read(world.data().join("tls/ca.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&authority) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth())
}

/// Asks on a new connection; says how the handshake went and how many bytes came back for it.
fn ask(world: &World, config: &Arc<ClientConfig>) -> HandshakeKind {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let socket = TcpStream::connect(world.address()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: hq\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // The tickets come with the answer.
    stream.read_to_end(&mut answer).ok();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    stream.conn.handshake_kind().unwrap()
}

#[test]
fn a_session_goes_on_where_the_last_connection_ended() {
    let mut world = with_tls();
    let config = client(&world);
    assert_eq!(ask(&world, &config), HandshakeKind::Full);
    for _ in 0..3 {
        assert_eq!(ask(&world, &config), HandshakeKind::Resumed);
    }
    // Keys of tickets are in memory alone: after a restart there is a whole handshake, no failure.
    world.restart();
    assert_eq!(ask(&world, &config), HandshakeKind::Full);
    assert_eq!(ask(&world, &config), HandshakeKind::Resumed);
}

#[test]
fn a_handshake_that_never_ends_is_dropped() {
    let world = with_tls();
    let starts: [&[u8]; 3] = [
        b"",
        // The head of a record of 512 bytes, and a hello that stays behind.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        // No TLS at all, slowly.
        b"G",
    ];
    let began = Instant::now();
    std::thread::scope(|scope| {
        for start in starts {
            let address = world.address();
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(start).unwrap();
                stream.set_read_timeout(Some(HANDSHAKE_MAX)).unwrap();
                let mut rest = Vec::new();
                let ended = stream.read_to_end(&mut rest);
                let waits = |error: &std::io::Error| {
                    matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    )
                };
                assert!(!ended.as_ref().is_err_and(waits), "{start:?} is still borne");
            });
        }
        // Who speaks TLS is served meanwhile.
        let config = client(&world);
        ask(&world, &config);
        assert!(began.elapsed() < Duration::from_secs(5));
    });
}

/// One frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// CVE-2023-44487: requests that are taken back as soon as they are made.
#[test]
fn requests_taken_back_without_end_end_the_connection() {
    let world = World::start();
    let mut honest = Device::enroll(&world);
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let mut answers = stream.try_clone().unwrap();
    answers.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        answers.read_to_end(&mut said).ok();
        said
    });
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(4, 0, 0, b"")).unwrap();
    // GET http / with the authority "h", from the static table and one literal.
    let head = b"\x82\x86\x84\x41\x01h";
    let (mut sent, mut borne) = (0, true);
    while sent < RESETS && borne {
        let mut batch = Vec::new();
        for _ in 0..100 {
            let id = 2 * sent + 1;
            batch.extend(frame(1, 0x5, id, head));
            batch.extend(frame(3, 0, id, &8_u32.to_be_bytes()));
            sent += 1;
        }
        borne = stream.write_all(&batch).is_ok();
        if sent % 5_000 == 0 {
            honest.any();
            honest.push(&honest.records).ok::<Receipt>();
        }
    }
    let said = reader.join().unwrap();
    // A GOAWAY (7) with ENHANCE_YOUR_CALM (11), then the end.
    let calm = said.windows(17).any(|at| at[3] == 7 && at[8] == 0 && at[13..17] == [0, 0, 0, 11]);
    println!("{sent} requests taken back, connection still borne: {borne}, told: {calm}");
    assert!(!borne, "{sent} requests were borne");
    assert!(sent < RESETS / 10, "{sent}");
    honest.any();
    honest.push(&honest.records).ok::<Receipt>();
}
