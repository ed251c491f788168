//! When a sample was rendered, in Unix time: the device's blocks come in bursts, its clock does not.

use std::time::{SystemTime, UNIX_EPOCH};

use engine_core::units::SampleRate;

/// Share of a new reading in the estimate: jitter of one block shrinks to a twentieth.
const GAIN: f64 = 0.05;
/// A reading that is off by more than this is a jump (suspended machine, clock set), not jitter.
const JUMP_MS: f64 = 250.0;

/// Unix milliseconds.
pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// Maps sample positions to Unix milliseconds.
#[derive(Debug)]
pub(super) struct SampleClock {
    ms_per_sample: f64,
    origin_ms: Option<f64>,
}

impl SampleClock {
    /// A clock that knows no reading yet.
    pub(super) fn new(rate: SampleRate) -> Self {
        Self { ms_per_sample: 1e3 / rate.as_f64(), origin_ms: None }
    }

    /// `sample_position` was rendered just before `now_ms`.
    pub(super) fn observe(&mut self, sample_position: u64, now_ms: f64) {
        let reading = now_ms - sample_position as f64 * self.ms_per_sample;
        self.origin_ms = Some(match self.origin_ms {
            Some(origin) if (reading - origin).abs() < JUMP_MS => origin + GAIN * (reading - origin),
            _ => reading,
        });
    }

    /// When `sample_position` was rendered; now, before the first reading.
    pub(super) fn time_of(&self, sample_position: u64) -> f64 {
        self.origin_ms.map_or_else(unix_ms, |origin| origin + sample_position as f64 * self.ms_per_sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_smoothed_and_jumps_are_followed() {
        let mut clock = SampleClock::new(SampleRate::DEFAULT);
        let true_ms = |n: u64| 1e12 + n as f64 / 48.0;
        for block in 1..500u64 {
            let jitter = if block % 2 == 0 { 20.0 } else { 0.0 };
            clock.observe(block * 1024, true_ms(block * 1024) + jitter);
        }
        let error = clock.time_of(480_000) - true_ms(480_000);
        assert!((error - 10.0).abs() < 1.0, "the mean delay of {error} ms remains, the jitter does not");
        clock.observe(600_000, true_ms(600_000) + 5000.0);
        assert!((clock.time_of(600_000) - true_ms(600_000) - 5000.0).abs() < 1e-3);
    }
}
