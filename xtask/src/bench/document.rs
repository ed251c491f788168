//! `docs/benchmarks.md` and its charts: what a run of all sections measured, with date and machine.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use xshell::{Shell, cmd};

use super::{chart, figure, table};

const FOLDER: &str = "docs/benchmarks";

/// Cost may grow as the size times its logarithm: over the sizes measured an exponent of at most this.
const ORDER: f64 = 1.1;

/// Writes the document, its charts and the rows as JSON.
pub(super) fn write(sh: &Shell, rows: &[Value]) -> Result<()> {
    let root = sh.current_dir();
    let folder = root.join(FOLDER);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut text = head(sh)?;
    for section in sections(rows) {
        let part: Vec<Value> = rows.iter().filter(|row| row["section"] == section).cloned().collect();
        if section == "growth" {
            write_growth(&mut text, &folder, &part)?;
            continue;
        }
        // The heading of the table, the chart, the table.
        let words = table(&part);
        let (heading, rest) = words.trim_start().split_once('\n').unwrap_or_default();
        let _ = writeln!(text, "\n{heading}\n");
        if let Some(svg) = chart::bars(&part.iter().collect::<Vec<_>>()) {
            fs::write(folder.join(format!("{section}.svg")), svg)?;
            let _ = writeln!(
                text,
                "![Ratios of {section}; the line is 1×, marks are goals](benchmarks/{section}.svg)"
            );
        }
        text.push_str(rest);
    }
    fs::write(root.join("docs/benchmarks.md"), text.trim_end().to_owned() + "\n")?;
    fs::write(folder.join("rows.json"), serde_json::to_string_pretty(&json!({ "rows": rows }))? + "\n")?;
    Ok(())
}

fn head(sh: &Shell) -> Result<String> {
    let date = cmd!(sh, "date -u +%Y-%m-%d").quiet().read()?;
    let rustc = cmd!(sh, "rustc --version").quiet().read()?;
    let node = cmd!(sh, "node --version").quiet().read()?;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench` on {date}: {n_cores} cores of {}, {rustc}, Node.js {node}.\n\n\
         Figures are ratios against a named peer in the same run, ours and the peer's in turn: the median of the pairs, \
         with the least and the greatest. {}",
        cpu.trim_start_matches([' ', '\t', ':']),
        "How each is measured is in [bench/README.md](../bench/README.md).\n"
    ))
}

fn sections(rows: &[Value]) -> Vec<&str> {
    let mut names = Vec::new();
    for row in rows {
        let name = row["section"].as_str().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Rows whose names differ only in their first number are points of one line.
fn write_growth(text: &mut String, folder: &Path, rows: &[Value]) -> Result<()> {
    text.push_str("\n### growth\n");
    let mut lines: Vec<(String, Vec<(f64, &Value)>)> = Vec::new();
    for row in rows {
        let Some((name, size)) = size(row["name"].as_str().unwrap_or_default()) else { continue };
        match lines.iter_mut().find(|line| line.0 == name) {
            Some(line) => line.1.push((size, row)),
            None => lines.push((name, vec![(size, row)])),
        }
    }
    for (n, (name, points)) in lines.iter().enumerate() {
        let unit = points[0].1["unit"].as_str().unwrap_or_default();
        let costs: Vec<(f64, f64)> =
            points.iter().filter_map(|(size, row)| Some((*size, row["value"].as_f64()?))).collect();
        let file = format!("growth-{}.svg", n + 1);
        fs::write(folder.join(&file), chart::growth(&costs, name, unit))?;
        let order = exponent(&costs);
        let judged = if order <= ORDER { "within" } else { "**not within**" };
        let _ = writeln!(
            text,
            "\n![{name}](benchmarks/{file})\n\n{name}: the cost grows as its power {order:.2}, {judged} the order \
             n·log n (≤ {ORDER}).\n\n| size | cost | spread |\n|---:|---:|---:|"
        );
        for (size, row) in points {
            let (low, high) = (super::number(row, "low"), super::number(row, "high"));
            let _ = writeln!(text, "| {size} | {} | {low}–{high} |", figure(row, "value"));
        }
    }
    Ok(())
}

/// A name with `n` for its first number, and that number.
fn size(name: &str) -> Option<(String, f64)> {
    let start = name.find(|c: char| c.is_ascii_digit())?;
    let len = name[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len() - start);
    let size = name[start..start + len].parse().ok()?;
    Some((format!("{}n{}", &name[..start], &name[start + len..]), size))
}

/// Slope of the line through the logarithms.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.max(1e-9).ln())).collect();
    let (x, y) = logs.iter().fold((0.0, 0.0), |sum, log| (sum.0 + log.0 / n, sum.1 + log.1 / n));
    let (xy, xx) = logs
        .iter()
        .fold((0.0, 0.0), |sum, log| (sum.0 + (log.0 - x) * (log.1 - y), sum.1 + (log.0 - x) * (log.0 - x)));
    xy / xx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_line_differ_in_their_first_number() {
        assert_eq!(size("10 clients × 30 Hz"), Some(("n clients × 30 Hz".into(), 10.0)));
        assert_eq!(size("a spectrum of 4096"), Some(("a spectrum of n".into(), 4_096.0)));
        assert_eq!(size("idle"), None);
    }

    #[test]
    fn powers_are_found() {
        let square: Vec<(f64, f64)> = (1..6).map(|x| (f64::from(x), f64::from(3 * x * x))).collect();
        assert!((exponent(&square) - 2.0).abs() < 1e-9);
    }
}
