//! Documents of trees as other programs write and read them.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, ItemData};
use muster_protocol::tree::tnds::{DOCUMENT, Document, is_tnds};
use muster_protocol::tree::{Access, Content, Format, Leaf, LocUri, Node, Parts, Tree, TreeLimits};
use muster_protocol::wbxml::ddf_to_xml;

use crate::interop::{filter, installed};
use crate::vectors::{Vector, decode, vectors};

fn named(start: &str) -> Vector {
    vectors().into_iter().find(|it| it.name.starts_with(start)).unwrap()
}

/// The document in the Add of a golden message, and the value it is in.
fn golden(encoding: Encoding, octets: &[u8]) -> (Document, ItemData) {
    let message = decode(encoding, octets);
    let write =
        message.commands.iter().find_map(|it| if let Command::Write(it) = it { Some(it) } else { None }).unwrap();
    assert!(is_tnds(write.meta.kind.as_deref().unwrap()));
    let data = write.items[0].data.clone().unwrap();
    (Document::read(data.as_bytes(), &DOCUMENT).unwrap(), data)
}

/// A tree with a value of each format, in texts that libwbxml keeps.
fn tree() -> Tree {
    let mut tree = Tree::new(TreeLimits::SNAPSHOT);
    let leaf = |format, value: &[u8]| Node::leaf(Access::ALL, Leaf { format, mime: None, value: value.to_vec() });
    tree.install("./A", Node::object(Some("urn:oma:mo:oma-fumo:1.0"))).unwrap();
    for (at, node) in [
        ("./A/text", leaf(Format::Chr, "a <b> & \u{e4}".as_bytes())),
        ("./A/number", leaf(Format::Int, b"-5")),
        ("./A/flag", leaf(Format::Bool, b"true")),
        ("./A/octets", leaf(Format::Bin, &[0, 255, 1])),
        ("./A/nothing", leaf(Format::Null, b"")),
        ("./A/B/deep", leaf(Format::Chr, b"v")),
    ] {
        tree.install(at, node).unwrap();
    }
    tree.maintain("./A/B", |node| node.acl = "Add=a+b&Get=*".parse().unwrap());
    tree.maintain("./A/text", |node| node.title = Some("A title".into()));
    tree
}

fn as_read(document: &[u8]) -> Tree {
    Document::read(document, &DOCUMENT).unwrap().tree(&LocUri::root(), &TreeLimits::SNAPSHOT).unwrap()
}

#[test]
fn golden_documents_mean_the_same_in_both_encodings() {
    let xml = named("17-");
    let wbxml = named("22-");

    let (of_xml, _) = golden(Encoding::Xml, &xml.xml);
    let (of_wbxml, data) = golden(Encoding::Wbxml, &wbxml.wbxml);
    // The message without its own document as WBXML: libwbxml writes the text as it was, under the wrong type.
    let (of_text, _) = golden(Encoding::Wbxml, &xml.wbxml);

    assert_eq!(of_xml, of_wbxml);
    assert_eq!(of_xml, of_text);
    assert_eq!(of_xml.object(), Some("org.openmobilealliance/1.0/w7"));
    let entries = of_xml.entries(&LocUri::parse("./DMAcc").unwrap(), &TreeLimits::DEVICE.uri).unwrap();
    assert_eq!(entries[1].0.to_string(), "./DMAcc/ExampleOperator/ServerID");
    assert_eq!(entries[1].1.content, Content::Leaf(Leaf::text("dm.example.org")));
    assert!(matches!(data, ItemData::Opaque(_)));
}

#[test]
fn addresses_of_golden_messages_are_read() {
    let message = decode(Encoding::Xml, &named("18-").xml);
    let mut queries = 0;
    for command in &message.commands {
        let items = match command {
            Command::Get(it) => &it.items,
            Command::Write(it) => &it.items,
            _ => continue,
        };
        for address in items.iter().flat_map(|it| [&it.target, &it.source]).flatten() {
            let uri = LocUri::parse(&address.uri).unwrap();
            assert!(uri.to_string().starts_with(uri.path()));
            queries += usize::from(uri.query().is_some());
        }
    }
    assert_eq!(queries, 3);
}

#[test]
fn libwbxml_reads_our_documents_as_the_same_tree() {
    if !installed() {
        return;
    }
    let tree = tree();
    let wbxml = tree.tnds(None, &LocUri::root(), Parts::ALL, Encoding::Wbxml).unwrap().octets;

    let xml = filter("wbxml2xml", &["-m", "0", "-o", "-", "-"], &wbxml).unwrap();

    assert_eq!(as_read(&xml), as_read(&wbxml));
    assert_eq!(as_read(&xml).text("./A/text"), tree.text("./A/text"));
}

#[test]
fn libwbxml_writes_our_documents_as_wbxml_of_the_same_tree() {
    if !installed() {
        return;
    }
    let tree = tree();
    let written = tree.tnds(None, &LocUri::root(), Parts::ALL, Encoding::Xml).unwrap().octets;
    // libwbxml knows the document by its type declaration alone.
    let doctype = "<?xml version=\"1.0\"?><!DOCTYPE MgmtTree PUBLIC \"-//OMA//DTD-DM-DDF 1.2//EN\" \"x.dtd\">";
    let xml = [doctype.as_bytes(), written.as_slice()].concat();

    let wbxml = filter("xml2wbxml", &["-v", "1.2", "-n", "-k", "-o", "-", "-"], &xml).unwrap();

    assert_eq!(as_read(&wbxml), as_read(&written));
    let ours = tree.tnds(None, &LocUri::root(), Parts::ALL, Encoding::Wbxml).unwrap().octets;
    assert_eq!(wbxml, ours);
}

#[test]
fn a_document_of_ours_becomes_the_text_that_the_decoder_of_messages_makes_of_it() {
    let tree = tree();
    let [xml, wbxml] =
        [Encoding::Xml, Encoding::Wbxml].map(|it| tree.tnds(None, &LocUri::root(), Parts::ALL, it).unwrap().octets);

    assert_eq!(ddf_to_xml(&wbxml, &Limits::DEVICE).unwrap().into_bytes(), xml);
}
