//! Rules about text that compilers do not know: nothing unfinished, nothing switched off, no path
//! of a machine, and SQL that runs on every engine we name.

use anyhow::Result;

use crate::stage::Outcome;
use crate::workspace::Workspace;

/// What a Rust file must not hold, each with the reason. Split so that this file does not either.
const UNFINISHED: [(&str, &str); 4] = [
    (concat!("#[", "ignore"), "a test that is switched off tests nothing"),
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
    (concat!("#[", "should_panic"), "say which error instead"),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("C:\\", "Users\\"),
];

/// What our SQL does without, each with the reason: see `docs/decisions`.
const NOT_PORTABLE: [(&str, &str); 9] = [
    ("SKIP LOCKED", "claim by primary key and UPDATE … RETURNING"),
    ("LISTEN", "poll; a wake-up is a hint inside one process"),
    ("NOTIFY", "poll; a wake-up is a hint inside one process"),
    ("ADVISORY", "use a lease row with expiry and fencing number"),
    ("SEQUENCE", "identifiers are made by us"),
    ("SERIAL", "identifiers are made by us"),
    ("BIGSERIAL", "identifiers are made by us"),
    ("NEXTVAL", "identifiers are made by us"),
    ("TRIGGER", "effects are written in the transaction that causes them"),
];

/// Looks at every file under version control.
pub(crate) fn check(workspace: &Workspace) -> Result<Outcome> {
    let files = workspace.files()?;
    let mut problems = Vec::new();
    for file in &files {
        // What is not UTF-8 (golden bytes) has no lines to look at.
        let Ok(text) = workspace.read(file) else {
            continue;
        };
        problems.extend(complaints(file, &text));
    }
    Ok(Outcome::of_problems(&problems, format!("{} files", files.len())))
}

fn complaints(file: &str, text: &str) -> Vec<String> {
    let is_rust = file.ends_with(".rs");
    let is_sql = file.ends_with(".sql");
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut say = |what: &str, why: &str| problems.push(format!("{file}:{number}: {what}: {why}"));
        for (word, why) in UNFINISHED.iter().filter(|(word, _)| is_rust && line.contains(word)) {
            say(word, why);
        }
        for path in MACHINE_PATHS.iter().filter(|path| has_path(line, path)) {
            say(path, "a path of one machine");
        }
        for (words, why) in NOT_PORTABLE.iter().filter(|(words, _)| is_sql && has_words(line, words)) {
            say(words, why);
        }
    }
    problems
}

/// Whether an absolute path with this beginning stands in the line; `x/home/` is a relative one.
fn has_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || ".-_/~}".contains(c)))
    })
}

/// Whether these words stand in a line of SQL, outside its comment, whatever their case.
fn has_words(line: &str, words: &str) -> bool {
    let code = line.split("--").next().unwrap_or_default().to_uppercase();
    let in_line: Vec<&str> =
        code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let wanted: Vec<&str> = words.split(' ').collect();
    in_line.windows(wanted.len()).any(|found| {
        // pg_advisory_lock and its like are one word to SQL.
        found == wanted || (words == "ADVISORY" && found.iter().any(|word| word.contains(words)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switched_off_test_is_found_in_rust_only() {
        let line = concat!("    #[", "ignore]");

        assert_eq!(complaints("a.rs", line).len(), 1);
        assert!(complaints("a.md", line).is_empty());
    }

    #[test]
    fn absolute_path_of_a_machine_is_found_and_a_relative_one_is_not() {
        assert!(has_path(concat!("see `/ho", "me/me/x`"), MACHINE_PATHS[0]));
        assert!(!has_path(concat!("crates/ho", "me/x.rs"), MACHINE_PATHS[0]));
        assert!(!has_path(concat!("https://a.example/ho", "me/"), MACHINE_PATHS[0]));
    }

    #[test]
    fn sql_of_one_engine_is_found_whatever_its_case() {
        for line in [
            "SELECT 1 FOR UPDATE skip locked",
            "CREATE TABLE t (id BIGSERIAL)",
            "id bigserial",
            "SELECT nextval('s')",
            "SELECT pg_advisory_xact_lock(1)",
            "create trigger x",
            "LISTEN tasks;",
        ] {
            assert_eq!(complaints("m.sql", line).len(), 1, "{line}");
        }
    }

    #[test]
    fn sql_comment_and_longer_names_are_left_alone() {
        for line in ["-- no SKIP LOCKED here", "serial_number TEXT", "listening INTEGER"] {
            assert!(complaints("m.sql", line).is_empty(), "{line}");
        }
    }

    #[test]
    fn problem_is_given_with_its_line() {
        let text = format!("fn a() {{\n    {}\n}}", concat!("todo", "!()"));

        assert_eq!(complaints("a.rs", &text), [format!("a.rs:2: {}: unfinished", concat!("todo", "!("))]);
    }
}
