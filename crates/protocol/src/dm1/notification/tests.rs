//! Golden notifications, and what is not one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::push::sms::{Assembly, Joined, Part, Ports, Reference, UserData, user_data};
use crate::push::wsp::{NOTIFICATION_HEADERS_BYTES_MAX, Push, PushHeader};

/// One golden notification with everything it was made of.
struct Golden {
    name: String,
    notification: Notification,
    secret: String,
    nonce: Vec<u8>,
    vector: Value,
}

impl Golden {
    fn all() -> Vec<Self> {
        let vectors = include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors.len(), 8);
        vectors.into_iter().map(Self::of).collect()
    }

    fn of(vector: Value) -> Self {
        let inputs = &vector["inputs"];
        let text = |name: &str| inputs[name].as_str().unwrap();
        let bits = |name: &str| inputs[name].as_u64().unwrap();
        let version = Version::new(u16::try_from(bits("version_field")).unwrap()).unwrap();
        let form = Form { version, ..Form::default() };
        let session_id = SessionId::new(u16::from_str_radix(text("session_id_hex"), 16).unwrap()).unwrap();
        let server_id = ServerIdentifier::new(text("server_id")).unwrap();
        let notification = Notification {
            ui_mode: UiMode::of_bits(bits("ui_mode")),
            initiator: Initiator::of_bit(bits("initiator")),
            body: octets(text("vendor_body_hex")),
            ..Notification::new(&form, session_id, server_id)
        };
        Self {
            name: vector["name"].as_str().unwrap().to_owned(),
            notification,
            secret: text("password").to_owned(),
            nonce: octets(text("nonce_hex")),
            vector,
        }
    }

    fn octets(&self, name: &str) -> Vec<u8> {
        octets(self.vector[name].as_str().unwrap())
    }

    fn key(&self) -> ServerKey<'_> {
        ServerKey { account_name: "srv-user", secret: &self.secret }
    }

    fn sealed(&self) -> Vec<u8> {
        self.notification.seal(&Form::default(), &self.key(), Nonce::Stored(&self.nonce))
    }
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn golden_notifications_are_built_octet_for_octet() {
    for golden in Golden::all() {
        assert_eq!(golden.notification.trigger(), golden.octets("trigger_hex"), "{}", golden.name);
        assert_eq!(golden.sealed(), golden.octets("package0_hex"), "{}", golden.name);
        let push = PushHeader::NOTIFICATION.wrap(1, &golden.sealed());
        assert_eq!(push, golden.octets("wsp_push_pdu_hex"), "{}", golden.name);
        let messages = user_data(&push, Ports::PUSH, Reference::Short(0x2A)).unwrap();
        let expected: Vec<Vec<u8>> = match golden.vector["sms_segments_hex"].as_array() {
            Some(segments) => segments.iter().map(|it| octets(it.as_str().unwrap())).collect(),
            None => vec![golden.octets("sms_user_data_hex")],
        };
        assert_eq!(messages, expected, "{}", golden.name);
        let expected = golden.vector["expected_package1_session_id"].as_str().unwrap();
        assert_eq!(golden.notification.session_id.to_string(), expected, "{}", golden.name);
        assert!(golden.notification.session_id.is(expected));
    }
}

#[test]
fn golden_notifications_are_read_from_short_messages_and_verified() {
    for golden in Golden::all() {
        let messages = match golden.vector["sms_segments_hex"].as_array() {
            Some(segments) => segments.iter().rev().map(|it| octets(it.as_str().unwrap())).collect(),
            None => vec![golden.octets("sms_user_data_hex")],
        };
        let mut assembly = Assembly::default();
        let mut whole = None;
        for message in &messages {
            let data = UserData::read(message).unwrap();
            assert_eq!(data.ports, Some(Ports::PUSH));
            if let Joined::Whole(octets) = assembly.take("", &data).unwrap() {
                whole = Some(octets);
            }
        }
        let whole = whole.unwrap();
        let push = Push::read(&whole).unwrap();
        assert_eq!(push.content_type.name(), "application/vnd.syncml.notification");
        assert_eq!(push.application(), Some(7));
        let sealed = Sealed::read(push.body).unwrap();
        assert_eq!(sealed.notification, golden.notification, "{}", golden.name);
        assert_eq!(sealed.digest.to_vec(), golden.octets("digest_hex"), "{}", golden.name);
        let used = sealed.check(&Form::default(), &golden.key(), &golden.nonce);
        assert_eq!(used, Some(NonceUsed::Stored), "{}", golden.name);
    }
}

