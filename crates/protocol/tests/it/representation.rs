//! The representation of SyncML DM, sentence by sentence: what is read, what is passed over, and in which order and
//! form.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Address, Command, DecodeFault, Encoding, Item, Message, Meta, NestedKind, WriteKind};
use muster_protocol::wbxml::{ddf_from_xml, ddf_to_xml};

use crate::vectors::{decode, vectors};

const HEADER: &str = "<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
    <Target><LocURI>s</LocURI></Target><Source><LocURI>d</LocURI></Source></SyncHdr>";

fn with_body(body: &str) -> Message {
    let text = format!("<SyncML xmlns='SYNCML:SYNCML1.2'>{HEADER}<SyncBody>{body}</SyncBody></SyncML>");
    decode(Encoding::Xml, text.as_bytes())
}

fn with_header(header: &str) -> Message {
    let text = format!("<SyncML><SyncHdr>{header}</SyncHdr><SyncBody/></SyncML>");
    decode(Encoding::Xml, text.as_bytes())
}

/// The same in WBXML, as we write it.
fn as_wbxml(message: &Message) -> Message {
    decode(Encoding::Wbxml, &message.encode(Encoding::Wbxml).unwrap())
}

#[test]
fn names_are_case_sensitive() {
    let lower = format!("<syncml>{HEADER}<SyncBody/></syncml>");
    let error = Message::decode(Encoding::Xml, lower.as_bytes(), &Limits::DEVICE).unwrap_err();
    assert_eq!(error.fault, DecodeFault::NotSyncMl);
    assert_eq!(with_body("<alert><CmdID>1</CmdID></alert><ADD/>").commands, []);
}

#[test]
fn every_version_of_the_namespace_and_of_meta_information_is_read() {
    for version in ["SYNCML:SYNCML1.0", "SYNCML:SYNCML1.1", "SYNCML:SYNCML1.2", "syncml:SYNCML1.2"] {
        for metinf in ["syncml:metinf", "syncml:metinf1.1", "syncml:metinf1.2", "SYNCML:METINF"] {
            let text = format!(
                "<SyncML xmlns='{version}'>{HEADER}<SyncBody><Get><CmdID>1</CmdID><Meta>\
                 <Type xmlns='{metinf}'>t</Type></Meta></Get></SyncBody></SyncML>"
            );
            let message = decode(Encoding::Xml, text.as_bytes());
            assert!(
                matches!(&message.commands[..], [Command::Get(it)] if it.meta.kind.as_deref() == Some("t")),
                "{text}"
            );
        }
    }
}

#[test]
fn prolog_and_document_type_are_optional() {
    let plain = format!("<SyncML>{HEADER}<SyncBody/></SyncML>");
    for prolog in [
        "",
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n",
        "<!DOCTYPE SyncML>",
        "<?xml version='1.0'?><!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://example.org/none.dtd'>",
        "<!DOCTYPE SyncML SYSTEM \"none.dtd\" >",
    ] {
        let message = decode(Encoding::Xml, format!("{prolog}{plain}").as_bytes());
        assert_eq!(message, decode(Encoding::Xml, plain.as_bytes()), "{prolog}");
    }
}

#[test]
fn header_has_all_its_elements() {
    let message = with_header(
        "<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>A1</SessionID><MsgID>2</MsgID>\
         <Target><LocURI>t</LocURI><LocName>tn</LocName><Filter><Meta/></Filter></Target>\
         <Source><LocURI>s</LocURI><LocName>sn</LocName></Source><RespURI>r</RespURI><NoResp/>\
         <Cred><Meta><Type>syncml:auth-basic</Type></Meta><Data>Zg==</Data></Cred>\
         <Meta><MaxMsgSize>5000</MaxMsgSize><MaxObjSize>6000</MaxObjSize></Meta>",
    );
    let header = &message.header;

    assert_eq!((header.ver_dtd.as_str(), header.ver_proto.as_str()), ("1.2", "DM/1.2"));
    assert_eq!((header.session_id.as_str(), header.msg_id.as_str()), ("A1", "2"));
    assert_eq!(header.target, Address { uri: "t".into(), name: Some("tn".into()) });
    assert_eq!(header.source, Address { uri: "s".into(), name: Some("sn".into()) });
    assert_eq!(header.resp_uri.as_deref(), Some("r"));
    assert!(header.no_resp);
    let cred = header.cred.as_ref().unwrap();
    assert_eq!((cred.meta.kind.as_deref(), cred.data.as_str()), (Some("syncml:auth-basic"), "Zg=="));
    assert_eq!((header.meta.max_msg_size, header.meta.max_obj_size), (Some(5000), Some(6000)));
    assert_eq!(as_wbxml(&message), message);
}

