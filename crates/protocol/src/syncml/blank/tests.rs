#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::syncml::Message;

const SECRET: &str = "OhBehave7331";

fn message(header: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1</SessionID><MsgID>2</MsgID><Target><LocURI>http://dm.example/dm</LocURI></Target>\
         <Source><LocURI>IMEI:490154203237518</LocURI><LocName>Bruce2</LocName></Source>{header}</SyncHdr>\
         <SyncBody>{body}<Final/></SyncBody></SyncML>"
    )
}

fn item(uri: &str, data: &str) -> String {
    let meta = "<Meta><Format xmlns='syncml:metinf'>chr</Format></Meta>";
    format!(
        "<Replace><CmdID>3</CmdID><Item><Target><LocURI>{uri}</LocURI></Target>{meta}<Data>{data}</Data></Item></Replace>"
    )
}

fn blanked(xml: &str) -> String {
    let blanked = blank(Encoding::Xml, xml.as_bytes(), &Known::default(), &Limits::DEVICE);
    assert_eq!(blanked.broken, None, "{xml}");
    String::from_utf8(blanked.octets).unwrap()
}

/// Blanks `data` in an item of a harmless node.
fn in_data(data: &str) -> String {
    let out = blanked(&message("", &item("./Inbox", data)));
    Message::decode(Encoding::Xml, out.as_bytes(), &Limits::DEVICE).unwrap();
    let (_, from) = out.split_once("<Data>").unwrap();
    from.split_once("</Data>").unwrap().0.to_owned()
}

/// In binary form, each text as octets with their length.
fn as_wbxml(xml: &str) -> Vec<u8> {
    Message::decode(Encoding::Xml, xml.as_bytes(), &Limits::DEVICE).unwrap().encode(Encoding::Wbxml).unwrap()
}

