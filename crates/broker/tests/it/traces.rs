//! Asking for the recording of devices, and reading it.

use muster_broker::access::Caller;
use muster_broker::fault::FaultName;
use muster_broker::operation::Arguments;
use muster_broker::schedule::Schedule;
use muster_broker::services::{BulkRequest, Deployment, OperationRequest, RecordingWanted};
use muster_broker::trace::Recording;

use crate::world::{
    IMEI_A, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, admin, caller, deployment, fault, foreigner, id, page, query,
};

fn on() -> RecordingWanted {
    RecordingWanted { enabled: true, ..RecordingWanted::default() }
}

fn traced() -> Arguments {
    Arguments { option: vec![("trace".to_owned(), "true".to_owned())], ..Arguments::default() }
}

#[tokio::test]
async fn a_recording_says_how_long_it_lasts_and_ends_by_itself() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let care = caller("care", "care");
    let setting = world.broker.set_device_trace(&care, Some(id(IMEI_A)), None, on()).await.unwrap();
    let wanted = Recording { until: MORNING.plus_s(7 * 24 * 3600), sessions: 10 };
    assert_eq!(setting.recording, Some(wanted));

    world.clock.advance_s(7 * 24 * 3600 - 1);
    let recording =
        || async { world.broker.device_trace(&care, Some(id(IMEI_A)), None, &page()).await.unwrap().0.recording };
    assert_eq!(recording().await, Some(wanted));
    world.clock.advance_s(1);
    assert_eq!(recording().await, None);

    let short = RecordingWanted { sessions: Some(100), duration_s: Some(60), ..on() };
    world.broker.set_device_trace(&care, Some(id(IMEI_A)), None, short).await.unwrap();
    assert_eq!(recording().await.map(|it| it.sessions), Some(100));
    world.broker.set_device_trace(&care, Some(id(IMEI_A)), None, RecordingWanted::default()).await.unwrap();
    assert_eq!(recording().await, None);
}

#[tokio::test]
async fn arguments_out_of_range_are_refused_by_name() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    for (wanted, parameter) in [
        (RecordingWanted { sessions: Some(0), ..on() }, "sessions"),
        (RecordingWanted { sessions: Some(101), ..on() }, "sessions"),
        (RecordingWanted { duration_s: Some(0), ..on() }, "durationSeconds"),
        (RecordingWanted { duration_s: Some(90 * 24 * 3600 + 1), ..on() }, "durationSeconds"),
    ] {
        let refused = world.broker.set_device_trace(&admin(), Some(id(IMEI_A)), None, wanted).await.unwrap_err();
        assert_eq!((refused.name, refused.variables[0].as_str()), (FaultName::InvalidArgument, parameter));
    }
    for session in [-1, 0, 7] {
        let messages = world.broker.trace_messages(&admin(), Some(id(IMEI_A)), None, session, &page()).await;
        assert_eq!(fault(messages), FaultName::InvalidArgument, "{session}");
    }
}

#[tokio::test]
async fn a_device_is_named_once_in_ones_own_domain_and_can_connect() {
    let world = World::new();
    let device = world.device(NUMBER_A, IMEI_A).await;
    let stranger = world.stranger(Some(NUMBER_B), Some(IMEI_B)).await;
    let set =
        async |who: Caller, imei: Option<&str>, oid| world.broker.set_device_trace(&who, imei.map(id), oid, on()).await;
    let oid = || Some(device.oid.to_string());
    assert_eq!(fault(set(admin(), None, None).await), FaultName::MissingArgument);
    assert_eq!(fault(set(admin(), Some(IMEI_B), oid()).await), FaultName::ConflictingArguments);
    assert_eq!(fault(set(admin(), None, Some("no".into())).await), FaultName::UnknownDevice);
    assert_eq!(fault(set(foreigner(), Some(IMEI_A), None).await), FaultName::UnknownDevice);
    assert_eq!(fault(set(foreigner(), None, oid()).await), FaultName::UnknownDevice);
    assert_eq!(fault(set(admin(), None, Some(stranger.oid.to_string())).await), FaultName::WrongState);
    assert!(set(admin(), Some(IMEI_A), oid()).await.is_ok());
    let read = world.broker.device_trace(&foreigner(), Some(id(IMEI_A)), None, &page()).await;
    assert_eq!(fault(read), FaultName::UnknownDevice);
    let read = world.broker.trace_messages(&foreigner(), Some(id(IMEI_A)), None, 1, &page()).await;
    assert_eq!(fault(read), FaultName::UnknownDevice);
}

#[tokio::test]
async fn a_task_is_recorded_by_who_may_see_that_and_a_job_never() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let ask = || OperationRequest { arguments: traced(), ..query(NUMBER_A) };
    let campaign = caller("campaign", "campaign");
    assert_eq!(fault(world.broker.do_operation(&campaign, ask()).await), FaultName::NotAuthorized);
    let care = caller("care", "care");
    assert!(world.broker.do_operation(&care, ask()).await.is_ok());
    let off = Arguments { option: vec![("trace".to_owned(), "false".to_owned())], ..Arguments::default() };
    let request = OperationRequest { arguments: off, ..query(NUMBER_A) };
    assert!(world.broker.do_operation(&campaign, request).await.is_ok());

    let bulk =
        BulkRequest { requests: vec![ask()], name: None, schedule: Schedule::default(), callback: None, request: None };
    let receipt = world.broker.do_bulk_operation(&campaign, bulk).await.unwrap();
    assert_eq!(
        receipt.rejected.iter().map(|it| it.message_id.as_str()).collect::<Vec<_>>(),
        [FaultName::NotAuthorized.message_id()]
    );

    let job = Deployment { arguments: traced(), ..deployment(&[NUMBER_A]) };
    let receipt = world.broker.create_deployments(&admin(), vec![job], None).await.unwrap();
    assert_eq!(
        receipt.rejected.iter().map(|it| it.message_id.as_str()).collect::<Vec<_>>(),
        [FaultName::InvalidArgument.message_id()]
    );
}
