//! A composition compiled for playing: flat, sorted, numeric. Made off the audio thread.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sample::Sample;
use crate::composition::{
    AudioClip, Bus, Composition, Compressor, ControlKind, Delay, Effect, EqualiserBand, Reverb, Track,
};
use crate::math::gain_from_db;
use crate::order::sort_by_number;
use crate::time::{SignatureMap, TempoMap};
use crate::units::Ticks;

/// All that the engine needs to play a composition. It knows tracks, buses and samples by index, and no names; by
/// their ids it recognises them when one program replaces another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Tempo from tick 0 onwards.
    pub tempo: TempoMap,
    /// Time signatures from tick 0 onwards.
    pub time_signatures: SignatureMap,
    /// Where playback ends.
    pub length: Ticks,
    /// In the order of play; see [`Event`].
    pub events: Vec<Event>,
    /// Audio clips, by start.
    pub regions: Vec<Region>,
    /// One per track.
    pub strips: Vec<StripSettings>,
    /// Where sends go.
    pub buses: Vec<BusSettings>,
    /// The last strip.
    pub master: MasterSettings,
    /// What zones and regions play, by index.
    pub sample_ids: Vec<Uuid>,
    /// The samples themselves, as [`resolve`](Self::resolve) found them; what is missing is silent.
    #[serde(skip)]
    pub samples: Vec<Option<Arc<Sample>>>,
}

/// Something that happens on a track at a tick. At one tick note-offs come first, then controllers, then
/// note-ons; so a repeated note is released and struck again, and a note starts with its controllers set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub tick: Ticks,
    /// On which track.
    pub track: u16,
    /// What.
    pub kind: EventKind,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// A note ends.
    NoteOff {
        /// MIDI pitch.
        pitch: u8,
    },
    /// A controller changes.
    Control {
        /// Which.
        kind: ControlKind,
        /// In the range of its kind.
        value: f32,
    },
    /// A note starts.
    NoteOn {
        /// MIDI pitch.
        pitch: u8,
        /// 1 to 127.
        velocity: u8,
    },
}

/// An audio clip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Where it starts.
    pub start: Ticks,
    /// On which track.
    pub track: u16,
    /// Index in `samples`.
    pub sample: u16,
    /// Where in the sample it starts, in seconds.
    pub offset_seconds: f64,
    /// How long it sounds.
    pub length_seconds: f64,
    /// Linear.
    pub gain: f32,
    /// Linear fade at the start.
    pub fade_in_seconds: f64,
    /// Linear fade at the end.
    pub fade_out_seconds: f64,
}

/// How a track starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StripSettings {
    /// The track's.
    pub id: Uuid,
    /// General MIDI programme.
    pub program: u8,
    /// A drum kit.
    pub drums: bool,
    /// Samples by pitch; where there are any, they play instead of the programme.
    pub zones: Vec<ZoneSettings>,
    /// Fader, −120 to +12 dB.
    pub gain_db: f32,
    /// −1 to 1.
    pub pan: f32,
    /// Silenced.
    pub mute: bool,
    /// Heard alone.
    pub solo: bool,
    /// Heard even while others are soloed.
    pub solo_safe: bool,
    /// Applied in order, before the fader.
    pub effects: Vec<EffectSettings>,
    /// Sends to buses.
    pub sends: Vec<SendSettings>,
}

/// A sample and the pitches that it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneSettings {
    /// Index in `samples`.
    pub sample: u16,
    /// Pitch at which it plays at its own speed.
    pub root_pitch: u8,
    /// Lowest pitch.
    pub low_pitch: u8,
    /// Highest pitch.
    pub high_pitch: u8,
    /// First frame of the loop.
    pub loop_start: u32,
    /// Frame after the loop; no loop when not greater than `loop_start`.
    pub loop_end: u32,
}

/// A send of a track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendSettings {
    /// Index in `buses`.
    pub bus: u16,
    /// −120 to +12 dB.
    pub gain_db: f32,
    /// Before fader and pan.
    pub pre_fader: bool,
}

