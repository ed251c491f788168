//! The server, but for its connections: the publisher's hub, fed with samples of which the loudest are known.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use engine_core::control::{Quantum, TapId};
use engine_core::math::db_from_gain;
use engine_core::protocol::{Directory, Tap};
use engine_core::units::{QUANTUM, SampleRate};
use uuid::Uuid;

use super::network::Chance;
use crate::publisher::{Hub, StreamStats};

/// Most tracks at a time.
const MAX_TRACKS: usize = 4;

/// A track. It sounds as loud as its number says, all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Track(pub(super) u64);

impl Track {
    pub(super) fn id(self) -> Uuid {
        Uuid::from_u128(self.0.into())
    }

    pub(super) fn of(id: Uuid) -> Self {
        Self(id.as_u128() as u64)
    }

    /// Of every sample.
    pub(super) fn gain(self) -> f32 {
        10f32.powf(-((self.0 % 40) as f32 + 1.0) / 20.0)
    }
}

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) hub: Hub,
    pub(super) stats: Arc<StreamStats>,
    /// Frames measured.
    pub(super) position: u64,
    /// Samples of the master that are not silent, by position.
    spikes: Vec<(u64, f32)>,
    quantum: Quantum,
    tracks: Vec<Track>,
    n_tracks_ever: u64,
    /// Messages that the engine has reached, and those that it has not, with the tracks that they bring.
    applied: u64,
    messages: VecDeque<Vec<Track>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: Instant::now(),
            hub: Hub::new(SampleRate::DEFAULT, None),
            stats: Arc::default(),
            position: 0,
            spikes: Vec::new(),
            quantum: Quantum::new(),
            tracks: Vec::new(),
            n_tracks_ever: 0,
            applied: 0,
            messages: VecDeque::new(),
        }
    }

    /// Renders a quantum with a few spikes in it, and measures it. Now and then the composition changes, and later
    /// the engine gets to it.
    pub(super) fn play(&mut self, chance: &mut Chance) {
        if chance.below(150) == 0 {
            self.change_tracks(chance);
        }
        if chance.below(4) == 0
            && let Some(tracks) = self.messages.pop_front()
        {
            self.applied += 1;
            self.tracks = tracks;
            self.quantum.n_tracks = self.tracks.len() as u16;
            for (block, track) in self.quantum.tracks.iter_mut().zip(&self.tracks) {
                block.left.fill(track.gain());
            }
        }
        let quantum = &mut self.quantum;
        quantum.sample_position = self.position;
        quantum.master.left.fill(0.0);
        while chance.below(4) == 0 {
            let idx = chance.below(QUANTUM as u64);
            let gain = 10f32.powf(-(chance.below(1000) as f32) / 300.0);
            quantum.master.left[idx as usize] = gain;
            self.spikes.retain(|&(at, _)| at != self.position + idx);
            self.spikes.push((self.position + idx, gain));
        }
        self.position += QUANTUM as u64;
        self.hub.measure(&self.quantum, self.applied, |_| 1e12);
    }

    /// Adds, removes or moves a track, as of a message that the engine has not reached yet.
    fn change_tracks(&mut self, chance: &mut Chance) {
        let mut tracks = self.messages.back().unwrap_or(&self.tracks).clone();
        let any = |n: usize, chance: &mut Chance| chance.below(n as u64) as usize;
        match chance.below(3) {
            0 if !tracks.is_empty() => drop(tracks.remove(any(tracks.len(), chance))),
            1 if tracks.len() > 1 => tracks.rotate_left(1),
            _ if tracks.len() < MAX_TRACKS => {
                self.n_tracks_ever += 1;
                tracks.insert(any(tracks.len() + 1, chance), Track(self.n_tracks_ever));
            }
            _ => drop(tracks.remove(any(tracks.len(), chance))),
        }
        let mut taps = Directory::new(SampleRate::DEFAULT, None);
        for (index, track) in (0u16..).zip(&tracks) {
            let tap =
                Tap { id: TapId::track(index).0, name: track.0.to_string(), track_id: Some(track.id()) };
            taps.taps.insert(1 + usize::from(index), tap);
        }
        self.messages.push_back(tracks);
        self.hub.set_taps(Arc::new(taps), self.applied + self.messages.len() as u64);
    }

    /// The loudest sample of the master from one position to before another, dB.
    pub(super) fn loudest(&self, from: u64, to: u64) -> f64 {
        let start = self.spikes.partition_point(|&(at, _)| at < from.saturating_sub(QUANTUM as u64));
        let within = self.spikes[start..].iter().filter(|(at, _)| (from..to).contains(at));
        within.map(|(_, gain)| f64::from(db_from_gain(*gain))).fold(-120.0, f64::max)
    }

    /// Whether a frame of a stream falls on this position, as architecture.md says.
    pub(super) fn is_due(position: u64, fps: u64) -> bool {
        let rate = u64::from(SampleRate::DEFAULT.hz());
        position * fps / rate != (position - QUANTUM as u64) * fps / rate
    }
}
