//! The operations, once.

use super::administration::access::{OwnRights, Principal, PrincipalList, Role, RoleList, Tenant, TenantList};
use super::administration::approvals::{ApprovalData, ApprovalList, ApprovalPolicy};
use super::administration::callbacks::{
    CallbackAddress, CallbackAddressList, CallbackQueueList, DeadLetterList, ReplayReceipt,
};
use super::administration::certificates::{
    CertificateAuthority, CertificateAuthorityList, CertificateBinding, CertificateBindingList, RevokedCertificate,
    RevokedCertificateList,
};
use super::administration::keys::{ApiKey, ApiKeyList, CreatedApiKey};
use super::administration::ledger::{AuditEntryList, AuditVerification, ChargeableEventList, ErasureReceipt};
use super::administration::providers::{IdentityProvider, IdentityProviderList};
use super::administration::quotas::{QuotaList, QuotaUsage};
use super::administration::{access, approvals, callbacks, certificates, keys, ledger, providers, quotas};
use super::bulk_operations::{DeploymentReceipt, JobData, JobList, TaskHistory, TaskList};
use super::deployment_broker::{OperationDefinitionList, OperationReceipt, TaskData};
use super::descriptor::{Cardinality, FieldDescriptor, OperationDescriptor};
use super::device_manager::{DeviceCapability, DeviceCapabilityList, DeviceInstance, DeviceInstanceList, ImportResult};
use super::face::{At, Sink};
use super::record::{Record, Value};
use super::session::{ServiceInfo, UserSession};
use super::subscriber_services::{Subscriber, SubscriberList};
use super::traces::{DeviceTrace, TraceMessageList, TraceSetting};
use super::{bulk_operations, deployment_broker, device_manager, session, subscriber_services, traces};

/// A request: the parameters of one operation.
pub trait Request: Record + Send {
    /// The one child of the answer; `()` where the answer is empty.
    type Answer;

    /// The operation.
    const OPERATION: Operation;

    /// Writes the child of the answer.
    fn write_answer(answer: &Self::Answer, sink: &mut impl Sink);

    /// Makes it an answer for who need not see whose device or number something is about.
    fn hide(answer: &mut Self::Answer);
}

/// What the answers of operations are made of.
macro_rules! result {
    ("" Nothing) => {
        None
    };
    ($xml:literal $result:ident) => {
        Some(FieldDescriptor {
            name: $xml,
            kind: <$result as Value>::KIND,
            cardinality: Cardinality::One,
            about: "Result.",
        })
    };
    (@write "" Nothing $answer:ident $sink:ident) => {{
        let ((), _) = ($answer, $sink);
    }};
    (@write $xml:literal $result:ident $answer:ident $sink:ident) => {
        Value::write($answer, At::field($xml), $sink)
    };
    (@hide "" Nothing $answer:ident) => {{
        let () = $answer;
    }};
    (@hide $xml:literal $result:ident $answer:ident) => {{
        let _ = Value::hide($answer, $xml);
    }};
    (@type Nothing) => {
        ()
    };
    (@type $result:ident) => {
        $result
    };
}

macro_rules! alias {
    () => {
        None
    };
    ($alias:literal) => {
        Some($alias)
    };
}

/// Each operation once: request type, name, rights, name and type of the result.
macro_rules! operations {
    ($( $port_type:ident in $module:ident { $(
        $request:ident $name:literal $(or $alias:literal)? [$($object:ident $right:ident),*] -> $xml:tt $result:ident;
    )* } )*) => {
        /// An operation that this server carries out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation { $($( #[doc = $name] $request, )*)* }

        impl Operation {
            /// The table, as data.
            #[must_use]
            pub fn descriptor(self) -> &'static OperationDescriptor {
                let place = self as usize;
                // The table is written in the order of the enumeration.
                &OPERATIONS[place]
            }

            /// The operation of this name or alias.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($( $name $(| $alias)? => Some(Self::$request), )*)* _ => None }
            }
        }

        static OPERATIONS: &[OperationDescriptor] = &[$($( OperationDescriptor {
            name: $name,
            alias: alias!($($alias)?),
            port_type: stringify!($port_type),
            about: <$module::$request as Record>::DESCRIPTOR.about,
            rights: &[$((stringify!($object), stringify!($right))),*],
            fields: <$module::$request as Record>::DESCRIPTOR.fields,
            result: result!($xml $result),
        }, )*)*];

        $($( impl Request for $module::$request {
            type Answer = result!(@type $result);
            const OPERATION: Operation = Operation::$request;
            fn write_answer(answer: &Self::Answer, sink: &mut impl Sink) {
                result!(@write $xml $result answer sink);
            }
            fn hide(answer: &mut Self::Answer) {
                result!(@hide $xml $result answer);
            }
        } )*)*
    };
}

