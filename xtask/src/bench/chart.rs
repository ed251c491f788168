//! Charts of the benchmark as SVG, readable on light and dark ground.

use std::fmt::Write;

use serde_json::Value;
use svg::Document;
use svg::node::element::{Circle, Line, Polyline, Rectangle, Style, Text};

const WIDTH: f64 = 860.0;
/// Of a bar: its name, and the bar below.
const ROW: f64 = 40.0;
const BAR: f64 = 14.0;
const LEFT: f64 = 8.0;
const RIGHT: f64 = 70.0;
/// As wide as a figure is written.
const FIGURE: f64 = 50.0;
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#777}.bar{fill:#3b82f6}.missed{fill:#e5604d}\
    .goal,.axis{stroke:#777;stroke-width:2}.axis{stroke-width:1;stroke-dasharray:3 2}.grid{stroke:#7774;stroke-width:1}polyline{fill:none;stroke:#3b82f6;stroke-width:2}\
    circle{fill:#3b82f6}";

fn document(height: f64) -> Document {
    Document::new().set("viewBox", (0.0, 0.0, WIDTH, height)).set("role", "img").add(Style::new(STYLE))
}

fn text(x: f64, y: f64, anchor: &str, words: impl Into<String>) -> Text {
    Text::new(words).set("x", x).set("y", y).set("text-anchor", anchor)
}

fn line(class: &str, [x1, y1, x2, y2]: [f64; 4]) -> Line {
    Line::new().set("class", class).set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2)
}

/// A bar for each ratio, with a mark at its goal. `None` without ratios.
pub(super) fn bars(rows: &[&Value]) -> Option<String> {
    let ratios: Vec<&&Value> = rows.iter().filter(|row| row["unit"] == "×").collect();
    let goal = |row: &Value| row["goal"].as_str()?.trim_start_matches(['≥', '≤', ' ']).parse::<f64>().ok();
    let value = |row: &Value| row["value"].as_f64().unwrap_or(0.0);
    let most = ratios.iter().flat_map(|row| [value(row), goal(row).unwrap_or(1.0)]).reduce(f64::max)?;
    let x = |value: f64| LEFT + value / most * (WIDTH - LEFT - RIGHT);
    let height = ROW * ratios.len() as f64 + 12.0;
    let mut chart = document(height);
    for (n, row) in ratios.iter().enumerate() {
        let (y, end) = (ROW * n as f64 + 22.0, x(value(row)));
        let peer = row["peer"].as_str().unwrap_or_default();
        let name = format!("{} / {peer}", row["name"].as_str().unwrap_or_default());
        let class = if row["reached"] == false { "missed" } else { "bar" };
        let bar = Rectangle::new().set("class", class).set("x", LEFT).set("y", y).set("height", BAR);
        chart = chart.add(bar.set("width", end - LEFT));
        let mut figure_at = end + 6.0;
        let marks = [Some(("axis", 1.0)), goal(row).map(|goal| ("goal", goal))];
        for (class, at) in marks.into_iter().flatten().map(|(class, value)| (class, x(value))) {
            chart = chart.add(line(class, [at, y - 3.0, at, y + BAR + 3.0]));
            // A mark just beyond the bar's end would run through the figure.
            if (end..end + FIGURE).contains(&at) {
                figure_at = figure_at.max(at + 6.0);
            }
        }
        chart = chart.add(text(LEFT, y - 6.0, "start", name)).add(text(
            figure_at,
            y + 11.0,
            "start",
            format!("{:.2}×", value(row)),
        ));
    }
    Some(chart.to_string())
}

/// Cost against size, both logarithmic.
pub(super) fn growth(points: &[(f64, f64)], x_name: &str, y_name: &str) -> String {
    const HEIGHT: f64 = 300.0;
    const LEFT: f64 = 70.0;
    const BOTTOM: f64 = 40.0;
    let decades = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value.log10().floor()), high.max(value.log10().ceil()))
        });
        (low, high.max(low + 1.0))
    };
    let (x_low, x_high) = decades(&mut points.iter().map(|point| point.0));
    let (y_low, y_high) = decades(&mut points.iter().map(|point| point.1));
    let x = |value: f64| LEFT + (value.log10() - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT);
    let y =
        |value: f64| HEIGHT - BOTTOM - (value.log10() - y_low) / (y_high - y_low) * (HEIGHT - BOTTOM - 20.0);
    let mut chart = document(HEIGHT)
        .add(text(WIDTH - RIGHT, HEIGHT - 4.0, "end", x_name))
        .add(text(6.0, 14.0, "start", y_name));
    for decade in x_low as i32..=x_high as i32 {
        let at = x(10f64.powi(decade));
        chart = chart.add(line("grid", [at, 20.0, at, HEIGHT - BOTTOM])).add(text(
            at,
            HEIGHT - BOTTOM + 16.0,
            "middle",
            format!("{}", 10f64.powi(decade)),
        ));
    }
    for decade in y_low as i32..=y_high as i32 {
        let at = y(10f64.powi(decade));
        chart = chart.add(line("grid", [LEFT, at, WIDTH - RIGHT, at])).add(text(
            LEFT - 8.0,
            at + 4.0,
            "end",
            format!("{}", 10f64.powi(decade)),
        ));
    }
    let mut path = String::new();
    for &(size, cost) in points {
        let _ = write!(path, "{:.1},{:.1} ", x(size), y(cost));
        chart = chart.add(Circle::new().set("cx", x(size)).set("cy", y(cost)).set("r", 3.5));
    }
    chart.add(Polyline::new().set("points", path)).to_string()
}
