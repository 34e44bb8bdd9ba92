//! Licence expressions: whether what a package offers can be taken under what we allow.
//!
//! Source: SPDX specification, annex "SPDX licence expressions"; cargo's older `/` for `OR`.

use std::collections::BTreeSet;

/// Deepest nesting of parentheses that is followed.
const DEPTH_MAX: usize = 16;

/// Whether `expression` can be met with licences from `allowed` alone: of an `OR` one side is
/// enough, of an `AND` both are needed, `A WITH B` must be allowed in exactly these words.
///
/// # Errors
/// A text saying what could not be read.
pub(crate) fn is_met(expression: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let tokens = tokens(expression);
    let mut parser = Parser { tokens: &tokens, at: 0, allowed };
    let met = parser.any(0)?;
    match parser.peek() {
        None => Ok(met),
        Some(token) => Err(format!("{token:?} not expected in licence {expression:?}")),
    }
}

fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

struct Parser<'a> {
    tokens: &'a [String],
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Parser<'_> {
    /// `all (OR all)*`
    fn any(&mut self, depth: usize) -> Result<bool, String> {
        let mut met = self.all(depth)?;
        while self.takes("OR") {
            met |= self.all(depth)?;
        }
        Ok(met)
    }

    /// `one (AND one)*`
    fn all(&mut self, depth: usize) -> Result<bool, String> {
        let mut met = self.one(depth)?;
        while self.takes("AND") {
            met &= self.one(depth)?;
        }
        Ok(met)
    }

    /// `( any )`, or a licence with or without an exception.
    fn one(&mut self, depth: usize) -> Result<bool, String> {
        if self.takes("(") {
            if depth == DEPTH_MAX {
                return Err(format!("more than {DEPTH_MAX} parentheses deep"));
            }
            let met = self.any(depth + 1)?;
            return if self.takes(")") { Ok(met) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let mut licence = self.name()?;
        if self.takes("WITH") {
            licence = format!("{licence} WITH {}", self.name()?);
        }
        Ok(self.allowed.contains(&licence))
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            None => Err("the expression ends where a licence was expected".to_owned()),
            Some(word) if is_operator(word) => Err(format!("{word:?} stands where a licence was expected")),
            Some(word) => {
                let word = word.to_owned();
                self.at += 1;
                Ok(word)
            }
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next == word || next == word.to_lowercase());
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }
}

fn is_operator(word: &str) -> bool {
    matches!(word, "OR" | "AND" | "WITH" | "or" | "and" | "with" | "(" | ")")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn met(expression: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
        is_met(expression, &allowed.map(str::to_owned).into()).unwrap()
    }

    #[test]
    fn one_allowed_side_of_or_is_enough() {
        assert!(met("GPL-3.0-only OR MIT"));
        assert!(met("MIT/GPL-3.0-only"));
        assert!(!met("GPL-3.0-only OR AGPL-3.0-only"));
    }

    #[test]
    fn both_sides_of_and_are_needed() {
        assert!(met("MIT AND ISC"));
        assert!(!met("MIT AND OpenSSL"));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert!(met("MIT OR GPL-2.0-only AND GPL-3.0-only"));
        assert!(!met("(MIT OR GPL-2.0-only) AND GPL-3.0-only"));
    }

    #[test]
    fn parentheses_are_followed() {
        assert!(met("ISC AND (Apache-2.0 OR OpenSSL) AND (MIT OR (GPL-2.0-only AND OpenSSL))"));
    }

    #[test]
    fn exception_counts_only_with_its_licence() {
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("MIT WITH LLVM-exception"));
        assert!(!met("GPL-2.0-only WITH Classpath-exception-2.0"));
    }

    #[test]
    fn a_longer_name_is_another_licence() {
        assert!(!met("MIT-0"));
        assert!(!met("Apache-2.0+"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_a_licence() {
        let allowed = ["MIT".to_owned()].into();
        for bad in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT MIT", "MIT WITH", &"(".repeat(99)] {
            assert!(is_met(bad, &allowed).is_err(), "{bad:?} was read");
        }
    }
}
