//! User data of short messages: the header that names the port and the part, and cutting and joining.
//!
//! Source: 3GPP TS 23.040, sections 9.2.3.24, 9.2.3.24.1 (parts), 9.2.3.24.4 (16-bit ports) and 9.2.3.24.8 (parts with
//! a 16-bit reference).

use super::PORT;
pub use super::sms_join::{Assembly, Joined, OPEN_MAX, Open};

/// Octets of user data in one short message with 8-bit data.
pub const USER_DATA_BYTES_MAX: usize = 140;
/// The port that our messages say they come from. Any free one will do.
pub const SOURCE_PORT: u16 = 0xC002;

const PARTS_8: u8 = 0x00;
const PORTS_8: u8 = 0x04;
const PORTS_16: u8 = 0x05;
const PARTS_16: u8 = 0x08;

/// What one short message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData<'a> {
    /// Where it goes, if it says so.
    pub ports: Option<Ports>,
    /// Which part of a longer one it is. Nothing for a message that is whole.
    pub part: Option<Part>,
    /// Elements of the header that have another meaning: identifier and octets.
    pub others: Vec<(u8, &'a [u8])>,
    /// Behind the header.
    pub payload: &'a [u8],
    /// Octet where the payload begins.
    pub payload_at: usize,
}

/// Where a short message goes and comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    /// 2948 for pushes.
    pub destination: u16,
    /// Any.
    pub source: u16,
}

impl Ports {
    /// Of our pushes.
    pub const PUSH: Self = Self { destination: PORT, source: SOURCE_PORT };
}

/// One of several short messages that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The same in all of them.
    pub reference: Reference,
    /// How many there are, 1 to 255.
    pub total: u8,
    /// Which one this is, 1 to `total`.
    pub number: u8,
}

/// What parts of one message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// Of 8 bits, the usual form.
    Short(u8),
    /// Of 16 bits.
    Long(u16),
}

/// Why octets are no user data, or parts do not make one message. `at` counts octets from the start of the user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsError {
    /// The header's length, or that of an element in it, is beyond the input.
    #[error("length {length} at octet {at} is beyond the {left} octets left")]
    Length {
        /// Where the counted octets would begin.
        at: usize,
        /// What the length says.
        length: usize,
        /// What is left.
        left: usize,
    },
    /// An element of the header whose length is not that of its kind.
    #[error("header element {element:#04x} at octet {at} has {length} octets instead of {expected}")]
    Element {
        /// Its identifier.
        element: u8,
        /// Where it begins.
        at: usize,
        /// What its length says.
        length: usize,
        /// What it must be.
        expected: usize,
    },
    /// Part 0, a part behind the last, or a message of no parts.
    #[error("part {number} of {total} cannot be (octet {at})")]
    Numbering {
        /// Number of the part.
        number: u8,
        /// Parts in all.
        total: u8,
        /// Where the element begins.
        at: usize,
    },
    /// Input without a single octet.
    #[error("there is no user data")]
    Empty,
    /// A payload that 255 short messages cannot hold.
    #[error("{octets} octets need more than 255 short messages")]
    TooLong {
        /// Its octets.
        octets: usize,
    },
    /// A part that came before with other octets.
    #[error("part {number} of {total} came twice with different octets")]
    Conflict {
        /// Number of the part.
        number: u8,
        /// Parts in all.
        total: u8,
    },
    /// More messages with parts missing than are kept.
    #[error("more than {max} messages have parts missing")]
    TooManyOpen {
        /// The bound.
        max: usize,
    },
}

