//! Who the devices of a fleet are. Everything about a device follows from the seed and its index, so that any one of
//! a million can be made without the others.

use muster_protocol::syncml::{Encoding, StatusCode};
use serde::{Deserialize, Serialize};

use crate::account::{Account, AuthType, ServerSecret};
use crate::behaviour::{Behaviour, Persona};
use crate::dm1::Device;
use crate::http::{HttpDevice, HttpOptions};
use crate::tree::Profile;

/// A model of the fleet. IMEIs begin with 00, the reporting body identifier of test devices.
struct Model {
    manufacturer: &'static str,
    model: &'static str,
    device_type: &'static str,
    firmware: [&'static str; 3],
}

const MODELS: [Model; 5] = [
    Model { manufacturer: "Example", model: "One", device_type: "phone", firmware: ["1.0.2", "1.1.0", "1.2.0"] },
    Model { manufacturer: "Example", model: "One Plus", device_type: "phone", firmware: ["2.0", "2.1", "2.2"] },
    Model { manufacturer: "Nordlicht", model: "N7", device_type: "phone", firmware: ["7.10", "7.11", "7.12"] },
    Model { manufacturer: "Nordlicht", model: "Tab 9", device_type: "tablet", firmware: ["9.0", "9.1", "9.2"] },
    Model { manufacturer: "Acme", model: "Gateway 4", device_type: "router", firmware: ["4.0", "4.0.1", "4.1"] },
];

/// Serial numbers within one type allocation code.
const SERIALS: u64 = 1_000_000;
/// Type allocation codes of the fleet, from [`TAC_FIRST`]: room for 100 million devices.
const TACS: u64 = 100;
const TAC_FIRST: u64 = 104_400;
/// Allocation code of the IMEIs that ill-behaved devices claim; no device of a fleet has it.
const TAC_OTHER: u64 = 109_999;
/// Subscriber numbers below country code 999, which is not assigned.
const SUBSCRIBERS: u64 = 1_000_000_000;

/// Which devices misbehave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    /// None.
    #[default]
    Good,
    /// For fleets of 8 and more: device 1 declines every question; 2 claims to have another IMEI; 3 loses its
    /// connection once, after its second message; 4 answers commands on `./Vendor/Example/Name` with 500; 5 never
    /// connects; 6 has a wrong secret. All others, and smaller fleets, behave well.
    Demo,
    /// As listed: index of the device, and what it does. A device may be listed more than once.
    Listed(Vec<(u64, Behaviour)>),
}

impl Mix {
    /// The smallest fleet in which [`Mix::Demo`] has ill-behaved devices.
    pub const DEMO_DEVICES_MIN: u64 = 8;
}

/// A fleet, in few words. The same words give the same fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetSpec {
    /// How many.
    pub devices: u64,
    /// Decides identities, secrets and nonces.
    pub seed: u64,
    /// How many of a hundred devices speak XML; the others speak WBXML.
    pub xml_percent: u8,
    /// `ServerID` in every account.
    pub server_id: String,
    /// Whether devices make the server prove who it is.
    pub server_proves_itself: bool,
    /// What all devices are like.
    pub persona: Persona,
    /// Who misbehaves.
    pub mix: Mix,
}

impl FleetSpec {
    /// A fleet that half speaks XML and half WBXML, that makes the server prove who it is, with the demonstration's
    /// mix of behaviours.
    #[must_use]
    pub fn new(devices: u64, seed: u64) -> Self {
        Self {
            devices,
            seed,
            xml_percent: 50,
            server_id: "muster".to_owned(),
            server_proves_itself: true,
            persona: Persona::Plain,
            mix: Mix::Demo,
        }
    }

