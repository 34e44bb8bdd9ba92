//! What waits to be told, and how nodes take it on.

use std::collections::HashMap;

use muster_broker::callback::{
    Callback, CallbackAddress, CallbackKind, CallbackUrl, EVENT_LIFE_S, Progress, Reply, ReplyTo, SoapVersion,
};
use muster_broker::device::Device;
use muster_broker::id::{CallbackAddressId, EventId};
use muster_broker::job::{JobEvent, Selector};
use muster_broker::store::{
    ClaimWanted, Claimed, Content, DeadLetterFilter, Due, Lease, Once, Settled, Settlement, Verdict, Waiting,
};
use muster_broker::task::{Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;
use uuid::Uuid;

use crate::world::{ALL, NOW, TENANT, World, address, deed, deed_at, step};

const OURS: Lease = Lease(Uuid::from_u128(71));
const THEIRS: Lease = Lease(Uuid::from_u128(72));

fn callback(address: u128, url: &str) -> Callback {
    Callback {
        address: CallbackAddressId(Uuid::from_u128(address)),
        url: CallbackUrl::parse(url).unwrap(),
        soap_version: SoapVersion::Soap11,
        reference: Some("ref".into()),
        relates_to: None,
    }
}

fn wanted(lease: Lease, now: Timestamp) -> ClaimWanted {
    ClaimWanted {
        lease,
        now,
        until: now.plus_s(60),
        claims_max: 10,
        per_address_max: 2,
        under_way: HashMap::new(),
        after: None,
    }
}

impl World {
    async fn address(&self, number: u128) {
        let made = self.store().callback_address_create(address(number), deed("root"), None).await.unwrap();
        assert_eq!(made, Once::Now(()));
    }

    async fn called_back(&self, device: &Device, callback: &Callback) -> Task {
        let mut target = self.target(device);
        target.task.callback = Some(callback.clone());
        self.keep(target.clone()).await;
        target.task
    }

    /// A task of `device` that has ended, at `at`.
    async fn ended(&self, name: &str, device: &Device, callback: &Callback) -> Task {
        let task = self.called_back(device, callback).await;
        let verdict = self.step(name, &[(task.id, TaskEvent::Connected)]).await;
        assert_eq!(verdict, Verdict::Applied);
        assert_eq!(self.step(name, &[(task.id, TaskEvent::Done)]).await, Verdict::Applied);
        task
    }

    async fn claim(&self, lease: Lease, now: Timestamp) -> Vec<Claimed> {
        self.store().callback_claim(wanted(lease, now)).await.unwrap()
    }

    async fn waiting(&self, claimed: &Claimed) -> Vec<Waiting> {
        self.store().callback_waiting(claimed.queue, 100).await.unwrap()
    }

    async fn settle(&self, claimed: &Claimed, lease: Lease, now: Timestamp, progress: Progress) -> Settled {
        let numbers = self.waiting(claimed).await.iter().map(|waiting| waiting.number).collect();
        let settlement = Settlement { queue: claimed.queue, lease, now, numbers, progress, until: None };
        self.store().callback_settle(settlement).await.unwrap()
    }

    async fn letters(&self) -> Vec<(String, String)> {
        let listed = self.store().dead_letter_list(TENANT, DeadLetterFilter::default(), ALL).await.unwrap();
        assert_eq!(listed.total, listed.items.len() as u64);
        listed.items.into_iter().map(|letter| (status(&letter.content), letter.reason)).collect()
    }
}

fn status(content: &Content) -> String {
    match content {
        Content::Event(event) => event.status.clone(),
        Content::Reply { .. } => "reply".into(),
    }
}

fn statuses(waiting: &[Waiting]) -> Vec<String> {
    waiting.iter().map(|waiting| status(&waiting.content)).collect()
}

#[tokio::test]
async fn the_end_of_a_task_waits_for_its_callback_and_nothing_waits_for_a_task_without_one() {
    let mut world = World::new();
    world.address(1).await;
    let device = world.device("one").await;
    let silent = world.task(&device).await;
    let task = world.called_back(&device, &callback(1, "https://crm.example/x")).await;
    world.step("one", &[(silent.id, TaskEvent::Connected)]).await;
    world.step("one", &[(silent.id, TaskEvent::Done), (task.id, TaskEvent::Connected)]).await;
    assert_eq!(world.claim(OURS, NOW).await, [], "neither is to be told yet");

    world.step("one", &[(task.id, TaskEvent::Done)]).await;
    world.reopen();

    let claims = world.claim(OURS, NOW).await;
    let [claimed] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!((claimed.url.as_str(), claimed.failed, claimed.is_ended), ("https://crm.example/x", 0, false));
    assert_eq!(claimed.address, Some(address(1)));
    let waiting = world.waiting(claimed).await;
    let [Waiting { owner, content: Content::Event(event), .. }] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!(owner, "care");
    assert_eq!((event.task, event.status.as_str(), event.at), (Some(task.id), "SUCCEEDED", NOW));
    assert_eq!((event.reference.as_deref(), event.device_id.as_ref()), (Some("ref"), device.device_id.as_ref()));
}

#[tokio::test]
async fn a_step_that_is_not_applied_tells_nothing() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.called_back(&device, &callback(1, "https://crm.example/x")).await;
    let contact = world.contact("one").await;
    world.step("one", &[(task.id, TaskEvent::Connected)]).await;
    let mut late = step(&contact);
    let mut ended = contact.tasks[0].task.clone();
    ended.advance(TaskEvent::CancelAsked, NOW).unwrap();
    late.history.push(ended.note(NOW, "Cancelled", None, "care"));
    late.tasks.push(ended);
    assert_eq!(world.store().contact_commit(late).await.unwrap(), Verdict::Conflict);
    assert_eq!(world.claim(OURS, NOW).await, []);
}

