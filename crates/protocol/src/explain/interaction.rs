//! Alerts that ask the user.
//!
//! Source: OMA DM Protocol 1.2, "User interaction".

use super::{Node, Tone};

/// Explains the items of an alert of these codes. The first holds options, the second the text, all more the choices.
pub(super) fn annotate(alert: &mut Node) {
    let choices = matches!(alert.child_text("Data"), "1103" | "1104");
    let items = alert.children.iter_mut().filter(|it| it.name == "Item");
    for (number, item) in items.enumerate() {
        match number {
            0 => match item.child_mut("Data") {
                Some(data) => options(data),
                None => item.note(Tone::Plain, "no options"),
            },
            1 => item.note(Tone::Plain, if choices { "title" } else { "text to show" }),
            number if choices => item.note(Tone::Plain, format!("choice {}", number - 1)),
            _ => {}
        }
    }
}

fn options(data: &mut Node) {
    let text = data.text().to_owned();
    let explained: Vec<String> = text.split('&').filter(|it| !it.is_empty()).map(option).collect();
    if !explained.is_empty() {
        data.note(Tone::Plain, explained.join("; "));
    }
}

fn option(text: &str) -> String {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.replace('+', " ");
    match name {
        "MINDT" => format!("shown for {value} s at least"),
        "MAXDT" => format!("waits {value} s for the user"),
        "DR" => format!("default answer {value}"),
        "MAXLEN" => format!("at most {value} characters"),
        "IT" => {
            let kind = match value.as_str() {
                "A" => "letters and digits",
                "N" => "a number",
                "D" => "a date",
                "T" => "a time",
                "P" => "a phone number",
                "I" => "an IP address",
                other => other,
            };
            format!("input is {kind}")
        }
        "ET" if value == "P" => "input is not shown".to_owned(),
        "ET" => "input is shown".to_owned(),
        other => format!("{other} is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    #[test]
    fn options_are_told_in_words() {
        let mut data = Node { value: Some(Value::Text("MINDT=10&DR=1&IT=N&ET=P&X=1".into())), ..Node::default() };
        options(&mut data);
        let told = "shown for 10 s at least; default answer 1; input is a number; input is not shown; X is not known";
        assert_eq!(data.notes.first().map(|it| it.text.as_str()), Some(told));
    }
}
