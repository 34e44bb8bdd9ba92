//! What comes by short message, and what support engineers paste.

use muster_protocol::dm1::notification::{Form, Sealed, ServerKey};
use muster_protocol::explain::{Options, explain};
use muster_protocol::limits::Limits;
use muster_protocol::prov::Document;
use muster_protocol::push::sms::{Assembly, UserData};
use muster_protocol::push::tpdu::Tpdu;
use muster_protocol::push::wsp::Push;

/// Package 0: what is read is part of the input, and no key fits by chance.
pub fn notification(octets: &[u8]) {
    let Ok(sealed) = Sealed::read(octets) else { return };
    assert!(octets.ends_with(sealed.trigger), "the trigger is what follows the digest");
    let key = ServerKey { account_name: "server", secret: "secret" };
    let checked = sealed.check(&Form::default(), &key, b"nonce");
    assert!(checked.is_none(), "a digest that nobody made fits");
}

/// A short message, down to the notification or document in it.
pub fn short_message(octets: &[u8]) {
    if let Ok(tpdu) = Tpdu::read(octets) {
        let _ = UserData::read(tpdu.user_data);
    }
    if let Ok(push) = Push::read(octets) {
        let _ = Sealed::read(push.body);
    }
    // Each octet says how long the next part is: several parts of one or more messages.
    let mut assembly = Assembly::default();
    let mut rest = octets;
    while let Some((length, after)) = rest.split_first() {
        let (part, after) = after.split_at(usize::from(*length).min(after.len()));
        if let Ok(part) = UserData::read(part) {
            let _ = assembly.take("", &part);
        }
        rest = after;
    }
}

/// A provisioning document in either encoding.
pub fn provisioning(octets: &[u8]) {
    if let Ok(document) = Document::read(octets, &Limits::DEVICE) {
        let _ = document.application("w7");
    }
}

/// Anything at all: there is always a tree.
pub fn anything(octets: &[u8]) {
    let explanation = explain(&[octets], &Options::default());
    assert_eq!(explanation.inputs.len(), 1);
    serde_json::to_string(&explanation).expect("an explanation can be told to scripts");
}
