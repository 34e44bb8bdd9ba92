use muster_broker::fault::FaultName;
use muster_broker::job::DeviceFilter;
use muster_broker::store::{
    DeviceGiven, DeviceVerdict, DeviceWrite, ImportBatch, ImportKey, ImportOutcome, ImportState, ImportStep,
    ImportTotals, Once, SubscriberGiven, WriteMode,
};
use muster_broker::subscriber::{DEVICES_MAX, Subscriber};

use crate::world::{ALL, NOW, TENANT, World, deed, nobody, phone};

fn batch(writes: Vec<(u64, DeviceWrite)>) -> ImportBatch {
    ImportBatch { tenant: TENANT.into(), writes, step: None, is_dry_run: false, deed: deed("root") }
}

fn key(id: &str) -> ImportKey {
    ImportKey { tenant: TENANT.into(), owner: "shop".into(), id: id.into() }
}

fn step(from: u64, to: u64) -> ImportStep {
    ImportStep { key: key("nightly"), content: [1; 32], from, to, refused: 0, is_last: false }
}

async fn import(world: &World, batch: ImportBatch) -> ImportOutcome {
    world.store().device_import(batch).await.unwrap().unwrap()
}

/// One record at a time, as every other write of records.
async fn singly(world: &World, writes: Vec<(u64, DeviceWrite)>) -> ImportOutcome {
    let mut outcome = ImportOutcome::default();
    for (row, write) in writes {
        let Once::Now(mut verdicts) =
            world.store().device_write(TENANT, vec![write], deed("root"), None).await.unwrap()
        else {
            panic!()
        };
        match verdicts.pop().unwrap() {
            DeviceVerdict::Created(_) => outcome.totals.created += 1,
            DeviceVerdict::Updated(_) => outcome.totals.updated += 1,
            DeviceVerdict::Unchanged(_) => outcome.totals.unchanged += 1,
            DeviceVerdict::Refused(fault) => {
                outcome.totals.refused += 1;
                outcome.refused.push((row, fault));
            }
        }
    }
    outcome
}

async fn subscriber(world: &World, id: &str) {
    let subscriber = Subscriber {
        id: id.into(),
        tenant: TENANT.into(),
        phone_number: None,
        imsi: None,
        account_reference: None,
        opt_in: false,
        attribute: Vec::new(),
        version: 1,
    };
    let given = SubscriberGiven { subscriber, opt_in: None, version: None };
    let kept = world.store().subscriber_write(WriteMode::Create, given, deed("root"), None).await.unwrap();
    assert!(matches!(kept, Once::Now(Ok(_))), "{kept:?}");
}

/// A record out of few names, so that records of a batch get in each other's way.
fn record(world: &World, random: &mut fastrand::Rng) -> DeviceWrite {
    let mut given = world.given(&format!("{}", random.u8(..12)));
    let device = &mut given.device;
    if random.u8(..4) == 0 {
        device.account.as_mut().unwrap().client_name = random.u8(..12).to_string();
    }
    match random.u8(..10) {
        0 => device.account = None,
        1 => given.has_client_secret = false,
        2 => device.subscriber_id = Some("known".into()),
        3 => device.subscriber_id = Some("unknown".into()),
        4 => device.capability = Some(muster_broker::id::CapabilityOid(world.uuid())),
        5 => given.version = Some(i64::from(random.u8(1..3))),
        6 => device.model = Some("Two".into()),
        7 => given.oid = Some(nobody()),
        8 => device.phone_number = Some(phone("+15550000001")),
        _ => {}
    }
    if random.bool() {
        device.group = [["a"], ["b"]][random.usize(..2)].map(str::to_owned).to_vec();
        device.attribute = vec![("site".into(), random.u8(..2).to_string())];
    }
    let mode = [WriteMode::Create, WriteMode::Upsert, WriteMode::Replace][random.usize(..3)];
    if mode == WriteMode::Create {
        (given.oid, given.version) = (None, None);
    }
    DeviceWrite { mode, given }
}

