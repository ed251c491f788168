//! Standard MIDI Files, types 0 and 1, into compositions.
//!
//! A chunk with several MIDI channels becomes a track for each; channel 10 is the drum kit. Programme, volume
//! (CC 7) and pan (CC 10) of a track are the first that its channel gets. Volume follows General MIDI's
//! recommended curve, 40·log10(v/127) dB.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use midly::{Format, MetaMessage, MidiMessage, Timing, TrackEvent, TrackEventKind};
use uuid::Uuid;

use super::model::{Clip, Composition, CompositionSpec, Instrument, Master, Note, Track};
use super::validate::{CompositionError, GAIN_DB_RANGE};
use crate::math;
use crate::time::{BPM_RANGE, SignatureMap, TempoMap, TempoPoint, TimeSignature};
use crate::units::{MAX_TRACKS, PPQ};

/// Colours that tracks get in turn.
const COLORS: [&str; 8] =
    ["#7c9cff", "#ffb86b", "#5fd3a6", "#ff7c9c", "#c99cff", "#ffd86b", "#6bd3ff", "#b0d35f"];
const DRUM_CHANNEL: u8 = 9;
/// What General MIDI says a channel has before any controller.
const DEFAULT_VOLUME: u8 = 100;
/// Latest tick of a file, after rescaling: what a composition may have.
const MAX_TICK: u64 = 1 << 30;

/// Why a file is not a composition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MidiError {
    /// Not a Standard MIDI File at all.
    NotMidi,
    /// Type 2 (independent patterns) cannot be played as one composition.
    Type2,
    /// The header's ticks per beat are 0, or its SMPTE rate is none.
    NoResolution,
    /// This track (from 1) ends before its end-of-track event: the file is cut short or damaged.
    Damaged(usize),
    /// The header promises so many tracks, and only so many are there.
    MissingTracks {
        /// Tracks that the header promises.
        declared: usize,
        /// Tracks that are there.
        found: usize,
    },
    /// No track has a note.
    NoNotes,
    /// An event is later than a composition can be.
    TooLong,
    /// A value that a composition may not have.
    Invalid(CompositionError),
}

impl core::fmt::Display for MidiError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotMidi => f.write_str("not a Standard MIDI File (it does not start with an MThd header)"),
            Self::Type2 => f.write_str("a MIDI file of type 2; only types 0 and 1 can be played"),
            Self::NoResolution => {
                f.write_str("the MIDI header has no usable time division (ticks per beat, or SMPTE rate)")
            }
            Self::Damaged(track) => {
                write!(f, "track {track} has no end: the MIDI file is cut short or damaged")
            }
            Self::MissingTracks { declared, found } => write!(
                f,
                "the MIDI header promises {declared} tracks but {found} are there: the file is cut short"
            ),
            Self::NoNotes => f.write_str("the MIDI file has no notes"),
            Self::TooLong => write!(f, "the MIDI file is longer than {} beats", MAX_TICK / u64::from(PPQ)),
            Self::Invalid(error) => write!(f, "the MIDI file cannot be played: {error}"),
        }
    }
}

impl core::error::Error for MidiError {}

/// Reads a Standard MIDI File. Ids are nil; see [`CompositionSpec::assign_ids`].
///
/// # Errors
/// See [`MidiError`]. Memory is bounded by the length of `bytes`.
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

/// What is known of one channel of one chunk.
struct Part {
    chunk: usize,
    channel: u8,
    name: String,
    program: Option<u8>,
    volume: Option<u8>,
    pan: Option<u8>,
    notes: Vec<Note>,
    /// Notes that have not ended: index in `notes`, in order of their start.
    held: Vec<usize>,
}

struct Reader {
    /// Ticks of ours for one of the file's, as a fraction.
    scale: (u64, u64),
    /// SMPTE files count time, not beats: their tempo is fixed and their tempo events say nothing.
    smpte: bool,
    tempo: Vec<TempoPoint>,
    signatures: Vec<TimeSignature>,
    parts: Vec<Part>,
    end: u32,
}

impl Reader {
    fn new(timing: Timing) -> Result<Self, MidiError> {
        let (scale, smpte) = match timing {
            Timing::Metrical(ppq) => ((u64::from(PPQ), u64::from(ppq.as_int())), false),
            // At the default 120 bpm a second is two beats.
            Timing::Timecode(fps, subframes) => {
                ((2 * u64::from(PPQ), u64::from(fps.as_int()) * u64::from(subframes)), true)
            }
        };
        if scale.1 == 0 {
            return Err(MidiError::NoResolution);
        }
        Ok(Self { scale, smpte, tempo: Vec::new(), signatures: Vec::new(), parts: Vec::new(), end: 0 })
    }

