//! Device profiles: how kinds of devices depart from the specification, as data.
//!
//! A profile is chosen for a session when it begins, see [`Profiles::choose`], and is in force to its end. What is in
//! it is read by those who write messages, lead the session and read the tree; none of them asks which device it is.

mod choose;
mod observe;

use muster_protocol::dm1::{Quirks, notification};
use muster_protocol::syncml::Style;
use serde::{Deserialize, Serialize};

pub use choose::{Facts, When};
pub use observe::Observation;
pub(crate) use observe::observe;

/// The profiles that come with the server, in the form that a configuration file has them.
const BUILT_IN: &str = include_str!("profile/built_in.toml");

/// Name of the attribute of a device record or capability that names a profile.
pub const ATTRIBUTE: &str = "dmProfile";
/// Name of the profile of devices that keep to the specification.
pub const PLAIN: &str = "plain";
/// Characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// How one kind of device departs from the specification.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Names it in records, logs and tables: lower case, digits and hyphens.
    pub name: String,
    /// Which devices, and where their departures were seen, in a sentence.
    pub seen: String,
    /// How such a device is recognised: one of these is enough. Without any, the profile has to be named by a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
    /// How messages for it are written.
    #[serde(default)]
    pub form: Style,
    /// What a session with it may ask.
    #[serde(default)]
    pub session: Quirks,
    /// How notifications for it are written and signed.
    #[serde(default)]
    pub notification: notification::Form,
    /// How its tree answers.
    #[serde(default)]
    pub tree: TreeQuirks,
}

/// How the tree of a device departs from the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeQuirks {
    /// Names of children come percent-encoded in the answer to Get of an interior node, as Windows sends them.
    pub child_names_encoded: bool,
}

/// Why profiles of an operator are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Its name is empty, too long, or has other characters.
    #[error("a profile is named {name:?}: lower-case letters, digits and hyphens are taken, at most {NAME_CHARS_MAX}")]
    Name {
        /// The name.
        name: String,
    },
    /// Two have the same name.
    #[error("two profiles are named {name}")]
    Twice {
        /// The name.
        name: String,
    },
    /// The sentence is missing that says which devices it is for.
    #[error("profile {name} does not say where it was seen")]
    Unseen {
        /// Its name.
        name: String,
    },
}

/// Every profile that a server knows, in the order in which they are looked at.
#[derive(Clone, Debug)]
pub struct Profiles {
    all: Vec<Profile>,
    plain: Profile,
}

/// A file of profiles.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    profile: Vec<Profile>,
}

impl Profiles {
    /// The profiles of an operator, which are looked at first and may take the name of a built-in one to replace it,
    /// and then those that come with the server.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn new(own: Vec<Profile>) -> Result<Self, ProfileError> {
        let mut all: Vec<Profile> = Vec::new();
        for profile in own {
            let good = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
            if profile.name.is_empty() || profile.name.len() > NAME_CHARS_MAX || !profile.name.chars().all(good) {
                return Err(ProfileError::Name { name: profile.name });
            }
            if profile.seen.trim().is_empty() {
                return Err(ProfileError::Unseen { name: profile.name });
            }
            if all.iter().any(|it| it.name == profile.name) {
                return Err(ProfileError::Twice { name: profile.name });
            }
            all.push(profile);
        }
        for profile in built_in() {
            if all.iter().all(|it| it.name != profile.name) {
                all.push(profile);
            }
        }
        let plain = all.iter().find(|it| it.name == PLAIN).cloned().unwrap_or_default();
        Ok(Self { all, plain })
    }

    /// All of them, in the order in which they are looked at.
    #[must_use]
    pub fn all(&self) -> &[Profile] {
        &self.all
    }

    /// The profile of this name, or the plain one.
    #[must_use]
    pub fn named(&self, name: &str) -> &Profile {
        self.all.iter().find(|it| it.name == name).unwrap_or(&self.plain)
    }

    /// The profile of a device of which this is known: the one that its record or its capability names, else the
    /// first that recognises it, else the plain one.
    #[must_use]
    pub fn choose(&self, facts: &Facts<'_>) -> &Profile {
        if let Some(named) = facts.named.and_then(|name| self.all.iter().find(|it| it.name == name)) {
            return named;
        }
        self.all.iter().find(|it| it.when.iter().any(|when| when.holds(facts))).unwrap_or(&self.plain)
    }
}

impl Default for Profiles {
    /// Those that come with the server.
    fn default() -> Self {
        Self::new(Vec::new()).unwrap_or_else(|_| Self { all: Vec::new(), plain: Profile::default() })
    }
}

/// The file is part of the program, and a test reads it.
fn built_in() -> Vec<Profile> {
    toml::from_str::<File>(BUILT_IN).map(|file| file.profile).unwrap_or_default()
}

#[cfg(test)]
mod tests;
