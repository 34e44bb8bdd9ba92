//! IAdministrationServices: API keys.

use std::sync::Arc;

use super::{Broker, checks};
use crate::access::{Caller, Permission, Right};
use crate::api_key::{ApiKey, ID_OCTETS, KeyScope, KeyText, LIFE_S, SECRET_OCTETS, is_same_digest};
use crate::bounds::{GROUP_CHARS_MAX, KEY_NAME_CHARS_MAX, KEY_SCOPE_MAX};
use crate::directory::Account;
use crate::fault::{Fault, FaultName};
use crate::page::{Page, PageRequest, Paged};
use crate::time::Timestamp;

/// A key that a caller wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyWanted {
    /// Whom it will let in; the caller itself when absent.
    pub principal: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What it is narrowed to.
    pub scope: KeyScope,
    /// When it ends; after 90 days when absent.
    pub expires_at: Option<Timestamp>,
}

impl Broker {
    /// Makes a key, and gives it with its text, which nobody can read later.
    ///
    /// Who makes one must have every right that the key gives at this moment, so that neither an administrator of some
    /// things nor a narrow key makes itself a wider one.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`.
    pub async fn create_api_key(&self, caller: &Caller, wanted: KeyWanted) -> Result<(ApiKey, String), Fault> {
        let is_own = wanted.principal.as_ref().is_none_or(|name| *name == caller.name);
        caller.must(own(Right::new("key", "create"), is_own))?;
        checks::line_if_given("name", wanted.name.as_deref(), KEY_NAME_CHARS_MAX)?;
        let counts = [
            ("right", wanted.scope.rights.len()),
            ("group", wanted.scope.groups.len()),
            ("path", wanted.scope.paths.len()),
        ];
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count > KEY_SCOPE_MAX) {
            return Err(Fault::invalid(name, count, format_args!("at most {KEY_SCOPE_MAX} are taken")));
        }
        wanted.scope.groups.iter().try_for_each(|group| checks::line("group", group, GROUP_CHARS_MAX))?;
        let now = self.environment.now();
        let life_s_max = self.settings.key_life_s_max;
        let latest = now.plus_s(life_s_max);
        let expires_at = wanted.expires_at.unwrap_or_else(|| now.plus_s(LIFE_S).min(latest));
        if expires_at <= now || latest < expires_at {
            let why = format_args!("must lie in the future, at most {} days from now", life_s_max / 86_400);
            return Err(Fault::invalid("expiresAt", expires_at, why));
        }
        let name = wanted.principal.as_deref().unwrap_or(&caller.name);
        let account = self.account_named(caller, name).await?;
        must_have(caller, &wanted.scope.narrow(&account.permissions), Right::new("key", "create"))?;
        let (mut id, mut secret) = ([0; ID_OCTETS], [0; SECRET_OCTETS]);
        self.environment.random(&mut id);
        self.environment.random(&mut secret);
        let text = KeyText::new(id, secret);
        let key = ApiKey {
            digest: self.key_digest(&text),
            id: text.id.clone(),
            tenant: account.principal.tenant.clone(),
            principal: account.principal.name.clone(),
            name: wanted.name,
            scope: wanted.scope,
            created_by: caller.name.clone(),
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked: None,
        };
        self.store.key_create(key.clone(), self.deed(caller, "createApiKey")).await?;
        Ok((key, text.text()))
    }

    /// Keys of the domain, or of one of its principals; those of the caller alone where it may see no others.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn api_keys(
        &self,
        caller: &Caller,
        principal: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<ApiKey>, Fault> {
        let right = Right::new("key", "read");
        let principal = match caller.must(right) {
            Ok(()) => principal,
            Err(fault) => {
                caller.must(right.of(Right::OWN)).map_err(|_| fault)?;
                if principal.is_some_and(|name| name != caller.name) {
                    return Ok(Paged { items: Vec::new(), total: 0, next_token: None });
                }
                Some(caller.name.as_str())
            }
        };
        let scope = self.list_scope(caller, "keys", &principal);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.key_list(&caller.tenant, principal, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |key| key))
    }

    /// Revokes a key. From the next request on it lets nobody in.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCredential`.
    pub async fn revoke_api_key(&self, caller: &Caller, id: &str) -> Result<ApiKey, Fault> {
        let right = Right::new("key", "revoke");
        let may_all = caller.must(right);
        if let Err(fault) = &may_all {
            caller.must(right.of(Right::OWN)).map_err(|_| fault.clone())?;
        }
        let unknown = || Fault::new(FaultName::UnknownCredential, "there is no such API key").with(id);
        let stored = self.store.key_get(id).await?.filter(|key| key.tenant == caller.tenant).ok_or_else(unknown)?;
        if may_all.is_err() && stored.principal != caller.name {
            return Err(unknown());
        }
        let revoked = self.store.key_revoke(&caller.tenant, id, self.deed(caller, "revokeApiKey")).await?;
        revoked.ok_or_else(unknown)
    }

    /// The key that a text is, and its principal; nothing if it lets nobody in. What was wrong is for the log.
    ///
    /// A key that is not known costs what a known one does.
    ///
    /// # Errors
    /// Only those of the server.
    pub async fn key_holder(&self, text: &KeyText) -> Result<Result<(ApiKey, Arc<Account>), &'static str>, Fault> {
        let given = self.key_digest(text);
        let key = self.store.key_get(&text.id).await?;
        let stored = key.as_ref().map_or([0; 32], |key| key.digest);
        let is_same = is_same_digest(&given, &stored);
        let Some(key) = key.filter(|_| is_same) else { return Ok(Err("there is no such key")) };
        if !key.is_good(self.environment.now()) {
            return Ok(Err("the key has expired or was revoked"));
        }
        let account = self.account(&key.principal).await?;
        Ok(match account.filter(|account| is_of(account, &key.tenant, key.created_at)) {
            Some(account) => Ok((key, account)),
            None => Err("its principal is not let in"),
        })
    }

    /// Both the identifier and the secret, so that a digest is good for its own key alone.
    fn key_digest(&self, text: &KeyText) -> [u8; 32] {
        self.vault.digest("api-key", text.text().as_bytes())
    }

    /// A principal of the caller's domain.
    ///
    /// # Errors
    /// `UnknownPrincipal`.
    pub(super) async fn account_named(&self, caller: &Caller, name: &str) -> Result<Arc<Account>, Fault> {
        let found = self.account(name).await?.filter(|account| account.principal.tenant == caller.tenant);
        let unknown =
            || Fault::new(FaultName::UnknownPrincipal, "there is no such principal in this domain").with(name);
        found.ok_or_else(unknown)
    }
}

/// Whether an account is let in, and is the one that had this name and domain at `then`: somebody else may have the name
/// by now.
pub(super) fn is_of(account: &Account, tenant: &str, then: Timestamp) -> bool {
    account.is_let_in && account.principal.tenant == tenant && account.principal.created_at <= then
}

fn own(right: Right, is_own: bool) -> Right {
    if is_own { right.of(Right::OWN) } else { right }
}

/// Refuses whoever would give away more than it has.
///
/// # Errors
/// `NotAuthorized`.
pub(super) fn must_have(caller: &Caller, given: &[Permission], right: Right) -> Result<(), Fault> {
    let is_held = |given: &Permission| caller.permissions.iter().any(|held| held.includes(given));
    if given.iter().all(is_held) {
        return Ok(());
    }
    let text = "this would give rights that you do not have; ask somebody who has them";
    Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation))
}
