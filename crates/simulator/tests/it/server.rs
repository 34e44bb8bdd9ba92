//! A small DM server that gives every device the same work and keeps what it heard.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode as HttpStatus, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Address, Alert, Command, Encoding, Header, Message, Meta, Status, StatusCode};

/// What the server does, and what it heard.
#[derive(Default)]
pub(crate) struct Server {
    /// Commands for the first final package of each session, their `CmdID`s set here.
    pub(crate) work: Vec<Command>,
    /// `MaxMsgSize` it announces.
    pub(crate) max_msg_size: Option<u64>,
    /// Path it gives in `RespURI`.
    pub(crate) resp_path: Option<&'static str>,
    /// HTTP status of every answer, unless it is nothing.
    pub(crate) http_status: Option<u16>,
    /// Answers go out in chunks, without their length.
    pub(crate) chunked: bool,
    pub(crate) heard: Mutex<Heard>,
}

#[derive(Default)]
pub(crate) struct Heard {
    /// Every message with its encoding and path, in order of arrival, repetitions included.
    pub(crate) messages: Vec<(Encoding, String, Message)>,
    /// Headers and octets of each.
    pub(crate) requests: Vec<(HeaderMap, Vec<u8>)>,
    /// Last answer by source, session and `MsgID`.
    answers: HashMap<(String, String, String), Vec<u8>>,
    /// Sessions that have got their work.
    served: HashSet<(String, String)>,
}

impl Server {
    /// Listens on a port of its own and gives its address.
    pub(crate) async fn listen(self) -> (String, Arc<Self>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(self);
        let answer = |path: &'static str| {
            post(move |State(server): State<Arc<Self>>, headers: HeaderMap, body: Bytes| async move {
                server.answer(path, &headers, &body)
            })
        };
        let router = Router::new().route("/dm", answer("/dm")).route("/token", answer("/token"));
        let router = router.with_state(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, server)
    }

    /// Every message heard from the device with this `Source`.
    pub(crate) fn from(&self, source: &str) -> Vec<Message> {
        let heard = self.heard.lock().unwrap();
        let of_device = heard.messages.iter().filter(|(.., it)| it.header.source.uri == source);
        of_device.map(|(.., it)| it.clone()).collect()
    }

    fn answer(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> Response {
        if let Some(status) = self.http_status {
            return HttpStatus::from_u16(status).unwrap().into_response();
        }
        let encoding = match headers[header::CONTENT_TYPE].to_str().unwrap() {
            "application/vnd.syncml.dm+xml" | "application/vnd.syncml+xml" => Encoding::Xml,
            "application/vnd.syncml.dm+wbxml" | "application/vnd.syncml+wbxml" => Encoding::Wbxml,
            other => panic!("media type {other}"),
        };
        let message = Message::decode(encoding, body, &Limits::DEVICE).unwrap();
        let key = (
            message.header.source.uri.to_string(),
            message.header.session_id.to_string(),
            message.header.msg_id.to_string(),
        );
        let mut heard = self.heard.lock().unwrap();
        heard.requests.push((headers.clone(), body.to_vec()));
        heard.messages.push((encoding, path.to_owned(), message.clone()));
        let known = heard.answers.get(&key).cloned();
        let octets = known.unwrap_or_else(|| self.reply(&mut heard, &message).encode(encoding).unwrap());
        heard.answers.insert(key, octets.clone());
        let whole = Body::from(octets);
        let body = if self.chunked { Body::from_stream(whole.into_data_stream()) } else { whole };
        ([(header::CONTENT_TYPE, encoding.media_type())], body).into_response()
    }

    fn reply(&self, heard: &mut Heard, message: &Message) -> Message {
        let session = (message.header.source.uri.to_string(), message.header.session_id.to_string());
        let mut commands = vec![status(message, "0", "SyncHdr", StatusCode::AUTHENTICATED)];
        for command in &message.commands {
            if !matches!(command, Command::Status(_) | Command::Results(_)) {
                commands.push(status(message, command.cmd_id(), command.name(), StatusCode::OK));
            }
        }
        if !message.is_final {
            commands.push(Command::Alert(Alert { code: "1222".into(), ..Alert::default() }));
        } else if heard.served.insert(session) {
            commands.extend(self.work.iter().cloned());
        }
        for (id, command) in (1..).zip(&mut commands) {
            let id = id.to_string().into();
            match command {
                Command::Alert(it) => it.cmd_id = id,
                Command::Write(it) => it.cmd_id = id,
                Command::Get(it) => it.cmd_id = id,
                Command::Status(it) => it.cmd_id = id,
                other => panic!("work of kind {}", other.name()),
            }
        }
        let header = Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: message.header.session_id.clone(),
            msg_id: message.header.msg_id.clone(),
            target: message.header.source.clone(),
            source: Address::new("http://server"),
            resp_uri: self.resp_path.map(|path| {
                let base = message.header.target.uri.trim_end_matches("/dm").trim_end_matches("/token");
                format!("{base}{path}").into()
            }),
            meta: Meta { max_msg_size: self.max_msg_size, ..Meta::default() },
            ..Header::default()
        };
        Message { header, commands, is_final: message.is_final }
    }
}

fn status(message: &Message, cmd_ref: &str, cmd: &str, code: StatusCode) -> Command {
    Command::Status(Status {
        msg_ref: message.header.msg_id.clone(),
        cmd_ref: cmd_ref.into(),
        cmd: cmd.into(),
        code,
        ..Status::default()
    })
}
