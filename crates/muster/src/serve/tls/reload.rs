//! Certificates of listeners that are read anew when their files change, or when the process gets SIGHUP.
//!
//! A connection keeps what its handshake showed. Files that cannot be used change nothing: the certificate of before
//! stays, the log says what is wrong, and the metrics show it until the files are right again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use muster_southbound::dm1::Family;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// The certificate of a listener.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The listener.
    name: &'static str,
    chain: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    shown: RwLock<Arc<CertifiedKey>>,
    /// The files as they were when they were last read, well or not.
    seen: Mutex<Seen>,
    is_broken: AtomicBool,
    /// Whether the files were of no use when they were last read, and are read once more before that is told: somebody
    /// may have been in the middle of changing both.
    is_doubted: AtomicBool,
    reloads: AtomicU64,
    failures: AtomicU64,
    /// Seconds since 1970; 0 where it cannot be read.
    not_after_s: AtomicU64,
}

/// What tells whether a file has changed: a new file under the old name counts too.
type Seen = [Option<(SystemTime, u64, u64)>; 2];

fn seen(paths: [&Path; 2]) -> Seen {
    use std::os::unix::fs::MetadataExt as _;
    paths.map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    })
}

impl Certificate {
    /// Reads the certificate that a listener begins with.
    pub(super) fn read(
        name: &'static str,
        chain: PathBuf,
        key: PathBuf,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        let seen = seen([&chain, &key]);
        let shown = load(&chain, &key, &provider)?;
        let not_after_s = AtomicU64::new(end_of(&shown));
        Ok(Self {
            name,
            chain,
            key,
            provider,
            shown: RwLock::new(Arc::new(shown)),
            seen: Mutex::new(seen),
            is_broken: AtomicBool::new(false),
            is_doubted: AtomicBool::new(false),
            reloads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            not_after_s,
        })
    }

    /// Reads the files again if they have changed since they were last read, or if it `must`.
    fn look(&self, must: bool) {
        // Before they are read: what is written meanwhile is read the next time.
        let now = seen([&self.chain, &self.key]);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now && !must && !self.is_doubted.load(Ordering::Relaxed) {
                return;
            }
            *seen = now;
        }
        match load(&self.chain, &self.key, &self.provider) {
            Err(_) if !must && !self.is_doubted.swap(true, Ordering::Relaxed) => {}
            Ok(read) => {
                self.is_doubted.store(false, Ordering::Relaxed);
                self.not_after_s.store(end_of(&read), Ordering::Relaxed);
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                self.is_broken.store(false, Ordering::Relaxed);
                self.reloads.fetch_add(1, Ordering::Relaxed);
                tracing::info!(listener = self.name, "new connections get the certificate as it is now");
            }
            Err(error) => {
                self.is_doubted.store(false, Ordering::Relaxed);
                self.is_broken.store(true, Ordering::Relaxed);
                self.failures.fetch_add(1, Ordering::Relaxed);
                let cause = format!("{error:#}");
                tracing::error!(listener = self.name, cause, "the new certificate is of no use; the old one stays");
            }
        }
    }
}

/// Towards receivers of callbacks.
impl ResolvesClientCert for Certificate {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner).clone();
        shown.key.choose_scheme(schemes).map(|_| shown.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn load(chain: &Path, key: &Path, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from {}", chain.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "cannot read certificates from {}: there are none", chain.display());
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot read a key from {}", key.display()))?;
    CertifiedKey::from_der(certificates, key, provider).context("certificate and key do not fit each other")
}

fn end_of(shown: &CertifiedKey) -> u64 {
    let end = shown.cert.first().and_then(muster_northbound::identity::end_of_certificate);
    end.and_then(|end| u64::try_from(end.0 / 1000).ok()).unwrap_or(0)
}

/// Watches over certificates until it is dropped.
pub(crate) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to watch over the certificates of listeners; nothing where there are none. From then on SIGHUP no longer ends
/// the process.
pub(crate) fn watch(certificates: Vec<Arc<Certificate>>) -> anyhow::Result<Option<Watch>> {
    if certificates.is_empty() {
        return Ok(None);
    }
    let mut told = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let task = tokio::spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let must = tokio::select! {
                _ = tick.tick() => false,
                _ = told.recv() => true,
            };
            let certificates = certificates.clone();
            let look = move || certificates.iter().for_each(|certificate| certificate.look(must));
            // Files may lie on a disk that is slow or away.
            let _ = tokio::task::spawn_blocking(look).await;
        }
    });
    Ok(Some(Watch(task)))
}

/// What is told about certificates.
pub(crate) fn families(certificates: &[Arc<Certificate>]) -> Vec<Family> {
    let family = |name, help, value: fn(&Certificate) -> u64| Family {
        name,
        help,
        label: "listener",
        values: certificates.iter().map(|certificate| (certificate.name, value(certificate))).collect(),
    };
    if certificates.is_empty() {
        return Vec::new();
    }
    vec![
        family("muster_tls_certificate_reloads_total", "Certificates that were read anew.", |it| {
            it.reloads.load(Ordering::Relaxed)
        }),
        family("muster_tls_certificate_failures_total", "New certificates that were of no use.", |it| {
            it.failures.load(Ordering::Relaxed)
        }),
        family("muster_tls_certificate_broken", "1 while the files hold no certificate that is of use.", |it| {
            u64::from(it.is_broken.load(Ordering::Relaxed))
        }),
        family("muster_tls_certificate_end_seconds", "When the certificate shown ends, in seconds since 1970.", |it| {
            it.not_after_s.load(Ordering::Relaxed)
        }),
    ]
}
