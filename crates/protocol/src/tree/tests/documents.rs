use proptest::prelude::*;

use super::tnds::{DOCUMENT, Document, DocumentError};
use super::*;
use crate::syncml::Encoding;

const BOTH: [Encoding; 2] = [Encoding::Xml, Encoding::Wbxml];

fn written(tree: &Tree, at: &str, encoding: Encoding) -> Vec<u8> {
    tree.tnds(None, &uri(at), Parts::ALL, encoding).unwrap().octets
}

fn as_xml(tree: &Tree, server: &str, at: &str, parts: &str) -> String {
    let parts = Parts::parse(parts).unwrap();
    String::from_utf8(tree.tnds(Some(&id(server)), &uri(at), parts, Encoding::Xml).unwrap().octets).unwrap()
}

fn read(document: &[u8]) -> Document {
    Document::read(document, &DOCUMENT).unwrap()
}

#[test]
fn a_document_has_the_elements_in_the_order_of_the_grammar() {
    let mut session = Session::new();
    session.now = TStamp::parse("20260101T000000Z");
    session.add("./V/S/A", Content::Interior { object: Some("urn:x:y:1.0".into()) }).unwrap();
    session.add("./V/S/A/t", text("a<b")).unwrap();
    session.replace("./V/S/A?prop=ACL", "Get=*&Replace=a").unwrap();
    session.replace("./V/S/A/t?prop=Title", "T").unwrap();

    assert_eq!(
        as_xml(&session.tree, "a", "./V/S/A", ""),
        "<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node><NodeName>A</NodeName><Path>./V/S</Path>\
         <RTProperties><ACL>Get=*&amp;Replace=a</ACL><Format><node/></Format><TStamp>20260101T000000Z</TStamp>\
         <Type><DDFName>urn:x:y:1.0</DDFName></Type><VerNo>2</VerNo></RTProperties>\
         <Node><NodeName>t</NodeName><RTProperties><Format><chr/></Format><Size>3</Size><Title>T</Title>\
         <TStamp>20260101T000000Z</TStamp><Type><MIME>text/plain</MIME></Type><VerNo>1</VerNo></RTProperties>\
         <Value>a&lt;b</Value></Node></Node></MgmtTree>"
    );
}

#[test]
fn selectors_choose_the_parts() {
    let tree = tree();

    let values = as_xml(&tree, "a", "./V/Name", "+Value");
    assert!(values.contains("<Value>One</Value>") && !values.contains("RTProperties"), "{values}");
    let without = as_xml(&tree, "a", "./V/Name", "-Format");
    assert!(!without.contains("Format") && without.contains("<VerNo>"), "{without}");
    let lists = as_xml(&tree, "a", ".", "+Value+ACL");
    assert!(lists.contains("<ACL>Add=*&amp;Delete=a&amp;Exec=a&amp;Get=*&amp;Replace=a</ACL>"), "{lists}");
    assert!(!lists.contains("<Format>") && !lists.contains("VerNo"), "{lists}");
    let structure = as_xml(&tree, "a", "./V/Name", "-Value");
    assert!(!structure.contains("One") && structure.contains("<chr/>"), "{structure}");
}

#[test]
fn a_document_has_only_what_the_server_may_read() {
    let mut tree = tree();
    tree.maintain("./V/Name", |node| node.acl = "Get=b".parse().unwrap());

    let own = as_xml(&tree, "a", "./V", "");
    assert!(!own.contains("s3cret") && !own.contains("One") && own.contains("Count"), "{own}");
    assert!(as_xml(&tree, "b", "./V", "").contains("One"));
    assert_eq!(tree.tnds(Some(&id("a")), &uri("./V/Name"), Parts::ALL, Encoding::Xml), Err(Refusal::PermissionDenied));
    assert_eq!(tree.tnds(None, &uri("./Nowhere"), Parts::ALL, Encoding::Xml), Err(Refusal::NotFound));
}

#[test]
fn wbxml_has_the_header_of_the_golden_document() {
    let octets = written(&tree(), "./V", Encoding::Wbxml);

    assert!(octets.starts_with(b"\x02\x00\x00\x6A\x1B-//OMA//DTD-DM-DDF 1.2//EN\x00\x00\x02\x60"), "{octets:x?}");
}

