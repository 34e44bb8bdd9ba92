use muster_broker::device::ManagementState;
use muster_broker::fault::FaultName;
use muster_broker::services::{DeviceFields, OperationRequest};
use muster_broker::task::Task;

use crate::world::{IMEI_A, IMEI_A2, IMEI_B, NUMBER_A, NUMBER_B, World, admin, fault, foreigner, id, msisdn, query};

/// A request for the device with this number, this identifier or both.
fn meant(number: Option<&str>, imei: Option<&str>, policy: i32) -> OperationRequest {
    OperationRequest { phone_number: number.map(msisdn), device_id: imei.map(id), policy, ..query(NUMBER_A) }
}

async fn accepted(world: &World, request: OperationRequest) -> Task {
    let task = world.broker.do_operation(&admin(), request).await.unwrap();
    world.broker.task_by_id(&admin(), &task).await.unwrap()
}

async fn refused(world: &World, request: OperationRequest) -> FaultName {
    fault(world.broker.do_operation(&admin(), request).await)
}

#[tokio::test]
async fn neither_number_nor_identifier_is_missing() {
    let world = World::new();
    assert_eq!(refused(&world, meant(None, None, 20)).await, FaultName::MissingArgument);
}

#[tokio::test]
async fn what_no_record_has_is_unknown() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    for request in
        [meant(Some(NUMBER_B), None, 20), meant(None, Some(IMEI_B), 20), meant(Some(NUMBER_B), Some(IMEI_B), 30)]
    {
        assert_eq!(refused(&world, request).await, FaultName::UnknownDevice);
    }
}

#[tokio::test]
async fn a_device_of_another_domain_is_unknown() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    for request in [meant(Some(NUMBER_A), None, 20), meant(None, Some(IMEI_A), 20)] {
        assert_eq!(fault(world.broker.do_operation(&foreigner(), request).await), FaultName::UnknownDevice);
    }
}

#[tokio::test]
async fn the_device_of_the_numbers_record_is_expected() {
    let world = World::new();
    let device = world.device(NUMBER_A, IMEI_A).await;
    let task = accepted(&world, meant(Some(NUMBER_A), None, 20)).await;
    assert_eq!((task.device, task.expected), (device.oid, Some(id(IMEI_A))));
    assert_eq!(task.phone_number, Some(msisdn(NUMBER_A)));
}

#[tokio::test]
async fn without_a_device_in_the_record_none_is_expected() {
    let world = World::new();
    let device = world.stranger(Some(NUMBER_A), None).await;
    let task = accepted(&world, meant(Some(NUMBER_A), None, 20)).await;
    assert_eq!((task.device, task.expected), (device.oid, None));
}

#[tokio::test]
async fn by_identifier_alone_the_number_is_that_of_the_record() {
    let world = World::new();
    let device = world.device(NUMBER_A, IMEI_A).await;
    let task = accepted(&world, meant(None, Some(IMEI_A), 20)).await;
    assert_eq!((task.device, task.phone_number), (device.oid, Some(msisdn(NUMBER_A))));
}

#[tokio::test]
async fn a_number_of_several_records_needs_the_identifier() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let second = world.device(NUMBER_A, IMEI_B).await;
    assert_eq!(refused(&world, meant(Some(NUMBER_A), None, 20)).await, FaultName::AmbiguousDevice);
    let task = accepted(&world, meant(Some(NUMBER_A), Some(IMEI_B), 20)).await;
    assert_eq!(task.device, second.oid);
}

#[tokio::test]
async fn an_identifier_that_no_record_has_is_expected_of_the_numbers_record() {
    let world = World::new();
    let device = world.device(NUMBER_A, IMEI_A).await;
    let task = accepted(&world, meant(Some(NUMBER_A), Some(IMEI_B), 20)).await;
    assert_eq!((task.device, task.expected), (device.oid, Some(id(IMEI_B))));
}

#[tokio::test]
async fn different_records_are_a_mismatch_unless_the_policy_admits_the_numbers_device() {
    let world = World::new();
    let by_number = world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    world.device("+15550000003", IMEI_A2).await;
    for (imei, policy) in [(IMEI_B, 10), (IMEI_B, 20), (IMEI_A2, 20)] {
        let request = meant(Some(NUMBER_A), Some(imei), policy);
        assert_eq!(refused(&world, request).await, FaultName::DeviceMismatch, "{imei} {policy}");
    }
    for (imei, policy) in [(IMEI_B, 30), (IMEI_A2, 10)] {
        let task = accepted(&world, meant(Some(NUMBER_A), Some(imei), policy)).await;
        assert_eq!((task.device, task.expected), (by_number.oid, Some(id(imei))), "{imei} {policy}");
    }
}

#[tokio::test]
async fn a_number_without_a_device_may_expect_a_record_that_has_no_account_yet() {
    let world = World::new();
    let by_number = world.stranger(Some(NUMBER_A), None).await;
    world.stranger(None, Some(IMEI_B)).await;
    world.device(NUMBER_B, IMEI_A).await;
    let task = accepted(&world, meant(Some(NUMBER_A), Some(IMEI_B), 20)).await;
    assert_eq!((task.device, task.expected), (by_number.oid, Some(id(IMEI_B))));
    // A session of that device belongs to its own account.
    assert_eq!(refused(&world, meant(Some(NUMBER_A), Some(IMEI_A), 20)).await, FaultName::DeviceMismatch);
}

#[tokio::test]
async fn a_suspended_or_retired_device_takes_no_operations() {
    let world = World::new();
    for (number, imei, state) in
        [(NUMBER_A, IMEI_A, ManagementState::Suspended), (NUMBER_B, IMEI_B, ManagementState::Retired)]
    {
        let fields = DeviceFields {
            device_id: Some(id(imei)),
            phone_number: Some(msisdn(number)),
            management_state: Some(state),
            ..DeviceFields::default()
        };
        world.broker.create_device(&admin(), fields, None).await.unwrap();
        assert_eq!(refused(&world, meant(Some(number), None, 20)).await, FaultName::DeviceSuspended, "{state:?}");
    }
}
