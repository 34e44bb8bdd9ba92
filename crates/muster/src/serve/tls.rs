//! TLS of the listeners: their certificates, which may change while they serve, and those that clients show.

mod client;
mod outgoing;
mod reload;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

pub(super) use outgoing::outgoing;
pub(super) use reload::{Certificate, Watch, families, watch};

use crate::config::Listener;

/// TLS of one listener.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// What it shows, which may be read anew.
    pub(super) certificate: Arc<Certificate>,
}

/// Whether a listener asks its clients for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    /// It asks. A client that shows none is served as well.
    Asked,
    /// It does not.
    NotAsked,
}

/// TLS for a listener of this name, or nothing if it speaks plain HTTP.
pub(super) fn of(
    name: &'static str,
    listener: &Listener,
    clients: Clients,
    data: &Path,
) -> anyhow::Result<Option<Tls>> {
    let (chain, key) = match (&listener.tls_certificate, &listener.tls_key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (None, None) if listener.self_signed => self_signed(data)?,
        (None, None) => return Ok(None),
        _ => anyhow::bail!("tls_certificate and tls_key are given together"),
    };
    let provider = Arc::new(default_provider());
    let certificate = Arc::new(Certificate::read(name, chain, key, provider.clone())?);
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(match clients {
            Clients::Asked => Arc::new(client::Possession::new(&provider)),
            Clients::NotAsked => WebPkiClientVerifier::no_client_auth(),
        });
    let mut config = builder.with_cert_resolver(certificate.clone());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), certificate }))
}

/// Makes a certificate for loopback names, or takes the one made before, so that a client that trusts it goes on to.
fn self_signed(data: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (data.join("self-signed.crt"), data.join("self-signed.key"));
    if !(certificate.exists() && key.exists()) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
        write_private(&key, &made.signing_key.serialize_pem())?;
        let written = std::fs::write(&certificate, made.cert.pem());
        written.with_context(|| format!("cannot write {}", certificate.display()))?;
    }
    Ok((certificate, key))
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
