//! Who plays: the devices, and what each of them is to do.

use muster_broker::identity::DeviceId;
use muster_protocol::syncml::StatusCode;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::fleet::{DeviceSpec, FleetSpec, Mix};
use serde_json::{Value, json};

/// Node that the deployment writes on every device.
pub(super) const NODE: &str = "./Vendor/Example/Name";
/// What it writes.
pub(super) const VALUE: &str = "Managed by Muster";

/// Places in the fleet of those that do not behave well.
pub(super) const DECLINES: usize = 1;
pub(super) const OTHER_IMEI: usize = 2;
pub(super) const DROPS: usize = 3;
pub(super) const FAILS: usize = 4;
pub(super) const NEVER_CONNECTS: usize = 5;
pub(super) const WRONG_CREDENTIALS: usize = 6;

/// The fleet.
pub(super) struct Cast {
    pub(super) devices: Vec<DeviceSpec>,
    /// The identifier that device [`OTHER_IMEI`] answers with: another one of the same make (TAC).
    pub(super) other_device_id: String,
}

impl Cast {
    pub(super) fn new(devices: u64, seed: u64) -> Self {
        let good = FleetSpec { mix: Mix::Good, ..FleetSpec::new(devices, seed) };
        let other = same_make(&good.device(OTHER_IMEI as u64).imei);
        let behaviours = [
            (DECLINES, Behaviour::Declines),
            (OTHER_IMEI, Behaviour::OtherImei(other.clone())),
            (DROPS, Behaviour::DropsConnection { after_message: 2, times: 1 }),
            (FAILS, Behaviour::FailsWith { status: StatusCode::NOT_ALLOWED, path: NODE.to_owned() }),
            (NEVER_CONNECTS, Behaviour::NeverConnects),
            (WRONG_CREDENTIALS, Behaviour::WrongCredentials),
        ];
        let mix = Mix::Listed(behaviours.into_iter().map(|(at, it)| (at as u64, it)).collect());
        let fleet = FleetSpec { mix, ..good };
        let mut devices: Vec<DeviceSpec> = fleet.iter().collect();
        if let Some(device) = devices.get_mut(DROPS) {
            // With a first nonce it needs no challenge, so that its second message is always about a task: the
            // connection is lost there, when the server has sent its commands.
            device.client_nonce = Some(device.imei.as_bytes().to_vec());
        }
        Self { devices, other_device_id: format!("IMEI:{other}") }
    }

    /// Identifier of the device at a place, as its record has it.
    pub(super) fn device_id(&self, at: usize) -> String {
        self.devices.get(at).map(|device| format!("IMEI:{}", device.imei)).unwrap_or_default()
    }

    /// What the device at a place is known for.
    pub(super) fn part(at: usize) -> &'static str {
        match at {
            DECLINES => "its user declines",
            OTHER_IMEI => "answers with another IMEI",
            DROPS => "drops the connection once",
            FAILS => "refuses the node",
            NEVER_CONNECTS => "never connects",
            WRONG_CREDENTIALS => "has wrong credentials",
            _ => "behaves well",
        }
    }
}

/// Another IMEI with the same TAC and a serial number half the range away, where no device of the fleet is.
fn same_make(imei: &str) -> String {
    let changed: String = imei
        .chars()
        .take(14)
        .enumerate()
        .map(|(at, digit)| match (at, digit.to_digit(10)) {
            (8, Some(value)) => char::from_digit((value + 5) % 10, 10).unwrap_or(digit),
            _ => digit,
        })
        .collect();
    // 14 digits get their check digit when they are read.
    let whole = DeviceId::from_device(&changed).map(|id| id.to_string()).unwrap_or_default();
    whole.trim_start_matches("IMEI:").to_owned()
}

/// What importDeviceInstances takes to know a simulated device.
pub(crate) fn import_record(device: &DeviceSpec) -> Value {
    let mut account = json!({
        "authType": match device.auth {
            muster_simulator::account::AuthType::Basic => "BASIC",
            muster_simulator::account::AuthType::Md5 => "DIGEST",
            muster_simulator::account::AuthType::Hmac => "HMAC",
        },
        "clientName": device.client_name,
        "clientSecret": device.client_secret,
        "serverId": device.server_id,
    });
    if let Some(nonce) = &device.client_nonce {
        account["clientNonce"] = json!(base64(nonce));
    }
    if let Some(server) = &device.server {
        account["serverName"] = json!(server.name);
        account["serverSecret"] = json!(server.secret);
        account["serverNonce"] = json!(base64(&server.nonce));
    }
    json!({
        "deviceID": format!("IMEI:{}", device.imei),
        "phoneNumber": device.msisdn,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "dmAccount": account,
    })
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_imei_is_another_device_of_the_same_make() {
        let cast = Cast::new(8, 3);
        let (own, other) = (cast.device_id(OTHER_IMEI), cast.other_device_id.clone());
        assert_ne!(own, other);
        let tac = |id: &str| DeviceId::from_caller(id).ok().and_then(|id| id.tac().map(str::to_owned));
        assert!(tac(&own).is_some());
        assert_eq!(tac(&own), tac(&other));
    }
}
