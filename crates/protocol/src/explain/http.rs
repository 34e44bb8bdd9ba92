//! Requests and responses one after the other, as a captured stream has them.
//!
//! Source: RFC 9112; OMA DM 1.2 HTTP Binding.

use std::borrow::Cow;

use super::facts::{Mac, Mark};
use super::run::Run;
use super::{Form, Kind, Node, Tone, Value};
use crate::prov::security::Sec;

/// Requests and responses of one stream that are read.
const MESSAGES_MAX: usize = 10_000;
/// Header fields of one message.
const FIELDS_MAX: usize = 200;

/// Why a stream cannot be read on. `at` counts octets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Neither a request line nor a status line.
    #[error("octet {at} begins neither a request nor a response")]
    StartLine {
        /// Where it begins.
        at: usize,
    },
    /// The stream ends in the header.
    #[error("stream ends at octet {at}, inside a header")]
    Header {
        /// Where it ends.
        at: usize,
    },
    /// A body that is shorter than announced.
    #[error("body at octet {at} has {left} octets of {length}")]
    Body {
        /// Where it begins.
        at: usize,
        /// Octets announced.
        length: usize,
        /// Octets that are there.
        left: usize,
    },
    /// A chunk that is not one.
    #[error("chunk at octet {at} is not one, or is cut off")]
    Chunk {
        /// Where it begins.
        at: usize,
    },
    /// A length that is no number.
    #[error("Content-Length of the message at octet {at} is not a number")]
    Length {
        /// Where the message begins.
        at: usize,
    },
    /// More messages than are read.
    #[error("stream has more than {max} requests and responses (octet {at})")]
    TooMany {
        /// The bound.
        max: usize,
        /// Where the next one begins.
        at: usize,
    },
}

const METHODS: [&[u8]; 7] = [b"POST ", b"GET ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"CONNECT "];
const VERSION: &[u8] = b"HTTP/1.";

/// Whether a request or response begins here.
pub(super) fn begins(octets: &[u8]) -> bool {
    octets.starts_with(VERSION) || METHODS.iter().any(|it| octets.starts_with(it))
}

/// One request or response.
pub(super) struct HttpMessage<'a> {
    at: usize,
    start_line: String,
    fields: Vec<(String, String, usize)>,
    body: Cow<'a, [u8]>,
    body_at: usize,
    failure: Option<(usize, HttpError)>,
}

impl HttpMessage<'_> {
    pub(super) fn is_request(&self) -> bool {
        !self.start_line.as_bytes().starts_with(VERSION)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
    }
}

/// All messages of a stream. What is none is passed over to the next beginning of one.
pub(super) fn messages(stream: &[u8]) -> (Vec<HttpMessage<'_>>, Option<(usize, HttpError)>) {
    let mut found = Vec::new();
    let mut failure = None;
    let mut at = 0;
    loop {
        at += stream.get(at..).unwrap_or_default().iter().take_while(|it| matches!(it, b'\r' | b'\n')).count();
        let rest = stream.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return (found, failure);
        }
        if found.len() == MESSAGES_MAX {
            return (found, Some((at, HttpError::TooMany { max: MESSAGES_MAX, at })));
        }
        if begins(rest) {
            let (message, next) = message(stream, at);
            found.push(message);
            at = next;
            continue;
        }
        failure = failure.or(Some((at, HttpError::StartLine { at })));
        match next_beginning(rest, 1) {
            Some(offset) => at += offset,
            None => return (found, failure),
        }
    }
}

/// Offset of the next beginning of a message, from `start` on.
fn next_beginning(octets: &[u8], start: usize) -> Option<usize> {
    (start..octets.len()).find(|offset| {
        let rest = octets.get(*offset..).unwrap_or_default();
        rest.starts_with(VERSION) || rest.starts_with(b"POST ")
    })
}

/// The message at `at`, and where the next one begins.
fn message(stream: &[u8], at: usize) -> (HttpMessage<'_>, usize) {
    let mut message = HttpMessage {
        at,
        start_line: String::new(),
        fields: Vec::new(),
        body: Cow::Borrowed(&[]),
        body_at: at,
        failure: None,
    };
    let mut line_at = at;
    loop {
        let rest = stream.get(line_at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|octet| *octet == b'\n') else {
            message.failure = Some((stream.len(), HttpError::Header { at: stream.len() }));
            return (message, stream.len());
        };
        let line = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).trim_end().to_owned();
        let this_at = line_at;
        line_at += length + 1;
        if message.start_line.is_empty() {
            message.start_line = line;
        } else if line.is_empty() {
            break;
        } else if line.starts_with([' ', '\t']) {
            // Old stacks fold long lines.
            if let Some(last) = message.fields.last_mut() {
                last.1.push(' ');
                last.1.push_str(line.trim());
            }
        } else if message.fields.len() < FIELDS_MAX {
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            message.fields.push((name.trim().to_owned(), value.trim().to_owned(), this_at));
        }
    }
    message.body_at = line_at;
    let next = body(stream, line_at, &mut message);
    (message, next)
}

