use muster_protocol::limits::{LimitExceeded, Limits};
use muster_protocol::syncml::{DecodeError, DecodeFault, Encoding, Message};
use muster_protocol::wbxml::WbxmlError;

/// `SyncHdr` with everything an answer needs, closed, after the start of `SyncML`.
const HEADER: &[u8] =
    b"\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01";

fn document(prolog: &[u8], body: &[u8]) -> Vec<u8> {
    [prolog, HEADER, b"\x6B", body, b"\x01\x01"].concat()
}

fn with_body(body: &[u8]) -> Vec<u8> {
    document(b"\x02\xA4\x01\x6A\x00", body)
}

fn decode(octets: &[u8], limits: &Limits) -> Result<Message, DecodeError> {
    Message::decode(Encoding::Wbxml, octets, limits)
}

fn refusal(octets: &[u8]) -> WbxmlError {
    match decode(octets, &Limits::DEVICE).unwrap_err().fault {
        DecodeFault::Wbxml(error) => error,
        other => panic!("not an error of the WBXML layer: {other}"),
    }
}

/// The document is taken with `limits` as changed to `enough`, and refused with one less.
fn edge(name: &str, enough: usize, octets: &[u8], field: fn(&mut Limits) -> &mut usize) {
    let mut limits = Limits::DEVICE;
    *field(&mut limits) = enough;
    decode(octets, &limits).unwrap();
    *field(&mut limits) = enough - 1;
    let refused = match decode(octets, &limits).unwrap_err().fault {
        DecodeFault::Limit(refused) | DecodeFault::Wbxml(WbxmlError::Limit(refused)) => refused,
        other => panic!("not a limit: {other}"),
    };
    assert_eq!((refused.limit, refused.max), (name, enough - 1));
}

#[test]
fn each_limit_holds_at_its_edge() {
    let alert = with_body(b"\x46\x4B\x031\x00\x01\x4F\x031201\x00\x01\x01");
    edge("document_bytes_max", alert.len(), &alert, |it| &mut it.document_bytes_max);
    edge("depth_max", 4, &alert, |it| &mut it.depth_max);
    edge("elements_max", 12, &alert, |it| &mut it.elements_max);
    edge("text_bytes_max", 4, &alert, |it| &mut it.text_bytes_max);
    edge("depth_max", 4, &with_body(b"\x46\x0B\x01"), |it| &mut it.depth_max);
    edge("text_bytes_max", 6, &with_body(b"\x53\x54\x4F\xC3\x06abcdef\x01\x01\x01"), |it| &mut it.text_bytes_max);
    edge("text_bytes_max", 7, &with_body(b"\x53\x54\x4F\xC3\x06abcdef\x02\x41\x01\x01\x01"), |it| {
        &mut it.text_bytes_max
    });
    edge("attributes_max", 2, &with_body(b"\xC6\x05\x03a\x00\x06\x85\x01\x01"), |it| &mut it.attributes_max);
    edge("commands_max", 4, &with_body(b"\x48\x06\x06\x01\x1F"), |it| &mut it.commands_max);
    edge("items_max", 3, &with_body(b"\x53\x14\x14\x14\x01"), |it| &mut it.items_max);
    let table = document(b"\x02\xA4\x01\x6A\x0A123456789\x00", b"");
    edge("string_table_bytes_max", 10, &table, |it| &mut it.string_table_bytes_max);
}

#[test]
fn one_table_string_named_often_does_not_swell_the_message() {
    let table = [b"\x02\xA4\x01\x6A\x64".as_slice(), &[b'a'; 99], b"\x00"].concat();
    let body = [b"\x46\x4F".as_slice(), &b"\x83\x00".repeat(10), b"\x01\x01"].concat();
    edge("document_bytes_max", 990, &document(&table, &body), |it| &mut it.document_bytes_max);
}

