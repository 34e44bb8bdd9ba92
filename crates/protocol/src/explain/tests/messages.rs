//! What messages say.

use super::*;

/// Each golden message in WBXML and in XML.
macro_rules! messages {
    ($($name:literal)*) => {
        [$(($name, folder!($name, ".wbxml").as_slice(), folder!($name, ".xml").as_slice())),*]
    };
}

macro_rules! folder {
    ($name:literal, $kind:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/oma-dm-1/syncml/", $name, $kind))
    };
}

pub(super) const MESSAGES: [(&str, &[u8], &[u8]); 23] = messages! {
    "01-pkg1-client-initiated" "02-pkg2-challenge-407-md5" "03-pkg1-with-md5-cred" "04-pkg2-auth-ok-get-replace-exec"
    "05-pkg3-status-results" "06-pkg4-end" "07-large-object-chunk1" "08-large-object-213-1222"
    "09-large-object-chunk2-last" "10-size-mismatch-424-and-1225" "11-atomic-replace-add-delete"
    "12-atomic-failed-rollback" "13-sequence-uialert-1101-exec" "14-uialert-responses" "15-generic-alert-1226-fumo"
    "16-session-abort-1223" "17-tnds-xml-add-inbox" "18-acl-prop-list-gets" "19-pkg1-server-initiated-1200"
    "20-next-message-response" "21-device-event-1224" "22-tnds-wbxml-add-inbox" "23-binary-b64-add"
};

/// Elements and values, without what differs between the forms: places, remarks on sizes, and the type that libwbxml
/// rewrites.
fn shape(node: &Node, out: &mut String) {
    if node.kind == Kind::Document {
        node.children.iter().for_each(|it| shape(it, out));
        return;
    }
    let text = node.text().replace("dmtnds+xml", "dmtnds+wbxml");
    out.push_str(&format!("({} {text}", node.name));
    for child in &node.children {
        shape(child, out);
    }
    out.push(')');
}

#[test]
fn golden_messages_are_read_whole_and_the_same_in_both_forms() {
    for (name, wbxml, xml) in MESSAGES {
        let shapes = [(wbxml, Form::Wbxml), (xml, Form::Xml)].map(|(octets, form)| {
            let explanation = plain(&[octets]);
            assert_eq!(explanation.failures, [], "{name}");
            assert_eq!(explanation.inputs[0].form, Some(form), "{name}");
            assert!(!explanation.nodes().iter().any(|it| it.name.contains("0x")), "{name}");
            let mut text = String::new();
            explanation.inputs[0].parts.iter().for_each(|it| shape(it, &mut text));
            text
        });
        assert_eq!(shapes[0], shapes[1], "{name}");
    }
}

#[test]
fn commands_are_matched_with_their_statuses_across_messages() {
    let explanation = plain(&SESSION);
    assert_eq!(explanation.notes("Get"), ["answered 200 OK for ./DevDetail", "answered 200 OK for ./DevDetail/FwV"]);
    assert_eq!(explanation.notes("Exec"), ["answered 202 Accepted for processing"]);
    assert_eq!(explanation.notes("Results"), ["for Get ./DevDetail, ./DevDetail/FwV of message 2, command 4"]);
    let statuses = explanation.notes("Status");
    assert_eq!(
        statuses[..4],
        [
            "407 Missing credentials",
            "for the header of message 1",
            "407 Missing credentials",
            "for Alert 1201 of message 1, command 1"
        ]
    );
    // Each side counts its own messages: the same numbers of the other side are not meant.
    let headers = explanation.notes("SyncHdr");
    assert_eq!(
        headers,
        [
            "answered 407 Missing credentials",
            "answered 200 OK",
            "answered 212 Authentication accepted for the session",
            "answered 212 Authentication accepted for the session",
            "answered 212 Authentication accepted for the session",
        ]
    );
}