#[tokio::test]
async fn events_of_one_receiver_wait_in_the_order_in_which_they_happened() {
    let world = World::new();
    let (one, two) = (world.device("one").await, world.device("two").await);
    let to = callback(1, "https://crm.example/x");
    let mut made = Vec::new();
    for (name, device) in [("one", &one), ("two", &two), ("one", &one), ("two", &two)] {
        made.push(world.ended(name, device, &to).await.id);
    }
    let claims = world.claim(OURS, NOW).await;
    let waiting = world.waiting(&claims[0]).await;
    let tasks: Vec<_> = waiting
        .iter()
        .map(|waiting| match &waiting.content {
            Content::Event(event) => event.task.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((claims.len(), tasks), (1, made));
}

#[tokio::test]
async fn cancelled_expired_and_test_cycled_tasks_are_told_too() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    let cancelled = world.called_back(&device, &to).await;
    world.store().task_cancel(TENANT, cancelled.id, None, deed_at("care", NOW)).await.unwrap().unwrap();
    world.store().task_cancel(TENANT, cancelled.id, None, deed_at("care", NOW)).await.unwrap().unwrap();
    world.called_back(&device, &to).await;
    while world.store().task_expire(NOW.plus_s(7200), 10).await.unwrap() == Due::More {}
    let mut over = world.target(&device);
    over.task.callback = Some(to);
    over.task.status = TaskStatus::Succeeded;
    world.keep(over).await;
    let claims = world.claim(OURS, NOW.plus_s(7200)).await;
    assert_eq!(statuses(&world.waiting(&claims[0]).await), ["CANCELLED", "EXPIRED", "SUCCEEDED"]);
}

#[tokio::test]
async fn a_job_tells_each_status_once_from_its_first_to_its_last() {
    let world = World::new();
    let device = world.device("one").await;
    let selector = Selector { device_id: device.device_id.iter().cloned().collect(), ..Selector::default() };
    let mut job = world.job(selector);
    job.callback = Some(callback(1, "https://crm.example/jobs"));
    for _ in 0..2 {
        world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap();
    }
    while world.store().job_pump(NOW, 10).await.unwrap() == Due::More {}
    for event in [JobEvent::PauseAsked, JobEvent::PauseAsked, JobEvent::RestartAsked { retry_failed: false }] {
        world.store().job_advance(TENANT, job.id, event, None, deed("campaign")).await.unwrap().unwrap();
        while world.store().job_pump(NOW, 10).await.unwrap() == Due::More {}
    }
    let task = muster_broker::id::TaskId::of_job(job.id, device.oid);
    world.step("one", &[(task, TaskEvent::Connected)]).await;
    world.step("one", &[(task, TaskEvent::Done)]).await;
    while world.store().job_pump(NOW, 10).await.unwrap() == Due::More {}
    world.store().job_pump(NOW, 10).await.unwrap();

    let claims = world.claim(OURS, NOW).await;
    let waiting = world.waiting(&claims[0]).await;
    assert_eq!(statuses(&waiting), ["SCHEDULED", "RUNNING", "PAUSED", "RUNNING", "COMPLETED"]);
    let ids: std::collections::HashSet<_> = waiting
        .iter()
        .map(|waiting| match &waiting.content {
            Content::Event(event) => event.id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_claim_is_nobody_elses_until_its_lease_ends_and_counts_no_more_once_another_has_it() {
    let world = World::new();
    let device = world.device("one").await;
    world.ended("one", &device, &callback(1, "https://crm.example/x")).await;
    let ours = world.claim(OURS, NOW).await;
    assert_eq!(ours.len(), 1);
    assert_eq!(world.claim(THEIRS, NOW.plus_s(59)).await, []);

    let theirs = world.claim(THEIRS, NOW.plus_s(60)).await;
    assert_eq!(theirs.len(), 1);
    let late = world.settle(&ours[0], OURS, NOW.plus_s(61), Progress::On { taken: 1 }).await;
    assert_eq!(late, Settled::Lost);
    assert_eq!(world.waiting(&theirs[0]).await.len(), 1, "what a late claim says changes nothing");
    assert_eq!(world.settle(&theirs[0], THEIRS, NOW.plus_s(62), Progress::On { taken: 1 }).await, Settled::Over);
    assert_eq!(world.waiting(&theirs[0]).await, []);
    assert_eq!(world.claim(OURS, NOW.plus_s(600)).await, [], "an empty queue is not due");
}

#[tokio::test]
async fn each_event_that_was_taken_is_charged_for_once_and_none_of_a_test_cycle() {
    use muster_broker::ledger::{ChargeKind, EventId as Place};

    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(world.ended("one", &device, &to).await.id);
    }
    let mut test = world.target(&device);
    (test.task.callback, test.task.test_cycle, test.task.status) = (Some(to), true, TaskStatus::Succeeded);
    world.keep(test).await;
    let charged = async || -> Vec<_> {
        let feed = world.store().charge_feed(None, Place(0), 1000).await.unwrap().events;
        feed.into_iter()
            .filter(|event| event.kind == ChargeKind::Event)
            .map(|event| (event.task, event.caller))
            .collect()
    };
    let claims = world.claim(OURS, NOW).await;
    let theirs = world.claim(THEIRS, NOW.plus_s(60)).await;
    world.settle(&claims[0], OURS, NOW.plus_s(60), Progress::On { taken: 4 }).await;
    assert_eq!(charged().await, [], "a claim that is over charges nothing");
    let later = Progress::Later { taken: 2, due_at: NOW.plus_s(61), failed: 0, reason: String::new() };
    world.settle(&theirs[0], THEIRS, NOW.plus_s(60), later).await;
    let care = |place: usize| (tasks.get(place).copied(), "care".to_owned());
    assert_eq!(charged().await, [care(0), care(1)]);
    let claims = world.claim(OURS, NOW.plus_s(61)).await;
    world.settle(&claims[0], OURS, NOW.plus_s(61), Progress::On { taken: 2 }).await;
    assert_eq!(charged().await, [care(0), care(1), care(2)]);
}

#[tokio::test]
async fn a_claim_of_a_process_that_died_holds_nobody_up_after_the_next_start() {
    let mut world = World::new();
    let device = world.device("one").await;
    world.ended("one", &device, &callback(1, "https://crm.example/x")).await;
    assert_eq!(world.claim(OURS, NOW).await.len(), 1);
    world.reopen();
    let claims = world.claim(THEIRS, NOW).await;
    assert_eq!(world.waiting(&claims[0]).await.len(), 1);
}

#[tokio::test]
async fn a_lease_that_ended_and_that_nobody_took_still_counts() {
    let world = World::new();
    let device = world.device("one").await;
    world.ended("one", &device, &callback(1, "https://crm.example/x")).await;
    let claims = world.claim(OURS, NOW).await;
    let settled = world.settle(&claims[0], OURS, NOW.plus_s(600), Progress::On { taken: 1 }).await;
    assert_eq!(settled, Settled::Over);
    assert_eq!(world.claim(THEIRS, NOW.plus_s(601)).await, []);
}

#[tokio::test]
async fn what_was_not_taken_comes_first_the_next_time_and_later_events_behind_it() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(world.ended("one", &device, &to).await.id);
    }
    let claims = world.claim(OURS, NOW).await;
    made.push(world.ended("one", &device, &to).await.id);
    let later = Progress::Later { taken: 2, due_at: NOW.plus_s(5), failed: 0, reason: "busy".into() };
    assert_eq!(world.settle(&claims[0], OURS, NOW, later).await, Settled::Over);
    assert_eq!(world.claim(OURS, NOW.plus_s(4)).await, []);

    let claims = world.claim(OURS, NOW.plus_s(5)).await;
    let waiting = world.waiting(&claims[0]).await;
    assert_eq!(waiting.len(), 2);
    let Content::Event(first) = &waiting[0].content else { panic!("{waiting:?}") };
    assert_eq!(first.task, Some(made[2]));
    let queues = world.store().callback_queue_list(TENANT, ALL).await.unwrap().items;
    assert_eq!((queues[0].waiting, queues[0].delivered, queues[0].reason.as_deref()), (2, 2, Some("busy")));
}

#[tokio::test]
async fn a_claim_goes_on_while_more_waits() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    for _ in 0..2 {
        world.ended("one", &device, &to).await;
    }
    let claims = world.claim(OURS, NOW).await;
    for (taken, settled) in [(1, Settled::GoesOn), (1, Settled::Over)] {
        let numbers = world.waiting(&claims[0]).await.iter().map(|waiting| waiting.number).collect();
        let settlement = Settlement {
            queue: claims[0].queue,
            lease: OURS,
            now: NOW,
            numbers,
            progress: Progress::On { taken },
            until: Some(NOW.plus_s(120)),
        };
        assert_eq!(world.store().callback_settle(settlement).await.unwrap(), settled);
        assert_eq!(world.claim(THEIRS, NOW.plus_s(119)).await, []);
    }
}

