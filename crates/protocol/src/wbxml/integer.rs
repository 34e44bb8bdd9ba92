use super::WbxmlError;

/// Reads one `mb_u_int32`: 1 to 5 octets of 7 bits, most significant first; a set top bit says that one more follows.
///
/// `input` is the whole document and `at` the octet where the integer begins. Returns the value and the octet after it.
///
/// # Errors
/// [`WbxmlError::Truncated`] if `input` ends first; [`WbxmlError::IntegerTooLong`] above 5 octets or 32 bits.
///
/// Source: WBXML, "Multi-byte integers".
pub fn mb_u_int32(input: &[u8], at: usize) -> Result<(u32, usize), WbxmlError> {
    let mut value = 0_u32;
    for (read, octet) in input.get(at..).unwrap_or_default().iter().enumerate() {
        if value.leading_zeros() < 7 || read == 5 {
            return Err(WbxmlError::IntegerTooLong { at });
        }
        value = value << 7 | u32::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Ok((value, at + read + 1));
        }
    }
    Err(WbxmlError::Truncated { at: input.len() })
}

/// Appends `value` in the fewest octets.
pub(crate) fn put_mb_u_int32(value: u32, out: &mut Vec<u8>) {
    for shift in [28, 21, 14, 7] {
        if value >> shift != 0 {
            out.push((value >> shift & 0x7F) as u8 | 0x80);
        }
    }
    out.push((value & 0x7F) as u8);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn integers_survive_writing_and_reading() {
        for value in
            [0, 1, 0x7F, 0x80, 0x1201, 0x3FFF, 0x4000, 0x1F_FFFF, 0x20_0000, 0x0FFF_FFFF, 0x1000_0000, u32::MAX]
        {
            let mut octets = Vec::new();
            put_mb_u_int32(value, &mut octets);
            assert_eq!(mb_u_int32(&octets, 0).unwrap(), (value, octets.len()));
        }
    }

    #[test]
    fn thirty_two_bits_in_five_octets_are_the_most() {
        assert_eq!(mb_u_int32(&[0x8F, 0xFF, 0xFF, 0xFF, 0x7F], 0).unwrap(), (u32::MAX, 5));
        assert_eq!(mb_u_int32(&[0x90, 0x80, 0x80, 0x80, 0x00], 0), Err(WbxmlError::IntegerTooLong { at: 0 }));
        assert_eq!(mb_u_int32(&[0x80; 6], 0), Err(WbxmlError::IntegerTooLong { at: 0 }));
        assert_eq!(mb_u_int32(&[0x81, 0x80], 0), Err(WbxmlError::Truncated { at: 2 }));
    }
}
