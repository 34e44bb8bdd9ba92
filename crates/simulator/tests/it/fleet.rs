use std::collections::HashSet;
use std::time::Duration;

use muster_simulator::dm1::SessionEnd;
use muster_simulator::fleet::{Fleet, FleetRun, FleetSpec, Mix};
use muster_simulator::http::HttpOptions;

use crate::device::replace;
use crate::server::Server;

const NAME: &str = "./Vendor/Example/Name";

fn fleet(devices: u64, mix: Mix) -> FleetSpec {
    FleetSpec { mix, server_proves_itself: false, ..FleetSpec::new(devices, 42) }
}

#[tokio::test]
async fn every_device_of_the_demonstration_has_its_session_and_its_fault() {
    let (url, server) = Server { work: vec![replace(NAME, "set")], ..Server::default() }.listen().await;
    let spec = fleet(12, Mix::Demo);
    let run = FleetRun { concurrency: 3, ..FleetRun::once(&format!("{url}/dm"), HttpOptions::new().unwrap()) };

    let mut running = Fleet::start(spec.iter(), run);
    let mut reports = Vec::new();
    while let Some(report) = running.next_report().await {
        reports.push(report);
    }
    let finished = running.finish().await;

    // Eleven connect, and the one that lost its connection comes twice.
    assert_eq!(reports.len(), 12);
    assert_eq!(reports.iter().filter(|it| it.end == SessionEnd::Dropped).count(), 1);
    assert_eq!(finished.counts.sessions_complete, 11);
    assert_eq!((finished.counts.devices_done, finished.counts.devices_silent), (11, 1));
    assert_eq!((finished.counts.sessions_open, finished.counts.reports_lost), (0, 0));
    let names: Vec<Option<&str>> = finished.devices.iter().map(|it| it.device.tree.text(NAME)).collect();
    assert_eq!(names.iter().filter(|it| **it == Some("set")).count(), 10);
    assert_ne!(names[4], Some("set"));
    let sources: HashSet<String> =
        server.heard.lock().unwrap().messages.iter().map(|(.., it)| it.header.source.uri.to_string()).collect();
    assert!(!sources.contains(&format!("IMEI:{}", spec.device(2).imei)));
    assert_eq!(sources.len(), 11);
}

#[tokio::test]
async fn each_device_has_as_many_sessions_as_asked() {
    let (url, server) = Server::default().listen().await;
    let once = FleetRun::once(&format!("{url}/dm"), HttpOptions::new().unwrap());
    let run = FleetRun { sessions_per_device: Some(3), ..once };

    let finished = Fleet::start(fleet(20, Mix::Good).iter(), run).finish().await;

    assert_eq!(finished.counts.sessions_complete, 60);
    assert_eq!(server.heard.lock().unwrap().messages.len(), 60);
    let order: Vec<&str> = finished.devices.iter().map(|it| it.name()).collect();
    let expected: Vec<String> = fleet(20, Mix::Good).iter().map(|it| it.imei).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_stopped_fleet_finishes_its_sessions_and_begins_no_others() {
    let (url, _server) = Server::default().listen().await;
    let once = FleetRun::once(&format!("{url}/dm"), HttpOptions::new().unwrap());
    let run = FleetRun { sessions_per_device: None, interval: Duration::from_secs(3_600), ..once };
    let mut running = Fleet::start(fleet(10, Mix::Good).iter(), run);
    for _ in 0..10 {
        running.next_report().await.unwrap();
    }

    running.stopper().stop();
    let finished = running.finish().await;

    assert_eq!((finished.counts.sessions_complete, finished.counts.devices_done), (10, 10));
}

#[tokio::test]
async fn reports_that_nobody_reads_are_counted_and_do_not_hold_devices_up() {
    let (url, _server) = Server::default().listen().await;
    let once = FleetRun::once(&format!("{url}/dm"), HttpOptions::new().unwrap());

    let finished = Fleet::start(fleet(10, Mix::Good).iter(), FleetRun { reports_max: 4, ..once }).finish().await;

    assert_eq!((finished.counts.sessions_complete, finished.counts.reports_lost), (10, 6));
}
