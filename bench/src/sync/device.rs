//! The device's process: makes records and files as told and does rounds with the real client.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sync_core::clock::{Clock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::store::Scope;
use sync_core::sync::{self, HqClient};
use sync_core::{StoreError, random};
use sync_model::cose::SoftwareKey;
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::evidence::{EvidenceCaptured, EvidenceKind, EvidenceOrigin, EvidencePhase};
use sync_model::record::{Act, BlobRole};
use xunzheng::services::Services;
use xunzheng::{practice, session};

use crate::crew::{Crew, Member, id};

/// What a round did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// From the call until every record had its verified receipt, in seconds.
    pub(crate) records_s: f64,
    /// From then until every file was at HQ.
    pub(crate) blobs_s: f64,
    /// The whole round.
    pub(crate) total_s: f64,
    pub(crate) records: u64,
    pub(crate) blobs: u64,
    pub(crate) feed_items: u64,
    /// Why it ended before it was done; empty if it did not.
    pub(crate) error: String,
}

/// Answers `enroll CODE ID:CODE ID:CODE`, `make N`, `photos N BYTES`, `connect URL`, `round`,
/// `verify`.
pub(crate) fn serve(folder: &str, hq: &str) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let services =
        Services::open(Path::new(folder), clock, Arc::new(RealDisk), Hardness::REHEARSAL)?;
    let mut client = HqClient::of(&services.store, hq)?;
    let mut out = std::io::stdout();
    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["enroll", device, officers @ ..] => {
                enroll(&services, &client, hq, device, officers)?;
                "ok".to_owned()
            }
            ["make", count] => make(&services, count.parse()?)?.to_string(),
            ["photos", count, bytes] => {
                photos(&services, count.parse()?, bytes.parse()?)?;
                "ok".to_owned()
            }
            ["connect", url] => {
                client = HqClient::of(&services.store, url)?;
                "ok".to_owned()
            }
            ["verify"] => {
                let (records, hold) = super::receipts::verify(&services.store)?;
                format!("{records} {hold}")
            }
            ["round"] => serde_json::to_string(&round(&services, &client))?,
            _ => bail!("device knows no {line:?}"),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn enroll(
    services: &Services,
    client: &HqClient,
    hq: &str,
    code: &str,
    officers: &[&str],
) -> anyhow::Result<()> {
    session::enroll(services, hq, code)?;
    for words in officers {
        let (officer, code) = words.split_once(':').context("ID:CODE")?;
        let officer = sync_model::id::OfficerId(officer.parse()?);
        session::activate(services, client, officer, code, practice::PIN)?;
    }
    sync::round(&services.store, client, &mut |_| {})?;
    Ok(())
}

fn crew(services: &Services) -> anyhow::Result<Crew> {
    if services.session().unlocked().is_empty() {
        for view in session::officers(services)? {
            session::unlock(services, view.officer, practice::PIN)?;
        }
    }
    let session = services.session();
    let first = session.unlocked().first().context("nobody is unlocked")?;
    Ok(Crew {
        authority: first.credential.authority.clone(),
        members: session
            .unlocked()
            .iter()
            .map(|one| Member {
                officer: one.credential.officer,
                name: one.credential.name.clone(),
                certificate_number: one.credential.certificate_number.clone(),
                credential: Hash::of(&one.credential_bytes),
                key: SoftwareKey::from_secret(&one.key.secret()),
            })
            .collect(),
    })
}

/// Makes `count` records of visits by the store's own write path; returns the seconds it took.
fn make(services: &Services, count: u64) -> anyhow::Result<f64> {
    let crew = crew(services)?;
    let mut visit = u64::from_be_bytes(random::bytes()) >> 20;
    let began = Instant::now();
    let mut left = count;
    while left > 0 {
        visit += 1;
        let now = services.clock.now().wall_at;
        let inspection = InspectionId(id("inspection", visit));
        for (place, act) in crew.visit(visit, now)?.into_iter().enumerate() {
            if left == 0 {
                break;
            }
            left -= 1;
            let inspection = Some(inspection).filter(|_| place > 0);
            commit(services, &crew, inspection, act)?;
        }
    }
    Ok(began.elapsed().as_secs_f64())
}

fn commit(
    services: &Services,
    crew: &Crew,
    inspection: Option<InspectionId>,
    act: Act,
) -> anyhow::Result<()> {
    let scope = Scope { officers: crew.ids(), inspection, case: None };
    services.store.act::<StoreError>(&scope, |_, _| Ok(act))?;
    Ok(())
}

/// Stores `count` files of `bytes` random bytes, each cited by a record.
fn photos(services: &Services, count: u64, bytes: usize) -> anyhow::Result<()> {
    let crew = crew(services)?;
    let inspection = InspectionId(id("inspection", u64::from_be_bytes(random::bytes())));
    for number in 0..count {
        let mut file = Vec::with_capacity(bytes);
        while file.len() < bytes {
            file.extend_from_slice(&random::bytes::<64>());
        }
        file.truncate(bytes);
        let original = services.store.blobs().put(&file, "image/jpeg", BlobRole::Original)?;
        let captured = EvidenceCaptured {
            evidence: EvidenceId(id("evidence", u64::from_be_bytes(random::bytes()))),
            inspection: Some(inspection),
            ordinal: u32::try_from(number + 1)?,
            kind: EvidenceKind::AudiovisualMaterial,
            origin: EvidenceOrigin::Captured,
            // A lead before the visit: nothing for the rules to find.
            phase: EvidencePhase::PreVisit,
            description: format!("第{number}张现场照片"),
            source: "bench".to_owned(),
            original,
            thumbnail: None,
            watermarked: None,
            width: 4000,
            height: 3000,
            exif_taken: Some("2026:11:24 09:05:00".to_owned()),
            exif_camera: None,
            position: None,
            problems: vec![],
        };
        commit(services, &crew, Some(inspection), captured.into())?;
    }
    Ok(())
}

fn round(services: &Services, client: &HqClient) -> Round {
    let began = Instant::now();
    let mut round = Round::default();
    let (mut blobs, mut blob_bytes) = (0, 0);
    let outcome = sync::round(&services.store, client, &mut |progress| {
        let passed = began.elapsed().as_secs_f64();
        if progress.records > round.records {
            (round.records, round.records_s) = (progress.records, passed);
        }
        if (progress.blobs, progress.blob_bytes) != (blobs, blob_bytes) {
            (blobs, blob_bytes) = (progress.blobs, progress.blob_bytes);
            round.blobs_s = passed - round.records_s;
        }
        (round.blobs, round.feed_items) = (progress.blobs, progress.feed_items);
    });
    round.total_s = began.elapsed().as_secs_f64();
    round.error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
    round
}