#[tokio::test]
async fn many_queues_of_one_address_do_not_keep_another_address_waiting() {
    let world = World::new();
    let device = world.device("one").await;
    for number in 0..20 {
        world.ended("one", &device, &callback(1, &format!("https://slow.example/{number}"))).await;
    }
    world.ended("one", &device, &callback(2, "https://quick.example/")).await;
    world.ended("one", &device, &callback(3, "https://other.example/")).await;

    let claims = world.claim(OURS, NOW).await;
    let hosts: Vec<_> = claims.iter().map(|claimed| claimed.url.host().to_owned()).collect();
    assert_eq!(hosts, ["slow.example", "slow.example", "quick.example", "other.example"]);

    let mut busy = wanted(OURS, NOW);
    busy.under_way.insert(CallbackAddressId(Uuid::from_u128(1)), 2);
    assert_eq!(world.store().callback_claim(busy).await.unwrap(), [], "its share is under way");
}

#[tokio::test]
async fn each_address_has_its_turn_where_fewer_claims_are_made_than_there_are_addresses() {
    let world = World::new();
    let device = world.device("one").await;
    for address in 1..=5 {
        world.ended("one", &device, &callback(address, "https://a.example/")).await;
    }
    let mut after = None;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let claims =
            world.store().callback_claim(ClaimWanted { claims_max: 2, after, ..wanted(OURS, NOW) }).await.unwrap();
        after = claims.last().map(|claimed| claimed.address_id);
        seen.extend(claims.iter().map(|claimed| claimed.address_id.0.as_u128()));
        for claimed in claims {
            // Due again at once: the next round must not begin with it.
            let later = Progress::Later { taken: 0, due_at: NOW, failed: 1, reason: String::new() };
            world.settle(&claimed, OURS, NOW, later).await;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 1]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_nothing_that_was_asked_for_before_and_what_is_asked_for_after() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    world.ended("one", &device, &to).await;
    let before = world.called_back(&device, &to).await;
    let claims = world.claim(OURS, NOW.plus_s(1)).await;
    world.settle(&claims[0], OURS, NOW.plus_s(1), Progress::Ended { reason: "gone".into() }).await;
    assert_eq!(world.letters().await, [("SUCCEEDED".to_owned(), "gone".to_owned())]);

    world.store().task_cancel(TENANT, before.id, None, deed_at("care", NOW.plus_s(2))).await.unwrap().unwrap();
    let claims = world.claim(OURS, NOW.plus_s(2)).await;
    assert!(claims[0].is_ended);
    world.settle(&claims[0], OURS, NOW.plus_s(2), Progress::Ended { reason: "gone".into() }).await;

    let mut anew = world.target(&device);
    anew.task.callback = Some(to);
    anew.task.created_at = NOW.plus_s(3);
    world.keep(anew.clone()).await;
    world.store().task_cancel(TENANT, anew.task.id, None, deed_at("care", NOW.plus_s(4))).await.unwrap().unwrap();
    let claims = world.claim(OURS, NOW.plus_s(4)).await;
    assert!(!claims[0].is_ended, "the caller has named it again since");
    assert_eq!(world.letters().await.len(), 2);
}

