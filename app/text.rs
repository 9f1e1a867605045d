//! The Chinese sentence for every error: what happened, and what to do next.
//!
//! The only Chinese in Rust that is not law, record or test data; pages have their own.

use sync_core::store::{ChainStop, StopKind};
use sync_core::{StoreError, SyncError};
use sync_model::rule::Finding;
use sync_model::wire::problem::ProblemCode;

use crate::error::{AppError, Input, Step};
use crate::evidence::photo::{PhotoError, PhotoProblem};
use crate::partner_copy;

/// Returns what to tell the officer.
#[must_use]
pub fn explain(error: &AppError) -> String {
    match error {
        AppError::Store(error) => store(error),
        AppError::Sync(error) => sync(error),
        AppError::Blocked(findings) => findings_text(findings),
        AppError::NeedsReason(findings) => {
            format!("请填写继续的理由：{}", findings_text(findings))
        }
        AppError::Photo(error) => photo(error),
        AppError::Camera(_) => "相机没有响应，请检查相机后重拍，或者从文件导入。".to_owned(),
        AppError::WrongPin { failures, wait_ms } => wrong_pin(*failures, *wait_ms),
        AppError::PinLocked { wait_ms } => pin_locked(*wait_ms),
        AppError::WeakPin => {
            "口令太简单：请用 6 至 12 位数字，不要连号、重复号或者证件号。".to_owned()
        }
        AppError::Copy(error) => partner_copy::words::explain(error).to_owned(),
        AppError::NoPartner { calling: 0 } => "没有找到等待中的搭档：请搭档先点“等待搭档”，两台终端连接同一网络后再试；仍找不到，请输入搭档屏幕上的地址。".to_owned(),
        AppError::NoPartner { calling } => {
            format!("附近有 {calling} 台终端在等待，请输入搭档屏幕上的地址。")
        }
        AppError::NotActivated => "该执法人员尚未在本机开通，请联网用激活码开通。".to_owned(),
        AppError::NoShift => "请执法人员本人解锁，并点“开始值班”。".to_owned(),
        AppError::NoRulebook => "本机还没有规则库，请联网同步一次。".to_owned(),
        AppError::NoNumbers { authority, year } => {
            format!("{authority} {year} 年的文号已用完，请联网同步领取；不影响取证和制作笔录。")
        }
        AppError::NotFound(what) => format!("找不到所需内容（{what}），请返回后重新打开。"),
        AppError::Order(step) => order(*step).to_owned(),
        AppError::Input(input) => self::input(*input),
        AppError::PageChanged => "页面内容已经变化，请重新核对后再签名。".to_owned(),
        AppError::Cose(_) => "签名失败，请重新解锁后再试；已保存的内容不受影响。".to_owned(),
        AppError::Bundle(error) => format!("案卷核验未通过：{error}"),
        AppError::Practice(_) => "演练总部没有启动，请重新进入演练。".to_owned(),
        AppError::Io { .. } => "读写文件失败，请检查存储后再试。".to_owned(),
    }
}

fn store(error: &StoreError) -> String {
    match error {
        StoreError::DiskFull { .. } => {
            "存储空间已满：本次没有保存任何内容，已有记录完好。请同步后清理空间再试。".to_owned()
        }
        StoreError::Sqlite(inner) if sync_core::error::is_full(inner) => {
            "存储空间已满：本次没有保存任何内容，已有记录完好。请同步后清理空间再试。".to_owned()
        }
        StoreError::InUse(_) => "巡证已经在运行，请切换到已打开的窗口。".to_owned(),
        StoreError::Newer { found, known } => format!(
            "数据由更新版本的巡证写入（{found}＞{known}）。请升级程序后打开；数据没有改动。"
        ),
        StoreError::Corrupt { .. } => {
            "数据库损坏，已另存副本，没有删除任何内容。请停止使用本机并联系总部。".to_owned()
        }
        StoreError::HashMismatch { what } => {
            format!("保存的内容与当时不一致（{what}）。请停止使用本机并联系总部。")
        }
        StoreError::MissingBlob(_) => {
            "有附件文件不见了。请停止使用本机并联系总部，其余记录完好。".to_owned()
        }
        StoreError::ChainStopped(stop) => chain_stopped(*stop),
        StoreError::NotEnrolled => "本机尚未开通，请输入总部地址和开通码。".to_owned(),
        StoreError::Locked => {
            "开机后还没有人解锁，数据处于加密状态。请由本机执法人员输入口令。".to_owned()
        }
        StoreError::EasierSlot => {
            "口令保护被改弱，已停止打开。请停止使用本机并联系总部，没有删除任何内容。".to_owned()
        }
        StoreError::BadStored(what) => {
            format!("保存的内容无法读取（{what}）。请联系总部，没有删除任何内容。")
        }
        StoreError::Sqlite(_)
        | StoreError::Io { .. }
        | StoreError::Record(_)
        | StoreError::Cose(_) => "程序出现意外，本次没有保存。请返回后再试一次。".to_owned(),
    }
}

