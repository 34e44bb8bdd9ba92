//! Octets as choices of a message and a style: it must read as it was written.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Credential, DataForm, Encoding, Exec, Get, Header, Item, ItemData, MarkupForm,
    Message, Meta, MetaNamespace, Nested, NestedKind, OctetsForm, PublicIdForm, Results, Status, StatusCode, Style,
    Text, WbxmlVersion, Write, WriteKind,
};

/// Writes the message in its style and reads it again, in both encodings.
pub fn roundtrip(octets: &[u8]) {
    let mut choices = Choices { octets };
    let style = choices.style();
    let message = choices.message();
    let wbxml = message.encode_styled(Encoding::Wbxml, &style).expect("WBXML carries every text");
    let read = Message::decode(Encoding::Wbxml, &wbxml, &Limits::DEVICE).expect("our own WBXML is read");
    if style.octets == OctetsForm::Opaque {
        assert_eq!(read, message);
    }
    if let Ok(xml) = message.encode_styled(Encoding::Xml, &style) {
        let from_xml = Message::decode(Encoding::Xml, &xml, &Limits::DEVICE).expect("our own XML is read");
        if style.octets == OctetsForm::Base64 {
            assert_eq!(from_xml, read);
        }
        let again = from_xml.encode(Encoding::Xml).expect("XML carried it before");
        assert_eq!(Message::decode(Encoding::Xml, &again, &Limits::DEVICE), Ok(from_xml));
    }
}

/// The octets left to choose by; all zero once they are used up.
struct Choices<'a> {
    octets: &'a [u8],
}

