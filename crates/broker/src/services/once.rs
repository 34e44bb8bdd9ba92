//! Requests that were made before get the answer of then.
//!
//! Source: DM WSI contract, section 3, "Idempotency".

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Broker, RequestKey};
use crate::access::Caller;
use crate::fault::{Fault, FaultName};
use crate::ledger::{Deed, ERASED};
use crate::store::{Once, Remember};

/// Operations whose answers are remembered. Entries of bulk calls have keys of their own.
pub(super) mod operation {
    pub(in crate::services) const DO_OPERATION: &str = "doOperation";
    pub(in crate::services) const DO_BULK_OPERATION: &str = "doBulkOperation";
    pub(in crate::services) const BULK_ENTRY: &str = "doBulkOperation/request";
    pub(in crate::services) const CREATE_DEPLOYMENTS: &str = "createDeployments";
    pub(in crate::services) const DEPLOYMENT: &str = "createDeployments/deployment";
    pub(in crate::services) const CREATE_DEVICE: &str = "createDeviceInstance";
    pub(in crate::services) const IMPORT_DEVICES: &str = "importDeviceInstances";
    pub(in crate::services) const CREATE_TENANT: &str = "createTenant";
    pub(in crate::services) const CREATE_PRINCIPAL: &str = "createPrincipal";
    pub(in crate::services) const CREATE_ROLE: &str = "createRole";
    pub(in crate::services) const CREATE_CALLBACK_ADDRESS: &str = "createCallbackAddress";
    pub(in crate::services) const CREATE_CAPABILITY: &str = "createDeviceCapability";
    pub(in crate::services) const CREATE_IDENTITY_PROVIDER: &str = "createIdentityProvider";
    pub(in crate::services) const CREATE_SUBSCRIBER: &str = "createSubscriber";
}

impl Broker {
    /// What the store is to remember under the caller's key, if it gave one. `answer` gives nothing if there was no
    /// effect.
    pub(super) fn remember<T>(
        &self,
        caller: &Caller,
        operation: &'static str,
        key: Option<&RequestKey>,
        answer: impl FnOnce(&T) -> Option<String> + Send + 'static,
    ) -> Option<Remember<T>> {
        key.map(|key| Remember {
            caller: format!("{}/{}", caller.tenant, caller.name),
            operation,
            request_id: key.id.clone(),
            // Keyed, because a request may carry a password: the plain digest of one can be guessed at.
            content: self.vault.digest("request", &key.content),
            at: self.environment.now(),
            answer: Box::new(answer),
        })
    }

    /// As [`Broker::remember`], for a request that makes a record: the answer is the record.
    pub(super) fn remember_record<T: Serialize>(
        &self,
        caller: &Caller,
        operation: &'static str,
        key: Option<&RequestKey>,
    ) -> Option<Remember<Result<T, Fault>>> {
        self.remember(caller, operation, key, |kept: &Result<T, Fault>| {
            kept.as_ref().ok().and_then(|record| serde_json::to_string(record).ok())
        })
    }

    /// The answer this request got before. Nothing is changed and the key stays free.
    ///
    /// # Errors
    /// `RequestIdReused`.
    pub(super) async fn answer_of_before(
        &self,
        caller: &Caller,
        operation: &'static str,
        key: Option<&RequestKey>,
    ) -> Result<Option<String>, Fault> {
        match self.remember(caller, operation, key, |()| None) {
            None => Ok(None),
            Some(question) => self.ask(question).await,
        }
    }

    /// Keeps `answer` under the key of an entry, before what it names is made. The answer of before, if there was
    /// one; what that names may not have been made.
    ///
    /// # Errors
    /// `RequestIdReused`.
    pub(super) async fn reserve(
        &self,
        caller: &Caller,
        operation: &'static str,
        key: Option<&RequestKey>,
        answer: String,
    ) -> Result<Option<String>, Fault> {
        match self.remember(caller, operation, key, |()| Some(answer)) {
            None => Ok(None),
            Some(question) => self.ask(question).await,
        }
    }

    /// Making no job is an effect on nothing but the key.
    async fn ask(&self, question: Remember<()>) -> Result<Option<String>, Fault> {
        let deed = Deed::of_server("", question.operation, question.at);
        match self.store.job_create(Vec::new(), deed, Some(question)).await? {
            Once::Now(()) => Ok(None),
            Once::Before(answer) => Ok(Some(answer)),
            Once::Reused => Err(reused()),
        }
    }
}

/// The record that a request has made, now or before.
///
/// # Errors
/// Why it was not made; `RequestIdReused`; as [`read`].
pub(super) fn record<T: DeserializeOwned>(kept: Once<Result<T, Fault>>) -> Result<T, Fault> {
    match kept {
        Once::Now(kept) => kept,
        Once::Before(answer) => read(&answer),
        Once::Reused => Err(reused()),
    }
}

/// Reads an answer of before.
///
/// # Errors
/// `WrongState` if it was erased with somebody's personal data; `InternalError` if it cannot be read.
pub(super) fn read<T: DeserializeOwned>(answer: &str) -> Result<T, Fault> {
    if answer == ERASED {
        let text = "this request was carried out, and what it was answered was erased since; use another requestId";
        return Err(Fault::new(FaultName::WrongState, text).with("erased"));
    }
    serde_json::from_str(answer).map_err(|_| {
        Fault::new(
            FaultName::InternalError,
            "the answer that this request got before cannot be read; look for what it made before you repeat it with another requestId",
        )
    })
}

/// The fault for a key that was used with other content.
pub(super) fn reused() -> Fault {
    Fault::new(FaultName::RequestIdReused, "requestId was used before with other parameters; use a new one")
        .with("requestId")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_erased_is_told_to_be_gone_and_one_that_is_broken_to_be_so() {
        assert_eq!(read::<String>("\"t\"").unwrap(), "t");
        let erased = read::<String>(ERASED).unwrap_err();
        assert_eq!((erased.name, erased.variables), (FaultName::WrongState, vec!["erased".to_owned()]));
        assert_eq!(read::<String>("\"t").unwrap_err().name, FaultName::InternalError);
    }
}
