//! Brings a restored HQ up to its archive: records that the backup does not have yet, in the order
//! of the log, so that the log goes on from where its devices saw it.

use sync_model::cose::Signer as _;
use sync_model::credential::open_device_certificate;
use sync_model::record::Record;
use sync_model::time::Timestamp;

use super::pack::{self, FOLDER, Packed, PackedDevice, Run};
use super::{PLACE, PLACE_BEFORE};
use crate::admit::Beforehand;
use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::objects::{Objects, Place};
use crate::store::{Device, LogNodes, Pack, StoreError, Tx};

/// In a backup: keeps where the archive was, and archives nothing there until it is restored.
pub(crate) fn set_aside(tx: &Tx<'_>) -> Result<(), StoreError> {
    if let Some(place) = tx.setting(PLACE)? {
        tx.set(PLACE_BEFORE, &place)?;
        tx.unset(PLACE)?;
    }
    Ok(())
}

/// What a replay brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Records that were missing and are back.
    pub records: u64,
    /// Files that were missing and are back.
    pub files: u64,
    /// Leaves of the log now.
    pub size: u64,
}

impl Hq {
    /// Takes back from the archive at `place` what is missing here. It can be repeated.
    ///
    /// # Errors
    /// If a pack is damaged, is of another log, or contradicts what is here.
    pub fn replay_archive(&self, place: &Place) -> Result<Replayed, HqError> {
        let archive = Objects::open(place)?;
        let mut packs = Vec::new();
        archive.list(FOLDER, |found| {
            packs.extend(pack::stated(&found.name));
            Ok(())
        })?;
        packs.sort_unstable_by_key(|pack: &Pack| (pack.first, pack.count));
        let mut replayed = Replayed::default();
        for pack in packs {
            let size = self.0.store.read::<_, HqError>(|tx| Ok(tx.log_size()?))?;
            if pack.first.saturating_add(pack.count) <= size {
                continue;
            }
            if pack.first > size {
                return Err(AdminError::OutOfRange("a pack is missing from the archive").into());
            }
            let run = pack::read(&archive, &pack)?;
            replayed.records += self.replay(run, size)?;
        }
        replayed.files = self.fetch_files(&archive)?;
        replayed.size = self.0.store.read::<_, HqError>(|tx| Ok(tx.log_size()?))?;
        Ok(replayed)
    }

    /// After a restore: takes back what `archive` has more and goes on with it. Without one, what was
    /// archived elsewhere is forgotten, so that nothing is called archived that may not be.
    pub(crate) fn continue_archive(&self, archive: Option<&Place>) -> Result<Replayed, HqError> {
        let Some(place) = archive else {
            self.0.store.write::<_, HqError, _>(|tx| {
                tx.forget_archive()?;
                tx.unset(PLACE_BEFORE)?;
                Ok(tx.unset(PLACE)?)
            })?;
            let size = self.0.store.read::<_, HqError>(|tx| Ok(tx.log_size()?))?;
            return Ok(Replayed { size, ..Replayed::default() });
        };
        let replayed = self.replay_archive(place)?;
        let text = place.to_string();
        self.0.store.write::<_, HqError, _>(move |tx| {
            if tx.setting(PLACE_BEFORE)?.as_deref() != Some(text.as_str()) {
                tx.forget_archive()?;
            }
            tx.unset(PLACE_BEFORE)?;
            Ok(tx.set(PLACE, &text)?)
        })?;
        Ok(replayed)
    }

    fn replay(&self, run: Run, size: u64) -> Result<u64, HqError> {
        if run.origin != self.trust().log_origin {
            return Err(AdminError::OutOfRange("the archive is of another log").into());
        }
        let inner = self.0.clone();
        self.0.store.write(move |tx| inner.replay(tx, &run, size))
    }

    /// Fetches whole files that the archive has and the store's note or object misses.
    fn fetch_files(&self, archive: &Objects) -> Result<u64, HqError> {
        let mut fetched = 0;
        let mut after = None;
        loop {
            let missing = self
                .0
                .store
                .read::<_, HqError>(|tx| Ok(tx.files_wanted_after(after.as_ref(), 100)?))?;
            let Some((last, _)) = missing.last() else { return Ok(fetched) };
            after = Some(*last);
            for (sha256, bytes) in missing {
                let name = crate::blob::whole(&sha256);
                if archive.hash(&name)? != Some((sha256, bytes)) {
                    continue;
                }
                let mut copy = self.0.objects.upload(&name);
                archive.read(&name, bytes, |piece| copy.write(piece))?;
                copy.finish()?;
                let now = self.now();
                self.0.store.write::<_, HqError, _>(move |tx| {
                    tx.complete_blob(&sha256, bytes, now)?;
                    Ok(tx.blob_archived(&sha256)?)
                })?;
                fetched += 1;
            }
        }
    }
}

impl Inner {
    /// Enrolls a device that was enrolled after the backup, by the certificate that it got then.
    fn know_again(&self, tx: &Tx<'_>, packed: &PackedDevice) -> Result<(), HqError> {
        let issuer = self.keys.issuer.public();
        let certificate = open_device_certificate(&packed.certificate, &issuer)
            .map_err(|_| StoreError::Damaged("archived certificate"))?;
        if tx.device(certificate.device)?.is_some() {
            return Ok(());
        }
        let device = Device {
            device: certificate.device,
            name: packed.name.clone(),
            authority: packed.authority.clone(),
            key: certificate.key,
            certificate: packed.certificate.to_vec(),
            enrolled_at: packed.enrolled_at,
            revoked_at: None,
            revoked_size: None,
            // Counted from its next contact on: the backup may be older than its last one.
            certified_at: None,
        };
        Ok(tx.insert_device(&device)?)
    }

    fn replay(&self, tx: &Tx<'_>, run: &Run, size: u64) -> Result<u64, HqError> {
        let mut log = LogNodes::for_append(tx)?;
        if log.size() != size {
            return Err(AdminError::OutOfRange("stop HQ before replaying its archive").into());
        }
        for packed in &run.devices {
            self.know_again(tx, packed)?;
        }
        let skip = size.saturating_sub(run.first);
        let missing = run.records.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
        let records = missing.map(|packed| self.archived(tx, packed));
        let records = records.collect::<Result<Vec<(Record, Timestamp)>, HqError>>()?;
        // Records that were received together are judged together, as they were.
        for together in records.chunk_by(|one, next| one.1 == next.1) {
            let Some((_, received_at)) = together.first() else { continue };
            let fresh: Vec<&Record> = together.iter().map(|(record, _)| record).collect();
            self.append(tx, &mut log, &fresh, &Beforehand::default(), *received_at)?;
        }
        // The root speaks for everything before it too: a pack of another history is refused.
        if log.root()? != run.root {
            return Err(AdminError::OutOfRange("the archive continues another history").into());
        }
        Ok(log.size().saturating_sub(size))
    }

    /// Opens a record of the archive by the key of its device.
    fn archived(&self, tx: &Tx<'_>, packed: &Packed) -> Result<(Record, Timestamp), HqError> {
        let damaged = || StoreError::Damaged("archived record");
        let stated = Record::read(&packed.bytes).map_err(|_| damaged())?;
        let device = tx
            .device(stated.envelope.device)?
            .ok_or(StoreError::Damaged("device of an archived record"))?;
        let record = Record::open(&packed.bytes, &device.key).map_err(|_| damaged())?;
        Ok((record, packed.received_at))
    }
}
