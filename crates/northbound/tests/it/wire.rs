//! Over a socket: what only the connection shows.

use std::net::SocketAddr;

use muster_protocol::soap::Version;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{World, body, do_operation, envelope};

async fn connected(world: &World) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    TcpStream::connect(address).await.unwrap()
}

/// Reads until `end` stands at the end of something read.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut octets = [0; 4096];
    while !text.contains(end) {
        let count = stream.read(&mut octets).await.unwrap();
        assert!(count > 0, "the connection ended after {text:?}");
        text.push_str(std::str::from_utf8(&octets[..count]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let (world, session) = World::with_session().await;
    let text = envelope(Version::Soap11, "", &body("doOperation", &do_operation(&session)));
    let mut stream = connected(&world).await;
    let head = format!(
        "POST /wsi HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 100 Continue"));

    stream.write_all(text.as_bytes()).await.unwrap();

    let answer = until(&mut stream, "</soap:Envelope>").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<taskId>t"), "{answer}");
}

#[tokio::test]
async fn a_request_in_chunks_is_served_and_the_connection_goes_on() {
    let (world, session) = World::with_session().await;
    let text = envelope(Version::Soap11, "", &body("doOperation", &do_operation(&session)));
    let mut stream = connected(&world).await;
    for _ in 0..2 {
        stream
            .write_all(b"POST /wsi HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        for piece in text.as_bytes().chunks(100) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
            stream.write_all(piece).await.unwrap();
            stream.write_all(b"\r\n").await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let answer = until(&mut stream, "</soap:Envelope>").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_closes_the_connection_in_words() {
    let world = World::new().await;
    let mut stream = connected(&world).await;
    let head = "POST /wsi HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = until(&mut stream, "</soap:Envelope>").await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("RequestTooLarge"));
}