#[test]
fn the_order_of_the_inputs_does_not_matter_for_matching() {
    let mut reversed = SESSION;
    reversed.reverse();
    let (there, back) = (plain(&SESSION), plain(&reversed));
    assert_eq!(there.notes("Get"), back.notes("Get"));
    assert_eq!(there.notes("Exec"), back.notes("Exec"));
    assert_eq!(plain(&SESSION[3..4]).notes("Get"), <[&str; 0]>::default());
}

#[test]
fn answers_of_users_are_told_in_words() {
    let explanation =
        plain(&[golden!("syncml/13-sequence-uialert-1101-exec.xml"), golden!("syncml/14-uialert-responses.wbxml")]);
    assert_eq!(explanation.notes("Alert"), ["answered 304 Not modified: the user refused", "answered 200 OK"]);
    assert!(explanation.notes("Data").contains(&"shown for 10 s at least; waits 60 s for the user; default answer 1"));
    assert_eq!(explanation.notes("Item"), ["text to show", "no options", "title", "choice 1", "choice 2"]);
}

#[test]
fn alerts_have_their_names_and_firmware_its_results() {
    let explanation = plain(&[golden!("syncml/15-generic-alert-1226-fumo.wbxml")]);
    let notes = explanation.notes("Data");
    assert!(notes.contains(&"generic alert") && notes.contains(&"client-initiated session"), "{notes:?}");
    assert!(notes.contains(&"successful"), "{notes:?}");
    assert!(explanation.notes("Type").contains(&"firmware download ended"));
    let unknown = b"<SyncML><SyncBody><Alert><Data>1299</Data></Alert></SyncBody></SyncML>";
    assert_eq!(plain(&[unknown]).notes("Data"), ["alert code that is not known"]);
}

#[test]
fn documents_inside_data_are_opened_in_each_form() {
    let inline = b"<SyncML><SyncBody><Add><Item><Data><MgmtTree><Node><NodeName>A</NodeName></Node></MgmtTree></Data></Item></Add></SyncBody></SyncML>";
    let in_base64 = b"<SyncML><SyncBody><Add><Item><Meta><Format>b64</Format></Meta><Data>PE1nbXRUcmVlPjxOb2RlPjxOb2RlTmFtZT5BPC9Ob2RlTmFtZT48L05vZGU+PC9NZ210VHJlZT4=</Data></Item></Add></SyncBody></SyncML>";
    // Page 2 in the document itself: SyncML, SyncBody, Add, Item, Data, then MgmtTree, Node, NodeName.
    let page_2 =
        b"\x02\xA4\x01\x6A\x00\x6D\x6B\x45\x54\x4F\x00\x02\x60\x64\x66\x03A\x00\x01\x01\x01\x01\x01\x01\x01\x01";
    for octets in [&inline[..], &in_base64[..], &page_2[..]] {
        let explanation = plain(&[octets]);
        assert_eq!(explanation.failures, []);
        assert_eq!(explanation.values("NodeName"), ["A"]);
    }
    for octets in [golden!("syncml/17-tnds-xml-add-inbox.xml"), golden!("syncml/22-tnds-wbxml-add-inbox.wbxml")] {
        let explanation = plain(&[octets]);
        assert_eq!(explanation.values("NodeName"), ["ExampleOperator", "ServerID"]);
        let data = explanation.nodes().into_iter().find(|it| it.name == "Data" && !it.children.is_empty()).unwrap();
        assert_eq!((data.value.as_ref(), data.children[0].kind), (None, Kind::Document));
    }
}

#[test]
fn base64_is_told_with_its_size_and_text() {
    let message = |data: &str| {
        format!(
            "<SyncML><SyncBody><Add><Item><Meta><Format>b64</Format></Meta><Data>{data}</Data></Item></Add></SyncBody></SyncML>"
        )
    };
    let told = |data: &str| {
        let explanation = plain(&[message(data).as_bytes()]);
        explanation.notes("Data").first().map(|it| (*it).to_owned()).unwrap_or_default()
    };
    assert_eq!(told("aGVsbG8="), "5 octets: \"hello\"");
    assert_eq!(told("AAEC"), "3 octets: 000102");
    assert_eq!(told("!!!"), "is not base64, though its format says so");
}

