//! MACs in both directions, and what an account lets a challenge ask for.

use muster_protocol::syncml::{Challenge, Command, Encoding, Message, StatusCode};

use super::script::{Script, account, get, profile, replace};
use crate::account::{Account, AuthType, ServerSecret};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Initiation, SessionEnd, Step, credential};

const NAME: &str = "./Vendor/Example/Name";

fn device(account: Account, behaviours: &[Behaviour]) -> Device {
    Device::new(&profile(), account, Encoding::Wbxml, behaviours, 7)
}

/// A device that seals its messages, with the nonce `first`.
fn sealing() -> Script {
    Script::new(device(Account { auth: AuthType::Hmac, weakest: AuthType::Hmac, ..account() }, &[]))
}

/// A device whose server seals its messages, with the nonce `server-nonce`.
fn demanding(behaviours: &[Behaviour]) -> Script {
    let server = ServerSecret { auth: AuthType::Hmac, ..ServerSecret::md5("srv", "s", b"server-nonce") };
    Script::new(device(Account { server: Some(server), ..account() }, behaviours))
}

fn mac_challenge(nonce: &[u8]) -> Option<Challenge> {
    Some(credential::challenge(AuthType::Hmac, nonce))
}

/// The header that the device sends with what it said last.
fn seal(script: &Script) -> Option<String> {
    let octets = script.device.write(&script.said).unwrap();
    script.device.seal(&octets)
}

fn expected(script: &Script, nonce: &[u8]) -> Option<String> {
    let octets = script.device.write(&script.said).unwrap();
    let mac = credential::mac("dev-user", "dev-secret", nonce, &octets);
    Some(format!("algorithm=MD5, username=\"dev-user\", mac={mac}"))
}

/// Delivers a message sealed with `nonce` by the server of [`demanding`].
fn deliver_sealed(script: &mut Script, message: &Message, nonce: &[u8]) {
    let octets = message.encode(Encoding::Wbxml).unwrap();
    let mac = credential::mac("srv", "s", nonce, &octets);
    let header = credential::Seal { user: "srv".into(), mac }.to_header();
    let Step { reply, finished } = script.device.receive_sealed(message, &octets, Some(&header));
    if let Some(reply) = reply {
        script.said = reply;
    }
    script.end = finished;
}

fn given_nonce(script: &Script) -> Vec<u8> {
    script.of_header().chal.as_ref().and_then(|it| it.meta.next_nonce.clone()).unwrap()
}

#[test]
fn every_message_is_sealed_with_the_nonce_of_the_answer_before() {
    let mut script = sealing();
    assert_eq!(script.said.header.cred, None);
    assert_eq!(seal(&script), expected(&script, b"first"));

    for nonce in [b"second".as_slice(), b"third"] {
        let mut message = script.message(vec![get(&[NAME])]);
        message.commands[0] = script.status_of_header(StatusCode::OK, mac_challenge(nonce));
        script.deliver(&message);
        assert_eq!(seal(&script), expected(&script, nonce));
    }

    assert_eq!(script.device.account.client_nonce, Some(b"third".to_vec()));
    assert!(!script.device.complaints().iter().any(|it| it.contains("212")));
}

#[test]
fn the_seal_of_a_repeated_reply_is_the_same() {
    let mut script = sealing();
    let mut message = script.message(vec![get(&[NAME])]);
    message.commands[0] = script.status_of_header(StatusCode::OK, mac_challenge(b"second"));
    script.deliver(&message);
    let first = (script.said.clone(), seal(&script));

    script.deliver(&message);

    assert_eq!((script.said.clone(), seal(&script)), first);
}

#[test]
fn a_challenge_for_a_mac_is_answered_with_one_and_a_second_is_for_good() {
    let mut script = Script::new(device(Account { client_nonce: None, ..account() }, &[]));
    assert_eq!(seal(&script), None);

    script.refuse(StatusCode::MISSING_CREDENTIALS, mac_challenge(b"fresh"));
    assert_eq!(script.said.header.cred, None);
    assert_eq!(seal(&script), expected(&script, b"fresh"));
    script.refuse(StatusCode::INVALID_CREDENTIALS, mac_challenge(b"again"));

    assert_eq!(script.end, Some(SessionEnd::NotAuthenticated));
}

