//! What needs a second person is held, with its approval, in the transaction that makes it.

use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{ApprovalId, TaskId};
use muster_broker::job::{Hold, Job, JobEvent, JobStatus, JobView, Selector};
use muster_broker::ledger::{AuditFilter, Recorded};
use muster_broker::operation::{Arguments, Operation, Parameter};
use muster_broker::power::{
    Action, Approval, ApprovalEvent, ApprovalStatus, Class, Object, Policy, PolicyChange, Rule,
};
use muster_broker::store::{ApprovalFilter, Decision, Due, Once, Remember, Target};
use muster_broker::task::{TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;

use crate::world::{ALL, NOW, TENANT, World, deed_at, events};

const WIPE: &str = "./LAWMO/Operations/Wipe";
const UPDATE_FIRMWARE: &str = "./FUMO/Package/Update";

fn execute(path: &str) -> (Operation, Arguments) {
    let node = Parameter { path: path.to_owned(), ..Parameter::default() };
    (Operation::Execute, Arguments { parameter: vec![node], ..Arguments::default() })
}

/// A new task that executes `path`, not kept yet.
fn target(world: &World, device: &Device, path: &str) -> Target {
    let mut target = world.target(device);
    (target.task.operation, target.task.arguments) = execute(path);
    target
}

/// A new job over every device that executes `path`, not kept yet.
fn job(world: &World, path: &str) -> Job {
    let mut job = world.job(Selector { all_devices: true, ..Selector::default() });
    (job.template.operation, job.template.arguments) = execute(path);
    job
}

async fn approvals(world: &World, status: &[ApprovalStatus]) -> Vec<Approval> {
    let filter = ApprovalFilter { status: status.to_vec(), ..ApprovalFilter::default() };
    world.store().approval_list(TENANT, filter, ALL).await.unwrap().items
}

async fn pending(world: &World) -> Approval {
    let mut pending = approvals(world, &[ApprovalStatus::Pending]).await;
    assert_eq!(pending.len(), 1, "{pending:?}");
    pending.remove(0)
}

async fn decide(world: &World, approval: &Approval, event: ApprovalEvent, now: Timestamp) -> Result<Approval, Fault> {
    let decision = Decision { event, deed: deed_at("second", now), reason: Some("seen".into()), version: None };
    match world.store().approval_decide(TENANT, approval.id, decision).await {
        Ok(outcome) => outcome,
        Err(muster_broker::store::StoreError::Denied(fault)) => Err(*fault),
        Err(error) => panic!("{error}"),
    }
}

async fn cap(world: &World, class: Class, cap: u64, single_cap: Option<u64>) {
    let rule = Rule { class, required: true, cap, single_cap };
    let policy = Policy { rules: vec![rule], ..Policy::default() }.checked().unwrap();
    if let PolicyChange::Waits { approval, .. } = set(world, policy, None, "x").await.unwrap() {
        decide(world, &approval, ApprovalEvent::Approve, NOW).await.unwrap();
    }
}

async fn set(world: &World, policy: Policy, version: Option<i64>, actor: &str) -> Result<PolicyChange, Fault> {
    let ask = ApprovalId(world.uuid());
    world.store().power_policy_set(TENANT, policy, version, ask, deed_at(actor, NOW)).await.unwrap()
}

async fn pump(world: &World, now: Timestamp) {
    for _ in 0..200 {
        if world.store().job_pump(now, 100).await.unwrap() == Due::Nothing {
            return;
        }
    }
    panic!("background work does not end");
}

async fn job_now(world: &World, job: &Job) -> JobView {
    world.store().job_get(TENANT, job.id).await.unwrap().unwrap()
}

async fn offered(world: &World, name: &str) -> Vec<(TaskId, bool)> {
    world.contact(name).await.tasks.into_iter().map(|open| (open.task.id, open.may_run)).collect()
}

#[tokio::test]
async fn a_wipe_is_not_offered_to_its_device_before_it_is_approved() {
    let world = World::new();
    let device = world.device("a").await;
    let target = target(&world, &device, WIPE);
    let id = target.task.id;
    world.keep(target).await;

    let held = world.stored(id).await;
    assert!(held.held && held.status == TaskStatus::Scheduled && !held.is_startable(NOW));
    let approval = pending(&world).await;
    assert!(held.detail.unwrap().contains(&approval.id.to_string()));
    assert_eq!((approval.class, &approval.object, approval.devices), (Class::Wipe, &Object::Task(id, device.oid), 1));
    assert_eq!((approval.requester.as_str(), approval.action), ("care", Action::Start));
    assert_eq!(offered(&world, "a").await, []);

    let approved = decide(&world, &approval, ApprovalEvent::Approve, NOW.plus_s(60)).await.unwrap();
    assert_eq!((approved.status, approved.decided_by.as_deref()), (ApprovalStatus::Approved, Some("second")));
    assert_eq!(offered(&world, "a").await, [(id, true)]);
    assert_eq!(events(&world, id).await, ["Created", "ApprovalRequested", "Approved"]);
    let again = decide(&world, &approval, ApprovalEvent::Refuse, NOW.plus_s(61)).await;
    assert_eq!(
        again.map_err(|fault| (fault.name, fault.variables)),
        Err((FaultName::WrongState, vec!["APPROVED".into()]))
    );
}

#[tokio::test]
async fn a_task_that_was_let_go_can_be_carried_out() {
    let world = World::new();
    let device = world.device("a").await;
    let target = target(&world, &device, WIPE);
    let id = target.task.id;
    world.keep(target).await;
    decide(&world, &pending(&world).await, ApprovalEvent::Approve, NOW).await.unwrap();
    world.step("a", &[(id, TaskEvent::Connected)]).await;
    world.step("a", &[(id, TaskEvent::Done)]).await;
    assert_eq!(world.stored(id).await.status, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_refusal_an_expiry_and_a_withdrawal_end_the_task_each_in_its_way() {
    let world = World::new();
    for (name, event, ended, status, told) in [
        ("a", ApprovalEvent::Refuse, TaskStatus::Rejected, ApprovalStatus::Refused, "not approved by second"),
        ("b", ApprovalEvent::Withdraw, TaskStatus::Cancelled, ApprovalStatus::Withdrawn, "withdrawn by second"),
        ("c", ApprovalEvent::TimeOver, TaskStatus::Rejected, ApprovalStatus::Expired, "nobody approved it by"),
    ] {
        let device = world.device(name).await;
        let mut target = target(&world, &device, WIPE);
        target.task.end_at = NOW.plus_s(7 * 86_400);
        let id = target.task.id;
        world.keep(target).await;
        let approval = pending(&world).await;
        assert_eq!(approval.expires_at, NOW.plus_s(24 * 3600));
        if event == ApprovalEvent::TimeOver {
            assert_eq!(world.store().approval_expire(approval.expires_at.plus_ms(-1), 10).await.unwrap(), Due::Nothing);
            assert_eq!(pending(&world).await.status, ApprovalStatus::Pending);
            world.store().approval_expire(approval.expires_at, 10).await.unwrap();
        } else {
            decide(&world, &approval, event, NOW).await.unwrap();
        }
        let task = world.stored(id).await;
        assert_eq!(task.status, ended, "{name}");
        assert!(task.detail.as_deref().unwrap().contains(told), "{task:?}");
        let approval = world.store().approval_get(TENANT, approval.id).await.unwrap().unwrap();
        assert_eq!((approval.status, approval.version), (status, 2));
        assert_eq!(offered(&world, name).await, []);
    }
}

#[tokio::test]
async fn what_ends_by_itself_takes_its_question_along() {
    let world = World::new();
    let (first, second) = (world.device("a").await, world.device("b").await);
    let (cancelled, expired) = (target(&world, &first, WIPE), target(&world, &second, WIPE));
    world.keep(cancelled.clone()).await;
    world.store().task_cancel(TENANT, cancelled.task.id, None, deed_at("care", NOW)).await.unwrap().unwrap();
    assert_eq!(approvals(&world, &[]).await[0].status, ApprovalStatus::Withdrawn);

    world.keep(expired.clone()).await;
    let approval = pending(&world).await;
    assert_eq!(approval.expires_at, expired.task.end_at, "no question outlives what it is about");
    world.store().task_expire(NOW.plus_s(3600), 10).await.unwrap();
    let late = decide(&world, &approval, ApprovalEvent::Approve, NOW.plus_s(3601)).await;
    assert_eq!(late.err().map(|fault| fault.name), Some(FaultName::WrongState));
    assert_eq!(world.stored(expired.task.id).await.status, TaskStatus::Expired);
    assert!(approvals(&world, &[ApprovalStatus::Pending]).await.is_empty());
}

#[tokio::test]
async fn what_reads_and_what_is_a_rehearsal_needs_nobody() {
    let world = World::new();
    let device = world.device("a").await;
    world.task(&device).await;
    let mut rehearsal = target(&world, &device, WIPE);
    rehearsal.task.test_cycle = true;
    rehearsal.task.status = TaskStatus::Succeeded;
    world.keep(rehearsal).await;
    let mut test_job = job(&world, WIPE);
    test_job.template.test_cycle = true;
    world.store().job_create(vec![test_job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    pump(&world, NOW).await;
    assert_eq!(approvals(&world, &[]).await, []);
    assert_eq!(job_now(&world, &test_job).await.job.status, JobStatus::Completed);
}

#[tokio::test]
async fn at_the_cap_of_a_hundred_calls_at_once_exactly_the_cap_goes_unapproved() {
    let world = World::new();
    cap(&world, Class::Firmware, 10, Some(0)).await;
    let device = world.device("a").await;
    let targets: Vec<Target> = (0..100).map(|_| target(&world, &device, UPDATE_FIRMWARE)).collect();
    let calls: Vec<_> = targets
        .iter()
        .map(|target| world.store().task_create(None, vec![target.clone()], deed_at("care", NOW), None))
        .collect();
    let mut set = Vec::new();
    for call in calls {
        set.push(call);
    }
    let outcomes = futures_at_once(set).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Once::Now(())))));
    let mut held = 0;
    for target in &targets {
        held += usize::from(world.stored(target.task.id).await.held);
    }
    assert_eq!((held, approvals(&world, &[ApprovalStatus::Pending]).await.len()), (90, 90));
}

/// Polls every future until all are done.
async fn futures_at_once<T>(futures: Vec<impl Future<Output = T> + Unpin>) -> Vec<T> {
    let mut doing: Vec<_> = futures.into_iter().map(|it| (Some(it), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (future, outcome) in &mut doing {
            if let Some(it) = future {
                match std::pin::Pin::new(it).poll(context) {
                    std::task::Poll::Ready(done) => (*future, *outcome) = (None, Some(done)),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    doing.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

#[tokio::test]
async fn many_small_jobs_are_counted_together_and_an_old_window_is_forgotten() {
    let world = World::new();
    cap(&world, Class::Firmware, 5, Some(0)).await;
    for name in ["a", "b"] {
        world.device(name).await;
    }
    let mut now = NOW;
    let mut holds = Vec::new();
    for _ in 0..4 {
        let mut small = job(&world, UPDATE_FIRMWARE);
        small.created_at = now;
        world.store().job_create(vec![small.clone()], deed_at("campaign", NOW), None).await.unwrap();
        pump(&world, now).await;
        holds.push(job_now(&world, &small).await.job.hold);
        now = now.plus_s(60);
    }
    assert_eq!(holds, [Hold::None, Hold::None, Hold::Waiting, Hold::Waiting]);
    // One more device fits, by whatever way.
    let device = world.device("c").await;
    let (fits, above) = (target(&world, &device, UPDATE_FIRMWARE), target(&world, &device, UPDATE_FIRMWARE));
    world.keep(fits.clone()).await;
    world.keep(above.clone()).await;
    assert!(!world.stored(fits.task.id).await.held && world.stored(above.task.id).await.held);

    let next_day = NOW.plus_s(25 * 3600);
    let mut later = target(&world, &device, UPDATE_FIRMWARE);
    later.task.created_at = next_day;
    world.keep(later.clone()).await;
    assert!(!world.stored(later.task.id).await.held);
}

#[tokio::test]
async fn a_job_is_counted_before_it_begins_and_waits_with_the_number_of_its_devices() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.device(name).await;
    }
    let job = job(&world, WIPE);
    world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    let counting = job_now(&world, &job).await.job;
    assert_eq!(
        (counting.hold, counting.status, counting.class),
        (Hold::Counting, JobStatus::Scheduled, Some(Class::Wipe))
    );
    pump(&world, NOW).await;

    let view = job_now(&world, &job).await;
    let approval = pending(&world).await;
    assert_eq!((view.job.hold, view.job.status), (Hold::Waiting, JobStatus::Scheduled));
    assert!(view.job.detail.unwrap().contains("waits for approval"));
    assert_eq!(view.counts, [(TaskStatus::Scheduled, 3)]);
    assert_eq!((approval.devices, &approval.object), (3, &Object::Job(job.id)));
    assert!(offered(&world, "a").await.iter().all(|(_, may_run)| !may_run));

    decide(&world, &approval, ApprovalEvent::Approve, NOW).await.unwrap();
    pump(&world, NOW).await;
    assert_eq!(job_now(&world, &job).await.job.status, JobStatus::Running);
    assert!(offered(&world, "a").await.iter().all(|(_, may_run)| *may_run));
}

#[tokio::test]
async fn a_task_of_a_held_job_is_not_taken_up_by_a_step_that_was_decided_before() {
    let world = World::new();
    world.device("a").await;
    let job = job(&world, WIPE);
    world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    pump(&world, NOW).await;
    let contact = world.contact("a").await;
    let mut step = crate::world::step(&contact);
    let mut task = contact.tasks[0].task.clone();
    task.advance(TaskEvent::Connected, NOW).unwrap();
    step.running_jobs.push(job.id);
    step.history.push(task.note(NOW, "Stepped", None, "device"));
    step.tasks.push(task);
    let verdict = world.store().contact_commit(step).await.unwrap();
    assert_eq!(verdict, muster_broker::store::Verdict::Conflict);
}

#[tokio::test]
async fn a_job_that_is_refused_or_cancelled_while_it_waits_sends_nothing() {
    let world = World::new();
    world.device("a").await;
    for refused in [true, false] {
        let job = job(&world, WIPE);
        world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
        pump(&world, NOW).await;
        let approval = pending(&world).await;
        if refused {
            decide(&world, &approval, ApprovalEvent::Refuse, NOW).await.unwrap();
        } else {
            let event = JobEvent::CancelAsked;
            world.store().job_advance(TENANT, job.id, event, None, deed_at("campaign", NOW)).await.unwrap().unwrap();
        }
        pump(&world, NOW).await;
        let view = job_now(&world, &job).await;
        assert_eq!((view.job.status, view.job.hold), (JobStatus::Cancelled, Hold::None));
        assert_eq!(view.counts, [(TaskStatus::Cancelled, 1)]);
        let approval = world.store().approval_get(TENANT, approval.id).await.unwrap().unwrap();
        let expected = if refused { ApprovalStatus::Refused } else { ApprovalStatus::Withdrawn };
        assert_eq!(approval.status, expected);
        if refused {
            assert!(view.job.detail.unwrap().contains("not approved by second"));
        }
    }
    assert_eq!(offered(&world, "a").await, []);
}

#[tokio::test]
async fn a_held_job_that_is_paused_and_restarted_is_held_still() {
    let world = World::new();
    world.device("a").await;
    let job = job(&world, WIPE);
    world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    pump(&world, NOW).await;
    for (event, status) in [
        (JobEvent::PauseAsked, JobStatus::Paused),
        (JobEvent::RestartAsked { retry_failed: false }, JobStatus::Scheduled),
    ] {
        world.store().job_advance(TENANT, job.id, event, None, deed_at("campaign", NOW)).await.unwrap().unwrap();
        pump(&world, NOW).await;
        let view = job_now(&world, &job).await.job;
        assert_eq!((view.status, view.hold), (status, Hold::Waiting));
        assert!(offered(&world, "a").await.iter().all(|(_, may_run)| !may_run));
    }
    decide(&world, &pending(&world).await, ApprovalEvent::Approve, NOW).await.unwrap();
    pump(&world, NOW).await;
    assert_eq!(offered(&world, "a").await.iter().filter(|(_, may_run)| *may_run).count(), 1);
}

#[tokio::test]
async fn running_failed_tasks_of_an_approved_job_again_needs_approval_again() {
    let world = World::new();
    world.device("a").await;
    let job = job(&world, WIPE);
    world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    pump(&world, NOW).await;
    decide(&world, &pending(&world).await, ApprovalEvent::Approve, NOW).await.unwrap();
    pump(&world, NOW).await;
    let id = offered(&world, "a").await[0].0;
    world.step("a", &[(id, TaskEvent::Connected), (id, TaskEvent::GivenUp)][..1]).await;
    world.step("a", &[(id, TaskEvent::GivenUp)]).await;
    pump(&world, NOW).await;
    assert_eq!(job_now(&world, &job).await.job.status, JobStatus::Completed);

    let again = JobEvent::RestartAsked { retry_failed: true };
    for _ in 0..2 {
        let view =
            world.store().job_advance(TENANT, job.id, again, None, deed_at("campaign", NOW)).await.unwrap().unwrap();
        assert_eq!(view.job.status, JobStatus::Completed);
        assert!(view.job.detail.unwrap().contains("waits for approval"));
    }
    pump(&world, NOW).await;
    assert_eq!(world.stored(id).await.status, TaskStatus::Failed);
    let approval = pending(&world).await;
    assert_eq!((approval.action, approval.devices, approval.requester.as_str()), (Action::Retry, 1, "campaign"));
    let of_job = AuditFilter { job: Some(job.id), ..AuditFilter::default() };
    let told = |entries: Vec<Recorded>| -> Vec<(String, String)> {
        entries.into_iter().map(|recorded| (recorded.entry.actor, recorded.entry.object_kind)).collect()
    };
    let before = told(world.store().audit_list(None, of_job.clone(), ALL).await.unwrap().items);
    let asked = before.iter().filter(|(actor, kind)| actor == "campaign" && kind == "job").count();
    assert_eq!(asked, 2, "made, and asked for again, which is told once: {before:?}");

    decide(&world, &approval, ApprovalEvent::Approve, NOW.plus_s(1)).await.unwrap();
    pump(&world, NOW.plus_s(1)).await;
    assert_eq!(world.stored(id).await.status, TaskStatus::Scheduled);
    assert_eq!(job_now(&world, &job).await.job.status, JobStatus::Running);
    let after = told(world.store().audit_list(None, of_job, ALL).await.unwrap().items).split_off(before.len());
    let pair = |actor: &str, kind: &str| (actor.to_owned(), kind.to_owned());
    assert_eq!(after, [pair("second", "approval"), pair("campaign", "job")]);
}

#[tokio::test]
async fn a_bulk_request_with_one_dangerous_entry_waits_as_a_whole() {
    let world = World::new();
    let device = world.device("a").await;
    let mut job = job(&world, WIPE);
    (job.expansion, job.is_mixed, job.status) = (None, true, JobStatus::Running);
    let mut targets = vec![world.target(&device), target(&world, &device, WIPE)];
    targets.iter_mut().for_each(|target| target.task.job = Some(job.id));
    world.store().task_create(Some(job.clone()), targets, deed_at("campaign", NOW), None).await.unwrap();
    let stored = job_now(&world, &job).await.job;
    assert_eq!((stored.hold, stored.status, stored.class), (Hold::Waiting, JobStatus::Scheduled, Some(Class::Wipe)));
    assert_eq!(pending(&world).await.devices, 1);
    pump(&world, NOW).await;
    assert!(offered(&world, "a").await.iter().all(|(_, may_run)| !may_run));
}

#[tokio::test]
async fn a_repeated_request_asks_once_and_counts_once() {
    let world = World::new();
    cap(&world, Class::Firmware, 1, Some(0)).await;
    let device = world.device("a").await;
    let remember = |id: &TaskId| Remember::<()> {
        caller: "care".into(),
        operation: "doOperation",
        request_id: "one".into(),
        content: [0; 32],
        at: NOW,
        answer: {
            let id = id.to_string();
            Box::new(move |()| Some(id))
        },
    };
    let first = target(&world, &device, UPDATE_FIRMWARE);
    for _ in 0..3 {
        let again = target(&world, &device, UPDATE_FIRMWARE);
        let target = if approvals(&world, &[]).await.is_empty() { first.clone() } else { again };
        let id = target.task.id;
        world.store().task_create(None, vec![target], deed_at("care", NOW), Some(remember(&id))).await.unwrap();
        // The store may be asked twice without a key too.
        world.keep(first.clone()).await;
    }
    assert_eq!(approvals(&world, &[]).await, []);
    let above = target(&world, &device, UPDATE_FIRMWARE);
    world.keep(above).await;
    assert_eq!(approvals(&world, &[]).await.len(), 1);
}

#[tokio::test]
async fn an_approval_is_kept_through_a_restart_and_unknown_to_others() {
    let mut world = World::new();
    let device = world.device("a").await;
    let target = target(&world, &device, WIPE);
    world.keep(target.clone()).await;
    let approval = pending(&world).await;
    world.reopen();
    assert_eq!(world.store().approval_get(TENANT, approval.id).await.unwrap(), Some(approval.clone()));
    assert_eq!(world.store().approval_get("beta", approval.id).await.unwrap(), None);
    let decision = Decision { event: ApprovalEvent::Approve, deed: deed_at("x", NOW), reason: None, version: None };
    let foreign = world.store().approval_decide("beta", approval.id, decision).await.unwrap();
    assert_eq!(foreign.err().map(|fault| fault.name), Some(FaultName::UnknownApproval));
    let outdated = Decision { event: ApprovalEvent::Approve, deed: deed_at("x", NOW), reason: None, version: Some(7) };
    let outdated = world.store().approval_decide(TENANT, approval.id, outdated).await.unwrap();
    assert_eq!(outdated.err().map(|fault| fault.name), Some(FaultName::OutdatedVersion));
    decide(&world, &approval, ApprovalEvent::Approve, NOW).await.unwrap();
    world.reopen();
    assert_eq!(offered(&world, "a").await, [(target.task.id, true)]);
}

#[tokio::test]
async fn approvals_are_listed_newest_first_in_pages_by_state_class_requester_and_object() {
    let world = World::new();
    let device = world.device("a").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut target = target(&world, &device, if number == 2 { "./LAWMO/Operations/FullyLock" } else { WIPE });
        target.task.created_at = NOW.plus_s(number);
        if number == 3 {
            target.task.owner = "other".into();
        }
        ids.push(target.task.id);
        world.keep(target).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = muster_broker::page::Page { size: 2, after };
        let listed = world.store().approval_list(TENANT, ApprovalFilter::default(), page).await.unwrap();
        assert_eq!(listed.total, 5);
        seen.extend(listed.items.into_iter().map(|it| match it.object {
            Object::Task(task, _) => task,
            _ => panic!("no task"),
        }));
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
    for (filter, expected) in [
        (ApprovalFilter { class: Some(Class::Lock), ..ApprovalFilter::default() }, 1),
        (ApprovalFilter { requester: Some("other".into()), ..ApprovalFilter::default() }, 1),
        (ApprovalFilter { task: Some(ids[0]), ..ApprovalFilter::default() }, 1),
        (ApprovalFilter { status: vec![ApprovalStatus::Pending], ..ApprovalFilter::default() }, 5),
        (
            ApprovalFilter {
                status: vec![ApprovalStatus::Refused, ApprovalStatus::Expired],
                ..ApprovalFilter::default()
            },
            0,
        ),
    ] {
        assert_eq!(
            world.store().approval_list(TENANT, filter.clone(), ALL).await.unwrap().items.len(),
            expected,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn a_policy_is_the_default_until_it_is_set_and_has_a_version() {
    let world = World::new();
    assert_eq!(world.store().power_policy_get(TENANT).await.unwrap(), Policy::default());
    let changed = Policy { window_hours: 48, ..Policy::default() };
    let PolicyChange::Set(now) = set(&world, changed.clone(), Some(0), "x").await.unwrap() else { panic!("it waits") };
    assert_eq!((now.version, now.window_hours), (1, 48));
    let outdated = set(&world, changed, Some(0), "x").await;
    assert_eq!(outdated.err().map(|fault| fault.name), Some(FaultName::OutdatedVersion));
    assert_eq!(world.store().power_policy_get("beta").await.unwrap(), Policy::default());
}

fn asks_nobody() -> Policy {
    let nobody = |rule: Rule| Rule { required: false, ..rule };
    Policy { rules: Policy::default().rules.into_iter().map(nobody).collect(), ..Policy::default() }
}

async fn audit(world: &World, kind: &str) -> Vec<Recorded> {
    let filter = AuditFilter { object_kind: Some(kind.to_owned()), ..AuditFilter::default() };
    world.store().audit_list(Some(TENANT), filter, ALL).await.unwrap().items
}

async fn waits(world: &World, policy: Policy, actor: &str) -> Approval {
    match set(world, policy, None, actor).await.unwrap() {
        PolicyChange::Waits { approval, .. } => *approval,
        PolicyChange::Set(_) => panic!("it is set"),
    }
}

#[tokio::test]
async fn a_weaker_policy_counts_once_it_is_approved_and_not_before() {
    let world = World::new();
    let device = world.device("a").await;
    let asked = waits(&world, asks_nobody(), "boss").await;
    assert_eq!((asked.class, asked.action, asked.requester.as_str()), (Class::Wipe, Action::SetPolicy, "boss"));
    assert_eq!(pending(&world).await, asked);
    assert_eq!(world.store().power_policy_get(TENANT).await.unwrap(), Policy::default());
    let wiping = target(&world, &device, WIPE);
    let held = wiping.task.id;
    world.keep(wiping).await;
    assert!(world.stored(held).await.held);

    decide(&world, &asked, ApprovalEvent::Approve, NOW.plus_s(60)).await.unwrap();
    let policy = world.store().power_policy_get(TENANT).await.unwrap();
    assert_eq!(policy, Policy { version: 1, ..asks_nobody() });
    let wiping = target(&world, &device, WIPE);
    let free = wiping.task.id;
    world.keep(wiping).await;
    assert!(!world.stored(free).await.held);
    assert!(world.stored(held).await.held, "what waits goes on waiting");
    let told = audit(&world, "approvalPolicy").await;
    assert_eq!(told.iter().map(|it| it.entry.actor.as_str()).collect::<Vec<_>>(), ["boss"]);
    let told = audit(&world, "approval").await;
    assert_eq!(told.iter().map(|it| it.entry.actor.as_str()).collect::<Vec<_>>(), ["boss", "second"]);
}

#[tokio::test]
async fn a_weaker_policy_that_nobody_approves_is_forgotten() {
    let world = World::new();
    for (event, end) in [
        (ApprovalEvent::Refuse, ApprovalStatus::Refused),
        (ApprovalEvent::Withdraw, ApprovalStatus::Withdrawn),
        (ApprovalEvent::TimeOver, ApprovalStatus::Expired),
    ] {
        let asked = waits(&world, asks_nobody(), "boss").await;
        assert_eq!(decide(&world, &asked, event, NOW).await.unwrap().status, end);
    }
    let asked = waits(&world, asks_nobody(), "boss").await;
    world.store().approval_expire(asked.expires_at, 10).await.unwrap();
    assert_eq!(approvals(&world, &[ApprovalStatus::Expired]).await.len(), 2);
    assert_eq!(world.store().power_policy_get(TENANT).await.unwrap(), Policy::default());
}

#[tokio::test]
async fn a_policy_set_meanwhile_ends_what_was_asked_about_the_one_before() {
    let world = World::new();
    let asked = waits(&world, asks_nobody(), "boss").await;
    let stricter = Policy { persons_only: true, ..Policy::default() };
    set(&world, stricter, None, "other").await.unwrap();
    let late = decide(&world, &asked, ApprovalEvent::Approve, NOW).await;
    assert_eq!(late.err().map(|fault| fault.name), Some(FaultName::WrongState));
    let now = world.store().power_policy_get(TENANT).await.unwrap();
    assert!(now.persons_only && now.rules == Policy::default().rules);
}

#[tokio::test]
async fn a_principal_asks_about_one_policy_at_a_time() {
    let world = World::new();
    let first = waits(&world, asks_nobody(), "boss").await;
    assert_eq!(waits(&world, asks_nobody(), "boss").await, first, "asked twice");
    let other = Policy { life_hours: 48, ..Policy::default() };
    let second = waits(&world, other, "boss").await;
    assert_eq!(pending(&world).await, second);
    let elses = waits(&world, asks_nobody(), "deputy").await;
    assert_eq!(approvals(&world, &[ApprovalStatus::Pending]).await.len(), 2);
    decide(&world, &elses, ApprovalEvent::Approve, NOW).await.unwrap();
    assert_eq!(approvals(&world, &[ApprovalStatus::Expired]).await.len(), 1);
}

#[tokio::test]
async fn approvals_that_ended_long_ago_are_forgotten_in_pages_and_none_that_waits() {
    let world = World::new();
    let device = world.device("a").await;
    for _ in 0..5 {
        world.keep(target(&world, &device, WIPE)).await;
    }
    let asked = approvals(&world, &[]).await;
    for (approval, event) in asked.iter().zip([
        ApprovalEvent::Approve,
        ApprovalEvent::Refuse,
        ApprovalEvent::Withdraw,
        ApprovalEvent::TimeOver,
    ]) {
        decide(&world, approval, event, NOW.plus_s(60)).await.unwrap();
    }
    let (decided, later) = (NOW.plus_s(60), NOW.plus_s(61));
    assert_eq!(world.store().approval_forget(decided, 10).await.unwrap(), Due::Nothing);
    assert_eq!(approvals(&world, &[]).await.len(), 5, "they ended then, and not before");
    assert_eq!(world.store().approval_forget(later, 3).await.unwrap(), Due::More);
    assert_eq!(approvals(&world, &[]).await.len(), 2);
    assert_eq!(world.store().approval_forget(later, 3).await.unwrap(), Due::Nothing);
    assert_eq!(approvals(&world, &[]).await, [pending(&world).await]);
    let told = audit(&world, "approval").await;
    assert_eq!(told.len(), 4, "the log keeps what was decided");
}
