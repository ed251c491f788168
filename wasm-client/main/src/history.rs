//! The changes of a composition in local mode: a row of states, one of them in force. Like the server's, it keeps a
//! hundred steps, and a fader that is dragged makes one.

use std::collections::VecDeque;

use engine_core::composition::Composition;
use engine_core::protocol::rest::{HistoryPage, HistoryStep};

/// Most steps that are kept; the oldest go first.
pub const MAX_STEPS: usize = 100;
/// Changes of one gesture that follow one another within this time are one step.
pub const GESTURE_MS: f64 = 1000.0;

/// What a change is called, and what it is a part of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// What was done, for people.
    pub text: String,
    /// Names what moves continuously, such as a fader.
    pub gesture: Option<String>,
}

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the step before.
    Undo,
    /// To the step after.
    Redo,
}

struct Step {
    number: u64,
    label: Label,
    unix_ms: f64,
    composition: Composition,
}

/// Steps of one composition.
pub struct History {
    steps: VecDeque<Step>,
    current: usize,
}

impl History {
    /// Begins with a composition as it was loaded.
    pub fn new(composition: Composition, unix_ms: f64) -> Self {
        let label = Label { text: "loaded".to_owned(), gesture: None };
        Self { steps: [Step { number: 1, label, unix_ms, composition }].into(), current: 0 }
    }

    /// What is in force.
    pub fn composition(&self) -> &Composition {
        &self.steps[self.current].composition
    }

    /// Takes a change. What was undone is gone for good.
    pub fn push(&mut self, composition: Composition, label: Label, unix_ms: f64) {
        if composition == *self.composition() {
            return;
        }
        let number = self.steps[self.current].number;
        let was_undone = self.current + 1 < self.steps.len();
        self.steps.truncate(self.current + 1);
        let last = &self.steps[self.current];
        let goes_on = !was_undone
            && label.gesture.is_some()
            && label.gesture == last.label.gesture
            && unix_ms - last.unix_ms <= GESTURE_MS;
        if goes_on {
            self.steps[self.current] = Step { number, label, unix_ms, composition };
            return;
        }
        self.steps.push_back(Step { number: number + 1, label, unix_ms, composition });
        if self.steps.len() > MAX_STEPS {
            self.steps.pop_front();
        }
        self.current = self.steps.len() - 1;
    }

    /// Goes a step back or forth: what is in force then. `None` when there is no such step.
    pub fn travel(&mut self, direction: Direction) -> Option<&Composition> {
        let to = match direction {
            Direction::Undo => self.current.checked_sub(1)?,
            Direction::Redo => Some(self.current + 1).filter(|to| *to < self.steps.len())?,
        };
        self.current = to;
        Some(self.composition())
    }

    /// At most `limit` steps below number `before`, the newest first.
    pub fn page(&self, before: Option<u64>, limit: usize) -> HistoryPage {
        let below = |step: &&Step| before.is_none_or(|before| step.number < before);
        let items: Vec<_> = self.steps.iter().rev().filter(below).take(limit).collect();
        let is_last = |step: &&Step| step.number == self.steps[0].number;
        let current = self.steps[self.current].number;
        HistoryPage {
            can_undo: self.current > 0,
            can_redo: self.current + 1 < self.steps.len(),
            next_cursor: items.last().filter(|step| !is_last(step)).map(|step| step.number.to_string()),
            items: items
                .into_iter()
                .map(|step| HistoryStep {
                    step: step.number,
                    label: step.label.text.clone(),
                    changed_at: step.unix_ms,
                    current: step.number == current,
                })
                .collect(),
        }
    }
}
