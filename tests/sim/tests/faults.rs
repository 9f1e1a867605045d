//! Faults of the line and of the clock: links that are cut again and again, bits that flip on the
//! way, clocks that are decades wrong.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise and print what they counted"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hq::{Config, Running};
use sim::power_cut::Chance;
use sim::power_cut::check::{check, heal};
use sim::power_cut::pair::{HQ, Pair, Told};

/// A line between handheld and HQ that spoils what goes up.
struct Line {
    address: SocketAddr,
    /// Bytes that went up.
    up: Arc<AtomicUsize>,
    /// Times it was cut, or bits flipped.
    faults: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Fault {
    /// Each connection ends after so many bytes.
    CutAfter(usize),
    /// One bit of every so many connections is flipped, at a place behind the head.
    Flip { every: usize },
    /// The same, of what HQ answers.
    FlipDown { every: usize },
}

impl Line {
    fn to(hq: SocketAddr, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (up, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&up), Arc::clone(&faults));
        std::thread::spawn(move || {
            for (number, device) in listener.incoming().map_while(Result::ok).enumerate() {
                let Ok(hq) = TcpStream::connect(hq) else { return };
                let (up, faults) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
                let mut chance = Chance::of(number as u64);
                let below = |every: usize| number.is_multiple_of(every);
                let down_at = match fault {
                    Fault::FlipDown { every } if below(every) => Some(chance.below(700)),
                    _ => None,
                };
                let up_at = match fault {
                    Fault::Flip { every } if below(every) => Some(chance.below(20_000)),
                    _ => None,
                };
                let limit = match fault {
                    Fault::CutAfter(limit) => limit,
                    _ => usize::MAX,
                };
                let (from, to) = (device.try_clone().unwrap(), hq.try_clone().unwrap());
                let nothing = (Arc::new(AtomicUsize::new(0)), Arc::clone(&faults));
                std::thread::spawn(move || carry(to, from, usize::MAX, down_at, &nothing));
                std::thread::spawn(move || carry(device, hq, limit, up_at, &(up, faults)));
            }
        });
        Self { address, up, faults }
    }
}

