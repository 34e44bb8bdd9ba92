//! Subscribers: who the devices belong to, and whether they have consented to background management.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultName};
use crate::identity::{DeviceId, Msisdn};

/// Most devices of one subscriber: its record lists them, and deleting it leaves all of them unassigned at once.
pub const DEVICES_MAX: usize = 1000;

/// A subscriber record as kept. Which devices it has is said by the device records alone.
///
/// Source: DM WSI contract, section 6, `Subscriber`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Identifier, unique within the domain.
    pub id: String,
    /// Domain.
    pub tenant: String,
    /// MSISDN; of one subscriber of the domain only, because a subscriber is found by it.
    pub phone_number: Option<Msisdn>,
    /// IMSI, 6 to 15 digits.
    pub imsi: Option<String>,
    /// Reference in the operator's systems; may stand in several records.
    pub account_reference: Option<String>,
    /// Standing consent to background management.
    pub opt_in: bool,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// 1 for a new record, raised by one on each change of the record itself; devices that come and go do not count.
    pub version: i64,
}

/// A subscriber with the devices that are assigned to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberView {
    /// The record.
    pub subscriber: Subscriber,
    /// Identifiers of its devices, in order; a device record without one is not named.
    pub devices: Vec<DeviceId>,
}

impl Subscriber {
    /// The record that this one becomes when a caller replaces it by `given`. The version is not raised. A consent left
    /// out stays as it is: it is neither given nor withdrawn by saying nothing.
    #[must_use]
    pub fn replaced_by(&self, given: &crate::store::SubscriberGiven) -> Self {
        Self {
            id: self.id.clone(),
            tenant: self.tenant.clone(),
            opt_in: given.opt_in.unwrap_or(self.opt_in),
            version: self.version,
            ..given.subscriber.clone()
        }
    }
}

/// The fault for a subscriber that is not there, or not in the caller's domain.
#[must_use]
pub fn unknown(id: &str) -> Fault {
    Fault::new(FaultName::UnknownSubscriber, "there is no such subscriber; create it, or leave subscriberId out")
        .with(id.escape_debug())
}

/// The fault for one device more than a subscriber may have.
#[must_use]
pub fn too_many_devices() -> Fault {
    let text = format!("a subscriber may have {DEVICES_MAX} devices; unassign some, or use several subscribers");
    Fault::new(FaultName::QuotaExceeded, text).with("devices of a subscriber").with(DEVICES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SubscriberGiven;

    #[test]
    fn a_consent_left_out_of_a_replacement_stays() {
        let stored = Subscriber {
            id: "s".into(),
            tenant: "t".into(),
            phone_number: None,
            imsi: None,
            account_reference: Some("a".into()),
            opt_in: true,
            attribute: Vec::new(),
            version: 3,
        };
        let given = |opt_in| SubscriberGiven {
            subscriber: Subscriber { account_reference: None, opt_in: false, version: 1, ..stored.clone() },
            opt_in,
            version: None,
        };
        let next = stored.replaced_by(&given(None));
        assert_eq!((next.opt_in, next.account_reference.clone(), next.version), (true, None, 3));
        assert!(!stored.replaced_by(&given(Some(false))).opt_in);
    }
}
