//! The answer to a sender that has no account: the same as to one that has, with a wrong credential.

use muster_protocol::dm1::Identity;

use super::Refusal;
use super::account::OpenAccount;
use super::arrival::{Arrival, SealedReply};
use super::conversation::Dialogue;
use super::exchange::Settings;
use crate::profile::{PLAIN, Profile};

/// Challenges, or refuses.
pub(super) fn answer(
    account: &OpenAccount,
    settings: &Settings,
    arrival: &Arrival<'_>,
) -> Result<SealedReply, Refusal> {
    let message = &arrival.message;
    let mut session = Dialogue::begin(message, arrival.encoding, PLAIN, 0).session;
    let identity = Identity {
        uri: &message.header.target.uri,
        resp_uri: None,
        max_msg_size: settings.message_bytes_max,
        max_obj_size: settings.object_bytes_max,
    };
    let plain = Profile::default();
    let account = account.lend(settings, &plain);
    let reply = match session.receive(&account, arrival.incoming()) {
        Ok(_) => session.answer(&identity, &account, Vec::new()),
        Err(violation) => session.refuse(&identity, message, violation.status()),
    };
    Ok(SealedReply::of(&reply, arrival.encoding, &plain)?)
}
