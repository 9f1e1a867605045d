//! Accounts of people at HQ: who may log in, as what, and for which cases.
//!
//! Passwords are made by HQ and kept under Argon2id. A wrong one is counted before the next is
//! looked at, and each makes the wait longer; one password is looked at at a time, so that no crowd
//! of logins takes the memory that records need.

use std::sync::PoisonError;

use argon2::{Algorithm, Argon2, Params, Version};
use sync_model::hash::{Hash, hex, unhex};
use sync_model::id::OfficerId;
use sync_model::time::Timestamp;
use sync_model::wire::problem::{Problem, ProblemCode};

use crate::code;
use crate::error::{AdminError, HqError, refuse};
use crate::hq::Hq;
use crate::keys::random;
use crate::store::{AccountRow, LoginRow};

/// 64 MiB and 3 passes, as on devices.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Wrong passwords in a row that cost nothing.
const FREE_FAILURES: u32 = 3;
/// Longest wait after a wrong password.
const WAIT_MS_MAX: i64 = 15 * 60 * 1000;
/// A login ends after a shift, or when it is not used.
const LOGIN_MS: i64 = 12 * 3600 * 1000;
const IDLE_MS: i64 = 30 * 60 * 1000;
/// Longest name or purpose, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads the cases he took part in.
    Officer,
    /// Reads the cases of his authority.
    Leader,
    /// Reads them too, and rules on their open questions (法制审核).
    Reviewer,
    /// Reads every case and changes nothing (执法监督).
    Supervisor,
    /// Runs HQ by commands; reads no case.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Officer, Self::Leader, Self::Reviewer, Self::Supervisor, Self::Administrator];

    /// Returns its name in commands and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Leader => "leader",
            Self::Reviewer => "reviewer",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
        }
    }

    /// Returns the role with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Name to log in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Cases of which authority; needed by leaders and reviewers.
    pub authority: Option<String>,
    /// Certificate number of the officer; needed by officers.
    pub certificate_number: Option<String>,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLine {
    /// Name.
    pub name: String,
    /// Role by name.
    pub role: String,
    /// Authority, if it is bound to one.
    pub authority: Option<String>,
    /// Whether it may log in.
    pub enabled: bool,
}

/// Who asks, after his token was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) authority: Option<String>,
    pub(crate) officer: Option<OfficerId>,
    pub(crate) purpose: String,
    pub(crate) token: Hash,
}

fn derive(password: &str, account: &AccountRow) -> Result<Hash, HqError> {
    let unusable = || HqError::Admin(AdminError::OutOfRange("hardness of a password"));
    let params = Params::new(account.memory_kib, account.passes, 1, Some(32));
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(|_| unusable())?)
        .hash_password_into(password.as_bytes(), &account.salt, &mut out)
        .map_err(|_| unusable())?;
    Ok(Hash(out))
}

/// Returns how long to wait after so many wrong passwords in a row.
fn wait_ms(failures: u32) -> i64 {
    let over = failures.saturating_sub(FREE_FAILURES);
    if over == 0 { 0 } else { 1000_i64.saturating_mul(1 << over.min(20)).min(WAIT_MS_MAX) }
}

fn not_authentic() -> HqError {
    refuse(ProblemCode::NotAuthentic, "name or password is wrong")
}

impl Hq {
    /// Makes an account, or gives one that is there a new password, role and scope, which ends its
    /// logins; returns the password, which is told once and stored nowhere.
    ///
    /// # Errors
    /// [`AdminError::OutOfRange`] for a scope that does not fit the role,
    /// [`AdminError::NoSuchOfficer`].
    pub fn put_account(&self, new: &NewAccount) -> Result<String, HqError> {
        let bound = match new.role {
            Role::Officer => new.certificate_number.is_some(),
            Role::Leader | Role::Reviewer => new.authority.is_some(),
            Role::Supervisor | Role::Administrator => {
                new.authority.is_none() && new.certificate_number.is_none()
            }
        };
        let length = new.name.chars().count();
        if !bound
            || length == 0
            || length > TEXT_CHARS_MAX
            || new.name.chars().any(char::is_control)
        {
            return Err(AdminError::OutOfRange(
                "an officer's account takes --officer CERTNO, a leader's or reviewer's --authority \
                 ID, others neither; a name has 1 to 200 characters",
            )
            .into());
        }
        let officer = match &new.certificate_number {
            Some(number) => {
                let found =
                    self.0.store.read::<_, HqError>(|tx| Ok(tx.officer_by_certificate(number)?))?;
                let found = found.ok_or_else(|| AdminError::NoSuchOfficer(number.clone()))?;
                Some(found.officer)
            }
            None => None,
        };
        // Twenty characters of 31: nobody guesses it, and Argon2 is for the day the table leaks.
        let password = format!("{}-{}", code::new()?, code::new()?);
        let mut account = AccountRow {
            name: new.name.clone(),
            role: new.role.name().to_owned(),
            authority: new.authority.clone(),
            officer,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: random::<16>()?.to_vec(),
            verifier: Vec::new(),
            failures: 0,
            failed_at: Timestamp(0),
            disabled_at: None,
        };
        account.verifier = derive(&password, &account)?.0.to_vec();
        self.0.store.write::<_, HqError, _>(move |tx| {
            tx.end_logins(&account.name, None)?;
            Ok(tx.put_account(&account)?)
        })?;
        Ok(password)
    }

