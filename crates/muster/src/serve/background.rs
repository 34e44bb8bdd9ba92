//! What happens without being asked for: jobs go on, tasks expire, silent sessions end, old things are forgotten.
//!
//! Every piece is one bounded store call, so that requests never wait long for the writer.

use std::sync::Arc;
use std::time::Duration;

use muster_broker::contact::lost;
use muster_broker::ports::Environment as _;
use muster_broker::store::{Contact, Due, Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::System;
use crate::config::Sessions;

/// Rows that one call may touch.
const PAGE: u32 = 500;
/// Calls in a row before others get a turn.
const PAGES_MAX: usize = 64;
/// Seconds of a day.
const DAY_S: i64 = 24 * 3600;
/// How long what was recorded of a session is kept: thirty days.
const TRACES_KEPT_S: i64 = 30 * 24 * 3600;

/// How long dead letters of callbacks are kept: thirty days.
const LETTERS_KEPT_S: i64 = 30 * 24 * 3600;
/// How long the state of a receiver is kept for which nothing waits: a day.
const QUEUES_KEPT_S: i64 = 24 * 3600;

/// How long an import that broke off can be resumed: a week.
const IMPORTS_KEPT_S: i64 = 7 * 24 * 3600;

/// The running background work.
pub(super) struct Background {
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

impl Background {
    /// Ends it after the piece of work under way.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.handle.await;
    }
}

/// Starts it on the present runtime.
pub(super) fn start(store: Arc<dyn Store>, sessions: &Sessions) -> Background {
    let (stop, mut stopped) = watch::channel(false);
    let sessions = sessions.clone();
    let handle = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(sessions.background_milliseconds.max(10)));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut rounds: u64 = 0;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopped.changed() => return,
            }
            if let Err(error) = round(store.as_ref(), &sessions, rounds).await {
                tracing::warn!(%error, "background work will be tried again");
            }
            rounds += 1;
        }
    });
    Background { stop, handle }
}

/// Ends when no device is in the middle of a task any more. One that has been silent for `patience` is not waited for.
pub(super) async fn sessions_ended(store: &dyn Store, patience: Duration) {
    let silent_ms = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
    loop {
        let now = System.now();
        let spoke = |it: &Contact| it.state.dialogue.as_ref().is_some_and(|it| now.0 - it.touched_at.0 < silent_ms);
        match store.contact_silent(now.plus_s(60), PAGE).await {
            Ok(open) if !open.iter().any(spoke) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "open sessions cannot be seen, and are not waited for");
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn round(store: &dyn Store, sessions: &Sessions, number: u64) -> Result<(), StoreError> {
    let now = System.now();
    for _ in 0..PAGES_MAX {
        if store.job_pump(now, PAGE).await? == Due::Nothing {
            break;
        }
    }
    for _ in 0..PAGES_MAX {
        if store.task_expire(now, PAGE).await? == Due::Nothing {
            break;
        }
    }
    for _ in 0..PAGES_MAX {
        if store.approval_expire(now, PAGE).await? == Due::Nothing {
            break;
        }
    }
    for _ in 0..PAGES_MAX {
        if store.personal_erase_pump(now, PAGE).await? == Due::Nothing {
            break;
        }
    }
    for contact in store.contact_silent(now.plus_s(-sessions.device_silent_seconds), PAGE).await? {
        if let Some(step) = lost(contact, now) {
            // A conflict means that the device spoke again meanwhile: it is not lost.
            store.contact_commit(step).await?;
        }
    }
    let per_minute = 60_000 / sessions.background_milliseconds.max(10);
    if number.is_multiple_of(per_minute.max(1)) {
        let sessions_before = now.plus_s(-sessions.wsi_idle_seconds.max(sessions.wsi_life_seconds));
        store.forget(sessions_before, now.plus_s(-24 * 3600)).await?;
        store.import_forget_old(now.plus_s(-IMPORTS_KEPT_S)).await?;
        for _ in 0..PAGES_MAX {
            if store.trace_forget(now.plus_s(-TRACES_KEPT_S), PAGE).await? == Due::Nothing {
                break;
            }
        }
        for _ in 0..PAGES_MAX {
            let ended_before = now.plus_s(-sessions.approval_kept_days.saturating_mul(DAY_S));
            if store.approval_forget(ended_before, PAGE).await? == Due::Nothing {
                break;
            }
        }
        for _ in 0..PAGES_MAX {
            let (died_before, tried_before) = (now.plus_s(-LETTERS_KEPT_S), now.plus_s(-QUEUES_KEPT_S));
            if store.callback_forget(died_before, tried_before, PAGE).await? == Due::Nothing {
                break;
            }
        }
    }
    Ok(())
}
