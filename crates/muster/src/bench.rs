//! Benchmarks: figures and ratios, each against a peer or a bare limit in the same run. Never run as tests.

mod child;
pub(crate) mod codec;
mod echo;
mod fleet;
mod generator;
pub(crate) mod import;
pub(crate) mod lists;
pub(crate) mod machine;
pub(crate) mod sessions;
pub(crate) mod wsi;

pub(crate) use echo::serve as serve_echo;

use serde::Serialize;

/// The machine that the figures are from.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Name of the processor.
    pub(crate) cpu: String,
    /// Processors that this process may use.
    pub(crate) cores: usize,
    /// Kernel.
    pub(crate) kernel: String,
}

impl Machine {
    /// Looks.
    pub(crate) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            cpu: model.map_or("unknown", |(_, name)| name.trim()).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}
