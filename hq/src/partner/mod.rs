//! Two devices, one case: HQ tells each what the other made, and keeps the case as both tell it.
//!
//! Devices that took the same assignment share its visits and their cases. What one sends of them
//! the others get in their feed, as the bytes that were signed. The case itself is the pure fold of
//! [`sync_model::fold`]; HQ keeps its result as a projection that can be made again at any time.

mod case;
pub(crate) mod custody;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;
use sync_model::id::{DeviceId, InspectionId};
use sync_model::record::{Act, Record};
use sync_model::time::Timestamp;
use sync_model::wire::feed::FeedBody;
use sync_model::wire::partner::{COPY_BYTES_MAX, COPY_RECORDS_MAX, PartnerRecords, PlacedRecord};

use crate::error::HqError;
use crate::hq::Inner;
use crate::store::{Device, StoreError, Tx};

/// A record and its place in the log.
pub(crate) type Added<'a> = (&'a Record, u64);
/// What each device is to be told: whose records, at which places.
type Told = BTreeMap<(DeviceId, DeviceId), BTreeMap<u64, Vec<u8>>>;

impl Inner {
    /// Shares what a push of `device` added: joins the device to what it works on, tells partners,
    /// folds the cases, checks the day.
    pub(crate) fn share(
        &self,
        tx: &Tx<'_>,
        device: &Device,
        added: &[Added<'_>],
        now: Timestamp,
    ) -> Result<(), HqError> {
        let (mut told, mut cases, mut closed) = (Told::new(), BTreeSet::new(), BTreeSet::new());
        // A push is mostly about one visit: its members are looked up once.
        let mut visits: BTreeMap<InspectionId, Vec<DeviceId>> = BTreeMap::new();
        for (record, index) in added {
            if begins(record) {
                join(tx, device.device, record, &mut told)?;
                visits.clear();
            }
            if let Some(inspection) = record.envelope.inspection {
                let members = match visits.entry(inspection) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        let device = device.device;
                        let (news, members) = tx.together::<_, StoreError>(|tx| {
                            let news = tx.news_of_visit(inspection, device)?;
                            Ok((news, tx.members(inspection.as_bytes())?))
                        })?;
                        join_visit(tx, device, inspection, news, &mut told)?;
                        unknown.insert(members)
                    }
                };
                for member in members.iter().filter(|member| **member != device.device) {
                    let of = told.entry((*member, device.device)).or_default();
                    of.insert(*index, record.bytes.clone());
                }
            }
            case::note(tx, record, *index, &mut cases)?;
            closed.extend(self.keep_statement(tx, record)?);
        }
        for ((member, author), records) in told {
            self.tell_partner(tx, member, author, records, now)?;
        }
        for case in cases {
            case::refold(tx, case, now)?;
        }
        for on in closed {
            self.tell_day(tx, device.device, on, now)?;
        }
        Ok(())
    }

    /// Puts records of `author` into the feed of `member`, in items of a bounded size.
    fn tell_partner(
        &self,
        tx: &Tx<'_>,
        member: DeviceId,
        author: DeviceId,
        records: BTreeMap<u64, Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), HqError> {
        let author = tx.device(author)?.ok_or(StoreError::Damaged("device"))?;
        let mut item: Vec<PlacedRecord> = Vec::new();
        let mut size: usize = 0;
        let issue = |records: Vec<PlacedRecord>| -> Result<(), HqError> {
            let certificate = ByteBuf::from(author.certificate.clone());
            let body = FeedBody::Partner(PartnerRecords { certificate, records });
            self.issue(tx, Some(member), body, now)?;
            Ok(())
        };
        for (log_index, bytes) in records {
            let full = size.saturating_add(bytes.len()) > COPY_BYTES_MAX;
            if (full || item.len() >= COPY_RECORDS_MAX) && !item.is_empty() {
                issue(std::mem::take(&mut item))?;
                size = 0;
            }
            size = size.saturating_add(bytes.len());
            item.push(PlacedRecord { log_index, bytes: ByteBuf::from(bytes) });
        }
        if item.is_empty() { Ok(()) } else { issue(item) }
    }
}

/// Says whether the record makes a device take up work that it may share.
fn begins(record: &Record) -> bool {
    matches!(record.envelope.act.kind.as_str(), "assignment_accepted" | "inspection_begun")
}

/// Joins the device to what the record says it works on; a device that joins later is told what
/// the others have made so far.
fn join(tx: &Tx<'_>, device: DeviceId, record: &Record, told: &mut Told) -> Result<(), StoreError> {
    let assignment = match record.envelope.act() {
        Act::AssignmentAccepted(body) => body.assignment,
        Act::InspectionBegun(body) => {
            tx.note_visit(body.inspection, body.assignment)?;
            for member in tx.members(body.assignment.as_bytes())? {
                let news = tx.news_of_visit(body.inspection, member)?;
                join_visit(tx, member, body.inspection, news, told)?;
            }
            body.assignment
        }
        _ => return Ok(()),
    };
    tx.join(assignment.as_bytes(), device)?;
    for inspection in tx.visits(assignment)? {
        let news = tx.news_of_visit(inspection, device)?;
        join_visit(tx, device, inspection, news, told)?;
    }
    Ok(())
}

/// Joins the device to the visit and tells it the `news` that it has not been told yet.
fn join_visit(
    tx: &Tx<'_>,
    device: DeviceId,
    inspection: InspectionId,
    news: Vec<(DeviceId, u64, Vec<u8>)>,
    told: &mut Told,
) -> Result<(), StoreError> {
    for (author, index, bytes) in news {
        told.entry((device, author)).or_default().insert(index, bytes);
    }
    tx.join(inspection.as_bytes(), device)
}
