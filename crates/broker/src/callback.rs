//! Telling External Systems: addresses that may be used, what is told to them, when it is tried again.
//!
//! Everything here is pure. A store keeps what is to be told in the transaction of what it tells about; an edge
//! resolves names, connects and posts.
//!
//! Sources: DM WSI contract, section 3, "Asynchronous work", and section 7.

mod address;
mod event;
pub mod network;
mod progress;
mod retry;
mod url;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use address::{CallbackAddress, CallbackCredential, CallbackKind, CredentialKind, WebhookSecret};
pub use event::{Event, EventType};
pub use progress::{Answer, Limits, Progress, after};
pub use retry::{EVENT_LIFE_S, delay_ms};
pub use url::{CallbackUrl, NotAnAddress, Scheme};

use crate::id::{CallbackAddressId, EventId};
use crate::job::Job;
use crate::names::names;
use crate::task::Task;

/// Where a caller wants to be told, as asked for.
///
/// Source: DM WSI contract, section 6, `Callback`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackWanted {
    /// Address.
    pub address: String,
    /// Text given back with every delivery.
    pub reference: Option<String>,
    /// `1.1` or `1.2`; 1.1 when absent.
    pub soap_version: Option<String>,
}

impl From<&str> for CallbackWanted {
    fn from(address: &str) -> Self {
        Self { address: address.to_owned(), ..Self::default() }
    }
}

/// Which SOAP a receiver is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SoapVersion {
    /// 1.1.
    #[default]
    #[serde(rename = "1.1")]
    Soap11,
    /// 1.2.
    #[serde(rename = "1.2")]
    Soap12,
}

names! {
    SoapVersion {
        "1.1" Soap11
        "1.2" Soap12
    }
}

/// Where the end of a task or job is told: checked, and kept with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The allowed address that it is under.
    #[serde(rename = "a")]
    pub address: CallbackAddressId,
    /// Where to post.
    #[serde(rename = "u")]
    pub url: CallbackUrl,
    /// Which SOAP.
    #[serde(rename = "v", default)]
    pub soap_version: SoapVersion,
    /// Text given back.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// `wsa:MessageID` of the request.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub relates_to: Option<String>,
}

/// Names what is told to one receiver in one order: everything for the same address, in the same SOAP, under the same
/// allowed address. So events of one device, and those of one callback, arrive in the order in which they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub Uuid);

impl Callback {
    /// The queue of its receiver.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        let name = format!("{}\u{0}{}", self.soap_version.as_str(), self.url);
        QueueId(Uuid::new_v5(&self.address.0, name.as_bytes()))
    }
}

/// An answer that goes to another address than the connection that the request came over.
///
/// Source: WS-Addressing 1.0 Core, section 3.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Names it; also its `wsa:MessageID`.
    pub id: EventId,
    /// Where it goes.
    pub to: ReplyTo,
    /// `wsa:Action`.
    pub action: String,
    /// The message, ready to be posted but for a credential; sealed where it is kept.
    pub envelope: String,
}

/// An address that a caller may have its answers sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The allowed address that it is under.
    pub address: CallbackAddressId,
    /// Where to post.
    pub url: CallbackUrl,
    /// The SOAP of the request.
    pub soap_version: SoapVersion,
    /// Domain of the caller.
    pub tenant: String,
    /// Caller.
    pub owner: String,
}

impl Reply {
    /// A queue of its own: answers are not in the way of each other.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        QueueId(Uuid::new_v5(&self.to.address.0, format!("reply\u{0}{}", self.id).as_bytes()))
    }
}

/// What is to be told, with whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due<'a> {
    /// Whom to tell.
    pub callback: &'a Callback,
    /// Domain.
    pub tenant: &'a str,
    /// Who asked for it, and is charged.
    pub owner: &'a str,
    /// When that was: a receiver that has said since that it is gone is not told.
    pub asked_at: crate::time::Timestamp,
    /// What to tell.
    pub event: Event,
}

/// What is to be told now that a task has entered its present status; nothing unless that is final and somebody wants
/// to know.
///
/// Source: DM WSI contract, section 7, "TASK_STATUS at each final state".
#[must_use]
pub fn of_task(task: &Task) -> Option<Due<'_>> {
    let callback = task.callback.as_ref().filter(|_| task.status.is_final())?;
    Some(Due {
        callback,
        tenant: &task.tenant,
        owner: &task.owner,
        asked_at: task.created_at,
        event: Event::of_task(task, callback),
    })
}

/// What is to be told now that a job has entered its present status, if somebody wants to know.
///
/// Source: DM WSI contract, section 7, "JOB_STATUS at each job status".
#[must_use]
pub fn of_job(job: &Job, now: crate::time::Timestamp) -> Option<Due<'_>> {
    let callback = job.callback.as_ref()?;
    Some(Due {
        callback,
        tenant: &job.tenant,
        owner: &job.owner,
        asked_at: job.created_at,
        event: Event::of_job(job, callback, now),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn callback(url: &str) -> Callback {
        Callback {
            address: CallbackAddressId(Uuid::from_u128(1)),
            url: CallbackUrl::parse(url).unwrap(),
            soap_version: SoapVersion::Soap11,
            reference: None,
            relates_to: None,
        }
    }

    #[test]
    fn what_goes_to_one_receiver_has_one_queue_whatever_it_refers_to() {
        let one = callback("https://a.example/x");
        let same = Callback {
            reference: Some("r".into()),
            relates_to: Some("m".into()),
            ..callback("HTTPS://A.example:443/x")
        };
        assert_eq!(one.queue(), same.queue());
        for other in [
            callback("https://a.example/y"),
            Callback { soap_version: SoapVersion::Soap12, ..one.clone() },
            Callback { address: CallbackAddressId(Uuid::from_u128(2)), ..one.clone() },
        ] {
            assert_ne!(one.queue(), other.queue(), "{other:?}");
        }
    }

    #[test]
    fn a_kept_callback_is_read_again_as_it_was() {
        let kept = Callback { reference: Some("é".into()), ..callback("https://a.example/x?y=1") };
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Callback>(&text).unwrap(), kept);
    }
}
