//! Sends and the buses that they go to.

use super::strip::Strip;
use crate::buffer::StereoBlock;
use crate::dsp::smooth::Smoothed;
use crate::math::gain_from_db;

/// What one track sends to one bus. Both taps have a gain, one of them 0, so that changing from one to the
/// other is a fade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Send {
    exists: bool,
    gain: f32,
    pre_fader: bool,
    before_fader: Smoothed,
    after_fader: Smoothed,
}

impl Send {
    pub(super) fn new(sample_rate: f32) -> Self {
        let silent = Smoothed::new(0.0, sample_rate);
        Self { exists: false, gain: 0.0, pre_fader: false, before_fader: silent, after_fader: silent }
    }

    /// There is no send any more.
    pub(super) fn remove(&mut self) {
        self.exists = false;
    }

    /// There is a send from now on.
    pub(super) fn make(&mut self, gain_db: f32, pre_fader: bool) {
        self.exists = true;
        self.change(gain_db, pre_fader);
    }

    /// Notes a change, if there is a send; [`aim`](Self::aim) puts it in force.
    pub(super) fn change(&mut self, gain_db: f32, pre_fader: bool) {
        if self.exists && gain_db.is_finite() {
            (self.gain, self.pre_fader) = (gain_from_db(gain_db.min(12.0)), pre_fader);
        }
    }

    /// Aims the taps' gains. A track that is not heard sends nothing; after the fader that is so by itself.
    pub(super) fn aim(&mut self, is_heard: bool) {
        let gain = if self.exists { self.gain } else { 0.0 };
        self.before_fader.set(if self.pre_fader && is_heard { gain } else { 0.0 });
        self.after_fader.set(if self.pre_fader { 0.0 } else { gain });
    }

    /// Ends the glides at once.
    pub(super) fn settle(&mut self) {
        self.before_fader.settle();
        self.after_fader.settle();
    }

    /// Sends nothing, and will not.
    pub(super) fn is_idle(&self) -> bool {
        let is_silent = |gain: &Smoothed| gain.is_settled() && gain.value() == 0.0;
        is_silent(&self.before_fader) && is_silent(&self.after_fader)
    }

    /// Adds a track's block to the bus, as it is before its fader.
    pub(super) fn send_before_fader(&mut self, track: &StereoBlock, bus: &mut StereoBlock) {
        add_scaled(track, &mut self.before_fader, bus);
    }

    /// Adds a track's block to the bus, as it is after its fader.
    pub(super) fn send_after_fader(&mut self, track: &StereoBlock, bus: &mut StereoBlock) {
        add_scaled(track, &mut self.after_fader, bus);
    }
}

fn add_scaled(from: &StereoBlock, gain: &mut Smoothed, to: &mut StereoBlock) {
    let from = from.left.iter().zip(&from.right);
    let to = to.left.iter_mut().zip(&mut to.right);
    if !gain.is_settled() {
        for ((left, right), (to_left, to_right)) in from.zip(to) {
            let gain = gain.advance();
            *to_left += left * gain;
            *to_right += right * gain;
        }
    } else if gain.value() != 0.0 {
        let gain = gain.value();
        for ((left, right), (to_left, to_right)) in from.zip(to) {
            *to_left += left * gain;
            *to_right += right * gain;
        }
    }
}

/// A bus: what was sent to it in this quantum, and its strip.
#[derive(Clone, Debug)]
pub(super) struct Bus {
    pub(super) strip: Strip,
    pub(super) block: StereoBlock,
}

impl Bus {
    pub(super) fn new(sample_rate: f32) -> Self {
        Self { strip: Strip::new(sample_rate), block: StereoBlock::SILENCE }
    }
}
