//! What the tables say, as data: for clients, documentation and tests.

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub struct OperationDescriptor {
    /// Name, for example `doOperation`.
    pub name: &'static str,
    /// Another spelling of the name that is taken, and answered in kind.
    pub alias: Option<&'static str>,
    /// Port type, for example `IDeploymentBrokerServices`.
    pub port_type: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Rights that the caller needs, `object` and `operation`.
    pub rights: &'static [(&'static str, &'static str)],
    /// Parameters, in order.
    pub fields: &'static [FieldDescriptor],
    /// The one child of the answer, where there is one.
    pub result: Option<FieldDescriptor>,
}

impl OperationDescriptor {
    /// `SOAPAction` of the request.
    #[must_use]
    pub fn action(&self) -> String {
        format!("{}:{}:{}", super::NAMESPACE, self.port_type, self.name)
    }
}

/// A record type.
#[derive(Debug, PartialEq, Eq)]
pub struct TypeDescriptor {
    /// Name, for example `TaskData`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Fields, in order.
    pub fields: &'static [FieldDescriptor],
}

/// A parameter, result or field.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldDescriptor {
    /// Element name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// How often.
    pub cardinality: Cardinality,
    /// Meaning.
    pub about: &'static str,
}

/// How often an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Once.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Many,
    /// Once or more.
    Some,
}

impl Cardinality {
    /// Whether it may stand more than once.
    #[must_use]
    pub fn repeats(self) -> bool {
        matches!(self, Self::Many | Self::Some)
    }

    /// Whether it must stand at least once.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(self, Self::One | Self::Some)
    }
}

/// Type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A type of XML Schema, for example `xs:dateTime`.
    BuiltIn(&'static str),
    /// A simple type of the contract.
    Named(&'static NamedType),
    /// A record of the contract.
    Record(&'static TypeDescriptor),
}

impl Kind {
    /// The name of the type as the schema writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn(name) => name,
            Self::Named(named) => named.name,
            Self::Record(record) => record.name,
        }
    }
}

/// A simple type of the contract.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedType {
    /// Name, for example `TaskStatus`.
    pub name: &'static str,
    /// Built-in type it is made from.
    pub base: &'static str,
    /// Values allowed; empty where any value of a pattern is.
    pub values: &'static [&'static str],
}

/// Whether a record is a list of the contract: entries, how many there are, and perhaps what leads on.
pub(crate) fn is_page(record: &TypeDescriptor) -> bool {
    record.fields.iter().any(|field| field.name == "totalCount")
}
