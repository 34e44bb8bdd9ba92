//! The behaviours that the session machine itself has to know, taken out of a list.

use muster_protocol::syncml::StatusCode;

use super::{Behaviour, ResyncReading};
use crate::user::{Mood, User};

/// One field for each behaviour that changes what is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) user: User,
    pub(crate) other_imei: Option<String>,
    pub(crate) wrong_credentials: bool,
    pub(crate) skips_msg_id: bool,
    pub(crate) message_bytes_max: Option<usize>,
    pub(crate) failing: Vec<(String, StatusCode)>,
    pub(crate) aborts_in_message: Option<u32>,
    pub(crate) ignores_resp_uri: bool,
    pub(crate) object_bytes_max: Option<u64>,
    pub(crate) no_large_objects: bool,
    pub(crate) no_chunk_statuses: bool,
    pub(crate) wrong_size: bool,
    pub(crate) leaves_objects: bool,
    pub(crate) out_of_order: bool,
    pub(crate) one_command_per_message: bool,
    pub(crate) one_status_for_items: bool,
    pub(crate) no_msg_ref: bool,
    pub(crate) no_meta: bool,
    pub(crate) meta_beside_items: bool,
    pub(crate) no_header_refs: bool,
    pub(crate) no_atomic_status: bool,
    pub(crate) no_copy: bool,
    pub(crate) no_lists: bool,
    pub(crate) encoded_child_names: bool,
    pub(crate) no_correlator: bool,
    pub(crate) prefix: AlertPrefix,
    pub(crate) status_zero: bool,
    pub(crate) crashes_on_sequence: bool,
    pub(crate) crashes_on_empty_options: bool,
    pub(crate) session_ids: SessionIds,
    pub(crate) public_id_as_text: bool,
    pub(crate) dev_info_with_nodes: bool,
    pub(crate) events: Vec<String>,
    pub(crate) ignores_server_limits: bool,
    pub(crate) every_message_proves_server: bool,
    pub(crate) nonce_is_text: bool,
    pub(crate) empty_nonce_is_special: bool,
    pub(crate) resync: ResyncReading,
    pub(crate) notifications_unchecked: bool,
    pub(crate) notification_by_name: bool,
    pub(crate) any_notification_version: bool,
    pub(crate) dm_1_1_2: bool,
    pub(crate) cannot_roll_back: bool,
    pub(crate) answers_atomic_at_once: bool,
    pub(crate) few_properties: bool,
}

/// What stands before the type of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AlertPrefix {
    #[default]
    Usual,
    Tight,
    None,
}

/// How a session id is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SessionIds {
    #[default]
    UpperCase,
    LowerCase,
    Decimal,
}

impl Faults {
    pub(crate) fn of(behaviours: &[Behaviour]) -> Self {
        let mut faults = Self::default();
        behaviours.iter().for_each(|it| faults.take(it));
        faults
    }

