//! What makes a device ill-behaved, as data.

use muster_protocol::syncml::StatusCode;
use serde::{Deserialize, Serialize};

use crate::user::{Mood, User};

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
    /// The user takes what is preselected (option `DR`): yes only if that is yes.
    TakesDefaults,
    /// The user types this where a text is asked for, as far as the question lets.
    Types(String),
    /// The user chooses these choices, counted from 1; of a question for one, the first that it has.
    Chooses(Vec<u32>),
    /// The user takes so long for an answer; above the question's `MAXDT` it is none (408).
    AnswersAfter {
        /// Seconds.
        seconds: u32,
    },
    /// The device cannot ask its user anything (406).
    NoScreen,
    /// The device shows no text above so many characters (416).
    SmallScreen {
        /// Characters.
        chars: usize,
    },
    /// What an Atomic did before it failed cannot be undone (516).
    CannotRollBack,
    /// An Atomic whose statuses do not fit one message is undone (517); other devices spread them over several.
    AnswersAtomicAtOnce,
    /// `?list=` is not supported (406), as in libdmclient.
    ReadsNoLists,
    /// Of the properties, only those that every device must have are supported.
    FewProperties,
    /// Names of children are percent-encoded in what a Get of an interior node answers, as Windows does it.
    EncodesChildNames,
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

/// The behaviours that the session machine itself has to know, taken out of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) user: User,
    pub(crate) other_imei: Option<String>,
    pub(crate) wrong_credentials: bool,
    pub(crate) skips_msg_id: bool,
    pub(crate) message_bytes_max: Option<usize>,
    pub(crate) failing: Vec<(String, StatusCode)>,
    pub(crate) cannot_roll_back: bool,
    pub(crate) answers_atomic_at_once: bool,
    pub(crate) reads_no_lists: bool,
    pub(crate) few_properties: bool,
    pub(crate) encodes_child_names: bool,
}

impl Faults {
    pub(crate) fn of(behaviours: &[Behaviour]) -> Self {
        let mut faults = Self::default();
        for behaviour in behaviours {
            match behaviour {
                Behaviour::Declines => faults.user.mood = Mood::Declines,
                Behaviour::NoAnswerFromUser => faults.user.mood = Mood::NoAnswer,
                Behaviour::Cancels => faults.user.mood = Mood::Cancels,
                Behaviour::TakesDefaults => faults.user.mood = Mood::TakesDefaults,
                Behaviour::Types(text) => faults.user.types = Some(text.clone()),
                Behaviour::Chooses(choices) => faults.user.chooses = Some(choices.clone()),
                Behaviour::AnswersAfter { seconds } => faults.user.answers_after_s = *seconds,
                Behaviour::NoScreen => faults.user.screen_chars = Some(0),
                Behaviour::SmallScreen { chars } => faults.user.screen_chars = Some(*chars),
                Behaviour::CannotRollBack => faults.cannot_roll_back = true,
                Behaviour::AnswersAtomicAtOnce => faults.answers_atomic_at_once = true,
                Behaviour::ReadsNoLists => faults.reads_no_lists = true,
                Behaviour::FewProperties => faults.few_properties = true,
                Behaviour::EncodesChildNames => faults.encodes_child_names = true,
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
