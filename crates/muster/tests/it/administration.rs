//! `muster tenants`, `principals`, `roles` and `keys`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::running::{Done, Running, muster, run, run_with_input};

/// A command as the administrator of a server.
fn asking(server: &Running, args: &[&str]) -> Command {
    let mut command = muster(args.iter().copied());
    command.env("MUSTER_URL", format!("{}/wsi", server.url("north"))).env("MUSTER_PASSWORD", crate::running::PASSWORD);
    command
}

pub(crate) fn ask(server: &Running, args: &[&str]) -> Done {
    run(&mut asking(server, args))
}

pub(crate) fn json(server: &Running, args: &[&str]) -> Value {
    serde_json::from_str(&ask(server, &[args, &["--json"]].concat()).ok()).unwrap()
}

/// The row of a table that begins with this cell.
pub(crate) fn row(table: &str, first: &str) -> Vec<String> {
    let row = table.lines().find(|line| line.split("  ").next() == Some(first));
    let row = row.unwrap_or_else(|| panic!("no {first} in {table}"));
    row.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn a_domain_is_made_suspended_resumed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    ask(&server, &["tenants", "create", "acme", "--display-name", "Acme plc", "--callback-network", "10.1.0.0/16"])
        .ok();
    let table = ask(&server, &["tenants"]).ok();
    assert_eq!(row(&table, "acme"), ["acme", "ACTIVE", "not demanded", "10.1.0.0/16", "Acme plc"]);
    assert_eq!(json(&server, &["tenants", "suspend", "acme"])["status"], "SUSPENDED");
    assert_eq!(
        json(&server, &["tenants", "resume", "acme"])["callbackNetwork"][0],
        "10.1.0.0/16",
        "nothing else changes"
    );
    assert!(ask(&server, &["tenants", "show", "acme"]).ok().contains("displayName      Acme plc\n"));
    assert_eq!(json(&server, &["tenants", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(ask(&server, &["tenants", "delete", "acme"]).ok(), "acme is deleted\n");
    let told = ask(&server, &["tenants", "delete", "acme"]).refused();
    assert!(told.contains(" UnknownTenant: "), "{told}");
}

#[test]
fn a_principal_is_made_with_a_role_disabled_and_given_a_new_password() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    ask(&server, &["roles", "create", "night-desk", "--right", "device.read", "--about", "At night."]).ok();
    let roles = ask(&server, &["roles"]).ok();
    assert_eq!(row(&roles, "night-desk"), ["night-desk", "default", "device.read", "At night."]);
    assert_eq!(row(&roles, "administrator")[1], "every tenant");

    let create = ["principals", "create", "crm", "--role", "night-desk", "--group", "kiosks", "--kind", "person"];
    let made = run_with_input(&mut asking(&server, &create), "correct horse battery\n").ok();
    assert!(made.contains("role=night-desk") && !made.contains("password  "), "{made}");
    let table = ask(&server, &["principals"]).ok();
    assert_eq!(row(&table, "crm"), ["crm", "default", "person", "yes", "yes", "night-desk in group kiosks"]);
    let may = |password: &str| {
        let mut command = asking(&server, &["call", "getDeviceInstances"]);
        run(command.env("MUSTER_USER", "crm").env("MUSTER_PASSWORD", password)).code == Some(0)
    };
    assert!(may("correct horse battery"));
    assert_eq!(json(&server, &["principals", "disable", "crm"])["enabled"], false);
    assert!(!may("correct horse battery"));
    assert_eq!(
        json(&server, &["principals", "enable", "crm"])["grant"][0]["group"][0],
        "kiosks",
        "nothing else changes"
    );
    let told = json(&server, &["principals", "password", "crm"]);
    assert!(may(told["password"].as_str().unwrap()) && !may("correct horse battery"));

    let told = ask(&server, &["roles", "delete", "night-desk"]).refused();
    assert!(told.starts_with("DMS") || told.starts_with("DMP"), "somebody has it: {told}");
    assert_eq!(ask(&server, &["principals", "delete", "crm", "--json"]).ok(), "null\n");
    ask(&server, &["roles", "delete", "night-desk"]).ok();
    assert!(ask(&server, &["principals", "show", "crm"]).refused().contains(" UnknownPrincipal: "));
}

#[test]
fn a_key_is_told_once_or_written_to_a_new_file_of_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    assert_eq!(ask(&server, &["keys"]).ok(), "no key\n");
    ask(&server, &["principals", "create", "shop", "--right", "device.read", "--no-password"]).ok();
    let file = folder.path().join("shop.key");
    let path = file.to_str().unwrap();
    let create = ["keys", "create", "till", "--principal", "shop", "--days", "30", "--out", path];
    let made = ask(&server, &create).ok();
    let key = std::fs::read_to_string(&file).unwrap();
    assert!(key.starts_with("mk_") && !made.contains(key.trim()), "{made}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    run(muster(["call", "getDeviceInstances", "--key-file", path])
        .env("MUSTER_URL", format!("{}/wsi", server.url("north"))))
    .ok();

    // What is there is not overwritten, and no key is made that would be lost.
    let told = ask(&server, &create).refused();
    assert!(told.starts_with(&format!("cannot make {path}: ")), "{told}");
    let printed = ask(&server, &["keys", "create", "own"]).ok();
    assert!(printed.lines().last().unwrap().starts_with("key  mk_"), "{printed}");
    let nobody = folder.path().join("nobody.key");
    let none = ["keys", "create", "x", "--principal", "nobody", "--out", nobody.to_str().unwrap()];
    assert!(ask(&server, &none).refused().contains(" UnknownPrincipal: "));
    assert!(!nobody.exists());

    let id = &key["mk_".len()..][..16];
    let table = ask(&server, &["keys"]).ok();
    assert_eq!(table.lines().count(), 4, "{table}");
    let [_, principal, name, may, state, used] = row(&table, id).try_into().unwrap();
    assert_eq!([principal, name, may].map(|it: String| it), ["shop", "till", "all of its principal"]);
    assert!(["ends in 29 d 23 h", "ends in 30 d 0 h"].contains(&state.as_str()), "{table}");
    assert!(used.ends_with(" s ago"), "{table}");
    assert_eq!(ask(&server, &["keys", "revoke", id]).ok(), format!("{id} lets nobody in any more\n"));
    assert_eq!(row(&ask(&server, &["keys", "list", "--principal", "shop"]).ok(), id)[4], "revoked by admin");
    assert_eq!(json(&server, &["keys", "list", "--principal", "shop"])[0]["active"], false);
}
