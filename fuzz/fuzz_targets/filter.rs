#![no_main]

#[path = "../broker/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| targets::filter(octets));
