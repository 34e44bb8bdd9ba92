//! Tenants, principals and roles: who may make, change and delete which.

use muster_broker::access::{
    BUILT_IN, Caller, Grant, GrantTenant, Granted, Origin, Principal, Right, TenantStatus, Way,
};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::{
    GrantFields, NewPassword, PrincipalFields, PrincipalView, RoleFields, RoleView, TenantFields, password,
};

use crate::world::{IMEI_A, NUMBER_A, World, fault, key, page};

/// A principal as the store has it, and the caller that it is.
async fn made(world: &World, name: &str, tenant: &str, grants: Vec<Grant>) -> Caller {
    let principal = Principal { grants, ..Principal::of_role(name, tenant, "", "") };
    world
        .broker
        .store()
        .principal_put(principal, muster_broker::ledger::Deed::local("acme", "test", crate::world::MORNING))
        .await
        .unwrap();
    world.broker.directory().forget();
    now(world, name).await
}

/// The caller of this name as it is now.
async fn now(world: &World, name: &str) -> Caller {
    world.broker.account(name).await.unwrap().unwrap().caller(Origin::local(uuid::Uuid::nil()))
}

fn role(name: &str) -> GrantFields {
    GrantFields { role: Some(name.to_owned()), ..GrantFields::default() }
}

fn right(text: &str) -> GrantFields {
    GrantFields { right: Some(text.to_owned()), ..GrantFields::default() }
}

fn person(name: &str, grants: Vec<GrantFields>) -> PrincipalFields {
    PrincipalFields { name: name.to_owned(), grants, ..PrincipalFields::default() }
}

fn tenant(name: &str) -> TenantFields {
    TenantFields { name: name.to_owned(), ..TenantFields::default() }
}

/// Two tenants, each with its administrator, and one administrator over all.
async fn world() -> (World, Caller, Caller) {
    let world = World::new();
    let everywhere = Grant::whole(Granted::Role("administrator".into()), GrantTenant::Any);
    let over_all = made(&world, "admin", "default", vec![everywhere]).await;
    let of_acme = made(&world, "boss", "acme", vec![Grant::role("administrator")]).await;
    made(&world, "other boss", "other", vec![Grant::role("administrator")]).await;
    (world, over_all, of_acme)
}

async fn create(world: &World, caller: &Caller, fields: PrincipalFields) -> Result<PrincipalView, Fault> {
    world.broker.create_principal(caller, fields, None, None).await
}

#[tokio::test]
async fn nobody_gives_more_than_it_has() {
    let (world, over_all, of_acme) = world().await;
    let within = |grant: GrantFields, tenant: &str| GrantFields { tenant: Some(tenant.to_owned()), ..grant };
    for (what, grant, told) in [
        ("everywhere", within(role("reader"), "*"), FaultName::NotAuthorized),
        ("elsewhere", within(role("reader"), "other"), FaultName::UnknownTenant),
        ("one right everywhere", within(right("device.read"), "*"), FaultName::NotAuthorized),
    ] {
        let refused = fault(create(&world, &of_acme, person("new", vec![grant.clone()])).await);
        assert_eq!(refused, told, "{what}");
        let fields = PrincipalFields { tenant: Some("acme".into()), ..person(what, vec![grant]) };
        create(&world, &over_all, fields).await.unwrap();
    }
    create(&world, &of_acme, person("second boss", vec![role("administrator")])).await.unwrap();

    // Who makes principals without being an administrator gives what it has, as far as it has it.
    let narrowed = Grant {
        groups: vec!["north".into()],
        ..Grant::whole(Granted::Right("device.operate".to_owned().try_into().unwrap()), GrantTenant::Own)
    };
    let makes = Grant::whole(Granted::Right("principal.create".to_owned().try_into().unwrap()), GrantTenant::Own);
    let desk = made(&world, "desk", "acme", vec![makes, narrowed]).await;
    let north = |groups: &[&str]| GrantFields {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..right("device.operate:UPDATE")
    };
    for (groups, fits) in [(&["north"][..], true), (&[], false), (&["north", "south"], false), (&["south"], false)] {
        let name = format!("agent {groups:?}").replace(['"', '[', ']'], "");
        let result = create(&world, &desk, person(name.trim(), vec![north(groups)])).await;
        assert_eq!(result.is_ok(), fits, "{groups:?} {result:?}");
    }
    assert_eq!(fault(create(&world, &desk, person("x", vec![role("care")])).await), FaultName::NotAuthorized);
}

