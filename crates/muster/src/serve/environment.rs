//! The real time and chance.

use muster_broker::ports::Environment;
use muster_broker::time::Timestamp;

/// The system's clock and random source.
pub(crate) struct System;

impl Environment for System {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    fn random(&self, octets: &mut [u8]) {
        // The only error is a system without a random source; nothing of this server is safe there.
        aws_lc_rs::rand::fill(octets).expect("the system has a random source");
    }
}
