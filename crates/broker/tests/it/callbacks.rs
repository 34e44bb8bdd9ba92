//! Which addresses may be told, and looking after them.

use muster_broker::callback::{CallbackKind, CredentialKind, SoapVersion};
use muster_broker::fault::FaultName;
use muster_broker::services::{
    BulkRequest, CallbackAddressFields, CallbackAddressTold, CredentialFields, Deployment, OperationRequest, secrets_of,
};
use muster_broker::store::{CallbackAddressFilter, ClaimWanted, Claimed, Content, Lease};
use muster_broker::time::Timestamp;

use crate::world::{IMEI_A, MORNING, NUMBER_A, World, admin, caller, deployment, fault, foreigner, key, page, query};

fn allowed(url: &str) -> CallbackAddressFields {
    CallbackAddressFields {
        owner: None,
        url: url.to_owned(),
        kind: CallbackKind::Soap,
        description: None,
        credential: None,
        allows_private: false,
        enabled: true,
    }
}

fn hook(url: &str) -> CallbackAddressFields {
    CallbackAddressFields { kind: CallbackKind::Webhook, ..allowed(url) }
}

impl World {
    async fn allow(&self, fields: CallbackAddressFields) -> CallbackAddressTold {
        self.broker.create_callback_address(&admin(), fields, None, None).await.unwrap()
    }

    async fn claimed(&self) -> Vec<Claimed> {
        let now = Timestamp(self.clock_now());
        let wanted = ClaimWanted {
            lease: Lease(uuid::Uuid::from_u128(1)),
            now,
            until: now.plus_s(60),
            claims_max: 10,
            per_address_max: 10,
            under_way: std::collections::HashMap::new(),
            after: None,
        };
        self.broker.store().callback_claim(wanted).await.unwrap()
    }

    fn clock_now(&self) -> i64 {
        use muster_broker::ports::Environment as _;
        self.clock.now().0
    }
}

fn asked(address: &str) -> OperationRequest {
    OperationRequest { callback: Some(address.into()), test_cycle: true, ..query(NUMBER_A) }
}

#[tokio::test]
async fn a_callback_is_taken_exactly_where_an_allowed_address_of_the_caller_covers_it() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.allow(allowed("https://crm.example/hooks")).await;
    world.allow(CallbackAddressFields { owner: None, enabled: false, ..allowed("https://off.example/") }).await;
    for address in ["https://crm.example/hooks", "https://CRM.example:443/hooks/1?x=y"] {
        world.broker.do_operation(&admin(), asked(address)).await.unwrap();
    }
    for address in [
        "https://crm.example/",
        "https://crm.example/hooksx",
        "https://crm.example/hooks/../admin",
        "https://crm.example:444/hooks",
        "http://crm.example/hooks",
        "https://crm.example@127.0.0.1/hooks",
        "https://crm.example.evil.example/hooks",
        "https://off.example/",
        "https://2130706433/",
        "not an address",
        "",
    ] {
        let refused = world.broker.do_operation(&admin(), asked(address)).await;
        assert_eq!(fault(refused), FaultName::CallbackRefused, "{address}");
    }
    let bulk = BulkRequest {
        requests: vec![query(NUMBER_A)],
        name: None,
        schedule: Default::default(),
        callback: Some("https://evil.example/".into()),
        request: None,
    };
    assert_eq!(fault(world.broker.do_bulk_operation(&admin(), bulk).await), FaultName::CallbackRefused);
    let other = OperationRequest { callback: Some("https://crm.example/hooks".into()), ..query(NUMBER_A) };
    assert_eq!(
        fault(world.broker.do_operation(&foreigner(), other).await),
        FaultName::CallbackRefused,
        "another domain's list is not ours"
    );
}

#[tokio::test]
async fn the_reference_and_the_soap_version_are_checked() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.allow(allowed("https://crm.example/")).await;
    let with = |change: fn(&mut muster_broker::callback::CallbackWanted)| {
        let mut request = asked("https://crm.example/x");
        request.callback.iter_mut().for_each(change);
        request
    };
    for request in [
        with(|callback| callback.soap_version = Some("2.0".into())),
        with(|callback| callback.reference = Some("x".repeat(1001))),
        with(|callback| callback.reference = Some("\u{0}".into())),
    ] {
        assert_eq!(fault(world.broker.do_operation(&admin(), request).await), FaultName::InvalidArgument);
    }
    let good = with(|callback| callback.soap_version = Some(" 1.2 ".into()));
    world.broker.do_operation(&admin(), good).await.unwrap();
    assert_eq!(world.claimed().await[0].soap_version, SoapVersion::Soap12);
}

