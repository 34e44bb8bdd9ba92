//! From words to an expression, by recursive descent with bounded depth.

use super::error::FilterError;
use super::kind::{Field, Kind};
use super::token::{Placed, Token, tokens};
use super::{Comparison, DEPTH_MAX, Filter, OCTETS_MAX, TERMS_MAX, Test, Value};
use crate::time::Timestamp;

/// What is written before the name of a further attribute in quotes.
const ATTRIBUTE: &str = "attribute.";

/// Reads a whole expression.
pub(super) fn parse<F: Field>(text: &str) -> Result<Filter<F>, FilterError> {
    if text.len() > OCTETS_MAX {
        let expected =
            format!("an expression of at most {OCTETS_MAX} octets is expected, and this one has {}", text.len());
        let at = text.char_indices().take_while(|(place, _)| *place < OCTETS_MAX).count().saturating_add(1);
        return Err(FilterError::new(at, expected, ""));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, terms: 0 };
    let filter = parser.any(0)?;
    match parser.peek().token {
        Token::End => Ok(filter),
        _ => Err(parser.unexpected("\"and\", \"or\" or the end is expected")),
    }
}

struct Parser {
    /// Ends with [`Token::End`].
    tokens: Vec<Placed>,
    next: usize,
    /// Tests read so far.
    terms: usize,
}

