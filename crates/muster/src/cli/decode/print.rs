//! The tree as lines of at most [`WIDTH`] columns.

use muster_protocol::explain::{Kind, Node, Note, Tone, Value};

use super::paint::{Ink, Paint};
use crate::show::printable;

/// Columns of a line.
const WIDTH: usize = 100;
/// Characters shown of the name of an input, which may be its octets.
const NAME_OF_INPUT_MAX: usize = 90;
/// Columns that names of values take at most; longer ones push their value to the right.
const NAME_COLUMNS_MAX: usize = 26;
/// Columns that a value has at least, however deep it stands.
const VALUE_COLUMNS_MIN: usize = 24;
/// Lines of one value.
const VALUE_LINES_MAX: usize = 6;
/// Octets on one line of a value that is no text.
const OCTETS_ON_LINE: usize = 16;
/// Columns that each level is further in.
const INDENT: usize = 2;

/// How to print.
pub(in crate::cli) struct Style {
    pub(in crate::cli) paint: Paint,
    /// Octets before the lines.
    pub(in crate::cli) offsets: bool,
    /// No value is cut.
    pub(in crate::cli) full: bool,
}

/// The lines of all parts of an input, under its name where there are several.
pub(in crate::cli) fn tree(name: Option<&str>, parts: &[Node], style: &Style) -> String {
    let mut printer = Printer { style, out: String::new() };
    if let Some(name) = name {
        let rule = format!("── {} ", crate::show::short(&printable(name), NAME_OF_INPUT_MAX));
        let rule = format!("{rule}{}", "─".repeat(WIDTH.saturating_sub(rule.chars().count())));
        printer.out = format!("{}\n", style.paint.text(Ink::Remark, &rule));
    }
    for (number, part) in parts.iter().enumerate() {
        if number > 0 && part.kind == Kind::Document {
            printer.out.push('\n');
        }
        printer.node(part, 0, 0);
    }
    if name.is_some() {
        printer.out.push('\n');
    }
    printer.out
}

struct Printer<'a> {
    style: &'a Style,
    out: String,
}

/// A node as it is shown: chains of elements with one child are one line.
struct Shown<'a> {
    name: String,
    /// Attributes that are not in the name or the value.
    attributes: String,
    value: Option<Value>,
    node: &'a Node,
}

impl<'a> Shown<'a> {
    fn of(node: &'a Node) -> Self {
        let attribute = |name: &str| node.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
        // Provisioning documents have their names and values in attributes.
        let named = match node.name.as_str() {
            "characteristic" => attribute("type").map(|kind| (kind, None, "type")),
            "parm" => attribute("name").map(|name| (name, attribute("value"), "name")),
            _ => None,
        };
        let (name, value, key) = named.unwrap_or((node.name.clone(), None, ""));
        let in_value = if value.is_some() { "value" } else { "" };
        let rest = node.attributes.iter().filter(|(name, _)| name != key && name != in_value);
        let attributes: String = rest.map(|(name, value)| format!(" {name}=\"{}\"", printable(value))).collect();
        let value = value.map(Value::Text).or_else(|| node.value.clone());
        Self { name: printable(&name), attributes, value, node }.with_only_child()
    }

    fn with_only_child(self) -> Self {
        let node = self.node;
        let plain =
            node.value.is_none() && node.notes.is_empty() && node.failure.is_none() && node.attributes.is_empty();
        match node.children.as_slice() {
            [child] if plain && node.kind == Kind::Element && child.kind == Kind::Element && !is_root(node) => {
                let child = Self::of(child);
                Self { name: format!("{}/{}", self.name, child.name), ..child }
            }
            _ => self,
        }
    }

    /// Whether its value stands below those beside it.
    fn is_aligned(&self) -> bool {
        self.value.is_some() || (self.node.children.is_empty() && self.node.failure.is_none())
    }
}

/// The two halves of a message keep their names to themselves.
fn is_root(node: &Node) -> bool {
    matches!(node.name.as_str(), "SyncML" | "SyncHdr" | "SyncBody")
}

