//! IAdministrationServices: OpenID Connect providers; and who a person is to them.

use std::sync::Arc;

use super::certificates::{may_everything_everywhere, must_do_everything, stays_within};
use super::once::{self, operation};
use super::{Broker, RequestKey, checks};
use crate::access::{Caller, Grant, Principal, PrincipalKind, Right};
use crate::bounds::PROVIDER_SECRET_CHARS_MAX;
use crate::directory::Account;
use crate::fault::{Fault, FaultName};
use crate::identity_provider::{IdentityProvider, ProviderSettings};
use crate::ledger::Deed;
use crate::page::{Page, PageRequest, Paged};
use crate::store::{Keep, Once, ProviderVerdict, ProviderWrite};

/// A provider as an administrator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderGiven {
    /// Unique on this server.
    pub name: String,
    /// What is set about it.
    pub settings: ProviderSettings,
    /// Our secret there; that of before where it is left out in a change.
    pub client_secret: Option<String>,
    /// The version it must have.
    pub version: Option<i64>,
}

/// Somebody as a provider describes them.
#[derive(Clone, Copy, Debug)]
pub struct Person<'p> {
    /// Identifier at the provider.
    pub subject: &'p str,
    /// A name to show.
    pub name: Option<&'p str>,
    /// Groups; absent where nothing was said of them, so that they are as they were.
    pub groups: Option<&'p [&'p str]>,
}

/// Most characters of a name to show.
const DISPLAY_CHARS_MAX: usize = 128;

impl Broker {
    /// Makes a provider. It takes somebody who may do everything in the domain: a provider can say that somebody is any
    /// of its people.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `MissingArgument`, `AlreadyExists`.
    pub async fn create_identity_provider(
        &self,
        caller: &Caller,
        given: ProviderGiven,
        request: Option<RequestKey>,
    ) -> Result<IdentityProvider, Fault> {
        must_do_everything(caller, Right::new("provider", "create"))?;
        checks::request_key(request.as_ref())?;
        if let Some(version) = given.version {
            return Err(Fault::invalid("version", version, "is given by the server; leave it out"));
        }
        let write = self.provider_write_of(caller, given, false)?;
        // The name is enough: what is answered again is read again, so that no secret is kept with the request.
        let remember =
            self.remember(caller, operation::CREATE_IDENTITY_PROVIDER, request.as_ref(), |it: &ProviderVerdict| {
                it.as_ref().ok().map(|stored| stored.name.clone())
            });
        match self.store.provider_write(write, self.deed(caller, "createIdentityProvider"), remember).await? {
            Once::Now(verdict) => verdict,
            Once::Before(name) => self.provider_found(caller, &name).await,
            Once::Reused => Err(once::reused()),
        }
    }

    /// Changes a provider, found by its name.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `MissingArgument`, `UnknownCredential`, `OutdatedVersion`, `AlreadyExists`.
    pub async fn update_identity_provider(
        &self,
        caller: &Caller,
        given: ProviderGiven,
    ) -> Result<IdentityProvider, Fault> {
        must_do_everything(caller, Right::new("provider", "update"))?;
        let write = self.provider_write_of(caller, given, true)?;
        match self.store.provider_write(write, self.deed(caller, "updateIdentityProvider"), None).await? {
            Once::Now(verdict) => verdict,
            Once::Before(_) | Once::Reused => Err(once::reused()),
        }
    }

    /// Takes a provider away. Sessions that it opened end as any other.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCredential`.
    pub async fn delete_identity_provider(&self, caller: &Caller, name: &str) -> Result<(), Fault> {
        caller.must(Right::new("provider", "delete"))?;
        let is_gone =
            self.store.provider_remove(&caller.tenant, name, self.deed(caller, "deleteIdentityProvider")).await?;
        if is_gone { Ok(()) } else { Err(unknown_provider(name)) }
    }

