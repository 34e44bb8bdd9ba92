//! A SOAP server that others wrote: node with the package `soap`, where both are installed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

/// Where the server's file and its packages are, seen from the folder of the sources.
const FOLDER: &str = "interop/node";

/// A peer at work; ended when dropped.
pub(super) struct Peer {
    child: Child,
    pub(super) name: String,
    pub(super) address: SocketAddr,
}

impl Peer {
    /// Starts it.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn start() -> anyhow::Result<Self> {
        let folder = Path::new(FOLDER);
        ensure!(
            folder.join("peer.mjs").exists(),
            "there is no {FOLDER}/peer.mjs here; run it in the folder of the sources"
        );
        let installed = folder.join("node_modules/soap").exists();
        ensure!(installed, "the package soap is not installed in {FOLDER} (cargo xtask test installs it)");
        let mut child = Command::new("node")
            .arg("peer.mjs")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("node cannot be started")?;
        let mut line = String::new();
        let told = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let ready = match told {
            Some(Ok(_)) => serde_json::from_str::<serde_json::Value>(&line).ok(),
            _ => None,
        };
        let text = |name: &str| ready.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let (Some(address), Some(name)) = (text("address").and_then(|it| it.parse().ok()), text("name")) else {
            let _ = child.kill();
            let _ = child.wait();
            anyhow::bail!("the server in {FOLDER}/peer.mjs did not start");
        };
        Ok(Self { child, name, address })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Only this child, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
