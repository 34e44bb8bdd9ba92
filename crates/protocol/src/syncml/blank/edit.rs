//! Changes to octets, collected while they are read and made afterwards.

use std::ops::Range;

/// What is to be written where something else stands.
#[derive(Debug, Default)]
pub(in crate::syncml) struct Edits {
    replaced: Vec<(Range<usize>, Vec<u8>)>,
    /// Written over octet by octet: strings of a table, whose offsets must stay.
    starred: Vec<Range<usize>>,
    texts: usize,
}

impl Edits {
    /// Counts one text, whatever number of places it has.
    pub(super) fn count(&mut self) {
        self.texts = self.texts.saturating_add(1);
    }

    pub(super) fn texts(&self) -> usize {
        self.texts
    }

    pub(super) fn replace(&mut self, span: Range<usize>, octets: Vec<u8>) {
        self.replaced.push((span, octets));
    }

    /// Makes stars of these octets, but for the zeros that end the strings of a table.
    pub(super) fn overwrite(&mut self, span: Range<usize>) {
        self.starred.push(span);
    }

    /// The first `cut` octets as they are to be. A change that begins before the end of another is part of it.
    pub(super) fn apply(&self, octets: &[u8], cut: usize) -> Vec<u8> {
        let mut base = octets.get(..cut).unwrap_or(octets).to_owned();
        for at in self.starred.iter().cloned().flatten() {
            if let Some(octet) = base.get_mut(at).filter(|octet| **octet != 0) {
                *octet = b'*';
            }
        }
        let mut replaced: Vec<_> = self.replaced.iter().filter(|(span, _)| span.end <= base.len()).collect();
        replaced.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut out = Vec::with_capacity(base.len());
        let mut at = 0;
        for (span, new) in replaced {
            if span.start < at {
                continue;
            }
            out.extend_from_slice(base.get(at..span.start).unwrap_or_default());
            out.extend_from_slice(new);
            at = span.end;
        }
        out.extend_from_slice(base.get(at..).unwrap_or_default());
        out
    }
}

/// Writes text in ISO-8859-1; what it does not have, as references.
pub(super) fn put_latin1(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(octet) => out.push(octet),
            Err(_) => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
        }
    }
}
