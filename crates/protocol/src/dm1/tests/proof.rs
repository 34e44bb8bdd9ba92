//! Credentials in every message, failures told apart, and resynchronisation of a lost nonce.
use super::world::*;
use crate::{
    dm1::{
        AuthType, EndReason, Failure, Login, Stage, basic, mac, md5_digest,
        notification::ResyncNonce::{self, Ascii, FourZeroOctets},
    },
    syncml::{Encoding, Message},
};

/// An account that wants MD5 in every message; the device has authenticated its package 1.
fn each_message() -> World {
    let mut world = World::new();
    world.each_message = true;
    world.receive(package_1(1).md5(b"stored"));
    world
}

#[test]
fn credential_wanted_in_each_message_gets_200_and_the_nonce_of_the_next_one() {
    let mut world = each_message();

    let first = world.answer(vec![get(1, "./A")]);
    world.nonces = vec![b"next-session".to_vec()];
    let received = world.receive(package_3(2, 1).status(1, 4, 404).md5(b"next-session"));
    let second = world.answer(vec![]);

    for (reply, of) in [(first, "1 0 SyncHdr"), (second, "2 0 SyncHdr")] {
        assert_eq!(statuses(&reply.message)[0], (of.to_owned(), 200));
        assert_eq!(challenge(&reply.message), Some(("syncml:auth-md5".to_owned(), Some(b"next-session".to_vec()))));
    }
    assert_eq!(received.login, Some(Login { auth: AuthType::Md5, nonce: Some(0), resync: None }));
    assert_eq!(answers(&received.outcomes), [(1, code(404))]);
}

#[test]
fn later_message_without_its_credential_is_challenged_with_407_and_may_be_sent_again() {
    let mut world = each_message();
    world.answer(vec![get(1, "./A")]);

    let bare = world.receive(package_3(2, 1).status(1, 4, 404));
    let reply = world.answer(vec![]);
    let proved = world.receive(package_3(3, 2).status(1, 4, 404).md5(b"challenge"));

    assert_eq!((bare.stage, bare.failure, bare.outcomes), (Stage::Challenge, Some(Failure::Missing), vec![]));
    assert_eq!(statuses(&reply.message), [("2 0 SyncHdr".to_owned(), 407)]);
    assert_eq!(challenge(&reply.message), Some(("syncml:auth-md5".to_owned(), Some(b"challenge".to_vec()))));
    assert_eq!((proved.stage, answers(&proved.outcomes)), (Stage::Ready, vec![(1, code(404))]));
}

#[test]
fn later_message_with_a_bad_credential_is_challenged_with_401() {
    let mut world = each_message();
    world.answer(vec![get(1, "./A")]);

    world.receive(package_3(2, 1).md5(b"guess"));

    assert_eq!(statuses(&world.answer(vec![]).message), [("2 0 SyncHdr".to_owned(), 401)]);
}

#[test]
fn basic_in_each_message_gets_200_without_a_challenge() {
    let mut world = World::new();
    world.weakest = AuthType::Basic;
    world.each_message = true;
    let credential = basic("dev-user", "dev-secret");
    world.receive(package_1(1).cred("syncml:auth-basic", &credential));
    let first = world.answer(vec![get(1, "./A")]);

    let bare = world.receive(package_3(2, 1));
    let challenged = world.answer(vec![]);
    let proved = world.receive(package_3(3, 2).cred("syncml:auth-basic", &credential));

    assert_eq!((statuses(&first.message)[0].1, challenge(&first.message)), (200, None));
    assert_eq!(bare.failure, Some(Failure::Missing));
    assert_eq!(challenge(&challenged.message), Some(("syncml:auth-basic".to_owned(), None)));
    assert!(proved.login.is_some());
}

#[test]
fn once_is_enough_for_a_session_that_began_so_whatever_the_account_says_later() {
    let mut world = World::asked(vec![get(1, "./A")]);
    world.each_message = true;

    let received = world.receive(package_3(2, 1).status(1, 4, 404));

    assert_eq!((received.stage, received.failure), (Stage::Ready, None));
}

