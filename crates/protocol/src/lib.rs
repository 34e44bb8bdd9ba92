//! What the standards wrote: bytes and time in, values out. No async, no clock, no chance.

pub mod dm1;
pub mod limits;
pub mod soap;
pub mod syncml;
pub mod wbxml;
pub mod xml;
