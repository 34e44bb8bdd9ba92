//! How kinds of devices depart from the specification, as far as a session is concerned.

use serde::{Deserialize, Serialize};

use super::{Action, Order, interaction::Asked};

/// What is different about a device. The default is a device that keeps to OMA DM 1.2. As text each field may be left out;
/// a field that is not known is an error.
///
/// What every device may do without harm is taken from all of them and is no quirk: code `0` for a challenge, alert types
/// without their prefix, results without `MsgRef`, members of a container answered without the container.
///
/// Source: the devices named at each field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Whether the device takes large objects whatever its `./DevDetail/LrgObj` says: `false` for libdmclient, which never
    /// answers a part with 213 or 1222.
    pub large_objects: Option<bool>,
    /// Whether the device takes a `Sequence`; where it does not, the members go out one to a message, and what follows a
    /// question that was not answered yes stays behind. libdmclient crashes on a Sequence.
    pub sequence: bool,
    /// Whether the device takes an `Atomic`, which a client should but need not; where it does not, such an order is not sent.
    pub atomic: bool,
    /// Whether one `Atomic` may write a node that it adds; Windows does not support Add and then Replace of a node in one
    /// Atomic, so such an order is not sent.
    pub atomic_rewrites: bool,
    /// Whether the device takes `Copy`, which a client may but need not; libdmclient answers it with 501, so it is not sent.
    pub copy: bool,
    /// Whether the device takes a `Correlator` in `Exec`; Windows does not support it, so Exec goes out without.
    pub correlator: bool,
    /// Whether the device can ask its user; Windows does not implement alerts 1100 to 1104, so they are not sent.
    pub user_interaction: bool,
    /// Whether the device takes `Get` with `?list=`; libdmclient answers it with 406, so it is not sent.
    pub list: bool,
    /// The largest message that the device takes, in octets, whatever it announces or where it announces nothing.
    pub max_msg_size: Option<u32>,
    /// Whether the device keeps to the `MaxMsgSize` that it is told; Windows ignores the Meta of headers, so a longer message
    /// of it is taken as far as the transport takes it.
    pub honours_max_msg_size: bool,
    /// Whether a device that was never given a nonce seals its messages with the one of resynchronisation, as the engine in
    /// CyanogenMod does: taken for the first login of the account and never again.
    pub empty_nonce_is_resync: bool,
    /// Whether sessions of OMA DM 1.1.2 are served to the device; where not, it is told 513 and may come back with another
    /// version, which Windows does unless `BACKCOMPATRETRYDISABLED` of its account forbids it.
    pub dm_1_1: bool,
}

impl Quirks {
    /// A device that keeps to the specification.
    pub const NONE: &'static Self = &Self {
        large_objects: None,
        sequence: true,
        atomic: true,
        atomic_rewrites: true,
        copy: true,
        correlator: true,
        user_interaction: true,
        list: true,
        max_msg_size: None,
        honours_max_msg_size: true,
        empty_nonce_is_resync: false,
        dm_1_1: true,
    };

    /// Whether the device takes a command of this kind, or can be given what stands for it.
    pub(super) fn takes(&self, action: &Action) -> bool {
        let all = |members: &[Order]| members.iter().all(|it| self.takes(&it.action));
        match action {
            Action::Atomic(members) => self.atomic && all(members) && (self.atomic_rewrites || !rewrites(members)),
            Action::Sequence(members) => all(members),
            Action::Copy { .. } => self.copy,
            Action::Get { uri } => self.list || !uri.contains("?list="),
            Action::GetMany { uris } => self.list || uris.iter().all(|it| !it.contains("?list=")),
            other => self.user_interaction || Asked::by(other).is_none(),
        }
    }
}

/// Whether a node is added and then replaced.
fn rewrites(members: &[Order]) -> bool {
    let mut added = Vec::new();
    members.iter().any(|it| match &it.action {
        Action::Add { uri, .. } => {
            added.push(uri);
            false
        }
        Action::Replace { uri, .. } => added.contains(&uri),
        _ => false,
    })
}

impl Default for Quirks {
    fn default() -> Self {
        Self::NONE.clone()
    }
}
