//! Which texts of a document are secret.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::edit::Edits;
use super::marked::{Marked, Step};
use super::nested::{Verdict, judge};
use super::secret::is_secret_node;
use super::{BLANK, DecodeFault, Known};
use crate::limits::Limits;

/// Shorter secrets are not looked for in other texts: they stand everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// An open element.
struct Frame<'a> {
    name: &'a str,
    /// Where its content begins.
    start: usize,
    /// Its own text; of `Target` and `Source`, that of their `LocURI`.
    text: Vec<u8>,
    /// Where its texts stand, those of elements inside included.
    spans: Vec<Range<usize>>,
    /// It holds elements.
    has_elements: bool,
    part: Part,
}

/// What an element is, where that matters.
enum Part {
    Cred {
        kind: String,
        data: Option<Content>,
    },
    Item {
        is_secret: bool,
        is_named: bool,
        is_part: bool,
        data: Option<Content>,
    },
    Node {
        is_secret: bool,
        value: Option<Content>,
    },
    /// `Status` or `Results`: its references name the node of an item that does not.
    Answer {
        is_of_alert: bool,
        is_secret: bool,
    },
    Other,
}

/// The content of an element that was closed.
struct Content {
    start: usize,
    text: Vec<u8>,
    spans: Vec<Range<usize>>,
    has_elements: bool,
}

pub(super) struct Walk<'a, 'k, M> {
    marked: M,
    known: &'k Known<'k>,
    limits: &'k Limits,
    depth: usize,
    stack: Vec<Frame<'a>>,
    edits: Edits,
    /// A large object of an earlier message goes on.
    continues: bool,
}

