//! How the commands speak to people: tables that line up, texts of bounded length.

use std::fmt;

/// Rows under headings, each column as wide as its widest cell.
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { headings: headings.iter().map(|it| (*it).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row. What is in a cell may come from a device or a caller, so it is made [`printable`].
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = || std::iter::once(&self.headings).chain(&self.rows);
        let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.headings.len()).map(|column| width(column).unwrap_or(0)).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| -> fmt::Result {
            let last = cells.len().saturating_sub(1);
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                // No blanks after the last cell: they would wrap on a narrow terminal.
                if column == last { write!(f, "{cell}")? } else { write!(f, "{cell:width$}  ")? }
            }
            writeln!(f)
        };
        line(f, &self.headings)?;
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        line(f, &rule)?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// The text in at most `max` characters.
pub(crate) fn short(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// Text without anything that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\t' => ' ',
        it if is_obeyed(it) => '\u{FFFD}',
        it => it,
    };
    text.chars().map(shown).collect()
}

/// Whether a character ends the line, commands the terminal, or turns the direction of what follows.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What failed and why, outermost first. A layer that repeats the words of the one below it is told once.
pub(crate) fn reasons(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let cause = cause.trim_end();
        if !text.contains(cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text.push_str(colon);
            text.push_str(cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_neither_ends_its_line_nor_commands_the_terminal() {
        let mut table = Table::new(&["a", "b"]);
        table.row(["x\r\ny\u{1b}[2K".to_owned(), "\u{202e}z\u{9b}1m\u{2028}".to_owned()]);
        let text = table.to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| !line.chars().any(is_obeyed)), "{text:?}");
    }

    #[test]
    fn a_reason_is_told_once_though_two_layers_say_it() {
        let inner = anyhow::anyhow!("no such file\n");
        let error = inner.context("a.toml: no such file").context("cannot start");
        assert_eq!(reasons(&error), "cannot start: a.toml: no such file");
    }

    #[test]
    fn columns_line_up_and_lines_end_with_text() {
        let mut table = Table::new(&["task", "state"]);
        table.row(["1".into(), "SUCCEEDED".into()]);
        table.row(["long-name".into(), "é".into()]);
        assert_eq!(table.to_string(), "task       state\n─────────  ─────────\n1          SUCCEEDED\nlong-name  é\n");
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }
}
