//! The lines. An operation that is added to the contract gets one here, below its port type.

use super::Method::{Delete, Get, Patch, Post, Put};
use super::When::{Flag, Given};
use super::{Method, Route, delete, get, patch, post, put};
use crate::contract::Operation;

/// An expression of the filter language; over SOAP the name is that of another parameter.
const FILTER: &[(&str, &str)] = &[("filter", "filterExpression")];
const TASK: &[(&str, &str)] = &[("/tasks/", "taskId")];
const JOB: &[(&str, &str)] = &[("/jobs/", "jobId")];
const JOB_OR_TASK: &[(&str, &str)] = &[("/jobs/", "jobId"), ("/tasks/", "taskId")];
const DEVICE: &[(&str, &str)] = &[("/devices/", "deviceID"), ("/device-records/", "oid")];
const SUBSCRIBER: &[(&str, &str)] = &[("/subscribers/", "subscriberId")];
const PROVIDER: &[(&str, &str)] = &[("/identity-providers/", "name")];
const TENANT: &[(&str, &str)] = &[("/tenants/", "name")];
const PRINCIPAL: &[(&str, &str)] = &[("/principals/", "name")];
const ROLE: &[(&str, &str)] = &[("/roles/", "name")];
const CALLBACK_ADDRESS: &[(&str, &str)] = &[("/callback-addresses/", "callbackAddressId")];
const CAPABILITY: &[(&str, &str)] = &[("/capabilities/", "oid")];

