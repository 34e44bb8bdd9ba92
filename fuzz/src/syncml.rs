//! Any octets as a message or a tree document.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{DecodeError, DecodeFault, Encoding, Message};
use muster_protocol::wbxml::{ddf_from_xml, ddf_to_xml};

/// What was read within the usual limits may need a little more when it is written in full: an address without `LocURI`
/// gets one, mark-up gets references.
const ROOMY: Limits = Limits {
    document_bytes_max: 64 << 20,
    depth_max: 64,
    elements_max: 1_000_000,
    text_bytes_max: 64 << 20,
    ..Limits::DEVICE
};

/// Octets as XML.
pub fn xml(octets: &[u8]) {
    if let Some(message) = message_of(Encoding::Xml, octets) {
        let written = message.encode(Encoding::Xml).expect("XML carried it before");
        assert_eq!(Message::decode(Encoding::Xml, &written, &ROOMY).as_ref(), Ok(&message));
    }
}

/// Octets as WBXML.
pub fn wbxml(octets: &[u8]) {
    if let Some(message) = message_of(Encoding::Wbxml, octets)
        && let Ok(written) = message.encode(Encoding::Xml)
    {
        assert!(Message::decode(Encoding::Xml, &written, &ROOMY).is_ok(), "our own XML is read");
    }
}

/// The message, which WBXML can carry whatever it came in.
fn message_of(encoding: Encoding, octets: &[u8]) -> Option<Message> {
    match Message::decode(encoding, octets, &Limits::DEVICE) {
        Ok(message) => {
            let written = message.encode(Encoding::Wbxml).expect("WBXML carries every text");
            assert_eq!(Message::decode(Encoding::Wbxml, &written, &ROOMY).as_ref(), Ok(&message));
            Some(message)
        }
        Err(error) => {
            check(&error, octets);
            None
        }
    }
}

/// A refusal names a place inside the document and has a known kind.
fn check(error: &DecodeError, octets: &[u8]) {
    assert!(error.at <= octets.len(), "{error}");
    assert!(DecodeFault::KINDS.contains(&error.kind()), "{}", error.kind());
    assert!((400..500).contains(&error.status().0), "{error}");
    assert!(error.path.split('/').count() <= Limits::DEVICE.depth_max, "{error}");
}

/// Octets as a tree document in WBXML, and as one in XML.
pub fn ddf(octets: &[u8]) {
    match ddf_to_xml(octets, &Limits::DEVICE) {
        Ok(xml) => from_xml(&xml),
        Err(error) => check(&error, octets),
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        from_xml(text);
    }
}

/// Writing it as WBXML leaves out what code page 2 does not have; from then on nothing changes.
fn from_xml(text: &str) {
    match ddf_from_xml(text, &ROOMY) {
        Ok(wbxml) => {
            let xml = ddf_to_xml(&wbxml, &ROOMY).expect("our own WBXML is read");
            assert_eq!(ddf_from_xml(&xml, &ROOMY), Ok(wbxml));
        }
        Err(error) => assert!(error.at <= text.len(), "{error}"),
    }
}
