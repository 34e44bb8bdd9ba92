//! The connectionless push PDU of WSP.
//!
//! Source: WAP-230-WSP-20010705, sections 8.2.4.1, 8.4.1 and 8.4.2.24; OMA DM Notification 1.2, "WAP Push"; OMA Client
//! Provisioning 1.1, "Bootstrap".

use super::wsp_names;
use super::wsp_value::Cursor;
pub use super::wsp_value::Value;
use crate::wbxml::put_mb_u_int32;

/// PDU type of a push.
const PUSH: u8 = 0x06;
/// Headers of one push that are read. Real ones have one to five.
pub const HEADERS_MAX: usize = 64;
/// Parameters of one media type that are read.
pub const PARAMETERS_MAX: usize = 16;
/// WDP and WSP headers of a notification take no more together.
///
/// Source: OMA DM Notification 1.2, "WAP Push".
pub const NOTIFICATION_HEADERS_BYTES_MAX: usize = 48;

/// A push as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push<'a> {
    /// Transaction or push identifier; any value.
    pub transaction: u8,
    /// What `body` is.
    pub content_type: ContentType<'a>,
    /// The other headers, in their order.
    pub headers: Vec<Header<'a>>,
    /// What is pushed.
    pub body: &'a [u8],
    /// Octet of the PDU where `body` begins.
    pub body_at: usize,
}

/// A media type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// Number or text.
    pub media: Media<'a>,
    /// Parameters, in their order.
    pub parameters: Vec<Parameter<'a>>,
}

/// A media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media<'a> {
    /// An assigned number, for example 0x44.
    Code(u16),
    /// Its text.
    Text(&'a [u8]),
}

/// A parameter of a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Assigned number or text.
    pub name: Name<'a>,
    /// Its value.
    pub value: Value<'a>,
}

/// A header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Assigned number of the default code page, or text.
    pub name: Name<'a>,
    /// Code page, 1 unless shifted.
    pub page: u8,
    /// Its value.
    pub value: Value<'a>,
}

/// How a header or parameter is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// An assigned number.
    Code(u8),
    /// Its text.
    Text(&'a [u8]),
}

/// Why octets are no push. `at` counts octets from the start of the PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WspError {
    /// The input, or the part of it that a length bounds, ends too early.
    #[error("push ends at octet {at}, inside a field")]
    Truncated {
        /// Where it ended.
        at: usize,
    },
    /// A length beyond what there is.
    #[error("length {length} at octet {at} is beyond the {left} octets left")]
    Length {
        /// Where the counted octets would begin.
        at: usize,
        /// What the length says.
        length: usize,
        /// What is left.
        left: usize,
    },
    /// A variable-length integer above 5 octets or 32 bits.
    #[error("integer at octet {at} does not fit 32 bits")]
    Integer {
        /// Where it begins.
        at: usize,
    },
    /// Another PDU.
    #[error("PDU type {kind:#04x} is not push (0x06)")]
    NotPush {
        /// The type.
        kind: u8,
    },
    /// A number where the grammar has none.
    #[error("media type or parameter at octet {at} has a number that is too large")]
    Code {
        /// Where it begins.
        at: usize,
    },
    /// More headers or parameters than are read.
    #[error("more than {max} headers or parameters (octet {at})")]
    TooMany {
        /// The bound.
        max: usize,
        /// Where the next one begins.
        at: usize,
    },
}

impl<'a> Push<'a> {
    /// Reads a push PDU: transaction, type, length of the headers, media type, headers, body.
    ///
    /// # Errors
    /// [`WspError`].
    pub fn read(pdu: &'a [u8]) -> Result<Self, WspError> {
        let mut cursor = Cursor { pdu, at: 0, end: pdu.len() };
        let transaction = cursor.octet()?;
        let kind = cursor.octet()?;
        if kind != PUSH {
            return Err(WspError::NotPush { kind });
        }
        let length = cursor.uintvar()?;
        let headers_at = cursor.at;
        cursor.octets(length)?;
        let body_at = cursor.at;
        let mut headers_part = Cursor { pdu, at: headers_at, end: body_at };
        let content_type = content_type(&mut headers_part)?;
        let headers = headers(&mut headers_part)?;
        Ok(Self { transaction, content_type, headers, body: pdu.get(body_at..).unwrap_or_default(), body_at })
    }

