//! The headers of WS-Addressing 1.0: read from requests, echoed in answers.
//!
//! Source: WS-Addressing 1.0 Core, and SOAP Binding (W3C Recommendations, 9 May 2006).

use super::fault::{Code, SoapFault, Subcode};
use crate::xml::element::{Element, XmlWriter};

/// Namespace.
pub const NAMESPACE: &str = "http://www.w3.org/2005/08/addressing";
/// The connection the request came over.
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// No answer at all.
pub const NONE: &str = "http://www.w3.org/2005/08/addressing/none";
/// What the prefix `xml` always stands for.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Header blocks that are read or may be passed over without harm.
pub const HEADERS: &[&str] = &["Action", "MessageID", "To", "From", "ReplyTo", "FaultTo", "RelatesTo"];

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back on the connection.
    Anonymous,
    /// Nowhere.
    Nowhere,
    /// To an address of the sender's choice: only where it is allowed that.
    Elsewhere(String),
}

/// Which of the two answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The one that was hoped for.
    Reply,
    /// A fault.
    Fault,
}

/// What a request says about its answer. Present only where the request has `wsa:Action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// Action.
    pub action: String,
    /// Message identifier.
    pub message_id: Option<String>,
    /// Where the answer goes.
    pub reply_to: Destination,
    /// Where a fault goes.
    pub fault_to: Destination,
    /// Reference parameters of `ReplyTo`, as a fragment of XML.
    reference: String,
    /// Those of `FaultTo`, or of `ReplyTo` where it is absent.
    fault_reference: String,
}

impl Addressing {
    /// Reads the headers; nothing, if the request does not use addressing.
    ///
    /// # Errors
    /// The fault of the specification.
    pub fn read(headers: &[Element]) -> Result<Option<Self>, Box<SoapFault>> {
        let one = |local: &str| -> Result<Option<&Element>, Box<SoapFault>> {
            let mut found = headers.iter().filter(|header| header.is(NAMESPACE, local));
            match (found.next(), found.next()) {
                (first, None) => Ok(first),
                _ => Err(invalid("InvalidCardinality", format!("the header wsa:{local} is given more than once"))),
            }
        };
        let (action, message_id) = (one("Action")?, one("MessageID")?);
        let (reply_to, fault_to) = (one("ReplyTo")?, one("FaultTo")?);
        let (_, _) = (one("To")?, one("From")?);
        let Some(action) = action else {
            // Only a request that uses addressing in earnest is told that its action is missing.
            return match reply_to.or(fault_to) {
                Some(_) => Err(required("Action")),
                None => Ok(None),
            };
        };
        let text = |element: &Element| element.text.trim().to_owned();
        let reply = reply_to.map_or(Ok(Destination::Anonymous), destination)?;
        let fault = fault_to.map_or_else(|| Ok(reply.clone()), destination)?;
        Ok(Some(Self {
            action: text(action),
            message_id: message_id.map(text).filter(|id| !id.is_empty()),
            reply_to: reply,
            fault_to: fault,
            reference: reply_to.map(reference).unwrap_or_default(),
            fault_reference: fault_to.or(reply_to).map(reference).unwrap_or_default(),
        }))
    }

