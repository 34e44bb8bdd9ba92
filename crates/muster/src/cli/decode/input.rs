//! Where the octets come from, and what is written on the command line.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_protocol::explain::INPUT_BYTES_MAX;

/// Octets to explain.
pub(super) struct Input {
    /// As it was given.
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
    /// Or standard input. Otherwise the argument is the octets.
    pub(super) is_file: bool,
}

/// Reads files, standard input, or the arguments themselves. Nothing if there is no argument and nothing is piped in.
pub(super) fn read(arguments: &[String]) -> anyhow::Result<Option<Vec<Input>>> {
    if !arguments.is_empty() {
        return arguments.iter().map(|it| read_one(it)).collect::<anyhow::Result<Vec<Input>>>().map(Some);
    }
    if std::io::stdin().is_terminal() { Ok(None) } else { Ok(Some(vec![read_one("-")?])) }
}

fn read_one(argument: &str) -> anyhow::Result<Input> {
    let name = argument.to_owned();
    // One octet above the bound is enough to see that there are too many.
    let bound = INPUT_BYTES_MAX as u64 + 1;
    let mut octets = Vec::new();
    if argument == "-" {
        std::io::stdin().take(bound).read_to_end(&mut octets).context("cannot read standard input")?;
    } else if Path::new(argument).exists() {
        let file = std::fs::File::open(argument).with_context(|| format!("cannot read {argument}"))?;
        file.take(bound).read_to_end(&mut octets).with_context(|| format!("cannot read {argument}"))?;
    } else {
        return Ok(Input { name, octets: argument.as_bytes().to_vec(), is_file: false });
    }
    Ok(Input { name, octets, is_file: true })
}

/// A nonce in each reading of what was written: digits may be hexadecimal and base64.
#[derive(Clone, Debug)]
pub(super) struct Nonce(pub(super) Vec<Vec<u8>>);

/// Reads `--nonce`.
pub(super) fn nonce(text: &str) -> Result<Nonce, String> {
    let base64 = STANDARD.decode(text.trim()).ok();
    let readings: Vec<Vec<u8>> = hex(text).into_iter().chain(base64).collect();
    if readings.is_empty() { Err("write base64 or hexadecimal".to_owned()) } else { Ok(Nonce(readings)) }
}

/// A key; not printed with the arguments.
#[derive(Clone)]
pub(super) struct Key(pub(super) Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// Reads `--mac-key`.
pub(super) fn key(text: &str) -> Result<Key, String> {
    hex(text).map(Key).ok_or_else(|| "write an even number of hexadecimal digits".to_owned())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
