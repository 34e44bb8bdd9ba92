//! Input that is broken, lies, or is nothing.

use proptest::prelude::*;

use super::messages::MESSAGES;
use super::*;

const FORMS: [Form; 8] =
    [Form::Xml, Form::Wbxml, Form::Package0, Form::Wsp, Form::Sms, Form::Tpdu, Form::Http, Form::Pcap];
const PACKINGS: [Packing; 4] = [Packing::Binary, Packing::Hex, Packing::Base64, Packing::Yaml];

#[test]
fn messages_cut_anywhere_give_what_was_read_and_where_it_stopped() {
    for (name, wbxml, xml) in MESSAGES {
        let xml = xml.trim_ascii_end();
        for (octets, form, step) in [(wbxml, Form::Wbxml, 1), (xml, Form::Xml, 7)] {
            for length in (1..octets.len()).step_by(step) {
                let options = Options { form: Some(form), packing: Some(Packing::Binary), ..Options::default() };
                let explanation = explain(&[&octets[..length]], &options);
                let last = explanation.failures.last().unwrap_or_else(|| panic!("{name} cut at {length}"));
                assert!(last.at <= length, "{name} cut at {length}: {last:?}");
                assert!(last.path.ends_with("document") || last.path.contains('/') || last.path == "SyncML message");
            }
        }
    }
}

#[test]
fn what_stands_before_the_break_is_in_the_tree_with_its_path() {
    let explanation = plain(&[&SESSION[3][..200]]);
    assert_eq!(explanation.values("RespURI"), ["https://dm.example.org/dm?s=A1"]);
    let failure = &explanation.failures[0];
    assert_eq!((failure.at, failure.path.as_str()), (200, "SyncML message/SyncML/SyncHdr/Cred/Data"));
    assert_eq!(
        failure.to_string(),
        "document ends at octet 200, inside a token or an element, in SyncML message/SyncML/SyncHdr/Cred/Data"
    );
}

#[test]
fn a_document_that_breaks_inside_data_does_not_break_the_message_around_it() {
    let xml = b"<SyncML><SyncBody><Add><Item><Data>&lt;MgmtTree&gt;&lt;Node&gt;</Data></Item></Add><Final/></SyncBody></SyncML>";
    let explanation = plain(&[xml]);
    assert_eq!(explanation.failures.len(), 1);
    assert!(
        explanation.failures[0].path.ends_with("Item/Data/management tree/MgmtTree/Node"),
        "{:?}",
        explanation.failures
    );
    assert_eq!(explanation.notes("Final"), ["the package ends here"]);
}

#[test]
fn text_that_only_begins_like_a_document_is_a_value() {
    let xml = b"<SyncML><SyncBody><Add><Item><Data>&lt;br> &amp; more</Data></Item></Add></SyncBody></SyncML>";
    let explanation = plain(&[xml]);
    assert_eq!((explanation.failures.len(), explanation.values("Data")), (0, vec!["<br> & more"]));
}

#[test]
fn many_answers_to_many_commands_are_matched_in_time() {
    let commands: String = (0..30_000).map(|_| "<Get><CmdID>1</CmdID></Get>").collect();
    let statuses: String =
        (0..15_000).map(|_| "<Status><MsgRef>1</MsgRef><CmdRef>1</CmdRef><Data>200</Data></Status>").collect();
    let message = |body: &str, from: &str| {
        format!(
            "<SyncML><SyncHdr><MsgID>1</MsgID><Source><LocURI>{from}</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
        )
    };
    let (one, two) = (message(&commands, "a"), message(&statuses, "b"));
    let explanation = plain(&[one.as_bytes(), two.as_bytes()]);
    assert_eq!(explanation.failures, []);
    assert_eq!(explanation.notes("Get").len(), 2, "an answer, and how many more");
    // Prefixed digits are found in one pass too.
    let text = "0x41, ".repeat(200_000);
    assert_eq!(packing::unpack(text.as_bytes(), None).unwrap().octets.len(), 200_000);
}

