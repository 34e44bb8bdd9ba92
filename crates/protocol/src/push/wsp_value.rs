use super::wsp::WspError;

/// A value as WSP writes it. Its first octet says how long it is, so values of unknown headers can be passed over.
///
/// Source: WAP-230-WSP, section 8.4.1.2, "Field values".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// One octet, its top bit left out: 0 to 127.
    Short(u8),
    /// Octets with their length in front: long integers, dates and structured values. No value at all is none of them.
    Octets(&'a [u8]),
    /// Text without its zero and without the octet that quotes a first character above 127 or marks quoted text.
    Text(&'a [u8]),
}

impl Value<'_> {
    /// The number that this is, if it is one of at most 64 bits.
    #[must_use]
    pub fn integer(&self) -> Option<u64> {
        match self {
            Self::Short(value) => Some(u64::from(*value)),
            Self::Octets(octets) if (1..=8).contains(&octets.len()) => {
                Some(octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
            }
            Self::Octets(_) | Self::Text(_) => None,
        }
    }

    /// The text that this is.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Self::Short(_) | Self::Octets(_) => None,
        }
    }
}

/// A place in a part of a PDU. `end` bounds the part; offsets count from the start of the PDU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) pdu: &'a [u8],
    pub(super) at: usize,
    pub(super) end: usize,
}

/// A first octet up to this is the length of what follows.
const SHORT_LENGTH_MAX: u8 = 30;
/// A first octet of this says that the length follows as a variable-length integer.
const LENGTH_QUOTE: u8 = 31;
/// Precedes a text whose first character is above 127.
const TEXT_QUOTE: u8 = 0x7F;

impl<'a> Cursor<'a> {
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn peek(&self) -> Result<u8, WspError> {
        let inside = self.pdu.get(..self.end).and_then(|part| part.get(self.at));
        inside.copied().ok_or(WspError::Truncated { at: self.at })
    }

    pub(super) fn octet(&mut self) -> Result<u8, WspError> {
        let octet = self.peek()?;
        self.at += 1;
        Ok(octet)
    }

    pub(super) fn octets(&mut self, length: usize) -> Result<&'a [u8], WspError> {
        let part = self.pdu.get(..self.end).and_then(|part| part.get(self.at..)).unwrap_or_default();
        let octets = part.get(..length).ok_or(WspError::Length { at: self.at, length, left: part.len() })?;
        self.at += length;
        Ok(octets)
    }

    /// A variable-length integer of at most 32 bits.
    ///
    /// Source: WAP-230-WSP, section 8.1.2.
    pub(super) fn uintvar(&mut self) -> Result<usize, WspError> {
        let start = self.at;
        let mut value = 0_u32;
        for read in 0..5 {
            let octet = self.octet()?;
            if value.leading_zeros() < 7 {
                return Err(WspError::Integer { at: start });
            }
            value = value << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return Ok(value as usize);
            }
            if read == 4 {
                break;
            }
        }
        Err(WspError::Integer { at: start })
    }

    /// The length in front of a value, which is then at `at`; nothing where the value is text or a short integer.
    pub(super) fn value_length(&mut self) -> Result<Option<usize>, WspError> {
        match self.peek()? {
            length @ 0..=SHORT_LENGTH_MAX => {
                self.at += 1;
                Ok(Some(usize::from(length)))
            }
            LENGTH_QUOTE => {
                self.at += 1;
                self.uintvar().map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn value(&mut self) -> Result<Value<'a>, WspError> {
        if let Some(length) = self.value_length()? {
            return self.octets(length).map(Value::Octets);
        }
        match self.peek()? {
            octet if octet & 0x80 != 0 => {
                self.at += 1;
                Ok(Value::Short(octet & 0x7F))
            }
            _ => self.text().map(Value::Text),
        }
    }

    /// A text up to its zero.
    pub(super) fn text(&mut self) -> Result<&'a [u8], WspError> {
        if matches!(self.peek()?, TEXT_QUOTE | b'"') {
            self.at += 1;
        }
        let part = self.pdu.get(..self.end).and_then(|part| part.get(self.at..)).unwrap_or_default();
        let length = part.iter().position(|octet| *octet == 0).ok_or(WspError::Truncated { at: self.end })?;
        let text = self.octets(length)?;
        self.at += 1;
        Ok(text)
    }
}
