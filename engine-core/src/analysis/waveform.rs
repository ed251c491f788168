//! Live waveform: a triggered scope, or a strip of min/max/RMS buckets.

use alloc::boxed::Box;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::finite;
use super::ring::Ring;
use crate::boxed;
use crate::math::wide;
use crate::units::SampleRate;

/// Points per channel that may be asked for.
pub const SAMPLES_RANGE: RangeInclusive<u16> = 16..=8_192;
/// Milliseconds that a strip of buckets may cover.
pub const WINDOW_MS_RANGE: RangeInclusive<u32> = 10..=60_000;
/// The scope looks back this part of a second for a trigger: 50 ms, a period of 20 Hz.
const SEARCHES_PER_SECOND: u32 = 20;

/// What a waveform shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WaveformMode {
    /// Samples from a rising zero crossing of left + right.
    #[default]
    Scope,
    /// Minimum, maximum and RMS of equal spans of time.
    Buckets,
}

/// Options of a waveform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaveformConfig {
    /// Scope or buckets.
    pub mode: WaveformMode,
    /// Points per channel: samples of the scope, or buckets. In [`SAMPLES_RANGE`].
    pub samples: u16,
    /// Buckets: milliseconds that all of them cover together, in [`WINDOW_MS_RANGE`]; a bucket is a whole
    /// number of samples, at least one. The scope does not use it.
    pub window_ms: u32,
}

impl Default for WaveformConfig {
    fn default() -> Self {
        Self { mode: WaveformMode::Scope, samples: 512, window_ms: 2_000 }
    }
}

/// A waveform that cannot be: the value that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveformError {
    /// Not in [`SAMPLES_RANGE`].
    Samples(u16),
    /// Not in [`WINDOW_MS_RANGE`].
    WindowMs(u32),
}

impl WaveformError {
    /// Name of the field in [`WaveformConfig`].
    pub const fn field(self) -> &'static str {
        match self {
            Self::Samples(_) => "samples",
            Self::WindowMs(_) => "window_ms",
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Samples(_) => "16 to 8192",
            Self::WindowMs(_) => "10 to 60000 ms",
        }
    }
}

impl core::fmt::Display for WaveformError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for WaveformError {}

/// One channel's bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    min: f32,
    max: f32,
    rms: f32,
}

/// The bucket that is being filled.
#[derive(Clone, Copy, Debug, Default)]
struct Filling {
    min: f32,
    max: f32,
    sum_squares: f64,
}

#[derive(Clone, Debug)]
enum State {
    /// The newest `samples` + search range frames.
    Scope { rings: [Ring; 2] },
    /// Rings of complete buckets; `next` is the oldest.
    Buckets { rings: [Box<[Bucket]>; 2], next: usize, filling: [Filling; 2], n_frames: u32, length: u32 },
}

/// A live waveform of a stereo stream.
#[derive(Clone, Debug)]
pub struct Waveform {
    n_points: usize,
    state: State,
}