fn sync(error: &SyncError) -> String {
    match error {
        SyncError::Unreachable(_) => "暂时连不上总部，记录都在本机，联网后自动上报。".to_owned(),
        SyncError::Untrusted(_) => {
            "对方的证书没有通过核验，不能确认是总部，没有发送任何内容。请核对总部地址，\
             或换一个网络再试；仍然如此，请向总部领取证书文件 hq-ca.pem。"
                .to_owned()
        }
        SyncError::Garbage(_) => {
            "总部的回答无法识别，记录都在本机，稍后再试；多次出现请联系总部。".to_owned()
        }
        SyncError::BadProof(_) => {
            "总部的回执没有通过核验，不算已上报。请联系总部，并保留本机。".to_owned()
        }
        SyncError::Problem(problem) => match problem.code {
            ProblemCode::BadCode => "开通码或激活码不对、已用过或已过期，请向总部重新领取。",
            ProblemCode::NotAuthentic => "总部不认识本机，请联系总部核对开通情况。",
            ProblemCode::Revoked => "总部已停用本机，请联系总部；本机记录仍然保留。",
            ProblemCode::Fork => {
                "总部已有同一编号的另一条记录，本机可能被复制过。请停用并联系总部。"
            }
            ProblemCode::Full | ProblemCode::Busy | ProblemCode::Internal => {
                "总部暂时忙，记录都在本机，稍后自动再试。"
            }
            ProblemCode::TooOld => {
                "本机程序太旧，收不到总部的任务和规则；记录照常上报。请联系总部更新程序。"
            }
            _ => "总部没有收下，已列入“退回”，其余继续上报。",
        }
        .to_owned(),
        SyncError::Stopped(stop) => chain_stopped(*stop),
        SyncError::Store(error) => store(error),
    }
}

fn chain_stopped(stop: ChainStop) -> String {
    match stop.kind {
        StopKind::Copied => format!(
            "本机第 {} 条起的记录与总部不一致，本机可能被复制过：记录继续保存在本机，不再上报，\
             文件照常上报。请停用本机并联系总部。",
            stop.seq
        ),
        StopKind::Restored => format!(
            "总部存有本机没有的记录（第 {} 条起），本机可能由备份恢复。为免记录冲突已停止记录，\
             已有记录不受影响。请改用搭档的终端，并联系总部重新开通本机。",
            stop.seq
        ),
    }
}

fn photo(error: &PhotoError) -> String {
    match error {
        PhotoError::Empty => "文件是空的（0 字节），没有导入。请重拍或者另选文件。".to_owned(),
        PhotoError::NotAnImage { .. } => {
            "不是照片（只认 JPEG 和 PNG），没有导入，原文件未改动。".to_owned()
        }
    }
}

/// Returns what to tell about a photograph that was kept with a fault.
#[must_use]
pub fn photo_problem(problem: &PhotoProblem) -> String {
    match problem {
        PhotoProblem::Truncated => "照片不完整，原件已保存，建议重拍".to_owned(),
        PhotoProblem::Undecodable => "照片打不开，原件已保存，建议重拍".to_owned(),
        PhotoProblem::TooLargeToPreview => "照片过大，原件已保存，不生成预览".to_owned(),
        PhotoProblem::BrokenExif => "照片的拍摄信息有误，原样保存".to_owned(),
        PhotoProblem::MissingGlyphs(_) => "水印中有生僻字以方框代替，记录中的文字完整".to_owned(),
    }
}

