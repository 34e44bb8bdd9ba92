//! The management tree: addresses, nodes and their properties, access control, and the documents that describe trees.
//!
//! [`LocUri`] is the one constructor of addresses. [`Tree`] holds nodes and carries out what a server asks for, within
//! the rights that access control lists give it; a device and the server's picture of a device are both one.
//! [`tnds`] reads and writes trees as documents, [`Difference`] compares two of them, and [`ddf`] says what the nodes
//! of known management objects mean. Time and the acting server are arguments.
//!
//! Source: OMA DM 1.2 Tree and Description; OMA DM 1.2 Tree and Description Serialization.

mod access;
mod acl;
mod change;
pub mod ddf;
mod difference;
mod element;
mod format;
mod journal;
mod limits;
mod list;
mod node;
mod object;
mod percent;
mod property;
mod refusal;
mod time;
pub mod tnds;
mod uri;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use acl::{ACL_BYTES_MAX, Acl, AclError, Grant, SERVER_ID_BYTES_MAX, ServerId};
pub use change::Replacement;
pub use difference::{Aspect, Change, Difference};
pub use format::Format;
pub use journal::Mark;
pub use limits::TreeLimits;
pub use list::Listed;
pub use node::{Content, Leaf, Node};
pub use percent::{decode as percent_decoded, encode as percent_encoded};
pub use property::{Part, Parts, Property};
pub use refusal::Refusal;
pub use time::TStamp;
pub use uri::{List, LocUri, Query, UriError, UriLimits};

/// Who acts on a tree, and when.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The server, by the identifier that access control lists call it.
    pub server: &'a ServerId,
    /// What `TStamp` becomes on nodes that change; without a time, nodes keep the stamp they have.
    pub now: Option<TStamp>,
}

/// A tree. There is always a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: Node,
    limits: TreeLimits,
    /// Properties that this device has; others are answered 406.
    supported: Parts,
    // Invariant: the number of nodes below `root`, and the octets of their values.
    nodes: usize,
    value_bytes: usize,
    journal: journal::Journal,
}