impl<'a> UserData<'a> {
    /// Reads user data that begins with a header, as TP-UDHI says: length of the header, elements, payload.
    ///
    /// # Errors
    /// [`SmsError`], but not those of joining.
    pub fn read(octets: &'a [u8]) -> Result<Self, SmsError> {
        let (length, rest) = octets.split_first().ok_or(SmsError::Empty)?;
        let length = usize::from(*length);
        let header = rest.get(..length).ok_or(SmsError::Length { at: 1, length, left: rest.len() })?;
        let payload = rest.get(length..).unwrap_or_default();
        let mut data = Self { ports: None, part: None, others: Vec::new(), payload, payload_at: length + 1 };
        let (mut left, mut at) = (header, 1);
        while let Some((element, after)) = left.split_first() {
            let (length, after) = after.split_first().ok_or(SmsError::Length { at: at + 1, length: 1, left: 0 })?;
            let length = usize::from(*length);
            let value = after.get(..length).ok_or(SmsError::Length { at: at + 2, length, left: after.len() })?;
            data.take(*element, value, at)?;
            left = after.get(length..).unwrap_or_default();
            at += 2 + length;
        }
        Ok(data)
    }

    /// If an element stands twice, the last one counts.
    ///
    /// Source: 3GPP TS 23.040, section 9.2.3.24.
    fn take(&mut self, element: u8, value: &'a [u8], at: usize) -> Result<(), SmsError> {
        let wrong = |expected| SmsError::Element { element, at, length: value.len(), expected };
        match (element, value) {
            (PARTS_8, [reference, total, number]) => {
                self.part = Some(part(Reference::Short(*reference), *total, *number, at)?);
            }
            (PARTS_16, [high, low, total, number]) => {
                let reference = Reference::Long(u16::from_be_bytes([*high, *low]));
                self.part = Some(part(reference, *total, *number, at)?);
            }
            (PORTS_16, [d1, d2, s1, s2]) => {
                let destination = u16::from_be_bytes([*d1, *d2]);
                self.ports = Some(Ports { destination, source: u16::from_be_bytes([*s1, *s2]) });
            }
            (PORTS_8, [destination, source]) => {
                self.ports = Some(Ports { destination: u16::from(*destination), source: u16::from(*source) });
            }
            (PARTS_8, _) => return Err(wrong(3)),
            (PARTS_16 | PORTS_16, _) => return Err(wrong(4)),
            (PORTS_8, _) => return Err(wrong(2)),
            _ => self.others.push((element, value)),
        }
        Ok(())
    }
}

fn part(reference: Reference, total: u8, number: u8, at: usize) -> Result<Part, SmsError> {
    if number == 0 || number > total {
        return Err(SmsError::Numbering { number, total, at });
    }
    Ok(Part { reference, total, number })
}

/// The user data of as many short messages as `payload` needs, in their order. One that fits is sent without a
/// reference.
///
/// # Errors
/// [`SmsError::TooLong`].
///
/// Source: OMA DM Notification 1.2, "WAP Push over SMS"; 3GPP TS 23.040, section 9.2.3.24.
pub fn user_data(payload: &[u8], ports: Ports, reference: Reference) -> Result<Vec<Vec<u8>>, SmsError> {
    let [d1, d2] = ports.destination.to_be_bytes();
    let [s1, s2] = ports.source.to_be_bytes();
    let addressed = [PORTS_16, 4, d1, d2, s1, s2];
    let whole = [&[addressed.len() as u8], addressed.as_slice()].concat();
    if whole.len() + payload.len() <= USER_DATA_BYTES_MAX {
        return Ok(vec![[&whole, payload].concat()]);
    }
    let header = |total: u8, number: u8| {
        let parts = match reference {
            Reference::Short(reference) => vec![PARTS_8, 3, reference, total, number],
            Reference::Long(reference) => {
                let [high, low] = reference.to_be_bytes();
                vec![PARTS_16, 4, high, low, total, number]
            }
        };
        [&[(parts.len() + addressed.len()) as u8], parts.as_slice(), &addressed].concat()
    };
    let room = USER_DATA_BYTES_MAX - header(0, 0).len();
    let total = payload.len().div_ceil(room);
    let total = u8::try_from(total).map_err(|_| SmsError::TooLong { octets: payload.len() })?;
    Ok((1..=total).zip(payload.chunks(room)).map(|(number, piece)| [&header(total, number), piece].concat()).collect())
}
