//! Certificates of the listeners.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::Listener;

/// The acceptor for a listener, or nothing if it speaks plain HTTP.
pub(super) fn acceptor(listener: &Listener, data: &Path) -> anyhow::Result<Option<TlsAcceptor>> {
    let (chain, key) = match (&listener.tls_certificate, &listener.tls_key) {
        (Some(certificate), Some(key)) => read(certificate, key)?,
        (None, None) if listener.self_signed => self_signed(data)?,
        (None, None) => return Ok(None),
        _ => anyhow::bail!("tls_certificate and tls_key are given together"),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not fit each other")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(certificate: &Path, key: &Path) -> anyhow::Result<Identity> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from {}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot read a key from {}", key.display()))?;
    Ok((chain, key))
}

/// Makes a certificate for loopback names, or takes the one made before, so that a client that trusts it goes on to.
fn self_signed(data: &Path) -> anyhow::Result<Identity> {
    let (certificate, key) = (data.join("self-signed.crt"), data.join("self-signed.key"));
    if certificate.exists() && key.exists() {
        return read(&certificate, &key);
    }
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
    write_private(&key, &made.signing_key.serialize_pem())?;
    std::fs::write(&certificate, made.cert.pem()).with_context(|| format!("cannot write {}", certificate.display()))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    Ok((vec![made.cert.der().clone()], key))
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
