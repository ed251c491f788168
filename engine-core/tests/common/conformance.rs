//! Rows of docs/conformance.md: what a standard wants, and what we read.

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

/// Names a folder in which every check leaves a line of JSON, in a file for each standard. Lines come in the
/// order of the test threads; a reader sorts them.
const FOLDER: &str = "ANTIPHON_CONFORMANCE";

/// The sample rate of a reading that has none.
pub(crate) const ANY_RATE: u32 = 0;

/// What a standard wants.
#[derive(Clone, Copy)]
pub(crate) struct Requirement<'a> {
    /// Name and part.
    pub(crate) standard: &'a str,
    /// As it is numbered there, or described.
    pub(crate) case: &'a str,
    /// What is read.
    pub(crate) what: &'a str,
    pub(crate) expected: f64,
    /// How far below and above is right; without a limit in JSON where it is infinite.
    pub(crate) tolerance: [f64; 2],
    pub(crate) unit: &'a str,
}

impl Requirement<'_> {
    /// Notes the reading at a sample rate and fails the test when it is out of tolerance.
    pub(crate) fn check(&self, rate: u32, got: f64) {
        let Self { standard, case, what, expected, tolerance: [minus, plus], unit } = *self;
        let passed = got >= expected - minus && got <= expected + plus;
        if let Some(folder) = std::env::var_os(FOLDER) {
            let row = json!({
                "standard": standard, "case": case, "what": what, "sample_rate": rate, "expected": expected,
                "minus": minus, "plus": plus, "unit": unit, "got": got, "passed": passed,
            });
            let name: String =
                standard.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let folder = PathBuf::from(folder);
            create_dir_all(&folder).unwrap();
            let path = folder.join(format!("{}.jsonl", name.to_lowercase()));
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            // One write, so that lines of several threads do not mix.
            file.write_all(format!("{row}\n").as_bytes()).unwrap();
        }
        assert!(
            passed,
            "{standard} {case}, {what} at {rate} Hz: {got} {unit}, not {expected} −{minus} +{plus}"
        );
    }
}
