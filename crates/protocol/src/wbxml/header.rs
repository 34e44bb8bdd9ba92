use super::{WbxmlError, mb_u_int32};
use crate::limits::{Limits, check};

/// WBXML 1.0, whose header has no character set.
const WITHOUT_CHARSET: u8 = 0x00;
/// The high four bits are the major version less 1.
const LAST_OF_VERSION_1: u8 = 0x0F;

/// The document type a header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicId<'a> {
    /// A registered number; `1` is "unknown".
    Number(u32),
    /// Text of the string table, as Samsung handsets send it.
    Text(&'a [u8]),
}

/// How strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// 106, and 0 for "unknown".
    Utf8,
    /// 3
    Ascii,
    /// 4
    Latin1,
}

/// What precedes the body of a WBXML document.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// 0 to 3 for WBXML 1.0 to 1.3; later ones of version 1 up to 15.
    pub version: u8,
    /// Document type.
    pub public_id: PublicId<'a>,
    /// Character set of inline and table strings.
    pub charset: Charset,
    /// The string table.
    pub strings: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header; returns it and the octet where the body begins.
    ///
    /// # Errors
    /// Version or character set not supported, string table above its bound or beyond the input, public identifier
    /// outside the table.
    ///
    /// Source: WBXML, "Document Structure".
    pub fn read(input: &'a [u8], limits: &Limits) -> Result<(Self, usize), WbxmlError> {
        let version = *input.first().ok_or(WbxmlError::Truncated { at: 0 })?;
        if version > LAST_OF_VERSION_1 {
            return Err(WbxmlError::Version { version });
        }
        let id_at = 1;
        let (id, at) = mb_u_int32(input, id_at)?;
        let (id_offset, at) = if id == 0 {
            let (offset, at) = mb_u_int32(input, at)?;
            (Some(offset), at)
        } else {
            (None, at)
        };
        let (mib, at) = if version == WITHOUT_CHARSET { (0, at) } else { mb_u_int32(input, at)? };
        let charset = match mib {
            0 | 106 => Charset::Utf8,
            3 => Charset::Ascii,
            4 => Charset::Latin1,
            mib => return Err(WbxmlError::Charset { mib }),
        };
        let (length, at) = mb_u_int32(input, at)?;
        let length = length as usize;
        check("string_table_bytes_max", limits.string_table_bytes_max, length, at)?;
        let strings = input.get(at..).and_then(|rest| rest.get(..length));
        let strings = strings.ok_or(WbxmlError::Truncated { at: input.len() })?;
        let public_id = match id_offset {
            Some(offset) => PublicId::Text(table_string(strings, offset, id_at)?),
            None => PublicId::Number(id),
        };
        Ok((Self { version, public_id, charset, strings }, at + length))
    }
}

/// The string at `offset`, to its zero or to the end of the table: many clients write no zero after the last one.
pub(super) fn table_string(strings: &[u8], offset: u32, at: usize) -> Result<&[u8], WbxmlError> {
    match strings.get(offset as usize..) {
        Some(rest) if !rest.is_empty() => Ok(rest.split(|octet| *octet == 0).next().unwrap_or_default()),
        _ => Err(WbxmlError::StringTable { offset, at }),
    }
}
