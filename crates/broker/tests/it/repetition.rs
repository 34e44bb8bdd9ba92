use muster_broker::device::ManagementState;
use muster_broker::fault::FaultName;
use muster_broker::services::{BulkRequest, Deployment, DeviceFields, OperationRequest};

use crate::bulk_requests::bulk;
use crate::jobs_and_tasks::of_device;
use crate::world::{
    IMEI_A, IMEI_B, NUMBER_A, NUMBER_B, World, account, admin, caller, capability, deployment, fault, id, key, msisdn,
    page, query,
};

async fn world() -> World {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    world
}

fn keyed(number: &str, name: &str, content: u8) -> OperationRequest {
    OperationRequest { request: key(name, content), ..query(number) }
}

async fn tasks_of(world: &World, imei: &str) -> u64 {
    world.broker.tasks(&admin(), of_device(imei), &page()).await.unwrap().total
}

#[tokio::test]
async fn a_repeated_operation_gets_the_first_task() {
    let world = world().await;
    let first = world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap();
    assert_eq!(world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap(), first);
    assert_eq!(tasks_of(&world, IMEI_A).await, 1);
}

#[tokio::test]
async fn the_first_answer_counts_even_where_it_would_not_be_given_now() {
    let world = world().await;
    let first = world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap();
    let suspended = DeviceFields {
        device_id: Some(id(IMEI_A)),
        phone_number: Some(msisdn(NUMBER_A)),
        management_state: Some(ManagementState::Suspended),
        ..DeviceFields::default()
    };
    world.broker.update_device(&admin(), suspended).await.unwrap();
    assert_eq!(fault(world.broker.do_operation(&admin(), query(NUMBER_A)).await), FaultName::DeviceSuspended);
    assert_eq!(world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap(), first);
}

#[tokio::test]
async fn a_key_with_other_content_is_refused() {
    let world = world().await;
    world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap();
    let refused = world.broker.do_operation(&admin(), keyed(NUMBER_B, "k", 2)).await;
    assert_eq!(fault(refused), FaultName::RequestIdReused);
    assert_eq!(tasks_of(&world, IMEI_B).await, 0);
}

#[tokio::test]
async fn a_key_is_of_one_caller_and_operation() {
    let world = world().await;
    let first = world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap();
    let care = caller("care", "care");
    assert_ne!(world.broker.do_operation(&care, keyed(NUMBER_A, "k", 2)).await.unwrap(), first);
    let request = BulkRequest { request: key("k", 3), ..bulk(vec![query(NUMBER_A)]) };
    assert!(world.broker.do_bulk_operation(&admin(), request).await.is_ok());
}

#[tokio::test]
async fn a_fault_leaves_the_key_free() {
    let world = world().await;
    let unknown = keyed("+15559999999", "k", 1);
    assert_eq!(fault(world.broker.do_operation(&admin(), unknown).await), FaultName::UnknownDevice);
    assert!(world.broker.do_operation(&admin(), keyed(NUMBER_A, "k", 2)).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let world = world().await;
    for name in ["", "with space", &"k".repeat(129)] {
        let refused = world.broker.do_operation(&admin(), keyed(NUMBER_A, name, 1)).await;
        assert_eq!(fault(refused), FaultName::InvalidArgument, "{name}");
    }
}

#[tokio::test]
async fn a_repeated_bulk_request_gets_the_first_receipt() {
    let world = world().await;
    let request = || {
        let entries = vec![keyed(NUMBER_A, "e", 1), query(NUMBER_B), query("+15559999999")];
        BulkRequest { request: key("k", 1), ..bulk(entries) }
    };
    let first = world.broker.do_bulk_operation(&admin(), request()).await.unwrap();
    assert_eq!((first.task_id.len(), first.rejected.len()), (2, 1));
    assert_eq!(world.broker.do_bulk_operation(&admin(), request()).await.unwrap(), first);
    assert_eq!((tasks_of(&world, IMEI_A).await, tasks_of(&world, IMEI_B).await), (1, 1));
    let other = BulkRequest { request: key("k", 2), ..bulk(vec![query(NUMBER_A)]) };
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), other).await), FaultName::RequestIdReused);
}

#[tokio::test]
async fn an_entrys_own_key_gives_the_task_made_for_it_before() {
    let world = world().await;
    let first = world.broker.do_bulk_operation(&admin(), bulk(vec![keyed(NUMBER_A, "e", 1)])).await.unwrap();
    let entries = vec![query(NUMBER_B), keyed(NUMBER_A, "e", 1)];
    let second = world.broker.do_bulk_operation(&admin(), bulk(entries)).await.unwrap();
    assert_eq!(second.task_id[1], first.task_id[0]);
    assert_ne!(second.job_id, first.job_id);
    let third = world.broker.do_bulk_operation(&admin(), bulk(vec![keyed(NUMBER_A, "e", 1)])).await.unwrap();
    assert_eq!((third.job_id, third.task_id), (None, first.task_id));
    assert_eq!(tasks_of(&world, IMEI_A).await, 1);
}

