//! IAdministrationServices: certificate authorities that a domain trusts, whose certificates are whose, and revocation.

use muster_broker::certificate::CertificateNameKind;
use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::record::record;
use crate::contract::session::UserSession;

record! {
    /// Adds a certificate authority whose certificates say who the External Systems of the domain are. It takes somebody who may do everything in the domain. Adding it again is no error.
    AddTrustedCertificateAuthority {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Its certificate in PEM.
        "certificate" certificate: one String,
        /// What people call it.
        "name" name: opt String,
        /// Management domain, for a caller whose rights reach another than its own.
        "tenant" tenant: opt String,
    }

    /// Returns the certificate authorities that the domain trusts.
    GetTrustedCertificateAuthorities {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Management domain, for a caller whose rights reach another than its own.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Takes a certificate authority away. From the next request on no certificate counts by it, on open connections neither.
    RemoveTrustedCertificateAuthority {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Authority.
        "authorityId" authority_id: one String,
        /// Management domain, for a caller whose rights reach another than its own.
        "tenant" tenant: opt String,
    }

    /// Keeps the list of what a certificate authority has revoked, in place of the one before.
    SetCertificateRevocationList {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Authority that signed the list.
        "authorityId" authority_id: one String,
        /// The list in PEM.
        "revocationList" revocation_list: one String,
        /// Management domain, for a caller whose rights reach another than its own.
        "tenant" tenant: opt String,
    }

    /// Says that certificates with a name are those of a principal. It takes somebody who has every right of the principal. Give either a certificate, which is bound by its fingerprint, or a name with its kind. Binding it again is no error.
    BindCertificate {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Principal.
        "principal" principal: one String,
        /// A certificate in PEM, bound by its fingerprint.
        "certificate" certificate: opt String,
        /// Kind of the name.
        "nameKind" name_kind: opt CertificateNameKind,
        /// The name, as it stands in certificates.
        "nameValue" name_value: opt String,
    }

    /// Takes a binding away. From the next request on certificates of this name let nobody in.
    UnbindCertificate {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Kind of the name.
        "nameKind" name_kind: one CertificateNameKind,
        /// The name.
        "nameValue" name_value: one String,
    }

    /// Returns the names of certificates that are bound to principals of the domain, or to one of them.
    GetCertificates {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only names of this principal.
        "principal" principal: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Revokes a certificate for the domain, whatever its authority says. From the next request on it lets nobody in, on open connections neither. Give either the certificate, or its serial number and the authority that issued it. Revoking it again is no error.
    RevokeCertificate {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The certificate in PEM.
        "certificate" certificate: opt String,
        /// Authority that issued it.
        "authorityId" authority_id: opt String,
        /// Its serial number, hexadecimal.
        "serialNumber" serial_number: opt String,
        /// Why, for people.
        "reason" reason: opt String,
    }

    /// Returns the certificates that the domain has revoked by revokeCertificate.
    GetRevokedCertificates {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }
}

record! {
    /// A certificate authority that a domain trusts.
    CertificateAuthority {
        /// Identifier: SHA-256 of its certificate, 64 hexadecimal digits.
        "authorityId" authority_id: one String,
        /// Management domain that trusts it.
        "tenant" tenant: one String,
        /// What people call it.
        "name" name: opt String,
        /// Subject of its certificate.
        "subject" subject: one String,
        /// Its certificate is valid from here; UTC.
        "notBefore" not_before: one Timestamp,
        /// And until here; UTC.
        "notAfter" not_after: one Timestamp,
        /// When its revocation list was made, where there is one; UTC.
        "listMadeAt" list_made_at: opt Timestamp,
        /// When the next revocation list is due; UTC. The list counts for what it revokes after that too.
        "nextListAt" next_list_at: opt Timestamp,
        /// Whether it may prove who principals are whose rights reach beyond the domain: it was added by somebody who may do everything everywhere.
        "vouchesEverywhere" vouches_everywhere: one bool,
        /// Who added it.
        "createdBy" created_by: one String,
        /// When; UTC.
        "createdAt" created_at: one Timestamp,
    }

    /// A page of certificate authorities.
    CertificateAuthorityList {
        /// Authorities, by identifier.
        "certificateAuthority" certificate_authority: many CertificateAuthority,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// Certificates with a name are those of a principal.
    CertificateBinding {
        /// Principal.
        "principal" principal: one String,
        /// Kind of the name.
        "nameKind" name_kind: one CertificateNameKind,
        /// The name.
        "nameValue" name_value: one String,
        /// Who bound it.
        "createdBy" created_by: one String,
        /// When; UTC.
        "createdAt" created_at: one Timestamp,
    }

    /// A page of bindings.
    CertificateBindingList {
        /// Bindings, by kind and name.
        "certificateBinding" certificate_binding: many CertificateBinding,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// A certificate that a domain has revoked.
    RevokedCertificate {
        /// Subject of its issuer.
        "issuer" issuer: one String,
        /// Its serial number, hexadecimal.
        "serialNumber" serial_number: one String,
        /// Why, for people.
        "reason" reason: opt String,
        /// Who revoked it.
        "revokedBy" revoked_by: one String,
        /// When; UTC.
        "revokedAt" revoked_at: one Timestamp,
    }

    /// A page of revoked certificates.
    RevokedCertificateList {
        /// Certificates, by issuer and serial number.
        "revokedCertificate" revoked_certificate: many RevokedCertificate,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
