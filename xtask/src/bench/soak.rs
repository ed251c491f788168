//! Ten minutes of the test `soak` with the release build: clients that come and go while things break.

use anyhow::Result;
use serde_json::{Value, json};
use xshell::{Shell, cmd};

use crate::target_dir;

pub(super) const SECTION: &str = "soak";
const SECONDS: u32 = 600;

/// What it measured, as rows; if it failed, also why.
pub(super) fn run(sh: &Shell) -> Result<Vec<Value>> {
    eprintln!("── soak: {SECONDS} s");
    let program = target_dir(sh).join("release/antiphon");
    let test = cmd!(sh, "cargo test --package native-server --test soak -- --nocapture");
    let test = test.env("ANTIPHON_SERVER", program).env("ANTIPHON_SOAK_SECONDS", SECONDS.to_string());
    let output = test.quiet().ignore_status().output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let reason = String::from_utf8_lossy(&output.stderr);
    // The panic's words come after the line that says where.
    let mut lines = reason.lines();
    let panic = lines.find(|line| line.contains("panicked at")).map(|_| lines.next().unwrap_or_default());
    Ok(rows(&said, output.status.success(), panic.unwrap_or_default()))
}

/// A row for each figure of the line of JSON in what the test `said`.
fn rows(said: &str, has_passed: bool, reason: &str) -> Vec<Value> {
    let measured: Value = said.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let figure = |field: &str| measured[field].as_f64();
    let grown = |field: &str| {
        let third = |at: usize| measured[field][at].as_f64();
        Some(100.0 * (third(1)? / third(0)? - 1.0))
    };
    let of = |field: &str| measured[field].as_f64().unwrap_or_default();
    let clients = format!(
        "sessions of {} clients that come and go, stall, reset and cut messages off for {} s, a fifth of them at a relay",
        of("clients"),
        of("seconds")
    );
    let gaps = format!(
        "gaps in the sound, in {:.0} s in which no card came or went; the machine kept its threads waiting for {:.1} s",
        of("watched_seconds"),
        of("waited_seconds")
    );
    let failed = Some(f64::from(u8::from(!has_passed)));
    let all = [
        (clients.as_str(), figure("sessions"), "", None, ""),
        ("frames that they read", figure("frames"), "", None, ""),
        ("connections that they reset", figure("resets"), "", None, ""),
        ("times that the sound card was lost", figure("losses"), "", None, ""),
        ("restarts of NATS", figure("nats"), "", None, ""),
        ("restarts of the database", figure("database"), "", None, ""),
        ("changes refused while something was away", figure("refused"), "", None, ""),
        ("clients for whom a sequence went backwards, or that were cut off", failed, "", Some(0.0), reason),
        ("writers whose last acknowledged change was lost", figure("lost"), "", Some(0.0), ""),
        (gaps.as_str(), figure("xruns"), "", Some(0.0), ""),
        ("growth of the server's memory, last third over second", grown("server_kib"), "%", Some(10.0), ""),
        ("growth of the relay's memory, last third over second", grown("relay_kib"), "%", Some(10.0), ""),
    ];
    // What a test that broke off did not measure is not told.
    let told = all.into_iter().filter_map(|(name, value, unit, most, note)| {
        let value = value?;
        let (goal, reached) = most.map(|most| (format!("≤ {most}"), value <= most)).unzip();
        Some(json!({
            "section": SECTION, "name": name, "peer": "", "version": "", "unit": unit, "value": value, "low": value,
            "high": value, "goal": goal.unwrap_or_default(), "reached": reached, "seconds": null, "note": note,
        }))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_judged() {
        let said = "running 1 test\n{\"clients\":500,\"seconds\":60,\"sessions\":4000,\"lost\":1,\
                    \"server_kib\":[1000,1050],\"relay_kib\":[1000,1200]}\nok";
        let rows = rows(said, true, "");
        let row = |name: &str| {
            rows.iter().find(|row| row["name"].as_str().is_some_and(|n| n.contains(name))).unwrap()
        };
        assert_eq!(row("500 clients")["value"], 4000.0);
        assert_eq!(row("500 clients")["reached"], Value::Null);
        assert_eq!(row("acknowledged")["reached"], false);
        assert_eq!(row("server's memory")["reached"], true);
        assert_eq!(row("relay's memory")["reached"], false);
        assert_eq!(row("went backwards")["reached"], true);
    }

    #[test]
    fn a_test_that_broke_off_is_told() {
        let rows = rows("running 1 test\nFAILED", false, "topic 2 of tap 0: 3 after 4");
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row["reached"], false);
        assert_eq!(row["note"], "topic 2 of tap 0: 3 after 4");
    }
}
