#![doc = include_str!("../README.md")]

pub mod account;
pub mod behaviour;
pub mod dm1;
pub mod tree;
