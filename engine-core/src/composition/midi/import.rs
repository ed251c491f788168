//! Files into compositions.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use midly::{Format, Fps, MetaMessage, MidiMessage, Timing, TrackEvent, TrackEventKind};
use uuid::Uuid;

use super::super::model::{Composition, CompositionSpec, ControlKind, Master, Note};
use super::super::validate::CompositionError;
use super::error::MidiError;
use super::part::{KINDS, Part};
use super::values::{BEND_CENTRE, DEFAULT_BEND_RANGE, semitones_from_bend};
use crate::order::sort_by_number;
use crate::time::{BPM_RANGE, SignatureMap, TempoMap, TempoPoint, TimeSignature};
use crate::units::{MAX_TRACKS, PPQ, Ticks};

/// Latest tick of a file, after rescaling: what a composition may have.
pub(super) const MAX_TICK: u64 = 1 << 30;
/// Ports that a file can name, times channels: each has a state of its own.
const N_ADDRESSES: usize = 128 * 16;

/// Reads a Standard MIDI File. Ids are nil; see [`CompositionSpec::assign_ids`].
///
/// Ticks are rescaled to [`PPQ`]: exactly for files of that resolution (and its divisors), else to the nearest
/// tick. Files that count SMPTE frames play at 120 bpm. A chunk with several channels becomes a track for each;
/// channel 10 is the drum kit. A channel hears controllers of a kind from other chunks (a common one with all
/// settings, say) when its own has none of it. Notes without an end last until their chunk's. Without a `name`
/// the composition has that of the file's first chunk. Tempi and time signatures out of range become the nearest that
/// can be played; names are cut. Channels without notes are left out, and so are aftertouch,
/// the fine halves of 14-bit controllers, lyrics and system messages.
///
/// # Errors
/// See [`MidiError`]. Memory and time are bounded by the length of `bytes`, whatever they say.
pub fn import(bytes: &[u8], name: &str) -> Result<Composition, MidiError> {
    let declared = check_chunks(bytes)?;
    let (header, tracks) = midly::parse(bytes).map_err(|_| MidiError::NotMidi)?;
    if header.format == Format::Sequential {
        return Err(MidiError::Type2);
    }
    let mut reader = Reader::new(header.timing)?;
    let mut n_chunks = 0;
    for events in tracks {
        n_chunks += 1;
        let events = events.map_err(|_| MidiError::Damaged(n_chunks))?;
        reader.read_chunk(n_chunks, events)?;
    }
    if n_chunks < declared {
        return Err(MidiError::MissingTracks { declared, found: n_chunks });
    }
    reader.finish(name)
}

/// Checks what midly takes as it comes: that every chunk is whole, and that there is one header, whose SMPTE
/// rate is not −128 (which midly cannot negate). Returns the number of tracks that the header promises.
fn check_chunks(bytes: &[u8]) -> Result<usize, MidiError> {
    let mut declared = None;
    let mut n_tracks = 0;
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, len @ ..] = *head;
        let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
        let chunk = after.split_at_checked(len);
        match (&[a, b, c, d], declared) {
            (b"MThd", None) => {
                let Some(([_, _, n @ .., high, _], _)) = chunk.and_then(|(c, _)| c.split_first_chunk::<6>())
                else {
                    return Err(MidiError::NotMidi);
                };
                if *high == 0x80 {
                    return Err(MidiError::NoResolution);
                }
                declared = Some(usize::from(u16::from_be_bytes(*n)));
            }
            (b"MThd", Some(_)) => return Err(MidiError::Damaged(n_tracks + 1)),
            (_, None) => return Err(MidiError::NotMidi),
            (b"MTrk", _) => n_tracks += 1,
            _ => {}
        }
        rest = chunk.ok_or(MidiError::Damaged(n_tracks.max(1)))?.1;
    }
    match declared {
        Some(declared) if rest.is_empty() => Ok(declared),
        Some(_) => Err(MidiError::Damaged(n_tracks + 1)),
        None => Err(MidiError::NotMidi),
    }
}

/// What RPN 0 and the bend wheel of a channel say.
#[derive(Clone, Copy)]
struct Bend {
    /// Selected parameter; 0 is the bend range, 127 in either half none.
    rpn: (u8, u8),
    semitones: u8,
    cents: u8,
    wheel: u16,
}

