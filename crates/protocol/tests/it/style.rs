//! Each form a device profile can choose, shown on golden message 17: an Add whose data is mark-up.

use muster_protocol::syncml::{
    Command, DataForm, Encoding, ItemData, MarkupForm, Message, MetaNamespace, OctetsForm, PublicIdForm, Style,
    WbxmlVersion,
};

use crate::vectors::{decode, vectors};

fn golden() -> Message {
    let vector = vectors().into_iter().find(|it| it.name.starts_with("17-")).unwrap();
    decode(Encoding::Xml, &vector.xml)
}

fn xml(style: &Style) -> String {
    String::from_utf8(golden().encode_styled(Encoding::Xml, style).unwrap()).unwrap()
}

fn wbxml(style: &Style) -> Vec<u8> {
    golden().encode_styled(Encoding::Wbxml, style).unwrap()
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

#[test]
fn canonical_style_is_the_canonical_form() {
    for vector in vectors() {
        let message = decode(Encoding::Wbxml, &vector.wbxml);
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let styled = message.encode_styled(encoding, &Style::default()).unwrap();
            assert_eq!(styled, message.encode(encoding).unwrap(), "{}", vector.name);
        }
    }
}

#[test]
fn declaration_and_document_type_come_before_the_root_as_chosen() {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let doctype = "<!DOCTYPE SyncML PUBLIC \"-//SYNCML//DTD SyncML 1.2//EN\" \
        \"http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd\">";
    let root = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr>";
    for (xml_declaration, has_doctype, start) in [
        (true, false, format!("{declaration}{root}")),
        (false, false, root.to_owned()),
        (true, true, format!("{declaration}{doctype}{root}")),
        (false, true, format!("{doctype}{root}")),
    ] {
        let written = xml(&Style { xml_declaration, doctype: has_doctype, ..Style::CANONICAL });
        assert!(written.starts_with(&start), "{written}");
    }
}

#[test]
fn document_type_is_that_of_the_version() {
    let mut message = golden();
    message.header.ver_dtd = "1.1".into();
    let style = Style { doctype: true, public_id: PublicIdForm::Text, ..Style::CANONICAL };

    let xml = String::from_utf8(message.encode_styled(Encoding::Xml, &style).unwrap()).unwrap();
    assert!(xml.contains("PUBLIC \"-//SYNCML//DTD SyncML 1.1//EN\""), "{xml}");
    assert!(xml.contains("<SyncML xmlns=\"SYNCML:SYNCML1.1\">"), "{xml}");
    let wbxml = message.encode_styled(Encoding::Wbxml, &style).unwrap();
    assert!(wbxml.starts_with(b"\x02\x00\x00\x6A\x1D-//SYNCML//DTD SyncML 1.1//EN\x6D"));
}

#[test]
fn children_of_meta_have_a_declaration_each_or_a_prefix() {
    let each = xml(&Style::CANONICAL);
    assert!(each.contains("<Meta><Format xmlns=\"syncml:metinf\">xml</Format>"), "{each}");

    let prefixed = xml(&Style { meta_namespace: MetaNamespace::Prefix, ..Style::CANONICAL });
    assert!(prefixed.contains("<SyncML xmlns=\"SYNCML:SYNCML1.2\" xmlns:metinf=\"syncml:metinf\">"), "{prefixed}");
    assert!(prefixed.contains("<Meta><metinf:Format>xml</metinf:Format>"), "{prefixed}");
}

#[test]
fn mark_up_in_data_goes_as_references_or_as_cdata() {
    let references = xml(&Style::CANONICAL);
    assert!(references.contains("<Data>&lt;MgmtTree xmlns='syncml:dmddf1.2'&gt;"), "{references}");

    let cdata = xml(&Style { markup: MarkupForm::Cdata, ..Style::CANONICAL });
    assert!(cdata.contains("<Data><![CDATA[<MgmtTree xmlns='syncml:dmddf1.2'>"), "{cdata}");
    assert!(cdata.contains("</MgmtTree>]]></Data>"), "{cdata}");
    assert!(cdata.contains("<LocURI>./Inbox</LocURI>"), "{cdata}");
}

