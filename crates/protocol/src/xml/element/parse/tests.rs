#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

use proptest::prelude::*;

use crate::limits::Limits;
use crate::xml::element::{Element, TreeLimits, XmlError, XmlWriter};

fn read(text: &str) -> Result<Element, XmlError> {
    Element::read(text.as_bytes(), None, &TreeLimits::WSI)
}

#[test]
fn comments_and_sections_do_not_split_a_value() {
    let element = read("<?xml version='1.0'?><!-- a --><a>adm<!-- -->i<![CDATA[n & ]]>&lt;&#x41;&amp;</a>\n").unwrap();
    assert_eq!(element.text, "admin & <A&");
}

#[test]
fn names_are_resolved_where_they_stand() {
    let element =
        read(r#"<p:a xmlns:p="urn:1" xmlns="urn:2" p:x="1" x="2"><b/><p:b xmlns:p="urn:3"/><c xmlns=""/></p:a>"#)
            .unwrap();
    assert!(element.is("urn:1", "a"));
    assert_eq!(element.attribute("urn:1", "x"), Some("1"));
    assert_eq!(element.plain_attribute("x"), Some("2"));
    assert!(element.children[0].is("urn:2", "b"));
    assert!(element.children[1].is("urn:3", "b"));
    assert_eq!(element.children[2].name.namespace, None);
}

#[test]
fn what_soap_forbids_is_refused_by_its_name() {
    for text in [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;'>]><a>&z;</a>",
    ] {
        assert_eq!(read(text), Err(XmlError::DocType), "{text}");
    }
    assert_eq!(read("<?run it?><a/>"), Err(XmlError::ProcessingInstruction));
    assert_eq!(read("<a><?run it?></a>"), Err(XmlError::ProcessingInstruction));
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "a",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a>&x;</a>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#xD800;</a>",
        "<a>&#+65;</a>",
        "<a>&#;</a>",
        "<a>& b</a>",
        "<a>]]></a>",
        "<p:a/>",
        "<a p:x='1'/>",
        "<a x='1' x='2'/>",
        "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>",
        "<a xmlns:p='u' xmlns:p='v'/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a x='<'/>",
        "<a x='&y;'/>",
        "<a x='& '/>",
        "<a x=1/>",
        "<a x/>",
        "<1a/>",
        "<a:b:c xmlns:a='u'/>",
        "<:a/>",
        "<a><!-- -- --></a>",
        "<a>\u{1}</a>",
        "<a>\u{FFFF}</a>",
        "<a/><![CDATA[x]]>",
        "<a/>&amp;",
        " <?xml version='1.0'?><a/>",
    ] {
        assert!(matches!(read(text), Err(XmlError::Malformed { .. })), "{text:?} gave {:?}", read(text));
    }
}

#[test]
fn both_encodings_are_read_with_and_without_mark() {
    let text = "<a>\u{e9}\u{1F600}</a>";
    let wide = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let marked = format!("\u{FEFF}{text}");
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{text}");
    for (octets, charset) in [
        (text.as_bytes().to_vec(), None),
        (marked.as_bytes().to_vec(), None),
        (text.as_bytes().to_vec(), Some("UTF-8")),
        (wide(&marked, true), None),
        (wide(&marked, false), None),
        (wide(text, true), None),
        (wide(&declared, false), None),
        (wide(&marked, true), Some("utf-16")),
        (wide(text, false), Some("utf-16le")),
        (wide(text, true), Some("utf-16")),
        // The parameter counts before the declaration.
        (declared.as_bytes().to_vec(), Some("utf-8")),
    ] {
        let element = Element::read(&octets, charset, &TreeLimits::WSI).unwrap();
        assert_eq!(element.text, "\u{e9}\u{1F600}");
    }
    for (octets, charset) in [
        (b"<a>\xE9</a>".to_vec(), None),
        (b"<a>x</a>".to_vec(), Some("iso-8859-1")),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>".to_vec(), None),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>".to_vec(), None),
        (vec![0xFE, 0xFF, 0], None),
        (vec![0xFE, 0xFF, 0xD8, 0x00], None),
        (text.as_bytes().to_vec(), Some("us-ascii")),
    ] {
        assert_eq!(Element::read(&octets, charset, &TreeLimits::WSI), Err(XmlError::Encoding), "{octets:?}");
    }
}

/// `at` holds exactly, one more does not.
fn edge(limits: TreeLimits, what: &str, at: &str, beyond: &str) {
    assert!(Element::read(at.as_bytes(), None, &limits).is_ok(), "{what}: {at}");
    match Element::read(beyond.as_bytes(), None, &limits) {
        Err(XmlError::TooLarge { what: named, .. }) => assert_eq!(named, what),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn each_limit_holds_at_its_edge() {
    let small = TreeLimits {
        document: Limits {
            document_bytes_max: 60,
            depth_max: 3,
            elements_max: 4,
            attributes_max: 2,
            text_bytes_max: 5,
            ..Limits::WSI
        },
        name_bytes_max: 8,
        bindings_max: 2,
    };
    edge(small, "octets", &format!("<a>{}</a>", " ".repeat(5)), &format!("<a>{}</a>", " ".repeat(60)));
    edge(small, "nested elements", "<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>");
    edge(small, "elements", "<a><b/><b/><b/></a>", "<a><b/><b/><b/><b/></a>");
    edge(small, "attributes of an element", "<a x='' y=''/>", "<a x='' y='' z=''/>");
    edge(small, "octets in a text", "<a>12<b/>345</a>", "<a>12<b/>3456</a>");
    edge(small, "octets in a name", "<abcdefgh/>", "<abcdefghi/>");
    edge(
        small,
        "namespace bindings",
        "<a xmlns:p='p' xmlns:q='q'/>",
        "<a xmlns:p='p' xmlns:q='q'><b xmlns:r='r'/></a>",
    );
}

fn trees() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "<a>",
            "</a>",
            "<b x='1'>",
            "</b>",
            "<c/>",
            "&amp;",
            "&x;",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "<!DOCTYPE",
            "xmlns='u'",
            "text",
            "\u{0}",
            "\"",
            "'",
            "<",
            ">",
            "\u{FEFF}",
        ]),
        0..40,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_octets_end_in_a_tree_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Element::read(&octets, None, &TreeLimits::WSI);
    }

    #[test]
    fn any_pieces_of_markup_end_in_a_tree_or_an_error_and_an_independent_parser_agrees(text in trees()) {
        if let Ok(element) = read(&text) {
            let text = text.trim_start_matches('\u{FEFF}');
            let document = roxmltree::Document::parse(text).unwrap();
            prop_assert_eq!(element.name.local.as_str(), document.root_element().tag_name().name());
            prop_assert_eq!(element.children.len(), document.root_element().children().filter(roxmltree::Node::is_element).count());
        }
    }

    #[test]
    fn text_written_and_read_again_is_the_same(value in "[^\u{0}-\u{8}\u{B}\u{C}\u{E}-\u{1F}\u{FFFE}\u{FFFF}]*") {
        let mut writer = XmlWriter::new();
        writer.start("a", &[("x", &value)]);
        writer.leaf("b", &value);
        writer.end("a");
        let element = read(&writer.finish()).unwrap();
        prop_assert_eq!(element.plain_attribute("x"), Some(value.as_str()));
        prop_assert_eq!(element.children[0].text.as_str(), value.as_str());
    }
}