impl Waveform {
    /// Allocates for a configuration. Silence came before the stream.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn new(rate: SampleRate, config: &WaveformConfig) -> Result<Self, WaveformError> {
        if !SAMPLES_RANGE.contains(&config.samples) {
            return Err(WaveformError::Samples(config.samples));
        }
        if !WINDOW_MS_RANGE.contains(&config.window_ms) {
            return Err(WaveformError::WindowMs(config.window_ms));
        }
        let n_points = usize::from(config.samples);
        let state = match config.mode {
            WaveformMode::Scope => {
                let n = n_points + (rate.hz() / SEARCHES_PER_SECOND) as usize;
                State::Scope { rings: [Ring::new(n), Ring::new(n)] }
            }
            WaveformMode::Buckets => {
                let frames = u64::from(rate.hz()) * u64::from(config.window_ms);
                let per_bucket = 1_000 * u64::from(config.samples);
                let ring = boxed::filled(n_points, Bucket::default());
                State::Buckets {
                    rings: [ring.clone(), ring],
                    next: 0,
                    filling: [Filling::default(); 2],
                    n_frames: 0,
                    length: ((frames + per_bucket / 2) / per_bucket).max(1) as u32,
                }
            }
        };
        Ok(Self { n_points, state })
    }

    /// Values of a snapshot: 2 × points for the scope, 6 × for buckets.
    pub fn n_values(&self) -> usize {
        match self.state {
            State::Scope { .. } => 2 * self.n_points,
            State::Buckets { .. } => 6 * self.n_points,
        }
    }

    /// Frames in one bucket; 1 for the scope, whose points are frames.
    pub fn bucket_frames(&self) -> u32 {
        match self.state {
            State::Scope { .. } => 1,
            State::Buckets { length, .. } => length,
        }
    }

    /// Silence again.
    pub fn reset(&mut self) {
        match &mut self.state {
            State::Scope { rings } => rings.iter_mut().for_each(Ring::reset),
            State::Buckets { rings, next, filling, n_frames, .. } => {
                rings.iter_mut().for_each(|ring| ring.fill(Bucket::default()));
                *filling = [Filling::default(); 2];
                (*next, *n_frames) = (0, 0);
            }
        }
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        match &mut self.state {
            State::Scope { rings } => {
                rings[0].append(left);
                rings[1].append(right);
            }
            State::Buckets { rings, next, filling, n_frames, length } => {
                let (mut left, mut right) = (left, right);
                while !left.is_empty() {
                    let n = left.len().min((*length - *n_frames) as usize);
                    let (l, r);
                    (l, left) = left.split_at(n);
                    (r, right) = right.split_at(n);
                    filling[0].take(l, *n_frames == 0);
                    filling[1].take(r, *n_frames == 0);
                    *n_frames += n as u32;
                    if n_frames == length {
                        rings[0][*next] = filling[0].bucket(*length);
                        rings[1][*next] = filling[1].bucket(*length);
                        *next = (*next + 1) % rings[0].len();
                        *n_frames = 0;
                    }
                }
            }
        }
    }

    /// Writes what is to be drawn, linear, left channel first, oldest first.
    ///
    /// Scope: `samples` of each channel from the latest rising zero crossing of left + right of the 50 ms that
    /// precede the newest `samples` frames; without one (silence, DC) the newest frames. Buckets: all minima,
    /// all maxima, all RMS values of left, then of right; complete buckets only, 0 before the start.
    ///
    /// # Panics
    /// When `out` is not [`n_values`](Self::n_values) long.
    pub fn snapshot(&mut self, out: &mut [f32]) {
        assert!(out.len() == self.n_values(), "waveform buffer");
        let n = self.n_points;
        match &self.state {
            State::Scope { rings } => {
                let start = trigger(rings, n);
                for (ring, out) in rings.iter().zip(out.chunks_exact_mut(n)) {
                    let (older, newer) = ring.pieces();
                    copy(older.iter().chain(newer).skip(start), out, |&x| x);
                }
            }
            State::Buckets { rings, next, .. } => {
                for (ring, out) in rings.iter().zip(out.chunks_exact_mut(3 * n)) {
                    let (min, rest) = out.split_at_mut(n);
                    let (max, rms) = rest.split_at_mut(n);
                    let oldest_first = || ring[*next..].iter().chain(&ring[..*next]);
                    copy(oldest_first(), min, |bucket| bucket.min);
                    copy(oldest_first(), max, |bucket| bucket.max);
                    copy(oldest_first(), rms, |bucket| bucket.rms);
                }
            }
        }
    }
}

impl Filling {
    fn take(&mut self, samples: &[f32], is_new: bool) {
        if is_new {
            *self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY, sum_squares: 0.0 };
        }
        for &x in samples {
            let x = finite(x);
            self.min = if x < self.min { x } else { self.min };
            self.max = if x > self.max { x } else { self.max };
            self.sum_squares += f64::from(x) * f64::from(x);
        }
    }

    fn bucket(&self, length: u32) -> Bucket {
        let rms = wide::sqrt(self.sum_squares / f64::from(length)) as f32;
        Bucket { min: self.min, max: self.max, rms }
    }
}

fn copy<'a, T: 'a>(values: impl Iterator<Item = &'a T>, out: &mut [f32], part: impl Fn(&T) -> f32) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = part(value);
    }
}