#[test]
fn scheme_of_a_session_stays_even_where_the_account_allows_a_weaker_one() {
    let mut world = World::asked(vec![get(1, "./A")]);
    world.weakest = AuthType::Basic;

    let received = world.receive(package_3(2, 1).cred("syncml:auth-basic", &basic("dev-user", "dev-secret")));

    assert_eq!(received.failure, Some(Failure::WrongType { tried: Some(AuthType::Basic) }));
    assert_eq!(challenge(&world.answer(vec![]).message).unwrap().0, "syncml:auth-md5");
}

#[test]
fn success_wipes_out_the_failure_before_it() {
    let mut world = each_message();
    world.answer(vec![get(1, "./A")]);
    for number in [2, 4, 6] {
        let failed = world.receive(package_3(number, number - 1).md5(b"guess"));
        world.answer(vec![]);
        let proved = world.receive(package_3(number + 1, number).without_final().md5(b"challenge"));
        world.answer(vec![]);

        assert_eq!((failed.stage, proved.stage), (Stage::Challenge, Stage::NextMessage));
    }
}

#[test]
fn failures_are_told_apart() {
    let fail = |change: fn(&mut World), draft: Draft| {
        let mut world = World::new();
        world.spent = vec![b"older".to_vec(), b"yesterday".to_vec()];
        change(&mut world);
        let received = world.receive(draft);
        assert_eq!((received.stage, received.login), (Stage::Challenge, None));
        received.failure.unwrap()
    };
    let nothing = |_: &mut World| {};
    let with_secret = |secret| package_1(1).cred("syncml:auth-md5", &md5_digest("dev-user", secret, b"stored"));
    let wrong_type = |tried| Failure::WrongType { tried };

    assert_eq!(fail(nothing, package_1(1)), Failure::Missing);
    assert_eq!(fail(nothing, package_1(1).md5(b"never given out")), Failure::Wrong);
    assert_eq!(fail(nothing, with_secret("guess")), Failure::Wrong);
    assert_eq!(fail(nothing, package_1(1).cred("syncml:auth-md5", "not base64!")), Failure::Wrong);
    assert_eq!(fail(nothing, package_1(1).md5(b"yesterday")), Failure::SpentNonce);
    assert_eq!(fail(nothing, package_1(1).md5(&[0; 4])), Failure::UninvitedResync);
    assert_eq!(fail(nothing, package_1(1).cred("syncml:auth-X509", "eA==")), wrong_type(None));
    assert_eq!(fail(nothing, package_1(1).cred("syncml:auth-basic", "eA==")), wrong_type(Some(AuthType::Basic)));
    let lax = |world: &mut World| world.weakest = AuthType::Basic;
    assert_eq!(fail(lax, package_1(1).cred("syncml:auth-basic", "eA==")), Failure::Wrong);
}

#[test]
fn refusal_tells_the_failure_too() {
    let mut world = World::new();
    world.receive(package_1(1));
    world.answer(vec![]);

    let received = world.receive(package_1(2).md5(b"guess"));

    assert_eq!((received.reason, received.failure), (Some(EndReason::BadCredential), Some(Failure::Wrong)));
}

#[test]
fn nonce_that_the_caller_took_back_is_not_accepted_again() {
    let mut world = World::new();
    let first = world.receive(package_1(1).md5(b"stored"));
    let used = first.login.unwrap().nonce.unwrap();
    world.nonces.remove(used);
    world.spent.push(b"stored".to_vec());
    world.session = crate::dm1::Session::new("A1", Encoding::Xml);

    let replayed = world.receive(package_1(1).md5(b"stored"));

    assert_eq!((replayed.stage, replayed.failure), (Stage::Challenge, Some(Failure::SpentNonce)));
}

/// A server that has sent a notification with the nonce of resynchronisation.
fn resync_sent() -> World {
    let mut world = World::new();
    world.resync_sent = true;
    world.server_nonce = Some(b"lost".to_vec());
    world
}