operations! {
    ISessionServices in session {
        Login "login" [] -> "userSession" UserSession;
        RenewSession "renewSession" [] -> "renewedSession" UserSession;
        Logout "logout" [] -> "" Nothing;
        GetServiceInfo "getServiceInfo" [service read] -> "serviceInfo" ServiceInfo;
    }
    IDeploymentBrokerServices in deployment_broker {
        DoBootstrap "doBootstrap" or "doBoostrap" [device bootstrap] -> "receipt" OperationReceipt;
        DoOperation "doOperation" [device operate] -> "taskId" String;
        DoBulkOperation "doBulkOperation" [job create] -> "receipt" OperationReceipt;
        GetTaskById "getTaskById" or "getTaskByID" [task read] -> "task" TaskData;
        GetOperationDefinitions "getOperationDefinitions" [service read] -> "operationDefinitions" OperationDefinitionList;
    }
    IBulkOperationsManagerServices in bulk_operations {
        CreateDeployments "createDeployments" [job create, device operate] -> "receipt" DeploymentReceipt;
        GetJobs "getJobs" [job read] -> "jobs" JobList;
        GetJobsByDate "getJobsByDate" [job read] -> "jobs" JobList;
        GetJobById "getJobById" [job read] -> "job" JobData;
        GetTasks "getTasks" [task read] -> "tasks" TaskList;
        GetTaskHistory "getTaskHistory" [task read] -> "history" TaskHistory;
        CancelJob "cancelJob" [job cancel] -> "job" JobData;
        CancelTask "cancelTask" [task cancel] -> "task" TaskData;
        PauseJob "pauseJob" [job pause] -> "job" JobData;
        RestartJob "restartJob" [job restart] -> "job" JobData;
        ReleaseWave "releaseWave" [job update] -> "job" JobData;
    }
    IDeviceManagerServices in device_manager {
        CreateDeviceInstance "createDeviceInstance" [device create] -> "storedDeviceInstance" DeviceInstance;
        UpdateDeviceInstance "updateDeviceInstance" [device update] -> "storedDeviceInstance" DeviceInstance;
        DeleteDeviceInstance "deleteDeviceInstance" [device delete] -> "" Nothing;
        GetDeviceInstanceByDeviceID "getDeviceInstanceByDeviceID" [device read] -> "deviceInstance" DeviceInstance;
        GetDeviceInstanceByPhoneNumber "getDeviceInstanceByPhoneNumber" [device read] -> "deviceInstance" DeviceInstance;
        GetDeviceInstanceByOid "getDeviceInstanceByOid" [device read] -> "deviceInstance" DeviceInstance;
        GetDeviceInstances "getDeviceInstances" [device read] -> "deviceInstances" DeviceInstanceList;
        ImportDeviceInstances "importDeviceInstances" [device import] -> "importResult" ImportResult;
        CreateDeviceCapability "createDeviceCapability" [capability create] -> "storedDeviceCapability" DeviceCapability;
        UpdateDeviceCapability "updateDeviceCapability" [capability update] -> "storedDeviceCapability" DeviceCapability;
        DeleteDeviceCapability "deleteDeviceCapability" [capability delete] -> "" Nothing;
        GetDeviceCapabilityByOid "getDeviceCapabilityByOid" [capability read] -> "deviceCapability" DeviceCapability;
        GetDeviceCapabilityByModel "getDeviceCapabilityByModel" [capability read] -> "deviceCapability" DeviceCapability;
        GetDeviceCapabilityByDeviceID "getDeviceCapabilityByDeviceID" [capability read] -> "deviceCapability" DeviceCapability;
        GetDeviceCapabilities "getDeviceCapabilities" [capability read] -> "deviceCapabilities" DeviceCapabilityList;
    }
    IDeviceManagerServices in traces {
        SetDeviceTrace "setDeviceTrace" [device trace] -> "traceSetting" TraceSetting;
        GetDeviceTrace "getDeviceTrace" [device trace] -> "deviceTrace" DeviceTrace;
        GetTraceMessages "getTraceMessages" [device trace] -> "traceMessages" TraceMessageList;
    }
    ISubscriberServices in subscriber_services {
        CreateSubscriber "createSubscriber" [subscriber create] -> "storedSubscriber" Subscriber;
        UpdateSubscriber "updateSubscriber" [subscriber update] -> "storedSubscriber" Subscriber;
        DeleteSubscriber "deleteSubscriber" [subscriber delete] -> "" Nothing;
        GetSubscriberById "getSubscriberById" [subscriber read] -> "subscriber" Subscriber;
        GetSubscriberByPhoneNumber "getSubscriberByPhoneNumber" [subscriber read] -> "subscriber" Subscriber;
        GetSubscribers "getSubscribers" [subscriber read] -> "subscribers" SubscriberList;
        AssignDevice "assignDevice" [subscriber update, device update] -> "subscriber" Subscriber;
        UnassignDevice "unassignDevice" [subscriber update, device update] -> "subscriber" Subscriber;
    }
    IAdministrationServices in approvals {
        GetApprovals "getApprovals" [approval read] -> "approvals" ApprovalList;
        GetApprovalById "getApprovalById" [approval read] -> "approval" ApprovalData;
        Approve "approve" [approval decide] -> "approval" ApprovalData;
        Refuse "refuse" [approval decide] -> "approval" ApprovalData;
        Withdraw "withdraw" [] -> "approval" ApprovalData;
        GetApprovalPolicy "getApprovalPolicy" [approval read] -> "approvalPolicy" ApprovalPolicy;
        SetApprovalPolicy "setApprovalPolicy" [approval update] -> "storedApprovalPolicy" ApprovalPolicy;
    }
    IAdministrationServices in quotas {
        GetQuotas "getQuotas" [quota read] -> "quotas" QuotaList;
        SetQuota "setQuota" [quota update] -> "quota" QuotaUsage;
    }
    IAdministrationServices in ledger {
        GetAuditEntries "getAuditEntries" [audit read] -> "auditEntries" AuditEntryList;
        VerifyAuditLog "verifyAuditLog" [audit read] -> "auditVerification" AuditVerification;
        GetChargeableEvents "getChargeableEvents" [charging read] -> "chargeableEvents" ChargeableEventList;
        ErasePersonalData "erasePersonalData" [audit erase] -> "erasureReceipt" ErasureReceipt;
    }
    IAdministrationServices in access {
        CreateTenant "createTenant" [tenant create] -> "storedTenant" Tenant;
        UpdateTenant "updateTenant" [tenant update] -> "storedTenant" Tenant;
        DeleteTenant "deleteTenant" [tenant delete] -> "" Nothing;
        GetTenantByName "getTenantByName" [tenant read] -> "tenant" Tenant;
        GetTenants "getTenants" [tenant read] -> "tenants" TenantList;
        CreatePrincipal "createPrincipal" [principal create] -> "storedPrincipal" Principal;
        UpdatePrincipal "updatePrincipal" [principal update] -> "storedPrincipal" Principal;
        SetPassword "setPassword" [] -> "" Nothing;
        DeletePrincipal "deletePrincipal" [principal delete] -> "" Nothing;
        GetPrincipalByName "getPrincipalByName" [principal read] -> "principal" Principal;
        GetPrincipals "getPrincipals" [principal read] -> "principals" PrincipalList;
        CreateRole "createRole" [role create] -> "storedRole" Role;
        UpdateRole "updateRole" [role update] -> "storedRole" Role;
        DeleteRole "deleteRole" [role delete] -> "" Nothing;
        GetRoleByName "getRoleByName" [role read] -> "role" Role;
        GetRoles "getRoles" [role read] -> "roles" RoleList;
        GetOwnRights "getOwnRights" [] -> "ownRights" OwnRights;
    }
    IAdministrationServices in callbacks {
        CreateCallbackAddress "createCallbackAddress" [callback create] -> "storedCallbackAddress" CallbackAddress;
        UpdateCallbackAddress "updateCallbackAddress" [callback update] -> "storedCallbackAddress" CallbackAddress;
        DeleteCallbackAddress "deleteCallbackAddress" [callback delete] -> "" Nothing;
        GetCallbackAddressById "getCallbackAddressById" [callback read] -> "callbackAddress" CallbackAddress;
        GetCallbackAddresses "getCallbackAddresses" [callback read] -> "callbackAddresses" CallbackAddressList;
        RotateCallbackSecret "rotateCallbackSecret" [callback update] -> "storedCallbackAddress" CallbackAddress;
        GetCallbackQueues "getCallbackQueues" [callback read] -> "callbackQueues" CallbackQueueList;
        GetDeadLetters "getDeadLetters" [callback read] -> "deadLetters" DeadLetterList;
        ReplayDeadLetters "replayDeadLetters" [callback replay] -> "replayReceipt" ReplayReceipt;
    }
    IAdministrationServices in keys {
        CreateApiKey "createApiKey" [key create] -> "createdApiKey" CreatedApiKey;
        GetApiKeys "getApiKeys" [key read] -> "apiKeys" ApiKeyList;
        RevokeApiKey "revokeApiKey" [key revoke] -> "revokedApiKey" ApiKey;
    }
    IAdministrationServices in certificates {
        AddTrustedCertificateAuthority "addTrustedCertificateAuthority" [certificate create] -> "certificateAuthority" CertificateAuthority;
        GetTrustedCertificateAuthorities "getTrustedCertificateAuthorities" [certificate read] -> "certificateAuthorities" CertificateAuthorityList;
        RemoveTrustedCertificateAuthority "removeTrustedCertificateAuthority" [certificate delete] -> "" Nothing;
        SetCertificateRevocationList "setCertificateRevocationList" [certificate revoke] -> "certificateAuthority" CertificateAuthority;
        BindCertificate "bindCertificate" [certificate bind] -> "certificateBinding" CertificateBinding;
        UnbindCertificate "unbindCertificate" [certificate bind] -> "" Nothing;
        GetCertificates "getCertificates" [certificate read] -> "certificateBindings" CertificateBindingList;
        RevokeCertificate "revokeCertificate" [certificate revoke] -> "revokedCertificate" RevokedCertificate;
        GetRevokedCertificates "getRevokedCertificates" [certificate read] -> "revokedCertificates" RevokedCertificateList;
    }
    IAdministrationServices in providers {
        CreateIdentityProvider "createIdentityProvider" [provider create] -> "storedIdentityProvider" IdentityProvider;
        UpdateIdentityProvider "updateIdentityProvider" [provider update] -> "storedIdentityProvider" IdentityProvider;
        DeleteIdentityProvider "deleteIdentityProvider" [provider delete] -> "" Nothing;
        GetIdentityProviders "getIdentityProviders" [provider read] -> "identityProviders" IdentityProviderList;
    }
}