#[test]
fn octets_survive_both_encodings() {
    let mut session = Session::new();
    for (name, value) in [("empty", vec![]), ("octets", vec![0, 255, 1]), ("text", b"AAAA".to_vec())] {
        let leaf = Leaf { format: Format::Bin, mime: None, value };
        session.add(&format!("./V/S/{name}"), Content::Leaf(leaf)).unwrap();
    }

    for encoding in BOTH {
        let read = read(&written(&session.tree, "./V/S", encoding)).tree(&uri("./V/S"), &TreeLimits::DEVICE).unwrap();
        for node in ["empty", "octets", "text"] {
            let at = uri(&format!("./V/S/{node}"));
            assert_eq!(read.node(&at).unwrap().content, session.tree.node(&at).unwrap().content, "{encoding:?} {node}");
        }
    }
}

#[test]
fn octets_of_wbxml_under_the_format_bin_are_not_base64() {
    let mut octets = written(&tree(), "./V/Name", Encoding::Wbxml);
    // `chr` becomes `bin`, and the string `One` three octets with their length.
    let at = octets.iter().position(|it| *it == 0x0B).unwrap();
    octets[at] = 0x09;
    let at = octets.windows(5).position(|it| it == b"\x03One\x00").unwrap();
    octets.splice(at..at + 5, *b"\xC3\x03One");

    let entry = &read(&octets).nodes[0];

    let Content::Leaf(leaf) = &entry.content else { panic!("{entry:?}") };
    assert_eq!((leaf.format, leaf.value.as_slice()), (Format::Bin, &b"One"[..]));
}

#[test]
fn text_that_an_encoding_cannot_carry_goes_as_octets() {
    let mut session = Session::new();
    session.add("./V/S/x", text("a\u{1}b")).unwrap();
    session.add("./V/S/y", text("a\0b")).unwrap();

    for encoding in BOTH {
        let tree = read(&written(&session.tree, "./V/S", encoding)).tree(&uri("./V/S"), &TreeLimits::DEVICE).unwrap();
        assert_eq!(tree.text("./V/S/x"), Some("a\u{1}b"), "{encoding:?}");
        assert_eq!(tree.text("./V/S/y"), Some("a\0b"), "{encoding:?}");
    }
}

#[test]
fn what_a_document_leaves_out_is_told_by_what_it_has() {
    let document = read(
        b"<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>a</NodeName><Node><NodeName>b</NodeName><Value> v </Value></Node>\
          <Node><NodeName>c</NodeName></Node><Node><NodeName>d</NodeName><RTProperties><Type><MIME>text/html</MIME></Type>\
          </RTProperties></Node><Node><NodeName>e</NodeName><RTProperties><Format>int</Format></RTProperties><Value>5</Value>\
          </Node></Node></MgmtTree>",
    );
    let tree = document.tree(&uri("./a"), &TreeLimits::DEVICE).unwrap();
    let content = |at: &str| tree.node(&uri(at)).unwrap().content.clone();

    assert_eq!(content("./a/b"), text(" v "));
    assert_eq!(content("./a/c"), interior());
    assert_eq!(content("./a/d"), Content::Leaf(Leaf { mime: Some("text/html".into()), ..Leaf::text("") }));
    assert_eq!(content("./a/e"), Content::Leaf(Leaf::of(Format::Int, "5")));
}

#[test]
fn paths_are_below_the_target_or_from_the_root() {
    let at = |name: &str, path: &str| {
        let path = if path.is_empty() { String::new() } else { format!("<Path>{path}</Path>") };
        let text = format!("<MgmtTree><Node><NodeName>{name}</NodeName>{path}</Node></MgmtTree>");
        let entries = read(text.as_bytes());
        entries.entries(&uri("./T/x"), &UriLimits::DEVICE).map(|it| it[0].0.to_string())
    };

    for (name, path, expected) in [
        ("", "", "./T/x"),
        ("x", "", "./T/x"),
        ("y", "", "./T/x/y"),
        ("y", "p/q", "./T/x/p/q/y"),
        ("", "./T", "./T/x"),
        ("x", "./T", "./T/x"),
        ("a", ".", "./a"),
    ] {
        assert_eq!(at(name, path).as_deref(), Ok(expected), "{name:?} {path:?}");
    }
    for (name, path) in [("y", "/p"), ("y", "../p"), ("y", "p//q"), ("..", ""), ("a%2Fb", ""), ("a/b", "")] {
        assert!(at(name, path).is_err(), "{name:?} {path:?}");
    }
}

