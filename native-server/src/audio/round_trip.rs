//! How long sound is on its way from the engine to the loudspeaker, and from the microphone back to the engine.
//!
//! Who plays to what is heard plays that much later than the engine's clock says, so a recording is moved back by it.
//!
//! ```text
//! engine frame n ──▶ heard, output latency after the callback       captured ──▶ queue ──▶ taken with engine frame n
//!                    └────────────────── the round trip ──────────────────┘
//! ```
//!
//! Both callbacks note when: the input when its latest frame was captured, the output how many frames wait then.
//! That is one figure at one moment, whatever the sizes and the phases of the callbacks.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing was measured, or set.
const UNKNOWN: u32 = u32::MAX;
/// A device that claims more is wrong about itself.
const MAX: Duration = Duration::from_secs(2);

/// The round trip, as the callbacks measure it or as it was set.
#[derive(Debug)]
pub struct RoundTrip {
    began: Instant,
    /// Odd while the input's callback changes what follows.
    version: AtomicU32,
    /// When the latest frame in the queue was captured, ns since `began`; 0 for never.
    captured_until: AtomicU64,
    /// What was set, µs.
    fixed: AtomicU32,
    /// What was measured last, µs.
    measured: AtomicU32,
}

impl Default for RoundTrip {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            version: AtomicU32::new(0),
            captured_until: AtomicU64::new(0),
            fixed: AtomicU32::new(UNKNOWN),
            measured: AtomicU32::new(UNKNOWN),
        }
    }
}

impl RoundTrip {
    /// What it is from now on, whatever devices say.
    pub fn set(&self, round_trip: Duration) {
        self.fixed.store(micros(round_trip), Ordering::Relaxed);
    }

    /// What was set, or else measured last; zero before.
    pub fn get(&self) -> Duration {
        let known = [&self.fixed, &self.measured].map(|micros| micros.load(Ordering::Relaxed));
        let micros = known.into_iter().find(|micros| *micros != UNKNOWN);
        Duration::from_micros(micros.unwrap_or(0).into())
    }

    /// Puts frames in the queue, the last of which was captured `ago`. Runs on the input's thread.
    pub(super) fn capture(&self, ago: Duration, put: impl FnOnce()) {
        self.capture_at(self.began.elapsed(), ago, put);
    }

    /// Looks how long the oldest of the frames that wait has been on its way, when what is rendered now is heard in
    /// `ahead`. Runs on the output's thread.
    pub(super) fn measure(&self, ahead: Duration, rate: f64, n_waiting: impl FnOnce() -> usize) {
        self.measure_at(self.began.elapsed(), ahead, rate, n_waiting);
    }

    fn capture_at(&self, now: Duration, ago: Duration, put: impl FnOnce()) {
        self.version.fetch_add(1, Ordering::AcqRel);
        put();
        let until = now.saturating_sub(ago).as_nanos();
        self.captured_until.store(u64::try_from(until).unwrap_or(u64::MAX).max(1), Ordering::Release);
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    fn measure_at(&self, now: Duration, ahead: Duration, rate: f64, n_waiting: impl FnOnce() -> usize) {
        let version = self.version.load(Ordering::Acquire);
        let until = self.captured_until.load(Ordering::Acquire);
        let n_waiting = n_waiting();
        // The input is just at it: the next time will do.
        if version % 2 == 1 || until == 0 || self.version.load(Ordering::Acquire) != version {
            return;
        }
        let queue = Duration::from_secs_f64(n_waiting as f64 / rate);
        let round_trip = ahead + queue + now.saturating_sub(Duration::from_nanos(until));
        if round_trip <= MAX {
            self.measured.store(micros(round_trip), Ordering::Relaxed);
        }
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(UNKNOWN).min(UNKNOWN - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A cable from the output to the input of one clock, simulated: what is measured is how far what comes in lies
    /// behind what went out.
    fn looped(n_out: usize, n_in: usize, phase: usize, out_ahead: usize, in_behind: usize) -> (f64, f64) {
        const RATE: f64 = 48_000.0;
        let time = |frame: usize| Duration::from_secs_f64(frame as f64 / RATE);
        let round_trip = RoundTrip::default();
        // Number of the engine's frame that each frame of the queue carries.
        let mut queue = VecDeque::new();
        // What is heard in each frame of time, by the engine's number.
        let mut heard = vec![None; 60_000];
        let (mut n_engine, mut lag) = (0, None);
        for now in 1..48_000 {
            if now % n_in == phase && now >= n_in + in_behind {
                round_trip.capture_at(time(now), time(in_behind), || {
                    queue.extend(&heard[now - in_behind - n_in..now - in_behind]);
                });
            }
            if now % n_out == 0 {
                round_trip.measure_at(time(now), time(out_ahead), RATE, || queue.len());
                for i in 0..n_out {
                    if let Some(Some(number)) = queue.pop_front() {
                        lag = Some(n_engine - number);
                    }
                    heard[now + out_ahead + i] = Some(n_engine);
                    n_engine += 1;
                }
            }
        }
        (lag.expect("something came back") as f64, round_trip.get().as_secs_f64() * RATE)
    }

    #[test]
    fn what_is_measured_is_how_late_sound_comes_back() {
        for (n_out, n_in, phase, out_ahead, in_behind) in [
            (1024, 1024, 0, 1024, 0),
            (1024, 1024, 500, 1500, 300),
            (256, 1024, 100, 700, 64),
            (1024, 256, 31, 2048, 480),
            (480, 441, 7, 960, 441),
        ] {
            let (lag, measured) = looped(n_out, n_in, phase, out_ahead, in_behind);
            assert!(lag > 0.0 && (measured - lag).abs() < 1.0, "{n_out} {n_in}: {measured}, not {lag}");
        }
    }

    #[test]
    fn what_was_set_counts_and_nonsense_does_not() {
        let round_trip = RoundTrip::default();
        assert_eq!(round_trip.get(), Duration::ZERO);
        let second = Duration::from_secs(1);
        round_trip.capture_at(5 * second, second, || {});
        round_trip.measure_at(20 * second, second, 48_000.0, || 0);
        assert_eq!(round_trip.get(), Duration::ZERO, "an input that stopped long ago");
        round_trip.measure_at(5 * second, second / 4, 48_000.0, || 12_000);
        assert_eq!(round_trip.get(), second * 3 / 2);
        round_trip.set(Duration::from_millis(7));
        assert_eq!(round_trip.get(), Duration::from_millis(7));
    }
}
