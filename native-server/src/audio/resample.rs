//! From the engine's rate to that of a device which has another: one that is plugged in while the engine runs.
//!
//! Windowed sinc, as the sampler reads recordings; what the device cannot show is filtered out first.

use engine_core::dsp::sinc::{MAX_TAPS, SincTable, dot};
use engine_core::units::SampleRate;

/// Device frames that are made at a time; callbacks are seldom longer.
const CHUNK: usize = 1024;

/// Reads the engine's sound at the device's rate. Allocates when it is made, and never again.
pub(super) struct Resampler {
    table: SincTable,
    /// Engine frames per device frame.
    speed: f64,
    /// Left and right: what the filter still needs, and what follows.
    waiting: [Box<[f32]>; 2],
    n_waiting: usize,
    /// Of the next device frame, in `waiting`.
    position: f64,
    /// What the engine renders, interleaved.
    rendered: Box<[f32]>,
}

impl Resampler {
    /// From frames of the first rate to frames of the second. The first one is heard at once.
    pub(super) fn new(engine: SampleRate, device: SampleRate) -> Self {
        let speed = engine.as_f64() / device.as_f64();
        let table = SincTable::new();
        let n_before = table.kernel(speed).n_taps() / 2 - 1;
        let n_most = (CHUNK as f64 * speed) as usize + 2 * MAX_TAPS;
        Self {
            table,
            speed,
            waiting: [vec![0.0; n_most].into(), vec![0.0; n_most].into()],
            n_waiting: n_before,
            position: n_before as f64,
            rendered: vec![0.0; 2 * n_most].into(),
        }
    }

    /// Has the engine `render` as many interleaved stereo frames as it takes, and hands out device frames, left and
    /// right. Runs on the audio thread.
    pub(super) fn process(
        &mut self,
        n_frames: usize,
        mut render: impl FnMut(&mut [f32]),
        mut emit: impl FnMut(usize, [f32; 2]),
    ) {
        for first in (0..n_frames).step_by(CHUNK) {
            let end = n_frames.min(first + CHUNK);
            self.fetch(end - first, &mut render);
            for idx in first..end {
                emit(idx, self.next());
            }
        }
    }

    /// Fetches what so many device frames need.
    fn fetch(&mut self, n_frames: usize, render: &mut impl FnMut(&mut [f32])) {
        let half = self.table.kernel(self.speed).n_taps() / 2;
        // All that lies before the next frame's filter is done with.
        let n_done = (self.position as usize + 1 - half).min(self.n_waiting);
        for channel in &mut self.waiting {
            channel.copy_within(n_done..self.n_waiting, 0);
        }
        self.n_waiting -= n_done;
        self.position -= n_done as f64;
        let last = self.position + (n_frames - 1) as f64 * self.speed;
        let n_needed = (last as usize + half + 1).saturating_sub(self.n_waiting);
        let rendered = &mut self.rendered[..2 * n_needed];
        render(rendered);
        let [left, right] = &mut self.waiting;
        for (frame, at) in rendered.chunks_exact(2).zip(self.n_waiting..) {
            (left[at], right[at]) = (frame[0], frame[1]);
        }
        self.n_waiting += n_needed;
    }

    fn next(&mut self) -> [f32; 2] {
        let kernel = self.table.kernel(self.speed);
        let n_taps = kernel.n_taps();
        let whole = self.position as usize;
        let mut taps = [0.0; MAX_TAPS];
        kernel.taps((self.position - whole as f64) as f32, &mut taps);
        let first = whole + 1 - n_taps / 2;
        self.position += self.speed;
        [0, 1].map(|channel| dot(&self.waiting[channel][first..first + n_taps], &taps[..n_taps]))
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_level_whatever_the_callbacks_are() {
        let rate = |hz| SampleRate::new(hz).unwrap();
        for (engine, device) in [(48_000, 44_100), (44_100, 48_000), (48_000, 96_000), (96_000, 44_100)] {
            let mut resampler = Resampler::new(rate(engine), rate(device));
            let tone = |turns: f64| (0.5 * (TAU * turns).sin(), 0.25 * (TAU * 3.0 * turns).cos());
            let (mut n_rendered, mut n_heard) = (0, 0);
            for n_frames in [1, 5, 441, 1024, 1, 2500, 128, 4000] {
                let render = |out: &mut [f32]| {
                    for frame in out.chunks_exact_mut(2) {
                        let (left, right) = tone(1000.0 * f64::from(n_rendered) / f64::from(engine));
                        (frame[0], frame[1]) = (left as f32, right as f32);
                        n_rendered += 1;
                    }
                };
                resampler.process(n_frames, render, |_, [left, right]| {
                    let (l, r) = tone(1000.0 * f64::from(n_heard) / f64::from(device));
                    n_heard += 1;
                    // The first ones have silence before them.
                    if n_heard > 200 {
                        let error = (f64::from(left) - l).abs().max((f64::from(right) - r).abs());
                        assert!(error < 1e-3, "{engine} → {device}, frame {n_heard}: {error}");
                    }
                });
            }
            let expected = f64::from(n_heard) * f64::from(engine) / f64::from(device);
            assert!((f64::from(n_rendered) - expected).abs() < 130.0, "{n_rendered}, not {expected}");
        }
    }
}
