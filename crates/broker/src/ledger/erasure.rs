//! Taking the names of a subscriber out of texts.

use serde_json::Value;

use super::Subject;

/// What stands in texts for what was erased.
pub const ERASED: &str = "(erased)";
/// Shortest name that is taken out of texts wherever it stands as a word; a shorter one only where it is a whole value,
/// since it may be a part of anything.
pub const NAME_IN_TEXT_MIN: usize = 4;

/// Names that are to be erased, in every form in which they are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    whole: Vec<String>,
    forms: Vec<Form>,
}

/// A text that is looked for within others, without regard to the case of ASCII letters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    text: String,
    /// Digits end where no digit follows, since letters may stand right beside a number; words where no letter does.
    is_digits: bool,
    /// A value of JSON, with its quotation marks.
    is_quoted: bool,
}

impl Names {
    /// What these names look like: a number with and without what stands before it, an identifier of a device with and
    /// without its scheme; each as it is, and as JSON and XML write it.
    #[must_use]
    pub fn of(subjects: &[Subject], others: &[String]) -> Self {
        let mut names = Self::default();
        for subject in subjects {
            let value = subject.value();
            names.add(value);
            if subject.is_phone() {
                let digits = value.trim_start_matches('+');
                names.add(digits);
                names.add(&format!("00{digits}"));
            } else if let Some((_, bare)) = value.rsplit_once(':').filter(|_| !subject.is_subscriber()) {
                names.add(bare);
            }
        }
        others.iter().for_each(|other| names.add(other));
        // The longest first, so that what stands before a number goes with it.
        names.forms.sort_by(|one, other| other.text.len().cmp(&one.text.len()).then_with(|| one.text.cmp(&other.text)));
        names.forms.dedup();
        names
    }

    fn add(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        self.whole.push(name.to_owned());
        let json = serde_json::Value::from(name).to_string();
        if name.chars().count() < NAME_IN_TEXT_MIN {
            self.forms.push(Form { text: json.to_ascii_lowercase(), is_digits: false, is_quoted: true });
            return;
        }
        let is_digits = name.trim_start_matches('+').bytes().all(|octet| octet.is_ascii_digit());
        let in_xml = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for text in [name, json.trim_matches('"'), &in_xml] {
            self.forms.push(Form { text: text.to_ascii_lowercase(), is_digits, is_quoted: false });
        }
    }

    /// Whether a value is one of the names.
    #[must_use]
    pub fn are(&self, value: &str) -> bool {
        self.whole.iter().any(|name| name.eq_ignore_ascii_case(value))
    }

    /// Whether one of the names is in a text.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// The text with [`ERASED`] in place of the names; nothing where none is in it.
    #[must_use]
    pub fn taken_out(&self, text: &str) -> Option<String> {
        let places = self.places(text);
        if places.is_empty() {
            return None;
        }
        let (mut rest, mut at) = (String::with_capacity(text.len()), 0);
        for (begin, end, is_quoted) in places {
            // A name within a name that is gone already.
            if end <= at {
                continue;
            }
            rest.push_str(text.get(at..begin).unwrap_or_default());
            if begin >= at {
                rest.push_str(&if is_quoted { format!("\"{ERASED}\"") } else { ERASED.to_owned() });
            }
            at = end;
        }
        rest.push_str(text.get(at..).unwrap_or_default());
        Some(rest)
    }

    /// As [`Names::taken_out`], for a text that is JSON and stays so: numbers are left as they are, since none of ours is
    /// a name, and one that looks like one must not become a text.
    #[must_use]
    pub fn taken_out_of_json(&self, text: &str) -> Option<String> {
        if !self.are_in(text) {
            return None;
        }
        let Ok(before) = serde_json::from_str::<Value>(text) else { return self.taken_out(text) };
        let after = self.taken_out_of(before.clone());
        (after != before).then(|| after.to_string())
    }

    fn taken_out_of(&self, value: Value) -> Value {
        let text = |text: String| match self.are(&text) {
            true => ERASED.to_owned(),
            false => self.taken_out(&text).unwrap_or(text),
        };
        match value {
            Value::String(told) => Value::String(text(told)),
            Value::Array(items) => items.into_iter().map(|item| self.taken_out_of(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (text(name), self.taken_out_of(value))).collect()
            }
            other => other,
        }
    }

