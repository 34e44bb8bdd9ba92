//! Many devices: who they are, from a seed, and running them against a server.

mod counters;
mod identity;
mod run;

pub use counters::{Counters, Counts};
pub use identity::{DeviceSpec, FleetSpec, Mix};
pub use run::{Finished, Fleet, FleetRun, Stopper};