    fn read_chunk(&mut self, chunk: usize, events: midly::EventIter<'_>) -> Result<(), MidiError> {
        let first_part = self.parts.len();
        let mut name = String::new();
        let (mut file_tick, mut tick, mut ended) = (0u64, 0u32, false);
        for event in events {
            let TrackEvent { delta, kind } = event.map_err(|_| MidiError::Damaged(chunk))?;
            file_tick += u64::from(delta.as_int());
            let scaled = (file_tick * self.scale.0 + self.scale.1 / 2) / self.scale.1;
            tick = u32::try_from(scaled).ok().filter(|_| scaled <= MAX_TICK).ok_or(MidiError::TooLong)?;
            match kind {
                TrackEventKind::Midi { channel, message } => {
                    self.midi(chunk, channel.as_int(), tick, message)
                }
                TrackEventKind::Meta(MetaMessage::TrackName(text)) if name.is_empty() => {
                    name = String::from_utf8_lossy(text).trim().chars().take(200).collect();
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
        for part in &mut self.parts[first_part..] {
            part.name.clone_from(&name);
            for idx in part.held.drain(..) {
                part.notes[idx].length = (tick - part.notes[idx].start).max(1);
            }
        }
        self.end = self.end.max(tick);
        Ok(())
    }

    fn midi(&mut self, chunk: usize, channel: u8, tick: u32, message: MidiMessage) {
        let part = self.part(chunk, channel);
        match message {
            MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
                part.held.push(part.notes.len());
                let (pitch, velocity) = (key.as_int(), vel.as_int());
                part.notes.push(Note { pitch, velocity, start: tick, length: 1 });
            }
            MidiMessage::NoteOff { key, .. } | MidiMessage::NoteOn { key, .. } => {
                let is_it = |&idx: &usize| part.notes[idx].pitch == key.as_int();
                if let Some(at) = part.held.iter().position(is_it) {
                    let note = &mut part.notes[part.held.remove(at)];
                    note.length = (tick - note.start).max(1);
                }
            }
            MidiMessage::ProgramChange { program } => {
                part.program.get_or_insert(program.as_int());
            }
            MidiMessage::Controller { controller, value } => match controller.as_int() {
                7 => _ = part.volume.get_or_insert(value.as_int()),
                10 => _ = part.pan.get_or_insert(value.as_int()),
                _ => {}
            },
            _ => {}
        }
    }

    fn part(&mut self, chunk: usize, channel: u8) -> &mut Part {
        let is_it = |part: &Part| part.chunk == chunk && part.channel == channel;
        let at = self.parts.iter().rposition(is_it).unwrap_or_else(|| {
            self.parts.push(Part {
                chunk,
                channel,
                name: String::new(),
                program: None,
                volume: None,
                pan: None,
                notes: Vec::new(),
                held: Vec::new(),
            });
            self.parts.len() - 1
        });
        &mut self.parts[at]
    }

    fn finish(mut self, name: &str) -> Result<Composition, MidiError> {
        self.parts.retain(|part| !part.notes.is_empty());
        if self.parts.is_empty() {
            return Err(MidiError::NoNotes);
        }
        let last_note = self.parts.iter().flat_map(|p| &p.notes).map(|n| n.start + n.length).max();
        let length = self.end.max(last_note.unwrap_or(0));
        if self.parts.len() > MAX_TRACKS {
            let message = format!("{} tracks with notes; at most {MAX_TRACKS} can play", self.parts.len());
            return Err(MidiError::Invalid(CompositionError::new("tracks", message)));
        }
        let tracks =
            self.parts.into_iter().enumerate().map(|(idx, part)| part.into_track(idx, length)).collect();
        let spec = CompositionSpec {
            id: Uuid::nil(),
            name: if name.trim().is_empty() {
                "Untitled".to_string()
            } else {
                name.chars().take(200).collect()
            },
            tempo: tempo_map(self.tempo)?,
            time_signatures: signature_map(self.signatures)?,
            length,
            tracks,
            buses: Vec::new(),
            master: Master::default(),
        };
        Composition::new(spec).map_err(MidiError::Invalid)
    }
}

impl Part {
    fn into_track(self, idx: usize, length: u32) -> Track {
        let drums = self.channel == DRUM_CHANNEL;
        let volume = f32::from(self.volume.unwrap_or(DEFAULT_VOLUME)) / 127.0;
        // The loudest is 0 dB; the curve's −∞ at 0 is our floor.
        let gain_db = (2.0 * math::db_from_gain(volume)).max(*GAIN_DB_RANGE.start());
        // CC 10: 0 and 1 are left, 64 is centre, 127 is right.
        let pan = ((f32::from(self.pan.unwrap_or(64)) - 64.0) / 63.0).max(-1.0);
        let fallback = if drums { "Drums".to_string() } else { format!("Track {}", idx + 1) };
        let name = if self.name.is_empty() { fallback } else { self.name };
        let program = self.program.unwrap_or(0);
        let instrument = if drums { Instrument::drums() } else { Instrument::program(program) };
        Track {
            color: COLORS[idx % COLORS.len()].to_string(),
            gain_db,
            pan,
            clips: Vec::from([Clip::new(0, length, self.notes)]),
            ..Track::new(name, instrument)
        }
    }
}

fn tempo_map(mut points: Vec<TempoPoint>) -> Result<TempoMap, MidiError> {
    points.sort_by_key(|p| p.tick);
    // At one tick the last event counts.
    points.reverse();
    points.dedup_by_key(|p| p.tick);
    points.reverse();
    if points.first().is_none_or(|p| p.tick != 0) {
        points.insert(0, TempoPoint { tick: 0, bpm: 120.0 });
    }
    TempoMap::new(points).map_err(|e| MidiError::Invalid(CompositionError::new("tempo", e.to_string())))
}

fn signature_map(mut points: Vec<TimeSignature>) -> Result<SignatureMap, MidiError> {
    points.sort_by_key(|p| p.tick);
    points.reverse();
    points.dedup_by_key(|p| p.tick);
    points.reverse();
    if points.first().is_none_or(|p| p.tick != 0) {
        points.insert(0, TimeSignature { tick: 0, numerator: 4, denominator: 4 });
    }
    SignatureMap::new(points)
        .map_err(|e| MidiError::Invalid(CompositionError::new("time_signatures", e.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type 1 file at 96 PPQ: a conductor track, and one note each on channels 1 and 10.
    fn file() -> Vec<u8> {
        let mut bytes = b"MThd\0\0\0\x06\0\x01\0\x02\0\x60".to_vec();
        let conductor = [
            &[0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20][..], // 120 bpm
            &[0, 0xff, 0x58, 4, 3, 2, 24, 8],          // 3/4
            &[96, 0xff, 0x51, 3, 0x0f, 0x42, 0x40],    // 60 bpm at beat 1
            &[0, 0xff, 0x2f, 0],
        ]
        .concat();
        let notes = [
            &[0, 0xff, 0x03, 4][..],
            b"Bass",
            &[0, 0xc0, 33, 0, 0xb0, 7, 127, 0, 0xb0, 10, 0],
            &[48, 0x90, 40, 100, 0, 0x99, 36, 90],
            &[48, 0x80, 40, 0], // half a beat
            &[0, 0xff, 0x2f, 0],
        ]
        .concat();
        for chunk in [conductor, notes] {
            bytes.extend(b"MTrk");
            bytes.extend(u32::try_from(chunk.len()).unwrap().to_be_bytes());
            bytes.extend(chunk);
        }
        bytes
    }

    #[test]
    fn tracks_tempo_and_signatures_are_read() {
        let c = import(&file(), "Song").unwrap();
        assert_eq!(c.name, "Song");
        assert_eq!(c.length, 960);
        let bpm: Vec<_> = c.tempo.points().iter().map(|p| (p.tick, p.bpm)).collect();
        assert_eq!(bpm, [(0, 120.0), (960, 60.0)]);
        assert_eq!((c.time_signatures.at(0.0).numerator, c.time_signatures.at(0.0).denominator), (3, 4));
        let bass = &c.tracks[0];
        assert_eq!((bass.name.as_str(), bass.instrument.program, bass.instrument.drums), ("Bass", 33, false));
        assert_eq!((bass.gain_db, bass.pan), (0.0, -1.0));
        assert_eq!(bass.clips[0].notes, [Note { pitch: 40, velocity: 100, start: 480, length: 480 }]);
        // Never released: sounds until the track's end.
        assert!(c.tracks[1].instrument.drums);
        assert_eq!(c.tracks[1].clips[0].notes, [Note { pitch: 36, velocity: 90, start: 480, length: 480 }]);
        assert!((c.tracks[1].gain_db - -4.152).abs() < 0.01);
    }

    #[test]
    fn every_truncation_is_refused_and_none_panics() {
        let whole = file();
        for len in 0..whole.len() {
            assert!(import(&whole[..len], "cut").is_err(), "{len} bytes were taken for a whole file");
        }
        assert_eq!(import(b"RIFF....WAVE", ""), Err(MidiError::NotMidi));
        let mut type2 = whole.clone();
        type2[9] = 2;
        assert_eq!(import(&type2, ""), Err(MidiError::Type2));
        let mut no_resolution = whole;
        no_resolution[13] = 0;
        assert_eq!(import(&no_resolution, ""), Err(MidiError::NoResolution));
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let whole = file();
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            let _ = import(&bytes, "damaged");
        }
    }
}
