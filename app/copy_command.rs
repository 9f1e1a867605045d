//! The command for a partner's copy: one device listens and shows six digits, the other connects.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use sync_model::id::InspectionId;
use xunzheng::partner_copy::{Wait, join, words};
use xunzheng::settings::Arguments;
use xunzheng::text;

use crate::command::{Done, only, services};

pub(crate) fn copy(arguments: &Arguments) -> Done {
    only(arguments, &["data", "listen", "to", "code", "visit"])?;
    let services = services(&arguments.data_folder())
        .map_err(|error| anyhow::anyhow!(text::explain(&error)))?;
    let copied = match (arguments.option("listen"), arguments.option("to")) {
        (Some(address), None) => {
            let visit = arguments.option("visit").context("请用 --visit 给出检查编号。")?;
            let visit = InspectionId(visit.parse().context("--visit 不是检查编号。")?);
            let address: SocketAddr = address.parse().context("--listen 的格式是 地址:端口")?;
            let wait = Wait::begin(visit, Some(address))
                .map_err(|error| anyhow::anyhow!(text::explain(&error)))?;
            for address in wait.addresses() {
                println!("等待搭档连接 {address}，验证码 {}", wait.code());
            }
            wait.copy(&services, &|| false)
        }
        (None, Some(address)) => {
            let code =
                arguments.option("code").context("请用 --code 输入搭档屏幕上的六位数字。")?;
            join(&services, code, address)
        }
        _ => anyhow::bail!("请用 --listen 等待搭档，或者用 --to 连接搭档。"),
    };
    match copied {
        Ok(copied) => {
            println!("已互存：{}。", words::copied(&copied));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{}", text::explain(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}
