//! The effects of all strips, with their memory.
//!
//! A rack is allocated with its project, off the audio thread. When a project replaces another while it plays,
//! units move between the two racks: what goes on sounding stays, and what is over goes back with the old one.

use alloc::boxed::Box;

use super::moves::Moves;
use super::unit::Unit;
use crate::buffer::StereoBlock;
use crate::composition::MAX_EFFECTS;
use crate::control::{EffectSettings, Program};
use crate::dsp::smooth::Smoothed;
use crate::units::{MAX_BUSES, MAX_TRACKS, QUANTUM, SampleRate};

/// The effects of tracks, buses and master, by index. There is a chain for every strip that the mixer has,
/// so that those of strips which are gone can fade out.
pub(super) struct Rack {
    pub(super) tracks: Box<[Chain]>,
    pub(super) buses: Box<[Chain]>,
    pub(super) master: Chain,
}

impl Rack {
    /// Allocates every effect of the program.
    pub(super) fn new(program: &Program, rate: SampleRate) -> Self {
        let none: &[EffectSettings] = &[];
        let chain = |effects: Option<&[EffectSettings]>| Chain::new(effects.unwrap_or(none), rate);
        Self {
            tracks: (0..MAX_TRACKS).map(|i| chain(program.strips.get(i).map(|s| &s.effects[..]))).collect(),
            buses: (0..MAX_BUSES).map(|i| chain(program.buses.get(i).map(|b| &b.effects[..]))).collect(),
            master: chain(Some(&program.master.effects)),
        }
    }

    /// Goes on with the sound of `old`, whose tracks and buses have other places now.
    pub(super) fn take_over(&mut self, old: &mut Self, tracks: &Moves<MAX_TRACKS>, buses: &Moves<MAX_BUSES>) {
        take_over(&mut self.tracks, &mut old.tracks, tracks);
        take_over(&mut self.buses, &mut old.buses, buses);
        self.master.take_over(&mut old.master);
    }
}

fn take_over<const N: usize>(new: &mut [Chain], old: &mut [Chain], moves: &Moves<N>) {
    moves.reorder(old);
    for (place, (new, old)) in new.iter_mut().zip(old).enumerate() {
        if !moves.is_new(place) {
            new.take_over(old);
        }
    }
}

/// The effects of one strip, in order.
pub(super) struct Chain {
    places: [Place; MAX_EFFECTS],
    /// Places that are in use, or were a moment ago.
    n_places: usize,
}

impl Chain {
    fn new(effects: &[EffectSettings], rate: SampleRate) -> Self {
        let place = |i: usize| Place {
            unit: effects.get(i).map(|settings| Unit::new(settings, rate)),
            leaving: None,
            blend: Smoothed::new(1.0, rate.hz() as f32),
        };
        Self { places: core::array::from_fn(place), n_places: effects.len().min(MAX_EFFECTS) }
    }

    fn take_over(&mut self, old: &mut Self) {
        self.n_places = self.n_places.max(old.n_places);
        for (new, old) in self.places[..self.n_places].iter_mut().zip(&mut old.places) {
            new.take_over(old);
        }
    }

    /// Runs the effects over a block, in place. Runs on the audio thread.
    pub(super) fn process(&mut self, block: &mut StereoBlock) {
        for place in &mut self.places[..self.n_places] {
            place.process(block);
        }
    }
}

/// A place in a chain: a unit or none, and what was there before while it fades out.
struct Place {
    unit: Option<Unit>,
    leaving: Option<Unit>,
    /// From `leaving` to `unit`.
    blend: Smoothed,
}

impl Place {
    fn take_over(&mut self, old: &mut Self) {
        let goes_on = match (&mut old.unit, &mut self.unit) {
            (Some(old), Some(new)) => old.glide_to(new),
            (None, None) => true,
            _ => false,
        };
        if goes_on {
            core::mem::swap(self, old);
        } else {
            self.leaving = old.unit.take();
            self.blend.jump(0.0);
            self.blend.set(1.0);
        }
    }

    fn process(&mut self, block: &mut StereoBlock) {
        if self.blend.is_settled() {
            if let Some(unit) = &mut self.unit {
                unit.process(block);
            }
            return;
        }
        let mut before = block.clone();
        if let Some(leaving) = &mut self.leaving {
            leaving.process(&mut before);
        }
        // What enters the new unit rises from nothing: were only its output faded, a delay would still repeat
        // the sudden start of its input.
        for i in 0..QUANTUM {
            let blend = self.blend.advance();
            before.left[i] *= 1.0 - blend;
            before.right[i] *= 1.0 - blend;
            block.left[i] *= blend;
            block.right[i] *= blend;
        }
        if let Some(unit) = &mut self.unit {
            unit.process(block);
        }
        block.add(&before);
    }
}