#[tokio::test]
async fn nobody_changes_its_own_rights_or_switches_itself_off() {
    let (world, over_all, of_acme) = world().await;
    for (caller, own) in [
        (&of_acme, person("boss", vec![role("administrator")])),
        (&over_all, person("admin", vec![GrantFields { tenant: Some("*".into()), ..role("administrator") }])),
    ] {
        for changed in [
            PrincipalFields { grants: vec![role("administrator"), role("care")], ..own.clone() },
            PrincipalFields { grants: vec![], ..own.clone() },
            PrincipalFields { enabled: Some(false), ..own.clone() },
        ] {
            let refused = world.broker.update_principal(caller, changed.clone()).await;
            assert_eq!(fault(refused), FaultName::NotAuthorized, "{changed:?}");
        }
        let deleted = world.broker.delete_principal(caller, None, &caller.name, None).await;
        assert_eq!(fault(deleted), FaultName::NotAuthorized);
        let named = PrincipalFields { display_name: Some("The boss".into()), ..own };
        world.broker.update_principal(caller, named).await.unwrap();
    }
}

#[tokio::test]
async fn who_has_more_rights_is_not_touched_by_who_has_fewer() {
    let (world, _, of_acme) = world().await;
    // The operator's own administrator happens to belong to the tenant.
    let everywhere = Grant::whole(Granted::Role("administrator".into()), GrantTenant::Any);
    made(&world, "operator", "acme", vec![everywhere]).await;
    let new = NewPassword { hash: "hash".into(), digest_secret: None };
    let broker = &world.broker;
    for (what, refused) in [
        ("update", fault(broker.update_principal(&of_acme, person("operator", vec![])).await)),
        (
            "disable",
            fault(
                broker
                    .update_principal(
                        &of_acme,
                        PrincipalFields {
                            enabled: Some(false),
                            ..person(
                                "operator",
                                vec![GrantFields { tenant: Some("*".into()), ..role("administrator") }],
                            )
                        },
                    )
                    .await,
            ),
        ),
        ("password", fault(broker.set_password(&of_acme, None, "operator", new).await)),
        ("delete", fault(broker.delete_principal(&of_acme, None, "operator", None).await)),
    ] {
        assert_eq!(refused, FaultName::NotAuthorized, "{what}");
    }
    assert!(broker.store().principal_get("operator").await.unwrap().unwrap().is_over_all());
}

#[tokio::test]
async fn somebody_is_left_who_may_do_everything_everywhere() {
    let (world, over_all, _) = world().await;
    let broker = &world.broker;
    let everywhere = GrantFields { tenant: Some("*".into()), ..role("administrator") };
    let second = PrincipalFields { tenant: Some("acme".into()), ..person("second", vec![everywhere]) };
    create(&world, &over_all, second.clone()).await.unwrap();
    let second_caller = now(&world, "second").await;

    // The second takes away the first, who is not itself, and is then the last.
    broker.delete_principal(&second_caller, Some("default"), "admin", None).await.unwrap();
    let suspended = TenantFields { status: Some(TenantStatus::Suspended), ..tenant("acme") };
    assert_eq!(fault(broker.update_tenant(&second_caller, suspended.clone()).await), FaultName::InUse);
    // Somebody who is nobody in particular, but whose rights say so.
    let helper = Caller { name: "helper".into(), ..second_caller.clone() };
    for refused in [
        fault(broker.delete_principal(&helper, None, "second", None).await),
        fault(broker.update_principal(&helper, PrincipalFields { enabled: Some(false), ..second.clone() }).await),
        fault(
            broker.update_principal(&helper, PrincipalFields { grants: vec![role("administrator")], ..second }).await,
        ),
    ] {
        assert_eq!(refused, FaultName::InUse);
    }
    assert_eq!(fault(broker.update_tenant(&helper, suspended).await), FaultName::InUse);
}