fn holds(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_message_without_secrets_stays_as_it_is_to_the_octet() {
    let xml = message("", &item("./DevInfo/Man", "Acme"));
    assert_eq!(blanked(&xml), xml);
    let wbxml = as_wbxml(&xml);
    let out = blank(Encoding::Wbxml, &wbxml, &Known::default(), &Limits::DEVICE);
    assert_eq!(out, Blanked { octets: wbxml, texts: 0, broken: None });
}

#[test]
fn a_digest_goes_and_of_a_basic_credential_the_user_stays() {
    let cred = |kind: &str, data: &str| {
        let xml = message(
            &format!("<Cred><Meta><Type xmlns='syncml:metinf'>{kind}</Type></Meta><Data>{data}</Data></Cred>"),
            "",
        );
        let out = blanked(&xml);
        Message::decode(Encoding::Xml, out.as_bytes(), &Limits::DEVICE).unwrap().header.cred.unwrap().data
    };
    assert_eq!(cred("syncml:auth-md5", "Zz6EivR3yeaaENcRN6lpAQ=="), BLANK);
    let basic = cred("syncml:auth-basic", &STANDARD.encode(format!("Bruce2:{SECRET}")));
    assert_eq!(STANDARD.decode(basic.as_bytes()).unwrap(), b"Bruce2:+blanked");
    assert_eq!(cred("syncml:auth-basic", "not base64"), BLANK);
    assert_eq!(cred("syncml:auth-secret-of-a-vendor", SECRET), BLANK);
}

#[test]
fn a_nonce_goes_and_what_stands_there_is_read_as_a_nonce() {
    let status = "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Chal><Meta>\
        <Type xmlns='syncml:metinf'>syncml:auth-md5</Type><NextNonce xmlns='syncml:metinf'>Tm9uY2U=</NextNonce></Meta>\
        </Chal><Data>401</Data></Status>";
    let xml = message("", status);
    let out = blanked(&xml);
    assert!(!out.contains("Tm9uY2U="));
    assert_eq!(out.replace(BLANK, "Tm9uY2U="), xml);
    assert!(Message::decode(Encoding::Xml, out.as_bytes(), &Limits::DEVICE).is_ok());

    let out = blank(Encoding::Wbxml, &as_wbxml(&xml), &Known::default(), &Limits::DEVICE);
    assert!(!holds(&out.octets, "Tm9uY2U="));
    assert!(Message::decode(Encoding::Wbxml, &out.octets, &Limits::DEVICE).is_ok());
}

#[test]
fn the_value_of_a_node_with_a_secret_goes_however_it_is_written() {
    for data in [
        SECRET.to_owned(),
        format!("<![CDATA[{SECRET}]]>"),
        format!("<!-- here -->{SECRET}<!-- there -->"),
        SECRET.replace('B', "&#66;"),
        format!("<a><b>{SECRET}</b></a>"),
    ] {
        let xml = message("", &item("./SyncML/DMAcc/op/AppAuth/1/AAuthSecret", &data));
        let out = blanked(&xml);
        assert!(!out.contains("havE7331") && !out.contains("have7331"), "{out}");
        assert!(out.contains(BLANK), "{out}");
        let decoded = Message::decode(Encoding::Xml, out.as_bytes(), &Limits::DEVICE).unwrap();
        let wbxml = as_wbxml(&xml);
        let binary = blank(Encoding::Wbxml, &wbxml, &Known::default(), &Limits::DEVICE);
        assert!(!holds(&binary.octets, SECRET), "{data}");
        let binary = Message::decode(Encoding::Wbxml, &binary.octets, &Limits::DEVICE).unwrap();
        assert_eq!(binary.commands.len(), decoded.commands.len());
    }
}

#[test]
fn an_item_whose_address_comes_after_its_data_is_blanked_too() {
    let replace = format!(
        "<Replace><CmdID>3</CmdID><Item><Data>{SECRET}</Data><Source><LocURI>./DMAcc/x/ClientPW</LocURI></Source>\
         </Item></Replace>"
    );
    assert!(!blanked(&message("", &replace)).contains(SECRET));
}

const TREE: &str = "<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>AppAuth</NodeName><Node><NodeName>AAuthName</NodeName>\
    <Value>Bruce2</Value></Node><Node><NodeName>AAuthSecret</NodeName><Value>OhBehave7331</Value></Node></Node></MgmtTree>";

#[test]
fn a_tree_in_data_loses_the_values_of_its_secret_nodes_in_every_form() {
    let wanted = TREE.replace(SECRET, BLANK);
    let escaped = |text: &str| text.replace('<', "&lt;").replace('>', "&gt;");
    for (data, expected) in [
        (TREE.to_owned(), wanted.clone()),
        (format!("<![CDATA[{TREE}]]>"), format!("<![CDATA[{wanted}]]>")),
        (format!("<![CDATA[<?xml version=\"1.0\"?>{TREE}]]>"), format!("<![CDATA[<?xml version=\"1.0\"?>{wanted}]]>")),
        (escaped(TREE), escaped(&wanted)),
        (STANDARD.encode(TREE), STANDARD.encode(&wanted)),
    ] {
        assert_eq!(in_data(&data), expected);
    }
    // In WBXML: on the page of the DDF, and as text.
    for data in [TREE.to_owned(), format!("<![CDATA[{TREE}]]>")] {
        let wbxml = as_wbxml(&message("", &item("./Inbox", &data)));
        assert!(holds(&wbxml, SECRET));
        let out = blank(Encoding::Wbxml, &wbxml, &Known::default(), &Limits::DEVICE);
        assert_eq!((holds(&out.octets, SECRET), holds(&out.octets, "Bruce2"), out.texts), (false, true, 1));
        assert!(Message::decode(Encoding::Wbxml, &out.octets, &Limits::DEVICE).is_ok());
    }
}

#[test]
fn a_tree_on_the_page_of_the_ddf_loses_its_secrets() {
    // MgmtTree { Node { NodeName "ClientPW", Value "OhBehave7331" } } inside Data of a Replace, with page switches.
    let mut octets = b"\x02\xA4\x01\x6A\x00\x6D\x6C\x65\x03\x31\x00\x01\x5B\x03\x32\x00\x01".to_vec();
    octets.extend_from_slice(b"\x6E\x57\x03s\x00\x01\x01\x67\x57\x03d\x00\x01\x01\x01\x6B\x60\x4B\x03\x33\x00\x01\x54");
    octets.extend_from_slice(b"\x6E\x57\x03./Inbox\x00\x01\x01\x4F\x00\x02");
    let open =
        |name: &str| 0x45 + u8::try_from(crate::wbxml::tags::DDF.iter().position(|it| *it == name).unwrap()).unwrap();
    octets.extend_from_slice(&[open("MgmtTree"), open("Node"), open("NodeName")]);
    octets.extend_from_slice(b"\x03ClientPW\x00\x01");
    octets.push(open("Value"));
    octets.extend_from_slice(b"\x03OhBehave7331\x00\x01\x01\x01\x00\x00\x01\x01\x01\x01\x01");
    let before = Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE);
    assert!(before.is_ok(), "{before:?}");
    let out = blank(Encoding::Wbxml, &octets, &Known::default(), &Limits::DEVICE);
    assert!(holds(&octets, SECRET) && !holds(&out.octets, SECRET) && holds(&out.octets, "ClientPW"));
    assert!(Message::decode(Encoding::Wbxml, &out.octets, &Limits::DEVICE).is_ok());
}

