//! Access control lists.
//!
//! Source: OMA DM 1.2 Tree and Description, "ACL".

use std::fmt;
use std::str::FromStr;

use super::access::{Access, COMMANDS};
use crate::syncml::Text;

/// Octets of an access control list; longer ones are refused before anything is read.
pub const ACL_BYTES_MAX: usize = 8 << 10;
/// Octets of a Server Identifier.
pub const SERVER_ID_BYTES_MAX: usize = 255;

/// Why a text is no access control list or no Server Identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// Above [`ACL_BYTES_MAX`].
    #[error("an access control list has at most {ACL_BYTES_MAX} octets")]
    TooLong,
    /// Empty, above [`SERVER_ID_BYTES_MAX`], or with white space, a control character or one of `= & * +`.
    #[error("{0:?} is no Server Identifier")]
    ServerId(Box<str>),
    /// Not `Add`, `Delete`, `Exec`, `Get` or `Replace`.
    #[error("{0:?} is no command of an access control list")]
    Command(Box<str>),
    /// A part without `=`.
    #[error("{0:?} grants nothing: write a command, = and Server Identifiers joined by +")]
    Shape(Box<str>),
    /// A command that stands twice.
    #[error("{0} stands twice")]
    Repeated(&'static str),
}

/// What access control lists call a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(Text); // Invariant: 1 to SERVER_ID_BYTES_MAX octets, none of them white space, control or `=&*+`.

impl ServerId {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`AclError::ServerId`].
    pub fn parse(text: &str) -> Result<Self, AclError> {
        let forbidden = |it: char| it.is_control() || it.is_whitespace() || "=&*+".contains(it);
        if text.is_empty() || text.len() > SERVER_ID_BYTES_MAX || text.contains(forbidden) {
            return Err(AclError::ServerId(text.chars().take(64).collect()));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may do one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// `*`
    All,
    /// At least one.
    To(Vec<ServerId>),
}

/// An access control list: for each command, who may do it. A list without any command is no value, and the node has
/// the list of its nearest ancestor that has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    // Invariant: commands in the order of `COMMANDS`, each once, none of them Copy; no `Grant::To` is empty.
    grants: Vec<(Access, Grant)>,
}

impl Acl {
    /// No value.
    pub const NONE: Self = Self { grants: Vec::new() };

    /// What a root has where nothing else was said: `Add=*&Get=*`.
    #[must_use]
    pub fn of_root() -> Self {
        Self { grants: vec![(Access::ADD, Grant::All), (Access::GET, Grant::All)] }
    }

    /// The same list with one more grant of each command in `commands`.
    #[must_use]
    pub fn granting(mut self, commands: Access, server: &ServerId) -> Self {
        for command in each(commands) {
            match self.grants.iter_mut().find(|(known, _)| *known == command) {
                None => self.put(command, Grant::To(vec![server.clone()])),
                Some((_, Grant::To(ids))) if !ids.contains(server) => ids.push(server.clone()),
                Some(_) => {}
            }
        }
        self
    }

    /// The same list with each command in `commands` granted to all.
    #[must_use]
    pub fn granting_all(mut self, commands: Access) -> Self {
        each(commands).for_each(|command| self.put(command, Grant::All));
        self
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.grants.is_empty()
    }

    /// Whether `server` may do every command in `commands`.
    #[must_use]
    pub fn allows(&self, server: &ServerId, commands: Access) -> bool {
        each(commands).all(|command| match self.grant(command) {
            Some(Grant::All) => true,
            Some(Grant::To(ids)) => ids.contains(server),
            None => false,
        })
    }

    /// Who may do a command; nothing if nobody may.
    #[must_use]
    pub fn grant(&self, command: Access) -> Option<&Grant> {
        self.grants.iter().find(|(known, _)| *known == command).map(|(_, grant)| grant)
    }

    /// What a root gets instead of its old list: a command that nobody is left for is everybody's.
    #[must_use]
    pub(super) fn for_root_after(mut self, before: &Self) -> Self {
        for (command, _) in &before.grants {
            if self.grant(*command).is_none() {
                self.put(*command, Grant::All);
            }
        }
        self
    }

    fn put(&mut self, command: Access, grant: Grant) {
        self.grants.retain(|(known, _)| *known != command);
        let rank = |command: Access| COMMANDS.iter().position(|(known, _)| *known == command);
        let at = self.grants.iter().position(|(known, _)| rank(*known) > rank(command));
        self.grants.insert(at.unwrap_or(self.grants.len()), (command, grant));
    }
}

