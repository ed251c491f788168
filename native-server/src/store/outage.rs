//! A database that does not answer is asked again only after a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long after a failure all calls fail at once: were each to wait for its own failure, those that wait for
/// their turn would add up to minutes.
const PAUSE: Duration = Duration::from_millis(500);

/// When a database may be asked again.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<Break>>);

#[derive(Clone, Debug)]
struct Break {
    since: Instant,
    reason: String,
}

impl Outage {
    fn state(&self) -> std::sync::MutexGuard<'_, Option<Break>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reason not to ask.
    pub(super) fn reason(&self) -> Option<String> {
        let state = self.state();
        state.as_ref().filter(|outage| outage.since.elapsed() < PAUSE).map(|outage| outage.reason.clone())
    }

    /// Whether the last call got an answer.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_none()
    }

    /// A call got no answer.
    pub(super) fn begin(&self, reason: &str) {
        let previous = self.state().replace(Break { since: Instant::now(), reason: reason.to_string() });
        if previous.is_none() {
            tracing::warn!("the database does not answer: {reason}");
        }
    }

    /// A call got an answer.
    pub(super) fn end(&self) {
        if self.state().take().is_some() {
            tracing::warn!("the database answers again");
        }
    }
}
