use muster_protocol::limits::{LimitExceeded, Limits};
use muster_protocol::syncml::{DecodeError, DecodeFault, Encoding, Message};
use muster_protocol::xml::XmlError;

const HEADER: &str = "<SyncHdr><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target>\
    <Source><LocURI>d</LocURI></Source></SyncHdr>";

fn with_body(body: &str) -> String {
    format!("<SyncML xmlns='SYNCML:SYNCML1.2'>{HEADER}<SyncBody>{body}</SyncBody></SyncML>")
}

fn decode(text: impl AsRef<[u8]>, limits: &Limits) -> Result<Message, DecodeError> {
    Message::decode(Encoding::Xml, text.as_ref(), limits)
}

fn refusal(text: impl AsRef<[u8]>) -> DecodeFault {
    decode(text, &Limits::DEVICE).unwrap_err().fault
}

fn xml_refusal(text: impl AsRef<[u8]>) -> XmlError {
    match refusal(text) {
        DecodeFault::Xml(error) => error,
        other => panic!("not an error of the XML layer: {other}"),
    }
}

/// The document is taken with `limits` as changed to `enough`, and refused with one less.
fn edge(name: &str, enough: usize, text: &str, field: fn(&mut Limits) -> &mut usize) {
    let mut limits = Limits::DEVICE;
    *field(&mut limits) = enough;
    decode(text, &limits).unwrap();
    *field(&mut limits) = enough - 1;
    let refused = match decode(text, &limits).unwrap_err().fault {
        DecodeFault::Limit(refused) | DecodeFault::Xml(XmlError::Limit(refused)) => refused,
        other => panic!("not a limit: {other}"),
    };
    let LimitExceeded { limit, max, .. } = refused;
    assert_eq!((limit, max), (name, enough - 1));
}

#[test]
fn each_limit_holds_at_its_edge() {
    let text = with_body("<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>");
    edge("document_bytes_max", text.len(), &text, |it| &mut it.document_bytes_max);
    edge("depth_max", 4, &text, |it| &mut it.depth_max);
    edge("elements_max", 12, &text, |it| &mut it.elements_max);
    edge("text_bytes_max", 4, &text, |it| &mut it.text_bytes_max);
    edge("attributes_max", 2, &text.replace("<Alert>", "<Alert a='' b=''>"), |it| &mut it.attributes_max);
    let nested = with_body("<Atomic><Alert/><Alert/></Atomic><Put/>");
    edge("commands_max", 4, &nested, |it| &mut it.commands_max);
    edge("items_max", 3, &with_body("<Get><Item/><Item/><Item/></Get>"), |it| &mut it.items_max);
}

#[test]
fn text_in_pieces_has_the_limit_of_text_in_one() {
    let pieces = "<![CDATA[abcd]]>&amp;efgh<!-- -->ijkl";
    for place in [
        format!("<Alert><Data>{pieces}</Data></Alert>"),
        format!("<Get><Item><Data>{pieces}</Data></Item></Get>"),
        format!("<Get><Item><Target>{pieces}</Target></Item></Get>"),
    ] {
        edge("text_bytes_max", 13, &with_body(&place), |it| &mut it.text_bytes_max);
    }
    let markup = with_body("<Add><Item><Data><a xmlns='u'>&amp;&amp;</a></Data></Item></Add>");
    edge("text_bytes_max", "<a xmlns=\"u\">&amp;&amp;</a>".len(), &markup, |it| &mut it.text_bytes_max);
}

#[test]
fn ten_thousand_open_elements_are_refused_by_depth() {
    let deep = "<a>".repeat(10_000);
    for text in [with_body(&deep), with_body(&format!("<Add><Item><Data>{deep}"))] {
        assert!(matches!(xml_refusal(text), XmlError::Limit(LimitExceeded { limit: "depth_max", max: 32, .. })));
    }
    let atomics = with_body(&"<Atomic>".repeat(10_000));
    assert!(matches!(xml_refusal(atomics), XmlError::Limit(LimitExceeded { limit: "depth_max", .. })));
}

