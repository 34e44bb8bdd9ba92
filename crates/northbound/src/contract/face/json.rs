//! Documents of JSON as values, and values as JSON.
//!
//! Strings without escapes are borrowed from the document; each is copied once, into the field it is for.
//!
//! Source: RFC 8259.

mod read;
mod write;

use std::borrow::Cow;

use muster_broker::fault::Fault;
pub(crate) use read::NotRead;
pub(crate) use write::{JsonWriter, Written, quote};

use super::super::record::Path;
use super::{Member, Scalar, Source};

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

impl Node<'_> {
    /// How many values there are in it, itself included.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::List(entries) => entries.iter().fold(1, |sum, entry| sum + entry.count()),
            Self::Record(members) => members.iter().fold(1, |sum, (_, value)| sum + value.count()),
            Self::Lexical(_) | Self::Null | Self::Boolean(_) | Self::Whole(_) | Self::Other(_) | Self::Text(_) => 1,
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use muster_protocol::limits::Limits;

    use super::*;
    use crate::contract::Record as _;
    use crate::contract::deployment_broker::{DoOperation, Schedule};
    use crate::contract::face::{At, Sink as _};

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
            "schedule": {
                "maxAttempts": 3, "startTime": "2026-11-21T06:00:00.000Z", "wave": [], "maintenanceWindow": [],
            },
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
