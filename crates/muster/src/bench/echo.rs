//! The bare limit: the same listener and HTTP stack, with nothing behind them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::routing::post;

use crate::serve::bare;

/// Serves `/first` and `/second`, which read the body and answer with octets of the lengths given, until it is ended.
pub(crate) async fn serve(first: usize, second: usize) -> anyhow::Result<()> {
    let canned = |length: usize| Bytes::from(vec![b'x'; length]);
    let router = Router::new()
        .route("/first", post(answer).with_state(canned(first)))
        .route("/second", post(answer).with_state(canned(second)));
    let listening = bare(router).await?;
    println!("{}", serde_json::json!({ "south": listening.url() }));
    std::future::pending::<()>().await;
    Ok(())
}

async fn answer(State(canned): State<Bytes>, body: Bytes) -> ([(header::HeaderName, &'static str); 2], Bytes) {
    std::hint::black_box(body.len());
    let media_type = (header::CONTENT_TYPE, "application/vnd.syncml.dm+wbxml");
    ([media_type, (header::CACHE_CONTROL, "no-store")], canned)
}