#[tokio::test]
async fn an_address_of_one_caller_is_nobody_elses_and_counts_before_one_of_all() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let principal =
        |name: &str, tenant: &str| muster_broker::access::Principal::of_role(name, tenant, "administrator", "");
    world
        .broker
        .store()
        .principal_put(principal("crm", "acme"), muster_broker::ledger::Deed::local("acme", "test", MORNING))
        .await
        .unwrap();
    world
        .broker
        .store()
        .principal_put(principal("far", "other"), muster_broker::ledger::Deed::local("acme", "test", MORNING))
        .await
        .unwrap();
    let own = |owner: &str| CallbackAddressFields { owner: Some(owner.into()), ..allowed("https://crm.example/") };
    for owner in ["far", "nobody"] {
        let refused = world.broker.create_callback_address(&admin(), own(owner), None, None).await;
        assert_eq!(fault(refused), FaultName::UnknownPrincipal, "{owner}");
    }
    let own = world.allow(own("crm")).await;
    assert_eq!(
        fault(world.broker.do_operation(&admin(), asked("https://crm.example/x")).await),
        FaultName::CallbackRefused
    );
    world.allow(allowed("https://crm.example/")).await;
    let crm = caller("crm", "administrator");
    world.broker.do_operation(&crm, asked("https://crm.example/x")).await.unwrap();
    assert_eq!(world.claimed().await[0].address_id, own.address.id);
}

#[tokio::test]
async fn only_who_has_the_right_to_it_opens_private_networks() {
    let world = World::new();
    let private = |url: &str| CallbackAddressFields { allows_private: true, ..allowed(url) };
    for url in ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::ffff:192.168.0.1]/", "https://[fe80::1]/"] {
        let refused = world.broker.create_callback_address(&admin(), allowed(url), None, None).await;
        assert_eq!(fault(refused), FaultName::InvalidArgument, "{url}");
        world.allow(private(url)).await;
    }
    for url in ["https://169.254.169.254/", "https://[fd00:ec2::254]/", "https://0.0.0.0/", "https://224.0.0.1/"] {
        let refused = world.broker.create_callback_address(&admin(), private(url), None, None).await;
        assert_eq!(fault(refused), FaultName::InvalidArgument, "{url}");
    }
    for role in ["reader", "care", "campaign"] {
        let somebody = caller("x", role);
        let refused = world.broker.create_callback_address(&somebody, private("https://a.example/"), None, None).await;
        assert_eq!(fault(refused), FaultName::NotAuthorized, "{role}");
    }
}

#[tokio::test]
async fn plain_http_is_refused_unless_the_operator_allows_it_on_this_machine() {
    let world = World::new();
    for url in ["http://crm.example/", "http://127.0.0.1/", "https://a.example/?q", "ftp://a.example/", "https://a b/"]
    {
        let fields = CallbackAddressFields { allows_private: true, ..allowed(url) };
        let refused = world.broker.create_callback_address(&admin(), fields, None, None).await;
        assert_eq!(fault(refused), FaultName::InvalidArgument, "{url}");
    }
}

