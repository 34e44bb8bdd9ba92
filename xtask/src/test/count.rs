//! How many tests ran, read from the last words of three test runners.

use std::fmt;

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Ran and passed.
    pub(crate) passed: u64,
    /// Ran and failed.
    pub(crate) failed: u64,
    /// Were there and did not run.
    pub(crate) skipped: u64,
}

/// Adds up the summary lines: `test result: ok. 3 passed; 0 failed; 1 ignored; …` of the standard
/// runner, `Summary [ 0.1s] 12 tests run: 11 passed, 1 failed, 2 skipped` of nextest, and
/// `12 passed, 0 failed, 0 skipped` of our own suites.
pub(crate) fn of(lines: &[String]) -> Count {
    let mut count = Count::default();
    for line in lines.iter().filter(|line| is_summary(line)) {
        let words: Vec<&str> = line.split([' ', ';', ',', ':', '(', ')']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let [number, word] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match *word {
                "passed" => count.passed += number,
                "failed" => count.failed += number,
                "ignored" | "skipped" => count.skipped += number,
                _ => {}
            }
        }
    }
    count
}

fn is_summary(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("test result:")
        || line.starts_with("Summary [")
        || line
            .split_once(' ')
            .is_some_and(|(number, rest)| number.parse::<u64>().is_ok() && rest.starts_with("passed, "))
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tests passed", self.passed)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Count {
        of(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn standard_runner_is_added_up_over_its_binaries() {
        let text = "test a ... ok\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";

        assert_eq!(count(text), Count { passed: 4, failed: 2, skipped: 1 });
    }

    #[test]
    fn nextest_summary_is_read() {
        let text = "     Summary [   0.043s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped";

        assert_eq!(count(text), Count { passed: 11, failed: 1, skipped: 2 });
    }

    #[test]
    fn own_suite_is_read() {
        assert_eq!(count("64 passed, 1 failed"), Count { passed: 64, failed: 1, skipped: 0 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(count("2 passed by\nI saw 3 passed, 4 failed"), Count::default());
    }
}
