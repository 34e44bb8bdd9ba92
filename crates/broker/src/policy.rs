//! acceptDevicePolicy: what to do when the device that answers is not the expected one.

use serde::{Deserialize, Serialize};

use crate::identity::DeviceId;

/// The policies this server carries out. 40, which asks the carrier by a call back, is refused before it gets here.
///
/// Source: DM WSI contract, section 3, "acceptDevicePolicy".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub enum AcceptDevicePolicy {
    /// 10: the expected device, or any with an IMEI of the same TAC.
    SameTac,
    /// 20: the expected device; any, if none is expected.
    AnyIfNoneExpected,
    /// 30: any device.
    Any,
}

/// A number that is no policy of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPolicy {
    /// 40.
    #[error("policy 40 needs a carrier call back, which this server does not have; use 10, 20 or 30")]
    CarrierCallback,
    /// Anything else.
    #[error("acceptDevicePolicy is 10, 20 or 30")]
    Unknown,
}

impl AcceptDevicePolicy {
    /// Whether a task that expects `expected` may run on the device that answered as `answered`.
    #[must_use]
    pub fn admits(self, expected: Option<&DeviceId>, answered: &DeviceId) -> bool {
        match self {
            Self::SameTac => expected.is_some_and(|expected| {
                expected == answered || expected.tac().is_some_and(|tac| answered.tac() == Some(tac))
            }),
            Self::AnyIfNoneExpected => expected.is_none_or(|expected| expected == answered),
            Self::Any => true,
        }
    }
}

impl TryFrom<i32> for AcceptDevicePolicy {
    type Error = NotAPolicy;

    fn try_from(number: i32) -> Result<Self, NotAPolicy> {
        match number {
            10 => Ok(Self::SameTac),
            20 => Ok(Self::AnyIfNoneExpected),
            30 => Ok(Self::Any),
            40 => Err(NotAPolicy::CarrierCallback),
            _ => Err(NotAPolicy::Unknown),
        }
    }
}

impl From<AcceptDevicePolicy> for i32 {
    fn from(policy: AcceptDevicePolicy) -> i32 {
        match policy {
            AcceptDevicePolicy::SameTac => 10,
            AcceptDevicePolicy::AnyIfNoneExpected => 20,
            AcceptDevicePolicy::Any => 30,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn id(text: &str) -> DeviceId {
        DeviceId::from_device(text).unwrap()
    }

    #[test]
    fn each_policy_admits_what_the_contract_says() {
        let expected = id("IMEI:490154203237518");
        let same_tac = id("IMEI:490154203237526");
        let other_tac = id("IMEI:356938035643809");
        let no_imei = id("MEID:A1000012345678");
        assert_eq!(same_tac.tac(), expected.tac());
        // policy, expected, answered, admitted
        let rows = [
            (AcceptDevicePolicy::SameTac, Some(&expected), &expected, true),
            (AcceptDevicePolicy::SameTac, Some(&expected), &same_tac, true),
            (AcceptDevicePolicy::SameTac, Some(&expected), &other_tac, false),
            (AcceptDevicePolicy::SameTac, Some(&expected), &no_imei, false),
            (AcceptDevicePolicy::SameTac, Some(&no_imei), &no_imei, true),
            (AcceptDevicePolicy::SameTac, None, &expected, false),
            (AcceptDevicePolicy::AnyIfNoneExpected, Some(&expected), &expected, true),
            (AcceptDevicePolicy::AnyIfNoneExpected, Some(&expected), &same_tac, false),
            (AcceptDevicePolicy::AnyIfNoneExpected, None, &other_tac, true),
            (AcceptDevicePolicy::Any, Some(&expected), &no_imei, true),
            (AcceptDevicePolicy::Any, None, &no_imei, true),
        ];
        for (policy, expected, answered, admitted) in rows {
            assert_eq!(policy.admits(expected, answered), admitted, "{policy:?} {expected:?} {answered}");
        }
    }

    #[test]
    fn forty_is_known_and_refused() {
        assert_eq!(AcceptDevicePolicy::try_from(40), Err(NotAPolicy::CarrierCallback));
        assert_eq!(AcceptDevicePolicy::try_from(15), Err(NotAPolicy::Unknown));
    }
}
