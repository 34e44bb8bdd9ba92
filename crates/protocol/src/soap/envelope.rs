//! The envelope: version, headers, and the one child of the body.

use super::fault::SoapFault;
use super::{addressing, security};
use crate::xml::element::{Element, Name, XmlWriter};

/// Which SOAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.1.
    Soap11,
    /// 1.2.
    Soap12,
}

impl Version {
    /// Namespace of the envelope.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Soap11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::Soap12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// Media type without parameters.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Soap11 => "text/xml",
            Self::Soap12 => "application/soap+xml",
        }
    }
}

/// A message as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Version.
    pub version: Version,
    /// Header blocks, in order.
    pub headers: Vec<Element>,
    /// The one child of Body.
    pub body: Element,
}

/// Why a document is no message to be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The root is an Envelope of another SOAP.
    #[error("the envelope is neither SOAP 1.1 nor SOAP 1.2")]
    VersionMismatch,
    /// Not an envelope, or not one of the expected shape. The version is known where the root was right.
    #[error("not a SOAP message: {why}")]
    Malformed {
        /// Version of the envelope, where it is known.
        version: Option<Version>,
        /// What is wrong.
        why: &'static str,
    },
    /// More header blocks or octets in them than allowed.
    #[error("the message exceeds the limit of {max} {what}")]
    TooLarge {
        /// Version of the envelope.
        version: Version,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// Most header blocks of a message.
pub const HEADERS_MAX: usize = 32;
/// Most octets of all header blocks.
pub const HEADER_BYTES_MAX: usize = 64 << 10;

impl Envelope {
    /// Takes a message apart.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn of(root: Element) -> Result<Self, EnvelopeError> {
        if root.name.local != "Envelope" {
            return Err(EnvelopeError::Malformed { version: None, why: "the root element is not Envelope" });
        }
        let version = match root.name.namespace.as_deref() {
            Some(namespace) if namespace == Version::Soap11.namespace() => Version::Soap11,
            Some(namespace) if namespace == Version::Soap12.namespace() => Version::Soap12,
            _ => return Err(EnvelopeError::VersionMismatch),
        };
        let malformed = |why| EnvelopeError::Malformed { version: Some(version), why };
        if !is_blank(&root) {
            return Err(malformed("text beside Header and Body"));
        }
        let mut parts = root.children.into_iter().peekable();
        let header = parts.next_if(|part| part.is(version.namespace(), "Header"));
        let body = parts.next_if(|part| part.is(version.namespace(), "Body")).ok_or(malformed("there is no Body"))?;
        if parts.next().is_some() {
            return Err(malformed("something follows Body"));
        }
        let headers = header.map(|header| header.children).unwrap_or_default();
        if headers.len() > HEADERS_MAX {
            return Err(EnvelopeError::TooLarge { version, what: "header blocks", max: HEADERS_MAX });
        }
        if headers.iter().map(Element::weight).sum::<usize>() > HEADER_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { version, what: "octets of headers", max: HEADER_BYTES_MAX });
        }
        if !is_blank(&body) {
            return Err(malformed("text in Body"));
        }
        let [child] =
            <[Element; 1]>::try_from(body.children).map_err(|_| malformed("Body does not have exactly one child"))?;
        Ok(Self { version, headers, body: child })
    }

    /// Checks that every header that must be understood is. `understands` says whether a header block with this name is
    /// really processed.
    ///
    /// # Errors
    /// The fault `MustUnderstand`, in SOAP 1.2 with a header `NotUnderstood` for each; or a description of a
    /// `mustUnderstand` attribute that is no boolean.
    pub fn must_understand(&self, understands: impl Fn(&Name) -> bool) -> Result<(), Refusal> {
        let mut unknown = Vec::new();
        for header in &self.headers {
            if must(header, self.version)? && is_for_us(header, self.version) && !understands(&header.name) {
                unknown.push(&header.name);
            }
        }
        if unknown.is_empty() { Ok(()) } else { Err(Refusal::Fault(Box::new(SoapFault::not_understood(&unknown)))) }
    }
}

/// Why headers were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// With this fault.
    Fault(Box<SoapFault>),
    /// As malformed, for this reason.
    Malformed(&'static str),
}

fn is_blank(element: &Element) -> bool {
    element.text.trim().is_empty()
}

fn must(header: &Element, version: Version) -> Result<bool, Refusal> {
    match (header.attribute(version.namespace(), "mustUnderstand").map(str::trim), version) {
        (None | Some("0"), _) | (Some("false"), Version::Soap12) => Ok(false),
        (Some("1"), _) | (Some("true"), Version::Soap12) => Ok(true),
        // Seen from toolkits that write booleans in SOAP 1.1 too; the meaning is plain.
        (Some("true"), Version::Soap11) => Ok(true),
        (Some("false"), Version::Soap11) => Ok(false),
        (Some(_), _) => Err(Refusal::Malformed("mustUnderstand is not a boolean")),
    }
}

/// Whether a header block is aimed at this server, which is the last receiver.
fn is_for_us(header: &Element, version: Version) -> bool {
    let role = match version {
        Version::Soap11 => header.attribute(version.namespace(), "actor"),
        Version::Soap12 => header.attribute(version.namespace(), "role"),
    };
    match role.map(str::trim) {
        None | Some("") => true,
        Some("http://schemas.xmlsoap.org/soap/actor/next") => version == Version::Soap11,
        Some(
            "http://www.w3.org/2003/05/soap-envelope/role/next"
            | "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
        ) => version == Version::Soap12,
        Some(_) => false,
    }
}