    /// Every device, one by one.
    pub fn iter(&self) -> impl Iterator<Item = DeviceSpec> + '_ {
        (0..self.devices).map(|index| self.device(index))
    }

    /// The device of an index. Does not look at the others, nor at how many there are but for [`Mix::Demo`].
    #[must_use]
    pub fn device(&self, index: u64) -> DeviceSpec {
        let mut random = fastrand::Rng::with_seed(mixed(self.seed, index));
        let imei = imei(TAC_FIRST + index / SERIALS % TACS, self.offset(1, SERIALS).wrapping_add(index));
        let subscriber = self.offset(2, SUBSCRIBERS).wrapping_add(index) % SUBSCRIBERS;
        let model = &MODELS[random.usize(..MODELS.len())];
        let language = ["en-GB", "de-DE", "fr-FR", "es-ES"][random.usize(..4)];
        let firmware = model.firmware[random.usize(..model.firmware.len())];
        let mut secret = || std::iter::repeat_with(|| random.alphanumeric()).take(20).collect::<String>();
        let (client_secret, server_secret) = (secret(), secret());
        let server_nonce: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(16).collect();
        DeviceSpec {
            index,
            msisdn: format!("+999{subscriber:09}"),
            manufacturer: model.manufacturer.to_owned(),
            model: model.model.to_owned(),
            device_type: model.device_type.to_owned(),
            firmware: firmware.to_owned(),
            language: language.to_owned(),
            encoding: if self.speaks_xml(index) { Encoding::Xml } else { Encoding::Wbxml },
            auth: AuthType::Md5,
            server_id: self.server_id.clone(),
            client_name: format!("dev-{imei}"),
            client_secret,
            client_nonce: None,
            server: self
                .server_proves_itself
                .then(|| ServerSecret::md5(self.server_id.as_str(), server_secret, server_nonce)),
            behaviours: [self.persona.behaviours(), self.misbehaviours(index)].concat(),
            seed: random.u64(..),
            imei,
        }
    }

    fn misbehaviours(&self, index: u64) -> Vec<Behaviour> {
        let one = match (&self.mix, index) {
            (Mix::Listed(list), _) => {
                return list.iter().filter(|(at, _)| *at == index).map(|(_, it)| it.clone()).collect();
            }
            (Mix::Good, _) => return Vec::new(),
            (Mix::Demo, _) if self.devices < Mix::DEMO_DEVICES_MIN => return Vec::new(),
            (Mix::Demo, 1) => Behaviour::Declines,
            (Mix::Demo, 2) => Behaviour::OtherImei(imei(TAC_OTHER, self.offset(3, SERIALS))),
            (Mix::Demo, 3) => Behaviour::DropsConnection { after_message: 2, times: 1 },
            (Mix::Demo, 4) => {
                Behaviour::FailsWith { status: StatusCode::COMMAND_FAILED, path: "./Vendor/Example/Name".to_owned() }
            }
            (Mix::Demo, 5) => Behaviour::NeverConnects,
            (Mix::Demo, 6) => Behaviour::WrongCredentials,
            (Mix::Demo, _) => return Vec::new(),
        };
        vec![one]
    }

    /// Spreads the XML devices evenly, so that any run of a hundred indices has its share.
    fn speaks_xml(&self, index: u64) -> bool {
        let share = u64::from(self.xml_percent.min(100));
        let at = index % 100;
        (at + 1) * share / 100 > at * share / 100
    }

    fn offset(&self, purpose: u64, below: u64) -> u64 {
        mixed(self.seed, u64::MAX - purpose) % below
    }
}

/// Everything about one device: what an importer needs to make it known to the server, and what is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSpec {
    /// Place in the fleet, from 0.
    pub index: u64,
    /// 15 digits, the last one the check digit.
    pub imei: String,
    /// E.164 with the plus sign.
    pub msisdn: String,
    /// `./DevInfo/Man`.
    pub manufacturer: String,
    /// `./DevInfo/Mod`.
    pub model: String,
    /// `./DevDetail/DevTyp`.
    pub device_type: String,
    /// `./DevDetail/FwV`.
    pub firmware: String,
    /// `./DevInfo/Lang`.
    pub language: String,
    /// How it speaks.
    pub encoding: Encoding,
    /// Scheme it uses unasked.
    pub auth: AuthType,
    /// `ServerID` of its account.
    pub server_id: String,
    /// Name in its credential.
    pub client_name: String,
    /// Secret in its credential, as the server is to know it.
    pub client_secret: String,
    /// First nonce for its credential; without one it waits to be challenged.
    pub client_nonce: Option<Vec<u8>>,
    /// What the server's credential must be made with.
    pub server: Option<ServerSecret>,
    /// What is wrong with it; nothing for a good device.
    pub behaviours: Vec<Behaviour>,
    /// Decides its nonces and session ids.
    pub seed: u64,
}