    /// Providers of the domain.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn identity_providers(
        &self,
        caller: &Caller,
        page: &PageRequest,
    ) -> Result<Paged<IdentityProvider>, Fault> {
        caller.must(Right::new("provider", "read"))?;
        let scope = self.list_scope(caller, "identity providers", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.provider_list(&caller.tenant, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |provider| provider))
    }

    async fn provider_found(&self, caller: &Caller, name: &str) -> Result<IdentityProvider, Fault> {
        let found = self.store.provider_get(name).await?.filter(|provider| provider.tenant == caller.tenant);
        found.ok_or_else(|| unknown_provider(name))
    }

    fn provider_write_of(
        &self,
        caller: &Caller,
        given: ProviderGiven,
        is_update: bool,
    ) -> Result<ProviderWrite, Fault> {
        if !IdentityProvider::is_name(&given.name) {
            let why = "1 to 64 letters a to z, digits and hyphens are expected";
            return Err(Fault::invalid("name", &given.name, why));
        }
        given.settings.check()?;
        if given
            .client_secret
            .as_ref()
            .is_some_and(|secret| !(1..=PROVIDER_SECRET_CHARS_MAX).contains(&secret.chars().count()))
        {
            return Err(Fault::invalid("clientSecret", "…", "1 to 1024 characters are expected"));
        }
        let provider = IdentityProvider {
            name: given.name,
            tenant: caller.tenant.clone(),
            settings: given.settings,
            vouches_everywhere: may_everything_everywhere(caller),
            client_secret: given.client_secret.map(|secret| self.vault.seal(secret.as_bytes())),
            created_at: self.environment.now(),
            version: 1,
        };
        Ok(ProviderWrite { provider, is_update, version: given.version })
    }

    /// The principal that somebody is by the word of a provider, which was verified. Where the provider may, somebody
    /// who is not known yet becomes a principal, and the roles of those whom it made follow their groups.
    ///
    /// Nothing if nobody is let in; what was wrong is for the log.
    ///
    /// # Errors
    /// Only those of the server.
    pub async fn person(
        &self,
        provider: &IdentityProvider,
        person: Person<'_>,
    ) -> Result<Result<Arc<Account>, &'static str>, Fault> {
        let subject = provider.subject(person.subject);
        let made_name = self.name_of_person(provider, person.subject);
        let grants: Option<Vec<Grant>> = person.groups.map(|groups| {
            let roles = provider.settings.roles_of(groups);
            roles.into_iter().map(Grant::role).collect()
        });
        let name = match self.store.principal_of_subject(&subject).await? {
            Some(known) if known.tenant != provider.tenant => return Ok(Err("the subject is that of another domain")),
            Some(known) => {
                let name = known.name.clone();
                let is_made = name == made_name && provider.settings.creates_principals;
                if let Some(grants) = grants.filter(|grants| is_made && *grants != known.grants) {
                    // Without a group that has a role the principal keeps its name and may do nothing.
                    let version = known.version;
                    self.keep_person(Principal { grants, ..known }, Keep::Changed { version }).await?;
                }
                name
            }
            None if !provider.settings.creates_principals => return Ok(Err("the subject is bound to no principal")),
            None => {
                let Some(grants) = grants.filter(|grants| !grants.is_empty()) else {
                    return Ok(Err("none of the groups has a role"));
                };
                let now = self.environment.now();
                let display = person.name.map(|name| name.chars().filter(|it| !it.is_control()));
                let made = Principal {
                    name: made_name.clone(),
                    tenant: provider.tenant.clone(),
                    kind: PrincipalKind::Person,
                    display_name: display.map(|name| name.take(DISPLAY_CHARS_MAX).collect()),
                    grants,
                    enabled: true,
                    password_hash: String::new(),
                    password_at: now,
                    digest_secret: None,
                    subject: Some(subject.clone()),
                    created_at: now,
                    version: 1,
                };
                self.keep_person(made, Keep::New).await?;
                made_name
            }
        };
        // Somebody else may have had the name, or has it by now.
        let is_them = |account: &Account| account.is_let_in && account.principal.subject.as_ref() == Some(&subject);
        let Some(account) = self.account(&name).await?.filter(|account| is_them(account)) else {
            return Ok(Err("the principal is not let in"));
        };
        if account.principal.grants.is_empty() {
            return Ok(Err("the principal may do nothing: none of the groups has a role any more"));
        }
        if !provider.vouches_everywhere && !stays_within(&account.permissions, &provider.tenant) {
            return Ok(Err("the principal has rights beyond the domain of the provider"));
        }
        Ok(Ok(account))
    }

    /// Keeps a principal as its provider describes it. That another login did the same at the same time is no failure.
    async fn keep_person(&self, principal: Principal, keep: Keep) -> Result<(), Fault> {
        // Nobody asked for it but the person by logging in.
        let deed = Deed::of_server(&principal.tenant, "openIdLogin", self.environment.now());
        let kept = self.store.principal_keep(principal, keep, deed, None).await;
        self.directory.forget();
        match kept? {
            Once::Now(Err(fault)) if !matches!(fault.name, FaultName::AlreadyExists | FaultName::OutdatedVersion) => {
                Err(fault)
            }
            Once::Now(_) | Once::Before(_) | Once::Reused => Ok(()),
        }
    }

    /// What a principal is called that a provider made: always the same for the same person.
    fn name_of_person(&self, provider: &IdentityProvider, subject: &str) -> String {
        let digest = self.vault.digest("openid-subject", provider.subject(subject).as_bytes());
        let short = digest.iter().take(8).fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
        format!("{}.{short}", provider.name)
    }
}

fn unknown_provider(name: &str) -> Fault {
    let text = "this domain has no identity provider of this name; getIdentityProviders lists them";
    Fault::new(FaultName::UnknownCredential, text).with(name)
}
