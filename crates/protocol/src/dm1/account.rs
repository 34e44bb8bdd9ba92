//! What a session is lent for one message: the account of the device, what this server says of itself, and what came.

use super::{AuthType, quirks::Quirks};
use crate::syncml::{Message, Style};

/// What this server knows of one account of a device: lent for each message, never kept in the session.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Name the client authenticates with.
    pub client_name: &'a str,
    /// Its secret.
    pub client_secret: &'a str,
    /// The weakest scheme taken, in both directions.
    pub weakest: AuthType,
    /// Whether a client that authenticates with MD5 or Basic does so in every message; else once is enough for a session.
    /// HMAC always covers every message. What counted when the client was let in counts until the session ends.
    pub each_message: bool,
    /// Decoded nonces that an MD5 credential or a MAC may be made with now. After a challenge the caller must count
    /// `challenge` among them for the next message, and leave out what [`super::Login`] has used.
    pub nonces: &'a [Vec<u8>],
    /// Decoded nonces that do not count any more, as far back as the caller likes. They let nobody in, but tell a device
    /// that missed an answer, or a replay, from one with a wrong secret.
    pub spent: &'a [Vec<u8>],
    /// A notification made with the nonce of resynchronisation was sent and no login has come since: the nonce may be used
    /// for one login, whose [`super::Login::resync`] says that this must be taken back.
    pub resync_sent: bool,
    /// No credential of this account was ever accepted.
    pub is_first_contact: bool,
    /// Fresh nonce for a challenge in this session. Used by [`super::Session::answer`] at [`super::Stage::Challenge`].
    pub challenge: &'a [u8],
    /// Fresh nonce for the client's next credential, in its next session or, where every message has one, its next message.
    /// Used by [`super::Session::answer`] after each [`super::Login`] with a nonce; the caller keeps it when that reply
    /// leaves.
    pub next: &'a [u8],
    /// How this server proves who it is; `None` where the device does not ask.
    pub server: Option<ServerAccount<'a>>,
    /// How the device departs from the specification.
    pub quirks: &'a Quirks,
    /// Whether the device takes large objects: its `./DevDetail/LrgObj`, `false` until that is known.
    pub large_objects: bool,
    /// How messages for the device are written, so that their octets can be counted.
    pub style: &'a Style,
}

impl<'a> Account<'a> {
    /// An account of a device that keeps to the specification, without nonces and without a secret of the server.
    #[must_use]
    pub fn new(client_name: &'a str, client_secret: &'a str, weakest: AuthType) -> Self {
        Self {
            client_name,
            client_secret,
            weakest,
            each_message: false,
            nonces: &[],
            spent: &[],
            resync_sent: false,
            is_first_contact: false,
            challenge: &[],
            next: &[],
            server: None,
            quirks: Quirks::NONE,
            large_objects: false,
            style: &Style::CANONICAL,
        }
    }
}

/// How this server proves to the device who it is.
#[derive(Clone, Copy, Debug)]
pub struct ServerAccount<'a> {
    /// Name; goes into `Source/LocName` too.
    pub name: &'a str,
    /// Secret.
    pub secret: &'a str,
    /// Decoded nonce that the device issued last; empty if it never did.
    pub nonce: &'a [u8],
}

/// What this server says of itself in each message.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Our `LocURI`.
    pub uri: &'a str,
    /// Where the device must send its next message.
    pub resp_uri: Option<&'a str>,
    /// Largest message taken, in octets.
    pub max_msg_size: u32,
    /// Largest object taken, in octets. Above 4 MiB nothing is taken, whatever is said here.
    pub max_obj_size: u32,
}

/// One message of the device as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The message.
    pub message: &'a Message,
    /// The octets it was read from, exactly as they came but for codings of the transport. Without them no MAC fits, and
    /// nothing is told of their number.
    pub body: &'a [u8],
    /// Value of the header [`super::HMAC_HEADER`] that came with it. Several such headers are given as one, joined by commas.
    pub hmac: Option<&'a str>,
}

impl<'a> From<&'a Message> for Incoming<'a> {
    fn from(message: &'a Message) -> Self {
        Self { message, body: &[], hmac: None }
    }
}
