//! Compositions into files.

use alloc::vec;
use alloc::vec::Vec;

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, PitchBend, Smf, Timing, TrackEvent, TrackEventKind};

use super::super::model::{Composition, ControlKind, Track};
use super::error::ExportError;
use super::part::DRUM_CHANNEL;
use super::values::{
    CENTRE, DEFAULT_BEND_RANGE, PAN_STEPS, bend_from_semitones, semitones_from_bend, seven_bits,
    volume_from_gain_db,
};
use crate::units::{PPQ, Ticks};

/// Longest time between two events that a file can say.
const MAX_DELTA: Ticks = (1 << 28) - 1;

/// How a file is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileType {
    /// One chunk with everything: at most 15 instruments and one drum kit.
    SingleTrack,
    /// A chunk for tempo and signatures, and one for each track.
    #[default]
    MultiTrack,
}

/// Writes a Standard MIDI File at [`PPQ`] ticks per beat, so that no tick moves.
///
/// Instruments get channels 1 to 9 and 11 to 16 in turn, drum kits channel 10. Where these do not suffice, type 1
/// goes on with the same channels on the next MIDI port (meta event 21), which [`import`](super::import) keeps
/// apart; players without ports mix them up. Values have 7 bits, pitch bends 14 bits of the smallest range that
/// holds them exactly (or else that holds them), tempi whole microseconds per beat. Faders above 0 dB are written as
/// 0 dB. Audio clips, effects, buses, mute and solo have no place in a MIDI file. Notes end with their clip.
///
/// # Errors
/// Type 0 with more tracks than channels.
pub fn export(composition: &Composition, file_type: FileType) -> Result<Vec<u8>, ExportError> {
    let addresses = addresses(&composition.tracks);
    let needs_ports = addresses.iter().any(|address| address.port > 0);
    let mut conductor = conductor(composition);
    let (format, chunks) = match file_type {
        FileType::SingleTrack => {
            if needs_ports {
                let drums = composition.tracks.iter().filter(|track| track.instrument.drums).count();
                return Err(ExportError::TooManyTracks { melodic: composition.tracks.len() - drums, drums });
            }
            for (track, &address) in composition.tracks.iter().zip(&addresses) {
                conductor.meta(0, MetaMessage::MidiChannel(address.channel));
                conductor.meta(0, MetaMessage::InstrumentName(track.name.as_bytes()));
                conductor.track(track, address);
            }
            (Format::SingleTrack, vec![conductor])
        }
        FileType::MultiTrack => {
            let mut chunks = vec![conductor];
            for (track, &address) in composition.tracks.iter().zip(&addresses) {
                let mut chunk = Chunk::default();
                if needs_ports {
                    chunk.meta(0, MetaMessage::MidiPort(u7::new(address.port)));
                }
                chunk.meta(0, MetaMessage::TrackName(track.name.as_bytes()));
                chunk.track(track, address);
                chunks.push(chunk);
            }
            (Format::Parallel, chunks)
        }
    };
    let header = Header::new(format, Timing::Metrical(u15::new(PPQ as u16)));
    let tracks = chunks.into_iter().map(|chunk| chunk.finish(composition.length)).collect();
    let mut bytes = Vec::new();
    // The only error is that of the writer, and a vector has none.
    let _ = Smf { header, tracks }.write(&mut bytes);
    Ok(bytes)
}

/// Where a track's events go.
#[derive(Clone, Copy)]
struct Address {
    port: u8,
    channel: u4,
}

fn addresses(tracks: &[Track]) -> Vec<Address> {
    let (mut n_melodic, mut n_drums) = (0, 0);
    let address = |track: &Track| {
        if track.instrument.drums {
            n_drums += 1;
            return Address { port: n_drums - 1, channel: u4::new(DRUM_CHANNEL) };
        }
        let (port, channel) = (n_melodic / 15, n_melodic % 15);
        n_melodic += 1;
        Address { port, channel: u4::new(if channel < DRUM_CHANNEL { channel } else { channel + 1 }) }
    };
    tracks.iter().map(address).collect()
}

/// Of several events at one tick, settings come first, then ends of notes, controllers, and starts of notes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Setting,
    NoteOff,
    Control,
    NoteOn,
}

#[derive(Default)]
struct Chunk<'a> {
    events: Vec<(Ticks, Rank, TrackEventKind<'a>)>,
}

fn conductor(composition: &Composition) -> Chunk<'_> {
    let mut chunk = Chunk::default();
    chunk.meta(0, MetaMessage::TrackName(composition.name.as_bytes()));
    // What comes after the end is never heard, and would make the file longer.
    for point in composition.tempo.points().iter().filter(|point| point.tick <= composition.length) {
        let micros = libm::round(60e6 / point.bpm) as u32;
        chunk.meta(point.tick, MetaMessage::Tempo(u24::new(micros)));
    }
    let signatures = composition.time_signatures.points().iter();
    for point in signatures.filter(|point| point.tick <= composition.length) {
        let power = point.denominator.trailing_zeros() as u8;
        let clocks_per_click = 96 / point.denominator;
        chunk.meta(point.tick, MetaMessage::TimeSignature(point.numerator, power, clocks_per_click, 8));
    }
    chunk
}

