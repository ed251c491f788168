//! `docs/benchmarks.md` and its charts: what a run of all sections measured, with date and machine.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use xshell::{Shell, cmd};

use super::{chart, figure, table};

const FOLDER: &str = "docs/benchmarks";

/// A cost divided by its order stays level: over the sizes measured it may grow as this power at most, which leaves
/// room for caches that no longer hold everything.
const SLACK: f64 = 0.1;

/// The rows of the document, in which those of sections that were measured again are replaced.
pub(super) fn with_kept(sh: &Shell, rows: Vec<Value>) -> Result<Vec<Value>> {
    let text = fs::read_to_string(sh.current_dir().join(FOLDER).join("rows.json"))?;
    let Value::Array(kept) = serde_json::from_str::<Value>(&text)?["rows"].take() else {
        bail!("{FOLDER}/rows.json has no rows");
    };
    Ok(replaced(kept, rows))
}

/// Sections keep their places; new ones follow.
fn replaced(kept: Vec<Value>, rows: Vec<Value>) -> Vec<Value> {
    let is_new = |section: &str| rows.iter().any(|row| row["section"] == section);
    let of = |all: &[Value], section: &str| -> Vec<Value> {
        all.iter().filter(|row| row["section"] == section).cloned().collect()
    };
    let all = [kept.as_slice(), rows.as_slice()].concat();
    let parts = sections(&all).into_iter().map(|name| of(if is_new(name) { &rows } else { &kept }, name));
    parts.flatten().collect()
}

/// Writes the document, its charts and the rows as JSON.
pub(super) fn write(sh: &Shell, rows: &[Value]) -> Result<()> {
    let root = sh.current_dir();
    let folder = root.join(FOLDER);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut text = head(sh)?;
    for section in sections(rows) {
        let part: Vec<Value> = rows.iter().filter(|row| row["section"] == section).cloned().collect();
        let date = part[0]["date"].as_str().unwrap_or_default();
        if section == "growth" {
            let _ = writeln!(text, "\n### growth\n\nMeasured on {date}.");
            write_growth(&mut text, &folder, &part)?;
            continue;
        }
        // The heading of the table, the chart, the table.
        let words = table(&part);
        let (heading, rest) = words.trim_start().split_once('\n').unwrap_or_default();
        let _ = writeln!(text, "\n{heading}\n\nMeasured on {date}.\n");
        if let Some(svg) = chart::bars(&part.iter().collect::<Vec<_>>()) {
            fs::write(folder.join(format!("{section}.svg")), svg)?;
            let _ = writeln!(
                text,
                "![Ratios of {section}; the dashed line is 1×, marks are goals](benchmarks/{section}.svg)"
            );
        }
        text.push_str(rest);
    }
    fs::write(root.join("docs/benchmarks.md"), text.trim_end().to_owned() + "\n")?;
    fs::write(folder.join("rows.json"), serde_json::to_string_pretty(&json!({ "rows": rows }))? + "\n")?;
    Ok(())
}

