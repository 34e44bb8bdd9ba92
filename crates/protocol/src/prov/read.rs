use std::borrow::Cow;

use super::{Characteristic, Content, Document, PUBLIC_ID, PUBLIC_ID_TEXT, Parm, tables};
use crate::limits::Limits;
use crate::wbxml::{Attribute as Piece, PublicId, Reader, Token, WbxmlError};
use crate::xml::{Event, PullReader, XmlError, document_text};

/// Why octets are not a provisioning document. `at` counts octets from the start of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvError {
    /// Not XML that is taken.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not WBXML that is taken.
    #[error(transparent)]
    Wbxml(#[from] WbxmlError),
    /// Root element or public identifier of another document type.
    #[error("document is not wap-provisioningdoc")]
    NotProvisioning,
    /// A value token that no revision of the code pages has.
    #[error("no value has token {token:#04x} on attribute page {page} (octet {at})")]
    ValueToken {
        /// The token.
        token: u8,
        /// Attribute page.
        page: u8,
        /// Where the token ends.
        at: usize,
    },
    /// Octets of a value, or the name of an attribute, that are not UTF-8.
    #[error("attribute before octet {at} is not UTF-8 text")]
    NotText {
        /// Where it ends.
        at: usize,
    },
    /// A group outside a group of groups, a parameter outside a group, or another element.
    #[error("{element} is not allowed there (octet {at})")]
    Misplaced {
        /// The element.
        element: String,
        /// Where its start ends.
        at: usize,
    },
}

/// One attribute of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// `name`, `value`, `type`, `version`; for a token that is not known, its number and page.
    pub name: Cow<'a, str>,
    /// Its value, of all its pieces.
    pub value: String,
}

/// Reads the attributes of the element just opened with the code pages of provisioning documents.
///
/// # Errors
/// [`ProvError`].
pub fn wbxml_attributes<'a>(reader: &mut Reader<'a>) -> Result<Vec<Attribute<'a>>, ProvError> {
    let mut attributes: Vec<Attribute<'a>> = Vec::new();
    while let Some(piece) = reader.next_attribute()? {
        let at = reader.at();
        let text: Cow<'_, str> = match piece {
            Piece::Start { page, token } => {
                let (name, beginning) = match tables::start(page, token) {
                    Some((name, beginning)) => (Cow::Borrowed(name), beginning),
                    None => (Cow::Owned(format!("{token:#04x} of page {page}")), ""),
                };
                attributes.push(Attribute { name, value: beginning.to_owned() });
                continue;
            }
            Piece::Literal(name) => {
                let name = std::str::from_utf8(name).map_err(|_| ProvError::NotText { at })?;
                attributes.push(Attribute { name: name.into(), value: String::new() });
                continue;
            }
            Piece::Value { page, token } => {
                tables::value(page, token).ok_or(ProvError::ValueToken { token, page, at })?.into()
            }
            Piece::Text(text) => text.into(),
            Piece::Char(character) => character.to_string().into(),
            Piece::Opaque(octets) => std::str::from_utf8(octets).map_err(|_| ProvError::NotText { at })?.into(),
        };
        // A piece before the first attribute belongs to none.
        if let Some(attribute) = attributes.last_mut() {
            attribute.value.push_str(&text);
        }
    }
    Ok(attributes)
}

impl Document {
    /// Reads a document in WBXML or XML, which its first octet tells.
    ///
    /// Attributes and elements of other namespaces are passed over, as are attributes without a meaning.
    ///
    /// # Errors
    /// [`ProvError`].
    pub fn read(octets: &[u8], limits: &Limits) -> Result<Self, ProvError> {
        match octets {
            [1..=3, ..] => Self::read_wbxml(octets, limits),
            _ => Self::read_xml(octets, limits),
        }
    }

