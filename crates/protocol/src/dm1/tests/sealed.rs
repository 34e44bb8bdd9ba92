//! Messages with a MAC beside them, in both directions.
use super::world::*;
use crate::{
    dm1::{
        AuthType, EndReason, Failure, HmacHeader, HmacHeaderError, Login, Received, Reply, Stage, Violation, mac,
        md5_digest,
    },
    syncml::{Encoding, Message},
};

fn octets(draft: impl Into<Message>) -> Vec<u8> {
    draft.into().encode(Encoding::Xml).unwrap()
}

fn header(nonce: &[u8], body: &[u8]) -> String {
    header_of("dev-user", nonce, body)
}

fn header_of(user: &str, nonce: &[u8], body: &[u8]) -> String {
    format!("algorithm=MD5, username=\"{user}\", mac={}", mac("dev-user", "dev-secret", nonce, body))
}

impl World {
    /// The message, sealed with this nonce.
    fn receive_sealed(&mut self, draft: impl Into<Message>, nonce: &[u8]) -> Received {
        let body = octets(draft);
        self.receive_octets(&body, Some(&header(nonce, &body))).unwrap()
    }

    /// An account that demands MACs, whose device has sent a sealed package 1.
    fn sealed() -> Self {
        let mut world = Self::new();
        world.weakest = AuthType::Hmac;
        world.receive_sealed(package_1(1), b"stored");
        world
    }
}

/// Whether the reply leaves with a seal of the server made with this nonce.
fn is_sealed(reply: &Reply, nonce: &[u8]) -> bool {
    let body = octets(reply.message.clone());
    let expected = format!("algorithm=MD5, username=\"srv-user\", mac={}", mac("srv-user", "srv-secret", nonce, &body));
    assert_eq!(reply.message.header.cred, None, "a MAC is never in a Cred");
    reply.seal.as_ref().is_some_and(|it| it.header(&body) == expected)
}

#[test]
fn sealed_message_is_a_login_and_gets_200_with_the_next_nonce_and_never_212() {
    let mut world = World::new();

    let received = world.receive_sealed(package_1(1), b"stored");
    let reply = world.answer(vec![]);

    assert_eq!(received.login, Some(Login { auth: AuthType::Hmac, nonce: Some(0), resync: None }));
    assert_eq!(received.stage, Stage::Ready);
    assert_eq!(statuses(&reply.message)[0], ("1 0 SyncHdr".to_owned(), 200));
    assert_eq!(challenge(&reply.message), Some(("syncml:auth-MAC".to_owned(), Some(b"next-session".to_vec()))));
}

#[test]
fn every_message_of_a_sealed_session_is_sealed_with_its_own_nonce() {
    let mut world = World::sealed();
    world.answer(vec![get(1, "./A")]);
    world.nonces = vec![b"next-session".to_vec()];

    let second = world.receive_sealed(package_3(2, 1).status(1, 4, 404).without_final(), b"next-session");
    let reply = world.answer(vec![]);
    world.nonces = vec![b"third".to_vec()];
    let third = world.receive_sealed(package_3(3, 2), b"third");

    assert_eq!((second.stage, answers(&second.outcomes)), (Stage::NextMessage, vec![(1, code(404))]));
    assert!(second.login.is_some() && third.login.is_some(), "each login uses up a nonce");
    assert_eq!(statuses(&reply.message)[0], ("2 0 SyncHdr".to_owned(), 200));
    assert_eq!(challenge(&reply.message).unwrap().1, Some(b"next-session".to_vec()));
    assert_eq!(reply.message.header.meta.max_msg_size, None, "sizes are told once");
}

#[test]
fn message_without_a_header_in_a_sealed_session_is_challenged_and_then_refused() {
    let mut world = World::sealed();
    world.answer(vec![get(1, "./A")]);

    let bare = world.receive(package_3(2, 1).status(1, 4, 200));
    let reply = world.answer(vec![]);
    let again = world.receive(package_3(3, 2).status(1, 4, 200));

    assert_eq!((bare.stage, bare.failure, bare.outcomes), (Stage::Challenge, Some(Failure::Missing), vec![]));
    assert_eq!(statuses(&reply.message)[0].1, 407);
    assert_eq!(challenge(&reply.message), Some(("syncml:auth-MAC".to_owned(), Some(b"challenge".to_vec()))));
    assert_eq!((again.stage, again.reason), (Stage::Refuse, Some(EndReason::BadCredential)));
}

#[test]
fn sealed_session_takes_neither_md5_nor_basic_afterwards() {
    let mut world = World::new();
    world.weakest = AuthType::Basic;
    world.receive_sealed(package_1(1), b"stored");
    world.answer(vec![get(1, "./A")]);

    let received = world.receive(package_3(2, 1).md5(b"challenge"));

    assert_eq!(received.failure, Some(Failure::WrongType { tried: Some(AuthType::Md5) }));
    assert_eq!(challenge(&world.answer(vec![]).message).unwrap().0, "syncml:auth-MAC");
}

