//! A device that only keeps time: for machines without a sound card, and for tests.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_core::units::SampleRate;

use super::{AudioError, Device, DeviceInfo, Lease, LossReport, Stream};

/// Frames of a callback: what a sound card asks for, so that both behave alike.
const BLOCK: u32 = 512;
/// What others get of a processor even when rendering is late: at real-time priority they would get nothing.
const PAUSE_WHEN_LATE: Duration = Duration::from_micros(500);
/// Later than this, the process was suspended: the clock starts anew instead of catching up in a burst.
const SUSPENDED: Duration = Duration::from_millis(500);

/// The null device.
pub(super) struct NullDevice {
    info: DeviceInfo,
}

impl NullDevice {
    /// A null device of any rate.
    pub(super) fn new(rate: SampleRate) -> Self {
        Self { info: DeviceInfo { name: String::from("the null device"), rate, buffer_frames: BLOCK } }
    }
}

impl Device for NullDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn start(self: Box<Self>, mut renderer: Lease, _lost: LossReport) -> Result<Box<dyn Stream>, AudioError> {
        let (stop, stopped) = mpsc::channel::<()>();
        let rate = self.info.rate;
        let thread = thread::Builder::new()
            .name(String::from("null-audio"))
            .spawn(move || run(rate, &stopped, &mut renderer))
            .map_err(|error| AudioError::Device {
                device: self.info.name.clone(),
                reason: error.to_string(),
            })?;
        Ok(Box::new(NullStream { stop: Some(stop), thread: Some(thread) }))
    }
}

fn run(rate: SampleRate, stopped: &mpsc::Receiver<()>, lease: &mut Lease) {
    let mut out = [0.0f32; BLOCK as usize * 2];
    let mut clock = BlockClock::new(rate, Instant::now());
    loop {
        lease.render(&mut out, 2, |sample| sample);
        let now = Instant::now();
        let wait = match clock.next(now) {
            Wait::For(wait) => wait,
            Wait::Late => PAUSE_WHEN_LATE,
            Wait::Restarted => {
                lease.renderer().inspect(|renderer| renderer.stats().count_xrun());
                PAUSE_WHEN_LATE
            }
        };
        // The channel never carries a message: its sender is dropped to stop the thread.
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wait {
    For(Duration),
    Late,
    Restarted,
}

/// Deadlines from one start, so that late wake-ups do not add up.
struct BlockClock {
    rate: SampleRate,
    start: Instant,
    n_blocks: u64,
}

impl BlockClock {
    fn new(rate: SampleRate, start: Instant) -> Self {
        Self { rate, start, n_blocks: 0 }
    }

    /// How long until the block after this one is due.
    fn next(&mut self, now: Instant) -> Wait {
        self.n_blocks += 1;
        let nanos =
            u128::from(self.n_blocks) * u128::from(BLOCK) * 1_000_000_000 / u128::from(self.rate.hz());
        let due = self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        match due.checked_duration_since(now) {
            Some(wait) => Wait::For(wait),
            None if now - due < SUSPENDED => Wait::Late,
            None => {
                *self = Self::new(self.rate, now);
                Wait::Restarted
            }
        }
    }
}

struct NullStream {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stream for NullStream {}

impl Drop for NullStream {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_do_not_drift() {
        let start = Instant::now();
        let rate = SampleRate::new(44_100).unwrap();
        let mut clock = BlockClock::new(rate, start);
        // An hour of wake-ups, each 1 ms late: the last deadline is where it would be without.
        let mut now = start;
        for _ in 0..310_078 {
            if let Wait::For(wait) = clock.next(now) {
                now += wait + Duration::from_millis(1);
            }
        }
        let ideal = 310_078.0 * 512.0 / 44_100.0;
        assert!(((now - start).as_secs_f64() - ideal - 0.001).abs() < 1e-6);
    }

    #[test]
    fn a_suspended_machine_does_not_catch_up() {
        let start = Instant::now();
        let mut clock = BlockClock::new(SampleRate::DEFAULT, start);
        assert_eq!(clock.next(start + Duration::from_millis(100)), Wait::Late);
        assert_eq!(clock.next(start + Duration::from_secs(60)), Wait::Restarted);
        assert!(matches!(clock.next(start + Duration::from_secs(60)), Wait::For(_)));
    }
}