#[test]
fn a_secret_in_the_string_table_is_starred_there() {
    // Replace { Item { Target { LocURI "./A/PSK" } Data STR_T 0 } }, the table "OhBehave7331".
    let mut octets = b"\x02\xA4\x01\x6A\x0DOhBehave7331\x00".to_vec();
    octets.extend_from_slice(b"\x6D\x6C\x65\x03\x31\x00\x01\x5B\x03\x32\x00\x01\x6E\x57\x03s\x00\x01\x01");
    octets.extend_from_slice(
        b"\x67\x57\x03d\x00\x01\x01\x01\x6B\x60\x4B\x03\x33\x00\x01\x54\x6E\x57\x03./A/PSK\x00\x01\x01",
    );
    octets.extend_from_slice(b"\x4F\x83\x00\x01\x01\x01\x01\x01");
    assert!(Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).is_ok());
    let out = blank(Encoding::Wbxml, &octets, &Known::default(), &Limits::DEVICE);
    assert!(!holds(&out.octets, SECRET) && holds(&out.octets, "************") && holds(&out.octets, BLANK));
    assert!(Message::decode(Encoding::Wbxml, &out.octets, &Limits::DEVICE).is_ok());
    // And if the message breaks before the table is referred to.
    let broken = blank(Encoding::Wbxml, &octets[..octets.len() - 9], &Known::default(), &Limits::DEVICE);
    assert!(broken.broken.is_some() && !holds(&broken.octets, SECRET), "{broken:?}");
}

#[test]
fn a_provisioning_document_loses_the_values_of_its_secret_parameters() {
    let document = |value: &str| {
        format!(
            "<wap-provisioningdoc><characteristic type=\"APPAUTH\"><parm name=\"AAUTHNAME\" value=\"Bruce2\"/>\
             <parm  value = '{value}' name=\"AAUTHSECRET\"/></characteristic></wap-provisioningdoc>"
        )
    };
    for (data, expected) in [
        (document(SECRET), document(BLANK)),
        (format!("<![CDATA[{}]]>", document(SECRET)), format!("<![CDATA[{}]]>", document(BLANK))),
        (STANDARD.encode(document(SECRET)), STANDARD.encode(document(BLANK))),
    ] {
        assert_eq!(in_data(&data), expected);
    }
    // In WBXML the names are tokens of attributes: the document goes as a whole.
    let binary = b"\x03\x0B\x6A\x00\x45\xC6\x56\x01\x87\x32\x06\x03OhBehave7331\x00\x01\x01\x01";
    assert_eq!(in_data(&STANDARD.encode(binary)), BLANK);
}

