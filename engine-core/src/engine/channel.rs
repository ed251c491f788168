//! Controllers of each track: what MIDI calls a channel.
//!
//! Volume and expression scale the track's voices before its strip, pan moves the strip's, programme, bend,
//! wheel and pedal are for the voices. After a jump of the playhead the controllers in force there apply, as
//! [`ControlIndex`] finds them.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;

use super::moves::Moves;
use crate::buffer::StereoBlock;
use crate::composition::ControlKind;
use crate::control::{Event, EventKind};
use crate::math::exp;
use crate::units::{MAX_TRACKS, Ticks};

/// Time constant with which a level glides.
const GLIDE_SECONDS: f32 = 0.008;
/// Semitones that bends reach.
const BEND_RANGE: f32 = 24.0;

/// What sounding notes follow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Controls {
    /// Semitones.
    pub(super) bend: f32,
    /// Vibrato, 0 to 1.
    pub(super) modulation: f32,
}

/// Controllers of one track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Channel {
    /// `None`: the instrument's own.
    pub(super) program: Option<u8>,
    /// Added to the strip's.
    pub(super) pan: f32,
    pub(super) controls: Controls,
    /// The pedal is down.
    pub(super) sustain: bool,
    volume: f32,
    expression: f32,
    /// Level now, gliding to what volume and expression make.
    level: f32,
}

impl Channel {
    const START: Self = Self {
        program: None,
        pan: 0.0,
        controls: Controls { bend: 0.0, modulation: 0.0 },
        sustain: false,
        volume: 1.0,
        expression: 1.0,
        level: 1.0,
    };

    fn set(&mut self, kind: ControlKind, value: f32) {
        // Programs are made of validated compositions, but whoever sends one to the worklet need not know that.
        if !value.is_finite() {
            return;
        }
        let unit = value.clamp(0.0, 1.0);
        match kind {
            ControlKind::Program => self.program = Some(value.clamp(0.0, 127.0) as u8),
            ControlKind::Volume => self.volume = unit,
            ControlKind::Expression => self.expression = unit,
            ControlKind::Pan => self.pan = value.clamp(-1.0, 1.0),
            ControlKind::PitchBend => self.controls.bend = value.clamp(-BEND_RANGE, BEND_RANGE),
            ControlKind::Modulation => self.controls.modulation = unit,
            ControlKind::Sustain => self.sustain = value >= 0.5,
        }
    }

    fn settle(&mut self) {
        self.level = self.target();
    }

    /// General MIDI level 2's curve, 40·log10 of each: a square.
    fn target(&self) -> f32 {
        let product = self.volume * self.expression;
        product * product
    }
}

/// Controllers of all tracks.
pub(super) struct Channels {
    channels: Box<[Channel]>,
    /// What is left of a level's way after a frame.
    glide: f32,
}

impl Channels {
    pub(super) fn new(sample_rate: f32) -> Self {
        Self {
            channels: vec![Channel::START; MAX_TRACKS].into_boxed_slice(),
            glide: exp(-1.0 / (GLIDE_SECONDS * sample_rate)),
        }
    }

    /// The state of a track; of one that does not exist, that of a track without controllers.
    pub(super) fn get(&self, track: u16) -> &Channel {
        self.channels.get(usize::from(track)).unwrap_or(&Channel::START)
    }

    pub(super) fn set(&mut self, track: u16, kind: ControlKind, value: f32) {
        if let Some(channel) = self.channels.get_mut(usize::from(track)) {
            channel.set(kind, value);
        }
    }

    /// Everything of the first `n_tracks` as if the program had been played from its start up to, not with, `tick`.
    /// Levels glide there.
    pub(super) fn chase(&mut self, index: &ControlIndex, events: &[Event], n_tracks: usize, tick: f64) {
        for channel in &mut self.channels[..n_tracks] {
            *channel = Channel { level: channel.level, ..Channel::START };
        }
        index.for_each_before(events, tick, |track, kind, value| self.set(track, kind, value));
    }

    /// Levels jump to where they were gliding: nothing sounds.
    pub(super) fn settle(&mut self) {
        self.channels.iter_mut().for_each(Channel::settle);
    }

    /// Tracks have other places now.
    pub(super) fn reorder(&mut self, moves: &Moves<MAX_TRACKS>) {
        moves.reorder(&mut self.channels);
    }

    /// The same as [`settle`](Self::settle), for tracks that are new.
    pub(super) fn settle_new(&mut self, moves: &Moves<MAX_TRACKS>) {
        let new = self.channels.iter_mut().enumerate().filter(|(place, _)| moves.is_new(*place));
        new.for_each(|(_, channel)| channel.settle());
    }

    /// Scales frames `from..to` of each track, in which only voices sound yet.
    pub(super) fn apply(&mut self, tracks: &mut [StereoBlock], from: usize, to: usize) {
        for (channel, block) in self.channels.iter_mut().zip(tracks) {
            let target = channel.target();
            let (left, right) = (&mut block.left[from..to], &mut block.right[from..to]);
            if channel.level == target {
                if target != 1.0 {
                    left.iter_mut().chain(right).for_each(|x| *x *= target);
                }
                continue;
            }
            for (left, right) in left.iter_mut().zip(right) {
                let way = channel.level - target;
                // The last step is taken at once: a glide that never ends would be subnormal arithmetic.
                channel.level = if way.abs() < 1e-6 { target } else { target + way * self.glide };
                *left *= channel.level;
                *right *= channel.level;
            }
        }
    }
}

