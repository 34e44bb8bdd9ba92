//! Conformance tables: every requirement has a status, and every test that is named exists.
//!
//! A table has the columns id, requirement, status and shown by; or, where it is about single requests, id, what is sent,
//! what is answered and shown by, and then each row is met. A test is named `crate::module::function`; between the crate
//! and the function, any folders and files of its path may stand, in order.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::stage::Outcome;
use crate::workspace::Workspace;

/// Where the tables are.
const FOLDER: &str = "docs/conformance/";
/// What a requirement can be. Only what is met needs a test.
const STATUSES: [&str; 4] = ["met", "partly", "not met", "not used"];
/// Head of the third column of a table about requests and their answers.
const ANSWER: &str = "what is answered";

/// Looks at every table under version control.
pub(crate) fn check(workspace: &Workspace) -> Result<Outcome> {
    let files = workspace.files()?;
    let (mut tests, mut problems, mut rows) = (Vec::new(), Vec::new(), 0);
    for file in files.iter().filter(|file| is_source(file)) {
        let text = workspace.read(file)?;
        let before = tests.len();
        tests.extend(tests_in(&text).map(|name| Test { place: place(file), name: name.to_owned() }));
        if tests.len() > before && !is_compiled(file, &files, |parent| workspace.read(parent))? {
            problems.push(format!("{file}: has tests that never run, since no file says `mod` of it"));
        }
    }
    for file in files.iter().filter(|file| file.starts_with(FOLDER) && file.ends_with(".md")) {
        let text = workspace.read(file)?;
        let mut ids = BTreeSet::new();
        for (number, row) in table_rows(&text) {
            rows += 1;
            let Some(row) = row else {
                problems.push(format!(
                    "{file}:{number}: a row has four cells: id, requirement, status (or what is answered), shown by"
                ));
                continue;
            };
            problems.extend(complaints(&row, &tests, &mut ids).into_iter().map(|it| format!("{file}:{number}: {it}")));
        }
    }
    Ok(Outcome::of_problems(&problems, format!("{rows} requirements")))
}

/// A test function and the folders and files it is in, the crate first.
#[derive(Debug, PartialEq, Eq)]
struct Test {
    place: Vec<String>,
    name: String,
}

/// One line of a table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: String,
    status: String,
    /// Whether the third cell is an answer, and the status is that it is given.
    is_answer: bool,
    shown_by: Vec<String>,
}

fn is_source(file: &str) -> bool {
    file.starts_with("crates/") && file.ends_with(".rs") || file.starts_with("interop/") && file.ends_with(".py")
}

/// Whether the file is the root of a crate or a module of the file above it. A forgotten one is silently left out.
fn is_compiled(file: &str, files: &[String], read: impl Fn(&str) -> Result<String>) -> Result<bool> {
    let Some((folder, name)) = file.strip_suffix(".rs").and_then(|bare| bare.rsplit_once('/')) else { return Ok(true) };
    if matches!(name, "lib" | "main" | "mod")
        || matches!(folder.rsplit('/').next(), Some("bin" | "benches" | "examples"))
    {
        return Ok(true);
    }
    let above =
        [format!("{folder}.rs"), format!("{folder}/mod.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
    let mut above = above.iter().filter(|it| files.contains(*it)).peekable();
    if above.peek().is_none() {
        return Ok(folder.ends_with("/tests")); // An integration test of its own.
    }
    let declaration = format!("mod {name};");
    for parent in above {
        if read(parent)?.lines().any(|line| line.trim_end().ends_with(&declaration)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `crates/protocol/src/dm1/tests/large.rs` is `protocol`, `dm1`, `tests`, `large`.
fn place(file: &str) -> Vec<String> {
    let bare = file.rsplit_once('.').map_or(file, |(bare, _)| bare);
    let bare = bare.strip_prefix("crates/").unwrap_or(bare);
    bare.split('/').filter(|part| *part != "src").map(str::to_owned).collect()
}

/// Names of the test functions of a file: of Rust those behind an attribute that ends in `test]` or `test(…)]`, of
/// Python those that begin with `test_`.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("def test_") {
            let end = rest.find('(')?;
            return line.get("def ".len().."def test_".len() + end);
        }
        if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            return None;
        }
        let signature = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let name = signature.and_then(|it| it.split('(').next());
        if line.is_empty() || line.starts_with("//") {
            return None;
        }
        std::mem::take(&mut is_test).then_some(name).flatten()
    })
}

/// The lines of the tables of a document but for their heads, each with its line number, counted from 1. Nothing for
/// one that has not four cells.
fn table_rows(text: &str) -> impl Iterator<Item = (usize, Option<Row>)> {
    let mut is_answer = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let inside = line.strip_prefix('|')?.trim_end();
        let cells: Vec<&str> = inside.strip_suffix('|').unwrap_or(inside).split(" | ").map(str::trim).collect();
        let [id, _, third, shown_by] = cells.as_slice() else { return Some((number, None)) };
        if *id == "id" {
            is_answer = *third == ANSWER;
            return None;
        }
        if id.starts_with("---") {
            return None;
        }
        let named = shown_by.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((number, Some(Row { id: (*id).to_owned(), status: (*third).to_owned(), is_answer, shown_by: named })))
    })
}