impl Bend {
    const START: Self = Self { rpn: (127, 127), semitones: DEFAULT_BEND_RANGE, cents: 0, wheel: BEND_CENTRE };

    fn value(self) -> f32 {
        semitones_from_bend(self.wheel, f32::from(self.semitones) + f32::from(self.cents) / 100.0)
    }
}

struct Reader {
    /// Ticks of ours for one of the file's, as a fraction.
    scale: (u64, u64),
    /// SMPTE files count time, not beats: their tempo is fixed and their tempo events say nothing.
    smpte: bool,
    tempo: Vec<TempoPoint>,
    signatures: Vec<TimeSignature>,
    parts: Vec<Part>,
    n_parts_with_notes: usize,
    /// Of the present chunk: index in `parts` by address.
    by_address: Vec<Option<usize>>,
    /// By address. It outlives the chunk, since a common first chunk may set ranges.
    bends: Vec<Bend>,
    sequence_name: String,
    end: Ticks,
}

impl Reader {
    fn new(timing: Timing) -> Result<Self, MidiError> {
        // At the default 120 bpm a second is two beats.
        let second = 2 * u64::from(PPQ);
        let (scale, smpte) = match timing {
            Timing::Metrical(ppq) => ((u64::from(PPQ), u64::from(ppq.as_int())), false),
            // "29" is 30 drop-frame: 29.97 frames a second.
            Timing::Timecode(Fps::Fps29, sub) => ((second * 1001, 30_000 * u64::from(sub)), true),
            Timing::Timecode(fps, sub) => ((second, u64::from(fps.as_int()) * u64::from(sub)), true),
        };
        if scale.1 == 0 {
            return Err(MidiError::NoResolution);
        }
        Ok(Self {
            scale,
            smpte,
            tempo: Vec::new(),
            signatures: Vec::new(),
            parts: Vec::new(),
            n_parts_with_notes: 0,
            by_address: vec![None; N_ADDRESSES],
            bends: vec![Bend::START; N_ADDRESSES],
            sequence_name: String::new(),
            end: 0,
        })
    }

