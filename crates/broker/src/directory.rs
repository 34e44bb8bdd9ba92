//! Principals and tenants as they are let in, remembered for a few seconds: a request reads none of them from the store
//! in the common case.
//!
//! What is written through this process is forgotten at once; what another node writes is seen within [`AGE_S`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::access::{Caller, Origin, Permission, Principal, Tenant};
use crate::store::{AccountRecord, Store, StoreError};
use crate::time::Timestamp;

/// What is remembered is read again after this long.
pub const AGE_S: i64 = 5;
/// Names remembered of each kind; when there is no room all are forgotten.
const NAMES_MAX: usize = 20_000;

/// A principal with what its grants give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The principal.
    pub principal: Principal,
    /// What it may do, everywhere.
    pub permissions: Arc<[Permission]>,
    /// Whether it is let in: it is enabled, and its tenant active.
    pub is_let_in: bool,
}

impl Account {
    pub(crate) fn of(record: AccountRecord) -> Self {
        let AccountRecord { principal, tenant, roles } = record;
        let rights = |name: &str| roles.iter().find(|role| role.name == name).map(|role| role.rights.clone());
        Self {
            permissions: principal.permissions(&rights),
            is_let_in: principal.enabled && tenant.is_some_and(|tenant| tenant.is_active()),
            principal,
        }
    }

    /// Whether it can work in `tenant`: its own, or one that a grant reaches.
    #[must_use]
    pub fn reaches(&self, tenant: &str) -> bool {
        self.principal.tenant == tenant || self.permissions.iter().any(|permission| permission.holds_in(tenant))
    }

    /// The caller that it is, at work in its own tenant.
    #[must_use]
    pub fn caller(&self, origin: Origin) -> Caller {
        self.caller_in(&self.principal.tenant, origin)
    }

    /// The caller that it is, at work in `tenant`.
    #[must_use]
    pub fn caller_in(&self, tenant: &str, origin: Origin) -> Caller {
        Caller {
            name: self.principal.name.clone(),
            tenant: tenant.to_owned(),
            permissions: Arc::clone(&self.permissions),
            origin,
            message_id: None,
        }
    }
}

/// What is remembered.
#[derive(Default)]
pub struct Directory {
    accounts: Known<Account>,
    tenants: Known<Tenant>,
    /// Raised whenever something is forgotten: what was read before that is not remembered after it.
    generation: AtomicU64,
}

type Known<T> = RwLock<HashMap<String, (Timestamp, Arc<T>)>>;

impl Directory {
    /// The account of this name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn account(
        &self,
        store: &dyn Store,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        if let Some(known) = known(&self.accounts, name, now) {
            return Ok(Some(known));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let Some(record) = store.account_load(name).await? else { return Ok(None) };
        let account = Arc::new(Account::of(record));
        self.remember(&self.accounts, name, now, &account, generation);
        Ok(Some(account))
    }

    /// The tenant of this name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tenant(
        &self,
        store: &dyn Store,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Tenant>>, StoreError> {
        if let Some(known) = known(&self.tenants, name, now) {
            return Ok(Some(known));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let Some(tenant) = store.tenant_get(name).await? else { return Ok(None) };
        let tenant = Arc::new(tenant);
        self.remember(&self.tenants, name, now, &tenant, generation);
        Ok(Some(tenant))
    }

    /// Forgets everything: a principal, a role or a tenant was written.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.accounts.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remember<T>(&self, names: &Known<T>, name: &str, now: Timestamp, found: &Arc<T>, generation: u64) {
        let mut names = names.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock that forgetting takes: either that comes later, or it is seen here.
        if self.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        if names.len() >= NAMES_MAX {
            names.clear();
        }
        names.insert(name.to_owned(), (now, Arc::clone(found)));
    }
}

fn known<T>(names: &Known<T>, name: &str, now: Timestamp) -> Option<Arc<T>> {
    let names = names.read().unwrap_or_else(PoisonError::into_inner);
    let (at, known) = names.get(name)?;
    (*at <= now && now < at.plus_s(AGE_S)).then(|| Arc::clone(known))
}
