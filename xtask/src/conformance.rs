//! `docs/conformance.md`: what standards want and what the tests read, from the rows that the tests leave behind.
//!
//! The tests leave them when `ANTIPHON_CONFORMANCE` names a folder. Every reading is the same on every machine, so
//! the committed file is compared with what a run of all tests gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use xshell::Shell;

/// Names the folder to the tests.
const FOLDER: &str = "ANTIPHON_CONFORMANCE";
const DOCUMENT: &str = "docs/conformance.md";

const HEAD: &str = "\
# Conformance

Written by `UPDATE=1 cargo xtask test` from what the tests read, and compared by every `cargo xtask test`. Signals are
made from their description in the standard, at each sample rate; where a standard gives no signal for a rate, its
signal is made at that rate. A test fails when a reading is out of tolerance.
";

/// Where rows go, which the tests are told; a run of all tests begins with none.
pub(crate) fn collect(sh: &Shell, is_whole_run: bool) -> Result<PathBuf> {
    let folder = sh.current_dir().join("target/xtask/conformance");
    if is_whole_run {
        let _ = fs::remove_dir_all(&folder);
    }
    fs::create_dir_all(&folder)?;
    sh.set_var(FOLDER, &folder);
    Ok(folder)
}

/// Compares the document with the rows, or writes it with `UPDATE=1`.
pub(crate) fn check(root: &Path, folder: &Path) -> Result<()> {
    let text = document(folder)?;
    let path = root.join(DOCUMENT);
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(&path, text).with_context(|| format!("cannot write {DOCUMENT}"));
    }
    if fs::read_to_string(&path).unwrap_or_default() != text {
        let new = folder.with_extension("md");
        fs::write(&new, text)?;
        bail!("{DOCUMENT} is not what the tests read ({}); UPDATE=1 writes it again", new.display());
    }
    Ok(())
}

fn document(folder: &Path) -> Result<String> {
    let (mut standards, mut parity, mut autobahn) = (BTreeMap::new(), Vec::new(), Vec::new());
    for file in crate::entries(folder)? {
        let rows = fs::read_to_string(&file)?;
        // A test that ran twice left the same lines twice.
        let mut seen = BTreeSet::new();
        let rows: Vec<Value> = rows
            .lines()
            .filter(|line| seen.insert(*line))
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} is not JSON", file.display()))?;
        for row in rows {
            if row["standard"].is_string() {
                standards.entry(word(&row, "standard").to_owned()).or_insert_with(Vec::new).push(row);
            } else if row["target"].is_string() {
                parity.push(row);
            } else {
                autobahn.push(row);
            }
        }
    }
    ensure!(!standards.is_empty() && parity.len() >= 4 && !autobahn.is_empty(), "some tests left no rows");
    let mut text = String::from(HEAD);
    for (standard, rows) in &standards {
        write_standard(&mut text, standard, rows);
    }
    write_parity(&mut text, &parity);
    write_autobahn(&mut text, &autobahn);
    Ok(text)
}

fn word<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

/// A row for each case, a column for each sample rate.
fn write_standard(text: &mut String, standard: &str, rows: &[Value]) {
    let rate = |row: &Value| row["sample_rate"].as_u64().unwrap_or(0);
    let rates: BTreeSet<u64> = rows.iter().map(rate).collect();
    let mut cases: BTreeMap<Vec<(u64, String)>, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        let key = [natural(word(row, "case")), natural(word(row, "what"))].concat();
        cases.entry(key).or_default().push(row);
    }
    let columns: String = rates
        .iter()
        .map(|&rate| if rate == 0 { " got |".into() } else { format!(" {} kHz |", rate as f64 / 1e3) })
        .collect();
    let n_passed = rows.iter().filter(|row| row["passed"] == true).count();
    let _ =
        writeln!(text, "\n## {standard}\n\n{n_passed} of {} readings are within tolerance.\n", rows.len());
    let _ = writeln!(text, "| case | reading | expected | tolerance |{columns}");
    let _ = writeln!(text, "|---|---|---:|---:|{}", "---:|".repeat(rates.len()));
    for rows in cases.values() {
        let row = rows[0];
        let _ = write!(
            text,
            "| {} | {} | {} {} | {} |",
            word(row, "case"),
            word(row, "what"),
            number(&row["expected"]),
            word(row, "unit"),
            tolerance(row)
        );
        for &column in &rates {
            let got = rows.iter().find(|row| rate(row) == column).map(|row| number(&row["got"]));
            let _ = write!(text, " {} |", got.unwrap_or_default());
        }
        text.push('\n');
    }
}

