//! Hostile input in both encodings: refused with a typed error that names its place, and with memory that the limits
//! bound and not the sender.

use allocation_counter::{AllocationInfo, measure};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, DecodeError, DecodeFault, Encoding, Message};

use crate::vectors::vectors;

const XML_START: &str = "<SyncML><SyncHdr><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target>\
    <Source><LocURI>d</LocURI></Source></SyncHdr><SyncBody>";
const XML_END: &str = "</SyncBody></SyncML>";

/// `SyncML`, `SyncHdr` and the start of `SyncBody`, after the header.
const WBXML_START: &[u8] =
    b"\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
const WBXML_END: &[u8] = b"\x01\x01";
const WBXML_HEADER: &[u8] = b"\x02\xA4\x01\x6A\x00";

/// Room for documents that are above the usual limit of octets, so that another limit has to hold.
const ROOMY: Limits = Limits { document_bytes_max: 64 << 20, ..Limits::DEVICE };

fn xml(body: &str) -> Vec<u8> {
    [XML_START, body, XML_END].concat().into_bytes()
}

fn wbxml(body: &[u8]) -> Vec<u8> {
    [WBXML_HEADER, WBXML_START, body, WBXML_END].concat()
}

/// The refusal, and what memory was taken on the way.
fn refused(encoding: Encoding, octets: &[u8], limits: &Limits) -> (DecodeError, AllocationInfo) {
    let mut error = None;
    let memory = measure(|| error = Message::decode(encoding, octets, limits).err());
    (error.expect("hostile input is refused"), memory)
}

/// The kind of the refusal, which took less memory at one time than a list of four commands on each level of depth.
fn refused_cheaply(encoding: Encoding, octets: &[u8], limits: &Limits) -> &'static str {
    let (error, memory) = refused(encoding, octets, limits);
    assert!(error.at <= octets.len(), "{error}");
    let lists = Limits::DEVICE.depth_max * 4 * size_of::<Command>();
    assert!(memory.bytes_max < lists as u64, "{} octets at one time: {error}", memory.bytes_max);
    assert!(memory.count_total < 200, "{} allocations: {error}", memory.count_total);
    error.kind()
}

#[test]
fn every_bit_flipped_in_a_golden_message_ends_in_a_message_or_a_refusal_with_its_place() {
    for vector in vectors() {
        for (encoding, golden) in [(Encoding::Xml, &vector.xml), (Encoding::Wbxml, &vector.wbxml)] {
            let mut octets = golden.clone();
            for at in 0..octets.len() {
                for bit in 0..8 {
                    octets[at] ^= 1 << bit;
                    if let Err(error) = Message::decode(encoding, &octets, &Limits::DEVICE) {
                        assert!(error.at <= octets.len(), "{} octet {at} bit {bit}: {error}", vector.name);
                        assert!(DecodeFault::KINDS.contains(&error.kind()));
                    }
                    octets[at] ^= 1 << bit;
                }
            }
        }
    }
}

#[test]
fn a_hundred_thousand_open_elements_cost_no_more_than_the_limit_of_depth() {
    for element in ["<a>", "<Atomic>", "<Add><Item><Data><a>", "<Get><Meta><MetInf>", "<a xmlns:b='c'>", "<a b='c'>"] {
        let octets = xml(&element.repeat(100_000));
        assert_eq!(refused_cheaply(Encoding::Xml, &octets, &ROOMY), "limit_depth", "{element}");
    }
    for element in
        [b"\x48".as_slice(), b"\x7F", b"\x45\x54\x4F\x00\x02\x60", b"\x5A\x00\x01\x4E\x00\x00", b"\xFF\x05\x01"]
    {
        let octets = wbxml(&element.repeat(100_000));
        assert_eq!(refused_cheaply(Encoding::Wbxml, &octets, &ROOMY), "limit_depth", "{element:02x?}");
    }
}

