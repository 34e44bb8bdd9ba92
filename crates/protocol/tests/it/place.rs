//! Every refusal names the octet and the elements around it, has a name for counting, and a status to answer with.

use std::collections::BTreeSet;

use muster_protocol::limits::{LimitExceeded, Limits};
use muster_protocol::syncml::{DecodeError, DecodeFault, Encoding, Message, StatusCode};
use muster_protocol::wbxml::{WbxmlError, ddf_to_xml};
use muster_protocol::xml::XmlError;

use crate::vectors::vectors;

const HEADER: &str = "<SyncHdr><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target>\
    <Source><LocURI>d</LocURI></Source></SyncHdr>";

fn xml_error(text: impl AsRef<[u8]>) -> DecodeError {
    Message::decode(Encoding::Xml, text.as_ref(), &Limits::DEVICE).unwrap_err()
}

fn in_body(body: &str) -> String {
    format!("<SyncML>{HEADER}<SyncBody>{body}</SyncBody></SyncML>")
}

/// Header, `SyncML`, `SyncHdr`, and the start of `SyncBody`.
const WBXML_START: &[u8] = b"\x02\xA4\x01\x6A\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";

fn wbxml_error(body: &[u8]) -> DecodeError {
    let octets = [WBXML_START, body, b"\x01\x01"].concat();
    Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).unwrap_err()
}

#[test]
fn faults_of_xml_name_octet_and_path() {
    let place = |body: &str, marker: &str| {
        let text = in_body(body);
        let error = xml_error(&text);
        assert_eq!(error.at, text.find(marker).unwrap(), "{error}");
        error.path
    };
    assert_eq!(place("<Alert><Item><Data>a&b;</Data></Item></Alert>", "&b;"), "SyncML/SyncBody/Alert/Item/Data");
    assert_eq!(place("<Alert><CmdID>1</CmdID></Alerts>", "</Alerts>"), "SyncML/SyncBody/Alert");
    assert_eq!(place("<Get><Item><?a?></Item></Get>", "<?a?>"), "SyncML/SyncBody/Get/Item");
    assert_eq!(place("<Get><X><Frob q:a='1'/><p:Y/></X></Get>", "p:Y/"), "SyncML/SyncBody/Get/X");
    let size = "<Add><Item><Meta><Size>many</Size></Meta></Item></Add>";
    assert_eq!(place(size, "</Meta></Item>"), "SyncML/SyncBody/Add/Item/Meta/Size");
    assert_eq!(place("<Add><Meta><NextNonce>*</NextNonce></Meta>", "</Meta>"), "SyncML/SyncBody/Add/Meta/NextNonce");
}

#[test]
fn faults_of_wbxml_name_octet_and_path() {
    let place = |body: &[u8]| {
        let error = wbxml_error(body);
        (error.path, error.at - WBXML_START.len())
    };
    // Text that is not UTF-8 in an alert's item; an integer too long; an entity of no character.
    assert_eq!(place(b"\x46\x54\x4F\x03\xE4\x00"), ("SyncML/SyncBody/Alert/Item/Data".to_owned(), 3));
    assert_eq!(place(b"\x46\x4F\xC3\x90\x80\x80\x80\x00"), ("SyncML/SyncBody/Alert/Data".to_owned(), 3));
    assert_eq!(place(b"\x45\x54\x4F\x02\x00\x01"), ("SyncML/SyncBody/Add/Item/Data".to_owned(), 3));
    // A size that is no number, read to its end.
    assert_eq!(place(b"\x45\x5A\x00\x01\x52\x03x\x00\x01\x01"), ("SyncML/SyncBody/Add/Meta/Size".to_owned(), 9));
    // Unknown elements go by page and token, or as literals.
    assert_eq!(place(b"\x00\x09\x45\x03\xE4\x00"), ("SyncML/SyncBody/9:05".to_owned(), 3));
    assert_eq!(place(b"\x7E\x03\xE4\x00"), ("SyncML/SyncBody/0:3E".to_owned(), 1));
}