#[test]
fn each_command_is_read_with_its_name() {
    let names = ["Alert", "Add", "Copy", "Delete", "Replace", "Get", "Exec", "Results", "Status", "Atomic", "Sequence"];
    for name in names {
        let message = with_body(&format!("<{name}><CmdID>c7</CmdID></{name}><Final/>"));
        let [command] = &message.commands[..] else { unreachable!("{name}") };
        assert_eq!((command.name(), command.cmd_id().as_str()), (name, "c7"));
        assert!(!matches!(command, Command::Unsupported { .. }), "{name}");
        assert!(message.is_final);
        assert_eq!(as_wbxml(&message), message);
    }
    for name in ["Put", "Search", "Sync", "Map", "Move"] {
        let message = with_body(&format!("<{name}><CmdID>c7</CmdID></{name}>"));
        assert_eq!(message.commands, [Command::Unsupported { name: name.into(), cmd_id: "c7".into() }]);
        assert_eq!(as_wbxml(&message), message);
    }
}

#[test]
fn correlator_may_stand_anywhere_in_alert_and_exec() {
    for order in [
        "<Correlator>c</Correlator><CmdID>1</CmdID><Data>1226</Data><Item/>",
        "<CmdID>1</CmdID><Correlator>c</Correlator><Data>1226</Data><Item/>",
        "<CmdID>1</CmdID><Data>1226</Data><Correlator>c</Correlator><Item/>",
        "<CmdID>1</CmdID><Data>1226</Data><Item/><Correlator>c</Correlator>",
    ] {
        let message = with_body(&format!("<Alert>{order}</Alert><Exec>{order}</Exec>"));
        let [Command::Alert(alert), Command::Exec(exec)] = &message.commands[..] else { unreachable!("{order}") };
        assert_eq!((alert.correlator.as_deref(), alert.code.as_str(), alert.items.len()), (Some("c"), "1226", 1));
        assert_eq!((exec.correlator.as_deref(), exec.items.len()), (Some("c"), 1));
        // We write it after Data and before Item.
        let written = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();
        assert!(written.contains("<Data>1226</Data><Correlator>c</Correlator><Item/>"), "{written}");
    }
}

#[test]
fn elements_that_dm_does_not_use_in_commands_leave_no_trace() {
    let plain = "<Meta><Type>t</Type></Meta><Item><Target><LocURI>./a</LocURI></Target></Item>";
    let noisy = "<NoResp/><NoResults/><Lang>en</Lang><Archive/><SftDel/><NumberOfChanges>3</NumberOfChanges>\
        <Cred><Meta><Type>syncml:auth-md5</Type></Meta><Data>x</Data></Cred><Meta><Type>t</Type></Meta>\
        <Item><Target><LocURI>./a</LocURI><Filter><Meta/><Field><Item/></Field><Record/><FilterType>i</FilterType>\
        </Filter></Target><SourceParent><LocURI>p</LocURI></SourceParent><TargetParent><LocURI>q</LocURI></TargetParent>\
        </Item>";
    for name in ["Add", "Copy", "Delete", "Replace", "Get", "Exec"] {
        let command = |inside: &str| with_body(&format!("<{name}><CmdID>1</CmdID>{inside}</{name}>"));
        assert_eq!(command(noisy), command(plain), "{name}");
    }
    let nested = |inside: &str| {
        with_body(&format!("<Atomic><CmdID>1</CmdID>{inside}<Delete><CmdID>2</CmdID></Delete></Atomic>"))
    };
    assert_eq!(nested("<NoResp/><Cred><Data>x</Data></Cred>"), nested(""));
    let alert = |inside: &str| with_body(&format!("<Alert><CmdID>1</CmdID>{inside}<Data>1222</Data></Alert>"));
    assert_eq!(alert("<NoResp/><Cred><Data>x</Data></Cred>"), alert(""));
}