    /// The application the push is for: its number if it has one, for example 7 for device management.
    #[must_use]
    pub fn application(&self) -> Option<u64> {
        let named = |it: &&Header<'_>| it.page == 1 && it.name == Name::Code(wsp_names::APPLICATION_HEADER);
        self.headers.iter().find(named).and_then(|it| it.value.integer())
    }
}

impl ContentType<'_> {
    /// The media type as text, or its number where it is not known here.
    #[must_use]
    pub fn name(&self) -> String {
        match self.media {
            Media::Code(code) => wsp_names::media_type(code).map_or_else(|| format!("0x{code:02X}"), str::to_owned),
            Media::Text(text) => String::from_utf8_lossy(text).to_lowercase(),
        }
    }

    /// The value of the parameter with this number, or with this name in letters of any case.
    #[must_use]
    pub fn parameter(&self, code: u8, name: &str) -> Option<&Value<'_>> {
        let found = self.parameters.iter().find(|it| match it.name {
            Name::Code(number) => number == code,
            Name::Text(text) => text.eq_ignore_ascii_case(name.as_bytes()),
        });
        found.map(|it| &it.value)
    }
}

impl Parameter<'_> {
    /// The name for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self.name {
            Name::Code(code) => {
                wsp_names::parameter(u64::from(code)).map_or_else(|| format!("0x{code:02X}"), str::to_owned)
            }
            Name::Text(text) => String::from_utf8_lossy(text).into_owned(),
        }
    }
}

impl Header<'_> {
    /// The name for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self.name {
            Name::Code(code) if self.page == 1 => {
                wsp_names::header(code).map_or_else(|| format!("0x{code:02X}"), str::to_owned)
            }
            Name::Code(code) => format!("0x{code:02X} of page {}", self.page),
            Name::Text(text) => String::from_utf8_lossy(text).into_owned(),
        }
    }

    /// The URN of the application, if this header names one that is known here.
    #[must_use]
    pub fn application(&self) -> Option<&'static str> {
        if self.page != 1 || self.name != Name::Code(wsp_names::APPLICATION_HEADER) {
            return None;
        }
        let code = self.value.integer()?;
        wsp_names::APPLICATIONS.iter().find(|(number, _)| u64::from(*number) == code).map(|(_, urn)| *urn)
    }
}

fn content_type<'a>(cursor: &mut Cursor<'a>) -> Result<ContentType<'a>, WspError> {
    let Some(length) = cursor.value_length()? else {
        return Ok(ContentType { media: media(cursor)?, parameters: Vec::new() });
    };
    let at = cursor.at;
    cursor.octets(length)?;
    let mut inside = Cursor { pdu: cursor.pdu, at, end: cursor.at };
    let media = media(&mut inside)?;
    let mut parameters = Vec::new();
    while !inside.is_at_end() {
        if parameters.len() == PARAMETERS_MAX {
            return Err(WspError::TooMany { max: PARAMETERS_MAX, at: inside.at });
        }
        let at = inside.at;
        let name = match inside.value()? {
            Value::Text(text) => Name::Text(text),
            number => Name::Code(code(&number, at)?),
        };
        parameters.push(Parameter { name, value: inside.value()? });
    }
    Ok(ContentType { media, parameters })
}

fn media<'a>(cursor: &mut Cursor<'a>) -> Result<Media<'a>, WspError> {
    let at = cursor.at;
    match cursor.value()? {
        Value::Text(text) => Ok(Media::Text(text)),
        number => code(&number, at).map(Media::Code),
    }
}

fn code<T: TryFrom<u64>>(number: &Value<'_>, at: usize) -> Result<T, WspError> {
    number.integer().and_then(|code| T::try_from(code).ok()).ok_or(WspError::Code { at })
}

