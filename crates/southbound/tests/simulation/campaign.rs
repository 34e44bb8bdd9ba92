//! Many seeds.

use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::ground::Ground;
use crate::run::{Figures, Run};

/// Runs on one store before a fresh one is taken: a store that grows gets slower.
const RUNS_PER_STORE: u64 = 250;
/// Seeds that fail before the others are not played any more.
const FAILURES_MAX: usize = 5;

/// What to play; out of the environment, where `cargo xtask simulate` puts it.
struct Wanted {
    from: u64,
    seeds: u64,
    threads: usize,
    tells: bool,
}

impl Wanted {
    fn read(seeds: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
        Self {
            from: number("MUSTER_SIMULATE_FROM").unwrap_or(1),
            seeds: number("MUSTER_SIMULATE_SEEDS").unwrap_or(seeds),
            threads: number("MUSTER_SIMULATE_THREADS").map_or_else(threads, |it| it as usize),
            tells: std::env::var_os("MUSTER_SIMULATE_TELL").is_some(),
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What many seeds came to.
#[derive(Default)]
struct Sum {
    figures: Figures,
    failures: Vec<(u64, String)>,
}

fn play(wanted: &Wanted) -> Sum {
    let next = AtomicU64::new(wanted.from);
    let end = wanted.from.saturating_add(wanted.seeds);
    let sum = Mutex::new(Sum::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..wanted.threads.max(1) {
            scope.spawn(|| work(&next, end, &sum));
        }
        if wanted.tells {
            tell(&next, wanted, &sum, begun);
        }
    });
    let sum = sum.into_inner().unwrap();
    if wanted.tells {
        let Figures { messages, sessions, tasks, succeeded, unknown } = sum.figures;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!(
            "{} seeds in {seconds:.0} s: {messages} messages, {sessions} sessions, {tasks} tasks, {succeeded} succeeded, {unknown} of unknown outcome, {} failures",
            wanted.seeds,
            sum.failures.len()
        );
    }
    sum
}

fn work(next: &AtomicU64, end: u64, sum: &Mutex<Sum>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    loop {
        let ground = Ground::new();
        for _ in 0..RUNS_PER_STORE {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let played = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(Run::play(&ground, seed))));
            let played = played.unwrap_or_else(|panic| Err(format!("panic: {}", words(&*panic))));
            let mut sum = sum.lock().unwrap();
            match played {
                Ok(figures) => sum.figures.add(figures),
                Err(why) => {
                    sum.failures.push((seed, why));
                    if sum.failures.len() >= FAILURES_MAX {
                        next.store(end, Ordering::Relaxed);
                        return;
                    }
                }
            }
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
}

/// A line that says how far it is, until the end.
fn tell(next: &AtomicU64, wanted: &Wanted, sum: &Mutex<Sum>, begun: Instant) {
    let is_terminal = std::io::stderr().is_terminal();
    // A line that is overwritten is written often, one that stays is not.
    let pause = Duration::from_millis(if is_terminal { 500 } else { 10_000 });
    let mut told = Instant::now();
    loop {
        let played = next.load(Ordering::Relaxed).saturating_sub(wanted.from).min(wanted.seeds);
        if played >= wanted.seeds {
            if is_terminal {
                eprintln!();
            }
            return;
        }
        if told.elapsed() >= pause {
            told = Instant::now();
            let failures = sum.lock().unwrap().failures.len();
            let rate = played as f64 / begun.elapsed().as_secs_f64();
            let line = format!("{played} of {} seeds, {rate:.0} a second, {failures} failures", wanted.seeds);
            if is_terminal { eprint!("\r{line}  ") } else { eprintln!("{line}") }
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Seeds played with every test run: some fifteen seconds of them in a debug build on two cores.
const SEEDS: u64 = 3_000;

#[test]
fn every_seed_ends_with_devices_and_server_that_agree() {
    let sum = play(&Wanted::read(SEEDS));

    for (seed, why) in &sum.failures {
        eprintln!("\nseed {seed}:\n{why}\nto replay it: cargo xtask simulate --seed {seed}\n");
    }
    assert!(sum.failures.is_empty(), "{} seeds failed", sum.failures.len());
}
