//! IAdministrationServices: certificate authorities that a domain trusts, whose certificates are whose, and revocation.

use std::sync::Arc;

use super::api_keys::{is_of, must_have};
use super::{Broker, checks};
use crate::access::{Caller, Permission, Right, RightPattern};
use crate::bounds::TEXT_CHARS_MAX;
use crate::certificate::{
    Authority, CertificateBinding, CertificateName, Fingerprint, RevocationList, RevokedCertificate, Serial,
};
use crate::directory::Account;
use crate::fault::{Fault, FaultName};
use crate::page::{Page, PageRequest, Paged};
use crate::time::Timestamp;

/// An authority as its certificate describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityGiven {
    /// What people call it.
    pub name: Option<String>,
    /// Of its certificate.
    pub fingerprint: Fingerprint,
    /// Its subject as text.
    pub subject: String,
    /// Its subject as it stands in certificates it issues.
    pub subject_der: Vec<u8>,
    /// SHA-256 of its public key.
    pub key_digest: [u8; 32],
    /// Its certificate.
    pub der: Vec<u8>,
    /// Its certificate is valid from here.
    pub not_before: Timestamp,
    /// And until here.
    pub not_after: Timestamp,
    /// Whether it may issue certificates.
    pub is_authority: bool,
}

/// A certificate that is to be taken no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationGiven {
    /// By what stands in it.
    Certificate {
        /// Subject of its issuer.
        issuer_der: Vec<u8>,
        /// The same as text.
        issuer: String,
        /// Its serial number.
        serial: Serial,
    },
    /// By the authority that issued it.
    Issued {
        /// The authority.
        authority: Fingerprint,
        /// Its serial number.
        serial: Serial,
    },
}

impl Broker {
    /// Adds an authority that the domain trusts. It takes somebody who may do everything in the domain: an authority can
    /// make a certificate for any name that is bound there.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `AlreadyExists`.
    pub async fn add_authority(&self, caller: &Caller, given: AuthorityGiven) -> Result<Authority, Fault> {
        must_do_everything(caller, Right::new("certificate", "create"))?;
        checks::line_if_given("name", given.name.as_deref(), TEXT_CHARS_MAX)?;
        if self.tenant(&caller.tenant).await?.is_none() {
            let text = format!("there is no tenant {}", caller.tenant);
            return Err(Fault::new(FaultName::UnknownTenant, text).with(&caller.tenant));
        }
        let now = self.environment.now();
        if !given.is_authority {
            let why = "the certificate may not issue others; give that of the authority, not one that it issued";
            return Err(Fault::invalid("certificate", &given.subject, why));
        }
        if given.not_after <= now {
            return Err(Fault::invalid("certificate", &given.subject, "the certificate has expired"));
        }
        let authority = Authority {
            fingerprint: given.fingerprint,
            tenant: caller.tenant.clone(),
            name: given.name,
            subject: given.subject,
            subject_der: given.subject_der,
            key_digest: given.key_digest,
            der: given.der,
            not_before: given.not_before,
            not_after: given.not_after,
            vouches_everywhere: may_everything_everywhere(caller),
            list: None,
            created_by: caller.name.clone(),
            created_at: now,
        };
        let added = self.store.authority_add(authority, self.deed(caller, "addTrustedCertificateAuthority")).await?;
        self.trust_changed();
        added
    }

