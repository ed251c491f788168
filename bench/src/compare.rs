//! Runs two pieces of code in turn and says how many times faster the first is.

use std::time::Instant;

use serde_json::json;

/// Pairs of runs. Odd, so that the median is one of them.
const RUNS: usize = 9;
/// Seconds that one run should take at least: long against the clock's steps and the scheduler's.
const RUN_SECONDS: f64 = 0.05;

/// What a row must reach.
#[derive(Clone, Copy)]
pub enum Goal {
    /// The value, or more.
    AtLeast(f64),
    /// The value, or less.
    AtMost(f64),
    /// Stated for orientation.
    None,
}

/// What is compared.
pub struct Case<'a> {
    /// What both do.
    pub name: &'a str,
    /// A package of `Cargo.lock`, whose version is then told; or any words.
    pub peer: &'a str,
    /// How many times faster we must be.
    pub goal: Goal,
    /// What a reader must know to judge it.
    pub note: &'a str,
}

/// How a cost may grow with a size.
#[derive(Clone, Copy)]
pub enum Order {
    Constant,
    Linear,
    /// n log n.
    Linearithmic,
}

/// A cost over a size.
pub struct Line<'a> {
    /// What costs.
    pub name: &'a str,
    /// What there is more and more of.
    pub size: &'a str,
    /// Of the cost.
    pub unit: &'a str,
    pub order: Order,
}

/// Rows of one section, printed as they come.
pub struct Table {
    section: &'static str,
}

impl Table {
    /// An empty one.
    pub fn new(section: &'static str) -> Self {
        Self { section }
    }

    /// Times `ours` and `peer` in turn. Each call does the same work.
    pub fn compare(&mut self, case: &Case<'_>, mut ours: impl FnMut(), mut peer: impl FnMut()) {
        let (n_ours, n_peer) = (repeats(&mut ours), repeats(&mut peer));
        let mut runs: Vec<[f64; 3]> = (0..RUNS)
            .map(|_| {
                let (a, b) = (seconds(n_ours, &mut ours), seconds(n_peer, &mut peer));
                [b / a, a, b]
            })
            .collect();
        runs.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let column = |i: usize| {
            let mut values: Vec<f64> = runs.iter().map(|run| run[i]).collect();
            values.sort_by(f64::total_cmp);
            values[RUNS / 2]
        };
        let [low, .., high] = &runs[..] else { unreachable!("several runs") };
        self.row(case, "×", [low[0], runs[RUNS / 2][0], high[0]], Some([column(1), column(2)]));
    }

    /// A figure that has no peer to be timed against: a share of real time, a level in dB, a size.
    pub fn value(&mut self, case: &Case<'_>, unit: &str, mut values: Vec<f64>) {
        values.sort_by(f64::total_cmp);
        let spread = [values[0], values[values.len() / 2], values[values.len() - 1]];
        self.row(case, unit, spread, None);
    }

    /// A cost at one size. Whether it stays within its order, the whole line tells.
    pub fn point(&mut self, line: &Line<'_>, size: usize, mut costs: Vec<f64>) {
        costs.sort_by(f64::total_cmp);
        let order = match line.order {
            Order::Constant => "1",
            Order::Linear => "n",
            Order::Linearithmic => "n log n",
        };
        let row = json!({
            "section": self.section, "name": format!("{}: {} {size}", line.name, line.size), "peer": "",
            "version": "", "unit": line.unit, "value": costs[costs.len() / 2], "low": costs[0],
            "high": costs[costs.len() - 1], "goal": "", "reached": null, "seconds": null, "note": "",
            "line": line.name, "of": line.size, "size": size, "order": order,
        });
        println!("{row}");
    }

    fn row(&mut self, case: &Case<'_>, unit: &str, [low, value, high]: [f64; 3], seconds: Option<[f64; 2]>) {
        let (goal, reached) = match case.goal {
            Goal::AtLeast(goal) => (format!("≥ {goal}"), Some(value >= goal)),
            Goal::AtMost(goal) => (format!("≤ {goal}"), Some(value <= goal)),
            Goal::None => (String::new(), None),
        };
        let row = json!({
            "section": self.section, "name": case.name, "peer": case.peer, "version": version(case.peer),
            "unit": unit, "value": value, "low": low, "high": high, "goal": goal, "reached": reached,
            "seconds": seconds, "note": case.note,
        });
        println!("{row}");
    }
}

/// Version of a package in the lock file; empty if it is none.
fn version(package: &str) -> &'static str {
    const LOCK: &str = include_str!("../Cargo.lock");
    let entry = LOCK.split("[[package]]").find(|e| e.contains(&format!("name = \"{package}\"\n")));
    entry.and_then(|e| e.split("version = \"").nth(1)?.split('"').next()).unwrap_or("")
}

/// Calls that fill a run. Warms up, too.
fn repeats(work: &mut impl FnMut()) -> u32 {
    let mut n = 1;
    loop {
        let took = seconds(n, work) * f64::from(n);
        if took >= RUN_SECONDS {
            return n;
        }
        n = (f64::from(n) * (1.2 * RUN_SECONDS / took.max(1e-6)).clamp(1.5, 100.0)) as u32 + 1;
    }
}

/// Seconds of one call, over `n`.
fn seconds(n: u32, work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..n).for_each(|_| work());
    start.elapsed().as_secs_f64() / f64::from(n)
}
