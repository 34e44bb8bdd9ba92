//! How many octets a message will have, before it is finished.

use crate::syncml::{Command, EncodeError, Encoding, Header, Message};

/// Weighs commands one at a time. What a message takes is the sum of what it takes without them and of their weights: an
/// encoder writes them one after the other, and code pages are switched back before the next.
pub(super) struct Scale {
    encoding: Encoding,
    /// A message with nothing in it.
    pan: Message,
    /// Octets that it takes.
    empty: usize,
    out: Vec<u8>,
}

impl Scale {
    pub(super) fn new(encoding: Encoding) -> Self {
        let pan = Message { header: Header::default(), commands: Vec::new(), is_final: true };
        let mut scale = Self { encoding, pan, empty: 0, out: Vec::new() };
        // An empty message has no text that could not be written.
        scale.empty = scale.weigh_pan().unwrap_or_default();
        scale
    }

    /// Octets that `command` adds to a message.
    ///
    /// # Errors
    /// [`EncodeError`] if it has text that the encoding cannot carry.
    pub(super) fn weigh(&mut self, command: &Command) -> Result<usize, EncodeError> {
        self.pan.commands = vec![command.clone()];
        Ok(self.weigh_pan()?.saturating_sub(self.empty))
    }

    fn weigh_pan(&mut self) -> Result<usize, EncodeError> {
        self.out.clear();
        self.pan.encode_into(self.encoding, &mut self.out)?;
        Ok(self.out.len())
    }
}