fn head(sh: &Shell) -> Result<String> {
    let rustc = cmd!(sh, "rustc --version").quiet().read()?;
    let node = cmd!(sh, "node --version").quiet().read()?;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`, section by section, the last one on {n_cores} cores of {}, \
         {rustc}, Node.js {node}.\n\n\
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

/// A chart and a table for each line of points.
fn write_growth(text: &mut String, folder: &Path, rows: &[Value]) -> Result<()> {
    for (n, points) in lines(rows).iter().enumerate() {
        let words = |field: &str| points[0][field].as_str().unwrap_or_default();
        let file = format!("growth-{}.svg", n + 1);
        fs::write(folder.join(&file), chart::growth(&costs(points), words("of"), words("unit")))?;
        let _ = writeln!(
            text,
            "\n![{}](benchmarks/{file})\n\n{}\n\n| {} | cost | spread |\n|---:|---:|---:|",
            words("line"),
            judgement(points),
            words("of"),
        );
        for row in points {
            let (low, high) = (super::number(row, "low"), super::number(row, "high"));
            let _ = writeln!(text, "| {} | {} | {low}–{high} |", row["size"], figure(row, "value"));
        }
    }
    Ok(())
}

/// The rows of each line, in the order in which the lines begin.
fn lines(rows: &[Value]) -> Vec<Vec<&Value>> {
    let mut lines: Vec<Vec<&Value>> = Vec::new();
    for row in rows.iter().filter(|row| row["line"].is_string()) {
        match lines.iter_mut().find(|line| line[0]["line"] == row["line"]) {
            Some(line) => line.push(row),
            None => lines.push(vec![row]),
        }
    }
    lines
}

/// Sizes and costs.
fn costs(points: &[&Value]) -> Vec<(f64, f64)> {
    points.iter().filter_map(|row| Some((row["size"].as_f64()?, row["value"].as_f64()?))).collect()
}

/// Whether the cost of what is measured stays within its order, as a sentence.
fn judgement(points: &[&Value]) -> String {
    let order = points[0]["order"].as_str().unwrap_or_default();
    let over = exponent(costs(points).into_iter().map(|(size, cost)| {
        let allowed = match order {
            "1" => 1.0,
            "n" => size,
            _ => size * size.log2(),
        };
        (size, cost / allowed)
    }));
    let judged = if over <= SLACK { "within" } else { "**not within**" };
    let name = points[0]["line"].as_str().unwrap_or_default();
    format!(
        "{name}: order {order}; cost over order grows as the size's power {over:.2} (≤ {SLACK}), {judged}."
    )
}

/// Slope of the line through the logarithms.
fn exponent(points: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let logs: Vec<(f64, f64)> = points.into_iter().map(|(x, y)| (x.ln(), y.max(1e-9).ln())).collect();
    let n = logs.len() as f64;
    let (x, y) = logs.iter().fold((0.0, 0.0), |sum, log| (sum.0 + log.0 / n, sum.1 + log.1 / n));
    let (xy, xx) = logs
        .iter()
        .fold((0.0, 0.0), |sum, log| (sum.0 + (log.0 - x) * (log.1 - y), sum.1 + (log.0 - x) * (log.0 - x)));
    xy / xx
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(order: &str, cost: impl Fn(f64) -> f64) -> Vec<Value> {
        let point = |size: f64| json!({"line": order, "of": "things", "unit": "s", "order": order, "size": size, "value": cost(size)});
        [16.0, 64.0, 256.0, 1_024.0].map(point).into()
    }

    #[test]
    fn what_grows_faster_than_its_order_is_told() {
        let within = [line("1", |_| 7.0), line("n", |n| 3.0 * n + 100.0), line("n log n", |n| n * n.ln())];
        let beyond = [line("1", |n| n.ln()), line("n", |n| n.powf(1.2)), line("n log n", |n| n * n.sqrt())];
        for (rows, expected) in
            within.iter().map(|rows| (rows, true)).chain(beyond.iter().map(|rows| (rows, false)))
        {
            let all = lines(rows);
            assert_eq!(all.len(), 1);
            let words = judgement(&all[0]);
            assert_eq!(!words.contains("**not within**"), expected, "{words}");
        }
    }

    #[test]
    fn sections_measured_again_keep_their_places() {
        let row = |section: &str, value: u32| json!({"section": section, "value": value});
        let kept = vec![row("a", 1), row("b", 2), row("b", 3), row("c", 4)];
        let all = replaced(kept, vec![row("d", 5), row("b", 6)]);
        assert_eq!(all, [row("a", 1), row("b", 6), row("c", 4), row("d", 5)]);
    }

    #[test]
    fn points_belong_to_their_lines() {
        let rows = [line("1", |_| 7.0), line("n", |n| n)].concat();
        let mut mixed: Vec<Value> = rows.iter().step_by(2).cloned().collect();
        mixed.extend(rows.iter().skip(1).step_by(2).cloned());
        assert_eq!(lines(&mixed).iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    }
}
