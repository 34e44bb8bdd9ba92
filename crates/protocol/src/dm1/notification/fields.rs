use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::NotificationError;
use crate::syncml::Text;

/// 27 bits.
pub(super) const FUTURE_USE_MAX: u32 = (1 << 27) - 1;
/// Octet of package 0 where the session identifier stands.
pub(super) const SESSION_ID_AT: usize = 21;
/// Octet where the server identifier begins.
pub(super) const SERVER_ID_AT: usize = 24;

/// Version of the notification's format in tenths: 11 for messages of DM 1.1.2 and of DM 1.2. 10 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Version(u16); // Invariant: below 1024.

impl Version {
    /// 1.1: what devices expect, of DM 1.2 too; libdmclient takes nothing else.
    pub const V1_1: Self = Self(11);

    /// A version by its tenths.
    ///
    /// # Errors
    /// [`NotificationError::Version`] above 10 bits.
    pub fn new(number: u16) -> Result<Self, NotificationError> {
        if number < 1 << 10 { Ok(Self(number)) } else { Err(NotificationError::Version { version: number }) }
    }

    /// Tenths.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::V1_1
    }
}

impl TryFrom<u16> for Version {
    type Error = NotificationError;

    fn try_from(number: u16) -> Result<Self, NotificationError> {
        Self::new(number)
    }
}

impl From<Version> for u16 {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// How the device involves its user before it opens the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UiMode {
    /// The device decides.
    #[default]
    NotSpecified,
    /// Without the user.
    Background,
    /// The user is told.
    Informative,
    /// The user is asked.
    UserInteraction,
}

impl UiMode {
    const ALL: [Self; 4] = [Self::NotSpecified, Self::Background, Self::Informative, Self::UserInteraction];

    /// Two bits.
    #[must_use]
    pub fn bits(self) -> u8 {
        self as u8
    }

    pub(super) fn of_bits(bits: u64) -> Self {
        Self::ALL.into_iter().find(|it| u64::from(it.bits()) == bits & 0b11).unwrap_or_default()
    }

    /// Name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSpecified => "not specified",
            Self::Background => "background",
            Self::Informative => "informative",
            Self::UserInteraction => "user interaction",
        }
    }
}

/// Who wanted the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Initiator {
    /// The user of the device.
    Client,
    /// The server.
    #[default]
    Server,
}

impl Initiator {
    /// One bit.
    #[must_use]
    pub fn bit(self) -> u8 {
        self as u8
    }

    pub(super) fn of_bit(bit: u64) -> Self {
        if bit & 1 == 0 { Self::Client } else { Self::Server }
    }
}

/// The session that a notification asks for: 1 to FFFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(NonZeroU16);

impl SessionId {
    /// Nothing for 0, which names no session.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0.get()
    }

    /// Whether `SessionID` of a message names this session. Samsung handsets write it in lower case, others with leading
    /// zeros.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let text = text.trim();
        !text.starts_with('+') && u16::from_str_radix(text, 16) == Ok(self.get())
    }
}

/// As in `SessionID` of package 1: upper-case hexadecimal digits without leading zeros.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}", self.get())
    }
}

/// A server identifier as package 0 can carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerIdentifier(Text); // Invariant: 1 to 255 printable ASCII characters.

impl ServerIdentifier {
    /// Takes the identifier that the device knows the server by.
    ///
    /// # Errors
    /// [`NotificationError::ServerId`].
    pub fn new(text: &str) -> Result<Self, NotificationError> {
        if text.is_empty() || text.len() > usize::from(u8::MAX) {
            return Err(NotificationError::ServerId { at: SERVER_ID_AT });
        }
        match text.bytes().position(|octet| !(octet.is_ascii_graphic() || octet == b' ')) {
            Some(place) => Err(NotificationError::ServerId { at: SERVER_ID_AT + place }),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn length(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}
