use muster_protocol::syncml::Text;

use super::{Refusal, VALUE_BYTES_MAX};

/// A set of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u8);

impl Access {
    /// No command.
    pub const NONE: Self = Self(0);
    /// Add below the node.
    pub const ADD: Self = Self(1);
    /// Delete the node.
    pub const DELETE: Self = Self(2);
    /// Exec the node.
    pub const EXEC: Self = Self(4);
    /// Get the node.
    pub const GET: Self = Self(8);
    /// Replace its value.
    pub const REPLACE: Self = Self(16);
    /// All but Exec: what a node made by a server has.
    pub const DYNAMIC: Self = Self(1 | 2 | 8 | 16);
    /// Every command.
    pub const ALL: Self = Self(31);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What the node's `AccessType` allows; anything else is answered 405.
    pub access: Access,
    /// What the access control list grants the server; anything else is answered 425.
    pub rights: Access,
    /// Built in: cannot be deleted.
    pub permanent: bool,
    /// What it holds.
    pub content: Content,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Other nodes.
    Interior {
        /// Identifier of the management object rooted here.
        object: Option<Text>,
    },
    /// A value.
    Leaf(Leaf),
}

/// A value with its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// `Format` property: `chr`, `int`, `bin` and so on; never `b64`, which is only how `bin` travels in XML.
    pub format: Text,
    /// `Type` property: a MIME type; nothing means `text/plain`.
    pub mime: Option<Text>,
    /// Octets, decoded from base64.
    pub value: Vec<u8>,
}

impl Leaf {
    /// A text.
    #[must_use]
    pub fn text(value: &str) -> Self {
        Self::of("chr", value)
    }

    /// A value of any format that is written as text.
    #[must_use]
    pub fn of(format: &str, value: &str) -> Self {
        Self { format: format.into(), mime: None, value: value.as_bytes().to_vec() }
    }
}

impl Content {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Leaf(leaf) if leaf.value.len() > VALUE_BYTES_MAX => Err(Refusal::TooLarge),
            Self::Leaf(_) | Self::Interior { .. } => Ok(()),
        }
    }
}

impl Node {
    /// An interior node as a server makes it: dynamic, everything but Exec allowed.
    #[must_use]
    pub fn interior() -> Self {
        Self {
            access: Access::DYNAMIC,
            rights: Access::ALL,
            permanent: false,
            content: Content::Interior { object: None },
        }
    }

    /// A built-in interior node that can be read, the root of a management object if `object` is its identifier.
    #[must_use]
    pub fn object(object: Option<&str>) -> Self {
        Self {
            access: Access::GET,
            permanent: true,
            content: Content::Interior { object: object.map(Text::from) },
            ..Self::interior()
        }
    }

    /// A built-in leaf.
    #[must_use]
    pub fn leaf(access: Access, leaf: Leaf) -> Self {
        Self { access, permanent: true, content: Content::Leaf(leaf), ..Self::interior() }
    }

    /// The same node, to Exec as well.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.access = self.access.and(Access::EXEC);
        self
    }

    pub(super) fn allows(&self, command: Access) -> Result<(), Refusal> {
        if !self.access.contains(command) {
            Err(Refusal::NotAllowed)
        } else if !self.rights.contains(command) {
            Err(Refusal::PermissionDenied)
        } else {
            Ok(())
        }
    }
}