/// What lists are narrowed by, each of which counts on its own what there is.
fn filters() -> Vec<DeviceFilter> {
    let text = |text: &str| Some(text.to_owned());
    let site = |value: &str| vec![("site".to_owned(), value.to_owned())];
    vec![
        DeviceFilter::default(),
        DeviceFilter { manufacturer: text("Acme"), ..DeviceFilter::default() },
        DeviceFilter { model: text("Two"), ..DeviceFilter::default() },
        DeviceFilter { group: text("a"), ..DeviceFilter::default() },
        DeviceFilter { attribute: site("0"), ..DeviceFilter::default() },
        DeviceFilter { group: text("b"), attribute: site("1"), model: text("One"), ..DeviceFilter::default() },
    ]
}

#[tokio::test]
async fn a_batch_comes_to_the_same_as_its_records_one_by_one() {
    for seed in 0..12 {
        let (together, apart) = (World::new(), World::new());
        let mut random = fastrand::Rng::with_seed(seed);
        for world in [&together, &apart] {
            subscriber(world, "known").await;
        }
        for round in 0..3 {
            let writes: Vec<_> = (0..40).map(|row| (row, record(&together, &mut random))).collect();
            let expected = singly(&apart, writes.clone()).await;
            assert_eq!(import(&together, batch(writes)).await, expected, "seed {seed}, round {round}");
            for filter in filters() {
                let told = format!("seed {seed}, round {round}, {filter:?}");
                let list = async |world: &World| world.store().device_list(TENANT, filter.clone(), ALL).await.unwrap();
                let (listed, expected) = (list(&together).await, list(&apart).await);
                assert_eq!(listed.total, listed.items.len() as u64, "{told}");
                assert_eq!(listed, expected, "{told}");
            }
        }
        // Whoever was made can be spoken to.
        let made = apart.store().device_list(TENANT, DeviceFilter::default(), ALL).await.unwrap().items;
        for device in made.iter().filter_map(|device| device.account.as_ref()) {
            assert_eq!(together.contact(&device.client_name).await, apart.contact(&device.client_name).await);
        }
    }
}

#[tokio::test]
async fn a_number_alone_means_the_record_that_has_it_also_one_of_the_same_batch() {
    let world = World::new();
    let of_number = |number: &str, model: &str| {
        let mut given = world.given("x");
        (given.device.device_id, given.device.account) = (None, None);
        (given.device.phone_number, given.device.model) = (Some(phone(number)), Some(model.into()));
        given
    };
    let rows = |givens: Vec<DeviceGiven>| {
        (0_u64..).zip(givens.into_iter().map(|given| DeviceWrite { mode: WriteMode::Upsert, given })).collect()
    };
    let mut with_device = world.given("known");
    with_device.device.phone_number = Some(phone("+15550000009"));
    let known = world.create(with_device).await;
    let givens = vec![
        of_number("+15550000001", "One"),
        of_number("+15550000001", "Two"),
        of_number("+15550000001", "Two"),
        of_number("+15550000009", "Three"),
    ];
    let outcome = import(&world, batch(rows(givens))).await;
    assert_eq!(outcome.totals, ImportTotals { created: 1, updated: 2, unchanged: 1, refused: 0 });
    let stored = world.store().device_find(TENANT, muster_broker::store::DeviceKey::Oid(known.oid), 1).await.unwrap();
    assert_eq!((stored[0].device_id.clone(), stored[0].model.as_deref()), (known.device_id, Some("Three")));

    let mut other = world.given("other");
    other.device.phone_number = Some(phone("+15550000009"));
    world.create(other).await;
    let outcome = import(&world, batch(rows(vec![of_number("+15550000009", "Four")]))).await;
    assert_eq!(outcome.refused[0].1.name, FaultName::AmbiguousDevice);
}

