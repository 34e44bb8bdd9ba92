//! Faults of both versions.

use super::addressing;
use super::envelope::{Version, write};
use crate::xml::element::{Name, XmlWriter};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The envelope is of another SOAP.
    VersionMismatch,
    /// A header that must be understood is not.
    MustUnderstand,
    /// The sender: `Client` in SOAP 1.1, `Sender` in 1.2.
    Sender,
    /// The receiver: `Server` in SOAP 1.1, `Receiver` in 1.2.
    Receiver,
}

/// A more precise code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subcode {
    /// Namespace.
    pub namespace: &'static str,
    /// Local name.
    pub local: &'static str,
    /// Whether it stands as `faultcode` in SOAP 1.1, as faults of header specifications do. Faults of the application
    /// are `Client` or `Server` there.
    pub is_code_in_soap11: bool,
}

/// A fault to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoapFault {
    /// Code.
    pub code: Code,
    /// More precise codes, general ones first.
    pub subcodes: Vec<Subcode>,
    /// Explanation in English.
    pub reason: String,
    /// Content of the detail: a fragment of XML.
    pub detail: Option<String>,
    /// Whether the detail is left out in SOAP 1.1, because the fault is about a header.
    pub detail_only_in_soap12: bool,
    /// Header blocks that explain the fault, for each version: fragments of XML.
    pub headers: String,
    /// Header blocks of SOAP 1.2 alone.
    pub headers_only_in_soap12: String,
}

impl SoapFault {
    /// A fault without detail.
    #[must_use]
    pub fn new(code: Code, subcodes: Vec<Subcode>, reason: impl Into<String>) -> Self {
        Self {
            code,
            subcodes,
            reason: reason.into(),
            detail: None,
            detail_only_in_soap12: false,
            headers: String::new(),
            headers_only_in_soap12: String::new(),
        }
    }

    /// The answer to an envelope of another SOAP, which is sent as SOAP 1.1 and names the versions served.
    ///
    /// Source: SOAP 1.2 Part 1, section 5.4.7 and appendix A.
    #[must_use]
    pub fn version_mismatch() -> Self {
        let mut writer = XmlWriter::new();
        let soap12 = Version::Soap12.namespace();
        writer.start("env:Upgrade", &[("xmlns:env", soap12)]);
        for version in [Version::Soap12, Version::Soap11] {
            let attributes = [("qname", "v:Envelope"), ("xmlns:v", version.namespace())];
            writer.empty("env:SupportedEnvelope", &attributes);
        }
        writer.end("env:Upgrade");
        let mut fault = Self::new(Code::VersionMismatch, Vec::new(), "the envelope is neither SOAP 1.1 nor SOAP 1.2");
        fault.headers = writer.finish();
        fault
    }

    /// The answer to headers that must be understood and are not.
    #[must_use]
    pub fn not_understood(names: &[&Name]) -> Self {
        let mut writer = XmlWriter::new();
        for name in names {
            let qname = format!("h:{}", name.local);
            let mut attributes = vec![("qname", qname.as_str()), ("xmlns:env", Version::Soap12.namespace())];
            match name.namespace.as_deref() {
                Some(namespace) => attributes.push(("xmlns:h", namespace)),
                None => attributes[0] = ("qname", name.local.as_str()),
            }
            writer.empty("env:NotUnderstood", &attributes);
        }
        let reason = "a header that must be understood is not known here";
        let mut fault = Self::new(Code::MustUnderstand, Vec::new(), reason);
        fault.headers_only_in_soap12 = writer.finish();
        fault
    }

    /// The HTTP status that goes with it.
    ///
    /// Sources: WS-I Basic Profile 1.1, R1126; SOAP 1.2 Part 2, table 20.
    #[must_use]
    pub fn http_status(&self, version: Version) -> u16 {
        if version == Version::Soap12 && self.code == Code::Sender { 400 } else { 500 }
    }

    /// Whether a header specification, not the application, defines it.
    #[must_use]
    pub fn is_about_headers(&self) -> bool {
        self.subcodes.iter().any(|subcode| subcode.is_code_in_soap11)
            || matches!(self.code, Code::MustUnderstand | Code::VersionMismatch)
    }

    /// The whole message. `headers` are further header blocks, for example of WS-Addressing.
    #[must_use]
    pub fn write(&self, version: Version, headers: &str) -> String {
        let mut all = format!("{headers}{}", self.headers);
        if version == Version::Soap12 {
            all.push_str(&self.headers_only_in_soap12);
        }
        let body = match version {
            Version::Soap11 => self.body11(),
            Version::Soap12 => self.body12(),
        };
        write(version, &all, &body)
    }

