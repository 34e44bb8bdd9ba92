//! Text that stands for octets: hexadecimal in its many layouts, base64, and exports of Wireshark.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

/// How an input stands for octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// It is the octets.
    Binary,
    /// Hexadecimal digits: with or without spaces, colons, commas, `0x`, `\x`, offsets and a column of text.
    Hex,
    /// Base64, either alphabet.
    Base64,
    /// The YAML that Wireshark writes of a stream.
    Yaml,
}

/// Why text does not stand for octets in the way that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackingError {
    /// Something else than hexadecimal digits.
    #[error("line {line} is not hexadecimal")]
    NotHex {
        /// Line, from 1.
        line: usize,
    },
    /// A digit is missing or one is too many.
    #[error("line {line} has an odd number of hexadecimal digits")]
    OddDigits {
        /// Line, from 1.
        line: usize,
    },
    /// A dump that leaves equal lines out.
    #[error("line {line} stands for lines left out; dump without leaving any out (hexdump -v)")]
    Squeezed {
        /// Line, from 1.
        line: usize,
    },
    /// Not base64.
    #[error("text is not base64")]
    NotBase64,
    /// No `!!binary` in it.
    #[error("text has no !!binary as Wireshark's YAML has")]
    NotYaml,
    /// Not even text.
    #[error("input is not text")]
    NotText,
}

/// Octets, and how they were found.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) packing: Packing,
    pub(super) octets: Vec<u8>,
    /// The lines of hexadecimal input one by one, if there are several.
    pub(super) lines: Vec<Vec<u8>>,
}

/// Takes the packing off: the one given, or the one that the text looks like.
pub(super) fn unpack(input: &[u8], packing: Option<Packing>) -> Result<Unpacked, PackingError> {
    let one = |packing, octets| Unpacked { packing, octets, lines: Vec::new() };
    let text = || std::str::from_utf8(input).map_err(|_| PackingError::NotText);
    match packing {
        Some(Packing::Binary) => Ok(one(Packing::Binary, input.to_vec())),
        Some(Packing::Hex) => hex(text()?),
        Some(Packing::Base64) => Ok(one(Packing::Base64, base64(text()?)?)),
        Some(Packing::Yaml) => Ok(one(Packing::Yaml, yaml(text()?)?)),
        None => Ok(guess(input)),
    }
}

fn guess(input: &[u8]) -> Unpacked {
    let binary = || Unpacked { packing: Packing::Binary, octets: input.to_vec(), lines: Vec::new() };
    let trimmed = input.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(input).trim_ascii();
    let printable = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    if trimmed.is_empty() || trimmed.starts_with(b"<") || super::http::begins(trimmed) {
        return binary();
    }
    let Ok(text) = std::str::from_utf8(trimmed) else { return binary() };
    if let Ok(octets) = yaml(text) {
        return Unpacked { packing: Packing::Yaml, octets, lines: Vec::new() };
    }
    // The text beside a dump may hold any character, the dump itself none but these.
    if let Ok(unpacked) = hex(text) {
        return unpacked;
    }
    if trimmed.iter().all(printable)
        && let Ok(octets) = base64(text)
    {
        return Unpacked { packing: Packing::Base64, octets, lines: Vec::new() };
    }
    binary()
}

/// The octets of base64 in either alphabet, with white space, with or without padding.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, PackingError> {
    let standard = |character| match character {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let text: String = text.split_ascii_whitespace().flat_map(str::chars).map(standard).collect();
    if text.is_empty() {
        return Err(PackingError::NotBase64);
    }
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(text).map_err(|_| PackingError::NotBase64)
}

/// Each `!!binary |` is followed by lines of base64 that are further in.
fn yaml(text: &str) -> Result<Vec<u8>, PackingError> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut octets = Vec::new();
    let mut found = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, after)) = line.split_once("!!binary") else { continue };
        found = true;
        let mut block = after.trim().trim_matches(['|', '"', '\'']).to_owned();
        while let Some(next) = lines.next_if(|next| !next.trim().is_empty() && indent(next) > indent(line)) {
            block.push_str(next.trim());
        }
        if !block.is_empty() {
            octets.extend(base64(&block)?);
        }
    }
    if found { Ok(octets) } else { Err(PackingError::NotYaml) }
}

fn hex(text: &str) -> Result<Unpacked, PackingError> {
    let pieces = if text.contains("0x") || text.contains("0X") || text.contains("\\x") {
        vec![prefixed(text)?]
    } else if is_dump(text) {
        vec![dump(text)?]
    } else {
        plain(text)?
    };
    let octets = pieces.concat();
    if octets.is_empty() {
        return Err(PackingError::NotHex { line: 1 });
    }
    let lines = if pieces.len() > 1 { pieces } else { Vec::new() };
    Ok(Unpacked { packing: Packing::Hex, octets, lines })
}

