//! Callers whose rights are narrowed to device groups, to places in the management tree, or to what they made.

use muster_broker::access::{Caller, Permission, RightPattern, TreePath};
use muster_broker::device::Device;
use muster_broker::fault::FaultName;
use muster_broker::job::{DeviceFilter, Selector};
use muster_broker::operation::{Arguments, Parameter};
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    BulkRequest, Deployment, DeviceFields, ImportOptions, OperationRequest, RecordingWanted, TasksWanted,
};
use muster_broker::task::Task;

use crate::world::{
    IMEI_A, IMEI_B, NUMBER_A, NUMBER_B, World, account, admin, deployment, fault, id, msisdn, page, query,
};

fn permission(right: &str, groups: &[&str], paths: &[&str]) -> Permission {
    Permission {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        paths: paths.iter().map(|path| TreePath::parse(path).unwrap()).collect(),
        ..Permission::whole(RightPattern::parse(right).unwrap(), Some("acme"))
    }
}

fn with(permissions: Vec<Permission>) -> Caller {
    Caller { permissions: permissions.into(), ..Caller::local("partner", "acme", "") }
}

/// May do everything, on the devices of the group north.
fn north() -> Caller {
    with(vec![permission("*", &["north"], &[])])
}

fn fields(number: &str, imei: &str, groups: &[&str]) -> DeviceFields {
    DeviceFields {
        device_id: Some(id(imei)),
        phone_number: Some(msisdn(number)),
        account: Some(account(imei)),
        group: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..DeviceFields::default()
    }
}

struct Fleet {
    world: World,
    north: Device,
    south: Device,
}

/// A device in the north and one in the south.
async fn fleet() -> Fleet {
    let world = World::new();
    let make = async |fields| world.broker.create_device(&admin(), fields, None).await.unwrap();
    let north = make(fields(NUMBER_A, IMEI_A, &["north", "blue"])).await;
    let south = make(fields(NUMBER_B, IMEI_B, &["south"])).await;
    Fleet { world, north, south }
}

fn on(paths: &[&str]) -> Arguments {
    let parameter = paths.iter().map(|path| Parameter { path: (*path).to_owned(), ..Parameter::default() }).collect();
    Arguments { parameter, ..Arguments::default() }
}

fn asked(operation: &str, arguments: Arguments) -> OperationRequest {
    OperationRequest { operation: operation.to_owned(), arguments, ..query(NUMBER_A) }
}

#[tokio::test]
async fn a_device_outside_the_groups_is_unknown_whatever_is_asked() {
    let Fleet { world, north: mine, south } = fleet().await;
    let (broker, who) = (&world.broker, &north());
    let oid = south.oid.to_string();
    for (what, unknown) in [
        ("operation by number", fault(broker.do_operation(who, query(NUMBER_B)).await)),
        ("by deviceID", fault(broker.device_by_device_id(who, &id(IMEI_B)).await)),
        ("by number", fault(broker.device_by_phone_number(who, &msisdn(NUMBER_B)).await)),
        ("by oid", fault(broker.device_by_oid(who, &oid).await)),
        ("update", fault(broker.update_device(who, fields(NUMBER_B, IMEI_B, &["north"])).await)),
        ("delete", fault(broker.delete_device(who, Some(id(IMEI_B)), None, None).await)),
        ("delete by oid", fault(broker.delete_device(who, None, Some(oid.clone()), None).await)),
        ("trace", fault(broker.device_trace(who, None, Some(oid.clone()), &page()).await)),
        ("record", fault(broker.set_device_trace(who, None, Some(oid.clone()), RecordingWanted::default()).await)),
        ("messages", fault(broker.trace_messages(who, None, Some(oid.clone()), 1, &page()).await)),
        ("capability", fault(broker.capability_by_device_id(who, &id(IMEI_B)).await)),
        // Nor does it learn which identifiers are recorded.
        (
            "operation by identifier",
            fault(broker.do_operation(who, OperationRequest { device_id: Some(id(IMEI_B)), ..query(NUMBER_A) }).await),
        ),
        (
            "operation by new identifier",
            fault(
                broker
                    .do_operation(
                        who,
                        OperationRequest { device_id: Some(id("IMEI:356938035643817")), ..query(NUMBER_A) },
                    )
                    .await,
            ),
        ),
    ] {
        assert_eq!(unknown, FaultName::UnknownDevice, "{what}");
    }
    assert_eq!(broker.device_by_oid(&admin(), &oid).await.unwrap(), south);

    assert_eq!(broker.device_by_device_id(who, &id(IMEI_A)).await.unwrap(), mine);
    broker.do_operation(who, query(NUMBER_A)).await.unwrap();
}

