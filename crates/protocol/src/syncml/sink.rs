//! The one stream of elements that both wire forms are written from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::EncodeError;
use crate::wbxml::tags::{METINF_NAMESPACE, Tag};
use crate::wbxml::writer::Writer;
use crate::xml::writer;

/// Where elements go.
pub(super) trait Sink {
    /// XML has no octets, so they go as base64 and `Format` must say so.
    const OCTETS_AS_BASE64: bool;
    fn start(&mut self, ver_dtd: &str);
    fn open(&mut self, tag: Tag);
    fn close(&mut self, tag: Tag);
    fn empty(&mut self, tag: Tag);
    fn text(&mut self, text: &str) -> Result<(), EncodeError>;
    /// Text that WBXML carries with its length, where libwbxml and the devices made with it expect that.
    fn counted_text(&mut self, text: &str) -> Result<(), EncodeError>;
    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError>;
}

/// Which SyncML a message is, by its `VerDTD`: namespace and WBXML public identifier.
fn document_type(ver_dtd: &str) -> (&'static str, u32) {
    match ver_dtd {
        "1.0" => ("SYNCML:SYNCML1.0", 0x0FD1),
        "1.1" => ("SYNCML:SYNCML1.1", 0x0FD3),
        _ => ("SYNCML:SYNCML1.2", 0x1201),
    }
}

pub(super) struct XmlSink<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

impl XmlSink<'_> {
    fn tag(&mut self, tag: Tag) {
        self.out.push(b'<');
        self.out.extend_from_slice(tag.name().as_bytes());
        // Each child of Meta has its own declaration: the form all known clients write and some insist on.
        if tag.code().0 == 1 {
            self.out.extend_from_slice(b" xmlns=\"");
            self.out.extend_from_slice(METINF_NAMESPACE.as_bytes());
            self.out.push(b'"');
        }
    }
}

impl Sink for XmlSink<'_> {
    const OCTETS_AS_BASE64: bool = true;

    fn start(&mut self, ver_dtd: &str) {
        self.out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"");
        self.out.extend_from_slice(document_type(ver_dtd).0.as_bytes());
        self.out.extend_from_slice(b"\">");
    }

    #[inline]
    fn open(&mut self, tag: Tag) {
        self.tag(tag);
        self.out.push(b'>');
    }

    #[inline]
    fn close(&mut self, tag: Tag) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(tag.name().as_bytes());
        self.out.push(b'>');
    }

    #[inline]
    fn empty(&mut self, tag: Tag) {
        self.tag(tag);
        self.out.extend_from_slice(b"/>");
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        Ok(writer::put_text(text, self.out)?)
    }

    #[inline]
    fn counted_text(&mut self, text: &str) -> Result<(), EncodeError> {
        self.text(text)
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        self.out.extend_from_slice(STANDARD.encode(octets).as_bytes());
        Ok(())
    }
}

pub(super) struct WbxmlSink<'o> {
    pub(super) writer: Writer<'o>,
}

impl Sink for WbxmlSink<'_> {
    const OCTETS_AS_BASE64: bool = false;

    fn start(&mut self, ver_dtd: &str) {
        self.writer.header(document_type(ver_dtd).1);
        self.open(Tag::SyncML);
    }

    #[inline]
    fn open(&mut self, tag: Tag) {
        let (page, token) = tag.code();
        self.writer.open(page, token);
    }

    #[inline]
    fn close(&mut self, _: Tag) {
        self.writer.close();
    }

    #[inline]
    fn empty(&mut self, tag: Tag) {
        let (page, token) = tag.code();
        self.writer.empty(page, token);
    }

    /// A string ends at its first zero, so text that has one goes with its length.
    #[inline]
    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        if text.as_bytes().contains(&0) {
            return self.octets(text.as_bytes());
        }
        self.writer.string(text);
        Ok(())
    }

    #[inline]
    fn counted_text(&mut self, text: &str) -> Result<(), EncodeError> {
        self.octets(text.as_bytes())
    }

    #[inline]
    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        let length = u32::try_from(octets.len()).map_err(|_| EncodeError::TooLong { octets: octets.len() })?;
        self.writer.opaque(length, octets);
        Ok(())
    }
}
