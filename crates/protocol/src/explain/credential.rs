//! Checks credentials with what is known of accounts and with the nonces of the input.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::facts::Facts;
use super::{Keys, Node, Tone, Value};
use crate::dm1::notification::{self, ResyncNonce, Sealed};
use crate::dm1::{HmacHeader, basic, md5_digest};

/// Names, secrets and nonces that are tried of each kind.
const TRIED_MAX: usize = 64;

/// A nonce and what it is.
struct Candidate<'a> {
    octets: &'a [u8],
    what: String,
}

/// Nonces in the order in which they are likely.
fn nonces<'a>(facts: &'a Facts, keys: &'a Keys) -> Vec<Candidate<'a>> {
    let given = keys.nonces.iter().map(|octets| Candidate { octets, what: "the nonce given".to_owned() });
    let issued = facts.nonces.iter().map(|nonce| {
        let message = facts.messages.get(nonce.message);
        let what = match message {
            Some(it) if !it.msg_id.is_empty() => format!("the nonce of message {} from {}", it.msg_id, it.sender),
            _ => "a nonce of the input".to_owned(),
        };
        Candidate { octets: &nonce.octets, what }
    });
    let special = [
        (&[][..], "no nonce"),
        (ResyncNonce::FourZeroOctets.octets(), "the resynchronisation nonce read as four zero octets"),
        (ResyncNonce::Ascii.octets(), "the resynchronisation nonce read as the characters 0x00000000"),
    ];
    let special = special.into_iter().map(|(octets, what)| Candidate { octets, what: what.to_owned() });
    given.chain(issued).take(TRIED_MAX).chain(special).collect()
}

/// Names of accounts: those given, and those that the message names.
fn users<'a>(named: &[&'a str], keys: &'a Keys) -> Vec<&'a str> {
    let given = keys.users.iter().chain(&keys.server_id).map(String::as_str);
    let mut users: Vec<&str> = Vec::new();
    for user in given.chain(named.iter().copied()).filter(|it| !it.is_empty()) {
        if !users.contains(&user) && users.len() < TRIED_MAX {
            users.push(user);
        }
    }
    users
}

/// The first name and nonce with which `digest` gives what is wanted, for any secret.
fn search(
    users: &[&str],
    keys: &Keys,
    nonces: &[Candidate<'_>],
    fits: impl Fn(&str, &str, &[u8]) -> bool,
) -> Option<String> {
    let secrets = keys.secrets.iter().take(TRIED_MAX);
    for (user, secret) in secrets.flat_map(|secret| users.iter().map(move |user| (user, secret))) {
        if let Some(nonce) = nonces.iter().find(|nonce| fits(user, secret, nonce.octets)) {
            return Some(format!("right for {user}, with {}", nonce.what));
        }
    }
    None
}

/// What is said of a digest that was looked for.
fn verdict(node: &mut Node, found: Option<String>, keys: &Keys) {
    match found {
        Some(found) => node.note(Tone::Good, found),
        None if keys.secrets.is_empty() => node.note(Tone::Plain, "not checked: no secret given"),
        None => node.note(Tone::Bad, "does not match: another secret, or a nonce that is not known here"),
    }
}

/// `Data` of a `Cred`.
pub(super) fn check(node: &mut Node, row: usize, facts: &Facts, keys: &Keys) {
    let Some(credential) = facts.credentials.get(row).filter(|it| !it.data.is_empty()) else { return };
    let message = facts.messages.get(credential.message);
    let named = message.map_or(["", ""], |it| [it.sender_name.as_str(), it.sender.as_str()]);
    if credential.kind.eq_ignore_ascii_case("syncml:auth-md5") {
        let fits = |user: &str, secret: &str, nonce: &[u8]| md5_digest(user, secret, nonce) == credential.data;
        return verdict(node, search(&users(&named, keys), keys, &nonces(facts, keys), fits), keys);
    }
    if credential.kind.eq_ignore_ascii_case("syncml:auth-basic") {
        check_basic(node, &credential.data, keys);
        return;
    }
    node.note(Tone::Odd, "a scheme that is not known here");
}

fn check_basic(node: &mut Node, data: &str, keys: &Keys) {
    let decoded = STANDARD.decode(data).ok().and_then(|octets| String::from_utf8(octets).ok());
    let Some((user, secret)) = decoded.as_deref().and_then(|it| it.split_once(':')) else {
        return node.note(Tone::Bad, "is not base64 of name:secret");
    };
    match &node.value {
        Some(Value::Hidden) => node.note(Tone::Plain, format!("name {user}")),
        _ => node.note(Tone::Plain, format!("name {user}, secret {secret}")),
    }
    if keys.secrets.is_empty() {
        return;
    }
    let right = keys.secrets.iter().any(|it| basic(user, it) == data);
    node.note(if right { Tone::Good } else { Tone::Bad }, if right { "secret is right" } else { "secret is wrong" });
}

/// The value of an `x-syncml-hmac` header.
pub(super) fn check_mac(node: &mut Node, row: usize, facts: &Facts, keys: &Keys) {
    let Some(mac) = facts.macs.get(row) else { return };
    let header = match HmacHeader::parse(&mac.header) {
        Ok(header) => header,
        Err(error) => return node.note(Tone::Bad, error.to_string()),
    };
    let fits = |user: &str, secret: &str, nonce: &[u8]| header.is_of(user, secret, nonce, &mac.body);
    verdict(node, search(&users(&[&header.username], keys), keys, &nonces(facts, keys), fits), keys);
}

/// The digest of package 0.
pub(super) fn check_digest(node: &mut Node, row: usize, facts: &Facts, keys: &Keys) {
    let Some(sealed) = facts.digests.get(row).and_then(|it| Sealed::read(it).ok()) else { return };
    let named = [sealed.notification.server_id.as_str()];
    let fits = |user: &str, secret: &str, nonce: &[u8]| {
        notification::digest(user, secret, nonce, sealed.trigger) == sealed.digest
    };
    // The identifier in package 0 is the specification's name and is tried before those given.
    let mut names = vec![named[0]];
    names.extend(users(&[], keys));
    verdict(node, search(&names, keys, &nonces(facts, keys), fits), keys);
}
