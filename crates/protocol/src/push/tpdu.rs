//! Whole short messages, as a modem or a message centre shows them.
//!
//! Source: 3GPP TS 23.040, sections 9.2.2.1 (SMS-DELIVER), 9.2.2.2 (SMS-SUBMIT) and 9.1.2.5 (addresses); 3GPP TS 23.038,
//! section 4 (data coding); 3GPP TS 27.005, section 3.1 (the message centre's address in front).

/// A short message on its way to or from a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tpdu<'a> {
    /// Which way it goes.
    pub kind: Kind,
    /// Address of the message centre, if it stands in front.
    pub centre: Option<String>,
    /// Sender of an SMS-DELIVER, addressee of an SMS-SUBMIT.
    pub address: String,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: u8,
    /// Whether the user data begins with a header (TP-UDHI).
    pub has_header: bool,
    /// User data, 8-bit.
    pub user_data: &'a [u8],
    /// Octet where it begins.
    pub user_data_at: usize,
}

/// Which way a short message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SMS-DELIVER: from the message centre to the device.
    Deliver,
    /// SMS-SUBMIT: to the message centre.
    Submit,
}

/// Why octets are no short message with 8-bit data. `at` counts octets from the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TpduError {
    /// The input ends too early.
    #[error("short message ends at octet {at}, inside a field")]
    Truncated {
        /// Where it ended.
        at: usize,
    },
    /// Neither SMS-DELIVER nor SMS-SUBMIT.
    #[error("message type {kind} at octet {at} is neither SMS-DELIVER (0) nor SMS-SUBMIT (1)")]
    Kind {
        /// TP-MTI.
        kind: u8,
        /// Where it stands.
        at: usize,
    },
    /// An address longer than there can be.
    #[error("address at octet {at} has {digits} digits, more than 20")]
    Address {
        /// Where it begins.
        at: usize,
        /// What its length says.
        digits: u8,
    },
    /// Text alphabets and compressed data: no push travels so.
    #[error("data coding {coding:#04x} at octet {at} is not 8-bit data")]
    Coding {
        /// TP-DCS.
        coding: u8,
        /// Where it stands.
        at: usize,
    },
    /// TP-UDL is not the number of octets left.
    #[error("user data length {length} at octet {at} is not the {left} octets left")]
    Length {
        /// What it says.
        length: usize,
        /// Where the user data begins.
        at: usize,
        /// What is left.
        left: usize,
    },
}

/// Digits that an address holds.
const DIGITS_MAX: u8 = 20;
/// Octets that the address of a message centre takes, its type included.
const CENTRE_BYTES_MAX: u8 = 12;

impl<'a> Tpdu<'a> {
    /// Reads a short message with or without the message centre's address in front; which of them it is, is tried.
    ///
    /// # Errors
    /// [`TpduError`], of the form that could be read further.
    pub fn read(octets: &'a [u8]) -> Result<Self, TpduError> {
        let bare = Self::read_bare(octets);
        let (Err(bare_error), Some((centre, at))) = (&bare, centre(octets)) else { return bare };
        match Self::read_at(octets, at) {
            Ok(tpdu) => Ok(Self { centre: Some(centre), ..tpdu }),
            Err(error) if place(&error) > place(bare_error) => Err(error),
            Err(_) => bare,
        }
    }

    /// Reads a short message that begins with its first octet.
    ///
    /// # Errors
    /// [`TpduError`].
    pub fn read_bare(octets: &'a [u8]) -> Result<Self, TpduError> {
        Self::read_at(octets, 0)
    }

    fn read_at(octets: &'a [u8], start: usize) -> Result<Self, TpduError> {
        let mut reader = Reader { octets, at: start };
        let first = reader.octet()?;
        let kind = match first & 0x03 {
            0 => Kind::Deliver,
            1 => Kind::Submit,
            kind => return Err(TpduError::Kind { kind, at: start }),
        };
        if kind == Kind::Submit {
            reader.octet()?;
        }
        let address = reader.address()?;
        let protocol = reader.octet()?;
        let coding = reader.octet()?;
        if !is_octets(coding) {
            return Err(TpduError::Coding { coding, at: reader.at - 1 });
        }
        // An SMS-DELIVER has the time of the message centre, an SMS-SUBMIT a validity in the form its first octet says.
        let time = match (kind, first >> 3 & 0x03) {
            (Kind::Deliver, _) | (Kind::Submit, 1 | 3) => 7,
            (Kind::Submit, 2) => 1,
            (Kind::Submit, _) => 0,
        };
        reader.skip(time)?;
        let length = usize::from(reader.octet()?);
        let user_data = octets.get(reader.at..).unwrap_or_default();
        if length != user_data.len() {
            return Err(TpduError::Length { length, at: reader.at, left: user_data.len() });
        }
        let has_header = first & 0x40 != 0;
        Ok(Self { kind, centre: None, address, protocol, coding, has_header, user_data, user_data_at: reader.at })
    }
}

/// The message centre's address and the octet after it, if the input may begin with one.
fn centre(octets: &[u8]) -> Option<(String, usize)> {
    let length = *octets.first()?;
    let rest = octets.get(1..)?.get(..usize::from(length))?;
    let text = match rest.split_first() {
        None => String::new(),
        Some((kind, digits)) if length <= CENTRE_BYTES_MAX => number(*kind, digits, digits.len() * 2),
        Some(_) => return None,
    };
    Some((text, 1 + usize::from(length)))
}

fn place(error: &TpduError) -> usize {
    match *error {
        TpduError::Truncated { at }
        | TpduError::Kind { at, .. }
        | TpduError::Address { at, .. }
        | TpduError::Coding { at, .. }
        | TpduError::Length { at, .. } => at,
    }
}

