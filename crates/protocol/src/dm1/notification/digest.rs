use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// Octets of the digest.
pub const DIGEST_BYTES: usize = 16;

/// `H(B64(H(name:secret)):nonce:B64(H(trigger)))`, raw.
///
/// `name` is the server identifier or, for some devices, the name of the server's account; `nonce` is the decoded octets
/// of the server nonce, any values, any length; `trigger` is package 0 behind the digest.
///
/// Source: OMA DM Security 1.2, "Notification"; OMA DM Notification 1.2, "Digest".
#[must_use]
pub fn digest(name: &str, secret: &str, nonce: &[u8], trigger: &[u8]) -> [u8; DIGEST_BYTES] {
    let credential = STANDARD.encode(Md5::digest(format!("{name}:{secret}")));
    let covered = STANDARD.encode(Md5::digest(trigger));
    let outer = Md5::new().chain_update(credential).chain_update(b":").chain_update(nonce);
    outer.chain_update(b":").chain_update(covered).finalize().into()
}

/// Looks at each octet, so that the time tells nothing.
pub(super) fn same(right: &[u8; DIGEST_BYTES], given: &[u8; DIGEST_BYTES]) -> bool {
    let difference = right.iter().zip(given).fold(0_u8, |sum, (a, b)| black_box(sum | (a ^ b)));
    black_box(difference) == 0
}
