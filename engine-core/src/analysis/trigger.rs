//! Triggers: a tap clips, falls silent, or crosses a loudness. Exact to the sample, whatever the blocks.

use alloc::boxed::Box;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::loudness::Loudness;
use super::{finite, greater};
use crate::math::{db_from_gain, gain_from_db};
use crate::units::{FLOOR_DB, SampleRate};

/// Seconds of silence that may be waited for.
pub const SECONDS_RANGE: RangeInclusive<f32> = 0.1..=3_600.0;
/// Level, dBFS, at or below which a sample may count as silent; −120 means digital silence.
pub const BELOW_DB_RANGE: RangeInclusive<f32> = FLOOR_DB..=0.0;
/// Loudness, LUFS, that may be watched.
pub const LUFS_RANGE: RangeInclusive<f32> = -100.0..=20.0;

/// Samples at or above full scale, one after the other, that make a clip; the meter counts the same.
const CLIP_RUN: u32 = 3;
/// Seconds without a clipped sample after which the next clip is news.
const CLIP_HOLD_SECONDS: u32 = 1;
/// dB above the limit of silence that end it for good.
const SILENCE_HYSTERESIS_DB: f32 = 3.0;
/// LU back across a loudness after which it can be crossed again.
const LOUDNESS_HYSTERESIS_LU: f32 = 1.0;

/// What a trigger waits for, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// Three samples in a row at full scale.
    Clip,
    /// No sample above a level for some seconds.
    Silence,
    /// A loudness that is crossed.
    Loudness,
}

/// A loudness of EBU R 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LoudnessMeasure {
    /// Over 400 ms.
    #[default]
    Momentary,
    /// Over 3 s.
    ShortTerm,
    /// Gated, of all that was measured.
    Integrated,
}

/// Which side of a loudness is news.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Limit {
    /// At or above so many LUFS.
    Above(f32),
    /// Below so many LUFS.
    Below(f32),
}

/// What a trigger waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// A run of three samples with |x| ≥ 1.0 on one channel.
    #[default]
    Clip,
    /// No sample of either channel above `below_db` for `seconds`.
    Silence {
        /// In [`SECONDS_RANGE`].
        seconds: f32,
        /// dBFS, in [`BELOW_DB_RANGE`].
        below_db: f32,
    },
    /// A loudness beyond a limit in [`LUFS_RANGE`].
    Loudness {
        /// Which loudness.
        measure: LoudnessMeasure,
        /// Which side of what.
        limit: Limit,
    },
}

impl Condition {
    /// Its name.
    pub const fn kind(&self) -> TriggerKind {
        match self {
            Self::Clip => TriggerKind::Clip,
            Self::Silence { .. } => TriggerKind::Silence,
            Self::Loudness { .. } => TriggerKind::Loudness,
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<(), TriggerError> {
        match *self {
            Self::Clip => Ok(()),
            Self::Silence { seconds, .. } if !SECONDS_RANGE.contains(&seconds) => {
                Err(TriggerError::Seconds(seconds))
            }
            Self::Silence { below_db, .. } if !BELOW_DB_RANGE.contains(&below_db) => {
                Err(TriggerError::BelowDb(below_db))
            }
            Self::Loudness { limit: Limit::Above(lufs), .. } if !LUFS_RANGE.contains(&lufs) => {
                Err(TriggerError::AboveLufs(lufs))
            }
            Self::Loudness { limit: Limit::Below(lufs), .. } if !LUFS_RANGE.contains(&lufs) => {
                Err(TriggerError::BelowLufs(lufs))
            }
            Self::Silence { .. } | Self::Loudness { .. } => Ok(()),
        }
    }
}

/// Options of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerConfig {
    /// What it waits for.
    pub condition: Condition,
    /// It fires once and is over; otherwise it arms itself again (see [`Trigger`]).
    pub once: bool,
}

impl Default for TriggerConfig {
    fn default() -> Self {
        Self { condition: Condition::Clip, once: true }
    }
}

/// A trigger that cannot be: the value that is out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TriggerError {
    /// Not in [`SECONDS_RANGE`].
    Seconds(f32),
    /// Not in [`BELOW_DB_RANGE`].
    BelowDb(f32),
    /// Not in [`LUFS_RANGE`].
    AboveLufs(f32),
    /// Not in [`LUFS_RANGE`].
    BelowLufs(f32),
}

impl TriggerError {
    /// Name of the option.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Seconds(_) => "seconds",
            Self::BelowDb(_) => "below_db",
            Self::AboveLufs(_) => "above_lufs",
            Self::BelowLufs(_) => "below_lufs",
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Seconds(_) => "0.1 to 3600 s",
            Self::BelowDb(_) => "-120 to 0 dBFS",
            Self::AboveLufs(_) | Self::BelowLufs(_) => "-100 to 20 LUFS",
        }
    }
}

impl core::fmt::Display for TriggerError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for TriggerError {}

/// Watches a stereo stream. It is armed when it is made, and fires when its condition holds while it is armed;
/// with `once` it is then over, else it arms itself again
/// - after a clip, when no sample reached full scale for one second,
/// - after a silence, when a sample exceeds the level by 3 dB,
/// - after a loudness, when that is back on the other side by 1 LU.
///
/// A condition that holds from the start fires too: above a loudness as soon as it is measured (every 10 ms),
/// below one when its window (400 ms or 3 s) was filled since the start; an integrated loudness is below
/// nothing while no block passed the gate.
#[derive(Clone, Debug)]
pub struct Trigger {
    watch: Watch,
    gate: Gate,
}

/// Lets one event through, and the next one when it was armed again.
#[derive(Clone, Debug)]
struct Gate {
    once: bool,
    is_armed: bool,
    is_over: bool,
}