/// Frames from the oldest one in the rings to where the scope starts.
fn trigger(rings: &[Ring; 2], n_points: usize) -> usize {
    let newest_start = rings[0].len() - n_points;
    let [(l_older, l_newer), (r_older, r_newer)] = [rings[0].pieces(), rings[1].pieces()];
    let left = l_older.iter().chain(l_newer).take(newest_start + 1);
    let right = r_older.iter().chain(r_newer);
    let (mut start, mut last) = (newest_start, 0.0);
    for (i, (l, r)) in left.zip(right).enumerate() {
        let sum = l + r;
        if last < 0.0 && sum >= 0.0 {
            start = i;
        }
        last = sum;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise, sine};
    use alloc::vec;
    use alloc::vec::Vec;

    fn waveform(mode: WaveformMode, samples: u16, window_ms: u32) -> Waveform {
        Waveform::new(SampleRate::DEFAULT, &WaveformConfig { mode, samples, window_ms }).unwrap()
    }

    fn snapshot(waveform: &mut Waveform) -> Vec<f32> {
        let mut out = vec![9.0; waveform.n_values()];
        waveform.snapshot(&mut out);
        out
    }

    #[test]
    fn the_scope_stands_still() {
        let tone = sine(20_000, 440.0 / 48_000.0, 0.5, 0.0);
        let half: Vec<f32> = tone.iter().map(|x| 0.5 * x).collect();
        for end in [10_000, 10_017, 13_333, 20_000] {
            let mut scope = waveform(WaveformMode::Scope, 512, 2_000);
            scope.process(&tone[..end], &half[..end]);
            let out = snapshot(&mut scope);
            // The crossing lies less than one sample, 0.029, before the first point.
            assert!((0.0..0.03).contains(&out[0]) && out[1] > out[0], "{}", out[0]);
            let start = tone[..end].windows(512).rposition(|w| w == &out[..512]).unwrap();
            assert!(start + 512 + 110 > end);
            assert_eq!(out[512..], half[start..start + 512]);
        }
    }

    #[test]
    fn without_a_crossing_the_scope_runs_free() {
        let ramp: Vec<f32> = (0..9_000).map(|i| 1.0 + i as f32).collect();
        let mut scope = waveform(WaveformMode::Scope, 512, 2_000);
        scope.process(&ramp, &ramp);
        assert_eq!(snapshot(&mut scope)[..512], ramp[9_000 - 512..]);
        scope.reset();
        assert!(snapshot(&mut scope).iter().all(|&x| x == 0.0));
    }

    #[test]
    fn buckets_hold_minimum_maximum_and_rms() {
        // 16 buckets of 30 frames.
        let mut strip = waveform(WaveformMode::Buckets, 16, 10);
        assert_eq!((strip.bucket_frames(), strip.n_values()), (30, 96));
        let (l, r) = (Noise(1).take(30 * 20 + 7), Noise(2).take(30 * 20 + 7));
        strip.process(&l, &r);
        let out = snapshot(&mut strip);
        for (ch, samples) in [l, r].iter().enumerate() {
            for (i, bucket) in samples[120..600].chunks(30).enumerate() {
                let rms = libm::sqrt(bucket.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / 30.0);
                let at = |part: usize| out[(ch * 3 + part) * 16 + i];
                assert_eq!(at(0), bucket.iter().copied().fold(f32::MAX, f32::min));
                assert_eq!(at(1), bucket.iter().copied().fold(f32::MIN, f32::max));
                assert_eq!(at(2), rms as f32);
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_blocks() {
        let (l, r) = (Noise(3).take(60_000), Noise(4).take(60_000));
        for mode in [WaveformMode::Scope, WaveformMode::Buckets] {
            let mut whole = waveform(mode, 100, 777);
            whole.process(&l, &r);
            let whole = snapshot(&mut whole);
            for chunk in CHUNKS {
                let mut cut = waveform(mode, 100, 777);
                l.chunks(chunk).zip(r.chunks(chunk)).for_each(|(l, r)| cut.process(l, r));
                assert!(snapshot(&mut cut) == whole, "{mode:?} in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn bad_samples_are_silence_and_bad_options_are_named() {
        for mode in [WaveformMode::Scope, WaveformMode::Buckets] {
            let mut waveform = waveform(mode, 16, 10);
            waveform.process(&[f32::NAN, f32::INFINITY].repeat(100), &[f32::NEG_INFINITY; 200]);
            assert!(snapshot(&mut waveform).iter().all(|&x| x == 0.0));
        }
        let error = |samples, window_ms| {
            let config = WaveformConfig { mode: WaveformMode::Buckets, samples, window_ms };
            Waveform::new(SampleRate::DEFAULT, &config).unwrap_err()
        };
        assert_eq!(error(15, 2_000), WaveformError::Samples(15));
        assert_eq!(error(512, 60_001), WaveformError::WindowMs(60_001));
        assert_eq!(alloc::string::ToString::to_string(&error(0, 0)), "samples must be 16 to 8192");
        let config: WaveformConfig = serde_json::from_str(r#"{"mode":"buckets"}"#).unwrap();
        assert_eq!(config, WaveformConfig { mode: WaveformMode::Buckets, ..WaveformConfig::default() });
    }
}
