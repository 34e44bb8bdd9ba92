//! Documents inside texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::marked::{Marked as _, Step, WbxmlMarked, XmlMarked};
use super::walk::Walk;
use super::{Known, wbxml};
use crate::limits::Limits;
use crate::wbxml::PublicId;

/// Documents inside documents that are looked into; what is deeper is blanked.
const DEPTH_MAX: usize = 4;
/// Number of the document type of client provisioning, whose secrets are attribute values of WBXML.
///
/// Source: OMA Client Provisioning 1.1, "WBXML Encoding".
const PROV: u32 = 0x0B;
/// Number of a document type that is not told.
const UNKNOWN: u32 = 0x01;

/// What is to become of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// The text without its secrets, and how many they were.
    Replace(Vec<u8>, usize),
    Blank,
}

/// Looks into a text: it may be a document in XML or WBXML, plain or as base64.
pub(super) fn judge(text: &[u8], known: &Known<'_>, limits: &Limits, depth: usize) -> Verdict {
    let known = &Known { continues: false, ..*known };
    if let Ok(text) = std::str::from_utf8(text) {
        let begins = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
        if begins.starts_with('<') {
            return if depth < DEPTH_MAX { xml(text, known, limits, depth) } else { Verdict::Blank };
        }
        // A part of a document: what it holds cannot be told.
        if text.contains("</") {
            return Verdict::Blank;
        }
    }
    if let Ok(marked) = WbxmlMarked::new(text, limits)
        && let Some(verdict) = binary(text, marked.public_id(), known, limits, depth)
    {
        return verdict;
    }
    base64(text, known, limits, depth)
}

fn xml(text: &str, known: &Known<'_>, limits: &Limits, depth: usize) -> Verdict {
    // The declaration is no part of what the reader takes, and stays as it is.
    let body = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
    let body = match body.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, body)| body),
        None => body,
    };
    let Some(head) = text.len().checked_sub(body.len()).and_then(|end| text.get(..end)) else { return Verdict::Blank };
    match Walk::new(XmlMarked::new(body, limits), known, limits, depth + 1).run() {
        (_, Some(_)) => Verdict::Blank,
        (edits, None) if edits.texts() == 0 => Verdict::Keep,
        (edits, None) => {
            let mut out = head.as_bytes().to_owned();
            out.extend_from_slice(&edits.apply(body.as_bytes(), body.len()));
            Verdict::Replace(out, edits.texts())
        }
    }
}

/// Nothing if the octets are no document of a type that holds secrets.
fn binary(octets: &[u8], id: PublicId<'_>, known: &Known<'_>, limits: &Limits, depth: usize) -> Option<Verdict> {
    // Nearly any octets make a header; these types are the ones that devices and servers put into nodes.
    let is_certain = match id {
        PublicId::Number(PROV) => return Some(Verdict::Blank),
        PublicId::Number(0x0FD1..=0x0FD4 | 0x1201 | 0x1203) => true,
        PublicId::Text(name) => name.starts_with(b"-//"),
        PublicId::Number(UNKNOWN) => false,
        PublicId::Number(_) => return None,
    };
    if depth >= DEPTH_MAX {
        return (is_certain || is_whole(octets, limits)).then_some(Verdict::Blank);
    }
    let blanked = wbxml(octets, known, limits, depth + 1);
    match (blanked.broken, blanked.texts) {
        (Some(_), _) if !is_certain => None,
        (Some(_), _) => Some(Verdict::Blank),
        (None, 0) => Some(Verdict::Keep),
        (None, texts) => Some(Verdict::Replace(blanked.octets, texts)),
    }
}

/// Whether the octets are a document from beginning to end.
fn is_whole(octets: &[u8], limits: &Limits) -> bool {
    let Ok(mut marked) = WbxmlMarked::new(octets, limits) else { return false };
    loop {
        match marked.step() {
            Ok(Step::End) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn base64(text: &[u8], known: &Known<'_>, limits: &Limits, depth: usize) -> Verdict {
    let dense: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    // The shortest document with a secret in it is longer.
    if dense.len() < 16 {
        return Verdict::Keep;
    }
    let Ok(octets) = STANDARD.decode(&dense) else { return Verdict::Keep };
    // What is decoded is shorter, so that this ends.
    match judge(&octets, known, limits, depth + 1) {
        Verdict::Replace(octets, texts) => Verdict::Replace(STANDARD.encode(octets).into_bytes(), texts),
        verdict => verdict,
    }
}
