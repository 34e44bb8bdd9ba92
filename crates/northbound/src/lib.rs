#![doc = include_str!("../README.md")]

pub mod contract;
mod convert;
pub mod delivery;
mod dispatch;
pub mod identity;
pub mod soap;

pub use identity::hash_password;
pub use soap::{Settings, Wsi, router};
