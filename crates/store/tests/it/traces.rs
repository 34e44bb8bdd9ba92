//! What is recorded of devices.

use muster_broker::device::Device;
use muster_broker::fault::FaultName;
use muster_broker::page::Page;
use muster_broker::store::{DeviceKey, Due, Verdict};
use muster_broker::task::TaskEvent;
use muster_broker::trace::{Recorded, Recording, TraceDirection, TraceMessage, TraceStep};

use crate::world::{ALL, NOW, TENANT, World, deed, nobody, step};

const RECORDING: Recording = Recording { until: NOW, sessions: 3 };

fn trace(device: &Device, session_id: &str, msg_id: u32) -> TraceStep {
    let message = |direction, octets: &[u8]| TraceMessage {
        number: 0,
        at: NOW,
        direction,
        content_type: "application/vnd.syncml.dm+wbxml".into(),
        length: 700,
        octets: octets.to_vec(),
        note: None,
    };
    TraceStep {
        device: device.oid,
        session_id: session_id.into(),
        msg_id: Some(msg_id),
        at: NOW,
        recorded: Recorded { keep: 3, task: None },
        is_let_in: true,
        is_repetition: false,
        ending: None,
        messages: vec![message(TraceDirection::Received, b"in"), message(TraceDirection::Sent, b"out")],
    }
}

async fn numbers(world: &World, device: &Device) -> Vec<u32> {
    let (_, listed) = world.store().trace_list(TENANT, device.oid, ALL).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items.iter().map(|session| session.number).collect()
}

#[tokio::test]
async fn a_recording_is_loaded_with_the_contact_and_stays_through_steps() {
    let world = World::new();
    let device = world.device("one").await;
    assert_eq!(world.contact("one").await.recording, None);

    world.store().trace_set(TENANT, device.oid, Some(RECORDING), false, deed("care")).await.unwrap().unwrap();

    assert_eq!(world.contact("one").await.recording, Some(RECORDING));
    assert_eq!(world.step("one", &[]).await, Verdict::Applied);
    assert_eq!(world.contact("one").await.recording, Some(RECORDING));
    world.store().trace_set(TENANT, device.oid, None, false, deed("care")).await.unwrap().unwrap();
    assert_eq!(world.contact("one").await.recording, None);
}

#[tokio::test]
async fn only_a_device_of_the_domain_that_can_connect_is_recorded() {
    let world = World::new();
    let device = world.device("one").await;
    let mut given = world.given("two");
    given.device.account = None;
    let without_account = world.create(given).await;
    let set = async |tenant: &str, oid, recording| {
        let outcome = world.store().trace_set(tenant, oid, recording, false, deed("care")).await.unwrap();
        outcome.err().map(|fault| fault.name)
    };
    assert_eq!(set("beta", device.oid, Some(RECORDING)).await, Some(FaultName::UnknownDevice));
    assert_eq!(set(TENANT, nobody(), Some(RECORDING)).await, Some(FaultName::UnknownDevice));
    assert_eq!(set(TENANT, without_account.oid, Some(RECORDING)).await, Some(FaultName::WrongState));
    assert_eq!(set(TENANT, without_account.oid, None).await, None);
    assert_eq!(world.contact("one").await.recording, None);
}

#[tokio::test]
async fn a_message_is_recorded_with_its_step_or_not_at_all() {
    let mut world = World::new();
    let device = world.device("one").await;
    let contact = world.contact("one").await;
    let mut first = step(&contact);
    first.trace = Some(trace(&device, "5", 1));
    assert_eq!(world.store().contact_commit(first.clone()).await.unwrap(), Verdict::Applied);
    // Decided on what is no more.
    assert_eq!(world.store().contact_commit(first).await.unwrap(), Verdict::Conflict);
    world.reopen();
    let (_, listed) = world.store().trace_list(TENANT, device.oid, ALL).await.unwrap();
    let [session] = listed.items.as_slice() else { panic!("{listed:?}") };
    assert_eq!((session.number, session.messages, session.octets, session.is_let_in), (1, 2, 5, true));
    let messages = world.store().trace_messages(TENANT, device.oid, 1, ALL).await.unwrap().unwrap();
    let kept: Vec<_> = messages.items.iter().map(|it| (it.number, it.direction, it.octets.as_slice())).collect();
    let wanted: [(u32, _, &[u8]); 2] = [(1, TraceDirection::Received, b"in"), (2, TraceDirection::Sent, b"out")];
    assert_eq!(kept, wanted);
}

#[tokio::test]
async fn messages_go_to_their_session_and_the_oldest_sessions_go() {
    let world = World::new();
    let device = world.device("one").await;
    for (session_id, msg_id) in [("1", 1), ("1", 2), ("2", 1), ("2", 1), ("2", 2), ("3", 1)] {
        world.store().trace_add(trace(&device, session_id, msg_id)).await.unwrap();
    }
    assert_eq!(numbers(&world, &device).await, [4, 3, 2]);
    assert_eq!(world.store().trace_messages(TENANT, device.oid, 1, ALL).await.unwrap(), None);
    let of = async |number| world.store().trace_messages(TENANT, device.oid, number, ALL).await.unwrap().unwrap().total;
    assert_eq!([of(2).await, of(3).await, of(4).await], [2, 4, 2]);
}

