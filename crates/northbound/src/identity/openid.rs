//! OpenID Connect.

mod claims;
mod jws;