#[test]
fn the_nonce_that_begins_a_new_series_is_told_in_both_readings() {
    let named = |name: &str| Golden::all().into_iter().find(|it| it.name == name).unwrap();
    for (name, reading) in [
        ("p0-nonce-resync-4-zero-octets", ResyncNonce::FourZeroOctets),
        ("p0-nonce-resync-ascii-0x00000000", ResyncNonce::Ascii),
    ] {
        let golden = named(name);
        let form = Form { resync_nonce: reading, ..Form::default() };
        let made = golden.notification.seal(&form, &golden.key(), Nonce::Resync);
        assert_eq!(made, golden.octets("package0_hex"));
        let used = Sealed::read(&made).unwrap().check(&Form::default(), &golden.key(), b"another nonce");
        assert_eq!(used, Some(NonceUsed::Resync(reading)));
    }
}

#[test]
fn a_wrong_secret_nonce_name_or_octet_does_not_verify() {
    let golden = Golden::all().remove(0);
    let made = golden.sealed();
    let sealed = Sealed::read(&made).unwrap();
    let form = Form::default();
    assert_eq!(sealed.check(&form, &ServerKey { secret: "no", ..golden.key() }, &golden.nonce), None);
    assert_eq!(sealed.check(&form, &golden.key(), b"no"), None);
    let by_account = Form { digest_name: DigestName::AccountName, ..form };
    assert_eq!(sealed.check(&by_account, &golden.key(), &golden.nonce), None);
    let made_so = golden.notification.seal(&by_account, &golden.key(), Nonce::Stored(&golden.nonce));
    let sealed = Sealed::read(&made_so).unwrap();
    assert_eq!(sealed.check(&by_account, &golden.key(), &golden.nonce), Some(NonceUsed::Stored));
    for at in 0..made.len() {
        let mut changed = made.clone();
        changed[at] ^= 0x04;
        let verified = Sealed::read(&changed).is_ok_and(|it| it.check(&form, &golden.key(), &golden.nonce).is_some());
        assert!(!verified, "octet {at}");
    }
}

#[test]
fn notifications_cut_anywhere_say_what_is_not_whole() {
    let made = Golden::all().remove(0).sealed();
    for length in 0..made.len() {
        let field = match length {
            0..16 => "the digest",
            16..24 => "the header",
            _ => "the server identifier",
        };
        let expected = Err(NotificationError::Truncated { at: length, field });
        assert_eq!(Sealed::read(&made[..length]).map(|_| ()), expected);
    }
}

#[test]
fn fields_that_cannot_be_are_refused_with_their_place() {
    let made = Golden::all().remove(0).sealed();
    let with = |at: usize, value: &[u8]| {
        let mut changed = made.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        Sealed::read(&changed).map(|_| ())
    };
    assert_eq!(with(21, &[0, 0]), Err(NotificationError::SessionId { at: 21 }));
    assert_eq!(with(23, &[0]), Err(NotificationError::ServerId { at: 24 }));
    assert_eq!(with(23, &[15]), Err(NotificationError::Truncated { at: 38, field: "the server identifier" }));
    assert_eq!(with(26, &[0x07]), Err(NotificationError::ServerId { at: 26 }));
    assert_eq!(with(26, &[0xFF]), Err(NotificationError::ServerId { at: 26 }));
    let long = vec![b'x'; PACKAGE_0_BYTES_MAX + 1];
    assert_eq!(Sealed::read(&long).map(|_| ()), Err(NotificationError::TooLong { octets: long.len() }));
    assert_eq!(Version::new(1024), Err(NotificationError::Version { version: 1024 }));
    assert_eq!(SessionId::new(0), None);
    assert!(ServerIdentifier::new(&"x".repeat(256)).is_err());
    assert!(ServerIdentifier::new("é").is_err());
    // A shorter length makes the rest a vendor's body: that is well formed, and the digest does not match.
    assert_eq!(with(23, &[13]), Ok(()));
}

