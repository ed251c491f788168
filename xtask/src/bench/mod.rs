//! `cargo xtask bench`: Antiphon against its peers, as a table; of all sections, also as `docs/benchmarks.md`, in which
//! `UPDATE=1` replaces sections that were named.

mod capacity;
mod chart;
mod document;
mod soak;

use std::env;
use std::fmt::Write;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::stamp::Step;
use crate::{setup, wasm, web};

/// Sections that measure the server's program.
const NEEDS_SERVER: [&str; 4] = ["server", "growth", "page", soak::SECTION];

/// Runs the sections that are named, or all.
pub(crate) fn run(sh: &Shell, sections: &[String]) -> Result<ExitCode> {
    let wants = |name: &str| sections.is_empty() || sections.iter().any(|wanted| wanted == name);
    setup::run(sh, setup::Purpose::Bench)?;
    wasm::build(sh)?;
    web::package(sh)?;
    if wants("page") {
        web::page(sh)?;
    }
    if NEEDS_SERVER.iter().any(|name| wants(name)) {
        cmd!(sh, "cargo build --quiet --release -p native-server").quiet().run()?;
    }
    let mut rows = Vec::new();
    if sections != [soak::SECTION] {
        rows.extend(against_peers(sh, sections)?);
    }
    if wants(soak::SECTION) {
        rows.extend(soak::run(sh)?);
    }
    ensure!(!rows.is_empty(), "no section is called {}", sections.join(" or "));
    let date = cmd!(sh, "date -u +%Y-%m-%d").quiet().read()?;
    rows.iter_mut().for_each(|row| row["date"] = date.as_str().into());
    let table = table(&rows);
    let folder = sh.current_dir().join("target/xtask");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("bench.json"), serde_json::to_string_pretty(&rows)?)?;
    fs::write(folder.join("bench.md"), &table)?;
    if sections.is_empty() || env::var_os("UPDATE").is_some() {
        let rows = if sections.is_empty() { rows } else { document::with_kept(sh, rows)? };
        document::write(sh, &rows)?;
        capacity::write(sh, &rows)?;
    }
    print!("{table}");
    Ok(ExitCode::SUCCESS)
}

/// The sections of `bench/`, native ones and WebAssembly.
fn against_peers(sh: &Shell, sections: &[String]) -> Result<Vec<Value>> {
    let peers = Step {
        name: "peers from npm",
        inputs: &["bench/node/package.json", "bench/node/package-lock.json"],
        outputs: &["bench/node/node_modules/.package-lock.json"],
    };
    peers.run(&sh.current_dir(), || {
        cmd!(sh, "npm ci --prefix bench/node --no-audit --no-fund --loglevel=error").quiet().run()?;
        Ok(())
    })?;
    eprintln!("── native");
    let native =
        cmd!(sh, "cargo run --quiet --release --manifest-path bench/Cargo.toml -- {sections...}").read()?;
    eprintln!("── WebAssembly in Node, pages in Chromium");
    let (name, flags) = (wasm::RUSTFLAGS.0, wasm::WORKLET_RUSTFLAGS);
    let place = ["--manifest-path", "bench/wasm/Cargo.toml", "--target-dir", "bench/target"];
    cmd!(sh, "cargo build --quiet --profile wasm --target wasm32-unknown-unknown {place...}")
        .env(name, flags)
        .quiet()
        .run()?;
    let node = cmd!(sh, "node bench/node/main.mjs {sections...}").read()?;
    let rows = native.lines().chain(node.lines()).map(serde_json::from_str);
    rows.collect::<Result<_, _>>().context("a row of the benchmark is not JSON")
}

/// The rows in Markdown, a table for each section, and a line for every goal that was not reached.
fn table(rows: &[Value]) -> String {
    let mut text = String::new();
    let mut section = "";
    for row in rows {
        let words = |field: &str| row[field].as_str().unwrap_or_default();
        if words("section") != section {
            section = words("section");
            let _ = writeln!(
                text,
                "\n### {section}\n\n| what | peer | median | spread | goal | |\n|---|---|---:|---:|---:|---|"
            );
        }
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {}–{} | {} | {} |",
            words("name"),
            words("peer"),
            words("version"),
            figure(row, "value"),
            number(row, "low"),
            number(row, "high"),
            words("goal"),
            match row["reached"].as_bool() {
                Some(true) => "reached",
                Some(false) => "**not reached**",
                None => "",
            },
        );
    }
    text.push('\n');
    for row in rows.iter().filter(|row| row["reached"] == false) {
        let words = |field: &str| row[field].as_str().unwrap_or_default();
        let value = figure(row, "value");
        let _ = writeln!(
            text,
            "- not reached: {} ({} {}): {value}, goal {}. {}",
            words("name"),
            words("peer"),
            words("version"),
            words("goal"),
            words("note")
        );
    }
    text
}

fn figure(row: &Value, field: &str) -> String {
    let unit = row["unit"].as_str().unwrap_or_default();
    let space = if unit == "×" { "" } else { " " };
    format!("{}{space}{unit}", number(row, field))
}

/// Three digits that count; what has no unit is a count.
fn number(row: &Value, field: &str) -> String {
    let value = row[field].as_f64().unwrap_or(f64::NAN);
    let decimals = if value.abs() >= 100.0 || row["unit"] == "" { 0 } else { 2 };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table;

    #[test]
    fn rows_become_a_table_and_missed_goals_are_told() {
        let row = |name: &str, value: f64, reached: bool| {
            json!({ "section": "fft", "name": name, "peer": "realfft", "version": "3.5.1", "unit": "×",
                    "value": value, "low": 1.0, "high": 123.4, "goal": "≥ 2", "reached": reached, "note": "Why." })
        };
        let text = table(&[row("a", 2.345, true), row("b", 1.5, false)]);
        assert!(text.contains("| a | realfft 3.5.1 | 2.35× | 1.00–123 | ≥ 2 | reached |"), "{text}");
        assert!(text.contains("- not reached: b (realfft 3.5.1): 1.50×, goal ≥ 2. Why."), "{text}");
        assert_eq!(text.matches("### fft").count(), 1);
    }
}
