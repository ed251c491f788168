//! Bars of clicks before the playhead moves.

use super::transport::{Boundary, TOLERANCE};
use crate::math::wide;
use crate::time::{TimeSignature, seconds_per_tick};

/// Bars that a count-in can have.
const MAX_BARS: u8 = 16;

/// A stretch of time in front of the playhead, as if the composition had gone on before it in the metre and at
/// the tempo of the playhead: the clicks lie on that metre's beats, so they lead into the music also when the
/// playhead stands inside a bar.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountIn {
    signature: TimeSignature,
    /// Where the playhead stands, ticks.
    to: f64,
    /// Where the count-in starts, ticks; may be below 0.
    from: f64,
    /// Number of the next beat, counted from the signature's first; may be below 0.
    next_beat: f64,
    frames_per_tick: f64,
    sample_rate: f64,
    frames: u64,
}

impl CountIn {
    /// `None` for no bars; more than 16 are 16.
    pub(super) fn new(
        tick: f64,
        signature: TimeSignature,
        bpm: f64,
        sample_rate: f64,
        bars: u8,
    ) -> Option<Self> {
        let bars = bars.min(MAX_BARS);
        let from = tick - f64::from(bars) * f64::from(signature.ticks_per_bar());
        let beats = (from - f64::from(signature.tick)) / f64::from(signature.ticks_per_beat());
        (bars > 0).then(|| Self {
            signature,
            to: tick,
            from,
            next_beat: wide::ceil(beats),
            frames_per_tick: seconds_per_tick(bpm) * sample_rate,
            sample_rate,
            frames: 0,
        })
    }

    /// Beats until the playhead moves, begun ones included.
    pub(super) fn beats_left(&self) -> u16 {
        let left = self.to - self.from - self.frames as f64 / self.frames_per_tick;
        wide::ceil(left / f64::from(self.signature.ticks_per_beat()) - 1e-6).max(1.0) as u16
    }

    /// What comes next, and in how many frames.
    pub(super) fn next(&self) -> (Boundary, u64) {
        let beat =
            f64::from(self.signature.tick) + self.next_beat * f64::from(self.signature.ticks_per_beat());
        if beat >= self.to {
            return (Boundary::CountInEnd, self.frames_until(self.to));
        }
        let downbeat = self.signature.is_downbeat(self.next_beat);
        (Boundary::CountInBeat(downbeat), self.frames_until(beat))
    }

    pub(super) fn advance(&mut self, frames: usize) {
        self.frames += frames as u64;
    }

    pub(super) fn take_beat(&mut self) {
        self.next_beat += 1.0;
    }

    /// How much later than its exact end this frame is.
    pub(super) fn overshoot_seconds(&self) -> f64 {
        let late = self.frames as f64 - (self.to - self.from) * self.frames_per_tick;
        late.max(0.0) / self.sample_rate
    }

    fn frames_until(&self, tick: f64) -> u64 {
        let frame = wide::ceil((tick - self.from) * self.frames_per_tick - TOLERANCE);
        if frame > self.frames as f64 { frame as u64 - self.frames } else { 0 }
    }
}
