//! Evidence as the page shows it: tiles, and what still has to be taken.
//!
//! Everything is read from records; nothing here is typed.

use sync_core::store::{EvidenceRow, Level, Reader};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::evidence::{EvidenceKind, EvidencePhase};
use sync_model::time::Timestamp;

use crate::error::AppError;
use crate::inspection::merged;
use crate::services::Services;

/// Where a piece of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Set aside with a reason.
    Excluded,
    /// HQ found something wrong with it.
    NotAccepted,
    /// Only on this device.
    Local,
    /// HQ holds the record, not every file yet.
    Held,
    /// HQ holds record and files.
    Complete,
    /// HQ has archived record and files twice.
    Archived,
    /// HQ looked at it and accepts it.
    Accepted,
}

impl State {
    /// Returns the word on the chip.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Excluded => "已排除",
            Self::NotAccepted => "总部退回",
            Self::Local => "待上报",
            Self::Held => "已回执，原件待传",
            Self::Complete => "已回执",
            Self::Archived => "总部已归档",
            Self::Accepted => "总部已采信",
        }
    }
}

/// One tile of the grid.
#[derive(Clone, Debug)]
pub struct Tile {
    /// As stored.
    pub row: EvidenceRow,
    /// Where it is.
    pub state: State,
}

impl Tile {
    /// Returns `证1`.
    #[must_use]
    pub fn number(&self) -> String {
        format!("证{}", self.row.captured.ordinal)
    }

    /// Returns the description, with a word where it may not be cited.
    #[must_use]
    pub fn caption(&self) -> String {
        let said = &self.row.captured.description;
        let said = if said.is_empty() { "未写说明" } else { said };
        match self.row.captured.phase {
            EvidencePhase::PreVisit => format!("{said}（亮证前，仅作线索）"),
            EvidencePhase::Visit => said.to_owned(),
            EvidencePhase::PostDecision => format!("{said}（决定后，不能作依据）"),
        }
    }

    /// Returns the first and last digits of the original's hash.
    #[must_use]
    pub fn short_hash(&self) -> String {
        let hex = self.row.captured.original.sha256.hex();
        let head: String = hex.chars().take(4).collect();
        let tail: String = hex.chars().skip(hex.len().saturating_sub(4)).collect();
        format!("{head}…{tail}")
    }
}

/// Returns a visit's evidence.
///
/// # Errors
/// [`AppError::Store`].
pub fn tiles(services: &Services, inspection: InspectionId) -> Result<Vec<Tile>, AppError> {
    services.store.read(|reader| {
        reader
            .evidence_of(inspection)?
            .into_iter()
            .map(|row| Ok(Tile { state: state(reader, &row)?, row }))
            .collect()
    })
}

pub(super) fn state(reader: &Reader<'_>, row: &EvidenceRow) -> Result<State, AppError> {
    if !row.excluded.is_empty() {
        return Ok(State::Excluded);
    }
    let accepted = reader.acceptance(row.seq)?.map(|found| found.accepted);
    Ok(match (accepted, reader.level(row.seq)?) {
        (Some(false), _) => State::NotAccepted,
        (_, Level::Local) => State::Local,
        (_, Level::Held) => State::Held,
        (Some(true), Level::Complete | Level::Archived) => State::Accepted,
        (None, Level::Complete) => State::Complete,
        (None, Level::Archived) => State::Archived,
    })
}

/// Returns what the checklist wants photographed and is not yet.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::NoRulebook`].
pub fn missing(services: &Services, inspection: InspectionId) -> Result<Vec<String>, AppError> {
    services.store.read(|reader| {
        let answers = reader.answers(inspection)?;
        let list = merged(reader, inspection)?;
        let shown = |id: &str| {
            answers.iter().any(|answer| answer.entry == id && !answer.evidence.is_empty())
        };
        Ok(list
            .groups
            .iter()
            .flat_map(|group| &group.entries)
            .filter(|one| one.entry.photo_required && !shown(&one.entry.id))
            .map(|one| one.entry.text.clone())
            .collect())
    })
}

/// Returns the law's word for a kind of evidence.
// 《行政处罚法》第四十六条.
#[must_use]
pub fn kind_name(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::DocumentaryEvidence => "书证",
        EvidenceKind::PhysicalEvidence => "物证",
        EvidenceKind::AudiovisualMaterial => "视听资料",
        EvidenceKind::ElectronicData => "电子数据",
        EvidenceKind::WitnessTestimony => "证人证言",
        EvidenceKind::PartyStatement => "当事人的陈述",
        EvidenceKind::ExpertOpinion => "鉴定意见",
        EvidenceKind::SceneTranscript => "勘验笔录、现场笔录",
    }
}

/// Returns when a piece was taken, for the tile.
#[must_use]
pub fn time_text(at: Timestamp) -> String {
    at.clock()
}

/// Returns the hash of the picture to show: the small copy.
#[must_use]
pub fn thumbnail(row: &EvidenceRow) -> Option<Hash> {
    row.captured.thumbnail.as_ref().map(|blob| blob.sha256)
}

/// Returns the hash of the large copy.
#[must_use]
pub fn large(row: &EvidenceRow) -> Option<Hash> {
    row.captured.watermarked.as_ref().map(|blob| blob.sha256).or_else(|| thumbnail(row))
}
