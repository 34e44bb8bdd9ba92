//! The UsernameToken and the Timestamp of a WS-Security header, as data: nothing is verified here.
//!
//! Sources: WS-Security SOAP Message Security 1.1 (OASIS, 1 February 2006); UsernameToken Profile 1.1.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fault::{Code, SoapFault, Subcode};
use crate::xml::element::{Element, XmlWriter};

/// Namespace of the security header.
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// Namespace of times and identifiers in it.
pub const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

const TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// Longest nonce taken, in octets; toolkits send 16.
pub const NONCE_BYTES_MAX: usize = 128;

/// What a security header brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// Whom the sender says it is.
    pub token: Option<UsernameToken>,
    /// How long the message is good for.
    pub timestamp: Option<WsuTimestamp>,
}

/// A UsernameToken.
#[derive(Clone, PartialEq, Eq)]
pub struct UsernameToken {
    /// Name.
    pub name: String,
    /// Password or digest of it.
    pub password: Password,
}

impl fmt::Debug for UsernameToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsernameToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a token proves itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// `PasswordText`.
    Text(String),
    /// `PasswordDigest`: base64 of SHA-1 over nonce, `created` exactly as received, and the password.
    Digest {
        /// Digest after decoding.
        digest: Vec<u8>,
        /// Nonce after decoding.
        nonce: Vec<u8>,
        /// Time of making, as received.
        created: String,
    },
}

/// A Timestamp, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsuTimestamp {
    /// Time of making.
    pub created: Option<String>,
    /// End of validity.
    pub expires: Option<String>,
}

impl Security {
    /// Reads the security header aimed at this server, if there is one.
    ///
    /// # Errors
    /// `InvalidSecurity` for a header that makes no sense, `UnsupportedSecurityToken` for tokens of other kinds.
    pub fn read(headers: &[Element]) -> Result<Option<Self>, Box<SoapFault>> {
        let mut found = headers.iter().filter(|header| header.is(WSSE, "Security"));
        let Some(header) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(invalid("there are two security headers"));
        }
        let mut security = Self { token: None, timestamp: None };
        for child in &header.children {
            if child.is(WSSE, "UsernameToken") {
                if security.token.replace(token(child)?).is_some() {
                    return Err(invalid("there are two UsernameToken"));
                }
            } else if child.is(WSU, "Timestamp") {
                let text = |local| child.child(WSU, local).map(|it| it.text.trim().to_owned());
                let timestamp = WsuTimestamp { created: text("Created"), expires: text("Expires") };
                if security.timestamp.replace(timestamp).is_some() {
                    return Err(invalid("there are two Timestamp"));
                }
            } else {
                return Err(fault("UnsupportedSecurityToken", "only UsernameToken and Timestamp are taken here"));
            }
        }
        Ok(Some(security))
    }
}

/// A security header with a name and a password as text, as a fragment of XML.
///
/// Source: WS-Security UsernameToken Profile 1.1, section 3.1.
#[must_use]
pub fn username_token(name: &str, password: &str) -> String {
    let mut writer = XmlWriter::new();
    writer.start("wsse:Security", &[("xmlns:wsse", WSSE)]);
    writer.start("wsse:UsernameToken", &[]);
    writer.leaf("wsse:Username", name);
    writer.start("wsse:Password", &[("Type", TEXT)]);
    writer.text(password);
    writer.end("wsse:Password");
    writer.end("wsse:UsernameToken");
    writer.end("wsse:Security");
    writer.finish()
}

/// The one fault for every credential of a security header that is refused.
#[must_use]
pub fn failed_authentication(reason: &str) -> Box<SoapFault> {
    fault("FailedAuthentication", reason)
}

/// The fault for a message after its end.
#[must_use]
pub fn message_expired() -> Box<SoapFault> {
    let subcode = Subcode { namespace: WSU, local: "MessageExpired", is_code_in_soap11: true };
    Box::new(SoapFault::new(Code::Sender, vec![subcode], "the message has expired; are the clocks right?"))
}

/// The fault for a security header that makes no sense.
#[must_use]
pub fn invalid(reason: &str) -> Box<SoapFault> {
    fault("InvalidSecurity", reason)
}

fn fault(local: &'static str, reason: &str) -> Box<SoapFault> {
    let subcode = Subcode { namespace: WSSE, local, is_code_in_soap11: true };
    Box::new(SoapFault::new(Code::Sender, vec![subcode], reason))
}