/// Octet that precedes a header code page.
const SHIFT: u8 = 0x7F;

fn headers<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Header<'a>>, WspError> {
    let mut headers = Vec::new();
    let mut page = 1;
    while !cursor.is_at_end() {
        if headers.len() == HEADERS_MAX {
            return Err(WspError::TooMany { max: HEADERS_MAX, at: cursor.at });
        }
        let name = match cursor.peek()? {
            SHIFT => {
                cursor.octet()?;
                page = cursor.octet()?;
                continue;
            }
            // Short-cut shifts; an octet of zero names nothing and is passed over like one.
            short @ 0..=0x1F => {
                cursor.octet()?;
                page = short;
                continue;
            }
            field if field & 0x80 != 0 => {
                cursor.octet()?;
                Name::Code(field & 0x7F)
            }
            _ => Name::Text(cursor.text()?),
        };
        headers.push(Header { name, page, value: cursor.value()? });
    }
    Ok(headers)
}

/// What a push that we send says about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushHeader<'a> {
    /// Assigned number of the media type.
    pub media: u8,
    /// `SEC`: how the device knows who sent a provisioning document.
    pub sec: Option<u8>,
    /// `MAC`: hexadecimal digits.
    pub mac: Option<&'a str>,
    /// Number of the application it is for.
    pub application: Option<u8>,
}

impl PushHeader<'_> {
    /// For package 0: these codes, in this order, and nothing else.
    ///
    /// Source: OMA DM Notification 1.2, "WAP Push".
    pub const NOTIFICATION: Self = Self { media: 0x44, sec: None, mac: None, application: Some(0x07) };

    /// The push PDU with this header around `body`.
    #[must_use]
    pub fn wrap(&self, transaction: u8, body: &[u8]) -> Vec<u8> {
        let mut content_type = vec![self.media | 0x80];
        if let Some(sec) = self.sec {
            content_type.extend([0x91, sec | 0x80]);
        }
        if let Some(mac) = self.mac {
            content_type.push(0x92);
            content_type.extend_from_slice(mac.as_bytes());
            content_type.push(0);
        }
        let mut headers = Vec::with_capacity(content_type.len() + 6);
        if content_type.len() > 1 {
            match u8::try_from(content_type.len()) {
                Ok(short @ 0..=30) => headers.push(short),
                _ => {
                    headers.push(31);
                    put_length(content_type.len(), &mut headers);
                }
            }
        }
        headers.extend_from_slice(&content_type);
        if let Some(application) = self.application {
            headers.extend([wsp_names::APPLICATION_HEADER | 0x80, application | 0x80]);
        }
        let mut pdu = vec![transaction, PUSH];
        put_length(headers.len(), &mut pdu);
        pdu.extend_from_slice(&headers);
        pdu.extend_from_slice(body);
        pdu
    }
}

