//! Markdown: every relative link leads to a file and a heading; every crate has a `README.md`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::stage::Outcome;
use crate::workspace::Workspace;

/// Looks at every Markdown file and every crate under version control.
pub(crate) fn check(workspace: &Workspace) -> Result<Outcome> {
    let files = workspace.files()?;
    let mut problems = without_readme(&files);
    let mut count = 0_usize;
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        for (number, link) in links(&workspace.read(file)?) {
            count += 1;
            if let Some(complaint) = dead(workspace.root(), file, &link) {
                problems.push(format!("{file}:{number}: {link}: {complaint}"));
            }
        }
    }
    Ok(Outcome::of_problems(&problems, format!("{count} links")))
}

fn without_readme(files: &[String]) -> Vec<String> {
    let folders = files.iter().filter_map(|file| file.strip_suffix("/Cargo.toml"));
    let crates = folders.filter(|folder| folder.starts_with("crates/"));
    let bare = crates.filter(|folder| !files.contains(&format!("{folder}/README.md")));
    bare.map(|folder| format!("{folder}: no README.md")).collect()
}

/// The relative links of a document, each with its line, counted from 1. Code is left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
        let targets = inline.chain(reference).filter(|target| !target.is_empty() && !has_scheme(target));
        found.extend(targets.map(|target| (number, target.to_owned())));
    }
    found
}

/// Lines outside fenced code, each with its number, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("")
}

fn has_scheme(target: &str) -> bool {
    let end = target.find([':', '/', '#']);
    end.is_some_and(|at| target.get(at..).is_some_and(|rest| rest.starts_with(':')))
}

/// Why a link of `file` leads nowhere, if it does.
fn dead(root: &Path, file: &str, link: &str) -> Option<&'static str> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let from = root.join(file);
    let target = if path.is_empty() { from } else { from.parent()?.join(path) };
    if !target.exists() {
        return Some("no such file");
    }
    if anchor.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let text = std::fs::read_to_string(&target).unwrap_or_default();
    (!anchors(&text).contains(anchor)).then_some("no such heading")
}

/// The anchors of a document's headings, as the usual renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let lines = prose(text).map(|(_, line)| line);
    let headings = lines.filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    headings.map(anchor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|(_, link)| link).collect()
    }

    #[test]
    fn relative_links_are_found_and_others_are_not() {
        let text = "see [a](a.md) and [b](../b.md#part), not [c](https://x.example/) nor <mailto:x@y>\n[d]: d/e.md";

        assert_eq!(targets(text), ["a.md", "../b.md#part", "d/e.md"]);
    }

    #[test]
    fn code_is_no_link() {
        assert!(targets("`[a](b.md)`\n```\n[c](d.md)\n```").is_empty());
    }

    #[test]
    fn link_after_fenced_code_has_its_own_line_number() {
        assert_eq!(links("```\nx\n```\n[a](b.md)"), [(4, "b.md".to_owned())]);
    }

    #[test]
    fn heading_becomes_an_anchor() {
        let text = "# One flow\n```\n# no heading\n```\n## 2 Rules, each with `code`";

        assert_eq!(anchors(text), ["one-flow".to_owned(), "2-rules-each-with-code".to_owned()].into());
    }

    #[test]
    fn crate_without_a_readme_is_named() {
        let files = ["crates/a/Cargo.toml", "crates/b/Cargo.toml", "crates/b/README.md", "xtask/Cargo.toml"];

        assert_eq!(without_readme(&files.map(str::to_owned)), ["crates/a: no README.md"]);
    }
}
