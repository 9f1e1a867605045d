//! Commands about people: whose certificates are in force.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use sync_model::credential::CertificateStatus;

use crate::args::Args;
use crate::command::open;

pub(crate) const USAGE: &str = "
  xunzheng-hq officers --data DIR                   列出执法人员与证件状态 / list officers
  xunzheng-hq certificate --data DIR --number CERTNO --status active|suspended|cancelled|lost
                                                    恢复、暂扣、注销、挂失 / tell every device and phone
";

pub(crate) fn officers(mut args: Args) -> Result<String> {
    let mut text = String::new();
    for one in open(&mut args)?.officers()? {
        writeln!(text, "{} {} {}", one.certificate_number, one.name, chinese(one.status))?;
    }
    Ok(text)
}

pub(crate) fn certificate(mut args: Args) -> Result<String> {
    let (number, wanted) = (args.required("number")?, args.required("status")?);
    let status = match wanted.as_str() {
        "active" => CertificateStatus::Active,
        "suspended" => CertificateStatus::Suspended,
        "cancelled" => CertificateStatus::Cancelled,
        "lost" => CertificateStatus::Lost,
        other => {
            return Err(anyhow!("--status active, suspended, cancelled or lost, not {other:?}"));
        }
    };
    open(&mut args)?.set_certificate_status(&number, status)?;
    Ok(format!("{number} {}", chinese(status)))
}

fn chinese(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::Active => "有效",
        CertificateStatus::Suspended => "已暂扣",
        CertificateStatus::Cancelled => "已注销",
        CertificateStatus::Lost => "已挂失",
    }
}
