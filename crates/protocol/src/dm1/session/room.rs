//! What still fits into a message of ours.

use super::{MAX_MSG_SIZE_DEFAULT, Session};
use crate::{
    dm1::{
        Account,
        size::{Bound, Scale, octets},
    },
    syncml::{Command, EncodeError, Encoding, Message, Style},
};

/// How much a message may take and takes, in octets. While it is far below what the device takes, a bound is enough;
/// commands are weighed when that is not so sure any more.
pub(super) struct Room<'a> {
    /// The device's largest message.
    pub(super) max: usize,
    used: Used,
    encoding: Encoding,
    style: &'a Style,
    scale: Option<Scale<'a>>,
}

enum Used {
    /// At most this much.
    Below(usize, Bound),
    /// This much.
    Exactly(usize),
}

/// Whether a command fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It does, and is counted.
    Fits,
    /// Not with what is in the message; its own octets are these.
    TooMuch(usize),
}

impl Session {
    /// Octets of the largest message that the device takes: as announced, or as its kind is known to take.
    #[must_use]
    pub fn message_bytes_max(&self, account: &Account<'_>) -> usize {
        let max = account.quirks.max_msg_size.map(u64::from).or(self.max_msg_size).unwrap_or(MAX_MSG_SIZE_DEFAULT);
        usize::try_from(max).unwrap_or(usize::MAX)
    }

    /// The room in `message` as it stands.
    pub(super) fn room<'a>(&self, account: &Account<'a>, message: &Message) -> Room<'a> {
        let (encoding, style) = (self.encoding, account.style);
        let bound = Bound::new(encoding, style).and_then(|bound| Some(Used::Below(bound.message(message)?, bound)));
        let used = bound.unwrap_or_else(|| Used::Exactly(weight(message, encoding, style)));
        Room { max: self.message_bytes_max(account), used, encoding, style, scale: None }
    }
}

impl Room<'_> {
    /// Whether `command` fits behind what `message` has, which nobody but the owner of this room has added to.
    ///
    /// # Errors
    /// [`EncodeError`] if it has text that the encoding cannot carry.
    pub(super) fn take(&mut self, message: &Message, command: &Command) -> Result<Fit, EncodeError> {
        if let Used::Below(used, bound) = &mut self.used {
            if let Some(octets) = bound.command(command).filter(|it| used.saturating_add(*it) <= self.max) {
                *used += octets;
                return Ok(Fit::Fits);
            }
            self.used = Used::Exactly(weight(message, self.encoding, self.style));
        }
        let octets = self.weigh(command.clone())?;
        let Used::Exactly(used) = &mut self.used else { return Ok(Fit::TooMuch(octets)) };
        if used.saturating_add(octets) > self.max {
            return Ok(Fit::TooMuch(octets));
        }
        *used += octets;
        Ok(Fit::Fits)
    }

    /// Octets that are free behind what `message` has.
    pub(super) fn free(&mut self, message: &Message) -> usize {
        let used = match self.used {
            Used::Exactly(used) => used,
            Used::Below(..) => weight(message, self.encoding, self.style),
        };
        self.used = Used::Exactly(used);
        self.max.saturating_sub(used)
    }

    /// Octets that `command` adds to a message.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) fn weigh(&mut self, command: Command) -> Result<usize, EncodeError> {
        self.scale.get_or_insert_with(|| Scale::new(self.encoding, self.style)).weigh(command)
    }

    /// Octets that a message takes.
    pub(super) fn weight_of(&self, message: &Message) -> usize {
        weight(message, self.encoding, self.style)
    }
}

/// Octets of a message. One that cannot be written will not leave, so its orders may as well be in it.
fn weight(message: &Message, encoding: Encoding, style: &Style) -> usize {
    octets(message, encoding, style).unwrap_or_default()
}
