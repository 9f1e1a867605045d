//! Accounts of people at HQ, their logins, the audit of what they read, and their rulings.

use sync_model::hash::Hash;
use sync_model::id::{CaseId, OfficerId};
use sync_model::time::Timestamp;

use super::{Row, StoreError, Tx, params};

/// An account as stored; the role by its name.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) authority: Option<String>,
    pub(crate) officer: Option<OfficerId>,
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) salt: Vec<u8>,
    pub(crate) verifier: Vec<u8>,
    pub(crate) failures: u32,
    pub(crate) failed_at: Timestamp,
    pub(crate) disabled_at: Option<Timestamp>,
}

/// A login as stored.
pub(crate) struct LoginRow {
    pub(crate) account: String,
    pub(crate) purpose: String,
    pub(crate) begun_at: Timestamp,
    pub(crate) used_at: Timestamp,
}

fn account_from_row(row: &Row<'_>) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        name: row.get("name")?,
        role: row.get("role")?,
        authority: row.get("authority")?,
        officer: row.get("officer")?,
        memory_kib: row.get("memory_kib")?,
        passes: row.get("passes")?,
        salt: row.get("salt")?,
        verifier: row.get("verifier")?,
        failures: row.get("failures")?,
        failed_at: row.get("failed_at")?,
        disabled_at: row.get("disabled_at")?,
    })
}