#[test]
fn what_is_no_document_is_refused_by_name() {
    for (text, expected) in [
        ("<SyncML/>", DocumentError::NotATree),
        ("<Node/>", DocumentError::NotATree),
        ("<MgmtTree xmlns='urn:other'/>", DocumentError::NotATree),
        ("<MgmtTree/>", DocumentError::Missing { element: "Node", inside: "MgmtTree" }),
        ("<MgmtTree><Node/></MgmtTree>", DocumentError::Missing { element: "NodeName", inside: "Node" }),
    ] {
        assert_eq!(Document::read(text.as_bytes(), &DOCUMENT), Err(expected), "{text}");
    }
    let node = |inside: &str| format!("<MgmtTree><Node><NodeName>a</NodeName>{inside}</Node></MgmtTree>");
    for (inside, wrong) in [
        ("<RTProperties><Format><number/></Format></RTProperties>", "Format"),
        ("<RTProperties><ACL>Get</ACL></RTProperties>", "ACL"),
        ("<RTProperties><Format><bin/></Format></RTProperties><Value>*</Value>", "Value"),
        ("<Node><NodeName/></Node>", "NodeName"),
    ] {
        let error = Document::read(node(inside).as_bytes(), &DOCUMENT).unwrap_err();
        assert!(matches!(error, DocumentError::Wrong { element, .. } if element == wrong), "{inside}: {error}");
    }
}

#[test]
fn a_document_that_goes_too_deep_is_refused() {
    let nested = "<Node><NodeName>a</NodeName>".repeat(10_000);
    let error = Document::read(format!("<MgmtTree>{nested}").as_bytes(), &DOCUMENT).unwrap_err();
    assert!(matches!(error, DocumentError::Xml(crate::xml::XmlError::Limit(_))), "{error}");
    let mut octets = b"\x02\x01\x6A\x00\x00\x02\x60".to_vec();
    octets.extend_from_slice(&[0x66; 10_000]);
    let error = Document::read(&octets, &DOCUMENT).unwrap_err();
    assert!(matches!(error, DocumentError::Wbxml(crate::wbxml::WbxmlError::Limit(_))), "{error}");

    let twenty = "<Node><NodeName>a</NodeName>".repeat(20) + &"</Node>".repeat(20);
    let document = read(format!("<MgmtTree>{twenty}</MgmtTree>").as_bytes());
    let refused = document.tree(&uri("."), &TreeLimits::DEVICE).unwrap_err();
    assert_eq!(refused.status().0, 414);
}

#[test]
fn two_nodes_at_one_place_and_nodes_below_a_leaf_make_no_tree() {
    for inside in [
        "<Node><NodeName>b</NodeName></Node><Node><NodeName>b</NodeName></Node>",
        "<RTProperties><Format><chr/></Format></RTProperties><Node><NodeName>b</NodeName></Node>",
    ] {
        let text = format!("<MgmtTree><Node><NodeName>a</NodeName>{inside}</Node></MgmtTree>");
        assert!(read(text.as_bytes()).tree(&uri("./a"), &TreeLimits::DEVICE).is_err(), "{inside}");
    }
}

#[test]
fn a_document_is_bounded_as_a_tree() {
    let node = |name: usize| format!("<Node><NodeName>n{name}</NodeName><Value>{}</Value></Node>", "x".repeat(10));
    let nodes: String = (0..20).map(node).collect();
    let document = read(format!("<MgmtTree><Node><NodeName>a</NodeName>{nodes}</Node></MgmtTree>").as_bytes());

    for limits in [
        TreeLimits { nodes_max: 20, ..TreeLimits::DEVICE },
        TreeLimits { values_bytes_max: 199, ..TreeLimits::DEVICE },
        TreeLimits { value_bytes_max: 9, ..TreeLimits::DEVICE },
    ] {
        assert!(document.tree(&uri("./a"), &limits).is_err(), "{limits:?}");
    }
    assert!(document.tree(&uri("./a"), &TreeLimits { nodes_max: 22, ..TreeLimits::DEVICE }).is_ok());
}

