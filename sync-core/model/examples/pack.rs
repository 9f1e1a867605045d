//! Measures what a record costs on the wire, and cuts the samples that dictionaries are trained on.
//!
//! `pack FOLDER [SAMPLES]`: FOLDER holds one folder per device with its records as files, in order
//! of name. See `assets/README.md`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool at the desk")]

use std::path::Path;
use std::time::Instant;

use serde_bytes::ByteBuf;
use sync_model::canonical;
use sync_model::wire::encoding::{compress, decompress};
use sync_model::wire::pack::{pack, unpack};
use sync_model::wire::push::PushRequest;

fn records(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut records = Vec::new();
    for path in paths {
        if path.is_dir() {
            records.extend(self::records(&path));
        } else {
            records.push(std::fs::read(path).unwrap());
        }
    }
    records
}

fn push(records: &[Vec<u8>]) -> PushRequest {
    let records = records.iter().cloned().map(ByteBuf::from).collect();
    PushRequest { records, seen_size: Some(100_000) }
}

#[expect(clippy::disallowed_methods, reason = "samples are scratch files")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let all = records(Path::new(&arguments.next().unwrap()));
    if let Some(samples) = arguments.next() {
        for (size, step) in [(1, 1), (2, 2), (3, 3), (5, 4), (10, 5)] {
            for (nth, some) in all.windows(size).step_by(step).enumerate() {
                let path = Path::new(&samples).join(format!("{size}-{nth}"));
                std::fs::write(path, pack(&push(some)).unwrap().bytes).unwrap();
            }
        }
        return;
    }
    let of = |bytes: usize, count: usize| bytes.div_ceil(count);
    println!("records  plain  plain+zstd  packed  packed+zstd  +dictionary  (bytes a record)");
    for size in [1, 2, 5, 10, 42, 100, 500] {
        let (mut count, mut sums) = (0, [0; 5]);
        let mut spent = std::time::Duration::ZERO;
        for some in all.chunks(size).filter(|some| some.len() == size) {
            let request = push(some);
            let plain = canonical::to_bytes(&request).unwrap();
            let started = Instant::now();
            let body = pack(&request).unwrap();
            let small = compress(&body.bytes, body.compressible, false).unwrap();
            spent += started.elapsed();
            let tiny = compress(&body.bytes, body.compressible, true).unwrap();
            assert_eq!(unpack(&decompress(&tiny, 4 << 20).unwrap()).unwrap(), request);
            let zstd = compress(&plain, 0, false).unwrap();
            let lengths = [plain.len(), zstd.len(), body.bytes.len(), small.len(), tiny.len()];
            for (sum, length) in sums.iter_mut().zip(lengths) {
                *sum += length;
            }
            count += size;
        }
        if count > 0 {
            let [plain, zstd, packed, small, tiny] = sums.map(|sum| of(sum, count));
            let us = spent.as_micros() / u128::try_from(count).unwrap();
            println!("{size:7}  {plain:5}  {zstd:10}  {packed:6}  {small:11}  {tiny:11}  {us} us");
        }
    }
}