#[test]
fn documents_inside_documents_are_looked_into_and_too_many_are_blanked() {
    let tree =
        |value: &str| format!("<MgmtTree><Node><NodeName>Inbox</NodeName><Value>{value}</Value></Node></MgmtTree>");
    assert_eq!(in_data(&STANDARD.encode(tree(&STANDARD.encode(TREE)))).len() % 4, 0);
    let once = in_data(&STANDARD.encode(tree(&STANDARD.encode(TREE))));
    let inner = String::from_utf8(STANDARD.decode(once).unwrap()).unwrap();
    assert_eq!(inner, tree(&STANDARD.encode(TREE.replace(SECRET, BLANK))));

    let mut deep = TREE.to_owned();
    for _ in 0..4 {
        deep = tree(&STANDARD.encode(deep));
    }
    let out = blanked(&message("", &item("./Inbox", &deep)));
    assert!(out.contains(&tree("")[..30]));
    let mut text = out;
    for _ in 0..6 {
        assert!(!text.contains(SECRET));
        let Some((_, value)) = text.split_once("<Value>") else { break };
        let octets = STANDARD.decode(value.split_once('<').unwrap().0).unwrap();
        text = String::from_utf8_lossy(&octets).into_owned();
    }
}

#[test]
fn octets_that_only_begin_like_a_document_are_kept() {
    for octets in [&b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C"[..], b"\x02\x01\x6A\x00\x5B\x03not closed"]
    {
        assert_eq!(in_data(&STANDARD.encode(octets)), STANDARD.encode(octets));
    }
}

#[test]
fn what_is_not_whole_is_blanked_as_it_cannot_be_judged() {
    // A part of a large object, its last part, and a piece of mark-up without its beginning.
    let part = format!(
        "<Add><CmdID>3</CmdID><Item><Target><LocURI>./Inbox</LocURI></Target><Data>{SECRET}</Data><MoreData/></Item></Add>"
    );
    assert!(!blanked(&message("", &part)).contains(SECRET));
    let last = message("", &(item("./Inbox", SECRET) + &item("./Other", "kept")));
    let known = Known { continues: true, ..Known::default() };
    let out = String::from_utf8(blank(Encoding::Xml, last.as_bytes(), &known, &Limits::DEVICE).octets).unwrap();
    assert!(!out.contains(SECRET) && out.contains("kept"));
    assert_eq!(in_data(&format!("{SECRET}&lt;/Value>")), BLANK);
    assert_eq!(in_data(&format!("&lt;Value>{SECRET}")), BLANK);
}

#[test]
fn the_reference_of_an_answer_names_the_node_of_its_items() {
    let results = |node: &str| {
        format!(
            "<Results><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><SourceRef>{node}</SourceRef><Item><Data>4711</Data>\
             </Item></Results>"
        )
    };
    assert!(!blanked(&message("", &results("./DMAcc/x/AAuthSecret"))).contains("4711"));
    assert!(blanked(&message("", &results("./DMAcc/x/AAuthName"))).contains("4711"));
}

#[test]
fn what_a_user_entered_is_blanked() {
    let answer = |cmd: &str| {
        format!(
            "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Cmd>{cmd}</Cmd><Data>200</Data><Item><Data>4711</Data>\
             </Item></Status>"
        )
    };
    assert!(!blanked(&message("", &answer("Alert"))).contains("4711"));
    assert!(blanked(&message("", &answer("Replace"))).contains("4711"));
}

#[test]
fn secrets_that_the_caller_knows_are_blanked_wherever_a_value_holds_them() {
    let known = Known { secrets: &[SECRET.as_bytes(), b"abc"], ..Known::default() };
    for data in [SECRET.to_owned(), format!("user={SECRET}; abc"), STANDARD.encode(SECRET)] {
        let xml = message("", &item("./Vendor/Account", &data));
        let out = blank(Encoding::Xml, xml.as_bytes(), &known, &Limits::DEVICE);
        assert!(!holds(&out.octets, SECRET) && !holds(&out.octets, &STANDARD.encode(SECRET)), "{data}");
        assert_eq!((out.texts, holds(&out.octets, "abc")), (1, data.contains("abc")));
        let out = blank(Encoding::Wbxml, &as_wbxml(&xml), &known, &Limits::DEVICE);
        assert!(!holds(&out.octets, SECRET) && !holds(&out.octets, &STANDARD.encode(SECRET)), "{data}");
    }
}

#[test]
fn the_address_of_an_open_session_is_blanked_wherever_it_is_named() {
    let header = "<RespURI>http://dm.example/dm/t0k3n-of-it</RespURI>";
    let status = "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>\
        <TargetRef>http://dm.example/dm/t0k3n-of-it</TargetRef><Data>212</Data></Status>";
    let xml = message(header, status).replace("http://dm.example/dm<", "http://dm.example/dm/t0k3n-of-it<");
    let known = Known { tokens: &["t0k3n-of-it"], ..Known::default() };
    let out = blank(Encoding::Xml, xml.as_bytes(), &known, &Limits::DEVICE);
    assert_eq!(String::from_utf8(out.octets).unwrap(), xml.replace("t0k3n-of-it", BLANK));
    let out = blank(Encoding::Wbxml, &as_wbxml(&xml), &known, &Limits::DEVICE);
    assert!(!holds(&out.octets, "t0k3n-of-it"));
    let decoded = Message::decode(Encoding::Wbxml, &out.octets, &Limits::DEVICE).unwrap();
    assert_eq!(decoded.header.resp_uri.as_deref(), Some("http://dm.example/dm/+blanked"));
}

#[test]
fn a_broken_message_is_cut_where_it_breaks_and_never_inside_a_secret() {
    let cred = "<Cred><Meta><Type xmlns='syncml:metinf'>syncml:auth-md5</Type></Meta><Data>OhBehave7331</Data></Cred>";
    let secret_node = item("./DMAcc/x/AAuthSecret", SECRET);
    let xml = message(cred, &(secret_node + &item("./Inbox", TREE)));
    for end in 0..xml.len() {
        let out = blank(Encoding::Xml, &xml.as_bytes()[..end], &Known::default(), &Limits::DEVICE);
        let broken = out.broken.unwrap();
        assert!(!holds(&out.octets, "OhBe"), "cut at {end}: {}", String::from_utf8_lossy(&out.octets));
        assert!(broken.lost <= end);
    }
    let wbxml = as_wbxml(&xml);
    for end in 0..wbxml.len() {
        let out = blank(Encoding::Wbxml, &wbxml[..end], &Known::default(), &Limits::DEVICE);
        assert!(out.broken.is_some() && !holds(&out.octets, "OhBe"), "cut at {end}");
    }
    let junk = xml.replace("</SyncBody>", "</SyncBodi>");
    let out = blank(Encoding::Xml, junk.as_bytes(), &Known::default(), &Limits::DEVICE);
    assert!(out.octets.len() > 500 && out.broken.is_some_and(|it| it.lost < 40));
}

#[test]
fn other_encodings_than_utf_8_are_kept() {
    let xml = message("", &(item("./A/Name", "M\u{FC}ller") + &item("./A/PSK", SECRET)));
    let xml = xml.replace("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-1\"");
    let latin1: Vec<u8> = xml.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    let out = blank(Encoding::Xml, &latin1, &Known::default(), &Limits::DEVICE);
    let wanted = xml.replace(SECRET, BLANK);
    assert_eq!(out.octets, wanted.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect::<Vec<_>>());
}

#[test]
fn of_an_hmac_header_everything_but_the_mac_stays() {
    for (value, expected) in [
        (
            "algorithm=MD5, username=\"Robert Jordan\", mac=Dgpoz+Pbp4W4NpuWPzXr0w==",
            "algorithm=MD5, username=\"Robert Jordan\", mac=+blanked",
        ),
        ("mac=abc, username=\"mac=1, x\"", "mac=+blanked, username=\"mac=1, x\""),
        ("algorithm=MD5,MAC = abc,username=m", "algorithm=MD5,mac=+blanked,username=m"),
        ("username=\"open, mac=abc", "username=\"open, mac=+blanked"),
        ("", ""),
        ("mac", "mac"),
        ("m\u{e4}c=1", "m\u{e4}c=1"),
    ] {
        assert_eq!(blank_hmac(value), expected);
    }
}
