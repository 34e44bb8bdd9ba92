//! Who is told what a request led to: callbacks and answers to other addresses, against the list of the domain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Broker, checks};
use crate::access::Caller;
use crate::bounds::REFERENCE_CHARS_MAX;
use crate::callback::{
    Callback, CallbackAddress, CallbackKind, CallbackUrl, CallbackWanted, Reply, ReplyTo, SoapVersion, network,
};
use crate::device::Sealed;
use crate::fault::{Fault, FaultName};
use crate::ports::NotOurs;
use crate::time::Timestamp;

/// Most characters of a `wsa:MessageID` that is given back; of a longer one nothing is.
const MESSAGE_ID_CHARS_MAX: usize = 500;

impl Broker {
    /// Checks where a caller wants to be told.
    ///
    /// # Errors
    /// `CallbackRefused`, unless an allowed address covers it; `InvalidArgument`.
    pub(super) async fn callback(
        &self,
        caller: &Caller,
        wanted: Option<CallbackWanted>,
    ) -> Result<Option<Callback>, Fault> {
        let Some(CallbackWanted { address, reference, soap_version }) = wanted else { return Ok(None) };
        if let Some(reference) = &reference {
            checks::prose("callback.reference", reference, REFERENCE_CHARS_MAX)?;
        }
        let soap_version = match soap_version.as_deref().map(str::trim) {
            None | Some("") => SoapVersion::default(),
            Some(text) => SoapVersion::parse(text)
                .ok_or_else(|| Fault::invalid("callback.soapVersion", text, "must be 1.1 or 1.2"))?,
        };
        let url = CallbackUrl::parse(&address).map_err(|error| refused(&error.to_string()))?;
        let allowed = self.callback_address_for(caller, &url, None).await?;
        let allowed = allowed.ok_or_else(|| {
            refused("no callback address allowed for this caller covers it; an administrator can allow one, or poll the task instead")
        })?;
        let relates_to = caller.message_id.as_deref().filter(|id| checks::prose("", id, MESSAGE_ID_CHARS_MAX).is_ok());
        let relates_to = relates_to.map(str::to_owned);
        Ok(Some(Callback { address: allowed.id, url, soap_version, reference, relates_to }))
    }

    /// Where an answer may go that is not to go back on its connection; nothing unless an allowed address for SOAP covers
    /// it.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn reply_to(
        &self,
        caller: &Caller,
        address: &str,
        soap_version: SoapVersion,
    ) -> Result<Option<ReplyTo>, Fault> {
        let Ok(url) = CallbackUrl::parse(address) else { return Ok(None) };
        let allowed = self.callback_address_for(caller, &url, Some(CallbackKind::Soap)).await?;
        let (tenant, owner) = (caller.tenant.clone(), caller.name.clone());
        Ok(allowed.map(|allowed| ReplyTo { address: allowed.id, url, soap_version, tenant, owner }))
    }

    /// Keeps an answer that goes elsewhere; from then on it is sent until it is taken. It is sealed, for it may have a
    /// session or a key in it, which the store has nowhere else.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn send_reply(&self, reply: Reply) -> Result<(), Fault> {
        let sealed = self.vault.seal(reply.envelope.as_bytes());
        let reply = Reply { envelope: STANDARD.encode(sealed.0), ..reply };
        Ok(self.store.callback_reply(reply, self.environment.now()).await?)
    }

    /// The message of an answer that [`Broker::send_reply`] kept.
    ///
    /// # Errors
    /// [`NotOurs`] if it was sealed with another key.
    pub fn kept_reply(&self, envelope: &str) -> Result<String, NotOurs> {
        // What was kept before answers were sealed is a document, and none is in Base64.
        let Ok(sealed) = STANDARD.decode(envelope) else { return Ok(envelope.to_owned()) };
        let opened = self.vault.open(&Sealed(sealed))?;
        String::from_utf8(opened).map_err(|_| NotOurs)
    }

    /// Which private addresses of a domain may be connected to: those of its own setting, or every one where a callback
    /// address says so.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn callback_networks(&self, tenant: &str, every_private: bool) -> Result<network::Allowed, Fault> {
        let tenant = self.tenant(tenant).await?;
        let networks = tenant.as_ref().map(|tenant| tenant.settings.callback_networks.as_slice()).unwrap_or_default();
        let networks = networks.iter().filter_map(|text| network::Network::parse(text)).collect();
        Ok(network::Allowed { every_private, networks })
    }

    /// The allowed address that covers most of `url`, and before others one that is for this caller alone.
    async fn callback_address_for(
        &self,
        caller: &Caller,
        url: &CallbackUrl,
        kind: Option<CallbackKind>,
    ) -> Result<Option<CallbackAddress>, Fault> {
        let known = self.store.callback_addresses_of(&caller.tenant).await?;
        let admitting = known
            .into_iter()
            .filter(|known| known.admits(&caller.name, url) && kind.is_none_or(|kind| kind == known.kind));
        Ok(admitting.max_by_key(|known| (known.url.as_str().len(), known.owner.is_some())))
    }
}

/// What webhooks are signed with at `now`: the secret, and the one before while it counts.
#[must_use]
pub fn secrets_of(address: &CallbackAddress, now: Timestamp) -> Vec<&Sealed> {
    let Some(secret) = &address.secret else { return Vec::new() };
    let previous = secret.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
    std::iter::once(&secret.current).chain(previous).collect()
}

fn refused(why: &str) -> Fault {
    Fault::new(FaultName::CallbackRefused, format!("the callback address is refused: {why}"))
}