#[tokio::test]
async fn a_device_that_is_seen_and_not_operated_is_refused_and_not_denied() {
    let Fleet { world, .. } = fleet().await;
    let who = with(vec![permission("device.read", &[], &[]), permission("device.operate", &["north"], &[])]);
    assert_eq!(fault(world.broker.do_operation(&who, query(NUMBER_B)).await), FaultName::NotAuthorized);
    world.broker.do_operation(&who, query(NUMBER_A)).await.unwrap();
}

#[tokio::test]
async fn lists_have_what_is_in_the_groups_and_count_nothing_else() {
    let Fleet { world, north: mine, .. } = fleet().await;
    let broker = &world.broker;
    let devices = broker.devices(&north(), DeviceFilter::default(), None, &page()).await.unwrap();
    assert_eq!((devices.items, devices.total), (vec![mine], 1));

    let first = broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    broker.do_operation(&admin(), query(NUMBER_B)).await.unwrap();
    let wanted = || TasksWanted { created_since: Some(crate::world::MORNING), ..TasksWanted::default() };
    let tasks = broker.tasks(&north(), wanted(), &page()).await.unwrap();
    let ids: Vec<String> = tasks.items.iter().map(|task| task.id.to_string()).collect();
    assert_eq!((ids, tasks.total), (vec![first], 1));
}

#[tokio::test]
async fn a_task_outside_the_groups_is_unknown() {
    let Fleet { world, .. } = fleet().await;
    let broker = &world.broker;
    let theirs = broker.do_operation(&admin(), query(NUMBER_B)).await.unwrap();
    let mine = broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    let who = &north();
    assert_eq!(fault(broker.task_by_id(who, &theirs).await), FaultName::UnknownTask);
    assert_eq!(fault(broker.task_history(who, None, Some(&theirs), &page()).await), FaultName::UnknownTask);
    assert_eq!(fault(broker.cancel_task(who, &theirs, None).await), FaultName::UnknownTask);
    broker.task_by_id(who, &mine).await.unwrap();
    broker.task_history(who, None, Some(&mine), &page()).await.unwrap();
    broker.cancel_task(who, &mine, None).await.unwrap();
}

#[tokio::test]
async fn who_sees_its_own_tasks_sees_no_others() {
    let Fleet { world, .. } = fleet().await;
    let broker = &world.broker;
    let who = &with(vec![
        permission("task.read:own", &[], &[]),
        permission("task.cancel:own", &[], &[]),
        permission("device.operate:QUERY", &[], &["./Vendor"]),
    ]);
    let theirs = broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    let mine = broker.do_operation(who, asked("QUERY", on(&["./Vendor/Acme"]))).await.unwrap();
    assert_eq!(fault(broker.task_by_id(who, &theirs).await), FaultName::UnknownTask);
    assert_eq!(fault(broker.cancel_task(who, &theirs, None).await), FaultName::UnknownTask);
    let wanted = TasksWanted { phone_number: Some(msisdn(NUMBER_A)), ..TasksWanted::default() };
    let tasks = broker.tasks(who, wanted, &page()).await.unwrap();
    assert_eq!(tasks.items.iter().map(|task| task.id.to_string()).collect::<Vec<_>>(), std::slice::from_ref(&mine));
    broker.cancel_task(who, &mine, None).await.unwrap();
}