#[tokio::test]
async fn another_tenant_is_unknown_to_who_does_not_reach_it() {
    let (world, over_all, of_acme) = world().await;
    let broker = &world.broker;
    let elsewhere = Some("other");
    for (what, unknown) in [
        ("tenant", fault(broker.tenant_by_name(&of_acme, "other").await)),
        ("no tenant", fault(broker.tenant_by_name(&of_acme, "nowhere").await)),
        ("principals", fault(broker.principals(&of_acme, elsewhere, &page()).await)),
        ("principal", fault(broker.principal_by_name(&of_acme, elsewhere, "other boss").await)),
        ("delete", fault(broker.delete_principal(&of_acme, elsewhere, "other boss", None).await)),
        ("roles", fault(broker.roles(&of_acme, elsewhere, &page()).await)),
        ("password", fault(broker.may_set_password(&of_acme, elsewhere, "other boss", "a long password").await)),
        (
            "create",
            fault(
                create(&world, &of_acme, PrincipalFields { tenant: Some("other".into()), ..person("x", vec![]) }).await,
            ),
        ),
    ] {
        assert_eq!(unknown, FaultName::UnknownTenant, "{what}");
    }
    // Without naming the tenant it is no better.
    let named = broker.principal_by_name(&of_acme, None, "other boss").await;
    assert_eq!(fault(named), FaultName::UnknownPrincipal);
    let refused = broker.update_principal(&of_acme, person("other boss", vec![])).await;
    assert_eq!(fault(refused), FaultName::UnknownPrincipal);

    assert_eq!(broker.tenants(&of_acme, &page()).await.unwrap().items.len(), 1);
    let all: Vec<_> = broker.tenants(&over_all, &page()).await.unwrap().items.into_iter().map(|it| it.name).collect();
    assert_eq!(all, ["acme", "default", "other"]);
    broker.principal_by_name(&over_all, elsewhere, "other boss").await.unwrap();
    assert_eq!(fault(broker.principals(&over_all, Some("nowhere"), &page()).await), FaultName::UnknownTenant);
}

#[tokio::test]
async fn a_tenant_is_made_changed_and_deleted_by_who_may_everywhere() {
    let (world, over_all, of_acme) = world().await;
    let broker = &world.broker;
    for refused in [
        fault(broker.create_tenant(&of_acme, tenant("new"), None).await),
        fault(broker.update_tenant(&of_acme, tenant("acme")).await),
        fault(broker.delete_tenant(&of_acme, "acme", None).await),
    ] {
        assert_eq!(refused, FaultName::NotAuthorized);
    }
    let first = broker.create_tenant(&over_all, tenant("new"), key("k", 1)).await.unwrap();
    assert_eq!(broker.create_tenant(&over_all, tenant("new"), key("k", 1)).await.unwrap(), first);
    assert_eq!(fault(broker.create_tenant(&over_all, tenant("new"), None).await), FaultName::AlreadyExists);
    for name in ["", "*", "a b", "a/b", "..", &"a".repeat(65)] {
        let refused = fault(broker.create_tenant(&over_all, tenant(name), None).await);
        assert_eq!(refused, FaultName::InvalidArgument, "{name}");
    }
    let changed = TenantFields { consent_demanded: Some(true), version: Some(1), ..tenant("new") };
    let stored = broker.update_tenant(&over_all, changed.clone()).await.unwrap();
    assert!(stored.settings.consent_demanded && stored.version == 2 && stored.created_at == first.created_at);
    assert_eq!(fault(broker.update_tenant(&over_all, changed).await), FaultName::OutdatedVersion);
    assert_eq!(fault(broker.update_tenant(&over_all, tenant("nowhere")).await), FaultName::UnknownTenant);
    for network in ["10.0.0.0", "10.0.0.0/40", "intranet/8"] {
        let fields = TenantFields { callback_networks: vec![network.to_owned()], ..tenant("new") };
        assert_eq!(fault(broker.update_tenant(&over_all, fields).await), FaultName::InvalidArgument, "{network}");
    }
    world.device(NUMBER_A, IMEI_A).await;
    for name in ["acme", "other"] {
        assert_eq!(fault(broker.delete_tenant(&over_all, name, None).await), FaultName::InUse, "{name}");
    }
    assert_eq!(fault(broker.delete_tenant(&over_all, "new", Some(1)).await), FaultName::OutdatedVersion);
    broker.delete_tenant(&over_all, "new", Some(2)).await.unwrap();
    assert_eq!(fault(broker.tenant_by_name(&over_all, "new").await), FaultName::UnknownTenant);
}