#[tokio::test]
async fn what_waited_for_seven_days_is_given_up_and_can_be_replayed() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    world.ended("one", &device, &to).await;
    let claims = world.claim(OURS, NOW).await;
    let later = Progress::Later { taken: 0, due_at: NOW.plus_s(1), failed: 1, reason: "no answer".into() };
    world.settle(&claims[0], OURS, NOW, later).await;

    let now = NOW.plus_s(EVENT_LIFE_S + 1);
    let claims = world.claim(OURS, now).await;
    let queue = claims[0].queue;
    let stale = world.store().callback_give_up(queue, THEIRS, now, now, 10).await.unwrap();
    assert_eq!((stale, world.letters().await.len()), (Due::Nothing, 0), "only its claim gives anything up");
    let before = now.plus_s(-EVENT_LIFE_S);
    assert_eq!(world.store().callback_give_up(queue, OURS, before, now, 10).await.unwrap(), Due::Nothing);
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].1.contains("seven days") && letters[0].1.contains("no answer"), "{letters:?}");
    world.settle(&claims[0], OURS, now, Progress::On { taken: 0 }).await;
    assert_eq!(world.claim(OURS, now.plus_s(100)).await, []);

    let filter = |address: u128| DeadLetterFilter {
        address: Some(CallbackAddressId(Uuid::from_u128(address))),
        ids: Vec::new(),
    };
    assert_eq!(
        world.store().dead_letter_replay("beta", filter(1), deed_at("root", now), 10).await.unwrap(),
        0,
        "of another domain"
    );
    assert_eq!(world.store().dead_letter_replay(TENANT, filter(2), deed_at("root", now), 10).await.unwrap(), 0);
    assert_eq!(world.store().dead_letter_replay(TENANT, filter(1), deed_at("root", now), 10).await.unwrap(), 1);
    assert_eq!(world.letters().await, []);
    let claims = world.claim(OURS, now).await;
    let waiting = world.waiting(&claims[0]).await;
    assert_eq!((statuses(&waiting), waiting[0].queued_at), (vec!["SUCCEEDED".to_owned()], now), "its life begins anew");
}

