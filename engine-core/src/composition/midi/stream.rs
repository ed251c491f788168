//! MIDI as a keyboard sends it: bytes in, what they mean for a track out.
//!
//! MIDI 1.0 Detailed Specification 4.2: running status, real-time bytes anywhere, system messages in between.

use super::super::model::ControlKind;
use super::values::{CENTRE, DEFAULT_BEND_RANGE, MAX_BEND, PAN_STEPS, semitones_from_bend};

/// What a player did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// A key went down; velocity 1 to 127.
    NoteOn {
        /// 0 to 127.
        pitch: u8,
        /// 1 to 127.
        velocity: u8,
    },
    /// A key went up.
    NoteOff {
        /// 0 to 127.
        pitch: u8,
    },
    /// A controller moved.
    Control {
        /// Which.
        kind: ControlKind,
        /// In the range of its kind.
        value: f32,
    },
    /// Every note ends: all sound off, all notes off, or a change of mode, which implies it.
    AllNotesOff,
    /// Pedal, wheels and expression go back to where they start (RP-015).
    ResetControllers,
}

/// Pitch bend of one channel.
#[derive(Clone, Copy, Debug)]
struct Bend {
    /// Number of the registered parameter that data entry is for, upper and lower 7 bits; 127 is none.
    parameter: [u8; 2],
    /// Semitones.
    range: u8,
}

/// Reads the bytes of one cable.
#[derive(Clone, Debug)]
pub struct StreamReader {
    /// Of the channel message that is being read, or may be repeated without it.
    status: Option<u8>,
    data: [u8; 2],
    n_data: usize,
    bends: [Bend; 16],
}

impl StreamReader {
    /// Nothing was read yet.
    pub const fn new() -> Self {
        let bend = Bend { parameter: [127; 2], range: DEFAULT_BEND_RANGE };
        Self { status: None, data: [0; 2], n_data: 0, bends: [bend; 16] }
    }

    /// Takes the next byte. Returns the channel, 0 to 15, and what happened there when a message is complete that
    /// means something here.
    pub fn push(&mut self, byte: u8) -> Option<(u8, Message)> {
        match byte {
            // Real time: it may stand between the bytes of any message, and changes nothing.
            0xf8.. => None,
            // System messages end running status; their data is not ours.
            0xf0.. => {
                self.status = None;
                None
            }
            0x80.. => {
                (self.status, self.n_data) = (Some(byte), 0);
                None
            }
            _ => {
                let status = self.status?;
                self.data[self.n_data] = byte;
                self.n_data += 1;
                let n_needed = if matches!(status >> 4, 0xc | 0xd) { 1 } else { 2 };
                if self.n_data < n_needed {
                    return None;
                }
                self.n_data = 0;
                let channel = status & 0xf;
                Some((channel, self.message(status >> 4, channel)?))
            }
        }
    }

    fn message(&mut self, kind: u8, channel: u8) -> Option<Message> {
        let [first, second] = self.data;
        let unit = f32::from(second) / 127.0;
        let control = |kind, value| Some(Message::Control { kind, value });
        let bend = &mut self.bends[usize::from(channel)];
        match (kind, first) {
            (0x8, pitch) => Some(Message::NoteOff { pitch }),
            (0x9, pitch) if second == 0 => Some(Message::NoteOff { pitch }),
            (0x9, pitch) => Some(Message::NoteOn { pitch, velocity: second }),
            (0xb, 1) => control(ControlKind::Modulation, unit),
            (0xb, 7) => control(ControlKind::Volume, unit),
            (0xb, 10) => {
                control(ControlKind::Pan, ((f32::from(second) - CENTRE) / PAN_STEPS).clamp(-1.0, 1.0))
            }
            (0xb, 11) => control(ControlKind::Expression, unit),
            (0xb, 64) => control(ControlKind::Sustain, unit),
            (0xb, 6) if bend.parameter == [0, 0] => {
                bend.range = second.min(MAX_BEND as u8);
                None
            }
            (0xb, 98 | 99) => {
                bend.parameter = [127; 2];
                None
            }
            (0xb, 100) => {
                bend.parameter[1] = second;
                None
            }
            (0xb, 101) => {
                bend.parameter[0] = second;
                None
            }
            (0xb, 120 | 123..=127) => Some(Message::AllNotesOff),
            (0xb, 121) => {
                bend.parameter = [127; 2];
                Some(Message::ResetControllers)
            }
            (0xc, program) => control(ControlKind::Program, f32::from(program)),
            (0xe, low) => {
                let value = u16::from(second) << 7 | u16::from(low);
                control(ControlKind::PitchBend, semitones_from_bend(value, f32::from(bend.range)))
            }
            _ => None,
        }
    }
}

