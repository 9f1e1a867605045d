//! Evidence as the page shows it: tiles, the facts of one piece, and what still has to be taken.
//!
//! Everything is read from records; nothing here is typed.

use sync_core::store::{EvidenceRow, Level, Reader};
use sync_model::hash::Hash;
use sync_model::id::{EvidenceId, InspectionId};
use sync_model::record::Act;
use sync_model::record::evidence::{EvidenceKind, EvidenceOrigin, EvidencePhase};
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

/// One line of facts: name and value.
pub type Line = (String, String);

/// One piece of evidence in full.
#[derive(Clone, Debug)]
pub struct Detail {
    /// As in the grid.
    pub tile: Tile,
    /// Where it came from.
    pub facts: Vec<Line>,
    /// What the file says of itself.
    pub exif: Vec<Line>,
    /// What happened to it, in order.
    pub custody: Vec<Line>,
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

fn state(reader: &Reader<'_>, row: &EvidenceRow) -> Result<State, AppError> {
    if !row.excluded.is_empty() {
        return Ok(State::Excluded);
    }
    let accepted = reader.acceptance(row.seq)?.map(|found| found.accepted);
    Ok(match (accepted, reader.level(row.seq)?) {
        (Some(false), _) => State::NotAccepted,
        (Some(true), Level::Complete) => State::Accepted,
        (_, Level::Local) => State::Local,
        (_, Level::Held) => State::Held,
        (None, Level::Complete) => State::Complete,
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

/// Returns one piece of evidence in full.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Store`].
pub fn detail(services: &Services, evidence: EvidenceId) -> Result<Detail, AppError> {
    services.store.read(|reader| {
        let row = reader.evidence(evidence)?.ok_or(AppError::NotFound("evidence"))?;
        Ok(Detail {
            facts: facts(&row),
            exif: exif(&row),
            custody: custody(reader, &row)?,
            tile: Tile { state: state(reader, &row)?, row },
        })
    })
}

fn line(name: &str, value: impl Into<String>) -> Line {
    (name.to_owned(), value.into())
}

fn facts(row: &EvidenceRow) -> Vec<Line> {
    let captured = &row.captured;
    let origin = match captured.origin {
        EvidenceOrigin::Captured => "本机拍摄",
        EvidenceOrigin::Imported => "导入文件",
    };
    let size = if captured.width == 0 {
        "像素未知".to_owned()
    } else {
        format!("{}×{}", captured.width, captured.height)
    };
    let mut lines = vec![
        line("取得时间", row.captured_at.chinese()),
        line("来源", format!("{origin}：{}", captured.source)),
        line("证据种类", kind_name(captured.kind)),
        line("原件哈希", format!("sha256 {}", captured.original.sha256.hex())),
        line("大小", format!("{}　{size}", bytes_text(captured.original.bytes))),
    ];
    if !captured.problems.is_empty() {
        lines.push(line("文件问题", captured.problems.join("，")));
    }
    if !row.excluded.is_empty() {
        lines.push(line("排除理由", row.excluded.clone()));
    }
    lines
}

fn exif(row: &EvidenceRow) -> Vec<Line> {
    let captured = &row.captured;
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "未记载".to_owned());
    let position = captured.position.as_ref().map_or_else(
        || "未记载".to_owned(),
        |at| format!("{}, {}（{}）", degrees(at.latitude_e7), degrees(at.longitude_e7), at.datum),
    );
    vec![
        line("设备", or_none(&captured.exif_camera)),
        line("原始时间", or_none(&captured.exif_taken)),
        line("位置", position),
    ]
}

/// Returns what records say of this piece, oldest first.
fn custody(reader: &Reader<'_>, row: &EvidenceRow) -> Result<Vec<Line>, AppError> {
    let officers = reader.officers()?;
    let name = |id| officers.iter().find(|one| one.officer == id).map(|one| one.name.clone());
    let mut lines = Vec::new();
    let records = match row.captured.inspection {
        Some(inspection) => reader.records_of(inspection)?,
        None => reader.records_from(row.seq, 1)?,
    };
    for journal in records {
        let record = journal.record()?;
        let who: Vec<String> = record.envelope.officers.iter().filter_map(|id| name(*id)).collect();
        let what = match record.envelope.act() {
            Act::EvidenceCaptured(body) if body.evidence == row.captured.evidence => {
                "取得，当场计算哈希，原件未改动".to_owned()
            }
            Act::EvidenceExcluded(body) if body.evidence == row.captured.evidence => {
                format!("排除：{}", body.reason)
            }
            _ => continue,
        };
        let at = record.envelope.recorded.wall_at;
        lines.push(line(&at.clock(), format!("{}　{what}", who.join("、"))));
    }
    if let Some(receipt) = reader.receipt(row.seq)? {
        let text = format!("总部回执，日志第 {} 条", receipt.log_index);
        lines.push(line(&receipt.received_at.clock(), text));
    }
    if let Some(found) = reader.acceptance(row.seq)? {
        let said: Vec<&str> = found.findings.iter().map(|one| one.message.as_str()).collect();
        let word = if found.accepted { "总部采信" } else { "总部退回" };
        lines.push(line(word, said.join("；")));
    }
    Ok(lines)
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

/// Returns `2.61 MB`.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    let hundredths = bytes.saturating_mul(100) / (1024 * 1024);
    if hundredths == 0 {
        return format!("{} KB", bytes.div_ceil(1024));
    }
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

fn degrees(e7: i64) -> String {
    let (sign, e7) = (if e7 < 0 { "-" } else { "" }, e7.unsigned_abs());
    format!("{sign}{}.{:05}", e7 / 10_000_000, e7 % 10_000_000 / 100)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_positions_read_as_people_write_them() {
        assert_eq!(bytes_text(300), "1 KB");
        assert_eq!(bytes_text(2_736_783), "2.60 MB");
        assert_eq!(degrees(302_854_100), "30.28541");
        assert_eq!(degrees(-1_201_298_300), "-120.12983");
    }
}
