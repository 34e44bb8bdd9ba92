//! Questions to the user and their answers.
use super::world::*;
use crate::{
    dm1::{Action, InputKind, Note, Order, UserAnswer},
    syncml::{Alert, Command, Item},
};

/// How the action is asked: alert code, options, text and choices.
fn alert(action: Action) -> (String, Vec<String>) {
    let reply = World::logged_in().answer(vec![Order { tag: 1, action }]);
    let Some(Command::Alert(Alert { code, items, .. })) = reply.message.commands.last() else { panic!("no alert") };
    let texts = items.iter().map(|it| it.data.as_ref().unwrap().as_text().unwrap().to_owned());
    (code.to_string(), texts.collect())
}

fn input(default: Option<&str>, length_max: Option<u32>, kind: InputKind, is_secret: bool) -> Action {
    Action::Input {
        text: "Your name?".into(),
        min_display_s: None,
        max_display_s: Some(60),
        default: default.map(Into::into),
        length_max,
        kind,
        is_secret,
    }
}

fn choose(default: Option<u32>) -> Action {
    let choices = vec!["Alpha".into(), "Beta".into(), "Gamma".into()];
    Action::Choose { text: "Pick one".into(), choices, min_display_s: None, max_display_s: None, default }
}

fn choose_many(defaults: &[u32]) -> Action {
    let choices = vec!["Alpha".into(), "Beta".into(), "Gamma".into()];
    let defaults = defaults.to_vec();
    Action::ChooseMany { text: "Pick any".into(), choices, min_display_s: None, max_display_s: None, defaults }
}

