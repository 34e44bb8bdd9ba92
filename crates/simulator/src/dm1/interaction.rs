//! Questions to the user of the device.
//!
//! Source: OMA DM 1.2 Protocol, "User interaction commands".

mod options;

use muster_protocol::syncml::{Alert, Item, ItemData, StatusCode};

use crate::user::{Mood, User};
use options::Options;

/// Most choices that a question may have.
const CHOICES_MAX: usize = 100;

/// What an alert is answered with: a status, and what the user typed or chose.
///
/// 200 done or yes, 304 no, 214 cancelled, 408 no answer in time, 406 no such alert or no screen, 412 no text or no
/// choices, 416 more than the screen can show.
pub(super) fn answer(alert: &Alert, user: &User) -> (StatusCode, Vec<Item>) {
    let bare = |code| (code, Vec::new());
    if alert.code == "1222" {
        return bare(StatusCode::OK);
    }
    let Some(kind) = Kind::of(&alert.code) else { return bare(StatusCode::NOT_SUPPORTED) };
    if user.screen_chars == Some(0) {
        return bare(StatusCode::NOT_SUPPORTED);
    }
    let texts = || alert.items.iter().map(|item| item.data.as_ref().and_then(ItemData::as_text));
    let Some(Some(text)) = texts().nth(1) else { return bare(StatusCode::INCOMPLETE) };
    let Some(choices) = texts().skip(2).collect::<Option<Vec<&str>>>() else { return bare(StatusCode::INCOMPLETE) };
    let is_choice = matches!(kind, Kind::One | Kind::Several);
    if is_choice && choices.is_empty() {
        return bare(StatusCode::INCOMPLETE);
    }
    let shown: usize = std::iter::once(text).chain(choices.iter().copied()).map(|it| it.chars().count()).sum();
    if choices.len() > CHOICES_MAX || user.screen_chars.is_some_and(|max| shown > max) {
        return bare(StatusCode::RANGE_TOO_BIG);
    }
    let options = Options::read(texts().next().flatten().unwrap_or_default());
    let is_late = options.wait_s().is_some_and(|most| user.answers_after_s > most);
    match (kind, user.mood) {
        // A text to look at asks nothing.
        (Kind::Display, _) => bare(StatusCode::OK),
        _ if is_late => bare(StatusCode::REQUEST_TIMEOUT),
        (_, Mood::Declines) => bare(StatusCode::NOT_MODIFIED),
        (_, Mood::NoAnswer) => bare(StatusCode::REQUEST_TIMEOUT),
        (_, Mood::Cancels) => bare(StatusCode::CANCELLED_BY_USER),
        (Kind::Confirm, Mood::TakesDefaults) if options.default.as_deref() != Some("1") => {
            bare(StatusCode::NOT_MODIFIED)
        }
        (Kind::Confirm, _) => bare(StatusCode::OK),
        (Kind::Input, _) => (StatusCode::OK, vec![item(&typed(&options, user))]),
        (Kind::One | Kind::Several, _) => {
            let mut chosen = chosen(&options, user, choices.len());
            if kind == Kind::One {
                chosen.truncate(1);
            }
            // One choice must be made; of several, none may be.
            if chosen.is_empty() && kind == Kind::One {
                return bare(StatusCode::CANCELLED_BY_USER);
            }
            (StatusCode::OK, chosen.iter().map(|it| item(&it.to_string())).collect())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Display,
    Confirm,
    Input,
    One,
    Several,
}

impl Kind {
    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "1100" => Self::Display,
            "1101" => Self::Confirm,
            "1102" => Self::Input,
            "1103" => Self::One,
            "1104" => Self::Several,
            _ => return None,
        })
    }
}

fn item(data: &str) -> Item {
    Item { data: Some(data.into()), ..Item::default() }
}