    /// Where names stand: begin, end, and whether with quotation marks; by their begin, the longer ones first.
    fn places(&self, text: &str) -> Vec<(usize, usize, bool)> {
        let lower = text.to_ascii_lowercase();
        let mut places: Vec<(usize, usize, bool)> = Vec::new();
        for form in &self.forms {
            for (begin, found) in lower.match_indices(&form.text) {
                let end = begin.saturating_add(found.len());
                let before = lower.get(..begin).and_then(|it| it.chars().next_back());
                let after = lower.get(end..).and_then(|it| it.chars().next());
                if form.begins_after(before) && form.ends_before(after) {
                    places.push((begin, end, form.is_quoted));
                }
            }
        }
        places.sort_unstable_by_key(|(begin, end, _)| (*begin, std::cmp::Reverse(*end)));
        places
    }
}

impl Form {
    fn begins_after(&self, neighbour: Option<char>) -> bool {
        // A plus sign ends what stands before it by itself, and so do quotation marks.
        self.text.starts_with(|it: char| !it.is_alphanumeric()) || self.is_foreign(neighbour)
    }

    fn ends_before(&self, neighbour: Option<char>) -> bool {
        self.text.ends_with(|it: char| !it.is_alphanumeric()) || self.is_foreign(neighbour)
    }

    /// Whether a character beside the name is no part of the same number or word.
    fn is_foreign(&self, neighbour: Option<char>) -> bool {
        neighbour.is_none_or(|it| if self.is_digits { !it.is_ascii_digit() } else { !it.is_alphanumeric() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::identity::{DeviceId, Msisdn};

    fn names() -> Names {
        let phone = Subject::phone(&Msisdn::parse("+15551234567").unwrap());
        let device = Subject::device(&DeviceId::from_caller("IMEI:490154203237518").unwrap());
        let other = Subject::device(&DeviceId::from_caller("MEID:A10000009296F2").unwrap());
        let subscriber = Subject::subscriber("s-1");
        Names::of(&[phone, device, other, subscriber], &["Anna \"Ann\" Müller & Co".to_owned()])
    }

    #[test]
    fn names_are_taken_out_in_every_form_they_stand_in() {
        for (text, rest) in [
            ("called +15551234567, twice", "called (erased), twice"),
            ("called 0015551234567", "called (erased)"),
            ("tel:15551234567;x", "tel:(erased);x"),
            ("msisdn15551234567", "msisdn(erased)"),
            ("IMEI:490154203237518 answered", "(erased) answered"),
            ("imei 490154203237518.", "imei (erased)."),
            ("meid:a10000009296f2", "(erased)"),
            (r#"{"v":"A10000009296F2"}"#, r#"{"v":"(erased)"}"#),
            (r#"{"name":"Anna \"Ann\" Müller & Co"}"#, r#"{"name":"(erased)"}"#),
            ("<n>Anna \"Ann\" Müller &amp; Co</n>", "<n>(erased)</n>"),
            (r#"{"subscriberId":"s-1"}"#, r#"{"subscriberId":"(erased)"}"#),
            ("+15551234567+15551234567", "(erased)(erased)"),
        ] {
            assert_eq!(names().taken_out(text).as_deref(), Some(rest), "{text}");
        }
    }

    #[test]
    fn json_stays_json_and_its_numbers_stay_numbers() {
        let digits = Names::of(&[Subject::subscriber("4711"), Subject::subscriber("s-1")], &[]);
        for (text, rest) in [
            (r#"{"n":4711,"text":"4711 called"}"#, Some(r#"{"n":4711,"text":"(erased) called"}"#)),
            (r#"{"4711":["s-1",{"a":"s-12"}]}"#, Some(r#"{"(erased)":["(erased)",{"a":"s-12"}]}"#)),
            (r#"{"n":4711}"#, None),
        ] {
            assert_eq!(digits.taken_out_of_json(text).as_deref(), rest, "{text}");
        }
    }

    #[test]
    fn what_only_has_the_same_characters_stays() {
        for text in [
            "+155512345678",
            "9915551234567",
            "4901542032375181",
            "xa10000009296f2",
            "a10000009296f2b",
            "s-1 and s-12",
            "Anna \"Ann\" Müller & Cousin",
            "",
        ] {
            assert_eq!(names().taken_out(text), None, "{text}");
            assert!(!names().are_in(text), "{text}");
        }
        assert!(names().are("s-1") && names().are("+15551234567") && !names().are("s-12"));
    }
}