/// The commands of a set that access control lists know. Copy is not one of them: it needs the rights of the Get and
/// the Add or Replace that it amounts to.
fn each(commands: Access) -> impl Iterator<Item = Access> {
    COMMANDS.iter().map(|(command, _)| *command).filter(move |it| *it != Access::COPY && commands.contains(*it))
}

impl FromStr for Acl {
    type Err = AclError;

    /// Reads `Add=a+b&Get=*`. Where `*` stands beside identifiers it wins. No text is no value.
    fn from_str(text: &str) -> Result<Self, AclError> {
        if text.len() > ACL_BYTES_MAX {
            return Err(AclError::TooLong);
        }
        let mut acl = Self::NONE;
        let text = text.trim_ascii();
        for part in text.split('&').filter(|_| !text.is_empty()) {
            let (name, ids) = part.split_once('=').ok_or_else(|| AclError::Shape(part.chars().take(64).collect()))?;
            let known = COMMANDS.iter().find(|(command, known)| *known == name && *command != Access::COPY);
            let (command, name) = *known.ok_or_else(|| AclError::Command(name.chars().take(64).collect()))?;
            if acl.grant(command).is_some() {
                return Err(AclError::Repeated(name));
            }
            let mut given = Vec::new();
            let mut all = false;
            for id in ids.split('+') {
                if id == "*" {
                    all = true;
                    continue;
                }
                let id = ServerId::parse(id)?;
                if !given.contains(&id) {
                    given.push(id);
                }
            }
            acl.put(command, if all { Grant::All } else { Grant::To(given) });
        }
        Ok(acl)
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (command, grant)) in self.grants.iter().enumerate() {
            let name = command.names().next().unwrap_or_default();
            write!(f, "{}{name}=", if at == 0 { "" } else { "&" })?;
            match grant {
                Grant::All => f.write_str("*")?,
                Grant::To(ids) => {
                    for (at, id) in ids.iter().enumerate() {
                        write!(f, "{}{id}", if at == 0 { "" } else { "+" })?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn id(text: &str) -> ServerId {
        ServerId::parse(text).unwrap()
    }

    #[test]
    fn lists_are_read_and_written_in_one_order() {
        for (text, written) in [
            ("", ""),
            ("Get=*", "Get=*"),
            ("Replace=a+b&Get=*&Add=c", "Add=c&Get=*&Replace=a+b"),
            ("Get=a+*+b", "Get=*"),
            ("Exec=dm.example.org+dm.example.org", "Exec=dm.example.org"),
        ] {
            let acl: Acl = text.parse().unwrap();
            assert_eq!(acl.to_string(), written);
            assert_eq!(written.parse::<Acl>().unwrap(), acl);
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["Get", "Get=", "Get=a+", "Get=a b", "get=a", "Copy=a", "Get=a&Get=b", "Get=a&", "&", "=a"] {
            assert!(text.parse::<Acl>().is_err(), "{text}");
        }
        assert_eq!("x".repeat(ACL_BYTES_MAX + 1).parse::<Acl>(), Err(AclError::TooLong));
    }

    #[test]
    fn a_server_identifier_is_printable_and_has_none_of_the_signs_of_a_list() {
        let longest = "s".repeat(SERVER_ID_BYTES_MAX);
        for good in ["muster", "https://dm.example.org:443/dm", "ü", longest.as_str()] {
            assert!(ServerId::parse(good).is_ok(), "{good}");
        }
        let too_long = "s".repeat(SERVER_ID_BYTES_MAX + 1);
        for bad in ["", "a b", "a=b", "a&b", "*", "a+b", "a\u{0}", "a\u{A0}b", too_long.as_str()] {
            assert!(ServerId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_command_is_allowed_to_those_named_and_to_nobody_where_it_is_not_listed() {
        let acl: Acl = "Get=*&Replace=a".parse().unwrap();

        assert!(acl.allows(&id("b"), Access::GET) && acl.allows(&id("a"), Access::GET.and(Access::REPLACE)));
        assert!(!acl.allows(&id("b"), Access::REPLACE) && !acl.allows(&id("a"), Access::DELETE));
        assert!(!Acl::NONE.allows(&id("a"), Access::GET));
    }

    #[test]
    fn a_command_that_a_root_loses_its_last_server_for_is_everybodys() {
        let before: Acl = "Add=a&Get=*".parse().unwrap();
        let after: Acl = "Get=b".parse().unwrap();

        assert_eq!(after.for_root_after(&before).to_string(), "Add=*&Get=b");
    }
}