/// What the user typed: only characters that the question lets in, and no more of them than it takes.
fn typed(options: &Options, user: &User) -> String {
    let default = options.default.as_deref();
    let text = match user.mood {
        Mood::TakesDefaults => default.unwrap_or_default(),
        _ => user.types.as_deref().unwrap_or(options.input.example()),
    };
    text.chars().filter(|it| options.input.lets_in(*it)).take(options.chars_max.unwrap_or(usize::MAX)).collect()
}

/// Which choices the user took: those that there are, each once.
fn chosen(options: &Options, user: &User, choices: usize) -> Vec<u32> {
    let wanted = match (user.mood, &user.chooses) {
        (Mood::TakesDefaults, _) => {
            options.default.as_deref().unwrap_or_default().split('-').filter_map(|it| it.parse().ok()).collect()
        }
        (_, Some(chooses)) => chooses.clone(),
        (_, None) => vec![1],
    };
    let mut chosen = Vec::new();
    for index in wanted {
        let is_there = index >= 1 && usize::try_from(index).is_ok_and(|it| it <= choices);
        if is_there && !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(code: &str, texts: &[&str]) -> Alert {
        Alert { code: code.into(), items: texts.iter().map(|it| item(it)).collect(), ..Alert::default() }
    }

    fn of(mood: Mood) -> User {
        User { mood, ..User::default() }
    }

    /// Status, and the data of the items.
    fn asked(code: &str, texts: &[&str], user: &User) -> (u16, Vec<String>) {
        let (status, items) = answer(&question(code, texts), user);
        let data = |it: &Item| it.data.as_ref().and_then(ItemData::as_text).unwrap_or_default().to_owned();
        (status.0, items.iter().map(data).collect())
    }

    #[test]
    fn each_kind_of_user_answers_each_kind_of_question_with_its_status() {
        let questions: [(&str, &[&str]); 4] = [
            ("1101", &["MINDT=1", "Update now?"]),
            ("1102", &["MINDT=1", "Name?"]),
            ("1103", &["MINDT=1", "Which?", "red", "blue"]),
            ("1104", &["MINDT=1", "Which?", "red", "blue"]),
        ];
        for (mood, status) in [(Mood::Accepts, 200), (Mood::Declines, 304), (Mood::NoAnswer, 408), (Mood::Cancels, 214)]
        {
            for (code, texts) in questions {
                let (said, items) = asked(code, texts, &of(mood));
                assert_eq!(said, status, "{code} {mood:?}");
                assert_eq!(items.is_empty(), code == "1101" || status != 200, "{code} {mood:?}");
            }
            assert_eq!(asked("1100", &["", "Done"], &of(mood)), (200, vec![]));
        }
    }

    #[test]
    fn a_confirmation_is_answered_by_what_is_preselected() {
        let user = of(Mood::TakesDefaults);

        assert_eq!(asked("1101", &["MINDT=1&DR=1", "Go on?"], &user).0, 200);
        assert_eq!(asked("1101", &["DR=0&MINDT=1", "Go on?"], &user).0, 304);
        assert_eq!(asked("1101", &["", "Go on?"], &user).0, 304);
    }

    #[test]
    fn a_user_who_takes_longer_than_the_question_waits_is_too_late() {
        let slow = User { answers_after_s: 10, ..User::default() };

        assert_eq!(asked("1101", &["MAXDT=9", "Go on?"], &slow).0, 408);
        assert_eq!(asked("1101", &["MAXDT=10", "Go on?"], &slow).0, 200);
        assert_eq!(asked("1101", &["MAXDT=5&MINDT=12", "Go on?"], &slow).0, 200);
        assert_eq!(asked("1102", &["MAXDT=9", "Name?"], &slow), (408, vec![]));
        assert_eq!(asked("1100", &["MAXDT=9", "Done"], &slow).0, 200);
    }

    #[test]
    fn a_choice_is_answered_with_its_index() {
        let choosing = |chooses: &[u32]| User { chooses: Some(chooses.to_vec()), ..User::default() };
        let texts = ["", "Which?", "red", "blue", "green"];

        assert_eq!(asked("1103", &texts, &User::default()), (200, vec!["1".into()]));
        assert_eq!(asked("1103", &texts, &choosing(&[9, 3, 2])), (200, vec!["3".into()]));
        assert_eq!(asked("1103", &texts, &choosing(&[0, 4])), (214, vec![]));
        let with_default = ["DR=2", "Which?", "red", "blue"];
        assert_eq!(asked("1103", &with_default, &of(Mood::TakesDefaults)), (200, vec!["2".into()]));
    }

    #[test]
    fn several_choices_are_answered_with_an_item_each() {
        let choosing = |chooses: &[u32]| User { chooses: Some(chooses.to_vec()), ..User::default() };
        let texts = ["DR=1-3", "Which?", "red", "blue", "green"];

        assert_eq!(asked("1104", &texts, &choosing(&[3, 1, 3, 7])), (200, vec!["3".into(), "1".into()]));
        assert_eq!(asked("1104", &texts, &choosing(&[])), (200, vec![]));
        assert_eq!(asked("1104", &texts, &of(Mood::TakesDefaults)), (200, vec!["1".into(), "3".into()]));
    }

    #[test]
    fn what_is_typed_fits_the_question() {
        let typing = |text: &str| User { types: Some(text.into()), ..User::default() };
        let typed = |options: &str, user: &User| asked("1102", &[options, "Say"], user).1.concat();

        assert_eq!(typed("MAXLEN=3", &typing("abcdef")), "abc");
        assert_eq!(typed("IT=N&MAXLEN=4", &typing("a1b2c3d4e5")), "1234");
        assert_eq!(typed("IT=P", &typing("+1 (555) 0100")), "+15550100");
        assert_eq!(typed("IT=I&ET=P", &typing("192.0.2.1x")), "192.0.2.1");
        assert_eq!(typed("DR=so+far%21", &of(Mood::TakesDefaults)), "so far!");
        for (options, example) in [
            ("", "OK"),
            ("IT=N", "1"),
            ("IT=D", "01012030"),
            ("IT=T", "120000"),
            ("IT=P", "+15550100"),
            ("IT=I", "192.0.2.1"),
        ] {
            assert_eq!(typed(options, &User::default()), example);
        }
    }

    #[test]
    fn a_question_without_text_or_choices_is_incomplete() {
        for (code, texts) in [
            ("1100", &[""][..]),
            ("1101", &["MINDT=1"]),
            ("1102", &[]),
            ("1103", &["", "Which?"]),
            ("1104", &["", "Which?"]),
        ] {
            assert_eq!(asked(code, texts, &User::default()).0, 412, "{code}");
        }
        let mut alert = question("1103", &["", "Which?", "red"]);
        alert.items.push(Item::default());
        assert_eq!(answer(&alert, &User::default()).0, StatusCode::INCOMPLETE);
    }

    #[test]
    fn what_the_screen_cannot_show_is_told() {
        let small = User { screen_chars: Some(10), ..User::default() };
        let none = User { screen_chars: Some(0), ..User::default() };

        assert_eq!(asked("1100", &["", "0123456789"], &small).0, 200);
        assert_eq!(asked("1100", &["", "0123456789A"], &small).0, 416);
        assert_eq!(asked("1103", &["", "Which?", "red", "blue"], &small).0, 416);
        assert_eq!(asked("1101", &["", "?"], &none).0, 406);
        let many: Vec<&str> = vec!["x"; CHOICES_MAX + 3];
        assert_eq!(asked("1103", &many, &User::default()).0, 416);
    }

    #[test]
    fn alerts_of_data_synchronisation_are_not_supported() {
        for code in ["200", "100", "1105", "1226", ""] {
            assert_eq!(asked(code, &["", "text"], &User::default()).0, 406, "{code}");
        }
    }
}
