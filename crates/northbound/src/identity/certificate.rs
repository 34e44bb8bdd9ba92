//! Certificates as they come from outside: those that a listener hands over, and those that an administrator gives.
//!
//! Here is only what a certificate says. Whether it is to be believed is decided in `trust`.
//!
//! Source: RFC 5280.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use muster_broker::certificate::{CertificateName, CertificateNameKind, Fingerprint, RevocationList, Serial};
use muster_broker::time::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};
use x509_parser::time::ASN1Time;

/// Longest PEM text taken, in octets: of a certificate, and of a revocation list.
const PEM_BYTES_MAX: usize = 64 << 10;
const LIST_PEM_BYTES_MAX: usize = 4 << 20;
/// Names of one certificate that are looked at.
const NAMES_MAX: usize = 64;

/// The certificate that a client showed when it connected, with what it sent of its chain. The listener that ended TLS
/// puts it into the extensions of each request of the connection; that the client has the key was proved in the handshake,
/// nothing else was.
///
/// There is no other way for a certificate to get here: headers of HTTP that name one mean nothing.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    chain: Arc<[CertificateDer<'static>]>,
    digest: [u8; 32],
}

impl ClientCertificate {
    /// Of the certificates as they came, that of the client first; nothing where there is none.
    #[must_use]
    pub fn new(chain: &[CertificateDer<'_>]) -> Option<Self> {
        if chain.is_empty() {
            return None;
        }
        let mut context = Context::new(&SHA256);
        for certificate in chain {
            context.update(&certificate.len().to_be_bytes());
            context.update(certificate);
        }
        let mut sum = [0; 32];
        sum.copy_from_slice(context.finish().as_ref());
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Some(Self { chain, digest: sum })
    }

    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Stands for the whole chain.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// Why a text or octets are not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotACertificate {
    #[error("one certificate in PEM is expected, from BEGIN CERTIFICATE to END CERTIFICATE")]
    Pem,
    #[error("the certificate cannot be read; is it an X.509 certificate of version 3?")]
    Content,
    #[error("one revocation list in PEM is expected, from BEGIN X509 CRL to END X509 CRL")]
    ListPem,
    #[error("the revocation list cannot be read; is it an X.509 list of version 2?")]
    ListContent,
    #[error("the revocation list is of another authority")]
    ListOfAnother,
    #[error("the signature of the revocation list is not that of the authority")]
    ListSignature,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) der: Vec<u8>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) serial: Serial,
    pub(crate) subject: String,
    pub(crate) subject_der: Vec<u8>,
    pub(crate) issuer: String,
    pub(crate) issuer_der: Vec<u8>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// Whether it may issue certificates.
    pub(crate) is_authority: bool,
    /// SHA-256 of its public key.
    pub(crate) key_digest: [u8; 32],
    /// What could name its holder, its fingerprint first.
    pub(crate) names: Vec<CertificateName>,
}

impl Facts {
    /// Reads the one certificate of a PEM text.
    ///
    /// # Errors
    /// [`NotACertificate`].
    pub(crate) fn from_pem(text: &str) -> Result<Self, NotACertificate> {
        if text.len() > PEM_BYTES_MAX {
            return Err(NotACertificate::Pem);
        }
        let mut found = CertificateDer::pem_slice_iter(text.as_bytes());
        let (Some(Ok(one)), None) = (found.next(), found.next()) else { return Err(NotACertificate::Pem) };
        Self::from_der(&one)
    }

    /// Reads a certificate.
    ///
    /// # Errors
    /// [`NotACertificate::Content`].
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        let failed = NotACertificate::Content;
        let (rest, read) = X509Certificate::from_der(der).map_err(|_| failed)?;
        if !rest.is_empty() {
            return Err(failed);
        }
        let constraints = read.basic_constraints().map_err(|_| failed)?;
        let usage = read.key_usage().map_err(|_| failed)?;
        let is_authority = constraints.is_some_and(|it| it.value.ca) && usage.is_none_or(|it| it.value.key_cert_sign());
        let fingerprint = Fingerprint(sha256(der));
        Ok(Self {
            der: der.to_vec(),
            fingerprint,
            serial: Serial::of(read.raw_serial()),
            subject: read.subject().to_string(),
            subject_der: read.subject().as_raw().to_vec(),
            issuer: read.issuer().to_string(),
            issuer_der: read.issuer().as_raw().to_vec(),
            not_before: time(read.validity().not_before),
            not_after: time(read.validity().not_after),
            is_authority,
            key_digest: sha256(read.public_key().raw),
            names: names(&read, fingerprint).map_err(|()| failed)?,
        })
    }
}

fn names(read: &X509Certificate<'_>, fingerprint: Fingerprint) -> Result<Vec<CertificateName>, ()> {
    let mut names = vec![CertificateName { kind: CertificateNameKind::Fingerprint, value: fingerprint.to_string() }];
    let mut add = |kind, value: &str| {
        if names.len() < NAMES_MAX {
            names.extend(CertificateName::new(kind, value));
        }
    };
    if let Some(alternative) = read.subject_alternative_name().map_err(|_| ())? {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::URI(value) => add(CertificateNameKind::Uri, value),
                GeneralName::DNSName(value) => add(CertificateNameKind::Dns, value),
                GeneralName::RFC822Name(value) => add(CertificateNameKind::Email, value),
                _ => {}
            }
        }
    }
    for name in read.subject().iter_common_name() {
        add(CertificateNameKind::CommonName, name.as_str().map_err(|_| ())?);
    }
    Ok(names)
}

/// Reads the one revocation list of a PEM text, and checks that the authority signed it.
///
/// # Errors
/// [`NotACertificate`].
pub(crate) fn revocation_list(text: &str, authority: &[u8]) -> Result<RevocationList, NotACertificate> {
    if text.len() > LIST_PEM_BYTES_MAX {
        return Err(NotACertificate::ListPem);
    }
    let mut found = CertificateRevocationListDer::pem_slice_iter(text.as_bytes());
    let (Some(Ok(one)), None) = (found.next(), found.next()) else { return Err(NotACertificate::ListPem) };
    let (rest, read) = CertificateRevocationList::from_der(&one).map_err(|_| NotACertificate::ListContent)?;
    // What verifies chains must be able to read it too.
    if !rest.is_empty() || webpki::BorrowedCertRevocationList::from_der(&one).is_err() {
        return Err(NotACertificate::ListContent);
    }
    let (_, authority) = X509Certificate::from_der(authority).map_err(|_| NotACertificate::Content)?;
    if read.issuer().as_raw() != authority.subject().as_raw() {
        return Err(NotACertificate::ListOfAnother);
    }
    read.verify_signature(authority.public_key()).map_err(|_| NotACertificate::ListSignature)?;
    Ok(RevocationList {
        der: one.to_vec(),
        this_update: time(read.last_update()),
        next_update: read.next_update().map(time),
    })
}

fn time(at: ASN1Time) -> Timestamp {
    Timestamp(0).plus_s(at.timestamp())
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, octets).as_ref());
    sum
}

/// When a certificate ends; nothing where it cannot be read.
#[must_use]
pub fn end_of_certificate(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    Facts::from_der(certificate).ok().map(|facts| facts.not_after)
}
