//! Records of comma-separated values, out of octets that arrive piece by piece.
//!
//! Source: RFC 4180. Taken besides: line feeds without carriage returns, and quotes inside a cell that does not begin
//! with one.

use std::borrow::Cow;

/// The cells of one record, as places in the octets it was read from.
#[derive(Debug, Default)]
pub(super) struct Cells {
    places: Vec<Place>,
    /// What is wrong with the form of the record, if something is.
    pub(super) problem: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    begin: usize,
    end: usize,
    /// Whether quotes stand doubled in it.
    is_doubled: bool,
}

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Octets of it, with the end of its line.
    pub(super) octets: usize,
    /// Lines it takes.
    pub(super) lines: u64,
}

impl Cells {
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// Whether the record is an empty line.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.places.as_slice(), [only] if only.begin == only.end) && self.problem.is_none()
    }

    /// The octets of each cell; `octets` are those the record was read from.
    pub(super) fn of<'o>(&self, octets: &'o [u8]) -> impl Iterator<Item = Cow<'o, [u8]>> {
        self.places.iter().map(|place| {
            let cell = octets.get(place.begin..place.end).unwrap_or_default();
            if place.is_doubled { Cow::Owned(singled(cell)) } else { Cow::Borrowed(cell) }
        })
    }

    fn push(&mut self, begin: usize, end: usize, is_doubled: bool) {
        self.places.push(Place { begin, end, is_doubled });
    }
}

fn singled(cell: &[u8]) -> Vec<u8> {
    let mut single = Vec::with_capacity(cell.len());
    let mut is_second = false;
    for octet in cell {
        is_second = *octet == b'"' && !is_second;
        if !is_second {
            single.push(*octet);
        }
    }
    // Of each pair the second quote was kept, and the first passed over.
    single
}

/// Finds the record that begins `octets`. Nothing if its end has not arrived; with `is_whole` nothing more arrives.
pub(super) fn record(octets: &[u8], is_whole: bool, cells: &mut Cells) -> Option<Found> {
    cells.places.clear();
    cells.problem = None;
    let mut at = 0;
    loop {
        let cell = match octets.get(at) {
            Some(b'"') => quoted(octets, at, is_whole, cells)?,
            _ => bare(octets, at, is_whole, cells)?,
        };
        match cell {
            Next::Cell(next) => at = next,
            Next::End(end) => {
                let lines = octets.get(..end)?.iter().filter(|octet| **octet == b'\n').count();
                // The last line may lack its end.
                return Some(Found { octets: end, lines: u64::try_from(lines).unwrap_or(u64::MAX).max(1) });
            }
        }
    }
}

/// What follows a cell.
enum Next {
    /// Another one, beginning here.
    Cell(usize),
    /// The next record, or the end of everything.
    End(usize),
}

fn bare(octets: &[u8], begin: usize, is_whole: bool, cells: &mut Cells) -> Option<Next> {
    let rest = octets.get(begin..)?;
    match rest.iter().position(|octet| matches!(octet, b',' | b'\n')) {
        Some(length) => {
            let end = begin + length;
            if octets.get(end) == Some(&b',') {
                cells.push(begin, end, false);
                return Some(Next::Cell(end + 1));
            }
            let has_return = length > 0 && octets.get(end - 1) == Some(&b'\r');
            cells.push(begin, if has_return { end - 1 } else { end }, false);
            Some(Next::End(end + 1))
        }
        None if is_whole => {
            let end = octets.len();
            let has_return = end > begin && octets.last() == Some(&b'\r');
            cells.push(begin, if has_return { end - 1 } else { end }, false);
            Some(Next::End(end))
        }
        None => None,
    }
}

