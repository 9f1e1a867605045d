//! One partner copy over one link: who is there, what is missing, records, small files; both ways,
//! one after the other, so that neither side waits for a full pipe.
//!
//! What was received is kept, durably and with its signature checked, before it is acknowledged. A
//! cut anywhere loses nothing: the next copy begins behind what was kept.

use std::io::{Read, Write};

use serde_bytes::ByteBuf;
use sync_model::cose::PublicKey;
use sync_model::credential::{self, DeviceCertificate};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::BlobRole;
use sync_model::wire::audit::ChainHead;
use sync_model::wire::partner::{
    COPY_BYTES_MAX, COPY_FILE_BYTES_MAX, COPY_RECORDS_MAX, CopyMessage, Have, Hello, Refusal,
};

use super::link::Link;
use super::{Copied, CopyError};
use crate::error::StoreError;
use crate::store::{Enrollment, JournalRow, Store};

/// Most records of one copy in one direction.
const RECORDS_MAX: u64 = 5_000;
/// Most small files of one copy in one direction.
const FILES_MAX: u64 = 300;

/// What each side wants of the other.
pub(super) struct Terms<'a> {
    /// The digits: those shown, or those typed in.
    pub(super) code: &'a str,
    /// The visit, or any if the other side's screen decides.
    pub(super) inspection: Option<InspectionId>,
}

/// The side that was connected to.
pub(super) fn answer<S: Read + Write>(
    store: &Store,
    link: &mut Link<S>,
    peer: &PublicKey,
    terms: &Terms<'_>,
) -> Result<Copied, CopyError> {
    let own = enrollment(store)?;
    let hello = hello(link.receive()?)?;
    // The code first: whoever does not know it learns nothing else.
    if hello.code != terms.code {
        return Err(link.refuse(Refusal::WrongCode));
    }
    let partner = check(&own, &hello, peer, terms).map_err(|refusal| link.refuse(refusal))?;
    link.send(&introduce(&own, terms, ""))?;
    let theirs = have(link.receive()?)?;
    link.send(&CopyMessage::Have(holdings(store, &partner)?))?;
    let mut copied = take(store, link, &hello.certificate, &partner)?;
    give(store, link, &theirs, terms, &mut copied)?;
    expect_done(link)?;
    Ok(copied)
}

/// The side that connects.
pub(super) fn ask<S: Read + Write>(
    store: &Store,
    link: &mut Link<S>,
    peer: &PublicKey,
    terms: &Terms<'_>,
) -> Result<Copied, CopyError> {
    let own = enrollment(store)?;
    link.send(&introduce(&own, terms, terms.code))?;
    let hello = hello(link.receive()?)?;
    let partner = check(&own, &hello, peer, terms).map_err(|refusal| link.refuse(refusal))?;
    link.send(&CopyMessage::Have(holdings(store, &partner)?))?;
    let theirs = have(link.receive()?)?;
    // The visit that the listener's screen stands for is the one this copy is about.
    let terms = Terms { code: terms.code, inspection: hello.inspection.or(terms.inspection) };
    let mut copied = Copied::default();
    give(store, link, &theirs, &terms, &mut copied)?;
    let taken = take(store, link, &hello.certificate, &partner)?;
    link.send(&CopyMessage::Done(head(store)?))?;
    Ok(Copied { received: taken.received, files: taken.files, ..copied })
}

fn enrollment(store: &Store) -> Result<Enrollment, CopyError> {
    Ok(store.read(|r| r.enrollment())?.ok_or(StoreError::NotEnrolled)?)
}

fn introduce(own: &Enrollment, terms: &Terms<'_>, code: &str) -> CopyMessage {
    CopyMessage::Hello(Hello {
        certificate: ByteBuf::from(own.device_certificate.clone()),
        code: code.to_owned(),
        inspection: terms.inspection,
    })
}

fn hello(message: CopyMessage) -> Result<Hello, CopyError> {
    if let CopyMessage::Hello(hello) = message { Ok(hello) } else { Err(CopyError::Malformed) }
}

fn have(message: CopyMessage) -> Result<Have, CopyError> {
    if let CopyMessage::Have(have) = message { Ok(have) } else { Err(CopyError::Malformed) }
}

fn expect_done<S: Read + Write>(link: &mut Link<S>) -> Result<(), CopyError> {
    match link.receive()? {
        CopyMessage::Done(_) => Ok(()),
        _ => Err(CopyError::Malformed),
    }
}

/// Checks that the other side is a device of the same HQ and authority, at the same visit, and that
/// the link ends at its key.
fn check(
    own: &Enrollment,
    hello: &Hello,
    peer: &PublicKey,
    terms: &Terms<'_>,
) -> Result<DeviceCertificate, Refusal> {
    let issuer = &own.trust.issuer_key;
    let partner = credential::open_device_certificate(&hello.certificate, issuer)
        .map_err(|_| Refusal::UnknownDevice)?;
    if partner.key != *peer || partner.device == own.certificate.device {
        return Err(Refusal::UnknownDevice);
    }
    if partner.authority != own.certificate.authority {
        return Err(Refusal::OtherAuthority);
    }
    match (terms.inspection, hello.inspection) {
        (Some(ours), Some(theirs)) if ours != theirs => Err(Refusal::OtherVisit),
        _ => Ok(partner),
    }
}

fn holdings(store: &Store, partner: &DeviceCertificate) -> Result<Have, CopyError> {
    Ok(store.read(|r| {
        let wanted = r.partner_files(false, FILES_MAX)?;
        Ok::<_, StoreError>(Have {
            head: r.partner_head(partner.device)?,
            wanted: wanted.into_iter().map(|file| file.sha256).collect(),
        })
    })?)
}

