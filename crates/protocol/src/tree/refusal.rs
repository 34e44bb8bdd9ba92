use super::{LocUri, UriError};
use crate::syncml::StatusCode;

/// Why a command on a node was not carried out. [`Refusal::status`] is what a device answers.
///
/// Source: OMA DM 1.2 Representation Protocol usage, statuses of Add, Copy, Delete, Exec, Get and Replace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not the address of any node.
    #[error("the address {0}")]
    Uri(#[from] UriError),
    /// No such node.
    #[error("no such node")]
    NotFound,
    /// The node's kind or `AccessType` does not allow the command, or the property cannot be changed.
    #[error("the node does not allow this command")]
    NotAllowed,
    /// Add of a node that exists, or a new name that a sibling has.
    #[error("the node exists")]
    AlreadyExists,
    /// The access control list gives the server no such right.
    #[error("the server has no right to do this")]
    PermissionDenied,
    /// A property that this tree does not have.
    #[error("the property is not supported")]
    NotSupported,
    /// A format that there is none of, or that the node does not take; a value that its format cannot hold; a document
    /// of a type that is not taken.
    #[error("the format or type of the value is not supported")]
    UnsupportedFormat,
    /// A value above the limit.
    #[error("the value is larger than {max} octets")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// No room for more nodes or more octets.
    #[error("the tree is full")]
    Full,
    /// A value that is no value of the property, or a document that cannot be read.
    #[error("the value cannot be understood: {0}")]
    Malformed(Box<str>),
    /// An interior node on the way to the new one could not be made.
    #[error("{node}, which would have to be made first: {why}")]
    Ancestor {
        /// The first that failed.
        node: LocUri,
        /// Why.
        why: Box<Refusal>,
    },
    /// One node of a whole sub-tree could not be made, changed or removed.
    #[error("{node}: {why}")]
    Member {
        /// Which.
        node: LocUri,
        /// Why.
        why: Box<Refusal>,
    },
}

impl Refusal {
    /// The status a device answers.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Uri(error) => error.status(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::NOT_ALLOWED,
            Self::AlreadyExists => StatusCode::ALREADY_EXISTS,
            Self::PermissionDenied => StatusCode::PERMISSION_DENIED,
            Self::NotSupported => StatusCode::NOT_SUPPORTED,
            Self::UnsupportedFormat => StatusCode::UNSUPPORTED_FORMAT,
            Self::TooLarge { .. } => StatusCode::TOO_LARGE,
            Self::Full => StatusCode::DEVICE_FULL,
            Self::Malformed(_) => StatusCode::COMMAND_FAILED,
            Self::Ancestor { why, .. } | Self::Member { why, .. } => why.status(),
        }
    }

    /// The node that failed, where that is another than the one addressed: a Status carries it in an Item.
    #[must_use]
    pub fn node(&self) -> Option<&LocUri> {
        match self {
            Self::Ancestor { node, .. } | Self::Member { node, .. } => Some(node),
            _ => None,
        }
    }

    pub(super) fn of_member(self, node: LocUri) -> Self {
        match self {
            Self::Member { .. } => self,
            why => Self::Member { node, why: Box::new(why) },
        }
    }
}
