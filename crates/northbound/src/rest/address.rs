//! The address of a request: its path in segments, its query in pairs. Read once; nothing behind this looks at text of an
//! address again.
//!
//! What proxies and servers read differently is refused: a path that needs interpretation to know where it leads leads
//! nowhere.
//!
//! Sources: RFC 3986, sections 2.1, 3.3 and 6.2.2.3; URL Standard, `application/x-www-form-urlencoded`.

use muster_broker::fault::{Fault, FaultName};

use super::routes::BASE;

/// Octets of a path and a query together.
const ADDRESS_BYTES_MAX: usize = 8 << 10;
/// Segments of a path: more than any address has.
const SEGMENTS_MAX: usize = 16;
/// Parameters of a query.
const PARAMETERS_MAX: usize = 128;

/// An address, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// Below [`BASE`], each decoded once.
    pub(super) segments: Vec<String>,
    /// Names and values, in order.
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// Reads an address as the request line had it.
    ///
    /// # Errors
    /// `UnknownMessage` for a path that is none of this interface; `InvalidArgument` for what cannot be decoded, and for
    /// credentials in an address; `RequestTooLarge`.
    pub(super) fn read(path: &str, query: Option<&str>) -> Result<Self, Fault> {
        if path.len() + query.map_or(0, str::len) > ADDRESS_BYTES_MAX {
            let text = format!("the address exceeds the limit of {ADDRESS_BYTES_MAX} octets");
            return Err(Fault::new(FaultName::RequestTooLarge, text).with("octets").with(ADDRESS_BYTES_MAX));
        }
        let segments = segments(path)?;
        let query = query.map(parameters).transpose()?.unwrap_or_default();
        Ok(Self { segments, query })
    }
}

/// The fault for an address that is none.
pub(super) fn nowhere() -> Fault {
    Fault::new(FaultName::UnknownMessage, "there is nothing at this address; /api/v1/docs lists what there is")
}

fn segments(path: &str) -> Result<Vec<String>, Fault> {
    let below = path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/')).ok_or_else(nowhere)?;
    let mut segments = Vec::new();
    for raw in below.split('/') {
        // Matrix parameters mean different things to different servers.
        if raw.contains(';') || segments.len() >= SEGMENTS_MAX {
            return Err(nowhere());
        }
        let segment = decoded(raw, "path")?;
        // An empty segment, or one that would lead elsewhere if somebody resolved it. Values are read without the white
        // space around them, so with it there would be a second address of the same thing.
        let is_odd = |it: char| it == '\\' || it.is_control();
        if segment.is_empty() || matches!(segment.as_str(), "." | "..") || segment.contains(is_odd) {
            return Err(nowhere());
        }
        if segment.trim().len() < segment.len() {
            return Err(nowhere());
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Names under which credentials come into addresses, letters alone.
const CREDENTIALS: &[&str] = &[
    "accesstoken",
    "apikey",
    "authorization",
    "auth",
    "bearer",
    "key",
    "password",
    "secret",
    "session",
    "sessionid",
    "token",
    "usersession",
    "usersessionsessionid",
];

fn parameters(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if parameters.len() >= PARAMETERS_MAX {
            let text = format!("the query exceeds the limit of {PARAMETERS_MAX} parameters");
            return Err(Fault::new(FaultName::RequestTooLarge, text).with("parameters").with(PARAMETERS_MAX));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(&name.replace('+', " "), "query")?;
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        if CREDENTIALS.contains(&letters.to_ascii_lowercase().as_str()) {
            let why =
                "credentials do not belong in an address, where logs keep them; send them as Authorization: Bearer";
            return Err(Fault::invalid(&name, "…", why));
        }
        let value = decoded(&value.replace('+', " "), &name)?;
        parameters.push((name, value));
    }
    Ok(parameters)
}

/// Decodes percent signs, once.
fn decoded(text: &str, at: &str) -> Result<String, Fault> {
    let refused = || Fault::invalid(at, text, "percent signs with two hexadecimal digits that give UTF-8 are expected");
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else { return Err(refused()) };
        rest = tail;
        let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(refused()) };
        octets.push(high << 4 | low);
    }
    String::from_utf8(octets).map_err(|_| refused())
}

/// A segment of a path, encoded.
pub(super) fn encoded(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    for octet in segment.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => text.push(char::from(octet)),
            _ => text.push_str(&format!("%{octet:02X}")),
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str) -> Result<Vec<String>, FaultName> {
        Address::read(path, None).map(|address| address.segments).map_err(|fault| fault.name)
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(read("/api/v1/devices/IMEI%3A49"), Ok(vec!["devices".into(), "IMEI:49".into()]));
        assert_eq!(read("/api/v1/devices/%252e%252e"), Ok(vec!["devices".into(), "%2e%2e".into()]));
        assert_eq!(read("/api/v1/devices/a%2Fb"), Ok(vec!["devices".into(), "a/b".into()]));
    }

    #[test]
    fn a_path_that_needs_interpretation_leads_nowhere() {
        for path in [
            "/api/v1",
            "/api/v1/",
            "/api/v1//tasks",
            "/api/v1/tasks/",
            "/api/v1/tasks//",
            "/api/v1/../tasks",
            "/api/v1/tasks/..",
            "/api/v1/tasks/%2e%2E/jobs",
            "/api/v1/tasks/.%2e",
            "/api/v1/./tasks",
            "/api/v1/..;/tasks",
            "/api/v1/tasks;a=b",
            "/api/v1/tasks;",
            "/api/v1/tasks/a\\b",
            "/api/v1/tasks/%5C..",
            "/api/v1/tasks/%00",
            "/api/v2/tasks",
            "/api/v1x/tasks",
            "/api/v1/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
        ] {
            assert_eq!(read(path), Err(FaultName::UnknownMessage), "{path}");
        }
        for path in ["/api/v1/tasks/%", "/api/v1/tasks/%2", "/api/v1/tasks/%zz", "/api/v1/tasks/%ff", "/api/v1/%+1"] {
            assert_eq!(read(path), Err(FaultName::InvalidArgument), "{path}");
        }
    }

    #[test]
    fn a_query_is_that_of_a_form() {
        let address = Address::read("/api/v1/tasks", Some("a=1&b=x%2By+z&&c&d=e=f")).unwrap();
        let wanted = [("a", "1"), ("b", "x+y z"), ("c", ""), ("d", "e=f")];
        assert_eq!(address.query, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn credentials_in_an_address_are_refused_and_not_told() {
        for name in ["access_token", "api_key", "apiKey", "sessionId", "userSession", "userSession.sessionId", "TOKEN"]
        {
            let fault = Address::read("/api/v1/tasks", Some(&format!("{name}=s3cret"))).unwrap_err();
            assert_eq!(
                (fault.name, fault.variables),
                (FaultName::InvalidArgument, vec![name.to_owned(), "…".to_owned()])
            );
            assert!(!fault.text.contains("s3cret"));
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(segment in "[^\\\\\\p{Cc}]{1,20}") {
            prop_assume!(segment != "." && segment != ".." && segment.trim() == segment);
            prop_assert_eq!(read(&format!("/api/v1/{}", encoded(&segment))), Ok(vec![segment]));
        }
    }
}