#[test]
fn endless_nesting_huge_lengths_and_many_attributes_end_with_the_limit() {
    let deep = [b"\x02\xA4\x01\x6A\x00".as_slice(), &[0x6D; 100_000]].concat();
    let huge = b"\x02\xA4\x01\x6A\x00\x6D\xC3\x8F\xFF\xFF\xFF\x7F";
    let table = b"\x02\xA4\x01\x6A\x8F\xFF\xFF\xFF\x7F";
    let attributes = format!("<a{}/>", " b='c'".repeat(100_000));
    let deep_xml = "<a>".repeat(100_000);
    let doctype = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
    let two_roots = b"<a/><b/>";
    let utf16 = b"<\0a\0/\0>\0";
    let inputs: [&[u8]; 8] =
        [&deep, huge, table, attributes.as_bytes(), deep_xml.as_bytes(), doctype, two_roots, utf16];
    for input in inputs {
        let explanation = plain(&[input]);
        assert_eq!(explanation.failures.len(), 1, "{:?}", input.get(..20));
    }
    // Base64 within base64 within base64 is opened a few times only.
    let mut nested = "<MgmtTree/>".to_owned();
    for _ in 0..10 {
        nested = format!(
            "<SyncML><SyncBody><Add><Item><Data>{}</Data></Item></Add></SyncBody></SyncML>",
            nested.replace('&', "&amp;").replace('<', "&lt;")
        );
    }
    let explanation = plain(&[nested.as_bytes()]);
    assert_eq!(explanation.nodes().iter().filter(|it| it.kind == Kind::Document).count(), NESTED_MAX + 1);
}

#[test]
fn nothing_and_what_is_not_known_are_told() {
    let told = |input: &[u8]| plain(&[input]).failures[0].error.clone();
    assert_eq!(told(b""), ExplainError::Empty);
    assert_eq!(told(b" \n"), ExplainError::Empty);
    assert_eq!(told(b"What is this?"), ExplainError::NotRecognised);
    assert_eq!(told(b"\xFF\xFE\xFD"), ExplainError::NotRecognised);
    let too_large = vec![b' '; INPUT_BYTES_MAX + 1];
    assert_eq!(told(&too_large), ExplainError::TooLarge { octets: INPUT_BYTES_MAX + 1 });
    let options = Options { packing: Some(Packing::Hex), ..Options::default() };
    let failure = explain(&[b"xyz"], &options).failures.remove(0);
    assert_eq!(failure.error, ExplainError::Packing(PackingError::NotHex { line: 1 }));
}

#[test]
fn package_0_and_pushes_cut_anywhere_show_the_fields_before() {
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json"));
    for (field, form) in
        [("package0_hex", Form::Package0), ("wsp_push_pdu_hex", Form::Wsp), ("sms_user_data_hex", Form::Sms)]
    {
        let whole = octets(vectors[0][field].as_str().unwrap());
        for length in 1..whole.len() {
            let options = Options { form: Some(form), packing: Some(Packing::Binary), ..Options::default() };
            let explanation = explain(&[&whole[..length]], &options);
            // A push that ends with its header is whole, and so is a short message without payload.
            let silent = explanation.failures.is_empty();
            assert!(
                !silent || (form != Form::Package0 && (length == 6 || length == 7 || length == 13)),
                "{form:?} {length}"
            );
        }
    }
    let cut = octets(vectors[0]["package0_hex"].as_str().unwrap());
    let options = Options { form: Some(Form::Package0), ..Options::default() };
    let explanation = explain(&[&cut[..30]], &options);
    assert_eq!(explanation.values("sessionid"), ["0x1234"]);
    assert_eq!(explanation.values("server-identifier"), ["dm.exa"]);
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic_in_any_form(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = plain(&[&octets]);
        for form in FORMS {
            let options = Options { form: Some(form), packing: Some(Packing::Binary), ..Options::default() };
            let _ = explain(&[&octets], &options);
        }
        for packing in PACKINGS {
            let _ = explain(&[&octets], &Options { packing: Some(packing), ..Options::default() });
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[ -~\n]{0,200}") {
        for packing in PACKINGS {
            let _ = explain(&[text.as_bytes()], &Options { packing: Some(packing), ..Options::default() });
        }
        let _ = plain(&[text.as_bytes()]);
    }

    #[test]
    fn changed_octets_of_golden_messages_never_panic(
        which in 0..MESSAGES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for octets in [MESSAGES[which].1, MESSAGES[which].2] {
            let mut octets = octets.to_vec();
            for (at, octet) in &changes {
                let at = at.index(octets.len());
                octets[at] = *octet;
            }
            let keys = Keys { secrets: vec!["dev-secret".into()], ..Keys::default() };
            let _ = with_keys(&[&octets, SESSION[1]], keys);
        }
    }

    #[test]
    fn changed_captures_never_panic(
        head in prop::collection::vec(any::<u8>(), 0..60),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for magic in [&[0xD4, 0xC3, 0xB2, 0xA1][..], &[0xA1, 0xB2, 0xC3, 0xD4], &[0x0A, 0x0D, 0x0D, 0x0A, 0, 0, 0, 12, 0x1A, 0x2B, 0x3C, 0x4D]] {
            let _ = plain(&[&[magic, &head, &tail].concat()]);
            let _ = plain(&[&[magic, &[0; 16], &[1, 0, 0, 0], &[0; 8], &[200, 0, 0, 0], &[0; 4], &tail].concat()]);
        }
    }
}