/// Addresses of the operations that this server carries out.
pub(in crate::rest) static ROUTES: &[Route] = &[
    // ISessionServices
    post(Operation::Login, "/sessions").status(201),
    patch(Operation::RenewSession, "/sessions/current").without(&["userSession"]),
    delete(Operation::Logout, "/sessions/current").without(&["userSession"]),
    get(Operation::GetServiceInfo, "/service"),
    // IDeploymentBrokerServices
    post(Operation::DoOperation, "/tasks").status(202).location(TASK),
    post(Operation::DoBootstrap, "/tasks:bootstrap").status(202).location(JOB_OR_TASK),
    post(Operation::DoBulkOperation, "/jobs:bulk").status(202).renamed(&[("requests", "request")]).location(JOB),
    get(Operation::GetTaskById, "/tasks/{taskId}"),
    get(Operation::GetOperationDefinitions, "/operation-definitions"),
    // IBulkOperationsManagerServices
    post(Operation::CreateDeployments, "/jobs").status(202).renamed(&[("deployments", "deployment")]).location(JOB),
    get(Operation::GetJobs, "/jobs").renamed(FILTER),
    get(Operation::GetJobsByDate, "/jobs")
        .when(Given(&["createdSince", "createdBefore"]))
        .renamed(&[("createdSince", "fromDate"), ("createdBefore", "toDate")]),
    get(Operation::GetJobById, "/jobs/{jobId}"),
    get(Operation::GetTasks, "/tasks").renamed(FILTER),
    get(Operation::GetTaskHistory, "/tasks/{taskId}/history"),
    get(Operation::GetTaskHistory, "/jobs/{jobId}/history").named("getJobHistory"),
    post(Operation::CancelJob, "/jobs/{jobId}/cancel").status(202),
    post(Operation::CancelTask, "/tasks/{taskId}/cancel").status(202),
    post(Operation::PauseJob, "/jobs/{jobId}/pause"),
    post(Operation::RestartJob, "/jobs/{jobId}/restart").status(202),
    post(Operation::ReleaseWave, "/jobs/{jobId}/release-wave").status(202),
    // IDeviceManagerServices
    post(Operation::CreateDeviceInstance, "/devices").body("deviceInstance").status(201).location(DEVICE),
    get(Operation::GetDeviceInstances, "/devices").renamed(FILTER),
    get(Operation::GetDeviceInstanceByPhoneNumber, "/devices").when(Given(&["phoneNumber"])).query(),
    get(Operation::GetDeviceInstanceByOid, "/devices").when(Given(&["oid"])).named("findDeviceInstanceByOid").query(),
    get(Operation::GetDeviceInstanceByDeviceID, "/devices/{deviceID}"),
    put(Operation::UpdateDeviceInstance, "/devices/{deviceID}").body("deviceInstance"),
    delete(Operation::DeleteDeviceInstance, "/devices/{deviceID}").without(&["oid"]),
    get(Operation::GetDeviceInstanceByOid, "/device-records/{oid}"),
    put(Operation::UpdateDeviceInstance, "/device-records/{oid}")
        .body("deviceInstance")
        .named("updateDeviceInstanceByOid"),
    delete(Operation::DeleteDeviceInstance, "/device-records/{oid}")
        .without(&["deviceID"])
        .named("deleteDeviceInstanceByOid"),
    post(Operation::ImportDeviceInstances, "/devices:import"),
    post(Operation::CreateDeviceCapability, "/capabilities").body("deviceCapability").status(201).location(CAPABILITY),
    get(Operation::GetDeviceCapabilities, "/capabilities").renamed(FILTER),
    get(Operation::GetDeviceCapabilityByModel, "/capabilities").when(Flag("best")).query(),
    get(Operation::GetDeviceCapabilityByOid, "/capabilities/{oid}"),
    put(Operation::UpdateDeviceCapability, "/capabilities/{oid}").body("deviceCapability"),
    delete(Operation::DeleteDeviceCapability, "/capabilities/{oid}"),
    get(Operation::GetDeviceCapabilityByDeviceID, "/devices/{deviceID}/capability"),
    put(Operation::SetDeviceTrace, "/devices/{deviceID}/trace").without(&["oid"]),
    get(Operation::GetDeviceTrace, "/devices/{deviceID}/trace").without(&["oid"]),
    get(Operation::GetTraceMessages, "/devices/{deviceID}/trace/{session}/messages").without(&["oid"]),
    put(Operation::SetDeviceTrace, "/device-records/{oid}/trace").without(&["deviceID"]).named("setDeviceTraceByOid"),
    get(Operation::GetDeviceTrace, "/device-records/{oid}/trace").without(&["deviceID"]).named("getDeviceTraceByOid"),
    get(Operation::GetTraceMessages, "/device-records/{oid}/trace/{session}/messages")
        .without(&["deviceID"])
        .named("getTraceMessagesByOid"),
    // ISubscriberServices
    post(Operation::CreateSubscriber, "/subscribers").body("subscriber").status(201).location(SUBSCRIBER),
    get(Operation::GetSubscribers, "/subscribers").renamed(FILTER),
    get(Operation::GetSubscriberByPhoneNumber, "/subscribers").when(Given(&["phoneNumber"])).query(),
    get(Operation::GetSubscriberById, "/subscribers/{subscriberId}"),
    put(Operation::UpdateSubscriber, "/subscribers/{subscriberId}").body("subscriber"),
    delete(Operation::DeleteSubscriber, "/subscribers/{subscriberId}"),
    put(Operation::AssignDevice, "/subscribers/{subscriberId}/devices/{deviceID}"),
    delete(Operation::UnassignDevice, "/subscribers/{subscriberId}/devices/{deviceID}").status(200),
    // IAdministrationServices: approvals and quotas
    get(Operation::GetApprovals, "/approvals"),
    get(Operation::GetApprovalById, "/approvals/{approvalId}"),
    post(Operation::Approve, "/approvals/{approvalId}/approve"),
    post(Operation::Refuse, "/approvals/{approvalId}/refuse"),
    post(Operation::Withdraw, "/approvals/{approvalId}/withdraw"),
    get(Operation::GetApprovalPolicy, "/approval-policy"),
    put(Operation::SetApprovalPolicy, "/approval-policy").body("approvalPolicy"),
    get(Operation::GetQuotas, "/quotas"),
    put(Operation::SetQuota, "/quotas"),
    // IAdministrationServices: audit and charging
    get(Operation::GetAuditEntries, "/audit"),
    get(Operation::VerifyAuditLog, "/audit/verification"),
    get(Operation::GetChargeableEvents, "/charges"),
    post(Operation::ErasePersonalData, "/erasures"),
    // IAdministrationServices: access
    post(Operation::CreateTenant, "/tenants").body("tenant").status(201).location(TENANT),
    get(Operation::GetTenants, "/tenants"),
    get(Operation::GetTenantByName, "/tenants/{name}"),
    put(Operation::UpdateTenant, "/tenants/{name}").body("tenant"),
    delete(Operation::DeleteTenant, "/tenants/{name}"),
    post(Operation::CreatePrincipal, "/principals").status(201).location(PRINCIPAL),
    get(Operation::GetPrincipals, "/principals"),
    get(Operation::GetPrincipalByName, "/principals/{name}"),
    put(Operation::UpdatePrincipal, "/principals/{name}").body("principal"),
    delete(Operation::DeletePrincipal, "/principals/{name}"),
    put(Operation::SetPassword, "/principals/{name}/password").status(204),
    post(Operation::CreateRole, "/roles").body("role").status(201).location(ROLE),
    get(Operation::GetRoles, "/roles"),
    get(Operation::GetRoleByName, "/roles/{name}"),
    put(Operation::UpdateRole, "/roles/{name}").body("role"),
    delete(Operation::DeleteRole, "/roles/{name}"),
    get(Operation::GetOwnRights, "/own-rights"),
    // IAdministrationServices: callbacks
    post(Operation::CreateCallbackAddress, "/callback-addresses")
        .body("callbackAddress")
        .status(201)
        .location(CALLBACK_ADDRESS),
    get(Operation::GetCallbackAddresses, "/callback-addresses"),
    get(Operation::GetCallbackAddressById, "/callback-addresses/{callbackAddressId}"),
    put(Operation::UpdateCallbackAddress, "/callback-addresses/{callbackAddressId}").body("callbackAddress"),
    delete(Operation::DeleteCallbackAddress, "/callback-addresses/{callbackAddressId}"),
    post(Operation::RotateCallbackSecret, "/callback-addresses/{callbackAddressId}/secret"),
    get(Operation::GetCallbackQueues, "/callback-queues"),
    get(Operation::GetDeadLetters, "/dead-letters"),
    post(Operation::ReplayDeadLetters, "/dead-letters:replay"),
    // IAdministrationServices: keys
    post(Operation::CreateApiKey, "/keys").status(201),
    get(Operation::GetApiKeys, "/keys"),
    post(Operation::RevokeApiKey, "/keys/{keyId}/revoke"),
    // IAdministrationServices: certificates
    post(Operation::AddTrustedCertificateAuthority, "/certificate-authorities").status(201),
    get(Operation::GetTrustedCertificateAuthorities, "/certificate-authorities"),
    delete(Operation::RemoveTrustedCertificateAuthority, "/certificate-authorities/{authorityId}"),
    put(Operation::SetCertificateRevocationList, "/certificate-authorities/{authorityId}/revocation-list"),
    // Names are in bodies: an address is in the logs of others.
    post(Operation::BindCertificate, "/certificate-bindings").status(201),
    get(Operation::GetCertificates, "/certificate-bindings"),
    post(Operation::UnbindCertificate, "/certificate-bindings:unbind").status(204),
    post(Operation::RevokeCertificate, "/revoked-certificates").status(201),
    get(Operation::GetRevokedCertificates, "/revoked-certificates"),
    // IAdministrationServices: identity providers
    post(Operation::CreateIdentityProvider, "/identity-providers")
        .body("identityProvider")
        .status(201)
        .location(PROVIDER),
    get(Operation::GetIdentityProviders, "/identity-providers"),
    put(Operation::UpdateIdentityProvider, "/identity-providers/{name}").body("identityProvider"),
    delete(Operation::DeleteIdentityProvider, "/identity-providers/{name}"),
];

