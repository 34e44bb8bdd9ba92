use muster_broker::certificate::{
    Authority, CertificateBinding, CertificateName, CertificateNameKind, Fingerprint, RevokedCertificate, Serial,
};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::page::Paged;
use muster_broker::services::{AuthorityGiven, RevocationGiven};

use crate::contract::administration::certificates as wire;
use crate::convert::long;
use crate::identity::certificate::Facts;

/// Reads a certificate.
///
/// # Errors
/// `InvalidArgument`.
fn facts(pem: &str) -> Result<Facts, Fault> {
    Facts::from_pem(pem).map_err(|why| Fault::invalid("certificate", "…", why))
}

/// An authority from its certificate.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn authority(pem: &str, name: Option<String>) -> Result<AuthorityGiven, Fault> {
    let facts = facts(pem)?;
    Ok(AuthorityGiven {
        name,
        fingerprint: facts.fingerprint,
        subject: facts.subject,
        subject_der: facts.subject_der,
        key_digest: facts.key_digest,
        der: facts.der,
        not_before: facts.not_before,
        not_after: facts.not_after,
        is_authority: facts.is_authority,
    })
}

/// Reads the identifier of an authority.
///
/// # Errors
/// `UnknownCredential`: what is no identifier is that of none.
pub(crate) fn authority_id(text: &str) -> Result<Fingerprint, Fault> {
    let unknown = || {
        let text = "authorityId has 64 hexadecimal digits; getTrustedCertificateAuthorities lists those there are";
        Fault::new(FaultName::UnknownCredential, text)
    };
    Fingerprint::parse(text).ok_or_else(|| unknown().with(text))
}

/// The name that a caller means: that of a certificate, or one that it spells.
///
/// # Errors
/// `InvalidArgument`, `MissingArgument`, `ConflictingArguments`.
pub(crate) fn name(
    certificate: Option<&str>,
    kind: Option<CertificateNameKind>,
    value: Option<&str>,
) -> Result<CertificateName, Fault> {
    match (certificate, kind, value) {
        (Some(pem), None, None) => {
            let fingerprint = facts(pem)?.fingerprint.to_string();
            Ok(CertificateName { kind: CertificateNameKind::Fingerprint, value: fingerprint })
        }
        (None, Some(kind), Some(value)) => spelt(kind, value),
        (None, None, None) => Err(Fault::missing("certificate")),
        (None, None, Some(_)) => Err(Fault::missing("nameKind")),
        (None, Some(_), None) => Err(Fault::missing("nameValue")),
        (Some(_), ..) => {
            let text = "give either a certificate, or nameKind and nameValue";
            Err(Fault::new(FaultName::ConflictingArguments, text).with("certificate").with("nameKind"))
        }
    }
}

/// A name that a caller spells.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn spelt(kind: CertificateNameKind, value: &str) -> Result<CertificateName, Fault> {
    let why = "a name of up to 500 printable characters is expected; for a fingerprint, 64 hexadecimal digits";
    CertificateName::new(kind, value).ok_or_else(|| Fault::invalid("nameValue", value.escape_debug(), why))
}

/// The certificate that a caller revokes.
///
/// # Errors
/// `InvalidArgument`, `MissingArgument`, `ConflictingArguments`, `UnknownCredential`.
pub(crate) fn revocation(given: &wire::RevokeCertificate) -> Result<RevocationGiven, Fault> {
    match (&given.certificate, &given.authority_id, &given.serial_number) {
        (Some(pem), None, None) => {
            let Facts { issuer, issuer_der, serial, .. } = facts(pem)?;
            Ok(RevocationGiven::Certificate { issuer_der, issuer, serial })
        }
        (None, Some(authority), Some(serial)) => {
            let why = "hexadecimal digits are expected, as tools show the serial number of a certificate";
            let serial = Serial::parse(serial).ok_or_else(|| Fault::invalid("serialNumber", serial, why))?;
            Ok(RevocationGiven::Issued { authority: authority_id(authority)?, serial })
        }
        (None, None, None) => Err(Fault::missing("certificate")),
        (None, None, Some(_)) => Err(Fault::missing("authorityId")),
        (None, Some(_), None) => Err(Fault::missing("serialNumber")),
        (Some(_), ..) => {
            let text = "give either a certificate, or authorityId and serialNumber";
            Err(Fault::new(FaultName::ConflictingArguments, text).with("certificate").with("authorityId"))
        }
    }
}

impl From<Authority> for wire::CertificateAuthority {
    fn from(authority: Authority) -> Self {
        Self {
            authority_id: authority.fingerprint.to_string(),
            tenant: authority.tenant,
            name: authority.name,
            subject: authority.subject,
            not_before: authority.not_before,
            not_after: authority.not_after,
            list_made_at: authority.list.as_ref().map(|list| list.this_update),
            next_list_at: authority.list.and_then(|list| list.next_update),
            vouches_everywhere: authority.vouches_everywhere,
            created_by: authority.created_by,
            created_at: authority.created_at,
        }
    }
}

impl From<Paged<Authority>> for wire::CertificateAuthorityList {
    fn from(page: Paged<Authority>) -> Self {
        Self {
            certificate_authority: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<CertificateBinding> for wire::CertificateBinding {
    fn from(binding: CertificateBinding) -> Self {
        Self {
            principal: binding.principal,
            name_kind: binding.name.kind,
            name_value: binding.name.value,
            created_by: binding.created_by,
            created_at: binding.created_at,
        }
    }
}

impl From<Paged<CertificateBinding>> for wire::CertificateBindingList {
    fn from(page: Paged<CertificateBinding>) -> Self {
        Self {
            certificate_binding: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<RevokedCertificate> for wire::RevokedCertificate {
    fn from(revoked: RevokedCertificate) -> Self {
        Self {
            issuer: revoked.issuer,
            serial_number: revoked.serial.to_string(),
            reason: revoked.reason,
            revoked_by: revoked.revoked_by,
            revoked_at: revoked.revoked_at,
        }
    }
}

impl From<Paged<RevokedCertificate>> for wire::RevokedCertificateList {
    fn from(page: Paged<RevokedCertificate>) -> Self {
        Self {
            revoked_certificate: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}
