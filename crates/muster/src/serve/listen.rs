//! Accepting connections: TLS, bounds, and an orderly end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use muster_northbound::identity::ClientCertificate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::tls::{Certificate, Tls};
use crate::config::Limits;

/// Bounds on connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    connections_max: usize,
    per_address_max: usize,
    header: Duration,
    request: Duration,
    handshake: Duration,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            connections_max: limits.connections,
            per_address_max: limits.connections_per_address,
            header: Duration::from_secs(limits.header_seconds),
            request: Duration::from_secs(limits.request_seconds),
            handshake: Duration::from_secs(limits.tls_handshake_seconds),
        }
    }
}

/// A listener at work.
pub(crate) struct Listening {
    address: SocketAddr,
    is_tls: bool,
    traffic: Arc<Traffic>,
    stop: watch::Sender<Option<Duration>>,
    handle: JoinHandle<()>,
}

/// What a listener lets in and answers, for the operator.
pub(super) struct Traffic {
    slots: Arc<Semaphore>,
    slots_max: usize,
    refused: AtomicU64,
    answers: [AtomicU64; Self::CLASSES.len()],
}

impl Traffic {
    /// Classes of status codes, in the order of their first digits; there are no others in answers of ours.
    const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

    fn new(connections_max: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(connections_max)),
            slots_max: connections_max,
            refused: AtomicU64::new(0),
            answers: Default::default(),
        }
    }

    /// A connection was closed at once because there were too many.
    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered.
    fn answer(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        if let Some(count) = class.and_then(|class| self.answers.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Connections that are open now.
    pub(super) fn open(&self) -> u64 {
        self.slots_max.saturating_sub(self.slots.available_permits()) as u64
    }

    /// Connections that may be open at once.
    pub(super) fn open_max(&self) -> u64 {
        self.slots_max as u64
    }

    /// Connections that were closed at once because there were too many.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Answers by the class of their status.
    pub(super) fn answers(&self) -> Vec<(&'static str, u64)> {
        Self::CLASSES.into_iter().zip(&self.answers).map(|(class, it)| (class, it.load(Ordering::Relaxed))).collect()
    }
}

/// An address that is taken; what connects waits until it is served.
pub(super) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Bound {
    pub(super) async fn to(address: SocketAddr, tls: Option<Tls>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, tls })
    }

    /// The certificate that clients are shown.
    pub(super) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.tls.as_ref().map(|tls| tls.certificate.clone())
    }

    /// Whether clients must speak TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves what connects, from now on.
    pub(super) fn serve(self, router: Router, bounds: Bounds) -> Listening {
        let Self { listener, address, tls } = self;
        let is_tls = tls.is_some();
        let traffic = Arc::new(Traffic::new(bounds.connections_max));
        let (stop, stopped) = watch::channel(None);
        let handle = tokio::spawn(accept(listener, tls, router, bounds, traffic.clone(), stopped));
        Listening { address, is_tls, traffic, stop, handle }
    }
}

impl Listening {
    /// Where clients find it, for example `http://127.0.0.1:8080`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }

    /// What it lets in and answers, counted from now on.
    pub(super) fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// Takes no more connections and lets the open ones finish their requests, at most for `patience`.
    pub(super) async fn stop(self, patience: Duration) {
        let _ = self.stop.send(Some(patience));
        let _ = self.handle.await;
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    bounds: Bounds,
    traffic: Arc<Traffic>,
    mut stopped: watch::Receiver<Option<Duration>>,
) {
    let addresses = Addresses::default();
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors: closing connections will help, spinning would not.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(slot) = traffic.slots.clone().try_acquire_owned() else {
            traffic.refuse();
            tracing::debug!(%peer, "connection refused: as many as allowed are open");
            continue;
        };
        let Some(place) = addresses.take(peer.ip(), bounds.per_address_max) else {
            traffic.refuse();
            tracing::debug!(%peer, "connection refused: as many as one address may have are open");
            continue;
        };
        let (tls, watcher) = (tls.clone(), graceful.watcher());
        let served = Served { router: router.clone(), bounds, traffic: traffic.clone() };
        tokio::spawn(async move {
            let _held = (slot, place);
            connection(stream, peer, tls, served, watcher).await;
        });
    }
    drop(listener);
    let patience = stopped.borrow().unwrap_or_default();
    let _ = tokio::time::timeout(patience, graceful.shutdown()).await;
}

/// What a connection is served with.
struct Served {
    router: Router,
    bounds: Bounds,
    traffic: Arc<Traffic>,
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<Tls>, served: Served, watcher: Watcher) {
    // Answers are one write; waiting to fill a packet would only cost time.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, peer, None, served, watcher).await,
        Some(tls) => match tokio::time::timeout(served.bounds.handshake, tls.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates();
                let shown = shown.and_then(ClientCertificate::new);
                serve(stream, peer, shown, served, watcher).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        },
    }
}

async fn serve<S>(stream: S, peer: SocketAddr, shown: Option<ClientCertificate>, served: Served, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Served { router, bounds, traffic } = served;
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (router, shown, traffic) = (router.clone(), shown.clone(), traffic.clone());
        async move {
            if is_ambiguous(request.version(), request.headers()) {
                traffic.answer(StatusCode::BAD_REQUEST);
                return Ok(ambiguous());
            }
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(shown) = shown {
                request.extensions_mut().insert(shown);
            }
            let answer = tokio::time::timeout(bounds.request, router.oneshot(request.map(Body::new))).await;
            let answer = answer.unwrap_or_else(|_| Ok(too_slow()));
            // A router cannot fail.
            answer.inspect(|answer: &Response<Body>| traffic.answer(answer.status()))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "connection broke");
    }
}

/// Whether whoever passed the request on may have seen another one than we do: one for no host, or for two. What is
/// ambiguous about the framing is refused by the parser; a length beside chunks it drops before we could see it, lets the
/// chunks count, and ends the connection after the answer.
///
/// Source: RFC 9112, sections 3.2 and 6.3.
fn is_ambiguous(version: Version, headers: &HeaderMap) -> bool {
    let hosts = headers.get_all(header::HOST).iter().count();
    hosts > 1 || (hosts == 0 && version >= Version::HTTP_11)
}

/// The answer to it. What follows on the connection may be part of the same request to somebody else.
fn ambiguous() -> Response<Body> {
    let text = "the request has no Host, or more than one; send one\n";
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn too_slow() -> Response<Body> {
    let mut response = Response::new(Body::from("the request took too long\n"));
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response
}

/// Open connections by address.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address; gives its place back when it ends.
struct Place {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    fn take(&self, address: IpAddr, max: usize) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Place { addresses: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_answers_are_counted() {
        let traffic = Traffic::new(2);
        let held = traffic.slots.clone().try_acquire_owned();
        assert!(held.is_ok());
        traffic.refuse();
        for status in [StatusCode::CONTINUE, StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::NOT_FOUND] {
            traffic.answer(status);
        }

        assert_eq!((traffic.open(), traffic.open_max(), traffic.refused()), (1, 2, 1));
        assert_eq!(traffic.answers(), [("2xx", 1), ("3xx", 0), ("4xx", 2), ("5xx", 0)]);

        drop(held);
        assert_eq!(traffic.open(), 0);
    }
}
