use std::net::IpAddr;

use uuid::Uuid;

use crate::access::{Caller, Origin};
use crate::time::Timestamp;

/// Who does something, from where, by which operation, and when: what every writing method of the store is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Name of the External System or person; [`Deed::SERVER`] and [`Deed::DEVICE`] for what nobody asked for.
    pub actor: String,
    /// Domain in which it is done.
    pub tenant: String,
    /// Where it came in: `SOAP`, `REST`, `LOCAL` (a command on this machine), `DEVICE` or `SERVER`.
    pub face: &'static str,
    /// How the actor proved who it is, for example `PASSWORD`; empty where nobody had to.
    pub way: &'static str,
    /// Address it came from, where it came over a network.
    pub peer: Option<IpAddr>,
    /// Leads to the log, and joins what one request did.
    pub correlation: Option<Uuid>,
    /// Operation of the contract, or a word of ours for what nobody asked for, for example `expire`.
    pub operation: &'static str,
    /// When.
    pub at: Timestamp,
    /// How much of it the log tells.
    pub telling: Telling,
}

/// How much the log tells of a deed that writes many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// An entry for each record, with what was before and after.
    Each,
    /// One entry with how many records were made, and one for each that was changed: for imports of millions, whose file
    /// is the evidence of what the new ones say.
    Together,
}

impl Deed {
    /// Actor and face of what the server does by itself.
    pub const SERVER: &str = "server";
    /// Actor of what a device changes.
    pub const DEVICE: &str = "device";

    /// What a caller does in the domain it works in.
    #[must_use]
    pub fn of(caller: &Caller, operation: &'static str, at: Timestamp) -> Self {
        Self::from(caller.origin, &caller.name, &caller.tenant, operation, at)
    }

    /// What somebody does whose request came from `origin`.
    #[must_use]
    pub fn from(origin: Origin, actor: &str, tenant: &str, operation: &'static str, at: Timestamp) -> Self {
        Self {
            actor: actor.to_owned(),
            tenant: tenant.to_owned(),
            face: origin.face.as_str(),
            way: origin.way.as_str(),
            peer: origin.peer,
            correlation: (!origin.correlation.is_nil()).then_some(origin.correlation),
            operation,
            at,
            telling: Telling::Each,
        }
    }

    /// What the server does by itself.
    #[must_use]
    pub fn of_server(tenant: &str, operation: &'static str, at: Timestamp) -> Self {
        Self::of_nobody(Self::SERVER, "SERVER", tenant, operation, at)
    }

    /// What a device changes when it is in contact.
    #[must_use]
    pub fn of_device(tenant: &str, operation: &'static str, at: Timestamp) -> Self {
        Self::of_nobody(Self::DEVICE, "DEVICE", tenant, operation, at)
    }

    /// What is done by a command on the machine of the server, without a caller.
    #[must_use]
    pub fn local(tenant: &str, operation: &'static str, at: Timestamp) -> Self {
        Self::of_nobody("operator", "LOCAL", tenant, operation, at)
    }

    fn of_nobody(actor: &str, face: &'static str, tenant: &str, operation: &'static str, at: Timestamp) -> Self {
        Self {
            actor: actor.to_owned(),
            tenant: tenant.to_owned(),
            face,
            way: "",
            peer: None,
            correlation: None,
            operation,
            at,
            telling: Telling::Each,
        }
    }

    /// The same deed, told in one entry however many records it makes.
    #[must_use]
    pub fn told_together(mut self) -> Self {
        self.telling = Telling::Together;
        self
    }

    /// The same deed as it shows in another domain.
    #[must_use]
    pub fn within(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.tenant);
        self
    }
}
