//! Questions to the user of the device.
//!
//! Source: OMA DM 1.2 Protocol, "User interaction commands".

use muster_protocol::syncml::{Alert, Item, StatusCode};

use crate::behaviour::User;

/// The text a user types.
const TYPED: &str = "OK";

/// What an alert is answered with: a status, and what the user typed or chose.
pub(super) fn answer(alert: &Alert, user: User) -> (StatusCode, Vec<Item>) {
    let text = alert.items.get(1).and_then(|item| item.data.as_ref());
    let choices = alert.items.len().saturating_sub(2);
    let chosen = match alert.code.as_str() {
        "1222" => return (StatusCode::OK, Vec::new()),
        "1100" | "1101" | "1102" | "1103" | "1104" if text.is_none() => {
            return (StatusCode::INCOMPLETE, Vec::new());
        }
        "1103" | "1104" if choices == 0 => return (StatusCode::INCOMPLETE, Vec::new()),
        // A text to look at asks nothing.
        "1100" => return (StatusCode::OK, Vec::new()),
        "1101" => None,
        "1102" => Some(TYPED),
        "1103" | "1104" => Some("1"),
        _ => return (StatusCode::NOT_SUPPORTED, Vec::new()),
    };
    match user {
        User::Accepts => {
            let item = chosen.map(|data| Item { data: Some(data.into()), ..Item::default() });
            (StatusCode::OK, item.into_iter().collect())
        }
        User::Declines => (StatusCode::NOT_MODIFIED, Vec::new()),
        User::NoAnswer => (StatusCode::REQUEST_TIMEOUT, Vec::new()),
        User::Cancels => (StatusCode::CANCELLED_BY_USER, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(code: &str, texts: &[&str]) -> Alert {
        let item = |text: &&str| Item { data: Some((*text).into()), ..Item::default() };
        Alert { code: code.into(), items: texts.iter().map(item).collect(), ..Alert::default() }
    }

    #[test]
    fn each_kind_of_user_answers_a_confirmation_with_its_status() {
        let alert = question("1101", &["MINDT=1", "Update now?"]);

        assert_eq!(answer(&alert, User::Accepts), (StatusCode::OK, vec![]));
        assert_eq!(answer(&alert, User::Declines), (StatusCode::NOT_MODIFIED, vec![]));
        assert_eq!(answer(&alert, User::NoAnswer), (StatusCode::REQUEST_TIMEOUT, vec![]));
        assert_eq!(answer(&alert, User::Cancels), (StatusCode::CANCELLED_BY_USER, vec![]));
    }

    #[test]
    fn a_choice_is_answered_with_its_index() {
        let (code, items) = answer(&question("1103", &["", "Which?", "red", "blue"]), User::Accepts);

        assert_eq!(code, StatusCode::OK);
        assert_eq!(items[0].data, Some("1".into()));
    }

    #[test]
    fn a_question_without_text_or_choices_is_incomplete() {
        assert_eq!(answer(&question("1101", &["MINDT=1"]), User::Accepts).0, StatusCode::INCOMPLETE);
        assert_eq!(answer(&question("1103", &["", "Which?"]), User::Accepts).0, StatusCode::INCOMPLETE);
    }

    #[test]
    fn alerts_of_data_synchronisation_are_not_supported() {
        assert_eq!(answer(&question("200", &[]), User::Accepts).0, StatusCode::NOT_SUPPORTED);
    }
}
