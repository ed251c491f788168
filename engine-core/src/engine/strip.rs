//! A channel strip: fader, pan, mute and solo.
//!
//! Pan law: constant power, 0 dB at the centre, +3.01 dB at the sides: left √2·cos θ, right √2·sin θ, with θ
//! from 0 to π/2.

use crate::buffer::StereoBlock;
use crate::control::StripChange;
use crate::dsp::smooth::Smoothed;
use crate::math::{cos, gain_from_db, sin};

/// One channel strip. Both channels' gains glide, whatever they are changed by.
#[derive(Clone, Debug)]
pub(super) struct Strip {
    gain: f32,
    pan: f32,
    /// Added to the pan by the track's controllers.
    pan_offset: f32,
    mute: bool,
    solo: bool,
    solo_safe: bool,
    left: Smoothed,
    right: Smoothed,
}

impl Strip {
    pub(super) fn new(sample_rate: f32) -> Self {
        let unity = Smoothed::new(1.0, sample_rate);
        Self {
            gain: 1.0,
            pan: 0.0,
            pan_offset: 0.0,
            mute: false,
            solo: false,
            solo_safe: false,
            left: unity,
            right: unity,
        }
    }

    /// Notes a change; [`aim`](Self::aim) puts it in force.
    pub(super) fn change(&mut self, change: StripChange) {
        match change {
            StripChange::GainDb(db) if db.is_finite() => self.gain = gain_from_db(db.min(12.0)),
            StripChange::Pan(pan) if pan.is_finite() => self.pan = pan.clamp(-1.0, 1.0),
            StripChange::Mute(mute) => self.mute = mute,
            StripChange::Solo(solo) => self.solo = solo,
            StripChange::SoloSafe(safe) => self.solo_safe = safe,
            StripChange::GainDb(_) | StripChange::Pan(_) => {}
        }
    }

    /// Notes what the track's pan controller adds; [`aim`](Self::aim) puts it in force.
    pub(super) fn offset_pan(&mut self, offset: f32) {
        self.pan_offset = offset;
    }

    pub(super) fn is_soloed(&self) -> bool {
        self.solo
    }

    /// Whether mute and the others' solo let it through.
    pub(super) fn is_heard(&self, any_solo: bool) -> bool {
        !self.mute && (self.solo || self.solo_safe || !any_solo)
    }

    /// Aims the gains at what fader and pan make of them, or at 0.
    pub(super) fn aim(&mut self, is_heard: bool) {
        let gain = if is_heard { self.gain } else { 0.0 };
        let pan = (self.pan + self.pan_offset).clamp(-1.0, 1.0);
        // At the centre both channels must have the fader's gain to the bit, and at a side the other must have
        // none: cos and sin are not that exact.
        let (left, right) = if pan == 0.0 {
            (1.0, 1.0)
        } else {
            let angle = (pan + 1.0) * core::f32::consts::FRAC_PI_4;
            (core::f32::consts::SQRT_2 * cos(angle), core::f32::consts::SQRT_2 * sin(angle))
        };
        self.left.set(if pan == 1.0 { 0.0 } else { gain * left });
        self.right.set(if pan == -1.0 { 0.0 } else { gain * right });
    }

    /// Ends the glides at once.
    pub(super) fn settle(&mut self) {
        self.left.settle();
        self.right.settle();
    }

    /// Lets nothing through, and will not.
    pub(super) fn is_silent(&self) -> bool {
        [&self.left, &self.right].into_iter().all(|gain| gain.is_settled() && gain.value() == 0.0)
    }

    /// Applies the gains to a block, in place.
    pub(super) fn apply(&mut self, block: &mut StereoBlock) {
        self.left.multiply(&mut block.left);
        self.right.multiply(&mut block.right);
    }
}
