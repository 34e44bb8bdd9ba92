//! What devices get in the words of HTTP.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};
use muster_southbound::dm1::Settings;
use tower::ServiceExt as _;

use crate::phone::{Kind, Phone, header_status};
use crate::world::World;

async fn answer(world: &World, request: Request<Body>) -> Response<Body> {
    muster_southbound::router(world.exchange().clone()).oneshot(request).await.unwrap()
}

fn post(path: &str, content_type: &str, body: Vec<u8>) -> Request<Body> {
    Request::post(path).header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap()
}

/// A package 1 of a recorded device.
async fn package_1(world: &World, encoding: Encoding) -> Vec<u8> {
    let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
    world.record(&phone).await;
    phone.begin();
    phone.out.unwrap().encode(encoding).unwrap()
}

fn header_of<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_answer_has_the_media_type_of_the_request() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for path in ["/dm", "/dm/AAAAAAAAAAAAAAAA"] {
            let world = World::new();
            let body = package_1(&world, encoding).await;
            let content_type = format!("{}; charset=utf-8", encoding.media_type());

            let response = answer(&world, post(path, &content_type, body)).await;

            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header_of(&response, "content-type"), encoding.media_type());
            assert_eq!(header_of(&response, "cache-control"), "no-store");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(!body.is_empty());
        }
    }
}

#[tokio::test]
async fn other_methods_are_told_to_post() {
    let world = World::new();
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/dm").body(Body::empty()).unwrap();
        let response = answer(&world, request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(header_of(&response, "allow"), "POST", "{method}");
    }
}

#[tokio::test]
async fn other_paths_are_not_there() {
    let world = World::new();
    for path in ["/", "/dmx", "/dm/a/b"] {
        let response = answer(&world, post(path, Encoding::Xml.media_type(), Vec::new())).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_in_the_words_of_http() {
    let world = World::with(Settings { message_bytes_max: 3000, ..Settings::default() });
    let xml = Encoding::Xml.media_type();
    let rows = [
        ("text/plain", b"hello".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (xml, b"<SyncML".to_vec(), StatusCode::BAD_REQUEST),
        (xml, Vec::new(), StatusCode::BAD_REQUEST),
        (xml, vec![b' '; 3001], StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (content_type, body, status) in rows {
        let response = answer(&world, post("/dm", content_type, body)).await;
        assert_eq!(response.status(), status);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(text.ends_with(b"\n"));
    }
}

#[tokio::test]
async fn compressed_bodies_are_not_taken() {
    let world = World::new();
    let body = package_1(&world, Encoding::Xml).await;
    let mut request = post("/dm", Encoding::Xml.media_type(), body);
    request.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());

    assert_eq!(answer(&world, request).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_server_that_ends_tells_when_to_come_back() {
    let world = World::new();
    let body = package_1(&world, Encoding::Xml).await;
    world.exchange().drain();

    let response = answer(&world, post("/dm", Encoding::Xml.media_type(), body)).await;

    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header_of(&response, "retry-after"), "5");
}

#[tokio::test]
async fn a_challenge_is_answered_with_200_of_http() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    phone.device.account.client_nonce = None;
    world.record(&phone).await;
    phone.begin();
    let body = phone.out.unwrap().encode(Encoding::Xml).unwrap();

    let response = answer(&world, post("/dm", Encoding::Xml.media_type(), body)).await;

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, "www-authenticate"), "");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let message = Message::decode(Encoding::Xml, &body, &Limits::DEVICE).unwrap();
    assert_eq!(header_status(&message).0, 407);
}

#[tokio::test]
async fn a_query_and_the_headers_of_other_clients_are_passed_over() {
    let world = World::new();
    let body = package_1(&world, Encoding::Wbxml).await;
    let mut request = post("/dm?mode=Maintenance&Platform=WoA", "application/vnd.syncml.dm+wbxml", body);
    for (name, value) in [
        ("client-request-id", "1"),
        ("ms-signature", "AAAA"),
        ("mdm-genericalert", "com.example/x"),
        ("accept-charset", "UTF-8"),
        ("accept-encoding", "gzip, deflate"),
        ("cookie", "a=b"),
        ("connection", "close"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }

    let response = answer(&world, request).await;

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, "content-encoding"), "", "nothing is compressed");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let message = Message::decode(Encoding::Wbxml, &body, &Limits::DEVICE).unwrap();
    assert_eq!(header_status(&message).0, 212);
}
