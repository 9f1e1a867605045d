//! The load: so many devices at once, each thread one connection that is kept, over TLS or, as behind
//! a gateway that ends TLS, over plain HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sync_model::canonical;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::Range;
use sync_model::wire::enroll::Trust;
use sync_model::wire::push::Receipt;

use super::make::Parcel;

/// Largest answer to a push.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Stack of a sender.
const STACK_BYTES: usize = 256 * 1024;

/// What came of sending everything.
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    /// One per device.
    pub(crate) latencies: Vec<Duration>,
    /// Receipts as they came, by place of the parcel.
    pub(crate) receipts: Vec<Vec<u8>>,
    /// Times HQ asked to come again.
    pub(crate) asked_again: usize,
}

/// A connection, with TLS or without.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// Returns the settings that trust this authority (PEM) alone.
pub(crate) fn trusting(authority: &std::path::Path) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn connect(address: &str, tls: Option<&Arc<ClientConfig>>) -> anyhow::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let Some(config) = tls else { return Ok(Box::new(stream)) };
    let (host, _) = address.rsplit_once(':').context("address of HQ")?;
    let name = ServerName::try_from(host.to_owned())?;
    Ok(Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, stream)))
}

/// Sends every parcel, `at_once` at a time.
pub(crate) fn send(
    address: &str,
    tls: Option<&Arc<ClientConfig>>,
    parcels: &[Parcel],
    at_once: usize,
) -> anyhow::Result<Outcome> {
    let next = AtomicUsize::new(0);
    let again = AtomicUsize::new(0);
    let gathered = Mutex::new(Vec::with_capacity(parcels.len()));
    let began = Instant::now();
    let ended = std::thread::scope(|scope| -> anyhow::Result<()> {
        let mut threads = Vec::with_capacity(at_once);
        for _ in 0..at_once {
            let sender = || -> anyhow::Result<()> {
                let mut stream = connect(address, tls)?;
                let mut own = Vec::new();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(parcel) = parcels.get(place) else { break };
                    let started = Instant::now();
                    let body = loop {
                        match exchange(&mut *stream, &parcel.request)? {
                            (200, body) => break body,
                            (503, _) => {
                                again.fetch_add(1, Ordering::Relaxed);
                                std::thread::sleep(Duration::from_millis(20));
                            }
                            (status, _) => bail!("push {place}: status {status}"),
                        }
                    };
                    own.push((place, started.elapsed(), body));
                }
                gathered.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
                Ok(())
            };
            threads.push(
                std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, sender)?,
            );
        }
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        Ok(())
    });
    let took = began.elapsed();
    ended?;
    let mut gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
    gathered.sort_unstable_by_key(|(place, ..)| *place);
    let latencies = gathered.iter().map(|(_, latency, _)| *latency).collect();
    let receipts = gathered.into_iter().map(|(.., body)| body).collect();
    Ok(Outcome { took, latencies, receipts, asked_again: again.into_inner() })
}

fn exchange(stream: &mut dyn Stream, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
    stream.write_all(request)?;
    let mut answer = Vec::with_capacity(4096);
    let mut part = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut part)?;
        if count == 0 {
            bail!("HQ closed the connection");
        }
        answer.extend_from_slice(part.get(..count).unwrap_or_default());
        if answer.len() > ANSWER_BYTES_MAX {
            bail!("answer is too large");
        }
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .context("answer without a length")?;
        if answer.len() >= end + 4 + length {
            let body = answer.get(end + 4..).unwrap_or_default().to_vec();
            return Ok((status.context("answer without a status")?, body));
        }
    }
}

/// Verifies every receipt: checkpoint signature, range proof to its root, all records covered.
pub(crate) fn verify(
    trust: &Trust,
    parcels: &[Parcel],
    receipts: &[Vec<u8>],
) -> anyhow::Result<u64> {
    if parcels.len() != receipts.len() {
        bail!("{} receipts for {} devices", receipts.len(), parcels.len());
    }
    let mut records = 0;
    for (parcel, bytes) in parcels.iter().zip(receipts) {
        let receipt: Receipt = canonical::from_bytes(bytes, ANSWER_BYTES_MAX)?;
        let note = Checkpoint::open(&receipt.checkpoint, &trust.log_origin, &trust.log_key)?;
        let mut covered = 0;
        for run in &receipt.runs {
            let count = usize::try_from(run.count)?;
            let leaves = parcel.leaves.get(covered..covered + count).context("receipt too long")?;
            let range = Range::build(run.log_index, leaves, note.size, &run.proof);
            if range.and_then(|range| range.root()) != Some(note.root) {
                bail!("a receipt does not prove its records");
            }
            covered += count;
        }
        if covered != parcel.leaves.len() {
            bail!("a receipt leaves out records");
        }
        records += run_length(covered);
    }
    Ok(records)
}

fn run_length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