#[tokio::test]
async fn what_is_said_of_a_silent_device_ends_its_session_and_begins_none() {
    let world = World::new();
    let device = world.device("one").await;
    let silent =
        TraceStep { msg_id: None, ending: Some("silent".into()), messages: Vec::new(), ..trace(&device, "5", 1) };
    world.store().trace_add(silent.clone()).await.unwrap();
    assert_eq!(numbers(&world, &device).await, [] as [u32; 0]);
    world.store().trace_add(trace(&device, "5", 1)).await.unwrap();
    world.store().trace_add(silent).await.unwrap();
    let (_, listed) = world.store().trace_list(TENANT, device.oid, ALL).await.unwrap();
    assert_eq!(listed.items[0].ending.as_deref(), Some("silent"));
}

#[tokio::test]
async fn traces_are_listed_in_pages_and_in_their_own_domain_alone() {
    let world = World::new();
    let device = world.device("one").await;
    for session_id in ["1", "2", "3"] {
        world.store().trace_add(trace(&device, session_id, 1)).await.unwrap();
    }
    let (_, first) = world.store().trace_list(TENANT, device.oid, Page { size: 2, after: None }).await.unwrap();
    assert_eq!((first.items.len(), first.total, first.next.as_deref()), (2, 3, Some("2")));
    let (_, rest) = world.store().trace_list(TENANT, device.oid, Page { size: 2, after: first.next }).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let page = Page { size: 1, after: None };
    let first = world.store().trace_messages(TENANT, device.oid, 3, page).await.unwrap().unwrap();
    let page = Page { size: 1, after: first.next };
    let rest = world.store().trace_messages(TENANT, device.oid, 3, page).await.unwrap().unwrap();
    assert_eq!((rest.items[0].octets.as_slice(), rest.next), (&b"out"[..], None));

    let (recording, other) = world.store().trace_list("beta", device.oid, ALL).await.unwrap();
    assert_eq!((recording, other.total), (None, 0));
    assert_eq!(world.store().trace_messages("beta", device.oid, 3, ALL).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_recorded_goes_when_asked_with_the_record_and_with_time() {
    let world = World::new();
    let device = world.device("one").await;
    let add = async || world.store().trace_add(trace(&device, "1", 1)).await.unwrap();
    add().await;
    world.store().trace_set(TENANT, device.oid, Some(RECORDING), true, deed("care")).await.unwrap().unwrap();
    assert_eq!(numbers(&world, &device).await, [] as [u32; 0]);

    add().await;
    assert_eq!(world.store().trace_forget(NOW, 10).await.unwrap(), Due::Nothing);
    assert_eq!(numbers(&world, &device).await, [1]);
    assert_eq!(world.store().trace_forget(NOW.plus_ms(1), 1).await.unwrap(), Due::More);
    assert_eq!(numbers(&world, &device).await, [] as [u32; 0]);

    add().await;
    let key = DeviceKey::Oid(device.oid);
    world.store().device_delete(TENANT, key, None, deed("care")).await.unwrap().unwrap();
    add().await;
    let left: i64 = rusqlite::Connection::open(world.folder().join("muster.db"))
        .unwrap()
        .query_row("SELECT (SELECT count(*) FROM trace_session) + (SELECT count(*) FROM trace_message)", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_record_that_takes_an_account_over_takes_its_trace_too() {
    let world = World::new();
    let device = world.device("one").await;
    world.store().trace_set(TENANT, device.oid, Some(RECORDING), false, deed("care")).await.unwrap().unwrap();
    world.store().trace_add(trace(&device, "1", 1)).await.unwrap();
    let mut given = world.given("two");
    given.device.account = None;
    let taker = world.create(given).await;

    assert!(world.store().device_adopt(device.oid, taker.oid, deed("device")).await.unwrap());

    assert_eq!(numbers(&world, &device).await, [] as [u32; 0]);
    assert_eq!(numbers(&world, &taker).await, [1]);
    let contact = world.contact("one").await;
    assert_eq!((contact.device.oid, contact.recording), (taker.oid, Some(RECORDING)));
}

#[tokio::test]
async fn recording_changes_nothing_of_what_a_step_does() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let contact = world.contact("one").await;
    let mut recorded = step(&contact);
    let mut changed = contact.tasks[0].task.clone();
    changed.advance(TaskEvent::Connected, NOW).unwrap();
    recorded.history.push(changed.note(NOW, "Stepped", None, "device"));
    recorded.tasks.push(changed.clone());
    recorded.trace = Some(trace(&device, "1", 1));
    assert_eq!(world.store().contact_commit(recorded).await.unwrap(), Verdict::Applied);
    assert_eq!(world.stored(task.id).await.status, changed.status);
    assert_eq!(numbers(&world, &device).await, [1]);
}
