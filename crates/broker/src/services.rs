//! The use cases, one file for each port type of the contract: check, decide, call the store.
//!
//! Faces turn a request into the arguments of one of these methods and its answer or [`Fault`] into theirs. Nothing
//! here knows XML, JSON or HTTP.

mod api_keys;
mod approvals;
mod arguments;
mod bulk_operations;
mod callbacks;
mod certificates;
mod changing;
mod checks;
mod consent;
mod deeds;
mod deployment_broker;
mod deployments;
mod device_capabilities;
mod device_fields;
mod device_import;
mod device_manager;
mod given;
mod granting;
mod identity_providers;
mod import_stream;
mod ledger;
mod once;
mod principals;
mod quotas;
mod reaching;
mod roles;
mod scheduling;
mod selecting;
mod session;
mod subscriber_manager;
mod telling;
mod tenants;
mod together;
mod traces;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use api_keys::KeyWanted;
pub use approvals::{ApprovalAnswer, ApprovalsWanted};
pub use bulk_operations::{Deployment, DeploymentReceipt, JobsByDate, TasksWanted};
pub use callbacks::{CallbackAddressFields, CallbackAddressTold, CredentialFields};
pub use certificates::{AuthorityGiven, RevocationGiven};
pub use deployment_broker::{BulkRequest, OperationReceipt, OperationRequest, Rejected};
pub use device_manager::{AccountFields, CapabilityFields, DeviceFields, ImportResult};
pub use given::Given;
pub use identity_providers::{Person, ProviderGiven};
pub use import_stream::{BATCH_ROWS_MAX, IMPORT_OPERATION, Import, ImportOptions, ImportPreparer, PreparedBatch};
pub use ledger::{AuditVerification, AuditWanted, ErasureWanted, Flush};
pub use principals::{GrantFields, NewPassword, OwnRights, PrincipalFields, PrincipalView, password};
pub use quotas::QuotaWanted;
pub use roles::{RoleFields, RoleView};
pub use session::{OpenedSession, ServiceInfo};
pub use subscriber_manager::SubscriberFields;
pub use telling::secrets_of;
pub use tenants::TenantFields;
pub use traces::{RecordingWanted, TraceSetting};

use crate::access::Tenant;
use crate::directory::{Account, Directory};
use crate::fault::{Fault, FaultName};
use crate::ledger::Refusals;
use crate::ports::{Environment, Vault};
use crate::store::{Store, StoreError};

/// The Deployment Broker.
#[derive(Clone)]
pub struct Broker {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) settings: Arc<Settings>,
    /// Raised when this process changes what certificates are verified with.
    trust_changes: Arc<AtomicU64>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) desk: Arc<quotas::Desk>,
    /// Refusals that are counted before they are kept.
    pub(crate) refusals: Arc<Mutex<Refusals>>,
}

/// What the operator sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Identifier of this server among its peers, and towards devices whose account names none.
    pub server_id: String,
    /// A session of the WSI ends after this long without use.
    pub session_idle_s: i64,
    /// A session of the WSI ends after this long whatever happens.
    pub session_life_s: i64,
    /// Largest request of the WSI, in bytes; told by `getServiceInfo`.
    pub request_bytes_max: u64,
    /// Requests of one caller in a second where its domain has set nothing; twice as many may come at once.
    pub requests_per_second_max: u32,
    /// Whether callback addresses on this machine may be spoken to without TLS: for trials.
    pub callbacks_over_http: bool,
    /// Longest life of an API key.
    pub key_life_s_max: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_id: "muster".to_owned(),
            session_idle_s: 30 * 60,
            session_life_s: 12 * 3600,
            request_bytes_max: 8 << 20,
            requests_per_second_max: 500,
            callbacks_over_http: false,
            key_life_s_max: 366 * 24 * 3600,
        }
    }
}

/// A caller's idempotency key with a digest of the parameters, however they were spelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// 1 to 128 visible ASCII characters.
    pub id: String,
    /// Digest of the parameters after reading, without userSession.
    pub content: [u8; 32],
}

impl Broker {
    /// A broker over its ports.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<dyn Vault>,
        environment: Arc<dyn Environment>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            vault,
            environment,
            settings: Arc::new(settings),
            directory: Arc::default(),
            desk: Arc::default(),
            refusals: Arc::default(),
            trust_changes: Arc::default(),
        }
    }

    /// The account of this name, as it was a few seconds ago at most.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn account(&self, name: &str) -> Result<Option<Arc<Account>>, Fault> {
        Ok(self.directory.account(&*self.store, name, self.environment.now()).await?)
    }

    /// The tenant of this name, as it was a few seconds ago at most.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tenant(&self, name: &str) -> Result<Option<Arc<Tenant>>, Fault> {
        Ok(self.directory.tenant(&*self.store, name, self.environment.now()).await?)
    }

    /// What is remembered of principals and tenants. Whoever writes any of them, or a role, lets it forget.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What is kept.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key of the installation.
    #[must_use]
    pub fn vault(&self) -> &Arc<dyn Vault> {
        &self.vault
    }

    /// Time and chance.
    #[must_use]
    pub fn environment(&self) -> &Arc<dyn Environment> {
        &self.environment
    }

    /// A number that is another one after this process has changed what certificates are verified with.
    #[must_use]
    pub fn trust_changes(&self) -> u64 {
        self.trust_changes.load(Ordering::Acquire)
    }

    fn trust_changed(&self) {
        self.trust_changes.fetch_add(1, Ordering::AcqRel);
    }

    /// What the operator set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// A failing store is the server's fault; the reason goes to the log where the fault is answered, never to the caller.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason } => {
                Self::new(FaultName::TemporarilyUnavailable, "the server cannot store anything now; try again later")
                    .retry_after_s(5)
                    .because(reason)
            }
            StoreError::Denied(fault) => *fault,
            StoreError::Broken { reason } => Self::new(
                FaultName::InternalError,
                "the server failed; its operator finds the reason by the correlation identifier",
            )
            .because(reason),
        }
    }
}