#[test]
fn a_million_attributes_cost_no_more_than_their_limit() {
    let attributes: String = (0..1_000_000).map(|number| format!(" a{number}=''")).collect();
    assert_eq!(refused_cheaply(Encoding::Xml, &xml(&format!("<Alert{attributes}/>")), &ROOMY), "limit_attributes");
    let declarations: String = (0..1_000_000).map(|number| format!(" xmlns:a{number}='u'")).collect();
    assert_eq!(refused_cheaply(Encoding::Xml, &xml(&format!("<Alert{declarations}/>")), &ROOMY), "limit_attributes");
    let same = " a=''".repeat(1_000_000);
    assert_eq!(refused_cheaply(Encoding::Xml, &xml(&format!("<Alert{same}/>")), &ROOMY), "xml_syntax");

    let tokens = wbxml(&[b"\xC6".as_slice(), &b"\x05".repeat(1_000_000), b"\x01\x01"].concat());
    assert_eq!(refused_cheaply(Encoding::Wbxml, &tokens, &ROOMY), "limit_attributes");
    // Parts of one value are no attributes; they are read over one by one and nothing is kept.
    let parts = wbxml(&[b"\xC6\x05".as_slice(), &b"\x85".repeat(1_000_000), b"\x01\x01"].concat());
    let memory = measure(|| Message::decode(Encoding::Wbxml, &parts, &ROOMY).map(drop).unwrap());
    assert!(memory.bytes_max < 16 << 10, "{memory:?}");
}

#[test]
fn lengths_of_gigabytes_are_refused_before_memory_is_taken() {
    // A string table of 4 GiB, one of 2 GiB within its limit but beyond the input.
    let table = |length: &[u8]| [b"\x02\xA4\x01\x6A".as_slice(), length, WBXML_START, WBXML_END].concat();
    assert_eq!(
        refused_cheaply(Encoding::Wbxml, &table(b"\x8F\xFF\xFF\xFF\x7F"), &Limits::DEVICE),
        "limit_string_table_bytes"
    );
    let boundless = Limits { string_table_bytes_max: usize::MAX, text_bytes_max: usize::MAX, ..Limits::DEVICE };
    assert_eq!(refused_cheaply(Encoding::Wbxml, &table(b"\x87\xFF\xFF\xFF\x7F"), &boundless), "wbxml_truncated");
    // Opaque octets in a leaf, in data, in an element that is passed over, in an attribute.
    for before in [b"\x46\x4F\xC3".as_slice(), b"\x45\x54\x4F\xC3", b"\x7F\xC3", b"\xC6\x05\xC3"] {
        for length in [b"\x87\xFF\xFF\xFF\x7F".as_slice(), b"\x8F\xFF\xFF\xFF\x7F", b"\x84\x80\x80\x80\x00", b"\x7F"] {
            let octets = wbxml(&[before, length].concat());
            assert_eq!(refused_cheaply(Encoding::Wbxml, &octets, &boundless), "wbxml_truncated");
        }
    }
}

#[test]
fn sizes_that_a_message_only_tells_take_no_memory() {
    let size = u64::MAX;
    let text = xml(&format!(
        "<Add><CmdID>1</CmdID><Item><Meta><Size>{size}</Size><MaxObjSize>{size}</MaxObjSize></Meta></Item></Add>"
    ));
    let memory = measure(|| Message::decode(Encoding::Xml, &text, &Limits::DEVICE).map(drop).unwrap());
    assert!(memory.bytes_max < 16 << 10, "{memory:?}");
}

#[test]
fn unbalanced_ends_are_refused() {
    for (body, kind) in [
        ("</Alert>", "xml_syntax"),
        ("<Alert></Alert></Alert>", "xml_syntax"),
        ("<Alert><Item></Alert></Item>", "xml_syntax"),
        ("<Alert>", "xml_syntax"),
        ("</SyncBody></SyncML></SyncML>", "xml_syntax"),
        ("</SyncBody></SyncML><SyncML>", "xml_outside_root"),
    ] {
        assert_eq!(refused_cheaply(Encoding::Xml, &xml(body), &Limits::DEVICE), kind, "{body}");
    }
    let open = [XML_START, "<Alert>"].concat();
    assert_eq!(refused_cheaply(Encoding::Xml, open.as_bytes(), &Limits::DEVICE), "xml_truncated");
    for (body, kind) in [
        (b"\x01".as_slice(), "wbxml_trailing"),
        (b"\x46\x01\x01", "wbxml_trailing"),
        (b"\x01\x01\x01\x01\x01", "wbxml_trailing"),
        (b"\x46", "wbxml_truncated"),
        (b"\x46\x54\x54\x01", "wbxml_truncated"),
        (b"\xC6\x05", "wbxml_truncated"),
    ] {
        assert_eq!(refused_cheaply(Encoding::Wbxml, &wbxml(body), &Limits::DEVICE), kind, "{body:02x?}");
    }
}

