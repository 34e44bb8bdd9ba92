//! From values to a document.

use std::fmt;

use super::super::{At, Sink};

/// Writes one value of the contract as a document. What is left out is not written, lists are always arrays.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: String,
    depth: usize,
    is_page: bool,
    version: Option<i64>,
    watched: &'static [(&'static str, &'static str)],
    seen: Vec<(&'static str, String)>,
}

/// Name of a page's entries.
pub(crate) const ITEMS: &str = "items";
/// Name of what leads to the next page.
pub(crate) const NEXT_CURSOR: &str = "nextCursor";

impl JsonWriter {
    /// A writer for one value.
    #[must_use]
    pub(crate) fn new() -> Self {
        // Most answers fit, so that most are written without growing.
        Self { out: String::with_capacity(512), ..Self::default() }
    }

    /// Writes a page: its entries are called `items`, what leads on `nextCursor`.
    #[must_use]
    pub(crate) fn page(self) -> Self {
        Self { is_page: true, ..self }
    }

    /// Remembers the texts of the members that stand second in these pairs: of the record that is written, or entries of
    /// its lists.
    #[must_use]
    pub(crate) fn watch(self, members: &'static [(&'static str, &'static str)]) -> Self {
        Self { watched: members, ..self }
    }

    /// What was written.
    #[must_use]
    pub(crate) fn finish(self) -> Written {
        Written { json: self.out, version: self.version, seen: self.seen }
    }

    fn name(&mut self, at: At<'_>) {
        // Nothing, an opening bracket or a colon stands before a first member; strings end with a quotation mark.
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[')) {
            self.out.push(',');
        }
        if at.is_entry || self.depth == 0 {
            return;
        }
        let name = match at.name {
            "nextPageToken" if self.is_page && self.depth == 1 => NEXT_CURSOR,
            name => name,
        };
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }
}

/// A document with what its HTTP answer needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The document.
    pub(crate) json: String,
    /// The record's `version`, where it has one.
    pub(crate) version: Option<i64>,
    /// Names and texts of the members that were watched.
    pub(crate) seen: Vec<(&'static str, String)>,
}

impl Written {
    /// A document that needs nothing more.
    pub(crate) fn plain(json: &str) -> Self {
        Self { json: json.to_owned(), version: None, seen: Vec::new() }
    }
}

impl Sink for JsonWriter {
    fn text(&mut self, at: At<'_>, text: &str) {
        self.name(at);
        quote(&mut self.out, text);
        if self.depth <= if at.is_entry { 2 } else { 1 }
            && let Some((_, name)) = self.watched.iter().find(|(_, name)| *name == at.name)
        {
            self.seen.push((name, text.to_owned()));
        }
    }

    fn number(&mut self, at: At<'_>, number: i64) {
        use fmt::Write as _;
        self.name(at);
        let _ = write!(self.out, "{number}");
        if self.depth == 1 && matches!(at.name, "version" | "recordVersion") {
            self.version = Some(number);
        }
    }

    fn boolean(&mut self, at: At<'_>, is_so: bool) {
        self.name(at);
        self.out.push_str(if is_so { "true" } else { "false" });
    }

    fn begin(&mut self, at: At<'_>) {
        self.name(at);
        self.depth += 1;
        self.out.push('{');
    }

    fn end(&mut self, _at: At<'_>) {
        self.depth = self.depth.saturating_sub(1);
        self.out.push('}');
    }

    fn begin_list(&mut self, name: &str) {
        self.name(At::field(if self.is_page && self.depth == 1 { ITEMS } else { name }));
        self.depth += 1;
        self.out.push('[');
    }

    fn end_list(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.out.push(']');
    }
}

/// Writes a string.
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, octet) in text.bytes().enumerate() {
        let escape = match octet {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1F => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if escape.is_empty() {
            use fmt::Write as _;
            let _ = write!(out, "\\u{octet:04x}");
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}
