//! One use case of the broker for each operation of the contract.

mod administration;
mod bulk_operations;
mod deployment_broker;
mod device_manager;
mod subscriber_services;
mod traces;

use std::future::Future;

use muster_broker::access::{Caller, Right};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::Broker;

use crate::contract::administration::access::{
    CreatePrincipal, CreateRole, CreateTenant, DeletePrincipal, DeleteRole, DeleteTenant, GetOwnRights,
    GetPrincipalByName, GetPrincipals, GetRoleByName, GetRoles, GetTenantByName, GetTenants, SetPassword,
    UpdatePrincipal, UpdateRole, UpdateTenant,
};
use crate::contract::administration::approvals::{
    Approve, GetApprovalById, GetApprovalPolicy, GetApprovals, Refuse, SetApprovalPolicy, Withdraw,
};
use crate::contract::administration::callbacks::{
    CreateCallbackAddress, DeleteCallbackAddress, GetCallbackAddressById, GetCallbackAddresses, GetCallbackQueues,
    GetDeadLetters, ReplayDeadLetters, RotateCallbackSecret, UpdateCallbackAddress,
};
use crate::contract::administration::certificates::{
    AddTrustedCertificateAuthority, BindCertificate, GetCertificates, GetRevokedCertificates,
    GetTrustedCertificateAuthorities, RemoveTrustedCertificateAuthority, RevokeCertificate,
    SetCertificateRevocationList, UnbindCertificate,
};
use crate::contract::administration::keys::{CreateApiKey, GetApiKeys, RevokeApiKey};
use crate::contract::administration::ledger::{
    ErasePersonalData, GetAuditEntries, GetChargeableEvents, VerifyAuditLog,
};
use crate::contract::administration::providers::{
    CreateIdentityProvider, DeleteIdentityProvider, GetIdentityProviders, UpdateIdentityProvider,
};
use crate::contract::administration::quotas::{GetQuotas, SetQuota};
use crate::contract::bulk_operations::{
    CancelJob, CancelTask, CreateDeployments, GetJobById, GetJobs, GetJobsByDate, GetTaskHistory, GetTasks, PauseJob,
    ReleaseWave, RestartJob,
};
use crate::contract::deployment_broker::{
    DoBootstrap, DoBulkOperation, DoOperation, GetOperationDefinitions, GetTaskById,
};
use crate::contract::device_manager::{
    CreateDeviceCapability, CreateDeviceInstance, DeleteDeviceCapability, DeleteDeviceInstance, GetDeviceCapabilities,
    GetDeviceCapabilityByDeviceID, GetDeviceCapabilityByModel, GetDeviceCapabilityByOid, GetDeviceInstanceByDeviceID,
    GetDeviceInstanceByOid, GetDeviceInstanceByPhoneNumber, GetDeviceInstances, ImportDeviceInstances,
    UpdateDeviceCapability, UpdateDeviceInstance,
};
use crate::contract::session::{GetServiceInfo, ServiceInfo};
use crate::contract::subscriber_services::{
    AssignDevice, CreateSubscriber, DeleteSubscriber, GetSubscriberById, GetSubscriberByPhoneNumber, GetSubscribers,
    UnassignDevice, UpdateSubscriber,
};
use crate::contract::traces::{GetDeviceTrace, GetTraceMessages, SetDeviceTrace};
use crate::contract::{Operation, Path, Request, Source};
use crate::refusals;

/// A request that a caller with rights makes.
trait UseCase: Request {
    /// Calls the broker.
    fn carry_out(self, broker: &Broker, caller: &Caller) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// Turns an answer into that of a face.
pub(crate) trait Teller: Send {
    /// What becomes of an answer.
    type Told;

