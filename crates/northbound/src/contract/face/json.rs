//! Documents of JSON as values, and values as JSON.
//!
//! Strings without escapes are borrowed from the document; each is copied once, into the field it is for.
//!
//! Source: RFC 8259.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use muster_broker::fault::Fault;
use muster_protocol::limits::Limits;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::super::record::Path;
use super::{At, Member, Scalar, Sink, Source};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'d> {
    /// Text of an address or a header, in which a value of any type may stand.
    Lexical(Cow<'d, str>),
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number, also where it is written with a fraction of zero.
    Whole(i64),
    /// Any other number.
    Other(f64),
    /// A string.
    Text(Cow<'d, str>),
    /// An array.
    List(Vec<Node<'d>>),
    /// An object: its members in the order of the document, repeated ones too.
    Record(Vec<(Cow<'d, str>, Node<'d>)>),
}

/// Why octets are no document of JSON that is taken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// More of something than allowed.
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Not JSON.
    Malformed(String),
}

/// What a document may still hold.
struct Room {
    values: Cell<usize>,
    exceeded: Cell<Option<(&'static str, usize)>>,
    limits: Limits,
}

/// Members of one object: more than any record of the contract has.
const MEMBERS_MAX: usize = 64;

impl Node<'_> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`NotRead`].
    pub(crate) fn read<'d>(document: &'d [u8], limits: &Limits) -> Result<Node<'d>, NotRead> {
        let room = Room { values: Cell::new(limits.elements_max), exceeded: Cell::new(None), limits: *limits };
        let mut reader = serde_json::Deserializer::from_slice(document);
        let read =
            Reading { room: &room, depth: 1 }.deserialize(&mut reader).and_then(|node| reader.end().map(|()| node));
        read.map_err(|error| match room.exceeded.take() {
            Some((what, max)) => NotRead::TooLarge { what, max },
            None => NotRead::Malformed(error.to_string()),
        })
    }

    /// The same, independent of its document.
    pub(crate) fn into_owned(self) -> Node<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Lexical(text) => Node::Lexical(owned(text)),
            Self::Null => Node::Null,
            Self::Boolean(is_so) => Node::Boolean(is_so),
            Self::Whole(number) => Node::Whole(number),
            Self::Other(number) => Node::Other(number),
            Self::Text(text) => Node::Text(owned(text)),
            Self::List(entries) => Node::List(entries.into_iter().map(Node::into_owned).collect()),
            Self::Record(members) => {
                Node::Record(members.into_iter().map(|(name, value)| (owned(name), value.into_owned())).collect())
            }
        }
    }
}

impl Source for Node<'_> {
    fn scalar(&self) -> Result<Scalar<'_>, &'static str> {
        match self {
            Self::Lexical(text) => Ok(Scalar::Lexical(text)),
            Self::Boolean(is_so) => Ok(Scalar::Boolean(*is_so)),
            Self::Whole(number) => Ok(Scalar::Number(*number)),
            Self::Text(text) => Ok(Scalar::Text(text)),
            Self::Null => Err("null where a value is expected; leave the member out"),
            Self::Other(_) => Err("no value of the contract is such a number"),
            Self::List(_) => Err("an array where a single value is expected"),
            Self::Record(_) => Err("an object where a single value is expected"),
        }
    }

    fn members<'s>(
        &'s self,
        path: &Path<'_>,
        mut take: impl FnMut(Member<'s, Self>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Self::Record(members) = self else {
            return Err(Fault::invalid(&path.to_string(), self.quoted(), "an object is expected"));
        };
        for (name, value) in members {
            take(Member { name, is_ours: true, is_left_out: false, value })?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Option<&[Self]>, &'static str> {
        match self {
            Self::List(entries) => Ok(Some(entries)),
            // A parameter of an address stands once for each entry.
            Self::Lexical(_) => Ok(None),
            Self::Null | Self::Boolean(_) | Self::Whole(_) | Self::Other(_) | Self::Text(_) | Self::Record(_) => {
                Err("an array is expected, also for a single entry")
            }
        }
    }

    fn quoted(&self) -> String {
        match self {
            Self::Lexical(text) | Self::Text(text) => text.clone().into_owned(),
            Self::Null => "null".to_owned(),
            Self::Boolean(is_so) => is_so.to_string(),
            Self::Whole(number) => number.to_string(),
            Self::Other(number) => number.to_string(),
            Self::List(_) => "[…]".to_owned(),
            Self::Record(_) => "{…}".to_owned(),
        }
    }
}

