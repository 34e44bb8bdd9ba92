//! What the binary teaches.

use crate::running::{muster, run};

#[test]
fn every_command_explains_itself_with_examples() {
    let top = run(&mut muster(["--help"])).ok();
    for command in [
        "serve",
        "demo",
        "sim",
        "call",
        "callbacks",
        "decode",
        "profiles",
        "trace",
        "tree",
        "devices",
        "tasks",
        "jobs",
        "tenants",
        "principals",
        "roles",
        "keys",
        "principal",
        "approvals",
        "quotas",
        "backup",
        "restore",
        "bench",
        "completions",
    ] {
        assert!(top.contains(&format!("\n  {command} ")), "{top}");
    }
    assert!(top.contains("Examples:"));
    for command in [
        "serve",
        "sim",
        "call",
        "callbacks",
        "decode",
        "profiles",
        "trace",
        "tree",
        "principal",
        "approvals",
        "quotas",
        "backup",
        "restore",
        "devices",
        "tasks",
        "jobs",
        "tenants",
        "principals",
        "roles",
        "keys",
    ] {
        let help = run(&mut muster([command, "--help"])).ok();
        assert!(help.contains("Examples:") && help.contains(&format!("  muster {command} ")), "{help}");
    }
    for command in [&["demo", "--help"][..], &["bench", "--help"], &["principal", "put", "--help"]] {
        assert!(run(&mut muster(command.iter().copied())).ok().contains("Usage: muster "));
    }
}

#[test]
fn examples_are_not_broken_by_wrapping() {
    for command in [
        &["--help"][..],
        &["serve", "--help"],
        &["sim", "--help"],
        &["call", "--help"],
        &["callbacks", "--help"],
        &["decode", "--help"],
        &["profiles", "--help"],
        &["trace", "--help"],
        &["tree", "--help"],
        &["principal", "--help"],
        &["approvals", "--help"],
        &["quotas", "--help"],
        &["backup", "--help"],
        &["restore", "--help"],
        &["devices", "--help"],
        &["tasks", "--help"],
        &["jobs", "--help"],
        &["tenants", "--help"],
        &["principals", "--help"],
        &["roles", "--help"],
        &["keys", "--help"],
    ] {
        let help = run(&mut muster(command.iter().copied())).ok();
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        for line in examples.lines().take_while(|line| !line.is_empty()) {
            let begins = ["  muster ", "  MUSTER_", "  export ", "  printf ", "          "];
            assert!(begins.iter().any(|it| line.starts_with(it)), "{help}");
        }
    }
}

#[test]
fn completions_are_there_for_each_shell() {
    for (shell, word) in [("bash", "complete -F _muster"), ("zsh", "#compdef muster"), ("fish", "complete -c muster")] {
        let script = run(&mut muster(["completions", shell])).ok();
        assert!(script.contains(word) && script.contains("self-signed"), "{shell}");
        // The generator for fish completes options alone.
        let operations = if shell == "fish" { &[][..] } else { &["createDeployments", "getOwnRights"] };
        for completed in ["AWAITING_DEVICE", "CANCELLING", "client-certificate"].iter().chain(operations) {
            assert!(script.contains(completed), "{shell} does not complete {completed}");
        }
    }
}

#[test]
fn a_misspelt_command_is_put_right() {
    let done = run(&mut muster(["serv"]));
    assert_eq!((done.code, done.out.as_str()), (Some(2), ""));
    assert!(done.err.contains("serve"), "{done:?}");
}

#[test]
fn output_that_nobody_reads_on_ends_the_command_without_a_word() {
    for args in [vec!["call"], vec!["completions", "bash"], vec!["--help"]] {
        let mut command = muster(args);
        let mut child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(told.is_empty(), "{command:?}: {told}");
        assert_ne!(done.status.code(), Some(101), "{command:?}");
    }
}
