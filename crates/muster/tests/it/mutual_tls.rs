//! Certificates of clients, by real handshakes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::running::{PASSWORD, Running, muster, run};
use crate::tls_client::{Connection, Shown, config};

const URI: &str = "urn:example:crm";

/// A server with TLS, an authority that it trusts, and a principal `admin` that is known by a URI.
struct World {
    server: Running,
    trusted: String,
    issuer: Issuer<'static, KeyPair>,
    id: String,
    folder: tempfile::TempDir,
}

fn authority(name: &str) -> (Certificate, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), Issuer::new(params, key))
}

fn issue(issuer: &Issuer<'static, KeyPair>) -> (Certificate, KeyPair) {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(URI.try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap(), key)
}

impl World {
    fn new(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Running::start_with(folder.path(), &[&["--self-signed"], more].concat());
        let trusted = std::fs::read_to_string(folder.path().join("self-signed.crt")).unwrap();
        let (certificate, issuer) = authority("clients");
        let mut world = Self { server, trusted, issuer, id: String::new(), folder };
        let added = world.administer("/certificate-authorities", &json!({"certificate": certificate.pem()}));
        world.id = added["authorityId"].as_str().unwrap().to_owned();
        world.administer("/certificate-bindings", &json!({"principal": "admin", "nameKind": "URI", "nameValue": URI}));
        world
    }

    /// Posts as the administrator, on a connection without certificate.
    fn administer(&self, path: &str, body: &Value) -> Value {
        let credentials = STANDARD.encode(format!("admin:{PASSWORD}"));
        let headers = format!("Authorization: Basic {credentials}\r\n");
        let mut connection = self.open(&self.config(None)).unwrap();
        let (status, text) =
            connection.request("POST", &format!("/api/v1{path}"), &headers, &body.to_string()).unwrap();
        assert_eq!(status, 201, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    fn config(&self, shown: Option<Shown>) -> Arc<ClientConfig> {
        config(&[&self.trusted], shown, &TLS13)
    }

    fn open(&self, config: &Arc<ClientConfig>) -> std::io::Result<Connection> {
        Connection::open(&self.server.address("north"), config)
    }
}

#[test]
fn a_client_is_known_by_its_certificate_and_one_without_is_a_stranger() {
    let world = World::new(&[]);
    let (certificate, key) = issue(&world.issuer);
    for version in [&TLS12, &TLS13] {
        let shown = Shown::new(vec![certificate.der().clone()], &key);
        let config = config(&[&world.trusted], Some(shown), version);
        assert_eq!(world.open(&config).unwrap().service().unwrap(), 200);
    }
    assert_eq!(world.open(&world.config(None)).unwrap().service().unwrap(), 401);
    // A certificate of an authority that nobody trusts is refused by an answer, not by a broken handshake.
    let (certificate, key) = issue(&authority("clients").1);
    let shown = Shown::new(vec![certificate.der().clone()], &key);
    let mut connection = world.open(&world.config(Some(shown))).unwrap();
    let (status, text) = connection.request("GET", "/api/v1/service", "", "").unwrap();
    assert_eq!(status, 401);
    assert!(text.contains("NotAuthenticated"), "{text}");
}

#[test]
fn a_certificate_shown_without_its_key_does_not_pass_the_handshake() {
    let world = World::new(&[]);
    let (certificate, _) = issue(&world.issuer);
    for version in [&TLS12, &TLS13] {
        let shown = Shown::new(vec![certificate.der().clone()], &KeyPair::generate().unwrap());
        let config = config(&[&world.trusted], Some(shown), version);
        let answer = world.open(&config).and_then(|mut connection| connection.service());
        assert!(answer.is_err(), "{answer:?}");
    }
    let garbage = Shown::new(vec![vec![0x30, 0x03, 1, 2, 3].into()], &KeyPair::generate().unwrap());
    assert!(world.open(&world.config(Some(garbage))).and_then(|mut it| it.service()).is_err());
    assert_eq!(world.open(&world.config(None)).unwrap().service().unwrap(), 401);
}

#[test]
fn a_revocation_counts_on_connections_that_are_open_and_on_resumed_ones() {
    let world = World::new(&[]);
    let (certificate, key) = issue(&world.issuer);
    let config = world.config(Some(Shown::new(vec![certificate.der().clone()], &key)));
    let mut open = world.open(&config).unwrap();
    assert_eq!(open.service().unwrap(), 200);
    // A resumed connection has the certificate of the first.
    let mut resumed = world.open(&config).unwrap();
    assert_eq!(resumed.service().unwrap(), 200);
    assert!(resumed.is_resumed());

    world.administer("/revoked-certificates", &json!({"certificate": certificate.pem()}));

    assert_eq!(open.service().unwrap(), 401);
    assert_eq!(resumed.service().unwrap(), 401);
    let mut later = world.open(&config).unwrap();
    assert_eq!(later.service().unwrap(), 401);
    // Another certificate of the same name is as good as before.
    let (certificate, key) = issue(&world.issuer);
    let config = world.config(Some(Shown::new(vec![certificate.der().clone()], &key)));
    assert_eq!(world.open(&config).unwrap().service().unwrap(), 200);
}

#[test]
fn a_listener_may_be_told_not_to_ask_for_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.toml");
    std::fs::write(&file, "[north]\nclient_certificates = false\n").unwrap();
    let world = World::new(&["--config", file.to_str().unwrap()]);
    let (certificate, key) = issue(&world.issuer);
    let shown = Shown::new(vec![certificate.der().clone()], &key);
    assert_eq!(world.open(&world.config(Some(shown))).unwrap().service().unwrap(), 401);
    assert_eq!(world.id.len(), 64);
}

#[test]
fn the_command_line_shows_a_certificate_and_needs_nothing_else() {
    let world = World::new(&[]);
    let (certificate, key) = issue(&world.issuer);
    let path = |name: &str| world.folder.path().join(name).to_str().unwrap().to_owned();
    for (name, text) in [("crm.crt", certificate.pem()), ("crm.key", key.serialize_pem()), ("empty", String::new())] {
        std::fs::write(path(name), text).unwrap();
    }
    let ask = |more: &[&str]| {
        let mut command = muster(["call", "getOwnRights", "--json", "--ca", &path("self-signed.crt")]);
        command.args(more).env("MUSTER_URL", format!("{}/wsi", world.server.url("north")));
        run(&mut command)
    };
    let (certificate, key) = (path("crm.crt"), path("crm.key"));
    let shown = ["--client-certificate", &certificate, "--client-key", &key];
    for more in [&[][..], &["--rest"]] {
        let told: Value = serde_json::from_str(&ask(&[&shown[..], more].concat()).ok()).unwrap();
        assert_eq!(told["userName"], "admin", "{told}");
    }
    assert!(ask(&[]).refused().starts_with("say who asks: "));
    let told = ask(&["--client-certificate", &key, "--client-key", &key]).refused();
    assert_eq!(told, format!("{key} holds no certificate in PEM"));
    let told = ask(&["--client-certificate", &certificate, "--client-key", &path("empty")]).refused();
    assert_eq!(told, format!("{} holds no private key in PEM", path("empty")));
    let told = ask(&[&shown[..], &["--url", "http://127.0.0.1:1/wsi"]].concat()).refused();
    assert!(told.starts_with("a client certificate is shown over https alone"), "{told}");
    let alone = ask(&["--client-certificate", &certificate]);
    assert!(alone.code == Some(2) && alone.err.contains("--client-key"), "{alone:?}");
}