/// A length as `uintvar`, which is the integer of WBXML. No header is as long as 4 GiB.
fn put_length(length: usize, out: &mut Vec<u8>) {
    put_mb_u_int32(u32::try_from(length).unwrap_or(u32::MAX), out);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn headers_of_provisioning_pushes_are_written_and_read_as_in_the_vectors() {
        let vectors = include_str!("../../tests/vectors/oma-dm-1/cp/mac.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let mut seen = 0;
        for case in vectors.as_object().unwrap().values().filter_map(|document| document.as_object()) {
            for security in case.values().filter(|it| it["wsp_push_header_hex"].is_string()) {
                let expected = security["wsp_push_header_hex"].as_str().unwrap();
                let sec = u8::try_from(security["sec"].as_u64().unwrap()).unwrap();
                let mac = security["mac_hex"].as_str();
                let header = PushHeader { media: 0x36, sec: Some(sec), mac, application: None };
                let pdu = header.wrap(1, b"");
                assert_eq!(hex(&pdu), expected);
                let push = Push::read(&pdu).unwrap();
                assert_eq!(push.content_type.name(), "application/vnd.wap.connectivity-wbxml");
                assert_eq!(push.content_type.parameter(0x11, "SEC"), Some(&Value::Short(sec)));
                assert_eq!(push.content_type.parameter(0x12, "MAC").and_then(Value::text).as_deref(), mac);
                seen += 1;
            }
        }
        assert_eq!(seen, 11);
    }

    #[test]
    fn other_forms_of_media_types_and_headers_are_read() {
        // As a general form with a long integer, as text, with an untyped parameter, with a text header and a date.
        let long = Push::read(&[1, 6, 4, 3, 2, 0x03, 0x01, 9]).unwrap();
        assert_eq!(long.content_type.media, Media::Code(0x0301));
        assert_eq!(long.body, [9]);
        let headers = b"application/vnd.syncml.notification\x00\xAF\x87\x8D\x81\x92\x01\x05";
        let pdu = pdu(headers, b"x");
        let push = Push::read(&pdu).unwrap();
        assert_eq!(push.content_type.name(), "application/vnd.syncml.notification");
        assert_eq!((push.application(), push.body), (Some(7), &b"x"[..]));
        let names: Vec<String> = push.headers.iter().map(Header::name).collect();
        assert_eq!(names, ["X-Wap-Application-Id", "Content-Length", "Date"]);
        assert_eq!(push.headers.first().and_then(Header::application), Some("x-wap-application:syncml.dm"));
        // The length of the media type covers its number and an untyped parameter.
        let pdu = self::pdu(b"\x06\xB6SEC\x00\x81X-Custom\x00y\x00", b"");
        let push = Push::read(&pdu).unwrap();
        assert_eq!(push.content_type.parameter(0x11, "sec"), Some(&Value::Short(1)));
        let header = push.headers.first().unwrap();
        assert_eq!((header.name().as_str(), header.value.text().as_deref()), ("X-Custom", Some("y")));
    }

    fn pdu(headers: &[u8], body: &[u8]) -> Vec<u8> {
        [&[1, PUSH, u8::try_from(headers.len()).unwrap()], headers, body].concat()
    }

    #[test]
    fn truncated_pushes_say_where() {
        let pdu = PushHeader { media: 0x36, sec: Some(1), mac: Some("ABCDEF"), application: Some(7) }.wrap(1, b"");
        for length in 0..pdu.len() {
            assert!(Push::read(&pdu[..length]).is_err(), "{length}");
        }
        assert!(Push::read(&pdu).is_ok());
    }

    #[test]
    fn lying_lengths_and_endless_integers_are_refused() {
        assert_eq!(Push::read(&[1, 6, 200, 1, 0xC4]), Err(WspError::Length { at: 4, length: 9_217, left: 1 }));
        assert_eq!(Push::read(&[1, 6, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(WspError::Integer { at: 2 }));
        assert_eq!(
            Push::read(&[1, 6, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
            Err(WspError::Length { at: 7, length: u32::MAX as usize, left: 0 })
        );
        assert_eq!(Push::read(&[1, 6, 0]), Err(WspError::Truncated { at: 3 }));
        assert_eq!(Push::read(&[1, 4, 1, 0xC4]), Err(WspError::NotPush { kind: 4 }));
        // The media type claims more than the headers hold; the body must not be taken for it.
        assert_eq!(Push::read(&[1, 6, 2, 5, 0xB6, 1, 2, 3, 4]), Err(WspError::Length { at: 4, length: 5, left: 1 }));
        assert_eq!(Push::read(&[1, 6, 3, b'a', b'b', b'c', 0]), Err(WspError::Truncated { at: 6 }));
        let many = vec![0x8D_u8; HEADERS_MAX * 2 + 2];
        let pdu = [&[1, 6, 0x81, 0x03], &[0xC4][..], &many].concat();
        assert!(matches!(Push::read(&pdu), Err(WspError::TooMany { .. })));
        assert_eq!(Push::read(&[1, 6, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8]), Err(WspError::Code { at: 6 }));
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }
}
