use std::fmt;

use serde::{Deserialize, Serialize};

use super::CallbackUrl;
use crate::device::Sealed;
use crate::id::CallbackAddressId;
use crate::names::names;
use crate::time::Timestamp;

/// What is posted to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallbackKind {
    /// `INotificationConsumer` over SOAP.
    Soap,
    /// A signed JSON array.
    Webhook,
}

names! {
    CallbackKind {
        "SOAP" Soap
        "WEBHOOK" Webhook
    }
}

/// How the server tells a receiver who it is, besides its client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CredentialKind {
    /// HTTP Basic.
    Basic,
    /// A WS-Security UsernameToken with the password as text; for SOAP alone.
    UsernameToken,
}

names! {
    CredentialKind {
        "BASIC" Basic
        "USERNAME_TOKEN" UsernameToken
    }
}

/// A name and a password for a receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackCredential {
    /// How it is sent.
    pub kind: CredentialKind,
    /// Name.
    pub user_name: String,
    /// Password.
    pub password: Sealed,
}

impl fmt::Debug for CallbackCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackCredential")
            .field("kind", &self.kind)
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

/// What webhooks are signed with. After a change both secrets count for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSecret {
    /// The secret.
    pub current: Sealed,
    /// The one before, and until when it signs too.
    pub previous: Option<(Sealed, Timestamp)>,
}

/// An address, with everything below it, that External Systems of a domain may have events and answers sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAddress {
    /// Identifier.
    pub id: CallbackAddressId,
    /// Domain.
    pub tenant: String,
    /// Who may use it; every caller of the domain when absent.
    pub owner: Option<String>,
    /// Scheme, host, port and beginning of the path.
    pub url: CallbackUrl,
    /// What is posted.
    pub kind: CallbackKind,
    /// What for, in words of people.
    pub description: Option<String>,
    /// How the server says who it is.
    pub credential: Option<CallbackCredential>,
    /// What webhooks are signed with: present exactly for these.
    pub secret: Option<WebhookSecret>,
    /// Whether it may lead into a private network.
    pub allows_private: bool,
    /// Whether it is in use. Of one that is not, nothing is taken and nothing is sent.
    pub enabled: bool,
    /// Creation.
    pub created_at: Timestamp,
    /// Raised by one on each change.
    pub version: i64,
}

impl CallbackAddress {
    /// Whether `caller` may have something sent to `url` by it.
    #[must_use]
    pub fn admits(&self, caller: &str, url: &CallbackUrl) -> bool {
        self.enabled && self.owner.as_deref().is_none_or(|owner| owner == caller) && self.url.covers(url)
    }
}