#[test]
fn limits_that_are_reached_name_octet_and_path() {
    let limits = Limits { items_max: 1, ..Limits::DEVICE };
    let text = in_body("<Get><Item/><Item><Target/></Item></Get>");
    let error = Message::decode(Encoding::Xml, text.as_bytes(), &limits).unwrap_err();
    assert_eq!(error.at, text.find("<Target/></Item>").unwrap());
    assert_eq!(error.path, "SyncML/SyncBody/Get/Item");

    let deep = xml_error(in_body(&"<a>".repeat(100)));
    assert_eq!(deep.path, format!("SyncML/SyncBody{}", "/a".repeat(30)));
}

#[test]
fn octets_count_from_the_start_of_the_document_whatever_stands_before_the_root() {
    let body = in_body("<Alert>&b;</Alert>");
    let find = |document: &[u8]| document.windows(3).position(|window| window == b"&b;").unwrap();
    for before in
        ["", "\u{FEFF}", "<?xml version='1.0'?>\n", "\u{FEFF}<?xml version='1.0' encoding='UTF-8'?><!-- ä -->"]
    {
        let document = format!("{before}{body}");
        let error = xml_error(&document);
        assert_eq!(error.at, find(document.as_bytes()), "{before}");
        assert_eq!(error.fault, DecodeFault::Xml(XmlError::Entity { at: error.at }));
    }
    let latin1 = [b"<?xml version='1.0' encoding='ISO-8859-1'?><!-- \xE4\xE4 -->".as_slice(), body.as_bytes()].concat();
    assert_eq!(xml_error(&latin1).at, find(&latin1));
    let control = [b"<?xml version='1.0' encoding='ISO-8859-1'?>\xE4\xE4\x01".as_slice(), body.as_bytes()].concat();
    assert_eq!(xml_error(&control).at, 45);
    let not_text = [b"<?xml version='1.0'?>".as_slice(), body.as_bytes(), b"\xFF"].concat();
    assert_eq!(xml_error(&not_text).at, not_text.len() - 1);
}

#[test]
fn what_is_missing_or_another_document_is_named_with_its_place() {
    let header = "<SyncML><SyncHdr><SessionID>1</SessionID></SyncHdr>";
    let missing = xml_error(format!("{header}<SyncBody/></SyncML>"));
    assert_eq!((missing.at, missing.path.as_str()), (header.len(), "SyncML/SyncHdr"));
    assert_eq!(missing.to_string(), "message has no MsgID (octet 51), in SyncML/SyncHdr");

    let other = xml_error("<html><body/></html>");
    assert_eq!((other.at, other.path.as_str()), (6, "html"));
    let twice = xml_error(format!("<SyncML>{HEADER}{HEADER}<SyncBody/></SyncML>"));
    assert_eq!(twice.path, "SyncML/SyncHdr");
    let no_body = xml_error(format!("<SyncML>{HEADER}</SyncML>"));
    assert_eq!((no_body.kind(), no_body.path.as_str()), ("syncml_missing_element", "SyncML"));
    let nothing = xml_error("");
    assert_eq!((nothing.at, nothing.path.as_str()), (0, ""));
    let prov = Message::decode(Encoding::Wbxml, b"\x03\x0B\x6A\x00\x45", &Limits::DEVICE).unwrap_err();
    assert_eq!((prov.fault, prov.at, prov.path.as_str()), (DecodeFault::NotSyncMl, 0, ""));
}

#[test]
fn faults_inside_a_tree_document_name_its_own_elements() {
    let error = ddf_to_xml(b"\x02\x01\x6A\x00\x00\x02\x60\x64\x66\x02\x00", &Limits::DEVICE).unwrap_err();
    assert_eq!((error.path.as_str(), error.at), ("MgmtTree/Node/NodeName", 9));
}

#[test]
fn names_in_a_path_are_short_and_harmless() {
    let error = xml_error(in_body(&format!("<a\u{202E}é.b-1><{}>&b;", "x".repeat(1_000))));
    assert_eq!(error.path, format!("SyncML/SyncBody/a??.b-1/{}", "x".repeat(32)));
}

