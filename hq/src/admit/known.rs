//! What the records of one push ask again and again: read once for the push.

use std::cell::RefCell;
use std::collections::HashMap;

use sync_model::cose::PublicKey;
use sync_model::credential::OfficerKind;
use sync_model::id::{DeviceId, InspectionId, OfficerId};

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
        }
    }

    pub(super) fn tx(&self) -> &'t Tx<'c> {
        self.tx
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

    /// Returns what the device's chain says was done in the visit before `seq`.
    pub(super) fn done_before(
        &self,
        device: DeviceId,
        inspection: InspectionId,
        seq: u64,
    ) -> Result<Done, HqError> {
        let read = !self.visits.borrow().contains_key(&inspection);
        if read {
            let [a, b, c, d, e, f, g, h] = ACTS_AT_SCENE;
            let firsts =
                self.tx.visit_firsts(device, inspection, [a, b, c, d, e, f, g, h, DISPLAY])?;
            self.visits.borrow_mut().insert(inspection, firsts);
        }
        let visits = self.visits.borrow();
        let firsts = visits.get(&inspection).map_or(&[][..], Vec::as_slice);
        let before = |(_, first): &&(String, u64)| *first < seq;
        Ok(Done {
            display: firsts.iter().filter(before).any(|(kind, _)| kind == DISPLAY),
            act_at_scene: firsts.iter().filter(before).any(|(kind, _)| kind != DISPLAY),
        })
    }
}
