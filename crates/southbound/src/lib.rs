#![doc = include_str!("../README.md")]

pub mod dm1;
mod http;
pub mod profile;

pub use http::router;
