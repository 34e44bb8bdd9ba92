//! Opening a data folder.

use std::os::unix::fs::PermissionsExt as _;

use muster_broker::access::Grant;
use muster_broker::filter::Filter;
use muster_broker::job::{DeviceFilter, Selector};
use muster_broker::store::TaskFilter;
use muster_broker::task::TaskStatus;
use muster_store::{KeyError, OpenError, SqliteStore};

use crate::world::{ALL, TENANT, World, small};

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let mut world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let contact = world.contact("one").await;
    world.reopen();
    assert_eq!(world.contact("one").await, contact);
    assert_eq!(world.store().task_get(TENANT, task.id).await.unwrap(), Some(task));
}

#[test]
fn the_files_can_be_read_by_their_owner_alone() {
    let world = World::new();
    for name in ["muster.db", "muster.db-wal", "muster.db-shm", "muster.key", "muster.lock"] {
        let mode = std::fs::metadata(world.folder().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_opener_is_refused_until_the_first_has_gone() {
    let mut world = World::new();
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("in use by another process"));
    world.reopen();
}

#[test]
fn a_wrong_key_file_is_refused_and_the_right_one_still_opens() {
    let mut world = World::new();
    world.close();
    let key = world.folder().join("muster.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, [9; 32]).unwrap();
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    assert!(matches!(refused, OpenError::WrongKey { .. }), "{refused}");

    std::fs::write(&key, &right[..31]).unwrap();
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    assert!(matches!(refused, OpenError::Key(KeyError::Length { bytes: 31, .. })), "{refused}");

    std::fs::write(&key, &right).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    assert!(matches!(refused, OpenError::Key(KeyError::Permissions { mode: 0o644, .. })), "{refused}");

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.reopen();
}

#[test]
fn a_missing_key_file_is_not_replaced_by_a_new_one() {
    let mut world = World::new();
    world.close();
    let key = world.folder().join("muster.key");
    std::fs::remove_file(&key).unwrap();
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    assert!(matches!(refused, OpenError::KeyMissing { .. }), "{refused}");
    assert!(!key.exists());
}

#[test]
fn a_newer_schema_is_refused_with_both_versions_and_left_alone() {
    let mut world = World::new();
    world.close();
    let database = world.folder().join("muster.db");
    let raw = rusqlite::Connection::open(&database).unwrap();
    raw.execute("UPDATE meta SET value = ? WHERE name = 'schema'", [99_i64.to_be_bytes()]).unwrap();
    drop(raw);
    let refused = SqliteStore::open(&small(world.folder())).unwrap_err();
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let newest = i64::try_from(std::fs::read_dir(migrations).unwrap().count()).unwrap();
    assert!(matches!(refused, OpenError::NewerSchema { found: 99, known, .. } if known == newest), "{refused}");
    let told = refused.to_string();
    assert!(told.contains("schema 99") && told.contains(&format!("up to {newest}")), "{told}");
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_up_to_this_one_with_what_it_holds() {
    let mut world = World::new();
    world.close();
    let database = world.folder().join("muster.db");
    std::fs::remove_file(&database).unwrap();
    let raw = rusqlite::Connection::open(&database).unwrap();
    raw.execute_batch(include_str!("../../migrations/sqlite/0001_initial.sql")).unwrap();
    raw.execute_batch(
        "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
         INSERT INTO meta (name, value) VALUES ('schema', x'0000000000000001');
         INSERT INTO device (bucket, oid, tenant, management_state, auth_type, client_name, client_secret, version,
           groups, attributes)
         VALUES (7, zeroblob(16), 'alpha', 2, 1, 'old', x'01', 3, '[\"pilot\"]', '[[\"site\",\"north\"]]');
         INSERT INTO device_key (kind, value, scope, bucket, oid) VALUES (2, 'old', '', 7, zeroblob(16));
         INSERT INTO contact (bucket, oid, generation, revision, last_seen_at) VALUES (7, zeroblob(16), 41, 42, 5000);
         INSERT INTO device_count (tenant, bucket, count) VALUES ('alpha', 0, 1);
         INSERT INTO task (bucket, id, tenant, owner, device_bucket, device, operation, policy, opt_in, test_cycle,
           priority, released, status, is_open, attempts, start_at, end_at, messages, created_at, updated_at,
           history_len, history, version)
         VALUES (7, zeroblob(16), 'alpha', 'care', 7, zeroblob(16), 'QUERY', 20, 0, 0, 5, 1, 7, 0, 1, 0, 9, 2, 1000,
           2000, 0, x'', 1);
         INSERT INTO principal (name, tenant, roles, password_hash) VALUES
         ('admin', 'default', '[\"administrator\"]', 'a'), ('crm', 'beta', '[\"care\",\"administrator\"]', 'c');",
    )
    .unwrap();
    let job = world.job(Selector::default());
    raw.execute(
        "INSERT INTO job (id, tenant, owner, name, template, is_mixed, schedule, status, created_at, version, is_active, \
         paced_at, paced, skipped, unmatched) VALUES (?, 'alpha', 'care', 'old', ?, 0, '{}', 4, 1000, 1, 0, 0, 0, 2, 0)",
        rusqlite::params![job.id.0.as_bytes(), serde_json::to_string(&job.template).unwrap()],
    )
    .unwrap();
    raw.execute("INSERT INTO job_count (job, bucket, status, count) VALUES (?, 0, 7, 3)", [job.id.0.as_bytes()])
        .unwrap();
    drop(raw);
    world.reopen();
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    assert_eq!(view.counts, [(TaskStatus::Succeeded, 3)]);
    assert_eq!((view.job.rollout, view.wave_counts, view.reasons.len()), (None, vec![], 0));
    assert_eq!(view.left_out, [("suspended or retired and got no task".to_owned(), 2)]);

    let contact = world.contact("old").await;
    assert_eq!((contact.state.generation, contact.state.revision, contact.device.version), (41, 42, 3));
    assert_eq!(contact.recording, None);

    // What lists are narrowed and counted by was made of it.
    for expression in [
        "managementState = MANAGED",
        "group = pilot",
        "attribute.site = north",
        "has(attribute.site)",
        "has(lastSeenAt)",
        "lastSeenAt < 1970-01-01T00:00:06Z",
    ] {
        let expression = Some(Filter::parse(expression).unwrap());
        let filter = DeviceFilter { expression: expression.clone(), ..DeviceFilter::default() };
        let listed = world.store().device_list(TENANT, filter, ALL).await.unwrap();
        assert_eq!((listed.total, listed.items.len()), (1, 1), "{expression:?}");
    }
    let expression = Some(Filter::parse("status = SUCCEEDED and owner = care and operation = QUERY").unwrap());
    let filter = TaskFilter { expression, ..TaskFilter::default() };
    let listed = world.store().task_list(TENANT, filter, ALL).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (1, 1));
    let granted = async |name: &str| {
        let principal = world.store().principal_get(name).await.unwrap().unwrap();
        assert!(principal.enabled && principal.version == 1 && principal.created_at.0 > 0);
        principal.grants.iter().map(Grant::to_string).collect::<Vec<_>>()
    };
    assert_eq!(granted("admin").await, ["administrator in *"]);
    assert_eq!(granted("crm").await, ["care", "administrator"]);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("muster.db"), vec![b'x'; 8192]).unwrap();
    let refused = SqliteStore::open(&small(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Database { .. }), "{refused}");
}
