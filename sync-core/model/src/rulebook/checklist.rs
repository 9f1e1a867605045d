//! Checklists (检查表单) and their merging (一表通查).
//!
//! Merging keeps, for every entry, which matters it serves: each department owns its own result.

use serde::{Deserialize, Serialize};

/// The checklist of one matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// Stable key.
    pub id: String,
    /// As shown.
    pub name: String,
    /// The matter it serves.
    pub matter_code: String,
    /// In walking order.
    pub entries: Vec<ChecklistEntry>,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistEntry {
    /// Stable key, unique in the rulebook.
    pub id: String,
    /// What to look at, as the officer and the party read it.
    pub text: String,
    /// The article behind it.
    pub basis: String,
    /// Heading the entry stands under in a merged checklist, e.g. `证照` or `消防`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Whether an answer needs a photograph.
    #[serde(default)]
    pub photo_required: bool,
    /// The penalty matter a problem here may lead to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty_matter_code: Option<String>,
}

/// Several matters' entries in one walk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedChecklist {
    /// In the order the headings first appear.
    pub groups: Vec<MergedGroup>,
    /// Matters that have no checklist in this rulebook.
    pub matters_without_checklist: Vec<String>,
}

/// The entries under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedGroup {
    /// The heading.
    pub name: String,
    /// Its entries.
    pub entries: Vec<MergedEntry>,
}

/// One entry and every matter it answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedEntry {
    /// The entry, with the id it had in the first checklist; `photo_required` if any wants it.
    pub entry: ChecklistEntry,
    /// Ids of the entries it stands for, the first included.
    pub entry_ids: Vec<String>,
    /// Codes of the matters it serves.
    pub matter_codes: Vec<String>,
}
