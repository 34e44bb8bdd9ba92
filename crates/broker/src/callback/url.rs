use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// How a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS: only where the operator allows it, and only to this machine.
    Http,
    /// Over TLS.
    Https,
}

/// Why a text is no address that can be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnAddress(pub &'static str);

/// An address that can be posted to, in one spelling: scheme and host in small letters, the port only where it is not
/// that of the scheme, a path that begins with a slash and has no way upwards.
///
/// Stricter than RFC 3986: what two readers could read differently is no address here. No user information, fragment,
/// backslash or dot at the end of the host; a number is written in four decimal parts or in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallbackUrl {
    text: String,
    /// Where the host begins.
    host_at: usize,
    host_len: usize,
    path_at: usize,
    port: u16,
}

impl CallbackUrl {
    /// Longest address, in octets.
    pub const BYTES_MAX: usize = 2000;

    /// Reads an address.
    ///
    /// # Errors
    /// [`NotAnAddress`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        if text.len() > Self::BYTES_MAX {
            return Err(NotAnAddress("the address is longer than 2000 characters"));
        }
        if !text.bytes().all(|octet| octet.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&octet)) {
            return Err(NotAnAddress("the address has characters that must be encoded, or a fragment"));
        }
        let (scheme, rest) = text.split_once("://").ok_or(NotAnAddress("the address must begin with https://"))?;
        let (scheme, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return Err(NotAnAddress("the address must begin with https://")),
        };
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(authority_end).unwrap_or((rest, ""));
        let (host, port) = authority_parts(authority)?;
        let port = port.unwrap_or(usual_port);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        check_path(path)?;
        check_percent(query.unwrap_or_default())?;

        let mut canonical = format!("{scheme}://{host}");
        let host_at = scheme.len() + 3;
        if port != usual_port {
            canonical.push_str(&format!(":{port}"));
        }
        let path_at = canonical.len();
        canonical.push_str(path);
        if let Some(query) = query {
            canonical.push('?');
            canonical.push_str(query);
        }
        Ok(Self { text: canonical, host_at, host_len: host.len(), path_at, port })
    }

    /// How it is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        if self.text.starts_with("https") { Scheme::Https } else { Scheme::Http }
    }

    /// Name or number of the host; an IPv6 number stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.text.get(self.host_at..self.host_at + self.host_len).unwrap_or_default()
    }

    /// The number, where the host is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        let host = self.host();
        match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(number) => number.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// Port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host, and port where it is not that of the scheme: what the `Host` header says.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.get(self.host_at..self.path_at).unwrap_or_default()
    }

    /// Path and query, as a request names them.
    #[must_use]
    pub fn target(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or("/")
    }

    /// Path without query.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.target();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// Whether it has a query.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.target().contains('?')
    }

    /// Whether `other` lies at or below this address: same scheme, host and port, and a path that begins with the
    /// segments of this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let own = self.path();
        let below = other.path().strip_prefix(own);
        self.text.get(..self.path_at) == other.text.get(..other.path_at)
            && below.is_some_and(|below| below.is_empty() || own.ends_with('/') || below.starts_with('/'))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for CallbackUrl {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::parse(&text)
    }
}

impl From<CallbackUrl> for String {
    fn from(url: CallbackUrl) -> Self {
        url.text
    }
}

/// Host in its one spelling, and port.
fn authority_parts(authority: &str) -> Result<(String, Option<u16>), NotAnAddress> {
    if authority.contains(['@', '%']) {
        return Err(NotAnAddress("the address must not have a user, a password or an encoded host"));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (number, rest) = rest.split_once(']').ok_or(NotAnAddress("the host is no IPv6 address"))?;
            let number: Ipv6Addr = number.parse().map_err(|_| NotAnAddress("the host is no IPv6 address"))?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err(NotAnAddress("something follows the host")),
            };
            (format!("[{number}]"), port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (name(host)?, Some(port)),
            None => (name(authority)?, None),
        },
    };
    let port = match port {
        None => None,
        Some(text) => {
            let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
            let port = text.parse::<u16>().ok().filter(|port| is_number && *port > 0);
            Some(port.ok_or(NotAnAddress("the port must be a number from 1 to 65535"))?)
        }
    };
    Ok((host, port))
}

/// A host name, or an IPv4 number in four decimal parts. Other spellings of numbers (`127.1`, `0x7f000001`,
/// `2130706433`, `0177.0.0.1`) are neither.
fn name(host: &str) -> Result<String, NotAnAddress> {
    if host.parse::<Ipv4Addr>().is_ok() {
        return Ok(host.to_owned());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let begins_with_a_letter = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic()));
    if host.len() > 253 || !host.split('.').all(is_label) || !begins_with_a_letter {
        return Err(NotAnAddress("the host must be a name, or a number in its usual spelling"));
    }
    Ok(host.to_ascii_lowercase())
}

