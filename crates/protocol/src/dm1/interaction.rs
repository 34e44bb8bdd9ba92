//! Questions to the user: what they are made of, and what the answers mean.
//!
//! Source: OMA DM Protocol 1.2, "User interaction commands".

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{Action, StatusItem};
use crate::syncml::{Alert, Item, StatusCode, Text};

/// What may be typed as the answer to [`Action::Input`] (option `IT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputKind {
    /// Letters and digits.
    #[default]
    Alphanumeric,
    /// Digits, with a sign and a point.
    Numeric,
    /// `DDMMYYYY`.
    Date,
    /// `hhmmss`.
    Time,
    /// A telephone number.
    Phone,
    /// An IP address.
    IpAddress,
}

impl InputKind {
    fn letter(self) -> char {
        match self {
            Self::Alphanumeric => 'A',
            Self::Numeric => 'N',
            Self::Date => 'D',
            Self::Time => 'T',
            Self::Phone => 'P',
            Self::IpAddress => 'I',
        }
    }
}

/// What the user said, where the user was asked and the device told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserAnswer {
    /// The text of an [`Action::Display`] was shown.
    Shown,
    /// Yes.
    Yes,
    /// No.
    No,
    /// What was typed, perhaps nothing.
    Text(Text),
    /// The choices taken, counted from 1, ascending, each once.
    Choices(Vec<u32>),
    /// The user cancelled.
    Cancelled,
    /// The user let the time pass.
    TimedOut,
}

/// What was asked, for the reader of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Asked {
    Display,
    Confirm,
    Input,
    /// One of this many.
    Choice(u32),
    /// Any of this many.
    Choices(u32),
}

impl Asked {
    /// What `action` asks, if it asks something.
    pub(super) fn by(action: &Action) -> Option<Self> {
        let count = |choices: &[Text]| u32::try_from(choices.len()).unwrap_or(u32::MAX);
        match action {
            Action::Display { .. } => Some(Self::Display),
            Action::Confirm { .. } => Some(Self::Confirm),
            Action::Input { .. } => Some(Self::Input),
            Action::Choose { choices, .. } => Some(Self::Choice(count(choices))),
            Action::ChooseMany { choices, .. } => Some(Self::Choices(count(choices))),
            _ => None,
        }
    }

    /// Reads the answer. Several choices come in one status with an item each, in a status each, or joined by `-` as in the
    /// options; numbers that are not among the choices do not count.
    pub(super) fn answer(self, code: StatusCode, items: &[StatusItem]) -> Option<UserAnswer> {
        match (code, self) {
            (StatusCode::CANCELLED_BY_USER, _) => return Some(UserAnswer::Cancelled),
            (StatusCode::REQUEST_TIMEOUT, _) => return Some(UserAnswer::TimedOut),
            (StatusCode::NOT_MODIFIED, Self::Confirm) => return Some(UserAnswer::No),
            (StatusCode::OK, _) => {}
            _ => return None,
        }
        let texts = || items.iter().filter_map(|it| it.data.as_ref()?.as_text());
        let chosen = |count: u32| {
            let numbers = texts().flat_map(|it| it.split('-')).filter_map(|it| it.trim().parse().ok());
            let mut chosen: Vec<u32> = numbers.filter(|it| (1..=count).contains(it)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            chosen
        };
        match self {
            Self::Display => Some(UserAnswer::Shown),
            Self::Confirm => Some(UserAnswer::Yes),
            Self::Input => Some(UserAnswer::Text(texts().next().unwrap_or_default().into())),
            Self::Choice(count) => Some(UserAnswer::Choices(chosen(count))).filter(is_one),
            Self::Choices(count) => Some(UserAnswer::Choices(chosen(count))),
        }
    }
}

/// Of several answers to a question for one thing none is the right one.
fn is_one(answer: &UserAnswer) -> bool {
    matches!(answer, UserAnswer::Choices(chosen) if chosen.len() == 1)
}

/// Whether a question can be asked as it stands: it says something, its choices do too, and what it takes for granted is
/// among them.
pub(super) fn is_askable(action: &Action) -> bool {
    let says = |text: &Text| !text.trim().is_empty();
    let offers = |text: &Text, choices: &[Text], defaults: &[u32]| {
        let among = |it: &u32| usize::try_from(*it).is_ok_and(|it| (1..=choices.len()).contains(&it));
        says(text) && !choices.is_empty() && choices.iter().all(says) && defaults.iter().all(among)
    };
    match action {
        Action::Display { text, .. } | Action::Confirm { text, .. } | Action::Input { text, .. } => says(text),
        Action::Choose { text, choices, default, .. } => offers(text, choices, default.as_slice()),
        Action::ChooseMany { text, choices, defaults, .. } => offers(text, choices, defaults),
        _ => true,
    }
}

/// The alert that asks; nothing for actions that ask nothing.
pub(super) fn alert(action: &Action, cmd_id: Text) -> Option<Alert> {
    let choices: &[Text] = match action {
        Action::Choose { choices, .. } | Action::ChooseMany { choices, .. } => choices,
        _ => &[],
    };
    let (code, text, options) = match action {
        Action::Display { text, min_display_s, max_display_s } => {
            ("1100", text, Options::new(*min_display_s, *max_display_s))
        }
        Action::Confirm { text, min_display_s, max_display_s, default_accept } => {
            let default = default_accept.map(|accept| if accept { "1" } else { "0" });
            ("1101", text, Options::new(*min_display_s, *max_display_s).with("DR", default))
        }
        Action::Input { text, min_display_s, max_display_s, default, length_max, kind, is_secret } => {
            let options = Options::new(*min_display_s, *max_display_s)
                .with("DR", default.as_deref())
                .with("MAXLEN", *length_max)
                .with("IT", Some(*kind).filter(|it| *it != InputKind::default()).map(InputKind::letter))
                .with("ET", is_secret.then_some("P"));
            ("1102", text, options)
        }
        Action::Choose { text, min_display_s, max_display_s, default, .. } => {
            ("1103", text, Options::new(*min_display_s, *max_display_s).with("DR", *default))
        }
        Action::ChooseMany { text, min_display_s, max_display_s, defaults, .. } => {
            let numbers: Vec<_> = defaults.iter().map(u32::to_string).collect();
            let default = Some(numbers.join("-")).filter(|it| !it.is_empty());
            ("1104", text, Options::new(*min_display_s, *max_display_s).with("DR", default))
        }
        _ => return None,
    };
    let items = [options.0.as_str(), text].into_iter().chain(choices.iter().map(Text::as_str));
    Some(Alert { cmd_id, code: code.into(), correlator: None, items: items.map(text_item).collect() })
}

fn text_item(text: &str) -> Item {
    Item { data: Some(text.into()), ..Item::default() }
}

/// The option string: `NAME=value` joined by `&`, values URL-encoded. Never empty, since libdmclient crashes on that.
struct Options(String);

impl Options {
    fn new(min_display_s: Option<u32>, max_display_s: Option<u32>) -> Self {
        Self(format!("MINDT={}", min_display_s.unwrap_or(1))).with("MAXDT", max_display_s)
    }

    fn with(mut self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        if let Some(value) = value {
            self.0.push('&');
            self.0.push_str(name);
            self.0.push('=');
            for octet in value.to_string().bytes() {
                match octet {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => self.0.push(octet.into()),
                    b' ' => self.0.push('+'),
                    // Writing to a string does not fail.
                    _ => _ = write!(self.0, "%{octet:02X}"),
                }
            }
        }
        self
    }
}