impl Parser {
    fn any<F: Field>(&mut self, depth: usize) -> Result<Filter<F>, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_keyword("or") {
            parts.push(self.all(depth)?);
        }
        Ok(Filter::any(parts))
    }

    fn all<F: Field>(&mut self, depth: usize) -> Result<Filter<F>, FilterError> {
        let mut parts = vec![self.factor(depth)?];
        while self.takes_keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(Filter::all(parts))
    }

    fn factor<F: Field>(&mut self, depth: usize) -> Result<Filter<F>, FilterError> {
        let is_not = self.takes_keyword("not");
        if !is_not && self.peek().token != Token::Open {
            return self.test();
        }
        if depth >= DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} parentheses and \"not\" inside each other are expected");
            return Err(self.unexpected(expected));
        }
        let inner = depth.saturating_add(1);
        if is_not {
            return Ok(Filter::Not(Box::new(self.factor(inner)?)));
        }
        self.take();
        let filter = self.any(inner)?;
        self.must(&Token::Close, "\"and\", \"or\" or ) is expected")?;
        Ok(filter)
    }

    fn test<F: Field>(&mut self) -> Result<Filter<F>, FilterError> {
        self.count_term()?;
        if let Some(is_has) = self.takes_call() {
            let field = self.field()?;
            self.must(&Token::Close, ") is expected")?;
            let has = Filter::Test(field, Test::Has);
            return Ok(if is_has { has } else { Filter::Not(Box::new(has)) });
        }
        let field: F = self.field()?;
        let kind = field.kind();
        if self.takes_keyword("in") {
            self.must(&Token::Open, "( and values are expected after \"in\"")?;
            let mut values = vec![self.value(kind)?];
            while self.peek().token == Token::Comma {
                self.take();
                self.count_term()?;
                values.push(self.value(kind)?);
            }
            self.must(&Token::Close, ", or ) is expected")?;
            return Ok(Filter::Test(field, Test::In(values)));
        }
        let at = self.peek().clone();
        if self.takes_keyword("startsWith") {
            if !kind.has_prefix() {
                return Err(no_prefix(&field, &at));
            }
            return match self.take() {
                Placed { token: Token::Quoted { text, .. } | Token::Bare(text), .. } => {
                    Ok(Filter::Test(field, Test::StartsWith(text)))
                }
                other => Err(FilterError::new(other.at, "a text is expected after \"startsWith\"", other.written)),
            };
        }
        let Token::Sign(comparison) = at.token else {
            return Err(self.unexpected("a comparison such as =, \"in\" or \"startsWith\" is expected"));
        };
        self.take();
        if comparison.needs_order() && !kind.has_order() {
            let expected = format!("{} has no order; =, != or \"in\" is expected", field.name());
            return Err(FilterError::new(at.at, expected, at.written));
        }
        self.compared(field, comparison)
    }

    fn compared<F: Field>(&mut self, field: F, comparison: Comparison) -> Result<Filter<F>, FilterError> {
        let here = self.peek().clone();
        let Token::Quoted { text, is_prefix: true } = here.token else {
            let value = self.value(field.kind())?;
            return Ok(Filter::Test(field, Test::Is(comparison, value)));
        };
        if comparison.needs_order() {
            return Err(FilterError::new(here.at, STAR_ONLY, here.written));
        }
        if !field.kind().has_prefix() {
            return Err(no_prefix(&field, &Placed { token: Token::End, ..here }));
        }
        self.take();
        let starts = Filter::Test(field, Test::StartsWith(text));
        Ok(if comparison == Comparison::Equal { starts } else { Filter::Not(Box::new(starts)) })
    }

    fn field<F: Field>(&mut self) -> Result<F, FilterError> {
        let Placed { token, at, written, .. } = self.take();
        let Token::Bare(mut name) = token else {
            return Err(FilterError::new(at, format!("a field is expected: {}", F::NAMES.join(", ")), written));
        };
        if name == ATTRIBUTE
            && self.peek().is_joined
            && let Token::Quoted { text, is_prefix: false } = self.peek().token.clone()
        {
            self.take();
            name.push_str(&text);
        }
        F::parse(&name).ok_or_else(|| {
            FilterError::new(at, format!("this is no field of the list; it has {}", F::NAMES.join(", ")), written)
        })
    }

    fn value(&mut self, kind: Kind) -> Result<Value, FilterError> {
        let Placed { token, at, written, .. } = self.take();
        let text = match token {
            Token::Quoted { is_prefix: true, .. } => return Err(FilterError::new(at, STAR_ONLY, written)),
            Token::Quoted { text, .. } | Token::Bare(text) => text,
            _ => return Err(FilterError::new(at, "a value is expected", written)),
        };
        let value = match kind {
            Kind::Text(reader) | Kind::Name(reader) => reader(&text).map(Value::Text),
            Kind::Set => Ok(Value::Text(text)),
            Kind::Word(words) => match words().into_iter().find(|word| *word == text) {
                Some(word) => Ok(Value::Text(word.to_owned())),
                None => Err(format!("one of {} is expected", words().join(", "))),
            },
            Kind::Number => text.parse().map(Value::Number).map_err(|_| "a whole number is expected".to_owned()),
            Kind::Boolean => text.parse().map(Value::Boolean).map_err(|_| "true or false is expected".to_owned()),
            Kind::Time => Timestamp::parse(&text)
                .map(Value::Time)
                .map_err(|_| "a date and time such as 2026-11-21T08:00:00Z is expected".to_owned()),
        };
        value.map_err(|expected| FilterError::new(at, expected, written))
    }

    /// `has(` or `absent(`: true for the first. A field could have that name too, so the parenthesis decides.
    fn takes_call(&mut self) -> Option<bool> {
        let Token::Bare(word) = &self.peek().token else { return None };
        let is_has = word.eq_ignore_ascii_case("has");
        if !is_has && !word.eq_ignore_ascii_case("absent") {
            return None;
        }
        let follows = self.tokens.get(self.next.saturating_add(1));
        if follows.is_none_or(|placed| placed.token != Token::Open) {
            return None;
        }
        self.take();
        self.take();
        Some(is_has)
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is_there = matches!(&self.peek().token, Token::Bare(word) if word.eq_ignore_ascii_case(keyword));
        if is_there {
            self.take();
        }
        is_there
    }

    fn count_term(&mut self) -> Result<(), FilterError> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > TERMS_MAX {
            return Err(self.unexpected(format!("at most {TERMS_MAX} tests and values are expected")));
        }
        Ok(())
    }

    fn must(&mut self, token: &Token, expected: &str) -> Result<(), FilterError> {
        if self.peek().token != *token {
            return Err(self.unexpected(expected));
        }
        self.take();
        Ok(())
    }

    fn unexpected(&self, expected: impl Into<String>) -> FilterError {
        let Placed { at, written, .. } = self.peek();
        FilterError::new(*at, expected, written.clone())
    }

    fn peek(&self) -> &Placed {
        const END: &Placed = &Placed { token: Token::End, at: 0, written: String::new(), is_joined: false };
        self.tokens.get(self.next).or(self.tokens.last()).unwrap_or(END)
    }

    /// The next word, which is [`Token::End`] for ever at the end.
    fn take(&mut self) -> Placed {
        let placed = self.peek().clone();
        self.next = self.next.saturating_add(1);
        placed
    }
}

const STAR_ONLY: &str = "an asterisk at the end of a text is for = and !=; elsewhere write \\*";

fn no_prefix<F: Field>(field: &F, placed: &Placed) -> FilterError {
    let expected = format!("{} is compared as a whole and takes no prefix; = or \"in\" is expected", field.name());
    FilterError::new(placed.at, expected, placed.written.clone())
}
