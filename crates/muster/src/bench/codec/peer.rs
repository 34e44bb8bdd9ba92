use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use muster_protocol::syncml::Encoding;

use super::documents::Document;

const ROUNDS: &str = include_str!("rounds.c");

/// Nanoseconds the peer takes for one document.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerFigures {
    pub(super) decode_ns: f64,
    pub(super) encode_ns: f64,
    pub(super) convert_ns: Option<f64>,
}

/// A library to compare with: what calls it and how that is compiled on Debian.
struct Peer {
    name: &'static str,
    source: &'static str,
    include: &'static str,
    library: &'static str,
    package: &'static str,
    pkg_config: &'static str,
}

const LIBWBXML: Peer = Peer {
    name: "libwbxml",
    source: include_str!("libwbxml.c"),
    include: "-I/usr/include/libwbxml-1.0",
    library: "-lwbxml2",
    package: "libwbxml2-dev",
    pkg_config: "libwbxml2",
};

const LIBXML2: Peer = Peer {
    name: "libxml2",
    source: include_str!("libxml2.c"),
    include: "-I/usr/include/libxml2",
    library: "-lxml2",
    package: "libxml2-dev",
    pkg_config: "libxml-2.0",
};

fn peer(encoding: Encoding) -> Peer {
    match encoding {
        Encoding::Wbxml => LIBWBXML,
        Encoding::Xml => LIBXML2,
    }
}

/// The library's name.
pub(super) fn name(encoding: Encoding) -> &'static str {
    peer(encoding).name
}

/// Name and version of the library, and its figures for each document, in order.
pub(super) fn measure(
    encoding: Encoding,
    documents: &[Document],
    round_ms: u32,
    rounds: u32,
) -> anyhow::Result<(String, Vec<PeerFigures>)> {
    let peer = peer(encoding);
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let program = compile(&peer, folder.path())?;
    let mut command = Command::new(program);
    command.arg((f64::from(round_ms) * 1e6).to_string()).arg(rounds.to_string());
    for (number, document) in documents.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, &document.octets)?;
        command.arg(path);
    }
    let output = run(&mut command)?;
    let lines = String::from_utf8(output.stdout)?;
    let figures = lines.lines().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(figures.len() == documents.len(), "{} told of {} documents", peer.name, figures.len());
    Ok((format!("{} {}", peer.name, version(&peer)), figures))
}

fn compile(peer: &Peer, folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let source = folder.join("peer.c");
    let program = folder.join("peer");
    fs::write(&source, [peer.source, ROUNDS].concat())?;
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(&program).arg(&source).args([peer.include, peer.library]);
    run(&mut compiler)
        .with_context(|| format!("{} is not installed (apt-get install gcc {})", peer.name, peer.package))?;
    Ok(program)
}

fn run(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let first = complaint.lines().next().unwrap_or_default();
    ensure!(output.status.success(), "{}: {} {first}", command.get_program().display(), output.status);
    Ok(output)
}

fn line(line: &str) -> anyhow::Result<PeerFigures> {
    let figures = line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let (decode_ns, encode_ns, convert_ns) = match figures.as_slice() {
        [decode_ns, encode_ns] => (*decode_ns, *encode_ns, None),
        [decode_ns, encode_ns, convert_ns] => (*decode_ns, *encode_ns, Some(*convert_ns)),
        _ => anyhow::bail!("the peer's figures: {line:?}"),
    };
    Ok(PeerFigures { decode_ns, encode_ns, convert_ns })
}

/// The version as pkg-config knows it.
fn version(peer: &Peer) -> String {
    match run(Command::new("pkg-config").args(["--modversion", peer.pkg_config])) {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => "of unknown version".to_owned(),
    }
}
