#![doc = include_str!("../README.md")]

pub mod contract;
mod convert;
mod dispatch;
pub mod identity;
pub mod soap;