    /// Checks that the action of HTTP, where there is one, is that of the header.
    ///
    /// # Errors
    /// `ActionMismatch`.
    pub fn agree_with(&self, http_action: Option<&str>) -> Result<(), Box<SoapFault>> {
        match http_action {
            Some(action) if action != self.action => {
                Err(invalid("ActionMismatch", "the action of HTTP is not that of wsa:Action".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether an answer to the request is to go to an address of the sender's choice.
    #[must_use]
    pub fn goes_elsewhere(&self) -> bool {
        [&self.reply_to, &self.fault_to].into_iter().any(|to| matches!(to, Destination::Elsewhere(_)))
    }

    /// The same request with its answers on the connection, where they were to go elsewhere.
    #[must_use]
    pub fn on_connection(mut self) -> Self {
        for destination in [&mut self.reply_to, &mut self.fault_to] {
            if matches!(destination, Destination::Elsewhere(_)) {
                *destination = Destination::Anonymous;
            }
        }
        self
    }

    /// The headers of an answer, as a fragment of XML. `message_id` is a new identifier, for example `urn:uuid:…`.
    #[must_use]
    pub fn answer(&self, answer: Answer, action: &str, message_id: &str) -> String {
        let (destination, reference) = match answer {
            Answer::Reply => (&self.reply_to, &self.reference),
            Answer::Fault => (&self.fault_to, &self.fault_reference),
        };
        let mut writer = XmlWriter::new();
        let mut leaf = |local: &str, text: &str| {
            writer.start(&format!("wsa:{local}"), &[("xmlns:wsa", NAMESPACE)]);
            writer.text(text);
            writer.end(&format!("wsa:{local}"));
        };
        leaf("Action", action);
        leaf("MessageID", message_id);
        leaf(
            "To",
            match destination {
                Destination::Elsewhere(address) => address,
                Destination::Anonymous | Destination::Nowhere => ANONYMOUS,
            },
        );
        if let Some(request) = &self.message_id {
            leaf("RelatesTo", request);
        }
        writer.fragment(reference);
        writer.finish()
    }
}

/// The headers of a request of ours, as a fragment of XML. `relates_to` are the identifiers of the messages that led to
/// it; a message may relate to several.
///
/// Source: WS-Addressing 1.0 Core, section 3.2.
#[must_use]
pub fn request<'r>(to: &str, action: &str, message_id: &str, relates_to: impl IntoIterator<Item = &'r str>) -> String {
    let mut writer = XmlWriter::new();
    let one = [("Action", action), ("MessageID", message_id), ("To", to)];
    for (local, text) in one.into_iter().chain(relates_to.into_iter().map(|id| ("RelatesTo", id))) {
        let name = format!("wsa:{local}");
        writer.start(&name, &[("xmlns:wsa", NAMESPACE)]);
        writer.text(text);
        writer.end(&name);
    }
    writer.finish()
}

/// The fault for an address that the sender may not have its answers sent to.
#[must_use]
pub fn only_anonymous() -> Box<SoapFault> {
    invalid(
        "OnlyAnonymousAddressSupported",
        "this caller may not have answers sent to that address; leave wsa:ReplyTo and wsa:FaultTo out".to_owned(),
    )
}

/// The fault for an action that names no operation here.
#[must_use]
pub fn action_not_supported() -> Box<SoapFault> {
    let subcodes = vec![subcode("ActionNotSupported")];
    Box::new(SoapFault::new(Code::Sender, subcodes, "wsa:Action names no operation of this address"))
}

fn destination(endpoint: &Element) -> Result<Destination, Box<SoapFault>> {
    let mut addresses = endpoint.children.iter().filter(|child| child.is(NAMESPACE, "Address"));
    match (addresses.next().map(|it| it.text.trim()), addresses.next()) {
        (Some(ANONYMOUS), None) => Ok(Destination::Anonymous),
        (Some(NONE), None) => Ok(Destination::Nowhere),
        (Some(address), None) => Ok(Destination::Elsewhere(address.to_owned())),
        (None, _) => Err(invalid("MissingAddressInEPR", "an endpoint reference has no wsa:Address".to_owned())),
        (Some(_), Some(_)) => Err(invalid("InvalidEPR", "an endpoint reference has two wsa:Address".to_owned())),
    }
}

fn subcode(local: &'static str) -> Subcode {
    Subcode { namespace: NAMESPACE, local, is_code_in_soap11: true }
}

fn invalid(local: &'static str, reason: String) -> Box<SoapFault> {
    Box::new(SoapFault::new(Code::Sender, vec![subcode("InvalidAddressingHeader"), subcode(local)], reason))
}

fn required(local: &str) -> Box<SoapFault> {
    let reason = format!("the header wsa:{local} is required");
    Box::new(SoapFault::new(Code::Sender, vec![subcode("MessageAddressingHeaderRequired")], reason))
}

/// The reference parameters of an endpoint as header blocks of the answer.
fn reference(endpoint: &Element) -> String {
    let mut writer = XmlWriter::new();
    if let Some(parameters) = endpoint.child(NAMESPACE, "ReferenceParameters") {
        for parameter in &parameters.children {
            copy(&mut writer, parameter, &[("xmlns:wsa", NAMESPACE), ("wsa:IsReferenceParameter", "true")]);
        }
    }
    writer.finish()
}

/// Writes an element as it was, each with its namespaces declared anew.
fn copy(writer: &mut XmlWriter, element: &Element, more: &[(&str, &str)]) {
    let mut attributes = more.to_vec();
    attributes.push(("xmlns", element.name.namespace.as_deref().unwrap_or_default()));
    let prefixed: Vec<(String, String, &str, &str)> = element
        .attributes
        .iter()
        .enumerate()
        .map(|(at, attribute)| match attribute.name.namespace.as_deref() {
            Some(XML) => (String::new(), format!("xml:{}", attribute.name.local), XML, attribute.value.as_str()),
            Some(namespace) => {
                (format!("xmlns:a{at}"), format!("a{at}:{}", attribute.name.local), namespace, attribute.value.as_str())
            }
            None => (String::new(), attribute.name.local.to_string(), "", attribute.value.as_str()),
        })
        .filter(|(_, _, namespace, _)| *namespace != NAMESPACE)
        .collect();
    for (declaration, name, namespace, value) in &prefixed {
        if !declaration.is_empty() {
            attributes.push((declaration, namespace));
        }
        attributes.push((name, value));
    }
    writer.start(&element.name.local, &attributes);
    writer.text(&element.text);
    for child in &element.children {
        copy(writer, child, &[]);
    }
    writer.end(&element.name.local);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::xml::element::TreeLimits;

    fn read(headers: &str) -> Result<Option<Addressing>, Box<SoapFault>> {
        let text = format!("<h xmlns:wsa='{NAMESPACE}' xmlns:x='urn:x'>{headers}</h>");
        Addressing::read(&Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap().children)
    }

    fn refused(headers: &str) -> &'static str {
        read(headers).unwrap_err().subcodes.last().unwrap().local
    }

    #[test]
    fn a_request_without_action_gets_an_answer_without_addressing() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("<wsa:To>http://somewhere</wsa:To><wsa:MessageID>m</wsa:MessageID>"), Ok(None));
    }

    #[test]
    fn the_answer_relates_to_the_request_and_carries_its_reference_parameters() {
        let addressing = read(
            "<wsa:Action>a</wsa:Action><wsa:MessageID>urn:uuid:1</wsa:MessageID>
             <wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>
             <wsa:ReferenceParameters><x:p x:q='&lt;1' r='2'>t&amp;</x:p></wsa:ReferenceParameters></wsa:ReplyTo>",
        )
        .unwrap()
        .unwrap();
        let answer = addressing.answer(Answer::Reply, "b", "urn:uuid:2");
        let headers = Element::read(format!("<h>{answer}</h>").as_bytes(), None, &TreeLimits::WSI).unwrap().children;
        assert_eq!(headers.iter().find(|it| it.is(NAMESPACE, "RelatesTo")).unwrap().text, "urn:uuid:1");
        let parameter = headers.iter().find(|it| it.is("urn:x", "p")).unwrap();
        assert_eq!(parameter.text, "t&");
        assert_eq!(parameter.attribute("urn:x", "q"), Some("<1"));
        assert_eq!(parameter.attribute(NAMESPACE, "IsReferenceParameter"), Some("true"));
    }

    #[test]
    fn reply_and_fault_may_go_to_different_places_each_with_its_own_parameters() {
        let endpoint = |name: &str, address: &str| {
            format!(
                "<wsa:{name}><wsa:Address>{address}</wsa:Address><wsa:ReferenceParameters><x:{name}/>\
                 </wsa:ReferenceParameters></wsa:{name}>"
            )
        };
        let (reply, fault) = (endpoint("ReplyTo", "https://a.example/"), endpoint("FaultTo", "https://b.example/"));
        let both = read(&format!("<wsa:Action>a</wsa:Action>{reply}{fault}")).unwrap().unwrap();
        for (answer, to, parameter) in
            [(Answer::Reply, "https://a.example/", "ReplyTo"), (Answer::Fault, "https://b.example/", "FaultTo")]
        {
            let headers = both.answer(answer, "b", "urn:uuid:2");
            assert!(headers.contains(to) && headers.contains(&format!("<{parameter} ")), "{headers}");
        }
        let one = read(&format!("<wsa:Action>a</wsa:Action>{reply}")).unwrap().unwrap();
        assert!(one.answer(Answer::Fault, "b", "urn:uuid:2").contains("https://a.example/"));
        let here = one.on_connection();
        assert_eq!((&here.reply_to, &here.fault_to), (&Destination::Anonymous, &Destination::Anonymous));
        assert!(here.answer(Answer::Fault, "b", "urn:uuid:2").contains(ANONYMOUS));
    }

    #[test]
    fn a_request_says_where_it_goes_and_to_which_messages_it_relates() {
        let headers = request("https://a.example/?x&y", "urn:do", "urn:uuid:3", ["urn:uuid:1", "<2>"]);
        let headers = Element::read(format!("<h>{headers}</h>").as_bytes(), None, &TreeLimits::WSI).unwrap().children;
        let told: Vec<_> = headers.iter().map(|it| (it.name.local.as_str(), it.text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("Action", "urn:do"),
                ("MessageID", "urn:uuid:3"),
                ("To", "https://a.example/?x&y"),
                ("RelatesTo", "urn:uuid:1"),
                ("RelatesTo", "<2>")
            ]
        );
    }

    #[test]
    fn headers_that_contradict_each_other_are_refused_with_the_codes_of_the_specification() {
        let elsewhere = "<wsa:Address>http://attacker.example/</wsa:Address>";
        assert_eq!(refused("<wsa:Action>a</wsa:Action><wsa:Action>a</wsa:Action>"), "InvalidCardinality");
        assert_eq!(refused(&format!("<wsa:ReplyTo>{elsewhere}</wsa:ReplyTo>")), "MessageAddressingHeaderRequired");
        let action = "<wsa:Action>a</wsa:Action>";
        for header in ["ReplyTo", "FaultTo"] {
            let endpoint = |content: &str| format!("{action}<wsa:{header}>{content}</wsa:{header}>");
            assert_eq!(refused(&endpoint("")), "MissingAddressInEPR");
        }
        assert!(read(action).unwrap().unwrap().agree_with(Some("b")).is_err());
        assert!(read(action).unwrap().unwrap().agree_with(None).is_ok());
    }
}
