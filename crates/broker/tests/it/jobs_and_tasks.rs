use muster_broker::fault::FaultName;
use muster_broker::job::JobStatus;
use muster_broker::page::PageRequest;
use muster_broker::services::{JobsByDate, TasksWanted};
use muster_broker::task::TaskStatus;

use crate::bulk_requests::bulk;
use crate::world::{
    IMEI_A, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, admin, caller, deployment, fault, foreigner, id, msisdn, page,
    query,
};

pub(crate) fn of_device(imei: &str) -> TasksWanted {
    TasksWanted { device_id: Some(id(imei)), ..TasksWanted::default() }
}

async fn world() -> World {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    world
}

/// A job with a task for each of the two devices.
async fn job(world: &World) -> String {
    let request = bulk(vec![query(NUMBER_A), query(NUMBER_B)]);
    world.broker.do_bulk_operation(&admin(), request).await.unwrap().job_id.unwrap()
}

fn sized(size: i32, token: Option<String>) -> PageRequest {
    PageRequest { size: Some(size), token }
}

#[tokio::test]
async fn tasks_are_asked_for_by_job_device_number_or_time() {
    let world = world().await;
    let job = job(&world).await;
    world.clock.advance_s(10);
    world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    for (wanted, total) in [
        (TasksWanted { job_id: Some(job), ..TasksWanted::default() }, 2),
        (of_device(IMEI_A), 2),
        (TasksWanted { phone_number: Some(msisdn(NUMBER_B)), ..TasksWanted::default() }, 1),
        (TasksWanted { created_since: Some(MORNING.plus_s(1)), ..TasksWanted::default() }, 1),
        (TasksWanted { status: vec![TaskStatus::Failed], ..of_device(IMEI_A) }, 0),
        (TasksWanted { status: vec![TaskStatus::Scheduled, TaskStatus::Scheduled], ..of_device(IMEI_A) }, 2),
    ] {
        let tasks = world.broker.tasks(&admin(), wanted.clone(), &page()).await.unwrap();
        assert_eq!((tasks.total, tasks.items.len() as u64), (total, total), "{wanted:?}");
    }
    let none = TasksWanted { status: vec![TaskStatus::Failed], ..TasksWanted::default() };
    assert_eq!(fault(world.broker.tasks(&admin(), none, &page()).await), FaultName::MissingArgument);
}

#[tokio::test]
async fn a_job_that_is_not_there_is_unknown_everywhere() {
    let world = world().await;
    let job = job(&world).await;
    for (who, job) in
        [(admin(), ""), (admin(), "j-1"), (admin(), "j-00000000000000000000000000000001"), (foreigner(), job.as_str())]
    {
        let broker = &world.broker;
        let wanted = TasksWanted { job_id: Some(job.to_owned()), ..TasksWanted::default() };
        assert_eq!(fault(broker.job_by_id(&who, job).await), FaultName::UnknownJob, "{job}");
        assert_eq!(fault(broker.tasks(&who, wanted, &page()).await), FaultName::UnknownJob, "{job}");
        assert_eq!(fault(broker.task_history(&who, Some(job), None, &page()).await), FaultName::UnknownJob, "{job}");
        assert_eq!(fault(broker.cancel_job(&who, job, None).await), FaultName::UnknownJob, "{job}");
        assert_eq!(fault(broker.pause_job(&who, job, None).await), FaultName::UnknownJob, "{job}");
        assert_eq!(fault(broker.restart_job(&who, job, true, None).await), FaultName::UnknownJob, "{job}");
    }
}

