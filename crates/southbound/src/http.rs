//! The routes of the device listener. Nothing else in this crate knows HTTP.
//!
//! Source: OMA DM 1.2, SyncML HTTP Binding.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use muster_protocol::dm1::HMAC_HEADER;

use crate::dm1::{Answer, Exchange, NoMessage, Post, Refusal};

/// The header that signs a message.
const HMAC: HeaderName = HeaderName::from_static(HMAC_HEADER);

/// `/dm`, where devices post, and `/dm/{token}`, where they are told to post the rest of a session.
pub fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route("/dm", post(without_token).fallback(only_post))
        .route("/dm/{token}", post(with_token).fallback(only_post))
        .with_state(exchange)
}

async fn without_token(State(exchange): State<Arc<Exchange>>, request: Request) -> Response {
    serve(&exchange, None, request).await
}

async fn with_token(State(exchange): State<Arc<Exchange>>, Path(token): Path<String>, request: Request) -> Response {
    serve(&exchange, Some(&token), request).await
}

async fn only_post(State(exchange): State<Arc<Exchange>>) -> Response {
    exchange.counters().no_message(NoMessage::NotPost);
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "devices post SyncML DM messages here\n")
        .into_response()
}

async fn serve(exchange: &Exchange, token: Option<&str>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let max = exchange.body_bytes_max();
    if head.headers.contains_key(header::CONTENT_ENCODING) {
        exchange.counters().no_message(NoMessage::ContentEncoding);
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Encoding is not part of the binding\n").into_response();
    }
    // One that announces more is refused before it comes.
    let announced = body.size_hint().lower();
    let body = if announced > max.into() { None } else { axum::body::to_bytes(body, max as usize).await.ok() };
    let Some(body) = body else {
        exchange.counters().too_large();
        return refuse(&Refusal::TooLarge { max });
    };
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let post = Post {
        content_type: text(header::CONTENT_TYPE),
        user_agent: text(header::USER_AGENT),
        hmac: text(HMAC),
        peer: head.extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip()),
        token,
        body: &body,
    };
    match exchange.take(post).await {
        Ok(answer) => reply(answer),
        Err(refusal) => refuse(&refusal),
    }
}

fn reply(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(value) = answer.hmac.and_then(|it| HeaderValue::try_from(it).ok()) {
        headers.insert(HMAC, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::NotSyncml => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Unreadable(error) => StatusCode::from_u16(error.status().0).unwrap_or(StatusCode::BAD_REQUEST),
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::NotNow { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = (status, format!("{refusal}\n")).into_response();
    if let Refusal::NotNow { retry_after_s } = refusal {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
    }
    response
}
