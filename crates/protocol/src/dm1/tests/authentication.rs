use super::world::*;
use crate::dm1::{AuthType, EndReason, Login, Stage, basic, md5_digest};

#[test]
fn missing_credential_is_challenged_and_every_command_gets_407() {
    let mut world = World::new();

    let received = world.receive(package_1(1));
    let reply = world.answer(vec![]);

    assert_eq!((received.stage, received.login, &received.device), (Stage::Challenge, None, &None));
    let expected = [("1 0 SyncHdr", 407), ("1 1 Alert", 407), ("1 2 Replace", 407)];
    assert_eq!(statuses(&reply.message), expected.map(|(of, code)| (of.to_owned(), code)));
    assert_eq!(challenge(&reply.message), Some(("syncml:auth-md5".to_owned(), Some(b"challenge".to_vec()))));
    assert!(asked(&reply.message).is_empty() && reply.message.is_final && !reply.over);
}

#[test]
fn stale_credential_is_challenged_with_401_and_the_challenge_is_then_met() {
    let mut world = World::new();

    let first = world.receive(package_1(1).md5(b"long ago"));
    let reply = world.answer(vec![]);
    let second = world.receive(package_1(2).md5(b"challenge"));

    assert_eq!(first.stage, Stage::Challenge);
    assert_eq!(statuses(&reply.message)[0], ("1 0 SyncHdr".to_owned(), 401));
    assert_eq!(second.login, Some(Login { auth: AuthType::Md5, nonce: Some(1), resync: None }));
    assert_eq!(second.stage, Stage::Ready);
}

#[test]
fn second_bad_credential_ends_the_session_without_a_challenge() {
    let mut world = World::new();
    world.receive(package_1(1));
    world.answer(vec![]);

    let received = world.receive(package_1(2).md5(b"guess"));
    let reply = world.answer(vec![]);

    assert_eq!((received.stage, received.reason), (Stage::Refuse, Some(EndReason::BadCredential)));
    assert_eq!(statuses(&reply.message)[0], ("2 0 SyncHdr".to_owned(), 401));
    assert_eq!(challenge(&reply.message), None);
    assert!(reply.over && reply.message.is_final && world.session.is_over());
}

#[test]
fn accepted_md5_gets_212_and_the_nonce_of_the_next_session() {
    let mut world = World::logged_in();

    let reply = world.answer(vec![]);

    let expected = [("1 0 SyncHdr", 212), ("1 1 Alert", 200), ("1 2 Replace", 200)];
    assert_eq!(statuses(&reply.message), expected.map(|(of, code)| (of.to_owned(), code)));
    assert_eq!(challenge(&reply.message), Some(("syncml:auth-md5".to_owned(), Some(b"next-session".to_vec()))));
}

#[test]
fn basic_is_taken_only_where_the_account_allows_it_and_gets_no_nonce() {
    let credential = basic("dev-user", "dev-secret");
    let mut strict = World::new();
    let mut lax = World::new();
    lax.weakest = AuthType::Basic;

    let refused = strict.receive(package_1(1).cred("syncml:auth-basic", &credential));
    let refusal = strict.answer(vec![]);
    let taken = lax.receive(package_1(1).cred("syncml:auth-basic", &credential));
    let reply = lax.answer(vec![]);

    assert_eq!(refused.stage, Stage::Challenge);
    assert_eq!(challenge(&refusal.message).unwrap().0, "syncml:auth-md5");
    assert_eq!(taken.login, Some(Login { auth: AuthType::Basic, nonce: None, resync: None }));
    assert_eq!((statuses(&reply.message)[0].1, challenge(&reply.message)), (212, None));
}

#[test]
fn wrong_password_of_an_allowed_basic_is_challenged_for_basic() {
    let mut world = World::new();
    world.weakest = AuthType::Basic;

    world.receive(package_1(1).cred("syncml:auth-basic", &basic("dev-user", "wrong")));
    let reply = world.answer(vec![]);

    assert_eq!(challenge(&reply.message), Some(("syncml:auth-basic".to_owned(), None)));
}

#[test]
fn md5_is_taken_where_basic_is_allowed() {
    let mut world = World::new();
    world.weakest = AuthType::Basic;

    assert!(world.receive(package_1(1).md5(b"stored")).login.is_some());
}

