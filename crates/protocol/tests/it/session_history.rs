//! Histories of a session by the thousand, played by the function that a fuzzer plays them with.

use crate::corpus::targets::session::play;

/// Octets out of a seed.
fn octets(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let octet = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z >> 56) as u8
    };
    std::iter::repeat_with(octet).take(length).collect()
}

#[test]
fn a_session_keeps_its_promises_in_every_history() {
    const HISTORIES: u64 = 3_000;
    let (mut let_in, mut answered) = (0, 0);
    for seed in 0..HISTORIES {
        let octets = octets(seed, 40 + (seed as usize % 12) * 60);
        match std::panic::catch_unwind(|| play(&octets)) {
            Ok(reached) => {
                let_in += u64::from(reached.was_let_in);
                answered += reached.answered;
            }
            Err(panic) => {
                eprintln!("the history of seed {seed} breaks a promise: {octets:02x?}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(let_in > HISTORIES / 3, "{let_in} devices were let in");
    assert!(answered > 1_000, "{answered} orders were answered");
}

#[test]
fn the_shortest_histories_are_played_too() {
    play(&[]);
    for first in 0..=u8::MAX {
        for second in [0, 1, 7, 255] {
            play(&[first, second]);
            play(&[0, first, second, 255, first]);
        }
    }
}
