//! Rows out of octets that arrive piece by piece. No row takes more memory than [`ROW_OCTETS_MAX`] before it is read.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::DeviceFields;
use muster_protocol::limits::Limits;

use super::columns::Columns;
use super::csv::{self, Cells};
use crate::contract::device_manager::DeviceInstance;
use crate::contract::{JsonNotRead, Node, Path, Record as _};
use crate::convert::device_manager::device_fields;

/// Most octets of a row: many times what a record with every field and attribute can hold.
pub(super) const ROW_OCTETS_MAX: usize = 256 << 10;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON object in each line.
    NdJson,
}

/// A row, read.
#[derive(Debug)]
pub(super) struct Row {
    /// Position, from 0; the header row is none.
    pub(super) index: u64,
    /// Line that it begins in, from 1.
    pub(super) line: u64,
    /// The record, or why it is none.
    pub(super) fields: Result<DeviceFields, Fault>,
}

/// What was found next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and taken apart at once: a box would cost more")]
pub(super) enum Next {
    /// A row.
    Row(Row),
    /// A row before the wanted one, which was not read.
    Passed,
    /// Nothing until more octets arrive, or at the end.
    Nothing,
}

/// Reads rows.
pub(super) struct Reader {
    format: Format,
    octets: Vec<u8>,
    /// What of `octets` has been read.
    begin: usize,
    is_whole: bool,
    /// The rest of a row that is too long is passed over.
    is_passing: bool,
    /// Whether a byte order mark may still come.
    is_beginning: bool,
    columns: Option<Columns>,
    /// The header row, as it stands.
    form: Vec<u8>,
    cells: Cells,
    index: u64,
    line: u64,
}

impl Reader {
    /// A reader of rows, of which the first has the position `index`.
    pub(super) fn new(format: Format, index: u64) -> Self {
        Self {
            format,
            octets: Vec::new(),
            begin: 0,
            is_whole: false,
            is_passing: false,
            is_beginning: true,
            columns: None,
            form: Vec::new(),
            cells: Cells::default(),
            index,
            line: 1,
        }
    }