#[test]
fn ten_thousand_open_elements_are_refused_by_depth() {
    for token in [b"\x48", b"\x7F", b"\x54", b"\x5A"] {
        let error = refusal(&with_body(&token.repeat(10_000)));
        assert!(matches!(error, WbxmlError::Limit(LimitExceeded { limit: "depth_max", max: 32, .. })));
    }
    let in_data = [b"\x45\x54\x4F\x00\x02".as_slice(), &b"\x60".repeat(10_000)].concat();
    assert!(matches!(refusal(&with_body(&in_data)), WbxmlError::Limit(LimitExceeded { limit: "depth_max", .. })));
}

#[test]
fn lengths_beyond_the_input_are_refused_before_memory_is_taken() {
    for body in [b"\x46\x4F\xC3\x7F".as_slice(), b"\x46\x4F\xC3\x8F\xFF\xFF\xFF\x7F", b"\x46\x4F\xC3\x05ab"] {
        assert!(matches!(refusal(&with_body(body)), WbxmlError::Truncated { .. }));
    }
    assert!(matches!(refusal(b"\x02\xA4\x01\x6A\x20abc"), WbxmlError::Truncated { .. }));
    let huge = refusal(b"\x02\xA4\x01\x6A\x8F\xFF\xFF\xFF\x7F");
    assert!(matches!(huge, WbxmlError::Limit(LimitExceeded { limit: "string_table_bytes_max", .. })));
}

#[test]
fn integers_above_32_bits_or_5_octets_are_refused() {
    for integer in [b"\x90\x80\x80\x80\x00".as_slice(), b"\x80\x80\x80\x80\x80\x00", b"\xFF\xFF\xFF\xFF\xFF\xFF"] {
        for before in [b"\x46\x4F\xC3".as_slice(), b"\x46\x4F\x02", b"\x46\x4F\x83"] {
            let error = refusal(&with_body(&[before, integer].concat()));
            assert!(matches!(error, WbxmlError::IntegerTooLong { .. }), "{error}");
        }
        assert!(matches!(refusal(&[b"\x02", integer].concat()), WbxmlError::IntegerTooLong { at: 1 }));
    }
}

#[test]
fn offsets_outside_the_string_table_are_refused() {
    let table = b"\x02\xA4\x01\x6A\x04abc\x00";
    decode(&document(table, b"\x46\x4F\x83\x03\x01\x01"), &Limits::DEVICE).unwrap();
    for (body, offset) in
        [(b"\x46\x4F\x83\x04".as_slice(), 4), (b"\x44\x04", 4), (b"\x46\x4F\x83\x8F\xFF\xFF\xFF\x7F", u32::MAX)]
    {
        let error = refusal(&document(table, body));
        assert!(matches!(error, WbxmlError::StringTable { offset: found, .. } if found == offset), "{error}");
    }
    assert!(matches!(refusal(b"\x02\x00\x00\x6A\x00"), WbxmlError::StringTable { offset: 0, .. }));
    assert!(matches!(refusal(b"\x02\x00\x05\x6A\x02ab"), WbxmlError::StringTable { offset: 5, .. }));
}

#[test]
fn versions_character_sets_and_document_types_of_others_are_refused() {
    for version in [0x10, 0x20, 0x80, 0xFF] {
        assert_eq!(refusal(&document(&[version, 0xA4, 0x01, 0x6A, 0x00], b"")), WbxmlError::Version { version });
    }
    assert_eq!(refusal(&document(b"\x02\xA4\x01\x87\x67\x00", b"")), WbxmlError::Charset { mib: 999 });
    for prolog in [b"\x02\x0B\x6A\x00".as_slice(), b"\x02\x00\x00\x6A\x03abc", b"\x02\xA4\x03\x6A\x00"] {
        assert_eq!(decode(&document(prolog, b""), &Limits::DEVICE).unwrap_err().fault, DecodeFault::NotSyncMl);
    }
}

