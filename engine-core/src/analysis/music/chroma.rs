//! Pitch classes: E. Gómez, "Tonal description of polyphonic audio for music content processing" (2006), the
//! harmonic pitch class profile, with its tuning by the circular mean of the deviations from equal temperament.

use core::f64::consts::TAU;

use super::frames::Frames;
use super::key::{Key, best_key};
use crate::dsp::fft::MIN_FFT_SIZE;
use crate::math::{fast_db_from_power, wide};

/// Seconds of a frame, at least: 3.3 Hz between bins tell semitones apart from 110 Hz on.
const FRAME_SECONDS: f64 = 0.3;
/// Frames a second.
const FRAMES_PER_SECOND: f64 = 20.0;
/// Peaks that count, Hz: from A1 to C7, where fundamentals are.
const RANGE_HZ: [f64; 2] = [55.0, 2_100.0];
/// Quieter peaks are no notes, power: −75 dBFS, and 40 dB below the loudest.
const SILENCE: f32 = 3e-8;
const BELOW_LOUDEST: f32 = 1e-4;
/// A peak at f may be a partial of f/h: it counts there too, times 0.6 to the power h − 1.
const PARTIAL_WEIGHTS: [f64; 4] = [1.0, 0.6, 0.36, 0.216];
/// Width of the window in which a peak counts for a class, semitones.
const CLASS_WIDTH: f64 = 4.0 / 3.0;
/// Below this a bin is too wide to tell the tuning, Hz.
const TUNING_MIN_HZ: f64 = 200.0;
/// Time constant of tuning and key in a live stream, seconds.
const MEMORY_SECONDS: f64 = 8.0;
/// Sound that a key needs, seconds.
const KEY_SECONDS: f64 = 1.0;

/// Chroma of the newest frame; tuning and key of the stream.
pub(super) struct Chroma {
    frames: Frames,
    state: State,
}

struct State {
    bin_hz: f64,
    /// 1 − decay per frame; 0 to remember everything.
    forget: f64,
    newest: [f64; 12],
    /// Σ of the chromas, each with a peak of 1.
    sum: [f64; 12],
    /// Frames with sound.
    n_frames: u64,
    /// Σ a²·e^(2πi·deviation), a semitone being one turn.
    tuning: [f64; 2],
}

impl Chroma {
    /// For a stream at `rate` Hz; `forgets` what is long past, or is about the whole.
    pub(super) fn new(rate: f64, forgets: bool) -> Self {
        let n = ((FRAME_SECONDS * rate) as usize).next_power_of_two().max(MIN_FFT_SIZE);
        let hop = (rate / FRAMES_PER_SECOND + 0.5) as usize;
        let forget = if forgets { hop as f64 / rate / MEMORY_SECONDS } else { 0.0 };
        Self { frames: Frames::new(n, hop), state: State::new(rate / n as f64, forget) }
    }

    pub(super) fn reset(&mut self) {
        self.frames.reset();
        self.state = State::new(self.state.bin_hz, self.state.forget);
    }

    pub(super) fn process(&mut self, samples: &[f32]) {
        let state = &mut self.state;
        self.frames.process(samples, |powers| state.frame(powers));
    }

    /// Twelve classes from C, the greatest 1; all 0 in silence.
    pub(super) fn newest(&self) -> [f32; 12] {
        self.state.newest.map(|x| x as f32)
    }

    /// Deviation of the tuning from A4 = 440 Hz, cents, −50 to 50; 0 before the first sound.
    pub(super) fn tuning_cents(&self) -> f64 {
        100.0 * self.state.deviation()
    }

    /// The key and how well its profile fits, −1 to 1.
    pub(super) fn key(&self) -> Option<(Key, f64)> {
        let enough = self.state.n_frames as f64 >= KEY_SECONDS * FRAMES_PER_SECOND;
        if enough { best_key(&self.state.sum) } else { None }
    }
}

impl State {
    fn new(bin_hz: f64, forget: f64) -> Self {
        Self { bin_hz, forget, newest: [0.0; 12], sum: [0.0; 12], n_frames: 0, tuning: [0.0; 2] }
    }

    /// Semitones, −0.5 to 0.5.
    fn deviation(&self) -> f64 {
        let [re, im] = self.tuning;
        if re == 0.0 && im == 0.0 { 0.0 } else { libm::atan2(im, re) / TAU }
    }

    fn frame(&mut self, powers: &[f32]) {
        self.newest = [0.0; 12];
        let bins = powers.len() - 2;
        let first = ((RANGE_HZ[0] / self.bin_hz) as usize).clamp(1, bins);
        let last = ((RANGE_HZ[1] / self.bin_hz) as usize).clamp(first, bins);
        let loudest = super::super::greatest(&powers[first..=last]);
        if loudest < SILENCE {
            return;
        }
        let least = (BELOW_LOUDEST * loudest).max(SILENCE);
        let is_peak =
            |k: usize| powers[k] >= least && powers[k] > powers[k - 1] && powers[k] >= powers[k + 1];
        self.tuning.iter_mut().for_each(|x| *x *= 1.0 - self.forget);
        for k in (first..=last).filter(|&k| is_peak(k)) {
            let (hz, amplitude) = self.peak(powers, k);
            if hz >= TUNING_MIN_HZ {
                let angle = TAU * semitones_from_hz(hz);
                // By power: the fifth partial of a tone in tune is 14 cents flat, and must not count much.
                self.tuning[0] += amplitude * amplitude * libm::cos(angle);
                self.tuning[1] += amplitude * amplitude * libm::sin(angle);
            }
        }
        let deviation = self.deviation();
        for k in (first..=last).filter(|&k| is_peak(k)) {
            let (hz, amplitude) = self.peak(powers, k);
            for (h, weight) in (1..).zip(PARTIAL_WEIGHTS) {
                self.add(semitones_from_hz(hz / f64::from(h)) - deviation, weight * amplitude);
            }
        }
        let greatest = self.newest.iter().fold(0.0, |a, &b| if b > a { b } else { a });
        for (newest, sum) in self.newest.iter_mut().zip(&mut self.sum) {
            *newest /= greatest;
            *sum = *sum * (1.0 - self.forget) + *newest;
        }
        self.n_frames += 1;
    }

    /// Frequency and amplitude of a local maximum, from the parabola through three levels in dB.
    fn peak(&self, powers: &[f32], k: usize) -> (f64, f64) {
        let (bin, _) = super::parabola(k, [k - 1, k, k + 1].map(|k| fast_db_from_power(powers[k])));
        (bin * self.bin_hz, wide::sqrt(f64::from(powers[k])))
    }

    /// Adds to the two classes nearest to `semitones` above C.
    fn add(&mut self, semitones: f64, amount: f64) {
        let below = wide::floor(semitones);
        for class in [below, below + 1.0] {
            let distance = (semitones - class) / CLASS_WIDTH;
            if (-0.5..0.5).contains(&distance) {
                let window = libm::cos(0.5 * TAU * distance);
                self.newest[(class as i64).rem_euclid(12) as usize] += amount * window * window;
            }
        }
    }
}

/// Semitones above C4 (MIDI 60).
fn semitones_from_hz(hz: f64) -> f64 {
    9.0 + 12.0 * libm::log2(hz / 440.0)
}
