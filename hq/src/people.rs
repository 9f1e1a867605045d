//! Commands about people: whose certificates are in force, who may read at HQ, and who read what.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use sync_model::credential::CertificateStatus;

use hq::{NewAccount, Role};

use crate::args::Args;
use crate::command::open;

pub(crate) const USAGE: &str = "
  xunzheng-hq officers --data DIR                   列出执法人员与证件状态 / list officers
  xunzheng-hq certificate --data DIR --number CERTNO --status active|suspended|cancelled|lost
                                                    恢复、暂扣、注销、挂失 / tell every device and phone
  xunzheng-hq account --data DIR [--name NAME --role officer|leader|reviewer|supervisor|administrator
    [--officer CERTNO] [--authority ID]]            列出、新建账号或重设密码 / list, or make and print password
  xunzheng-hq account --data DIR --disable NAME     停用账号 / nobody logs in with it any more
  xunzheng-hq reads --data DIR                      查阅记录，链断则报错 / who read what, exit 1 if damaged
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

pub(crate) fn account(mut args: Args) -> Result<String> {
    let (name, role) = (args.optional("name")?, args.optional("role")?);
    let (authority, number) = (args.optional("authority")?, args.optional("officer")?);
    let disabled = args.optional("disable")?;
    let hq = open(&mut args)?;
    if let Some(name) = disabled {
        hq.disable_account(&name)?;
        return Ok(format!("{name} 已停用 / disabled"));
    }
    let (Some(name), Some(role)) = (name, role) else {
        let mut text = String::new();
        for one in hq.accounts()? {
            let state = if one.enabled { "启用" } else { "停用" };
            let authority = one.authority.unwrap_or_default();
            writeln!(text, "{} {} {state} {authority}", one.name, one.role)?;
        }
        return Ok(text);
    };
    let role = Role::of_name(&role).ok_or_else(|| {
        anyhow!("--role officer, leader, reviewer, supervisor or administrator, not {role:?}")
    })?;
    let new = NewAccount { name, role, authority, certificate_number: number };
    Ok(format!("{}  {}", new.name, hq.put_account(&new)?))
}

pub(crate) fn reads(mut args: Args) -> Result<String> {
    let hq = open(&mut args)?;
    let mut text = String::new();
    let count = hq.check_reads(|read| {
        let (at, account, role) = (read.at.chinese(), &read.account, &read.role);
        text.push_str(&format!(
            "{} {at} {account}（{role}） {}：{}\n",
            read.seq, read.what, read.purpose
        ));
    })?;
    writeln!(text, "{count} 条，链完整 / chain whole\n{}", hq.reads_head()?)?;
    Ok(text)
}
