//! What a message costs in memory: figures that may fall and not rise. `docs/performance.md` names them.

use allocation_counter::{AllocationInfo, measure};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};

use crate::sample::of_size;

fn decoding(encoding: Encoding, octets: &[u8]) -> AllocationInfo {
    measure(|| Message::decode(encoding, octets, &Limits::DEVICE).map(drop).unwrap())
}

fn encoding(encoding: Encoding, octets: &[u8]) -> AllocationInfo {
    let message = Message::decode(encoding, octets, &Limits::DEVICE).unwrap();
    measure(|| message.encode(encoding).map(drop).unwrap())
}

/// Allocations and octets allocated, at most.
#[test]
fn decoding_and_encoding_a_message_allocate_no_more_than_is_written_down() {
    for (form, size, decoded, encoded) in [
        (Encoding::Wbxml, 1_500, (35, 16_000), (1, 3_000)),
        (Encoding::Wbxml, 18_000, (367, 155_000), (1, 30_000)),
        (Encoding::Xml, 1_500, (29, 9_000), (1, 3_300)),
        (Encoding::Xml, 18_000, (282, 136_000), (1, 33_000)),
    ] {
        let octets = of_size(form, size);
        let (down, up) = (decoding(form, &octets), encoding(form, &octets));
        eprintln!(
            "{form:?}, {} octets: decode {} allocations, {} octets; encode {} allocations, {} octets",
            octets.len(),
            down.count_total,
            down.bytes_total,
            up.count_total,
            up.bytes_total
        );
        assert!(down.count_total <= decoded.0 && down.bytes_total <= decoded.1, "decode {form:?} {size}: {down:?}");
        assert!(up.count_total <= encoded.0 && up.bytes_total <= encoded.1, "encode {form:?} {size}: {up:?}");
    }
}