#[test]
fn account_that_demands_hmac_refuses_md5_and_basic_and_asks_for_hmac() {
    for draft in [package_1(1).md5(b"stored"), package_1(1).cred("syncml:auth-basic", "eDp5"), package_1(1)] {
        let mut world = World::new();
        world.weakest = AuthType::Hmac;

        let received = world.receive(draft);

        assert_eq!((received.stage, received.login), (Stage::Challenge, None));
        assert_eq!(challenge(&world.answer(vec![]).message).unwrap().0, "syncml:auth-MAC");
    }
}

#[test]
fn challenge_for_hmac_is_met_with_its_nonce() {
    let mut world = World::new();
    world.weakest = AuthType::Hmac;
    world.receive(package_1(1));
    world.answer(vec![]);

    let received = world.receive_sealed(package_1(2), b"challenge");

    assert_eq!(received.login, Some(Login { auth: AuthType::Hmac, nonce: Some(1), resync: None }));
}

#[test]
fn challenge_for_hmac_answered_with_something_else_ends_the_session() {
    let mut world = World::new();
    world.weakest = AuthType::Hmac;
    world.receive(package_1(1));
    world.answer(vec![]);

    let received = world.receive(package_1(2).md5(b"challenge"));

    assert_eq!((received.stage, received.reason), (Stage::Refuse, Some(EndReason::BadCredential)));
}

#[test]
fn mac_is_over_the_octets_received_and_not_over_another_way_to_write_them() {
    let body = octets(package_1(1));
    let respaced = String::from_utf8(body.clone()).unwrap().replacen("<SyncHdr>", "<SyncHdr >", 1).into_bytes();
    let take = |sealed: &[u8], sent: &[u8]| {
        World::new().receive_octets(sent, Some(&header(b"stored", sealed))).unwrap().failure
    };

    assert_eq!(take(&respaced, &respaced), None);
    assert_eq!(take(&body, &respaced), Some(Failure::Wrong));
}

#[test]
fn mac_of_a_message_whose_octets_are_not_given_fits_nothing() {
    let message: Message = package_1(1).into();
    let header = header(b"stored", &octets(message.clone()));
    let incoming = crate::dm1::Incoming { hmac: Some(&header), ..(&message).into() };
    let nonces = [b"stored".to_vec()];
    let account =
        crate::dm1::Account { nonces: &nonces, ..crate::dm1::Account::new("dev-user", "dev-secret", AuthType::Md5) };

    let received = World::new().session.receive(&account, incoming).unwrap();

    assert_eq!(received.failure, Some(Failure::Wrong));
}

#[test]
fn header_that_cannot_be_read_is_a_failed_authentication() {
    let body = octets(package_1(1));

    let received = World::new().receive_octets(&body, Some("username=\"dev-user\"")).unwrap();

    let missing = HmacHeaderError::Missing { name: "mac" };
    assert_eq!((received.stage, received.failure), (Stage::Challenge, Some(Failure::Header(missing))));
}

#[test]
fn header_counts_alone_where_a_message_has_a_credential_too() {
    let mut world = World::new();
    let body = octets(package_1(1).md5(b"stored"));

    let received = world.receive_octets(&body, Some(&header(b"guess", &body))).unwrap();

    assert_eq!(received.failure, Some(Failure::Wrong));
    assert_eq!(challenge(&world.answer(vec![]).message).unwrap().0, "syncml:auth-MAC", "the type tried is asked for");
}

#[test]
fn user_of_the_header_is_that_of_the_message_and_of_the_account() {
    let take = |user: &str, name: Option<&str>| {
        let mut draft = package_1(1);
        draft.0.header.source.name = name.map(Into::into);
        let body = octets(draft);
        World::new().receive_octets(&body, Some(&header_of(user, b"stored", &body))).unwrap().failure
    };

    assert_eq!(take("dev-user", Some("dev-user")), None);
    assert_eq!(take("dev-user", None), None, "the account was found by the device");
    assert_eq!(take("dev-user", Some("other")), Some(Failure::OtherUser));
    assert_eq!(take("other", Some("other")), Some(Failure::OtherUser));
    assert_eq!(take("DEV-USER", None), Some(Failure::OtherUser));
}

#[test]
fn server_seals_each_message_to_a_client_that_does() {
    let mut world = World::new();
    world.server_nonce = Some(b"first".to_vec());
    world.receive_sealed(package_1(1), b"stored");

    let first = world.answer(vec![get(1, "./A")]);
    let draft = message(2).header_chal(1, 200, "syncml:auth-MAC", Some(b"second")).status(1, 4, 404).without_final();
    world.receive_sealed(draft, b"challenge");
    let second = world.answer(vec![]);
    let draft = message(3).header_chal(2, 212, "syncml:auth-MAC", Some(b"third"));
    world.receive_sealed(draft, b"stored");
    let last = world.answer(vec![]);

    assert!(is_sealed(&first, b"first"));
    assert!(is_sealed(&second, b"second"));
    assert!(is_sealed(&last, b"third") && last.over, "even the end, and although the device said 212");
    assert_eq!(first.message.header.source.name.as_deref(), Some("srv-user"), "the user of the header");
}

