use muster_protocol::syncml::{Challenge, Command, Encoding, Meta, StatusCode};

use super::script::{Script, account, get, md5_challenge, profile, replace};
use crate::account::{AuthType, ServerSecret};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Initiation, SessionEnd, credential};

fn without_nonce() -> Script {
    let account = crate::account::Account { client_nonce: None, ..account() };
    Script::new(Device::new(&profile(), account, Encoding::Xml, &[], 7))
}

/// A device that wants the server to prove who it is, with the nonce `server-nonce`.
fn distrustful() -> Script {
    let server = ServerSecret::md5("srv", "s", b"server-nonce");
    let account = crate::account::Account { server: Some(server), ..account() };
    Script::new(Device::new(&profile(), account, Encoding::Xml, &[], 7))
}

fn sent_credential(script: &Script) -> Option<String> {
    script.said.header.cred.as_ref().map(|cred| cred.data.to_string())
}

#[test]
fn a_stored_nonce_is_used_unasked() {
    let script = Script::good();

    assert_eq!(sent_credential(&script), Some(credential::md5("dev-user", "dev-secret", b"first")));
    assert_eq!(script.said.header.source.name.as_deref(), Some("dev-user"));
}

#[test]
fn without_a_nonce_the_challenge_is_answered_with_package_1_again() {
    let mut script = without_nonce();
    assert_eq!(sent_credential(&script), None);
    let session_id = script.said.header.session_id.clone();

    script.refuse(StatusCode::MISSING_CREDENTIALS, md5_challenge(b"fresh"));

    assert_eq!(script.end, None);
    assert_eq!(sent_credential(&script), Some(credential::md5("dev-user", "dev-secret", b"fresh")));
    assert_eq!(script.said.header.session_id, session_id);
    assert_eq!(script.said.header.msg_id, "2");
    assert_eq!(script.of_header().code, StatusCode::OK);
    assert_eq!(script.alerts(), ["1201"]);
    let replaces = script.said.commands.iter().filter(|it| it.name() == "Replace").count();
    assert_eq!(replaces, 1);
}

#[test]
fn a_credential_made_with_the_servers_own_nonce_is_refused_only_once() {
    let mut script = Script::good();

    script.refuse(StatusCode::INVALID_CREDENTIALS, md5_challenge(b"second"));
    assert_eq!(script.end, None);
    script.refuse(StatusCode::INVALID_CREDENTIALS, md5_challenge(b"third"));

    assert_eq!(script.end, Some(SessionEnd::NotAuthenticated));
}

#[test]
fn the_scheme_of_the_challenge_is_used() {
    let mut script = Script::good();
    let basic = Meta { kind: Some("syncml:auth-basic".into()), ..Meta::default() };

    script.refuse(StatusCode::INVALID_CREDENTIALS, Some(Challenge { meta: basic }));

    let cred = script.said.header.cred.clone().unwrap();
    assert_eq!(cred.meta.kind.as_deref(), Some(AuthType::Basic.name()));
    assert_eq!(cred.data, credential::basic("dev-user", "dev-secret"));
}

#[test]
fn a_scheme_the_device_does_not_have_ends_the_session() {
    let mut script = Script::good();
    let x509 = Meta { kind: Some("syncml:auth-X509".into()), ..Meta::default() };

    script.refuse(StatusCode::INVALID_CREDENTIALS, Some(Challenge { meta: x509 }));

    assert_eq!(script.end, Some(SessionEnd::NotAuthenticated));
}

#[test]
fn after_212_no_credential_is_sent_and_the_nonce_serves_the_next_session() {
    let mut script = Script::good();
    let mut message = script.message(vec![get(&["./DevInfo/Man"])]);
    message.commands[0] = script.status_of_header(StatusCode::AUTHENTICATED, md5_challenge(b"next"));

    script.deliver(&message);

    assert_eq!(sent_credential(&script), None);
    let again = script.device.start(&Initiation::Client);
    assert_eq!(again.header.cred.unwrap().data, credential::md5("dev-user", "dev-secret", b"next"));
}

#[test]
fn after_200_with_a_nonce_every_message_carries_a_credential() {
    let mut script = Script::good();
    let mut message = script.message(vec![get(&["./DevInfo/Man"])]);
    message.commands[0] = script.status_of_header(StatusCode::OK, md5_challenge(b"per-message"));

    script.deliver(&message);

    assert_eq!(sent_credential(&script), Some(credential::md5("dev-user", "dev-secret", b"per-message")));
}

