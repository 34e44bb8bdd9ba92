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

/// Whether an octet cannot stand in character data as it is: control characters, mark-up, and the head of U+FFFE and
/// U+FFFF.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 0x20 {
        table[octet] = true;
        octet += 1;
    }
    table[b'\t' as usize] = false;
    table[b'\n' as usize] = false;
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[0xEF] = true;
    table
};

/// How many octets come before the first that cannot stand in character data as it is.
#[inline]
pub(super) fn plain_length(octets: &[u8]) -> usize {
    let (words, rest) = octets.as_chunks::<8>();
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let is = |word: u64, octet: u8| zero(word ^ ONES.wrapping_mul(u64::from(octet)));
    let special = |octet: &u8| SPECIAL.get(usize::from(*octet)).is_some_and(|it| *it);
    for (number, octets) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*octets);
        let control = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word & TOPS;
        // `<` is 0x3C and `>` is 0x3E: one bit apart. What is taken for one and is not is looked at octet by octet.
        let suspect = control | is(word, b'&') | is(word | ONES.wrapping_mul(2), b'>') | is(word, 0xEF);
        if suspect != 0
            && let Some(at) = octets.iter().position(special)
        {
            return number * 8 + at;
        }
    }
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
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
    fn octets_that_need_a_reference_are_found_at_any_place() {
        let plain: Vec<u8> =
            (0x20..=0xFF).chain([b'\t', b'\n']).filter(|it| !matches!(it, b'&' | b'<' | b'>' | 0xEF)).collect();
        assert_eq!(plain_length(&plain), plain.len());
        for octet in 0..=0xFF_u8 {
            for length in 1..20 {
                for at in 0..length {
                    let mut octets = vec![b'='; length];
                    octets[at] = octet;
                    let found = if plain.contains(&octet) { length } else { at };
                    assert_eq!(plain_length(&octets), found, "{octet:02x} at {at} of {length}");
                }
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