/// How a bus starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusSettings {
    /// The bus's.
    pub id: Uuid,
    /// Fader, −120 to +12 dB.
    pub gain_db: f32,
    /// −1 to 1.
    pub pan: f32,
    /// Silenced.
    pub mute: bool,
    /// Applied in order, before the fader.
    pub effects: Vec<EffectSettings>,
}

/// How the master starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MasterSettings {
    /// Fader, −120 to +12 dB.
    pub gain_db: f32,
    /// Applied in order, before the fader.
    pub effects: Vec<EffectSettings>,
}

/// An effect. The same as [`Effect`], whose JSON form (tagged by `type`) compact formats cannot read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EffectSettings {
    /// Bands in order.
    Equaliser(Vec<EqualiserBand>),
    /// See [`Compressor`].
    Compressor(Compressor),
    /// See [`Delay`].
    Delay(Delay),
    /// See [`Reverb`].
    Reverb(Reverb),
}

impl Program {
    /// Flattens a composition. The order of clips and notes in it has no influence. Samples are still to be
    /// [resolved](Self::resolve).
    pub fn compile(composition: &Composition) -> Self {
        let mut samples = Samples::default();
        let mut events = Vec::new();
        let mut regions = Vec::new();
        let mut strips = Vec::new();
        for (track, data) in (0u16..).zip(&composition.tracks) {
            add_events(track, data, &mut events);
            regions.extend(data.audio_clips.iter().map(|clip| region(track, clip, &mut samples)));
            strips.push(strip(data, &composition.buses, &mut samples));
        }
        sort_by_number(&mut events, Event::order);
        sort_by_number(&mut regions, |region| {
            u128::from(region.start) << 32 | u128::from(region.track) << 16 | u128::from(region.sample)
        });
        let buses = composition.buses.iter().map(|bus| BusSettings {
            id: bus.id,
            gain_db: bus.gain_db,
            pan: bus.pan,
            mute: bus.mute,
            effects: effects(&bus.effects),
        });
        let master = &composition.master;
        Self {
            tempo: composition.tempo.clone(),
            time_signatures: composition.time_signatures.clone(),
            length: composition.length,
            events,
            regions,
            strips,
            buses: buses.collect(),
            master: MasterSettings { gain_db: master.gain_db, effects: effects(&master.effects) },
            samples: samples.ids.iter().map(|_| None).collect(),
            sample_ids: samples.ids,
        }
    }

    /// Fetches the samples from whoever keeps them.
    pub fn resolve(&mut self, find: impl FnMut(&Uuid) -> Option<Arc<Sample>>) {
        self.samples = self.sample_ids.iter().map(find).collect();
    }
}

impl Event {
    /// The order of play, complete, so that equal compositions make equal programs.
    fn order(&self) -> u128 {
        let (rank, a, b): (u8, u32, u32) = match self.kind {
            EventKind::NoteOff { pitch } => (0, u32::from(pitch), 0),
            EventKind::Control { kind, value } => (1, kind as u32, value.to_bits()),
            EventKind::NoteOn { pitch, velocity } => (2, u32::from(pitch), u32::from(velocity)),
        };
        u128::from(self.tick) << 88
            | u128::from(rank) << 80
            | u128::from(self.track) << 64
            | u128::from(a) << 32
            | u128::from(b)
    }
}

/// Gives every sample that is used one index.
#[derive(Default)]
struct Samples {
    ids: Vec<Uuid>,
}

