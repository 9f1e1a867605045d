//! What an administrator set, how far background work has come, and whose duty it is: the same for
//! every process on this store.

use sync_model::time::Timestamp;

use super::{StoreError, Tx, params};

impl Tx<'_> {
    /// Returns what was set.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.first(
            "SELECT value FROM setting WHERE name = :name",
            &params! { ":name": name },
            |row| row.get("value"),
        )
    }

    /// Sets a value.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO setting (name, value) VALUES (:name, :value)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &params! { ":name": name, ":value": value },
        )
    }

    /// Returns how far the work has come; 0 if it has not begun.
    pub(crate) fn progress(&self, name: &str) -> Result<u64, StoreError> {
        let found = self.first(
            "SELECT value FROM progress WHERE name = :name",
            &params! { ":name": name },
            |row| row.get("value"),
        )?;
        Ok(found.unwrap_or(0))
    }

    /// Notes how far the work has come; it never goes back.
    pub(crate) fn advance(&self, name: &str, value: u64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO progress (name, value) VALUES (:name, :value)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value
             WHERE excluded.value > progress.value",
            &params! { ":name": name, ":value": value },
        )
    }

    /// Lets the work begin anew.
    pub(crate) fn forget_progress(&self, name: &str) -> Result<(), StoreError> {
        self.run("DELETE FROM progress WHERE name = :name", &params! { ":name": name })
    }

    /// Takes the duty until `until` if nobody else holds it, or holds it for longer than anybody
    /// takes it, which a clock that was set back leaves behind; says whether `holder` holds it now.
    pub(crate) fn take_duty(
        &self,
        name: &str,
        holder: &[u8],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let taken = self.execute(
            "INSERT INTO duty (name, holder, until_at) VALUES (:name, :holder, :until)
             ON CONFLICT (name) DO UPDATE
             SET holder = excluded.holder, until_at = excluded.until_at
             WHERE duty.holder = excluded.holder OR duty.until_at < :now
                OR duty.until_at > :until",
            &params! { ":name": name, ":holder": holder, ":until": until, ":now": now },
        )?;
        Ok(taken == 1)
    }

    /// Returns who holds the duty, and until when.
    pub(crate) fn duty(&self, name: &str) -> Result<Option<([u8; 16], Timestamp)>, StoreError> {
        self.first(
            "SELECT holder, until_at FROM duty WHERE name = :name",
            &params! { ":name": name },
            |row| Ok((row.get("holder")?, row.get("until_at")?)),
        )
    }

    /// Gives the duty up if `holder` holds it.
    pub(crate) fn leave_duty(&self, name: &str, holder: &[u8]) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM duty WHERE name = :name AND holder = :holder",
            &params! { ":name": name, ":holder": holder },
        )
    }

    /// Takes a setting back.
    pub(crate) fn unset(&self, name: &str) -> Result<(), StoreError> {
        self.run("DELETE FROM setting WHERE name = :name", &params! { ":name": name })
    }
}