impl Gate {
    fn pass(&mut self) -> bool {
        let passes = self.is_armed && !self.is_over;
        if passes {
            (self.is_armed, self.is_over) = (false, self.once);
        }
        passes
    }
}

#[derive(Clone, Debug)]
enum Watch {
    /// `quiet`: frames since the last sample at full scale.
    Clip { run: [u32; 2], peak: [f32; 2], quiet: u32, hold: u32 },
    /// `loudest`: of the `n_silent` frames.
    Silence { limit: f32, rearm: f32, n_silent: u64, n_wanted: u64, loudest: f32 },
    /// `n_frames`: since the start.
    Loudness { loudness: Box<Loudness>, measure: LoudnessMeasure, limit: Limit, n_frames: u64, window: u64 },
}

impl Trigger {
    /// Allocates. A loudness goes on from `loudness`: that of a stream which is measured anyway, or a fresh one.
    ///
    /// # Errors
    /// The value that is out of range.
    pub fn new(rate: SampleRate, config: &TriggerConfig, loudness: &Loudness) -> Result<Self, TriggerError> {
        config.condition.check()?;
        let watch = match config.condition {
            Condition::Clip => {
                Watch::Clip { run: [0; 2], peak: [0.0; 2], quiet: 0, hold: CLIP_HOLD_SECONDS * rate.hz() }
            }
            Condition::Silence { seconds, below_db } => Watch::Silence {
                limit: gain_from_db(below_db),
                rearm: gain_from_db(below_db + SILENCE_HYSTERESIS_DB),
                n_silent: 0,
                n_wanted: libm::round(f64::from(seconds) * rate.as_f64()) as u64,
                loudest: 0.0,
            },
            Condition::Loudness { measure, limit } => {
                let window_ms = if measure == LoudnessMeasure::ShortTerm { 3_000 } else { 400 };
                let window = u64::from(rate.hz()) * window_ms / 1_000;
                Watch::Loudness { loudness: Box::new(loudness.clone()), measure, limit, n_frames: 0, window }
            }
        };
        Ok(Self { watch, gate: Gate { once: config.once, is_armed: true, is_over: false } })
    }

    /// Whether it fired for the last time.
    pub fn is_over(&self) -> bool {
        self.gate.is_over
    }

    /// Integrated loudness starts anew.
    pub fn reset_loudness(&mut self) {
        if let Watch::Loudness { loudness, n_frames, .. } = &mut self.watch {
            loudness.reset();
            *n_frames = 0;
        }
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Calls `fire` with the number of the
    /// frame in this block that decided, and the clip's highest sample in dBFS, the silence's highest sample in
    /// dBFS, or the loudness in LUFS. Never allocates.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32], fire: &mut dyn FnMut(usize, f32)) {
        assert!(left.len() == right.len(), "channels differ in length");
        if self.gate.is_over {
            return;
        }
        let gate = &mut self.gate;
        let frames = || left.iter().zip(right).map(|(&l, &r)| [finite(l).abs(), finite(r).abs()]).enumerate();
        match &mut self.watch {
            Watch::Clip { run, peak, quiet, hold } => {
                for (i, frame) in frames() {
                    *quiet = quiet.saturating_add(1);
                    let mut is_clip = false;
                    for (ch, x) in frame.into_iter().enumerate() {
                        if x >= 1.0 {
                            (run[ch], peak[ch]) = (run[ch].saturating_add(1), greater(x, peak[ch]));
                            is_clip |= run[ch] == CLIP_RUN;
                            *quiet = 0;
                        } else {
                            (run[ch], peak[ch]) = (0, 0.0);
                        }
                    }
                    gate.is_armed |= *quiet >= *hold;
                    if is_clip && gate.pass() {
                        fire(i, db_from_gain(greater(peak[0], peak[1])));
                    }
                }
            }
            Watch::Silence { limit, rearm, n_silent, n_wanted, loudest } => {
                for (i, [l, r]) in frames() {
                    let x = greater(l, r);
                    if x > *limit {
                        (*n_silent, *loudest) = (0, 0.0);
                        gate.is_armed |= x > *rearm;
                        continue;
                    }
                    (*n_silent, *loudest) = (*n_silent + 1, greater(x, *loudest));
                    if *n_silent >= *n_wanted && gate.pass() {
                        fire(i, db_from_gain(*loudest));
                    }
                }
            }
            Watch::Loudness { loudness, measure, limit, n_frames, window } => {
                let mut start = 0;
                while start < left.len() {
                    let end = left.len().min(start + loudness.frames_to_update());
                    let is_new = end - start == loudness.frames_to_update();
                    loudness.process(&left[start..end], &right[start..end]);
                    *n_frames += (end - start) as u64;
                    start = end;
                    if !is_new {
                        continue;
                    }
                    let lufs = match measure {
                        LoudnessMeasure::Momentary => loudness.momentary(),
                        LoudnessMeasure::ShortTerm => loudness.short_term(),
                        LoudnessMeasure::Integrated => loudness.integrated(),
                    };
                    let is_known = *measure != LoudnessMeasure::Integrated || lufs > FLOOR_DB;
                    let (is_beyond, is_back) = match *limit {
                        Limit::Above(limit) => (lufs >= limit, lufs < limit - LOUDNESS_HYSTERESIS_LU),
                        Limit::Below(limit) => (
                            lufs < limit && *n_frames >= *window && is_known,
                            lufs >= limit + LOUDNESS_HYSTERESIS_LU,
                        ),
                    };
                    gate.is_armed |= is_back;
                    if is_beyond && gate.pass() {
                        fire(end - 1, lufs);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
