//! Onsets: S. Böck and G. Widmer, "Maximum filter vibrato suppression for onset detection" (2013), with the
//! peak picking of S. Böck, F. Krebs and M. Schedl, "Evaluating the online capabilities of onset detection
//! methods" (2012).

use alloc::boxed::Box;
use alloc::vec;

use serde::{Deserialize, Serialize};

use super::frames::Frames;
use crate::dsp::fft::MIN_FFT_SIZE;
use crate::math::fast_db_from_power;

/// Seconds of a frame, at least.
const FRAME_SECONDS: f64 = 0.02;
/// Frames a second.
pub(super) const FRAMES_PER_SECOND: f64 = 200.0;
/// 2^(1/12), as a number: `exp2` is a table of 4 KB.
pub(super) const SEMITONE: f64 = 1.059_463_094_359_295_3;

/// Bands a semitone wide, Hz.
const RANGE_HZ: [f64; 2] = [30.0, 16_000.0];
/// Levels count from here, power: −70 dBFS. Below, noise would rise and fall by many dB.
const FLOOR_POWER: f32 = 1e-7;
/// A frame is compared with the one so many before it: 10 ms.
const LAG: usize = 2;
/// Strengths that are kept for the picking.
const HISTORY: usize = 32;
/// An onset is the greatest of so many frames before and after it, and of them all the delay.
const BEFORE: usize = 6;
const AFTER: usize = 2;
/// Its strength is above the mean of so many frames before it and those after it …
const MEAN_OVER: usize = 24;
/// … times this, which noise does not reach (1.67 against a mean of 0.6), …
const TIMES_MEAN: f32 = 2.5;
/// … by this, dB per band.
const ABOVE_MEAN: f32 = 0.3;
/// Frames between two onsets, at least: 40 ms.
const MIN_GAP: u64 = 8;

/// One onset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Onset {
    /// Sample position: frames of the stream before it. Up to 10 ms late for a sound that starts at once, 30 ms
    /// for one that fades in over 20 ms.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub position: u64,
    /// Rise over 10 ms, dB, mean of the bands: 1 for a note of a legato line, 20 for a click in silence.
    pub strength: f32,
}

/// Detection function and picking.
pub(super) struct Onsets {
    frames: Frames,
    state: State,
}

struct State {
    /// First bin of each band, and the end of the last.
    edges: Box<[u16]>,
    /// Levels above the floor of the newest frame and the `LAG` before it, dB.
    levels: [Box<[f32]>; LAG + 1],
    /// Strength by frame, as a ring.
    strengths: [f32; HISTORY],
    n_frames: u64,
    last: Option<u64>,
}

impl Onsets {
    pub(super) fn new(rate: f64) -> Self {
        let n = ((FRAME_SECONDS * rate) as usize).next_power_of_two().max(MIN_FFT_SIZE);
        let frames = Frames::new(n, hop(rate));
        let edges = edges(rate / n as f64, frames.n_bins());
        let levels = || vec![0.0; edges.len() - 1].into();
        let levels = [levels(), levels(), levels()];
        Self { frames, state: State { edges, levels, strengths: [0.0; HISTORY], n_frames: 0, last: None } }
    }

    pub(super) fn reset(&mut self) {
        self.frames.reset();
        let state = &mut self.state;
        state.levels.iter_mut().for_each(|levels| levels.fill(0.0));
        state.strengths = [0.0; HISTORY];
        (state.n_frames, state.last) = (0, None);
    }

    /// Takes samples; calls `each` with the strength of every frame and, when one is found, an onset: the index
    /// of its frame and its strength.
    pub(super) fn process(&mut self, samples: &[f32], mut each: impl FnMut(f32, Option<(u64, f32)>)) {
        let state = &mut self.state;
        self.frames.process(samples, |powers| {
            let strength = state.strength(powers);
            each(strength, state.pick(strength));
        });
    }
}

/// Samples from frame to frame.
pub(super) fn hop(rate: f64) -> usize {
    (rate / FRAMES_PER_SECOND + 0.5) as usize
}

/// Bands a semitone wide, or a bin where that is more.
fn edges(bin_hz: f64, n_bins: usize) -> Box<[u16]> {
    let mut edges = vec![];
    let mut hz = RANGE_HZ[0];
    while hz < RANGE_HZ[1] * SEMITONE {
        let bin = ((hz / bin_hz + 0.5) as usize).min(n_bins) as u16;
        if edges.last() != Some(&bin) {
            edges.push(bin);
        }
        hz *= SEMITONE;
    }
    edges.into()
}

impl State {
    /// Mean rise of the bands over the greatest of each band and its neighbours, `LAG` frames ago.
    fn strength(&mut self, powers: &[f32]) -> f32 {
        self.levels.rotate_right(1);
        let [newest, _, before] = &mut self.levels;
        for (level, edge) in newest.iter_mut().zip(self.edges.windows(2)) {
            let power: f32 = powers[usize::from(edge[0])..usize::from(edge[1])].iter().sum();
            *level = fast_db_from_power(power + FLOOR_POWER) - fast_db_from_power(FLOOR_POWER);
        }
        let n = newest.len();
        let mut sum = 0.0;
        for (i, level) in newest.iter().enumerate() {
            let near = &before[i.saturating_sub(1)..(i + 2).min(n)];
            let rise = level - near.iter().fold(0.0, |a, &b| super::super::greater(b, a));
            sum += if rise > 0.0 { rise } else { 0.0 };
        }
        sum / n as f32
    }

    fn pick(&mut self, strength: f32) -> Option<(u64, f32)> {
        let newest = self.n_frames;
        self.strengths[newest as usize % HISTORY] = strength;
        self.n_frames += 1;
        let at = newest.checked_sub(AFTER as u64)?;
        let before = |i: usize| self.strengths[(newest + (HISTORY - i) as u64) as usize % HISTORY];
        let candidate = before(AFTER);
        let greatest = (0..=BEFORE + AFTER).map(before).fold(0.0, |a, b| super::super::greater(b, a));
        let mean = (0..=MEAN_OVER + AFTER).map(before).sum::<f32>() / (MEAN_OVER + AFTER + 1) as f32;
        let is_far = self.last.is_none_or(|last| at - last >= MIN_GAP);
        if candidate < greatest || candidate < TIMES_MEAN * mean + ABOVE_MEAN || !is_far {
            return None;
        }
        self.last = Some(at);
        Some((at, candidate))
    }
}
