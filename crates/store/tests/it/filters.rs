//! Lists narrowed by expressions, through the port. That every expression gives what a model gives, and in pages, is
//! tested beside the code, in `sqlite/lists/tests.rs`.

use muster_broker::capability::Capability;
use muster_broker::device::ManagementState;
use muster_broker::filter::{Filter, SubscriberField};
use muster_broker::id::{CapabilityOid, JobId};
use muster_broker::job::{DeviceFilter, Job, JobStatus, Selector};
use muster_broker::page::Page;
use muster_broker::store::{
    CapabilityFilter, CapabilityWrite, JobFilter, SubscriberFilter, SubscriberGiven, WriteMode,
};
use muster_broker::subscriber::Subscriber;

use crate::world::{ALL, NOW, TENANT, World, deed, phone};

/// What would do harm if it were pasted into a statement, or upset a quoting.
const NASTY: [&str; 9] = [
    "'; DROP TABLE device; --",
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "\\'; DELETE FROM device; --",
    "a\u{0}b",
    "?1",
    ":tenant",
    "x' UNION SELECT password_hash FROM principal --",
    "%' ESCAPE '",
];

async fn total(world: &World, expression: &Filter<muster_broker::filter::DeviceField>) -> u64 {
    let filter = DeviceFilter { expression: Some(expression.clone()), ..DeviceFilter::default() };
    world.store().device_list(TENANT, filter, ALL).await.unwrap().total
}

#[tokio::test]
async fn a_nasty_text_is_a_value_wherever_it_stands() {
    let world = World::new();
    for (index, text) in NASTY.iter().enumerate() {
        let mut given = world.given(&format!("device{index}"));
        given.device.manufacturer = Some((*text).to_owned());
        given.device.model = Some((*text).to_owned());
        given.device.group = vec![(*text).to_owned()];
        given.device.attribute = vec![((*text).to_owned(), (*text).to_owned())];
        world.create(given).await;
    }

    for text in NASTY {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*");
        for expression in [
            format!("manufacturer = \"{quoted}\""),
            format!("model in (\"{quoted}\")"),
            format!("group = \"{quoted}\""),
            format!("attribute.\"{quoted}\" = \"{quoted}\""),
            format!("has(attribute.\"{quoted}\")"),
            format!("not manufacturer != \"{quoted}\""),
            format!("model >= \"{quoted}\" and model <= \"{quoted}\""),
        ] {
            assert_eq!(total(&world, &Filter::parse(&expression).unwrap()).await, 1, "{expression}");
        }
        for expression in [
            format!("imsi = \"{quoted}\""),
            format!("subscriberId startsWith \"{quoted}\""),
            format!("softwareVersion = \"{quoted}\""),
            format!("attribute.other = \"{quoted}\""),
        ] {
            assert_eq!(total(&world, &Filter::parse(&expression).unwrap()).await, 0, "{expression}");
        }
    }
    let all = world.store().device_list(TENANT, DeviceFilter::default(), ALL).await.unwrap();
    assert_eq!(all.total, NASTY.len() as u64);
}

fn job(world: &World, number: u8) -> Job {
    let base = world.job(Selector::default());
    Job {
        id: JobId(world.uuid()),
        name: format!("job {number}"),
        owner: if number < 2 { "care".into() } else { "campaign".into() },
        is_mixed: number == 3,
        expansion: None,
        status: if number == 1 { JobStatus::Paused } else { JobStatus::Completed },
        finished_at: (number != 1).then(|| NOW.plus_s(i64::from(number))),
        created_at: NOW.plus_s(i64::from(number)),
        ..base
    }
}

#[tokio::test]
async fn jobs_are_narrowed_by_each_of_their_fields() {
    let world = World::new();
    let jobs: Vec<Job> = (0..4).map(|number| job(&world, number)).collect();
    world.store().job_create(jobs.clone(), deed("care"), None).await.unwrap();
    for (expression, wanted) in [
        ("status = PAUSED".to_owned(), vec![1]),
        ("status != PAUSED and owner = care".to_owned(), vec![0]),
        ("name = \"job*\" and not name = \"job 2\"".to_owned(), vec![3, 1, 0]),
        (format!("jobId in ({}, {})", jobs[0].id, jobs[2].id), vec![2, 0]),
        ("absent(operation)".to_owned(), vec![3]),
        (format!("operation = {}", jobs[0].template.operation.as_str()), vec![2, 1, 0]),
        ("testCycle = true".to_owned(), vec![]),
        (format!("createdAt >= {}", NOW.plus_s(2)), vec![3, 2]),
        ("absent(finishedAt)".to_owned(), vec![1]),
        (format!("finishedAt < {}", NOW.plus_s(3)), vec![2, 0]),
    ] {
        let filter = JobFilter { expression: Some(Filter::parse(&expression).unwrap()), ..JobFilter::default() };
        let listed = world.store().job_list(TENANT, filter, ALL).await.unwrap();
        let ids: Vec<JobId> = listed.items.iter().map(|view| view.job.id).collect();
        let expected: Vec<JobId> = wanted.iter().map(|place: &usize| jobs[*place].id).collect();
        assert_eq!((ids, listed.total), (expected, wanted.len() as u64), "{expression}");
    }
}

