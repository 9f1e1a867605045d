//! The command for a partner's copy: one device listens and shows six digits, the other connects.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use sync_core::partner::{Copied, CopyError, Listener, connect};
use sync_model::id::InspectionId;
use sync_model::wire::partner::Refusal;
use xunzheng::settings::Arguments;
use xunzheng::text;

use crate::command::{Done, only, services};

/// How long a listener waits for its partner.
const WAIT: Duration = Duration::from_secs(180);

pub(crate) fn copy(arguments: &Arguments) -> Done {
    only(arguments, &["data", "listen", "to", "code", "visit"])?;
    let services = services(&arguments.data_folder())
        .map_err(|error| anyhow::anyhow!(text::explain(&error)))?;
    let copied = match (arguments.option("listen"), arguments.option("to")) {
        (Some(address), None) => {
            let visit = arguments.option("visit").context("请用 --visit 给出检查编号。")?;
            let visit = InspectionId(visit.parse().context("--visit 不是检查编号。")?);
            let address: SocketAddr = address.parse().context("--listen 的格式是 地址:端口")?;
            let listener = Listener::bind(address, visit)?;
            println!("等待搭档连接 {}，验证码 {}", listener.address()?, listener.code());
            listener.copy(&services.store, WAIT)
        }
        (None, Some(address)) => {
            let code =
                arguments.option("code").context("请用 --code 输入搭档屏幕上的六位数字。")?;
            let address: SocketAddr = address.parse().context("--to 的格式是 地址:端口")?;
            connect(&services.store, address, code, None)
        }
        _ => anyhow::bail!("请用 --listen 等待搭档，或者用 --to 连接搭档。"),
    };
    match copied {
        Ok(Copied { sent, received, files, .. }) => {
            println!("已互存：交给搭档 {sent} 条记录，收到 {received} 条记录、{files} 个小文件。");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{}", explain(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn explain(error: &CopyError) -> &'static str {
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
