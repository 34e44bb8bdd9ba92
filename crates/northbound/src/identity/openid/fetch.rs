//! Requests to providers: https only, no redirects, a limit of time and of size.
//!
//! The address comes from an administrator of a domain. What is wrong with an answer is told in the log and not to
//! callers, so that a provider is no way to look around in the network of the server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// Largest answer, in octets.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0} is no address that begins with https://")]
    Address(String),
    #[error("the certificates to trust cannot be read: {0}")]
    Trust(reqwest::Error),
    #[error("the provider cannot be reached: {0}")]
    Reach(reqwest::Error),
    #[error("the provider answered with status {0}")]
    Status(u16),
    #[error("the provider answered with more than {ANSWER_BYTES_MAX} octets")]
    TooLarge,
}

/// A client for one provider.
pub(super) struct Fetch(Client);

/// An address with https and a host, and nothing in it that is a credential.
pub(super) fn address(text: &str) -> Result<Url, FetchError> {
    let refused = || FetchError::Address(text.escape_debug().to_string());
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if url.scheme() == "https" && url.has_host() && is_plain { Ok(url) } else { Err(refused()) }
}

impl Fetch {
    /// A client that trusts the certificates of a PEM text alone, or those of the system.
    pub(super) fn new(trusted: Option<&str>) -> Result<Self, FetchError> {
        let mut builder = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_max_idle_per_host(1);
        if let Some(pem) = trusted {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(FetchError::Trust)?;
            builder = builder.tls_certs_only(certificates);
        }
        builder.build().map(Self).map_err(FetchError::Trust)
    }

    /// The document at an address.
    pub(super) async fn get(&self, url: Url) -> Result<Vec<u8>, FetchError> {
        body(self.0.get(url).header(ACCEPT, "application/json")).await
    }

    /// The answer to a form. `client` authenticates itself by HTTP Basic; without secret it is named in the form.
    ///
    /// Source: RFC 6749, sections 2.3.1 and 4.1.3.
    pub(super) async fn post(
        &self,
        url: Url,
        form: &[(&str, &str)],
        client: (&str, Option<&str>),
    ) -> Result<Vec<u8>, FetchError> {
        let mut request = self.0.post(url).header(ACCEPT, "application/json");
        let mut form = form.to_vec();
        match client {
            (id, Some(secret)) => {
                let encode = |text: &str| encoded(&[("", text)]).trim_start_matches('=').to_owned();
                let credentials = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
                let mut value =
                    HeaderValue::try_from(format!("Basic {credentials}")).unwrap_or(HeaderValue::from_static(""));
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
            (id, None) => form.push(("client_id", id)),
        }
        body(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encoded(&form))).await
    }
}

/// Names and values of a form.
pub(super) fn encoded(form: &[(&str, &str)]) -> String {
    // The only part of the address that is used is its query.
    let Ok(mut url) = Url::parse("https://form.invalid/") else { return String::new() };
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

async fn body(request: reqwest::RequestBuilder) -> Result<Vec<u8>, FetchError> {
    let mut response = request.send().await.map_err(|error| FetchError::Reach(error.without_url()))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(FetchError::Status(status));
    }
    let mut octets = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::Reach(error.without_url()))? {
        if octets.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(FetchError::TooLarge);
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_with_https_are_asked() {
        assert!(address("https://id.example/token?x=1").is_ok());
        for text in ["http://id.example", "file:///etc/passwd", "https://u:p@id.example", "https://", "id.example", ""]
        {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_form_is_encoded_value_by_value() {
        assert_eq!(encoded(&[("a", "b c&d"), ("e", "ö=")]), "a=b+c%26d&e=%C3%B6%3D");
    }
}
