use super::world::*;
use crate::{
    dm1::{Answer, AuthType, EndReason, Reply, Stage, basic, md5_digest},
    syncml::StatusCode,
};

fn shown(reply: &Reply) -> Option<&str> {
    reply.message.header.cred.as_ref().map(|it| it.data.as_str())
}

fn digest(nonce: &[u8]) -> String {
    md5_digest("srv-user", "srv-secret", nonce)
}

#[test]
fn credential_goes_with_the_first_commands_and_names_the_server() {
    let mut world = World::with_server_credential();

    let reply = world.answer(vec![get(1, "./DevDetail")]);

    assert_eq!(shown(&reply), Some(digest(b"first").as_str()));
    assert_eq!(reply.message.header.source.name.as_deref(), Some("srv-user"));
}

#[test]
fn no_credential_goes_with_a_message_without_commands() {
    assert_eq!(shown(&World::with_server_credential().answer(vec![])), None);
}

#[test]
fn after_212_no_credential_is_shown_again_and_the_new_nonce_is_told() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./DevDetail")]);

    let received = world.receive(message(2).header_chal(1, 212, "syncml:auth-md5", Some(b"second")).status(1, 4, 404));
    let reply = world.answer(vec![get(2, "./DevInfo")]);

    assert_eq!(received.server_nonce, Some(b"second".to_vec()));
    assert_eq!(shown(&reply), None);
}

#[test]
fn after_200_each_message_has_a_credential_of_the_newest_nonce() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./DevDetail")]);

    world.receive(message(2).header_chal(1, 200, "syncml:auth-md5", Some(b"second")).status(1, 4, 404));
    let second = world.answer(vec![get(2, "./DevInfo")]);
    world.receive(message(3).header_chal(2, 200, "syncml:auth-md5", Some(b"third")).without_final());
    let third = world.answer(vec![]);
    world.receive(message(4).status(3, 0, 200).status(2, 2, 404));
    let fourth = world.answer(vec![]);

    assert_eq!(shown(&second), Some(digest(b"second").as_str()));
    assert_eq!(shown(&third), Some(digest(b"third").as_str()));
    assert_eq!(shown(&fourth), Some(digest(b"first").as_str()), "without a new nonce the account's");
}

#[test]
fn challenged_orders_are_sent_once_more_with_the_nonce_of_the_challenge() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./DevDetail"), delete(2, "./Vendor/A")]);

    let challenged = world
        .receive(message(2).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 401).status(1, 5, 401));
    let again = world.answer(vec![get(3, "./DevInfo")]);
    let accepted = world.receive(message(3).status(2, 0, 212).status(2, 2, 404).status(2, 3, 200).status(2, 4, 403));

    assert_eq!((challenged.stage, challenged.outcomes), (Stage::Ready, vec![]));
    assert_eq!(challenged.server_nonce, Some(b"fresh".to_vec()));
    assert_eq!(shown(&again), Some(digest(b"fresh").as_str()));
    assert_eq!(asked(&again.message), ["Get", "Delete", "Get"]);
    assert_eq!(answers(&accepted.outcomes), [(1, code(404)), (2, code(200)), (3, code(403))]);
}

#[test]
fn order_carried_out_in_a_challenged_message_is_not_sent_again() {
    let mut world = World::with_server_credential();
    world.answer(vec![delete(1, "./Vendor/A"), delete(2, "./Vendor/B")]);

    let received = world
        .receive(message(2).header_chal(1, 407, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 200).status(1, 5, 407));
    let again = world.answer(vec![]);

    assert_eq!(answers(&received.outcomes), [(1, code(200))]);
    assert_eq!(asked(&again.message), ["Delete"]);
}

#[test]
fn code_0_with_a_challenge_counts_as_a_challenge() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./DevDetail")]);
    let code = StatusCode::parse("0").0;

    let received = world.receive(message(2).header_chal(1, code, "syncml:auth-md5", Some(b"fresh")).status(1, 4, code));

    assert_eq!((received.stage, received.outcomes), (Stage::Ready, vec![]));
    assert_eq!(asked(&world.answer(vec![]).message), ["Get"]);
}

#[test]
fn second_challenge_ends_the_session_with_the_orders_not_carried_out() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./DevDetail")]);
    world.receive(message(2).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 401));
    world.answer(vec![]);

    let received = world.receive(message(3).header_chal(2, 401, "syncml:auth-md5", Some(b"more")).status(2, 2, 401));
    let reply = world.answer(vec![]);

    assert_eq!((received.stage, received.reason), (Stage::End, Some(EndReason::ServerCredentialRefused)));
    assert_eq!(answers(&received.outcomes), [(1, Answer::NotSent)]);
    assert!(reply.over && asked(&reply.message).is_empty());
}

