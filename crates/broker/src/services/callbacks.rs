//! Callbacks: the list of addresses that may be told, and looking after what is told to them.

use super::once::{self, operation};
use super::{Broker, RequestKey, checks};
use crate::access::{Caller, Right};
use crate::bounds::{ABOUT_CHARS_MAX, REPLAYS_MAX, SECRET_OVERLAP_S_MAX, TEXT_CHARS_MAX, WEBHOOK_SECRET_CHARS};
use crate::callback::{
    CallbackAddress, CallbackCredential, CallbackKind, CallbackUrl, CredentialKind, Scheme, WebhookSecret, network,
};
use crate::fault::{Fault, FaultName};
use crate::id::{CallbackAddressId, EventId};
use crate::page::{Page, PageRequest, Paged};
use crate::store::{CallbackAddressFilter, DeadLetter, DeadLetterFilter, Once, QueueView};

/// Most allowed addresses of a domain: all are looked at when a request names a callback.
const ADDRESSES_MAX: usize = 200;
/// Octets of a secret that the server makes up.
const SECRET_BYTES: usize = 32;
/// How long the secret before signs too, when that is left out: a day.
const OVERLAP_S: i64 = 24 * 3600;

/// An allowed address as its administrator gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAddressFields {
    /// Who may use it; every caller of the domain when absent.
    pub owner: Option<String>,
    /// Scheme, host, port and beginning of the path.
    pub url: String,
    /// What is posted.
    pub kind: CallbackKind,
    /// What for.
    pub description: Option<String>,
    /// How the server says who it is.
    pub credential: Option<CredentialFields>,
    /// Whether it may lead into a private network.
    pub allows_private: bool,
    /// Whether it is in use.
    pub enabled: bool,
}

/// A name and a password for a receiver. An update that leaves the password out keeps the stored one.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialFields {
    /// How it is sent.
    pub kind: CredentialKind,
    /// Name.
    pub user_name: String,
    /// Password.
    pub password: Option<String>,
}

impl std::fmt::Debug for CredentialFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialFields").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// An allowed address, with the secret of its webhooks where that is told: only when it is new.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackAddressTold {
    /// The address.
    pub address: CallbackAddress,
    /// The secret.
    pub secret: Option<String>,
}

impl std::fmt::Debug for CallbackAddressTold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackAddressTold").field("address", &self.address).finish_non_exhaustive()
    }
}

impl From<CallbackAddress> for CallbackAddressTold {
    fn from(address: CallbackAddress) -> Self {
        Self { address, secret: None }
    }
}

impl Broker {
    /// Allows an address.
    ///
    /// # Errors
    /// `NotAuthorized`, also where private networks are to be allowed without the right to that; `InvalidArgument`,
    /// `ConflictingArguments`, `AlreadyExists`, `QuotaExceeded`, `RequestIdReused`.
    pub async fn create_callback_address(
        &self,
        caller: &Caller,
        fields: CallbackAddressFields,
        secret: Option<String>,
        request: Option<RequestKey>,
    ) -> Result<CallbackAddressTold, Fault> {
        caller.must(Right::new("callback", "create"))?;
        checks::request_key(request.as_ref())?;
        // What was possible then may not be now: the first answer counts.
        if let Some(answer) =
            self.answer_of_before(caller, operation::CREATE_CALLBACK_ADDRESS, request.as_ref()).await?
        {
            return self.callback_address_made(caller, &answer).await;
        }
        let id = CallbackAddressId(self.environment.uuid());
        let mut address = self.callback_address_given(caller, id, fields, None).await?;
        let known = self.store.callback_addresses_of(&caller.tenant).await?;
        if known.len() >= ADDRESSES_MAX {
            let text =
                format!("a domain may have {ADDRESSES_MAX} callback addresses; delete some, or allow a shorter one");
            return Err(Fault::new(FaultName::QuotaExceeded, text).with("callbackAddresses").with(ADDRESSES_MAX));
        }
        is_new(&known, &address)?;
        let told = match address.kind {
            CallbackKind::Webhook => Some(self.secret_given(secret)?),
            CallbackKind::Soap if secret.is_some() => {
                let text = "only webhooks are signed with a secret; leave it out, or say kind WEBHOOK";
                return Err(Fault::new(FaultName::ConflictingArguments, text).with("secret").with("kind"));
            }
            CallbackKind::Soap => None,
        };
        address.secret =
            told.as_ref().map(|secret| WebhookSecret { current: self.vault.seal(secret.as_bytes()), previous: None });
        let answer = id.to_string();
        let remember = self.remember(caller, operation::CREATE_CALLBACK_ADDRESS, request.as_ref(), |()| Some(answer));
        let deed = self.deed(caller, operation::CREATE_CALLBACK_ADDRESS);
        match self.store.callback_address_create(address.clone(), deed, remember).await? {
            Once::Now(()) => Ok(CallbackAddressTold { address, secret: told }),
            Once::Before(answer) => self.callback_address_made(caller, &answer).await,
            Once::Reused => Err(once::reused()),
        }
    }

