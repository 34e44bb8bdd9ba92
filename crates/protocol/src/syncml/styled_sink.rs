//! Elements in the forms of a [`Style`]. The canonical form has sinks of its own, which do not look anything up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::EncodeError;
use super::sink::{DataPlace, DocumentType, Sink, XML_DECLARATION};
use super::style::{DataForm, MarkupForm, MetaNamespace, OctetsForm, PublicIdForm, Style};
use crate::wbxml::tags::{METINF_NAMESPACE, Tag};
use crate::wbxml::writer::Writer;
use crate::xml::writer;

pub(super) struct StyledXmlSink<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) style: &'o Style,
}

impl StyledXmlSink<'_> {
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn attribute(&mut self, name: &str, value: &str) {
        for part in [" ", name, "=\"", value, "\""] {
            self.put(part);
        }
    }

    fn name(&mut self, tag: Tag) {
        if is_meta(tag) && self.style.meta_namespace == MetaNamespace::Prefix {
            self.put("metinf:");
        }
        self.put(tag.name());
    }

    fn start_tag(&mut self, tag: Tag) {
        self.put("<");
        self.name(tag);
        if is_meta(tag) && self.style.meta_namespace == MetaNamespace::EachChild {
            self.attribute("xmlns", METINF_NAMESPACE);
        }
    }
}

fn is_meta(tag: Tag) -> bool {
    tag.code().0 == 1
}

impl Sink for StyledXmlSink<'_> {
    fn octets_as_base64(&self) -> bool {
        true
    }

    fn start(&mut self, ver_dtd: &str) {
        let document_type = DocumentType::of(ver_dtd);
        if self.style.xml_declaration {
            self.out.extend_from_slice(XML_DECLARATION);
        }
        if self.style.doctype {
            for part in ["<!DOCTYPE SyncML PUBLIC \"", document_type.public_id, "\" \"", document_type.system_id, "\">"]
            {
                self.put(part);
            }
        }
        self.put("<SyncML");
        self.attribute("xmlns", document_type.namespace);
        if self.style.meta_namespace == MetaNamespace::Prefix {
            self.attribute("xmlns:metinf", METINF_NAMESPACE);
        }
        self.put(">");
    }

    fn open(&mut self, tag: Tag) {
        self.start_tag(tag);
        self.put(">");
    }

    fn close(&mut self, tag: Tag) {
        self.put("</");
        self.name(tag);
        self.put(">");
    }

    fn empty(&mut self, tag: Tag) {
        self.start_tag(tag);
        self.put("/>");
    }

    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        Ok(writer::put_text(text, self.out)?)
    }

    fn data(&mut self, text: &str, _: DataPlace) -> Result<(), EncodeError> {
        match self.style.markup {
            // A carriage return in CDATA would be read as a line feed.
            MarkupForm::Cdata if text.contains(['<', '&']) && !text.contains('\r') => {
                Ok(writer::put_cdata(text, self.out)?)
            }
            MarkupForm::Cdata | MarkupForm::References => self.text(text),
        }
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        self.put(&STANDARD.encode(octets));
        Ok(())
    }
}

pub(super) struct StyledWbxmlSink<'o> {
    pub(super) writer: Writer<'o>,
    pub(super) style: &'o Style,
}

impl StyledWbxmlSink<'_> {
    fn opaque(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        let length = u32::try_from(octets.len()).map_err(|_| EncodeError::TooLong { octets: octets.len() })?;
        self.writer.opaque(length, octets);
        Ok(())
    }
}

impl Sink for StyledWbxmlSink<'_> {
    fn octets_as_base64(&self) -> bool {
        self.style.octets == OctetsForm::Base64
    }

    fn start(&mut self, ver_dtd: &str) {
        let document_type = DocumentType::of(ver_dtd);
        let version = self.style.wbxml_version.octet();
        match self.style.public_id {
            PublicIdForm::Number => self.writer.header(version, document_type.number),
            PublicIdForm::Text => self.writer.header_with_text(version, document_type.public_id),
        }
        self.open(Tag::SyncML);
    }

    fn open(&mut self, tag: Tag) {
        let (page, token) = tag.code();
        self.writer.open(page, token);
    }

    fn close(&mut self, _: Tag) {
        self.writer.close();
    }

    fn empty(&mut self, tag: Tag) {
        let (page, token) = tag.code();
        self.writer.empty(page, token);
    }

    /// A string ends at its first zero, so text that has one goes with its length.
    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        if text.as_bytes().contains(&0) {
            return self.opaque(text.as_bytes());
        }
        self.writer.string(text);
        Ok(())
    }

    fn data(&mut self, text: &str, place: DataPlace) -> Result<(), EncodeError> {
        match (self.style.data, place) {
            (DataForm::Opaque, _) | (DataForm::ByCommand, DataPlace::Written) => self.opaque(text.as_bytes()),
            (DataForm::Inline, _) | (DataForm::ByCommand, DataPlace::Other) => self.text(text),
        }
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        match self.style.octets {
            OctetsForm::Opaque => self.opaque(octets),
            OctetsForm::Base64 => {
                self.writer.string(&STANDARD.encode(octets));
                Ok(())
            }
        }
    }
}