#[test]
fn document_type_without_a_subset_is_ignored_and_with_one_refused() {
    let message = with_body("<Final/>");
    let external = "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://example.org/a[1].dtd'>";
    assert_eq!(decode(format!("{external}{message}"), &Limits::DEVICE), decode(&message, &Limits::DEVICE));
    for subset in [
        "<!DOCTYPE SyncML []>",
        "<!DOCTYPE SyncML [<!ENTITY a 'b'>]>",
        "<!DOCTYPE SyncML [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE SyncML SYSTEM 'x' [<!ENTITY % a '%b;'>]>",
        "<!DOCTYPE SyncML [<!ENTITY a '&b;&b;&b;'><!ENTITY b '&c;&c;&c;'>]>",
    ] {
        assert!(matches!(xml_refusal(format!("{subset}{message}")), XmlError::DocumentType { .. }), "{subset}");
    }
    let twice = format!("{external}{external}{message}");
    assert!(matches!(xml_refusal(twice), XmlError::DocumentType { .. }));
    assert!(matches!(xml_refusal(with_body(external)), XmlError::DocumentType { .. }));
}

#[test]
fn only_predefined_entities_and_characters_of_xml_are_taken() {
    let data = |text: &str| with_body(&format!("<Alert><Data>{text}</Data></Alert>"));
    for unknown in ["&a;", "&nbsp;", "&#;", "&#x;", "&#-1;", "&#+1;", "&#1 ;", "&AMP;"] {
        assert!(matches!(xml_refusal(data(unknown)), XmlError::Entity { .. }), "{unknown}");
    }
    for forbidden in ["&#0;", "&#1;", "&#x1F;", "&#xD800;", "&#xFFFE;", "&#x110000;", "\u{1}", "\u{B}", "\u{FFFF}"] {
        assert!(matches!(xml_refusal(data(forbidden)), XmlError::Character { .. }), "{forbidden}");
    }
    for broken in ["&", "&amp", "a & b", "&&amp;"] {
        assert!(matches!(xml_refusal(data(broken)), XmlError::Syntax { .. } | XmlError::Entity { .. }), "{broken}");
    }
    let taken = decode(data("&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;"), &Limits::DEVICE).unwrap();
    let muster_protocol::syncml::Command::Alert(alert) = taken.commands.first().unwrap() else { unreachable!() };
    assert_eq!(alert.code, "<>&\"'A€");
}

#[test]
fn processing_instructions_and_late_declarations_are_refused() {
    let message = with_body("");
    for text in [
        format!("<?a b?>{message}"),
        format!("{message}<?a?>"),
        with_body("<?xml-stylesheet href='a'?>"),
        format!(" <?xml version='1.0'?>{message}"),
        with_body("<?xml version='1.0'?>"),
    ] {
        assert!(matches!(xml_refusal(&text), XmlError::ProcessingInstruction { .. }), "{text}");
    }
}

