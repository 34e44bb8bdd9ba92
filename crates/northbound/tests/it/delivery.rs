//! Deliveries to receivers that really listen, on loopback.

mod addresses;
mod answers;
mod messages;
mod order;
mod receiver;
mod replies;
mod tls;
mod world;