#[test]
fn a_device_with_wrong_credentials_never_gets_in() {
    let mut script = Script::behaving(&[Behaviour::WrongCredentials]);

    assert_ne!(sent_credential(&script), Some(credential::md5("dev-user", "dev-secret", b"first")));
    script.refuse(StatusCode::INVALID_CREDENTIALS, md5_challenge(b"fresh"));
    assert_ne!(sent_credential(&script), Some(credential::md5("dev-user", "dev-secret", b"fresh")));
}

#[test]
fn nothing_is_done_for_a_server_that_has_not_proved_who_it_is() {
    let mut script = distrustful();

    script.send(vec![replace("./Vendor/Example/Name", "new"), get(&["./DevInfo/Man"])]);

    assert_eq!(script.of_header().code, StatusCode::MISSING_CREDENTIALS);
    assert!(script.of_header().chal.is_some());
    assert_eq!(script.statuses(), [("Replace", 407), ("Get", 407)]);
    assert_eq!(script.device.tree.text("./Vendor/Example/Name"), Some("M1"));
    assert_eq!(script.device.ledger().count("./Vendor/Example/Name", "Replace"), 0);
}

#[test]
fn a_challenged_server_that_proves_who_it_is_gets_its_commands_done_once() {
    let mut script = distrustful();
    script.send(vec![replace("./Vendor/Example/Name", "new")]);
    let nonce = script.of_header().chal.clone().unwrap().meta.next_nonce.unwrap();

    script.header.cred = credential::credential(AuthType::Md5, "srv", "s", &nonce);
    script.send(vec![replace("./Vendor/Example/Name", "new")]);
    script.header.cred = None;
    script.send(vec![get(&["./Vendor/Example/Name"])]);

    assert_eq!(script.results(), [("./Vendor/Example/Name".to_owned(), "new".to_owned())]);
    assert_eq!(script.device.ledger().count("./Vendor/Example/Name", "Replace"), 1);
}

#[test]
fn a_good_server_credential_is_answered_with_212_and_the_next_nonce() {
    let mut script = distrustful();
    script.header.cred = credential::credential(AuthType::Md5, "srv", "s", b"server-nonce");

    script.send(vec![get(&["./DevInfo/Man"])]);

    assert_eq!(script.of_header().code, StatusCode::AUTHENTICATED);
    let given = script.of_header().chal.clone().unwrap().meta.next_nonce;
    assert_eq!(given, script.device.account.server.clone().map(|it| it.nonce));
    assert_ne!(given, Some(b"server-nonce".to_vec()));
}

#[test]
fn a_server_that_keeps_failing_loses_the_session() {
    let mut script = distrustful();
    script.header.cred = credential::credential(AuthType::Md5, "srv", "guess", b"server-nonce");

    script.send(vec![get(&["./DevInfo/Man"])]);
    assert_eq!(script.of_header().code, StatusCode::INVALID_CREDENTIALS);
    script.send(vec![get(&["./DevInfo/Man"])]);
    assert_eq!(script.end, None);
    script.send(vec![get(&["./DevInfo/Man"])]);

    assert_eq!(script.end, Some(SessionEnd::ServerNotAuthenticated));
    assert_eq!(script.alerts(), ["1223"]);
    assert!(script.results().is_empty());
}

#[test]
fn a_server_with_nothing_to_do_need_not_prove_who_it_is() {
    let mut script = distrustful();
    let mut message = script.message(Vec::new());
    message.commands[0] = script.status_of_header(StatusCode::AUTHENTICATED, md5_challenge(b"next"));

    script.deliver(&message);

    assert_eq!(script.end, Some(SessionEnd::Complete));
    assert_eq!(script.device.account.client_nonce, Some(b"next".to_vec()));
    assert_eq!(script.device.account.server.map(|it| it.nonce), Some(b"server-nonce".to_vec()));
}

#[test]
fn a_server_that_failed_to_prove_who_it_is_sets_no_nonce() {
    let mut script = distrustful();
    let mut message = script.message(vec![get(&["./DevInfo/Man"])]);
    message.commands[0] = script.status_of_header(StatusCode::AUTHENTICATED, md5_challenge(b"planted"));

    script.deliver(&message);
    script.send(Vec::new());

    assert_eq!(script.end, Some(SessionEnd::Complete));
    assert_eq!(script.device.account.client_nonce, Some(b"first".to_vec()));
}

#[test]
fn commands_beside_a_challenge_are_not_done() {
    let mut script = Script::good();
    let mut message = script.message(vec![replace("./Vendor/Example/Name", "new")]);
    message.commands[0] = script.status_of_header(StatusCode::INVALID_CREDENTIALS, md5_challenge(b"x"));

    script.deliver(&message);

    assert_eq!(script.device.tree.text("./Vendor/Example/Name"), Some("M1"));
    assert!(matches!(script.said.commands.first(), Some(Command::Status(_))));
    assert!(!script.device.complaints().is_empty());
}