    fn read_chunk(&mut self, chunk: usize, events: midly::EventIter<'_>) -> Result<(), MidiError> {
        let first_part = self.parts.len();
        let mut name = String::new();
        let (mut file_tick, mut tick, mut ended) = (0u64, 0, false);
        // Where the next events belong: a port, and for texts a channel.
        let (mut port, mut prefix) = (0u8, None);
        for event in events {
            let TrackEvent { delta, kind } = event.map_err(|_| MidiError::Damaged(chunk))?;
            file_tick += u64::from(delta.as_int());
            let scaled = (file_tick * self.scale.0 + self.scale.1 / 2) / self.scale.1;
            tick = Ticks::try_from(scaled).ok().filter(|_| scaled <= MAX_TICK).ok_or(MidiError::TooLong)?;
            match kind {
                TrackEventKind::Midi { channel, message } => {
                    prefix = None;
                    let part = self.part(port, channel.as_int());
                    self.midi(part, tick, message);
                }
                TrackEventKind::Meta(MetaMessage::MidiPort(number)) => port = number.as_int(),
                TrackEventKind::Meta(MetaMessage::MidiChannel(channel)) => prefix = Some(channel.as_int()),
                TrackEventKind::Meta(MetaMessage::TrackName(text) | MetaMessage::InstrumentName(text))
                    if prefix.is_some() =>
                {
                    let part = self.part(port, prefix.unwrap_or(0));
                    self.parts[part].name = text_from_bytes(text);
                }
                TrackEventKind::Meta(MetaMessage::TrackName(text)) if name.is_empty() => {
                    name = text_from_bytes(text);
                }
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) if !self.smpte => {
                    let bpm = 60e6 / f64::from(micros.as_int().max(1));
                    self.tempo
                        .push(TempoPoint { tick, bpm: bpm.clamp(*BPM_RANGE.start(), *BPM_RANGE.end()) });
                }
                TrackEventKind::Meta(MetaMessage::TimeSignature(numerator, power, _, _)) => {
                    self.signatures.push(TimeSignature {
                        tick,
                        numerator: numerator.clamp(1, 32),
                        denominator: 1 << power.min(5),
                    });
                }
                TrackEventKind::Meta(MetaMessage::EndOfTrack) => ended = true,
                _ => {}
            }
        }
        if !ended {
            return Err(MidiError::Damaged(chunk));
        }
        self.end_chunk(first_part, tick, &name);
        if chunk == 1 {
            self.sequence_name = name;
        }
        if self.n_parts_with_notes > MAX_TRACKS {
            let message = format!("more than {MAX_TRACKS} tracks with notes, which is what can play");
            return Err(MidiError::Invalid(CompositionError::new("tracks", message)));
        }
        Ok(())
    }

    fn end_chunk(&mut self, first_part: usize, tick: Ticks, name: &str) {
        for part in first_part..self.parts.len() {
            self.end_notes(part, tick);
        }
        for part in &mut self.parts[first_part..] {
            let address = address(part.port, part.channel);
            self.by_address[address] = None;
            // The range of bends holds on, a wheel that was left alone does not.
            self.bends[address] = Bend { rpn: (127, 127), wheel: BEND_CENTRE, ..self.bends[address] };
            if !part.notes.is_empty() {
                self.n_parts_with_notes += 1;
                if part.name.is_empty() {
                    part.name.push_str(name);
                }
            }
        }
        self.end = self.end.max(tick);
    }

    fn part(&mut self, port: u8, channel: u8) -> usize {
        *self.by_address[address(port, channel)].get_or_insert_with(|| {
            self.parts.push(Part::new(port, channel));
            self.parts.len() - 1
        })
    }

    fn midi(&mut self, part: usize, tick: Ticks, message: MidiMessage) {
        match message {
            MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
                let (pitch, velocity) = (key.as_int(), vel.as_int());
                self.parts[part].hold(Note { pitch, velocity, start: tick, length: 1 });
            }
            MidiMessage::NoteOff { key, .. } | MidiMessage::NoteOn { key, .. } => {
                let held = self.parts[part].held.get_mut(usize::from(key.as_int()));
                if let Some(note) = held.and_then(VecDeque::pop_front) {
                    self.end_note(part, note, tick);
                }
            }
            MidiMessage::ProgramChange { program } => {
                self.parts[part].control(ControlKind::Program, tick, f32::from(program.as_int()));
            }
            MidiMessage::PitchBend { bend } => {
                let state = &mut self.bends[address(self.parts[part].port, self.parts[part].channel)];
                state.wheel = bend.0.as_int();
                let value = state.value();
                self.parts[part].control(ControlKind::PitchBend, tick, value);
            }
            MidiMessage::Controller { controller, value } => {
                self.controller(part, tick, controller.as_int(), value.as_int());
            }
            MidiMessage::Aftertouch { .. } | MidiMessage::ChannelAftertouch { .. } => {}
        }
    }

    fn controller(&mut self, part: usize, tick: Ticks, controller: u8, value: u8) {
        let address = address(self.parts[part].port, self.parts[part].channel);
        let kind = match controller {
            1 => ControlKind::Modulation,
            7 => ControlKind::Volume,
            10 => ControlKind::Pan,
            11 => ControlKind::Expression,
            64 => ControlKind::Sustain,
            6 | 38 if self.bends[address].rpn == (0, 0) => {
                let bend = &mut self.bends[address];
                *(if controller == 6 { &mut bend.semitones } else { &mut bend.cents }) = value;
                if bend.wheel != BEND_CENTRE {
                    let value = bend.value();
                    self.parts[part].control(ControlKind::PitchBend, tick, value);
                }
                return;
            }
            100 => return self.bends[address].rpn.1 = value,
            101 => return self.bends[address].rpn.0 = value,
            // A non-registered parameter: data entry is no longer ours.
            98 | 99 => return self.bends[address].rpn = (127, 127),
            120 | 123..=127 => return self.end_notes(part, tick),
            121 => return self.reset(part, address, tick),
            _ => return,
        };
        // CC 10: 0 and 1 are left, 64 is centre, 127 is right.
        let value = if kind == ControlKind::Pan { value.max(1) } else { value };
        self.parts[part].control(kind, tick, f32::from(value));
    }

    /// CC 121, reset all controllers: those that RP-015 names. Volume, pan, programme and ranges stay.
    fn reset(&mut self, part: usize, address: usize, tick: Ticks) {
        self.bends[address].rpn = (127, 127);
        self.bends[address].wheel = BEND_CENTRE;
        let part = &mut self.parts[part];
        let starts = [
            (ControlKind::Expression, 127.0),
            (ControlKind::PitchBend, 0.0),
            (ControlKind::Modulation, 0.0),
            (ControlKind::Sustain, 0.0),
        ];
        for (kind, start) in starts {
            // Only what has moved: nearly every file resets everything at its start.
            if part.controls[kind as usize].last().is_some_and(|last| last.value != start) {
                part.control(kind, tick, start);
            }
        }
    }

    /// All notes off, in one of its forms.
    fn end_notes(&mut self, part: usize, tick: Ticks) {
        for note in core::mem::take(&mut self.parts[part].held).into_iter().flatten() {
            self.end_note(part, note, tick);
        }
    }

    fn end_note(&mut self, part: usize, note: usize, tick: Ticks) {
        let note = &mut self.parts[part].notes[note];
        note.length = (tick - note.start).max(1);
    }

    fn finish(mut self, name: &str) -> Result<Composition, MidiError> {
        if self.n_parts_with_notes == 0 {
            return Err(MidiError::NoNotes);
        }
        self.share_controls();
        self.parts.retain(|part| !part.notes.is_empty());
        let last_note = self.parts.iter().flat_map(|p| &p.notes).map(|n| n.start + n.length).max();
        let length = self.end.max(last_note.unwrap_or(0));
        let tracks =
            self.parts.into_iter().enumerate().map(|(idx, part)| part.into_track(idx, length)).collect();
        let names = [name.trim(), self.sequence_name.as_str(), "Untitled"];
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let spec = CompositionSpec {
            id: Uuid::nil(),
            name: name.chars().take(200).collect(),
            tempo: tempo_map(self.tempo)?,
            time_signatures: signature_map(self.signatures)?,
            length,
            tracks,
            buses: Vec::new(),
            master: Master::default(),
        };
        Composition::new(spec).map_err(MidiError::Invalid)
    }

    /// Gives parts with notes the controllers of their channel from other chunks, where they have none of a kind.
    fn share_controls(&mut self) {
        let mut borrowed = Vec::new();
        for (to, part) in self.parts.iter().enumerate().filter(|(_, part)| !part.notes.is_empty()) {
            let same = |other: &&Part| (other.port, other.channel) == (part.port, part.channel);
            for kind in KINDS.map(|kind| kind as usize) {
                if !part.controls[kind].is_empty() {
                    continue;
                }
                let others = self.parts.iter().filter(same).flat_map(|other| &other.controls[kind]);
                let mut list: Vec<_> = others.copied().collect();
                sort_by_number(&mut list, |raw| raw.tick.into());
                borrowed.push((to, kind, list));
            }
        }
        for (to, kind, list) in borrowed {
            self.parts[to].controls[kind] = list;
        }
    }
}

