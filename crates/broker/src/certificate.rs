//! Client certificates: the authorities that a domain trusts, whose certificates name whom, and which are revoked.
//!
//! An authority belongs to one domain. A certificate that it issued can name principals of that domain and no other.
//!
//! Source: DM WSI contract, section 1.4; RFC 5280.

use std::fmt;

use crate::bounds::{CERTIFICATE_NAME_CHARS_MAX, SERIAL_OCTETS_MAX};
use crate::names::names;
use crate::time::Timestamp;

/// SHA-256 of a certificate; written as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits, with or without colons between pairs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets = hexadecimal(&text.trim().replace(':', ""))?;
        octets.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A serial number as the certificate has it, without leading zero octets; written as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// From the octets of a certificate.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        Self(octets.get(zeros..).unwrap_or_default().to_vec())
    }

    /// Reads hexadecimal digits, with or without colons between pairs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().replace(':', "");
        let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        let octets = hexadecimal(&padded).filter(|it| !it.is_empty() && it.len() <= SERIAL_OCTETS_MAX)?;
        Some(Self::of(&octets))
    }

    /// The octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("00");
        }
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(value(*pair.first()?)? << 4 | value(*pair.last()?)?)).collect()
}

/// What of a certificate names a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateNameKind {
    /// SHA-256 of the whole certificate.
    Fingerprint,
    /// URI among the alternative names, to the letter.
    Uri,
    /// Host name among the alternative names, without regard to case.
    Dns,
    /// Mail address among the alternative names, without regard to case.
    Email,
    /// The common name of the subject.
    CommonName,
}

names! {
    CertificateNameKind {
        "FINGERPRINT" Fingerprint
        "URI" Uri
        "DNS" Dns
        "EMAIL" Email
        "COMMON_NAME" CommonName
    }
}

/// A name that a certificate has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateName {
    /// Of which kind.
    pub kind: CertificateNameKind,
    /// In the form in which it is compared.
    pub value: String,
}

impl CertificateName {
    /// A name in the form in which it is compared; nothing if it is empty, too long, does not print, or is no
    /// fingerprint where one is meant.
    #[must_use]
    pub fn new(kind: CertificateNameKind, value: &str) -> Option<Self> {
        let fits = !value.is_empty()
            && value.chars().count() <= CERTIFICATE_NAME_CHARS_MAX
            && !value.chars().any(char::is_control);
        let value = match kind {
            CertificateNameKind::Fingerprint => Fingerprint::parse(value)?.to_string(),
            CertificateNameKind::Dns | CertificateNameKind::Email => value.to_ascii_lowercase(),
            CertificateNameKind::Uri | CertificateNameKind::CommonName => value.to_owned(),
        };
        fits.then_some(Self { kind, value })
    }
}

/// A certificate authority that a domain trusts to say who its callers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Of its certificate; its public identifier.
    pub fingerprint: Fingerprint,
    /// The domain.
    pub tenant: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its subject as text.
    pub subject: String,
    /// Its subject as it stands in certificates it issues.
    pub subject_der: Vec<u8>,
    /// SHA-256 of its public key: no two domains trust the same key.
    pub key_digest: [u8; 32],
    /// Its certificate.
    pub der: Vec<u8>,
    /// Its certificate is valid from here.
    pub not_before: Timestamp,
    /// And until here.
    pub not_after: Timestamp,
    /// Whether it may prove who principals are that have rights beyond this domain: only if it was added by somebody
    /// who may do everything everywhere. Else an administrator of one domain could make a certificate for one of all.
    pub vouches_everywhere: bool,
    /// What it has revoked by a list.
    pub list: Option<RevocationList>,
    /// Who added it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A list of what an authority has revoked, signed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// The list.
    pub der: Vec<u8>,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Option<Timestamp>,
}

/// A certificate with this name is this principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateBinding {
    /// Domain of the principal, and of the authorities that can prove the name.
    pub tenant: String,
    /// The name.
    pub name: CertificateName,
    /// The principal.
    pub principal: String,
    /// Who bound it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A certificate that a domain does not take any more, whatever its authority says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// The domain.
    pub tenant: String,
    /// Subject of its issuer.
    pub issuer_der: Vec<u8>,
    /// The same as text.
    pub issuer: String,
    /// Its serial number.
    pub serial: Serial,
    /// Why.
    pub reason: Option<String>,
    /// Who revoked it.
    pub revoked_by: String,
    /// When.
    pub revoked_at: Timestamp,
}

/// What certificates are verified with, of all domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustRecords {
    /// Changes with every change of authorities, revocations and bindings.
    pub version: i64,
    /// Authorities, by domain.
    pub authorities: Vec<Authority>,
    /// What domains have revoked themselves.
    pub revoked: Vec<RevokedCertificate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_and_a_serial_number_are_read_as_tools_write_them() {
        let text = "AB:".repeat(31) + "cd";
        let read = Fingerprint::parse(&text).map(|it| it.to_string());
        assert_eq!(read, Some("ab".repeat(31) + "cd"));
        for text in ["", "ab", "zz", &"ab".repeat(33), "é"] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
        assert_eq!(Serial::parse("0A:0b"), Some(Serial::of(&[0, 10, 11])));
        assert_eq!(Serial::parse("A0B").map(|it| it.to_string()), Some("0a0b".to_owned()));
        assert_eq!(Serial::parse("0").map(|it| it.to_string()), Some("00".to_owned()));
        for text in ["", "xy", &"ab".repeat(65), "é1"] {
            assert_eq!(Serial::parse(text), None, "{text}");
        }
    }

    #[test]
    fn host_names_and_mail_addresses_compare_without_regard_to_case_and_others_to_the_letter() {
        let name = |kind, value| CertificateName::new(kind, value).map(|it| it.value);
        assert_eq!(name(CertificateNameKind::Dns, "CRM.Example"), Some("crm.example".to_owned()));
        assert_eq!(name(CertificateNameKind::Uri, "urn:x:CRM"), Some("urn:x:CRM".to_owned()));
        assert_eq!(name(CertificateNameKind::CommonName, "a\u{0}b"), None);
        assert_eq!(name(CertificateNameKind::CommonName, ""), None);
        assert_eq!(name(CertificateNameKind::Fingerprint, "crm"), None);
    }
}
