#![doc = include_str!("../README.md")]

pub mod access;
pub mod attempts;
pub mod capability;
pub mod contact;
pub mod device;
pub mod directory;
pub mod fault;
pub mod id;
pub mod identity;
pub mod job;
pub mod ledger;
mod names;
pub mod operation;
pub mod page;
pub mod policy;
pub mod ports;
pub mod schedule;
pub mod services;
pub mod store;
pub mod subscriber;
pub mod task;
pub mod time;
pub mod trace;
