#![doc = include_str!("../README.md")]

pub mod contract;
mod convert;
pub mod delivery;
mod dispatch;
pub mod identity;
mod import;
mod intake;
mod refusals;
pub mod rest;
mod sessions;
mod soap;
mod wsi;

pub use identity::hash_password;
pub use wsi::{Settings, Wsi, router};
