//! Identifiers of devices, for both test programs of this crate.

use std::fmt::Display;

/// A valid IMEI with this type allocation code of up to 8 digits and this serial number of up to 6.
pub(crate) fn imei(tac: impl Display, serial: impl Display) -> String {
    let digits = format!("{tac:08}{serial:06}");
    let sum: u32 = digits
        .bytes()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let doubled = if place % 2 == 1 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