fn address(port: u8, channel: u8) -> usize {
    usize::from(port & 127) * 16 + usize::from(channel & 15)
}

/// A name: UTF-8, or what older files have instead. At most 200 characters, none of them a control character.
fn text_from_bytes(bytes: &[u8]) -> String {
    let is_text = |c: &char| !c.is_control();
    let text: String = match core::str::from_utf8(bytes) {
        Ok(text) => text.chars().filter(is_text).collect(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).filter(is_text).collect(),
    };
    text.trim().chars().take(200).collect::<String>().trim_end().to_string()
}

/// In order; at one tick the last event counts; from tick 0 on.
fn in_order<T: Clone>(mut points: Vec<T>, tick: impl Fn(&T) -> Ticks, first: T) -> Vec<T> {
    sort_by_number(&mut points, |point| tick(point).into());
    points.reverse();
    points.dedup_by_key(|point| tick(point));
    points.reverse();
    if points.first().is_none_or(|point| tick(point) != 0) {
        points.insert(0, first);
    }
    points
}

fn tempo_map(points: Vec<TempoPoint>) -> Result<TempoMap, MidiError> {
    let points = in_order(points, |point| point.tick, TempoPoint { tick: 0, bpm: 120.0 });
    TempoMap::new(points).map_err(|e| MidiError::Invalid(CompositionError::new("tempo", e.to_string())))
}

fn signature_map(points: Vec<TimeSignature>) -> Result<SignatureMap, MidiError> {
    let four_four = TimeSignature { tick: 0, numerator: 4, denominator: 4 };
    SignatureMap::new(in_order(points, |point| point.tick, four_four))
        .map_err(|e| MidiError::Invalid(CompositionError::new("time_signatures", e.to_string())))
}
