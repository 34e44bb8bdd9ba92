//! How the commands reach a server, and what they show it of who asks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

/// TLS towards a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// Certificates that are trusted besides those of the system, PEM.
    pub(crate) trust: Option<PathBuf>,
    /// Certificate chain and key that are shown, PEM.
    pub(crate) shown: Option<(PathBuf, PathBuf)>,
}

/// What a request shows besides the certificate of its connection.
#[derive(Clone, Default)]
pub(crate) enum Credential {
    /// Nothing.
    #[default]
    None,
    /// Name and password, by HTTP Basic.
    Basic(String, String),
    /// An API key or a token of an identity provider.
    Key(String),
    /// A session that was opened before.
    Session(String),
}

impl Credential {
    /// The request with `Authorization`, where this goes there.
    pub(crate) fn on(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic(name, password) => request.basic_auth(name, Some(password)),
            Self::Key(text) | Self::Session(text) => request.bearer_auth(text),
        }
    }
}

/// A client of the server whose WSI is at `url`. An answer that takes longer than `time` is none.
pub(crate) fn http_client(url: &str, tls: &Tls, time: Option<Duration>) -> anyhow::Result<reqwest::Client> {
    let parsed = reqwest::Url::parse(url).ok().filter(|it| matches!(it.scheme(), "http" | "https"));
    let parsed =
        parsed.with_context(|| format!("{url} is no address of a WSI; write one like http://127.0.0.1:8080/wsi"))?;
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(time) = time {
        builder = builder.timeout(time);
    }
    for certificate in tls.trust.as_deref().map(trusted).transpose()?.unwrap_or_default() {
        builder = builder.add_root_certificate(certificate);
    }
    if let Some((certificate, key)) = &tls.shown {
        anyhow::ensure!(
            parsed.scheme() == "https",
            "a client certificate is shown over https alone, and {url} is not; write an address with https"
        );
        builder = builder.identity(identity(certificate, key)?);
    }
    Ok(builder.build()?)
}

/// Where the REST face of the server is whose WSI is at `url`.
pub(crate) fn origin(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix("/wsi").unwrap_or(url)
}

/// The certificates in a PEM file, at least one.
pub(crate) fn trusted(path: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let pem = read(path)?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not understood", path.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "{} holds no certificate in PEM", path.display());
    Ok(certificates)
}

fn identity(certificate: &Path, key: &Path) -> anyhow::Result<reqwest::Identity> {
    for (path, what) in [(certificate, "CERTIFICATE-----"), (key, "PRIVATE KEY-----")] {
        let pem = read(path)?;
        anyhow::ensure!(
            pem.windows(what.len()).any(|it| it == what.as_bytes()),
            "{} holds no {} in PEM",
            path.display(),
            what.trim_end_matches('-').to_lowercase()
        );
    }
    let mut pem = read(certificate)?;
    pem.push(b'\n');
    pem.extend(read(key)?);
    let both = || format!("{} and {} are not understood", certificate.display(), key.display());
    reqwest::Identity::from_pem(&pem).with_context(both)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Why a request has no answer.
pub(crate) fn unreached(url: &str, error: &reqwest::Error) -> anyhow::Error {
    if error.is_timeout() {
        return anyhow::anyhow!("{url} does not answer in time");
    }
    anyhow::anyhow!("cannot reach {url}: {}", root(error))
}

/// Why an answer is not there to its end.
pub(crate) fn broken(error: &reqwest::Error) -> anyhow::Error {
    anyhow::anyhow!("the answer broke off: {}", root(error))
}

/// The innermost reason, without the layers of the client above it.
fn root(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
