//! Who may decide on what another asked for.

use muster_broker::access::{Caller, Grant, GrantTenant, Granted, Principal, PrincipalKind, RightPattern};
use muster_broker::device::Device;
use muster_broker::fault::FaultName;
use muster_broker::job::Selector;
use muster_broker::operation::{Arguments, Parameter};
use muster_broker::power::{Approval, ApprovalStatus, Class, NodePattern, OwnNode, Policy, PolicyChange, Rule};
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    ApprovalAnswer, ApprovalsWanted, BulkRequest, Deployment, DeviceFields, OperationRequest,
};
use muster_broker::task::TaskStatus;

use crate::world::{IMEI_A, NUMBER_A, World, admin, caller, deployment, fault, id, key, msisdn, page, query, update};

/// A principal that the server knows, and the caller that it is.
async fn principal(world: &World, name: &str, grants: Vec<Grant>) -> Caller {
    let principal = Principal { grants, ..Principal::of_role(name, "acme", "", "hash") };
    world
        .broker
        .store()
        .principal_put(
            principal,
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    world.broker.directory().forget();
    let account = world.broker.account(name).await.unwrap().unwrap();
    account.caller(admin().origin)
}

async fn with_role(world: &World, name: &str, role: &str) -> Caller {
    principal(world, name, vec![Grant::role(role)]).await
}

fn wipe() -> OperationRequest {
    let node = Parameter { path: "./LAWMO/Operations/Wipe".into(), ..Parameter::default() };
    OperationRequest {
        operation: "EXECUTE".to_owned(),
        arguments: Arguments { parameter: vec![node], ..Arguments::default() },
        ..query(NUMBER_A)
    }
}

fn answer(approval: &Approval) -> ApprovalAnswer {
    ApprovalAnswer { approval_id: approval.id.to_string(), ..ApprovalAnswer::default() }
}

async fn pending(world: &World) -> Approval {
    let wanted = ApprovalsWanted { status: vec![ApprovalStatus::Pending], ..ApprovalsWanted::default() };
    let listed = world.broker.approvals(&admin(), wanted, None, &page()).await.unwrap();
    assert_eq!(listed.total, 1);
    listed.items.into_iter().next().unwrap()
}

/// A job that wipes the device, waiting for approval.
async fn deploy_wipe(world: &World, caller: &Caller) {
    let OperationRequest { operation, arguments, .. } = wipe();
    let wipes = Deployment {
        name: "wipe".into(),
        operation,
        arguments,
        devices: Selector { device_id: vec![id(IMEI_A)], ..Selector::default() },
        ..deployment(&[])
    };
    let receipt = world.broker.create_deployments(caller, vec![wipes], None).await.unwrap();
    assert_eq!(receipt.job_id.len(), 1);
    world.pump().await;
}

/// A world in which care has asked for a wipe of a device.
async fn asked() -> (World, Device, Caller, String, Approval) {
    let world = World::new();
    let device = world.device(NUMBER_A, IMEI_A).await;
    let care = with_role(&world, "care", "care").await;
    let task = world.broker.do_operation(&care, wipe()).await.unwrap();
    let approval = pending(&world).await;
    (world, device, care, task, approval)
}

#[tokio::test]
async fn a_second_person_approves_and_the_requester_sees_it() {
    let (world, _, care, task, approval) = asked().await;
    assert_eq!((approval.requester.as_str(), approval.class), ("care", Class::Wipe));
    let told = world.broker.task_by_id(&care, &task).await.unwrap();
    assert!(told.held && told.detail.unwrap().starts_with("waits for approval"));
    let second = with_role(&world, "second", "approver").await;
    world.clock.advance_s(1);
    let approved = world.broker.approve(&second, answer(&approval)).await.unwrap();
    assert_eq!((approved.status, approved.decided_by.as_deref()), (ApprovalStatus::Approved, Some("second")));
    let seen = world.broker.approval_by_id(&care, &approval.id.to_string(), None).await.unwrap();
    assert_eq!(seen, approved);
    assert!(!world.broker.task_by_id(&care, &task).await.unwrap().held);
    assert_eq!(fault(world.broker.approve(&second, answer(&approval)).await), FaultName::WrongState);
}

#[tokio::test]
async fn nobody_approves_or_refuses_their_own_request_whatever_their_rights_and_ways() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let boss = with_role(&world, "boss", "administrator").await;
    world.broker.do_operation(&boss, wipe()).await.unwrap();
    let approval = pending(&world).await;
    for way in [
        muster_broker::access::Way::Password,
        muster_broker::access::Way::ApiKey,
        muster_broker::access::Way::Certificate,
    ] {
        let mut same = boss.clone();
        same.origin.way = way;
        assert_eq!(fault(world.broker.approve(&same, answer(&approval)).await), FaultName::NotAuthorized, "{way:?}");
        assert_eq!(fault(world.broker.refuse(&same, answer(&approval)).await), FaultName::NotAuthorized);
    }
    assert_eq!(world.broker.withdraw(&boss, answer(&approval)).await.unwrap().status, ApprovalStatus::Withdrawn);
}

