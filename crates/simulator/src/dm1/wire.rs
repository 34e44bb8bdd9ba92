//! Messages as octets.

use muster_protocol::syncml::{EncodeError, Encoding, Message};

use super::Device;

/// What the codec begins each WBXML document with: version 1.2, the number of the public identifier, UTF-8, no string
/// table.
const HEAD: [u8; 5] = [0x02, 0xA4, 0x01, 0x6A, 0x00];
/// The same with the public identifier as the only text of the string table, without an end, as Samsung writes it.
const HEAD_WITH_TEXT: [u8; 5] = [0x02, 0x00, 0x00, 0x6A, PUBLIC_ID.len() as u8];
const PUBLIC_ID: &[u8] = b"-//SYNCML//DTD SyncML 1.2//EN";

/// Octets that the text takes more than the number.
pub(super) const PUBLIC_ID_BYTES: usize = PUBLIC_ID.len();

impl Device {
    /// The octets of a message of this device.
    ///
    /// # Errors
    /// That of the codec, for what cannot be written.
    pub fn write(&self, message: &Message) -> Result<Vec<u8>, EncodeError> {
        let octets = message.encode(self.encoding)?;
        Ok(match octets.strip_prefix(&HEAD) {
            Some(body) if self.encoding == Encoding::Wbxml && self.faults.public_id_as_text => {
                [&HEAD_WITH_TEXT, PUBLIC_ID, body].concat()
            }
            _ => octets,
        })
    }
}