    fn take(&mut self, behaviour: &Behaviour) {
        use Behaviour as It;
        match behaviour {
            It::Declines => self.user.mood = Mood::Declines,
            It::NoAnswerFromUser => self.user.mood = Mood::NoAnswer,
            It::Cancels => self.user.mood = Mood::Cancels,
            It::TakesDefaults => self.user.mood = Mood::TakesDefaults,
            It::Types(text) => self.user.types = Some(text.clone()),
            It::Chooses(choices) => self.user.chooses = Some(choices.clone()),
            It::AnswersAfter { seconds } => self.user.answers_after_s = *seconds,
            It::SmallScreen { chars } => self.user.screen_chars = Some(*chars),
            It::CannotRollBack => self.cannot_roll_back = true,
            It::AnswersAtomicAtOnce => self.answers_atomic_at_once = true,
            It::FewProperties => self.few_properties = true,
            It::OtherImei(imei) => self.other_imei = Some(imei.clone()),
            It::FailsWith { status, path } => self.failing.push((path.clone(), *status)),
            It::WrongCredentials => self.wrong_credentials = true,
            It::SkipsMsgId => self.skips_msg_id = true,
            It::SmallMessages { max_msg_size } => self.message_bytes_max = Some(*max_msg_size),
            It::Aborts { in_message } => self.aborts_in_message = Some(*in_message),
            It::IgnoresRespUri => self.ignores_resp_uri = true,
            It::SmallObjects { max_obj_size } => self.object_bytes_max = Some(*max_obj_size),
            It::NoLargeObjects => self.no_large_objects = true,
            It::NoChunkStatuses => self.no_chunk_statuses = true,
            It::WrongSize => self.wrong_size = true,
            It::LeavesObjects => self.leaves_objects = true,
            It::StatusesOutOfOrder => self.out_of_order = true,
            It::OneCommandPerMessage => self.one_command_per_message = true,
            It::OneStatusForItems => self.one_status_for_items = true,
            It::NoMsgRefInResults => self.no_msg_ref = true,
            It::NoMetaInResults => self.no_meta = true,
            It::MetaBesideItems => self.meta_beside_items = true,
            It::NoHeaderRefs => self.no_header_refs = true,
            It::NoAtomicStatus => self.no_atomic_status = true,
            It::NoCopy => self.no_copy = true,
            It::NoLists => self.no_lists = true,
            It::NoUserInterface => self.user.screen_chars = Some(0),
            It::EncodedChildNames => self.encoded_child_names = true,
            It::NoCorrelator => self.no_correlator = true,
            It::NoAlertPrefix => self.prefix = AlertPrefix::None,
            It::TightAlertPrefix => self.prefix = AlertPrefix::Tight,
            It::StatusZero => self.status_zero = true,
            It::CrashesOnSequence => self.crashes_on_sequence = true,
            It::CrashesOnEmptyOptions => self.crashes_on_empty_options = true,
            It::LowerCaseSessionId => self.session_ids = SessionIds::LowerCase,
            It::DecimalSessionId => self.session_ids = SessionIds::Decimal,
            It::PublicIdAsText => self.public_id_as_text = true,
            It::DevInfoWithNodes => self.dev_info_with_nodes = true,
            It::Events(types) => self.events.extend_from_slice(types),
            It::IgnoresServerLimits => self.ignores_server_limits = true,
            It::EveryMessageProvesServer => self.every_message_proves_server = true,
            It::NonceIsText => self.nonce_is_text = true,
            It::EmptyNonceIsSpecial => self.empty_nonce_is_special = true,
            It::ResyncNonce(reading) => self.resync = *reading,
            It::NotificationsUnchecked => self.notifications_unchecked = true,
            It::NotificationByName => self.notification_by_name = true,
            It::AnyNotificationVersion => self.any_notification_version = true,
            It::Dm112 => self.dm_1_1_2 = true,
            // These are about the connection, not about what is said on it.
            It::DropsConnection { .. }
            | It::NeverConnects
            | It::RepeatsMessage
            | It::Slow { .. }
            | It::Reboots { .. }
            | It::ContentType(_)
            | It::UserAgent(_)
            | It::ClosesConnection => {}
        }
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

    /// A session id as it is written.
    ///
    /// Source: OMA DM 1.2 Notification, "Sessionid": hexadecimal, upper case, no leading zeros.
    pub(crate) fn session_id(&self, number: u16) -> String {
        match self.session_ids {
            SessionIds::UpperCase => format!("{number:X}"),
            SessionIds::LowerCase => format!("{number:x}"),
            SessionIds::Decimal => number.to_string(),
        }
    }

    /// The type of an event as it is written.
    ///
    /// Source: OMA DM 1.2 Protocol, "Generic Alert", grammar of the type.
    pub(crate) fn alert_type(&self, name: &str) -> String {
        const PREFIX: &str = "Reversed-Domain-Name:";
        match self.prefix {
            _ if name.contains(':') => name.to_owned(),
            AlertPrefix::Usual => format!("{PREFIX} {name}"),
            AlertPrefix::Tight => format!("{PREFIX}{name}"),
            AlertPrefix::None => name.to_owned(),
        }
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

    #[test]
    fn session_ids_and_alert_types_are_written_as_devices_do() {
        let written = |behaviour| {
            let faults = Faults::of(&[behaviour]);
            (faults.session_id(0x0AF), faults.alert_type("org.example"))
        };
        let prefixed = "Reversed-Domain-Name: org.example".to_owned();
        assert_eq!(written(Behaviour::Dm112), ("AF".into(), prefixed.clone()));
        assert_eq!(written(Behaviour::LowerCaseSessionId), ("af".into(), prefixed.clone()));
        assert_eq!(written(Behaviour::DecimalSessionId), ("175".into(), prefixed));
        assert_eq!(written(Behaviour::NoAlertPrefix).1, "org.example");
        assert_eq!(written(Behaviour::TightAlertPrefix).1, "Reversed-Domain-Name:org.example");
    }
}