#[tokio::test]
async fn a_webhook_gets_a_secret_that_is_told_once_and_again_to_the_same_request() {
    let world = World::new();
    let create = |id: &'static str| {
        world.broker.create_callback_address(admin_ref(), hook("https://a.example/"), None, key(id, 1))
    };
    let made = create("k").await.unwrap();
    assert_eq!(made.secret.as_ref().map(String::len), Some(43));
    assert_eq!(create("k").await.unwrap(), made, "the first answer was lost");
    assert_eq!(fault(create("other").await), FaultName::AlreadyExists);
    let id = made.address.id.to_string();
    let listed = world.broker.callback_addresses(&admin(), CallbackAddressFilter::default(), &page()).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&made.address));

    let rotated = world.broker.rotate_callback_secret(&admin(), &id, None, Some(60), None).await.unwrap();
    assert_ne!(rotated.secret, made.secret);
    let now = Timestamp(world.clock_now());
    let open = |now| -> Vec<String> {
        let octets = secrets_of(&rotated.address, now).into_iter().map(|it| world.broker.vault().open(it).unwrap());
        octets.map(|octets| String::from_utf8(octets).unwrap()).collect()
    };
    let (new, old) = (rotated.secret.clone().unwrap(), made.secret.clone().unwrap());
    assert_eq!(open(now.plus_s(59)), [new.clone(), old]);
    assert_eq!(open(now.plus_s(60)), [new]);
    assert_eq!(create("k").await.unwrap().secret, None, "the secret of then is not told any more");

    let given =
        |secret: &str| world.broker.rotate_callback_secret(admin_ref(), &id, Some(secret.to_owned()), Some(0), None);
    for secret in ["short", "with spaces in it", &"x".repeat(129)] {
        let refused = given(secret).await.unwrap_err();
        assert_eq!(refused.name, FaultName::InvalidArgument);
        assert!(!format!("{refused:?}").contains(secret), "{refused:?}");
    }
    let set = given("0123456789abcdef").await.unwrap();
    assert_eq!(secrets_of(&set.address, now).len(), 1);
    let outdated = world.broker.rotate_callback_secret(&admin(), &id, None, None, Some(1)).await;
    assert_eq!(fault(outdated), FaultName::OutdatedVersion);
    let soap = world.allow(allowed("https://b.example/")).await.address.id.to_string();
    let wrong = world.broker.rotate_callback_secret(&admin(), &soap, None, None, None).await;
    assert_eq!(fault(wrong), FaultName::WrongState);
    let overlap = world.broker.rotate_callback_secret(&admin(), &id, None, Some(-1), None).await;
    assert_eq!(fault(overlap), FaultName::InvalidArgument);
}

fn admin_ref() -> &'static muster_broker::access::Caller {
    static ADMIN: std::sync::LazyLock<muster_broker::access::Caller> = std::sync::LazyLock::new(admin);
    &ADMIN
}

#[tokio::test]
async fn an_update_keeps_the_password_that_it_leaves_out_and_never_the_kind_of_another() {
    let world = World::new();
    let credential = |user: &str, password: Option<&str>| {
        Some(CredentialFields {
            kind: CredentialKind::UsernameToken,
            user_name: user.into(),
            password: password.map(str::to_owned),
        })
    };
    let fields = CallbackAddressFields { credential: credential("u", Some("p")), ..allowed("https://a.example/") };
    let made = world.allow(fields.clone()).await.address;
    let id = made.id.to_string();
    let update = |fields, version| world.broker.update_callback_address(admin_ref(), &id, fields, version);

    let kept = CallbackAddressFields { credential: credential("u", None), ..fields.clone() };
    let stored = update(kept, Some(1)).await.unwrap();
    assert_eq!((stored.version, &stored.credential), (2, &made.credential));
    let other = CallbackAddressFields { credential: credential("v", None), ..fields.clone() };
    assert_eq!(fault(update(other, None).await), FaultName::MissingArgument);
    assert_eq!(fault(update(fields.clone(), Some(1)).await), FaultName::OutdatedVersion);
    let hook_now = CallbackAddressFields { credential: None, ..hook("https://a.example/") };
    assert_eq!(fault(update(hook_now, None).await), FaultName::WrongState);
    let hooked = CallbackAddressFields { credential: credential("u", Some("p")), ..hook("https://c.example/") };
    let refused = world.broker.create_callback_address(&admin(), hooked, None, None).await;
    assert_eq!(fault(refused), FaultName::ConflictingArguments);

    let none = CallbackAddressFields { credential: None, ..fields };
    assert_eq!(update(none.clone(), None).await.unwrap().credential, None);
    for refused in [
        world.broker.update_callback_address(&foreigner(), &id, none, None).await.map(|_| ()),
        world.broker.delete_callback_address(&foreigner(), &id, None).await,
        world.broker.callback_address_by_id(&foreigner(), &id).await.map(|_| ()),
        world.broker.delete_callback_address(&admin(), "a-1", None).await,
    ] {
        assert_eq!(fault(refused), FaultName::UnknownCallbackAddress);
    }
    world.broker.delete_callback_address(&admin(), &id, Some(3)).await.unwrap();
}

