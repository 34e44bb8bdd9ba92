//! An OpenID provider of tests, over TLS on loopback: does what a well-behaved one does unless told otherwise.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKey, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) const CLIENT: &str = "muster-client";
pub(crate) const SECRET: &str = "s3cret: of the client";

/// Keys that sign.
pub(crate) struct Keys {
    pub(crate) rsa: RsaKey,
    pub(crate) ec: EcdsaKeyPair,
    pub(crate) ed: Ed25519KeyPair,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: RsaKey::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// As a key set.
    pub(crate) fn set(&self, suffix: &str) -> Value {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let (n, e) = self.rsa_public();
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": format!("rsa{suffix}"), "use": "sig", "alg": "RS256", "n": encode(&n), "e": encode(&e)},
            {"kty": "EC", "kid": format!("ec{suffix}"), "use": "sig", "crv": "P-256",
             "x": encode(&point[1..33]), "y": encode(&point[33..])},
            {"kty": "OKP", "kid": format!("ed{suffix}"), "crv": "Ed25519", "x": encode(self.ed.public_key().as_ref())},
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
            {"kty": "RSA", "kid": "for encryption", "use": "enc", "n": encode(&n), "e": encode(&e)},
        ]})
    }

    pub(crate) fn rsa_public(&self) -> (Vec<u8>, Vec<u8>) {
        let public = self.rsa.public_key();
        (
            public.modulus().big_endian_without_leading_zero().to_vec(),
            public.exponent().big_endian_without_leading_zero().to_vec(),
        )
    }

    /// A token with this header and these claims, signed as the header says.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let message = signed.as_bytes();
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str().unwrap() {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            "ES256" => self.ec.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            // With the public key as the secret, as attackers do who hope that the server mixes them up.
            "HS256" => {
                let secret = self.rsa.public_key().as_ref().to_vec();
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a login asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) parameters: HashMap<String, String>,
}

/// Status, headers and body of an answer.
type Instead = (u16, Vec<(String, String)>, Vec<u8>);

#[derive(Default)]
struct State {
    /// Logins by their codes; a code is good once.
    codes: HashMap<String, Asked>,
    /// What is answered instead, by path.
    instead: HashMap<String, Instead>,
    /// How often each path was asked for.
    count: HashMap<String, usize>,
    keys: Value,
}

/// The provider.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) certificate: String,
    pub(crate) keys: Arc<Keys>,
    /// Header and claims of the next ID tokens, changed as a test wants.
    pub(crate) shape: Arc<Mutex<Shape>>,
    state: Arc<Mutex<State>>,
}

type Shape = Box<dyn Fn(&mut Value, &mut Value) + Send>;

impl Provider {
    pub(crate) async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
                .unwrap();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let keys = Arc::new(Keys::new());
        let shape: Shape = Box::new(|_, _| ());
        let provider = Self {
            issuer: format!("https://{}", listener.local_addr().unwrap()),
            certificate: made.cert.pem(),
            state: Arc::new(Mutex::new(State { keys: keys.set(""), ..State::default() })),
            keys,
            shape: Arc::new(Mutex::new(shape)),
        };
        let (issuer, keys, shape, state) =
            (provider.issuer.clone(), provider.keys.clone(), provider.shape.clone(), provider.state.clone());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (issuer, keys, shape, state) = (issuer.clone(), keys.clone(), shape.clone(), state.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (issuer, keys, shape, state) = (issuer.clone(), keys.clone(), shape.clone(), state.clone());
                        async move {
                            let (parts, body) = request.into_parts();
                            let body = body.collect().await.unwrap().to_bytes();
                            let request = Request::from_parts(parts, body);
                            Ok::<_, std::convert::Infallible>(answer(&issuer, &keys, &shape, &state, &request))
                        }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        provider
    }

    /// The record of it.
    pub(crate) fn record(&self, name: &str) -> Value {
        json!({
            "name": name, "issuer": self.issuer, "clientId": CLIENT, "clientSecret": SECRET,
            "scope": ["profile"], "trustedCertificates": self.certificate,
        })
    }

    /// What a person does who says yes: the address of the login becomes that of the way back.
    pub(crate) fn consent(&self, location: &str) -> Back {
        let (address, query) = location.split_once('?').unwrap();
        assert_eq!(address, format!("{}/authorize", self.issuer));
        let parameters = pairs(query);
        let code = format!("code {}", self.state.lock().unwrap().codes.len());
        self.state.lock().unwrap().codes.insert(code.clone(), Asked { parameters: parameters.clone() });
        Back { code, state: parameters["state"].clone(), redirect: parameters["redirect_uri"].clone() }
    }

