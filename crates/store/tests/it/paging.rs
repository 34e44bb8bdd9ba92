//! Lists in pages.

use std::collections::BTreeSet;

use muster_broker::job::{DeviceFilter, Selector};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{Due, HistoryOf, JobFilter, Pending, StoreError, TaskFilter};

use crate::world::{NOW, TENANT, World, deed};

/// Walks a list in pages of two; gives the keys seen, after checking that none came twice and the totals.
async fn walk<'s, T, K: Ord>(
    total: u64,
    list: impl Fn(Page) -> Pending<'s, Listed<T>>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let (mut seen, mut items, mut after) = (BTreeSet::new(), Vec::new(), None);
    loop {
        let page = list(Page { size: 2, after }).await.unwrap();
        assert_eq!(page.total, total);
        assert!(page.items.len() <= 2);
        for item in page.items {
            assert!(seen.insert(key(&item)), "an entry came twice");
            items.push(item);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(items.len() as u64, total);
    items
}

#[tokio::test]
async fn every_list_is_walked_once_from_end_to_end() {
    let world = World::new();
    let store = world.store();
    let mut jobs = Vec::new();
    for (place, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let device = world.device(name).await;
        world.task(&device).await;
        let mut job = world.job(Selector { all_devices: true, ..Selector::default() });
        job.created_at = NOW.plus_s(if place < 2 { 0 } else { place as i64 });
        jobs.push(job);
    }
    store.job_create(jobs.clone(), deed("campaign"), None).await.unwrap();
    while store.job_pump(NOW.plus_s(60), 7).await.unwrap() == Due::More {}

    let devices = walk(5, |page| store.device_list(TENANT, DeviceFilter::default(), page), |device| device.oid).await;
    assert!(devices.is_sorted_by_key(|device| device.oid));
    let some = DeviceFilter { model: Some("One".into()), ..DeviceFilter::default() };
    walk(5, |page| store.device_list(TENANT, some.clone(), page), |device| device.oid).await;
    let tasks = walk(30, |page| store.task_list(TENANT, TaskFilter::default(), page), |task| task.id).await;
    assert!(tasks.is_sorted_by_key(|task| (task.created_at, task.id)), "oldest first");
    let of_job = TaskFilter { job: Some(jobs[0].id), ..TaskFilter::default() };
    walk(5, |page| store.task_list(TENANT, of_job.clone(), page), |task| task.id).await;
    let listed = walk(5, |page| store.job_list(TENANT, JobFilter::default(), page), |view| view.job.id).await;
    assert!(listed.is_sorted_by_key(|view| std::cmp::Reverse((view.job.created_at, view.job.id.0))), "newest first");
    let history = |of: HistoryOf| {
        move |page: Page| -> Pending<'_, Listed<muster_broker::task::HistoryEntry>> {
            Box::pin(async move { Ok(store.task_history(TENANT, of, page).await?.unwrap()) })
        }
    };
    let entries = walk(5, history(HistoryOf::Job(jobs[0].id)), |entry| (entry.task, entry.number)).await;
    assert!(entries.is_sorted_by_key(|entry| entry.at), "oldest first");
}

#[tokio::test]
async fn entries_that_exist_throughout_are_seen_once_while_others_come_and_go() {
    let world = World::new();
    let mut oids = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        oids.push(world.device(name).await.oid);
    }
    oids.sort();
    let first =
        world.store().device_list(TENANT, DeviceFilter::default(), Page { size: 2, after: None }).await.unwrap();
    let gone = muster_broker::store::DeviceKey::Oid(oids[1]);
    world.store().device_delete(TENANT, gone, None, deed("care")).await.unwrap().unwrap();

    let page = Page { size: 10, after: first.next };
    let rest = world.store().device_list(TENANT, DeviceFilter::default(), page).await.unwrap();

    assert_eq!(rest.items.iter().map(|device| device.oid).collect::<Vec<_>>(), oids[2..]);
    assert_eq!(rest.total, 5);
}

#[tokio::test]
async fn a_key_of_another_list_is_an_error_and_no_panic() {
    let world = World::new();
    for after in ["", "x", "1.2", "99999999999999999999.t000-00000000000000000000000000000000", "\u{0}.\u{0}"] {
        let page = Page { size: 2, after: Some(after.into()) };
        let store = world.store();
        let broken = |error: StoreError| matches!(error, StoreError::Broken { .. });
        assert!(broken(store.device_list(TENANT, DeviceFilter::default(), page.clone()).await.unwrap_err()));
        assert!(broken(store.task_list(TENANT, TaskFilter::default(), page.clone()).await.unwrap_err()));
        assert!(broken(store.job_list(TENANT, JobFilter::default(), page).await.unwrap_err()));
    }
}