#[tokio::test]
async fn a_suspended_tenant_and_a_disabled_principal_are_not_let_in() {
    let (world, over_all, of_acme) = world().await;
    let broker = &world.broker;
    let opened = async |name: &str| {
        let account = broker.account(name).await.unwrap().unwrap();
        broker.login(&account, None, Origin::local(uuid::Uuid::nil())).await.map(|session| session.session_id)
    };
    let session = opened("boss").await.unwrap();
    let asked = async || broker.session_caller(&session, Origin::local(uuid::Uuid::nil())).await.map_err(|it| it.name);
    assert!(asked().await.is_ok());

    let status = |status| TenantFields { status: Some(status), ..tenant("acme") };
    broker.update_tenant(&over_all, status(TenantStatus::Suspended)).await.unwrap();
    assert_eq!(asked().await.unwrap_err(), FaultName::NotAuthenticated);
    assert_eq!(fault(opened("boss").await), FaultName::NotAuthenticated);
    // Who reaches every tenant works in it still.
    let there = over_all.within("acme");
    broker.principals(&there, None, &page()).await.unwrap();
    broker.update_tenant(&over_all, status(TenantStatus::Active)).await.unwrap();
    assert!(asked().await.is_ok());

    create(&world, &of_acme, person("clerk", vec![role("care")])).await.unwrap();
    opened("clerk").await.unwrap();
    let disabled = PrincipalFields { enabled: Some(false), ..person("clerk", vec![role("care")]) };
    broker.update_principal(&of_acme, disabled).await.unwrap();
    assert_eq!(fault(opened("clerk").await), FaultName::NotAuthenticated);
    broker.delete_principal(&of_acme, None, "clerk", None).await.unwrap();
    assert!(broker.account("clerk").await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_ends_with_the_password_it_was_opened_with() {
    let (world, _, of_acme) = world().await;
    let broker = &world.broker;
    create(&world, &of_acme, person("clerk", vec![role("care")])).await.unwrap();
    let account = broker.account("clerk").await.unwrap().unwrap();
    let session = broker.login(&account, None, Origin::local(uuid::Uuid::nil())).await.unwrap().session_id;
    world.clock.advance_s(1);
    let new = || NewPassword { hash: "new".into(), digest_secret: None };
    broker.set_password(&of_acme, None, "clerk", new()).await.unwrap();
    let ended = broker.session_caller(&session, Origin::local(uuid::Uuid::nil())).await;
    assert_eq!(fault(ended), FaultName::NotAuthenticated);

    // One's own password is set by who has just shown the old one, and by nobody else without the right.
    let clerk = now(&world, "clerk").await;
    let by_password = Caller { origin: Origin { way: Way::Password, ..clerk.origin }, ..clerk.clone() };
    let long = "a long password";
    assert_eq!(fault(broker.may_set_password(&clerk, None, "clerk", long).await), FaultName::NotAuthorized);
    assert_eq!(fault(broker.set_password(&clerk, None, "clerk", new()).await), FaultName::NotAuthorized);
    assert_eq!(fault(broker.may_set_password(&by_password, None, "boss", long).await), FaultName::NotAuthorized);
    assert_eq!(fault(broker.may_set_password(&by_password, None, "clerk", "short").await), FaultName::InvalidArgument);
    broker.may_set_password(&by_password, None, "clerk", long).await.unwrap();
    broker.set_password(&by_password, None, "clerk", new()).await.unwrap();
    assert!(password("clerk", long).is_ok());
}

#[tokio::test]
async fn a_session_works_in_another_tenant_that_a_grant_reaches() {
    let (world, over_all, _) = world().await;
    let broker = &world.broker;
    let grants = vec![role("care"), GrantFields { tenant: Some("other".into()), ..right("device.read") }];
    let fields = PrincipalFields { tenant: Some("acme".into()), ..person("partner", grants) };
    create(&world, &over_all, fields).await.unwrap();
    let account = broker.account("partner").await.unwrap().unwrap();
    for (tenant, reads, operates) in [(None, true, true), (Some("other"), true, false)] {
        let session = broker.login(&account, tenant, Origin::local(uuid::Uuid::nil())).await.unwrap();
        assert_eq!(session.tenant, tenant.unwrap_or("acme"));
        let caller = broker.session_caller(&session.session_id, Origin::local(uuid::Uuid::nil())).await.unwrap();
        assert_eq!(caller.must(Right::new("device", "read")).is_ok(), reads);
        assert_eq!(caller.must(Right::new("device", "operate")).is_ok(), operates);
    }
    for tenant in ["default", "nowhere", "*", ""] {
        assert_eq!(
            fault(broker.login(&account, Some(tenant), Origin::local(uuid::Uuid::nil())).await),
            FaultName::NotAuthenticated,
            "{tenant}"
        );
    }
    let everywhere = broker.account("admin").await.unwrap().unwrap();
    broker.login(&everywhere, Some("other"), Origin::local(uuid::Uuid::nil())).await.unwrap();
    assert_eq!(
        fault(broker.login(&everywhere, Some("nowhere"), Origin::local(uuid::Uuid::nil())).await),
        FaultName::NotAuthenticated
    );
}

#[tokio::test]
async fn a_role_of_a_tenant_counts_at_once_and_in_this_tenant_alone() {
    let (world, over_all, of_acme) = world().await;
    let broker = &world.broker;
    let desk = |rights: &[&str]| RoleFields {
        name: "desk".into(),
        rights: rights.iter().map(|right| (*right).to_owned()).collect(),
        ..RoleFields::default()
    };
    let unknown = create(&world, &of_acme, person("agent", vec![role("desk")])).await;
    assert_eq!(fault(unknown), FaultName::UnknownRole);
    broker.create_role(&of_acme, desk(&["task.read"]), None).await.unwrap();
    assert_eq!(fault(broker.create_role(&of_acme, desk(&["task.read"]), None).await), FaultName::AlreadyExists);
    create(&world, &of_acme, person("agent", vec![role("desk")])).await.unwrap();
    assert!(now(&world, "agent").await.must(Right::new("device", "read")).is_err());
    broker.update_role(&of_acme, desk(&["task.read", "device.read"])).await.unwrap();
    assert!(now(&world, "agent").await.must(Right::new("device", "read")).is_ok());

    for elsewhere in ["other", "*"] {
        let grant = GrantFields { tenant: Some(elsewhere.into()), ..role("desk") };
        let fields = PrincipalFields { tenant: Some("acme".into()), ..person("far agent", vec![grant]) };
        assert_eq!(fault(create(&world, &over_all, fields).await), FaultName::WrongState, "{elsewhere}");
    }
    assert_eq!(fault(broker.delete_role(&of_acme, None, "desk", None).await), FaultName::InUse);
    broker.delete_principal(&of_acme, None, "agent", None).await.unwrap();
    broker.delete_role(&of_acme, None, "desk", None).await.unwrap();
    assert_eq!(fault(broker.role_by_name(&of_acme, None, "desk").await), FaultName::UnknownRole);
}

#[tokio::test]
async fn a_role_is_no_way_to_rights_that_one_does_not_have() {
    let (world, _, of_acme) = world().await;
    let broker = &world.broker;
    let fields = |name: &str, rights: &[&str]| RoleFields {
        name: name.into(),
        rights: rights.iter().map(|right| (*right).to_owned()).collect(),
        ..RoleFields::default()
    };
    let keeper = ["role.create", "role.update", "role.delete", "principal.update", "principal.create", "task.read"];
    broker.create_role(&of_acme, fields("keeper", &keeper), None).await.unwrap();
    broker.create_role(&of_acme, fields("strong", &["device.*"]), None).await.unwrap();
    create(&world, &of_acme, person("janitor", vec![role("keeper")])).await.unwrap();
    let janitor = now(&world, "janitor").await;
    for (what, refused) in [
        ("new", fault(broker.create_role(&janitor, fields("new", &["device.read"]), None).await)),
        ("everything", fault(broker.create_role(&janitor, fields("new", &["*"]), None).await)),
        ("own", fault(broker.update_role(&janitor, fields("keeper", &["task.read"])).await)),
        ("stronger", fault(broker.update_role(&janitor, fields("strong", &["task.read"])).await)),
        ("delete", fault(broker.delete_role(&janitor, None, "strong", None).await)),
        ("give", fault(create(&world, &janitor, person("friend", vec![role("strong")])).await)),
    ] {
        assert_eq!(refused, FaultName::NotAuthorized, "{what}");
    }
    broker.create_role(&janitor, fields("viewer", &["task.read"]), None).await.unwrap();
    create(&world, &janitor, person("friend", vec![role("viewer")])).await.unwrap();
    for (name, what) in [("administrator", FaultName::AlreadyExists), ("a b", FaultName::InvalidArgument)] {
        assert_eq!(fault(broker.create_role(&of_acme, fields(name, &["task.read"]), None).await), what);
    }
    assert_eq!(fault(broker.update_role(&of_acme, fields("care", &["task.read"])).await), FaultName::WrongState);
    for rights in [&[][..], &["device"], &["device.read", "a b.c"]] {
        let refused = fault(broker.create_role(&of_acme, fields("odd", rights), None).await);
        assert!(matches!(refused, FaultName::InvalidArgument | FaultName::MissingArgument), "{rights:?}");
    }
}

#[tokio::test]
async fn lists_of_roles_go_on_from_built_in_ones_to_those_of_the_tenant() {
    let (world, _, of_acme) = world().await;
    for name in ["b", "a"] {
        let fields = RoleFields { name: name.into(), rights: vec!["task.read".into()], ..RoleFields::default() };
        world.broker.create_role(&of_acme, fields, None).await.unwrap();
    }
    let mut names = Vec::new();
    let mut request = muster_broker::page::PageRequest { size: Some(3), token: None };
    loop {
        let part = world.broker.roles(&of_acme, None, &request).await.unwrap();
        assert!(part.items.len() <= 3 && part.total == BUILT_IN.len() as u64 + 2);
        names.extend(part.items.iter().map(|role: &RoleView| role.name().to_owned()));
        match part.next_token {
            Some(token) => request.token = Some(token),
            None => break,
        }
    }
    let expected: Vec<&str> = BUILT_IN.iter().map(|role| role.name).chain(["a", "b"]).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn names_are_taken_once_over_all_tenants_and_a_grant_says_one_thing() {
    let (world, over_all, of_acme) = world().await;
    assert_eq!(fault(create(&world, &of_acme, person("other boss", vec![])).await), FaultName::AlreadyExists);
    for name in ["", "a:b", " a", "a\n", &"n".repeat(101)] {
        let refused = fault(create(&world, &of_acme, person(name, vec![])).await);
        assert_eq!(refused, FaultName::InvalidArgument, "{name:?}");
    }
    let both = GrantFields { right: Some("task.read".into()), ..role("care") };
    let none = GrantFields::default();
    let odd = |path: &str| GrantFields { paths: vec![path.to_owned()], ..right("device.operate") };
    for (grant, name) in [
        (both, FaultName::ConflictingArguments),
        (none, FaultName::MissingArgument),
        (right("device"), FaultName::InvalidArgument),
        (odd("./Vendor/../Acme"), FaultName::InvalidArgument),
        (odd("./Vendor%2FAcme"), FaultName::InvalidArgument),
        (odd("./Vendor/"), FaultName::InvalidArgument),
    ] {
        assert_eq!(fault(create(&world, &of_acme, person("x", vec![grant.clone()])).await), name, "{grant:?}");
    }
    let subject = |name: &str| PrincipalFields { subject: Some("https://id.example 7".into()), ..person(name, vec![]) };
    create(&world, &of_acme, subject("one")).await.unwrap();
    assert_eq!(fault(create(&world, &of_acme, subject("two")).await), FaultName::AlreadyExists);

    let view = create(&world, &of_acme, person("three", vec![])).await.unwrap();
    let outdated = PrincipalFields { version: Some(view.version + 1), ..person("three", vec![]) };
    assert_eq!(fault(world.broker.update_principal(&of_acme, outdated).await), FaultName::OutdatedVersion);
    let kept = world.broker.create_principal(&over_all, person("four", vec![]), None, key("k", 1)).await.unwrap();
    let again = world.broker.create_principal(&over_all, person("four", vec![]), None, key("k", 1)).await.unwrap();
    assert_eq!(again, kept);
    let reused = world.broker.create_principal(&over_all, person("four", vec![]), None, key("k", 2)).await;
    assert_eq!(fault(reused), FaultName::RequestIdReused);
}