impl<'a> Chunk<'a> {
    fn meta(&mut self, tick: Ticks, message: MetaMessage<'a>) {
        self.events.push((tick, Rank::Setting, TrackEventKind::Meta(message)));
    }

    fn midi(&mut self, tick: Ticks, rank: Rank, channel: u4, message: MidiMessage) {
        self.events.push((tick, rank, TrackEventKind::Midi { channel, message }));
    }

    fn controller(&mut self, tick: Ticks, rank: Rank, channel: u4, controller: u8, value: u8) {
        let (controller, value) = (u7::new(controller), u7::new(value));
        self.midi(tick, rank, channel, MidiMessage::Controller { controller, value });
    }

    fn track(&mut self, track: &Track, Address { channel, .. }: Address) {
        let volume = volume_from_gain_db(track.gain_db);
        let pan = |relative: f32| seven_bits(CENTRE + PAN_STEPS * (track.pan + relative).clamp(-1.0, 1.0));
        let program = u7::new(track.instrument.program);
        self.midi(0, Rank::Setting, channel, MidiMessage::ProgramChange { program });
        self.controller(0, Rank::Setting, channel, 7, seven_bits(volume));
        self.controller(0, Rank::Setting, channel, 10, pan(0.0));
        let range = bend_range(track);
        if let Some(range) = range {
            // RPN 0, its two data bytes, and none selected afterwards.
            for (controller, value) in [(101, 0), (100, 0), (6, range), (38, 0), (101, 127), (100, 127)] {
                self.controller(0, Rank::Setting, channel, controller, value);
            }
        }
        for clip in &track.clips {
            for note in &clip.notes {
                let end = note.start.saturating_add(note.length).min(clip.length);
                let (key, vel) = (u7::new(note.pitch), u7::new(note.velocity));
                self.midi(clip.start + note.start, Rank::NoteOn, channel, MidiMessage::NoteOn { key, vel });
                let off = MidiMessage::NoteOff { key, vel: u7::new(64) };
                self.midi(clip.start + end, Rank::NoteOff, channel, off);
            }
            for control in &clip.controls {
                let tick = clip.start + control.tick;
                let (controller, value) = match control.kind {
                    ControlKind::Program => {
                        let program = u7::new(seven_bits(control.value));
                        self.midi(tick, Rank::Control, channel, MidiMessage::ProgramChange { program });
                        continue;
                    }
                    ControlKind::PitchBend => {
                        let range = f32::from(range.unwrap_or(DEFAULT_BEND_RANGE));
                        let bend = PitchBend(midly::num::u14::new(bend_from_semitones(control.value, range)));
                        self.midi(tick, Rank::Control, channel, MidiMessage::PitchBend { bend });
                        continue;
                    }
                    ControlKind::Volume => (7, seven_bits(volume * control.value)),
                    ControlKind::Pan => (10, pan(control.value)),
                    ControlKind::Expression => (11, seven_bits(127.0 * control.value)),
                    ControlKind::Modulation => (1, seven_bits(127.0 * control.value)),
                    ControlKind::Sustain => (64, seven_bits(127.0 * control.value)),
                };
                self.controller(tick, Rank::Control, channel, controller, value);
            }
        }
    }

    fn finish(mut self, length: Ticks) -> Vec<TrackEvent<'a>> {
        self.events.push((length, Rank::NoteOn, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
        // Stable: what is equal stays in the order of the clips.
        self.events.sort_by_key(|(tick, rank, _)| (*tick, *rank));
        let mut now = 0;
        let mut out = Vec::with_capacity(self.events.len());
        for (tick, _, kind) in self.events {
            while tick - now > MAX_DELTA {
                let filler = TrackEventKind::Meta(MetaMessage::Text(b""));
                out.push(TrackEvent { delta: u28::new(MAX_DELTA), kind: filler });
                now += MAX_DELTA;
            }
            out.push(TrackEvent { delta: u28::new(tick - now), kind });
            now = tick;
        }
        out
    }
}

/// Semitones that the track's bends need to either side: the fewest that keep every one of them exactly, or else
/// the fewest that hold them. `None` without bends.
fn bend_range(track: &Track) -> Option<u8> {
    let controls = track.clips.iter().flat_map(|clip| &clip.controls);
    let bends: Vec<f32> =
        controls.filter(|control| control.kind == ControlKind::PitchBend).map(|c| c.value).collect();
    let widest =
        bends.iter().fold(None, |widest: Option<f32>, bend| Some(widest.unwrap_or(0.0).max(bend.abs())))?;
    let least = (libm::ceilf(widest) as u8).max(DEFAULT_BEND_RANGE);
    let exact = (least..128).find(|&range| {
        let range = f32::from(range);
        bends.iter().all(|&bend| semitones_from_bend(bend_from_semitones(bend, range), range) == bend)
    });
    Some(exact.unwrap_or(least))
}
