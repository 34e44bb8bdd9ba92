#![doc = include_str!("../README.md")]

pub mod contract;
mod convert;
mod dispatch;
pub mod identity;
mod intake;
mod refusals;
mod sessions;
pub mod soap;
mod wsi;

pub use identity::hash_password;
pub use soap::router;
pub use wsi::{Settings, Wsi};