/// Reads the body at `at`; returns where it ends.
fn body<'a>(stream: &'a [u8], at: usize, message: &mut HttpMessage<'a>) -> usize {
    let rest = stream.get(at..).unwrap_or_default();
    let without_body = ["100", "101", "204", "304"].iter().any(|it| message.start_line.get(9..12) == Some(it));
    if !message.is_request() && without_body {
        return at;
    }
    if message.field("Transfer-Encoding").is_some_and(|it| it.to_ascii_lowercase().contains("chunked")) {
        return chunks(stream, at, message);
    }
    let length = match message.field("Content-Length").map(str::parse::<usize>) {
        Some(Ok(length)) => length,
        Some(Err(_)) => {
            message.failure = Some((message.at, HttpError::Length { at: message.at }));
            next_beginning(rest, 0).unwrap_or(rest.len())
        }
        None if message.is_request() => 0,
        // A response without a length goes to the end of its connection; the next request may follow in the export.
        None => next_beginning(rest, 0).unwrap_or(rest.len()),
    };
    let body = rest.get(..length).unwrap_or(rest);
    if body.len() < length {
        message.failure = Some((stream.len(), HttpError::Body { at, length, left: body.len() }));
    }
    message.body = Cow::Borrowed(body);
    at + body.len()
}

fn chunks(stream: &[u8], start: usize, message: &mut HttpMessage<'_>) -> usize {
    let mut at = start;
    let mut body = Vec::new();
    let line = |at: usize| {
        let rest = stream.get(at..).unwrap_or_default();
        let length = rest.iter().position(|octet| *octet == b'\n')?;
        let text = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).trim().to_owned();
        Some((text, at + length + 1))
    };
    loop {
        let size = line(at).and_then(|(text, next)| {
            let digits = text.split(';').next().unwrap_or_default().trim().to_owned();
            Some((usize::from_str_radix(&digits, 16).ok()?, next))
        });
        let chunk = size.and_then(|(size, next)| Some((stream.get(next..)?.get(..size)?, next)));
        let Some((chunk, next)) = chunk else {
            message.failure = Some((at, HttpError::Chunk { at }));
            let rest = stream.get(at..).unwrap_or_default();
            at += next_beginning(rest, 0).unwrap_or(rest.len());
            break;
        };
        body.extend_from_slice(chunk);
        at = next + chunk.len();
        if chunk.is_empty() {
            // Trailer fields up to an empty line.
            while let Some((text, next)) = line(at) {
                at = next;
                if text.is_empty() {
                    break;
                }
            }
            break;
        }
        at = line(at).map_or(at, |(_, next)| next);
    }
    message.body = Cow::Owned(body);
    at
}

/// Header fields that hold secrets.
const SECRETS: [&str; 4] = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"];

impl Run<'_, '_> {
    /// A stream of both directions.
    pub(super) fn http(&mut self, stream: &[u8], depth: usize) -> Vec<Node> {
        let (messages, failure) = messages(stream);
        let mut nodes: Vec<Node> = messages.iter().map(|it| self.http_message(it, depth)).collect();
        if let Some((at, error)) = failure {
            let mut node = Node::document("HTTP stream");
            node.fail(at, error);
            nodes.push(node);
        }
        nodes
    }

    pub(super) fn http_message(&mut self, message: &HttpMessage<'_>, depth: usize) -> Node {
        let kind = if message.is_request() { "HTTP request" } else { "HTTP response" };
        let mut node = Node::document(kind).noted(message.start_line.clone());
        node.at = Some(message.at);
        for (name, value, at) in &message.fields {
            let mut field = Node::field(name, *at, value);
            if SECRETS.iter().any(|it| it.eq_ignore_ascii_case(name)) && !self.options.show_secrets {
                field.value = Some(Value::Hidden);
            }
            if name.eq_ignore_ascii_case("x-syncml-hmac") {
                self.facts.macs.push(Mac { header: value.clone(), body: message.body.to_vec() });
                field.mark = Some(Mark::Mac(self.facts.macs.len() - 1));
            }
            if name.eq_ignore_ascii_case("Content-Type") {
                self.text_security(&mut field, value, &message.body);
            }
            node.children.push(field);
        }
        let compressed = message.field("Content-Encoding").filter(|it| !it.eq_ignore_ascii_case("identity"));
        match compressed {
            Some(coding) => {
                let value = Some(Value::Octets(message.body.to_vec())).filter(|_| !message.body.is_empty());
                let mut body = Node { kind: Kind::Field, value, ..Node::element("body", Some(message.body_at)) };
                body.note(Tone::Odd, format!("compressed ({coding}), not opened"));
                node.children.push(body);
            }
            None => {
                let form =
                    message.field("Content-Type").and_then(form_of).filter(|form| looks_like(*form, &message.body));
                self.body(&mut node, &message.body, message.body_at, form, depth);
            }
        }
        if let Some((at, error)) = message.failure {
            node.fail(at, error);
        }
        node
    }