#[test]
fn a_mac_goes_on_after_212_and_the_device_complains() {
    let mut script = sealing();
    let mut message = script.message(vec![get(&[NAME])]);
    message.commands[0] = script.status_of_header(StatusCode::AUTHENTICATED, mac_challenge(b"second"));

    script.deliver(&message);

    assert_eq!(seal(&script), expected(&script, b"second"));
    assert!(script.device.complaints().iter().any(|it| it.contains("212")));
}

#[test]
fn a_weaker_scheme_than_the_account_has_ends_the_session_without_a_credential() {
    for (weakest, asked) in
        [(AuthType::Hmac, AuthType::Md5), (AuthType::Hmac, AuthType::Basic), (AuthType::Md5, AuthType::Basic)]
    {
        let mut script = Script::new(device(Account { auth: weakest, weakest, ..account() }, &[]));

        script.refuse(StatusCode::INVALID_CREDENTIALS, Some(credential::challenge(asked, b"x")));

        assert_eq!(script.end, Some(SessionEnd::NotAuthenticated), "{weakest:?} {asked:?}");
    }
}

#[test]
fn a_stronger_scheme_than_the_preferred_one_is_used_when_asked_for() {
    let mut script = Script::new(device(Account { auth: AuthType::Basic, ..account() }, &[]));

    script.refuse(StatusCode::INVALID_CREDENTIALS, mac_challenge(b"x"));

    assert_eq!(seal(&script), expected(&script, b"x"));
}

#[test]
fn the_scheme_that_was_taken_stays_for_the_session() {
    let mut script = sealing();
    script.device.account.weakest = AuthType::Basic;
    let mut message = script.message(vec![get(&[NAME])]);
    message.commands[0] = script.status_of_header(StatusCode::OK, mac_challenge(b"second"));
    script.deliver(&message);

    script.refuse(StatusCode::INVALID_CREDENTIALS, Some(credential::challenge(AuthType::Md5, b"third")));

    assert_eq!(script.end, Some(SessionEnd::NotAuthenticated));
}

#[test]
fn a_server_is_asked_for_a_mac_and_does_its_work_only_with_one() {
    let mut script = demanding(&[]);
    script.send(vec![replace(NAME, "new")]);
    assert_eq!(script.of_header().code, StatusCode::MISSING_CREDENTIALS);
    let kind = script.of_header().chal.clone().unwrap().meta.kind;
    assert_eq!(kind.as_deref(), Some("syncml:auth-MAC"));
    assert_eq!(script.device.tree.text(NAME), Some("M1"));

    let nonce = given_nonce(&script);
    let message = script.message(vec![replace(NAME, "new")]);
    deliver_sealed(&mut script, &message, &nonce);

    assert_eq!((script.of_header().code, script.statuses()), (StatusCode::OK, vec![("Replace", 200)]));
    assert_eq!(script.device.tree.text(NAME), Some("new"));
    assert_ne!(given_nonce(&script), nonce);
}

#[test]
fn a_server_without_a_mac_on_a_later_message_is_challenged_again() {
    let mut script = demanding(&[]);
    let message = script.message(vec![get(&[NAME])]);
    deliver_sealed(&mut script, &message, b"server-nonce");
    assert_eq!(script.of_header().code, StatusCode::OK);

    script.send(vec![replace(NAME, "new")]);
    assert_eq!(script.statuses(), [("Replace", 407)]);
    let nonce = given_nonce(&script);
    let message = script.message(vec![replace(NAME, "new")]);
    deliver_sealed(&mut script, &message, &nonce);

    assert_eq!(script.statuses(), [("Replace", 200)]);
}

