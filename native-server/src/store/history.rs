//! The history of a composition: a row of steps, one of them in force, bounded in number and size.

/// Most steps that are kept of a composition; the oldest go first.
pub const MAX_STEPS: usize = 100;
/// Most bytes of JSON that the steps of a composition take together. Two steps are kept whatever their size, so
/// that every change can be undone.
pub const MAX_HISTORY_BYTES: u64 = 32 << 20;
/// Changes of one gesture, such as dragging a fader, that follow one another within this time are one step.
const GESTURE_MS: u64 = 1000;

/// Which way to go in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the step before.
    Undo,
    /// To the step after.
    Redo,
}

/// How a step came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What was done, for people.
    pub label: String,
    /// Names what moves continuously, such as a fader: steps of the same gesture become one.
    pub gesture: Option<String>,
    /// When, in Unix milliseconds.
    pub at: u64,
}

impl Change {
    /// Whether `next` goes on with the same gesture.
    pub(super) fn continues_with(&self, next: &Self) -> bool {
        self.gesture.is_some()
            && self.gesture == next.gesture
            && next.at.saturating_sub(self.at) <= GESTURE_MS
    }
}

/// One step of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Grows from one step to the next.
    pub number: u64,
    /// How it came about.
    pub change: Change,
}

/// Some steps of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The newest first.
    pub steps: Vec<Step>,
    /// Number of the step that is in force.
    pub current: u64,
    /// Number of the oldest step that is kept.
    pub oldest: u64,
    /// Number of the newest step.
    pub newest: u64,
}

/// How many steps are kept, of steps with these sizes (in bytes, the newest first).
pub(super) fn n_kept(sizes: impl IntoIterator<Item = u64>) -> usize {
    let mut total = 0u64;
    let fits = |(idx, size): &(usize, u64)| {
        total = total.saturating_add(*size);
        *idx < 2 || (*idx < MAX_STEPS && total <= MAX_HISTORY_BYTES)
    };
    sizes.into_iter().enumerate().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_bounded_by_number_and_by_size() {
        assert_eq!(n_kept([1; 500]), MAX_STEPS);
        assert_eq!(n_kept([MAX_HISTORY_BYTES / 4; 10]), 4);
        assert_eq!(n_kept([u64::MAX; 10]), 2, "the last change can always be undone");
        assert_eq!((n_kept([]), n_kept([7])), (0, 1));
    }

    #[test]
    fn a_gesture_goes_on_while_nothing_else_happens_and_no_pause_is_made() {
        let change = |gesture: Option<&str>, at| Change {
            label: String::new(),
            gesture: gesture.map(String::from),
            at,
        };
        let drag = change(Some("a"), 5000);
        assert!(drag.continues_with(&change(Some("a"), 6000)));
        assert!(!drag.continues_with(&change(Some("a"), 6001)));
        assert!(!drag.continues_with(&change(Some("b"), 5001)));
        assert!(!drag.continues_with(&change(None, 5001)));
        assert!(!change(None, 5000).continues_with(&change(None, 5001)));
    }
}