#[test]
fn lost_nonce_is_resynchronised_in_both_readings_and_both_directions() {
    for (reading, nonce) in [(FourZeroOctets, [0; 4].as_slice()), (Ascii, b"0x00000000")] {
        let mut world = resync_sent();

        let received = world.receive(package_1(1).md5(nonce));
        let reply = world.answer(vec![get(1, "./A")]);
        let device = world.receive(message(2).header_chal(1, 212, "syncml:auth-md5", Some(b"new")).status(1, 4, 404));

        assert_eq!(received.login, Some(Login { auth: AuthType::Md5, nonce: None, resync: Some(reading) }));
        assert_eq!(statuses(&reply.message)[0].1, 212);
        assert_eq!(challenge(&reply.message).unwrap().1, Some(b"next-session".to_vec()));
        let shown = reply.message.header.cred.unwrap();
        assert_eq!(shown.data, md5_digest("srv-user", "srv-secret", nonce).as_str());
        assert_eq!(device.server_nonce.as_deref(), Some(b"new".as_slice()));
    }
}

#[test]
fn server_shows_the_resynchronised_credential_even_without_orders() {
    let mut world = resync_sent();
    world.receive(package_1(1).md5(&[0; 4]));

    assert!(world.answer(vec![]).message.header.cred.is_some());
}

#[test]
fn resynchronisation_is_taken_once_even_if_the_caller_forgets_to_take_it_back() {
    let mut world = resync_sent();
    world.each_message = true;
    world.receive(package_1(1).md5(&[0; 4]));
    world.answer(vec![get(1, "./A")]);

    for nonce in [[0; 4].as_slice(), b"0x00000000"] {
        let mut world = World { session: world.session.clone(), ..resync_sent() };
        let received = world.receive(package_3(2, 1).md5(nonce));

        assert_eq!((received.stage, received.failure), (Stage::Challenge, Some(Failure::UninvitedResync)));
    }
}

#[test]
fn ordinary_nonce_is_taken_after_a_notification_of_resynchronisation_too() {
    let mut world = resync_sent();

    let received = world.receive(package_1(1).md5(b"stored"));
    let reply = world.answer(vec![get(1, "./A")]);

    assert_eq!(received.login, Some(Login { auth: AuthType::Md5, nonce: Some(0), resync: None }));
    assert_eq!(reply.message.header.cred.unwrap().data, md5_digest("srv-user", "srv-secret", b"lost").as_str());
}

fn sealed_with(world: &mut World, nonce: &[u8]) -> Result<Login, Failure> {
    let body = Message::from(package_1(1)).encode(Encoding::Xml).unwrap();
    let header = format!("username=\"dev-user\", mac={}", mac("dev-user", "dev-secret", nonce, &body));
    let received = world.receive_octets(&body, Some(&header)).unwrap();
    received.login.ok_or_else(|| received.failure.unwrap())
}

#[test]
fn mac_with_the_nonce_of_resynchronisation_is_taken_at_the_first_contact_of_devices_with_that_quirk_only() {
    let take = |quirk: bool, is_first_contact: bool| {
        let mut world = World::new();
        world.quirks.empty_nonce_is_resync = quirk;
        world.is_first_contact = is_first_contact;
        sealed_with(&mut world, ResyncNonce::FourZeroOctets.octets())
    };
    let login = Login { auth: AuthType::Hmac, nonce: None, resync: Some(FourZeroOctets) };

    assert_eq!(take(true, true), Ok(login));
    for (quirk, is_first_contact) in [(true, false), (false, true), (false, false)] {
        assert_eq!(take(quirk, is_first_contact), Err(Failure::UninvitedResync));
    }
}

#[test]
fn that_quirk_is_about_macs_and_leaves_the_credential_of_the_server_alone() {
    let mut md5 = World::new();
    md5.quirks.empty_nonce_is_resync = true;
    md5.is_first_contact = true;
    let mut sealed = World { quirks: md5.quirks.clone(), is_first_contact: true, ..World::new() };
    sealed.server_nonce = Some(b"first".to_vec());

    let refused = md5.receive(package_1(1).md5(&[0; 4]));
    sealed_with(&mut sealed, &[0; 4]).unwrap();
    let reply = sealed.answer(vec![get(1, "./A")]);

    assert_eq!(refused.failure, Some(Failure::UninvitedResync));
    let body = reply.message.encode(Encoding::Xml).unwrap();
    let made = reply.seal.unwrap().header(&body);
    assert!(made.ends_with(&mac("srv-user", "srv-secret", b"first", &body)), "{made}");
}