#[derive(Clone, Copy)]
struct Reading<'r> {
    room: &'r Room,
    depth: usize,
}

impl Reading<'_> {
    fn too_large<E: serde::de::Error>(self, what: &'static str, max: usize) -> E {
        self.room.exceeded.set(Some((what, max)));
        E::custom("too large")
    }

    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        match self.room.values.get().checked_sub(1) {
            Some(left) => {
                self.room.values.set(left);
                Ok(())
            }
            None => Err(self.too_large("values", self.room.limits.elements_max)),
        }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let max = self.room.limits.depth_max;
        if self.depth >= max {
            Err(self.too_large("nested values", max))
        } else {
            Ok(Self { depth: self.depth + 1, ..self })
        }
    }

    fn is_too_long(self, text: &str) -> bool {
        text.len() > self.room.limits.text_bytes_max
    }
}

impl<'d> DeserializeSeed<'d> for Reading<'_> {
    type Value = Node<'d>;

    fn deserialize<D: serde::Deserializer<'d>>(self, deserializer: D) -> Result<Node<'d>, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Reading<'_> {
    type Value = Node<'d>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node<'d>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, is_so: bool) -> Result<Node<'d>, E> {
        Ok(Node::Boolean(is_so))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'d>, E> {
        Ok(Node::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'d>, E> {
        Ok(i64::try_from(number).map_or(Node::Other(number as f64), Node::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node<'d>, E> {
        // Up to here a double has every whole number.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let is_whole = number.fract() == 0.0 && number.abs() <= EXACT;
        Ok(if is_whole { Node::Whole(number as i64) } else { Node::Other(number) })
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'d str) -> Result<Node<'d>, E> {
        if self.is_too_long(text) {
            return Err(self.too_large("octets in a string", self.room.limits.text_bytes_max));
        }
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node<'d>, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Node<'d>, E> {
        if self.is_too_long(&text) {
            return Err(self.too_large("octets in a string", self.room.limits.text_bytes_max));
        }
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<Node<'d>, A::Error> {
        let below = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(below)? {
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Node<'d>, A::Error> {
        let below = self.deeper()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(below)? {
            let Node::Text(name) = name else { return Err(A::Error::custom("a name is a string")) };
            if members.len() >= MEMBERS_MAX {
                return Err(self.too_large("members in an object", MEMBERS_MAX));
            }
            members.push((name, map.next_value_seed(below)?));
        }
        Ok(Node::Record(members))
    }
}

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::Record as _;
    use crate::contract::deployment_broker::{DoOperation, Schedule};

    fn read(text: &str) -> Result<Node<'_>, NotRead> {
        Node::read(text.as_bytes(), &Limits::WSI)
    }

    fn operation(value: &Value) -> Result<DoOperation, Fault> {
        let text = value.to_string();
        DoOperation::read_fields(&read(&text).unwrap(), &Path::ROOT)
    }

    fn whole() -> Value {
        json!({
            "operation": "QUERY", "bOptin": false, "acceptDevicePolicy": 20, "testCycle": true,
            "phoneNumber": "15551234567",
            "arguments": {"parameter": [{"path": "./a"}], "option": []},
            "schedule": {"maxAttempts": 3.0, "startTime": "2026-11-21T08:00:00+02:00"},
        })
    }

    #[test]
    fn a_record_is_read_by_its_table_and_written_with_arrays_and_without_what_is_absent() {
        let mut writer = JsonWriter::new();
        writer.begin(At::field(""));
        operation(&whole()).unwrap().write_fields(&mut writer, |_| false);
        writer.end(At::field(""));
        let told: Value = serde_json::from_str(&writer.finish().json).unwrap();
        let wanted = json!({
            "operation": "QUERY", "bOptin": false, "acceptDevicePolicy": 20, "testCycle": true,
            "phoneNumber": "+15551234567",
            "arguments": {"parameter": [{"path": "./a"}], "option": []},
            "schedule": {"maxAttempts": 3, "startTime": "2026-11-21T06:00:00.000Z"},
        });
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_does_not_fit_the_table_is_refused_by_its_place() {
        for (name, value, at) in [
            ("operation", json!(7), "operation"),
            ("operation", json!(null), "operation"),
            ("operation", json!(["QUERY"]), "operation"),
            ("operation", json!("a\u{0}b"), "operation"),
            ("bOptin", json!("true"), "bOptin"),
            ("bOptin", json!(1), "bOptin"),
            ("acceptDevicePolicy", json!("20"), "acceptDevicePolicy"),
            ("acceptDevicePolicy", json!(21), "acceptDevicePolicy"),
            ("acceptDevicePolicy", json!(20.5), "acceptDevicePolicy"),
            ("acceptDevicePolicy", json!(true), "acceptDevicePolicy"),
            ("schedule", json!({"maxAttempts": 4_294_967_296_i64}), "schedule.maxAttempts"),
            ("schedule", json!({"maxAttempts": 1e300}), "schedule.maxAttempts"),
            ("schedule", json!([]), "schedule"),
            ("schedule", json!({"startTime": 5}), "schedule.startTime"),
            ("arguments", json!({"parameter": {"path": "./a"}}), "arguments.parameter"),
            ("arguments", json!({"parameter": [{"path": "./a"}, 7]}), "arguments.parameter[1]"),
            ("arguments", json!({"parameter": [{"path": "./a", "x": 1}]}), "arguments.parameter[0].x"),
            ("nothing", json!(1), "nothing"),
        ] {
            let mut given = whole();
            given[name] = value;
            let fault = operation(&given).unwrap_err();
            assert_eq!(fault.name.as_str(), "InvalidArgument", "{fault}");
            assert_eq!(fault.variables[0], at);
        }
        let twice = read(r#"{"maxAttempts": 1, "maxAttempts": 2}"#).unwrap();
        assert_eq!(Schedule::read_fields(&twice, &Path::ROOT).unwrap_err().variables, ["maxAttempts", "2"]);
        let twice = read(r#"{"parameter": [], "parameter": [{"path": "./a"}]}"#).unwrap();
        let fault =
            crate::contract::deployment_broker::OperationArguments::read_fields(&twice, &Path::ROOT).unwrap_err();
        assert_eq!(fault.variables[0], "parameter");
    }

    #[test]
    fn limits_are_found_before_memory_is_taken() {
        let limits = Limits { depth_max: 3, elements_max: 10, text_bytes_max: 4, ..Limits::WSI };
        let refused = |text: &str| Node::read(text.as_bytes(), &limits).unwrap_err();
        assert!(Node::read(br#"[[[]]]"#, &Limits { depth_max: 4, ..limits }).is_ok());
        assert_eq!(refused("[[[[]]]]"), NotRead::TooLarge { what: "nested values", max: 3 });
        assert_eq!(refused("[1,2,3,4,5,6,7,8,9,10]"), NotRead::TooLarge { what: "values", max: 10 });
        assert_eq!(refused("\"abcde\""), NotRead::TooLarge { what: "octets in a string", max: 4 });
        assert_eq!(refused("\"\\n1234\""), NotRead::TooLarge { what: "octets in a string", max: 4 });
        let many: Vec<String> = (0..65).map(|number| format!("\"{number}\":1")).collect();
        let refused = read(&format!("{{{}}}", many.join(","))).unwrap_err();
        assert_eq!(refused, NotRead::TooLarge { what: "members in an object", max: 64 });
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for text in ["", "{", "[1,]", "{\"a\":1}x", "\u{FEFF}{}", "\"\\ud800\"", "NaN", "1e999", "{a:1}", "'a'"] {
            assert!(matches!(read(text), Err(NotRead::Malformed(_))), "{text}");
        }
        assert!(matches!(Node::read(b"\"\xFF\"", &Limits::WSI), Err(NotRead::Malformed(_))));
        assert!(matches!(Node::read(b"{\0}\0", &Limits::WSI), Err(NotRead::Malformed(_))));
    }

    #[test]
    fn a_page_has_its_own_names_and_what_an_answer_needs_is_seen() {
        use crate::contract::Value as _;
        use crate::contract::bulk_operations::JobList;
        let list = JobList { job: Vec::new(), total_count: 0, next_page_token: Some("n".into()) };
        let mut writer = JsonWriter::new().page().watch(&[("", "nextPageToken")]);
        list.write(At::field("jobs"), &mut writer);
        let written = writer.finish();
        assert_eq!(written.json, r#"{"items":[],"totalCount":0,"nextCursor":"n"}"#);
        assert_eq!(written.seen, [("nextPageToken", "n".to_owned())]);
    }

    proptest! {
        #[test]
        fn any_string_is_written_as_others_read_it(text in ".*") {
            let mut out = String::new();
            quote(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }

        #[test]
        fn any_octets_end_in_a_value_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Node::read(&octets, &Limits::WSI);
        }

        #[test]
        fn what_is_no_longer_borrowed_is_the_same(text in "[\\[\\]{}\":,a0 ]{0,40}") {
            if let Ok(node) = read(&text) {
                prop_assert_eq!(node.clone().into_owned(), node);
            }
        }
    }
}
