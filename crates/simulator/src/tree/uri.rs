//! Addresses of nodes.
//!
//! Source: OMA DM 1.2 Tree and Description, "Addressing object values".

use super::Refusal;

/// Segments of an address below the root; `./DevDetail/URI/MaxDepth`.
pub(crate) const DEPTH_MAX: usize = 16;
/// Octets of an address; `./DevDetail/URI/MaxTotLen`.
pub(crate) const TOTAL_BYTES_MAX: usize = 512;
/// Octets of one segment; `./DevDetail/URI/MaxSegLen`.
pub(crate) const SEGMENT_BYTES_MAX: usize = 128;

/// The one spelling of an address: `.` or `./A/B`.
pub(super) fn normal(uri: &str) -> Result<String, Refusal> {
    if uri.contains('?') {
        return Err(Refusal::NotSupported);
    }
    if uri.len() > TOTAL_BYTES_MAX {
        return Err(Refusal::UriTooLong);
    }
    if uri == "." || uri == "./" {
        return Ok(".".to_owned());
    }
    let relative = uri.strip_prefix("./").unwrap_or(uri);
    for (depth, segment) in relative.split('/').enumerate() {
        if depth >= DEPTH_MAX || segment.len() > SEGMENT_BYTES_MAX {
            return Err(Refusal::UriTooLong);
        }
        if matches!(segment, "" | "." | "..") {
            return Err(Refusal::NotFound);
        }
    }
    Ok(format!("./{relative}"))
}

/// The addresses above a normal one, from the root down.
pub(super) fn ancestors(uri: &str) -> impl Iterator<Item = &str> {
    uri.match_indices('/').filter_map(|(at, _)| uri.get(..at))
}
