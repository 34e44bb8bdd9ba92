//! Telling External Systems, as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use muster_northbound::delivery::{Deliverer, Settings};
use muster_southbound::dm1::Family;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::File;

/// Deliveries on the present runtime.
pub(super) struct Deliveries {
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

impl Deliveries {
    /// Begins to deliver.
    pub(super) fn start(deliverer: Arc<Deliverer>, patience: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, handle: tokio::spawn(deliverer.run(stopped, patience)) }
    }

    /// Begins no further delivery, and gives those under way their time to finish.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.handle.await;
    }
}

/// Bounds as the operator set them.
pub(super) fn settings(file: &File) -> Settings {
    Settings {
        at_once_max: file.callbacks.at_once,
        per_address_max: file.callbacks.per_address,
        plain_http: file.callbacks.plain_http,
        tick: Duration::from_millis(file.sessions.background_milliseconds.max(10)),
        ..Settings::default()
    }
}

/// What is told about deliveries.
pub(super) fn families(deliverer: &Deliverer) -> [Family; 2] {
    let counters = deliverer.counters();
    [
        Family {
            name: "muster_callback_messages_total",
            help: "Messages to receivers of callbacks, by what came of them.",
            label: "outcome",
            values: counters.messages(),
        },
        Family {
            name: "muster_callback_events_total",
            help: "Events and answers that receivers of callbacks took.",
            label: "outcome",
            values: vec![("taken", counters.events_taken())],
        },
    ]
}
