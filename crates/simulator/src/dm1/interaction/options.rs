//! The options of a question: `MINDT=5&MAXDT=30&DR=1`.
//!
//! Source: OMA DM 1.2 Protocol, "User interaction options".

use muster_protocol::tree::percent_decoded;

/// Options that a question has. What is unknown or has no sense is passed over without a word, and so is `ET`, which says
/// whether what is typed can be seen: that changes no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `MINDT`: seconds that a text is shown at least.
    pub(super) min_display_s: Option<u32>,
    /// `MAXDT`: seconds that the user has to answer.
    pub(super) max_display_s: Option<u32>,
    /// `DR`: what is preselected, or typed in already.
    pub(super) default: Option<String>,
    /// `MAXLEN`: characters that can be typed.
    pub(super) chars_max: Option<usize>,
    /// `IT`: what can be typed.
    pub(super) input: Input,
}

/// What can be typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Input {
    /// `A`
    #[default]
    Any,
    /// `N`
    Number,
    /// `D`: a date as DDMMYYYY.
    Date,
    /// `T`: a time as hhmmss.
    Time,
    /// `P`
    Phone,
    /// `I`: an IP address.
    Address,
}

impl Input {
    pub(super) fn lets_in(self, character: char) -> bool {
        match self {
            Self::Any => !character.is_control(),
            Self::Number | Self::Date | Self::Time => character.is_ascii_digit(),
            Self::Phone => character.is_ascii_digit() || "+*#".contains(character),
            Self::Address => character.is_ascii_hexdigit() || ".:".contains(character),
        }
    }

    /// What a user types who was not told what to.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Any => "OK",
            Self::Number => "1",
            Self::Date => "01012030",
            Self::Time => "120000",
            Self::Phone => "+15550100",
            Self::Address => "192.0.2.1",
        }
    }
}

impl Options {
    /// Seconds until a question is taken back; a text is shown as long as it has to be.
    pub(super) fn wait_s(&self) -> Option<u32> {
        self.max_display_s.map(|most| most.max(self.min_display_s.unwrap_or(0)))
    }

    pub(super) fn read(text: &str) -> Self {
        let mut options = Self::default();
        for (name, value) in text.split('&').filter_map(|it| it.split_once('=')) {
            let value = value.replace('+', " ");
            let Some(value) = percent_decoded(&value) else { continue };
            match name.trim() {
                "MINDT" => options.min_display_s = value.parse().ok(),
                "MAXDT" => options.max_display_s = value.parse().ok(),
                "DR" => options.default = Some(value.into_owned()),
                "MAXLEN" => options.chars_max = value.parse().ok(),
                "IT" => {
                    options.input = match value.as_ref() {
                        "N" => Input::Number,
                        "D" => Input::Date,
                        "T" => Input::Time,
                        "P" => Input::Phone,
                        "I" => Input::Address,
                        _ => Input::Any,
                    }
                }
                _ => {}
            }
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_read_and_others_are_passed_over() {
        let options = Options::read("MINDT=5&X-ODD=1&MAXDT=30&DR=a+b%26c&MAXLEN=8&IT=N&ET=P&MINDT");

        assert_eq!(
            options,
            Options {
                min_display_s: Some(5),
                max_display_s: Some(30),
                default: Some("a b&c".into()),
                chars_max: Some(8),
                input: Input::Number,
            }
        );
    }

    #[test]
    fn what_has_no_sense_is_as_if_it_were_not_there() {
        for text in ["", "&&&", "=", "MINDT=soon&MAXDT=-1&MAXLEN=", "IT=X&ET=T", "DR=%FF"] {
            assert_eq!(Options::read(text), Options::default(), "{text}");
        }
    }
}
