//! Stages: named steps that pass, fail or say why they did not run.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// One named step of a command.
pub(crate) struct Stage {
    /// Name for `--only`.
    pub(crate) name: &'static str,
    /// What it does, for people.
    pub(crate) does: &'static str,
    /// Earlier stages of the same command without which this one cannot run.
    pub(crate) needs: &'static [&'static str],
    /// Does it. An error is a failure of the stage, not of the whole command.
    pub(crate) run: fn(&Workspace) -> Result<Outcome>,
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It passed; the text says what was counted.
    Passed(String),
    /// It ran and found something wrong.
    Failed(String),
    /// It could not run here, and why. A failure in continuous integration.
    NotRun(String),
}

/// What became of each stage, in order.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Whether `CI=true` is set: then a stage that cannot run is a failure.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Runs `stages` in order; with `only`, that stage and those it needs.
///
/// # Errors
/// If `only` names no stage.
pub(crate) fn run(stages: &[Stage], workspace: &Workspace, only: Option<&str>) -> Result<Report> {
    if let Some(name) = only
        && !stages.iter().any(|stage| stage.name == name)
    {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        bail!("no stage {name:?}; there are: {}", names.join(", "));
    }
    let wanted = wanted(stages, only);
    let mut report = Report::default();
    for stage in stages.iter().filter(|stage| wanted.contains(&stage.name)) {
        println!("\n=== {}: {}", stage.name, stage.does);
        let begun = Instant::now();
        let outcome = match report.missing(stage) {
            Some(missing) => Outcome::NotRun(format!("needs {missing}, which did not pass")),
            None => (stage.run)(workspace).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))),
        };
        let took = begun.elapsed();
        println!("--- {} {outcome} ({:.1} s)", stage.name, took.as_secs_f64());
        report.rows.push(Row { name: stage.name, outcome, took });
    }
    Ok(report)
}

/// The names of the stages to run: all, or `only` and what it needs, however far back.
fn wanted(stages: &[Stage], only: Option<&str>) -> Vec<&'static str> {
    let mut wanted: Vec<&'static str> =
        stages.iter().map(|stage| stage.name).filter(|name| only.is_none_or(|only| only == *name)).collect();
    let mut next = 0;
    while let Some(name) = wanted.get(next).copied() {
        for stage in stages.iter().filter(|stage| stage.name == name) {
            for need in stage.needs {
                if !wanted.contains(need) {
                    wanted.push(need);
                }
            }
        }
        next += 1;
    }
    wanted
}

impl Report {
    /// Prints the table and gives the exit code: success if every stage passed, or, outside
    /// continuous integration, passed or was named as not run.
    pub(crate) fn finish(&self, ci: bool) -> ExitCode {
        if !self.rows.is_empty() {
            println!("\n{}", self.table());
        }
        if self.is_success(ci) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn is_success(&self, ci: bool) -> bool {
        self.rows.iter().all(|row| match row.outcome {
            Outcome::Passed(_) => true,
            Outcome::NotRun(_) => !ci,
            Outcome::Failed(_) => false,
        })
    }

    fn table(&self) -> String {
        let name_width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            let (word, detail) = row.outcome.words();
            let detail = detail.lines().next().unwrap_or_default();
            let seconds = row.took.as_secs_f64();
            let line = format!("{:<name_width$}  {word:<7}  {seconds:>7.1} s  {detail}", row.name);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    fn missing(&self, stage: &Stage) -> Option<&'static str> {
        let passed =
            |name: &str| self.rows.iter().any(|row| row.name == name && matches!(row.outcome, Outcome::Passed(_)));
        stage.needs.iter().copied().find(|need| !passed(need))
    }
}

impl Outcome {
    /// Failed with the problems listed, or passed with `counted` if there are none.
    pub(crate) fn of_problems(problems: &[String], counted: String) -> Self {
        for problem in problems {
            println!("{problem}");
        }
        match problems.len() {
            0 => Self::Passed(counted),
            1 => Self::Failed("1 problem".to_owned()),
            count => Self::Failed(format!("{count} problems")),
        }
    }

    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Passed(detail) => ("passed", detail),
            Self::Failed(detail) => ("FAILED", detail),
            Self::NotRun(detail) => ("NOT RUN", detail),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.words() {
            (word, "") => f.write_str(word),
            (word, detail) => write!(f, "{word}: {detail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn stage(name: &'static str, needs: &'static [&'static str]) -> Stage {
        Stage { name, does: "", needs, run: |_| Ok(Outcome::Passed(String::new())) }
    }

    fn report(outcomes: &[Outcome]) -> Report {
        let rows =
            outcomes.iter().map(|outcome| Row { name: "s", outcome: outcome.clone(), took: Duration::ZERO }).collect();
        Report { rows }
    }

    #[test]
    fn one_stage_brings_everything_it_needs_and_nothing_else() {
        let stages = [
            stage("python", &[]),
            stage("debian", &[]),
            stage("build", &["debian"]),
            stage("zeep", &["python", "build"]),
            stage("rust", &["build"]),
        ];

        let names = wanted(&stages, Some("zeep"));

        assert_eq!(names, ["zeep", "python", "build", "debian"]);
    }

    #[test]
    fn stage_that_could_not_run_fails_only_in_ci() {
        let report = report(&[Outcome::Passed(String::new()), Outcome::NotRun("no Python".to_owned())]);

        assert!(report.is_success(false));
        assert!(!report.is_success(true));
    }

    #[test]
    fn failed_stage_fails_everywhere() {
        let report = report(&[Outcome::Failed("2 problems".to_owned())]);

        assert!(!report.is_success(false));
    }

    #[test]
    fn unknown_stage_is_refused_with_the_names_there_are() {
        let stages = [stage("python", &[]), stage("zeep", &["python"])];
        let workspace = Workspace::at(std::path::PathBuf::from("."), std::path::PathBuf::from("target"));

        let error = run(&stages, &workspace, Some("zep")).err().unwrap();

        assert_eq!(error.to_string(), "no stage \"zep\"; there are: python, zeep");
    }

    #[test]
    fn stage_whose_need_failed_is_named_as_not_run() {
        let report = report(&[Outcome::Failed(String::new())]);

        assert_eq!(report.missing(&stage("zeep", &["s"])), Some("s"));
    }
}