#[test]
fn headers_of_a_notification_stay_within_the_bound_of_the_specification() {
    let push = PushHeader::NOTIFICATION.wrap(1, &[]);
    for message in user_data(&[0; 300], Ports::PUSH, Reference::Long(7)).unwrap() {
        let data = UserData::read(&message).unwrap();
        assert!(data.payload_at + push.len() <= NOTIFICATION_HEADERS_BYTES_MAX);
        assert!(matches!(data.part, Some(Part { reference: Reference::Long(7), total: 3, .. })));
    }
}

#[test]
fn session_identifiers_are_compared_as_numbers() {
    let id = SessionId::new(0x0A1F).unwrap();
    assert_eq!(id.to_string(), "A1F");
    for text in ["A1F", "a1f", "0A1F", " 0a1f "] {
        assert!(id.is(text), "{text}");
    }
    for text in ["A1", "+A1F", "-A1F", "A1FG", "", "1A1F", "00000A1F0"] {
        assert!(!id.is(text), "{text}");
    }
}

#[test]
fn the_form_of_a_device_profile_is_data() {
    let form: Form = serde_json::from_str("{}").unwrap();
    assert_eq!(form, Form::default());
    let text = r#"{"version":12,"digest_name":"account_name","resync_nonce":"ascii"}"#;
    let form: Form = serde_json::from_str(text).unwrap();
    assert_eq!(form.version.to_string(), "1.2");
    assert_eq!((form.digest_name, form.resync_nonce), (DigestName::AccountName, ResyncNonce::Ascii));
    assert_eq!(serde_json::to_string(&form).unwrap(), text);
    assert!(serde_json::from_str::<Form>(r#"{"version":1024}"#).is_err());
    assert!(serde_json::from_str::<Form>(r#"{"nonce":"ascii"}"#).is_err());
}

#[test]
fn base64_of_vendors_is_read_with_and_without_padding() {
    let made = Golden::all().remove(0).sealed();
    let text = to_base64(&made);
    assert_eq!(from_base64(&text), Ok(made.clone()));
    assert_eq!(from_base64(text.trim_end_matches('=')), Ok(made.clone()));
    assert_eq!(from_base64(&format!(" {}\r\n{}", &text[..20], &text[20..])), Ok(made));
    assert_eq!(from_base64("no base64!"), Err(NotificationError::Base64));
}

proptest! {
    #[test]
    fn arbitrary_octets_end_in_a_value_or_a_typed_error(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Sealed::read(&octets);
        let _ = Push::read(&octets);
        let _ = Push::read(&[&[1, 6], octets.as_slice()].concat());
        let _ = crate::push::tpdu::Tpdu::read(&octets);
        if let Ok(data) = UserData::read(&octets) {
            let _ = Assembly::default().take("", &data);
        }
        let _ = from_base64(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn what_is_sealed_reads_as_it_was(
        bits in (0_u16..1024, 0_u64..4, 0_u64..2, 0_u32..1 << 27, 1_u16..),
        server_id in "[!-~]{1,255}",
        body in prop::collection::vec(any::<u8>(), 0..400),
        nonce in prop::collection::vec(any::<u8>(), 0..40),
        reference in any::<u16>(),
    ) {
        let (version, ui_mode, initiator, future_use, session_id) = bits;
        let notification = Notification {
            version: Version::new(version).unwrap(),
            ui_mode: UiMode::of_bits(ui_mode),
            initiator: Initiator::of_bit(initiator),
            future_use,
            session_id: SessionId::new(session_id).unwrap(),
            server_id: ServerIdentifier::new(&server_id).unwrap(),
            body,
        };
        let key = ServerKey { account_name: "account", secret: "secret" };
        let made = notification.seal(&Form::default(), &key, Nonce::Stored(&nonce));
        let push = PushHeader::NOTIFICATION.wrap(9, &made);
        let mut assembly = Assembly::default();
        let mut whole = Vec::new();
        for message in user_data(&push, Ports::PUSH, Reference::Long(reference)).unwrap().iter().rev() {
            if let Joined::Whole(octets) = assembly.take("", &UserData::read(message).unwrap()).unwrap() {
                whole = octets;
            }
        }
        prop_assert_eq!(&whole, &push);
        let sealed = Sealed::read(Push::read(&whole).unwrap().body).unwrap();
        prop_assert_eq!(&sealed.notification, &notification);
        prop_assert_eq!(sealed.check(&Form::default(), &key, &nonce), Some(NonceUsed::Stored));
    }
}
