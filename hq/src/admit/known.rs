//! What the records of one push ask again and again: read once for the push.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use sync_model::cose::PublicKey;
use sync_model::credential::OfficerKind;
use sync_model::hash::Hash;
use sync_model::id::{DeviceId, InspectionId, OfficerId};
use sync_model::record::{Act, Record};

use super::{ACTS_AT_SCENE, Beforehand, DISPLAY};
use crate::error::HqError;
use crate::store::Tx;

/// The transaction of a push whose records are all stored, and what was read in it. Nothing that
/// is kept here changes while a push is judged.
pub(crate) struct Known<'t, 'c> {
    tx: &'t Tx<'c>,
    beforehand: &'t Beforehand,
    officers: RefCell<HashMap<OfficerId, Option<OfficerKind>>>,
    keys: RefCell<HashMap<OfficerId, Vec<PublicKey>>>,
    /// Where each kind of act stands first in a visit.
    visits: RefCell<HashMap<InspectionId, Vec<(String, u64)>>>,
    /// Whether a credential was ever issued to the officer.
    credentials: RefCell<HashMap<(Hash, OfficerId), bool>>,
}

/// What had been done in a visit.
pub(super) struct Done {
    /// Credentials were shown.
    pub(super) display: bool,
    /// Some act that only two officers may do.
    pub(super) act_at_scene: bool,
}

impl<'t, 'c> Known<'t, 'c> {
    pub(crate) fn new(tx: &'t Tx<'c>, beforehand: &'t Beforehand) -> Self {
        Self {
            tx,
            beforehand,
            officers: RefCell::default(),
            keys: RefCell::default(),
            visits: RefCell::default(),
            credentials: RefCell::default(),
        }
    }

    pub(super) fn tx(&self) -> &'t Tx<'c> {
        self.tx
    }

    /// Reads together what judging `records` will ask one by one.
    pub(crate) fn look_up(&self, records: &[&Record]) -> Result<(), HqError> {
        let (mut officers, mut signers) = (BTreeSet::new(), BTreeSet::new());
        let (mut visits, mut shown) = (BTreeSet::new(), BTreeSet::new());
        for record in records {
            let envelope = &record.envelope;
            if ACTS_AT_SCENE.contains(&envelope.act.kind.as_str()) {
                officers.extend(envelope.officers.iter().copied());
                visits.extend(envelope.inspection.map(|inspection| (envelope.device, inspection)));
            }
            match &*self.beforehand.act(record) {
                Act::ShiftBegun(begun) => signers.extend(begun.officers.iter().map(|p| p.officer)),
                Act::CredentialDisplayed(displayed) => {
                    shown.extend(displayed.credentials.iter().map(|c| (c.credential, c.officer)));
                }
                Act::TranscriptLocked(locked) => {
                    signers.extend(locked.officer_signatures.iter().map(|s| s.officer));
                }
                Act::DecisionIssued(decision) => {
                    signers.extend(decision.officer_signatures.iter().map(|s| s.officer));
                }
                _ => {}
            }
        }
        signers.extend(shown.iter().map(|(_, officer)| *officer));
        self.tx.together(|tx| {
            let known = Known::new(tx, self.beforehand);
            officers.iter().try_for_each(|officer| known.officer_kind(*officer).map(drop))?;
            signers.iter().try_for_each(|officer| known.officer_keys(*officer).map(drop))?;
            for (credential, officer) in &shown {
                known.credential_is_of(credential, *officer)?;
            }
            for (device, inspection) in &visits {
                known.firsts(*device, *inspection)?;
            }
            self.officers.replace(known.officers.take());
            self.keys.replace(known.keys.take());
            self.credentials.replace(known.credentials.take());
            self.visits.replace(known.visits.take());
            Ok(())
        })
    }

    /// Returns what was known of the records before.
    pub(super) fn beforehand(&self) -> &'t Beforehand {
        self.beforehand
    }

    /// Returns what kind of officer he is, or `None` if HQ does not know him.
    pub(super) fn officer_kind(&self, officer: OfficerId) -> Result<Option<OfficerKind>, HqError> {
        if let Some(kind) = self.officers.borrow().get(&officer) {
            return Ok(*kind);
        }
        let kind = self.tx.officer(officer)?.map(|officer| officer.kind);
        self.officers.borrow_mut().insert(officer, kind);
        Ok(kind)
    }

    /// Returns every key that the officer brought.
    pub(super) fn officer_keys(&self, officer: OfficerId) -> Result<Vec<PublicKey>, HqError> {
        if let Some(keys) = self.keys.borrow().get(&officer) {
            return Ok(keys.clone());
        }
        let keys = self.tx.officer_keys(officer)?;
        self.keys.borrow_mut().insert(officer, keys.clone());
        Ok(keys)
    }

    /// Says whether this credential was ever issued to the officer.
    pub(super) fn credential_is_of(
        &self,
        credential: &Hash,
        officer: OfficerId,
    ) -> Result<bool, HqError> {
        let asked = (*credential, officer);
        if let Some(known) = self.credentials.borrow().get(&asked) {
            return Ok(*known);
        }
        let own = self.tx.credential_is_of(credential, officer)?;
        self.credentials.borrow_mut().insert(asked, own);
        Ok(own)
    }

    /// Reads where each kind of act stands first in the visit, once.
    fn firsts(&self, device: DeviceId, inspection: InspectionId) -> Result<(), HqError> {
        if !self.visits.borrow().contains_key(&inspection) {
            let [a, b, c, d, e, f, g, h] = ACTS_AT_SCENE;
            let kinds = [a, b, c, d, e, f, g, h, DISPLAY];
            let firsts = self.tx.visit_firsts(device, inspection, kinds)?;
            self.visits.borrow_mut().insert(inspection, firsts);
        }
        Ok(())
    }

    /// Returns what the device's chain says was done in the visit before `seq`.
    pub(super) fn done_before(
        &self,
        device: DeviceId,
        inspection: InspectionId,
        seq: u64,
    ) -> Result<Done, HqError> {
        self.firsts(device, inspection)?;
        let visits = self.visits.borrow();
        let firsts = visits.get(&inspection).map_or(&[][..], Vec::as_slice);
        let before = |(_, first): &&(String, u64)| *first < seq;
        Ok(Done {
            display: firsts.iter().filter(before).any(|(kind, _)| kind == DISPLAY),
            act_at_scene: firsts.iter().filter(before).any(|(kind, _)| kind != DISPLAY),
        })
    }
}
