//! Media types and entity tags.
//!
//! Source: RFC 9110, sections 8.3, 8.8.3, 12.5.1 and 13.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use muster_broker::fault::Fault;

use super::problem::Problem;

/// Refuses a request whose sender takes no JSON.
///
/// # Errors
/// `InvalidArgument` with status 406.
pub(super) fn takes_json(headers: &HeaderMap) -> Result<(), Problem> {
    takes(headers, "application", "json")
}

/// Refuses a request whose sender does not take this type.
///
/// # Errors
/// `InvalidArgument` with status 406.
pub(super) fn takes(headers: &HeaderMap, main: &str, sub: &str) -> Result<(), Problem> {
    let mut best: Option<(u8, bool)> = None;
    let mut told = String::new();
    for value in headers.get_all(header::ACCEPT) {
        let text = String::from_utf8_lossy(value.as_bytes());
        told.push_str(&text);
        for range in text.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let Some((given_main, given_sub)) = name.split_once('/') else { continue };
            let rank = match (given_main, given_sub) {
                ("*", "*") => 1,
                (given, "*") if given.eq_ignore_ascii_case(main) => 2,
                (given, below) if given.eq_ignore_ascii_case(main) && below.eq_ignore_ascii_case(sub) => 3,
                _ => continue,
            };
            let is_none = |it: &str| it.trim_end_matches('0').trim_end_matches('.').is_empty();
            let is_wanted = !parts.any(|it| {
                it.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("q") && is_none(value.trim().trim_start_matches('0'))
                })
            });
            // The most specific range counts.
            if best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, is_wanted));
            }
        }
    }
    if told.trim().is_empty() || best.is_some_and(|(_, is_wanted)| is_wanted) {
        return Ok(());
    }
    let why = format!("answers are {main}/{sub}");
    Err(Problem::with_status(Fault::invalid("Accept", told, why), StatusCode::NOT_ACCEPTABLE))
}

/// Refuses a body of another type than JSON in UTF-8.
///
/// # Errors
/// `InvalidArgument` with status 415.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |name: &str, value: &str, why: &str| {
        let accept = HeaderValue::from_static("application/json");
        Problem::with_status(Fault::invalid(name, value, why), StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .header(header::ACCEPT, accept)
    };
    if crate::soap::is_packed(headers) {
        return Err(refused("Content-Encoding", "…", "is not taken here; send the body as it is"));
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let text = first.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json")) && second.is_none();
    if !is_json {
        return Err(refused("Content-Type", &text, "application/json is expected"));
    }
    for part in parts {
        if let Some((name, value)) = part.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
            && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        {
            return Err(refused("Content-Type", &text, "JSON is UTF-8"));
        }
    }
    Ok(())
}

/// A header that may stand once.
///
/// # Errors
/// `InvalidArgument` if it stands more often, or is no visible ASCII.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text =
        first.to_str().map_err(|_| Fault::invalid(name.as_str(), "…", "visible ASCII characters are expected"))?;
    if values.next().is_some() {
        return Err(Fault::invalid(name.as_str(), text, "given more than once"));
    }
    Ok(Some(text.trim()))
}

/// The tag of a record: its version, and a sum of how it is told, which has more than what a version counts.
pub(super) fn tag(version: i64, document: &str) -> String {
    // FNV-1a: tags tell versions of one record apart, and nothing depends on nobody being able to make two alike.
    let sum = document
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |sum, octet| (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01B3));
    format!("\"{version}-{sum:016x}\"")
}

/// The version that `If-Match` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whatever there is.
    Any,
    /// This one. A tag that is none of ours is that of no version.
    Version(i64),
}

/// A version that no record has.
const NEVER: i64 = -1;

/// Reads `If-Match`.
///
/// # Errors
/// `InvalidArgument` for what is no tag, and for more than one: a version is one number.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Wanted>, Fault> {
    let Some(text) = single(headers, &header::IF_MATCH)? else { return Ok(None) };
    if text == "*" {
        return Ok(Some(Wanted::Any));
    }
    if text.contains(',') {
        return Err(Fault::invalid("If-Match", text, "a single entity tag is expected"));
    }
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let Some(inner) = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return Err(Fault::invalid("If-Match", text, "an entity tag in quotation marks is expected, or an asterisk"));
    };
    // A weak tag matches nothing here.
    let own = Some(inner).filter(|_| !text.starts_with('W')).and_then(|tag| tag.split('-').next());
    let version = own.filter(|digits| digits.bytes().all(|it| it.is_ascii_digit()));
    Ok(Some(Wanted::Version(version.and_then(|digits| digits.parse().ok()).unwrap_or(NEVER))))
}

/// Whether `If-None-Match` has this tag, so that the caller holds what it asks for.
pub(super) fn is_held(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == tag)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_most_specific_range_of_accept_counts() {
        for (accept, is_taken) in [
            ("", true),
            ("*/*", true),
            ("application/json", true),
            ("Application/JSON;q=0.1", true),
            ("application/*", true),
            ("text/html, */*;q=0.8", true),
            ("text/html", false),
            ("application/xml, text/xml", false),
            ("*/*, application/json;q=0", false),
            ("application/json;q=0.000", false),
            ("*/*;q=0, application/json", true),
            ("nonsense", false),
        ] {
            assert_eq!(takes_json(&headers(header::ACCEPT, accept)).is_ok(), is_taken, "{accept}");
        }
        assert!(takes_json(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_body_is_json_in_utf_8() {
        for (text, is_taken) in [
            ("application/json", true),
            ("application/json; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/problem+json", false),
            ("text/json", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(is_json(&headers(header::CONTENT_TYPE, text)).is_ok(), is_taken, "{text}");
        }
    }

    #[test]
    fn a_tag_gives_its_version_back_and_others_give_none() {
        let own = tag(7, "{}");
        assert_eq!(if_match(&headers(header::IF_MATCH, &own)).unwrap(), Some(Wanted::Version(7)));
        assert_eq!(if_match(&headers(header::IF_MATCH, "\"7\"")).unwrap(), Some(Wanted::Version(7)));
        assert_eq!(if_match(&headers(header::IF_MATCH, "*")).unwrap(), Some(Wanted::Any));
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        for other in ["W/\"7\"", "\"\"", "\"x\"", "\"-7\"", "\"99999999999999999999\""] {
            assert_eq!(if_match(&headers(header::IF_MATCH, other)).unwrap(), Some(Wanted::Version(NEVER)), "{other}");
        }
        for none in ["\"1\", \"2\"", "7", "", "\"", "W/7"] {
            assert!(if_match(&headers(header::IF_MATCH, none)).is_err(), "{none}");
        }
        assert!(is_held(&headers(header::IF_NONE_MATCH, &format!("\"x\", W/{own}")), &own));
        assert!(is_held(&headers(header::IF_NONE_MATCH, "*"), &own));
        assert!(!is_held(&headers(header::IF_NONE_MATCH, "\"7\""), &own));
    }
}
