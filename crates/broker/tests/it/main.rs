//! The use cases of the broker over the real store, with a clock that the tests set.
#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod administration;
mod approvals;
mod bulk_requests;
mod callbacks;
mod capabilities;
mod corpus;
mod deployments;
mod devices;
mod imports;
mod jobs_and_tasks;
mod narrowed;
mod operations;
mod quotas;
mod repetition;
mod rights;
mod rollouts;
mod selection;
mod sessions;
mod subscribers;
mod test_cycles;
mod traces;
mod world;