/// Whether the data coding says uncompressed 8-bit data.
///
/// Source: 3GPP TS 23.038, section 4.
fn is_octets(coding: u8) -> bool {
    match coding >> 4 {
        0..=7 => coding & 0x20 == 0 && coding & 0x0C == 0x04,
        15 => coding & 0x04 != 0,
        _ => false,
    }
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn octet(&mut self) -> Result<u8, TpduError> {
        let octet = self.octets.get(self.at).ok_or(TpduError::Truncated { at: self.octets.len() })?;
        self.at += 1;
        Ok(*octet)
    }

    fn skip(&mut self, length: usize) -> Result<&[u8], TpduError> {
        let skipped = self.octets.get(self.at..).and_then(|rest| rest.get(..length));
        self.at += length;
        skipped.ok_or(TpduError::Truncated { at: self.octets.len() })
    }

    /// Digits, type, and two digits to an octet, the first in the low half.
    fn address(&mut self) -> Result<String, TpduError> {
        let at = self.at;
        let digits = self.octet()?;
        if digits > DIGITS_MAX {
            return Err(TpduError::Address { at, digits });
        }
        let kind = self.octet()?;
        let digits = usize::from(digits);
        let octets = self.skip(digits.div_ceil(2))?;
        Ok(number(kind, octets, digits))
    }
}

/// Type of number "alphanumeric": the octets are letters of 7 bits.
const ALPHANUMERIC: u8 = 0x50;
const INTERNATIONAL: u8 = 0x10;

fn number(kind: u8, octets: &[u8], digits: usize) -> String {
    if kind & 0x70 == ALPHANUMERIC {
        return octets.iter().map(|octet| format!("{octet:02x}")).collect();
    }
    let plus = if kind & 0x70 == INTERNATIONAL { "+" } else { "" };
    let halves = octets.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]).take(digits);
    let text: String = halves.filter_map(|half| "0123456789*#abc".chars().nth(usize::from(half))).collect();
    format!("{plus}{text}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    const DATA: [u8; 8] = [6, 5, 4, 0x0B, 0x84, 0xC0, 0x02, 0xAA];

    /// +15550100, seven digits and a filler.
    const ADDRESS: [u8; 6] = [8, 0x91, 0x51, 0x55, 0x10, 0x00];

    fn deliver(coding: u8) -> Vec<u8> {
        let time = [0x62, 0x11, 0x82, 0x70, 0x50, 0x02, 0x00];
        [&[0x44][..], &ADDRESS, &[0x00, coding], &time, &[8], &DATA].concat()
    }

    fn submit(validity: u8, octets: &[u8]) -> Vec<u8> {
        [&[0x41 | validity << 3, 0x07][..], &ADDRESS, &[0x00, 0xF5], octets, &[8], &DATA].concat()
    }

    #[test]
    fn user_data_is_found_in_both_directions_and_with_each_validity() {
        for (octets, kind) in [
            (deliver(0x04), Kind::Deliver),
            (deliver(0xF5), Kind::Deliver),
            (submit(0, &[]), Kind::Submit),
            (submit(2, &[0xAA]), Kind::Submit),
            (submit(1, &[0; 7]), Kind::Submit),
            (submit(3, &[0; 7]), Kind::Submit),
        ] {
            let tpdu = Tpdu::read(&octets).unwrap();
            assert_eq!((tpdu.kind, tpdu.user_data, tpdu.has_header), (kind, &DATA[..], true));
            assert_eq!((tpdu.address.as_str(), tpdu.centre), ("+15550100", None));
            assert_eq!(octets.get(tpdu.user_data_at..).unwrap(), DATA);
        }
    }

    #[test]
    fn the_address_of_the_message_centre_may_stand_in_front() {
        for (front, centre) in [(&[0_u8][..], ""), (&[5, 0x91, 0x51, 0x55, 0x10, 0xF9], "+1555019")] {
            for octets in [deliver(0x04), submit(2, &[0])] {
                let octets = [front, &octets].concat();
                let tpdu = Tpdu::read(&octets).unwrap();
                assert_eq!((tpdu.user_data, tpdu.centre.as_deref()), (&DATA[..], Some(centre)));
                assert_eq!(octets.get(tpdu.user_data_at..).unwrap(), DATA);
            }
        }
    }

    #[test]
    fn short_messages_cut_anywhere_are_refused() {
        for octets in [deliver(0x04), submit(3, &[0; 7]), [&[0][..], &deliver(4)].concat()] {
            for length in 0..octets.len() {
                assert!(Tpdu::read(&octets[..length]).is_err(), "{length}");
            }
            assert!(Tpdu::read(&[octets.as_slice(), &[0]].concat()).is_err());
        }
    }

    #[test]
    fn text_and_other_kinds_of_messages_are_refused_with_the_reason() {
        assert_eq!(Tpdu::read(&deliver(0x00)), Err(TpduError::Coding { coding: 0, at: 8 }));
        assert_eq!(Tpdu::read(&deliver(0x08)), Err(TpduError::Coding { coding: 8, at: 8 }));
        assert_eq!(Tpdu::read(&deliver(0x24)), Err(TpduError::Coding { coding: 0x24, at: 8 }));
        assert_eq!(Tpdu::read_bare(&[0x42]), Err(TpduError::Kind { kind: 2, at: 0 }));
        assert_eq!(Tpdu::read_bare(&[0x44, 99, 0x91]), Err(TpduError::Address { at: 1, digits: 99 }));
        assert_eq!(Tpdu::read(&[]), Err(TpduError::Truncated { at: 0 }));
    }
}
