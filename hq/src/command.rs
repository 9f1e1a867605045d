//! The commands: each reads its arguments, calls one function of the library, says what came of it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use chrono::Datelike as _;
use hq::{Config, Database, Hq, InitOptions, Lease, NewOfficer, SystemClock, Tls};
use sync_model::credential::OfficerKind;
use sync_model::id::DeviceId;
use sync_model::wire::policy::Allowance;

use crate::args::Args;
use crate::report;

/// Years a certificate is taken to be valid if the command does not say.
const VALID_YEARS: i64 = 5;
const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;

pub(crate) const USAGE: &str = "\
巡证 总部平台 — xunzheng-hq

用法 / usage:
  xunzheng-hq serve --data DIR --listen ADDR        运行；空目录自动初始化 / run, init an empty folder
    [--tls-cert FILE --tls-key FILE]                TLS 证书 / TLS with this certificate
    [--tls-name NAME …]                             自建 TLS 证书 / or by HQ's own authority (data/tls)
    [--metrics-listen ADDR]                         监控指标另设地址 / metrics on an address of its own
    [--gateway IP …] [--max-connections N] [--max-per-address N]
                                                    连接上限 / limits, gateways excepted
  xunzheng-hq init --data DIR                       初始化 / make keys and store
  xunzheng-hq import-rulebook --data DIR FILE.json  发布规则库 / issue a rulebook
  xunzheng-hq enroll --data DIR --authority ID --device NAME --officer \"NAME:CERTNO\" …
                                                    签发一次性代码 / print one-time codes
  xunzheng-hq devices --data DIR                    列出终端 / list devices
  xunzheng-hq assign --data DIR --device ID FILE.json
                                                    下发任务 / send an assignment
  xunzheng-hq lease --data DIR --device ID --authority ID --word WORD --count N [--year Y]
                                                    发放文号 / lease document numbers
  xunzheng-hq revoke --data DIR --device ID         注销终端 / withdraw a device
  xunzheng-hq readmit --device ID --data DIR        久未联网的终端重新准入 / after its certificate lapsed
  xunzheng-hq policy --data DIR [--metered records|previews|all] [--roaming …]
    [--metered-bytes-per-day N] [--retain-days N] [--nightly-start MINUTE] [--nightly-minutes N]
                                                    流量与保留规则 / what goes over which network
  xunzheng-hq practice --data DIR FILE.json         准备演练数据 / fill for practice
  xunzheng-hq day --data DIR --device ID --date YYYY-MM-DD
                                                    核对当日记录是否齐全 / is the day whole, exit 1 if not
  xunzheng-hq audit --data DIR --device ID          令终端与总部全链比对 / order a comparison of the chain
  xunzheng-hq reviews --data DIR                    列出待核查案件 / list cases to be looked at
  xunzheng-hq slip --data DIR --slip TEXT …         核验当事人凭据 / what became of slips, exit 1 if wrong
  xunzheng-hq verify-log --data DIR                 核验日志与文件 / check everything, exit 1 if wrong
  xunzheng-hq migrate --database URL [--grant ROLE] 以库主身份升级数据库并授权 / as the schema's owner

--database postgres://USER:PASSWORD@HOST/DB (or @FILE that holds it) uses PostgreSQL instead of the
file in DIR; every command takes it.
Logs go to stderr; XUNZHENG_LOG=debug shows more.
";

/// Prints to stdout; a closed pipe is nobody's loss.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout(), "{}", text.trim_end()).ok();
}

/// Prints to stderr.
pub(crate) fn complain(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}

pub(crate) fn open(args: &mut Args) -> Result<Hq> {
    let (data, database) = (args.required("data")?, database(args)?);
    args.finish()?;
    Ok(Hq::open_on(Path::new(&data), &database, Arc::new(SystemClock))?)
}

/// Takes `--database URL`, or `@FILE` for a file that holds the URL with its password.
pub(crate) fn database(args: &mut Args) -> Result<Database> {
    let Some(given) = args.optional("database")? else { return Ok(Database::Embedded) };
    let url = match given.strip_prefix('@') {
        Some(file) => read(file)?.trim().to_owned(),
        None => given,
    };
    Ok(Database::postgres(&url))
}

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("read {file}"))
}

pub(crate) fn device(args: &mut Args) -> Result<DeviceId> {
    Ok(DeviceId(args.parsed("device")?))
}