#[test]
fn all_meta_information_is_read_and_that_of_data_synchronisation_passed_over() {
    let used = "<Format>b64</Format><Type>t</Type><Mark>critical</Mark><Size>9</Size><Version>v</Version>\
        <NextNonce>AAEC</NextNonce><MaxMsgSize>10</MaxMsgSize><MaxObjSize>11</MaxObjSize><EMI>e</EMI><EMI>f</EMI>";
    let unused = "<FieldLevel/><Anchor><Last>1</Last><Next>2</Next></Anchor>\
        <Mem><SharedMem/><FreeMem>3</FreeMem><FreeID>4</FreeID></Mem>";
    let meta = Meta {
        format: Some("b64".into()),
        kind: Some("t".into()),
        mark: Some("critical".into()),
        size: Some(9),
        version: Some("v".into()),
        next_nonce: Some(vec![0, 1, 2]),
        max_msg_size: Some(10),
        max_obj_size: Some(11),
        emi: vec!["e".into(), "f".into()],
    };
    for inside in [
        format!("{used}{unused}"),
        format!("{unused}{used}"),
        format!("text {used} text"),
        format!("<MetInf>{unused}{used}</MetInf>"),
    ] {
        let message = with_body(&format!("<Get><CmdID>1</CmdID><Meta xmlns='syncml:metinf'>{inside}</Meta></Get>"));
        let [Command::Get(get)] = &message.commands[..] else { unreachable!("a Get was sent") };
        assert_eq!(get.meta, meta, "{inside}");
        assert_eq!(as_wbxml(&message), message);
    }
}

#[test]
fn type_and_format_of_a_credential_are_read_in_either_order() {
    let kind = "<Type xmlns='syncml:metinf'>syncml:auth-md5</Type>";
    let format = "<Format xmlns='syncml:metinf'>b64</Format>";
    for meta in [format!("{kind}{format}"), format!("{format}{kind}")] {
        let message = with_body(&format!(
            "<Status><CmdID>1</CmdID><Chal><Meta>{meta}</Meta></Chal><Cred><Meta>{meta}</Meta><Data>AA==</Data></Cred></Status>"
        ));
        let [Command::Status(status)] = &message.commands[..] else { unreachable!("a Status was sent") };
        for meta in [&status.chal.as_ref().unwrap().meta, &status.cred.as_ref().unwrap().meta] {
            assert_eq!((meta.kind.as_deref(), meta.format.as_deref()), (Some("syncml:auth-md5"), Some("b64")));
        }
    }
}

#[test]
fn meta_that_is_only_text_says_nothing() {
    let message = with_body("<Get><CmdID>1</CmdID><Meta>text/plain</Meta></Get>");

    assert!(matches!(&message.commands[..], [Command::Get(get)] if get.meta.is_empty()));
}

#[test]
fn item_keeps_its_own_meta_beside_that_of_the_command() {
    let message = with_body(
        "<Add><CmdID>1</CmdID><Meta><Format>chr</Format></Meta><Item><Meta><Format>int</Format></Meta></Item></Add>",
    );

    let [Command::Write(write)] = &message.commands[..] else { unreachable!("an Add was sent") };
    assert_eq!(write.meta.format.as_deref(), Some("chr"));
    assert_eq!(write.items[0].meta.format.as_deref(), Some("int"));
}

#[test]
fn elements_of_item_are_read_in_any_order_and_written_in_that_of_the_dtd() {
    let message = with_body(
        "<Replace><Item><MoreData/><Data>d</Data><Meta><Type>t</Type></Meta><Source><LocURI>s</LocURI></Source>\
         <Target><LocURI>t</LocURI></Target></Item><CmdID>1</CmdID></Replace>",
    );

    let written = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();
    let order = "<Replace><CmdID>1</CmdID><Item><Target><LocURI>t</LocURI></Target><Source><LocURI>s</LocURI></Source>\
        <Meta><Type xmlns=\"syncml:metinf\">t</Type></Meta><Data>d</Data><MoreData/></Item></Replace>";
    assert!(written.contains(order), "{written}");
}

