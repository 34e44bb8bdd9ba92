//! The chain of the audit log: nobody changes it unseen.

use muster_broker::ledger::chain::{Anchor, Broken, Verifier};
use muster_broker::store::Due;
use muster_store::Archive;
use rusqlite::Connection;

use crate::world::{TENANT, World, deed, phone};

/// Looks through the whole log, `limit` entries at once.
pub(crate) async fn verify(world: &World, anchor: Option<Anchor>, limit: u32) -> Result<Anchor, Broken> {
    let mut verifier = Verifier::new(anchor);
    loop {
        let (next, outcome) = world.store().audit_verify(verifier, limit).await.unwrap();
        verifier = next;
        match outcome? {
            Due::More => {}
            Due::Nothing => return verifier.end(),
        }
    }
}

/// Changes the database behind the store's back.
fn tamper(world: &World, sql: &str) {
    let connection = Connection::open(world.folder().join("muster.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// A store with some twenty entries of several kinds, closed.
async fn filled() -> World {
    let mut world = World::new();
    for number in 0..6 {
        let mut given = world.given(&format!("d{number}"));
        given.device.phone_number = Some(phone(&format!("+1555000000{number}")));
        let device = world.create(given).await;
        let task = world.task(&device).await;
        world.store().task_cancel(TENANT, task.id, Some("why".into()), deed("care")).await.unwrap().unwrap();
    }
    world.close();
    world
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_right_however_it_is_looked_through() {
    let mut world = filled().await;
    world.reopen();
    let head = verify(&world, None, 1000).await.unwrap();
    assert_eq!(head.number, 18);
    for limit in [1, 2, 5, 18, 19] {
        assert_eq!(verify(&world, Some(head), limit).await, Ok(head), "{limit} at once");
    }
    // It goes on after a restart, and so does looking through it.
    world.device("later").await;
    let mut verifier = Verifier::after(head, None);
    let (next, outcome) = world.store().audit_verify(verifier, 1000).await.unwrap();
    verifier = next;
    assert_eq!((outcome, verifier.head().number), (Ok(Due::Nothing), 19));
    let beside = Archive::open(world.folder()).unwrap();
    let (read, outcome) = beside.verify(Verifier::new(Some(head)), 1000).unwrap();
    assert_eq!((outcome, read.end().unwrap()), (Ok(Due::Nothing), verifier.head()));
}

#[tokio::test]
async fn whatever_is_changed_in_the_log_shows_at_its_place() {
    let changed = |number| Broken::Changed { number };
    // What somebody does to the database, and what is found.
    let table: &[(&str, Broken)] = &[
        ("UPDATE audit SET actor = 'other' WHERE number = 7", changed(7)),
        ("UPDATE audit SET at = at - 1 WHERE number = 7", changed(7)),
        ("UPDATE audit SET tenant = 'beta' WHERE number = 7", changed(7)),
        ("UPDATE audit SET operation = 'x' WHERE number = 7", changed(7)),
        ("UPDATE audit SET face = 'REST' WHERE number = 7", changed(7)),
        ("UPDATE audit SET way = 'DIGEST' WHERE number = 7", changed(7)),
        ("UPDATE audit SET peer = '10.0.0.1' WHERE number = 7", changed(7)),
        ("UPDATE audit SET peer = 'no address' WHERE number = 7", changed(7)),
        ("UPDATE audit SET correlation = x'00000000000000000000000000000001' WHERE number = 7", changed(7)),
        ("UPDATE audit SET fault = 'DMP0003' WHERE number = 7", changed(7)),
        ("UPDATE audit SET fault = 'no fault' WHERE number = 7", changed(7)),
        ("UPDATE audit SET count = 2 WHERE number = 7", changed(7)),
        ("UPDATE audit SET object_kind = 'x' WHERE number = 7", changed(7)),
        ("UPDATE audit SET object_id = NULL WHERE number = 7", changed(7)),
        ("UPDATE audit SET before = '{}' WHERE number = 7", changed(7)),
        ("UPDATE audit SET after = NULL WHERE number = 7", changed(7)),
        ("UPDATE audit SET device_session = '1' WHERE number = 7", changed(7)),
        ("UPDATE audit SET task = 't000-00000000000000000000000000000001' WHERE number = 7", changed(7)),
        ("UPDATE audit SET job = 'j-00000000000000000000000000000001' WHERE number = 7", changed(7)),
        ("UPDATE audit SET device = NULL WHERE number = 8", changed(8)),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 7", changed(7)),
        ("UPDATE audit SET hash = x'00' WHERE number = 7", changed(7)),
        ("UPDATE audit SET seal = zeroblob(32) WHERE number = 7", changed(7)),
        ("UPDATE audit SET personal = replace(personal, '5', '6') WHERE number = 7", Broken::Personal { number: 7 }),
        ("UPDATE audit SET salt = zeroblob(16) WHERE number = 7", Broken::Personal { number: 7 }),
        ("UPDATE audit SET salt = NULL WHERE number = 7", Broken::Personal { number: 7 }),
        ("UPDATE audit SET personal = NULL WHERE number = 7", Broken::Personal { number: 7 }),
        ("UPDATE audit SET personal = '{}', salt = x'00' WHERE number = 9", Broken::Personal { number: 9 }),
        ("DELETE FROM audit WHERE number = 7", Broken::Missing { expected: 7, found: 8 }),
        ("DELETE FROM audit WHERE number = 1", Broken::Missing { expected: 1, found: 2 }),
        ("DELETE FROM audit WHERE number < 18", Broken::Missing { expected: 1, found: 18 }),
        (
            "INSERT INTO audit SELECT 0, at, tenant, actor, face, way, peer, correlation, operation, fault, count, \
          object_kind, object_id, before, after, personal, salt, seal, task, job, device, device_session, hash \
          FROM audit WHERE number = 1",
            Broken::Missing { expected: 1, found: 0 },
        ),
        // Two entries trade their places.
        (
            "UPDATE audit SET number = 99 WHERE number = 7; UPDATE audit SET number = 7 WHERE number = 8; \
          UPDATE audit SET number = 8 WHERE number = 99",
            changed(7),
        ),
        // One is taken out and the others move up.
        ("DELETE FROM audit WHERE number = 7; UPDATE audit SET number = number - 1 WHERE number > 7", changed(7)),
    ];
    for (sql, found) in table {
        let mut world = filled().await;
        tamper(&world, sql);
        world.reopen();
        assert_eq!(verify(&world, None, 4).await, Err(*found), "{sql}");
        let (_, outcome) = Archive::open(world.folder()).unwrap().verify(Verifier::new(None), 1000).unwrap();
        assert_eq!(outcome, Err(*found), "{sql}");
    }
}

#[tokio::test]
async fn that_the_end_was_cut_off_shows_by_an_anchor_alone() {
    let mut world = filled().await;
    world.reopen();
    let head = verify(&world, None, 1000).await.unwrap();
    world.close();
    tamper(&world, "DELETE FROM audit WHERE number > 15");
    world.reopen();
    assert_eq!(verify(&world, None, 1000).await.map(|head| head.number), Ok(15));
    assert_eq!(verify(&world, Some(head), 1000).await, Err(Broken::Short { last: 15, anchor: 18 }));
    // Others in their place do not help.
    for number in 0..4 {
        world.device(&format!("n{number}")).await;
    }
    assert_eq!(verify(&world, Some(head), 1000).await, Err(Broken::OtherAnchor { number: 18 }));
    let (_, outcome) = world.store().audit_verify(Verifier::after(head, None), 1000).await.unwrap();
    assert_eq!(outcome, Err(Broken::OtherAnchor { number: 18 }));
}