impl Printer<'_> {
    /// `name_columns` is how wide the names of the values beside this node are.
    fn node(&mut self, node: &Node, depth: usize, name_columns: usize) {
        if node.kind == Kind::Document {
            return self.document(node, depth);
        }
        let shown = Shown::of(node);
        let columns = if shown.is_aligned() { name_columns } else { 0 };
        self.line(&shown, depth, columns);
        self.below(shown.node, depth);
    }

    fn document(&mut self, node: &Node, depth: usize) {
        let title = [self.style.paint.text(Ink::Heading, &printable(&node.name))];
        let mut text = Row::new(self.prefix(node.at, depth), self.start(depth));
        text.push(&title.concat(), node.name.chars().count());
        self.notes(&node.notes, &mut text, self.start(depth) + INDENT);
        self.put(&text);
        if let Some(value) = &node.value {
            self.line(
                &Shown { name: String::new(), attributes: String::new(), value: Some(value.clone()), node },
                depth,
                0,
            );
        }
        self.below(node, depth);
    }

    fn below(&mut self, node: &Node, depth: usize) {
        let shown: Vec<Shown<'_>> =
            node.children.iter().filter(|it| it.kind != Kind::Document).map(Shown::of).collect();
        let names = shown.iter().filter(|it| it.is_aligned()).map(|it| it.name.chars().count());
        let columns = names.filter(|it| *it <= NAME_COLUMNS_MAX).max().unwrap_or(0);
        for child in &node.children {
            // Documents of their own stand apart from the fields of what brings them.
            if child.kind == Kind::Document && node.kind == Kind::Document {
                self.out.push('\n');
            }
            self.node(child, depth + 1, columns);
        }
        if let Some(failure) = &node.failure {
            let mut row = Row::new(self.prefix(Some(failure.at), depth + 1), self.start(depth + 1));
            let text = format!("✗ {}", failure.error);
            row.push(&self.style.paint.text(Ink::Bad, &text), text.chars().count());
            self.put(&row);
        }
    }

    fn line(&mut self, shown: &Shown<'_>, depth: usize, name_columns: usize) {
        let paint = self.style.paint;
        let start = self.start(depth);
        let mut row = Row::new(self.prefix(shown.node.at, depth), start);
        row.push(&paint.text(Ink::Name, &shown.name), shown.name.chars().count());
        row.push(&paint.text(Ink::Remark, &shown.attributes), shown.attributes.chars().count());
        let gap = if shown.value.is_some() || !shown.node.notes.is_empty() { 2 } else { 0 };
        let column = (start + name_columns + gap).max(row.columns + gap).min(WIDTH - VALUE_COLUMNS_MIN);
        if let Some(value) = &shown.value {
            row.pad(column);
            let lines = self.value_lines(value, WIDTH.saturating_sub(row.columns).max(VALUE_COLUMNS_MIN));
            let ink = if *value == Value::Hidden { Ink::Remark } else { Ink::Value };
            for (number, line) in lines.iter().enumerate() {
                if number > 0 {
                    self.put(&row);
                    row = Row::new(self.prefix(None, depth), start);
                    row.pad(column);
                }
                row.push(&paint.text(ink, line), line.chars().count());
            }
        } else if name_columns > 0 && !shown.node.notes.is_empty() {
            row.pad(column - gap);
        }
        self.notes(&shown.node.notes, &mut row, column.min(WIDTH - VALUE_COLUMNS_MIN));
        self.put(&row);
    }

    /// Notes stand behind the value where they fit, else on lines of their own at `column`.
    fn notes(&mut self, notes: &[Note], row: &mut Row, column: usize) {
        for note in notes {
            let (ink, mark) = match note.tone {
                Tone::Plain => (Ink::Remark, ""),
                Tone::Good => (Ink::Good, "✓ "),
                Tone::Bad => (Ink::Bad, "✗ "),
                Tone::Odd => (Ink::Odd, "! "),
            };
            let text = format!("{mark}{}", printable(&note.text));
            let columns = text.chars().count();
            if row.columns + 2 + columns <= WIDTH || row.columns <= column {
                row.push("  ", 2);
                row.push(&self.style.paint.text(ink, &text), columns);
                continue;
            }
            for line in wrapped(&text, WIDTH - column) {
                let next = Row::new(self.prefix(None, 0), self.start(0));
                self.put(&std::mem::replace(row, next));
                row.pad(column);
                row.push(&self.style.paint.text(ink, &line), line.chars().count());
            }
        }
    }

    fn value_lines(&self, value: &Value, columns: usize) -> Vec<String> {
        let mut lines: Vec<String> = match value {
            Value::Hidden => vec!["(hidden)".to_owned()],
            Value::Text(text) => text.trim_end().lines().flat_map(|line| pieces(&printable(line), columns)).collect(),
            Value::Octets(octets) => octets.chunks(OCTETS_ON_LINE).map(octets_line).collect(),
        };
        if !self.style.full && lines.len() > VALUE_LINES_MAX {
            let more = lines.len() - (VALUE_LINES_MAX - 1);
            lines.truncate(VALUE_LINES_MAX - 1);
            lines.push(format!("… {more} lines more; --full shows them"));
        }
        lines
    }

    /// Columns before the text of a line.
    fn start(&self, depth: usize) -> usize {
        let offsets = if self.style.offsets { OFFSET_COLUMNS } else { 0 };
        offsets + (depth * INDENT).min(WIDTH / 2)
    }

    fn prefix(&self, at: Option<usize>, depth: usize) -> String {
        let indent = " ".repeat((depth * INDENT).min(WIDTH / 2));
        if !self.style.offsets {
            return indent;
        }
        let offset = at.map(|at| at.to_string()).unwrap_or_default();
        let offset = format!("{offset:>width$}  ", width = OFFSET_COLUMNS - 2);
        format!("{}{indent}", self.style.paint.text(Ink::Remark, &offset))
    }

    fn put(&mut self, row: &Row) {
        self.out.push_str(row.text.trim_end());
        self.out.push('\n');
    }
}

/// Columns of the octet before a line, with the gap behind it.
const OFFSET_COLUMNS: usize = 9;

/// A line being written, with the columns it takes without its colours.
struct Row {
    text: String,
    columns: usize,
}

impl Row {
    fn new(prefix: String, columns: usize) -> Self {
        Self { text: prefix, columns }
    }

    fn push(&mut self, text: &str, columns: usize) {
        self.text.push_str(text);
        self.columns += columns;
    }

    fn pad(&mut self, column: usize) {
        let missing = column.saturating_sub(self.columns);
        self.push(&" ".repeat(missing), missing);
    }
}

/// The text in pieces of so many characters.
fn pieces(text: &str, columns: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return vec![String::new()];
    }
    characters.chunks(columns.max(1)).map(|piece| piece.iter().collect()).collect()
}

/// The text in lines that end between words.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').flat_map(|word| pieces(word, columns)) {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

fn octets_line(octets: &[u8]) -> String {
    let groups = octets.chunks(4).map(|group| group.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}