fn token(element: &Element) -> Result<UsernameToken, Box<SoapFault>> {
    let one = |namespace: &str, local: &str| {
        let mut found = element.children.iter().filter(|child| child.is(namespace, local));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            _ => Err(invalid("a part of UsernameToken is given twice")),
        }
    };
    let name = one(WSSE, "Username")?.ok_or_else(|| invalid("UsernameToken has no Username"))?;
    let password = one(WSSE, "Password")?.ok_or_else(|| invalid("UsernameToken has no Password"))?;
    let (nonce, created) = (one(WSSE, "Nonce")?, one(WSU, "Created")?);
    let password = match password.plain_attribute("Type").map(str::trim) {
        None | Some("" | TEXT) => Password::Text(password.text.to_string()),
        Some(DIGEST) => {
            let needs = || invalid("PasswordDigest needs Nonce and Created");
            let nonce = nonce.ok_or_else(needs)?;
            if nonce.plain_attribute("EncodingType").is_some_and(|it| it.trim() != BASE64) {
                return Err(invalid("Nonce is not in base64"));
            }
            let decode = |element: &Element| STANDARD.decode(element.text.trim()).map_err(|_| invalid("not base64"));
            let nonce = decode(nonce)?;
            if nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX {
                return Err(invalid("Nonce has an impossible length"));
            }
            let created = created.ok_or_else(needs)?.text.to_string();
            Password::Digest { digest: decode(password)?, nonce, created }
        }
        Some(_) => return Err(fault("UnsupportedSecurityToken", "the password type is neither text nor digest")),
    };
    Ok(UsernameToken { name: name.text.trim().to_owned(), password })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::xml::element::TreeLimits;

    fn read(content: &str) -> Result<Option<Security>, Box<SoapFault>> {
        let text = format!("<h xmlns:wsse='{WSSE}' xmlns:wsu='{WSU}'>{content}</h>");
        Security::read(&Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap().children)
    }

    fn token(content: &str) -> Result<Option<Security>, Box<SoapFault>> {
        read(&format!("<wsse:Security><wsse:UsernameToken>{content}</wsse:UsernameToken></wsse:Security>"))
    }

    #[test]
    fn a_password_without_type_is_text() {
        let security =
            token("<wsse:Username>care</wsse:Username><wsse:Password> s3cret</wsse:Password>").unwrap().unwrap();
        assert!(security.token.unwrap().password == Password::Text(" s3cret".into()));
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn a_digest_keeps_created_exactly_as_received() {
        let content = format!(
            "<wsse:Username>care</wsse:Username><wsse:Password Type='{DIGEST}'>AAE=</wsse:Password>
             <wsse:Nonce EncodingType='{BASE64}'>AAECAw==</wsse:Nonce><wsu:Created>2026-11-21T06:02:56+00:00</wsu:Created>"
        );
        let password = token(&content).unwrap().unwrap().token.unwrap().password;
        let created = "2026-11-21T06:02:56+00:00".to_owned();
        assert!(password == Password::Digest { digest: vec![0, 1], nonce: vec![0, 1, 2, 3], created });
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_codes_of_the_specification() {
        let name = "<wsse:Username>care</wsse:Username>";
        for (content, code) in [
            ("<wsse:Password>x</wsse:Password>".to_owned(), "InvalidSecurity"),
            (name.to_owned(), "InvalidSecurity"),
            (format!("{name}{name}<wsse:Password>x</wsse:Password>"), "InvalidSecurity"),
            (format!("{name}<wsse:Password Type='{DIGEST}'>AAE=</wsse:Password>"), "InvalidSecurity"),
            (format!("{name}<wsse:Password Type='urn:x'>AAE=</wsse:Password>"), "UnsupportedSecurityToken"),
        ] {
            assert_eq!(token(&content).unwrap_err().subcodes[0].local, code, "{content}");
        }
        let other = read("<wsse:Security><wsse:BinarySecurityToken/></wsse:Security>");
        assert_eq!(other.unwrap_err().subcodes[0].local, "UnsupportedSecurityToken");
        let twice = read("<wsse:Security/><wsse:Security/>");
        assert_eq!(twice.unwrap_err().subcodes[0].local, "InvalidSecurity");
    }
}
