use muster_broker::access::{Caller, Face, Grant, Origin, Principal, Right, Way};
use muster_broker::directory::AGE_S;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::ledger::Deed;
use muster_broker::services::OpenedSession;

use crate::world::{MORNING, World, admin, caller, fault};

fn principal() -> Principal {
    Principal::of_role("shop", "acme", "care", "")
}

fn origin() -> Origin {
    Origin { peer: None, face: Face::Soap, way: Way::Session, correlation: uuid::Uuid::from_u128(7) }
}

fn deed() -> Deed {
    Deed::local("acme", "test", MORNING)
}

async fn login(world: &World, tenant: Option<&str>) -> Result<OpenedSession, Fault> {
    let account = world.broker.account("shop").await.unwrap().unwrap();
    world.broker.login(&account, tenant, origin()).await
}

async fn world() -> World {
    let world = World::new();
    world.broker.store().principal_put(principal(), deed()).await.unwrap();
    world
}

#[tokio::test]
async fn a_session_is_its_principals_until_logout() {
    let world = world().await;
    let opened = login(&world, Some("acme")).await.unwrap();
    assert_eq!(opened.expires_at, MORNING.plus_s(30 * 60));
    let expected = Caller { origin: origin(), ..caller("shop", "care") };
    assert_eq!(world.broker.session_caller(&opened.session_id, origin()).await.unwrap(), expected);
    world.broker.logout(&opened.session_id, origin()).await.unwrap();
    assert_eq!(fault(world.broker.session_caller(&opened.session_id, origin()).await), FaultName::NotAuthenticated);
}

#[tokio::test]
async fn logout_never_tells_whether_there_was_a_session() {
    let world = world().await;
    world.broker.logout("no such session", origin()).await.unwrap();
}

#[tokio::test]
async fn another_domain_than_the_principals_is_refused() {
    let world = world().await;
    assert_eq!(fault(login(&world, Some("other")).await), FaultName::NotAuthenticated);
}

#[tokio::test]
async fn a_session_identifier_has_256_random_bits_and_is_kept_as_a_digest_only() {
    let world = world().await;
    let first = login(&world, None).await.unwrap().session_id;
    let second = login(&world, None).await.unwrap().session_id;
    assert_eq!((first.len(), second.len()), (43, 43));
    assert_ne!(first, second);
    let digest = world.broker.vault().digest("session", first.as_bytes());
    let kept = world.broker.store().session_get(digest).await.unwrap().unwrap();
    assert!(!format!("{kept:?}").contains(&first));
}

#[tokio::test]
async fn a_session_ends_without_use_and_use_puts_its_end_off() {
    let world = world().await;
    let session = login(&world, None).await.unwrap().session_id;
    for _ in 0..3 {
        world.clock.advance_s(29 * 60);
        world.broker.session_caller(&session, origin()).await.unwrap();
    }
    world.clock.advance_s(30 * 60);
    assert_eq!(fault(world.broker.session_caller(&session, origin()).await), FaultName::SessionExpired);
    assert_eq!(fault(world.broker.renew_session(&session).await), FaultName::SessionExpired);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_often_it_is_renewed() {
    let world = world().await;
    let session = login(&world, None).await.unwrap().session_id;
    for _ in 0..35 {
        world.clock.advance_s(20 * 60);
        world.broker.renew_session(&session).await.unwrap();
    }
    let last = world.broker.renew_session(&session).await.unwrap();
    assert_eq!(last.expires_at, MORNING.plus_s(12 * 3600));
    world.clock.advance_s(20 * 60);
    assert_eq!(fault(world.broker.session_caller(&session, origin()).await), FaultName::SessionExpired);
}

#[tokio::test]
async fn use_is_noted_at_most_once_a_minute() {
    let world = world().await;
    let session = login(&world, None).await.unwrap().session_id;
    let digest = world.broker.vault().digest("session", session.as_bytes());
    for (after_s, noted_s) in [(59, 0), (1, 60), (30, 60), (30, 120)] {
        world.clock.advance_s(after_s);
        world.broker.session_caller(&session, origin()).await.unwrap();
        let kept = world.broker.store().session_get(digest).await.unwrap().unwrap();
        assert_eq!(kept.used_at, MORNING.plus_s(noted_s));
    }
}

#[tokio::test]
async fn a_principal_that_changed_domain_has_no_session_in_the_old_one() {
    let world = world().await;
    let session = login(&world, None).await.unwrap().session_id;
    world.broker.store().principal_put(Principal { tenant: "other".into(), ..principal() }, deed()).await.unwrap();
    world.clock.advance_s(AGE_S);
    assert_eq!(fault(world.broker.session_caller(&session, origin()).await), FaultName::NotAuthenticated);
}

#[tokio::test]
async fn what_another_node_writes_counts_after_five_seconds() {
    let world = world().await;
    let session = login(&world, None).await.unwrap().session_id;
    let principal = Principal { grants: vec![Grant::role("reader")], ..principal() };
    world.broker.store().principal_put(principal, deed()).await.unwrap();
    let caller_now = async || world.broker.session_caller(&session, origin()).await.unwrap();
    world.clock.advance_s(AGE_S - 1);
    assert!(caller_now().await.must(Right::new("device", "operate")).is_ok());
    world.clock.advance_s(1);
    let caller = caller_now().await;
    assert!(caller.must(Right::new("device", "read")).is_ok());
    assert!(caller.must(Right::new("device", "operate")).is_err());
}

#[tokio::test]
async fn the_server_tells_its_name_limits_and_clock() {
    let world = world().await;
    let info = world.broker.service_info(&admin()).unwrap();
    assert_eq!((info.server_id.as_str(), info.contract_version), ("muster", "1.0"));
    assert_eq!(info.server_time, MORNING);
    assert_eq!(info.request_bytes_max, world.broker.settings().request_bytes_max);
}