    /// `SEC` and `MAC` of a media type in text, as bootstrap over other pushes has them.
    fn text_security(&self, field: &mut Node, value: &str, body: &[u8]) {
        let parameter = |name: &str| {
            value.split(';').filter_map(|it| it.split_once('=')).find(|it| it.0.trim().eq_ignore_ascii_case(name))
        };
        let Some(sec) = parameter("SEC").and_then(|(_, text)| Sec::parse(text.trim().trim_matches('"'))) else {
            return;
        };
        let mac = parameter("MAC").map(|(_, text)| text.trim().trim_matches('"').to_owned());
        field.note(Tone::Plain, format!("{}: secret is {}", sec.name(), sec.needs()));
        self.mac(field, sec, mac.as_deref(), body);
    }
}

/// What a media type says that the body is.
fn form_of(content_type: &str) -> Option<Form> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match media_type.as_str() {
        "application/vnd.syncml.notification" => Form::Package0,
        it if it.ends_with("+wbxml") || it.ends_with("-wbxml") => Form::Wbxml,
        it if it.ends_with("+xml") || it.ends_with("-xml") || it.ends_with("/xml") => Form::Xml,
        _ => return None,
    })
}

/// Clients send XML under the name of WBXML and the other way round; package 0 comes as base64 too.
fn looks_like(form: Form, body: &[u8]) -> bool {
    match form {
        Form::Wbxml => !body.trim_ascii_start().starts_with(b"<"),
        Form::Xml => !matches!(body, [1..=3, ..]),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn bodies(stream: &[u8]) -> (Vec<Vec<u8>>, Option<HttpError>) {
        let (messages, failure) = messages(stream);
        let inner = messages.iter().find_map(|it| it.failure);
        (messages.iter().map(|it| it.body.to_vec()).collect(), failure.or(inner).map(|it| it.1))
    }

    #[test]
    fn lengths_chunks_and_the_next_message_end_a_body() {
        let stream = b"POST /dm HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\nTrailer: x\r\n\r\nPOST /dm HTTP/1.1\nContent-Length: 1\n\ngHTTP/1.0 200 OK\r\n\r\nhiPOST / HTTP/1.1\r\n\r\n";
        let expected = ["abc", "", "def", "g", "hi", ""].map(|it| it.as_bytes().to_vec()).to_vec();
        assert_eq!(bodies(stream), (expected, None));
    }

    #[test]
    fn streams_cut_anywhere_give_what_there_is() {
        let stream = b"POST /dm HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n";
        for length in 1..stream.len() {
            let (found, _) = bodies(&stream[..length]);
            assert!(found.len() <= 2, "{length}");
        }
        assert_eq!(bodies(&stream[..42]).1, Some(HttpError::Body { at: 40, length: 3, left: 2 }));
        assert_eq!(bodies(&stream[..30]).1, Some(HttpError::Header { at: 30 }));
        assert_eq!(bodies(&stream[..94]).1, Some(HttpError::Chunk { at: 90 }));
    }

    #[test]
    fn what_is_no_message_is_told_and_passed_over() {
        let (found, failure) = bodies(b"POST / HTTP/1.1\r\n\r\ngarbageHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!((found.len(), failure), (2, Some(HttpError::StartLine { at: 19 })));
        let (found, failure) =
            bodies(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!((found.len(), failure), (2, Some(HttpError::Length { at: 0 })));
        let huge = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx";
        assert_eq!(bodies(huge).1, Some(HttpError::Chunk { at: 47 }));
    }

    #[test]
    fn folded_lines_are_one_field() {
        let (messages, _) = messages(b"POST / HTTP/1.1\r\nx-syncml-hmac: algorithm=MD5,\r\n username=\"a\"\r\n\r\n");
        assert_eq!(messages[0].field("X-Syncml-Hmac"), Some("algorithm=MD5, username=\"a\""));
    }
}
