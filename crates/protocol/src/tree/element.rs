//! Documents of the DM DDF grammar, in XML or WBXML, as bounded trees of elements.
//!
//! Elements of other namespaces and of names that the grammar does not have (`MSFT:` and the like) are passed over.

use crate::limits::{LimitExceeded, Limits};
use crate::syncml::Text;
use crate::wbxml::tags::{self, DDF_PAGE};
use crate::wbxml::{Reader, Token, WbxmlError};
use crate::xml::{Event, PullReader, XmlError, document_text};

/// How much one document may hold. A node takes some eight elements.
pub const DOCUMENT: Limits = Limits {
    document_bytes_max: 24 << 20,
    depth_max: 80,
    elements_max: 300_000,
    attributes_max: 16,
    text_bytes_max: 2 << 20,
    string_table_bytes_max: 64 << 10,
    commands_max: 0,
    items_max: 0,
};

/// Why a document was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not XML that is taken.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not WBXML that is taken.
    #[error(transparent)]
    Wbxml(#[from] WbxmlError),
    /// A bound of [`Limits`].
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The root is another element.
    #[error("the document has no MgmtTree")]
    NotATree,
    /// An element that must be there is not.
    #[error("{inside} without {element}")]
    Missing {
        /// What is missing.
        element: &'static str,
        /// In which.
        inside: &'static str,
    },
    /// An element with something that it cannot hold.
    #[error("{element} has {what}")]
    Wrong {
        /// Which.
        element: &'static str,
        /// In words.
        what: Box<str>,
    },
}

/// An element of the grammar.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: Text,
    pub(super) children: Vec<Element>,
    /// What it holds besides elements.
    octets: Vec<u8>,
    /// Some of it came with its length in front, as octets do.
    pub(super) is_opaque: bool,
}

impl Element {
    /// Reads a document whose root is `MgmtTree`: WBXML if it begins like one, else XML.
    pub(super) fn read(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = if matches!(document.first(), Some(1..=3)) {
            read(&mut Binary { reader: Reader::new(document, limits)? }, limits)?
        } else {
            let text = document_text(document, limits)?;
            read(&mut Marked { reader: PullReader::new(&text, limits) }, limits)?
        };
        if root.name == "MgmtTree" { Ok(root) } else { Err(DocumentError::NotATree) }
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |it| it.name == name)
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The text; nothing where the octets are none. Blanks at its ends are taken away if it is on a line of its own: no
    /// name has a line break in it, but one may begin with a blank.
    pub(super) fn text(&self) -> &str {
        let text = std::str::from_utf8(&self.octets).unwrap_or_default();
        if text.contains('\n') { text.trim_ascii() } else { text }
    }

    /// The text of a child.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::text)
    }
}

enum Step<'a> {
    /// An element, by its name if the grammar has it.
    Open(Option<&'static str>),
    Octets(&'a [u8]),
    Opaque(&'a [u8]),
    Char(char),
    Close,
    End,
}

trait Source<'a> {
    fn next(&mut self) -> Result<Step<'a>, DocumentError>;
}

struct Binary<'a> {
    reader: Reader<'a>,
}

impl<'a> Source<'a> for Binary<'a> {
    fn next(&mut self) -> Result<Step<'a>, DocumentError> {
        Ok(match self.reader.next_token()? {
            Token::Open { page: DDF_PAGE, token } => Step::Open(tags::ddf_name(token)),
            Token::Open { .. } | Token::Literal(_) => Step::Open(None),
            Token::Text(text) => Step::Octets(text.as_bytes()),
            Token::Char(character) => Step::Char(character),
            Token::Opaque(octets) => Step::Opaque(octets),
            Token::Extension { token, at } => return Err(WbxmlError::Token { token, at }.into()),
            Token::Close => Step::Close,
            Token::End => Step::End,
        })
    }
}

struct Marked<'a> {
    reader: PullReader<'a>,
}

impl<'a> Source<'a> for Marked<'a> {
    fn next(&mut self) -> Result<Step<'a>, DocumentError> {
        Ok(match self.reader.next_event()? {
            Event::Open { name, .. } => {
                let is_known = matches!(self.reader.namespace_name(), "" | "syncml:dmddf1.2" | "syncml:dmddf");
                let known = tags::DDF.iter().copied().find(|it| *it == name);
                Step::Open(known.filter(|_| is_known))
            }
            Event::Text(text) => Step::Octets(text.as_bytes()),
            Event::Char(character) => Step::Char(character),
            Event::Close => Step::Close,
            Event::End => Step::End,
        })
    }
}

fn read<'a>(source: &mut impl Source<'a>, limits: &Limits) -> Result<Element, DocumentError> {
    let Step::Open(Some(name)) = source.next()? else { return Err(DocumentError::NotATree) };
    let root = element(source, name, limits)?;
    // What follows the root is refused by the source.
    source.next()?;
    Ok(root)
}

/// The element just opened. Depth and number are bounded by the source.
fn element<'a>(source: &mut impl Source<'a>, name: &str, limits: &Limits) -> Result<Element, DocumentError> {
    let mut element = Element { name: name.into(), children: Vec::new(), octets: Vec::new(), is_opaque: false };
    loop {
        let mut buffer = [0; 4];
        let piece = match source.next()? {
            Step::Open(Some(name)) => {
                element.children.push(self::element(source, name, limits)?);
                continue;
            }
            Step::Open(None) => {
                skip(source)?;
                continue;
            }
            Step::Octets(octets) => octets,
            Step::Opaque(octets) => {
                element.is_opaque = true;
                octets
            }
            Step::Char(character) => character.encode_utf8(&mut buffer).as_bytes(),
            Step::Close | Step::End => return Ok(element),
        };
        let length = element.octets.len() + piece.len();
        crate::limits::check("text_bytes_max", limits.text_bytes_max, length, 0)?;
        element.octets.extend_from_slice(piece);
    }
}

fn skip<'a>(source: &mut impl Source<'a>) -> Result<(), DocumentError> {
    let mut depth = 1_usize;
    while depth > 0 {
        match source.next()? {
            Step::Open(_) => depth += 1,
            Step::Close => depth -= 1,
            Step::End => break,
            Step::Octets(_) | Step::Opaque(_) | Step::Char(_) => {}
        }
    }
    Ok(())
}
