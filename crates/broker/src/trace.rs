//! Recording what a device and the server say to each other, by choice, for a time, and within bounds.
//!
//! What is recorded has lost its secrets before it comes here. The rules are pure: which messages are recorded, when a
//! recorded session begins and goes on, what of it is kept, and which older sessions go. A store calls them inside the
//! transaction that keeps the message.

use crate::id::{DeviceOid, TaskId};
use crate::names::names;
use crate::store::Contact;
use crate::time::Timestamp;

/// The recording of a device, as somebody switched it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// From then on nothing more is recorded: a recording that was forgotten ends by itself.
    pub until: Timestamp,
    /// Sessions that are kept, 1 to [`Recording::SESSIONS_MAX`].
    pub sessions: u32,
}

impl Recording {
    /// Sessions kept where nothing else is said.
    pub const SESSIONS: u32 = 10;
    /// Most sessions kept of a device.
    pub const SESSIONS_MAX: u32 = 100;
    /// How long a recording lasts where nothing else is said: seven days.
    pub const LIFE_S: i64 = 7 * 24 * 3600;
    /// How long it may last: ninety days.
    pub const LIFE_S_MAX: i64 = 90 * 24 * 3600;

    /// Whether messages are recorded at this time.
    #[must_use]
    pub fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Name of the option by which a task has its sessions recorded.
pub const OPTION: &str = "trace";

/// That, and how, the messages of a device are recorded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Sessions that are kept.
    pub keep: u32,
    /// The task that asked for it, where the device's record does not.
    pub task: Option<TaskId>,
}

/// Whether a message that comes now is recorded: because the recording of the device is on, or because a task that
/// asked for it is being carried out or may be taken up.
#[must_use]
pub fn recorded(contact: &Contact, now: Timestamp) -> Option<Recorded> {
    if let Some(recording) = contact.recording.filter(|recording| recording.is_on(now)) {
        return Some(Recorded { keep: recording.sessions, task: None });
    }
    let under_way = contact.state.dialogue.as_ref().filter(|it| !it.ended).and_then(|it| it.task);
    let traced = contact.tasks.iter().find(|open| {
        open.task.arguments.is_set(OPTION)
            && (under_way == Some(open.task.id) || open.may_run && open.task.is_startable(now))
    })?;
    Some(Recorded { keep: Recording::SESSIONS, task: Some(traced.task.id) })
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceDirection {
    /// From the device.
    Received,
    /// To the device.
    Sent,
}

names! {
    TraceDirection {
        "RECEIVED" Received
        "SENT" Sent
    }
}

/// One message, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceMessage {
    /// Place in its session, from 1; given when it is kept.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub direction: TraceDirection,
    /// Media type, which tells XML from WBXML.
    pub content_type: String,
    /// Octets that travelled.
    pub length: u32,
    /// What is kept of them.
    pub octets: Vec<u8>,
    /// What is to be known of it besides: why it could not be read, that it was cut, that it was repeated.
    pub note: Option<String>,
}

/// What one message of a device adds to its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// Whose.
    pub device: DeviceOid,
    /// `SessionID` as the device wrote it.
    pub session_id: String,
    /// `MsgID` of the device; nothing where it did not speak.
    pub msg_id: Option<u32>,
    /// When.
    pub at: Timestamp,
    /// How it is recorded.
    pub recorded: Recorded,
    /// The device proved who it is, in this message or before in the session.
    pub is_let_in: bool,
    /// The device said what it had said last.
    pub is_repetition: bool,
    /// How the session ended, where it did.
    pub ending: Option<String>,
    /// What went, in order.
    pub messages: Vec<TraceMessage>,
}

/// A recorded session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSession {
    /// Place among the recorded sessions of the device, rising from the oldest to the newest.
    pub number: u32,
    /// `SessionID` as the device wrote it.
    pub session_id: String,
    /// `MsgID` of the device's last message.
    pub msg_id: u32,
    /// First message.
    pub began_at: Timestamp,
    /// Last message.
    pub last_at: Timestamp,
    /// Whether the device proved who it is.
    pub is_let_in: bool,
    /// How it ended; nothing while it goes on, or if nobody knows.
    pub ending: Option<String>,
    /// The task that asked for the recording.
    pub task: Option<TaskId>,
    /// Messages kept.
    pub messages: u32,
    /// Octets kept.
    pub octets: u64,
    /// Messages that were not kept for want of room.
    pub left_out: u32,
}

