//! TLS octet by octet, so that a test decides what is shown and when a connection ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SignatureScheme, StreamOwned};

/// What a client shows of itself.
#[derive(Debug)]
pub(crate) struct Shown(pub(crate) Arc<CertifiedKey>);

impl Shown {
    /// A chain and a key, which need not fit each other.
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, key: &rcgen::KeyPair) -> Self {
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let key = default_provider().key_provider.load_private_key(key).unwrap();
        Self(Arc::new(CertifiedKey::new(chain, key)))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A configuration that trusts the certificates of PEM texts.
pub(crate) fn config(
    trusted: &[&str],
    shown: Option<Shown>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for pem in trusted {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => builder.with_client_cert_resolver(Arc::new(shown)),
    })
}

/// An open connection.
pub(crate) struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    pub(crate) fn open(address: &str, config: &Arc<ClientConfig>) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&socket, Some(Duration::from_secs(30)))?;
        }
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(config.clone(), name).map_err(std::io::Error::other)?;
        Ok(Self(StreamOwned::new(client, socket)))
    }

    /// Sends a request and reads its answer: status and body. The connection stays open.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(text.as_bytes())?;
        let mut octets = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = self.0.read(&mut chunk)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            octets.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&octets);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap();
                return Ok((status, body.to_owned()));
            }
        }
    }

    /// Who answers here: 200 for somebody who is known.
    pub(crate) fn service(&mut self) -> std::io::Result<u16> {
        self.request("GET", "/api/v1/service", "", "").map(|(status, _)| status)
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The certificate of the server, once something was read.
    pub(crate) fn server(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }
}