#[tokio::test]
async fn records_are_and_stay_in_the_groups_of_who_writes_them() {
    let Fleet { world, .. } = fleet().await;
    let broker = &world.broker;
    let who = &north();
    let new = |groups: &[&str]| fields("+15550000009", "IMEI:356938035643817", groups);
    for groups in [&[][..], &["south"], &["north", "south"]] {
        let refused = fault(broker.create_device(who, new(groups), None).await);
        assert_eq!(refused, FaultName::NotAuthorized, "{groups:?}");
        let imported = broker.import_devices(who, vec![new(groups)], true, None).await.unwrap();
        assert_eq!((imported.created, imported.rejected.len()), (0, 1), "{groups:?}");
    }
    // "blue" is no group of the caller: it can neither be left nor joined.
    for groups in [&["blue"][..], &["south", "blue"], &["north"], &["north", "blue", "red"], &[]] {
        let refused = fault(broker.update_device(who, fields(NUMBER_A, IMEI_A, groups)).await);
        assert_eq!(refused, FaultName::NotAuthorized, "{groups:?}");
        let imported = broker.import_devices(who, vec![fields(NUMBER_A, IMEI_A, groups)], true, None).await.unwrap();
        assert_eq!((imported.updated, imported.rejected.len()), (0, 1), "{groups:?}");
    }
    broker.update_device(who, fields(NUMBER_A, IMEI_A, &["blue", "north"])).await.unwrap();
    broker.create_device(who, new(&["north"]), None).await.unwrap();
    let theirs = broker.import_devices(who, vec![fields(NUMBER_B, IMEI_B, &["north"])], true, None).await.unwrap();
    assert_eq!((theirs.updated, theirs.rejected.len()), (0, 1));
    broker.delete_device(who, Some(id(IMEI_A)), None, None).await.unwrap();
}

#[tokio::test]
async fn rows_of_a_stream_are_held_to_the_groups_of_who_sends_them() {
    let Fleet { world, .. } = fleet().await;
    let import = async |who: &Caller, update_existing: bool, rows: Vec<DeviceFields>| {
        let options = ImportOptions { update_existing, ..ImportOptions::default() };
        let mut import = world.broker.import_begin(who, options).await.unwrap();
        let rows: Vec<_> = (0..).zip(rows.into_iter().map(Ok)).collect();
        let to = rows.len() as u64;
        let batch = import.preparer().prepare(rows, to, true).await.unwrap();
        let refused = import.write(batch).await.unwrap();
        let refused: Vec<_> = refused.into_iter().map(|(row, fault)| (row, fault.name)).collect();
        (import.totals().created, import.totals().updated, refused)
    };
    let number_only = DeviceFields { device_id: None, account: None, ..fields(NUMBER_B, IMEI_B, &["north"]) };
    let rows = || {
        vec![
            fields("+15550000008", "MEID:A8", &["north"]),
            fields("+15550000009", "MEID:A9", &["south"]),
            fields(NUMBER_A, IMEI_A, &["north", "blue"]),
            fields(NUMBER_A, IMEI_A, &["north"]),
            fields(NUMBER_B, IMEI_B, &["north"]),
            DeviceFields { model: Some("One".into()), ..fields(NUMBER_A, IMEI_A, &["blue", "north"]) },
            number_only.clone(),
        ]
    };
    let (created, updated, refused) = import(&north(), true, rows()).await;
    let [not_authorized, unknown] = [FaultName::NotAuthorized, FaultName::UnknownDevice];
    // The number of the south is not seen, so the last row makes a record of its own.
    assert_eq!((created, updated), (2, 1));
    assert_eq!(refused, [(1, not_authorized), (3, not_authorized), (4, unknown)]);
    let taken = FaultName::AlreadyExists;
    let (created, _, refused) = import(&north(), false, rows()).await;
    assert_eq!(created, 1, "{refused:?}");
    // A new record is in groups of its maker alone, before it is looked whether its names are free.
    assert_eq!(refused[..3], [(0, taken), (1, not_authorized), (2, not_authorized)]);
    let nobody = with(vec![permission("device.read", &[], &[])]);
    let begun = world.broker.import_begin(&nobody, ImportOptions::default()).await;
    assert_eq!(begun.map(|_| ()).unwrap_err().name, FaultName::NotAuthorized);
}