impl Samples {
    fn index(&mut self, id: Uuid) -> u16 {
        let at = self.ids.iter().position(|other| *other == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        // Validation bounds zones and clips far below.
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}

fn add_events(track: u16, data: &Track, events: &mut Vec<Event>) {
    for clip in &data.clips {
        for note in &clip.notes {
            let start = clip.start + note.start;
            let end = clip.start + note.start.saturating_add(note.length).min(clip.length);
            let (pitch, velocity) = (note.pitch, note.velocity);
            events.push(Event { tick: start, track, kind: EventKind::NoteOn { pitch, velocity } });
            events.push(Event { tick: end, track, kind: EventKind::NoteOff { pitch } });
        }
        for control in &clip.controls {
            let kind = EventKind::Control { kind: control.kind, value: control.value };
            events.push(Event { tick: clip.start + control.tick, track, kind });
        }
    }
}

fn region(track: u16, clip: &AudioClip, samples: &mut Samples) -> Region {
    Region {
        start: clip.start,
        track,
        sample: samples.index(clip.sample),
        offset_seconds: clip.offset_seconds,
        length_seconds: clip.length_seconds,
        gain: gain_from_db(clip.gain_db),
        fade_in_seconds: clip.fade_in_seconds,
        fade_out_seconds: clip.fade_out_seconds,
    }
}

fn effects(effects: &[Effect]) -> Vec<EffectSettings> {
    let settings = effects.iter().map(|effect| match effect {
        Effect::Equaliser { bands } => EffectSettings::Equaliser(bands.clone()),
        Effect::Compressor(compressor) => EffectSettings::Compressor(*compressor),
        Effect::Delay(delay) => EffectSettings::Delay(*delay),
        Effect::Reverb(reverb) => EffectSettings::Reverb(*reverb),
    });
    settings.collect()
}

fn strip(track: &Track, buses: &[Bus], samples: &mut Samples) -> StripSettings {
    let zones = track.instrument.zones.iter().map(|zone| ZoneSettings {
        sample: samples.index(zone.sample),
        root_pitch: zone.root_pitch,
        low_pitch: zone.low_pitch,
        high_pitch: zone.high_pitch,
        loop_start: zone.loop_start,
        loop_end: zone.loop_end,
    });
    let sends = track.sends.iter().filter_map(|send| {
        let bus = buses.iter().position(|bus| bus.id == send.bus)?;
        Some(SendSettings { bus: u16::try_from(bus).ok()?, gain_db: send.gain_db, pre_fader: send.pre_fader })
    });
    StripSettings {
        id: track.id,
        program: track.instrument.program,
        drums: track.instrument.drums,
        zones: zones.collect(),
        gain_db: track.gain_db,
        pan: track.pan,
        mute: track.mute,
        solo: track.solo,
        solo_safe: track.solo_safe,
        effects: effects(&track.effects),
        sends: sends.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::{Clip, CompositionSpec, Control, Instrument, Note, Send};

    #[test]
    fn a_program_crosses_to_the_worklet_unchanged() {
        let bus = Uuid::from_u128(7);
        let note = |pitch, start| Note { pitch, velocity: 90, start, length: 100 };
        let mut clip = Clip::new(0, 960, Vec::from([note(60, 100), note(60, 0), note(64, 100)]));
        clip.controls = Vec::from([Control { tick: 100, kind: ControlKind::PitchBend, value: -2.0 }]);
        let track = Track {
            clips: Vec::from([clip]),
            sends: Vec::from([Send { bus, gain_db: -6.0, pre_fader: true }]),
            effects: Vec::from([Effect::Delay(Delay::default()), Effect::Equaliser { bands: Vec::new() }]),
            ..Track::new("t", Instrument::program(3))
        };
        let effects = Vec::from([Effect::Reverb(Reverb::default())]);
        let spec = CompositionSpec {
            name: "n".into(),
            length: 960,
            tracks: Vec::from([track]),
            buses: Vec::from([Bus {
                id: bus,
                name: "b".into(),
                gain_db: 0.0,
                pan: 0.0,
                mute: false,
                effects,
            }]),
            ..CompositionSpec::default()
        };
        let program = Program::compile(&Composition::new(spec).unwrap());
        let bytes = postcard::to_allocvec(&program).unwrap();
        assert_eq!(postcard::from_bytes::<Program>(&bytes).unwrap(), program);
        // At tick 100: the first note ends, the controller moves, two notes start in order of pitch.
        let at_100: Vec<_> = program.events.iter().filter(|e| e.tick == 100).map(|e| e.kind).collect();
        let on = |pitch| EventKind::NoteOn { pitch, velocity: 90 };
        let bend = EventKind::Control { kind: ControlKind::PitchBend, value: -2.0 };
        assert_eq!(at_100, [EventKind::NoteOff { pitch: 60 }, bend, on(60), on(64)]);
    }
}
