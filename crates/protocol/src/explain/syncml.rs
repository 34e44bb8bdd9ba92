//! Explains the elements of SyncML messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::facts::{Answer, Command, Credential, Facts, Mark, Message, Nonce};
use super::{Node, Options, Tone, Value, data, interaction, names, uri};
use crate::syncml::blank::is_secret_node;

/// Explains a message, given as its root, and remembers what can be told only later. Returns what its header says of it.
pub(super) fn annotate(root: &mut Node, facts: &mut Facts, options: &Options<'_>, depth: usize) -> String {
    let mut explainer = Explainer { message: facts.messages.len(), facts, options, depth };
    let mut message = Message::default();
    if let Some(header) = root.child_mut("SyncHdr") {
        message = explainer.header(header);
    }
    let about = about(&message);
    explainer.facts.messages.push(message);
    if let Some(body) = root.child_mut("SyncBody") {
        for command in &mut body.children {
            explainer.command(command);
        }
    }
    about
}

fn about(message: &Message) -> String {
    let say = |what: &str, text: &str| if text.is_empty() { None } else { Some(format!("{what} {text}")) };
    let parts = [
        say("session", &message.session_id),
        say("message", &message.msg_id),
        say("from", if message.sender.is_empty() { &message.sender_name } else { &message.sender }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

struct Explainer<'a, 'o> {
    message: usize,
    facts: &'a mut Facts,
    options: &'a Options<'o>,
    /// Documents around this one.
    depth: usize,
}

/// Commands that hold commands.
const CONTAINERS: [&str; 3] = ["Atomic", "Sequence", "Sync"];
/// Everything that stands in `SyncBody` and has a `CmdID`, but for the answers.
const COMMANDS: [&str; 16] = [
    "Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Map", "Move", "Put", "Replace", "Search", "Sequence",
    "Sync", "Results", "Status",
];
/// Addresses that stand beside a command at most.
const TITLE_ADDRESSES_MAX: usize = 2;

impl Explainer<'_, '_> {
    fn header(&mut self, header: &mut Node) -> Message {
        let source = header.child("Source");
        let message = Message {
            session_id: header.child_text("SessionID").to_owned(),
            msg_id: header.child_text("MsgID").to_owned(),
            sender: source.map_or("", |it| it.child_text("LocURI")).to_owned(),
            sender_name: source.map_or("", |it| it.child_text("LocName")).to_owned(),
        };
        self.facts.commands.push(Command { message: self.message, cmd_id: "0".into(), title: "the header".into() });
        header.mark = Some(Mark::Command(self.facts.commands.len() - 1));
        if let Some(meta) = header.child_mut("Meta") {
            self.meta(meta);
        }
        if let Some(cred) = header.child_mut("Cred") {
            self.cred(cred);
        }
        message
    }

    fn command(&mut self, node: &mut Node) {
        if node.name == "Final" {
            node.note(Tone::Plain, "the package ends here");
            return;
        }
        if !COMMANDS.contains(&node.name.as_str()) {
            return;
        }
        let is_status = node.name == "Status";
        let is_alert = node.name == "Alert";
        if is_alert {
            alert(node);
        }
        if is_status || node.name == "Results" {
            let command = (!is_status).then(|| self.remember(node));
            self.answer(node, command);
        } else {
            node.mark = Some(Mark::Command(self.remember(node)));
        }
        for cred in node.children.iter_mut().filter(|it| it.name == "Cred") {
            self.cred(cred);
        }
        for meta in node.children.iter_mut().filter(|it| it.name == "Meta") {
            self.meta(meta);
        }
        if let Some(meta) = node.child_mut("Chal").and_then(|it| it.child_mut("Meta")) {
            self.meta(meta);
            self.nonce(meta);
        }
        let around = node.child("Meta").map(Described::of).unwrap_or_default();
        for item in node.children.iter_mut().filter(|it| it.name == "Item") {
            self.item(item, &around);
        }
        if CONTAINERS.contains(&node.name.as_str()) {
            for inner in &mut node.children {
                self.command(inner);
            }
        }
    }

    fn remember(&mut self, node: &Node) -> usize {
        let cmd_id = node.child_text("CmdID").to_owned();
        self.facts.commands.push(Command { message: self.message, cmd_id, title: title(node) });
        self.facts.commands.len() - 1
    }

    fn answer(&mut self, node: &mut Node, command: Option<usize>) {
        let refers = |name: &str| node.child_text(name).to_owned();
        let about = [refers("TargetRef"), refers("SourceRef")].into_iter().find(|it| !it.is_empty());
        // Results may leave the reference out when the first message is meant.
        let msg_ref = Some(refers("MsgRef")).filter(|it| !it.is_empty()).unwrap_or_else(|| "1".to_owned());
        let code = command.is_none().then(|| refers("Data"));
        let cmd_ref = refers("CmdRef");
        let about = about.unwrap_or_default();
        self.facts.answers.push(Answer { message: self.message, msg_ref, cmd_ref, about, code, command });
        node.mark = Some(Mark::Answer(self.facts.answers.len() - 1));
    }

    fn item(&mut self, item: &mut Node, around: &Described) {
        let mut described = around.clone();
        let mut address = String::new();
        for child in &mut item.children {
            match child.name.as_str() {
                "Target" | "Source" | "SourceParent" | "TargetParent" => {
                    if let Some(uri) = child.child_mut("LocURI") {
                        if address.is_empty() {
                            address = uri.text().to_owned();
                        }
                        if let Some(meaning) = uri::meaning(uri.text()) {
                            uri.note(Tone::Plain, meaning);
                        }
                    }
                }
                "Meta" => {
                    self.meta(child);
                    described = Described::of(child).or(around);
                }
                "MoreData" => child.note(Tone::Plain, "the rest of this object comes in the next message"),
                _ => {}
            }
        }
        let alert_type = names::alert_type(&described.kind);
        let Some(data) = item.child_mut("Data") else { return };
        if is_secret_node(&address) && !self.options.show_secrets && data.value.is_some() {
            data.value = Some(Value::Hidden);
            return;
        }
        if let Some((tone, name)) = alert_type.and_then(|_| names::firmware_result(data.text())) {
            data.note(tone, name);
        }
        if described.format == "node" {
            children(data);
            return;
        }
        data::open(data, &described.format, self.facts, self.options, self.depth);
    }

    fn meta(&mut self, meta: &mut Node) {
        if let Some(inner) = meta.child_mut("MetInf") {
            return self.meta(inner);
        }
        for child in &mut meta.children {
            let text = child.text();
            let note = match child.name.as_str() {
                "Format" => names::format(text).map(str::to_owned),
                "Type" => names::media_type(text).or_else(|| names::alert_type(text)).map(str::to_owned),
                "Size" => Some("octets of the whole object".to_owned()),
                "MaxMsgSize" => Some("octets of the largest message its sender takes".to_owned()),
                "MaxObjSize" => Some("octets of the largest object its sender takes".to_owned()),
                "NextNonce" => Some(nonce_note(text)),
                _ => None,
            };
            if let Some(note) = note {
                child.note(Tone::Plain, note);
            }
        }
    }

    fn nonce(&mut self, meta: &Node) {
        let meta = meta.child("MetInf").unwrap_or(meta);
        if let Ok(octets) = STANDARD.decode(meta.child_text("NextNonce")) {
            self.facts.nonces.push(Nonce { message: self.message, octets });
        }
    }

    fn cred(&mut self, cred: &mut Node) {
        if let Some(meta) = cred.child_mut("Meta") {
            self.meta(meta);
        }
        let kind = cred.child("Meta").map(Described::of).unwrap_or_default().kind;
        let Some(data) = cred.child_mut("Data") else { return };
        let text = match &data.value {
            Some(Value::Text(text)) => text.trim().to_owned(),
            Some(Value::Octets(octets)) => STANDARD.encode(octets),
            Some(Value::Hidden) | None => String::new(),
        };
        // A Cred without a type is basic.
        let basic = kind.is_empty() || kind.eq_ignore_ascii_case("syncml:auth-basic");
        if basic && !self.options.show_secrets {
            data.value = Some(Value::Hidden);
        }
        let kind = if basic { "syncml:auth-basic".to_owned() } else { kind };
        self.facts.credentials.push(Credential { message: self.message, kind, data: text });
        data.mark = Some(Mark::Credential(self.facts.credentials.len() - 1));
    }
}

/// What `Meta` says of data.
#[derive(Clone, Default)]
struct Described {
    format: String,
    kind: String,
}

impl Described {
    fn of(meta: &Node) -> Self {
        let meta = meta.child("MetInf").unwrap_or(meta);
        Self { format: meta.child_text("Format").to_owned(), kind: meta.child_text("Type").to_owned() }
    }

    /// What the item leaves out, the command says.
    fn or(self, around: &Self) -> Self {
        let choose = |own: String, other: &str| if own.is_empty() { other.to_owned() } else { own };
        Self { format: choose(self.format, &around.format), kind: choose(self.kind, &around.kind) }
    }
}

/// A command's name and what it is about, for where it is referred to.
fn title(node: &Node) -> String {
    if node.name == "Alert" {
        return format!("Alert {}", node.child_text("Data"));
    }
    let addresses: Vec<&str> = addresses(node).collect();
    let shown = addresses.get(..TITLE_ADDRESSES_MAX).unwrap_or(&addresses).join(", ");
    let more = if addresses.len() > TITLE_ADDRESSES_MAX { " …" } else { "" };
    if shown.is_empty() { node.name.clone() } else { format!("{} {shown}{more}", node.name) }
}

fn addresses(node: &Node) -> impl Iterator<Item = &str> {
    node.children.iter().filter(|it| it.name == "Item").filter_map(|item| {
        let side = |name| item.child(name).map(|it| it.child_text("LocURI")).filter(|it| !it.is_empty());
        side("Target").or_else(|| side("Source"))
    })
}

fn alert(node: &mut Node) {
    let code = node.child_text("Data").to_owned();
    if code.starts_with("11") && code.len() == 4 {
        interaction::annotate(node);
    }
    let name = names::alert(&code);
    if let Some(data) = node.child_mut("Data") {
        match name {
            Some(name) => data.note(Tone::Plain, name),
            None => data.note(Tone::Odd, "alert code that is not known"),
        }
    }
}

/// Octets of a nonce that stands in base64.
pub(super) fn nonce_note(text: &str) -> String {
    match STANDARD.decode(text) {
        Ok(octets) => format!("{} octets: {}", octets.len(), data::preview(&octets)),
        Err(_) => "not base64".to_owned(),
    }
}

fn children(data: &mut Node) {
    let names = data.text().split('/').filter(|it| !it.is_empty()).count();
    data.note(
        Tone::Plain,
        match names {
            0 => "no children".to_owned(),
            1 => "one child".to_owned(),
            names => format!("{names} children"),
        },
    );
}