fn wrong_pin(failures: u32, wait_ms: u64) -> String {
    if wait_ms == 0 {
        format!("口令不对，已错 {failures} 次；连错 5 次将暂时锁定。")
    } else {
        format!("口令不对，已错 {failures} 次。{}", pin_locked(wait_ms))
    }
}

fn pin_locked(wait_ms: u64) -> String {
    if wait_ms == u64::MAX {
        return "口令已锁定，请联系总部解锁；本机记录不受影响。".to_owned();
    }
    let seconds = wait_ms.div_ceil(1000);
    if seconds < 60 {
        format!("请 {seconds} 秒后再试。")
    } else {
        format!("请 {} 分钟后再试。", seconds.div_ceil(60))
    }
}

fn order(step: Step) -> &'static str {
    match step {
        Step::Display => "请先亮证。",
        Step::Notice => "请先告知权利义务并询问是否申请回避。",
        Step::Prepare => "请先生成笔录页面。",
        Step::ReadBack => "请先交当事人阅读，或者向其宣读。",
        Step::Signatures => "请先签名，或者记明拒签。",
        Step::PriorNotice => "请先告知拟处罚的事实、理由、依据和权利。",
        Step::Defense => "请先听取陈述、申辩，或者记明放弃。",
        Step::Decision => "请先出具决定书。",
        Step::Concluded => "本次检查已经结束。补充情况请另作笔录或者情况说明。",
        Step::Locked => "已经定稿，不能再改。更正请另行制作。",
    }
}

fn input(input: Input) -> String {
    match input {
        Input::SignatureTooShort => "签名笔画太少，请重新签。".to_owned(),
        Input::SignatureElsewhere => "签名不是签在这一页上的，请在本页重签。".to_owned(),
        Input::Empty(what) => format!("请填写{what}。"),
        Input::Amount => "金额不对：应当大于零，并且不得因陈述、申辩而加重。".to_owned(),
        Input::Name => "姓名应为 1 至 60 个字，不含换行等控制字符。".to_owned(),
        Input::ShownTooShort => "证件须展示 3 秒以上，让当事人看清。".to_owned(),
        Input::SameOfficer => "询问人和记录人不能是同一人。".to_owned(),
        Input::CopyCode => "请输入搭档屏幕上的六位数字。".to_owned(),
        Input::Address => "地址不对，请照搭档屏幕上的地址输入，例如 192.168.43.1。".to_owned(),
    }
}

/// Returns the name of a kind of act, as lists show it.
#[must_use]
pub fn act(kind: &str) -> &'static str {
    match kind {
        "shift_begun" => "值班开始",
        "shift_ended" => "值班结束",
        "day_closed" => "当日清点",
        "clock_stated" => "时钟说明",
        "assignment_accepted" => "接收任务",
        "inspection_begun" => "检查开始",
        "credential_displayed" => "亮证",
        "notice_given" => "告知",
        "checklist_answered" => "检查表",
        "inspection_concluded" => "检查结束",
        "evidence_captured" => "取证",
        "evidence_excluded" => "证据排除",
        "lead_recorded" => "线索",
        "transcript_prepared" => "笔录",
        "transcript_read_back" => "笔录核对",
        "page_signed" => "签名",
        "signature_refused" => "拒签",
        "transcript_locked" => "笔录定稿",
        "case_filed" => "当场立案",
        "prior_notice_given" => "处罚前告知",
        "defense_heard" => "陈述申辩",
        "number_reserved" => "取用文号",
        "number_voided" => "文号作废",
        "decision_issued" => "当场处罚决定",
        "document_delivered" => "送达",
        _ => "其他记录",
    }
}

/// Returns the sentences of findings with the articles they rest on.
#[must_use]
pub fn findings_text(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| format!("{}（{}）", finding.message, finding.basis))
        .collect::<Vec<_>>()
        .join("；")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_pin_says_how_long() {
        assert!(explain(&AppError::PinLocked { wait_ms: 29_500 }).contains("30 秒"));
        assert!(explain(&AppError::PinLocked { wait_ms: 61_000 }).contains("2 分钟"));
        assert!(explain(&AppError::PinLocked { wait_ms: u64::MAX }).contains("联系总部"));
    }
}
