//! Explains WSP pushes and short messages.

use super::package_0::{field_of, octets_field};
use super::run::Run;
use super::{ExplainError, Form, Kind, Node, Tone, Value};
use crate::prov::security::{Sec, Secrets, Verdict, check};
use crate::push::PORT;
use crate::push::sms::{Joined, Reference, UserData};
use crate::push::tpdu::{Kind as Direction, Tpdu};
use crate::push::wsp::{self, Push};

impl Run<'_, '_> {
    /// A WSP push and what it brings.
    pub(super) fn wsp(&mut self, octets: &[u8], depth: usize) -> Node {
        let mut document = Node::document("WSP push").noted(format!("{} octets", octets.len()));
        let push = match Push::read(octets) {
            Ok(push) => push,
            Err(error) => {
                if let Some(transaction) = octets.first() {
                    document.children.push(Node::field("transaction", 0, transaction.to_string()));
                }
                document.fail(octets.len(), error);
                return document;
            }
        };
        document.children.push(Node::field("transaction", 0, push.transaction.to_string()));
        let media_type = push.content_type.name();
        document.children.push(self.content_type(&push, &media_type));
        for header in &push.headers {
            let mut field =
                Node { kind: Kind::Field, value: Some(value(&header.value)), ..Node::element(header.name(), None) };
            if let Some(urn) = header.application() {
                field.note(Tone::Plain, urn);
            }
            document.children.push(field);
        }
        let form = match media_type.as_str() {
            "application/vnd.syncml.notification" => Some(Form::Package0),
            "application/vnd.wap.connectivity-wbxml" | "application/vnd.syncml.dm+wbxml" => Some(Form::Wbxml),
            "text/vnd.wap.connectivity-xml" | "application/vnd.syncml.dm+xml" => Some(Form::Xml),
            _ => None,
        };
        self.body(&mut document, push.body, push.body_at, form, depth);
        document
    }

    fn content_type(&self, push: &Push<'_>, name: &str) -> Node {
        let mut field = Node::field("Content-Type", 3, name);
        let sec = push.content_type.parameter(0x11, "SEC");
        let sec = sec.and_then(|it| it.integer().and_then(Sec::from_number).or_else(|| Sec::parse(&it.text()?)));
        let mac = push.content_type.parameter(0x12, "MAC").and_then(wsp::Value::text);
        for parameter in &push.content_type.parameters {
            let name = parameter.name();
            let mut child =
                Node { kind: Kind::Field, value: Some(value(&parameter.value)), ..Node::element(&name, None) };
            if let Some(sec) = sec.filter(|_| name == "SEC") {
                child.note(Tone::Plain, format!("{}: secret is {}", sec.name(), sec.needs()));
            }
            // A PIN with its own check sends no MAC: what is checked is the method itself.
            let here = if sec == Some(Sec::UserPinMac) { "SEC" } else { "MAC" };
            if let Some(sec) = sec.filter(|_| name == here) {
                self.mac(&mut child, sec, mac.as_deref(), push.body);
            }
            field.children.push(child);
        }
        field
    }

    /// Whether the sender of a provisioning document knew the secret.
    pub(super) fn mac(&self, node: &mut Node, sec: Sec, given: Option<&str>, body: &[u8]) {
        let keys = &self.options.keys;
        let secrets = Secrets { imsi: keys.imsi.as_deref(), pin: keys.pin.as_deref(), key: keys.mac_key.as_deref() };
        match check(sec, given, body, &secrets) {
            Verdict::Right => node.note(
                Tone::Good,
                format!("right for {}", if secrets.key.is_some() { "the key given" } else { sec.needs() }),
            ),
            Verdict::Wrong => node.note(Tone::Bad, "wrong for the secret given"),
            Verdict::NoSecret => node.note(Tone::Plain, format!("not checked: needs {}", sec.needs())),
            Verdict::NoMac => node.note(Tone::Bad, "is not 40 hexadecimal digits"),
        }
    }

    /// Puts what `body` is below `around`.
    pub(super) fn body(&mut self, around: &mut Node, body: &[u8], at: usize, form: Option<Form>, depth: usize) {
        if body.is_empty() {
            return;
        }
        match form.or_else(|| super::detect::detect(body, &super::LIMITS)) {
            Some(form) if depth < super::NESTED_MAX => {
                for mut part in self.octets(body, form, depth + 1) {
                    part.at = Some(at);
                    around.children.push(part);
                }
            }
            Some(_) | None => {
                let field = field_of("body", at, body).noted(format!("{} octets", body.len()));
                around.children.push(field);
            }
        }
    }

    /// Short messages: each one, and what they make together. Parts may have come in inputs before.
    pub(super) fn short_messages(&mut self, messages: &[Vec<u8>], form: Option<Form>, depth: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        for octets in messages {
            let whole_message = match form {
                Some(Form::Tpdu) => true,
                Some(_) => false,
                None => !is_user_data(octets),
            };
            let mut sender = String::new();
            let (mut node, user_data) = if whole_message {
                tpdu(octets, &mut sender)
            } else {
                (Node::document("short message").noted("user data"), Some(octets.as_slice()))
            };
            let joined = user_data.and_then(|it| self.user_data(&mut node, it, &sender, depth));
            nodes.push(node);
            nodes.extend(joined);
        }
        nodes
    }