#[test]
fn status_and_results_have_all_their_elements() {
    let message = with_body(
        "<Status><CmdID>1</CmdID><MsgRef>2</MsgRef><CmdRef>3</CmdRef><Cmd>Get</Cmd><TargetRef>a</TargetRef>\
         <TargetRef>b</TargetRef><SourceRef>c</SourceRef><Cred><Data>x</Data></Cred>\
         <Chal><Meta><NextNonce>AAEC</NextNonce></Meta></Chal><Data>401</Data><Item><Data>d</Data></Item></Status>\
         <Results><CmdID>4</CmdID><MsgRef>2</MsgRef><CmdRef>3</CmdRef><Meta><Type>t</Type></Meta><TargetRef>a</TargetRef>\
         <SourceRef>c</SourceRef><Item><Source><LocURI>./a?prop=ACL</LocURI></Source></Item></Results>",
    );

    let [Command::Status(status), Command::Results(results)] = &message.commands[..] else { unreachable!("both sent") };
    assert_eq!((status.msg_ref.as_str(), status.cmd_ref.as_str(), status.cmd.as_str()), ("2", "3", "Get"));
    assert_eq!((&status.target_refs[..], &status.source_refs[..]), (&["a".into(), "b".into()][..], &["c".into()][..]));
    assert_eq!(status.code.0, 401);
    assert_eq!(status.chal.as_ref().unwrap().meta.next_nonce.as_deref(), Some([0, 1, 2].as_slice()));
    assert_eq!(status.cred.as_ref().unwrap().data, "x");
    assert_eq!((results.msg_ref.as_deref(), results.cmd_ref.as_str()), (Some("2"), "3"));
    assert_eq!((results.target_ref.as_deref(), results.source_ref.as_deref()), (Some("a"), Some("c")));
    assert_eq!(results.items[0].source, Some(Address::new("./a?prop=ACL")));
    assert_eq!(as_wbxml(&message), message);
}

#[test]
fn containers_hold_commands_in_document_order_and_in_each_other() {
    let message = with_body(
        "<Sequence><CmdID>1</CmdID><Get><CmdID>2</CmdID></Get><Atomic><CmdID>3</CmdID><Add><CmdID>4</CmdID></Add>\
         <Frobnicate/></Atomic><Delete><CmdID>5</CmdID></Delete></Sequence>",
    );

    let [Command::Nested(sequence)] = &message.commands[..] else { unreachable!("a Sequence was sent") };
    assert_eq!(sequence.kind, NestedKind::Sequence);
    let names: Vec<&str> = sequence.commands.iter().map(Command::name).collect();
    assert_eq!(names, ["Get", "Atomic", "Delete"]);
    let Command::Nested(atomic) = &sequence.commands[1] else { unreachable!("an Atomic was sent") };
    assert!(matches!(&atomic.commands[..], [Command::Write(it)] if it.kind == WriteKind::Add));
    assert_eq!(as_wbxml(&message), message);
}

#[test]
fn empty_elements_are_read_in_every_form() {
    let item = |body: &str| match &with_body(&format!("<Get><CmdID>1</CmdID>{body}</Get>")).commands[..] {
        [Command::Get(get)] => get.items.clone(),
        other => panic!("{other:?}"),
    };
    for form in ["<Item/>", "<Item></Item>", "<Item> </Item>", "<Item><!-- --></Item>"] {
        assert_eq!(item(form), [Item::default()]);
    }
    let empty_data = [Item { data: Some("".into()), ..Item::default() }];
    for form in ["<Item><Data/></Item>", "<Item><Data></Data></Item>", "<Item><Data><![CDATA[]]></Data></Item>"] {
        assert_eq!(item(form), empty_data);
    }
    let start = b"\x02\xA4\x01\x6A\x01\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B\x53\x54";
    // Without content, with none, with an empty string, an empty string of the table, an empty opaque.
    for data in [b"\x0F".as_slice(), b"\x4F\x01", b"\x4F\x03\x00\x01", b"\x4F\x83\x00\x01", b"\x4F\xC3\x00\x01"] {
        let message = decode(Encoding::Wbxml, &[start.as_slice(), data, b"\x01\x01\x01\x01"].concat());
        assert!(matches!(&message.commands[..], [Command::Get(get)] if get.items == empty_data), "{data:02x?}");
    }
}