#[test]
fn processing_instructions_are_refused() {
    assert!(matches!(refusal(&with_body(b"\x46\x43\x05\x01\x01")), WbxmlError::Token { token: 0x43, .. }));
    for token in [0x01, 0x02, 0x03, 0x43, 0x83, 0xC3, 0x40, 0x80, 0xC0] {
        let before_root = [b"\x02\xA4\x01\x6A\x00".as_slice(), &[token]].concat();
        assert!(matches!(refusal(&before_root), WbxmlError::Token { .. }));
    }
}

#[test]
fn extensions_in_text_are_refused_since_text_without_them_would_be_another() {
    for (extension, token) in EXTENSIONS {
        for around in
            [b"\x46\x4F\x031".as_slice(), b"\x45\x54\x4F\x031", b"\x45\x54\x6E\x57\x031", b"\x45\x54\x6E\x031"]
        {
            let body = [around, b"\x00", extension, b"\x032\x00\x01\x01\x01\x01"].concat();
            let error = refusal(&with_body(&body));
            assert!(matches!(error, WbxmlError::Token { token: found, .. } if found == token), "{error}");
        }
    }
}

/// Each extension token with what it carries: a string, an offset, nothing.
const EXTENSIONS: [(&[u8], u8); 9] = [
    (b"\x40ab\x00", 0x40),
    (b"\x41\x00", 0x41),
    (b"\x42\xE4\x00", 0x42),
    (b"\x80\x05", 0x80),
    (b"\x81\x8F\xFF\xFF\xFF\x7F", 0x81),
    (b"\x82\x00", 0x82),
    (b"\xC0", 0xC0),
    (b"\xC1", 0xC1),
    (b"\xC2", 0xC2),
];

#[test]
fn extensions_outside_text_are_passed_over() {
    let plain = decode(&with_body(b"\x46\x4F\x031201\x00\x01\x01"), &Limits::DEVICE).unwrap();
    for (extension, _) in EXTENSIONS {
        let between = [extension, b"\x46", extension, b"\x4F\x031201\x00\x01", extension, b"\x01"].concat();
        assert_eq!(decode(&with_body(&between), &Limits::DEVICE).unwrap(), plain);
        let in_unknown = [b"\x7E".as_slice(), extension, b"\x01\x46\x4F\x031201\x00\x01\x01"].concat();
        assert_eq!(decode(&with_body(&in_unknown), &Limits::DEVICE).unwrap(), plain);
    }
    for cut in [b"\x46\x40ab".as_slice(), b"\x46\x80", b"\x46\x80\x80"] {
        let cut = [b"\x02\xA4\x01\x6A\x00".as_slice(), HEADER, b"\x6B", cut].concat();
        assert!(matches!(refusal(&cut), WbxmlError::Truncated { .. }));
    }
}

#[test]
fn nothing_follows_the_root() {
    for octet in [0x00, 0x01, 0x43, 0x6D] {
        let mut octets = with_body(b"");
        octets.push(octet);
        assert!(matches!(refusal(&octets), WbxmlError::Trailing { .. }));
    }
}

#[test]
fn text_keeps_to_its_character_set() {
    assert!(matches!(refusal(&with_body(b"\x46\x4F\x03\xE4\x00")), WbxmlError::NotText { .. }));
    let ascii = document(b"\x02\xA4\x01\x03\x00", b"\x46\x4F\x03\xC3\xA4\x00\x01\x01");
    assert!(matches!(refusal(&ascii), WbxmlError::NotText { .. }));
    assert!(matches!(
        decode(&with_body(b"\x46\x4F\xC3\x01\xE4\x01\x01"), &Limits::DEVICE).unwrap_err().fault,
        DecodeFault::NotText { .. }
    ));
    for code in [b"\x02\x00".as_slice(), b"\x02\x83\xB0\x00", b"\x02\xC4\x80\x00"] {
        assert!(matches!(refusal(&with_body(&[b"\x46\x4F", code].concat())), WbxmlError::Entity { .. }));
    }
}
