//! `muster backup`: a copy of a server's database, taken while it runs.

pub(super) mod manifest;

use std::io::IsTerminal as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use muster_store::{FileVault, Options, copy_database};
use serde_json::json;

use self::manifest::{KEY, Manifest};

/// Copies the database of a data folder, whether a server is running on it or not.
///
/// The copy is that of one moment, and calls and sessions go on meanwhile. It is a folder with the database in one file
/// and a manifest with its length and SHA-256, which `muster restore` looks at. The key file is left out unless asked
/// for with --with-key: a copy without it gives no secrets, and cannot be used without it either, so keep the key apart.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the database, which is read and not changed.
    #[arg(long, value_name = "DIR", env = "MUSTER_DATA")]
    data: PathBuf,
    /// Folder to make, which must not be there yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Copies the key file too.
    #[arg(long)]
    with_key: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster backup --data ./muster-data --to /mnt/backup/2026-11-28
  muster restore /mnt/backup/2026-11-28 --verify       is it whole? Nothing is changed
  muster restore /mnt/backup/2026-11-28 --key ./muster.key --data ./new-data";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Err(error) = std::fs::DirBuilder::new().mode(0o700).create(&args.to) {
        bail!("cannot make {}: {error}; name a folder that is not there yet", args.to.display());
    }
    match taken(args) {
        Ok(manifest) => {
            tell(args, &manifest);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            // Half a copy must not be taken for one.
            let _ = std::fs::remove_dir_all(&args.to);
            Err(error)
        }
    }
}

fn taken(args: &Args) -> anyhow::Result<Manifest> {
    let bar = bar(args.json);
    let database = args.to.join(manifest::DATABASE);
    let copied = copy_database(&args.data, &database, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if args.with_key {
        copy_key(&Options::new(&args.data).key_path(), &args.to.join(KEY))?;
    }
    let manifest = Manifest::of(copied, args.with_key);
    manifest.write(&args.to)?;
    Ok(manifest)
}

fn copy_key(from: &Path, to: &Path) -> anyhow::Result<()> {
    // Read as the server does, so that a key which it would refuse is not taken for good.
    FileVault::read(from)?;
    let key = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(to)?;
    std::io::Write::write_all(&mut file, &key)?;
    file.sync_all().with_context(|| format!("cannot write {}", to.display()))
}

/// A bar over octets, on a terminal.
pub(super) fn bar(is_json: bool) -> ProgressBar {
    if is_json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}%  {bytes} of {total_bytes}  {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(args: &Args, manifest: &Manifest) {
    if args.json {
        let told = json!({ "backup": args.to, "manifest": manifest });
        println!("{told}");
        return;
    }
    println!("backup      {}", args.to.display());
    println!("taken at    {}", manifest.taken_at);
    println!("octets      {}", manifest.octets);
    println!("audit head  {}", manifest.audit_head);
    if !manifest.has_key {
        println!("key         not in it: keep {} apart", Options::new(&args.data).key_path().display());
    }
}
