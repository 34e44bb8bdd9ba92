#![doc = include_str!("../README.md")]
#![allow(clippy::print_stdout, reason = "a command line tool speaks through its standard output")]

mod bench;
mod cli;
mod config;
mod demo;
mod serve;
mod show;
mod soap_client;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    match cli::run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("muster: {}", show::reasons(&error));
            ExitCode::FAILURE
        }
    }
}
