//! Expressions of the filter language as conditions in SQL. Values are bound, never written out; names of columns are
//! ours.

use muster_broker::filter::{Comparison, Filter, Test, Value as Given};
use rusqlite::types::Value;

/// A piece of SQL with as many values as it has question marks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self { text: text.into(), values: values.into_iter().collect() }
    }

    /// Pieces with `between` between them.
    pub(super) fn joined(parts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Self::new("", []);
        for (number, part) in parts.into_iter().enumerate() {
            if number > 0 {
                all.text.push_str(between);
            }
            all.text.push_str(&part.text);
            all.values.extend(part.values);
        }
        all
    }

    /// This piece with text around it.
    pub(super) fn within(self, before: &str, after: &str) -> Self {
        Self { text: format!("{before}{}{after}", self.text), values: self.values }
    }

    /// This piece and then another.
    pub(super) fn then(mut self, next: Self) -> Self {
        self.text.push_str(&next.text);
        self.values.extend(next.values);
        self
    }
}

/// A whole expression as a condition that is true or false and never unknown, as long as `leaf` gives such ones.
pub(super) fn condition<F>(filter: &Filter<F>, leaf: &dyn Fn(&F, &Test) -> Sql) -> Sql {
    match filter {
        Filter::All(parts) => Sql::joined(parts.iter().map(|part| condition(part, leaf)), " AND ").within("(", ")"),
        Filter::Any(parts) => Sql::joined(parts.iter().map(|part| condition(part, leaf)), " OR ").within("(", ")"),
        Filter::Not(inner) => condition(inner, leaf).within("NOT (", ")"),
        Filter::Test(field, test) => leaf(field, test),
    }
}

/// A test on a column that is true or false: false for a value that is not there, but for `!=`.
pub(super) fn test(column: &str, test: &Test, bind: &dyn Fn(&Given) -> Value) -> Sql {
    match test {
        Test::Has => Sql::new(format!("{column} IS NOT NULL"), []),
        Test::Is(Comparison::NotEqual, value) => Sql::new(format!("{column} IS NOT ?"), [bind(value)]),
        _ => plain(column, test, bind).within("((", ") IS TRUE)"),
    }
}

/// As [`test()`], for a column that is never without a value, or where unknown is as good as false; an index is used for
/// it. `!=` is not of that kind.
pub(super) fn plain(column: &str, test: &Test, bind: &dyn Fn(&Given) -> Value) -> Sql {
    match test {
        Test::Has => Sql::new(format!("{column} IS NOT NULL"), []),
        Test::Is(comparison, value) => Sql::new(format!("{column} {} ?", sign(*comparison)), [bind(value)]),
        Test::In(values) => {
            let marks = vec!["?"; values.len()].join(", ");
            Sql::new(format!("{column} IN ({marks})"), values.iter().map(bind))
        }
        Test::StartsWith(prefix) => {
            let from = Sql::new(format!("{column} >= ?"), [Value::from(prefix.clone())]);
            match after_prefix(prefix) {
                Some(end) => from.then(Sql::new(format!(" AND {column} < ?"), [Value::from(end)])),
                None => from,
            }
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// Tests for the values that an ordered test does not take: together with it they take every value, and none twice.
pub(super) fn outside(test: &Test) -> Vec<Test> {
    let is = |comparison, value: &Given| Test::Is(comparison, value.clone());
    match test {
        Test::Has => Vec::new(),
        Test::Is(Comparison::Equal, value) => {
            vec![is(Comparison::Less, value), is(Comparison::Greater, value)]
        }
        Test::Is(Comparison::NotEqual, value) => vec![is(Comparison::Equal, value)],
        Test::Is(Comparison::Less, value) => vec![is(Comparison::GreaterOrEqual, value)],
        Test::Is(Comparison::LessOrEqual, value) => vec![is(Comparison::Greater, value)],
        Test::Is(Comparison::Greater, value) => vec![is(Comparison::LessOrEqual, value)],
        Test::Is(Comparison::GreaterOrEqual, value) => vec![is(Comparison::Less, value)],
        // Its values are few, and are counted one by one.
        Test::In(_) => Vec::new(),
        Test::StartsWith(prefix) => {
            let mut around = vec![Test::Is(Comparison::Less, Given::Text(prefix.clone()))];
            around.extend(after_prefix(prefix).map(|end| Test::Is(Comparison::GreaterOrEqual, Given::Text(end))));
            around
        }
    }
}

/// The first text in the order of octets that is behind all with this prefix; none if there is no such text.
pub(super) fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // No text has a character from the gap of the surrogates.
        let next =
            if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last).saturating_add(1)) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// A value as it is kept in a column of its own type.
pub(super) fn as_is(value: &Given) -> Value {
    match value {
        Given::Text(text) => Value::from(text.clone()),
        Given::Number(number) => Value::from(*number),
        Given::Boolean(truth) => Value::from(i64::from(*truth)),
        Given::Time(time) => Value::from(time.0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn texts_with_a_prefix_are_those_before_the_text_after_it() {
        for (prefix, after) in [("a", Some("b")), ("2.", Some("2/")), ("z\u{10ffff}", Some("{")), ("", None)] {
            assert_eq!(after_prefix(prefix).as_deref(), after, "{prefix:?}");
        }
        assert_eq!(after_prefix("\u{10ffff}\u{10ffff}"), None);
        let end = after_prefix("x\u{d7ff}").unwrap();
        assert!("x\u{d7ff}\u{10ffff}" < end.as_str() && end == "x\u{e000}");
    }
}
