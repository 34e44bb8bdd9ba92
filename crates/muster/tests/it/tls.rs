//! TLS on both listeners.

use std::io::{Read as _, Write as _};

use crate::http;
use crate::running::{PASSWORD, Running, muster, run};

/// What `muster call` and `muster sim` say over TLS with a certificate to trust, or without.
fn both_sides_work(server: &Running, trust: &str) {
    assert!(server.url("north").starts_with("https://") && server.url("south").starts_with("https://"));
    let trusted = run(&mut server.command_call(&["getServiceInfo", "--json", "--trust", trust])).ok();
    assert!(trusted.contains("Muster"), "{trusted}");
    let url = format!("{}/dm", server.url("south"));
    let sim = |more: &[&str]| {
        let mut command = muster(["sim", "--server", &url, "--devices", "3", "--seed", "1", "--sessions", "1"]);
        command.args(more);
        run(&mut command)
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    sim(&["--fleet-out", path, "--no-run"]).ok();
    let import = ["importDeviceInstances", "--trust", trust, "--args", &format!("@{path}")];
    assert!(run(&mut server.command_call(&import)).ok().contains("created    3\n"));
    let said = sim(&["--trust", trust]).ok();
    assert!(said.starts_with("3 sessions complete, 0 failed, "), "{said}");

    let told = run(&mut server.command_call(&["getServiceInfo"])).refused();
    assert!(told.starts_with("cannot reach https://") && told.contains("certificate"), "{told}");
    let untrusting = sim(&[]);
    assert_eq!(untrusting.code, Some(1), "{untrusting:?}");
    assert!(untrusting.out.starts_with("0 sessions complete, 3 failed, "), "{untrusting:?}");
}

#[test]
fn a_certificate_of_its_own_serves_both_listeners_and_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    let certificate = folder.path().join("self-signed.crt");
    both_sides_work(&server, certificate.to_str().unwrap());
    let mode = std::fs::metadata(folder.path().join("self-signed.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);

    let before = std::fs::read(&certificate).unwrap();
    drop(server);
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    assert_eq!(std::fs::read(&certificate).unwrap(), before);
    let trust = certificate.to_str().unwrap();
    run(&mut server.command_call(&["getServiceInfo", "--trust", trust])).ok();
}

#[tokio::test]
async fn the_wsdl_names_the_address_with_https() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    let pem = std::fs::read(folder.path().join("self-signed.crt")).unwrap();
    let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().no_proxy().add_root_certificate(trusted).build().unwrap();

    let wsdl = client.get(format!("{}/wsi?wsdl", server.url("north"))).send().await.unwrap().text().await.unwrap();

    assert!(wsdl.contains(&format!("location=\"{}/wsi\"", server.url("north"))), "{}", server.url("north"));
    assert!(!wsdl.contains("location=\"http://"));
}

#[test]
fn plain_http_to_a_tls_port_fails_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    for listener in ["north", "south"] {
        let reply = http::get(&server.address(listener), "/wsi?wsdl");
        assert_eq!(reply.status, 0, "{reply:?}");
    }
    let mut plain = server.command_call(&["getServiceInfo"]);
    let told = run(plain.env("MUSTER_URL", format!("http://{}/wsi", server.address("north")))).refused();
    assert!(told.starts_with("cannot reach http://"), "{told}");
    let trust = folder.path().join("self-signed.crt");
    run(&mut server.command_call(&["getServiceInfo", "--trust", trust.to_str().unwrap()])).ok();
}

#[test]
fn certificates_come_from_files_named_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.path().join("server.crt"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("server.key"), made.signing_key.serialize_pem()).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.path().join("other.key"), other.signing_key.serialize_pem()).unwrap();
    let config = folder.path().join("muster.toml");
    let listeners = |key: &str| {
        let tls = format!("tls_certificate = \"server.crt\"\n{key}\n");
        std::fs::write(&config, format!("[north]\n{tls}[south]\n{tls}")).unwrap();
    };
    let data = folder.path().join("data");
    let any = "127.0.0.1:0";
    let with_config = || {
        let mut command = Running::command(&data, any, any, &["--config"]);
        command.arg(&config);
        command
    };
    listeners("");
    assert_eq!(run(&mut with_config()).refused(), "tls_certificate and tls_key are given together");
    listeners("tls_key = \"nowhere.key\"");
    assert!(run(&mut with_config()).refused().starts_with("cannot read a key from "));
    listeners("tls_key = \"other.key\"");
    assert!(run(&mut with_config()).refused().starts_with("certificate and key do not fit each other"));
    listeners("tls_key = \"server.key\"");
    let server = Running::spawn(with_config(), &data).unwrap();
    both_sides_work(&server, folder.path().join("server.crt").to_str().unwrap());
}

#[test]
fn a_file_without_a_certificate_is_not_taken_for_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[north]\n").unwrap();
    let trust = file.path().to_str().unwrap();
    let call = ["call", "getJobs", "--password", PASSWORD, "--trust", trust];
    for args in [&call[..], &["sim", "--sessions", "1", "--trust", trust]] {
        let told = run(&mut muster(args.iter().copied())).refused();
        assert_eq!(told, format!("{trust} holds no certificate in PEM"));
    }
}

/// A `ClientHello` that offers this version and what the specification names: RSA with RC4, 3DES and AES128.
fn client_hello(minor: u8) -> Vec<u8> {
    let body = [&[3, minor][..], &[7; 32], &[0], &[0, 6, 0, 0x05, 0, 0x0A, 0, 0x2F], &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let handshake = [&[1, 0, 0, length][..], &body].concat();
    [&[22, 3, minor.min(1), 0, length + 4][..], &handshake].concat()
}

#[test]
fn older_versions_of_tls_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    // SSL 3.0, TLS 1.0 and 1.1, and the old suites in TLS 1.2.
    for minor in [0, 1, 2, 3] {
        for listener in ["north", "south"] {
            let mut stream = http::connect(&server.address(listener));
            stream.write_all(&client_hello(minor)).unwrap();
            let mut octets = Vec::new();
            let _ = stream.read_to_end(&mut octets);
            // A fatal alert, or a closed connection, and no handshake.
            assert!(octets.is_empty() || (octets[0] == 21 && octets[5] == 2), "{listener} 3.{minor}: {octets:02x?}");
        }
    }
    let trust = folder.path().join("self-signed.crt");
    run(&mut server.command_call(&["getServiceInfo", "--trust", trust.to_str().unwrap()])).ok();
}