    /// Replaces what is said of an allowed address; its secret and its kind stay.
    ///
    /// # Errors
    /// As [`Broker::create_callback_address`], and `UnknownCallbackAddress`, `OutdatedVersion`; `WrongState` for another kind.
    pub async fn update_callback_address(
        &self,
        caller: &Caller,
        id: &str,
        fields: CallbackAddressFields,
        version: Option<i64>,
    ) -> Result<CallbackAddress, Fault> {
        caller.must(Right::new("callback", "update"))?;
        let stored = self.callback_address_there(caller, id).await?;
        if fields.kind != stored.kind {
            let why = "the kind of a callback address stays as it is; make another address for the other kind";
            return Err(Fault::new(FaultName::WrongState, why).with(stored.kind.as_str()));
        }
        let address = self.callback_address_given(caller, stored.id, fields, Some(stored)).await?;
        is_new(&self.store.callback_addresses_of(&caller.tenant).await?, &address)?;
        self.store.callback_address_update(address, version, self.deed(caller, "updateCallbackAddress")).await?
    }

    /// Takes an address from the list. What waits for it is given up.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCallbackAddress`, `OutdatedVersion`.
    pub async fn delete_callback_address(&self, caller: &Caller, id: &str, version: Option<i64>) -> Result<(), Fault> {
        caller.must(Right::new("callback", "delete"))?;
        let id = read_address_id(id)?;
        let deed = self.deed(caller, "deleteCallbackAddress");
        self.store.callback_address_delete(&caller.tenant, id, version, deed).await?
    }

    /// An allowed address.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCallbackAddress`.
    pub async fn callback_address_by_id(&self, caller: &Caller, id: &str) -> Result<CallbackAddress, Fault> {
        caller.must(Right::new("callback", "read"))?;
        self.callback_address_there(caller, id).await
    }