#[tokio::test]
async fn a_domain_has_a_bounded_list() {
    let world = World::new();
    for number in 0..200 {
        world.allow(allowed(&format!("https://a.example/{number}"))).await;
    }
    let over = world.broker.create_callback_address(&admin(), allowed("https://a.example/x"), None, None).await;
    assert_eq!(fault(over), FaultName::QuotaExceeded);
}

#[tokio::test]
async fn a_bulk_request_tells_its_tasks_and_its_job_and_a_deployment_its_job_alone() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.allow(allowed("https://crm.example/")).await;
    let bulk = BulkRequest {
        requests: vec![OperationRequest { test_cycle: true, ..query(NUMBER_A) }; 2],
        name: None,
        schedule: Default::default(),
        callback: Some("https://crm.example/bulk".into()),
        request: None,
    };
    world.broker.do_bulk_operation(&admin(), bulk).await.unwrap();
    let deployed = Deployment {
        test_cycle: true,
        callback: Some("https://crm.example/deployment".into()),
        ..deployment(&[NUMBER_A])
    };
    world.broker.create_deployments(&admin(), vec![deployed], None).await.unwrap();
    world.pump().await;
    world.pump().await;

    let mut told = Vec::new();
    for claimed in world.claimed().await {
        let waiting = world.broker.store().callback_waiting(claimed.queue, 100).await.unwrap();
        let events: Vec<_> = waiting
            .into_iter()
            .map(|waiting| match waiting.content {
                Content::Event(event) => format!("{} {}", event.kind.as_str(), event.status),
                Content::Reply { .. } => panic!("no answer goes elsewhere here"),
            })
            .collect();
        told.push((claimed.url.path().to_owned(), events));
    }
    told.sort();
    let wanted: [(&str, &[&str]); 2] = [
        ("/bulk", &["TASK_STATUS SUCCEEDED", "TASK_STATUS SUCCEEDED", "JOB_STATUS COMPLETED"]),
        ("/deployment", &["JOB_STATUS RUNNING", "JOB_STATUS COMPLETED"]),
    ];
    let wanted: Vec<_> =
        wanted.map(|(path, events)| (path.to_owned(), events.iter().map(|it| (*it).to_owned()).collect())).into();
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn a_repeated_request_tells_once() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.allow(allowed("https://crm.example/")).await;
    let request = OperationRequest { request: key("k", 1), ..asked("https://crm.example/x") };
    let first = world.broker.do_operation(&admin(), request.clone()).await.unwrap();
    assert_eq!(world.broker.do_operation(&admin(), request).await.unwrap(), first);
    let claims = world.claimed().await;
    assert_eq!(world.broker.store().callback_waiting(claims[0].queue, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_goes_elsewhere_only_to_an_allowed_address_for_soap() {
    let world = World::new();
    world.allow(hook("https://hook.example/")).await;
    world.allow(allowed("https://crm.example/")).await;
    let to = |address: &'static str| world.broker.reply_to(admin_ref(), address, SoapVersion::Soap11);
    assert_eq!(to("https://crm.example/answers").await.unwrap().map(|to| to.owner), Some("root".to_owned()));
    for address in ["https://hook.example/", "https://evil.example/", "http://127.0.0.1/", "urn:x", ""] {
        assert_eq!(to(address).await.unwrap(), None, "{address}");
    }
}

#[tokio::test]
async fn replaying_names_events_or_an_address() {
    let world = World::new();
    let missing = world.broker.replay_dead_letters(&admin(), None, &[]).await;
    assert_eq!(fault(missing), FaultName::MissingArgument);
    let foreign = world.broker.replay_dead_letters(&admin(), None, &["x".to_owned()]).await;
    assert_eq!(fault(foreign), FaultName::InvalidArgument);
    let many = vec!["e-00000000000000000000000000000001".to_owned(); 1001];
    assert_eq!(fault(world.broker.replay_dead_letters(&admin(), None, &many).await), FaultName::TooManyEntries);
    assert_eq!(world.broker.replay_dead_letters(&admin(), None, &many[..1]).await.unwrap(), 0);
    let reader = caller("r", "reader");
    assert_eq!(fault(world.broker.replay_dead_letters(&reader, None, &many[..1]).await), FaultName::NotAuthorized);
    assert_eq!(world.broker.dead_letters(&admin(), None, &page()).await.unwrap().total, 0);
}