    /// Reads a document in WBXML.
    ///
    /// # Errors
    /// [`ProvError`].
    pub fn read_wbxml(octets: &[u8], limits: &Limits) -> Result<Self, ProvError> {
        let mut reader = Reader::new(octets, limits)?;
        let taken = match reader.header().public_id {
            PublicId::Number(id) => matches!(id, 1 | PUBLIC_ID),
            PublicId::Text(text) => text == PUBLIC_ID_TEXT.as_bytes(),
        };
        if !taken {
            return Err(ProvError::NotProvisioning);
        }
        let mut builder = Builder::default();
        loop {
            match reader.next_token()? {
                Token::Open { page, token } => {
                    let attributes = wbxml_attributes(&mut reader)?;
                    builder.open(tables::tag(page, token).unwrap_or("an unknown element"), &attributes, reader.at())?;
                }
                Token::Literal(name) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    let attributes = wbxml_attributes(&mut reader)?;
                    builder.open(&name, &attributes, reader.at())?;
                }
                Token::Close => builder.close(),
                Token::End => return Ok(builder.document),
                Token::Text(_) | Token::Char(_) | Token::Opaque(_) | Token::Extension { .. } => {}
            }
        }
    }

    /// Reads a document in XML.
    ///
    /// # Errors
    /// [`ProvError`].
    pub fn read_xml(octets: &[u8], limits: &Limits) -> Result<Self, ProvError> {
        let text = document_text(octets, limits)?;
        let mut reader = PullReader::new(&text, limits);
        let mut builder = Builder::default();
        loop {
            match reader.next_event()? {
                Event::Open { name, .. } => {
                    let mut attributes = Vec::new();
                    for attribute in reader.attributes() {
                        let (namespace, name, value) = attribute?;
                        if namespace.is_empty() {
                            attributes.push(Attribute { name: name.into(), value: value.into_owned() });
                        }
                    }
                    builder.open(name, &attributes, reader.at())?;
                }
                Event::Close => builder.close(),
                Event::End => return Ok(builder.document),
                Event::Text(_) | Event::Char(_) => {}
            }
        }
    }
}

/// Makes the tree from starts and ends of elements.
#[derive(Default)]
struct Builder {
    document: Document,
    /// Groups that are open, the outermost first.
    open: Vec<Characteristic>,
    /// Elements that are open: the root, groups, and whatever stands in them.
    elements: Vec<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Characteristic,
    Parm,
}

impl Builder {
    fn open(&mut self, name: &str, attributes: &[Attribute<'_>], at: usize) -> Result<(), ProvError> {
        let find = |wanted: &str| -> Option<String> {
            attributes.iter().find(|it| it.name == wanted).map(|it| it.value.clone())
        };
        let kind = match (name, self.elements.last()) {
            ("wap-provisioningdoc", None) => {
                self.document.version = find("version");
                Kind::Root
            }
            (_, None) => return Err(ProvError::NotProvisioning),
            ("characteristic", Some(Kind::Root | Kind::Characteristic)) => {
                self.open.push(Characteristic { kind: find("type").unwrap_or_default(), content: Vec::new() });
                Kind::Characteristic
            }
            ("parm", Some(Kind::Characteristic)) => {
                let parm = Parm { name: find("name").unwrap_or_default(), value: find("value") };
                if let Some(group) = self.open.last_mut() {
                    group.content.push(Content::Parm(parm));
                }
                Kind::Parm
            }
            (_, Some(_)) => return Err(ProvError::Misplaced { element: name.chars().take(40).collect(), at }),
        };
        self.elements.push(kind);
        Ok(())
    }

    fn close(&mut self) {
        if self.elements.pop() != Some(Kind::Characteristic) {
            return;
        }
        let Some(done) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(group) => group.content.push(Content::Characteristic(done)),
            None => self.document.characteristics.push(done),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::*;

    macro_rules! vector {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/vectors/oma-dm-1/cp/", $name)).as_slice()
        };
    }

    fn read(octets: &[u8]) -> Result<Document, ProvError> {
        Document::read(octets, &Limits::DEVICE)
    }

    #[test]
    fn golden_documents_mean_the_same_in_each_form() {
        let full = read(vector!("cp-full.wbxml")).unwrap();
        assert_eq!(full, read(vector!("cp-full.xml")).unwrap());
        assert_eq!(full, read(vector!("cp-full.roundtrip.xml")).unwrap());
        let minimal = read(vector!("cp-w7-minimal.wbxml")).unwrap();
        assert_eq!(minimal, read(vector!("cp-w7-minimal.xml")).unwrap());
        assert_eq!(minimal, read(vector!("cp-w7-minimal.roundtrip.xml")).unwrap());
        assert_eq!(minimal, read(vector!("cp-w7-inline-authtype.wbxml")).unwrap());
    }

    #[test]
    fn an_account_is_found_with_what_it_holds() {
        let full = read(vector!("cp-full.wbxml")).unwrap();
        assert_eq!(full.version.as_deref(), Some("1.1"));
        let kinds: Vec<&str> = full.characteristics.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["BOOTSTRAP", "NAPDEF", "PXLOGICAL", "APPLICATION"]);
        let account = full.application("w7").unwrap();
        assert_eq!(account.value("PROVIDER-ID"), Some("dm.example.org"));
        assert!(account.parms().any(|it| it.name == "INIT" && it.value.is_none()));
        let credentials: Vec<(Option<&str>, Option<&str>)> =
            account.of_kind("APPAUTH").map(|it| (it.value("AAUTHLEVEL"), it.value("AAUTHTYPE"))).collect();
        assert_eq!(credentials, [(Some("APPSRV"), Some("DIGEST")), (Some("CLIENT"), Some("DIGEST"))]);
        assert_eq!(full.of_kind("NAPDEF").next().unwrap().value("BEARER"), Some("GSM-GPRS"));
        assert_eq!(full.application("w8"), None);
    }

