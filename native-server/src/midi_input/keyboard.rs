//! One MIDI input: what it sends plays the armed track, on whatever channel it comes.

use engine_core::composition::ControlKind;
use engine_core::composition::midi::{Message, StreamReader};
use engine_core::control::TapId;
use uuid::Uuid;

use crate::publisher::Publisher;
use crate::services::{LiveEvent, LivePlayer};

/// Wheels and pedals, where they rest.
const AT_REST: [(ControlKind, f32); 4] = [
    (ControlKind::Sustain, 0.0),
    (ControlKind::PitchBend, 0.0),
    (ControlKind::Modulation, 0.0),
    (ControlKind::Expression, 1.0),
];

/// Plays what a keyboard sends. Its notes end when it is dropped.
pub struct Keyboard {
    reader: StreamReader,
    player: LivePlayer,
    publisher: Publisher,
    /// Whose wheels and pedals were moved.
    moved: Option<Uuid>,
}

impl Keyboard {
    /// A keyboard that has sent nothing yet.
    pub fn new(player: LivePlayer, publisher: Publisher) -> Self {
        Self { reader: StreamReader::new(), player, publisher, moved: None }
    }

    /// Takes bytes as they come. What finds the engine busy is left out.
    pub fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some((_, message)) = self.reader.push(*byte) {
                self.carry_out(message);
            }
        }
    }

    fn carry_out(&mut self, message: Message) {
        match message {
            Message::NoteOn { pitch, velocity } => {
                self.play(LiveEvent::NoteOn { pitch, velocity });
            }
            Message::NoteOff { pitch } => {
                // It ends where it began, whatever is armed now.
                for track in Vec::from_iter(self.player.holding(pitch)) {
                    let _ = self.player.play(track, LiveEvent::NoteOff { pitch });
                }
            }
            Message::Control { kind, value } => self.control(kind, value),
            Message::AllNotesOff => {
                let _ = self.player.let_go();
            }
            Message::ResetControllers => {
                AT_REST.into_iter().for_each(|(kind, value)| self.control(kind, value))
            }
        }
    }

    fn control(&mut self, kind: ControlKind, value: f32) {
        let track = self.play(LiveEvent::Control { kind, value });
        if track.is_some() && AT_REST.iter().any(|rest| rest.0 == kind) {
            self.moved = track;
        }
    }

    /// Plays on the armed track, and says which that is.
    fn play(&mut self, event: LiveEvent) -> Option<Uuid> {
        let armed = self.publisher.state().transport.armed?;
        let track = self.publisher.taps().key(TapId::track(armed)).parse().ok()?;
        // A pedal that is down would stay down on the track that was armed before.
        if let Some(before) = self.moved.take_if(|before| *before != track) {
            for (kind, value) in AT_REST {
                let _ = self.player.play(before, LiveEvent::Control { kind, value });
            }
        }
        let _ = self.player.play(track, event);
        Some(track)
    }
}