    /// Allowed addresses of the domain, oldest first; those that `owner` may use, where one is given.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn callback_addresses(
        &self,
        caller: &Caller,
        filter: CallbackAddressFilter,
        page: &PageRequest,
    ) -> Result<Paged<CallbackAddress>, Fault> {
        caller.must(Right::new("callback", "read"))?;
        checks::line_if_given("owner", filter.owner.as_deref(), TEXT_CHARS_MAX)?;
        let scope = self.list_scope(caller, "callback addresses", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.callback_address_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |address| address))
    }

    /// Gives the webhooks of an address a new secret. The one before signs too for `overlap_s` seconds, a day when
    /// absent, so that receivers can change over.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCallbackAddress`, `OutdatedVersion`, `InvalidArgument`, `WrongState` where it is not
    /// for webhooks.
    pub async fn rotate_callback_secret(
        &self,
        caller: &Caller,
        id: &str,
        secret: Option<String>,
        overlap_s: Option<i64>,
        version: Option<i64>,
    ) -> Result<CallbackAddressTold, Fault> {
        caller.must(Right::new("callback", "update"))?;
        let mut address = self.callback_address_there(caller, id).await?;
        let Some(before) = address.secret.take() else {
            let text = "only webhooks are signed with a secret; this address is for SOAP";
            return Err(Fault::new(FaultName::WrongState, text).with(address.kind.as_str()));
        };
        let overlap_s = overlap_s.unwrap_or(OVERLAP_S);
        if !(0..=SECRET_OVERLAP_S_MAX).contains(&overlap_s) {
            let why = format!("must be 0 to {SECRET_OVERLAP_S_MAX} seconds");
            return Err(Fault::invalid("overlapSeconds", overlap_s, why));
        }
        let told = self.secret_given(secret)?;
        let until = self.environment.now().plus_s(overlap_s);
        address.secret = Some(WebhookSecret {
            current: self.vault.seal(told.as_bytes()),
            previous: (overlap_s > 0).then_some((before.current, until)),
        });
        // Decided on what was read: two at once must not lose the secret that one of them was told.
        let version = version.or(Some(address.version));
        let deed = self.deed(caller, "rotateCallbackSecret");
        let address = self.store.callback_address_update(address, version, deed).await??;
        Ok(CallbackAddressTold { address, secret: Some(told) })
    }

    /// What waits for the receivers of the domain, and how they do.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn callback_queues(&self, caller: &Caller, page: &PageRequest) -> Result<Paged<QueueView>, Fault> {
        caller.must(Right::new("callback", "read"))?;
        let scope = self.list_scope(caller, "callback queues", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.callback_queue_list(&caller.tenant, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |queue| queue))
    }

    /// Events that were given up, newest first; those for one allowed address, where it is given.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCallbackAddress` for what is no identifier, `InvalidPageToken`.
    pub async fn dead_letters(
        &self,
        caller: &Caller,
        address: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<DeadLetter>, Fault> {
        caller.must(Right::new("callback", "read"))?;
        let filter = DeadLetterFilter { address: address.map(read_address_id).transpose()?, ids: Vec::new() };
        let scope = self.list_scope(caller, "dead letters", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.dead_letter_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |letter| letter))
    }

    /// Puts dead letters back into their queues: those of these events, or those for one allowed address, at most 1000
    /// at once. How many.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument` if neither is given, `InvalidArgument`, `TooManyEntries`.
    pub async fn replay_dead_letters(
        &self,
        caller: &Caller,
        address: Option<&str>,
        events: &[String],
    ) -> Result<u64, Fault> {
        caller.must(Right::new("callback", "replay"))?;
        if address.is_none() && events.is_empty() {
            let text = "give eventId, or callbackAddressId for all dead letters of that address";
            return Err(Fault::new(FaultName::MissingArgument, text).with("eventId"));
        }
        if !events.is_empty() {
            checks::entries("eventId", events.len(), REPLAYS_MAX)?;
        }
        let ids = events
            .iter()
            .map(|id| EventId::parse(id).map_err(|error| Fault::invalid("eventId", id.escape_debug(), error)))
            .collect::<Result<Vec<_>, _>>()?;
        let filter = DeadLetterFilter { address: address.map(read_address_id).transpose()?, ids };
        let deed = self.deed(caller, "replayDeadLetters");
        Ok(self
            .store
            .dead_letter_replay(&caller.tenant, filter, deed, u32::try_from(REPLAYS_MAX).unwrap_or(u32::MAX))
            .await?)
    }

    async fn callback_address_there(&self, caller: &Caller, id: &str) -> Result<CallbackAddress, Fault> {
        let found = self.store.callback_address_get(&caller.tenant, read_address_id(id)?).await?;
        found.ok_or_else(|| unknown_address(id))
    }

    /// The address that a request made before. Its secret is told once more if it is still the one that it was made
    /// with: the caller may have lost the first answer.
    async fn callback_address_made(&self, caller: &Caller, id: &str) -> Result<CallbackAddressTold, Fault> {
        let address = self.callback_address_there(caller, id).await?;
        let secret = match &address.secret {
            Some(secret) if address.version == 1 => {
                let octets = self.vault.open(&secret.current).map_err(|error| {
                    Fault::new(FaultName::InternalError, "the server failed; its operator finds the reason in the log")
                        .because(error)
                })?;
                String::from_utf8(octets).ok()
            }
            _ => None,
        };
        Ok(CallbackAddressTold { address, secret })
    }

    async fn callback_address_given(
        &self,
        caller: &Caller,
        id: CallbackAddressId,
        fields: CallbackAddressFields,
        stored: Option<CallbackAddress>,
    ) -> Result<CallbackAddress, Fault> {
        let CallbackAddressFields { owner, url, kind, description, credential, allows_private, enabled } = fields;
        checks::line_if_given("owner", owner.as_deref(), TEXT_CHARS_MAX)?;
        if let Some(owner) = &owner {
            let known = self.store.principal_get(owner).await?;
            if known.is_none_or(|known| known.tenant != caller.tenant) {
                let text = "owner is no caller of this domain";
                return Err(Fault::new(FaultName::UnknownPrincipal, text).with(owner));
            }
        }
        if let Some(description) = &description {
            checks::prose("description", description, ABOUT_CHARS_MAX)?;
        }
        let allowed = self.callback_networks(&caller.tenant, allows_private).await?;
        let url = self.callback_url_given(&url, &allowed)?;
        // Who may only change an address must not lead one that is open to another place.
        let was_open = stored.as_ref().is_some_and(|stored| stored.allows_private && stored.url == url);
        if allows_private && !was_open {
            caller.must(Right::new("callback", "create").of(Right::PRIVATE))?;
        }
        let old = stored.as_ref().and_then(|stored| stored.credential.as_ref());
        let credential = credential.map(|given| self.credential_given(given, kind, old)).transpose()?;
        Ok(CallbackAddress {
            id,
            tenant: caller.tenant.clone(),
            owner,
            url,
            kind,
            description,
            credential,
            secret: stored.as_ref().and_then(|stored| stored.secret.clone()),
            allows_private,
            enabled,
            created_at: stored.as_ref().map_or_else(|| self.environment.now(), |stored| stored.created_at),
            version: stored.as_ref().map_or(1, |stored| stored.version),
        })
    }

    /// An address that may be put on the list. Names are looked at when they are connected to, numbers here too.
    fn callback_url_given(&self, text: &str, allowed: &network::Allowed) -> Result<CallbackUrl, Fault> {
        let invalid = |why: &dyn std::fmt::Display| Fault::invalid("address", text.escape_debug(), why);
        let url = CallbackUrl::parse(text).map_err(|error| invalid(&error))?;
        if url.has_query() {
            return Err(invalid(&"must have no query; what follows the path is up to the caller"));
        }
        if url.scheme() == Scheme::Http {
            if !self.settings.callbacks_over_http {
                return Err(invalid(&"must begin with https://"));
            }
            let is_here =
                url.ip().map_or(url.host() == "localhost", |ip| network::place(ip) == network::Place::Loopback);
            if !is_here {
                return Err(invalid(&network::Forbidden::PlainHttp));
            }
        }
        if let Some(ip) = url.ip() {
            network::check(ip, allowed).map_err(|error| invalid(&error))?;
        }
        Ok(url)
    }

    fn credential_given(
        &self,
        given: CredentialFields,
        kind: CallbackKind,
        stored: Option<&CallbackCredential>,
    ) -> Result<CallbackCredential, Fault> {
        checks::line("userName", &given.user_name, TEXT_CHARS_MAX)?;
        match (given.kind, kind) {
            (CredentialKind::UsernameToken, CallbackKind::Webhook) => {
                let text = "a webhook has no WS-Security header; use a BASIC credential";
                return Err(Fault::new(FaultName::ConflictingArguments, text).with("credential").with("kind"));
            }
            (CredentialKind::Basic, _) if given.user_name.contains(':') => {
                return Err(Fault::invalid("userName", &given.user_name, "HTTP Basic allows no colon in it"));
            }
            _ => {}
        }
        let password = match (given.password, stored) {
            (Some(password), _) => {
                checks::line("password", &password, TEXT_CHARS_MAX)
                    .map_err(|fault| Fault { variables: Vec::new(), ..fault })?;
                self.vault.seal(password.as_bytes())
            }
            (None, Some(stored)) if stored.user_name == given.user_name => stored.password.clone(),
            (None, _) => return Err(Fault::missing("password")),
        };
        Ok(CallbackCredential { kind: given.kind, user_name: given.user_name, password })
    }

    /// The secret given, or a new one.
    fn secret_given(&self, given: Option<String>) -> Result<String, Fault> {
        use base64::Engine as _;
        match given {
            Some(secret) => {
                let is_good = WEBHOOK_SECRET_CHARS.contains(&secret.len())
                    && secret.bytes().all(|octet| octet.is_ascii_graphic());
                if is_good {
                    return Ok(secret);
                }
                let text = "secret: must have 16 to 128 visible ASCII characters; leave it out to have one made";
                Err(Fault::new(FaultName::InvalidArgument, text).with("secret"))
            }
            None => {
                let mut octets = [0; SECRET_BYTES];
                self.environment.random(&mut octets);
                Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets))
            }
        }
    }
}

/// Refuses a second address of the same owner, kind and spelling.
fn is_new(known: &[CallbackAddress], address: &CallbackAddress) -> Result<(), Fault> {
    let is_same = |other: &&CallbackAddress| {
        other.id != address.id && (&other.owner, &other.url) == (&address.owner, &address.url)
    };
    match known.iter().find(is_same) {
        None => Ok(()),
        Some(other) => {
            let text = format!("the address is allowed already, as {}", other.id);
            Err(Fault::new(FaultName::AlreadyExists, text).with("address").with(&address.url))
        }
    }
}

/// Reads an identifier; what is none names no address.
fn read_address_id(text: &str) -> Result<CallbackAddressId, Fault> {
    CallbackAddressId::parse(text).map_err(|_| unknown_address(text))
}

fn unknown_address(text: &str) -> Fault {
    Fault::new(FaultName::UnknownCallbackAddress, "there is no such callback address").with(text.escape_debug())
}
