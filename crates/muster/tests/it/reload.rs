//! Certificates of listeners that change while they serve.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::ClientConfig;
use rustls::version::TLS13;

use crate::http;
use crate::running::{Running, until};
use crate::tls_client::{Connection, config};

/// A certificate for loopback and its key, in PEM.
struct Made {
    certificate: String,
    key: String,
    der: Vec<u8>,
}

fn made() -> Made {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    Made { certificate: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().to_vec() }
}

/// A server whose certificates lie in files.
struct World {
    server: Running,
    folder: tempfile::TempDir,
}

impl World {
    fn new(first: &Made) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("muster.toml");
        let tls = "tls_certificate = \"server.crt\"\ntls_key = \"server.key\"\n";
        std::fs::write(&config, format!("[north]\n{tls}[south]\n{tls}")).unwrap();
        put(folder.path(), &first.certificate, &first.key);
        let data = folder.path().join("data");
        let any = "127.0.0.1:0";
        let mut command = Running::command(&data, any, any, &["--config"]);
        command.arg(&config);
        Self { server: Running::spawn(command, &data).unwrap(), folder }
    }

    /// SIGHUP.
    fn tell(&self) {
        let told = Command::new("kill").args(["-HUP", &self.server.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    fn north(&self) -> String {
        self.server.address("north")
    }

    /// A line of the metrics, for the north listener.
    fn counted(&self, name: &str) -> u64 {
        let text = http::get(&self.server.address("admin"), "/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{{listener=\"north\"}} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }
}

/// Puts both files in place, each at once, as programs that renew certificates do.
fn put(folder: &Path, certificate: &str, key: &str) {
    for (name, text) in [("server.crt", certificate), ("server.key", key)] {
        let draft: PathBuf = folder.join(format!("{name}.new"));
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(&draft, folder.join(name)).unwrap();
    }
}

/// The certificate that a new connection sees, if it can be made.
fn seen(address: &str, config: &Arc<ClientConfig>) -> Option<Vec<u8>> {
    let mut connection = Connection::open(address, config).ok()?;
    connection.service().ok()?;
    Some(connection.server())
}

#[test]
fn a_certificate_that_changes_under_load_costs_no_request() {
    let all = [made(), made(), made(), made()];
    let world = World::new(&all[0]);
    let trusted: Vec<&str> = all.iter().map(|made| made.certificate.as_str()).collect();
    let (address, stop, served) = (world.north(), AtomicBool::new(false), AtomicUsize::new(0));
    // Each configuration of its own, so that none of them goes on with a session of before.
    let fresh = || config(&trusted, None, &TLS13);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for is_kept in [true, true, false, false] {
            let (address, stop, served) = (&address, &stop, &served);
            workers.push(scope.spawn(move || {
                let mut kept = Connection::open(address, &fresh()).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    if !is_kept {
                        kept = Connection::open(address, &fresh()).unwrap();
                    }
                    assert_eq!(kept.service().unwrap(), 401, "an answer");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        for made in &all[1..] {
            let before = served.load(Ordering::Relaxed);
            until("load", || (served.load(Ordering::Relaxed) > before + 20).then_some(()));
            put(world.folder.path(), &made.certificate, &made.key);
            world.tell();
            until("the new certificate", || (seen(&address, &fresh())? == made.der).then_some(()));
        }
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().unwrap();
        }
    });
    assert!(served.load(Ordering::Relaxed) > 60);
    assert!(world.counted("muster_tls_certificate_reloads_total") >= 3);
}

#[test]
fn a_changed_file_is_noticed_without_a_signal_on_both_listeners() {
    let (first, second) = (made(), made());
    let world = World::new(&first);
    let fresh = || config(&[&first.certificate, &second.certificate], None, &TLS13);
    put(world.folder.path(), &second.certificate, &second.key);
    for listener in ["north", "south"] {
        let address = world.server.address(listener);
        until("the new certificate", || (seen(&address, &fresh())? == second.der).then_some(()));
    }
}

#[test]
fn a_broken_certificate_keeps_the_old_one_and_shows_in_the_metrics_until_it_is_right_again() {
    let (first, second) = (made(), made());
    let world = World::new(&first);
    let fresh = || config(&[&first.certificate, &second.certificate], None, &TLS13);
    assert_eq!(world.counted("muster_tls_certificate_broken"), 0);
    assert!(world.counted("muster_tls_certificate_end_seconds") > 1_800_000_000);
    for (certificate, key) in [
        (second.certificate.as_str(), first.key.as_str()),
        ("no certificate", second.key.as_str()),
        (second.certificate.as_str(), ""),
    ] {
        let failures = world.counted("muster_tls_certificate_failures_total");
        put(world.folder.path(), certificate, key);
        world.tell();
        until("a failure", || (world.counted("muster_tls_certificate_failures_total") > failures).then_some(()));
        assert_eq!(world.counted("muster_tls_certificate_broken"), 1);
        assert_eq!(seen(&world.north(), &fresh()).as_deref(), Some(first.der.as_slice()));
    }
    std::fs::remove_file(world.folder.path().join("server.key")).unwrap();
    world.tell();
    assert_eq!(seen(&world.north(), &fresh()).as_deref(), Some(first.der.as_slice()));
    put(world.folder.path(), &second.certificate, &second.key);
    until("the right one", || (seen(&world.north(), &fresh())? == second.der).then_some(()));
    assert_eq!(world.counted("muster_tls_certificate_broken"), 0);
}
