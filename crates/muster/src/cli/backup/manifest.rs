//! What a backup says of itself.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use muster_broker::ports::Environment as _;
use muster_store::Copied;
use serde::{Deserialize, Serialize};

use crate::serve::System;

/// The database in a backup.
pub(in crate::cli) const DATABASE: &str = "muster.db";
/// The key file in a backup, where it has one.
pub(in crate::cli) const KEY: &str = "muster.key";
/// Written last: a folder without it is no backup.
const MANIFEST: &str = "backup.json";
/// How backups are laid out.
const FORMAT: u32 = 1;

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::cli) struct Manifest {
    format: u32,
    /// Version of the program that took it.
    program: String,
    /// When the copy was ready.
    pub(in crate::cli) taken_at: String,
    /// Schema of the database.
    pub(in crate::cli) schema: i64,
    /// Length of the database.
    pub(in crate::cli) octets: u64,
    /// SHA-256 of the database, in hexadecimal.
    pub(in crate::cli) sha256: String,
    /// Head of the audit log.
    pub(in crate::cli) audit_head: String,
    /// Whether the key file is in it.
    pub(in crate::cli) has_key: bool,
}

impl Manifest {
    pub(super) fn of(copied: Copied, has_key: bool) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: System.now().to_string(),
            schema: copied.schema,
            octets: copied.octets,
            sha256: hexadecimal(&copied.sha256),
            audit_head: copied.audit_head,
            has_key,
        }
    }

    /// Writes it; the backup is complete with it.
    pub(super) fn write(&self, backup: &Path) -> anyhow::Result<()> {
        let path = backup.join(MANIFEST);
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(format!("{}\n", serde_json::to_string_pretty(self)?).as_bytes())?;
        file.sync_all().with_context(|| format!("cannot write {}", path.display()))?;
        std::fs::File::open(backup)?.sync_all().with_context(|| format!("cannot write {}", backup.display()))
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where the folder is no backup, or one of a later version.
    pub(in crate::cli) fn read(backup: &Path) -> anyhow::Result<Self> {
        let path = backup.join(MANIFEST);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is no backup: cannot read {MANIFEST}, which is written when the rest is", backup.display())
        })?;
        let manifest: Self =
            serde_json::from_str(&text).with_context(|| format!("{} cannot be understood", path.display()))?;
        if manifest.format != FORMAT {
            bail!("{} has format {}, and this program knows {FORMAT}", path.display(), manifest.format);
        }
        Ok(manifest)
    }
}

pub(in crate::cli) fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
