//! Signed tokens, compact form: taken apart, and their signature checked.
//!
//! The header is the sender's word. Of it only `alg` and `kid` are looked at, both against lists: an algorithm that is
//! not in [`Algorithm`] is refused by name, a key identifier is compared and never used as an address or a path, and the
//! headers that bring keys or addresses of keys (`jwk`, `jku`, `x5c`, `x5u`) are not read at all. There is no symmetric
//! algorithm here, so that no public key can be used as a secret.
//!
//! Sources: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (JWA), RFC 8037 (EdDSA), RFC 8725 (best practice).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Longest token taken, in octets.
pub(super) const TOKEN_BYTES_MAX: usize = 16 << 10;
/// Most keys of one provider.
const KEYS_MAX: usize = 100;

/// Why a token was refused: for the log, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// Not three parts of base64 with JSON in the first two.
    #[error("not a signed token in compact form")]
    Malformed,
    /// `none`, a symmetric algorithm, or one that nobody knows.
    #[error("the algorithm is not one of those taken here")]
    Algorithm,
    /// Extensions that must be understood.
    #[error("the header has extensions that must be understood")]
    Critical,
    /// No key of the provider fits the algorithm and the identifier.
    #[error("no key of the provider has this identifier and type")]
    NoKey,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is missing or has another value than it must.
    #[error("the claim {0} is missing or wrong")]
    Claim(&'static str),
}

/// Asymmetric algorithms, each of which goes with one type of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A key of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm it is for, where the provider says so.
    algorithm: Option<Algorithm>,
    public: PublicKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed point.
    P256(Vec<u8>),
    /// Uncompressed point.
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A token taken apart; nothing of it is to be believed before [`Token::verify`].
pub(super) struct Token<'t> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    /// The claims, as JSON.
    pub(super) payload: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// Whether a text has the form of a signed token, so that it is not taken for another credential.
pub(in crate::identity) fn looks_like_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|octet| *octet == b'.').count() == 2
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`TokenError`] for anything that could not be verified by any key.
    pub(super) fn read(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(TokenError::Algorithm)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        Ok(Self { algorithm, key_id: header.kid, signed, signature: decode(signature)?, payload: decode(payload)? })
    }

    /// The keys that may have signed it: those of its identifier; without one, those of its type, if there is only one.
    pub(super) fn candidates<'k>(&self, keys: &'k [Key]) -> Vec<&'k Key> {
        let fits = |key: &&Key| key.algorithm.is_none_or(|it| it == self.algorithm) && key.public.fits(self.algorithm);
        match &self.key_id {
            Some(id) => keys.iter().filter(|key| key.id.as_ref() == Some(id)).filter(fits).collect(),
            None => {
                let all: Vec<_> = keys.iter().filter(fits).collect();
                if all.len() == 1 { all } else { Vec::new() }
            }
        }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`TokenError::NoKey`], after which newer keys of the provider may help; [`TokenError::Signature`].
    pub(super) fn verify(&self, keys: &[Key]) -> Result<(), TokenError> {
        let candidates = self.candidates(keys);
        if candidates.is_empty() {
            return Err(TokenError::NoKey);
        }
        let is_right = |key: &&Key| key.public.has_signed(self.algorithm, self.signed.as_bytes(), &self.signature);
        if candidates.iter().any(is_right) { Ok(()) } else { Err(TokenError::Signature) }
    }
}

impl PublicKey {
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        matches!(
            (self, algorithm),
            (Self::Rsa { .. }, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512)
                | (Self::P256(_), Es256)
                | (Self::P384(_), Es384)
                | (Self::Ed25519(_), EdDsa)
        )
    }

    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let rsa = |parameters: &'static RsaParameters| match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok(),
            Self::P256(_) | Self::P384(_) | Self::Ed25519(_) => false,
        };
        let point = |by: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(by, key).verify(message, signature).is_ok()
        };
        match (algorithm, self) {
            (Algorithm::Rs256, _) => rsa(&RSA_PKCS1_2048_8192_SHA256),
            (Algorithm::Rs384, _) => rsa(&RSA_PKCS1_2048_8192_SHA384),
            (Algorithm::Rs512, _) => rsa(&RSA_PKCS1_2048_8192_SHA512),
            (Algorithm::Ps256, _) => rsa(&RSA_PSS_2048_8192_SHA256),
            (Algorithm::Ps384, _) => rsa(&RSA_PSS_2048_8192_SHA384),
            (Algorithm::Ps512, _) => rsa(&RSA_PSS_2048_8192_SHA512),
            (Algorithm::Es256, Self::P256(key)) => point(&ECDSA_P256_SHA256_FIXED, key),
            (Algorithm::Es384, Self::P384(key)) => point(&ECDSA_P384_SHA384_FIXED, key),
            (Algorithm::EdDsa, Self::Ed25519(key)) => point(&ED25519, key),
            (Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa, _) => false,
        }
    }
}

#[derive(Deserialize)]
struct WireKeys {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads the key set of a provider. Keys of other kinds, and those for encryption, are left out.
///
/// # Errors
/// [`TokenError::Malformed`] where it is no key set, or an immense one.
pub(super) fn read_keys(document: &[u8]) -> Result<Vec<Key>, TokenError> {
    let wire: WireKeys = serde_json::from_slice(document).map_err(|_| TokenError::Malformed)?;
    if wire.keys.len() > KEYS_MAX {
        return Err(TokenError::Malformed);
    }
    Ok(wire.keys.into_iter().filter_map(|key| read_key(serde_json::from_value(key).ok()?)).collect())
}

fn read_key(wire: WireKey) -> Option<Key> {
    if wire.purpose.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let algorithm = match wire.alg {
        Some(name) => Some(Algorithm::parse(&name)?),
        None => None,
    };
    let octets = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
    let point = |x: Option<String>, y: Option<String>, length: usize| {
        let (x, y) = (octets(x)?, octets(y)?);
        (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
    };
    let public = match (wire.kty.as_str(), wire.crv.as_deref()) {
        ("RSA", None) => PublicKey::Rsa { n: octets(wire.n)?, e: octets(wire.e)? },
        ("EC", Some("P-256")) => PublicKey::P256(point(wire.x, wire.y, 32)?),
        ("EC", Some("P-384")) => PublicKey::P384(point(wire.x, wire.y, 48)?),
        ("OKP", Some("Ed25519")) => PublicKey::Ed25519(octets(wire.x).filter(|x| x.len() == 32)?),
        _ => return None,
    };
    Some(Key { id: wire.kid, algorithm, public })
}
