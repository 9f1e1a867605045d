//! What officers read of a copy with the partner.

use sync_core::partner::{Copied, CopyError};
use sync_model::wire::partner::Refusal;

/// Returns what a copy with the partner achieved.
#[must_use]
pub fn copied(copied: &Copied) -> String {
    format!(
        "交给搭档 {} 条记录，收到 {} 条记录、{} 个小文件",
        copied.sent, copied.received, copied.files
    )
}

/// Returns what went wrong between two devices, and what to do.
#[must_use]
pub fn explain(error: &CopyError) -> &'static str {
    match error {
        CopyError::Link(_) | CopyError::Tls(_) => {
            "与搭档终端的连接断开，已收到的不丢，请靠近后再连一次。"
        }
        CopyError::Refused(refusal) | CopyError::Refuses(refusal) => match refusal {
            Refusal::WrongCode => "验证码不对，请看搭档屏幕重新输入。",
            Refusal::UnknownDevice => "对方不是本总部开通的终端，没有互存。",
            Refusal::OtherAuthority => "对方属于其他单位，记录只能经总部共享。",
            Refusal::OtherVisit => "两台终端不在同一次检查，没有互存。",
            Refusal::BadRecord => "对方的记录签名不符，没有接收，请联系总部。",
            Refusal::Malformed | Refusal::NotKept => "互存没有完成，请再试一次。",
        },
        CopyError::Malformed => "对方终端的程序不一致，没有互存，请更新后再试。",
        CopyError::Nobody => "没有搭档用正确的验证码连接，请重新开始。",
        CopyError::Store(_) => "本机保存失败，请检查存储后再试。",
    }
}
