//! Numbers that WSP assigns, as far as pushes of device management have them.

/// Media types of pushes: number and text.
///
/// Source: WAP-230-WSP and the OMNA registry of WSP content types.
pub(super) const MEDIA_TYPES: &[(u16, &str)] = &[
    (0x2D, "text/vnd.wap.si"),
    (0x2E, "application/vnd.wap.sic"),
    (0x2F, "text/vnd.wap.sl"),
    (0x30, "application/vnd.wap.slc"),
    (0x35, "text/vnd.wap.connectivity-xml"),
    (0x36, "application/vnd.wap.connectivity-wbxml"),
    (0x42, "application/vnd.syncml.dm+wbxml"),
    (0x43, "application/vnd.syncml.dm+xml"),
    (0x44, "application/vnd.syncml.notification"),
    (0x4E, "application/vnd.syncml.ds.notification"),
];

/// Header fields in the order of their numbers from 0.
///
/// Source: WAP-230-WSP, table 39.
const HEADERS: [&str; 56] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Base",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "Content-Type",
    "Date",
    "Etag",
    "Expires",
    "From",
    "Host",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Location",
    "Last-Modified",
    "Max-Forwards",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Public",
    "Range",
    "Referer",
    "Retry-After",
    "Server",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "Warning",
    "WWW-Authenticate",
    "Content-Disposition",
    "X-Wap-Application-Id",
    "X-Wap-Content-URI",
    "X-Wap-Initiator-URI",
    "Accept-Application",
    "Bearer-Indication",
    "Push-Flag",
    "Profile",
    "Profile-Diff",
    "Profile-Warning",
];

/// Applications that a push names: number and URN.
///
/// Source: OMNA registry of push application identifiers.
pub(super) const APPLICATIONS: &[(u8, &str)] =
    &[(0x05, "x-wap-application:syncml.ds"), (0x07, "x-wap-application:syncml.dm")];

/// Number of the header that names the application.
pub(super) const APPLICATION_HEADER: u8 = 0x2F;

/// Text of a media type's number.
pub(super) fn media_type(code: u16) -> Option<&'static str> {
    MEDIA_TYPES.iter().find(|(number, _)| *number == code).map(|(_, name)| *name)
}

/// Name of a header's number.
pub(super) fn header(code: u8) -> Option<&'static str> {
    HEADERS.get(usize::from(code)).copied()
}

/// Name of a well-known parameter of a media type.
///
/// Source: WAP-230-WSP, table 38.
pub(super) fn parameter(code: u64) -> Option<&'static str> {
    Some(match code {
        0x00 => "Q",
        0x01 => "Charset",
        0x02 => "Level",
        0x03 => "Type",
        0x05 => "Name",
        0x11 => "SEC",
        0x12 => "MAC",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_stand_at_the_numbers_of_the_specification() {
        for (code, name) in [
            (0x0D, "Content-Length"),
            (0x11, "Content-Type"),
            (0x12, "Date"),
            (0x2F, "X-Wap-Application-Id"),
            (0x34, "Push-Flag"),
            (0x37, "Profile-Warning"),
        ] {
            assert_eq!(header(code), Some(name));
        }
        assert_eq!(header(0x38), None);
        assert_eq!(header(APPLICATION_HEADER), Some("X-Wap-Application-Id"));
    }
}