    /// `<wap-provisioningdoc><characteristic type=APPLICATION>` and what `parms` holds.
    fn document(characteristic: &[u8], parms: &[u8]) -> Vec<u8> {
        [b"\x03\x0B\x6A\x00\x45".as_slice(), characteristic, parms, b"\x01\x01"].concat()
    }

    #[test]
    fn both_styles_of_switching_pages_are_read() {
        // Attribute page alone: each attribute list switches as it needs.
        let attributes = document(b"\xC6\x00\x01\x55\x01", b"\x87\x36\x00\x00\x06\x03w7\x00\x01");
        // Tag page too: characteristic and parm of page 1.
        let both = document(b"\x00\x01\xC6\x00\x01\x55\x01", b"\x87\x36\x06\x03w7\x00\x01");
        for octets in [attributes, both] {
            let document = read(&octets).unwrap();
            assert_eq!(document.application("w7").unwrap().value("APPID"), Some("w7"));
        }
    }

    #[test]
    fn pieces_of_the_kind_of_authentication_are_read_in_the_later_numbers_only() {
        let with = |value: &[u8]| read(&document(b"\xC6\x00\x01\x57\x01", &[b"\x87\x33\x06", value, b"\x01"].concat()));
        let kind = |value: &[u8]| with(value).unwrap().characteristics[0].value("AAUTHTYPE").unwrap().to_owned();
        assert_eq!(kind(b"\x93"), "DIGEST");
        assert_eq!(kind(b"\x91\x92\x90\x91\x93"), "HTTP-BASIC,HTTP-DIGEST");
        assert_eq!(kind(b"\x03BASIC\x00"), "BASIC");
        assert_eq!(kind(b"\x03HTTP-\x00\x92"), "HTTP-BASIC");
        for early in [0x80, 0x81, 0x82, 0x83] {
            assert!(with(&[early]).is_err(), "{early:#x}");
        }
        assert_eq!(with(b"\x9F"), Err(ProvError::ValueToken { token: 0x9F, page: 1, at: 14 }));
    }

    #[test]
    fn attributes_that_are_not_known_are_passed_over() {
        let octets = document(b"\xC6\x00\x01\x55\x01", b"\x87\x36\x7F\x03x\x00\x06\x03w7\x00\x01");
        assert_eq!(read(&octets).unwrap().application("w7").unwrap().value("APPID"), Some("w7"));
        let xml = b"<wap-provisioningdoc><characteristic type='X' a='b'><parm name='N' value='v' c='d'/></characteristic></wap-provisioningdoc>";
        assert_eq!(read(xml).unwrap().characteristics[0].value("N"), Some("v"));
    }

    #[test]
    fn documents_cut_anywhere_are_refused() {
        for octets in [vector!("cp-full.wbxml"), vector!("cp-w7-minimal.xml")] {
            let whole = octets.trim_ascii_end().len();
            for length in 0..whole {
                assert!(read(&octets[..length]).is_err(), "{length}");
            }
        }
    }

    #[test]
    fn what_is_no_provisioning_document_is_refused_with_the_reason() {
        assert_eq!(read(b"<SyncML/>"), Err(ProvError::NotProvisioning));
        assert_eq!(read(b"\x02\xA4\x01\x6A\x00\x6D\x01"), Err(ProvError::NotProvisioning));
        let nested = b"<wap-provisioningdoc><parm name='a'/></wap-provisioningdoc>";
        assert_eq!(read(nested), Err(ProvError::Misplaced { element: "parm".into(), at: 37 }));
        let deep = format!("<wap-provisioningdoc>{}", "<characteristic type='a'>".repeat(100_000));
        assert!(matches!(read(deep.as_bytes()), Err(ProvError::Xml(XmlError::Limit(_)))));
        let deep = [b"\x03\x0B\x6A\x00\x45".as_slice(), &[0x46; 100_000]].concat();
        assert!(matches!(read(&deep), Err(ProvError::Wbxml(WbxmlError::Limit(_)))));
    }

    proptest! {
        #[test]
        fn arbitrary_octets_end_in_a_document_or_a_typed_error(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&octets);
            let _ = read(&[b"\x03\x0B\x6A\x00\xC5".as_slice(), &octets].concat());
            let _ = read(&document(b"\xC6\x55\x01\x87", &octets));
        }
    }
}
