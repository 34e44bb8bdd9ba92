#![doc = include_str!("../README.md")]

pub mod dm1;
pub mod explain;
pub mod limits;
pub mod prov;
pub mod push;
pub mod soap;
pub mod syncml;
pub mod tree;
pub mod wbxml;
pub mod xml;