pub(crate) fn serve(mut args: Args) -> Result<String> {
    let mut config = Config::new(args.required("data")?, args.parsed("listen")?);
    config.database = database(&mut args)?;
    let (objects, archive) = (args.optional("objects")?, args.optional("archive")?);
    config.tls = tls(&mut args)?;
    if let Some(address) = args.optional("metrics-listen")? {
        config.metrics_listen = Some(address.parse().context("--metrics-listen ADDR:PORT")?);
    }
    for (name, limit) in [
        ("max-connections", &mut config.limits.connections),
        ("max-per-address", &mut config.limits.per_address),
    ] {
        if let Some(text) = args.optional(name)? {
            *limit = text.parse().with_context(|| format!("--{name} {text}"))?;
        }
    }
    for gateway in args.all("gateway") {
        config.limits.gateways.push(gateway.parse().context("--gateway takes an IP address")?);
    }
    args.finish()?;
    crate::upkeep::places(&config, objects.as_deref(), archive.as_deref())?;
    let running = hq::serve(&config)?;
    let scheme = if config.tls == Tls::None { "http" } else { "https" };
    say(&format!("{scheme}://{}", running.address));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(stop_signal())?;
    tracing::info!("stopping");
    running.shutdown();
    Ok(String::new())
}

/// Reads `--tls-cert F --tls-key F`, or `--tls-name NAME` (any number) for a certificate of HQ's own.
fn tls(args: &mut Args) -> Result<Tls> {
    let (certificate, key) = (args.optional("tls-cert")?, args.optional("tls-key")?);
    let names = args.all("tls-name");
    match (certificate, key) {
        (Some(certificate), Some(key)) if names.is_empty() => {
            Ok(Tls::Files { certificate: certificate.into(), key: key.into() })
        }
        (None, None) if names.is_empty() => Ok(Tls::None),
        (None, None) => Ok(Tls::Own(names)),
        _ => Err(anyhow!("TLS takes --tls-cert with --tls-key, or --tls-name alone")),
    }
}

/// Returns when the system or a person asks the server to stop.
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

pub(crate) fn init(mut args: Args) -> Result<String> {
    let (data, database) = (args.required("data")?, database(&mut args)?);
    args.finish()?;
    let (options, clock) = (InitOptions::default(), Arc::new(SystemClock));
    let hq = Hq::init_on(Path::new(&data), &database, &options, clock)?;
    Ok(format!("log {}", hq.trust().log_origin))
}

pub(crate) fn migrate(mut args: Args) -> Result<String> {
    let (database, role) = (database(&mut args)?, args.optional("grant")?);
    args.finish()?;
    database.migrate(role.as_deref())?;
    Ok("schema is the newest".to_owned())
}

pub(crate) fn import_rulebook(mut args: Args) -> Result<String> {
    let file = args.positional("rulebook file")?;
    let hq = open(&mut args)?;
    let rulebook = hq::practice::read_rulebook(&file, &read(&file)?)?;
    let hash = hq.import_rulebook(&rulebook)?;
    Ok(format!("rulebook version {} is {hash}", rulebook.version))
}

pub(crate) fn enroll(mut args: Args) -> Result<String> {
    let authority = args.required("authority")?;
    let device_name = args.required("device")?;
    let wanted = args.all("officer");
    let hq = open(&mut args)?;
    let rulebook = hq.newest_rulebook()?;
    let named = rulebook.as_ref().and_then(|rulebook| rulebook.authority(&authority));
    let authority_name = named.map(|authority| authority.name.clone()).ok_or_else(|| {
        anyhow!("no authority {authority:?} in the newest rulebook: run import-rulebook first")
    })?;
    let mut officers = Vec::with_capacity(wanted.len());
    for officer in &wanted {
        let (name, number) = officer
            .rsplit_once(':')
            .filter(|(name, number)| !name.trim().is_empty() && !number.trim().is_empty())
            .ok_or_else(|| anyhow!("--officer takes NAME:CERTNO, not {officer:?}"))?;
        officers.push(hq.add_officer(&NewOfficer {
            name: name.trim().to_owned(),
            kind: OfficerKind::Officer,
            certificate_number: number.trim().to_owned(),
            authority: authority.clone(),
            authority_name: authority_name.clone(),
            valid_from: hq.now(),
            valid_to: hq.now().plus_ms(VALID_YEARS * YEAR_MS),
        })?);
    }
    let codes = hq.issue_enrollment(&authority, &device_name, &officers)?;
    let mut text = format!("终端 {device_name}  {}\n", codes.enrollment);
    for activation in &codes.activations {
        let (name, number) = (&activation.name, &activation.certificate_number);
        writeln!(text, "{name} {number}  {}", activation.code)?;
    }
    writeln!(text, "有效至 {}", codes.expires_at.chinese())?;
    Ok(text)
}

