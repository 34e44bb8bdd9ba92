//! Who sent a message that cannot be read to its end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Encoding;
use super::blank::marked::{Marked, Step, WbxmlMarked, XmlMarked};
use crate::limits::Limits;
use crate::xml::document_text;

/// What the header of a message says of its sender, as far as it could be read. Nothing of it is proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// `SessionID`.
    pub session_id: String,
    /// `MsgID`, if it is a number.
    pub msg_id: Option<u32>,
    /// `Source/LocURI`.
    pub uri: String,
    /// `Source/LocName`, or the user of a Basic credential where there is none.
    pub name: Option<String>,
}

impl Sender {
    /// Reads the header of a message up to its end, or to where it breaks. Nothing if it does not say who sent it.
    #[must_use]
    pub fn read(encoding: Encoding, octets: &[u8], limits: &Limits) -> Option<Self> {
        let sender = match encoding {
            Encoding::Xml => Self::of(XmlMarked::new(&document_text(octets, limits).ok()?, limits)),
            Encoding::Wbxml => Self::of(WbxmlMarked::new(octets, limits).ok()?),
        };
        (!sender.uri.is_empty() || sender.name.is_some()).then_some(sender)
    }

    fn of<'a>(mut marked: impl Marked<'a>) -> Self {
        let mut sender = Self::default();
        let mut path: Vec<&str> = Vec::new();
        let mut text = String::new();
        let mut user = None;
        while let Ok(step) = marked.step() {
            match step {
                Step::Open(name) => {
                    path.push(name);
                    text.clear();
                }
                Step::Text(part) => text.push_str(&String::from_utf8_lossy(part)),
                Step::Char(character) => text.push(character),
                Step::Close => {
                    match path.as_slice() {
                        [_, "SyncHdr"] => break,
                        [_, "SyncHdr", "SessionID"] => sender.session_id.clone_from(&text),
                        [_, "SyncHdr", "MsgID"] => sender.msg_id = text.trim().parse().ok(),
                        [_, "SyncHdr", "Source", "LocURI"] => sender.uri.clone_from(&text),
                        [_, "SyncHdr", "Source", "LocName"] => sender.name = Some(text.clone()),
                        [_, "SyncHdr", "Cred", "Data"] => user = basic_user(&text),
                        _ => {}
                    }
                    path.pop();
                    text.clear();
                }
                Step::End => break,
            }
        }
        sender.name = sender.name.filter(|name| !name.is_empty()).or(user);
        sender
    }
}

fn basic_user(data: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(data.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, _)| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "<SyncML><SyncHdr><VerDTD>1.2</VerDTD><SessionID>a1</SessionID><MsgID>3</MsgID>\
        <Target><LocURI>http://dm</LocURI></Target><Source><LocURI>IMEI:49</LocURI><LocName>Bruce2</LocName></Source>";

    fn read(text: &str) -> Option<Sender> {
        Sender::read(Encoding::Xml, text.as_bytes(), &Limits::DEVICE)
    }

    #[test]
    fn the_sender_of_a_message_that_breaks_is_read_from_its_header() {
        let whole =
            Sender { session_id: "a1".into(), msg_id: Some(3), uri: "IMEI:49".into(), name: Some("Bruce2".into()) };
        for rest in ["", "</SyncHdr><SyncBody><Alert>", "</SyncHdr></SyncBody>", "</SyncHdr><SyncBody>&nbsp;"] {
            assert_eq!(read(&format!("{HEADER}{rest}")).as_ref(), Some(&whole), "{rest}");
        }
        let body = "</SyncHdr><SyncBody><Source><LocURI>other</LocURI></Source>";
        assert_eq!(read(&format!("{HEADER}{body}")), Some(whole));
    }

    #[test]
    fn nothing_is_known_of_who_does_not_say_who_he_is() {
        for text in ["", "<SyncML>", "<SyncML><SyncHdr><SessionID>1</SessionID></SyncHdr>", "\u{0}", "<a><b><c>"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Sender::read(Encoding::Wbxml, b"\x02\xA4\x01", &Limits::DEVICE), None);
    }

    #[test]
    fn the_user_of_a_basic_credential_is_the_name_where_no_other_is() {
        let name = |header: &str| {
            let cred = format!("<Cred><Data>{}</Data></Cred>", STANDARD.encode("Alice:secret"));
            read(&format!("<SyncML><SyncHdr>{header}{cred}</SyncHdr>")).and_then(|sender| sender.name)
        };
        assert_eq!(name("<Source><LocURI>u</LocURI></Source>").as_deref(), Some("Alice"));
        assert_eq!(name("<Source><LocURI>u</LocURI><LocName>Bob</LocName></Source>").as_deref(), Some("Bob"));
    }
}
