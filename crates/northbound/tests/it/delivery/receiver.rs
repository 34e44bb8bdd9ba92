//! A receiver that listens on loopback and does as the test says.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What to do with a message.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Take every event.
    TakeAll,
    /// Take every event, and close the connection.
    TakeAllAndClose,
    /// Say that so many were taken.
    Take(i64),
    /// Answer with this status and body.
    Status(u16, String),
    /// Send to another place.
    Redirect(u16, String),
    /// Never answer.
    Silence,
    /// Answer with the head and then nothing.
    Stall,
    /// Answer with a body that does not end.
    Endless,
}

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The texts of all elements of this name, or the members of this name of a JSON array.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        if self.body.starts_with('[') {
            let array: Vec<serde_json::Value> = serde_json::from_str(&self.body).unwrap();
            return array.iter().filter_map(|it| it[name].as_str().map(str::to_owned)).collect();
        }
        let document = roxmltree::Document::parse(&self.body).unwrap();
        let named = document.descendants().filter(|node| node.tag_name().name() == name);
        named.map(|node| node.text().unwrap_or_default().to_owned()).collect()
    }
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(crate) async fn plain() -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None).await
    }

    /// At a place of its own, for example one where another receiver was.
    pub(crate) async fn at(address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, reactions) = (Arc::default(), Arc::default());
        let connections = Arc::new(AtomicUsize::new(0));
        let task =
            tokio::spawn(accept(listener, tls, Arc::clone(&seen), Arc::clone(&reactions), Arc::clone(&connections)));
        Self { address, seen, reactions, connections, task }
    }

    /// What to do with the next messages; after these, every event is taken.
    pub(crate) fn will(&self, reactions: impl IntoIterator<Item = Reaction>) {
        self.reactions.lock().unwrap().extend(reactions);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Connections that were opened.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The values of `name` over all messages.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.seen().iter().flat_map(|seen| seen.all(name)).collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    seen: Arc<Mutex<Vec<Seen>>>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    connections: Arc<AtomicUsize>,
) {
    // Ends with the receiver, connections and all.
    let mut open = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = connections.fetch_add(1, Ordering::SeqCst) + 1;
        let (tls, seen, reactions) = (tls.clone(), Arc::clone(&seen), Arc::clone(&reactions));
        open.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (seen, reactions) = (Arc::clone(&seen), Arc::clone(&reactions));
                async move { Ok::<_, Infallible>(react(request, connection, &seen, &reactions).await) }
            });
            let server = hyper::server::conn::http1::Builder::new();
            match tls {
                None => drop(server.serve_connection(TokioIo::new(stream), service).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        drop(server.serve_connection(TokioIo::new(stream), service).await);
                    }
                }
            }
        });
    }
}

async fn react(
    request: Request<Incoming>,
    connection: usize,
    seen: &Mutex<Vec<Seen>>,
    reactions: &Mutex<VecDeque<Reaction>>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
    let message = Seen {
        path: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        connection,
    };
    let count = i64::try_from(message.all("eventId").len()).unwrap();
    let soap = |count: i64| ack(message.header("content-type"), count);
    seen.lock().unwrap().push(message.clone());
    let reaction = reactions.lock().unwrap().pop_front().unwrap_or(Reaction::TakeAll);
    let with = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap();
    match reaction {
        Reaction::TakeAll => with(200, soap(count).into()),
        Reaction::TakeAllAndClose => {
            Response::builder().status(200).header("connection", "close").body(soap(count).into()).unwrap()
        }
        Reaction::Take(count) => with(200, soap(count).into()),
        Reaction::Status(status, body) => with(status, body.into()),
        Reaction::Redirect(status, to) => {
            Response::builder().status(status).header("location", to).body(Body::empty()).unwrap()
        }
        Reaction::Silence => std::future::pending().await,
        Reaction::Stall => with(200, Body::new(Never { chunk: None })),
        Reaction::Endless => with(200, Body::new(Never { chunk: Some(Bytes::from(vec![b' '; 8192])) })),
    }
}

/// A body without an end: the same piece again and again, or nothing at all.
struct Never {
    chunk: Option<Bytes>,
}

impl hyper::body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        match &self.chunk {
            Some(chunk) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(chunk.clone())))),
            None => std::task::Poll::Pending,
        }
    }
}

/// The answer that says how many were taken.
pub(crate) fn ack(content_type: &str, count: i64) -> String {
    if content_type.starts_with("application/json") {
        return format!("{{\"acceptedCount\":{count}}}");
    }
    let soap = if content_type.starts_with("text/xml") {
        "http://schemas.xmlsoap.org/soap/envelope/"
    } else {
        "http://www.w3.org/2003/05/soap-envelope"
    };
    format!(
        "<s:Envelope xmlns:s='{soap}'><s:Body><notifyEventsResponse xmlns='urn:muster:dmwsi:v1'><ack>\
         <acceptedCount>{count}</acceptedCount></ack></notifyEventsResponse></s:Body></s:Envelope>"
    )
}
