//! The one stream of elements that both wire forms are written from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::EncodeError;
use crate::wbxml::tags::Tag;
use crate::wbxml::writer::Writer;
use crate::xml::writer;

/// Where elements go.
pub(super) trait Sink {
    /// Whether octets go as base64, so that `Format` must say so.
    fn octets_as_base64(&self) -> bool;
    fn start(&mut self, ver_dtd: &str);
    fn open(&mut self, tag: Tag);
    fn close(&mut self, tag: Tag);
    fn empty(&mut self, tag: Tag);
    fn text(&mut self, text: &str) -> Result<(), EncodeError>;
    /// Text of item data.
    fn data(&mut self, text: &str, place: DataPlace) -> Result<(), EncodeError>;
    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError>;
}

/// Whose item data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DataPlace {
    /// Add and Replace: WBXML carries it with its length, as libwbxml and the devices made with it expect.
    Written,
    /// Any other command.
    Other,
}

/// Which SyncML a message is: namespace, number and text of the public identifier, system identifier.
pub(super) struct DocumentType {
    pub(super) namespace: &'static str,
    pub(super) number: u32,
    pub(super) public_id: &'static str,
    pub(super) system_id: &'static str,
}

impl DocumentType {
    /// That of a `VerDTD`.
    pub(super) const fn of(ver_dtd: &str) -> &'static Self {
        match ver_dtd.as_bytes() {
            b"1.0" => &Self {
                namespace: "SYNCML:SYNCML1.0",
                number: 0x0FD1,
                public_id: "-//SYNCML//DTD SyncML 1.0//EN",
                system_id: "http://www.syncml.org/docs/syncml_represent_v10_20001207.dtd",
            },
            b"1.1" => &Self {
                namespace: "SYNCML:SYNCML1.1",
                number: 0x0FD3,
                public_id: "-//SYNCML//DTD SyncML 1.1//EN",
                system_id: "http://www.syncml.org/docs/syncml_represent_v11_20020213.dtd",
            },
            _ => &Self {
                namespace: "SYNCML:SYNCML1.2",
                number: 0x1201,
                public_id: "-//SYNCML//DTD SyncML 1.2//EN",
                system_id: "http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd",
            },
        }
    }
}

/// What an XML document begins with.
pub(super) const XML_DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

pub(super) struct XmlSink<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

impl Sink for XmlSink<'_> {
    #[inline]
    fn octets_as_base64(&self) -> bool {
        true
    }

    fn start(&mut self, ver_dtd: &str) {
        self.out.extend_from_slice(XML_DECLARATION);
        self.out.extend_from_slice(b"<SyncML xmlns=\"");
        self.out.extend_from_slice(DocumentType::of(ver_dtd).namespace.as_bytes());
        self.out.extend_from_slice(b"\">");
    }

    #[inline]
    fn open(&mut self, tag: Tag) {
        self.out.extend_from_slice(tag.markup().start.as_bytes());
    }

    #[inline]
    fn close(&mut self, tag: Tag) {
        self.out.extend_from_slice(tag.markup().end.as_bytes());
    }

    #[inline]
    fn empty(&mut self, tag: Tag) {
        self.out.extend_from_slice(tag.markup().empty.as_bytes());
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        Ok(writer::put_text(text, self.out)?)
    }

    #[inline]
    fn data(&mut self, text: &str, _: DataPlace) -> Result<(), EncodeError> {
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
    #[inline]
    fn octets_as_base64(&self) -> bool {
        false
    }

    fn start(&mut self, ver_dtd: &str) {
        self.writer.header(0x02, DocumentType::of(ver_dtd).number);
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
    fn data(&mut self, text: &str, place: DataPlace) -> Result<(), EncodeError> {
        match place {
            DataPlace::Written => self.octets(text.as_bytes()),
            DataPlace::Other => self.text(text),
        }
    }

    #[inline]
    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        let length = u32::try_from(octets.len()).map_err(|_| EncodeError::TooLong { octets: octets.len() })?;
        self.writer.opaque(length, octets);
        Ok(())
    }
}
