//! Notes that are played live, by a client or a MIDI keyboard. Who plays is known by what is held: it ends with them.

use std::sync::Arc;
use std::time::Duration;

use engine_core::composition::ControlKind;
use engine_core::control::Command;
use uuid::Uuid;

use crate::audio::{EngineQueue, QueueFull, ToEngine};
use crate::publisher::Publisher;

/// How long a full queue is tried to end what is held, and how often.
const PATIENCE: (Duration, u32) = (Duration::from_millis(10), 500);

/// What happens on a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveEvent {
    /// A note starts; velocity 1 to 127.
    NoteOn {
        /// 0 to 127.
        pitch: u8,
        /// 1 to 127.
        velocity: u8,
    },
    /// A note ends.
    NoteOff {
        /// 0 to 127.
        pitch: u8,
    },
    /// A controller moves.
    Control {
        /// Which.
        kind: ControlKind,
        /// In the range of its kind.
        value: f32,
    },
}

/// Plays live. What it holds ends when it is dropped.
pub struct LivePlayer {
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    held: Vec<(Uuid, u8)>,
}

impl LivePlayer {
    /// Somebody who holds nothing yet.
    pub fn new(engine: Arc<EngineQueue>, publisher: Publisher) -> Self {
        Self { engine, publisher, held: Vec::new() }
    }

    /// Plays on a track; on one that is gone, nothing is heard.
    ///
    /// # Errors
    /// A busy engine. A note that could not be ended stays held.
    pub fn play(&mut self, track: Uuid, event: LiveEvent) -> Result<(), QueueFull> {
        // By id, since tracks change their places while notes are held.
        let idx = self.publisher.taps().find(&track.to_string()).ok().and_then(|tap| tap.track_index());
        if let Some(idx) = idx.and_then(|idx| u16::try_from(idx).ok()) {
            let command = match event {
                LiveEvent::NoteOn { pitch, velocity } => Command::NoteOn { track: idx, pitch, velocity },
                LiveEvent::NoteOff { pitch } => Command::NoteOff { track: idx, pitch },
                LiveEvent::Control { kind, value } => Command::Control { track: idx, kind, value },
            };
            self.engine.send([ToEngine::Command(command)])?;
        }
        match event {
            LiveEvent::NoteOn { pitch, .. } if !self.held.contains(&(track, pitch)) => {
                self.held.push((track, pitch));
            }
            LiveEvent::NoteOff { pitch } => self.held.retain(|held| *held != (track, pitch)),
            _ => {}
        }
        Ok(())
    }

    /// The tracks on which a pitch is held.
    pub fn holding(&self, pitch: u8) -> impl Iterator<Item = Uuid> + '_ {
        self.held.iter().filter(move |held| held.1 == pitch).map(|held| held.0)
    }

    /// Ends what is held.
    ///
    /// # Errors
    /// A busy engine; the rest stays held.
    pub fn let_go(&mut self) -> Result<(), QueueFull> {
        while let Some((track, pitch)) = self.held.last().copied() {
            self.play(track, LiveEvent::NoteOff { pitch })?;
        }
        Ok(())
    }

    /// Ends what is held, also when the engine is busy just now.
    pub async fn leave(mut self) {
        let (wait, n_tries) = PATIENCE;
        for _ in 0..n_tries {
            if self.let_go().is_ok() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }
}

impl Drop for LivePlayer {
    fn drop(&mut self) {
        let _ = self.let_go();
    }
}
