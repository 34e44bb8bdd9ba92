//! What tests need from outside: Python packages and programs of the distribution.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::stage::Outcome;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "interop/requirements.txt";

/// Programs of other people that tests compare ours with or make certificates with, and the Debian package of each.
const PROGRAMS: [(&str, &str); 3] =
    [("wbxml2xml", "libwbxml2-utils"), ("xml2wbxml", "libwbxml2-utils"), ("openssl", "openssl")];

/// The interpreter of the virtual environment.
pub(crate) fn venv_python(workspace: &Workspace) -> PathBuf {
    venv(workspace).join("bin").join("python")
}

fn venv(workspace: &Workspace) -> PathBuf {
    workspace.target().join("interop").join("venv")
}

/// Makes the virtual environment, or keeps it if it holds exactly what is asked for.
pub(crate) fn python(workspace: &Workspace) -> Result<Outcome> {
    let wanted = workspace.read(REQUIREMENTS)?;
    let folder = venv(workspace);
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Outcome::Passed("as pinned, from an earlier run".to_owned()));
    }
    if command::find("python3").is_none() {
        return Ok(Outcome::NotRun("no python3 on the search path".to_owned()));
    }
    if !command::succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))? {
        return Ok(Outcome::NotRun("python3 -m venv failed (Debian: package python3-venv)".to_owned()));
    }
    if !install(workspace)? {
        return Ok(Outcome::Failed(format!("packages of {REQUIREMENTS} could not be installed")));
    }
    std::fs::write(&stamp, &wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(Outcome::Passed(format!("{} packages", count_pins(&wanted))))
}

fn install(workspace: &Workspace) -> Result<bool> {
    let mut pip = Command::new(venv_python(workspace));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--requirement", REQUIREMENTS])
        .current_dir(workspace.root());
    command::succeeds(&mut pip)
}

fn count_pins(requirements: &str) -> usize {
    requirements.lines().filter(|line| line.contains("==")).count()
}

/// Installs the programs that are missing, where this machine lets us.
pub(crate) fn packages(_: &Workspace) -> Result<Outcome> {
    let missing = missing();
    if !missing.is_empty() && may_install()? {
        // An old list of packages is the usual reason why an installation fails on a fresh machine.
        let updated = command::succeeds(&mut apt(&["update", "--quiet=2"]))?;
        let mut install = apt(&["install", "--quiet=2", "--yes", "--no-install-recommends"]);
        if !updated || !command::succeeds(install.args(&missing))? {
            println!("apt-get did not succeed");
        }
    }
    let still: Vec<&str> =
        PROGRAMS.iter().map(|(program, _)| *program).filter(|program| command::find(program).is_none()).collect();
    Ok(if still.is_empty() {
        Outcome::Passed(format!("{} programs", PROGRAMS.len()))
    } else {
        let packages = self::missing();
        Outcome::NotRun(format!(
            "missing: {} (Debian: apt-get install {}); tests that compare with them cannot",
            still.join(", "),
            packages.join(" "),
        ))
    })
}

/// Packages of the programs that are not there, each once.
fn missing() -> Vec<&'static str> {
    let mut packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| command::find(program).is_none()).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

/// Only root on a machine with apt-get; nobody is asked for a password.
fn may_install() -> Result<bool> {
    if command::find("apt-get").is_none() || !Path::new("/etc/debian_version").exists() {
        return Ok(false);
    }
    Ok(command::stdout(Command::new("id").arg("-u"))?.trim() == "0")
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pinned_lines_are_counted() {
        assert_eq!(count_pins("# comment\nzeep==4.3.3\n\nlxml==6.1.3\n"), 2);
    }
}