fn display(text: &str) -> Action {
    Action::Display { text: text.into(), min_display_s: Some(5), max_display_s: None }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn each_question_has_its_code_its_options_and_its_choices() {
    let of = |code: &str, texts: &[&str]| (code.to_owned(), strings(texts));

    assert_eq!(alert(display("Hello")), of("1100", &["MINDT=5", "Hello"]));
    assert_eq!(
        alert(input(None, None, InputKind::Alphanumeric, false)),
        of("1102", &["MINDT=1&MAXDT=60", "Your name?"])
    );
    assert_eq!(alert(choose(Some(2))), of("1103", &["MINDT=1&DR=2", "Pick one", "Alpha", "Beta", "Gamma"]));
    assert_eq!(alert(choose_many(&[1, 3])), of("1104", &["MINDT=1&DR=1-3", "Pick any", "Alpha", "Beta", "Gamma"]));
}

#[test]
fn options_of_input_say_what_may_be_typed() {
    let options = |kind, is_secret| alert(input(Some("x"), Some(8), kind, is_secret)).1.swap_remove(0);

    for (kind, letter) in [
        (InputKind::Numeric, "N"),
        (InputKind::Date, "D"),
        (InputKind::Time, "T"),
        (InputKind::Phone, "P"),
        (InputKind::IpAddress, "I"),
    ] {
        assert_eq!(options(kind, false), format!("MINDT=1&MAXDT=60&DR=x&MAXLEN=8&IT={letter}"));
    }
    assert_eq!(options(InputKind::Alphanumeric, true), "MINDT=1&MAXDT=60&DR=x&MAXLEN=8&ET=P", "A is the default");
}

#[test]
fn values_of_options_are_url_encoded() {
    let (_, texts) = alert(input(Some("a b&c=d+é%\"-._"), None, InputKind::Alphanumeric, false));

    assert_eq!(texts[0], "MINDT=1&MAXDT=60&DR=a+b%26c%3Dd%2B%C3%A9%25%22-._");
}

#[test]
fn no_question_has_an_empty_option_item() {
    let confirm = Action::Confirm { text: "?".into(), min_display_s: None, max_display_s: None, default_accept: None };
    let silent = Action::Display { text: "Hello".into(), min_display_s: None, max_display_s: None };

    for action in [confirm, silent, choose(None), choose_many(&[]), input(None, None, InputKind::Date, false)] {
        assert!(alert(action).1[0].starts_with("MINDT=1"));
    }
}

#[test]
fn question_without_words_or_choices_is_not_asked() {
    let without_choices = Action::Choose {
        text: "Pick one".into(),
        choices: vec![],
        min_display_s: None,
        max_display_s: None,
        default: None,
    };
    let blank_choice = Action::ChooseMany {
        text: "Pick any".into(),
        choices: vec!["Alpha".into(), " ".into()],
        min_display_s: None,
        max_display_s: None,
        defaults: vec![],
    };

    for action in [display(""), without_choices, blank_choice, choose(Some(0)), choose(Some(4)), choose_many(&[1, 4])] {
        for action in [action.clone(), Action::Sequence(vec![Order { tag: 2, action }])] {
            let reply = World::logged_in().answer(vec![Order { tag: 1, action }]);
            assert_eq!(reply.outcomes[0].note, Some(Note::NotAllowed));
        }
    }
}

/// What the user said, if the device answers with these statuses: code, and data of the items.
fn answer(action: Action, statuses: &[(u16, &[&str])]) -> Option<UserAnswer> {
    let mut world = World::asked(vec![Order { tag: 1, action }]);
    let draft = statuses.iter().fold(package_3(2, 1), |draft, (code, texts)| {
        draft.status_with(1, 4, *code, |status| {
            status.items = texts.iter().map(|it| Item { data: Some((*it).into()), ..Item::default() }).collect();
        })
    });
    world.receive(draft).outcomes.swap_remove(0).user
}

#[test]
fn answers_of_the_user_are_typed() {
    let confirm =
        || Action::Confirm { text: "?".into(), min_display_s: None, max_display_s: None, default_accept: None };
    let typed = || input(None, None, InputKind::Alphanumeric, false);
    let choices = |numbers: &[u32]| Some(UserAnswer::Choices(numbers.to_vec()));

    assert_eq!(answer(display("Hello"), &[(200, &[])]), Some(UserAnswer::Shown));
    assert_eq!(answer(confirm(), &[(200, &[])]), Some(UserAnswer::Yes));
    assert_eq!(answer(confirm(), &[(304, &[])]), Some(UserAnswer::No));
    assert_eq!(answer(typed(), &[(200, &["Ada"])]), Some(UserAnswer::Text("Ada".into())));
    assert_eq!(answer(typed(), &[(200, &[])]), Some(UserAnswer::Text("".into())));
    assert_eq!(answer(choose(None), &[(200, &["2"])]), choices(&[2]));
    for action in [confirm(), typed(), choose(None), choose_many(&[])] {
        assert_eq!(answer(action.clone(), &[(214, &[])]), Some(UserAnswer::Cancelled));
        assert_eq!(answer(action.clone(), &[(408, &[])]), Some(UserAnswer::TimedOut));
        for code in [215, 406, 412, 416] {
            assert_eq!(answer(action.clone(), &[(code, &[])]), None, "{code}: the user was not asked");
        }
    }
}

#[test]
fn several_choices_come_in_one_status_or_in_several_and_in_any_order() {
    let expected = Some(UserAnswer::Choices(vec![1, 3]));

    assert_eq!(answer(choose_many(&[]), &[(200, &["3", "1"])]), expected);
    assert_eq!(answer(choose_many(&[]), &[(200, &["1"]), (200, &["3"])]), expected);
    assert_eq!(answer(choose_many(&[]), &[(200, &["1-3"])]), expected);
    assert_eq!(answer(choose_many(&[]), &[(200, &[" 3 ", "3", "1", "9", "x"])]), expected);
    assert_eq!(answer(choose_many(&[]), &[(200, &[])]), Some(UserAnswer::Choices(vec![])), "none is an answer");
}

#[test]
fn choice_that_is_not_one_of_those_offered_is_no_answer() {
    for texts in [["0"], ["4"], ["x"], ["1-2"]] {
        assert_eq!(answer(choose(None), &[(200, &texts)]), None, "{texts:?}");
    }
}

#[test]
fn question_in_an_atomic_or_sequence_is_answered_like_any_other() {
    let members = || vec![Order { tag: 2, action: choose(None) }, delete(3, "./A")];
    for container in [Action::Atomic(members()), Action::Sequence(members())] {
        let mut world = World::asked(vec![Order { tag: 1, action: container }]);
        let draft = package_3(2, 1).status(1, 4, 200).status_with(1, 5, 200, |status| {
            status.items = vec![Item { data: Some("1".into()), ..Item::default() }];
        });

        let received = world.receive(draft.status(1, 6, 200));

        assert_eq!(received.outcomes[1].user, Some(UserAnswer::Choices(vec![1])));
    }
}
