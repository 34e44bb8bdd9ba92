//! The form in which a message is written, where more than one is legal and devices differ in what they read.

/// How [`Message::encode_styled`](super::Message::encode_styled) writes. The default is the canonical form, that of
/// [`Message::encode`](super::Message::encode).
///
/// Every style of a message reads as the same message. As text (a device profile in a file) each field may be left
/// out; a field that is not known is an error.
///
/// Source: SyncML Representation Protocol 1.2; OMA DM 1.2 Representation Protocol; WBXML, "Document Structure".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Style {
    /// XML: `<?xml version="1.0" encoding="UTF-8"?>` comes first.
    pub xml_declaration: bool,
    /// XML: the document type declaration of the version, without an internal subset, comes before the root.
    pub doctype: bool,
    /// XML: how the children of `Meta` say their namespace.
    pub meta_namespace: MetaNamespace,
    /// XML: how item data holds mark-up.
    pub markup: MarkupForm,
    /// WBXML: the first octet.
    pub wbxml_version: WbxmlVersion,
    /// WBXML: how the document type is named.
    pub public_id: PublicIdForm,
    /// WBXML: how the text of item data is carried.
    pub data: DataForm,
    /// WBXML: how item data that is not text is carried. XML has base64 alone.
    pub octets: OctetsForm,
}

impl Style {
    /// The canonical form.
    pub const CANONICAL: Self = Self {
        xml_declaration: true,
        doctype: false,
        meta_namespace: MetaNamespace::EachChild,
        markup: MarkupForm::References,
        wbxml_version: WbxmlVersion::V1_2,
        public_id: PublicIdForm::Number,
        data: DataForm::ByCommand,
        octets: OctetsForm::Opaque,
    };
}

impl Default for Style {
    fn default() -> Self {
        Self::CANONICAL
    }
}

/// Where `syncml:metinf` is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetaNamespace {
    /// `<Format xmlns="syncml:metinf">`: the form most clients write.
    #[default]
    EachChild,
    /// `<metinf:Format>`, the prefix declared on the root.
    Prefix,
}

/// How `<` and `&` stand in item data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkupForm {
    /// `&lt;` and `&amp;`.
    #[default]
    References,
    /// Text that has any of them goes as CDATA. A carriage return cannot, so text with one goes as references.
    Cdata,
}

/// WBXML 1.1, 1.2 or 1.3: for what SyncML uses of it they differ in this octet alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum WbxmlVersion {
    /// 0x01
    #[serde(rename = "1.1")]
    V1_1,
    /// 0x02, which SyncML recommends.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// 0x03
    #[serde(rename = "1.3")]
    V1_3,
}

impl WbxmlVersion {
    /// The octet.
    #[must_use]
    pub fn octet(self) -> u8 {
        match self {
            Self::V1_1 => 0x01,
            Self::V1_2 => 0x02,
            Self::V1_3 => 0x03,
        }
    }
}

/// How a WBXML header names the document type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicIdForm {
    /// The registered number: `A4 01` for SyncML 1.2.
    #[default]
    Number,
    /// Index 0 of a string table that holds the text and no zero after it, as Samsung handsets send it.
    Text,
}

/// How WBXML carries text of item data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataForm {
    /// OPAQUE in Add and Replace, STR_I elsewhere, as libwbxml has it.
    #[default]
    ByCommand,
    /// STR_I everywhere. Text with a zero in it is OPAQUE all the same.
    Inline,
    /// OPAQUE everywhere.
    Opaque,
}

/// How WBXML carries item data that is not text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OctetsForm {
    /// OPAQUE; `Format` is what the message says, `bin` in a correct one.
    #[default]
    Opaque,
    /// Base64 text, and `Format` `b64`, as in XML.
    Base64,
}