#[tokio::test]
async fn an_entrys_key_with_other_content_rejects_the_entry() {
    let world = world().await;
    world.broker.do_bulk_operation(&admin(), bulk(vec![keyed(NUMBER_A, "e", 1)])).await.unwrap();
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(vec![keyed(NUMBER_B, "e", 2)])).await.unwrap();
    assert_eq!(receipt.rejected[0].message_id, FaultName::RequestIdReused.message_id());
}

#[tokio::test]
async fn two_entries_with_one_key_are_one_task() {
    let world = world().await;
    let entries = vec![keyed(NUMBER_A, "e", 1), keyed(NUMBER_A, "e", 1)];
    let receipt = world.broker.do_bulk_operation(&admin(), bulk(entries)).await.unwrap();
    assert_eq!(receipt.task_id[0], receipt.task_id[1]);
    assert_eq!(tasks_of(&world, IMEI_A).await, 1);
}

#[tokio::test]
async fn repeated_deployments_get_their_first_jobs() {
    let world = world().await;
    let own = || Deployment { request: key("d", 1), ..deployment(&[NUMBER_A]) };
    let first = world.broker.create_deployments(&admin(), vec![own()], key("k", 1)).await.unwrap();
    let again = world.broker.create_deployments(&admin(), vec![own()], key("k", 1)).await.unwrap();
    let by_own_key = world.broker.create_deployments(&admin(), vec![own()], None).await.unwrap();
    assert_eq!((&again, &by_own_key), (&first, &first));
    assert_eq!(world.broker.jobs(&admin(), Vec::new(), None, None, &page()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_repeated_record_is_the_first_one_and_without_a_key_it_exists_already() {
    let world = World::new();
    let fields =
        || DeviceFields { device_id: Some(id(IMEI_A)), account: Some(account("a")), ..DeviceFields::default() };
    let first = world.broker.create_device(&admin(), fields(), key("k", 1)).await.unwrap();
    assert_eq!(world.broker.create_device(&admin(), fields(), key("k", 1)).await.unwrap(), first);
    assert_eq!(fault(world.broker.create_device(&admin(), fields(), None).await), FaultName::AlreadyExists);

    let first = world.broker.create_capability(&admin(), capability("One"), key("k", 1)).await.unwrap();
    assert_eq!(world.broker.create_capability(&admin(), capability("One"), key("k", 1)).await.unwrap(), first);
    assert_eq!(
        fault(world.broker.create_capability(&admin(), capability("One"), None).await),
        FaultName::AlreadyExists
    );
}

#[tokio::test]
async fn a_repeated_import_gets_the_first_result() {
    let world = World::new();
    let records = || vec![DeviceFields { device_id: Some(id(IMEI_A)), ..DeviceFields::default() }];
    let first = world.broker.import_devices(&admin(), records(), false, key("k", 1)).await.unwrap();
    assert_eq!(first.created, 1);
    assert_eq!(world.broker.import_devices(&admin(), records(), false, key("k", 1)).await.unwrap(), first);
    // Nothing was done under this key, so that it stays free.
    let idle = world.broker.import_devices(&admin(), records(), true, key("n", 1)).await.unwrap();
    assert_eq!(idle.unchanged, 1);
    assert!(world.broker.import_devices(&admin(), records(), true, key("n", 2)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_many_times_at_once_is_done_once() {
    let world = world().await;
    let mut operations = tokio::task::JoinSet::new();
    let mut bulks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let broker = world.broker.clone();
        operations.spawn(async move { broker.do_operation(&admin(), keyed(NUMBER_A, "k", 1)).await.unwrap() });
        let broker = world.broker.clone();
        bulks.spawn(async move {
            let entries = vec![keyed(NUMBER_B, "e", 1), query(NUMBER_B)];
            let request = BulkRequest { request: key("k", 1), ..bulk(entries) };
            broker.do_bulk_operation(&admin(), request).await.unwrap()
        });
    }
    let mut tasks = operations.join_all().await;
    tasks.dedup();
    assert_eq!((tasks.len(), tasks_of(&world, IMEI_A).await), (1, 1));
    let mut receipts = bulks.join_all().await;
    receipts.dedup();
    assert_eq!((receipts.len(), tasks_of(&world, IMEI_B).await), (1, 2));
}