#[test]
fn no_nonce_of_the_device_counts_twice() {
    let mut script = demanding(&[]);
    let message = script.message(vec![get(&[NAME])]);
    deliver_sealed(&mut script, &message, b"server-nonce");

    let message = script.message(vec![replace(NAME, "new")]);
    deliver_sealed(&mut script, &message, b"server-nonce");

    assert_eq!(script.statuses(), [("Replace", 401)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn a_mac_over_other_octets_by_another_name_or_weaker_than_asked_is_wrong() {
    let header = |message: &Message, user: &str, octets: &[u8]| {
        let octets = if octets.is_empty() { message.encode(Encoding::Wbxml).unwrap() } else { octets.to_vec() };
        credential::Seal { user: user.into(), mac: credential::mac("srv", "s", b"server-nonce", &octets) }.to_header()
    };
    let cases: [(&str, &[u8], Option<&str>); 3] =
        [("srv", b"x", None), ("other", b"", None), ("srv", b"", Some("eve"))];
    for (user, octets, source) in cases {
        let mut script = demanding(&[]);
        let mut message = script.message(vec![replace(NAME, "new")]);
        message.header.source.name = source.map(Into::into);
        let given = header(&message, user, octets);
        let octets = message.encode(Encoding::Wbxml).unwrap();

        let step = script.device.receive_sealed(&message, &octets, Some(&given));

        assert_eq!(script.device.tree.text(NAME), Some("M1"), "{user} {source:?}");
        assert!(step.reply.is_some());
    }
    let mut script = demanding(&[]);
    script.header.cred = credential::credential(AuthType::Md5, "srv", "s", b"server-nonce");
    script.send(vec![replace(NAME, "new")]);
    assert_eq!(script.statuses(), [("Replace", 401)]);
}

#[test]
fn basic_is_taken_from_a_server_where_the_account_says_so_and_answered_without_a_nonce() {
    let server = ServerSecret { auth: AuthType::Basic, ..ServerSecret::md5("srv", "s", b"server-nonce") };
    let mut script = Script::new(device(Account { server: Some(server), ..account() }, &[]));
    script.send(vec![get(&[NAME])]);
    let asked = script.of_header().chal.clone().unwrap().meta;
    assert_eq!((asked.kind.as_deref(), asked.next_nonce), (Some("syncml:auth-basic"), None));

    script.header.cred = credential::credential(AuthType::Basic, "srv", "s", &[]);
    script.send(vec![replace(NAME, "new")]);

    assert_eq!(script.of_header().code, StatusCode::AUTHENTICATED);
    assert_eq!(script.of_header().chal, None);
    assert_eq!(script.device.tree.text(NAME), Some("new"));
}

#[test]
fn a_device_that_wants_a_credential_in_every_message_gives_a_nonce_for_each() {
    let server = ServerSecret::md5("srv", "s", b"server-nonce");
    let account = Account { server: Some(server), ..account() };
    let mut script = Script::new(device(account, &[Behaviour::EveryMessageProvesServer]));
    let mut nonce = b"server-nonce".to_vec();
    for value in ["a", "b"] {
        script.header.cred = credential::credential(AuthType::Md5, "srv", "s", &nonce);
        script.send(vec![replace(NAME, value)]);
        assert_eq!(script.of_header().code, StatusCode::OK);
        assert_eq!(script.device.tree.text(NAME), Some(value));
        nonce = given_nonce(&script);
    }

    script.header.cred = None;
    script.send(vec![replace(NAME, "c")]);

    assert_eq!(script.statuses(), [("Replace", 407)]);
    assert_eq!(script.device.tree.text(NAME), Some("b"));
}

#[test]
fn without_a_nonce_one_engine_seals_with_that_of_a_resynchronisation() {
    let account = Account { auth: AuthType::Hmac, client_nonce: None, ..account() };
    let script = Script::new(device(account, &[Behaviour::EmptyNonceIsSpecial]));

    assert_eq!(seal(&script), expected(&script, &[0; 4]));
}

#[test]
fn a_device_that_lost_its_nonces_waits_for_a_challenge_and_keeps_its_tree() {
    let mut script = Script::good();
    script.send(vec![replace(NAME, "new")]);
    script.device.reboot();
    let message = script.message(vec![get(&[NAME])]);
    assert!(matches!(script.device.receive(&message).finished, Some(SessionEnd::Violation(_))));
    script.device.forget_nonces();

    let package = script.device.start(&Initiation::Client);

    assert_eq!(package.header.cred, None);
    assert_eq!(script.device.tree.text(NAME), Some("new"));
    assert!(matches!(package.commands.first(), Some(Command::Alert(_))));
}
