use super::facts::{Facts, Mark};
use super::{Kind, Node, Tone, Value, data, element};
use crate::dm1::notification::{DIGEST_BYTES, Sealed, Version};

/// Explains package 0, field by field as far as its octets go.
pub(super) fn explain(octets: &[u8], facts: &mut Facts) -> Node {
    let mut document = Node::document("package 0").noted(format!("notification, {} octets", octets.len()));
    let read = Sealed::read(octets);
    if let Some((digest, trigger)) = octets.split_first_chunk::<DIGEST_BYTES>() {
        let value = Some(Value::Octets(digest.to_vec()));
        let mut digest = Node { kind: Kind::Field, value, ..Node::element("digest", Some(0)) };
        if read.is_ok() {
            facts.digests.push(octets.to_vec());
            digest.mark = Some(Mark::Digest(facts.digests.len() - 1));
        }
        document.children.push(digest);
        if let Some((bits, rest)) = trigger.split_first_chunk::<8>() {
            header(&mut document, u64::from_be_bytes(*bits), rest);
        }
    }
    if let Err(error) = read {
        document.fail(octets.len(), error);
    }
    document
}

/// `bits` is the header behind the digest, `rest` all that follows.
fn header(document: &mut Node, bits: u64, rest: &[u8]) {
    let version = (bits >> 54) as u16;
    let mut field = Node::field("version", 16, version.to_string());
    let name = Version::new(version).map(|it| it.to_string()).unwrap_or_default();
    match version {
        11 => field.note(Tone::Plain, "1.1, as for DM 1.1.2 and DM 1.2"),
        _ => field.note(Tone::Odd, format!("{name}; devices of DM 1.2 expect 11")),
    }
    document.children.push(field);
    let ui_mode = ["not specified", "background", "informative", "user interaction"];
    let mode = (bits >> 52 & 0b11) as usize;
    document.children.push(Node::field("ui-mode", 17, mode.to_string()).noted(*ui_mode.get(mode).unwrap_or(&"")));
    let initiator = bits >> 51 & 1;
    let who = if initiator == 0 { "the user" } else { "the server" };
    document.children.push(Node::field("initiator", 17, initiator.to_string()).noted(who));
    let future_use = bits >> 24 & 0x07FF_FFFF;
    let mut field = Node::field("future-use", 17, future_use.to_string());
    if future_use != 0 {
        field.note(Tone::Odd, "is 0 in DM 1.2");
    }
    document.children.push(field);
    let session_id = bits >> 8 & 0xFFFF;
    let field = Node::field("sessionid", 21, format!("0x{session_id:04X}"));
    document.children.push(field.noted(format!("SessionID {session_id:X} in package 1")));
    let length = (bits & 0xFF) as usize;
    document.children.push(Node::field("length-identifier", 23, length.to_string()));
    let identifier = rest.get(..length).unwrap_or(rest);
    document.children.push(field_of("server-identifier", 24, identifier));
    if let Some(body @ [_, ..]) = rest.get(length..) {
        document.children.push(field_of("vendor-specific", 24 + length, body).noted(format!("{} octets", body.len())));
    }
}

/// A field of octets that may be text.
pub(super) fn field_of(name: &str, at: usize, octets: &[u8]) -> Node {
    let value = Some(element::value(octets.to_vec())).filter(|_| !octets.is_empty());
    Node { kind: Kind::Field, value, ..Node::element(name, Some(at)) }
}

/// A field of octets that are never text.
pub(super) fn octets_field(name: &str, at: usize, octets: &[u8]) -> Node {
    Node::field(name, at, data::preview(octets)).noted(format!("{} octets", octets.len()))
}
