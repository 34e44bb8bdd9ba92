//! A server in a process of its own, so that its processor time and memory can be told from the generator's.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// Password of the administrator of the server under test, which is on loopback and in a temporary folder.
pub(super) const PASSWORD: &str = "benchmark";

/// A child process that listens.
pub(super) struct Process {
    child: Child,
    /// The line it printed when it was ready.
    pub(super) ready: serde_json::Value,
}

impl Process {
    /// `muster serve` on a folder.
    pub(super) fn server(data: &Path) -> anyhow::Result<Self> {
        Self::server_with(data, None)
    }

    /// As [`Process::server`], with a configuration file.
    pub(super) fn server_with(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let any = "127.0.0.1:0";
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--ready-json", "--log", "warn", "--north", any, "--south", any, "--admin", any]);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command.arg("--data").arg(data).env("MUSTER_ADMIN_PASSWORD", PASSWORD);
        Self::start(command)
    }

    /// A server on the same stack that answers every request with octets of a given length.
    pub(super) fn echo(first: usize, second: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "echo", &first.to_string(), &second.to_string()]);
        Self::start(command)
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("the server did not start: {line:?}"))?;
        Ok(Self { child, ready })
    }

    /// An address of the line it printed.
    pub(super) fn address(&self, name: &str) -> anyhow::Result<std::net::SocketAddr> {
        let url = self.ready.get(name).and_then(serde_json::Value::as_str).context("no such address")?;
        url.trim_start_matches("http://").parse().context("not an address")
    }

    /// Processor time used so far, in microseconds.
    pub(super) fn cpu_us(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name in brackets may hold blanks; the times are the 12th and 13th fields after it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
        // Linux counts in hundredths of a second on every architecture that this runs on.
        ticks * 10_000
    }

    /// Resident memory now, in MiB.
    pub(super) fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok());
        kib.unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only this child, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