    /// Turns it.
    fn tell<R: Request>(self, answer: &R::Answer) -> Self::Told;
}

/// Carries out every operation but the three that make, renew and end sessions, for every face: `given` has the
/// parameters, `teller` makes the answer of the face.
///
/// # Errors
/// Those of the operation; rights are checked before arguments.
pub(crate) async fn carry_out<S: Source + Sync, T: Teller>(
    broker: &Broker,
    caller: &Caller,
    operation: Operation,
    given: &S,
    teller: T,
) -> Result<T::Told, Fault> {
    let done = served(broker, caller, operation, given, teller).await;
    if let Err(fault) = &done {
        // Before the refusal is told, so that none is told that is not in the log.
        refusals::note(broker, caller, operation, Some(given), fault).await;
    }
    done
}

async fn served<S: Source + Sync, T: Teller>(
    broker: &Broker,
    caller: &Caller,
    operation: Operation,
    given: &S,
    teller: T,
) -> Result<T::Told, Fault> {
    may(caller, operation)?;
    let call = Call { broker, caller, given, teller };
    match operation {
        Operation::Login | Operation::RenewSession | Operation::Logout => {
            // These are answered where sessions are known; a caller never gets here with them.
            Err(Fault::new(FaultName::InternalError, "the operation was given to the wrong part of the server"))
        }
        Operation::GetServiceInfo => call.serve::<GetServiceInfo>().await,
        Operation::DoBootstrap => call.serve::<DoBootstrap>().await,
        Operation::DoOperation => call.serve::<DoOperation>().await,
        Operation::DoBulkOperation => call.serve::<DoBulkOperation>().await,
        Operation::GetTaskById => call.serve::<GetTaskById>().await,
        Operation::GetOperationDefinitions => call.serve::<GetOperationDefinitions>().await,
        Operation::CreateDeployments => call.serve::<CreateDeployments>().await,
        Operation::GetJobs => call.serve::<GetJobs>().await,
        Operation::GetJobsByDate => call.serve::<GetJobsByDate>().await,
        Operation::GetJobById => call.serve::<GetJobById>().await,
        Operation::GetTasks => call.serve::<GetTasks>().await,
        Operation::GetTaskHistory => call.serve::<GetTaskHistory>().await,
        Operation::CancelJob => call.serve::<CancelJob>().await,
        Operation::CancelTask => call.serve::<CancelTask>().await,
        Operation::PauseJob => call.serve::<PauseJob>().await,
        Operation::RestartJob => call.serve::<RestartJob>().await,
        Operation::ReleaseWave => call.serve::<ReleaseWave>().await,
        Operation::CreateDeviceInstance => call.serve::<CreateDeviceInstance>().await,
        Operation::UpdateDeviceInstance => call.serve::<UpdateDeviceInstance>().await,
        Operation::DeleteDeviceInstance => call.serve::<DeleteDeviceInstance>().await,
        Operation::GetDeviceInstanceByDeviceID => call.serve::<GetDeviceInstanceByDeviceID>().await,
        Operation::GetDeviceInstanceByPhoneNumber => call.serve::<GetDeviceInstanceByPhoneNumber>().await,
        Operation::GetDeviceInstanceByOid => call.serve::<GetDeviceInstanceByOid>().await,
        Operation::GetDeviceInstances => call.serve::<GetDeviceInstances>().await,
        Operation::ImportDeviceInstances => call.serve::<ImportDeviceInstances>().await,
        Operation::CreateDeviceCapability => call.serve::<CreateDeviceCapability>().await,
        Operation::UpdateDeviceCapability => call.serve::<UpdateDeviceCapability>().await,
        Operation::DeleteDeviceCapability => call.serve::<DeleteDeviceCapability>().await,
        Operation::GetDeviceCapabilityByOid => call.serve::<GetDeviceCapabilityByOid>().await,
        Operation::GetDeviceCapabilityByModel => call.serve::<GetDeviceCapabilityByModel>().await,
        Operation::GetDeviceCapabilityByDeviceID => call.serve::<GetDeviceCapabilityByDeviceID>().await,
        Operation::GetDeviceCapabilities => call.serve::<GetDeviceCapabilities>().await,
        Operation::SetDeviceTrace => call.serve::<SetDeviceTrace>().await,
        Operation::GetDeviceTrace => call.serve::<GetDeviceTrace>().await,
        Operation::GetTraceMessages => call.serve::<GetTraceMessages>().await,
        Operation::CreateSubscriber => call.serve::<CreateSubscriber>().await,
        Operation::UpdateSubscriber => call.serve::<UpdateSubscriber>().await,
        Operation::DeleteSubscriber => call.serve::<DeleteSubscriber>().await,
        Operation::GetSubscriberById => call.serve::<GetSubscriberById>().await,
        Operation::GetSubscriberByPhoneNumber => call.serve::<GetSubscriberByPhoneNumber>().await,
        Operation::GetSubscribers => call.serve::<GetSubscribers>().await,
        Operation::AssignDevice => call.serve::<AssignDevice>().await,
        Operation::UnassignDevice => call.serve::<UnassignDevice>().await,
        Operation::GetApprovals => call.serve::<GetApprovals>().await,
        Operation::GetApprovalById => call.serve::<GetApprovalById>().await,
        Operation::Approve => call.serve::<Approve>().await,
        Operation::Refuse => call.serve::<Refuse>().await,
        Operation::Withdraw => call.serve::<Withdraw>().await,
        Operation::GetApprovalPolicy => call.serve::<GetApprovalPolicy>().await,
        Operation::SetApprovalPolicy => call.serve::<SetApprovalPolicy>().await,
        Operation::GetQuotas => call.serve::<GetQuotas>().await,
        Operation::SetQuota => call.serve::<SetQuota>().await,
        Operation::GetAuditEntries => call.serve::<GetAuditEntries>().await,
        Operation::VerifyAuditLog => call.serve::<VerifyAuditLog>().await,
        Operation::GetChargeableEvents => call.serve::<GetChargeableEvents>().await,
        Operation::ErasePersonalData => call.serve::<ErasePersonalData>().await,
        Operation::CreateTenant => call.serve::<CreateTenant>().await,
        Operation::UpdateTenant => call.serve::<UpdateTenant>().await,
        Operation::DeleteTenant => call.serve::<DeleteTenant>().await,
        Operation::GetTenantByName => call.serve::<GetTenantByName>().await,
        Operation::GetTenants => call.serve::<GetTenants>().await,
        Operation::CreatePrincipal => call.serve::<CreatePrincipal>().await,
        Operation::UpdatePrincipal => call.serve::<UpdatePrincipal>().await,
        Operation::SetPassword => call.serve::<SetPassword>().await,
        Operation::DeletePrincipal => call.serve::<DeletePrincipal>().await,
        Operation::GetPrincipalByName => call.serve::<GetPrincipalByName>().await,
        Operation::GetPrincipals => call.serve::<GetPrincipals>().await,
        Operation::CreateRole => call.serve::<CreateRole>().await,
        Operation::UpdateRole => call.serve::<UpdateRole>().await,
        Operation::DeleteRole => call.serve::<DeleteRole>().await,
        Operation::GetRoleByName => call.serve::<GetRoleByName>().await,
        Operation::GetRoles => call.serve::<GetRoles>().await,
        Operation::GetOwnRights => call.serve::<GetOwnRights>().await,
        Operation::CreateApiKey => call.serve::<CreateApiKey>().await,
        Operation::GetApiKeys => call.serve::<GetApiKeys>().await,
        Operation::RevokeApiKey => call.serve::<RevokeApiKey>().await,
        Operation::AddTrustedCertificateAuthority => call.serve::<AddTrustedCertificateAuthority>().await,
        Operation::GetTrustedCertificateAuthorities => call.serve::<GetTrustedCertificateAuthorities>().await,
        Operation::RemoveTrustedCertificateAuthority => call.serve::<RemoveTrustedCertificateAuthority>().await,
        Operation::SetCertificateRevocationList => call.serve::<SetCertificateRevocationList>().await,
        Operation::BindCertificate => call.serve::<BindCertificate>().await,
        Operation::UnbindCertificate => call.serve::<UnbindCertificate>().await,
        Operation::GetCertificates => call.serve::<GetCertificates>().await,
        Operation::RevokeCertificate => call.serve::<RevokeCertificate>().await,
        Operation::GetRevokedCertificates => call.serve::<GetRevokedCertificates>().await,
        Operation::CreateCallbackAddress => call.serve::<CreateCallbackAddress>().await,
        Operation::UpdateCallbackAddress => call.serve::<UpdateCallbackAddress>().await,
        Operation::DeleteCallbackAddress => call.serve::<DeleteCallbackAddress>().await,
        Operation::GetCallbackAddressById => call.serve::<GetCallbackAddressById>().await,
        Operation::GetCallbackAddresses => call.serve::<GetCallbackAddresses>().await,
        Operation::RotateCallbackSecret => call.serve::<RotateCallbackSecret>().await,
        Operation::GetCallbackQueues => call.serve::<GetCallbackQueues>().await,
        Operation::GetDeadLetters => call.serve::<GetDeadLetters>().await,
        Operation::ReplayDeadLetters => call.serve::<ReplayDeadLetters>().await,
        Operation::CreateIdentityProvider => call.serve::<CreateIdentityProvider>().await,
        Operation::UpdateIdentityProvider => call.serve::<UpdateIdentityProvider>().await,
        Operation::DeleteIdentityProvider => call.serve::<DeleteIdentityProvider>().await,
        Operation::GetIdentityProviders => call.serve::<GetIdentityProviders>().await,
    }
}

/// Refuses a caller that lacks a right which every request of an operation needs.
///
/// # Errors
/// `NotAuthorized`.
pub(crate) fn may(caller: &Caller, operation: Operation) -> Result<(), Fault> {
    operation.descriptor().rights.iter().try_for_each(|(object, right)| caller.may_begin(Right::new(object, right)))
}

struct Call<'c, S, T> {
    broker: &'c Broker,
    caller: &'c Caller,
    given: &'c S,
    teller: T,
}

impl<S: Source + Sync, T: Teller> Call<'_, S, T> {
    async fn serve<R: UseCase>(self) -> Result<T::Told, Fault> {
        let request = R::read_fields(self.given, &Path::ROOT)?;
        let mut answer = request.carry_out(self.broker, self.caller).await?;
        if !self.broker.sees_personal(self.caller) {
            R::hide(&mut answer);
        }
        Ok(self.teller.tell::<R>(&answer))
    }
}

impl UseCase for GetServiceInfo {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ServiceInfo, Fault> {
        broker.service_info(caller).map(Into::into)
    }
}
