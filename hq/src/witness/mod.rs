//! Witnesses: this HQ cosigns the checkpoints of others' logs that only grew (C2SP
//! `tlog-witness`), and collects the cosignatures of those who watch its own.

mod collect;
mod monitor;

use sync_model::cose::Signer as _;
use sync_model::log::note::Checkpoint;
use sync_model::log::proof::consistency_holds;
use sync_model::log::witness::{AddCheckpoint, NamedKey, cosign};

use crate::error::{AdminError, HqError};
use crate::hq::Hq;
use crate::store::WatchedLog;

pub use collect::Collected;
pub(crate) use collect::WITNESSED;
pub use monitor::{Followed, MonitorError, follow};

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// The signature line; the head is kept durably.
    Cosigned(String),
    /// It cosigned a checkpoint of this size last; the proof must start there.
    Elsewhere(u64),
    /// It does not watch this log.
    UnknownLog,
    /// The log's key did not sign this.
    NotSigned,
    /// The log does not prove that it grew.
    NotGrown,
    /// Not a request.
    Malformed,
}

impl Hq {
    /// Returns the key under which this HQ cosigns.
    #[must_use]
    pub fn witness_key(&self) -> NamedKey {
        NamedKey::witness(&self.0.keys.witness_name(), self.0.keys.witness.public())
    }

    /// Returns the key under which this HQ signs its own log.
    #[must_use]
    pub fn log_named_key(&self) -> NamedKey {
        NamedKey::log(&self.trust().log_origin, self.trust().log_key)
    }

    /// Watches a log from now on. One that is watched already keeps its head.
    ///
    /// # Errors
    /// If `log` is no log's key, or the log is watched under another key.
    pub fn watch_log(&self, log: &NamedKey) -> Result<(), HqError> {
        if !log.is_log() {
            return Err(AdminError::OutOfRange("this is not the key of a log").into());
        }
        let watched = WatchedLog::new(&log.name, log.key);
        self.0.store.write(move |tx| match tx.watched_log(&watched.origin)? {
            Some(known) if known.key == watched.key => Ok(()),
            Some(_) => Err(AdminError::OutOfRange("this log is watched under another key").into()),
            None => Ok(tx.insert_watched_log(&watched)?),
        })
    }

    /// Cosigns a checkpoint if it extends the last one of its log that was cosigned. The new head is
    /// durable before the signature leaves.
    ///
    /// # Errors
    /// If the store fails; then nothing was cosigned.
    pub fn add_checkpoint(&self, body: &str) -> Result<Witnessed, HqError> {
        let Ok(request) = AddCheckpoint::parse(body) else { return Ok(Witnessed::Malformed) };
        let Some(origin) = request.note.lines().next().map(str::to_owned) else {
            return Ok(Witnessed::Malformed);
        };
        let watched = self.0.store.read::<_, HqError>(|tx| Ok(tx.watched_log(&origin)?))?;
        let Some(watched) = watched else { return Ok(Witnessed::UnknownLog) };
        let Ok(checkpoint) = Checkpoint::open(&request.note, &origin, &watched.key) else {
            return Ok(Witnessed::NotSigned);
        };
        if request.old_size > checkpoint.size {
            return Ok(Witnessed::Malformed);
        }
        let name = self.0.keys.witness_name();
        let unix_s = u64::try_from(self.now().0 / 1000).unwrap_or_default();
        let line = cosign(&request.note, &name, &self.0.keys.witness, unix_s);
        let Some(line) = line else { return Ok(Witnessed::Malformed) };
        self.0.store.write(move |tx| {
            // Read again inside the transaction: two requests at once must not both extend.
            let Some(mut head) = tx.watched_log(&origin)? else {
                return Ok(Witnessed::UnknownLog);
            };
            let forked = head.size == checkpoint.size && head.root != checkpoint.root;
            if request.old_size != head.size || forked {
                return Ok(Witnessed::Elsewhere(head.size));
            }
            // From the empty log everything grows; its root is not worth comparing.
            let grew = head.size == 0 && request.proof.is_empty()
                || consistency_holds(
                    head.size,
                    head.root,
                    checkpoint.size,
                    checkpoint.root,
                    &request.proof,
                );
            if !grew {
                return Ok(Witnessed::NotGrown);
            }
            (head.size, head.root) = (checkpoint.size, checkpoint.root);
            tx.update_watched_log(&head)?;
            Ok(Witnessed::Cosigned(line))
        })
    }
}