impl DeviceSpec {
    /// The device, without a connection.
    #[must_use]
    pub fn device(&self, server_url: &str) -> Device {
        let profile = Profile {
            dev_id: format!("IMEI:{}", self.imei),
            manufacturer: self.manufacturer.clone(),
            model: self.model.clone(),
            device_type: self.device_type.clone(),
            firmware: self.firmware.clone(),
            software: self.firmware.clone(),
            hardware: "A".to_owned(),
            language: self.language.clone(),
        };
        let account = Account {
            server_url: server_url.to_owned(),
            server_id: self.server_id.clone(),
            auth: self.auth,
            weakest: self.auth,
            client_name: self.client_name.clone(),
            client_secret: self.client_secret.clone(),
            client_nonce: self.client_nonce.clone(),
            server: self.server.clone(),
        };
        Device::new(&profile, account, self.encoding, &self.behaviours, self.seed)
    }

    /// The device with its connection; reports call it by its IMEI.
    #[must_use]
    pub fn connected(&self, server_url: &str, options: HttpOptions) -> HttpDevice {
        HttpDevice::new(&self.imei, self.device(server_url), &self.behaviours, options)
    }
}

/// Type allocation code, serial number and check digit.
///
/// Source: 3GPP TS 23.003, sections 6.2.1 and B.
fn imei(tac: u64, serial: u64) -> String {
    let body = format!("{tac:08}{:06}", serial % SERIALS);
    let sum: u32 = body
        .bytes()
        .map(|digit| u32::from(digit - b'0'))
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// One number out of two, so that neighbours have nothing in common.
///
/// Source: the finaliser of SplitMix64.
fn mixed(seed: u64, index: u64) -> u64 {
    let mut x = seed ^ index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn check_digits_are_those_of_published_imeis() {
        assert_eq!(imei(49_015_420, 323_751), "490154203237518");
        assert_eq!(imei(35_693_803, 564_380), "356938035643809");
    }

    #[test]
    fn the_same_seed_gives_the_same_fleet_and_another_seed_another() {
        let fleet: Vec<DeviceSpec> = FleetSpec::new(50, 1).iter().collect();

        assert_eq!(FleetSpec::new(50, 1).iter().collect::<Vec<_>>(), fleet);
        let other = FleetSpec::new(50, 2).device(0);
        assert_ne!((&other.imei, &other.client_secret), (&fleet[0].imei, &fleet[0].client_secret));
    }

    #[test]
    fn a_device_does_not_depend_on_how_many_there_are() {
        assert_eq!(FleetSpec::new(10, 1).device(9), FleetSpec::new(1_000_000, 1).device(9));
    }

    #[test]
    fn names_and_secrets_are_unique_across_type_allocation_codes() {
        let fleet = FleetSpec::new(3_000_000, 5);
        let devices: Vec<DeviceSpec> = (0..300).map(|at| fleet.device(at * 10_000 + 7)).collect();

        let fields: [fn(&DeviceSpec) -> &String; 3] = [|it| &it.imei, |it| &it.msisdn, |it| &it.client_secret];
        for field in fields {
            assert_eq!(devices.iter().map(field).collect::<HashSet<_>>().len(), devices.len());
        }
    }

    #[test]
    fn half_the_fleet_speaks_xml() {
        let xml = FleetSpec::new(200, 1).iter().filter(|it| it.encoding == Encoding::Xml).count();

        assert_eq!(xml, 100);
        let all = FleetSpec { xml_percent: 100, ..FleetSpec::new(10, 1) };
        assert!(all.iter().all(|it| it.encoding == Encoding::Xml));
    }

    #[test]
    fn the_demonstration_has_one_of_each_fault_and_small_fleets_none() {
        let faults: Vec<Behaviour> = FleetSpec::new(8, 1).iter().flat_map(|it| it.behaviours).collect();

        assert_eq!(faults.len(), 6);
        assert!(matches!(&faults[1], Behaviour::OtherImei(imei) if imei.len() == 15));
        assert!(FleetSpec::new(7, 1).iter().all(|it| it.behaviours.is_empty()));
    }

    #[test]
    fn a_persona_is_that_of_every_device_and_leaves_the_mix_as_it_is() {
        let fleet = FleetSpec { persona: Persona::Samsung, ..FleetSpec::new(8, 1) };
        let special = Persona::Samsung.behaviours();

        assert!(fleet.iter().all(|it| it.behaviours.starts_with(&special)));
        assert_eq!(fleet.device(1).behaviours.last(), Some(&Behaviour::Declines));
    }

    #[test]
    fn a_spec_survives_json() {
        for device in FleetSpec::new(8, 3).iter() {
            let json = serde_json::to_string(&device).expect("a spec has only plain fields");
            let read: DeviceSpec = serde_json::from_str(&json).expect("what was written can be read");
            assert_eq!(read, device);
        }
    }
}
