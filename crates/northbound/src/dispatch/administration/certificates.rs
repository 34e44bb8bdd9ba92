use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use crate::contract::administration::certificates::{
    AddTrustedCertificateAuthority, BindCertificate, CertificateAuthority, CertificateAuthorityList,
    CertificateBinding, CertificateBindingList, GetCertificates, GetRevokedCertificates,
    GetTrustedCertificateAuthorities, RemoveTrustedCertificateAuthority, RevokeCertificate, RevokedCertificate,
    RevokedCertificateList, SetCertificateRevocationList, UnbindCertificate,
};
use crate::convert::administration::certificates::{authority, authority_id, name, revocation, spelt};
use crate::convert::page;
use crate::dispatch::UseCase;
use crate::identity::certificate::revocation_list;

impl UseCase for AddTrustedCertificateAuthority {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CertificateAuthority, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let given = authority(&self.certificate, self.name)?;
        broker.add_authority(&caller, given).await.map(Into::into)
    }
}

impl UseCase for GetTrustedCertificateAuthorities {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CertificateAuthorityList, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.authorities(&caller, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for RemoveTrustedCertificateAuthority {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.remove_authority(&caller, authority_id(&self.authority_id)?).await
    }
}

impl UseCase for SetCertificateRevocationList {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CertificateAuthority, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let id = authority_id(&self.authority_id)?;
        let known = broker.authority_to_revoke(&caller, id).await?;
        let list = revocation_list(&self.revocation_list, &known.der)
            .map_err(|why| Fault::invalid("revocationList", "…", why))?;
        broker.put_revocation_list(&caller, id, list).await.map(Into::into)
    }
}

impl UseCase for BindCertificate {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CertificateBinding, Fault> {
        let name = name(self.certificate.as_deref(), self.name_kind, self.name_value.as_deref())?;
        broker.bind_certificate(caller, &self.principal, name).await.map(Into::into)
    }
}

impl UseCase for UnbindCertificate {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.unbind_certificate(caller, &spelt(self.name_kind, &self.name_value)?).await
    }
}

impl UseCase for GetCertificates {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CertificateBindingList, Fault> {
        broker.certificate_bindings(caller, self.principal.as_deref(), &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for RevokeCertificate {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<RevokedCertificate, Fault> {
        let given = revocation(&self)?;
        broker.revoke_certificate(caller, given, self.reason).await.map(Into::into)
    }
}

impl UseCase for GetRevokedCertificates {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<RevokedCertificateList, Fault> {
        broker.revoked_certificates(caller, &page(self.page)).await.map(Into::into)
    }
}