    /// Answers a path in another way from now on.
    pub(crate) fn instead(&self, path: &str, status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.state.lock().unwrap().instead.insert(path.to_owned(), (status, headers, body.into()));
    }

    /// Publishes other keys from now on.
    pub(crate) fn publish(&self, keys: Value) {
        self.state.lock().unwrap().keys = keys;
    }

    pub(crate) fn asked_for(&self, path: &str) -> usize {
        self.state.lock().unwrap().count.get(path).copied().unwrap_or_default()
    }

    pub(crate) fn shape(&self, shape: impl Fn(&mut Value, &mut Value) + Send + 'static) {
        *self.shape.lock().unwrap() = Box::new(shape);
    }
}

/// The way back from a provider.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) code: String,
    pub(crate) state: String,
    pub(crate) redirect: String,
}

impl Back {
    /// Path and query.
    pub(crate) fn path(&self) -> String {
        let path = self.redirect.splitn(4, '/').nth(3).unwrap();
        format!("/{path}?code={}&state={}", self.code.replace(' ', "%20"), self.state)
    }
}

fn answer(
    issuer: &str,
    keys: &Keys,
    shape: &Mutex<Shape>,
    state: &Mutex<State>,
    request: &Request<Bytes>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    *state.lock().unwrap().count.entry(path.to_owned()).or_default() += 1;
    let reply = |status: u16, body: Vec<u8>| {
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    };
    let instead = state.lock().unwrap().instead.get(path).cloned();
    if let Some((status, headers, body)) = instead {
        let mut response = reply(status, body);
        for (name, value) in headers {
            response.headers_mut().insert(
                axum::http::HeaderName::try_from(name).unwrap(),
                axum::http::HeaderValue::try_from(value).unwrap(),
            );
        }
        return response;
    }
    match path {
        "/.well-known/openid-configuration" => {
            let document = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/keys"),
            });
            reply(200, document.to_string().into())
        }
        "/keys" => reply(200, state.lock().unwrap().keys.to_string().into()),
        "/token" => {
            let form = pairs(std::str::from_utf8(request.body()).unwrap());
            let asked = state.lock().unwrap().codes.remove(&form["code"]);
            let Some(Asked { parameters }) = asked else {
                return reply(400, b"{\"error\":\"invalid_grant\"}".to_vec());
            };
            // The client proves who it is, and that it began the login.
            let escaped = SECRET.replace(": ", "%3A+").replace(' ', "+");
            let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{escaped}")));
            let is_client = request.headers().get("authorization").is_some_and(|it| it.to_str().unwrap() == basic);
            let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
            let is_login = challenge == parameters["code_challenge"]
                && parameters["code_challenge_method"] == "S256"
                && form["redirect_uri"] == parameters["redirect_uri"]
                && form["grant_type"] == "authorization_code";
            if !is_client || !is_login {
                return reply(400, b"{\"error\":\"invalid_client\"}".to_vec());
            }
            let mut header = json!({"alg": "RS256", "kid": "rsa"});
            let mut claims = claims(issuer);
            claims["nonce"] = parameters["nonce"].clone().into();
            shape.lock().unwrap()(&mut header, &mut claims);
            let token = keys.token(&header, &claims);
            reply(200, json!({"access_token": "opaque", "token_type": "Bearer", "id_token": token}).to_string().into())
        }
        _ => reply(404, Vec::new()),
    }
}

/// Claims of Ada at the time of the tests.
pub(crate) fn claims(issuer: &str) -> Value {
    // 2026-11-21T06:06:00Z
    let now = 1_795_241_160;
    json!({
        "iss": issuer, "sub": "ada", "aud": CLIENT, "iat": now, "exp": now + 300,
        "preferred_username": "Ada", "groups": ["ops"],
    })
}

fn pairs(query: &str) -> HashMap<String, String> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let mut octets = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'%' {
                octets.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                rest = &tail[2..];
            } else {
                octets.push(*first);
                rest = tail;
            }
        }
        String::from_utf8(octets).unwrap()
    };
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// An empty request for an address.
pub(crate) fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path).header("host", "localhost")
}

/// Nothing.
pub(crate) fn nothing() -> Body {
    Body::empty()
}
