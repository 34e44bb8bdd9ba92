//! One connection to a receiver, opened to the very address that was checked.
//!
//! Written over hyper rather than over a client library: such libraries look names up where nobody sees it, keep
//! connections by name, and connect to numbers without asking a resolver at all. Here a name is looked up once, every
//! address it has is checked, and the socket is opened to one of these.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use muster_broker::callback::network::{self, Allowed, Forbidden, Place};
use muster_broker::callback::{CallbackUrl, Scheme};
use muster_broker::store::Claimed;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::Settings;
use super::message::Message;
use super::resolve::Resolve;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Most octets of the head of an answer.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Most header lines of an answer.
const HEADERS_MAX: usize = 64;

/// Why there is no answer, in words for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It was not tried: the address is not allowed.
    #[error("{0}")]
    Refused(String),
    /// The receiver was not reached, or did not answer as it must.
    #[error("{0}")]
    Broken(String),
    /// The connection had been closed before anything was sent over it.
    #[error("the receiver closed the connection")]
    Closed,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// An open connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Looks the host up, checks every address, connects and shakes hands.
    pub(super) async fn open(
        url: &CallbackUrl,
        allowed: &Allowed,
        settings: &Settings,
        tls: &Arc<ClientConfig>,
        resolver: &dyn Resolve,
    ) -> Result<Self, Failure> {
        let until = Instant::now() + settings.connect;
        let slow = || Failure::Broken(format!("no connection within {} s", settings.connect.as_secs()));
        let addresses = timeout_at(until, addresses(url, resolver)).await.map_err(|_| slow())??;
        for address in &addresses {
            check(url, address.ip(), allowed, settings.plain_http)
                .map_err(|error| Failure::Refused(format!("{} is not connected to: {error}", url.host())))?;
        }
        let mut last = slow();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            let opened = async {
                let stream = TcpStream::connect(address).await.map_err(|error| unreached(&error))?;
                let _ = stream.set_nodelay(true);
                match url.scheme() {
                    Scheme::Http => handshake(stream).await,
                    Scheme::Https => {
                        let name = server_name(url)?;
                        let connector = TlsConnector::from(Arc::clone(tls));
                        let stream = connector
                            .connect(name, stream)
                            .await
                            .map_err(|error| Failure::Broken(format!("TLS with the receiver failed: {error}")))?;
                        handshake(stream).await
                    }
                }
            };
            match timeout_at(until, opened).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(failure)) => last = failure,
                Err(_) => return Err(slow()),
            }
        }
        Err(last)
    }

    /// The connection, if it can take another message.
    pub(super) async fn ready(mut self) -> Option<Self> {
        let is_ready = tokio::time::timeout(Duration::from_millis(100), self.sender.ready()).await;
        matches!(is_ready, Ok(Ok(()))).then_some(self)
    }

    /// Posts a message and reads the answer to its end.
    pub(super) async fn post(
        &mut self,
        message: &Message,
        claimed: &Claimed,
        settings: &Settings,
    ) -> Result<Response, Failure> {
        let until = Instant::now() + settings.answer;
        let slow = || Failure::Broken(format!("no answer within {} s", settings.answer.as_secs()));
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = claimed
            .url
            .target()
            .parse()
            .map_err(|_| Failure::Refused("the path of the address cannot be asked for".to_owned()))?;
        *request.headers_mut() = headers(message, &claimed.url)?;
        let response = timeout_at(until, self.sender.send_request(request)).await.map_err(|_| slow())?;
        let response = response.map_err(|error| {
            if error.is_canceled() || error.is_closed() {
                Failure::Closed
            } else {
                Failure::Broken(format!("the connection broke before an answer came: {error}"))
            }
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), settings.answer_bytes_max);
        let body = timeout_at(until, body.collect()).await.map_err(|_| slow())?.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failure::Broken(format!("the answer has more than {} octets", settings.answer_bytes_max))
            } else {
                Failure::Broken("the answer broke off".to_owned())
            }
        })?;
        Ok(Response { status, body: body.to_bytes() })
    }
}

/// Where the host is. A number is what it says and is looked up nowhere.
async fn addresses(url: &CallbackUrl, resolver: &dyn Resolve) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(ip) = url.ip() {
        return Ok(vec![SocketAddr::new(ip, url.port())]);
    }
    let found = resolver.resolve(url.host(), url.port()).await;
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Failure::Broken(format!("{} has no address", url.host()))),
        Err(error) => Err(Failure::Broken(format!("{} is not found: {error}", url.host()))),
    }
}

/// Checks an address that is about to be connected to. One that is forbidden forbids the name: who mixes them means no
/// good.
fn check(url: &CallbackUrl, address: IpAddr, allowed: &Allowed, plain_http: bool) -> Result<(), Forbidden> {
    if url.scheme() == Scheme::Http && !(plain_http && network::place(address) == Place::Loopback) {
        return Err(Forbidden::PlainHttp);
    }
    network::check(address, allowed)
}

fn server_name(url: &CallbackUrl) -> Result<ServerName<'static>, Failure> {
    match url.ip() {
        Some(ip) => Ok(ServerName::IpAddress(ip.into())),
        None => ServerName::try_from(url.host().to_owned())
            .map_err(|_| Failure::Refused("the host is no name that a certificate can have".to_owned())),
    }
}

async fn handshake<S>(stream: S) -> Result<Connection, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::Broken(format!("the connection broke: {error}")))?;
    let driver = tokio::spawn(async move {
        // What goes wrong is seen by whoever waits for the answer.
        let _ = connection.await;
    });
    Ok(Connection { sender, driver })
}

fn headers(message: &Message, url: &CallbackUrl) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    let unsayable = |_| Failure::Refused("a header of the message cannot be sent".to_owned());
    headers.insert(header::HOST, HeaderValue::from_str(url.authority()).map_err(unsayable)?);
    let agent = HeaderValue::from_static(concat!("muster/", env!("CARGO_PKG_VERSION")));
    headers.insert(header::USER_AGENT, agent);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(message.body.len()));
    for (name, value) in &message.headers {
        let mut value = HeaderValue::from_str(value).map_err(unsayable)?;
        value.set_sensitive(*name == header::AUTHORIZATION);
        headers.insert(HeaderName::clone(name), value);
    }
    Ok(headers)
}

fn unreached(error: &std::io::Error) -> Failure {
    Failure::Broken(format!("the receiver cannot be reached: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_spoken_only_to_this_machine_and_only_where_the_operator_allows_it() {
        let plain = CallbackUrl::parse("http://a.example/").unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        let (private, none) = (Allowed { every_private: true, networks: Vec::new() }, Allowed::default());
        assert_eq!(check(&plain, loopback, &private, true), Ok(()));
        assert_eq!(check(&plain, loopback, &none, true), Err(Forbidden::Private));
        assert_eq!(check(&plain, loopback, &private, false), Err(Forbidden::PlainHttp));
        assert_eq!(check(&plain, public, &private, true), Err(Forbidden::PlainHttp));
    }
}