pub(crate) fn assign(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    let file = args.positional("assignment file")?;
    let hq = open(&mut args)?;
    let assignment = serde_json::from_str(&read(&file)?).with_context(|| format!("read {file}"))?;
    Ok(format!("feed item {}", hq.assign(device, assignment)?))
}

pub(crate) fn lease(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    let (authority, word) = (args.required("authority")?, args.required("word")?);
    let count = args.parsed("count")?;
    let year = args.optional("year")?;
    let hq = open(&mut args)?;
    let year = match year {
        Some(year) => year.parse().with_context(|| format!("--year {year}"))?,
        None => hq.now().legal_date().year(),
    };
    let lease = hq.lease_numbers(device, &Lease { authority, word, year, count })?;
    Ok(format!("{}字〔{}〕 {} - {}", lease.word, lease.year, lease.first, lease.last))
}

pub(crate) fn devices(mut args: Args) -> Result<String> {
    let hq = open(&mut args)?;
    let mut text = String::new();
    let alarms = hq.alarms()?;
    for (device, name, authority) in hq.devices()? {
        let own = alarms.iter().filter(|alarm| alarm.device == device);
        let said: String = own.map(|alarm| format!("  {}", report::alarm(alarm))).collect();
        writeln!(text, "{device} {authority} {name}{said}")?;
    }
    Ok(text)
}

pub(crate) fn revoke(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    open(&mut args)?.revoke(device)?;
    Ok(format!("{device} revoked"))
}

pub(crate) fn readmit(mut args: Args) -> Result<String> {
    let device = device(&mut args)?;
    open(&mut args)?.readmit(device)?;
    Ok(format!("{device} readmitted"))
}

pub(crate) fn practice(mut args: Args) -> Result<String> {
    let file = args.positional("rulebook file")?;
    let hq = open(&mut args)?;
    let codes = hq::practice::seed(&hq, &read(&file)?)?;
    let mut text = format!("终端  {}\n", codes.enrollment_code);
    for officer in &codes.officers {
        writeln!(text, "{}  {}", officer.name, officer.code)?;
    }
    Ok(text)
}

pub(crate) fn verify_log(mut args: Args) -> Result<String> {
    let report = open(&mut args)?.verify_log()?;
    Ok(format!(
        "ok: {} records of {} devices, {} files, root {}",
        report.records, report.devices, report.blobs, report.root
    ))
}

pub(crate) fn policy(mut args: Args) -> Result<String> {
    let allowance = |given: Option<String>, present| match given.as_deref() {
        None => Ok(present),
        Some("records") => Ok(Allowance::Records),
        Some("previews") => Ok(Allowance::Previews),
        Some("all") => Ok(Allowance::All),
        Some(other) => Err(anyhow!("records, previews or all, not {other:?}")),
    };
    let (metered, roaming) = (args.optional("metered")?, args.optional("roaming")?);
    let names = ["metered-bytes-per-day", "retain-days", "nightly-start", "nightly-minutes"];
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        let given = args.optional(name)?.map(|text| text.parse::<u32>());
        numbers.push(given.transpose().with_context(|| format!("--{name}"))?);
    }
    let changes = metered.is_some() || roaming.is_some() || numbers.iter().any(Option::is_some);
    let hq = open(&mut args)?;
    let mut policy = hq.policy()?;
    if changes {
        policy.metered = allowance(metered, policy.metered)?;
        policy.roaming = allowance(roaming, policy.roaming)?;
        if let [bytes, days, start, minutes] = numbers.as_slice() {
            let bytes = bytes.map_or(policy.metered_bytes_per_day, u64::from);
            policy.metered_bytes_per_day = bytes;
            policy.retain_days = days.unwrap_or(policy.retain_days);
            policy.nightly_start_minute = start.unwrap_or(policy.nightly_start_minute);
            policy.nightly_window_minutes = minutes.unwrap_or(policy.nightly_window_minutes);
        }
        policy = hq.set_policy(policy)?;
    }
    Ok(serde_json::to_string(&policy)?)
}
