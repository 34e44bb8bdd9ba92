//! `muster bench lists`: the first page of lists with one filter, at a million devices.

mod population;
mod questions;

use std::time::Instant;

use muster_broker::page::Page;
use serde::Serialize;

use self::population::Population;
use self::questions::{Asked, QUESTIONS};
use super::Machine;

/// What the run is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Devices registered, and tasks made.
    pub(crate) devices: u32,
    /// Times that each filter is asked, with another value each time.
    pub(crate) queries: u32,
}

/// Figures of one filter.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) list: &'static str,
    /// One of the expressions that were asked.
    pub(crate) filter: String,
    /// Least and most entries that matched.
    pub(crate) matching: (u64, u64),
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) devices: u32,
    pub(crate) queries: u32,
    /// Highest p99 of all filters.
    pub(crate) worst_p99_ms: f64,
    pub(crate) goal_ms: f64,
    /// Devices with all their fields registered in a second.
    pub(crate) register_per_s: f64,
    pub(crate) rows: Vec<Row>,
}

/// The first page of any list with any filter on one field.
const GOAL_MS: f64 = 50.0;

/// Runs everything. `told` is called with what goes on.
pub(crate) async fn run(plan: Plan, told: impl Fn(&str)) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let (store, vault) = crate::serve::open(folder.path())?;
    let population = Population::new(plan.devices);
    told(&format!("registering {} devices", plan.devices));
    let begin = Instant::now();
    population.register(&store, &vault).await?;
    let register_per_s = f64::from(plan.devices) / begin.elapsed().as_secs_f64();
    told("contacts, tasks, jobs and capability records");
    population.live(&store).await?;

    let mut rows = Vec::new();
    for question in QUESTIONS {
        told(&format!("{}: {}", question.list, (question.filter)(0, plan.devices)));
        let mut times_ms = Vec::new();
        let mut matching = (u64::MAX, 0);
        for turn in 0..plan.queries {
            // Values from all over, and the same ones in each run.
            let place = ((u64::from(turn) * 611_953) % u64::from(plan.devices.max(1))) as u32;
            let asked = Asked::read(question, place, plan.devices)?;
            let begin = Instant::now();
            let total = asked.total(&store, Page { size: Page::SIZE, after: None }).await?;
            times_ms.push(begin.elapsed().as_secs_f64() * 1_000.0);
            matching = (matching.0.min(total), matching.1.max(total));
        }
        times_ms.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = (share * times_ms.len() as f64).ceil() as usize;
            times_ms.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        rows.push(Row {
            list: question.list,
            filter: (question.filter)(0, plan.devices),
            matching,
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            max_ms: quantile(1.0),
        });
    }
    Ok(Figures {
        machine: Machine::look(),
        devices: plan.devices,
        queries: plan.queries,
        worst_p99_ms: rows.iter().map(|row| row.p99_ms).fold(0.0, f64::max),
        goal_ms: GOAL_MS,
        register_per_s,
        rows,
    })
}
