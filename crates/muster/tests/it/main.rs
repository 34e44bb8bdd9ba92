//! The whole server: the real binary, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod call;
mod callbacks;
mod configuration;
mod crash;
mod decode;
mod demo;
mod garbage;
mod health;
mod help;
mod http;
mod limits;
mod profiles;
mod running;
mod sim;
mod start;
mod stop;
mod tls;
mod trace;
mod tree;
