//! The mixer: strips of the tracks, the input, the buses and the master.
//!
//! ```text
//! track ─ effects ─┬─ fader, pan, mute, solo ─┬──────────────────────────────▶ Σ ─ effects ─▶ Σ ─ fader ─ limiter
//!                  └─ pre sends ──┐           └─ post sends ─▶ bus ─ effects ─ fader ─▲       ▲
//!                                 └──────────────────────────▶ bus …           input ─┘ click ┘
//! ```
//!
//! While any track is soloed, the others are silent and send nothing, except those that are solo-safe. Buses
//! and the input always are. The metronome goes round the master's effects.

use alloc::boxed::Box;
use alloc::vec;

use super::bus::{Bus, Send};
use super::moves::Moves;
use super::rack::Rack;
use super::strip::Strip;
use crate::buffer::StereoBlock;
use crate::control::{Program, StripChange, StripTarget};
use crate::dsp::limiter::Limiter;
use crate::units::{FLOOR_DB, MAX_BUSES, MAX_TRACKS};

/// A track's strip and what it sends to each bus.
#[derive(Clone, Debug)]
struct TrackStrip {
    /// Without, it fades out.
    exists: bool,
    strip: Strip,
    sends: [Send; MAX_BUSES],
}

impl TrackStrip {
    fn aim(&mut self, any_solo: bool) {
        let is_heard = self.exists && self.strip.is_heard(any_solo);
        self.strip.aim(is_heard);
        self.sends.iter_mut().for_each(|send| send.aim(is_heard));
    }

    fn settle(&mut self) {
        self.strip.settle();
        self.sends.iter_mut().for_each(Send::settle);
    }

    /// Nothing of it is heard, nor will be.
    fn is_silent(&self) -> bool {
        self.strip.is_silent() && self.sends.iter().all(Send::is_idle)
    }
}

/// All strips. Sized once for every composition.
pub(super) struct Mixer {
    tracks: Box<[TrackStrip]>,
    n_tracks: usize,
    /// Tracks that are mixed: those that an update took away fade out behind the others.
    n_mixed_tracks: usize,
    buses: Box<[Bus]>,
    n_buses: usize,
    /// The same of buses; what these have been sent rings out.
    n_mixed_buses: usize,
    input: Strip,
    master: Strip,
    limiter: Limiter,
}

impl Mixer {
    pub(super) fn new(sample_rate: f32) -> Self {
        let mut input = Strip::new(sample_rate);
        // Unheard until a host asks for it: a microphone next to a loudspeaker howls.
        input.change(StripChange::GainDb(FLOOR_DB));
        input.aim(true);
        input.settle();
        let track = TrackStrip {
            exists: false,
            strip: Strip::new(sample_rate),
            sends: [Send::new(sample_rate); MAX_BUSES],
        };
        Self {
            tracks: vec![track; MAX_TRACKS].into_boxed_slice(),
            n_tracks: 0,
            n_mixed_tracks: 0,
            buses: vec![Bus::new(sample_rate); MAX_BUSES].into_boxed_slice(),
            n_buses: 0,
            n_mixed_buses: 0,
            input,
            master: Strip::new(sample_rate),
            limiter: Limiter::new(sample_rate),
        }
    }

    /// Sets all strips but the input's as the program has them, at once: nothing sounds that could click.
    /// Pan and mute of the master are no part of a program, and stay.
    pub(super) fn load(&mut self, program: &Program) {
        self.take_settings(program);
        (self.n_mixed_tracks, self.n_mixed_buses) = (self.n_tracks, self.n_buses);
        self.aim();
        self.tracks.iter_mut().for_each(TrackStrip::settle);
        self.buses.iter_mut().for_each(|bus| bus.strip.settle());
        self.master.settle();
        self.limiter.clear();
    }

    /// The same while it plays: strips and sends move with their track and bus, and glide. Those that were not
    /// there before are set at once.
    pub(super) fn update(&mut self, program: &Program, tracks: &Moves<MAX_TRACKS>, buses: &Moves<MAX_BUSES>) {
        let in_use = |n_places: usize, is_new: &dyn Fn(usize) -> bool| {
            (0..n_places).rev().find(|place| !is_new(*place)).map_or(0, |last| last + 1)
        };
        tracks.reorder(&mut self.tracks);
        buses.reorder(&mut self.buses);
        self.tracks.iter_mut().for_each(|track| buses.reorder(&mut track.sends));
        self.take_settings(program);
        self.n_mixed_tracks = self.n_tracks.max(in_use(MAX_TRACKS, &|place| tracks.is_new(place)));
        self.n_mixed_buses = self.n_buses.max(in_use(MAX_BUSES, &|place| buses.is_new(place)));
        self.aim();
        let new = self.tracks.iter_mut().enumerate().filter(|(place, _)| tracks.is_new(*place));
        new.for_each(|(_, track)| track.settle());
        let new = self.buses.iter_mut().enumerate().filter(|(place, _)| buses.is_new(*place));
        new.for_each(|(_, bus)| bus.strip.settle());
    }

    /// Tracks that are to be rendered: the first are the program's, the others fade out.
    pub(super) fn n_mixed_tracks(&self) -> usize {
        self.n_mixed_tracks
    }

