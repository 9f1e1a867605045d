//! The commands of upkeep: places, archive, witnesses, monitor, backup and restore.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use hq::{Config, Database, Hq, Place, SystemClock, follow};
use sync_model::log::witness::NamedKey;

use crate::args::Args;
use crate::command::{database, say};

pub(crate) const USAGE: &str = "
  xunzheng-hq serve … [--objects PLACE] [--archive PLACE]
                                                    文件与存档位置：目录或 s3://桶/前缀?endpoint=URL
                                                    / where files and archive lie: folder or bucket
  xunzheng-hq objects --data DIR [--moved yes] PLACE
                                                    设定文件位置 / set where files lie
  xunzheng-hq archive --data DIR [PLACE]            立即存档 / archive now
  xunzheng-hq sweep --data DIR [--days N]           清理未完成的上传 / remove abandoned uploads
  xunzheng-hq witness --data DIR [--of LOGKEY] [--by WITNESSKEY --url URL] [--quorum N]
                                                    见证他方日志，或请他方见证本日志
                                                    / cosign others' logs, be cosigned by others
  xunzheng-hq monitor --log URL --key LOGKEY --state FILE [--every SECONDS]
                                                    从外部监视日志，倒退或分叉即报警并以 2 退出
                                                    / follow a log, exit 2 if it goes back or forks
  xunzheng-hq backup --data DIR --to DIR            在线备份 / back up beside a running server
  xunzheng-hq restore --from DIR --data DIR [--archive PLACE]
                                                    恢复备份并补回存档 / restore, then replay the archive
";

fn open(data: &str, database: &Database) -> Result<Hq> {
    Ok(Hq::open_on(Path::new(data), database, Arc::new(SystemClock))?)
}

fn place(text: &str) -> Result<Place> {
    text.parse().with_context(|| format!("place {text}"))
}

fn key(text: &str) -> Result<NamedKey> {
    text.parse().with_context(|| format!("key {text}"))
}

/// Sets places that `serve` was given, before it opens the store.
pub(crate) fn places(config: &Config, objects: Option<&str>, archive: Option<&str>) -> Result<()> {
    if objects.is_none() && archive.is_none() {
        return Ok(());
    }
    let hq = Hq::open_or_init_on(&config.data, &config.database, Arc::new(SystemClock))?;
    if let Some(objects) = objects {
        hq.set_objects(&place(objects)?)?;
    }
    if let Some(archive) = archive {
        hq.set_archive(&place(archive)?)?;
    }
    Ok(())
}

pub(crate) fn objects(mut args: Args) -> Result<String> {
    let (data, database) = (args.required("data")?, database(&mut args)?);
    let moved = args.optional("moved")?;
    let place = place(&args.positional("place")?)?;
    args.finish()?;
    let hq = open(&data, &database)?;
    match moved.as_deref() {
        None => hq.set_objects(&place)?,
        Some("yes") => hq.moved_objects(&place)?,
        Some(other) => bail!("--moved takes yes, not {other:?}"),
    }
    Ok(format!("files lie at {place} from the next start on"))
}

pub(crate) fn archive(mut args: Args) -> Result<String> {
    let (data, database) = (args.required("data")?, database(&mut args)?);
    let given = args.positional("place").ok();
    args.finish()?;
    let hq = open(&data, &database)?;
    if let Some(given) = given {
        hq.set_archive(&place(&given)?)?;
    }
    let done = hq.archive()?;
    if done.failed > 0 {
        bail!("{} files could not be archived; see the log", done.failed);
    }
    Ok(format!("archived {} records, {} files", done.records, done.files))
}

pub(crate) fn sweep(mut args: Args) -> Result<String> {
    let (data, database) = (args.required("data")?, database(&mut args)?);
    let days = args.optional("days")?.map(|days| days.parse()).transpose().context("--days")?;
    args.finish()?;
    let swept = open(&data, &database)?.sweep(days.unwrap_or(hq::PART_DAYS))?;
    Ok(format!("{} uploads given up, {} objects removed", swept.uploads, swept.objects))
}

pub(crate) fn witness(mut args: Args) -> Result<String> {
    let (data, database) = (args.required("data")?, database(&mut args)?);
    let (of, by, urls) = (args.all("of"), args.all("by"), args.all("url"));
    let quorum = args.optional("quorum")?.map(|q| q.parse()).transpose().context("--quorum")?;
    args.finish()?;
    if by.len() != urls.len() {
        bail!("each --by WITNESSKEY takes one --url");
    }
    let hq = open(&data, &database)?;
    for log in &of {
        hq.watch_log(&key(log)?)?;
    }
    for (witness, url) in by.iter().zip(&urls) {
        hq.add_witness(&key(witness)?, url)?;
    }
    if let Some(quorum) = quorum {
        hq.set_witness_quorum(quorum)?;
    }
    let mut text = String::new();
    writeln!(text, "log {}", hq.log_named_key())?;
    writeln!(text, "witness {}", hq.witness_key())?;
    Ok(text)
}

/// Follows a log; the error of a log that lies is told apart by [`exit_code`].
pub(crate) fn monitor(mut args: Args) -> Result<String> {
    let (url, state) = (args.required("log")?, args.required("state")?);
    let log = key(&args.required("key")?)?;
    let every: Option<u64> =
        args.optional("every")?.map(|every| every.parse()).transpose().context("--every")?;
    args.finish()?;
    if !log.is_log() {
        return Err(anyhow!("--key takes the key of a log"));
    }
    loop {
        let followed = follow(&url, &log, Path::new(&state));
        let text = match followed {
            Ok(followed) => format!("ok {} {}", followed.size, followed.root),
            // What only cannot be reached is tried again; a log that lies never is.
            Err(error) if every.is_some() && !error.is_evidence() => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        let Some(every) = every else { return Ok(text) };
        say(&text);
        std::thread::sleep(Duration::from_secs(every.max(1)));
    }
}

/// Returns 2 for a log that went back or forked, so that a timer can tell it from a broken line.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    let evidence = error.downcast_ref::<hq::MonitorError>();
    if evidence.is_some_and(hq::MonitorError::is_evidence) { 2 } else { 1 }
}

pub(crate) fn backup(mut args: Args) -> Result<String> {
    let (data, to) = (args.required("data")?, args.required("to")?);
    let database = database(&mut args)?;
    args.finish()?;
    let done = open(&data, &database)?.backup(Path::new(&data), Path::new(&to))?;
    let mut text = format!(
        "backed up {} records, {} new files, {} files of before",
        done.records, done.files, done.files_kept
    );
    if let Some(bucket) = &done.bucket {
        write!(text, "; files lie at {bucket} and need a copy of their own")?;
    }
    Ok(text)
}

pub(crate) fn restore(mut args: Args) -> Result<String> {
    let (from, data) = (args.required("from")?, args.required("data")?);
    let archive = args.optional("archive")?.map(|text| place(&text)).transpose()?;
    args.finish()?;
    let clock = Arc::new(SystemClock);
    let (hq, backup, replayed) =
        Hq::restore(Path::new(&from), Path::new(&data), archive.as_ref(), clock)?;
    let report = hq.verify_log()?;
    Ok(format!(
        "restored {} records, {} more and {} files from the archive; log of {} leaves, root {}",
        backup.records, replayed.records, replayed.files, report.records, report.root
    ))
}
