//! The whole server: the real binary, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod administration;
mod approvals;
mod backup;
// The worlds of the faces are those that the tests of the WSI have.
#[path = "../../../northbound/tests/it/authority.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod authority;
mod call;
mod callbacks;
mod configuration;
mod crash;
mod decode;
mod demo;
mod deploy;
mod faces;
mod fleet_commands;
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
#[path = "../../../northbound/tests/it/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod wsi_world;