/// Any tree that XML can carry.
pub(super) fn any_tree() -> BoxedStrategy<Tree> {
    let name =
        "[!$-.0->@-~ äß€]{1,8}".prop_filter("a name", |it| super::uri::check_name(it, &UriLimits::DEVICE).is_ok());
    let value = prop_oneof![
        "[\\t\\n\\r -~äß€\\u{10000}\\]<>&'\"]{0,20}".prop_map(|it| (Format::Chr, it.into_bytes())),
        any::<i32>().prop_map(|it| (Format::Int, it.to_string().into_bytes())),
        any::<bool>().prop_map(|it| (Format::Bool, it.to_string().into_bytes())),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|it| (Format::Bin, it)),
        Just((Format::Null, Vec::new())),
        "<a>[a-z]{0,5}</a>".prop_map(|it| (Format::Xml, it.into_bytes())),
    ];
    let mime = prop_oneof![Just(None), Just(Some("text/html")), Just(Some("application/octet-stream"))];
    let leaf = (value, mime)
        .prop_map(|((format, value), mime)| Content::Leaf(Leaf { format, mime: mime.map(Into::into), value }));
    let interior = prop_oneof![Just(None), Just(Some("urn:oma:mo:x:1.0"))]
        .prop_map(|object| Content::Interior { object: object.map(Into::into) });
    let content = prop_oneof![2 => leaf, 1 => interior];
    let acl = prop_oneof![Just(""), Just("Get=*"), Just("Add=a+b&Replace=c")];
    let stamp = proptest::option::of(0_i64..4_000_000_000);
    let node = (content, acl, proptest::option::of("[a-z]{1,5}"), stamp, any::<u16>());
    let path = proptest::collection::vec(name, 1..4);
    proptest::collection::vec((path, node), 0..12)
        .prop_map(|nodes| {
            let mut tree = Tree::new(TreeLimits::DEVICE);
            for (path, (content, acl, title, stamp, ver_no)) in nodes {
                let mut node = Node::dynamic(content);
                node.acl = acl.parse().unwrap();
                node.title = title.map(Into::into);
                node.t_stamp = stamp.map(TStamp::of_unix_s);
                node.ver_no = ver_no;
                // Below a leaf nothing is put.
                let _ = tree.install(&format!("./{}", path.join("/")), node);
            }
            tree
        })
        .boxed()
}

/// The tree without what documents do not have.
pub(super) fn as_read(tree: &Tree) -> Tree {
    let mut plain = tree.clone();
    for at in tree.nodes(&uri(".")).into_iter().map(|it| it.uri) {
        plain.maintain(at.path(), |node| {
            if !at.is_root() {
                node.access = Access::DYNAMIC;
                node.permanent = false;
            }
        });
    }
    plain
}

proptest! {
    #[test]
    fn a_tree_written_as_xml_reads_as_the_same_tree(tree in any_tree()) {
        let again = read(&written(&tree, ".", Encoding::Xml)).tree(&uri("."), &TreeLimits::DEVICE);
        prop_assert_eq!(again.unwrap(), as_read(&tree));
    }

    #[test]
    fn a_tree_written_as_wbxml_reads_as_the_same_tree(tree in any_tree()) {
        let again = read(&written(&tree, ".", Encoding::Wbxml)).tree(&uri("."), &TreeLimits::DEVICE);
        prop_assert_eq!(again.unwrap(), as_read(&tree));
    }

    #[test]
    fn no_octets_make_the_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::read(&octets, &DOCUMENT);
        let mut wbxml = b"\x02\x00\x00\x6A\x1B-//OMA//DTD-DM-DDF 1.2//EN\x00\x00\x02\x60".to_vec();
        wbxml.extend_from_slice(&octets);
        let _ = Document::read(&wbxml, &DOCUMENT);
    }

    #[test]
    fn a_document_cut_anywhere_is_refused(tree in any_tree(), share in 0_usize..100) {
        for encoding in BOTH {
            let octets = written(&tree, ".", encoding);
            let cut = octets.len() * share / 100;
            prop_assert!(Document::read(&octets[..cut], &DOCUMENT).is_err());
        }
    }
}