#[test]
fn every_refusal_of_a_damaged_golden_message_has_a_place_inside_it() {
    for vector in vectors() {
        for (encoding, octets) in [(Encoding::Xml, &vector.xml), (Encoding::Wbxml, &vector.wbxml)] {
            for end in 0..octets.len() - 1 {
                let cut = octets.get(..end).unwrap();
                let Err(error) = Message::decode(encoding, cut, &Limits::DEVICE) else { continue };
                assert!(error.at <= end, "{} at {end}: {error}", vector.name);
                let rooted = error.path.is_empty() || error.path.split('/').next() == Some("SyncML");
                assert!(rooted, "{} at {end}: {error}", vector.name);
            }
        }
    }
}

/// One fault of each kind, with the status it is answered with.
fn faults() -> Vec<(DecodeFault, u16)> {
    let limit = |limit| LimitExceeded { limit, max: 1, at: 2 };
    let at = 1;
    let xml = [
        (XmlError::Syntax { at, reason: "reason".into() }, 400),
        (XmlError::Truncated { at }, 400),
        (XmlError::Encoding { name: "UTF-16".into() }, 415),
        (XmlError::NotText { at }, 400),
        (XmlError::Character { at }, 400),
        (XmlError::Entity { at }, 400),
        (XmlError::DocumentType { at }, 400),
        (XmlError::ProcessingInstruction { at }, 400),
        (XmlError::Namespace { at }, 400),
        (XmlError::OutsideRoot { at }, 400),
        (XmlError::Limit(limit("depth_max")), 400),
        (XmlError::Limit(limit("attributes_max")), 400),
        (XmlError::Limit(limit("document_bytes_max")), 413),
    ];
    let wbxml = [
        (WbxmlError::Truncated { at }, 400),
        (WbxmlError::IntegerTooLong { at }, 400),
        (WbxmlError::Version { version: 9 }, 415),
        (WbxmlError::Charset { mib: 9 }, 415),
        (WbxmlError::StringTable { offset: 9, at }, 400),
        (WbxmlError::NotText { at }, 400),
        (WbxmlError::Entity { at }, 400),
        (WbxmlError::Token { token: 9, at }, 400),
        (WbxmlError::Trailing { at }, 400),
        (WbxmlError::Limit(limit("elements_max")), 413),
        (WbxmlError::Limit(limit("string_table_bytes_max")), 413),
    ];
    let syncml = [
        (DecodeFault::NotSyncMl, 415),
        (DecodeFault::Missing { element: "MsgID" }, 400),
        (DecodeFault::Repeated { element: "SyncHdr", at }, 400),
        (DecodeFault::NotNumber { element: "Size", at }, 400),
        (DecodeFault::NotBase64 { element: "NextNonce", at }, 400),
        (DecodeFault::NotText { at }, 400),
        (DecodeFault::Limit(limit("commands_max")), 413),
        (DecodeFault::Limit(limit("items_max")), 413),
        (DecodeFault::Limit(limit("text_bytes_max")), 413),
        (DecodeFault::Limit(limit("a limit of another layer")), 413),
    ];
    let xml = xml.map(|(error, status)| (DecodeFault::Xml(error), status));
    let wbxml = wbxml.map(|(error, status)| (DecodeFault::Wbxml(error), status));
    xml.into_iter().chain(wbxml).chain(syncml).collect()
}

#[test]
fn each_kind_of_refusal_has_a_name_of_its_own_and_a_status() {
    let mut kinds = BTreeSet::new();
    for (fault, status) in faults() {
        assert!(kinds.insert(fault.kind()), "{} names two faults", fault.kind());
        assert_eq!(fault.status(), StatusCode(status), "{fault}");
        assert!(fault.kind().bytes().all(|octet| octet.is_ascii_lowercase() || matches!(octet, b'_' | b'6' | b'4')));
    }
    assert!(kinds.iter().copied().eq(DecodeFault::KINDS), "{kinds:?}");
}