impl TraceSession {
    /// Messages kept of one session.
    pub const MESSAGES_MAX: u32 = 400;
    /// Octets kept of one message.
    pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
    /// Octets kept of one session: as base64 it still fits an answer.
    pub const BYTES_MAX: u64 = 1 << 20;
    /// Octets kept of all sessions of a device.
    pub const DEVICE_BYTES_MAX: u64 = 8 << 20;
    /// Octets of identifiers and notes that are kept.
    pub const TEXT_BYTES_MAX: usize = 512;

    /// A session that begins with this step.
    #[must_use]
    pub fn begin(number: u32, step: &TraceStep) -> Self {
        Self {
            number,
            session_id: bounded(&step.session_id),
            msg_id: 0,
            began_at: step.at,
            last_at: step.at,
            is_let_in: false,
            ending: None,
            task: step.recorded.task,
            messages: 0,
            octets: 0,
            left_out: 0,
        }
    }

    /// Whether the step belongs to this session, which was the last of the device: many devices give every session the
    /// same `SessionID`, and then their numbering begins anew. Where the device did not speak it is the open session
    /// that is meant.
    #[must_use]
    pub fn goes_on(&self, step: &TraceStep) -> bool {
        let is_refused_again = |number: u32| number == self.msg_id && !self.is_let_in && !step.is_let_in;
        let is_next = step.msg_id.is_none_or(|number| number >= self.msg_id && number > 1 || is_refused_again(number));
        self.session_id == bounded(&step.session_id) && (step.is_repetition || self.ending.is_none() && is_next)
    }

    /// Takes a step; gives the messages to keep, numbered and within bounds.
    #[must_use]
    pub fn take(&mut self, step: &TraceStep) -> Vec<TraceMessage> {
        self.msg_id = step.msg_id.unwrap_or(self.msg_id);
        self.last_at = step.at;
        self.is_let_in |= step.is_let_in;
        self.ending = step.ending.as_deref().map(bounded).or(self.ending.take());
        let mut kept = Vec::with_capacity(step.messages.len());
        for message in &step.messages {
            let mut message = message.clone();
            let length = message.octets.len();
            if length > Self::MESSAGE_BYTES_MAX {
                message.octets.truncate(Self::MESSAGE_BYTES_MAX);
                let cut = format!("cut after {} of {length} octets", Self::MESSAGE_BYTES_MAX);
                message.note = Some(message.note.map_or(cut.clone(), |note| format!("{note}; {cut}")));
            }
            message.note = message.note.as_deref().map(bounded);
            let octets = self.octets.saturating_add(u64::try_from(message.octets.len()).unwrap_or(u64::MAX));
            if self.messages >= Self::MESSAGES_MAX || octets > Self::BYTES_MAX {
                self.left_out = self.left_out.saturating_add(1);
                continue;
            }
            (self.messages, self.octets) = (self.messages.saturating_add(1), octets);
            message.number = self.messages;
            kept.push(message);
        }
        kept
    }
}

/// Which of a device's sessions go, now that the newest has grown. `newest_first` are all of them.
///
/// Sessions in which nobody proved who he is are counted apart, so that a stranger who knows a name cannot push out
/// the sessions of the device. The newest session always stays.
#[must_use]
pub fn surplus(newest_first: &[TraceSession], keep: u32) -> Vec<u32> {
    let (mut let_in, mut refused, mut octets) = (0_u32, 0_u32, 0_u64);
    let mut go = Vec::new();
    for (place, session) in newest_first.iter().enumerate() {
        let count = if session.is_let_in { &mut let_in } else { &mut refused };
        *count = count.saturating_add(1);
        let is_too_many = *count > keep.max(1);
        let with = octets.saturating_add(session.octets);
        if place > 0 && (is_too_many || with > TraceSession::DEVICE_BYTES_MAX) {
            go.push(session.number);
        } else {
            octets = with;
        }
    }
    go
}

