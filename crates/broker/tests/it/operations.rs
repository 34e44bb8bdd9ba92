use muster_broker::fault::FaultName;
use muster_broker::operation::{DEFINITIONS, KNOWN_ELSEWHERE};
use muster_broker::page::PageRequest;
use muster_broker::schedule::Schedule;
use muster_broker::services::OperationRequest;
use muster_broker::task::TaskStatus;

use crate::world::{IMEI_A, MORNING, NUMBER_A, World, admin, caller, fault, foreigner, page, query, update};

async fn world() -> World {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world
}

#[tokio::test]
async fn an_accepted_operation_is_a_task_that_waits_for_its_device() {
    let world = world().await;
    let care = caller("care desk", "care");
    let task_id = world.broker.do_operation(&care, update(NUMBER_A)).await.unwrap();
    let task = world.broker.task_by_id(&care, &task_id).await.unwrap();
    assert_eq!(task.id.to_string(), task_id);
    assert_eq!((task.status, task.owner.as_str(), task.job), (TaskStatus::Scheduled, "care desk", None));
    assert_eq!((task.priority, task.attempts, task.released), (5, 0, true));
    assert_eq!((task.created_at, task.start_at), (MORNING, MORNING));
    assert_eq!(task.end_at, MORNING.plus_s(Schedule::LIFE_S));
    assert_eq!(task.arguments, update(NUMBER_A).arguments);
}

#[tokio::test]
async fn its_history_begins_with_who_asked_for_it() {
    let world = world().await;
    let task = world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    let history = world.broker.task_history(&admin(), None, Some(&task), &page()).await.unwrap();
    let [created] = history.items.as_slice() else { panic!("{history:?}") };
    assert_eq!((created.event.as_str(), created.actor.as_deref()), ("Created", Some("root")));
    assert_eq!((created.number, created.status, created.at), (0, TaskStatus::Scheduled, MORNING));
}

#[tokio::test]
async fn names_policies_and_arguments_are_checked() {
    let world = world().await;
    let elsewhere = KNOWN_ELSEWHERE.iter().map(|name| {
        (OperationRequest { operation: (*name).to_owned(), ..query(NUMBER_A) }, FaultName::UnsupportedOperation)
    });
    let others = [
        (OperationRequest { operation: "REBOOT".into(), ..query(NUMBER_A) }, FaultName::UnknownOperation),
        (OperationRequest { policy: 40, ..query(NUMBER_A) }, FaultName::UnsupportedPolicy),
        (OperationRequest { policy: 11, ..query(NUMBER_A) }, FaultName::InvalidArgument),
        (OperationRequest { operation: "UPDATE".into(), ..query(NUMBER_A) }, FaultName::MissingArgument),
        (OperationRequest { operation: "SESSION".into(), ..update(NUMBER_A) }, FaultName::InvalidArgument),
        (
            OperationRequest { callback: Some("https://a.example/".into()), ..query(NUMBER_A) },
            FaultName::CallbackRefused,
        ),
    ];
    for (request, expected) in elsewhere.chain(others) {
        let name = request.operation.clone();
        assert_eq!(fault(world.broker.do_operation(&admin(), request).await), expected, "{name}");
    }
    let tasks = world.broker.tasks(&admin(), crate::jobs_and_tasks::of_device(IMEI_A), &page()).await.unwrap();
    assert_eq!(tasks.total, 0);
}

#[tokio::test]
async fn a_fault_names_the_parameter_and_its_value() {
    let world = world().await;
    let request = OperationRequest { policy: 11, ..query(NUMBER_A) };
    let refused = world.broker.do_operation(&admin(), request).await.unwrap_err();
    assert_eq!(refused.variables, ["acceptDevicePolicy", "11"]);
}

#[tokio::test]
async fn a_schedule_says_when_the_task_may_start_and_when_it_expires() {
    let world = world().await;
    let schedule = Schedule {
        start: Some(MORNING.plus_s(3600)),
        end: Some(MORNING.plus_s(7200)),
        per_minute_max: Some(1),
        ..Schedule::default()
    };
    let request = OperationRequest { schedule, ..query(NUMBER_A) };
    let task = world.broker.do_operation(&admin(), request).await.unwrap();
    let task = world.broker.task_by_id(&admin(), &task).await.unwrap();
    assert_eq!((task.start_at, task.end_at), (MORNING.plus_s(3600), MORNING.plus_s(7200)));
    // What is about jobs does not count for a single task.
    assert!(task.released && !task.schedule.is_paced());
}

#[tokio::test]
async fn a_schedule_that_cannot_be_is_refused() {
    let world = world().await;
    let at = |s| Some(MORNING.plus_s(s));
    for (schedule, expected) in [
        (Schedule { start: at(20), end: at(10), ..Schedule::default() }, FaultName::ConflictingArguments),
        (Schedule { end: at(-1), ..Schedule::default() }, FaultName::InvalidArgument),
        (Schedule { attempts_max: Some(0), ..Schedule::default() }, FaultName::InvalidArgument),
    ] {
        let request = OperationRequest { schedule, ..query(NUMBER_A) };
        assert_eq!(fault(world.broker.do_operation(&admin(), request).await), expected);
    }
}

#[tokio::test]
async fn a_task_of_another_domain_is_unknown() {
    let world = world().await;
    let task = world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    for name in [task.as_str(), "", "t", "t000-0", "t000-00000000000000000000000000000000"] {
        assert_eq!(fault(world.broker.task_by_id(&foreigner(), name).await), FaultName::UnknownTask, "{name}");
    }
    let page = PageRequest::default();
    let history = world.broker.task_history(&foreigner(), None, Some(&task), &page).await;
    assert_eq!(fault(history), FaultName::UnknownTask);
    assert_eq!(fault(world.broker.cancel_task(&foreigner(), &task, None).await), FaultName::UnknownTask);
}

#[tokio::test]
async fn bootstrapping_is_unsupported() {
    let world = World::new();
    assert_eq!(fault(world.broker.do_bootstrap(&admin()).await), FaultName::UnsupportedOperation);
}

#[tokio::test]
async fn the_definitions_are_what_is_carried_out() {
    let world = World::new();
    assert_eq!(world.broker.operation_definitions(&admin()).unwrap(), DEFINITIONS);
}
