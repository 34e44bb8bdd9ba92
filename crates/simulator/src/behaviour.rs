//! What makes a device ill-behaved, as data.

use muster_protocol::syncml::StatusCode;
use serde::{Deserialize, Serialize};

/// One departure from what a good device and a patient user do. A device may have several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// The user says no to every question (304).
    Declines,
    /// The user does not answer (408).
    NoAnswerFromUser,
    /// The user cancels every question (214).
    Cancels,
    /// The device says it is another one: `DevId` and the `Source` of its messages carry this IMEI.
    OtherImei(String),
    /// The connection is lost after the device's message of this number (from 1) went out and before its answer came
    /// in, in as many sessions; each time the device comes back with a new session.
    DropsConnection {
        /// `MsgID` of the last message that goes out, counted from 1 in each session.
        after_message: u32,
        /// How many sessions end this way.
        times: u32,
    },
    /// Commands on this node, and below it, are answered with this status and not carried out.
    FailsWith {
        /// What is answered.
        status: StatusCode,
        /// Address of the node.
        path: String,
    },
    /// The device is switched off.
    NeverConnects,
    /// The device's secret is not the one the server knows.
    WrongCredentials,
    /// Every message is sent twice, octet for octet, as if the first answer had been lost.
    RepeatsMessage,
    /// `MsgID`s go 1, 3, 5 and so on.
    SkipsMsgId,
    /// The device sends no message above so many octets, and so several in a package.
    SmallMessages {
        /// Octets.
        max_msg_size: usize,
    },
    /// The device waits so long before each message.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
}

/// How the user of a device answers questions (alerts 1101 to 1104).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum User {
    /// Yes; the first choice; the text `OK`.
    #[default]
    Accepts,
    /// No, status 304.
    Declines,
    /// Nothing until the time is up, status 408.
    NoAnswer,
    /// Cancels, status 214.
    Cancels,
}

/// The behaviours that the session machine itself has to know, taken out of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) user: User,
    pub(crate) other_imei: Option<String>,
    pub(crate) wrong_credentials: bool,
    pub(crate) skips_msg_id: bool,
    pub(crate) message_bytes_max: Option<usize>,
    pub(crate) failing: Vec<(String, StatusCode)>,
}

impl Faults {
    pub(crate) fn of(behaviours: &[Behaviour]) -> Self {
        let mut faults = Self::default();
        for behaviour in behaviours {
            match behaviour {
                Behaviour::Declines => faults.user = User::Declines,
                Behaviour::NoAnswerFromUser => faults.user = User::NoAnswer,
                Behaviour::Cancels => faults.user = User::Cancels,
                Behaviour::OtherImei(imei) => faults.other_imei = Some(imei.clone()),
                Behaviour::FailsWith { status, path } => faults.failing.push((path.clone(), *status)),
                Behaviour::WrongCredentials => faults.wrong_credentials = true,
                Behaviour::SkipsMsgId => faults.skips_msg_id = true,
                Behaviour::SmallMessages { max_msg_size } => {
                    faults.message_bytes_max = Some(*max_msg_size);
                }
                // These are about the connection, not about what is said on it.
                Behaviour::DropsConnection { .. }
                | Behaviour::NeverConnects
                | Behaviour::RepeatsMessage
                | Behaviour::Slow { .. } => {}
            }
        }
        faults
    }

    /// The status that commands on `path` are made to fail with.
    pub(crate) fn failure_on(&self, path: &str) -> Option<StatusCode> {
        self.failing
            .iter()
            .find(|(failing, _)| {
                path.strip_prefix(failing.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .map(|(_, status)| *status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_node_takes_what_is_below_it_along_but_not_its_namesakes() {
        let faults = Faults::of(&[Behaviour::FailsWith {
            status: StatusCode::NOT_ALLOWED,
            path: "./Vendor/Example/Name".into(),
        }]);

        assert_eq!(faults.failure_on("./Vendor/Example/Name"), Some(StatusCode::NOT_ALLOWED));
        assert_eq!(faults.failure_on("./Vendor/Example/Name/x"), Some(StatusCode::NOT_ALLOWED));
        assert_eq!(faults.failure_on("./Vendor/Example/Names"), None);
        assert_eq!(faults.failure_on("./Vendor/Example"), None);
    }
}