#[test]
fn nothing_but_white_space_and_comments_stands_outside_the_root() {
    let message = with_body("");
    decode(format!("<!-- a --> \r\n{message}\t<!-- b -->\n"), &Limits::DEVICE).unwrap();
    for text in [
        format!("a{message}"),
        format!("{message}a"),
        format!("{message}{message}"),
        format!("{message}<a/>"),
        format!("&#32;{message}"),
        format!("{message}<![CDATA[]]>"),
    ] {
        assert!(matches!(xml_refusal(&text), XmlError::OutsideRoot { .. }), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        "<",
        "<>",
        "< SyncML/>",
        "<SyncML",
        "<SyncML>",
        "<SyncML></Syncml>",
        "</SyncML>",
        "<SyncML/></SyncML>",
        "<SyncML a/>",
        "<SyncML a=b/>",
        "<SyncML a='b' a='c'/>",
        "<SyncML a='<'/>",
        "<SyncML a='b'c='d'/>",
        "<1/>",
        "<a:b:c xmlns:a='u'/>",
        "<a:SyncML/>",
        "<SyncML xmlns:a=''/>",
        "<SyncML xmlns:xmlns='u'/>",
        "<SyncML xmlns:xml='u'/>",
        "<SyncML><![CDATA[</SyncML>",
        "<SyncML><!-- </SyncML>",
        "<SyncML><!a></SyncML>",
    ] {
        xml_refusal(text);
    }
}

#[test]
fn encodings_are_declared_and_kept_to() {
    let message = with_body("<Alert><Data>\u{E4}</Data></Alert>");
    let plain = decode(&message, &Limits::DEVICE).unwrap();
    let latin1: Vec<u8> = message.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let declared = |name: &str, octets: &[u8]| {
        let mut document = format!("<?xml version=\"1.0\" encoding='{name}' standalone='yes'?>").into_bytes();
        document.extend_from_slice(octets);
        document
    };

    assert_eq!(decode(declared("utf-8", message.as_bytes()), &Limits::DEVICE).unwrap(), plain);
    assert_eq!(decode(format!("\u{FEFF}{message}"), &Limits::DEVICE).unwrap(), plain);
    assert_eq!(decode(declared("ISO-8859-1", &latin1), &Limits::DEVICE).unwrap(), plain);

    assert!(matches!(xml_refusal(&latin1), XmlError::NotText { .. }));
    assert!(matches!(xml_refusal(declared("US-ASCII", &latin1)), XmlError::NotText { .. }));
    assert!(matches!(xml_refusal(declared("UTF-16", message.as_bytes())), XmlError::Encoding { .. }));
    assert!(matches!(xml_refusal(declared("EBCDIC-CP-US", message.as_bytes())), XmlError::Encoding { .. }));
    let utf16: Vec<u8> = message.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(xml_refusal(&utf16), XmlError::Encoding { .. }));
    assert!(matches!(xml_refusal("<?xml encoding='UTF-8'?><SyncML/>"), XmlError::Syntax { .. }));
}

#[test]
fn other_documents_and_incomplete_messages_are_refused_by_name() {
    for text in ["<html/>", "<SyncML xmlns='urn:other'/>", "<a:SyncML xmlns:a='syncml:metinf'/>", "<SyncHdr/>"] {
        assert_eq!(refusal(text), DecodeFault::NotSyncMl, "{text}");
    }
    let missing = |text: &str| match refusal(text) {
        DecodeFault::Missing { element } => element,
        other => panic!("{other}"),
    };
    assert_eq!(missing("<SyncML><SyncBody/></SyncML>"), "SyncHdr");
    assert_eq!(missing(&format!("<SyncML>{HEADER}</SyncML>")), "SyncBody");
    for element in ["SessionID", "MsgID", "Target", "Source"] {
        let without = with_body("").replace(&format!("<{element}>"), "<X>").replace(&format!("</{element}>"), "</X>");
        assert_eq!(missing(&without), element);
    }
    assert_eq!(missing(&with_body("").replace("<MsgID>1</MsgID>", "<MsgID/>")), "MsgID");
    let twice = format!("<SyncML>{HEADER}{HEADER}<SyncBody/></SyncML>");
    assert!(matches!(refusal(twice), DecodeFault::Repeated { element: "SyncHdr", .. }));
    let twice = format!("<SyncML>{HEADER}<SyncBody/><SyncBody/></SyncML>");
    assert!(matches!(refusal(twice), DecodeFault::Repeated { element: "SyncBody", .. }));
}

#[test]
fn numbers_and_nonces_that_are_none_are_refused() {
    let meta = |inside: &str| with_body(&format!("<Get><Meta>{inside}</Meta></Get>"));
    for number in ["a", "-1", "+1", "1.5", "18446744073709551616"] {
        let error = refusal(meta(&format!("<Size xmlns='syncml:metinf'>{number}</Size>")));
        assert!(matches!(error, DecodeFault::NotNumber { element: "Size", .. }), "{number}");
    }
    for nonce in ["*", "abc=d", "a"] {
        let error = refusal(meta(&format!("<NextNonce xmlns='syncml:metinf'>{nonce}</NextNonce>")));
        assert!(matches!(error, DecodeFault::NotBase64 { element: "NextNonce", .. }), "{nonce}");
    }
}
