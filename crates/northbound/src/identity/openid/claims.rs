//! What a token says, and whether it says it to us, now.
//!
//! Sources: OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519, section 4.1; RFC 9068, section 4.

use muster_broker::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::jws::TokenError;

/// How far clocks of provider and server may be apart, in seconds.
pub(super) const SKEW_S: i64 = 60;
/// Longest subject, as OpenID Connect has it.
const SUBJECT_CHARS_MAX: usize = 255;
/// Most groups of a person that are looked at.
const GROUPS_MAX: usize = 1000;

/// What a token must say.
pub(super) struct Expected<'e> {
    /// The provider, to the letter.
    pub(super) issuer: &'e str,
    /// Whom it must be for: one of these.
    pub(super) audiences: &'e [String],
    /// Whom it must have been given to, where it says so: one of these.
    pub(super) parties: &'e [String],
    /// What the login under way asked for.
    pub(super) nonce: Option<&'e str>,
    /// Whether it is an ID token: these say when they were made.
    pub(super) is_id_token: bool,
    /// The time.
    pub(super) now: Timestamp,
}

/// Who the token says somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// Identifier of the person at the provider, never given to another.
    pub(super) subject: String,
    /// A name to show.
    pub(super) name: Option<String>,
    /// The whole, for the claim that names groups.
    all: Value,
}

#[derive(Deserialize)]
struct Wire {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    nonce: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The issuer that an unverified token names, to find the provider whose keys verify it.
pub(super) fn issuer_of(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    serde_json::from_slice::<Issuer>(payload).ok().map(|it| it.iss)
}

/// Who failed, for the count of failures: what an unverified token claims.
pub(super) fn claimed_subject(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    serde_json::from_slice::<Subject>(payload).ok().map(|it| it.sub)
}

/// Reads the claims of a token whose signature is right.
///
/// # Errors
/// [`TokenError::Claim`] names the first that is wrong.
pub(super) fn read(payload: &[u8], expected: &Expected<'_>) -> Result<Claims, TokenError> {
    let wire: Wire = serde_json::from_slice(payload).map_err(|_| TokenError::Malformed)?;
    let all: Value = serde_json::from_slice(payload).map_err(|_| TokenError::Malformed)?;
    let must = |is_right: bool, claim| if is_right { Ok(()) } else { Err(TokenError::Claim(claim)) };
    must(wire.iss == expected.issuer, "iss")?;
    let is_ours = |audience: &String| expected.audiences.contains(audience);
    let (is_for_us, others) = match &wire.aud {
        Audience::One(one) => (is_ours(one), false),
        Audience::Many(many) => (many.iter().any(is_ours), many.len() > 1),
    };
    must(is_for_us, "aud")?;
    // A token for several must say whom it was given to.
    match &wire.azp {
        Some(party) => must(expected.parties.contains(party), "azp")?,
        None => must(!(others && expected.is_id_token), "azp")?,
    }
    let (earliest, latest) = (seconds(expected.now, -SKEW_S), seconds(expected.now, SKEW_S));
    must(wire.exp.is_finite() && earliest < wire.exp, "exp")?;
    must(wire.nbf.is_none_or(|from| from <= latest), "nbf")?;
    must(wire.iat.map_or(!expected.is_id_token, |at| at <= latest), "iat")?;
    if let Some(nonce) = expected.nonce {
        must(wire.nonce.as_deref() == Some(nonce), "nonce")?;
    }
    let is_name = !wire.sub.is_empty() && wire.sub.chars().count() <= SUBJECT_CHARS_MAX;
    must(is_name && !wire.sub.chars().any(char::is_control), "sub")?;
    Ok(Claims { subject: wire.sub, name: wire.preferred_username.or(wire.email), all })
}

impl Claims {
    /// The groups that the claim of this name lists; a dot in the name leads into an object, so that
    /// `realm_access.roles` can be named. Nothing where there is no such claim.
    pub(super) fn groups(&self, claim: &str) -> Option<Vec<&str>> {
        let found = self.all.get(claim).or_else(|| claim.split('.').try_fold(&self.all, |at, name| at.get(name)));
        match found? {
            Value::String(one) => Some(vec![one]),
            Value::Array(many) => Some(many.iter().filter_map(Value::as_str).take(GROUPS_MAX).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(Vec::new()),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds of our time are whole numbers far below 2^53")]
fn seconds(now: Timestamp, later_s: i64) -> f64 {
    now.plus_s(later_s).0 as f64 / 1000.0
}
