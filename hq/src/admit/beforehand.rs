//! What judging a push needs no write lock for: acts are decoded and officers' signatures checked.
//!
//! While somebody writes all others wait, and checking a signature takes longer than storing its
//! record. The verdict stays the same: a signature is noted here with the key that made it, and
//! whether that key is the officer's is asked again under the lock. What is missing here is done
//! there.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sync_model::cose::{self, Context, PublicKey};
use sync_model::hash::Hash;
use sync_model::id::OfficerId;
use sync_model::record::{Act, Record};

use crate::push::open::on_all_cores;
use crate::store::{Store, StoreError};

/// What is known of some records before they are judged.
#[derive(Default)]
pub(crate) struct Beforehand {
    acts: HashMap<Hash, Act>,
    /// By the signed bytes.
    statements: HashMap<Vec<u8>, Signed>,
}

/// A signature that holds.
struct Signed {
    context: Context,
    key: PublicKey,
    payload: Vec<u8>,
}

/// An officer's statement in an act: who is said to have signed, for what, the signed bytes.
type Statement<'a> = (OfficerId, Context, &'a [u8]);

fn statements(act: &Act) -> Vec<Statement<'_>> {
    let signed = match act {
        Act::ShiftBegun(begun) => {
            let presences = begun.officers.iter();
            return presences
                .map(|one| (one.officer, Context::OfficerAct, one.signature.as_slice()))
                .collect();
        }
        Act::CredentialDisplayed(displayed) => {
            let shown = displayed.credentials.iter();
            return shown
                .map(|one| (one.officer, Context::Moment, one.moment.as_slice()))
                .collect();
        }
        Act::TranscriptLocked(locked) => &locked.officer_signatures,
        Act::DecisionIssued(decision) => &decision.officer_signatures,
        _ => return Vec::new(),
    };
    let signed = signed.iter();
    signed.map(|one| (one.officer, Context::OfficerAct, one.statement.as_slice())).collect()
}

impl Beforehand {
    /// Looks at `records` with the keys that the store has now.
    pub(crate) fn of(store: &Store, records: &[Record]) -> Result<Self, StoreError> {
        // A record that breaks a decoder is judged later, where that is caught for good.
        let decode = |record: &Record| {
            catch_unwind(AssertUnwindSafe(|| (record.hash, record.envelope.act()))).ok()
        };
        let acts: HashMap<Hash, Act> =
            on_all_cores(records, decode).into_iter().flatten().collect();
        let stated: Vec<Statement<'_>> = acts.values().flat_map(statements).collect();
        if stated.is_empty() {
            return Ok(Self { acts, statements: HashMap::new() });
        }
        let keys = store.read::<_, StoreError>(|tx| {
            let mut keys = BTreeMap::new();
            for (officer, ..) in &stated {
                if !keys.contains_key(officer) {
                    keys.insert(*officer, tx.officer_keys(*officer)?);
                }
            }
            Ok(keys)
        })?;
        let check = |(officer, context, bytes): &Statement<'_>| {
            let keys = keys.get(officer)?;
            let verify = |key: &PublicKey| Some((*key, cose::verify(*context, bytes, key).ok()?));
            let (key, payload) = keys.iter().find_map(verify)?;
            Some((bytes.to_vec(), Signed { context: *context, key, payload }))
        };
        let statements = on_all_cores(&stated, check).into_iter().flatten().collect();
        Ok(Self { acts, statements })
    }

    /// Returns what the record says was done.
    pub(crate) fn act(&self, record: &Record) -> Cow<'_, Act> {
        let known = self.acts.get(&record.hash);
        known.map_or_else(|| Cow::Owned(record.envelope.act()), Cow::Borrowed)
    }

    /// Returns the signed payload if one of `keys` made the signature.
    pub(super) fn payload<'a>(
        &self,
        context: Context,
        bytes: &[u8],
        keys: impl IntoIterator<Item = &'a PublicKey> + Clone,
    ) -> Option<Cow<'_, [u8]>> {
        let known = self.statements.get(bytes).filter(|known| known.context == context);
        if let Some(signed) = known
            && keys.clone().into_iter().any(|key| *key == signed.key)
        {
            return Some(Cow::Borrowed(&signed.payload));
        }
        let payload = keys.into_iter().find_map(|key| cose::verify(context, bytes, key).ok())?;
        Some(Cow::Owned(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_model::cose::{Signer as _, SoftwareKey};

    /// A key that was withdrawn, or never was the officer's, counts no more for what was checked
    /// before.
    #[test]
    fn a_signature_counts_only_for_a_key_that_is_given_again() {
        let keys = [1, 2].map(|seed| SoftwareKey::from_secret(&[seed; 32]));
        let [made, other] = [0, 1].map(|at| keys[at].public());
        let bytes = cose::sign(Context::Moment, b"now", &keys[0]).unwrap();
        let signed = Signed { context: Context::Moment, key: made, payload: b"now".to_vec() };
        let known = Beforehand {
            acts: HashMap::new(),
            statements: HashMap::from([(bytes.clone(), signed)]),
        };
        for known in [known, Beforehand::default()] {
            let payload = |context, keys: &[PublicKey]| {
                known.payload(context, &bytes, keys).map(Cow::into_owned)
            };
            assert_eq!(payload(Context::Moment, &[other, made]), Some(b"now".to_vec()));
            assert_eq!(payload(Context::Moment, &[other]), None);
            assert_eq!(payload(Context::Moment, &[]), None);
            assert_eq!(payload(Context::OfficerAct, &[made]), None);
        }
    }
}