impl Choices<'_> {
    fn octet(&mut self) -> u8 {
        match self.octets.split_first() {
            Some((first, rest)) => {
                self.octets = rest;
                *first
            }
            None => 0,
        }
    }

    fn taken(&mut self) -> &[u8] {
        let length = usize::from(self.octet() % 48).min(self.octets.len());
        let (taken, rest) = self.octets.split_at(length);
        self.octets = rest;
        taken
    }

    fn flag(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    fn text(&mut self) -> Text {
        Text::from(String::from_utf8_lossy(self.taken()))
    }

    /// Of what is written only if it is not empty, or cannot be left out.
    fn some_text(&mut self) -> Text {
        let text = self.text();
        if text.is_empty() { "x".into() } else { text }
    }

    fn maybe<T>(&mut self, make: fn(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn list<T>(&mut self, make: fn(&mut Self) -> T) -> Vec<T> {
        (0..self.octet() % 4).map(|_| make(self)).collect()
    }

    fn number(&mut self) -> u64 {
        u64::from(self.octet()) << (self.octet() % 57)
    }

    fn style(&mut self) -> Style {
        let bits = self.octet();
        let is = |bit: u8| bits >> bit & 1 == 1;
        Style {
            xml_declaration: is(0),
            doctype: is(1),
            meta_namespace: if is(2) { MetaNamespace::Prefix } else { MetaNamespace::EachChild },
            markup: if is(3) { MarkupForm::Cdata } else { MarkupForm::References },
            public_id: if is(4) { PublicIdForm::Text } else { PublicIdForm::Number },
            octets: if is(5) { OctetsForm::Base64 } else { OctetsForm::Opaque },
            wbxml_version: match self.octet() % 3 {
                0 => WbxmlVersion::V1_1,
                1 => WbxmlVersion::V1_2,
                _ => WbxmlVersion::V1_3,
            },
            data: match self.octet() % 3 {
                0 => DataForm::ByCommand,
                1 => DataForm::Inline,
                _ => DataForm::Opaque,
            },
        }
    }

    fn message(&mut self) -> Message {
        let header = Header {
            ver_dtd: if self.flag() { "1.1".into() } else { "1.2".into() },
            ver_proto: self.text(),
            session_id: self.some_text(),
            msg_id: self.some_text(),
            target: self.address(),
            source: self.address(),
            resp_uri: self.maybe(Self::text),
            no_resp: self.flag(),
            cred: self.maybe(Self::credential),
            meta: self.meta(),
        };
        let is_final = self.flag();
        let mut commands = Vec::new();
        while !self.octets.is_empty() && commands.len() < 20 {
            commands.push(self.command(0));
        }
        Message { header, commands, is_final }
    }

    fn address(&mut self) -> Address {
        Address { uri: self.some_text(), name: self.maybe(Self::text) }
    }

    fn meta(&mut self) -> Meta {
        if self.flag() {
            return Meta::default();
        }
        Meta {
            format: self.maybe(Self::text),
            kind: self.maybe(Self::text),
            mark: self.maybe(Self::text),
            size: self.maybe(Self::number),
            version: self.maybe(Self::text),
            next_nonce: self.maybe(|it| it.taken().to_vec()),
            max_msg_size: self.maybe(Self::number),
            max_obj_size: self.maybe(Self::number),
            emi: self.list(Self::text),
        }
    }

    fn credential(&mut self) -> Credential {
        Credential { meta: self.meta(), data: self.text() }
    }

    /// Data as reading gives it: octets only where they are not text.
    fn data(&mut self) -> ItemData {
        let octets = self.taken();
        let plain = |it: &char| matches!(it, '\t' | '\n' | '\r' | ' '..) && !matches!(it, '\u{FFFE}' | '\u{FFFF}');
        match std::str::from_utf8(octets) {
            Ok(text) if text.chars().all(|it| plain(&it)) => ItemData::Text(text.into()),
            _ => ItemData::Opaque(octets.to_vec()),
        }
    }

    fn item(&mut self) -> Item {
        Item {
            target: self.maybe(Self::address),
            source: self.maybe(Self::address),
            meta: self.meta(),
            data: self.maybe(Self::data),
            more_data: self.flag(),
        }
    }

    fn command(&mut self, depth: u8) -> Command {
        let cmd_id = self.text();
        match self.octet() % 12 {
            0 => Command::Alert(Alert {
                cmd_id,
                code: self.text(),
                correlator: self.maybe(Self::text),
                items: self.list(Self::item),
            }),
            1 => self.write(WriteKind::Add, cmd_id),
            2 => self.write(WriteKind::Copy, cmd_id),
            3 => self.write(WriteKind::Delete, cmd_id),
            4 => self.write(WriteKind::Replace, cmd_id),
            5 => Command::Get(Get { cmd_id, meta: self.meta(), items: self.list(Self::item) }),
            6 => Command::Exec(Exec {
                cmd_id,
                meta: self.meta(),
                correlator: self.maybe(Self::text),
                items: self.list(Self::item),
            }),
            7 if depth < 4 => self.nested(NestedKind::Atomic, cmd_id, depth),
            8 if depth < 4 => self.nested(NestedKind::Sequence, cmd_id, depth),
            9 => Command::Results(Results {
                cmd_id,
                msg_ref: self.maybe(Self::text),
                cmd_ref: self.text(),
                meta: self.meta(),
                target_ref: self.maybe(Self::text),
                source_ref: self.maybe(Self::text),
                items: self.list(Self::item),
            }),
            10 => Command::Unsupported { name: "Put".into(), cmd_id },
            _ => Command::Status(Status {
                cmd_id,
                msg_ref: self.text(),
                cmd_ref: self.text(),
                cmd: self.text(),
                target_refs: self.list(Self::text),
                source_refs: self.list(Self::text),
                cred: self.maybe(Self::credential),
                chal: self.maybe(|it| Challenge { meta: it.meta() }),
                code: StatusCode(100 + u16::from(self.octet())),
                items: self.list(Self::item),
            }),
        }
    }

    fn write(&mut self, kind: WriteKind, cmd_id: Text) -> Command {
        Command::Write(Write { kind, cmd_id, meta: self.meta(), items: self.list(Self::item) })
    }

    fn nested(&mut self, kind: NestedKind, cmd_id: Text, depth: u8) -> Command {
        let meta = self.meta();
        let commands = (0..self.octet() % 4).map(|_| self.command(depth + 1)).collect();
        Command::Nested(Nested { kind, cmd_id, meta, commands })
    }
}
