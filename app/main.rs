//! Arguments → command. The only place with `anyhow`, standard output and exit codes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

mod command;
mod copy_command;

use std::process::ExitCode;

use xunzheng::settings::Arguments;

const USAGE: &str = "\
巡证 xunzheng

  xunzheng                         打开执法终端界面
  xunzheng rehearse --photos 文件夹 --out 文件夹 [--hq 网址 --code 开通码
                    --officers 编号:激活码,编号:激活码] [--json]
                                   无界面走完一整天，逐步打印；全部成立时退出码为 0
  xunzheng sync [--data 文件夹] [--nightly]
                                   与总部同步一次；--nightly 按本机的时刻在夜间做完
  xunzheng copy --listen 地址:端口 --visit 检查编号 | --to 地址:端口 --code 六位数字
                                   与搭档的终端互存记录（不经总部；丢一台不丢当日记录）
  xunzheng verify 案卷文件夹        离线核验导出的案卷
  xunzheng screenshots --out 文件夹 [--size 720x1280] [--theme light|dark|sun] [--scale 1.0]
                                   把每个页面画成 PNG，不需要显示器

数据文件夹：--data，或环境变量 XUNZHENG_DATA，默认 ~/.local/share/xunzheng
";

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(option) => {
            eprintln!("选项 --{option} 后面缺少内容。\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let outcome = match arguments.command.as_str() {
        "" => command::window(&arguments),
        "rehearse" => command::rehearse(&arguments),
        "sync" => command::sync(&arguments),
        "copy" => copy_command::copy(&arguments),
        "verify" => command::verify(&arguments),
        "screenshots" => command::screenshots(&arguments),
        "help" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => {
            eprintln!("没有 {unknown} 这个命令。\n\n{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