#[tokio::test]
async fn dead_letters_are_replayed_by_event_and_listed_newest_first_page_by_page() {
    let world = World::new();
    let device = world.device("one").await;
    let to = callback(1, "https://crm.example/x");
    for second in 0..5 {
        world.ended("one", &device, &to).await;
        let now = NOW.plus_s(second);
        let claims = world.claim(OURS, now).await;
        world.settle(&claims[0], OURS, now, Progress::GivenUp { reason: format!("{second}") }).await;
    }
    let mut page = muster_broker::page::Page { size: 2, after: None };
    let mut seen = Vec::new();
    loop {
        let listed = world.store().dead_letter_list(TENANT, DeadLetterFilter::default(), page.clone()).await.unwrap();
        assert_eq!(listed.total, 5);
        seen.extend(listed.items.into_iter().map(|letter| (letter.id, letter.reason)));
        page.after = listed.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>(), ["4", "3", "2", "1", "0"]);

    let ids = vec![seen[1].0, EventId(Uuid::from_u128(5))];
    let filter = DeadLetterFilter { ids, ..DeadLetterFilter::default() };
    assert_eq!(world.store().dead_letter_replay(TENANT, filter.clone(), deed_at("root", NOW), 10).await.unwrap(), 1);
    assert_eq!(
        world.store().dead_letter_replay(TENANT, filter, deed_at("root", NOW), 10).await.unwrap(),
        0,
        "once is enough"
    );
    assert_eq!(world.letters().await.len(), 4);
}

#[tokio::test]
async fn old_dead_letters_and_idle_queues_are_forgotten_and_no_queue_in_which_something_waits() {
    let world = World::new();
    let device = world.device("one").await;
    world.ended("one", &device, &callback(1, "https://a.example/")).await;
    let claims = world.claim(OURS, NOW).await;
    world.settle(&claims[0], OURS, NOW, Progress::GivenUp { reason: "no".into() }).await;
    world.ended("one", &device, &callback(1, "https://b.example/")).await;
    let later = NOW.plus_s(10);
    assert_eq!(world.store().callback_forget(NOW, NOW, 10).await.unwrap(), Due::Nothing);
    assert_eq!((world.letters().await.len(), queues(&world).await), (1, 2));
    assert_eq!(world.store().callback_forget(later, later, 10).await.unwrap(), Due::Nothing);
    assert_eq!((world.letters().await.len(), queues(&world).await), (0, 1));
    assert_eq!(world.claim(OURS, later).await.len(), 1);
}