fn check_path(path: &str) -> Result<(), NotAnAddress> {
    check_percent(path)?;
    let lower = path.to_ascii_lowercase();
    if lower.contains("%2f") || lower.contains("%5c") || lower.contains("%00") {
        return Err(NotAnAddress("the path must not have encoded slashes"));
    }
    let mut segments = lower.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        // Some servers cut parameters off before they look at dots.
        let bare = segment.split(';').next().unwrap_or_default().replace("%2e", ".");
        let is_empty_inside = segment.is_empty() && segments.peek().is_some();
        if matches!(bare.as_str(), "." | "..") || is_empty_inside {
            return Err(NotAnAddress("the path must not have empty segments, or dots that lead elsewhere"));
        }
    }
    Ok(())
}

fn check_percent(text: &str) -> Result<(), NotAnAddress> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|octet| *octet == b'%') {
        let digits = rest.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if digits.is_none() {
            return Err(NotAnAddress("a percent sign must be followed by two hexadecimal digits"));
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for (given, kept) in [
            ("https://Crm.Example", "https://crm.example/"),
            ("HTTPS://crm.example:443/Hooks", "https://crm.example/Hooks"),
            ("https://crm.example:8443/a/b/?x=%2F..&y", "https://crm.example:8443/a/b/?x=%2F..&y"),
            ("http://127.0.0.1:80/", "http://127.0.0.1/"),
            ("https://[2001:DB8:0:0::1]:444", "https://[2001:db8::1]:444/"),
            ("https://localhost?x", "https://localhost/?x"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(CallbackUrl::parse(given).unwrap().as_str(), kept);
        }
        let url = CallbackUrl::parse("https://[::1]:444/p?q").unwrap();
        assert_eq!(
            (url.host(), url.authority(), url.target(), url.path(), url.port()),
            ("[::1]", "[::1]:444", "/p?q", "/p", 444)
        );
        assert_eq!(url.ip(), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_no_address() {
        for text in [
            "",
            "crm.example/",
            "ftp://crm.example/",
            "file:///etc/passwd",
            "gopher://crm.example/",
            "https:/crm.example/",
            "https:///path",
            "https://",
            "https://:443/",
            "https://user@crm.example/",
            "https://crm.example@127.0.0.1/",
            "https://crm.example:secret@127.0.0.1/",
            "https://127.0.0.1#@crm.example/",
            "https://crm.example#frag",
            "https://crm.example\\@127.0.0.1/",
            "https://crm.example/a\\..\\b",
            "https://localhost./",
            "https://crm.example./",
            "https://crm..example/",
            "https://.example/",
            "https://-a.example/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://127.0.1/",
            "https://127.0.0.01/",
            "https://127.0.0.256/",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://%6c%6fcalhost/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://[::1]x/",
            "https://crm.example:/",
            "https://crm.example:0/",
            "https://crm.example:65536/",
            "https://crm.example:+80/",
            "https://crm.example:80:80/",
            "https://crm.example/a/../b",
            "https://crm.example/a/%2E%2e/b",
            "https://crm.example/a/..;x/b",
            "https://crm.example/./b",
            "https://crm.example/a//b",
            "https://crm.example/a%2fb",
            "https://crm.example/a%5cb",
            "https://crm.example/%",
            "https://crm.example/%zz",
            "https://crm.example/a b",
            "https://crm.example/\r\nX: y",
            "https://crm.example/é",
        ] {
            assert!(CallbackUrl::parse(text).is_err(), "{text:?}");
        }
        assert!(CallbackUrl::parse(&format!("https://a.example/{}", "x".repeat(CallbackUrl::BYTES_MAX))).is_err());
    }

    #[test]
    fn an_address_covers_what_is_below_its_segments_on_the_same_host_and_port() {
        let covers =
            |prefix: &str, url: &str| CallbackUrl::parse(prefix).unwrap().covers(&CallbackUrl::parse(url).unwrap());
        assert!(covers("https://a.example/hooks", "https://a.example/hooks"));
        assert!(covers("https://a.example/hooks", "https://A.EXAMPLE:443/hooks/x?y"));
        assert!(covers("https://a.example/hooks/", "https://a.example/hooks/x"));
        assert!(covers("https://a.example", "https://a.example/anything"));
        for url in [
            "https://a.example/hooksx",
            "https://a.example/Hooks",
            "https://a.example/",
            "https://a.example:444/hooks",
            "http://a.example/hooks",
            "https://b.example/hooks",
            "https://a.example.evil.example/hooks",
            "https://xa.example/hooks",
        ] {
            assert!(!covers("https://a.example/hooks", url), "{url}");
        }
    }

    #[test]
    fn any_text_is_an_address_or_refused_and_what_is_read_reads_the_same_again() {
        proptest::proptest!(|(text in "https?://[a-z0-9.\\[\\]:@/?%;#-]{0,40}")| {
            if let Ok(url) = CallbackUrl::parse(&text) {
                let again = CallbackUrl::parse(url.as_str());
                proptest::prop_assert_eq!(again, Ok(url.clone()));
                proptest::prop_assert!(!url.host().is_empty() && url.target().starts_with('/'));
            }
        });
    }
}
