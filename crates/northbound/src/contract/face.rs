//! What the tables need of a message format, so that one table serves SOAP and REST: reading goes through [`Source`],
//! writing through [`Sink`].

pub(crate) mod json;
mod xml;

use muster_broker::fault::Fault;

use super::record::Path;

/// A simple value as a message brings it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'s> {
    /// Text in which a value of any type may stand: that of an XML element, of an address or of a header.
    Lexical(&'s str),
    /// A string of JSON.
    Text(&'s str),
    /// A whole number.
    Number(i64),
    /// A boolean.
    Boolean(bool),
}

/// A value of a message, read by table.
pub trait Source: Sized {
    /// The value, if it is a simple one.
    ///
    /// # Errors
    /// What stands here instead of a simple value, for people.
    fn scalar(&self) -> Result<Scalar<'_>, &'static str>;

    /// Gives `take` each member of a record in the order of the message.
    ///
    /// # Errors
    /// `InvalidArgument` if this is no record; what `take` says.
    fn members<'s>(
        &'s self,
        path: &Path<'_>,
        take: impl FnMut(Member<'s, Self>) -> Result<(), Fault>,
    ) -> Result<(), Fault>;

    /// The entries, if a list is one value in this format; nothing where each entry is a member of its own.
    ///
    /// # Errors
    /// What stands here instead of a list.
    fn entries(&self) -> Result<Option<&[Self]>, &'static str>;

    /// What stands here, for a fault. Long text is cut there.
    fn quoted(&self) -> String;
}

/// A member of a record.
#[derive(Debug)]
pub struct Member<'s, S> {
    /// Name.
    pub name: &'s str,
    /// Whether the name is of the contract's vocabulary.
    pub is_ours: bool,
    /// Whether the message says that it counts as left out.
    pub is_left_out: bool,
    /// Value.
    pub value: &'s S,
}

/// Where a value is written.
#[derive(Clone, Copy, Debug)]
pub struct At<'n> {
    /// Name of the field.
    pub name: &'n str,
    /// Whether it is an entry of a list that was begun under this name.
    pub is_entry: bool,
}

impl<'n> At<'n> {
    /// A field that is no list.
    #[must_use]
    pub const fn field(name: &'n str) -> Self {
        Self { name, is_entry: false }
    }

    /// An entry of a list.
    #[must_use]
    pub const fn entry(name: &'n str) -> Self {
        Self { name, is_entry: true }
    }
}

/// Takes values in the order of the tables.
pub trait Sink {
    /// Text.
    fn text(&mut self, at: At<'_>, text: &str);
    /// A whole number.
    fn number(&mut self, at: At<'_>, number: i64);
    /// A boolean.
    fn boolean(&mut self, at: At<'_>, is_so: bool);
    /// Begins a record.
    fn begin(&mut self, at: At<'_>);
    /// Ends a record.
    fn end(&mut self, at: At<'_>);
    /// Begins a list.
    fn begin_list(&mut self, name: &str);
    /// Ends a list.
    fn end_list(&mut self);
}