#[test]
fn two_roots_are_refused() {
    let once = xml("<Final/>");
    for second in [once.as_slice(), b"<a/>", b"<SyncML", b" \n<!-- --><a>"] {
        let twice = [once.as_slice(), second].concat();
        assert_eq!(refused_cheaply(Encoding::Xml, &twice, &Limits::DEVICE), "xml_outside_root");
    }
    let once = wbxml(b"\x12");
    for second in [once.as_slice(), &once[WBXML_HEADER.len()..], b"\x2D", b"\x00\x01\x45\x01"] {
        let twice = [once.as_slice(), second].concat();
        assert_eq!(refused_cheaply(Encoding::Wbxml, &twice, &Limits::DEVICE), "wbxml_trailing");
    }
}

#[test]
fn utf_16_utf_7_and_zeros_are_refused() {
    let text = String::from_utf8(xml("<Final/>")).unwrap();
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?>{text}");
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let little: Vec<u8> = units(&text).iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units(&text).iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for octets in [
        [b"\xFF\xFE".as_slice(), &little].concat(),
        [b"\xFE\xFF".as_slice(), &big].concat(),
        little,
        big,
        declared("UTF-16").into_bytes(),
        declared("utf-16le").into_bytes(),
        declared("UTF-7").into_bytes(),
        declared("UNICODE-1-1-UTF-7").into_bytes(),
        declared("UTF-32").into_bytes(),
        declared("Shift_JIS").into_bytes(),
        declared("").into_bytes(),
        text.replace("<Final/>", "<Final/>\0").into_bytes(),
        text.replace("<SyncML>", "<SyncML a='\0'>").into_bytes(),
        format!("{text}\0").into_bytes(),
        format!("\0{text}").into_bytes(),
        vec![0; 1_000],
    ] {
        assert_eq!(refused_cheaply(Encoding::Xml, &octets, &Limits::DEVICE), "xml_encoding");
    }
    // A BOM counts before the declaration: text marked as UTF-7 is only its letters, since nothing decodes it.
    assert!(refused_cheaply(Encoding::Xml, b"+/v8-+ADw-SyncML+AD4-", &Limits::DEVICE).starts_with("xml_"));
    // UTF-16 (1000, 1013 to 1015), UTF-7 (1012, 103), UTF-32 (1017), Shift_JIS (17).
    for charset in
        [b"\x87\x68".as_slice(), b"\x87\x75", b"\x87\x76", b"\x87\x77", b"\x87\x74", b"\x67", b"\x87\x79", b"\x11"]
    {
        let octets = [b"\x02\xA4\x01".as_slice(), charset, b"\x00", WBXML_START, WBXML_END].concat();
        assert_eq!(refused_cheaply(Encoding::Wbxml, &octets, &Limits::DEVICE), "wbxml_charset");
    }
    // A zero ends an inline string, and what follows is no token of text.
    let zero = wbxml(b"\x46\x4F\x0312\x00\x0501\x00\x01\x01");
    assert!(refused_cheaply(Encoding::Wbxml, &zero, &Limits::DEVICE).starts_with("wbxml_"));
}

#[test]
fn entities_that_would_swell_are_refused_where_they_are_declared() {
    let mut subset = String::from("<!DOCTYPE SyncML [<!ENTITY a0 'lol'>");
    for number in 1..100 {
        subset.push_str(&format!("<!ENTITY a{number} '&a{0};&a{0};&a{0};'>", number - 1));
    }
    let body = String::from_utf8(xml("<Alert><Data>&a99;</Data></Alert>")).unwrap();
    let bomb = format!("{subset}]>{body}");
    assert_eq!(refused_cheaply(Encoding::Xml, bomb.as_bytes(), &Limits::DEVICE), "xml_document_type");
    assert_eq!(refused_cheaply(Encoding::Xml, body.as_bytes(), &Limits::DEVICE), "xml_entity");
    let external = format!("<!DOCTYPE SyncML SYSTEM 'file:///etc/passwd'>{body}");
    assert_eq!(refused_cheaply(Encoding::Xml, external.as_bytes(), &Limits::DEVICE), "xml_entity");
}