#[test]
fn seal_is_made_over_what_leaves() {
    let mut world = World::sealed();
    world.server_nonce = Some(b"first".to_vec());
    let reply = world.answer(vec![]);
    let seal = reply.seal.unwrap();

    let (one, other) = (seal.header(b"one"), seal.header(b"other"));

    assert_ne!(one, other);
    assert_eq!(HmacHeader::parse(&one).unwrap().username, "srv-user");
}

#[test]
fn server_that_is_challenged_for_a_mac_sends_its_orders_again_sealed() {
    let mut world = World::with_server_credential();
    let first = world.answer(vec![get(1, "./A")]);
    let challenged = message(2).header_chal(1, 401, "syncml:auth-MAC", Some(b"fresh")).status(1, 4, 401);

    let received = world.receive(challenged);
    let again = world.answer(vec![]);

    assert!(first.message.header.cred.is_some() && first.seal.is_none());
    assert_eq!((received.stage, received.outcomes), (Stage::Ready, vec![]));
    assert_eq!(asked(&again.message), ["Get"]);
    assert!(is_sealed(&again, b"fresh"));
}

#[test]
fn device_that_challenges_an_hmac_account_for_md5_is_refused_unless_the_account_allows_it() {
    let ask = |weakest| {
        let mut world = World::new();
        world.weakest = weakest;
        world.server_nonce = Some(b"first".to_vec());
        world.receive_sealed(package_1(1), b"stored");
        world.answer(vec![get(1, "./A")]);
        let draft = message(2).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 401);
        let reason = world.receive_sealed(draft, b"challenge").reason;
        (reason, world.answer(vec![]).message.header.cred.map(|it| it.data.to_string()))
    };

    assert_eq!(ask(AuthType::Hmac), (Some(EndReason::ServerSchemeRefused), None));
    assert_eq!(ask(AuthType::Md5), (None, Some(md5_digest("srv-user", "srv-secret", b"fresh"))));
}

#[test]
fn abort_of_the_server_is_sealed_where_its_other_messages_are() {
    let mut world = World::sealed();
    world.server_nonce = Some(b"first".to_vec());
    world.answer(vec![get(1, "./A")]);
    let body = octets(message(2).header_chal(1, 200, "syncml:auth-MAC", Some(b"second")).without_final());
    world.receive_octets(&body, Some(&header(b"challenge", &body))).unwrap();

    let reply = world.abort();

    assert!(is_sealed(&reply, b"second"));
    assert_eq!(asked(&reply.message), ["Alert 1223"]);
}

#[test]
fn strangers_get_no_seal_to_guess_the_secret_from() {
    let mut world = World::new();
    world.weakest = AuthType::Hmac;
    world.server_nonce = Some(b"first".to_vec());
    world.receive(package_1(1));

    assert_eq!(world.answer(vec![]).seal, None);
}

#[test]
fn sealed_session_that_was_stored_goes_on() {
    let mut world = World::sealed();
    world.server_nonce = Some(b"first".to_vec());
    world.answer(vec![get(1, "./A")]);
    world.session = serde_json::from_str(&serde_json::to_string(&world.session).unwrap()).unwrap();

    let draft = message(2).header_chal(1, 200, "syncml:auth-MAC", Some(b"second")).status(1, 4, 404);
    let received = world.receive_sealed(draft, b"challenge");

    assert_eq!(answers(&received.outcomes), [(1, code(404))]);
    assert!(is_sealed(&world.answer(vec![]), b"second"));
}

#[test]
fn message_longer_than_the_device_was_told_is_a_violation_answered_413() {
    let mut world = World::sealed();
    world.answer(vec![get(1, "./A")]);
    let of = |bytes: usize| {
        let bare = octets(package_3(2, 1).dev_info(&[("./DevInfo/Man", "x")])).len() - 1;
        let body = octets(package_3(2, 1).dev_info(&[("./DevInfo/Man", &"x".repeat(bytes - bare))]));
        assert_eq!(body.len(), bytes);
        body
    };
    let max = IDENTITY.max_msg_size;
    let (fits, too_long) = (of(max as usize), of(max as usize + 1));

    let violation = world.receive_octets(&too_long, Some(&header(b"challenge", &too_long))).unwrap_err();
    let mut windows = World { session: world.session.clone(), ..World::sealed() };
    windows.quirks.honours_max_msg_size = false;

    assert_eq!(violation, Violation::MessageTooLong { max, got: max as usize + 1 });
    assert_eq!(violation.status().0, 413);
    assert!(world.receive_octets(&fits, Some(&header(b"challenge", &fits))).is_ok());
    assert!(windows.receive_octets(&too_long, Some(&header(b"challenge", &too_long))).is_ok());
}
