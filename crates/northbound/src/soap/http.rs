//! Headers of HTTP that a SOAP message comes with.

use axum::http::{HeaderMap, HeaderName, header};
use muster_protocol::soap::Version;

/// A media type with the parameters that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// Version that goes with it; the envelope decides.
    pub(super) version: Version,
    /// Encoding.
    pub(super) charset: Option<String>,
    /// Action of SOAP 1.2.
    pub(super) action: Option<String>,
}

/// Reads `Content-Type`; nothing for a type that is not served, and for two of them: which one counts depends on who reads.
pub(super) fn media_type(headers: &HeaderMap) -> Option<MediaType> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, None) = (values.next()?, values.next()) else { return None };
    let text = first.to_str().ok()?;
    let mut parts = split(text, ';');
    let version = match parts.next()?.trim().to_ascii_lowercase().as_str() {
        "text/xml" => Version::Soap11,
        "application/soap+xml" => Version::Soap12,
        _ => return None,
    };
    let mut media_type = MediaType { version, charset: None, action: None };
    for part in parts {
        let Some((name, value)) = part.split_once('=') else { continue };
        let value = unquoted(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "charset" => media_type.charset = Some(value).filter(|it| !it.is_empty()),
            "action" => media_type.action = Some(value).filter(|it| !it.is_empty()),
            _ => {}
        }
    }
    Some(media_type)
}

/// `SOAPAction`, without quotes; nothing where it is missing or empty. Several are one list, which names no operation.
pub(super) fn soap_action(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(HeaderName::from_static("soapaction")).iter();
    let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    Some(unquoted(texts.join(", ").trim())).filter(|it| !it.is_empty())
}

/// Whether the body is packed in a way that is not unpacked here.
pub(crate) fn is_packed(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().any(|value| {
        value.to_str().map_or(true, |text| text.split(',').any(|it| !it.trim().eq_ignore_ascii_case("identity")))
    })
}

/// Splits at `separator` outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    text.split(move |character| {
        let is_plain = !std::mem::take(&mut is_escaped);
        if is_quoted && is_plain && character == '\\' {
            is_escaped = true;
        }
        if is_plain && character == '"' {
            is_quoted = !is_quoted;
        }
        !is_quoted && character == separator
    })
}

fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn parameters_of_a_media_type_stand_in_any_order_with_or_without_quotes() {
        for text in [
            r#"application/soap+xml; charset=utf-8; action="urn:a;b""#,
            r#"Application/SOAP+XML;ACTION="urn:a;b";Charset="utf-8""#,
        ] {
            let read = media_type(&headers(header::CONTENT_TYPE, text)).unwrap();
            assert_eq!(read.version, Version::Soap12);
            assert_eq!(read.charset.as_deref(), Some("utf-8"));
            assert_eq!(read.action.as_deref(), Some("urn:a;b"));
        }
        for text in ["multipart/related; type=\"text/xml\"", "application/json", "", "text/xmlish"] {
            assert_eq!(media_type(&headers(header::CONTENT_TYPE, text)), None, "{text}");
        }
    }

    #[test]
    fn an_action_may_lack_its_quotes_or_itself() {
        let name = || HeaderName::from_static("soapaction");
        assert_eq!(soap_action(&headers(name(), "\"urn:a\"")).as_deref(), Some("urn:a"));
        assert_eq!(soap_action(&headers(name(), "urn:a")).as_deref(), Some("urn:a"));
        assert_eq!(soap_action(&headers(name(), "\"\"")), None);
        assert_eq!(soap_action(&HeaderMap::new()), None);
    }
}
