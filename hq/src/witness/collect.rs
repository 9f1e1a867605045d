//! Asks this HQ's witnesses for their cosignatures of what is published.

use std::time::Duration;

use reqwest::blocking::{Client, Response};
use sync_model::log::proof;
use sync_model::log::witness::{AddCheckpoint, NamedKey, cosigned_at};

use crate::error::{AdminError, HqError};
use crate::hq::Hq;
use crate::log::PUBLISHED;
use crate::store::{LogNodes, Witness};

/// Name under which the store notes the newest size that a quorum cosigned.
pub(crate) const WITNESSED: &str = "log_witnessed";
/// Setting: how many cosignatures make a checkpoint witnessed.
const QUORUM: &str = "witness_quorum";
/// How long a witness may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer of a witness.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What one round of asking brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Size of the checkpoint that was to be cosigned.
    pub size: u64,
    /// Names of the witnesses that have cosigned it.
    pub by: Vec<String>,
    /// What went wrong, by witness; they are asked again next time.
    pub failed: Vec<(String, String)>,
}

impl Hq {
    /// Has `witness` cosign this HQ's checkpoints from now on; `url` is what stands before
    /// `/add-checkpoint`.
    ///
    /// # Errors
    /// If `witness` is no witness's key, or is known with another key.
    pub fn add_witness(&self, witness: &NamedKey, url: &str) -> Result<(), HqError> {
        if witness.is_log() {
            return Err(AdminError::OutOfRange("this is not the key of a witness").into());
        }
        let new = Witness {
            name: witness.name.clone(),
            key: witness.key,
            url: url.trim_end_matches('/').to_owned(),
            size: 0,
        };
        self.0.store.write(move |tx| {
            let known = tx.witnesses()?.into_iter().find(|known| known.name == new.name);
            if known.is_some_and(|known| known.key != new.key) {
                let why = "this witness is known with another key";
                return Err(AdminError::OutOfRange(why).into());
            }
            Ok(tx.put_witness(&new)?)
        })
    }

    /// Sets how many witnesses must cosign a checkpoint before records under it count as archived.
    ///
    /// # Errors
    /// [`AdminError::OutOfRange`] for 0.
    pub fn set_witness_quorum(&self, quorum: u32) -> Result<(), HqError> {
        if quorum == 0 {
            return Err(AdminError::OutOfRange("a quorum is at least 1").into());
        }
        self.0.store.write(move |tx| Ok(tx.set(QUORUM, &quorum.to_string())?))
    }

    /// Asks every witness that has not cosigned what is published.
    ///
    /// # Errors
    /// If the store fails. Witnesses that fail are named in the result.
    pub fn collect_cosignatures(&self) -> Result<Collected, HqError> {
        let (size, witnesses, quorum) = self.0.store.read::<_, HqError>(|tx| {
            Ok((tx.progress(PUBLISHED)?, tx.witnesses()?, tx.setting(QUORUM)?))
        })?;
        let mut collected = Collected { size, ..Collected::default() };
        let asked = witnesses.iter().any(|witness| witness.size < size);
        if size == 0 || witnesses.is_empty() {
            return Ok(collected);
        }
        if !asked {
            collected.by = witnesses.into_iter().map(|witness| witness.name).collect();
            return Ok(collected);
        }
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| HqError::io("ask witnesses")(std::io::Error::other(error)))?;
        for witness in witnesses {
            if witness.size < size
                && let Err(why) = self.ask(&client, &witness, size)
            {
                tracing::warn!(witness = witness.name, why, "no cosignature");
                collected.failed.push((witness.name, why));
            } else {
                collected.by.push(witness.name);
            }
        }
        // All of them unless it is set: nobody should believe in fewer by accident.
        let all = collected.by.len().saturating_add(collected.failed.len());
        let quorum = quorum.and_then(|quorum| quorum.parse().ok()).unwrap_or(all).max(1);
        if collected.by.len() >= quorum {
            self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.advance(WITNESSED, size)?))?;
        }
        Ok(collected)
    }

    /// Gets one cosignature and keeps it; says in words why there is none.
    fn ask(&self, client: &Client, witness: &Witness, size: u64) -> Result<(), String> {
        let mut old_size = witness.size;
        // A second time if the witness stands elsewhere than noted here.
        for _ in 0..2 {
            let request = self.request(old_size, size).map_err(|error| error.to_string())?;
            let body = request.to_text();
            let url = format!("{}/add-checkpoint", witness.url);
            let answer = client.post(url).body(body).send().map_err(|error| error.to_string())?;
            let status = answer.status().as_u16();
            let text = bounded(answer)?;
            match status {
                200 => return self.keep(witness, &request.note, size, &text),
                409 => old_size = text.trim().parse().map_err(|_| "conflict without a size")?,
                other => return Err(format!("answered {other}")),
            }
            if old_size > size {
                // This HQ was set back, or is lied to: an operator must look, not only this log.
                tracing::error!(witness = witness.name, old_size, size, "a witness saw more");
                return Err(format!("has seen a log of {old_size} leaves, here are {size}"));
            }
        }
        Err("does not accept the proof".to_owned())
    }

    fn request(&self, old_size: u64, size: u64) -> Result<AddCheckpoint, HqError> {
        self.0.store.read(|tx| {
            let log = LogNodes::open(tx)?;
            let proof = proof::consistency(&log, old_size, size)?;
            Ok(AddCheckpoint { old_size, proof, note: self.0.checkpoint_at(&log, size)? })
        })
    }

    fn keep(&self, witness: &Witness, note: &str, size: u64, text: &str) -> Result<(), String> {
        let key = NamedKey::witness(&witness.name, witness.key);
        let prefix = format!("\u{2014} {} ", witness.name);
        let line = text.lines().find(|line| line.starts_with(&prefix)).unwrap_or_default();
        let line = format!("{line}\n");
        cosigned_at(note, &line, &key).map_err(|_| "its cosignature does not verify")?;
        let (name, now) = (witness.name.clone(), self.now());
        self.0
            .store
            .write::<_, HqError, _>(move |tx| Ok(tx.keep_cosignature(size, &name, &line, now)?))
            .map_err(|error| error.to_string())
    }
}

fn bounded(answer: Response) -> Result<String, String> {
    use std::io::Read as _;
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    answer.take(limit).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