async fn tasks_of(world: &World, job: &str) -> Vec<Task> {
    world.pump().await;
    let wanted = TasksWanted { job_id: Some(job.to_owned()), ..TasksWanted::default() };
    world.broker.tasks(&admin(), wanted, &page()).await.unwrap().items
}

#[tokio::test]
async fn a_job_touches_only_devices_that_its_maker_may_operate() {
    let Fleet { world, north: mine, .. } = fleet().await;
    // The right to operate and the right to make jobs are both narrowed; what both allow is touched.
    let who =
        &with(vec![permission("job.create", &["north", "south"], &[]), permission("device.operate", &["north"], &[])]);
    let any = DeviceFilter {
        manufacturer: None,
        last_seen_before: Some(world.broker.environment().now()),
        ..DeviceFilter::default()
    };
    let selectors = [
        Selector { phone_number: vec![msisdn(NUMBER_A), msisdn(NUMBER_B)], ..Selector::default() },
        Selector { device_id: vec![id(IMEI_A), id(IMEI_B)], ..Selector::default() },
        Selector { filter: Some(any), ..Selector::default() },
    ];
    for devices in selectors {
        let deployment = Deployment { devices: devices.clone(), ..deployment(&[NUMBER_A]) };
        let receipt = world.broker.create_deployments(who, vec![deployment], None).await.unwrap();
        let tasks = tasks_of(&world, &receipt.job_id[0]).await;
        assert_eq!(tasks.iter().map(|task| task.device).collect::<Vec<_>>(), [mine.oid], "{devices:?}");
    }
    let everything = Selector { all_devices: true, ..Selector::default() };
    let all = Deployment { devices: everything, ..deployment(&[]) };
    let who = &with(vec![permission("*", &["north"], &[])]);
    let receipt = world.broker.create_deployments(who, vec![all], None).await.unwrap();
    assert_eq!(receipt.rejected.len(), 1, "the whole domain is not addressed by a caller that has a part of it");

    let bulk = BulkRequest {
        requests: vec![query(NUMBER_A), query(NUMBER_B)],
        name: None,
        schedule: Schedule::default(),
        callback: None,
        request: None,
    };
    let receipt = world.broker.do_bulk_operation(who, bulk).await.unwrap();
    assert_eq!(receipt.task_id.len(), 1);
    assert_eq!(receipt.rejected.iter().map(|entry| entry.index).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_narrowed_caller_sees_and_leads_the_jobs_that_it_made() {
    let Fleet { world, .. } = fleet().await;
    let broker = &world.broker;
    let who = &north();
    let make = async |who: &Caller| {
        broker.create_deployments(who, vec![deployment(&[NUMBER_A])], None).await.unwrap().job_id.remove(0)
    };
    let (mine, theirs) = (make(who).await, make(&admin()).await);
    let jobs = broker.jobs(who, Vec::new(), None, None, &page()).await.unwrap();
    assert_eq!(jobs.items.iter().map(|view| view.job.id.to_string()).collect::<Vec<_>>(), std::slice::from_ref(&mine));
    assert_eq!(jobs.total, 1);
    let of_all = |job: &str| TasksWanted { job_id: Some(job.to_owned()), ..TasksWanted::default() };
    for (what, unknown) in [
        ("read", fault(broker.job_by_id(who, &theirs).await)),
        ("cancel", fault(broker.cancel_job(who, &theirs, None).await)),
        ("pause", fault(broker.pause_job(who, &theirs, None).await)),
        ("restart", fault(broker.restart_job(who, &theirs, true, None).await)),
        ("tasks", fault(broker.tasks(who, of_all(&theirs), &page()).await)),
        ("history", fault(broker.task_history(who, Some(&theirs), None, &page()).await)),
    ] {
        assert_eq!(unknown, FaultName::UnknownJob, "{what}");
    }
    broker.job_by_id(who, &mine).await.unwrap();
    broker.tasks(who, of_all(&mine), &page()).await.unwrap();
    broker.pause_job(who, &mine, None).await.unwrap();
    broker.restart_job(who, &mine, false, None).await.unwrap();
    broker.cancel_job(who, &mine, None).await.unwrap();
}

#[tokio::test]
async fn a_job_made_before_the_maker_was_narrowed_is_not_restarted_by_it() {
    let Fleet { world, .. } = fleet().await;
    let broker = &world.broker;
    let before = with(vec![permission("*", &[], &[])]);
    let job = broker.create_deployments(&before, vec![deployment(&[NUMBER_B])], None).await.unwrap().job_id.remove(0);
    broker.pause_job(&before, &job, None).await.unwrap();
    assert_eq!(fault(broker.restart_job(&north(), &job, false, None).await), FaultName::NotAuthorized);
    broker.restart_job(&before, &job, false, None).await.unwrap();
}

#[tokio::test]
async fn a_partner_touches_its_node_and_what_is_below_and_nothing_else() {
    let Fleet { world, .. } = fleet().await;
    let who = &with(vec![permission("device.operate", &[], &["./Vendor/Acme"])]);
    let own = ["./Vendor/Acme", "./Vendor/Acme/A", "./Vendor/Acme/A/B.c-d_e~1:@+"];
    let other = [
        "./Vendor",
        "./Vendor/Acme2",
        "./Vendor/Acme2/A",
        "./vendor/acme/A",
        "./Vendor/ACME",
        "./DevInfo/Man",
        "./Vendor/Acme?list=Struct",
        "./Vendor/Acme?prop=ACL",
        "./Vendor/Acme?list=StructData",
        "./Vendor%2FAcme/A",
        "./Vendor/Acme/%2e%2e/B",
        "./Vendor/Acme/..%2FB",
        "./Vendor/%41cme/A",
        "./Vendor/Acme/A B",
        "./Vendor/Acme/..;/B",
        "./Vendor/Acm\u{e9}",
    ];
    // These are the address of no node, whoever asks.
    let nothing =
        ["./Vendor/Acme/", "./Vendor/Acme/../B", "./Vendor//Acme", "Vendor/Acme", "/Vendor/Acme", ".//Vendor/Acme", ""];
    let value = |path: &str| Parameter { path: path.to_owned(), value: Some("v".into()), ..Parameter::default() };
    let ask = async |operation: &str, arguments: Arguments| {
        world.broker.do_operation(who, asked(operation, arguments)).await.map_err(|fault| fault.name)
    };
    for operation in ["UPDATE", "QUERY", "DISCOVER", "EXECUTE", "DELETE"] {
        let arguments = |path: &str| match operation {
            "UPDATE" => Arguments { parameter: vec![value(path)], ..Arguments::default() },
            _ => on(&[path]),
        };
        for path in own {
            assert!(ask(operation, arguments(path)).await.is_ok(), "{operation} {path}");
        }
        for path in other {
            let refused = ask(operation, arguments(path)).await.unwrap_err();
            // A property is no argument of most operations.
            let is_malformed = path.contains('?') && refused == FaultName::InvalidArgument;
            assert!(refused == FaultName::NotAuthorized || is_malformed, "{operation} {path} {refused:?}");
        }
        for path in nothing {
            assert_eq!(ask(operation, arguments(path)).await, Err(FaultName::InvalidArgument), "{operation} {path}");
        }
    }
    // Each node must be allowed, not only one of them.
    let both = Arguments { parameter: vec![value("./Vendor/Acme/A"), value("./Other/B")], ..Arguments::default() };
    assert_eq!(ask("UPDATE", both).await, Err(FaultName::NotAuthorized));
    // A serialized tree says itself where it goes.
    let tree = |kind: &str| Parameter { kind: Some(kind.to_owned()), ..value("./Vendor/Acme/A") };
    for kind in ["application/vnd.syncml.dmtnds+xml", "application/vnd.syncml.dmTNDS+wbxml"] {
        let arguments = Arguments { parameter: vec![tree(kind)], ..Arguments::default() };
        assert_eq!(ask("UPDATE", arguments).await, Err(FaultName::NotAuthorized), "{kind}");
    }
    // What names no node is about the whole device.
    for operation in ["QUERY", "DISCOVER", "SESSION"] {
        assert_eq!(ask(operation, Arguments::default()).await, Err(FaultName::NotAuthorized), "{operation}");
    }
    assert_eq!(ask("QUERY", on(&["."])).await, Err(FaultName::NotAuthorized));
    // Nor does a place give anything else.
    let broker = &world.broker;
    assert_eq!(fault(broker.device_by_device_id(who, &id(IMEI_A)).await), FaultName::NotAuthorized);
    assert_eq!(fault(broker.jobs(who, Vec::new(), None, None, &page()).await), FaultName::NotAuthorized);
    let traced = Arguments { option: vec![("trace".into(), "true".into())], ..on(&["./Vendor/Acme"]) };
    let everywhere = &with(vec![permission("*", &[], &["./Vendor/Acme"])]);
    let refused = broker.do_operation(everywhere, asked("QUERY", traced)).await;
    assert_eq!(fault(refused), FaultName::NotAuthorized);
}

#[tokio::test]
async fn places_of_several_permissions_count_on_the_devices_of_each() {
    let Fleet { world, north: mine, .. } = fleet().await;
    let who = &with(vec![
        permission("job.create", &[], &[]),
        permission("device.operate", &["north"], &["./Vendor"]),
        permission("device.operate", &["north", "south"], &["./Com"]),
    ]);
    let operate = async |number, paths: &[&str]| {
        let request = OperationRequest { arguments: on(paths), ..query(number) };
        world.broker.do_operation(who, request).await.map_err(|fault| fault.name)
    };
    assert!(operate(NUMBER_A, &["./Vendor/A", "./Com/B"]).await.is_ok());
    assert!(operate(NUMBER_B, &["./Com/B"]).await.is_ok());
    assert_eq!(operate(NUMBER_B, &["./Vendor/A", "./Com/B"]).await, Err(FaultName::UnknownDevice));
    assert_eq!(operate(NUMBER_A, &["./Other"]).await, Err(FaultName::NotAuthorized));
    let deployment = Deployment { arguments: on(&["./Vendor/A", "./Com/B"]), ..deployment(&[NUMBER_A, NUMBER_B]) };
    let receipt = world.broker.create_deployments(who, vec![deployment], None).await.unwrap();
    let tasks = tasks_of(&world, &receipt.job_id[0]).await;
    assert_eq!(tasks.iter().map(|task| task.device).collect::<Vec<_>>(), [mine.oid]);
}

#[tokio::test]
async fn an_operation_is_allowed_by_its_name() {
    let Fleet { world, .. } = fleet().await;
    let who = &with(vec![permission("device.operate:QUERY", &[], &[])]);
    assert!(world.broker.do_operation(who, query(NUMBER_A)).await.is_ok());
    let refused = world.broker.do_operation(who, asked("DELETE", on(&["./A/B"]))).await;
    assert_eq!(fault(refused), FaultName::NotAuthorized);
}
