//! `muster restore`: a backup is looked through, and put in place.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use muster_store::{LookedThrough, digest_of, look_through, put_in_place};
use serde_json::json;

use super::backup::bar;
use super::backup::manifest::{DATABASE, KEY, Manifest, hexadecimal};

/// Exit code where a backup is not whole.
const WRONG: u8 = 2;

/// Looks through a backup, and puts it into a new data folder.
///
/// It is looked through first, always: length and SHA-256 against the manifest, every page and index, the chain of the
/// audit log and its head, counters against what they count, and the key, where there is one. A backup with anything
/// wrong is not put in place. With --verify nothing is changed; the exit code is 2 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the backup.
    backup: PathBuf,
    /// Looks through it, and no more.
    #[arg(long, conflicts_with = "data", required_unless_present = "data")]
    verify: bool,
    /// Data folder to make. One that is there must have no database and no key.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Key file that the database was made with, where the backup has none.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster restore /mnt/backup/2026-11-28 --verify
  muster restore /mnt/backup/2026-11-28 --verify --key ./muster.key
  muster restore /mnt/backup/2026-11-28 --key ./muster.key --data ./new-data
  muster serve --data ./new-data";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let manifest = Manifest::read(&args.backup)?;
    let key = args.key.clone().or_else(|| manifest.has_key.then(|| args.backup.join(KEY)));
    let database = args.backup.join(DATABASE);
    if args.data.is_some() && key.is_none() {
        bail!("the backup has no key file; name the one that its database was made with, with --key");
    }
    let looked = looked_through(args, &manifest, key.as_deref())?;
    if !looked.wrong.is_empty() {
        tell(args, &manifest, &looked, key.is_some());
        return Ok(ExitCode::from(WRONG));
    }
    if let (Some(data), Some(key)) = (&args.data, &key) {
        let bar = bar(args.json);
        put_in_place(&database, key, data, &mut |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
    }
    tell(args, &manifest, &looked, key.is_some());
    Ok(ExitCode::SUCCESS)
}

fn looked_through(args: &Args, manifest: &Manifest, key: Option<&std::path::Path>) -> anyhow::Result<LookedThrough> {
    let bar = bar(args.json);
    let database = args.backup.join(DATABASE);
    let (octets, sha256) = digest_of(&database, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let mut wrong = Vec::new();
    if octets != manifest.octets {
        wrong.push(format!("file: {octets} octets, and the manifest says {}", manifest.octets));
    } else if hexadecimal(&sha256) != manifest.sha256 {
        wrong.push("file: its SHA-256 is not that of the manifest".to_owned());
    }
    let mut looked = match look_through(&database, key) {
        Ok(looked) => looked,
        // A file that is not as it was may be unreadable: that is no error of its own.
        Err(error) if !wrong.is_empty() => {
            wrong.push(error.to_string());
            LookedThrough::default()
        }
        Err(error) => return Err(error.into()),
    };
    if looked.wrong.is_empty() && wrong.is_empty() && !looked.audit_head.is_empty() {
        let is_as_taken = looked.audit_head == manifest.audit_head;
        wrong.extend((!is_as_taken).then(|| "audit log: its head is not that of the manifest".to_owned()));
    }
    wrong.append(&mut looked.wrong);
    Ok(LookedThrough { wrong, ..looked })
}

fn tell(args: &Args, manifest: &Manifest, looked: &LookedThrough, has_key: bool) {
    let LookedThrough { devices, tasks, jobs, wrong, .. } = looked;
    let restored = args.data.as_ref().filter(|_| wrong.is_empty());
    if args.json {
        let told = json!({
            "valid": wrong.is_empty(), "wrong": wrong, "manifest": manifest, "keyChecked": has_key,
            "deviceCount": devices, "taskCount": tasks, "jobCount": jobs, "data": restored,
        });
        println!("{told}");
        return;
    }
    for line in wrong {
        println!("WRONG  {line}");
    }
    if !wrong.is_empty() {
        println!("nothing was put in place");
        return;
    }
    println!("whole       as it was taken at {}", manifest.taken_at);
    println!("has         {devices} devices, {tasks} tasks, {jobs} jobs");
    println!("audit head  {}", manifest.audit_head);
    println!("key         {}", if has_key { "the right one" } else { "not looked at: give it with --key" });
    if let Some(data) = restored {
        println!("in place    start it with: muster serve --data {}", data.display());
    }
}
