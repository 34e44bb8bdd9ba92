//! TLS towards receivers of callbacks: whom the server trusts, and what it shows of itself.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::Certificate;
use crate::config::Callbacks;

/// TLS towards receivers, with the certificate that is shown to them, if there is one.
pub(crate) fn outgoing(callbacks: &Callbacks) -> anyhow::Result<(Arc<ClientConfig>, Option<Arc<Certificate>>)> {
    let provider = Arc::new(default_provider());
    let certificate = match (&callbacks.tls_certificate, &callbacks.tls_key) {
        (Some(chain), Some(key)) => {
            Some(Arc::new(Certificate::read("callbacks", chain.clone(), key.clone(), provider.clone())?))
        }
        (None, None) => None,
        _ => anyhow::bail!("callbacks: tls_certificate and tls_key are given together"),
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match &callbacks.trust {
        Some(trust) => builder.with_root_certificates(trusted(trust)?),
        None => match Verifier::new(provider.clone()) {
            Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            Err(error) => {
                tracing::warn!(%error, "this system trusts nobody; no receiver is reached over TLS until callbacks.trust is set");
                builder.with_root_certificates(rustls::RootCertStore::empty())
            }
        },
    };
    let mut config = match &certificate {
        Some(certificate) => builder.with_client_cert_resolver(certificate.clone()),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), certificate))
}

fn trusted(path: &Path) -> anyhow::Result<rustls::RootCertStore> {
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from {}", path.display()))?;
    for certificate in certificates {
        roots.add(certificate).with_context(|| format!("{} has a certificate that is of no use", path.display()))?;
    }
    anyhow::ensure!(!roots.is_empty(), "cannot read certificates from {}: there are none", path.display());
    Ok(roots)
}
