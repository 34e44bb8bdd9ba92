//! Looking for octets, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// How many octets come before the first `a` or `b`; all of them where there is none.
#[inline]
pub(super) fn find_either(octets: &[u8], a: u8, b: u8) -> usize {
    let (words, rest) = octets.as_chunks::<8>();
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zero(word ^ ONES.wrapping_mul(u64::from(a))) | zero(word ^ ONES.wrapping_mul(u64::from(b)));
        if found != 0 {
            // The lowest mark is exact; only marks above a true one may be false.
            return number * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest.iter().position(|octet| *octet == a || *octet == b).unwrap_or(rest.len());
    words.len() * 8 + tail
}

/// How many octets come before the first zero, if there is one.
#[inline]
pub(crate) fn find_zero(octets: &[u8]) -> Option<usize> {
    let (words, rest) = octets.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = word.wrapping_sub(ONES) & !word & TOPS;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|octet| *octet == 0).map(|at| words.len() * 8 + at)
}

/// 1 for octets that may begin a name, 2 for those that may only continue one, 3 for the colon.
const NAME: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = 0_usize;
    while octet < 256 {
        let it = octet as u8;
        if it.is_ascii_alphabetic() || it == b'_' || it >= 0x80 {
            table[octet] = 1;
        } else if it.is_ascii_digit() || it == b'-' || it == b'.' {
            table[octet] = 2;
        } else if it == b':' {
            table[octet] = 3;
        }
        octet += 1;
    }
    table
};

/// Length of the name at the start of `octets`, 0 for none, and whether a colon is in it. The name must be followed
/// by what may follow it in a start tag.
#[inline]
pub(super) fn name_length(octets: &[u8]) -> (usize, bool) {
    let mut colon = false;
    for (length, octet) in octets.iter().enumerate() {
        match NAME.get(usize::from(*octet)) {
            Some(1) => {}
            Some(2 | 3) if length == 0 => return (0, false),
            Some(2) => {}
            Some(3) => colon = true,
            _ if matches!(octet, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n') => return (length, colon),
            _ => return (0, false),
        }
    }
    (0, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_two_octets_is_found_at_any_place() {
        for length in 0..40 {
            let plain = vec![b'='; length];
            assert_eq!(find_either(&plain, b'<', b'&'), length);
            for at in 0..length {
                for octet in [b'<', b'&'] {
                    let mut octets = plain.clone();
                    octets[at] = octet;
                    octets[length - 1] = if at == length - 1 { octet } else { b'<' };
                    assert_eq!(find_either(&octets, b'<', b'&'), at);
                }
            }
        }
        assert_eq!(find_either(&[0x3D, 0x3B, 0x27, 0x25, 0xBC, 0xA6, 0x80, 0xFF], b'<', b'&'), 8);
    }

    #[test]
    fn first_zero_is_found_at_any_place() {
        for length in 0..40 {
            assert_eq!(find_zero(&vec![0x01; length]), None);
            for at in 0..length {
                let mut octets = vec![0x80; length];
                octets[at] = 0;
                assert_eq!(find_zero(&octets), Some(at));
                octets[length - 1] = 0;
                assert_eq!(find_zero(&octets), Some(at));
            }
        }
    }

    #[test]
    fn names_end_where_a_start_tag_goes_on() {
        for (text, length) in
            [("a>", 1), ("a-1.b/", 5), ("ä b", 2), ("a:b>", 3), ("", 0), ("a", 0), ("1>", 0), ("a<", 0), (":>", 0)]
        {
            assert_eq!(name_length(text.as_bytes()).0, length, "{text}");
        }
        assert!(name_length(b"a:b>").1);
    }
}
