//! Running other programs: shown, watched line by line, or only asked for their output.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};

/// Prints the command, runs it with our own output and says whether it succeeded.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    println!("$ {}", line(command));
    let status = command.status().with_context(|| format!("starting {}", program(command)))?;
    Ok(status.success())
}

/// Runs a command whose output is of no interest unless it fails.
///
/// # Errors
/// If it cannot be started, or fails; then the error holds what it wrote.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {}", program(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}", line(command), complaint.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of {}", line(command)))
}

/// Prints the command, runs it, shows each line it writes to either stream as it comes, and
/// returns them with the outcome.
///
/// # Errors
/// If the program cannot be started or waited for.
pub(crate) fn watched(command: &mut Command) -> Result<(bool, Vec<String>)> {
    println!("$ {}", line(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program(command)))?;
    let (sender, lines) = mpsc::channel();
    let streams: [Option<Box<dyn std::io::Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
    ];
    for stream in streams.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for octets in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&octets).trim_end().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut seen = Vec::new();
    for text in lines {
        println!("{text}");
        seen.push(text);
    }
    Ok((child.wait()?.success(), seen))
}

/// The file that a program name stands for, if it is on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    file.is_file()
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command as one would type it: the program by its last name, arguments as they are.
fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