    fn body11(&self) -> String {
        let mut writer = XmlWriter::new();
        writer.start("soap:Fault", &[]);
        match self.subcodes.last().filter(|subcode| subcode.is_code_in_soap11) {
            Some(subcode) => {
                writer.start("faultcode", &[("xmlns:c", subcode.namespace)]);
                writer.text(&format!("c:{}", subcode.local));
                writer.end("faultcode");
            }
            None => writer.leaf(
                "faultcode",
                match self.code {
                    Code::VersionMismatch => "soap:VersionMismatch",
                    Code::MustUnderstand => "soap:MustUnderstand",
                    Code::Sender => "soap:Client",
                    Code::Receiver => "soap:Server",
                },
            ),
        }
        writer.start("faultstring", &[("xml:lang", "en")]);
        writer.text(&self.reason);
        writer.end("faultstring");
        if let Some(detail) = self.detail.as_ref().filter(|_| !self.detail_only_in_soap12) {
            writer.start("detail", &[]);
            writer.fragment(detail);
            writer.end("detail");
        }
        writer.end("soap:Fault");
        writer.finish()
    }

    fn body12(&self) -> String {
        let mut writer = XmlWriter::new();
        writer.start("soap:Fault", &[]);
        writer.start("soap:Code", &[]);
        writer.leaf(
            "soap:Value",
            match self.code {
                Code::VersionMismatch => "soap:VersionMismatch",
                Code::MustUnderstand => "soap:MustUnderstand",
                Code::Sender => "soap:Sender",
                Code::Receiver => "soap:Receiver",
            },
        );
        for subcode in &self.subcodes {
            writer.start("soap:Subcode", &[]);
            writer.start("soap:Value", &[("xmlns:c", subcode.namespace)]);
            writer.text(&format!("c:{}", subcode.local));
            writer.end("soap:Value");
        }
        for _ in &self.subcodes {
            writer.end("soap:Subcode");
        }
        writer.end("soap:Code");
        writer.start("soap:Reason", &[]);
        writer.start("soap:Text", &[("xml:lang", "en")]);
        writer.text(&self.reason);
        writer.end("soap:Text");
        writer.end("soap:Reason");
        if let Some(detail) = &self.detail {
            writer.start("soap:Detail", &[]);
            writer.fragment(detail);
            writer.end("soap:Detail");
        }
        writer.end("soap:Fault");
        writer.finish()
    }

    /// The action that WS-Addressing gives to faults which no WSDL names; nothing for faults of the application.
    ///
    /// Source: WS-Addressing 1.0 SOAP Binding, section 6; Core, section 3.
    #[must_use]
    pub fn addressing_action(&self) -> Option<&'static str> {
        let is_addressing = self.subcodes.iter().any(|subcode| subcode.namespace == addressing::NAMESPACE);
        if is_addressing {
            return Some("http://www.w3.org/2005/08/addressing/fault");
        }
        self.is_about_headers().then_some("http://www.w3.org/2005/08/addressing/soap/fault")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::xml::element::{Element, TreeLimits};

    fn sample() -> SoapFault {
        let subcode = Subcode { namespace: "urn:x", local: "Unknown", is_code_in_soap11: false };
        let mut fault = SoapFault::new(Code::Sender, vec![subcode], "no <such> thing");
        fault.detail = Some("<x xmlns='urn:x'/>".to_owned());
        fault
    }

    fn body(text: &str, version: Version) -> Element {
        let root = Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap();
        root.child(version.namespace(), "Body").unwrap().children[0].clone()
    }

    #[test]
    fn a_fault_of_soap_1_1_has_unqualified_children() {
        let fault = body(&sample().write(Version::Soap11, ""), Version::Soap11);
        let names: Vec<_> =
            fault.children.iter().map(|it| (it.name.namespace.is_none(), it.name.local.as_str())).collect();
        assert_eq!(names, [(true, "faultcode"), (true, "faultstring"), (true, "detail")]);
        assert_eq!(fault.children[0].text, "soap:Client");
        assert_eq!(fault.children[1].text, "no <such> thing");
        assert_eq!(sample().http_status(Version::Soap11), 500);
    }

    #[test]
    fn a_fault_of_soap_1_2_has_a_subcode_and_a_language() {
        let text = sample().write(Version::Soap12, "");
        insta::assert_snapshot!(text, @r#"<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value xmlns:c="urn:x">c:Unknown</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang="en">no &lt;such&gt; thing</soap:Text></soap:Reason><soap:Detail><x xmlns='urn:x'/></soap:Detail></soap:Fault></soap:Body></soap:Envelope>"#);
        assert_eq!(sample().http_status(Version::Soap12), 400);
    }

    #[test]
    fn a_version_mismatch_names_the_versions_served_best_first() {
        let text = SoapFault::version_mismatch().write(Version::Soap11, "");
        let root = Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap();
        let upgrade = &root.children[0].children[0];
        assert!(upgrade.is(Version::Soap12.namespace(), "Upgrade"));
        assert_eq!(upgrade.children.len(), 2);
        assert!(text.contains("soap:VersionMismatch"));
        assert!(text.find("2003/05/soap-envelope\"/>") < text.find("soap/envelope/\"/>"));
    }

    #[test]
    fn what_was_not_understood_is_named_in_soap_1_2_alone() {
        let name = Name { namespace: Some("urn:h".into()), local: "secret".into() };
        let fault = SoapFault::not_understood(&[&name]);
        assert!(fault.write(Version::Soap12, "").contains(r#"qname="h:secret""#));
        assert!(!fault.write(Version::Soap11, "").contains("secret"));
        assert_eq!(fault.http_status(Version::Soap12), 500);
    }
}
