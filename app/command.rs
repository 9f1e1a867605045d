//! The commands, over the same features that the pages call.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use sync_core::bundle::{self, BundleError, Verified};
use sync_core::clock::{Clock, SystemClock};
use sync_core::disk::RealDisk;
use sync_core::key::Hardness;
use sync_core::sync::AUTHORITY_FILE;
use xunzheng::error::AppError;
use xunzheng::rehearse::{self, Codes, Event, OfficerCode, RehearseInput};
use xunzheng::services::Services;
use xunzheng::settings::Arguments;
use xunzheng::sync_status;
use xunzheng::sync_status::nightly::{self, EXIT_PARKED, EXIT_TRY_LATER, Means, Night};
use xunzheng::text;

pub(crate) type Done = anyhow::Result<ExitCode>;

pub(crate) fn only(arguments: &Arguments, known: &[&str]) -> anyhow::Result<()> {
    match arguments.unknown_option(known) {
        Some(option) => bail!("不认识选项 --{option}。运行 xunzheng help 查看用法。"),
        None => Ok(()),
    }
}

pub(crate) fn rehearse(arguments: &Arguments) -> Done {
    only(arguments, &["photos", "out", "hq", "hq-ca", "code", "officers", "json", "acks"])?;
    let photos = arguments.option("photos").context("请用 --photos 指定照片文件夹。")?;
    let out = arguments.option("out").context("请用 --out 指定输出文件夹。")?;
    let input = RehearseInput {
        photos: PathBuf::from(photos),
        out: PathBuf::from(out),
        hq: remote_hq(arguments)?,
    };
    if let Some(authority) = arguments.option("hq-ca") {
        let device = input.out.join("device");
        std::fs::create_dir_all(&device)?;
        std::fs::copy(authority, device.join(AUTHORITY_FILE))
            .context("无法读取 --hq-ca 指定的证书文件。")?;
    }
    let (json, acks) = (arguments.flag("json"), arguments.flag("acks"));
    let mut tell = |event: Event<'_>| match event {
        Event::Step(text) => println!("✓ {text}"),
        Event::Committed(seq, hash) if acks => println!("committed {seq} {hash}"),
        Event::Committed(..) => {}
    };
    match rehearse::rehearse(&input, &mut tell) {
        Ok(report) => {
            if json {
                println!("{}", serde_json::to_string(&report)?);
            }
            if report.holds() {
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!("演练没有全部成立，请看上面的数字。");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            eprintln!("演练中断：{}", text::explain(&error));
            tracing::warn!(%error, "rehearsal stopped");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Reads `--hq URL --code CODE --officers ID:CODE,ID:CODE`.
fn remote_hq(arguments: &Arguments) -> anyhow::Result<Option<(String, Codes)>> {
    let Some(hq) = arguments.option("hq") else { return Ok(None) };
    let device = arguments.option("code").context("请用 --code 给出总部发的开通码。")?;
    let officers = arguments
        .option("officers")
        .context("请用 --officers 编号:激活码,编号:激活码 给出两名执法人员。")?;
    let officers = officers
        .split(',')
        .map(|pair| {
            let (officer, code) =
                pair.split_once(':').context("--officers 的格式是 编号:激活码")?;
            Ok(OfficerCode {
                officer: sync_model::id::OfficerId(officer.trim().parse()?),
                code: code.to_owned(),
                pin: "275910".to_owned(),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Some((hq.to_owned(), Codes { device: device.to_owned(), officers })))
}

pub(crate) fn services(folder: &Path) -> Result<Services, AppError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Services::open(folder, clock, Arc::new(RealDisk), Hardness::DEVICE)
}

pub(crate) fn sync(arguments: &Arguments) -> Done {
    only(arguments, &["data", "json", "nightly"])?;
    let folder = arguments.data_folder();
    let ended = if arguments.flag("nightly") {
        let clock = SystemClock::new();
        let open = || services(&folder);
        let means = Means {
            folder: folder.clone(),
            clock: &clock,
            open: &open,
            sleep: &std::thread::sleep,
        };
        nightly::run(&means)
    } else {
        services(&folder).and_then(|services| {
            let done = sync_status::sync_now(&services, &mut |_| {})?;
            let parked = services.store.read(|r| r.outbox_counts())?.parked;
            Ok(Night::Done(done, parked))
        })
    };
    match ended {
        Ok(Night::Done(progress, parked)) => {
            if arguments.flag("json") {
                println!("{}", serde_json::to_string(&progress)?);
            } else {
                println!(
                    "已上报 {} 条记录、{} 个附件，收到 {} 条下发内容。",
                    progress.records, progress.blobs, progress.feed_items
                );
            }
            if parked > 0 {
                eprintln!("有 {parked} 项被退回，请打开巡证，在“同步”页查看原因。");
                return Ok(ExitCode::from(EXIT_PARKED));
            }
            Ok(ExitCode::SUCCESS)
        }
        Ok(Night::DoneBefore) => {
            println!("今夜已经同步完毕。");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Night::TryLater(why)) => {
            tracing::info!(why, "night ended without HQ");
            eprintln!("本夜没有连上总部，记录都在本机，下次自动再试。");
            Ok(ExitCode::from(EXIT_TRY_LATER))
        }
        Ok(Night::Busy) => {
            eprintln!("巡证正在运行，由它自己同步。");
            Ok(ExitCode::from(EXIT_TRY_LATER))
        }
        Err(error) => {
            eprintln!("{}", text::explain(&error));
            Ok(ExitCode::from(nightly::exit_code(&error)))
        }
    }
}

pub(crate) fn verify(arguments: &Arguments) -> Done {
    only(arguments, &["json"])?;
    if arguments.words.is_empty() {
        bail!("请给出案卷文件夹：xunzheng verify 文件夹");
    }
    let mut all = true;
    for folder in &arguments.words {
        let verdict = bundle::verify(Path::new(folder));
        all &= verdict.is_ok();
        if arguments.flag("json") {
            println!("{}", verdict_json(&verdict)?);
        } else {
            say_verdict(&verdict);
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict_json(verdict: &Result<Verified, BundleError>) -> serde_json::Result<String> {
    Ok(match verdict {
        Ok(verified) => serde_json::to_string(verified)?,
        Err(error) => {
            serde_json::json!({ "item": error.item(), "error": error.to_string() }).to_string()
        }
    })
}

fn say_verdict(verdict: &Result<Verified, BundleError>) {
    match verdict {
        Ok(verified) => println!(
            "核验通过：{} 条记录，{} 条回执，{} 个附件，{} 个执法人员签名。\n总部公钥指纹 {}，请与执法主体公布的核对。",
            verified.records,
            verified.receipts,
            verified.blobs,
            verified.officer_signatures,
            verified.issuer_fingerprint
        ),
        Err(error) => eprintln!("核验未通过：{error}"),
    }
}

#[cfg(feature = "window")]
pub(crate) fn screenshots(arguments: &Arguments) -> Done {
    use xunzheng::ui::ThemeKind;
    only(arguments, &["out", "size", "theme", "scale", "only", "code"])?;
    let out = arguments.option("out").context("请用 --out 指定输出文件夹。")?;
    let size = arguments.option("size").unwrap_or("720x1280");
    let (width, height) = size
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .context("--size 的格式是 720x1280")?;
    let theme = match arguments.option("theme").unwrap_or("light") {
        "light" => ThemeKind::Day,
        "dark" => ThemeKind::Dark,
        "sun" => ThemeKind::Sun,
        _ => bail!("--theme 只能是 light、dark 或 sun"),
    };
    let scale: f32 =
        arguments.option("scale").unwrap_or("1.0").parse().context("--scale 是数字")?;
    let choice = xunzheng::screenshots::Choice {
        only: arguments.option("only"),
        code: arguments.option("code"),
    };
    let made = xunzheng::screenshots::run(Path::new(out), width, height, theme, scale, choice)?;
    if made.is_empty() {
        bail!("没有叫这个名字的页面：不带 --only 运行可列出全部。");
    }
    println!("已画 {} 个页面到 {out}", made.len());
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "window"))]
pub(crate) fn screenshots(_: &Arguments) -> Done {
    bail!("本程序编译时没有包含界面（window 特性）。")
}

#[cfg(feature = "window")]
pub(crate) fn window(arguments: &Arguments) -> Done {
    only(arguments, &["data", "practice"])?;
    match xunzheng::window::run(&arguments.data_folder(), arguments.flag("practice")) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            tracing::warn!(%error, "window stopped");
            eprintln!("{}", xunzheng::window::explain(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

#[cfg(not(feature = "window"))]
pub(crate) fn window(_: &Arguments) -> Done {
    bail!("本程序编译时没有包含界面（window 特性）。无界面可运行 xunzheng rehearse。")
}