    /// Takes octets.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        // What was read is dropped only when the rest is short: to move it costs time.
        if self.begin > 0 && self.octets.len().saturating_sub(self.begin) <= self.begin {
            self.octets.drain(..self.begin);
            self.begin = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// Nothing more arrives.
    pub(super) fn end(&mut self) {
        self.is_whole = true;
    }

    /// Whether nothing more arrives.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What the rows of this body have in common: the header row of a table.
    pub(super) fn form(&self) -> &[u8] {
        &self.form
    }

    /// Position that the next row will have.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// Reads what stands before the rows; false if more octets are needed for that.
    ///
    /// # Errors
    /// `InvalidArgument`, `MissingArgument`, `MalformedMessage`: these are no rows, or not of known columns.
    pub(super) fn begin(&mut self) -> Result<bool, Fault> {
        if self.is_beginning {
            let rest = self.octets.get(self.begin..).unwrap_or_default();
            if rest.len() < MARK.len() && !self.is_whole {
                return Ok(false);
            }
            if rest.starts_with(&[0xFF, 0xFE]) || rest.starts_with(&[0xFE, 0xFF]) {
                return Err(malformed("the file is UTF-16; save it as UTF-8"));
            }
            if rest.starts_with(MARK) {
                self.begin += MARK.len();
            }
            self.is_beginning = false;
        }
        if self.format == Format::NdJson || self.columns.is_some() {
            return Ok(true);
        }
        let rest = self.octets.get(self.begin..).unwrap_or_default();
        if rest.is_empty() && self.is_whole {
            return Err(malformed("there is no header row"));
        }
        let Some(found) = csv::record(rest, self.is_whole, &mut self.cells) else {
            if rest.len() > ROW_OCTETS_MAX {
                return Err(malformed("the header row has no end; is this a table of comma-separated values?"));
            }
            return Ok(false);
        };
        let header = rest.get(..found.octets).unwrap_or_default();
        self.columns = Some(Columns::read(&self.cells, header)?);
        self.form = header.trim_ascii_end().to_vec();
        self.begin += found.octets;
        self.line += found.lines;
        Ok(true)
    }

    /// The next row. One before position `wanted` is passed over without being read.
    pub(super) fn next(&mut self, wanted: u64) -> Next {
        loop {
            if self.is_passing && !self.pass() {
                return Next::Nothing;
            }
            let rest = self.octets.get(self.begin..).unwrap_or_default();
            if rest.is_empty() {
                return Next::Nothing;
            }
            let found = match self.format {
                Format::Csv => csv::record(rest, self.is_whole, &mut self.cells),
                Format::NdJson => line(rest, self.is_whole),
            };
            let found = match found {
                Some(found) if found.octets <= ROW_OCTETS_MAX => found,
                None if rest.len() <= ROW_OCTETS_MAX => return Next::Nothing,
                // Its end is not where it seems to be, or far away.
                Some(_) | None => return self.too_long(wanted),
            };
            let octets = rest.get(..found.octets).unwrap_or_default();
            let is_blank = match self.format {
                Format::Csv => self.cells.is_blank(),
                Format::NdJson => octets.trim_ascii().is_empty(),
            };
            let (index, line) = (self.index, self.line);
            self.begin += found.octets;
            self.line += found.lines;
            if is_blank {
                continue;
            }
            self.index += 1;
            if index < wanted {
                return Next::Passed;
            }
            let begin = self.begin - found.octets;
            let octets = self.octets.get(begin..self.begin).unwrap_or_default();
            let fields = match (self.format, &self.columns) {
                (Format::Csv, Some(columns)) => columns.fields(&self.cells, octets),
                (Format::Csv, None) => Err(malformed("there is no header row")),
                (Format::NdJson, _) => object(octets),
            };
            return Next::Row(Row { index, line, fields });
        }
    }

    /// A row is longer than any can be. If a quote was not closed, the next row begins with the next line.
    fn too_long(&mut self, wanted: u64) -> Next {
        let (index, line) = (self.index, self.line);
        self.index += 1;
        self.is_passing = true;
        if index < wanted {
            return Next::Passed;
        }
        let text = format!("the row has more than {ROW_OCTETS_MAX} octets; is a quote opened and not closed?");
        Next::Row(Row { index, line, fields: Err(Fault::new(FaultName::RequestTooLarge, text).with(ROW_OCTETS_MAX)) })
    }

    /// Goes on to the next line; false if it has not arrived.
    fn pass(&mut self) -> bool {
        let rest = self.octets.get(self.begin..).unwrap_or_default();
        match rest.iter().position(|octet| *octet == b'\n') {
            Some(at) => {
                self.begin += at + 1;
                self.line += 1;
                self.is_passing = false;
                true
            }
            None => {
                self.octets.clear();
                self.begin = 0;
                false
            }
        }
    }
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

fn malformed(text: &str) -> Fault {
    Fault::new(FaultName::MalformedMessage, text)
}

fn line(octets: &[u8], is_whole: bool) -> Option<csv::Found> {
    match octets.iter().position(|octet| *octet == b'\n') {
        Some(at) => Some(csv::Found { octets: at + 1, lines: 1 }),
        None if is_whole => Some(csv::Found { octets: octets.len(), lines: 1 }),
        None => None,
    }
}

/// A record from a JSON object.
fn object(octets: &[u8]) -> Result<DeviceFields, Fault> {
    let node = Node::read(octets, &Limits::WSI).map_err(|error| match error {
        JsonNotRead::TooLarge { what, max } => {
            Fault::new(FaultName::RequestTooLarge, format!("the row exceeds the limit of {max} {what}"))
                .with(what)
                .with(max)
        }
        JsonNotRead::Malformed(why) => malformed(&format!("the row is not well-formed JSON: {why}")),
    })?;
    device_fields(DeviceInstance::read_fields(&node, &Path::ROOT)?, "deviceInstance")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    /// Reads a text in pieces of `size` octets; each row as its place and its device identifier or fault.
    fn read(format: Format, octets: &[u8], size: usize, wanted: u64) -> Result<Vec<(u64, u64, String)>, Fault> {
        let mut reader = Reader::new(format, 0);
        let (mut rows, mut has_begun) = (Vec::new(), false);
        let mut pieces = octets.chunks(size);
        loop {
            match pieces.next() {
                Some(piece) => reader.feed(piece),
                None => reader.end(),
            }
            has_begun = has_begun || reader.begin()?;
            loop {
                let next = if has_begun { reader.next(wanted) } else { Next::Nothing };
                match next {
                    Next::Row(Row { index, line, fields }) => {
                        let told = fields.map_or_else(
                            |fault| fault.name.as_str().to_owned(),
                            |fields| fields.device_id.map(|id| id.to_string()).unwrap_or_default(),
                        );
                        rows.push((index, line, told));
                    }
                    Next::Passed => {}
                    Next::Nothing => break,
                }
            }
            assert!(reader.octets.len() <= 2 * (ROW_OCTETS_MAX + size) + size, "{}", reader.octets.len());
            if reader.is_whole {
                return Ok(rows);
            }
        }
    }

    fn told(rows: &[(u64, u64, String)]) -> Vec<(u64, u64, &str)> {
        rows.iter().map(|(index, line, told)| (*index, *line, told.as_str())).collect()
    }

    const TABLE: &[u8] = b"\xEF\xBB\xBFdeviceID,attribute.note\r\nA,\r\n\r\nB,\"two\nlines\"\nC,x,y\n\"D\",";

    #[test]
    fn a_table_reads_the_same_however_it_arrives() {
        let expected = [(0, 2, "A"), (1, 4, "B"), (2, 6, "InvalidArgument"), (3, 7, "D")];
        for size in 1..TABLE.len() {
            assert_eq!(told(&read(Format::Csv, TABLE, size, 0).unwrap()), expected, "{size}");
        }
        assert_eq!(told(&read(Format::Csv, TABLE, 7, 2).unwrap()), expected[2..]);
    }

    #[test]
    fn objects_read_the_same_however_they_arrive() {
        let text = b"\xEF\xBB\xBF{\"deviceID\":\"A\"}\r\n\n{\"deviceID\":7}\n{\n[]\n{\"deviceID\":\"B\",\"colour\":1}\n{\"deviceID\":\"C\"}";
        let expected = [
            (0, 1, "A"),
            (1, 3, "InvalidArgument"),
            (2, 4, "MalformedMessage"),
            (3, 5, "InvalidArgument"),
            (4, 6, "InvalidArgument"),
            (5, 7, "C"),
        ];
        for size in 1..text.len() {
            assert_eq!(told(&read(Format::NdJson, text, size, 0).unwrap()), expected, "{size}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_a_row_and_not_the_rest() {
        let mut text = b"deviceID,model\nA,\"open\n".to_vec();
        let rows = 2 * ROW_OCTETS_MAX / 16;
        for row in 0..rows {
            text.extend_from_slice(format!("MEID:{row:08X},One\n").as_bytes());
        }
        let read = read(Format::Csv, &text, 8192, 0).unwrap();
        assert_eq!(told(&read[..2]), [(0, 2, "RequestTooLarge"), (1, 3, "MEID:00000000")]);
        assert_eq!(read.len(), rows + 1);
    }

    #[test]
    fn a_giant_row_is_passed_over_without_being_kept() {
        for format in [Format::Csv, Format::NdJson] {
            let mut text = b"deviceID\n".to_vec();
            if format == Format::NdJson {
                text.clear();
            }
            text.resize(text.len() + 20 * ROW_OCTETS_MAX, b'x');
            let last: &[u8] = if format == Format::Csv { b"\nB" } else { b"\n{\"deviceID\":\"B\"}" };
            text.extend_from_slice(last);
            let read = read(format, &text, 4096, 0).unwrap();
            let line = if format == Format::Csv { 2 } else { 1 };
            assert_eq!(told(&read), [(0, line, "RequestTooLarge"), (1, line + 1, "B")]);
        }
    }

    #[test]
    fn other_encodings_are_told() {
        for octets in [&b"\xFF\xFEd\0e\0"[..], b"\xFE\xFF\0d"] {
            let fault = read(Format::Csv, octets, 3, 0).unwrap_err();
            assert!(fault.text.contains("UTF-16"), "{fault}");
        }
        // Latin-1 in a single row is a matter of that row.
        let rows = read(Format::Csv, b"deviceID,model\nA,Caf\xE9\nB,ok", 5, 0).unwrap();
        assert_eq!(told(&rows), [(0, 2, "InvalidArgument"), (1, 3, "B")]);
        let rows = read(Format::NdJson, b"{\"deviceID\":\"A\xE9\"}\n{\"deviceID\":\"B\"}", 5, 0).unwrap();
        assert_eq!(told(&rows), [(0, 1, "MalformedMessage"), (1, 2, "B")]);
    }

    #[test]
    fn a_table_without_header_is_none() {
        for text in [&b""[..], b"\xEF\xBB\xBF"] {
            assert_eq!(read(Format::Csv, text, 1, 0).unwrap_err().name, FaultName::MalformedMessage);
        }
        for endless in [b'"', b'x', b','] {
            let text = vec![endless; ROW_OCTETS_MAX + 4096];
            assert_eq!(read(Format::Csv, &text, 4096, 0).unwrap_err().name, FaultName::MalformedMessage);
        }
        assert_eq!(read(Format::NdJson, b"", 1, 0).unwrap().len(), 0);
    }

    proptest::proptest! {
        /// Whatever is sent: it is read without a panic, the same however it arrives, and in little memory.
        #[test]
        fn anything_reads_the_same_in_one_piece_and_in_many(
            body in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::strategy::Just(b'"'),
                    proptest::strategy::Just(b','),
                    proptest::strategy::Just(b'\n'),
                    proptest::strategy::Just(b'\r'),
                    proptest::strategy::Just(b'{'),
                    proptest::num::u8::ANY,
                ],
                0..300,
            ),
            size in 1_usize..20,
        ) {
            let table = [b"deviceID,model\n", body.as_slice()].concat();
            let rows = read(Format::Csv, &table, table.len(), 0).unwrap();
            proptest::prop_assert_eq!(&read(Format::Csv, &table, size, 0).unwrap(), &rows);
            proptest::prop_assert!(rows.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0 && pair[0].1 < pair[1].1));
            for octets in [&body, &table] {
                let whole = read(Format::NdJson, octets, octets.len().max(1), 0).map_err(|fault| fault.name);
                proptest::prop_assert_eq!(read(Format::NdJson, octets, size, 0).map_err(|fault| fault.name), whole);
                let whole = read(Format::Csv, octets, octets.len().max(1), 0).map_err(|fault| fault.name);
                proptest::prop_assert_eq!(read(Format::Csv, octets, size, 0).map_err(|fault| fault.name), whole);
            }
        }
    }
}
