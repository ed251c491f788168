//! How fast the ring is read: the other end's clock is not ours, and no more should wait than jitter needs.

/// Most that the speed is changed by: 500 ppm, a hundredth of a semitone.
pub const MAX_CORRECTION: f64 = 500e-6;
/// Change of the speed in a second, so that none is heard.
const MAX_CHANGE: f64 = 100e-6;
/// Speed for each second of sound that waits too long. 200 ppm of drift shift what waits by 4 ms.
const GAIN: f64 = 0.05;
/// Half of the time over which the least is taken.
const WINDOW_SECONDS: f64 = 2.0;
/// What is left, at the least, when the latest stretch of sound arrives.
const MARGIN_SECONDS: f64 = 0.02;

/// Controls the speed by the slack: what is left in the ring when a stretch arrives. Its least over some seconds is
/// what jitter has not used up, whatever the jitter is.
pub(crate) struct Pace {
    least: [f64; 2],
    since: f64,
    correction: f64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { least: [f64::INFINITY; 2], since: 0.0, correction: 0.0 }
    }

    /// What was measured says nothing any more; the speed stays.
    pub(crate) fn restart(&mut self) {
        (self.least, self.since) = ([f64::INFINITY; 2], 0.0);
    }

    /// A stretch arrived while that much was left.
    pub(crate) fn arrived(&mut self, slack_seconds: f64) {
        self.least[0] = self.least[0].min(slack_seconds);
    }

    /// Time passed: by how much faster than real time to read.
    pub(crate) fn advance(&mut self, seconds: f64) -> f64 {
        self.since += seconds;
        if self.since >= WINDOW_SECONDS {
            self.since = 0.0;
            self.least = [f64::INFINITY, self.least[0]];
        }
        let wanted = self.excess().map_or(self.correction, |excess| GAIN * excess);
        let step = (wanted.clamp(-MAX_CORRECTION, MAX_CORRECTION) - self.correction)
            .clamp(-MAX_CHANGE * seconds, MAX_CHANGE * seconds);
        self.correction += step;
        self.correction
    }

    /// By how much more waits than has to.
    pub(crate) fn excess(&self) -> Option<f64> {
        let least = self.least[0].min(self.least[1]);
        least.is_finite().then_some(least - MARGIN_SECONDS)
    }

    pub(crate) fn correction(&self) -> f64 {
        self.correction
    }
}
