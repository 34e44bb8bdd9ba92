#![doc = include_str!("../README.md")]
#![allow(clippy::print_stdout, reason = "a command line tool speaks through its standard output")]

mod bench;
mod cli;
mod config;
mod demo;
mod http_client;
mod import_client;
mod records;
mod rest_client;
mod serve;
mod show;
mod soap_client;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a shell shows for a program that was ended by SIGPIPE: 128 and the number of the signal.
const ENDED_BY_PIPE: u8 = 141;

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    keep_quiet_when_nobody_reads();
    match std::panic::catch_unwind(|| cli::run(command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            eprintln!("muster: {}", show::reasons(&error));
            ExitCode::FAILURE
        }
        Err(panic) if nobody_reads(&*panic) => ExitCode::from(ENDED_BY_PIPE),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// `muster … | head` closes our output while there is more to say. The standard library's printing panics then, and the
/// signal that ends other programs is off in Rust: so this one panic ends the command without a word.
fn keep_quiet_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !nobody_reads(panic.payload()) {
            usual(panic);
        }
    }));
}

fn nobody_reads(panic: &(dyn std::any::Any + Send)) -> bool {
    let words = panic.downcast_ref::<String>().map_or("", String::as_str);
    words.starts_with("failed printing to std") && words.contains("Broken pipe")
}