#[tokio::test]
async fn history_is_of_a_job_or_of_a_task_of_it() {
    let world = world().await;
    let (first, second) = (job(&world).await, job(&world).await);
    let wanted = TasksWanted { job_id: Some(first.clone()), ..TasksWanted::default() };
    let task = world.broker.tasks(&admin(), wanted, &page()).await.unwrap().items[0].id.to_string();
    let broker = &world.broker;
    let of = async |job: Option<&str>, task: Option<&str>| broker.task_history(&admin(), job, task, &page()).await;
    assert_eq!(of(Some(&first), None).await.unwrap().total, 2);
    assert_eq!(of(None, Some(&task)).await.unwrap().total, 1);
    assert_eq!(of(Some(&first), Some(&task)).await.unwrap().total, 1);
    assert_eq!(fault(of(Some(&second), Some(&task)).await), FaultName::ConflictingArguments);
    assert_eq!(fault(of(None, None).await), FaultName::MissingArgument);
    assert_eq!(fault(of(Some(&first), Some("t")).await), FaultName::UnknownTask);
}

#[tokio::test]
async fn pages_lead_through_the_whole_list_once() {
    let world = world().await;
    for _ in 0..5 {
        world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
        world.clock.advance_s(1);
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let tasks = world.broker.tasks(&admin(), of_device(IMEI_A), &sized(2, token)).await.unwrap();
        assert_eq!(tasks.total, 5);
        seen.extend(tasks.items.into_iter().map(|task| (task.created_at, task.id)));
        token = tasks.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn a_page_token_is_of_one_list_filter_and_caller() {
    let world = world().await;
    for number in [NUMBER_A, NUMBER_A, NUMBER_B] {
        world.broker.do_operation(&admin(), query(number)).await.unwrap();
    }
    let broker = &world.broker;
    let first = broker.tasks(&admin(), of_device(IMEI_A), &sized(1, None)).await.unwrap();
    let next = sized(1, first.next_token);
    assert!(broker.tasks(&admin(), of_device(IMEI_A), &next).await.is_ok());
    let reader = caller("reader", "reader");
    for refused in [
        fault(broker.tasks(&admin(), of_device(IMEI_B), &next).await),
        fault(broker.tasks(&reader, of_device(IMEI_A), &next).await),
        fault(broker.jobs(&admin(), Vec::new(), None, None, &next).await),
        fault(broker.devices(&admin(), Default::default(), None, &next).await),
        fault(broker.capabilities(&admin(), None, None, None, &next).await),
        fault(broker.tasks(&admin(), of_device(IMEI_A), &sized(1, Some("x".into()))).await),
    ] {
        assert_eq!(refused, FaultName::InvalidPageToken);
    }
    let none = broker.tasks(&admin(), of_device(IMEI_A), &sized(0, None)).await;
    assert_eq!(fault(none), FaultName::InvalidArgument);

    let expression = |expression: &str| TasksWanted { expression: Some(expression.into()), ..TasksWanted::default() };
    let first = broker.tasks(&admin(), expression("operation = QUERY"), &sized(1, None)).await.unwrap();
    let next = sized(1, first.next_token);
    assert!(broker.tasks(&admin(), expression(" operation=QUERY "), &next).await.is_ok());
    for other in ["operation != QUERY", "operation = QUERY and has(deviceID)"] {
        assert_eq!(fault(broker.tasks(&admin(), expression(other), &next).await), FaultName::InvalidPageToken);
    }
}

#[tokio::test]
async fn an_expression_is_read_after_the_right_was_asked_for() {
    let world = world().await;
    let nobody = caller("nobody", "none");
    let wanted = || TasksWanted { expression: Some("nonsense".into()), ..TasksWanted::default() };
    assert_eq!(fault(world.broker.tasks(&nobody, wanted(), &page()).await), FaultName::NotAuthorized);
    assert_eq!(fault(world.broker.tasks(&admin(), wanted(), &page()).await), FaultName::InvalidArgument);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_by_state_owner_and_date() {
    let world = world().await;
    let first = job(&world).await;
    world.clock.advance_s(10);
    let campaign = caller("campaign", "campaign");
    let second = world.broker.create_deployments(&campaign, vec![deployment(&[NUMBER_A])], None).await.unwrap();
    let second = second.job_id[0].clone();
    let broker = &world.broker;
    let listed = async |status: Vec<JobStatus>, owner: Option<&str>| {
        let jobs = broker.jobs(&admin(), status, owner.map(str::to_owned), None, &page()).await.unwrap();
        jobs.items.into_iter().map(|job| job.job.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(Vec::new(), None).await, [second.clone(), first.clone()]);
    assert_eq!(listed(Vec::new(), Some("campaign")).await, std::slice::from_ref(&second));
    assert_eq!(listed(vec![JobStatus::Paused], None).await, [""; 0]);
    broker.pause_job(&admin(), &first, None).await.unwrap();
    assert_eq!(listed(vec![JobStatus::Paused], None).await, std::slice::from_ref(&first));

    let dated = async |from: i64, to: i64| {
        let dates = JobsByDate { from: MORNING.plus_s(from), to: MORNING.plus_s(to) };
        broker.jobs_by_date(&admin(), dates, &page()).await
    };
    assert_eq!(dated(0, 10).await.unwrap().items[0].job.id.to_string(), first);
    assert_eq!((dated(0, 10).await.unwrap().total, dated(0, 11).await.unwrap().total), (1, 2));
    assert_eq!(fault(dated(10, 10).await), FaultName::ConflictingArguments);
}

#[tokio::test]
async fn a_job_is_paused_restarted_and_cancelled_and_asking_twice_changes_nothing() {
    let world = world().await;
    let job = job(&world).await;
    let broker = &world.broker;
    for _ in 0..2 {
        let paused = broker.pause_job(&admin(), &job, Some("maintenance".into())).await.unwrap();
        assert_eq!(paused.job.status, JobStatus::Paused);
    }
    for _ in 0..2 {
        let running = broker.restart_job(&admin(), &job, false, None).await.unwrap();
        assert_eq!(running.job.status, JobStatus::Running);
    }
    for _ in 0..2 {
        broker.cancel_job(&admin(), &job, None).await.unwrap();
        world.pump().await;
    }
    let cancelled = broker.job_by_id(&admin(), &job).await.unwrap();
    assert_eq!((cancelled.job.status, cancelled.counts), (JobStatus::Cancelled, vec![(TaskStatus::Cancelled, 2)]));
    let refused = broker.restart_job(&admin(), &job, true, None).await.unwrap_err();
    assert_eq!((refused.name, refused.variables), (FaultName::WrongState, vec!["CANCELLED".to_owned()]));
}

#[tokio::test]
async fn a_task_is_cancelled_once_and_stays_so() {
    let world = world().await;
    let task = world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    for _ in 0..2 {
        let cancelled = world.broker.cancel_task(&admin(), &task, Some("not needed".into())).await.unwrap();
        assert_eq!(cancelled.status, TaskStatus::Cancelled);
    }
    let history = world.broker.task_history(&admin(), None, Some(&task), &page()).await.unwrap();
    assert_eq!(history.total, 2);
    let last = &history.items[1];
    assert_eq!((last.actor.as_deref(), last.status), (Some("root"), TaskStatus::Cancelled));
}

#[tokio::test]
async fn a_task_that_has_ended_is_not_cancelled() {
    let world = world().await;
    let request = muster_broker::services::OperationRequest { test_cycle: true, ..query(NUMBER_A) };
    let task = world.broker.do_operation(&admin(), request).await.unwrap();
    let refused = world.broker.cancel_task(&admin(), &task, None).await.unwrap_err();
    assert_eq!((refused.name, refused.variables), (FaultName::WrongState, vec!["SUCCEEDED".to_owned()]));
}

#[tokio::test]
async fn a_reason_is_bounded() {
    let world = world().await;
    let job = job(&world).await;
    let long = Some("r".repeat(1001));
    assert_eq!(fault(world.broker.pause_job(&admin(), &job, long).await), FaultName::InvalidArgument);
}
