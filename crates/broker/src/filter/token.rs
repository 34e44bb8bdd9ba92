//! The words of an expression.

use super::Comparison;
use super::error::FilterError;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Sign(Comparison),
    /// A text in quotes; `is_prefix` if it ended in an asterisk, which is not part of the text.
    Quoted {
        text: String,
        is_prefix: bool,
    },
    /// A keyword, a field, or a value without quotes.
    Bare(String),
    End,
}

/// A word with where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    /// Place of its first character, from 1.
    pub(super) at: usize,
    /// As it was written.
    pub(super) written: String,
    /// Whether it follows the one before without a space.
    pub(super) is_joined: bool,
}

/// Whether a character may stand in a word without quotes.
pub(super) fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '+' | '/' | '@')
}

/// Splits an expression into words; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FilterError> {
    let mut rest = Rest { chars: text.chars().peekable(), at: 1 };
    let mut found = Vec::new();
    loop {
        let is_joined = !rest.skip_space();
        let at = rest.at;
        let (token, written) = match rest.next() {
            None => (Token::End, String::new()),
            Some('(') => (Token::Open, "(".to_owned()),
            Some(')') => (Token::Close, ")".to_owned()),
            Some(',') => (Token::Comma, ",".to_owned()),
            Some(quote @ ('"' | '\'')) => rest.quoted(quote, at)?,
            Some(first @ ('=' | '!' | '<' | '>')) => rest.sign(first, at)?,
            Some(first) if is_bare(first) => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(is_bare) {
                    word.push(next);
                }
                (Token::Bare(word.clone()), word)
            }
            Some(other) => {
                let expected =
                    "a name, a comparison, a parenthesis or a value is expected; put other characters in quotes";
                return Err(FilterError::new(at, expected, other));
            }
        };
        let is_end = token == Token::End;
        found.push(Placed { token, at, written, is_joined });
        if is_end {
            return Ok(found);
        }
    }
}

struct Rest<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    /// Place of the next character, from 1.
    at: usize,
}

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.next_if(|_| true)
    }

    fn next_if(&mut self, wanted: impl FnOnce(char) -> bool) -> Option<char> {
        let next = self.chars.next_if(|c| wanted(*c))?;
        self.at = self.at.saturating_add(1);
        Some(next)
    }

    /// True if there was any.
    fn skip_space(&mut self) -> bool {
        let before = self.at;
        while self.next_if(char::is_whitespace).is_some() {}
        self.at != before
    }

    fn sign(&mut self, first: char, at: usize) -> Result<(Token, String), FilterError> {
        let mut sign = String::from(first);
        sign.extend(self.next_if(|c| c == '='));
        match Comparison::SIGNS.iter().find(|(known, _)| *known == sign) {
            Some((_, comparison)) => Ok((Token::Sign(*comparison), sign)),
            None => Err(FilterError::new(at, "one of =, !=, <, <=, > and >= is expected", sign)),
        }
    }

    /// The text up to the closing quote. A backslash takes the next character as it is.
    fn quoted(&mut self, quote: char, at: usize) -> Result<(Token, String), FilterError> {
        let mut written = String::from(quote);
        let mut text = String::new();
        let mut star_at = None;
        loop {
            let here = self.at;
            let Some(next) = self.next() else {
                return Err(FilterError::new(
                    here,
                    format!("the closing {quote} of the text that begins at character {at} is expected"),
                    "",
                ));
            };
            written.push(next);
            if let Some(star_at) = star_at.filter(|_| next != quote) {
                let expected = "an asterisk stands at the end of a text, or is written \\*";
                return Err(FilterError::new(star_at, expected, "*"));
            }
            match next {
                '\\' => match self.next_if(|c| matches!(c, '\\' | '"' | '\'' | '*')) {
                    Some(escaped) => {
                        written.push(escaped);
                        text.push(escaped);
                    }
                    None => {
                        let expected = "after \\ only \\, \", ' and * are expected";
                        return Err(FilterError::new(here, expected, "\\"));
                    }
                },
                '*' => star_at = Some(here),
                _ if next == quote => return Ok((Token::Quoted { text, is_prefix: star_at.is_some() }, written)),
                _ => text.push(next),
            }
        }
    }
}
