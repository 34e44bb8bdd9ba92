use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::time::Timestamp;

/// A management domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Unique; never changed.
    pub name: String,
    /// Longer name for people.
    pub display_name: Option<String>,
    /// Whether its principals are let in.
    pub status: TenantStatus,
    /// What is set for the domain.
    pub settings: TenantSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// 1 for a new one, raised by one on each change.
    pub version: i64,
}

/// Whether a tenant takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TenantStatus {
    /// It does.
    #[default]
    Active,
    /// None of its principals is let in. Its devices and jobs go on.
    Suspended,
}

names! {
    TenantStatus {
        "ACTIVE" Active
        "SUSPENDED" Suspended
    }
}

/// What is set for a domain. What is not said is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantSettings {
    /// Whether background management needs the consent of the subscriber.
    pub consent_demanded: bool,
    /// Private networks, as address/length, that callbacks may go to.
    pub callback_networks: Vec<String>,
}

impl Tenant {
    /// An active domain with nothing set.
    #[must_use]
    pub fn new(name: &str, created_at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            display_name: None,
            status: TenantStatus::Active,
            settings: TenantSettings::default(),
            created_at,
            version: 1,
        }
    }

    /// Whether its principals are let in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }
}