async fn queues(world: &World) -> u64 {
    world.store().callback_queue_list(TENANT, ALL).await.unwrap().total
}

#[tokio::test]
async fn an_answer_that_goes_elsewhere_has_a_queue_of_its_own_and_survives_a_restart() {
    let mut world = World::new();
    let to = ReplyTo {
        address: CallbackAddressId(Uuid::from_u128(1)),
        url: CallbackUrl::parse("https://crm.example/answers").unwrap(),
        soap_version: SoapVersion::Soap12,
        tenant: TENANT.into(),
        owner: "care".into(),
    };
    for number in 1..=2 {
        let reply = Reply {
            id: EventId(Uuid::from_u128(number)),
            to: to.clone(),
            action: "urn:a".into(),
            envelope: format!("<e>{number}</e>"),
        };
        world.store().callback_reply(reply, NOW).await.unwrap();
    }
    world.reopen();
    let claims = world.claim(OURS, NOW).await;
    assert_eq!(claims.len(), 2);
    for claimed in &claims {
        let waiting = world.waiting(claimed).await;
        let [Waiting { content: Content::Reply { id, action, envelope }, .. }] = waiting.as_slice() else {
            panic!("{waiting:?}")
        };
        assert_eq!((action.as_str(), envelope), ("urn:a", &format!("<e>{}</e>", id.0.as_u128())));
        assert_eq!(world.settle(claimed, OURS, NOW, Progress::On { taken: 1 }).await, Settled::Over);
    }
    assert_eq!(queues(&world).await, 0, "nobody looks for the queue of an answer that was taken");
}

#[tokio::test]
async fn an_allowed_address_is_kept_with_all_it_has_and_changed_only_on_its_version() {
    use muster_broker::callback::{CallbackCredential, CredentialKind, WebhookSecret};
    use muster_broker::device::Sealed;
    use muster_broker::fault::FaultName;
    use muster_broker::store::CallbackAddressFilter;

    let mut world = World::new();
    let mut whole = CallbackAddress {
        owner: Some("crm".into()),
        kind: CallbackKind::Webhook,
        description: Some("d".into()),
        credential: Some(CallbackCredential {
            kind: CredentialKind::Basic,
            user_name: "u".into(),
            password: Sealed(vec![1]),
        }),
        secret: Some(WebhookSecret { current: Sealed(vec![2]), previous: Some((Sealed(vec![3]), NOW)) }),
        allows_private: true,
        enabled: false,
        ..address(7)
    };
    world.store().callback_address_create(whole.clone(), deed("root"), None).await.unwrap();
    world.address(8).await;
    world.reopen();
    let store = world.store();
    assert_eq!(store.callback_address_get(TENANT, whole.id).await.unwrap(), Some(whole.clone()));
    assert_eq!(store.callback_address_get("beta", whole.id).await.unwrap(), None);
    assert_eq!(store.callback_addresses_of(TENANT).await.unwrap().len(), 2);
    let filter = CallbackAddressFilter { owner: Some("other".into()), kind: None };
    assert_eq!(store.callback_address_list(TENANT, filter, ALL).await.unwrap().items, [address(8)]);

    whole.enabled = true;
    let outdated = store.callback_address_update(whole.clone(), Some(2), deed("root")).await.unwrap().unwrap_err();
    assert_eq!(outdated.name, FaultName::OutdatedVersion);
    whole = store.callback_address_update(whole, Some(1), deed("root")).await.unwrap().unwrap();
    assert_eq!(whole.version, 2);
    assert_eq!(store.callback_address_get(TENANT, whole.id).await.unwrap(), Some(whole.clone()));
    let foreign = store.callback_address_delete("beta", whole.id, None, deed("root")).await.unwrap().unwrap_err();
    assert_eq!(foreign.name, FaultName::UnknownCallbackAddress);
    store.callback_address_delete(TENANT, whole.id, Some(2), deed("root")).await.unwrap().unwrap();
    assert_eq!(store.callback_address_get(TENANT, whole.id).await.unwrap(), None);
}