#[test]
fn unknown_scheme_is_challenged_for_md5() {
    let mut world = World::new();

    let received =
        world.receive(package_1(1).cred("syncml:auth-MAC", &md5_digest("dev-user", "dev-secret", b"stored")));

    assert_eq!(received.stage, Stage::Challenge);
    assert_eq!(challenge(&world.answer(vec![]).message).unwrap().0, "syncml:auth-md5");
}

#[test]
fn later_message_needs_no_credential() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);

    let received = world.receive(package_3(2, 1).status(1, 4, 404));

    assert_eq!((received.stage, received.login), (Stage::Ready, None));
}

#[test]
fn wrong_credential_in_a_later_message_is_challenged_and_its_statuses_are_not_taken() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);

    let doubtful = world.receive(package_3(2, 1).status(1, 4, 404).md5(b"guess"));
    let reply = world.answer(vec![]);
    let sure = world.receive(package_3(3, 2).status(1, 4, 404).md5(b"challenge"));

    assert_eq!((doubtful.stage, doubtful.outcomes), (Stage::Challenge, vec![]));
    assert_eq!(statuses(&reply.message), [("2 0 SyncHdr".to_owned(), 401)]);
    assert_eq!(answers(&sure.outcomes), [(1, code(404))]);
}

#[test]
fn nothing_is_learnt_from_a_stranger() {
    let mut world = World::new();
    let message = package_1(1).alert_with("1226", None, vec![]).header_chal(1, 212, "syncml:auth-md5", Some(b"mine"));

    let received = world.receive(message);

    assert!(received.alerts.is_empty() && received.server_nonce.is_none());
    assert!(received.initiation.is_none() && received.device.is_none());
}

#[test]
fn sizes_are_told_until_the_client_is_known_and_then_no_more() {
    let mut world = World::new();
    let mut told = Vec::new();

    world.receive(package_1(1));
    told.push(world.answer(vec![]).message.header.meta.max_msg_size);
    world.receive(package_1(2).md5(b"challenge"));
    told.push(world.answer(vec![get(1, "./DevDetail")]).message.header.meta.max_msg_size);
    world.receive(package_3(3, 2).status(2, 4, 404));
    told.push(world.answer(vec![]).message.header.meta.max_msg_size);

    assert_eq!(told, [Some(16_384), Some(16_384), None]);
}

#[test]
fn versions_not_spoken_here_are_refused_with_their_own_codes() {
    for (dtd, proto, code) in [("1.0", "DM/1.2", 505), ("2.0", "DM/1.2", 505), ("1.2", "DM/1.1", 513), ("1.2", "", 513)]
    {
        let mut world = World::new();
        let mut draft = package_1(1).md5(b"stored");
        draft.0.header.ver_dtd = dtd.into();
        draft.0.header.ver_proto = proto.into();

        let received = world.receive(draft);
        let reply = world.answer(vec![]);

        assert_eq!((received.stage, received.reason), (Stage::Refuse, Some(EndReason::Version)));
        assert_eq!(statuses(&reply.message)[0].1, code, "{dtd} {proto}");
        assert!(reply.over && reply.message.is_final && asked(&reply.message).is_empty());
    }
}

#[test]
fn documents_of_dtd_1_1_are_read() {
    let mut draft = package_1(1).md5(b"stored");
    draft.0.header.ver_dtd = "1.1".into();

    assert_eq!(World::new().receive(draft).stage, Stage::Ready);
}

#[test]
fn session_of_which_only_the_count_was_kept_takes_the_answer_to_its_challenge() {
    let mut world = World::new();
    world.session = crate::dm1::Session::after_challenge("A1", crate::syncml::Encoding::Xml, 1);
    let mut other = World::new();
    other.session = world.session.clone();

    assert_eq!(world.receive(package_1(2).md5(b"challenge")).stage, Stage::Ready);
    assert_eq!(world.answer(vec![]).message.header.msg_id, "2");
    assert_eq!(other.receive(package_1(2)).stage, Stage::Refuse);
}

#[test]
fn client_that_failed_in_mid_session_is_a_stranger_until_it_proves_itself_again() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);
    world.receive(package_3(2, 1).md5(b"guess"));
    world.answer(vec![]);

    let received = world.receive(package_3(3, 2).status(1, 4, 404));

    assert_eq!((received.stage, received.reason), (Stage::Refuse, Some(EndReason::BadCredential)));
    assert_eq!(answers(&received.outcomes), [(1, crate::dm1::Answer::None)]);
}