    /// Buses in use, those included that ring out.
    pub(super) fn n_mixed_buses(&self) -> usize {
        self.n_mixed_buses
    }

    fn take_settings(&mut self, program: &Program) {
        self.n_tracks = program.strips.len().min(MAX_TRACKS);
        self.n_buses = program.buses.len().min(MAX_BUSES);
        for (idx, track) in self.tracks.iter_mut().enumerate() {
            track.sends.iter_mut().for_each(Send::remove);
            track.exists = idx < self.n_tracks;
            let Some(settings) = program.strips.get(idx) else { continue };
            track.strip.change(StripChange::GainDb(settings.gain_db));
            track.strip.change(StripChange::Pan(settings.pan));
            track.strip.change(StripChange::Mute(settings.mute));
            track.strip.change(StripChange::Solo(settings.solo));
            track.strip.change(StripChange::SoloSafe(settings.solo_safe));
            for send in &settings.sends {
                if usize::from(send.bus) < self.n_buses {
                    track.sends[usize::from(send.bus)].make(send.gain_db, send.pre_fader);
                }
            }
        }
        for (bus, settings) in self.buses.iter_mut().zip(&program.buses) {
            bus.strip.change(StripChange::GainDb(settings.gain_db));
            bus.strip.change(StripChange::Pan(settings.pan));
            bus.strip.change(StripChange::Mute(settings.mute));
        }
        self.master.change(StripChange::GainDb(program.master.gain_db));
    }

    pub(super) fn set(&mut self, target: StripTarget, change: StripChange) {
        let strip = match target {
            StripTarget::Track(idx) => {
                self.tracks[..self.n_tracks].get_mut(usize::from(idx)).map(|track| &mut track.strip)
            }
            StripTarget::Bus(idx) => {
                self.buses[..self.n_buses].get_mut(usize::from(idx)).map(|bus| &mut bus.strip)
            }
            StripTarget::Master => Some(&mut self.master),
            StripTarget::Input => Some(&mut self.input),
        };
        if let Some(strip) = strip {
            strip.change(change);
        }
        self.aim();
    }

    /// What a track's pan controller adds to its strip's pan; it glides there.
    pub(super) fn set_pan_offset(&mut self, track: u16, offset: f32) {
        let any_solo = self.any_solo();
        if let Some(track) = self.tracks.get_mut(usize::from(track)) {
            track.strip.offset_pan(offset);
            track.aim(any_solo);
        }
    }

    pub(super) fn set_send(&mut self, track: u16, bus: u16, gain_db: f32, pre_fader: bool) {
        let track = self.tracks[..self.n_tracks].get_mut(usize::from(track));
        if let Some(send) = track.and_then(|track| track.sends.get_mut(usize::from(bus))) {
            send.change(gain_db, pre_fader);
        }
        self.aim();
    }

    fn any_solo(&self) -> bool {
        self.tracks[..self.n_tracks].iter().any(|track| track.strip.is_soloed())
    }

    fn aim(&mut self) {
        let any_solo = self.any_solo();
        self.tracks.iter_mut().for_each(|track| track.aim(any_solo));
        for strip in
            self.buses.iter_mut().map(|bus| &mut bus.strip).chain([&mut self.input, &mut self.master])
        {
            strip.aim(strip.is_heard(false));
        }
    }

    /// Puts `tracks` through their effects and strips in place, and the sum of all into `master`.
    pub(super) fn process(
        &mut self,
        rack: &mut Rack,
        tracks: &mut [StereoBlock],
        input: &StereoBlock,
        click: &[f32],
        master: &mut StereoBlock,
    ) {
        let buses = &mut self.buses[..self.n_mixed_buses];
        buses.iter_mut().for_each(|bus| bus.block.clear());
        master.clone_from(input);
        self.input.apply(master);
        for ((track, chain), block) in self.tracks.iter_mut().zip(&mut rack.tracks).zip(tracks) {
            chain.process(block);
            let sends = track.sends.iter_mut().zip(buses.iter_mut());
            for (send, bus) in sends.filter(|(send, _)| !send.is_idle()) {
                send.send_before_fader(block, &mut bus.block);
            }
            track.strip.apply(block);
            let sends = track.sends.iter_mut().zip(buses.iter_mut());
            for (send, bus) in sends.filter(|(send, _)| !send.is_idle()) {
                send.send_after_fader(block, &mut bus.block);
            }
            master.add(block);
        }
        for (bus, chain) in buses.iter_mut().zip(&mut rack.buses) {
            chain.process(&mut bus.block);
            bus.strip.apply(&mut bus.block);
            master.add(&bus.block);
        }
        rack.master.process(master);
        for (sum, x) in master.left.iter_mut().zip(click).chain(master.right.iter_mut().zip(click)) {
            *sum += x;
        }
        self.master.apply(master);
        self.limiter.process(master);
        if self.tracks[self.n_tracks..self.n_mixed_tracks].iter().all(TrackStrip::is_silent) {
            self.n_mixed_tracks = self.n_tracks;
        }
    }
}

#[cfg(test)]
mod tests;