/// Digits with white space, colons, commas, hyphens or dots between them; each line for itself.
fn plain(text: &str) -> Result<Vec<Vec<u8>>, PackingError> {
    let mut lines = Vec::new();
    let mut odd = None;
    let mut all = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let separator = |it: char| it.is_whitespace() || matches!(it, ':' | ',' | '-' | '.' | ';');
        let digits: String = line.split(separator).collect();
        if !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(PackingError::NotHex { line: number });
        }
        if digits.is_empty() {
            continue;
        }
        all.push_str(&digits);
        if digits.len() % 2 == 1 {
            odd = Some(number);
        }
        lines.push(octets(&digits));
    }
    // Lines may break anywhere, even inside an octet.
    match odd {
        None => Ok(lines),
        Some(_) if all.len().is_multiple_of(2) => Ok(vec![octets(&all)]),
        Some(line) => Err(PackingError::OddDigits { line }),
    }
}

/// An even number of digits as octets.
fn octets(digits: &str) -> Vec<u8> {
    let value = |octet: u8| char::from(octet).to_digit(16).map_or(0, |digit| digit as u8);
    digits.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | value(*digit))).collect()
}

/// Octets written `0x1F` or `\x1F`, whatever stands between them: source text of programs. A `0x` before more digits is
/// the beginning of a plain run.
fn prefixed(text: &str) -> Result<Vec<u8>, PackingError> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(without_comments(text).lines()) {
        let mut rest = line;
        while let Some(at) = rest.find(['x', 'X']) {
            let before = rest.get(..at).and_then(|before| before.chars().next_back());
            rest = rest.get(at + 1..).unwrap_or_default();
            if !matches!(before, Some('0' | '\\')) {
                continue;
            }
            let length = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            let (digits, after) = rest.split_at_checked(length).unwrap_or_default();
            match length {
                1 => found.extend(octets(&format!("0{digits}"))),
                _ if length.is_multiple_of(2) => found.extend(octets(digits)),
                _ => return Err(PackingError::OddDigits { line: number }),
            }
            rest = after;
        }
    }
    Ok(found)
}

fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    kept + rest
}

/// A line of a dump: how far in it begins, its offset, what follows.
fn dump_line(line: &str) -> Option<(usize, usize, &str)> {
    let trimmed = line.trim_start();
    let digits = trimmed.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (offset, rest) = trimmed.split_at_checked(digits)?;
    let offset_value = usize::from_str_radix(offset, 16).ok()?;
    let after = match rest.strip_prefix(':') {
        Some(after) => after,
        // Without a colon, only groups of two digits tell an offset from a group of four.
        None => {
            let first = rest.split_whitespace().next().unwrap_or_default();
            if !first.is_empty() && (first.len() != 2 || !rest.starts_with([' ', '\t'])) {
                return None;
            }
            rest
        }
    };
    (4..=16).contains(&digits).then_some((line.len() - trimmed.len(), offset_value, after))
}

/// Whether each line begins with an offset, the first with 0.
fn is_dump(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().and_then(dump_line);
    first.is_some_and(|(_, offset, after)| offset == 0 && !after.trim().is_empty())
        && lines.all(|line| line.trim() == "*" || dump_line(line).is_some())
}

/// Octets on a line of every program that dumps.
const DUMP_OCTETS_MAX: usize = 16;

