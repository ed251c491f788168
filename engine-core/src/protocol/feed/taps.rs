//! Meters and loudness of every tap, for all streams that show them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::MAX_TAPS;
use crate::analysis::loudness::Loudness;
use crate::analysis::meter::{MeterBlock, StereoMeter};
use crate::boxed;
use crate::buffer::StereoBlock;
use crate::control::{Quantum, TapId};
use crate::protocol::frame;
use crate::units::{MAX_TRACKS, SampleRate};

/// One meter for each tap, and a loudness while somebody wants it.
pub(super) struct Taps {
    rate: SampleRate,
    meters: Box<[StereoMeter]>,
    /// Of the master: always measured.
    master: Loudness,
    /// Of the input and of the tracks; empty while nobody wants them.
    others: Vec<Loudness>,
    /// Tracks that they are made for.
    n_tracks: usize,
}

/// Tracks whose loudness there is room for from the start. Each takes 50 KB, which is too much to have it for all of 256.
const N_TRACKS: usize = 32;

/// Where a tap's units are: the master's first, the input's last.
pub(super) fn slot(tap: TapId) -> usize {
    if tap == TapId::INPUT { MAX_TAPS - 1 } else { usize::from(tap.0) }
}

/// Place in [`Taps::others`]; `None` for the master.
fn other(tap: TapId) -> Option<usize> {
    if tap == TapId::INPUT { Some(0) } else { Some(tap.track_index()? + 1) }
}

/// All taps of a quantum, in the order of a meters frame.
pub(super) fn all(n_tracks: u16) -> impl Iterator<Item = TapId> {
    core::iter::once(TapId::MASTER).chain(all_others(n_tracks))
}

/// All but the master.
fn all_others(n_tracks: u16) -> impl Iterator<Item = TapId> {
    (0..n_tracks).map(TapId::track).chain([TapId::INPUT])
}

impl Taps {
    /// Allocates the meters and the master's loudness.
    pub(super) fn new(rate: SampleRate) -> Self {
        let meters = boxed::from_fn(MAX_TAPS, |_| StereoMeter::new());
        Self { rate, meters, master: Loudness::new(rate), others: Vec::new(), n_tracks: N_TRACKS }
    }

    /// Meters at rest.
    pub(super) fn reset_meters(&mut self) {
        self.meters.iter_mut().for_each(StereoMeter::reset);
    }

    /// The master's loudness.
    pub(super) fn master(&self) -> &Loudness {
        &self.master
    }

    /// The loudness of these taps starts anew.
    pub(super) fn reset_loudness(&mut self, is_it: impl Fn(TapId) -> bool) {
        if is_it(TapId::MASTER) {
            self.master.reset();
        }
        for tap in all_others(MAX_TRACKS as u16).filter(|tap| is_it(*tap)) {
            self.reset_other(tap);
        }
    }

    /// The units of one tap start anew.
    pub(super) fn forget(&mut self, tap: TapId) {
        if let Some(meter) = self.meters.get_mut(slot(tap)) {
            meter.reset();
        }
        self.reset_other(tap);
    }

    fn reset_other(&mut self, tap: TapId) {
        if let Some(loudness) = other(tap).and_then(|idx| self.others.get_mut(idx)) {
            loudness.reset();
        }
    }

    /// Starts or ends the loudness of all taps. Allocates.
    pub(super) fn want_loudness(&mut self, is_wanted: bool) {
        if !is_wanted {
            self.others = Vec::new();
        } else if self.others.is_empty() {
            self.others = boxed::from_fn(self.n_tracks + 1, |_| Loudness::new(self.rate)).into();
        }
    }

    /// Has room for the loudness of so many tracks from now on. Allocates if it had not.
    pub(super) fn make_room(&mut self, n_tracks: usize) {
        self.n_tracks = self.n_tracks.max(n_tracks.min(MAX_TRACKS));
        if !self.others.is_empty() {
            self.others.resize_with(self.n_tracks + 1, || Loudness::new(self.rate));
        }
    }

    /// Runs the loudness units.
    pub(super) fn process(&mut self, quantum: &Quantum) {
        self.master.process(&quantum.master.left, &quantum.master.right);
        if self.others.is_empty() {
            return;
        }
        for tap in all_others(quantum.n_tracks) {
            let unit = other(tap).and_then(|idx| self.others.get_mut(idx));
            if let (Some(unit), Some(block)) = (unit, quantum.tap(tap)) {
                unit.process(&block.left, &block.right);
            }
        }
    }

    /// Runs a tap's meter.
    pub(super) fn meter(&mut self, tap: TapId, block: &StereoBlock) -> MeterBlock {
        self.meters[slot(tap)].process(&block.left, &block.right)
    }

    /// The loudness of a tap; the floor when it is not measured.
    pub(super) fn loudness(&self, tap: TapId) -> frame::Loudness {
        let unit = match other(tap) {
            None => Some(&self.master),
            Some(idx) => self.others.get(idx),
        };
        unit.map_or_else(frame::Loudness::default, |unit| frame::Loudness {
            momentary: unit.momentary(),
            short_term: unit.short_term(),
            integrated: unit.integrated(),
            range: unit.range(),
        })
    }
}
