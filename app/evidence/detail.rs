//! One piece of evidence in full: source, what the file says of itself, and its chain of custody.
//!
//! Custody is read from records and receipts, oldest first; nothing here is typed.

use sync_core::store::{EvidenceRow, Reader};
use sync_model::id::EvidenceId;
use sync_model::record::Act;
use sync_model::record::evidence::EvidenceOrigin;

use super::view::{Tile, kind_name, state};
use crate::error::AppError;
use crate::services::Services;

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
        lines.push(line(
            "文件问题",
            captured.problems.iter().map(|one| problem_text(one)).collect::<Vec<_>>().join("，"),
        ));
    }
    if !row.excluded.is_empty() {
        lines.push(line("排除理由", row.excluded.clone()));
    }
    lines
}

/// Returns the words for a fault as records name it.
fn problem_text(recorded: &str) -> &str {
    match recorded.split('(').next().unwrap_or_default() {
        "Truncated" => "照片不完整",
        "Undecodable" => "照片打不开",
        "TooLargeToPreview" => "照片过大，没有预览",
        "BrokenExif" => "拍摄信息有误",
        "MissingGlyphs" => "水印中有生僻字以方框代替",
        _ => recorded,
    }
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