#[test]
fn pages_switch_anywhere_and_stay_until_the_next_switch() {
    let golden = vectors().remove(0);
    let message = decode(Encoding::Wbxml, &golden.wbxml);
    let meta = b"\x00\x01\x4C\x0316384\x00\x01\x55\x031048576\x00\x01\x01\x01\x00\x00";
    let at = golden.wbxml.windows(meta.len()).position(|it| it == meta).unwrap();
    // The page is switched before each tag, twice before some, and before ends.
    let often =
        b"\x00\x01\x4C\x0316384\x00\x01\x00\x00\x00\x01\x55\x031048576\x00\x00\x00\x01\x00\x01\x00\x05\x01\x01\x00\x00";
    let octets = [&golden.wbxml[..at], often, &golden.wbxml[at + meta.len()..]].concat();

    assert_eq!(decode(Encoding::Wbxml, &octets), message);
}

#[test]
fn attribute_page_and_tag_page_are_independent() {
    let start = b"\x02\xA4\x01\x6A\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    // Attributes of page 7 on Get; its children are of page 0 all the same.
    let body = b"\xD3\x00\x07\x05\x03v\x00\x01\x4B\x039\x00\x01\x54\x6E\x57\x03./a\x00\x01\x01\x01\x01\x01\x01";
    let message = decode(Encoding::Wbxml, &[start.as_slice(), body].concat());

    let [Command::Get(get)] = &message.commands[..] else { unreachable!("a Get was sent") };
    assert_eq!((get.cmd_id.as_str(), get.items[0].target.as_ref().unwrap().uri.as_str()), ("9", "./a"));
}

#[test]
fn unknown_elements_attributes_and_namespaces_are_passed_over_in_xml() {
    let plain = with_body("<Get><CmdID>1</CmdID><Item><Target><LocURI>./a</LocURI></Target></Item></Get><Final/>");
    let text = format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2' xmlns:v='urn:vendor' v:a='1' b='2'>{HEADER}<v:Extra><Get/></v:Extra>\
         <SyncBody v:c='3'><v:Get><CmdID>0</CmdID></v:Get><Get><CmdID>1</CmdID><v:CmdID>2</v:CmdID><Hint>x<Item/></Hint>\
         <Item><Target><LocURI v:d='4'>./a<v:Deep><LocURI>no</LocURI></v:Deep></LocURI></Target>\
         <Data xmlns='urn:other'>no</Data></Item></Get><Final/></SyncBody></SyncML>"
    );

    assert_eq!(decode(Encoding::Xml, text.as_bytes()), plain);
}

#[test]
fn unknown_code_pages_and_tokens_are_passed_over_with_their_content() {
    let start = b"\x02\xA4\x01\x6A\x02a\x00\x6D\x6C\x65\x031\x00\x01\x5B\x031\x00\x01\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B";
    let plain = decode(Encoding::Wbxml, &[start.as_slice(), b"\x53\x4B\x031\x00\x01\x01\x01\x01"].concat());
    for unknown in [
        b"\x7D\x03x\x00\x01".as_slice(),
        b"\x3F",
        b"\x70\x53\x4B\x032\x00\x01\x01\x01",
        b"\x00\xFF\x45\x46\x03x\x00\x01\xC3\x02\x00\x01\x01\x00\x00",
        b"\x00\x03\x05\x00\x00",
        b"\x44\x00\x46\x01\x01",
        b"\xFD\x05\x85\x01\x01",
    ] {
        let octets =
            [start.as_slice(), unknown, b"\x53", unknown, b"\x4B\x031\x00\x01", unknown, b"\x01", unknown, b"\x01\x01"];
        assert_eq!(decode(Encoding::Wbxml, &octets.concat()), plain, "{unknown:02x?}");
    }
}

