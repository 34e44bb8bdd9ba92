//! From an expression to its text, which reads as the same expression.

use std::fmt::{self, Formatter, Write as _};

use super::kind::{Field, Kind};
use super::token::is_bare;
use super::{Comparison, Filter, Test, Value};

/// What binds less than the place where a part stands is put in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Any,
    All,
    Factor,
}

pub(super) fn filter<F: Field>(filter: &Filter<F>, f: &mut Formatter<'_>) -> fmt::Result {
    part(filter, Binding::Any, f)
}

fn part<F: Field>(filter: &Filter<F>, place: Binding, f: &mut Formatter<'_>) -> fmt::Result {
    let own = match filter {
        Filter::Any(_) => Binding::Any,
        Filter::All(_) => Binding::All,
        Filter::Not(_) | Filter::Test(..) => Binding::Factor,
    };
    if own < place {
        f.write_char('(')?;
    }
    match filter {
        Filter::Any(parts) => joined(parts, " or ", Binding::All, f)?,
        Filter::All(parts) => joined(parts, " and ", Binding::Factor, f)?,
        Filter::Not(inner) => {
            f.write_str("not ")?;
            part(inner, Binding::Factor, f)?;
        }
        Filter::Test(field, test) => write_test(field, test, f)?,
    }
    if own < place {
        f.write_char(')')?;
    }
    Ok(())
}

fn joined<F: Field>(parts: &[Filter<F>], by: &str, place: Binding, f: &mut Formatter<'_>) -> fmt::Result {
    for (number, inner) in parts.iter().enumerate() {
        if number > 0 {
            f.write_str(by)?;
        }
        part(inner, place, f)?;
    }
    Ok(())
}

fn write_test<F: Field>(field: &F, test: &Test, f: &mut Formatter<'_>) -> fmt::Result {
    if *test == Test::Has {
        f.write_str("has(")?;
        name(field, f)?;
        return f.write_char(')');
    }
    name(field, f)?;
    match test {
        Test::Has => Ok(()),
        Test::Is(comparison, given) => {
            write!(f, " {} ", sign(*comparison))?;
            value(field.kind(), given, f)
        }
        Test::In(values) => {
            f.write_str(" in (")?;
            for (number, given) in values.iter().enumerate() {
                if number > 0 {
                    f.write_str(", ")?;
                }
                value(field.kind(), given, f)?;
            }
            f.write_char(')')
        }
        Test::StartsWith(text) => {
            f.write_str(" startsWith ")?;
            quoted(text, f)
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    Comparison::SIGNS.iter().find(|(_, known)| *known == comparison).map_or("=", |(sign, _)| *sign)
}

fn name<F: Field>(field: &F, f: &mut Formatter<'_>) -> fmt::Result {
    let name = field.name();
    match name.split_once('.') {
        Some((before, rest)) if !rest.chars().all(is_bare) => {
            write!(f, "{before}.")?;
            quoted(rest, f)
        }
        _ => f.write_str(&name),
    }
}

fn value(kind: Kind, value: &Value, f: &mut Formatter<'_>) -> fmt::Result {
    match (value, kind) {
        (Value::Text(text), Kind::Word(_)) => f.write_str(text),
        (Value::Text(text), _) => quoted(text, f),
        (Value::Number(number), _) => write!(f, "{number}"),
        (Value::Boolean(truth), _) => write!(f, "{truth}"),
        (Value::Time(time), _) => write!(f, "{time}"),
    }
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '*') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
