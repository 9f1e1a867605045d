//! Children of this program: HQ and the device each run in a process of their own, so that memory
//! and processor time are theirs alone.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

/// Ticks a second in `/proc/PID/stat`, fixed by the kernel's interface on every architecture.
const TICKS_PER_S: f64 = 100.0;

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Most memory it ever held, in MB (`VmHWM`).
    pub(crate) peak_mb: f64,
    /// Processor time, user and system, in seconds.
    pub(crate) cpu_s: f64,
}

/// Returns what process `pid` used so far; `self` is this one.
pub(crate) fn usage(pid: &str) -> anyhow::Result<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak_kb: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .context("no VmHWM")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold spaces; the numbers follow it.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |place: usize| -> f64 {
        fields.get(place).and_then(|field| field.parse().ok()).unwrap_or(0.0)
    };
    Ok(Usage { peak_mb: peak_kb / 1024.0, cpu_s: (ticks(11) + ticks(12)) / TICKS_PER_S })
}

/// Returns the machine's load over the last minute, for the notes.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

/// A child that answers one line for each line it is given, and ends when its input ends.
pub(crate) struct Role {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Role {
    /// Starts this program again as `bench role-NAME ARGUMENTS`.
    pub(crate) fn start<S: AsRef<std::ffi::OsStr>>(
        name: &str,
        arguments: &[S],
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(format!("role-{name}"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("output of child")?);
        Ok(Self { child, input, output })
    }

    /// Reads the next line of the child.
    pub(crate) fn read(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("child ended: {}", self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }

    /// Gives the child a line and returns its answer.
    pub(crate) fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        let input = self.input.as_mut().context("child is closed")?;
        writeln!(input, "{line}")?;
        input.flush()?;
        self.read()
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        usage(&self.child.id().to_string())
    }

    /// Lets the child end and waits for it.
    pub(crate) fn finish(mut self) -> anyhow::Result<Usage> {
        let usage = self.usage()?;
        drop(self.input.take());
        let status = self.child.wait()?;
        if status.success() { Ok(usage) } else { bail!("child ended: {status}") }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // Input that ends lets it go; one that is lost already needs nothing.
        drop(self.input.take());
        self.child.wait().ok();
    }
}

/// Serves HQ on the folder until the input ends; the first line said is its address. `tls` gives it
/// an authority of its own; any other word names a PostgreSQL if the store is there.
pub(crate) fn hq(mut words: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let data = words.next().context("no folder")?;
    let mut config = hq::Config::new(data, "127.0.0.1:0".parse()?);
    for word in words {
        match word.as_str() {
            "tls" => config.tls = hq::Tls::Own(vec!["127.0.0.1".to_owned()]),
            url => config.database = hq::Database::postgres(url),
        }
    }
    let scheme = if config.tls == hq::Tls::None { "http" } else { "https" };
    let running = hq::serve(&config)?;
    let mut out = std::io::stdout();
    writeln!(out, "{scheme}://{}", running.address)?;
    out.flush()?;
    for line in std::io::stdin().lines() {
        line?;
    }
    running.shutdown();
    Ok(())
}

/// Returns the bytes of all files below `folder`.
pub(crate) fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { folder_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}
