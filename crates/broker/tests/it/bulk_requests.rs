use muster_broker::fault::FaultName;
use muster_broker::job::JobStatus;
use muster_broker::schedule::Schedule;
use muster_broker::services::{BulkRequest, OperationRequest, TasksWanted};
use muster_broker::task::TaskStatus;

use crate::world::{IMEI_A, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, admin, fault, page, query, update};

pub(crate) fn bulk(requests: Vec<OperationRequest>) -> BulkRequest {
    BulkRequest { requests, name: None, schedule: Schedule::default(), callback: None, request: None }
}

async fn world() -> World {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    world
}

#[tokio::test]
async fn a_bulk_request_is_a_job_with_a_task_for_each_entry_in_order() {
    let world = world().await;
    let request = bulk(vec![query(NUMBER_B), query(NUMBER_A)]);
    let receipt = world.broker.do_bulk_operation(&admin(), request).await.unwrap();
    let job = world.broker.job_by_id(&admin(), receipt.job_id.as_ref().unwrap()).await.unwrap();
    assert_eq!((job.job.status, job.job.owner.as_str()), (JobStatus::Running, "root"));
    assert!(!job.job.is_mixed && job.job.expansion.is_none());
    assert_eq!(job.job.name, "QUERY of root");
    assert_eq!(job.counts, [(TaskStatus::Scheduled, 2)]);
    let mut numbers = Vec::new();
    for task in &receipt.task_id {
        let task = world.broker.task_by_id(&admin(), task).await.unwrap();
        assert_eq!(task.job, Some(job.job.id));
        numbers.push(task.phone_number.unwrap().to_string());
    }
    assert_eq!(numbers, [NUMBER_B, NUMBER_A]);
}

#[tokio::test]
async fn entries_that_differ_make_a_mixed_job() {
    let world = world().await;
    let receipt =
        world.broker.do_bulk_operation(&admin(), bulk(vec![query(NUMBER_A), update(NUMBER_B)])).await.unwrap();
    let job = world.broker.job_by_id(&admin(), &receipt.job_id.unwrap()).await.unwrap();
    assert!(job.job.is_mixed);
}

#[tokio::test]
async fn what_is_wrong_with_an_entry_rejects_only_this_entry() {
    let world = world().await;
    let requests = vec![
        query("+15559999999"),
        query(NUMBER_A),
        OperationRequest { operation: "REBOOT".into(), ..query(NUMBER_A) },
        OperationRequest { policy: 40, ..query(NUMBER_A) },
    ];
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(requests)).await.unwrap();
    assert_eq!(receipt.task_id.len(), 1);
    let rejected: Vec<_> =
        receipt.rejected.iter().map(|rejected| (rejected.index, rejected.message_id.as_str())).collect();
    assert_eq!(rejected, [(0, "DMS0103"), (2, "DMS0004"), (3, "DMS0006")]);
}

#[tokio::test]
async fn a_request_without_any_accepted_entry_makes_no_job() {
    let world = world().await;
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(vec![query("+15559999999")])).await.unwrap();
    assert_eq!((receipt.job_id, receipt.task_id.len(), receipt.rejected.len()), (None, 0, 1));
    let jobs = world.broker.jobs(&admin(), Vec::new(), None, None, &page()).await.unwrap();
    assert_eq!(jobs.total, 0);
}

#[tokio::test]
async fn a_bulk_request_has_1_to_1000_entries() {
    let world = world().await;
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), bulk(Vec::new())).await), FaultName::MissingArgument);
    let many = bulk(vec![query(NUMBER_A); 1001]);
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), many).await), FaultName::TooManyEntries);
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(vec![query(NUMBER_A); 1000])).await.unwrap();
    assert_eq!(receipt.task_id.len(), 1000);
}

#[tokio::test]
async fn a_callback_or_an_impossible_schedule_refuses_the_whole_request() {
    let world = world().await;
    let called_back = BulkRequest { callback: Some("https://a.example/".into()), ..bulk(vec![query(NUMBER_A)]) };
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), called_back).await), FaultName::CallbackRefused);
    let schedule = Schedule { end: Some(MORNING), ..Schedule::default() };
    let late = BulkRequest { schedule, ..bulk(vec![query(NUMBER_A)]) };
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), late).await), FaultName::InvalidArgument);
}

#[tokio::test]
async fn a_job_that_starts_later_is_scheduled_and_paced_tasks_wait_for_a_slot() {
    let world = world().await;
    let schedule = Schedule { start: Some(MORNING.plus_s(60)), concurrent_max: Some(1), ..Schedule::default() };
    let request = BulkRequest { schedule, name: Some("later".into()), ..bulk(vec![query(NUMBER_A)]) };
    let receipt = world.broker.do_bulk_operation(&admin(), request).await.unwrap();
    let job = world.broker.job_by_id(&admin(), &receipt.job_id.unwrap()).await.unwrap().job;
    assert_eq!((job.status, job.name.as_str()), (JobStatus::Scheduled, "later"));
    let task = world.broker.task_by_id(&admin(), &receipt.task_id[0]).await.unwrap();
    assert_eq!((task.released, task.start_at), (false, MORNING.plus_s(60)));
}

#[tokio::test]
async fn a_job_of_test_cycles_is_complete_at_once() {
    let world = world().await;
    let test = OperationRequest { test_cycle: true, ..query(NUMBER_A) };
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(vec![test])).await.unwrap();
    let job = world.broker.job_by_id(&admin(), &receipt.job_id.unwrap()).await.unwrap();
    assert_eq!((job.job.status, job.job.finished_at), (JobStatus::Completed, Some(MORNING)));
    assert!(job.job.template.test_cycle);
    assert_eq!(job.counts, [(TaskStatus::Succeeded, 1)]);
}

#[tokio::test]
async fn its_tasks_are_listed_by_job() {
    let world = world().await;
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(vec![query(NUMBER_A), query(NUMBER_B)])).await.unwrap();
    let wanted = TasksWanted { job_id: receipt.job_id.clone(), ..TasksWanted::default() };
    let tasks = world.broker.tasks(&admin(), wanted, &page()).await.unwrap();
    assert_eq!(tasks.total, 2);
}