fn dump(text: &str) -> Result<Vec<u8>, PackingError> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim() == "*" {
            return Err(PackingError::Squeezed { line: number });
        }
        let Some((_, _, mut rest)) = dump_line(line) else { continue };
        let mut read = 0;
        while read < DUMP_OCTETS_MAX {
            let trimmed = rest.trim_start();
            let gap = rest.len() - trimmed.len();
            // Two spaces stand in the middle of a line and before the column of text.
            let over = read > 0 && gap > 1 && !(gap == 2 && read == 8);
            let digits = trimmed.bytes().take_while(u8::is_ascii_hexdigit).count();
            let (group, after) = trimmed.split_at_checked(digits).unwrap_or_default();
            let whole = after.is_empty() || after.starts_with(char::is_whitespace);
            if over || digits == 0 || digits % 2 == 1 || !whole || read + digits / 2 > DUMP_OCTETS_MAX {
                break;
            }
            found.extend(octets(group));
            read += digits / 2;
            rest = after;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn guessed(text: &str) -> (Packing, Vec<u8>) {
        let unpacked = unpack(text.as_bytes(), None).unwrap();
        (unpacked.packing, unpacked.octets)
    }

    #[test]
    fn hexadecimal_is_read_in_the_layouts_of_programs() {
        for text in [
            "02a4016a00",
            "02 A4 01 6a 00",
            "02:a4:01:6a:00",
            "02,a4,01\n6a 00\n",
            "02a\n4016a00",
            "0x02, 0xa4, 0x01, 0x6a, 0x00",
            "0x02A4016A00",
            "\\x02\\xa4\\x01\\x6a\\x00",
            "char peer0_0[] = { /* Packet 0x44 */\n0x02, 0xa4, 0x1,\n0x6a, 0x0 };",
            "00000000: 02a4 016a 00                             ...j.",
            "00000000  02 a4 01 6a 00                                    |...j.|\n00000005",
            "0000   02 a4 01 6a 00                                     ...j.",
            "0000000 02 a4 01 6a 00\n0000005",
        ] {
            assert_eq!(guessed(text), (Packing::Hex, vec![0x02, 0xA4, 0x01, 0x6A, 0x00]), "{text}");
        }
    }

    #[test]
    fn the_column_of_text_beside_a_dump_is_not_taken_for_octets() {
        let expected = b"ab cd ef 01 23 45beef".to_vec();
        for text in [
            "00000000: 6162 2063 6420 6566 2030 3120 3233 2034  ab cd ef 01 23 4\n00000010: 3562 6565 66                             5beef\n",
            "00000000  61 62 20 63 64 20 65 66  20 30 31 20 32 33 20 34   ab cd ef  01 23 4\n00000010  35 62 65 65 66                                     5beef",
            "00000000  61 62 20 63 64 20 65 66  20 30 31 20 32 33 20 34  |ab cd ef 01 23 4|\n00000010  35 62 65 65 66                                    |5beef|\n00000015",
            "    00000000  61 62 20 63 64 20 65 66                            ab cd ef\n00000000  20 30 31 20 32 33 20 34                             01 23 4\n    00000008  35 62 65 65 66       5beef",
        ] {
            assert_eq!(guessed(text), (Packing::Hex, expected.clone()), "{text}");
        }
    }

    #[test]
    fn lines_of_hexadecimal_are_also_given_one_by_one() {
        let unpacked = unpack(b"0605\n\n0b 00\n", None).unwrap();
        assert_eq!(unpacked.octets, [6, 5, 0x0B, 0]);
        assert_eq!(unpacked.lines, [vec![6, 5], vec![0x0B, 0]]);
        assert!(unpack(b"0605", None).unwrap().lines.is_empty());
    }

    #[test]
    fn base64_and_exports_of_streams_are_read() {
        assert_eq!(guessed("AqQBagA="), (Packing::Base64, vec![0x02, 0xA4, 0x01, 0x6A, 0x00]));
        assert_eq!(guessed("AqQB\r\nagA"), (Packing::Base64, vec![0x02, 0xA4, 0x01, 0x6A, 0x00]));
        assert_eq!(guessed("_-7d"), (Packing::Base64, vec![0xFF, 0xEE, 0xDD]));
        let new = "peers:\n  - peer: 0\npackets:\n  - packet: 4\n    data: !!binary |\n      UE9T\n      VCAv\n  - packet: 5\n    data: !!binary |\n      SFRUUA==\n";
        assert_eq!(guessed(new), (Packing::Yaml, b"POST /HTTP".to_vec()));
        let old = "# Packet 4\npeer0_0: !!binary |\n  UE9T\n# Packet 6\npeer1_0: !!binary |\n  SFRUUA==\n";
        assert_eq!(guessed(old), (Packing::Yaml, b"POSHTTP".to_vec()));
    }

    #[test]
    fn octets_markup_and_requests_are_taken_as_they_are() {
        for input in [
            &b"\x02\xA4\x01"[..],
            b"<SyncML/>",
            b" \n<a/>",
            b"\xEF\xBB\xBF<a/>",
            b"POST /dm HTTP/1.1\r\n",
            b"HTTP/1.1 200 OK",
            b"",
            b"What is this?",
        ] {
            assert_eq!(unpack(input, None).unwrap().packing, Packing::Binary, "{input:?}");
        }
    }

    #[test]
    fn what_was_asked_for_and_is_not_there_is_told() {
        let refused = |text: &[u8], packing| unpack(text, Some(packing)).map(|_| ()).unwrap_err();
        assert_eq!(refused(b"02 a4\nxx", Packing::Hex), PackingError::NotHex { line: 2 });
        assert_eq!(refused(b"02 a4\n012", Packing::Hex), PackingError::OddDigits { line: 2 });
        assert_eq!(refused(b"0x02,\n0x123", Packing::Hex), PackingError::OddDigits { line: 2 });
        assert_eq!(refused(b"", Packing::Hex), PackingError::NotHex { line: 1 });
        let squeezed = b"00000000  00 00\n*\n00000020  00";
        assert_eq!(refused(squeezed, Packing::Hex), PackingError::Squeezed { line: 2 });
        assert_eq!(refused(b"%%%%", Packing::Base64), PackingError::NotBase64);
        assert_eq!(refused(b"a: b", Packing::Yaml), PackingError::NotYaml);
        assert_eq!(refused(b"\xFF", Packing::Hex), PackingError::NotText);
    }
}
