#![no_main]

#[path = "../src/north.rs"]
mod north;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| north::run("rest_json", octets));