/// Operations of the contract that this server does not offer, by port type.
pub const ELSEWHERE: &[(&str, &[&str])] = &[
    (
        "IEventServices",
        &[
            "registerForAlerts",
            "renewRegistration",
            "cancelRegistration",
            "getRegistrationById",
            "getRegistrations",
            "getAlerts",
            "acknowledgeAlerts",
        ],
    ),
    (
        "IContentServices",
        &[
            "ingestPackage",
            "beginUpload",
            "uploadPart",
            "completeUpload",
            "abortUpload",
            "getPackageById",
            "getPackages",
            "setPackageState",
            "deletePackage",
        ],
    ),
    ("ITunnelServices", &["openTunnel", "sendPackage", "receivePackages", "getTunnelById", "closeTunnel"]),
];

/// Every operation that this server carries out, in the order of the contract.
#[must_use]
pub fn operations() -> &'static [OperationDescriptor] {
    OPERATIONS
}

/// The operation of this name or alias.
#[must_use]
pub fn operation(name: &str) -> Option<&'static OperationDescriptor> {
    Operation::parse(name).map(Operation::descriptor)
}

/// The port type of an operation name or alias, offered here or not.
#[must_use]
pub fn port_type(name: &str) -> Option<&'static str> {
    match Operation::parse(name) {
        Some(operation) => Some(operation.descriptor().port_type),
        None => ELSEWHERE.iter().find(|(_, names)| names.contains(&name)).map(|(port_type, _)| *port_type),
    }
}
