//! What real devices send and the specification's examples show.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, EncodeError, Encoding, Item, ItemData, Message, StatusCode};

use crate::vectors::{decode, vectors};

fn golden() -> (Message, Vec<u8>) {
    let vector = vectors().remove(0);
    (decode(Encoding::Wbxml, &vector.wbxml), vector.wbxml)
}

/// Golden message 01 with another prolog before its body.
fn with_prolog(prolog: &[u8]) -> Vec<u8> {
    [prolog, golden().1.get(5..).unwrap()].concat()
}

fn xml_with_body(body: &str) -> Message {
    let text = format!(
        "<SyncML><SyncHdr><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target>\
         <Source><LocURI>d</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    );
    decode(Encoding::Xml, text.as_bytes())
}

fn first_item(message: &Message) -> &Item {
    match message.commands.first().unwrap() {
        Command::Write(it) => it.items.first().unwrap(),
        Command::Get(it) => it.items.first().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn text_of(message: &Message) -> &str {
    first_item(message).data.as_ref().unwrap().as_text().unwrap()
}

#[test]
fn all_prologs_of_the_field_are_read() {
    for prolog in [
        b"\x01\xA4\x01\x6A\x00".as_slice(),
        // WBXML 1.0 has no character set in its header.
        b"\x00\xA4\x01\x00",
        b"\x04\xA4\x01\x6A\x00",
        b"\x03\xA4\x01\x6A\x00",
        b"\x02\x9F\x53\x6A\x00",
        b"\x02\x9F\x51\x00\x00",
        b"\x02\x01\x03\x00",
        b"\x02\xA4\x01\x04\x00",
        // As Samsung handsets send it: no zero after the text.
        b"\x02\x00\x00\x6A\x1D-//SYNCML//DTD SyncML 1.2//EN",
        b"\x02\x00\x02\x6A\x20a\x00-//SYNCML//DTD SyncML 1.1//EN\x00",
    ] {
        assert_eq!(decode(Encoding::Wbxml, &with_prolog(prolog)), golden().0, "{prolog:02x?}");
    }
}

#[test]
fn text_in_any_mixture_of_tokens_is_one_text() {
    let header =
        b"\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    let body = b"\x45\x54\x6E\x57\x83\x00\xC3\x01b\x03c\x00\x02\x64\x03\x00\x01\x01\x4F\x03a\x00\xC3\x01b\x83\x02\x02\x81\x20\x01\x01\x01\x12\x01\x01";
    let message = decode(Encoding::Wbxml, &[b"\x02\xA4\x01\x6A\x04a\x00c\x00".as_slice(), header, body].concat());

    assert_eq!(first_item(&message).target.as_ref().unwrap().uri, "abcd");
    assert_eq!(text_of(&message), "abc\u{A0}");
    assert!(message.is_final);
}

#[test]
fn latin_1_strings_become_unicode() {
    let header = b"\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\xE4\xF6x\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x2B\x01";
    let message = decode(Encoding::Wbxml, &[b"\x02\xA4\x01\x04\x00".as_slice(), header].concat());

    assert_eq!(message.header.target.uri, "säöx");
}

#[test]
fn unknown_tags_literals_and_attributes_are_passed_over_in_wbxml() {
    let header =
        b"\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    // A literal with attributes and content, an unknown token, an unknown page, attributes on Alert.
    let body = b"\xC4\x00\x05\x03v\x00\x86\x01\x46\x01\x01\x7E\x03x\x00\x01\x00\x09\x45\x01\x00\x00\xC6\x04\x00\x83\x00\x01\x4F\x03\x31\x32\x30\x31\x00\x01\x01\x01\x01";
    let message = decode(Encoding::Wbxml, &[b"\x02\xA4\x01\x6A\x02a\x00".as_slice(), header, body].concat());

    assert_eq!(message.commands.len(), 1);
    assert!(matches!(message.commands.first(), Some(Command::Alert(alert)) if alert.code == "1201"));
}

#[test]
fn opaque_data_is_text_where_it_is_text_and_octets_where_not() {
    let header = b"\x02\xA4\x01\x6A\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    let data = |octets: &[u8]| {
        let length = [u8::try_from(octets.len()).unwrap()];
        let document = [header, b"\x45\x54\x4F\xC3".as_slice(), &length, octets, b"\x01\x01\x01\x01\x01"].concat();
        first_item(&decode(Encoding::Wbxml, &document)).data.clone().unwrap()
    };

    assert_eq!(data("ä\t\r\n".as_bytes()), ItemData::Text("ä\t\r\n".into()));
    assert_eq!(data(b""), ItemData::Text("".into()));
    for octets in [b"a\x00".as_slice(), b"\xFF", b"\x1B", "\u{FFFE}".as_bytes()] {
        assert_eq!(data(octets), ItemData::Opaque(octets.to_vec()));
    }
}

#[test]
fn mark_up_in_data_reads_alike_from_code_page_2_and_from_xml() {
    let header = b"\x02\xA4\x01\x6A\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    let body = b"\x45\x54\x4F\x00\x02\x60\x77\x031.2\x00\x01\x64\x6F\x5C\x25\x01\x01\x76\x03<&\x00\x01\x01\x01\x00\x00\x01\x01\x01\x01\x01";
    let wbxml = decode(Encoding::Wbxml, &[header.as_slice(), body].concat());
    let xml = xml_with_body(
        "<Add><Item><Data>\n <t:MgmtTree xmlns:t='syncml:dmddf1.2'><t:VerDTD>1.2</t:VerDTD><Node \
         xmlns='syncml:dmddf1.2'><RTProperties><Format><node></node></Format></RTProperties><Value><![CDATA[<&]]></Value></Node>\
         </t:MgmtTree> </Data></Item></Add>",
    );

    let canonical = "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node><RTProperties><Format><node/>\
        </Format></RTProperties><Value>&lt;&amp;</Value></Node></MgmtTree>";
    assert_eq!(text_of(&wbxml), canonical);
    assert_eq!(text_of(&xml), canonical);
}

#[test]
fn attributes_and_text_around_mark_up_in_data_are_kept() {
    let message = xml_with_body(
        "<Add><Item><Data>a &lt; <p xmlns='u' xmlns:q='v' b='&quot;1\n' q:c='2' xml:lang='de'><r xmlns=''/></p> b</Data></Item></Add>",
    );

    assert_eq!(
        text_of(&message),
        "a &lt; <p xmlns=\"u\" b=\"&quot;1 \" xmlns:a1=\"v\" a1:c=\"2\" xml:lang=\"de\"><r xmlns=\"\"/></p> b"
    );
    roxmltree::Document::parse(&format!("<x>{}</x>", text_of(&message))).unwrap();
}

#[test]
fn meta_is_read_with_any_namespace_habit() {
    let plain = "<Type>t</Type><Size> 7 </Size><NextNonce>AA EC\n</NextNonce>";
    for meta in [
        format!("<Meta>{plain}</Meta>"),
        format!("<Meta xmlns='syncml:metinf'>{plain}</Meta>"),
        format!("<Meta><MetInf xmlns='syncml:metinf'>{plain}</MetInf></Meta>"),
        "<Meta xmlns:m='syncml:metinf'><m:Type>t</m:Type><m:Size>7</m:Size><m:NextNonce>AAEC</m:NextNonce></Meta>".into(),
        "<Meta><Type xmlns='syncml:metinf'>t</Type><Type xmlns='urn:other'>u</Type><Size xmlns='syncml:metinf'>7</Size>\
         <NextNonce xmlns='syncml:metinf'>AAEC</NextNonce></Meta>"
            .into(),
    ] {
        let message = xml_with_body(&format!("<Get><Item>{meta}</Item></Get>"));
        let found = &first_item(&message).meta;
        assert_eq!(found.kind.as_deref(), Some("t"), "{meta}");
        assert_eq!(found.size, Some(7), "{meta}");
        assert_eq!(found.next_nonce.as_deref(), Some([0, 1, 2].as_slice()), "{meta}");
    }
}

#[test]
fn addresses_without_loc_uri_and_statuses_without_code_are_read() {
    let message =
        xml_with_body("<Get><Item><Target> ./x </Target></Item></Get><Status><Data>0</Data></Status><Status/>");

    assert_eq!(first_item(&message).target.as_ref().unwrap().uri, "./x");
    for command in message.commands.iter().skip(1) {
        assert!(matches!(command, Command::Status(status) if status.code == StatusCode::COMMAND_FAILED));
    }
}

#[test]
fn commands_of_data_synchronisation_are_kept_by_name_and_unknown_elements_left_out() {
    let message = xml_with_body("<Put><CmdID>7</CmdID><Item/></Put><Frobnicate><CmdID>8</CmdID></Frobnicate>");

    assert_eq!(message.commands, [Command::Unsupported { name: "Put".into(), cmd_id: "7".into() }]);
}

#[test]
fn line_ends_of_xml_become_line_feeds_and_carriage_returns_survive_writing() {
    let message = xml_with_body("<Add><Item><Data>a\r\nb\rc&#13;d<![CDATA[\r\n]]></Data></Item></Add>");
    assert_eq!(text_of(&message), "a\nb\nc\rd\n");

    let again = decode(Encoding::Xml, &message.encode(Encoding::Xml).unwrap());
    assert_eq!(again, message);
}

#[test]
fn older_versions_are_written_with_their_own_document_type() {
    let (mut message, _) = golden();
    message.header.ver_dtd = "1.1".into();

    let xml = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();
    assert!(xml.contains("<SyncML xmlns=\"SYNCML:SYNCML1.1\">"), "{xml}");
    assert!(message.encode(Encoding::Wbxml).unwrap().starts_with(b"\x02\x9F\x53\x6A\x00\x6D"));
}

#[test]
fn text_with_a_zero_goes_as_opaque_and_not_at_all_into_xml() {
    let (mut message, _) = golden();
    message.header.source.name = Some("a\0b".into());

    let wbxml = message.encode(Encoding::Wbxml).unwrap();
    assert_eq!(Message::decode(Encoding::Wbxml, &wbxml, &Limits::DEVICE).unwrap(), message);
    assert!(matches!(message.encode(Encoding::Xml), Err(EncodeError::Character(it)) if it.character == '\0'));
}
