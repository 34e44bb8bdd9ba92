//! Taking the secrets out of a message that is to be kept for people to read.
//!
//! The octets stay what they were, in the encoding and the very form in which they travelled, but for the texts that
//! are secret: what a person reads later is what was sent. These texts become [`BLANK`]:
//!
//! - `Cred/Data`; of a Basic credential the password alone, so that one sees who tried to log in;
//! - every `NextNonce`;
//! - `Data` of an item whose node holds a secret, by the last segment of its address (the table is in `secret.rs`);
//! - `Value` of such a node in a tree in `Data` (TNDS), and `value` of such a `parm` of a provisioning document, be the
//!   document inline, text, CDATA, octets or base64;
//! - parts of a large object, because what stands in a part cannot be told from the part;
//! - what a user entered in answer to an alert of the server;
//! - the secrets that the caller knows, wherever else `Data` or `Value` holds them, and parts of addresses that are as
//!   good as a credential.
//!
//! A document that cannot be read any further is cut there, and before the first text of which it is not known yet
//! whether it is secret.
//!
//! Source: SyncML Representation Protocol 1.2; OMA DM Security 1.2; DMAcc of OMA DM 1.2; OMA DM TNDS 1.2.

mod edit;
pub(super) mod marked;
mod nested;
mod secret;
#[cfg(test)]
mod tests;
mod walk;

use super::{DecodeFault, Encoding};
use crate::limits::Limits;
use crate::xml::document_text;

use self::marked::{WbxmlMarked, XmlMarked};
use self::walk::Walk;

pub use self::secret::is_secret_node;

/// What stands where a secret stood. It is base64, so that a nonce that is blanked is still read as a nonce.
pub const BLANK: &str = "+blanked";

/// What the caller knows of a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Secrets of the account, in plain. Those below four octets are not looked for: they stand everywhere.
    pub secrets: &'a [&'a [u8]],
    /// Parts of addresses (`LocURI`, `RespURI`, references to them) that let in whoever knows them.
    pub tokens: &'a [&'a str],
    /// The message goes on with a large object whose first part came in an earlier one.
    pub continues: bool,
}

/// A message without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blanked {
    /// In the encoding of the message.
    pub octets: Vec<u8>,
    /// How many texts were blanked.
    pub texts: usize,
    /// Why the octets end before the message did, if they do.
    pub broken: Option<Broken>,
}

/// Where a message became unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Why.
    pub error: DecodeFault,
    /// Octets of the message that are not kept.
    pub lost: usize,
}

/// Takes the secrets out of a message.
#[must_use]
pub fn blank(encoding: Encoding, octets: &[u8], known: &Known<'_>, limits: &Limits) -> Blanked {
    match encoding {
        Encoding::Xml => xml(octets, known, limits),
        Encoding::Wbxml => wbxml(octets, known, limits, 0),
    }
}

/// The value of an `x-syncml-hmac` header without its mac.
///
/// Source: OMA DM Security 1.2, "HMAC": `algorithm=MD5, username="…", mac=…`.
#[must_use]
pub fn blank_hmac(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    // A name may stand in the quoted user name too, so quoted texts are passed over.
    while let Some(next) = rest.find(['"', 'm', 'M']) {
        let (before, from) = rest.split_at(next);
        out.push_str(before);
        let quoted = from.strip_prefix('"').and_then(|inside| inside.find('"')).map(|end| end.saturating_add(2));
        let is_name = !out.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '-');
        let mac = from.get(..3).filter(|name| is_name && name.eq_ignore_ascii_case("mac")).and_then(|_| from.get(3..));
        let value = mac.map(str::trim_start).and_then(|after| after.strip_prefix('='));
        if let Some(value) = value {
            out.push_str("mac=");
            out.push_str(BLANK);
            rest = value.find(',').and_then(|end| value.get(end..)).unwrap_or_default();
            continue;
        }
        let length = quoted.unwrap_or(1);
        let (kept, after) = from.split_at_checked(length).unwrap_or((from, ""));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn xml(octets: &[u8], known: &Known<'_>, limits: &Limits) -> Blanked {
    let text = match document_text(octets, limits) {
        Ok(text) => text,
        Err(error) => return nothing(octets, error.into()),
    };
    // Of one octet a character, or as it stood: either way the document is the end of the octets.
    let is_latin1 = matches!(text, std::borrow::Cow::Owned(_));
    let body = if is_latin1 { text.chars().count() } else { text.len() };
    let head = octets.get(..octets.len().saturating_sub(body)).unwrap_or_default();
    let (edits, broken) = Walk::new(XmlMarked::new(&text, limits), known, limits, 0).run();
    let cut = broken.as_ref().map_or(text.len(), |(_, at)| *at);
    let kept = edits.apply(text.as_bytes(), cut);
    let mut out = head.to_owned();
    let mut lost = text.get(cut..).map_or(0, str::len);
    if is_latin1 {
        lost = text.get(cut..).map_or(0, |rest| rest.chars().count());
        edit::put_latin1(&String::from_utf8_lossy(&kept), &mut out);
    } else {
        out.extend_from_slice(&kept);
    }
    Blanked { octets: out, texts: edits.texts(), broken: broken.map(|(error, _)| Broken { error, lost }) }
}

/// `depth` counts the documents around this one.
fn wbxml(octets: &[u8], known: &Known<'_>, limits: &Limits, depth: usize) -> Blanked {
    let marked = match WbxmlMarked::new(octets, limits) {
        Ok(marked) => marked,
        Err(error) => return nothing(octets, error),
    };
    let table = marked.table_but_name();
    let (mut edits, broken) = Walk::new(marked, known, limits, depth).run();
    let cut = broken.as_ref().map_or(octets.len(), |(_, at)| *at);
    if broken.is_some() {
        // What was not read may have named any string of the table as a secret.
        table.into_iter().for_each(|span| edits.overwrite(span));
    }
    Blanked {
        octets: edits.apply(octets, cut),
        texts: edits.texts(),
        broken: broken.map(|(error, at)| Broken { error, lost: octets.len().saturating_sub(at) }),
    }
}

fn nothing(octets: &[u8], error: DecodeFault) -> Blanked {
    Blanked { octets: Vec::new(), texts: 0, broken: Some(Broken { error, lost: octets.len() }) }
}