    /// Lets nobody log in with the account any more, and ends its logins.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`].
    pub fn disable_account(&self, name: &str) -> Result<(), HqError> {
        let (name, now) = (name.to_owned(), self.now());
        self.0.store.write(move |tx| {
            let found = tx.account(&name)?;
            let account = found.ok_or_else(|| AdminError::NoSuchAccount(name.clone()))?;
            tx.end_logins(&name, None)?;
            tx.put_account(&AccountRow { disabled_at: Some(now), ..account })?;
            Ok(())
        })
    }

    /// Returns every account.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountLine>, HqError> {
        let accounts = self.0.store.read::<_, HqError>(|tx| Ok(tx.accounts()?))?;
        let line = |account: AccountRow| AccountLine {
            name: account.name,
            role: account.role,
            authority: account.authority,
            enabled: account.disabled_at.is_none(),
        };
        Ok(accounts.into_iter().map(line).collect())
    }

    /// Begins a login; returns its token.
    ///
    /// # Errors
    /// [`ProblemCode::NotAuthentic`]; [`ProblemCode::Busy`] with the wait after wrong passwords;
    /// [`ProblemCode::Malformed`] without a purpose.
    pub fn log_in(&self, name: &str, password: &str, purpose: &str) -> Result<String, HqError> {
        let purpose = purpose.trim();
        if purpose.is_empty() || purpose.chars().count() > TEXT_CHARS_MAX {
            return Err(refuse(
                ProblemCode::Malformed,
                "a purpose of 1 to 200 characters is needed",
            ));
        }
        // Held until the password is looked at: one at a time.
        let _turn = self.0.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, asked) = (self.now(), name.to_owned());
        let counted = self.0.store.write::<_, HqError, _>(move |tx| {
            let Some(account) = tx.account(&asked)? else { return Ok(None) };
            let left = wait_ms(account.failures).saturating_sub(now.since_ms(account.failed_at));
            if left > 0 {
                let mut problem = Problem::new(ProblemCode::Busy, "too many wrong passwords");
                problem.retry_after_s = u32::try_from(left / 1000 + 1).ok();
                return Err(problem.into());
            }
            // Counted before it is looked at: whoever cuts the connection buys no free try.
            tx.set_failures(&asked, account.failures.saturating_add(1), now)?;
            Ok(Some(account))
        })?;
        let Some(account) = counted else {
            // As long as for a name that is there.
            derive(password, &nobody())?;
            return Err(not_authentic());
        };
        let right = derive(password, &account)?;
        // Hashes of both, so that the time of the comparison says nothing about either.
        if Hash::of(&right.0) != Hash::of(&account.verifier) || account.disabled_at.is_some() {
            return Err(not_authentic());
        }
        let token = random::<32>()?;
        let login = LoginRow {
            account: account.name.clone(),
            purpose: purpose.to_owned(),
            begun_at: now,
            used_at: now,
        };
        self.0.store.write::<_, HqError, _>(move |tx| {
            tx.set_failures(&account.name, 0, now)?;
            Ok(tx.insert_login(&Hash::of(&token), &login, now.plus_ms(-IDLE_MS))?)
        })?;
        Ok(hex(&token))
    }

    /// Returns who holds the token.
    ///
    /// # Errors
    /// [`ProblemCode::NotAuthentic`] for a token that is unknown or too old.
    pub(crate) fn caller(&self, token: &str) -> Result<Caller, HqError> {
        let refused = || refuse(ProblemCode::NotAuthentic, "log in first");
        let token = Hash::of(&unhex(token.trim()).ok_or_else(refused)?);
        let now = self.now();
        self.0.store.write::<_, HqError, _>(move |tx| {
            let login = tx.login(&token)?.ok_or_else(refused)?;
            let account = tx.account(&login.account)?.ok_or_else(refused)?;
            let age = now.since_ms(login.begun_at);
            let idle = now.since_ms(login.used_at);
            let role = Role::of_name(&account.role).filter(|_| account.disabled_at.is_none());
            let (Some(role), true) = (role, age <= LOGIN_MS && idle <= IDLE_MS) else {
                return Err(refused());
            };
            tx.use_login(&token, now)?;
            Ok(Caller {
                name: account.name,
                role,
                authority: account.authority,
                officer: account.officer,
                purpose: login.purpose,
                token,
            })
        })
    }

    /// Ends the caller's login.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn log_out(&self, caller: &Caller) -> Result<(), HqError> {
        let (name, token) = (caller.name.clone(), caller.token);
        self.0.store.write::<_, HqError, _>(move |tx| Ok(tx.end_logins(&name, Some(&token))?))
    }
}

/// An account that no password opens.
fn nobody() -> AccountRow {
    AccountRow {
        name: String::new(),
        role: String::new(),
        authority: None,
        officer: None,
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        salt: vec![0; 16],
        verifier: Vec::new(),
        failures: 0,
        failed_at: Timestamp(0),
        disabled_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_ends() {
        let waits: Vec<i64> = (0..=6).map(wait_ms).collect();
        assert_eq!(waits, [0, 0, 0, 0, 2000, 4000, 8000]);
        assert_eq!(wait_ms(u32::MAX), WAIT_MS_MAX);
    }
}