impl Tx<'_> {
    /// Returns every account, by name.
    pub(crate) fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        self.rows(
            "SELECT name, role, authority, officer, memory_kib, passes, salt, verifier, failures,
                 failed_at, disabled_at
             FROM account ORDER BY name",
            &params! {},
            account_from_row,
        )
    }

    /// Returns the account.
    pub(crate) fn account(&self, name: &str) -> Result<Option<AccountRow>, StoreError> {
        self.first(
            "SELECT name, role, authority, officer, memory_kib, passes, salt, verifier, failures,
                 failed_at, disabled_at
             FROM account WHERE name = :name",
            &params! { ":name": name },
            account_from_row,
        )
    }

    /// Adds an account, or gives one that is there another password, role and scope.
    pub(crate) fn put_account(&self, account: &AccountRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO account (name, role, authority, officer, memory_kib, passes, salt,
                 verifier, failures, failed_at, disabled_at)
             VALUES (:name, :role, :authority, :officer, :memory_kib, :passes, :salt,
                 :verifier, :failures, :failed_at, :disabled_at)
             ON CONFLICT (name) DO UPDATE SET role = excluded.role,
               authority = excluded.authority, officer = excluded.officer,
               memory_kib = excluded.memory_kib, passes = excluded.passes, salt = excluded.salt,
               verifier = excluded.verifier, failures = excluded.failures,
               failed_at = excluded.failed_at, disabled_at = excluded.disabled_at",
            &params! {
                ":name": account.name.as_str(),
                ":role": account.role.as_str(),
                ":authority": account.authority.as_deref(),
                ":officer": account.officer.as_ref(),
                ":memory_kib": account.memory_kib,
                ":passes": account.passes,
                ":salt": &account.salt,
                ":verifier": &account.verifier,
                ":failures": account.failures,
                ":failed_at": account.failed_at,
                ":disabled_at": account.disabled_at,
            },
        )
    }

    /// Notes how many wrong passwords in a row there were.
    pub(crate) fn set_failures(
        &self,
        name: &str,
        failures: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "UPDATE account SET failures = :failures, failed_at = :now WHERE name = :name",
            &params! { ":failures": failures, ":now": now, ":name": name },
        )
    }

    /// Keeps a login and forgets those that nobody used since `before`.
    pub(crate) fn insert_login(
        &self,
        token: &Hash,
        login: &LoginRow,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        self.run("DELETE FROM login WHERE used_at < :before", &params! { ":before": before })?;
        self.run(
            "INSERT INTO login (token, account, purpose, begun_at, used_at)
             VALUES (:token, :account, :purpose, :begun_at, :used_at)",
            &params! {
                ":token": token,
                ":account": login.account.as_str(),
                ":purpose": login.purpose.as_str(),
                ":begun_at": login.begun_at,
                ":used_at": login.used_at,
            },
        )
    }

    /// Returns the login with this token.
    pub(crate) fn login(&self, token: &Hash) -> Result<Option<LoginRow>, StoreError> {
        self.first(
            "SELECT account, purpose, begun_at, used_at FROM login WHERE token = :token",
            &params! { ":token": token },
            |row| {
                Ok(LoginRow {
                    account: row.get("account")?,
                    purpose: row.get("purpose")?,
                    begun_at: row.get("begun_at")?,
                    used_at: row.get("used_at")?,
                })
            },
        )
    }

    /// Notes that a login was used.
    pub(crate) fn use_login(&self, token: &Hash, now: Timestamp) -> Result<(), StoreError> {
        self.run(
            "UPDATE login SET used_at = :now WHERE token = :token",
            &params! { ":now": now, ":token": token },
        )
    }

    /// Ends one login, or with `None` every one of the account.
    pub(crate) fn end_logins(&self, account: &str, token: Option<&Hash>) -> Result<(), StoreError> {
        match token {
            Some(token) => {
                self.run("DELETE FROM login WHERE token = :token", &params! { ":token": token })
            }
            None => self.run(
                "DELETE FROM login WHERE account = :account",
                &params! { ":account": account },
            ),
        }
    }

    /// Returns the end of the audit of reads: how many entries, and the hash of the last.
    pub(crate) fn read_head(&self) -> Result<Option<(u64, Hash)>, StoreError> {
        self.first(
            "SELECT seq, hash FROM read_audit ORDER BY seq DESC LIMIT 1",
            &params! {},
            |row| Ok((row.get("seq")?, row.get("hash")?)),
        )
    }

    /// Adds an entry to the audit of reads.
    pub(crate) fn insert_read(
        &self,
        seq: u64,
        hash: &Hash,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO read_audit (seq, hash, bytes) VALUES (:seq, :hash, :bytes)",
            &params! { ":seq": seq, ":hash": hash, ":bytes": bytes },
        )
    }

    /// Returns entries of the audit of reads after `after`, at most `limit`.
    pub(crate) fn reads_after(
        &self,
        after: u64,
        limit: u64,
    ) -> Result<Vec<(u64, Hash, Vec<u8>)>, StoreError> {
        self.rows(
            "SELECT seq, hash, bytes FROM read_audit WHERE seq > :after ORDER BY seq LIMIT :limit",
            &params! { ":after": after, ":limit": limit },
            |row| Ok((row.get("seq")?, row.get("hash")?, row.get("bytes")?)),
        )
    }

    /// Returns folded cases after `after` in the order of their ids: id, state, open questions.
    pub(crate) fn case_states(
        &self,
        after: &[u8],
        limit: u64,
    ) -> Result<Vec<(CaseId, Vec<u8>, u64)>, StoreError> {
        self.rows(
            "SELECT case_id, state, reviews FROM case_state
             WHERE case_id > :after ORDER BY case_id LIMIT :limit",
            &params! { ":after": after, ":limit": limit },
            |row| Ok((row.get("case_id")?, row.get("state")?, row.get("reviews")?)),
        )
    }

    /// Keeps a ruling on the first `reviews` questions of the case; the first one stands.
    pub(crate) fn insert_ruling(
        &self,
        case: CaseId,
        reviews: u64,
        account: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "INSERT INTO ruling (case_id, reviews, account, text, ruled_at)
             VALUES (:case, :reviews, :account, :text, :now)
             ON CONFLICT (case_id, reviews) DO NOTHING",
            &params! {
                ":case": &case,
                ":reviews": reviews,
                ":account": account,
                ":text": text,
                ":now": now,
            },
        )?;
        Ok(changed == 1)
    }
}