#[tokio::test]
async fn capability_records_are_narrowed_by_each_of_their_fields() {
    let world = World::new();
    let mut oids = Vec::new();
    for (model, version, tac) in
        [("One", Some("1.0"), "35391110"), ("One", None, "49015420"), ("Two", None, "35391110")]
    {
        let capability = Capability {
            oid: CapabilityOid(world.uuid()),
            tenant: TENANT.into(),
            manufacturer: "Acme".into(),
            model: model.into(),
            firmware_version: version.map(str::to_owned),
            tac: vec![tac.into()],
            dm_version: Vec::new(),
            management_object: Vec::new(),
            bootstrap_method: Vec::new(),
            wbxml: None,
            max_msg_size: None,
            max_obj_size: None,
            attribute: Vec::new(),
            version: 1,
        };
        oids.push(capability.oid);
        world
            .store()
            .capability_write(CapabilityWrite { capability, oid: None, version: None }, deed("care"), None)
            .await
            .unwrap();
    }
    for (expression, wanted) in [
        ("model = One".to_owned(), vec![0, 1]),
        ("absent(firmwareVersion)".to_owned(), vec![1, 2]),
        ("firmwareVersion >= \"1.\"".to_owned(), vec![0]),
        ("tac = 35391110".to_owned(), vec![0, 2]),
        ("tac != 35391110".to_owned(), vec![1]),
        (format!("oid = {}", oids[1]), vec![1]),
        ("manufacturer startsWith Ac and tac in (49015420)".to_owned(), vec![1]),
    ] {
        let expression_read = Some(Filter::parse(&expression).unwrap());
        let filter = CapabilityFilter { expression: expression_read, ..CapabilityFilter::default() };
        let listed = world.store().capability_list(TENANT, filter, ALL).await.unwrap();
        let found: Vec<CapabilityOid> = listed.items.iter().map(|record| record.oid).collect();
        let expected: Vec<CapabilityOid> = wanted.iter().map(|place: &usize| oids[*place]).collect();
        assert_eq!((found, listed.total), (expected, wanted.len() as u64), "{expression}");
    }
}

#[tokio::test]
async fn subscribers_are_narrowed_by_each_of_their_fields_in_pages() {
    let world = World::new();
    for number in 0..6_u8 {
        let subscriber = Subscriber {
            id: format!("s{number}"),
            tenant: TENANT.into(),
            phone_number: (number > 0).then(|| phone(&format!("+1555000000{number}"))),
            imsi: (number % 2 == 0).then(|| format!("26201000{number}")),
            account_reference: Some(format!("account {}", number % 3)),
            opt_in: number < 2,
            attribute: Vec::new(),
            version: 1,
        };
        let given = SubscriberGiven { subscriber, opt_in: Some(number < 2), version: None };
        world.store().subscriber_write(WriteMode::Create, given, deed("care"), None).await.unwrap();
    }
    for (expression, wanted) in [
        ("optIn = true", "01"),
        ("optIn != true", "2345"),
        ("imsi = \"26201*\"", "024"),
        ("absent(imsi) and optIn = false", "35"),
        ("phoneNumber > \"+15550000003\"", "45"),
        ("accountReference in (\"account 0\", \"account 1\")", "0134"),
        ("subscriberId >= s4 or phoneNumber = \"+15550000001\"", "145"),
        ("not subscriberId = s0", "12345"),
    ] {
        let expression_read: Filter<SubscriberField> = Filter::parse(expression).unwrap();
        let filter = SubscriberFilter { expression: Some(expression_read), ..SubscriberFilter::default() };
        let (mut found, mut page) = (String::new(), Page { size: 2, after: None });
        loop {
            let listed = world.store().subscriber_list(TENANT, filter.clone(), page.clone()).await.unwrap();
            assert_eq!(listed.total, wanted.len() as u64, "{expression}");
            found.extend(listed.items.iter().map(|view| view.subscriber.id.trim_start_matches('s').to_owned()));
            let Some(next) = listed.next else { break };
            page.after = Some(next);
        }
        assert_eq!(found, wanted, "{expression}");
    }
}

#[tokio::test]
async fn a_step_of_a_device_moves_it_to_another_class() {
    let world = World::new();
    world.device("one").await;
    let state = |state: &str| Filter::parse(&format!("managementState = {state}")).unwrap();
    let (known, managed) = (state("KNOWN"), state("MANAGED"));
    let before = (total(&world, &known).await, total(&world, &managed).await);
    let contact = world.contact("one").await;
    let next = if contact.device.management_state == ManagementState::Managed {
        ManagementState::Known
    } else {
        ManagementState::Managed
    };
    let mut step = crate::world::step(&contact);
    step.record = Some(muster_broker::device::Device { management_state: next, ..contact.device.clone() });
    world.store().contact_commit(step).await.unwrap();
    assert_eq!((total(&world, &known).await, total(&world, &managed).await), (before.1, before.0));
    assert_eq!(before.0 + before.1, 1);
}