fn quoted(octets: &[u8], begin: usize, is_whole: bool, cells: &mut Cells) -> Option<Next> {
    let first = begin + 1;
    let (mut at, mut is_doubled) = (first, false);
    let end = loop {
        let Some(length) = octets.get(at..)?.iter().position(|octet| *octet == b'"') else {
            if !is_whole {
                return None;
            }
            cells.problem = Some("a quote is opened and not closed");
            cells.push(first, octets.len(), is_doubled);
            return Some(Next::End(octets.len()));
        };
        let quote = at + length;
        match octets.get(quote + 1) {
            Some(b'"') => (at, is_doubled) = (quote + 2, true),
            // The next octet may be a quote.
            None if !is_whole => return None,
            _ => break quote,
        }
    };
    cells.push(first, end, is_doubled);
    match (octets.get(end + 1), octets.get(end + 2)) {
        (None, _) => Some(Next::End(octets.len())),
        (Some(b','), _) => Some(Next::Cell(end + 2)),
        (Some(b'\n'), _) => Some(Next::End(end + 2)),
        (Some(b'\r'), Some(b'\n')) => Some(Next::End(end + 3)),
        (Some(b'\r'), None) if is_whole => Some(Next::End(octets.len())),
        (Some(b'\r'), None) => None,
        _ => {
            cells.problem = Some("text stands behind a closing quote; a quote inside a quoted cell is doubled");
            // Where the record goes on is clear nevertheless.
            let places = cells.places.len();
            let next = bare(octets, end + 1, is_whole, cells);
            cells.places.truncate(places);
            next
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    /// Every record of a text: its cells, and what is wrong with it.
    fn read(text: &str) -> Vec<(Vec<String>, Option<&'static str>)> {
        let (mut octets, mut cells, mut all) = (text.as_bytes(), Cells::default(), Vec::new());
        while !octets.is_empty() {
            let found = record(octets, true, &mut cells).unwrap();
            let texts = cells.of(octets).map(|cell| String::from_utf8(cell.into_owned()).unwrap()).collect();
            all.push((texts, cells.problem));
            octets = &octets[found.octets..];
        }
        all
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        read(text)
            .into_iter()
            .map(|(cells, problem)| {
                assert_eq!(problem, None, "{cells:?}");
                cells
            })
            .collect()
    }

    #[test]
    fn cells_are_parted_by_commas_and_records_by_lines() {
        assert_eq!(cells("a,b\r\nc,\n,d"), [["a", "b"], ["c", ""], ["", "d"]]);
        assert_eq!(cells("a,b\n"), [["a", "b"]]);
        assert_eq!(cells("a,"), [["a", ""]]);
        assert_eq!(cells("a\r"), [["a"]]);
        assert_eq!(cells("\n"), [[""]]);
    }

    #[test]
    fn a_quoted_cell_holds_commas_lines_and_doubled_quotes() {
        assert_eq!(
            cells("\"a,b\",\"c\r\nd\",\"say \"\"so\"\"\"\r\ne,f,g"),
            [["a,b", "c\r\nd", "say \"so\""], ["e", "f", "g"]]
        );
        assert_eq!(cells("\"\",\"\"\"\""), [["", "\""]]);
        // A quote elsewhere than at the beginning is a character as any other.
        assert_eq!(cells("5\" screen,b"), [["5\" screen", "b"]]);
    }

    #[test]
    fn a_record_of_another_form_is_told_and_the_next_one_is_found() {
        let all = read("\"a\"b,c\nd,e\n\"f");
        assert_eq!(
            all[0],
            (
                vec!["a".into(), "c".into()],
                Some("text stands behind a closing quote; a quote inside a quoted cell is doubled")
            )
        );
        assert_eq!(all[1], (vec!["d".into(), "e".into()], None));
        assert_eq!(all[2], (vec!["f".into()], Some("a quote is opened and not closed")));
    }

    #[test]
    fn lines_are_counted_also_inside_quotes() {
        let mut cells = Cells::default();
        assert_eq!(record(b"\"a\nb\"\nc", false, &mut cells), Some(Found { octets: 6, lines: 2 }));
        assert_eq!(record(b"c", true, &mut cells), Some(Found { octets: 1, lines: 1 }));
    }

    #[test]
    fn a_record_cut_anywhere_is_waited_for_and_then_the_same() {
        let text = b"\"a\"\"b\",c\r\n";
        let mut cells = Cells::default();
        for length in 0..text.len() {
            assert_eq!(record(&text[..length], false, &mut cells), None, "{length}");
        }
        assert_eq!(record(text, false, &mut cells), Some(Found { octets: text.len(), lines: 1 }));
        assert_eq!(cells.of(text).collect::<Vec<_>>(), [&b"a\"b"[..], b"c"]);
    }
}