/// A text of a device, as long as it is kept.
fn bounded(text: &str) -> String {
    let end = (0..=TraceSession::TEXT_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_248_000_000);

    fn step(session_id: &str, msg_id: u32, octets: usize) -> TraceStep {
        let message = |direction| TraceMessage {
            number: 0,
            at: NOW,
            direction,
            content_type: "application/vnd.syncml.dm+xml".into(),
            length: 7,
            octets: vec![b'x'; octets],
            note: None,
        };
        TraceStep {
            device: DeviceOid::new(Uuid::from_u128(1)),
            session_id: session_id.into(),
            msg_id: Some(msg_id),
            at: NOW,
            recorded: Recorded { keep: 2, task: None },
            is_let_in: true,
            is_repetition: false,
            ending: None,
            messages: vec![message(TraceDirection::Received), message(TraceDirection::Sent)],
        }
    }

    fn after(steps: &[TraceStep]) -> TraceSession {
        let mut session = TraceSession::begin(1, &steps[0]);
        for step in steps {
            let _ = session.take(step);
        }
        session
    }

    #[test]
    fn a_session_goes_on_while_its_numbers_rise_and_begins_anew_with_the_first() {
        let open = after(&[step("5", 1, 10), step("5", 2, 10)]);
        for (session_id, msg_id, goes_on) in
            [("5", 3, true), ("5", 2, true), ("5", 7, true), ("5", 1, false), ("6", 3, false)]
        {
            assert_eq!(open.goes_on(&step(session_id, msg_id, 0)), goes_on, "{session_id} {msg_id}");
        }
        let silent = TraceStep { msg_id: None, ..step("5", 0, 0) };
        assert!(open.goes_on(&silent));
        let ended = after(&[step("5", 1, 10), TraceStep { ending: Some("done".into()), ..step("5", 2, 10) }]);
        assert!(!ended.goes_on(&step("5", 3, 0)));
        let repetition = TraceStep { is_repetition: true, is_let_in: false, ..step("5", 2, 0) };
        assert!(ended.goes_on(&repetition));
        let mut ended = ended;
        let _ = ended.take(&repetition);
        assert_eq!(ended.ending.as_deref(), Some("done"));
    }

    #[test]
    fn a_first_message_that_was_challenged_may_come_again_with_the_same_number() {
        let challenged = TraceStep { is_let_in: false, ..step("5", 1, 10) };
        let session = after(std::slice::from_ref(&challenged));
        assert!(session.goes_on(&challenged));
        assert!(!session.goes_on(&step("5", 1, 10)), "a device that is let in begins");
        assert!(session.goes_on(&step("5", 2, 10)));
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        let mut session = TraceSession::begin(1, &step("5", 1, 0));
        let kept = session.take(&step("5", 1, TraceSession::MESSAGE_BYTES_MAX + 1));
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].octets.len(), kept[0].number, kept[1].number), (TraceSession::MESSAGE_BYTES_MAX, 1, 2));
        assert_eq!(kept[0].note.as_deref(), Some("cut after 65536 of 65537 octets"));
        let kept = session.take(&step("5", 2, TraceSession::MESSAGE_BYTES_MAX));
        assert_eq!(kept[0].note, None);
    }

    #[test]
    fn a_session_keeps_so_many_messages_and_octets_and_counts_the_others() {
        let mut session = TraceSession::begin(1, &step("5", 1, 0));
        let mut kept = 0;
        for number in 1..=300 {
            kept += session.take(&step("5", number, 1)).len();
        }
        assert_eq!((kept, session.messages, session.left_out), (400, 400, 200));
        let mut session = TraceSession::begin(1, &step("5", 1, 0));
        for number in 1..=10 {
            let _ = session.take(&step("5", number, TraceSession::MESSAGE_BYTES_MAX));
        }
        assert_eq!((session.octets, session.messages, session.left_out), (1 << 20, 16, 4));
    }

    #[test]
    fn older_sessions_go_and_those_of_strangers_push_out_none_of_the_devices() {
        let session = |number, is_let_in, octets| TraceSession {
            is_let_in,
            octets,
            ..TraceSession::begin(number, &step("5", 1, 0))
        };
        let all = [
            session(6, false, 1),
            session(5, false, 1),
            session(4, false, 1),
            session(3, true, 1),
            session(2, true, 1),
            session(1, true, 1),
        ];
        assert_eq!(surplus(&all, 2), [4, 1]);
        assert_eq!(surplus(&all, 10), [] as [u32; 0]);
        let large = [session(3, true, 8 << 20), session(2, true, 1), session(1, true, 0)];
        assert_eq!(surplus(&large, 10), [2]);
        let alone = [session(1, true, 9 << 20)];
        assert_eq!(surplus(&alone, 0), [] as [u32; 0]);
    }

    #[test]
    fn texts_of_devices_are_bounded_at_a_character() {
        let long = "\u{e4}".repeat(300);
        assert_eq!(bounded(&long).len(), 512);
        assert_eq!(bounded(&format!("a{long}")).len(), 511);
        assert_eq!(bounded("5"), "5");
    }

    #[test]
    fn a_recording_ends_by_itself() {
        let recording = Recording { until: NOW, sessions: 10 };
        assert!(recording.is_on(NOW.plus_ms(-1)) && !recording.is_on(NOW));
    }
}