#[test]
fn what_is_not_known_is_shown_by_its_number_or_name() {
    // Tag 0x3F of page 0 with text, page 7, and a literal name.
    let wbxml =
        b"\x02\xA4\x01\x6A\x05New\x00\x00\x6D\x7F\x03x\x00\x01\x00\x07\x45\x03y\x00\x01\x44\x00\x03z\x00\x01\x01";
    let explanation = plain(&[wbxml]);
    assert_eq!(explanation.failures, []);
    let names: Vec<&str> = explanation.nodes().iter().map(|it| it.name.as_str()).skip(2).collect();
    assert_eq!(names, ["tag 0x3f of page 0", "tag 0x05 of page 7", "New"]);
    assert_eq!(explanation.values("New"), ["z"]);
    let xml = b"<SyncML><SyncBody><Ext:Thing xmlns:Ext='urn:x' a='b'>t</Ext:Thing></SyncBody></SyncML>";
    let explanation = plain(&[xml]);
    let thing = explanation.nodes().into_iter().find(|it| it.name == "Thing").unwrap();
    assert_eq!((thing.text(), thing.attributes.as_slice()), ("t", &[("a".to_owned(), "b".to_owned())][..]));
}

#[test]
fn places_are_octets_of_the_document() {
    for (_, octets, xml) in MESSAGES {
        for (octets, first) in [(octets, None), (xml, Some(b'<'))] {
            let explanation = plain(&[octets]);
            let root = &explanation.inputs[0].parts[0].children[0];
            let mut nodes = vec![root];
            while let Some(node) = nodes.pop() {
                let at = node.at.unwrap();
                assert!(first.is_none_or(|it| octets[at] == it), "{} at {at}", node.name);
                nodes.extend(node.children.iter().filter(|it| it.kind == Kind::Element));
            }
        }
    }
}

#[test]
fn nodes_are_explained_by_the_descriptions_of_management_objects() {
    let of = |uri: &str| {
        let xml = format!(
            "<SyncML><SyncBody><Get><Item><Target><LocURI>{uri}</LocURI></Target></Item></Get></SyncBody></SyncML>"
        );
        plain(&[xml.as_bytes()]).notes("LocURI").join("; ")
    };
    assert_eq!(of("./DevDetail/URI/MaxDepth"), "Maximum number of URI segments as decimal text, 0 means unlimited");
    let fumo = of("./FUMO/x/State?prop=ACL");
    assert!(fumo.starts_with("property ACL (which servers may do what) of: "), "{fumo}");
    assert_eq!(of("./Vendor/Unknown"), "");
}

#[test]
fn packings_of_one_message_give_one_tree() {
    let message = SESSION[0];
    let hex: String = message.iter().map(|octet| format!("{octet:02x}")).collect();
    let base64 = crate::dm1::notification::to_base64(message);
    let expected = &plain(&[message]).inputs[0].parts;
    for (text, packing) in [(&hex, Packing::Hex), (&base64, Packing::Base64)] {
        let explanation = plain(&[text.as_bytes()]);
        assert_eq!(explanation.inputs[0].packing, Some(packing));
        assert_eq!(&explanation.inputs[0].parts, expected);
    }
    assert_eq!(plain(&[golden!("syncml/01-pkg1-client-initiated.wbxml.hex")]).inputs[0].parts, *expected);
}

#[test]
fn the_tree_is_plain_json() {
    let explanation = plain(&[SESSION[1]]);
    let value = serde_json::to_value(&explanation).unwrap();
    let input = &value["inputs"][0];
    assert_eq!((&input["packing"], &input["form"]), (&"binary".into(), &"wbxml".into()));
    let message = &input["parts"][0];
    assert_eq!((&message["kind"], &message["name"]), (&"document".into(), &"SyncML message".into()));
    let version = &message["children"][0]["children"][0]["children"][0];
    assert_eq!(*version, serde_json::json!({"kind": "element", "name": "VerDTD", "at": 7, "value": {"text": "1.2"}}));
    assert_eq!(value["failures"], serde_json::json!([]));
}
