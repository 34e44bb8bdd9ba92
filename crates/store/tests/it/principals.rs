//! Principals and their sessions.

use muster_broker::access::{Grant, GrantTenant, Granted, Principal, PrincipalKind, RightPattern, TreePath};
use muster_broker::store::SessionRecord;

use crate::world::{NOW, World, deed};

fn principal(name: &str) -> Principal {
    let narrowed = Grant {
        groups: vec!["north".into()],
        paths: vec![TreePath::parse("./Vendor/Acme").unwrap()],
        ..Grant::whole(Granted::Right(RightPattern::parse("device.operate:UPDATE").unwrap()), GrantTenant::Any)
    };
    Principal {
        kind: PrincipalKind::Person,
        display_name: Some("One of us".into()),
        grants: vec![Grant::role("care"), narrowed],
        enabled: false,
        digest_secret: Some(vec![1, 2]),
        subject: Some(format!("https://id.example {name}")),
        created_at: NOW,
        ..Principal::of_role(name, "alpha", "care", "$argon2id$…")
    }
}

fn session(digest: u8, used_s: i64) -> SessionRecord {
    SessionRecord {
        digest: [digest; 32],
        principal: "one".into(),
        tenant: "alpha".into(),
        created_at: NOW,
        used_at: NOW.plus_s(used_s),
    }
}

#[tokio::test]
async fn a_principal_replaces_the_one_of_the_same_name() {
    let mut world = World::new();
    for name in ["two", "one"] {
        world.store().principal_put(principal(name), deed("care")).await.unwrap();
    }
    let changed =
        Principal { grants: vec![Grant::role("administrator")], digest_secret: None, version: 2, ..principal("one") };
    world.store().principal_put(changed.clone(), deed("care")).await.unwrap();
    world.reopen();

    assert_eq!(world.store().principal_get("one").await.unwrap(), Some(changed.clone()));
    assert_eq!(world.store().principal_get("One").await.unwrap(), None);
    assert_eq!(world.store().principal_list().await.unwrap(), [changed, principal("two")]);
}

#[tokio::test]
async fn a_session_is_kept_until_it_ends_or_is_forgotten() {
    let world = World::new();
    for record in [session(1, 0), session(2, 100), session(3, 0)] {
        world.store().session_put(record, deed("care")).await.unwrap();
    }
    world.store().session_touch([1; 32], session(1, 100).used_at).await.unwrap();
    world.store().session_delete([2; 32], deed("care")).await.unwrap();
    world.store().session_delete([2; 32], deed("care")).await.unwrap();
    // Noting a use at the moment of the logout must not bring the session back.
    world.store().session_touch([2; 32], session(2, 200).used_at).await.unwrap();

    world.store().forget(NOW.plus_s(50), NOW).await.unwrap();

    assert_eq!(world.store().session_get([1; 32]).await.unwrap(), Some(session(1, 100)));
    assert_eq!(world.store().session_get([2; 32]).await.unwrap(), None);
    assert_eq!(world.store().session_get([3; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn a_working_store_answers_a_ping() {
    World::new().store().ping().await.unwrap();
}
