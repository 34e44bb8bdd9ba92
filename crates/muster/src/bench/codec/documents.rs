use muster_protocol::syncml::{
    Address, Command, Encoding, Header, Item, ItemData, Message, Meta, Results, Status, StatusCode, Text,
};

/// Name and octets of the messages beside the golden ones, in whichever encoding: what a device answers to a Get of a
/// few nodes and to one of a whole sub-tree.
pub(super) const SIZES: [(&str, usize); 2] = [("1.5 KB", 1_500), ("18 KB", 18_000)];

/// What is decoded and encoded.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: &'static str,
    pub(super) octets: Vec<u8>,
}

macro_rules! golden {
    ($($name:literal)*) => {
        /// Name, XML, WBXML. The tests of the protocol crate read the same files.
        const GOLDEN: &[(&str, &[u8], &[u8])] = &[$((
            $name,
            include_bytes!(concat!("../../../../protocol/tests/vectors/oma-dm-1/syncml/", $name, ".xml")),
            include_bytes!(concat!("../../../../protocol/tests/vectors/oma-dm-1/syncml/", $name, ".wbxml")),
        ),)*];
    };
}

golden! {
    "01-pkg1-client-initiated" "02-pkg2-challenge-407-md5" "03-pkg1-with-md5-cred" "04-pkg2-auth-ok-get-replace-exec"
    "05-pkg3-status-results" "06-pkg4-end" "07-large-object-chunk1" "08-large-object-213-1222"
    "09-large-object-chunk2-last" "10-size-mismatch-424-and-1225" "11-atomic-replace-add-delete"
    "12-atomic-failed-rollback" "13-sequence-uialert-1101-exec" "14-uialert-responses"
    "15-generic-alert-1226-fumo" "16-session-abort-1223" "17-tnds-xml-add-inbox" "18-acl-prop-list-gets"
    "19-pkg1-server-initiated-1200" "20-next-message-response" "21-device-event-1224" "22-tnds-wbxml-add-inbox"
    "23-binary-b64-add"
}

/// The golden messages and, last, those of [`SIZES`].
pub(super) fn all(encoding: Encoding) -> anyhow::Result<Vec<Document>> {
    let octets = |xml: &[u8], wbxml: &[u8]| match encoding {
        Encoding::Xml => xml.to_vec(),
        Encoding::Wbxml => wbxml.to_vec(),
    };
    let golden = GOLDEN.iter().map(|(name, xml, wbxml)| Document { name, octets: octets(xml, wbxml) });
    let mut documents: Vec<Document> = golden.collect();
    for (name, octets) in SIZES {
        documents.push(Document { name, octets: of_size(encoding, octets)? });
    }
    Ok(documents)
}

fn of_size(encoding: Encoding, octets_min: usize) -> anyhow::Result<Vec<u8>> {
    let mut message = Message {
        header: Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: "A1".into(),
            msg_id: "3".into(),
            target: Address::new("https://dm.example.org/dm"),
            source: Address::new("urn:imei:490154203237518"),
            ..Header::default()
        },
        commands: Vec::new(),
        is_final: true,
    };
    loop {
        let octets = message.encode(encoding)?;
        if octets.len() >= octets_min {
            return Ok(octets);
        }
        let number = message.commands.len();
        message.commands.push(status(number + 1));
        message.commands.push(results(number + 2));
    }
}

fn status(number: usize) -> Command {
    Command::Status(Status {
        cmd_id: text(number),
        msg_ref: "2".into(),
        cmd_ref: text(number),
        cmd: "Get".into(),
        target_refs: vec![uri(number)],
        code: StatusCode::OK,
        ..Status::default()
    })
}

fn results(number: usize) -> Command {
    let format = if number.is_multiple_of(3) { "int" } else { "chr" };
    let item = Item {
        source: Some(Address::new(uri(number))),
        meta: Meta { format: Some(format.into()), kind: Some("text/plain".into()), ..Meta::default() },
        data: Some(ItemData::Text(format!("value {number} & more of it").into())),
        ..Item::default()
    };
    Command::Results(Results {
        cmd_id: text(number),
        msg_ref: Some("2".into()),
        cmd_ref: text(number),
        items: vec![item],
        ..Results::default()
    })
}

fn text(number: usize) -> Text {
    number.to_string().into()
}

fn uri(number: usize) -> Text {
    format!("./Vendor/Example/Settings/Group{}/Node{number}", number % 7).into()
}
