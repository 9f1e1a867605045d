//! Matters (执法事项): what may be inspected or penalized, and on which article.
//!
//! A matter's basis is a law, regulation or rule; lists and benchmarks are never a basis.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What the matter empowers to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterKind {
    /// 行政检查
    Inspection,
    /// 行政处罚
    Penalty,
}

/// One article (条·款·项·目) with its wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalBasis {
    /// Title without brackets, e.g. `中华人民共和国消防法`.
    pub law: String,
    /// `第六十条`
    pub article: String,
    /// `第一款`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paragraph: Option<String>,
    /// `第（三）项`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The wording in force.
    pub text: String,
}

impl LegalBasis {
    /// Returns `《中华人民共和国消防法》第六十条第一款第（三）项`.
    #[must_use]
    pub fn cite(&self) -> String {
        let paragraph = self.paragraph.as_deref().unwrap_or_default();
        let item = self.item.as_deref().unwrap_or_default();
        format!("《{}》{}{paragraph}{item}", self.law, self.article)
    }
}

/// One matter of the list (事项目录).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// Twelve digits, or a surrogate where the list shows none; always text.
    pub code: String,
    /// As published.
    pub name: String,
    /// Department the matter belongs to.
    pub department: String,
    /// Inspection or penalty.
    pub kind: MatterKind,
    /// Every article it rests on.
    pub legal_basis: Vec<LegalBasis>,
    /// 违则, as cited in a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violated_norm: Option<LegalBasis>,
    /// 罚则, as cited in a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty_norm: Option<LegalBasis>,
    /// Article that allows sealing or seizure; without it neither is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coercion_basis: Option<LegalBasis>,
    /// First day in force.
    pub effective_from: NaiveDate,
    /// Last day in force, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<NaiveDate>,
    /// Whether the list that holds it has been published.
    pub published: bool,
    /// 具体职责边界, shown to the officer as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boundary: String,
}

impl Matter {
    /// Returns whether the matter is in force on `on`.
    #[must_use]
    pub fn in_force(&self, on: NaiveDate) -> bool {
        self.effective_from <= on && self.effective_to.is_none_or(|to| on <= to)
    }
}