#[test]
fn code_pages_that_do_not_exist_cost_nothing() {
    for page in 2..=255 {
        // The page, two elements of it with text and octets, and back.
        let body = [0x00, page, 0x45, 0x03, b'x', 0x00, 0x01, 0x7F, 0xC3, 0x01, 0x00, 0x01, 0x00, 0x00, 0x12];
        let octets = wbxml(&body);
        let mut message = None;
        let memory = measure(|| message = Some(Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).unwrap()));
        assert_eq!((message.unwrap().is_final, memory.count_total), (true, 0), "page {page}");
    }
    let switches = wbxml(&[b"\x00\x77".repeat(500_000).as_slice(), b"\x00\x00\x12"].concat());
    let memory = measure(|| Message::decode(Encoding::Wbxml, &switches, &ROOMY).map(drop).unwrap());
    assert_eq!(memory.count_total, 0);
    let cut = [WBXML_HEADER, WBXML_START, b"\x00"].concat();
    assert_eq!(refused_cheaply(Encoding::Wbxml, &cut, &Limits::DEVICE), "wbxml_truncated");
}

#[test]
fn the_smallest_elements_that_take_the_most_memory_stay_within_what_elements_max_allows() {
    let item = size_of::<muster_protocol::syncml::Item>();
    let worst = Limits::DEVICE.elements_max * item;
    // Items of one octet each, as many as a command and a document may have; a vector doubles as it grows.
    let items = b"\x14".repeat(Limits::DEVICE.items_max);
    let get = [b"\x53".as_slice(), &items, b"\x01"].concat();
    let octets = wbxml(&get.repeat(24));
    let memory = measure(|| Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).map(drop).unwrap());
    assert!(memory.bytes_max < 2 * worst as u64, "{memory:?}");
    assert!(worst < 32 << 20, "an item has {item} octets");

    let one_more = wbxml(&get.repeat(25));
    let (error, memory) = refused(Encoding::Wbxml, &one_more, &Limits::DEVICE);
    assert_eq!(error.kind(), "limit_elements");
    assert!(memory.bytes_max < 2 * worst as u64, "{memory:?}");
}

#[test]
fn text_in_a_million_pieces_takes_memory_of_its_length() {
    let entities = xml(&format!("<Alert><Data>{}</Data></Alert>", "&lt;".repeat(200_000)));
    let sections = xml(&format!("<Add><Item><Data>{}</Data></Item></Add>", "<![CDATA[a]]>".repeat(70_000)));
    let comments = xml(&format!("<Add><Item><Data>{}</Data></Item></Add>", "a<!---->".repeat(100_000)));
    let returns = xml(&format!("<Add><Item><Data>{}</Data></Item></Add>", "\r".repeat(900_000)));
    for octets in [entities, sections, comments, returns] {
        let memory = measure(|| Message::decode(Encoding::Xml, &octets, &Limits::DEVICE).map(drop).unwrap());
        assert!(memory.bytes_max < 4 * octets.len() as u64, "{memory:?} for {}", octets.len());
        assert!(memory.count_total < 100, "{memory:?}");
    }
    let strings = wbxml(&[b"\x46\x4F".as_slice(), &b"\x03a\x00".repeat(300_000), b"\x01\x01"].concat());
    let empty = wbxml(&[b"\x46\x4F".as_slice(), &b"\x03\x00".repeat(500_000), b"\x01\x01"].concat());
    let entities = wbxml(&[b"\x46\x4F".as_slice(), &b"\x02\x41".repeat(500_000), b"\x01\x01"].concat());
    for octets in [strings, empty, entities] {
        let memory = measure(|| Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).map(drop).unwrap());
        assert!(memory.bytes_max < 4 * octets.len() as u64, "{memory:?} for {}", octets.len());
        assert!(memory.count_total < 100, "{memory:?}");
    }
}

#[test]
fn refusals_that_quote_the_sender_stay_short() {
    let long = "x".repeat(500_000);
    for octets in [
        xml(&format!("<{long}><a></b>")),
        format!("<?xml version='1.0' encoding='{long}'?><SyncML/>").into_bytes(),
        xml(&format!("<{}></{long}>", "y")),
        format!("<{long}/>").into_bytes(),
        xml(&format!("&{long};")),
    ] {
        let (error, _) = refused(Encoding::Xml, &octets, &Limits::DEVICE);
        assert!(error.to_string().len() < 300, "{}", error.kind());
    }
}
