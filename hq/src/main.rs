//! `xunzheng-hq`: serves HQ and administers its data folder, also beside a running server.
#![forbid(unsafe_code)]

mod args;
mod command;
mod people;
mod report;
mod upkeep;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use tracing_subscriber::EnvFilter;

use args::Args;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("XUNZHENG_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(std::env::args().skip(1)) {
        Ok(text) => {
            command::say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            command::complain(&format!("xunzheng-hq: {error:#}"));
            ExitCode::from(upkeep::exit_code(&error))
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<String> {
    let Some(name) = arguments.next() else { return Ok(usage()) };
    let args = Args::parse(arguments);
    match name.as_str() {
        "help" | "--help" | "-h" => Ok(usage()),
        "serve" => command::serve(args?),
        "init" => command::init(args?),
        "migrate" => command::migrate(args?),
        "enroll" => command::enroll(args?),
        "import-rulebook" => command::import_rulebook(args?),
        "assign" => command::assign(args?),
        "lease" => command::lease(args?),
        "devices" => command::devices(args?),
        "revoke" => command::revoke(args?),
        "readmit" => command::readmit(args?),
        "account" => people::account(args?),
        "reads" => people::reads(args?),
        "officers" => people::officers(args?),
        "certificate" => people::certificate(args?),
        "day" => report::day(args?),
        "audit" => report::audit(args?),
        "reviews" => report::reviews(args?),
        "slip" => report::slip(args?),
        "policy" => command::policy(args?),
        "practice" => command::practice(args?),
        "verify-log" => command::verify_log(args?),
        "objects" => upkeep::objects(args?),
        "archive" => upkeep::archive(args?),
        "sweep" => upkeep::sweep(args?),
        "witness" => upkeep::witness(args?),
        "monitor" => upkeep::monitor(args?),
        "backup" => upkeep::backup(args?),
        "restore" => upkeep::restore(args?),
        other => Err(anyhow!("no command {other:?}\n\n{}", usage())),
    }
}

fn usage() -> String {
    format!("{}{}{}", command::USAGE, people::USAGE, upkeep::USAGE)
}
