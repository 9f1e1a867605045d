//! Commands that say what HQ found: the day of a device, alarms, cases to be looked at.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use hq::{Alarm, SlipReport, Standing};
use sync_model::wire::audit::SeqRun;
use sync_model::wire::day::DayReport;

use crate::args::Args;
use crate::command::{device, open, say};

/// Returns an alarm in a few words.
pub(crate) fn alarm(alarm: &Alarm) -> String {
    let (seq, at) = (alarm.seq, alarm.raised_at.chinese());
    match alarm.kind.as_str() {
        "fork" => format!("[警报 分叉 fork: 第{seq}条起有两种记录，终端被复制或恢复，{at}]"),
        "rollback" => format!("[警报 回退 rollback: 终端见过{seq}条的日志，总部较旧，{at}]"),
        "healed" => format!("[警报 补回 healed: 第{seq}条曾在总部丢失，{at}]"),
        other => format!("[警报 {other} {seq} {at}]"),
    }
}

pub(crate) fn day(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    let on = args.parsed("date")?;
    let report = open(&mut args)?.day(device, on)?;
    let text = describe(&report)?;
    if report.complete {
        return Ok(text);
    }
    say(&text);
    Err(anyhow!("the day is not proven whole"))
}

fn runs(runs: &[SeqRun]) -> String {
    let one = |run: &SeqRun| match run.count {
        1 => run.first.to_string(),
        _ => format!("{}-{}", run.first, run.last()),
    };
    runs.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn describe(report: &DayReport) -> Result<String> {
    let mut text = format!("{} {}\n", report.device, report.on);
    let (first, last, records) = (report.first_seq, report.last_seq, report.records);
    writeln!(text, "总部已存当日记录 {records} 条（第{first}至{last}条） / records held")?;
    match &report.statement {
        Some(stated) => {
            let at = stated.stated_at.chinese();
            writeln!(text, "终端声明：至第{}条，{at} / stated by the device", stated.last_seq)?;
            if let Some(by) = stated.brought_by {
                writeln!(text, "声明由终端 {by} 代为送达 / statement brought by another device")?;
            }
            if !report.head_matches {
                writeln!(text, "声明的末条记录与总部不符或未收到 / stated head not held")?;
            }
            if (stated.blobs, stated.blob_bytes) != (report.blobs, report.blob_bytes) {
                writeln!(
                    text,
                    "声明文件 {} 个 {} 字节，总部记录引用 {} 个 {} 字节 / files differ",
                    stated.blobs, stated.blob_bytes, report.blobs, report.blob_bytes
                )?;
            }
        }
        None => writeln!(text, "未收到终端的收工声明，无法证明当日记录齐全 / no statement")?,
    }
    if report.missing_records > 0 {
        let missing = runs(&report.missing);
        writeln!(text, "缺记录 {} 条：{missing} / records missing", report.missing_records)?;
    }
    if report.missing_blob_count > 0 {
        writeln!(text, "缺文件 {} 个 / files missing", report.missing_blob_count)?;
        for blob in &report.missing_blobs {
            writeln!(text, "  第{}条 {} {} 字节", blob.seq, blob.sha256, blob.bytes)?;
        }
    }
    if report.complete {
        writeln!(text, "当日记录和文件齐全 / complete")?;
    }
    Ok(text)
}

pub(crate) fn audit(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    Ok(format!("feed item {}", open(&mut args)?.order_audit(device)?))
}

pub(crate) fn reviews(mut args: Args) -> Result<String> {
    let mut text = String::new();
    for case in open(&mut args)?.cases_in_review()? {
        writeln!(text, "{case}  疑似重复处罚，请核查 / possible double penalty")?;
    }
    Ok(text)
}

/// Says of each `--slip` where its record stands; fails if one is missing, replaced or of another log,
/// or if two of them contradict each other.
pub(crate) fn slip(mut args: Args) -> Result<String> {
    let texts = args.all("slip");
    if texts.is_empty() {
        return Err(anyhow!("--slip is missing: give the address or the digits of the code"));
    }
    let hq = open(&mut args)?;
    let (mut text, mut wrong, mut reports) = (String::new(), false, Vec::new());
    for given in &texts {
        let report = hq.slip(given)?.map_err(|error| anyhow!("不是本平台终端的凭据：{error}"))?;
        wrong |= tell_slip(&report, &mut text)?;
        reports.push(report);
    }
    for (at, one) in reports.iter().enumerate() {
        let rest = reports.iter().skip(at.saturating_add(1));
        for two in rest.filter(|two| one.opened.slip.contradicts(&two.opened.slip)) {
            let (one, two) = (&one.opened, &two.opened);
            let at = (one.slip.seq, &two.device.name, two.slip.seq);
            writeln!(
                text,
                "{} 第{}条与 {} 第{}条的凭据互相矛盾：日志有两个版本 / the slips prove two logs",
                one.device.name, at.0, at.1, at.2
            )?;
            wrong = true;
        }
    }
    if !wrong {
        return Ok(text);
    }
    say(&text);
    Err(anyhow!("a promise does not hold"))
}

/// Returns whether something is wrong with it.
fn tell_slip(report: &SlipReport, text: &mut String) -> Result<bool> {
    let (device, slip) = (&report.opened.device, &report.opened.slip);
    let promised = format!("{} 第{}条 {}", device.name, slip.seq, slip.at.chinese());
    match &report.standing {
        Standing::Logged(place) => writeln!(
            text,
            "{promised}：已入日志第 {} 位，自 {} / in the log",
            place.index,
            place.since.chinese()
        )?,
        Standing::Awaited => writeln!(text, "{promised}：尚未收到，未到期 / not here, not due")?,
        Standing::Missing => writeln!(text, "{promised}：已承诺，未入日志 / promised, missing")?,
        Standing::Replaced(other) => {
            writeln!(text, "{promised}：该位置是另一条记录 {other} / another record is there")?;
        }
    }
    if !report.same_log {
        writeln!(text, "凭据所载日志状态不在本日志中 / the slip saw another log")?;
    }
    let stands = matches!(report.standing, Standing::Logged(_) | Standing::Awaited);
    Ok(!(stands && report.same_log))
}
