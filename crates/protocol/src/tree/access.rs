/// A set of commands: what a node's `AccessType` allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access(u8);

/// Each command with its name, in the order in which documents have them.
pub(super) const COMMANDS: [(Access, &str); 6] = [
    (Access::ADD, "Add"),
    (Access::COPY, "Copy"),
    (Access::DELETE, "Delete"),
    (Access::EXEC, "Exec"),
    (Access::GET, "Get"),
    (Access::REPLACE, "Replace"),
];

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
    /// Copy the node.
    pub const COPY: Self = Self(32);
    /// All but Exec: what a node made by a server has.
    pub const DYNAMIC: Self = Self(1 | 2 | 8 | 16 | 32);
    /// Every command.
    pub const ALL: Self = Self(63);

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

    /// The command with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|(_, known)| *known == name).map(|(command, _)| *command)
    }

    /// Names of the commands in here.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        COMMANDS.iter().filter(move |(command, _)| self.contains(*command)).map(|(_, name)| *name)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