/// Control events by track and kind, so that a jump finds the last one of each before a tick by bisection.
///
/// That is at most [`MAX_TRACKS`] × 7 bisections of a few steps each, however long the composition: short
/// enough for the audio thread, which reading all events up to the playhead is not. Made off it.
pub(super) struct ControlIndex {
    /// Events of one track and kind follow one another, in the order of play.
    lanes: Box<[Lane]>,
    events: Box<[u32]>,
}

struct Lane {
    track: u16,
    kind: ControlKind,
    /// Range in `events`.
    from: usize,
    to: usize,
}

impl ControlIndex {
    /// `events` in the order of play.
    pub(super) fn new(events: &[Event]) -> Self {
        let found: BinaryHeap<(u16, ControlKind, u32)> = (0u32..)
            .zip(events)
            .filter_map(|(idx, event)| match event.kind {
                EventKind::Control { kind, .. } => Some((event.track, kind, idx)),
                _ => None,
            })
            .collect();
        let found = found.into_sorted_vec();
        let mut lanes: Vec<Lane> = Vec::new();
        for (at, &(track, kind, _)) in found.iter().enumerate() {
            match lanes.last_mut() {
                Some(lane) if (lane.track, lane.kind) == (track, kind) => lane.to = at + 1,
                _ => lanes.push(Lane { track, kind, from: at, to: at + 1 }),
            }
        }
        // Only of tracks that are played: this bounds the work.
        lanes.retain(|lane| usize::from(lane.track) < MAX_TRACKS);
        Self { lanes: lanes.into_boxed_slice(), events: found.into_iter().map(|(_, _, idx)| idx).collect() }
    }

    fn for_each_before(&self, events: &[Event], tick: f64, mut act: impl FnMut(u16, ControlKind, f32)) {
        let is_before = |idx: &u32| {
            events.get(*idx as usize).is_some_and(|event: &Event| f64::from(event.tick as Ticks) < tick)
        };
        for lane in &self.lanes {
            let of_lane = &self.events[lane.from..lane.to];
            let last = of_lane.partition_point(is_before).checked_sub(1).map(|at| of_lane[at]);
            if let Some(Event { kind: EventKind::Control { kind, value }, .. }) =
                last.and_then(|idx| events.get(idx as usize))
            {
                act(lane.track, *kind, *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::noise::Noise;

    #[test]
    fn chasing_is_playing_from_the_start() {
        const KINDS: [ControlKind; 7] = [
            ControlKind::Program,
            ControlKind::Volume,
            ControlKind::Expression,
            ControlKind::Pan,
            ControlKind::PitchBend,
            ControlKind::Modulation,
            ControlKind::Sustain,
        ];
        let mut noise = Noise::new(11);
        let mut random = |n: f32| (noise.sample().abs() * n) as u32;
        let mut events: Vec<Event> = (0..500)
            .map(|_| {
                let (tick, track) = (random(1000.0), random(4.0) as u16);
                let kind = KINDS[random(7.0) as usize];
                Event { tick, track, kind: EventKind::Control { kind, value: random(100.0) as f32 / 100.0 } }
            })
            .collect();
        events.push(Event { tick: 500, track: 2, kind: EventKind::NoteOff { pitch: 60 } });
        events.push(Event { tick: 0, track: 999, kind: EventKind::Control { kind: KINDS[1], value: 0.0 } });
        events.sort_by_key(|event| event.tick);
        let index = ControlIndex::new(&events);
        for tick in [0.0, 0.5, 1.0, 250.0, 500.0, 777.25, 2000.0] {
            let mut played = Channels::new(48_000.0);
            for event in events.iter().filter(|event| f64::from(event.tick) < tick) {
                if let EventKind::Control { kind, value } = event.kind {
                    played.set(event.track, kind, value);
                }
            }
            let mut chased = Channels::new(48_000.0);
            chased.set(1, ControlKind::PitchBend, 7.0);
            chased.chase(&index, &events, MAX_TRACKS, tick);
            assert_eq!(played.channels, chased.channels, "at {tick}");
        }
    }

    #[test]
    fn levels_follow_the_curve_of_general_midi_and_glide() {
        let mut channels = Channels::new(48_000.0);
        channels.set(0, ControlKind::Volume, 100.0 / 127.0);
        channels.set(0, ControlKind::Expression, 64.0 / 127.0);
        channels.set(0, ControlKind::Volume, f32::NAN);
        let mut last = 1.0;
        for _ in 0..60 {
            let mut tracks = [StereoBlock { left: [1.0; 128], right: [1.0; 128] }, StereoBlock::SILENCE];
            channels.apply(&mut tracks, 0, 5);
            channels.apply(&mut tracks, 5, 128);
            for x in tracks[0].left {
                assert!((0.0..0.003).contains(&(last - x)));
                last = x;
            }
            assert_eq!(tracks[0].left, tracks[0].right);
        }
        // 40·log10(100/127) + 40·log10(64/127) dB.
        let db = 20.0 * crate::math::db_from_gain(last) / 20.0;
        assert!((db - (-4.152 - 11.906)).abs() < 0.01, "{db}");
    }
}