fn complaints(row: &Row, tests: &[Test], ids: &mut BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let Row { id, status, is_answer, shown_by } = row;
    if !ids.insert(id.clone()) {
        complaints.push(format!("{id} stands twice"));
    }
    if *is_answer {
        if status.is_empty() || shown_by.is_empty() {
            complaints.push(format!("{id} has no answer, or no test that shows it"));
        }
    } else if !STATUSES.contains(&status.as_str()) {
        complaints.push(format!("{id}: status {status:?} is none of {}", STATUSES.join(", ")));
    }
    if !is_answer && status == "met" && shown_by.is_empty() {
        complaints.push(format!("{id} is met, and no test shows it"));
    }
    for name in shown_by {
        match tests.iter().filter(|test| is_named(test, name)).count() {
            0 => complaints.push(format!("{id}: there is no test {name}")),
            1 => {}
            more => complaints.push(format!("{id}: {name} names {more} tests; add the folder or file")),
        }
    }
    complaints
}

/// Whether `name` leads to the test: the crate, then parts of its path in order, then the function.
fn is_named(test: &Test, name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let [first, between @ .., last] = parts.as_slice() else { return false };
    let mut place = test.place.iter();
    *last == test.name
        && place.next().is_some_and(|it| it == first)
        && between.iter().all(|part| place.any(|it| it == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_in_rust_and_in_python() {
        let rust = "#[test]\nfn one() {\n    fn inner() {}\n}\n#[tokio::test(flavor = \"x\")]\nasync fn two() {}\n\
                    fn helper() {}\n#[test]\n#[cfg(unix)]\nfn three() {}";
        assert_eq!(tests_in(rust).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(tests_in("    def test_four(self):\n    def setUp(self):").collect::<Vec<_>>(), ["test_four"]);
    }

    #[test]
    fn file_of_tests_that_is_no_module_is_found() {
        let files =
            ["a/src/lib.rs", "a/src/b.rs", "a/src/b/c.rs", "a/src/b/d.rs", "a/tests/e.rs", "a/tests/it/main.rs"];
        let files = files.map(str::to_owned);
        let read =
            |file: &str| Ok(if file == "a/src/b.rs" { "mod c;".to_owned() } else { "pub(crate) mod b;".to_owned() });
        let compiled = |file: &str| {
            is_compiled(&format!("crates/{file}"), &files.clone().map(|it| format!("crates/{it}")), |it| {
                read(it.trim_start_matches("crates/"))
            })
        };
        for file in ["a/src/lib.rs", "a/src/b.rs", "a/src/b/c.rs", "a/tests/e.rs", "a/tests/it/main.rs"] {
            assert!(matches!(compiled(file), Ok(true)), "{file}");
        }
        assert!(matches!(compiled("a/src/b/d.rs"), Ok(false)));
    }

    #[test]
    fn test_is_named_by_its_crate_and_parts_of_its_path() {
        let test = Test { place: place("crates/protocol/src/dm1/tests/large.rs"), name: "it".to_owned() };
        for (name, fits) in [
            ("protocol::it", true),
            ("protocol::large::it", true),
            ("protocol::dm1::large::it", true),
            ("protocol::large::dm1::it", false),
            ("simulator::large::it", false),
            ("protocol::large::other", false),
            ("it", false),
        ] {
            assert_eq!(is_named(&test, name), fits, "{name}");
        }
    }

    #[test]
    fn rows_without_a_test_with_a_wrong_one_or_twice_are_named() {
        let tests = [Test { place: place("crates/a/src/b.rs"), name: "c".to_owned() }];
        let text = "| id | requirement | status | shown by |\n| --- | --- | --- | --- |\n\
                    | R1 | what | met | `a::b::c` |\n| R2 | what | met | |\n| R2 | x | perhaps | `a::d` |";
        let mut ids = BTreeSet::new();
        let found: Vec<String> =
            table_rows(text).filter_map(|(_, row)| row).flat_map(|row| complaints(&row, &tests, &mut ids)).collect();
        assert_eq!(
            found,
            [
                "R2 is met, and no test shows it",
                "R2 stands twice",
                "R2: status \"perhaps\" is none of met, partly, not met, not used",
                "R2: there is no test a::d",
            ]
        );
        assert_eq!(table_rows("| R3 | a | b | met | `a::d` |").collect::<Vec<_>>(), [(1, None)]);
    }

    #[test]
    fn an_answer_needs_a_test_and_no_status() {
        let tests = [Test { place: place("crates/a/src/b.rs"), name: "c".to_owned() }];
        let text = "| id | what is sent | what is answered | shown by |\n| --- | --- | --- | --- |\n\
                    | B1 | x | 400 | `a::b::c` |\n| B2 | x | 400 | |\n| B3 | x |  | `a::c` |\n\n\
                    | id | requirement | status | shown by |\n| R1 | what | 400 | |";
        let mut ids = BTreeSet::new();
        let found: Vec<String> =
            table_rows(text).filter_map(|(_, row)| row).flat_map(|row| complaints(&row, &tests, &mut ids)).collect();
        assert_eq!(
            found,
            [
                "B2 has no answer, or no test that shows it",
                "B3 has no answer, or no test that shows it",
                "R1: status \"400\" is none of met, partly, not met, not used",
            ]
        );
    }
}