#[test]
fn cdata_holds_its_own_end_and_leaves_carriage_returns_to_references() {
    let style = Style { markup: MarkupForm::Cdata, ..Style::CANONICAL };
    let mut message = golden();
    for (text, written) in [
        ("<a>]]></a>", "<Data><![CDATA[<a>]]]]><![CDATA[></a>]]></Data>"),
        ("]]>&]]>", "<Data><![CDATA[]]]]><![CDATA[>&]]]]><![CDATA[>]]></Data>"),
        ("<a>\r\n</a>", "<Data>&lt;a&gt;&#13;\n&lt;/a&gt;</Data>"),
        ("plain", "<Data>plain</Data>"),
    ] {
        let Some(Command::Write(write)) = message.commands.get_mut(1) else { unreachable!("an Add is second") };
        write.items.first_mut().unwrap().data = Some(text.into());

        let xml = message.encode_styled(Encoding::Xml, &style).unwrap();

        assert!(holds(&xml, written.as_bytes()), "{}", String::from_utf8_lossy(&xml));
        assert_eq!(decode(Encoding::Xml, &xml), message);
    }
}

#[test]
fn wbxml_version_and_public_identifier_are_as_chosen() {
    for (wbxml_version, octet) in [(WbxmlVersion::V1_1, 1), (WbxmlVersion::V1_2, 2), (WbxmlVersion::V1_3, 3)] {
        let number = wbxml(&Style { wbxml_version, ..Style::CANONICAL });
        assert!(number.starts_with(&[octet, 0xA4, 0x01, 0x6A, 0x00, 0x6D]));
        let text = wbxml(&Style { wbxml_version, public_id: PublicIdForm::Text, ..Style::CANONICAL });
        let header = [&[octet, 0x00, 0x00, 0x6A, 0x1D], b"-//SYNCML//DTD SyncML 1.2//EN".as_slice(), b"\x6D"].concat();
        assert!(text.starts_with(&header));
    }
}

#[test]
fn data_of_wbxml_is_opaque_or_a_string_as_chosen() {
    let by_command = wbxml(&Style { public_id: PublicIdForm::Text, ..Style::CANONICAL });
    assert!(holds(&by_command, b"\x4F\xC3\x83\x03<MgmtTree"), "{by_command:02x?}");
    let inline = wbxml(&Style { data: DataForm::Inline, ..Style::CANONICAL });
    assert!(holds(&inline, b"\x4F\x03<MgmtTree"));

    let alert = vectors().into_iter().find(|it| it.name.starts_with("13-")).unwrap();
    let alert = decode(Encoding::Wbxml, &alert.wbxml);
    assert!(holds(&alert.encode(Encoding::Wbxml).unwrap(), b"\x4F\x03Alpha\x00"));
    let opaque = alert.encode_styled(Encoding::Wbxml, &Style { data: DataForm::Opaque, ..Style::CANONICAL }).unwrap();
    assert!(holds(&opaque, b"\x4F\xC3\x05Alpha"));
    // The code of an alert is no item data.
    assert!(holds(&opaque, b"\x4F\x031103\x00"));
}

#[test]
fn octets_go_as_they_are_or_as_base64_with_its_format() {
    let mut message = golden();
    let Some(Command::Write(write)) = message.commands.get_mut(1) else { unreachable!("an Add is second") };
    let item = write.items.first_mut().unwrap();
    item.data = Some(ItemData::Opaque(vec![0, 1, 2]));
    item.meta.format = Some("bin".into());

    let opaque = message.encode(Encoding::Wbxml).unwrap();
    assert!(holds(&opaque, b"\x47\x03bin\x00\x01") && holds(&opaque, b"\x4F\xC3\x03\x00\x01\x02\x01"));
    let style = Style { octets: OctetsForm::Base64, ..Style::CANONICAL };
    let base64 = message.encode_styled(Encoding::Wbxml, &style).unwrap();
    assert!(holds(&base64, b"\x47\x03b64\x00\x01") && holds(&base64, b"\x4F\x03AAEC\x00\x01"));
}

#[test]
fn style_is_read_from_text_with_defaults_and_without_unknown_fields() {
    let read = |text: &str| serde_json::from_str::<Style>(text);
    assert_eq!(read("{}").unwrap(), Style::CANONICAL);
    let samsung = read(r#"{"public_id": "text", "wbxml_version": "1.2"}"#).unwrap();
    assert_eq!(samsung, Style { public_id: PublicIdForm::Text, ..Style::CANONICAL });
    let all = r#"{"xml_declaration":false,"doctype":true,"meta_namespace":"prefix","markup":"cdata",
        "wbxml_version":"1.3","public_id":"text","data":"opaque","octets":"base64"}"#;
    let style = read(all).unwrap();
    assert_eq!(read(&serde_json::to_string(&style).unwrap()).unwrap(), style);
    for wrong in [r#"{"prolog": true}"#, r#"{"wbxml_version": "1.0"}"#, r#"{"markup": "Cdata"}"#] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