#[test]
fn messages_of_dm_1_1_2_are_read_and_written() {
    for vector in vectors() {
        let mut message = decode(Encoding::Wbxml, &vector.wbxml);
        message.header.ver_dtd = "1.1".into();
        message.header.ver_proto = "DM/1.1".into();

        let wbxml = message.encode(Encoding::Wbxml).unwrap();
        assert!(wbxml.starts_with(b"\x02\x9F\x53\x6A\x00\x6D"));
        assert_eq!(decode(Encoding::Wbxml, &wbxml), message);
        if vector.name.starts_with("22-") {
            continue; // Octets, which XML has no way to carry as they are.
        }
        let xml = message.encode(Encoding::Xml).unwrap();
        assert!(String::from_utf8(xml.clone()).unwrap().contains("<SyncML xmlns=\"SYNCML:SYNCML1.1\">"));
        assert_eq!(decode(Encoding::Xml, &xml), message);
    }
}

/// The tree document of golden messages 17 (XML) and 22 (WBXML).
fn tree_document() -> (String, Vec<u8>) {
    let data = |start: &str| {
        let vector = vectors().into_iter().find(|it| it.name.starts_with(start)).unwrap();
        match decode(Encoding::Wbxml, &vector.wbxml).commands.get(1) {
            Some(Command::Write(write)) => write.items[0].data.clone().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    (data("17-").as_text().unwrap().to_owned(), data("22-").as_bytes().to_owned())
}

#[test]
fn tree_document_in_xml_becomes_the_golden_document_in_wbxml() {
    let (xml, wbxml) = tree_document();

    assert_eq!(ddf_from_xml(&xml, &Limits::DEVICE).unwrap(), wbxml);
    assert_eq!(ddf_from_xml(&ddf_to_xml(&wbxml, &Limits::DEVICE).unwrap(), &Limits::DEVICE).unwrap(), wbxml);
}

#[test]
fn tree_document_may_be_spaced_commented_prefixed_and_extended() {
    let (_, wbxml) = tree_document();
    let text = "<?xml version='1.0'?>\n<!DOCTYPE MgmtTree PUBLIC '-//OMA//DTD-DM-DDF 1.2//EN' 'x'>\n\
        <t:MgmtTree xmlns:t='syncml:dmddf1.2' xmlns:MSFT='urn:m' MSFT:a='b'>\n <t:VerDTD>1.2</t:VerDTD>\n <t:Node>\n\
        <t:NodeName>Example<![CDATA[Operator]]></t:NodeName><!-- --><MSFT:Hint>x</MSFT:Hint>\
        <t:RTProperties><t:Format><t:node/></t:Format>\n<t:Type><t:DDFName>org.openmobilealliance/1.0/w7</t:DDFName></t:Type>\
        </t:RTProperties> <t:Node><t:NodeName>ServerID</t:NodeName><t:RTProperties><t:Format><t:chr></t:chr></t:Format>\
        <t:Type><t:MIME>text/plain</t:MIME></t:Type></t:RTProperties><t:Value>dm&#46;example.org</t:Value></t:Node>\n\
        </t:Node></t:MgmtTree>\n";

    assert_eq!(ddf_from_xml(text, &Limits::DEVICE).unwrap(), wbxml);
}

#[test]
fn what_is_no_tree_document_is_refused_with_its_place() {
    let refused = |text: &str| ddf_from_xml(text, &Limits::DEVICE).unwrap_err();
    assert_eq!(refused("<Tree/>").fault, DecodeFault::Missing { element: "MgmtTree" });
    assert_eq!(refused("<MgmtTree/><MgmtTree/>").kind(), "xml_outside_root");
    let entity = refused("<MgmtTree><Node><Value>a&b;</Value></Node></MgmtTree>");
    assert_eq!((entity.path.as_str(), entity.at), ("MgmtTree/Node/Value", 24));
    assert_eq!(refused(&format!("<MgmtTree>{}", "<Node>".repeat(100))).kind(), "limit_depth");
}