impl<'a, 'k, M: Marked<'a>> Walk<'a, 'k, M> {
    pub(super) fn new(marked: M, known: &'k Known<'k>, limits: &'k Limits, depth: usize) -> Self {
        Self { marked, known, limits, depth, stack: Vec::new(), edits: Edits::default(), continues: known.continues }
    }

    /// The changes, and where and why the document ends early, if it does.
    pub(super) fn run(mut self) -> (Edits, Option<(DecodeFault, usize)>) {
        loop {
            let at = self.marked.at();
            match self.marked.step() {
                Ok(Step::Open(name)) => self.open(name),
                Ok(Step::Text(text)) => self.text(text),
                Ok(Step::Char(character)) => self.text(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Ok(Step::Close) => self.close(),
                Ok(Step::End) => return (self.edits, None),
                Err(error) => {
                    let cut = self.stack.iter().filter_map(|frame| self.unsure_from(frame)).min();
                    return (self.edits, Some((error, cut.map_or(at, |cut| cut.min(at)))));
                }
            }
        }
    }

    fn open(&mut self, name: &'a str) {
        if let Some(around) = self.stack.last_mut() {
            around.has_elements = true;
        }
        if name == "parm" {
            self.marked.blank_parameter(&mut self.edits);
        }
        let part = match name {
            "Cred" => Part::Cred { kind: String::new(), data: None },
            "Item" => Part::Item { is_secret: false, is_named: false, is_part: false, data: None },
            "Node" => Part::Node { is_secret: false, value: None },
            "Status" | "Results" => Part::Answer { is_of_alert: false, is_secret: false },
            _ => Part::Other,
        };
        let start = self.marked.at();
        self.stack.push(Frame { name, start, text: Vec::new(), spans: Vec::new(), has_elements: false, part });
    }

    fn text(&mut self, text: &[u8]) {
        let span = self.marked.span();
        let Some(frame) = self.stack.last_mut() else { return };
        frame.text.extend_from_slice(text);
        if !span.is_empty() {
            frame.spans.push(span);
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        let Frame { name, start, text, spans, has_elements, part } = frame;
        match part {
            Part::Cred { kind, data } => self.credential(&kind, data),
            Part::Item { is_secret, is_named, is_part, data } => self.item(is_secret, is_named, is_part, data),
            Part::Node { is_secret, value } => self.node(is_secret, value),
            Part::Answer { .. } | Part::Other => {}
        }
        let mut around = self.stack.last_mut();
        // What stands deeper inside `Data` and `Value` is theirs too.
        if let Some(around) = around.as_mut().filter(|_| name != "Data") {
            around.spans.extend_from_slice(&spans);
        }
        match (name, around) {
            ("NextNonce", _) => self.blank(&spans),
            ("LocURI", Some(around)) => {
                around.text.clone_from(&text);
                self.address(&text, &spans);
            }
            ("RespURI", Some(_)) => self.address(&text, &spans),
            ("Target" | "Source", Some(Frame { part: Part::Item { is_secret, is_named, .. }, .. })) => {
                *is_secret |= is_secret_node(&String::from_utf8_lossy(&text));
                *is_named |= !text.is_empty();
            }
            ("MoreData", Some(Frame { part: Part::Item { is_part, .. }, .. })) => *is_part = true,
            ("Data", Some(Frame { part: Part::Cred { data, .. } | Part::Item { data, .. }, .. })) => {
                *data = Some(Content { start, text, spans, has_elements });
            }
            ("Cmd", Some(Frame { part: Part::Answer { is_of_alert, .. }, .. })) => *is_of_alert = text == b"Alert",
            ("TargetRef" | "SourceRef", Some(Frame { part: Part::Answer { is_secret, .. }, .. })) => {
                *is_secret |= is_secret_node(&String::from_utf8_lossy(&text));
                self.address(&text, &spans);
            }
            ("NodeName", Some(Frame { part: Part::Node { is_secret, .. }, .. })) => {
                *is_secret = is_secret_node(&String::from_utf8_lossy(&text));
            }
            ("Value", Some(Frame { part: Part::Node { value, .. }, .. })) => {
                *value = Some(Content { start, text, spans, has_elements });
            }
            ("Type", Some(_)) => {
                let cred = self.stack.iter_mut().rev().find_map(|frame| match &mut frame.part {
                    Part::Cred { kind, .. } => Some(kind),
                    _ => None,
                });
                if let Some(kind) = cred {
                    *kind = String::from_utf8_lossy(&text).trim().to_ascii_lowercase();
                }
            }
            _ => {}
        }
    }

    fn credential(&mut self, kind: &str, data: Option<Content>) {
        let Some(Content { text, spans, .. }) = data.filter(|data| !data.spans.is_empty()) else { return };
        let user = (kind == "syncml:auth-basic").then(|| basic_user(&text)).flatten();
        match user {
            Some(user) => {
                let blanked = STANDARD.encode(format!("{user}:{BLANK}"));
                self.marked.rewrite(&spans, blanked.as_bytes(), &mut self.edits);
                self.edits.count();
            }
            None => self.blank(&spans),
        }
    }

    fn item(&mut self, is_secret: bool, is_named: bool, is_part: bool, data: Option<Content>) {
        let Some(data) = data else { return };
        let continued = self.continues;
        self.continues &= is_part;
        // In answer to an alert of the server: what the user entered.
        let is_of_secret = |frame: &Frame<'_>| match frame.part {
            Part::Answer { is_of_alert, is_secret } => is_secret || is_of_alert && !is_named,
            _ => false,
        };
        if is_secret || is_part || continued || self.stack.iter().any(is_of_secret) {
            self.blank(&data.spans);
        } else if !data.has_elements {
            self.look_into(&data);
        }
    }

    fn node(&mut self, is_secret: bool, value: Option<Content>) {
        match value {
            Some(value) if is_secret => self.blank(&value.spans),
            Some(value) if !value.has_elements => self.look_into(&value),
            _ => {}
        }
    }

    /// A text that is not secret as a whole may be a document with secrets, or hold one that is known.
    fn look_into(&mut self, content: &Content) {
        if content.spans.is_empty() {
            return;
        }
        let (text, texts) = match judge(&content.text, self.known, self.limits, self.depth) {
            Verdict::Blank => return self.blank(&content.spans),
            Verdict::Keep => (None, 0),
            Verdict::Replace(text, texts) => (Some(text), texts),
        };
        let swept = self.without_known(text.as_deref().unwrap_or(&content.text));
        if let Some(text) = swept.as_ref().or(text.as_ref()) {
            self.marked.rewrite(&content.spans, text, &mut self.edits);
            (0..texts.max(1)).for_each(|_| self.edits.count());
        }
    }

    /// An address may hold what lets in whoever knows it.
    fn address(&mut self, text: &[u8], spans: &[Range<usize>]) {
        let held = self.known.tokens.iter().filter(|token| !token.is_empty());
        let swept = held.fold(None, |swept: Option<Vec<u8>>, token| {
            without(swept.as_deref().unwrap_or(text), token.as_bytes()).or(swept)
        });
        if let Some(text) = swept.filter(|_| !spans.is_empty()) {
            self.marked.rewrite(spans, &text, &mut self.edits);
            self.edits.count();
        }
    }

    /// The text without the secrets that the caller knows, plain and as base64, if it holds any.
    fn without_known(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut swept = None;
        for secret in self.known.secrets.iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
            for form in [secret.to_vec(), STANDARD.encode(secret).into_bytes()] {
                swept = without(swept.as_deref().unwrap_or(text), &form).or(swept);
            }
        }
        swept
    }

    /// Of several texts in an element, as mark-up has them, each becomes blank.
    fn blank(&mut self, spans: &[Range<usize>]) {
        let Some((first, last)) = spans.first().zip(spans.last()) else { return };
        let is_one_text = spans.windows(2).all(|pair| pair.first().map(|it| it.end) == pair.last().map(|it| it.start));
        if is_one_text || first == last {
            self.marked.rewrite(spans, BLANK.as_bytes(), &mut self.edits);
        } else {
            for span in spans {
                self.marked.rewrite(std::slice::from_ref(span), BLANK.as_bytes(), &mut self.edits);
            }
        }
        self.edits.count();
    }

    /// Where an element that is still open begins to hold what may be secret.
    fn unsure_from(&self, frame: &Frame<'a>) -> Option<usize> {
        match &frame.part {
            Part::Cred { .. } => Some(frame.start),
            Part::Item { data: Some(data), .. } | Part::Node { value: Some(data), .. } => Some(data.start),
            _ if matches!(frame.name, "NextNonce" | "Data" | "Value") => Some(frame.start),
            _ => None,
        }
    }
}

/// The text with every place where `part` stands blanked, if there is one. `part` is not empty.
fn without(text: &[u8], part: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(part.len()).position(|it| it == part) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(BLANK.as_bytes());
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    if rest.len() == text.len() {
        return None;
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// The user of a Basic credential.
///
/// Source: OMA DM Security 1.2, `syncml:auth-basic`.
fn basic_user(data: &[u8]) -> Option<String> {
    let octets = STANDARD.decode(data.trim_ascii()).ok()?;
    let text = String::from_utf8(octets).ok()?;
    Some(text.split_once(':')?.0.to_owned())
}
