use super::{Once, Pending, Remember};
use crate::api_key::ApiKey;
use crate::certificate::{
    Authority, CertificateBinding, CertificateName, Fingerprint, RevocationList, RevokedCertificate, TrustRecords,
};
use crate::fault::Fault;
use crate::identity_provider::IdentityProvider;
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::time::Timestamp;

/// API keys.
pub trait KeyStore: Send + Sync {
    /// Keeps a new key.
    fn key_create(&self, key: ApiKey, deed: Deed) -> Pending<'_, ()>;
    /// The key with this identifier.
    fn key_get(&self, id: &str) -> Pending<'_, Option<ApiKey>>;
    /// Keys of a domain, or of one of its principals, by identifier.
    fn key_list(&self, tenant: &str, principal: Option<&str>, page: Page) -> Pending<'_, Listed<ApiKey>>;
    /// Revokes a key; one that was revoked before stays as it is. Nothing if there is no such key.
    fn key_revoke(&self, tenant: &str, id: &str, deed: Deed) -> Pending<'_, Option<ApiKey>>;
    /// Notes a use.
    fn key_touch(&self, id: &str, at: Timestamp) -> Pending<'_, ()>;
}

/// Authorities, names of certificates, and what is revoked. Every change raises the version of [`TrustRecords`].
pub trait CertificateStore: Send + Sync {
    /// Adds an authority. One that the domain trusts already is given back as it is.
    ///
    /// `AlreadyExists` if another domain trusts the same key.
    fn authority_add(&self, authority: Authority, deed: Deed) -> Pending<'_, Result<Authority, Fault>>;
    /// The authority with this fingerprint that a domain trusts.
    fn authority_get(&self, tenant: &str, fingerprint: Fingerprint) -> Pending<'_, Option<Authority>>;
    /// Authorities that a domain trusts, by fingerprint.
    fn authority_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Authority>>;
    /// Takes an authority away; false if there was none.
    fn authority_remove(&self, tenant: &str, fingerprint: Fingerprint, deed: Deed) -> Pending<'_, bool>;
    /// Keeps the newest list of what an authority has revoked. Nothing if there is no such authority, or the list that is
    /// kept is newer.
    fn authority_list_put(
        &self,
        tenant: &str,
        fingerprint: Fingerprint,
        list: RevocationList,
        deed: Deed,
    ) -> Pending<'_, Option<Authority>>;

    /// Binds a name. A binding of the same name to the same principal is given back as it is.
    ///
    /// `AlreadyExists` if the name is bound to another principal.
    fn binding_add(&self, binding: CertificateBinding, deed: Deed) -> Pending<'_, Result<CertificateBinding, Fault>>;
    /// Takes a binding away; false if there was none.
    fn binding_remove(&self, tenant: &str, name: &CertificateName, deed: Deed) -> Pending<'_, bool>;
    /// Bindings of a domain, or of one of its principals, by name.
    fn binding_list(
        &self,
        tenant: &str,
        principal: Option<&str>,
        page: Page,
    ) -> Pending<'_, Listed<CertificateBinding>>;
    /// The bindings of a domain for any of these names.
    fn binding_find(&self, tenant: &str, names: Vec<CertificateName>) -> Pending<'_, Vec<CertificateBinding>>;

    /// Keeps that a certificate is revoked; what was kept of it before stays as it is, and is given back.
    fn certificate_revoke(&self, revoked: RevokedCertificate, deed: Deed) -> Pending<'_, RevokedCertificate>;
    /// Certificates that a domain has revoked, by issuer and serial number.
    fn certificate_revoked(&self, tenant: &str, page: Page) -> Pending<'_, Listed<RevokedCertificate>>;

    /// The version of what certificates are verified with.
    fn trust_version(&self) -> Pending<'_, i64>;
    /// What certificates are verified with, of all domains.
    fn trust_load(&self) -> Pending<'_, TrustRecords>;
}

/// A provider to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderWrite {
    /// The provider as it will be, but for its version.
    pub provider: IdentityProvider,
    /// Whether there is one already, which is changed; the secret of before stays where none is given.
    pub is_update: bool,
    /// The version it must have, if the caller said one.
    pub version: Option<i64>,
}

/// What became of a [`ProviderWrite`]: the provider as it is, or `AlreadyExists`, `UnknownCredential`,
/// `OutdatedVersion`.
pub type ProviderVerdict = Result<IdentityProvider, Fault>;

/// OpenID Connect providers.
pub trait ProviderStore: Send + Sync {
    /// Makes or changes a provider.
    fn provider_write(
        &self,
        write: ProviderWrite,
        deed: Deed,
        remember: Option<Remember<ProviderVerdict>>,
    ) -> Pending<'_, Once<ProviderVerdict>>;
    /// The provider of this name, of whatever domain.
    fn provider_get(&self, name: &str) -> Pending<'_, Option<IdentityProvider>>;
    /// Providers of this issuer, of every domain.
    fn provider_of_issuer(&self, issuer: &str) -> Pending<'_, Vec<IdentityProvider>>;
    /// Providers of a domain, by name.
    fn provider_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<IdentityProvider>>;
    /// Takes a provider away; false if there was none.
    fn provider_remove(&self, tenant: &str, name: &str, deed: Deed) -> Pending<'_, bool>;
}