#[tokio::test]
async fn the_devices_of_a_subscriber_are_counted_within_a_batch() {
    let world = World::new();
    subscriber(&world, "s").await;
    let writes = |from: usize, to: usize| -> Vec<(u64, DeviceWrite)> {
        (from..to)
            .map(|number| {
                let mut given = world.given(&number.to_string());
                given.device.subscriber_id = Some("s".into());
                (number as u64, DeviceWrite { mode: WriteMode::Create, given })
            })
            .collect()
    };
    import(&world, batch(writes(0, 500))).await;
    let outcome = import(&world, batch(writes(500, DEVICES_MAX + 3))).await;
    assert_eq!((outcome.totals.created, outcome.totals.refused), (500, 3));
    assert!(outcome.refused.iter().all(|(_, fault)| fault.name == FaultName::QuotaExceeded));
    // Names of refused records are free.
    let free = outcome.refused.iter().map(|(row, _)| world.given(&row.to_string()));
    let writes = (0_u64..).zip(free.map(|given| DeviceWrite { mode: WriteMode::Create, given })).collect();
    assert_eq!(import(&world, batch(writes)).await.totals.created, 3);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let mut world = World::new();
    let writes: Vec<_> = (0..3)
        .map(|row| (row, DeviceWrite { mode: WriteMode::Create, given: world.given(&format!("{}", row % 2)) }))
        .collect();
    let tried = ImportBatch { is_dry_run: true, step: Some(step(0, 3)), ..batch(writes.clone()) };
    let outcome = import(&world, tried).await;
    assert_eq!((outcome.totals.created, outcome.totals.refused), (2, 1));
    assert_eq!(world.store().import_get(key("nightly")).await.unwrap(), None);
    world.reopen();
    assert_eq!(world.store().device_list(TENANT, DeviceFilter::default(), ALL).await.unwrap().total, 0);
    assert_eq!(import(&world, batch(writes)).await, outcome);
}

#[tokio::test]
async fn the_position_moves_with_the_rows_and_only_from_where_it_is() {
    let mut world = World::new();
    let one = |row: u64| (row, DeviceWrite { mode: WriteMode::Create, given: world.given(&row.to_string()) });
    let (first, second, third, fourth) = (one(0), one(2), one(3), one(4));
    let with = |write, step| ImportBatch { step: Some(step), ..batch(vec![write]) };
    import(&world, with(first, ImportStep { refused: 1, ..step(0, 2) })).await;
    world.reopen();
    let refused = async |write, step| world.store().device_import(with(write, step)).await.unwrap().unwrap_err();
    // Somebody else was there first; another table; nothing of it is written.
    assert_eq!(refused(second.clone(), step(0, 3)).await.name, FaultName::WrongState);
    let other = ImportStep { content: [2; 32], ..step(2, 3) };
    assert_eq!(refused(second.clone(), other).await.name, FaultName::RequestIdReused);
    assert_eq!(world.store().device_list(TENANT, DeviceFilter::default(), ALL).await.unwrap().total, 1);

    import(&world, with(second, step(2, 3))).await;
    import(&world, with(third, ImportStep { is_last: true, ..step(3, 4) })).await;
    assert_eq!(refused(fourth, step(4, 5)).await.name, FaultName::WrongState);
    let state = world.store().import_get(key("nightly")).await.unwrap();
    let totals = ImportTotals { created: 3, updated: 0, unchanged: 0, refused: 1 };
    let expected = ImportState { rows: 4, totals, is_complete: true, content: [1; 32], began_at: NOW, updated_at: NOW };
    assert_eq!(state, Some(expected));
    for other in
        [ImportKey { tenant: "beta".into(), ..key("nightly") }, ImportKey { owner: "care".into(), ..key("nightly") }]
    {
        assert_eq!(world.store().import_get(other).await.unwrap(), None);
    }
}

#[tokio::test]
async fn positions_are_forgotten_when_asked_and_with_time() {
    let world = World::new();
    let begin = async |id: &str| {
        let step = ImportStep { key: key(id), ..step(0, 0) };
        import(&world, ImportBatch { step: Some(step), ..batch(Vec::new()) }).await;
    };
    let is_known = async |id: &str| world.store().import_get(key(id)).await.unwrap().is_some();
    begin("a").await;
    begin("b").await;
    world.store().import_forget(key("a")).await.unwrap();
    world.store().import_forget(key("a")).await.unwrap();
    assert_eq!([is_known("a").await, is_known("b").await], [false, true]);
    world.store().import_forget_old(NOW).await.unwrap();
    assert!(is_known("b").await);
    world.store().import_forget_old(NOW.plus_s(1)).await.unwrap();
    assert!(!is_known("b").await);
}