    /// Authorities that the domain trusts.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn authorities(&self, caller: &Caller, page: &PageRequest) -> Result<Paged<Authority>, Fault> {
        caller.must(Right::new("certificate", "read"))?;
        let scope = self.list_scope(caller, "authorities", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.authority_list(&caller.tenant, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |authority| authority))
    }

    /// Takes an authority away. From the next request on no certificate counts by it, on open connections neither.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCredential`.
    pub async fn remove_authority(&self, caller: &Caller, fingerprint: Fingerprint) -> Result<(), Fault> {
        caller.must(Right::new("certificate", "delete"))?;
        let deed = self.deed(caller, "removeTrustedCertificateAuthority");
        let is_gone = self.store.authority_remove(&caller.tenant, fingerprint, deed).await?;
        self.trust_changed();
        if is_gone { Ok(()) } else { Err(unknown_authority(fingerprint)) }
    }

    /// An authority of the domain, for what is to be checked with it.
    ///
    /// # Errors
    /// `NotAuthorized` if the caller may not revoke, `UnknownCredential`.
    pub async fn authority_to_revoke(&self, caller: &Caller, fingerprint: Fingerprint) -> Result<Authority, Fault> {
        caller.must(Right::new("certificate", "revoke"))?;
        let found = self.store.authority_get(&caller.tenant, fingerprint).await?;
        found.ok_or_else(|| unknown_authority(fingerprint))
    }

    /// Keeps the list of what an authority has revoked, whose signature was checked. A list takes the place of the one
    /// before, if it is not older.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCredential`, `InvalidArgument` for a list that is older than the one kept or from the
    /// future.
    pub async fn put_revocation_list(
        &self,
        caller: &Caller,
        fingerprint: Fingerprint,
        list: RevocationList,
    ) -> Result<Authority, Fault> {
        let known = self.authority_to_revoke(caller, fingerprint).await?;
        let newest = known.list.map_or(list.this_update, |kept| kept.this_update.max(list.this_update));
        let (made, is_early) = (list.this_update, list.this_update > self.environment.now().plus_s(24 * 3600));
        if newest > made || is_early {
            let why = "the list is older than the one that is kept, or was made in the future";
            return Err(Fault::invalid("revocationList", made, why));
        }
        let deed = self.deed(caller, "setCertificateRevocationList");
        let kept = self.store.authority_list_put(&caller.tenant, fingerprint, list, deed).await?;
        self.trust_changed();
        kept.ok_or_else(|| unknown_authority(fingerprint))
    }

    /// Binds a name of certificates to a principal. It takes somebody who has every right that the principal has.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `AlreadyExists`.
    pub async fn bind_certificate(
        &self,
        caller: &Caller,
        principal: &str,
        name: CertificateName,
    ) -> Result<CertificateBinding, Fault> {
        let right = Right::new("certificate", "bind");
        caller.must(right)?;
        let account = self.account_named(caller, principal).await?;
        must_have(caller, &account.permissions, right)?;
        let binding = CertificateBinding {
            tenant: caller.tenant.clone(),
            name,
            principal: account.principal.name.clone(),
            created_by: caller.name.clone(),
            created_at: self.environment.now(),
        };
        let bound = self.store.binding_add(binding, self.deed(caller, "bindCertificate")).await?;
        self.trust_changed();
        bound
    }

    /// The principal of a certificate with these names, all of which were proved by authorities of `tenant`; whether
    /// one of these vouches for rights beyond it is `vouches_everywhere`. Nothing if nobody is let in; what was wrong is
    /// for the log.
    ///
    /// # Errors
    /// Only those of the server.
    pub async fn certificate_holder(
        &self,
        tenant: &str,
        vouches_everywhere: bool,
        names: Vec<CertificateName>,
    ) -> Result<Result<Arc<Account>, &'static str>, Fault> {
        let bindings = self.store.binding_find(tenant, names).await?;
        let Some(first) = bindings.first() else { return Ok(Err("none of its names is bound")) };
        if bindings.iter().any(|binding| binding.principal != first.principal) {
            return Ok(Err("its names are bound to several principals"));
        }
        let account = self.account(&first.principal).await?;
        let is_holder = |account: &Account| bindings.iter().all(|it| is_of(account, tenant, it.created_at));
        let Some(account) = account.filter(|account| is_holder(account)) else {
            return Ok(Err("its principal is not let in"));
        };
        if !vouches_everywhere && !stays_within(&account.permissions, tenant) {
            return Ok(Err("its principal has rights beyond the domain of the authority"));
        }
        Ok(Ok(account))
    }

    /// Takes a binding away.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCredential`.
    pub async fn unbind_certificate(&self, caller: &Caller, name: &CertificateName) -> Result<(), Fault> {
        caller.must(Right::new("certificate", "bind"))?;
        let is_gone = self.store.binding_remove(&caller.tenant, name, self.deed(caller, "unbindCertificate")).await?;
        self.trust_changed();
        if is_gone {
            return Ok(());
        }
        let text = "no certificate of this name is bound";
        Err(Fault::new(FaultName::UnknownCredential, text).with(&name.value))
    }

    /// Names of certificates that are bound to principals of the domain, or to one of them.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn certificate_bindings(
        &self,
        caller: &Caller,
        principal: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<CertificateBinding>, Fault> {
        caller.must(Right::new("certificate", "read"))?;
        let scope = self.list_scope(caller, "certificates", &principal);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.binding_list(&caller.tenant, principal, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |binding| binding))
    }

    /// Revokes a certificate for the domain. From the next request on it counts for nothing, on open connections
    /// neither.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownCredential`.
    pub async fn revoke_certificate(
        &self,
        caller: &Caller,
        given: RevocationGiven,
        reason: Option<String>,
    ) -> Result<RevokedCertificate, Fault> {
        caller.must(Right::new("certificate", "revoke"))?;
        checks::line_if_given("reason", reason.as_deref(), TEXT_CHARS_MAX)?;
        let (issuer_der, issuer, serial) = match given {
            RevocationGiven::Certificate { issuer_der, issuer, serial } => (issuer_der, issuer, serial),
            RevocationGiven::Issued { authority, serial } => {
                let authority = self.authority_to_revoke(caller, authority).await?;
                (authority.subject_der, authority.subject, serial)
            }
        };
        let revoked = RevokedCertificate {
            tenant: caller.tenant.clone(),
            issuer_der,
            issuer,
            serial,
            reason,
            revoked_by: caller.name.clone(),
            revoked_at: self.environment.now(),
        };
        let revoked = self.store.certificate_revoke(revoked, self.deed(caller, "revokeCertificate")).await?;
        self.trust_changed();
        Ok(revoked)
    }

    /// Certificates that the domain has revoked itself.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn revoked_certificates(
        &self,
        caller: &Caller,
        page: &PageRequest,
    ) -> Result<Paged<RevokedCertificate>, Fault> {
        caller.must(Right::new("certificate", "read"))?;
        let scope = self.list_scope(caller, "revoked certificates", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.certificate_revoked(&caller.tenant, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |revoked| revoked))
    }
}

fn unknown_authority(fingerprint: Fingerprint) -> Fault {
    let text = "this domain trusts no authority with this identifier; getTrustedCertificateAuthorities lists them";
    Fault::new(FaultName::UnknownCredential, text).with(fingerprint)
}

/// Refuses whoever has not every right in its domain.
///
/// # Errors
/// `NotAuthorized`.
pub(super) fn must_do_everything(caller: &Caller, right: Right) -> Result<(), Fault> {
    caller.must(right)?;
    must_have(caller, &[Permission::whole(RightPattern::everything(), Some(&caller.tenant))], right)
}

/// Whether permissions hold in one domain alone.
pub(super) fn stays_within(permissions: &[Permission], tenant: &str) -> bool {
    permissions.iter().all(|permission| permission.tenant.as_deref() == Some(tenant))
}

/// Whether the caller has every right in every domain.
pub(super) fn may_everything_everywhere(caller: &Caller) -> bool {
    let everything = Permission::whole(RightPattern::everything(), None);
    caller.permissions.iter().any(|held| held.includes(&everything))
}