/// Whether a header block belongs to the addressing or security headers that this module can read.
#[must_use]
pub fn is_known_header(name: &Name) -> bool {
    match name.namespace.as_deref() {
        Some(addressing::NAMESPACE) => addressing::HEADERS.contains(&name.local.as_str()),
        Some(security::WSSE) => name.local == "Security",
        _ => false,
    }
}

/// Writes a message: `headers` and `body` are fragments of XML.
#[must_use]
pub fn write(version: Version, headers: &str, body: &str) -> String {
    let mut writer = XmlWriter::document();
    writer.start("soap:Envelope", &[("xmlns:soap", version.namespace())]);
    if !headers.is_empty() {
        writer.start("soap:Header", &[]);
        writer.fragment(headers);
        writer.end("soap:Header");
    }
    writer.start("soap:Body", &[]);
    writer.fragment(body);
    writer.end("soap:Body");
    writer.end("soap:Envelope");
    writer.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::xml::element::TreeLimits;

    fn envelope(version: Version, content: &str) -> Result<Envelope, EnvelopeError> {
        let text = format!(
            r#"<s:Envelope xmlns:s="{}" xmlns:x="urn:x" xmlns:wsa="{}">{content}</s:Envelope>"#,
            version.namespace(),
            addressing::NAMESPACE
        );
        Envelope::of(Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap())
    }

    #[test]
    fn an_envelope_has_an_optional_header_and_a_body_with_one_child() {
        for version in [Version::Soap11, Version::Soap12] {
            let read = envelope(version, "<s:Header><x:h/></s:Header> <s:Body>\n<x:do/></s:Body>").unwrap();
            assert_eq!(read.version, version);
            assert_eq!(read.headers.len(), 1);
            assert!(read.body.is("urn:x", "do"));
            for content in [
                "",
                "<s:Header/>",
                "<s:Body/>",
                "<s:Body><x:a/><x:b/></s:Body>",
                "<s:Body>text<x:a/></s:Body>",
                "<s:Body><x:a/></s:Body><x:more/>",
                "<s:Body><x:a/></s:Body><s:Header/>",
                "<s:Header/><s:Header/><s:Body><x:a/></s:Body>",
                "text<s:Body><x:a/></s:Body>",
                "<Body><x:a/></Body>",
            ] {
                let read = envelope(version, content);
                assert!(matches!(read, Err(EnvelopeError::Malformed { version: Some(_), .. })), "{content}");
            }
        }
    }

    #[test]
    fn an_envelope_of_another_soap_is_a_version_mismatch() {
        for text in ["<Envelope/>", "<Envelope xmlns='http://www.w3.org/2001/12/soap-envelope'/>"] {
            let root = Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap();
            assert_eq!(Envelope::of(root), Err(EnvelopeError::VersionMismatch));
        }
    }

    #[test]
    fn only_headers_aimed_at_the_last_receiver_must_be_understood() {
        for (version, attributes, refused) in [
            (Version::Soap11, "", false),
            (Version::Soap11, "s:mustUnderstand='0'", false),
            (Version::Soap11, "s:mustUnderstand='1'", true),
            (Version::Soap11, "s:mustUnderstand='1' s:actor='http://schemas.xmlsoap.org/soap/actor/next'", true),
            (Version::Soap11, "s:mustUnderstand='1' s:actor='urn:else'", false),
            (Version::Soap12, "s:mustUnderstand='true'", true),
            (Version::Soap12, "s:mustUnderstand='1' s:role='http://www.w3.org/2003/05/soap-envelope/role/none'", false),
            (
                Version::Soap12,
                "s:mustUnderstand='1' s:role='http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver'",
                true,
            ),
        ] {
            let content = format!("<s:Header><x:h {attributes}/></s:Header><s:Body><x:a/></s:Body>");
            let outcome = envelope(version, &content).unwrap().must_understand(is_known_header);
            assert_eq!(outcome.is_err(), refused, "{attributes}");
        }
        let known = "<s:Header><wsa:Action s:mustUnderstand='1'/></s:Header><s:Body><x:a/></s:Body>";
        assert_eq!(envelope(Version::Soap11, known).unwrap().must_understand(is_known_header), Ok(()));
        let odd = "<s:Header><x:h s:mustUnderstand='maybe'/></s:Header><s:Body><x:a/></s:Body>";
        let outcome = envelope(Version::Soap11, odd).unwrap().must_understand(is_known_header);
        assert!(matches!(outcome, Err(Refusal::Malformed(_))));
    }

    #[test]
    fn headers_are_bounded_in_number_and_octets() {
        let many = |count: usize| format!("<s:Header>{}</s:Header><s:Body><x:a/></s:Body>", "<x:h/>".repeat(count));
        assert!(envelope(Version::Soap11, &many(HEADERS_MAX)).is_ok());
        assert!(matches!(envelope(Version::Soap11, &many(HEADERS_MAX + 1)), Err(EnvelopeError::TooLarge { .. })));
        let long = format!("<s:Header><x:h>{}</x:h></s:Header><s:Body><x:a/></s:Body>", "x".repeat(HEADER_BYTES_MAX));
        assert!(matches!(envelope(Version::Soap12, &long), Err(EnvelopeError::TooLarge { .. })));
    }
}
