//! Background management only with the subscriber's consent, where the domain demands it.
//!
//! Source: DM WSI contract, section 3, "Opt-in".

use super::Broker;
use crate::device::Device;
use crate::fault::{Fault, FaultName};

impl Broker {
    /// Refuses an operation on `device` that asks nobody and that its subscriber has not consented to.
    ///
    /// # Errors
    /// `ConsentRequired`.
    pub(super) async fn consented(&self, device: &Device, opt_in: bool) -> Result<(), Fault> {
        if opt_in || !self.tenant(&device.tenant).await?.is_some_and(|tenant| tenant.settings.consent_demanded) {
            return Ok(());
        }
        // Only what the record says counts: a number given with the request may be that of somebody who has consented.
        let (subscriber, number) = (device.subscriber_id.clone(), device.phone_number.clone());
        if self.store.subscriber_consents(&device.tenant, subscriber, number).await? {
            return Ok(());
        }
        let text = "this domain demands consent, and the subscriber of the device has given none; \
                    set bOptin true to ask the user, or record the consent as the subscriber's optIn";
        let name = device.device_id.as_ref().map_or_else(|| device.oid.to_string(), ToString::to_string);
        Err(Fault::new(FaultName::ConsentRequired, text).with(name))
    }
}
