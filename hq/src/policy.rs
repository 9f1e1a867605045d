//! What devices may send over which network and how long they keep originals; told in every receipt.

use sync_model::wire::policy::Policy;

use crate::error::{AdminError, HqError};
use crate::hq::{Hq, Inner};
use crate::store::{StoreError, Tx};

const SETTING: &str = "policy";
const MINUTES_A_DAY: u32 = 24 * 60;

impl Hq {
    /// Returns the rules that devices are told.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn policy(&self) -> Result<Policy, HqError> {
        self.0.store.read(|tx| Ok(Inner::policy(tx)?.unwrap_or(Policy::DEFAULT)))
    }

    /// Sets the rules under the next revision; every device learns them with its next receipt.
    /// Returns what holds now.
    ///
    /// # Errors
    /// [`AdminError::OutOfRange`].
    pub fn set_policy(&self, policy: Policy) -> Result<Policy, HqError> {
        if policy.nightly_start_minute >= MINUTES_A_DAY
            || !(1..=MINUTES_A_DAY).contains(&policy.nightly_window_minutes)
        {
            let why = "the nightly window begins within the day and lasts 1 to 1,440 minutes";
            return Err(AdminError::OutOfRange(why).into());
        }
        self.0.store.write(move |tx| {
            let known = Inner::policy(tx)?.map_or(0, |known| known.revision);
            let policy = Policy { revision: known.saturating_add(1), ..policy };
            let text = serde_json::to_string(&policy).map_err(|_| StoreError::Damaged("policy"))?;
            tx.set(SETTING, &text)?;
            Ok(policy)
        })
    }
}

impl Inner {
    /// Returns the rules, `None` if nobody set any.
    pub(crate) fn policy(tx: &Tx<'_>) -> Result<Option<Policy>, StoreError> {
        let text = tx.setting(SETTING)?;
        let read = |text: String| serde_json::from_str(&text);
        text.map(read).transpose().map_err(|_| StoreError::Damaged("policy setting"))
    }
}
