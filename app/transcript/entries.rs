//! Questions with answers, or paragraphs: added, moved, taken out, each change saved at once.
//!
//! The draft lists their keys; the words of an entry are saved before the list names it.

use sync_model::time::Timestamp;

use super::draft::{Draft, save_field};
use super::typed::Typed;
use crate::error::AppError;
use crate::services::Services;

/// One question with its answer, or one paragraph in `answer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Names it within the draft.
    pub key: String,
    /// 问.
    pub question: String,
    /// 答, or the paragraph.
    pub answer: String,
}

/// Returns the entries that the draft lists.
pub(super) fn entries(draft: &Draft) -> Vec<Entry> {
    draft
        .field("entries")
        .split(',')
        .filter(|key| !key.is_empty())
        .map(|key| Entry {
            key: key.to_owned(),
            question: draft.field(&format!("q:{key}")).to_owned(),
            answer: draft.field(&format!("a:{key}")).to_owned(),
        })
        .collect()
}

impl Typed {
    /// Saves one field at once; the first one also notes when writing began.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub fn save(
        &self,
        services: &Services,
        field: &str,
        value: &str,
    ) -> Result<Timestamp, AppError> {
        if self.draft.field("started_at").is_empty() {
            let now = services.clock.now().wall_at.0.to_string();
            save_field(services, self.transcript, "started_at", &now)?;
        }
        save_field(services, self.transcript, field, value)
    }

    /// Adds a question or paragraph at the end; returns its key.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub fn add_entry(
        &self,
        services: &Services,
        question: &str,
        answer: &str,
    ) -> Result<String, AppError> {
        let next = self.draft.field("entries.next").parse::<u32>().unwrap_or(0).saturating_add(1);
        let key = format!("e{next}");
        // The words before the list names them: a cut between leaves nothing half-listed.
        self.save(services, "entries.next", &next.to_string())?;
        self.save(services, &format!("q:{key}"), question)?;
        self.save(services, &format!("a:{key}"), answer)?;
        let keys: Vec<&str> = self.entries.iter().map(|entry| entry.key.as_str()).collect();
        self.save(services, "entries", &[keys.as_slice(), &[key.as_str()]].concat().join(","))?;
        Ok(key)
    }

    /// Moves an entry one up.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub fn move_up(&self, services: &Services, key: &str) -> Result<(), AppError> {
        let mut keys: Vec<&str> = self.entries.iter().map(|entry| entry.key.as_str()).collect();
        if let Some(index) = keys.iter().position(|one| *one == key).filter(|index| *index > 0) {
            keys.swap(index, index - 1);
        }
        self.save(services, "entries", &keys.join(","))?;
        Ok(())
    }

    /// Takes an entry out; its words stay in the draft until it is forgotten.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub fn remove_entry(&self, services: &Services, key: &str) -> Result<(), AppError> {
        let keys: Vec<&str> =
            self.entries.iter().map(|entry| entry.key.as_str()).filter(|one| *one != key).collect();
        self.save(services, "entries", &keys.join(","))?;
        Ok(())
    }
}