#[test]
fn challenge_for_a_credential_we_do_not_have_ends_the_session() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);

    let received = world.receive(message(2).header_chal(1, 407, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 407));

    assert_eq!((received.stage, received.reason), (Stage::End, Some(EndReason::NoServerCredential)));
    assert_eq!(answers(&received.outcomes), [(1, Answer::NotSent)]);
}

#[test]
fn challenge_for_basic_is_met_only_where_the_account_allows_it() {
    let ask = |weakest| {
        let mut world = World::with_server_credential();
        world.answer(vec![get(1, "./DevDetail")]);
        world.weakest = weakest;
        let received = world.receive(message(2).header_chal(1, 401, "syncml:auth-basic", None).status(1, 4, 401));
        (received.reason, shown(&world.answer(vec![])).map(str::to_owned))
    };

    assert_eq!(ask(AuthType::Basic), (None, Some(basic("srv-user", "srv-secret"))));
    assert_eq!(ask(AuthType::Md5), (Some(EndReason::ServerSchemeRefused), None));
}

#[test]
fn containers_are_sent_again_whole() {
    let mut world = World::with_server_credential();
    let atomic = crate::dm1::Action::Atomic(vec![replace(2, "./Vendor/A", "one"), delete(3, "./Vendor/B")]);
    world.answer(vec![crate::dm1::Order { tag: 1, action: atomic }]);

    let received = world.receive(
        message(2)
            .header_chal(1, 401, "syncml:auth-md5", Some(b"fresh"))
            .status(1, 4, 401)
            .status(1, 5, 401)
            .status(1, 6, 401),
    );
    world.answer(vec![]);
    let done = world.receive(message(3).status(2, 0, 212).status(2, 2, 200).status(2, 3, 200).status(2, 4, 200));

    assert_eq!(received.outcomes, vec![]);
    assert_eq!(answers(&done.outcomes), [(1, code(200)), (2, code(200)), (3, code(200))]);
}

#[test]
fn challenge_after_212_ends_the_session() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./A")]);
    world.receive(message(2).header_chal(1, 212, "syncml:auth-md5", None).status(1, 4, 404));
    world.answer(vec![get(2, "./B")]);

    let received = world.receive(message(3).header_chal(2, 401, "syncml:auth-md5", Some(b"x")).status(2, 2, 401));

    assert_eq!((received.stage, received.reason), (Stage::End, Some(EndReason::ServerCredentialRefused)));
    assert_eq!(answers(&received.outcomes), [(2, Answer::NotSent)]);
}

#[test]
fn challenge_of_a_message_without_commands_counts_if_it_had_a_credential() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./A"), get(2, "./B")]);
    world.receive(message(2).header_chal(1, 200, "syncml:auth-md5", Some(b"n2")).status(1, 4, 404).without_final());
    assert!(shown(&world.answer(vec![])).is_some());
    let first = world.receive(message(3).header_chal(2, 401, "syncml:auth-md5", Some(b"n3")).status(1, 5, 404));
    assert_eq!(shown(&world.answer(vec![get(3, "./C")])), Some(digest(b"n3").as_str()));

    let second = world.receive(message(4).header_chal(3, 401, "syncml:auth-md5", Some(b"n4")).status(3, 2, 401));

    assert_eq!(first.stage, Stage::Ready);
    assert_eq!((second.stage, second.reason), (Stage::End, Some(EndReason::ServerCredentialRefused)));
}

#[test]
fn challenge_for_the_orders_may_come_after_the_client_had_to_prove_itself_again() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./A")]);
    world.receive(message(2).md5(b"guess"));
    world.answer(vec![]);
    let late = message(3).md5(b"challenge").status(2, 0, 200).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh"));

    let received = world.receive(late.status(1, 4, 401));
    let again = world.answer(vec![]);

    assert_eq!((received.stage, received.outcomes), (Stage::Ready, vec![]));
    assert_eq!((asked(&again.message), shown(&again)), (vec!["Get".to_owned()], Some(digest(b"fresh").as_str())));
}

#[test]
fn orders_are_kept_whole_only_while_the_device_may_refuse_our_credential() {
    let kept = |world: &World| serde_json::to_string(&world.session).unwrap().contains("a value of its own");
    let order = |tag| replace(tag, "./A", "a value of its own");
    let mut world = World::with_server_credential();

    world.answer(vec![order(1)]);
    assert!(kept(&world));
    world.receive(message(2).header_chal(1, 212, "syncml:auth-md5", None).status(1, 4, 200));
    assert!(!kept(&world));
    world.answer(vec![order(2)]);
    assert!(!kept(&world));
}

#[test]
fn abort_has_a_credential_where_every_message_must_have_one() {
    let mut world = World::with_server_credential();
    world.answer(vec![get(1, "./A")]);
    world.receive(message(2).header_chal(1, 200, "syncml:auth-md5", Some(b"second")).without_final());

    let reply = world.abort();

    assert_eq!(shown(&reply), Some(digest(b"second").as_str()));
}