fn head(store: &Store) -> Result<ChainHead, CopyError> {
    let head = store.read(|r| r.head())?;
    Ok(head.map_or(ChainHead { seq: 0, hash: Hash::ZERO }, |head| ChainHead {
        seq: head.seq,
        hash: head.hash,
    }))
}

/// Returns the first record to give: behind what the partner holds of this very chain, or the first
/// that HQ has not receipted or that belongs to the visit, whichever is older.
fn first_to_give(
    store: &Store,
    theirs: &Have,
    terms: &Terms<'_>,
) -> Result<Option<u64>, CopyError> {
    store.read(|r| {
        if let Some(held) = theirs.head {
            let row = r.records_from(held.seq, 1)?.into_iter().next();
            let same = row.is_some_and(|row| row.seq == held.seq && row.hash == held.hash);
            // He holds another chain under this device's name: one of the two was copied.
            return if same {
                Ok(Some(held.seq.saturating_add(1)))
            } else {
                Err(CopyError::Malformed)
            };
        }
        let visit = match terms.inspection {
            Some(inspection) => r.records_of(inspection)?.first().map(|row| row.seq),
            None => None,
        };
        let pending = r.first_pending()?;
        Ok(visit.into_iter().chain(pending).min())
    })
}

/// Gives own records and the small files they cite.
fn give<S: Read + Write>(
    store: &Store,
    link: &mut Link<S>,
    theirs: &Have,
    terms: &Terms<'_>,
    copied: &mut Copied,
) -> Result<(), CopyError> {
    let mut files = theirs.wanted.clone();
    if let Some(mut next) = first_to_give(store, theirs, terms)? {
        let end = next.saturating_add(RECORDS_MAX);
        while next < end {
            let rows = batch(store, next)?;
            let Some(last) = rows.last() else { break };
            next = last.seq.saturating_add(1);
            for row in &rows {
                let blobs = row.record()?.envelope.blobs;
                let small = blobs.into_iter().filter(|blob| {
                    blob.role != BlobRole::Original && blob.bytes <= COPY_FILE_BYTES_MAX
                });
                files.extend(small.map(|blob| blob.sha256));
            }
            copied.sent = copied.sent.saturating_add(u64::try_from(rows.len()).unwrap_or(0));
            let records = rows.into_iter().map(|row| ByteBuf::from(row.bytes)).collect();
            link.send(&CopyMessage::Records(records))?;
        }
    }
    let most = usize::try_from(FILES_MAX).unwrap_or(usize::MAX);
    for sha256 in files.into_iter().take(most) {
        // A file that is gone or damaged here is not a reason to keep the records back.
        if let Ok(bytes) = store.blobs().read(&sha256)
            && u64::try_from(bytes.len()).is_ok_and(|length| length <= COPY_FILE_BYTES_MAX)
        {
            link.send(&CopyMessage::File(ByteBuf::from(bytes)))?;
        }
    }
    link.send(&CopyMessage::Done(head(store)?))
}

/// Returns the next records that fit one message.
fn batch(store: &Store, first: u64) -> Result<Vec<JournalRow>, CopyError> {
    let count = u64::try_from(COPY_RECORDS_MAX).unwrap_or(1);
    let mut rows = store.read(|r| r.records_from(first, count))?;
    let mut bytes: usize = 0;
    let fitting = rows
        .iter()
        .take_while(|row| {
            bytes = bytes.saturating_add(row.bytes.len());
            bytes <= COPY_BYTES_MAX
        })
        .count();
    rows.truncate(fitting.max(1));
    Ok(rows)
}

/// Takes what the partner gives, until he says that he has no more.
fn take<S: Read + Write>(
    store: &Store,
    link: &mut Link<S>,
    certificate: &[u8],
    partner: &DeviceCertificate,
) -> Result<Copied, CopyError> {
    let mut copied = Copied { partner: Some(partner.clone()), ..Copied::default() };
    let (mut records, mut files) = (0, 0);
    loop {
        match link.receive()? {
            CopyMessage::Records(batch) if batch.len() <= COPY_RECORDS_MAX => {
                records += u64::try_from(batch.len()).unwrap_or(u64::MAX);
                if records > RECORDS_MAX {
                    return Err(link.refuse(Refusal::Malformed));
                }
                match store.keep_copied(certificate, &batch) {
                    Ok(new) => copied.received = copied.received.saturating_add(new),
                    Err(StoreError::Cose(_) | StoreError::Record(_) | StoreError::BadStored(_)) => {
                        return Err(link.refuse(Refusal::BadRecord));
                    }
                    Err(error) => {
                        link.refuse(Refusal::NotKept);
                        return Err(error.into());
                    }
                }
            }
            CopyMessage::File(bytes) => {
                files += 1;
                if files > FILES_MAX {
                    return Err(link.refuse(Refusal::Malformed));
                }
                copied.files = copied.files.saturating_add(u64::from(keep_file(store, &bytes)?));
            }
            CopyMessage::Done(_) => return Ok(copied),
            _ => return Err(link.refuse(Refusal::Malformed)),
        }
    }
}

/// Keeps a file if a copied record cites it.
fn keep_file(store: &Store, bytes: &[u8]) -> Result<bool, CopyError> {
    let sha256 = Hash::of(bytes);
    let wanted = store.read(|r| r.partner_files(false, FILES_MAX))?;
    if !wanted.iter().any(|file| file.sha256 == sha256) {
        return Ok(false);
    }
    store.blobs().put(bytes, "application/octet-stream", BlobRole::Thumbnail)?;
    store.note_partner_file(&sha256, false)?;
    Ok(true)
}
