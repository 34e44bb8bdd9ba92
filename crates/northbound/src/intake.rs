//! Requests as they arrive, before anybody looks into them: what a body may weigh and how long it may take.

use std::net::{IpAddr, SocketAddr};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use muster_broker::fault::{Fault, FaultName};

use crate::wsi::Inner;

/// Bodies above this are parsed where blocking is allowed.
pub(crate) const LARGE_BYTES: usize = 64 << 10;

/// Why there is no body.
pub(crate) enum NotTaken {
    /// It took too long to arrive.
    TooSlow,
    /// It is too large, or ended before its end. The rest of it is not read, so the connection is of no further use.
    Fault(Fault),
}

impl Inner {
    /// Reads the body up to the limit.
    pub(crate) async fn body(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, NotTaken> {
        let max = usize::try_from(self.broker.settings().request_bytes_max).unwrap_or(usize::MAX);
        let too_large = || {
            let text = format!("the request exceeds the limit of {max} octets");
            NotTaken::Fault(Fault::new(FaultName::RequestTooLarge, text).with(max))
        };
        let told = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|told| told > max as u64) {
            return Err(too_large());
        }
        match tokio::time::timeout(self.settings.body_time, axum::body::to_bytes(body, max)).await {
            Err(_) => Err(NotTaken::TooSlow),
            Ok(Ok(octets)) => Ok(octets),
            Ok(Err(error)) => {
                // Either the limit was reached, or the connection broke.
                if std::error::Error::source(&error).is_some_and(|cause| cause.is::<LengthLimitError>()) {
                    return Err(too_large());
                }
                Err(NotTaken::Fault(Fault::new(FaultName::MalformedMessage, "the request ended before its end")))
            }
        }
    }
}

/// The fault for what went wrong here.
pub(crate) fn internal_error() -> Fault {
    let text = "the server failed; its operator finds the reason by the correlation identifier";
    Fault::new(FaultName::InternalError, text)
}

/// The address of the peer, where the listener tells it.
pub(crate) fn peer_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}