#[tokio::test]
async fn an_account_made_after_the_request_does_not_approve_it() {
    let (world, _, _, _, approval) = asked().await;
    world.clock.advance_s(5);
    let late = Principal {
        created_at: muster_broker::ports::Environment::now(&*world.clock),
        ..Principal::of_role("puppet", "acme", "approver", "hash")
    };
    world
        .broker
        .store()
        .principal_put(
            late,
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    let puppet = world.broker.account("puppet").await.unwrap().unwrap().caller(admin().origin);
    assert_eq!(fault(world.broker.approve(&puppet, answer(&approval)).await), FaultName::NotAuthorized);
    // Refusing harms nobody.
    assert_eq!(world.broker.refuse(&puppet, answer(&approval)).await.unwrap().status, ApprovalStatus::Refused);
}

#[tokio::test]
async fn who_decides_needs_the_right_to_decide_and_that_to_ask() {
    let (world, _, _, task, approval) = asked().await;
    let right = |text: &str| Granted::Right(RightPattern::parse(text).unwrap());
    let whole = |text: &str| Grant::whole(right(text), GrantTenant::Own);
    let reads = principal(&world, "reads", vec![whole("approval.read"), whole("device.operate")]).await;
    let decides = principal(&world, "decides", vec![whole("approval.decide")]).await;
    let queries = principal(&world, "queries", vec![whole("approval.decide"), whole("device.operate:QUERY")]).await;
    let elsewhere = Grant { groups: vec!["elsewhere".into()], ..whole("device.operate") };
    let elsewhere = principal(&world, "elsewhere", vec![whole("approval.decide"), elsewhere]).await;
    assert_eq!(fault(world.broker.approve(&elsewhere, answer(&approval)).await), FaultName::UnknownApproval);
    for caller in [&reads, &decides, &queries] {
        let refused = world.broker.approve(caller, answer(&approval)).await;
        assert_eq!(fault(refused), FaultName::NotAuthorized, "{}", caller.name);
    }
    let campaign = with_role(&world, "campaign", "campaign").await;
    assert_eq!(fault(world.broker.approve(&campaign, answer(&approval)).await), FaultName::NotAuthorized);
    let foreign = Caller::local("root", "other", "administrator");
    assert_eq!(fault(world.broker.approve(&foreign, answer(&approval)).await), FaultName::UnknownApproval);
    assert!(world.broker.task_by_id(&admin(), &task).await.unwrap().held);
}

#[tokio::test]
async fn who_decides_for_groups_decides_on_what_lies_wholly_in_them() {
    let world = World::new();
    let fields = DeviceFields {
        device_id: Some(id(IMEI_A)),
        phone_number: Some(msisdn(NUMBER_A)),
        group: vec!["north".into()],
        ..DeviceFields::default()
    };
    world.broker.create_device(&admin(), fields, None).await.unwrap();
    let right = |text: &str| Granted::Right(RightPattern::parse(text).unwrap());
    let of = |group: &str| Grant { groups: vec![group.into()], ..Grant::role("approver") };
    let north = principal(&world, "north", vec![of("north")]).await;
    let south = principal(&world, "south", vec![of("south")]).await;
    let care = with_role(&world, "care", "care").await;
    let boss = with_role(&world, "boss", "administrator").await;

    world.broker.do_operation(&care, wipe()).await.unwrap();
    let approval = pending(&world).await;
    let named = approval.id.to_string();
    assert_eq!(fault(world.broker.approve(&south, answer(&approval)).await), FaultName::UnknownApproval);
    assert_eq!(fault(world.broker.approval_by_id(&south, &named, None).await), FaultName::UnknownApproval);
    assert_eq!(world.broker.approval_by_id(&north, &named, None).await.unwrap(), approval);
    world.broker.approve(&north, answer(&approval)).await.unwrap();

    // A job over everything is not wholly in a group, and one of a caller who reaches that group alone is.
    let within = Grant { groups: vec!["north".into()], ..Grant::role("campaign") };
    let narrow = principal(&world, "narrow", vec![within, Grant::whole(right("device.read"), GrantTenant::Own)]).await;
    for (asks, decides, told) in [
        (&boss, &north, Some(FaultName::UnknownApproval)),
        (&narrow, &south, Some(FaultName::UnknownApproval)),
        (&narrow, &north, None),
    ] {
        deploy_wipe(&world, asks).await;
        let approval = pending(&world).await;
        let decided = world.broker.approve(decides, answer(&approval)).await;
        assert_eq!(decided.err().map(|fault| fault.name), told, "{} of {}", decides.name, asks.name);
        if told.is_some() {
            world.broker.withdraw(asks, answer(&approval)).await.unwrap();
        }
    }

    // What a policy is about has no groups.
    let weaker = Policy { life_hours: 48, ..Policy::default() };
    world.broker.set_approval_policy(&boss, weaker, None, None).await.unwrap();
    let asked = pending(&world).await;
    assert_eq!(fault(world.broker.approve(&north, answer(&asked)).await), FaultName::UnknownApproval);
}

#[tokio::test]
async fn a_grant_taken_away_meanwhile_is_seen_when_it_is_decided() {
    let (world, _, _, task, approval) = asked().await;
    let second = with_role(&world, "second", "approver").await;
    with_role(&world, "care", "reader").await;
    assert_eq!(fault(world.broker.approve(&second, answer(&approval)).await), FaultName::NotAuthorized);
    let disabled = Principal { enabled: false, ..Principal::of_role("care", "acme", "care", "hash") };
    world
        .broker
        .store()
        .principal_put(
            disabled,
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    assert_eq!(fault(world.broker.approve(&second, answer(&approval)).await), FaultName::NotAuthorized);
    assert!(world.broker.task_by_id(&admin(), &task).await.unwrap().held);
    let no = ApprovalAnswer { reason: Some("gone".into()), ..answer(&approval) };
    world.broker.refuse(&second, no).await.unwrap();
    let ended = world.broker.task_by_id(&admin(), &task).await.unwrap();
    assert_eq!(ended.status, TaskStatus::Rejected);
    assert!(ended.detail.unwrap().ends_with(": gone"));
}

#[tokio::test]
async fn a_domain_may_let_persons_alone_approve() {
    let (world, _, _, _, approval) = asked().await;
    let policy = Policy { persons_only: true, ..Policy::default() };
    world.broker.set_approval_policy(&admin(), policy, None, None).await.unwrap();
    let machine = with_role(&world, "machine", "approver").await;
    assert_eq!(fault(world.broker.approve(&machine, answer(&approval)).await), FaultName::NotAuthorized);
    let person = Principal { kind: PrincipalKind::Person, ..Principal::of_role("anna", "acme", "approver", "hash") };
    world
        .broker
        .store()
        .principal_put(
            person,
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    let anna = world.broker.account("anna").await.unwrap().unwrap().caller(admin().origin);
    assert_eq!(world.broker.approve(&anna, answer(&approval)).await.unwrap().status, ApprovalStatus::Approved);
}

#[tokio::test]
async fn only_who_asked_withdraws_and_an_outdated_version_decides_nothing() {
    let (world, _, care, task, approval) = asked().await;
    assert_eq!(fault(world.broker.withdraw(&admin(), answer(&approval)).await), FaultName::UnknownApproval);
    let outdated = ApprovalAnswer { version: Some(9), ..answer(&approval) };
    assert_eq!(fault(world.broker.withdraw(&care, outdated).await), FaultName::OutdatedVersion);
    world.broker.withdraw(&care, ApprovalAnswer { version: Some(1), ..answer(&approval) }).await.unwrap();
    assert_eq!(world.broker.task_by_id(&care, &task).await.unwrap().status, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_repeated_request_asks_once() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let care = with_role(&world, "care", "care").await;
    let request = OperationRequest { request: key("one", 1), ..wipe() };
    let first = world.broker.do_operation(&care, request.clone()).await.unwrap();
    assert_eq!(world.broker.do_operation(&care, request).await.unwrap(), first);
    pending(&world).await;
}

#[tokio::test]
async fn single_devices_may_be_exempt_and_a_domain_names_dangers_of_its_own() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let care = with_role(&world, "care", "care").await;
    let wipes = Rule { class: Class::Wipe, required: true, cap: 0, single_cap: Some(1) };
    let node = OwnNode { pattern: NodePattern::parse("./Ext/Name").unwrap(), class: Class::Lock };
    let policy = Policy { rules: vec![wipes], nodes: vec![node], ..Policy::default() };
    let boss = with_role(&world, "boss", "administrator").await;
    let deputy = with_role(&world, "deputy", "administrator").await;
    let waits = world.broker.set_approval_policy(&deputy, policy, Some(0), None).await.unwrap();
    assert!(matches!(waits, PolicyChange::Waits { .. }));
    world.broker.approve(&boss, answer(&pending(&world).await)).await.unwrap();
    let set = world.broker.approval_policy(&admin(), None).await.unwrap();
    assert_eq!((set.version, set.rules.len()), (1, 5));
    let first = world.broker.do_operation(&care, wipe()).await.unwrap();
    let second = world.broker.do_operation(&care, wipe()).await.unwrap();
    let own = world.broker.do_operation(&care, update(NUMBER_A)).await.unwrap();
    let mut held = Vec::new();
    for id in [first, second, own] {
        held.push(world.broker.task_by_id(&care, &id).await.unwrap().held);
    }
    assert_eq!(held, [false, true, true]);
}

#[tokio::test]
async fn nobody_takes_the_guard_off_alone_and_who_agrees_must_be_able_to_do_it_too() {
    let world = World::new();
    let boss = with_role(&world, "boss", "administrator").await;
    let approver = with_role(&world, "approver", "approver").await;
    let deputy = with_role(&world, "deputy", "administrator").await;
    let nobody = |rule: Rule| Rule { required: false, ..rule };
    let off = Policy { rules: Policy::default().rules.into_iter().map(nobody).collect(), ..Policy::default() };
    world.broker.set_approval_policy(&boss, off.clone(), None, None).await.unwrap();
    let asked = pending(&world).await;
    assert_eq!((asked.requester.as_str(), asked.class), ("boss", Class::Wipe));
    for caller in [&boss, &approver] {
        let refused = world.broker.approve(caller, answer(&asked)).await;
        assert_eq!(fault(refused), FaultName::NotAuthorized, "{}", caller.name);
    }
    assert_eq!(world.broker.approval_policy(&boss, None).await.unwrap(), Policy::default());

    // Who asked must still be able to ask.
    with_role(&world, "boss", "approver").await;
    assert_eq!(fault(world.broker.approve(&deputy, answer(&asked)).await), FaultName::NotAuthorized);
    with_role(&world, "boss", "administrator").await;
    world.broker.approve(&deputy, answer(&asked)).await.unwrap();
    assert_eq!(world.broker.approval_policy(&boss, None).await.unwrap(), Policy { version: 1, ..off });
}

#[tokio::test]
async fn many_changes_in_one_bulk_request_wait_and_changes_one_by_one_do_not() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let campaign = with_role(&world, "campaign", "campaign").await;
    let bulk = |number| BulkRequest {
        requests: vec![update(NUMBER_A); number],
        name: None,
        schedule: Schedule::default(),
        callback: None,
        request: None,
    };
    let job = |receipt: muster_broker::services::OperationReceipt| receipt.job_id.unwrap();
    let within = job(world.broker.do_bulk_operation(&campaign, bulk(100)).await.unwrap());
    let above = job(world.broker.do_bulk_operation(&campaign, bulk(1)).await.unwrap());
    let detail = async |id: &str| world.broker.job_by_id(&campaign, id).await.unwrap().job.detail;
    assert_eq!(detail(&within).await, None);
    assert!(detail(&above).await.unwrap().starts_with("waits for approval"));
    let single = world.broker.do_operation(&campaign, update(NUMBER_A)).await.unwrap();
    assert!(!world.broker.task_by_id(&campaign, &single).await.unwrap().held);
}

#[tokio::test]
async fn a_policy_that_makes_no_sense_is_refused_and_so_is_who_may_not_set_it() {
    let world = World::new();
    let nonsense = Policy { window_hours: 0, ..Policy::default() };
    let set = |caller: Caller, policy: Policy| {
        let broker = world.broker.clone();
        async move { broker.set_approval_policy(&caller, policy, None, None).await }
    };
    assert_eq!(fault(set(admin(), nonsense).await), FaultName::InvalidArgument);
    assert_eq!(fault(set(caller("second", "approver"), Policy::default()).await), FaultName::NotAuthorized);
    let elsewhere = world.broker.approval_policy(&admin(), Some("nowhere".into())).await;
    assert_eq!(fault(elsewhere), FaultName::UnknownTenant);
    assert_eq!(fault(world.broker.approval_by_id(&admin(), "a-nonsense", None).await), FaultName::UnknownApproval);
}
