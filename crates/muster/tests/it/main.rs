//! The whole server: the real binary, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod approvals;
mod backup;
mod call;
mod callbacks;
mod configuration;
mod crash;
mod decode;
mod demo;
mod faces;
mod garbage;
mod health;
mod help;
mod http;
mod import;
mod ledger;
mod limits;
mod mutual_tls;
mod profiles;
mod reload;
mod running;
mod sim;
mod smuggling;
mod start;
mod stop;
mod tls;
mod tls_client;
mod trace;
mod tree;
