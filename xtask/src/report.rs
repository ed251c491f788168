//! Counts what passed and failed, from the output of whatever ran it.

use std::path::Path;
use std::process::{ExitStatus, Output};
use std::time::Instant;

use anyhow::Result;
use serde_json::Value;

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// What cargo's test harnesses say, one `test result:` line each.
    pub(crate) fn from_cargo(stdout: &str) -> Self {
        let number = |part: &str| part.trim().split(' ').next()?.parse::<u64>().ok();
        let mut counts = Self::default();
        for line in stdout.lines().filter(|line| line.starts_with("test result:")) {
            // "test result: ok. 6 passed; 0 failed; 1 ignored; …"
            let mut parts = line.split_once(". ").map_or("", |(_, rest)| rest).split(';');
            counts.passed += parts.next().and_then(number).unwrap_or(0);
            counts.failed += parts.next().and_then(number).unwrap_or(0);
        }
        counts
    }

    /// Vitest's JSON report.
    pub(crate) fn from_vitest(report: &Value) -> Self {
        let number = |name: &str| report[name].as_u64().unwrap_or(0);
        Self { passed: number("numPassedTests"), failed: number("numFailedTests") }
    }

    /// Playwright's JSON report. A test that passed only when tried again has failed.
    pub(crate) fn from_playwright(report: &Value) -> Self {
        let number = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
        Self { passed: number("expected"), failed: number("unexpected") + number("flaky") }
    }
}

/// The sum over a test run. Says what happens as it happens.
#[derive(Default)]
pub(crate) struct Report {
    total: Counts,
    failures: Vec<String>,
}

impl Report {
    /// A check that passes or fails as a whole.
    pub(crate) fn check(&mut self, name: &str, run: impl FnOnce() -> Result<Output>) {
        self.tests(name, run, |_| Counts { passed: 1, failed: 0 });
    }

    /// A step of the build, which shows its own progress.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        self.check(name, || {
            run().map(|()| Output { status: ExitStatus::default(), stdout: vec![], stderr: vec![] })
        });
    }

    /// A runner of many tests; `count` reads how many from what it printed.
    pub(crate) fn tests(
        &mut self,
        name: &str,
        run: impl FnOnce() -> Result<Output>,
        count: impl FnOnce(&str) -> Counts,
    ) {
        eprintln!("── {name}");
        let start = Instant::now();
        let (counts, output) = match run() {
            Ok(output) => {
                let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
                let counts = judge(count(&stdout), output.status.success());
                (counts, format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)))
            }
            Err(error) => (judge(Counts::default(), false), format!("{error:#}\n")),
        };
        let seconds = start.elapsed().as_secs_f64();
        if counts.failed > 0 {
            self.failures.push(name.to_owned());
            eprint!("{output}");
            eprintln!(
                "   {name}: FAILED ({} passed, {} failed, {seconds:.1} s)",
                counts.passed, counts.failed
            );
        } else {
            eprintln!("   {} passed, {seconds:.1} s", counts.passed);
        }
        self.total.passed += counts.passed;
        self.total.failed += counts.failed;
    }

    /// Prints the last line. True if nothing failed.
    pub(crate) fn finish(self) -> bool {
        if !self.failures.is_empty() {
            eprintln!("failed: {}", self.failures.join(", "));
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        self.total.failed == 0
    }
}

/// A runner that fails without a failed test (it did not compile, it crashed) has failed once, and so has
/// one that found no tests at all.
fn judge(counts: Counts, is_success: bool) -> Counts {
    let is_empty = counts == Counts::default();
    match (is_success, is_empty) {
        (true, false) => counts,
        (_, true) => Counts { passed: 0, failed: 1 },
        // A check of its own counts itself as passed until its exit code says otherwise.
        (false, _) if counts == (Counts { passed: 1, failed: 0 }) => Counts { passed: 0, failed: 1 },
        (false, _) => Counts { failed: counts.failed.max(1), ..counts },
    }
}

/// The JSON report that a runner left behind; null if it left none.
pub(crate) fn read_json(path: &Path) -> Value {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cargo_results_are_summed_over_crates() {
        let stdout = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured\n\
                      test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured\n";
        assert_eq!(Counts::from_cargo(stdout), Counts { passed: 5, failed: 4 });
        assert_eq!(Counts::from_cargo("error: could not compile"), Counts::default());
    }

    #[test]
    fn json_reports_are_read() {
        let vitest = json!({ "numPassedTests": 7, "numFailedTests": 1 });
        assert_eq!(Counts::from_vitest(&vitest), Counts { passed: 7, failed: 1 });
        let playwright = json!({ "stats": { "expected": 5, "unexpected": 1, "flaky": 1, "skipped": 2 } });
        assert_eq!(Counts::from_playwright(&playwright), Counts { passed: 5, failed: 2 });
        assert_eq!(Counts::from_playwright(&Value::Null), Counts::default());
    }

    #[test]
    fn a_run_without_tests_and_a_crash_are_failures() {
        let counts = |passed, failed| Counts { passed, failed };
        assert_eq!(judge(counts(0, 0), true), counts(0, 1));
        assert_eq!(judge(counts(5, 0), true), counts(5, 0));
        assert_eq!(judge(counts(5, 0), false), counts(5, 1));
        assert_eq!(judge(counts(5, 2), false), counts(5, 2));
        assert_eq!(judge(counts(1, 0), false), counts(0, 1));
    }
}
