//! Targets for decoders of the broker. A target panics where a promise is broken.
//!
//! The file is part of two builds: a fuzz target, and the tests of the broker crate, which run it on its corpus.

use muster_broker::filter::{CapabilityField, DeviceField, Field, Filter, JobField, SubscriberField, TaskField};

/// Octets as an expression of the filter language, for every list: what is read is printed and reads as the same; what
/// is refused is refused at a place within the text.
pub fn filter(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    of_list::<DeviceField>(text);
    of_list::<TaskField>(text);
    of_list::<JobField>(text);
    of_list::<CapabilityField>(text);
    of_list::<SubscriberField>(text);
}

fn of_list<F: Field>(text: &str) {
    match Filter::<F>::parse(text) {
        Ok(filter) => {
            let printed = filter.to_string();
            // Escapes, quotes and names written in full can make the printed form longer than an expression may be.
            if printed.len() <= muster_broker::filter::OCTETS_MAX {
                assert_eq!(Filter::parse(&printed), Ok(filter), "{printed}");
            }
        }
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.at), "{error:?}"),
    }
}
