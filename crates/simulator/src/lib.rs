#![doc = include_str!("../README.md")]

pub mod account;
pub mod behaviour;
pub mod dm1;
pub mod fleet;
pub mod http;
pub mod tree;
pub mod user;
