//! Where in a document a fault is. The document is walked a second time for it, so good documents pay nothing.

use std::borrow::Cow;

use super::source::{Source, Token};
use super::{DecodeError, DecodeFault};

/// Characters of one name in a path; the rest is cut off. The longest name of SyncML has 15.
const NAME_CHARS_MAX: usize = 32;

impl DecodeError {
    /// A fault of what precedes the root.
    pub(super) fn before_root(fault: DecodeFault) -> Self {
        Self { at: fault.at().unwrap_or_default(), fault, path: String::new() }
    }

    /// A fault that made a decoder stop when its source had read `stopped_at` octets. `again` is the same source at its
    /// start.
    pub(super) fn located<'a>(fault: DecodeFault, again: Option<&mut impl Source<'a>>, stopped_at: usize) -> Self {
        let path = again.map(|source| path(&fault, source, stopped_at)).unwrap_or_default();
        Self { at: fault.at().unwrap_or(stopped_at), fault, path }
    }

    /// The error with its octets counted from the start of `document` and no longer from that of `text`, which was made
    /// of the end of it. `octets` tells of how many octets a part of the text was made.
    pub(super) fn in_document(self, document: &[u8], text: &str, octets: fn(&str) -> usize) -> Self {
        let to = |at: usize| document.len().saturating_sub(text.get(at..).map_or(0, octets));
        Self { at: to(self.at), fault: self.fault.moved(to), path: self.path }
    }
}

/// The elements open where the reader failed again, or had read `stopped_at` octets when the decoder was content no
/// more. An element whose end is the last thing read then counts as open: its content was at fault.
fn path<'a>(fault: &DecodeFault, source: &mut impl Source<'a>, stopped_at: usize) -> String {
    let of_reader = matches!(fault, DecodeFault::Xml(_) | DecodeFault::Wbxml(_));
    let mut open: Vec<Cow<'a, str>> = Vec::new();
    let mut closed = None;
    while let Ok(token) = source.next() {
        let stopped = if of_reader { source.at() > stopped_at } else { source.at() >= stopped_at };
        match token {
            Token::Open(_) | Token::Other if of_reader && stopped => {}
            Token::Open(_) | Token::Other => open.push(source.label()),
            Token::Close if !stopped => closed = open.pop(),
            Token::End => open.extend(closed.take()),
            Token::Close | Token::Text(_) | Token::Char(_) | Token::Opaque(_) | Token::Extension(..) => {}
        }
        if stopped || token == Token::End {
            break;
        }
    }
    let mut path = String::new();
    for name in open {
        if !path.is_empty() {
            path.push('/');
        }
        path.extend(name.chars().take(NAME_CHARS_MAX).map(harmless));
    }
    path
}

/// Names come from the sender and go into logs.
fn harmless(character: char) -> char {
    if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':') { character } else { '?' }
}