impl Default for StreamReader {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u8, Message)> {
        let mut reader = StreamReader::new();
        bytes.iter().filter_map(|byte| reader.push(*byte)).collect()
    }

    fn on(pitch: u8, velocity: u8) -> Message {
        Message::NoteOn { pitch, velocity }
    }

    fn off(pitch: u8) -> Message {
        Message::NoteOff { pitch }
    }

    fn control(kind: ControlKind, value: f32) -> Message {
        Message::Control { kind, value }
    }

    /// What it shows, bytes, and the messages with their channels.
    type Case<'a> = (&'a str, &'a [u8], &'a [(u8, Message)]);

    #[test]
    fn messages_mean_what_the_standard_says() {
        use ControlKind::{Expression, Modulation, Pan, PitchBend, Program, Sustain, Volume};
        let table: &[Case<'_>] = &[
            ("note on", &[0x90, 60, 100], &[(0, on(60, 100))]),
            (
                "note on, last channel, extremes",
                &[0x9f, 127, 127, 0x9f, 0, 1],
                &[(15, on(127, 127)), (15, on(0, 1))],
            ),
            ("note off", &[0x83, 60, 64], &[(3, off(60))]),
            ("note on of velocity 0", &[0x90, 60, 0], &[(0, off(60))]),
            (
                "running status",
                &[0x91, 60, 100, 64, 90, 60, 0],
                &[(1, on(60, 100)), (1, on(64, 90)), (1, off(60))],
            ),
            (
                "real time inside",
                &[0xf8, 0x90, 0xfe, 60, 0xf8, 100, 0xfa, 62, 0xff, 90],
                &[(0, on(60, 100)), (0, on(62, 90))],
            ),
            ("data before any status", &[60, 100, 0x90, 60, 100], &[(0, on(60, 100))]),
            ("a new status breaks off", &[0x90, 60, 0x80, 61, 0], &[(0, off(61))]),
            (
                "system exclusive, with real time inside",
                &[0x90, 60, 100, 0xf0, 0x7e, 60, 0xf8, 100, 0xf7, 62, 90, 0x90, 64, 80],
                &[(0, on(60, 100)), (0, on(64, 80))],
            ),
            ("system exclusive that another status ends", &[0xf0, 1, 2, 0x90, 60, 100], &[(0, on(60, 100))]),
            (
                "system common ends running status",
                &[0x90, 60, 100, 0xf2, 1, 2, 62, 90, 0xf6, 62, 90, 0xf3, 5, 0xf1, 6],
                &[(0, on(60, 100))],
            ),
            ("modulation", &[0xb0, 1, 127], &[(0, control(Modulation, 1.0))]),
            ("volume", &[0xb0, 7, 0], &[(0, control(Volume, 0.0))]),
            (
                "pan",
                &[0xb0, 10, 64, 10, 127, 10, 1, 10, 0],
                &[
                    (0, control(Pan, 0.0)),
                    (0, control(Pan, 1.0)),
                    (0, control(Pan, -1.0)),
                    (0, control(Pan, -1.0)),
                ],
            ),
            ("expression", &[0xb2, 11, 127], &[(2, control(Expression, 1.0))]),
            ("sustain", &[0xb0, 64, 127, 64, 0], &[(0, control(Sustain, 1.0)), (0, control(Sustain, 0.0))]),
            (
                "programme, of one byte",
                &[0xc0, 19, 20],
                &[(0, control(Program, 19.0)), (0, control(Program, 20.0))],
            ),
            (
                "pitch bend",
                &[0xe0, 0, 64, 0, 0],
                &[(0, control(PitchBend, 0.0)), (0, control(PitchBend, -2.0))],
            ),
            (
                "pitch bend range, of its channel",
                &[0xb1, 101, 0, 100, 0, 6, 12, 0xe1, 0, 0, 0xe0, 0, 0],
                &[(1, control(PitchBend, -12.0)), (0, control(PitchBend, -2.0))],
            ),
            (
                "data entry for another parameter",
                &[0xb0, 101, 0, 100, 1, 6, 12, 99, 0, 98, 0, 6, 12, 0xe0, 0, 0],
                &[(0, control(PitchBend, -2.0))],
            ),
            (
                "all notes off",
                &[0xb0, 123, 0, 120, 0],
                &[(0, Message::AllNotesOff), (0, Message::AllNotesOff)],
            ),
            ("a mode implies it", &[0xb0, 126, 1], &[(0, Message::AllNotesOff)]),
            ("reset", &[0xb0, 121, 0], &[(0, Message::ResetControllers)]),
            ("pressure is left out", &[0xa0, 60, 100, 0xd0, 100, 0xb0, 74, 3], &[]),
        ];
        for (name, bytes, expected) in table {
            assert_eq!(read(bytes), *expected, "{name}");
        }
    }

    #[test]
    fn any_bytes_are_survived_and_stay_in_range() {
        let mut noise = crate::dsp::noise::Noise::new(5);
        let mut reader = StreamReader::new();
        let mut n_messages = 0;
        for _ in 0..100_000 {
            let byte = (noise.sample() * 128.0 + 128.0).clamp(0.0, 255.0) as u8;
            let Some((channel, message)) = reader.push(byte) else { continue };
            n_messages += 1;
            assert!(channel < 16);
            match message {
                Message::NoteOn { pitch, velocity } => assert!(pitch < 128 && (1..128).contains(&velocity)),
                Message::NoteOff { pitch } => assert!(pitch < 128),
                Message::Control { kind: ControlKind::Program, value } => {
                    assert!((0.0..=127.0).contains(&value))
                }
                Message::Control { value, .. } => assert!((-24.0..=24.0).contains(&value)),
                Message::AllNotesOff | Message::ResetControllers => {}
            }
        }
        assert!(n_messages > 1000);
    }
}