/// Carries bytes until one side ends, the limit is reached, or nothing more comes.
fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    limit: usize,
    flip_at: Option<usize>,
    counts: &(Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    let (mut passed, mut buffer) = (0, [0; 16 * 1024]);
    while let Ok(count) = from.read(&mut buffer) {
        let count = count.min(limit - passed);
        if count == 0 {
            break;
        }
        if let Some(at) = flip_at
            && (passed..passed + count).contains(&at)
        {
            buffer[at - passed] ^= 0x10;
            counts.1.fetch_add(1, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        passed += count;
        counts.0.fetch_add(count, Ordering::SeqCst);
        if passed == limit {
            counts.1.fetch_add(1, Ordering::SeqCst);
            break;
        }
    }
    for stream in [&from, &to] {
        stream.shutdown(Shutdown::Both).ok();
    }
}

fn serve(root: &Path) -> Running {
    hq::serve(&Config::new(root.join(HQ), ([127, 0, 0, 1], 0).into())).unwrap()
}

/// An enrolled pair and what it was told; HQ is started by the caller.
fn enrolled(root: &Path) -> Vec<Told> {
    let mut told = Vec::new();
    let mut pair = Pair::at(root);
    pair.start_hq().unwrap();
    pair.start_device().unwrap();
    pair.enroll(None, &mut |one| told.push(one)).unwrap();
    told
}

/// Syncs until nothing waits; returns the rounds it took.
fn sync_until_quiet(pair: &Pair, told: &mut Vec<Told>, rounds_max: usize) -> usize {
    for round in 1..=rounds_max {
        pair.sync(&mut |one| told.push(one)).ok();
        let counts = pair.store().unwrap().read(|r| r.outbox_counts()).unwrap();
        assert_eq!(
            counts.parked,
            0,
            "round {round}: {:?}",
            pair.store().unwrap().read(|r| r.parked())
        );
        if counts.pending + counts.pending_blobs == 0 {
            return round;
        }
    }
    panic!("still waiting after {rounds_max} rounds");
}

/// Sends `count` files of `bytes` each over a line cut after `limit` bytes; returns how many bytes
/// went up for each byte of the files.
fn amplification(count: usize, bytes: usize, limit: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut told = enrolled(folder.path());
    let running = serve(folder.path());
    let line = Line::to(running.address, Fault::CutAfter(limit));
    let mut pair = Pair::over(folder.path(), &format!("http://{}", line.address));
    pair.start_device().unwrap();
    for _ in 0..count {
        pair.photograph(bytes, &mut |one| told.push(one)).unwrap();
    }
    let rounds = sync_until_quiet(&pair, &mut told, 4 * count * bytes / limit + 20);
    drop(pair);
    drop(running);
    check(folder.path(), &told).unwrap();
    heal(folder.path(), &told).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a ratio of some millions")]
    let ratio = line.up.load(Ordering::SeqCst) as f64 / (count * bytes) as f64;
    let cuts = line.faults.load(Ordering::SeqCst);
    println!(
        "{count} x {bytes} B, cut every {limit} B: {ratio:.3} x, {cuts} cuts, {rounds} rounds"
    );
    assert!(cuts > 0, "the line was never cut");
    ratio
}

#[test]
fn files_arrive_over_a_line_cut_every_three_megabytes_with_little_sent_twice() {
    let ratio = amplification(5, 4_000_000, 3_000_000);
    assert!(ratio <= 1.05, "{ratio}");
}

#[test]
fn files_arrive_over_a_line_cut_every_300_kilobytes() {
    let ratio = amplification(3, 1_000_000, 300_000);
    assert!(ratio <= 1.5, "{ratio}");
}

#[test]
fn files_arrive_over_a_line_cut_every_64_kilobytes() {
    let ratio = amplification(2, 400_000, 64 * 1024);
    assert!(ratio <= 1.6, "{ratio}");
}

#[test]
fn a_bit_that_flips_on_the_way_up_is_never_receipted() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = enrolled(folder.path());
    let running = serve(folder.path());
    let line = Line::to(running.address, Fault::Flip { every: 2 });
    let mut pair = Pair::over(folder.path(), &format!("http://{}", line.address));
    pair.start_device().unwrap();
    for _ in 0..12 {
        pair.photograph(15_000, &mut |one| told.push(one)).unwrap();
        pair.lead(300, &mut |one| told.push(one)).unwrap();
        // A client for every round, so that every second round meets a flip.
        pair.sync(&mut |one| told.push(one)).ok();
    }
    sync_until_quiet(&pair, &mut told, 40);
    let flips = line.faults.load(Ordering::SeqCst);
    drop(pair);
    drop(running);
    println!("{flips} bits flipped on the way up");
    assert!(flips >= 5, "{flips}");
    check(folder.path(), &told).unwrap();
    heal(folder.path(), &told).unwrap();
}

#[test]
fn a_bit_that_flips_in_an_answer_is_never_believed() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = enrolled(folder.path());
    let running = serve(folder.path());
    let line = Line::to(running.address, Fault::FlipDown { every: 2 });
    let mut pair = Pair::over(folder.path(), &format!("http://{}", line.address));
    pair.start_device().unwrap();
    for _ in 0..20 {
        pair.photograph(3_000, &mut |one| told.push(one)).unwrap();
        pair.sync(&mut |one| told.push(one)).ok();
    }
    // The next rounds meet no flips: whatever the device believes now must be so.
    let flips = line.faults.load(Ordering::SeqCst);
    drop(pair);
    drop(running);
    println!("{flips} bits flipped in answers");
    assert!(flips >= 5, "{flips}");
    check(folder.path(), &told).unwrap();
    heal(folder.path(), &told).unwrap();
}

#[test]
fn clocks_that_are_decades_wrong_or_jump_change_neither_order_nor_receipts() {
    const HOUR: i64 = 3_600_000;
    const YEAR: i64 = 365 * 24 * HOUR;
    // To 1970 and back, to 2099 and back, a day and an hour either way, a dead clock twice.
    let jumps = [
        -56 * YEAR,
        56 * YEAR,
        73 * YEAR,
        -73 * YEAR,
        -24 * HOUR,
        24 * HOUR,
        HOUR,
        -HOUR,
        -9 * YEAR,
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut told = enrolled(folder.path());
    let mut pair = Pair::at(folder.path());
    pair.start_hq().unwrap();
    pair.start_device().unwrap();
    for (number, jump) in jumps.into_iter().enumerate() {
        pair.photograph(2_000, &mut |one| told.push(one)).unwrap();
        pair.lead(60, &mut |one| told.push(one)).unwrap();
        pair.jump_ms(jump);
        pair.lead(60, &mut |one| told.push(one)).unwrap();
        if number % 2 == 0 {
            pair.sync(&mut |one| told.push(one)).unwrap();
        }
        if number % 3 == 0 {
            pair.start_device().unwrap();
        }
    }
    sync_until_quiet(&pair, &mut told, 2);
    pair.stop();
    check(folder.path(), &told).unwrap();
    heal(folder.path(), &told).unwrap();
}