/// Addresses of operations of the contract that this server does not offer.
pub(in crate::rest) static ABSENT: &[(Method, &str, &str)] = &[
    (Post, "/registrations", "registerForAlerts"),
    (Get, "/registrations", "getRegistrations"),
    (Get, "/registrations/{id}", "getRegistrationById"),
    (Patch, "/registrations/{id}", "renewRegistration"),
    (Delete, "/registrations/{id}", "cancelRegistration"),
    (Get, "/registrations/{id}/events", "getAlerts"),
    (Post, "/registrations/{id}/ack", "acknowledgeAlerts"),
    (Post, "/packages", "ingestPackage"),
    (Get, "/packages", "getPackages"),
    (Get, "/packages/{id}", "getPackageById"),
    (Patch, "/packages/{id}", "setPackageState"),
    (Delete, "/packages/{id}", "deletePackage"),
    (Post, "/uploads", "beginUpload"),
    (Put, "/uploads/{id}", "uploadPart"),
    (Post, "/uploads/{id}/complete", "completeUpload"),
    (Delete, "/uploads/{id}", "abortUpload"),
    (Post, "/tunnels", "openTunnel"),
    (Get, "/tunnels/{id}", "getTunnelById"),
    (Delete, "/tunnels/{id}", "closeTunnel"),
    (Post, "/tunnels/{id}/packages", "sendPackage"),
    (Get, "/tunnels/{id}/packages", "receivePackages"),
];
