#![doc = include_str!("../README.md")]

pub mod access;
pub mod api_key;
pub mod attempts;
pub mod callback;
pub mod capability;
pub mod certificate;
pub mod contact;
pub mod device;
pub mod directory;
pub mod fault;
pub mod id;
pub mod identity;
pub mod identity_provider;
pub mod job;
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
