//! Notifications and the resynchronisation of a nonce, with the packages that independent programs made.

use muster_protocol::syncml::{Command, Encoding, StatusCode};
use serde_json::Value;

use super::script::{Script, account, get, profile};
use crate::account::{Account, AuthType, ServerSecret};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Initiation, Unfollowed, credential};

fn vectors() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/vectors/oma-dm-1/pkg0/package0.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The device that a vector is for; its nonce is another one if the vector is of a resynchronisation.
fn device(vector: &Value, behaviours: &[Behaviour]) -> Device {
    let inputs = &vector["inputs"];
    let server_id = inputs["server_id"].as_str().unwrap();
    let is_resync = vector["name"].as_str().unwrap().contains("resync");
    let nonce = if is_resync { b"lost".to_vec() } else { hex(&inputs["nonce_hex"]) };
    let server = ServerSecret::md5(server_id, inputs["password"].as_str().unwrap(), nonce);
    let account = Account { server_id: server_id.into(), server: Some(server), ..account() };
    Device::new(&profile(), account, Encoding::Xml, behaviours, 7)
}

fn named(name: &str) -> Value {
    vectors().into_iter().find(|it| it["name"] == name).unwrap()
}

#[test]
fn packages_of_independent_programs_are_followed_with_their_session_id() {
    let mut seen = 0;
    for vector in vectors() {
        let followed = device(&vector, &[]).notified(&hex(&vector["package0_hex"]));

        if vector["name"] == "p0-version-field-12" {
            assert_eq!(followed, Err(Unfollowed::Version { version: 12 }));
            let mut lenient = device(&vector, &[Behaviour::AnyNotificationVersion]);
            assert!(lenient.notified(&hex(&vector["package0_hex"])).is_ok());
            continue;
        }
        let session_id = vector["expected_package1_session_id"].as_str().unwrap().to_owned();
        assert_eq!(followed, Ok(Initiation::Server { session_id }), "{}", vector["name"]);
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn a_notification_is_followed_once() {
    let vector = named("p0-server-background");
    let mut device = device(&vector, &[]);
    let package = hex(&vector["package0_hex"]);
    assert!(device.notified(&package).is_ok());

    assert_eq!(device.notified(&package), Err(Unfollowed::Repeated));
}

#[test]
fn every_changed_octet_and_every_truncation_is_refused() {
    let vector = named("p0-informative-vendor-body");
    let package = hex(&vector["package0_hex"]);
    for at in 0..package.len() {
        let mut changed = package.clone();
        changed[at] ^= 1;
        assert!(device(&vector, &[]).notified(&changed).is_err(), "octet {at}");
        assert!(device(&vector, &[]).notified(&package[..at]).is_err(), "{at} octets");
    }
}

/// A package for the device of `p0-server-background`, with the digest under `name`.
fn package(session: u16, server_id: &str, name: &str) -> Vec<u8> {
    let inputs = &named("p0-server-background")["inputs"];
    let [high, low] = session.to_be_bytes();
    let length = u8::try_from(server_id.len()).unwrap();
    let trigger = [&[0x02, 0xD8, 0, 0, 0, high, low, length], server_id.as_bytes()].concat();
    let secret = inputs["password"].as_str().unwrap();
    let digest = credential::of_trigger(name, secret, &hex(&inputs["nonce_hex"]), &trigger);
    [digest.as_slice(), &trigger].concat()
}

#[test]
fn what_is_not_followed_is_told_by_its_reason() {
    let vector = named("p0-server-background");
    let followed = |octets: &[u8]| device(&vector, &[]).notified(octets);
    let id = vector["inputs"]["server_id"].as_str().unwrap();
    let good = package(0x00AF, id, id);

    assert_eq!(followed(&good), Ok(Initiation::Server { session_id: "AF".into() }));
    assert_eq!(followed(&package(0, id, id)), Err(Unfollowed::SessionId));
    assert_eq!(followed(&package(1, "other", "other")), Err(Unfollowed::OtherServer));
    assert_eq!(followed(&package(1, id, "other")), Err(Unfollowed::Digest));
    assert_eq!(followed(&good[..23]), Err(Unfollowed::TooShort { octets: 23 }));
    assert_eq!(followed(&good[..good.len() - 1]), Err(Unfollowed::TooShort { octets: good.len() - 1 }));
    // What follows the identifier is under the digest, too.
    assert_eq!(followed(&[good.as_slice(), b"more"].concat()), Err(Unfollowed::Digest));
}

#[test]
fn one_client_checks_the_digest_by_the_name_of_the_credential() {
    let vector = named("p0-server-background");
    let id = vector["inputs"]["server_id"].as_str().unwrap();
    let mut device = device(&vector, &[Behaviour::NotificationByName]);
    device.account.server.as_mut().unwrap().name = "srv".into();

    assert_eq!(device.notified(&package(1, id, id)), Err(Unfollowed::Digest));
    assert!(device.notified(&package(1, id, "srv")).is_ok());
}

#[test]
fn each_reading_of_the_resynchronisation_nonce_takes_its_own_only() {
    use crate::behaviour::ResyncReading::{Octets, Text};
    let octets = named("p0-nonce-resync-4-zero-octets");
    let text = named("p0-nonce-resync-ascii-0x00000000");
    let followed = |vector: &Value, reading| {
        device(vector, &[Behaviour::ResyncNonce(reading)]).notified(&hex(&vector["package0_hex"])).is_ok()
    };

    assert!(followed(&octets, Octets) && followed(&text, Text));
    assert!(!followed(&octets, Text) && !followed(&text, Octets));
}

#[test]
fn after_a_resynchronisation_both_sides_prove_themselves_with_the_special_nonce_and_get_new_ones() {
    for (name, nonce) in
        [("p0-nonce-resync-4-zero-octets", &[0; 4][..]), ("p0-nonce-resync-ascii-0x00000000", b"0x00000000")]
    {
        let vector = named(name);
        let mut device = device(&vector, &[]);
        let Ok(initiation) = device.notified(&hex(&vector["package0_hex"])) else { panic!("not followed") };
        let mut script = Script::of(device, &initiation);
        let cred = script.said.header.cred.clone().unwrap();
        assert_eq!(cred.data, credential::md5("dev-user", "dev-secret", nonce));
        assert_eq!(script.alerts(), ["1200"]);

        script.header.cred = credential::credential(AuthType::Md5, "dm.example.org", "srv-secret", nonce);
        let mut message = script.message(vec![get(&["./DevInfo/Man"])]);
        let chal = Some(credential::challenge(AuthType::Md5, b"next client nonce"));
        message.commands[0] = script.status_of_header(StatusCode::AUTHENTICATED, chal);
        script.deliver(&message);

        assert_eq!(script.of_header().code, StatusCode::AUTHENTICATED);
        assert_eq!(script.results().len(), 1);
        assert_eq!(script.device.account.client_nonce, Some(b"next client nonce".to_vec()));
        let given = script.of_header().chal.clone().unwrap().meta.next_nonce;
        assert_eq!(given, script.device.account.server.clone().map(|it| it.nonce));
    }
}

#[test]
fn a_stale_special_credential_is_made_again_with_the_nonce_of_the_challenge() {
    let vector = named("p0-nonce-resync-4-zero-octets");
    let mut device = device(&vector, &[]);
    let Ok(initiation) = device.notified(&hex(&vector["package0_hex"])) else { panic!("not followed") };
    let mut script = Script::of(device, &initiation);

    script.refuse(StatusCode::INVALID_CREDENTIALS, Some(credential::challenge(AuthType::Md5, b"fresh")));

    let cred = script.said.header.cred.clone().unwrap();
    assert_eq!(cred.data, credential::md5("dev-user", "dev-secret", b"fresh"));
}

#[test]
fn the_special_nonce_does_not_outlive_its_session() {
    let vector = named("p0-nonce-resync-4-zero-octets");
    let mut device = device(&vector, &[]);
    assert!(device.notified(&hex(&vector["package0_hex"])).is_ok());

    let package = device.start(&Initiation::Client);

    let Some(cred) = package.header.cred else { panic!("no credential") };
    assert_eq!(cred.data, credential::md5("dev-user", "dev-secret", b"first"));
    assert!(matches!(package.commands.first(), Some(Command::Alert(alert)) if alert.code == "1201"));
}

#[test]
fn lower_case_and_unchecked_notifications_are_those_of_some_handsets() {
    let vector = named("p0-informative-vendor-body");
    let mut package = hex(&vector["package0_hex"]);
    package[0] ^= 1;
    let mut device = device(&vector, &[Behaviour::NotificationsUnchecked, Behaviour::LowerCaseSessionId]);

    assert_eq!(device.notified(&package), Ok(Initiation::Server { session_id: "ffff".into() }));
}