    /// Puts the fields of user data below `node`, and what it brings if it is whole by itself; returns what it made whole
    /// with others.
    fn user_data(&mut self, node: &mut Node, octets: &[u8], sender: &str, depth: usize) -> Option<Node> {
        let data = match UserData::read(octets) {
            Ok(data) => data,
            Err(error) => {
                node.fail(0, error);
                return None;
            }
        };
        fields(node, &data);
        let form = data.ports.filter(|it| it.destination == PORT).map(|_| Form::Wsp);
        match self.assembly.take(sender, &data) {
            Ok(Joined::Whole(payload)) if data.part.is_none_or(|it| it.total == 1) => {
                self.body(node, &payload, data.payload_at, form, depth);
            }
            Ok(Joined::Whole(payload)) => {
                let mut joined = Node::document("joined short messages").noted(format!("{} octets", payload.len()));
                self.body(&mut joined, &payload, 0, form, depth);
                return Some(joined);
            }
            Ok(Joined::Waiting) => node.children.push(octets_field("payload", data.payload_at, data.payload)),
            Ok(Joined::Repeated) => node.note(Tone::Odd, "came before"),
            Err(error) => node.fail(data.payload_at, error),
        }
        None
    }

    /// Messages whose parts did not all come.
    pub(super) fn missing_parts(&self) -> Vec<Node> {
        let missing = self.assembly.open().map(|open| {
            let about = format!("{}, {} parts", reference(open.reference), open.total);
            let mut node = Node::document("joined short messages").noted(about);
            let missing: Vec<String> = open.missing.iter().map(u8::to_string).collect();
            node.fail(0, ExplainError::PartsMissing { missing: missing.join(", "), total: open.total });
            node
        });
        missing.collect()
    }
}

/// Whether the octets are user data rather than a whole short message.
pub(super) fn is_user_data(octets: &[u8]) -> bool {
    UserData::read(octets).is_ok_and(|it| it.ports.is_some() || it.part.is_some())
}

/// Whether the octets are a short message in one of its forms.
pub(super) fn is_short_message(octets: &[u8]) -> bool {
    is_user_data(octets) || Tpdu::read(octets).is_ok()
}

/// A whole short message, and its user data.
fn tpdu<'a>(octets: &'a [u8], sender: &mut String) -> (Node, Option<&'a [u8]>) {
    let mut node = Node::document("short message");
    let tpdu = match Tpdu::read(octets) {
        Ok(tpdu) => tpdu,
        Err(error) => {
            node.fail(octets.len(), error);
            return (node, None);
        }
    };
    let (kind, who) = match tpdu.kind {
        Direction::Deliver => ("SMS-DELIVER", "from"),
        Direction::Submit => ("SMS-SUBMIT", "to"),
    };
    node.note(Tone::Plain, format!("{kind}, {} octets", octets.len()));
    if let Some(centre) = tpdu.centre.as_ref().filter(|it| !it.is_empty()) {
        node.children.push(Node::field("message centre", 0, centre));
    }
    node.children.push(Node::field(who, 0, &tpdu.address));
    node.children.push(Node::field("data coding", 0, format!("0x{:02X}", tpdu.coding)).noted("8-bit data"));
    sender.clone_from(&tpdu.address);
    if !tpdu.has_header {
        node.note(Tone::Odd, "has no header and so no port");
        node.children.push(octets_field("user data", tpdu.user_data_at, tpdu.user_data));
        return (node, None);
    }
    (node, Some(tpdu.user_data))
}

fn fields(node: &mut Node, data: &UserData<'_>) {
    if let Some(ports) = data.ports {
        let mut field = Node::field("port", 0, format!("{} from {}", ports.destination, ports.source));
        match ports.destination {
            PORT => field.note(Tone::Plain, "WAP push"),
            2949 => field.note(Tone::Odd, "secure WAP push, not used by device management"),
            _ => field.note(Tone::Odd, format!("device management pushes go to {PORT}")),
        }
        node.children.push(field);
    }
    if let Some(part) = data.part {
        let field = Node::field("part", 0, format!("{} of {}", part.number, part.total));
        node.children.push(field.noted(reference(part.reference)));
    }
    for (element, octets) in &data.others {
        node.children.push(octets_field(&format!("header element {element:#04x}"), 0, octets));
    }
}

fn reference(reference: Reference) -> String {
    match reference {
        Reference::Short(number) => format!("reference {number}"),
        Reference::Long(number) => format!("reference {number} (16 bits)"),
    }
}

fn value(value: &wsp::Value<'_>) -> Value {
    match value {
        wsp::Value::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        wsp::Value::Short(number) => Value::Text(number.to_string()),
        wsp::Value::Octets(octets) => match value.integer() {
            Some(number) => Value::Text(number.to_string()),
            None => Value::Octets(octets.to_vec()),
        },
    }
}