fn write_parity(text: &mut String, rows: &[Value]) {
    text.push_str(
        "\n## The same bits everywhere\n\nTen seconds of the bundled composition: all samples, and all frames of every topic.\n\n\
         | target | bytes | SHA-256 |\n|---|---:|---|\n",
    );
    for row in rows {
        let _ = writeln!(text, "| {} | {} | `{}` |", word(row, "target"), row["bytes"], word(row, "sha256"));
    }
}

/// A row for each group of cases: the suite's numbers are group, subgroup and case.
fn write_autobahn(text: &mut String, rows: &[Value]) {
    let mut groups: BTreeMap<Vec<(u64, String)>, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        let id = word(row, "case");
        groups.entry(natural(id.rsplit_once('.').map_or(id, |(group, _)| group))).or_default().push(row);
    }
    text.push_str(
        "\n## Autobahn test suite\n\nThe cases without compression (groups 1 to 7, 9 and 10) against the server's socket.\n\n\
         | group | first case | cases | OK | informational | non-strict | failed |\n|---|---|---:|---:|---:|---:|---:|\n",
    );
    for rows in groups.values() {
        let n = |verdict: &str| rows.iter().filter(|row| row["verdict"] == verdict).count();
        let id = word(rows[0], "case");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            id.rsplit_once('.').map_or(id, |(group, _)| group),
            word(rows[0], "about"),
            rows.len(),
            n("OK"),
            n("INFORMATIONAL"),
            n("NON-STRICT"),
            n("FAILED"),
        );
    }
}

/// Sorts "10-2" after "9" and before "10-11".
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(words);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (digits, after) = after.split_at(digits);
        parts.push((0, before.to_owned()));
        parts.push((digits.parse().unwrap_or(0), String::new()));
        rest = after;
    }
    parts
}

fn tolerance(row: &Value) -> String {
    let side = |field: &str| row[field].as_f64().map_or("∞".into(), |value| decimals(value, 3));
    let (minus, plus) = (side("minus"), side("plus"));
    if minus == plus { format!("±{plus}") } else { format!("+{plus} −{minus}") }
}

fn number(value: &Value) -> String {
    decimals(value.as_f64().unwrap_or(f64::NAN), 3).replace('-', "−")
}

/// Without zeros at the end.
fn decimals(value: f64, n: usize) -> String {
    let text = format!("{value:.n$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_become_tables_in_the_order_of_the_cases() {
        let row = |case: &str, rate: u32, got: f64| {
            json!({ "standard": "S", "case": case, "what": "I", "sample_rate": rate, "expected": -23.0, "minus": 0.4,
                    "plus": 0.2, "unit": "LUFS", "got": got, "passed": true })
        };
        let mut text = String::new();
        let rows = [row("10-1", 48_000, -23.0), row("9", 48_000, -22.9996), row("9", 44_100, -23.0512)];
        write_standard(&mut text, "S", &rows);
        assert!(text.contains("| case | reading | expected | tolerance | 44.1 kHz | 48 kHz |"), "{text}");
        assert!(text.ends_with(
            "| 9 | I | −23 LUFS | +0.2 −0.4 | −23.051 | −23 |\n| 10-1 | I | −23 LUFS | +0.2 −0.4 |  | −23 |\n"
        ));
    }

    #[test]
    fn cases_of_a_group_are_counted() {
        let row = |case: &str, verdict: &str| json!({ "case": case, "about": case, "verdict": verdict });
        let mut text = String::new();
        write_autobahn(&mut text, &[row("9.1.1", "OK"), row("10.1.1", "OK"), row("9.1.2", "INFORMATIONAL")]);
        assert!(
            text.ends_with("| 9.1 | 9.1.1 | 2 | 1 | 1 | 0 | 0 |\n| 10.1 | 10.1.1 | 1 | 1 | 0 | 0 | 0 |\n")
        );
    }
}
