//! Notes that are played through a relay: a relay that holds some says so, and one that is silent holds none.
//!
//! Who plays has a subject of its own, `note.<player>`: a `note` message as on a WebSocket, or nothing, which means
//! that what was held still is. A relay that is killed cannot end its clients' notes; then the server does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use async_trait::async_trait;
use bytes::Bytes;
use engine_core::protocol::ClientMessage;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::bus::Bus;
use crate::services::LiveEvent;
use crate::ws::{Local, Origin, Player, note_of};

/// Between a player's signs of life.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// A player that was silent for so long is gone.
const LIFETIME: Duration = Duration::from_secs(3);
/// Players at a time, those included that held something until [`LIFETIME`] ago.
const MAX_PLAYERS: usize = 4096;

/// The server's side: who plays from afar, and when each was last heard.
pub(super) struct FarPlayers {
    origin: Arc<Local>,
    players: HashMap<Uuid, (Box<dyn Player>, Instant)>,
}

impl FarPlayers {
    /// Nobody.
    pub(super) fn new(origin: Arc<Local>) -> Self {
        Self { origin, players: HashMap::new() }
    }

    /// Plays what a player says. What makes no sense is not played.
    pub(super) async fn take(&mut self, message: &Message, now: Instant) {
        let id = message.subject.rsplit('.').next().and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id else { return };
        if let Some((_, heard)) = self.players.get_mut(&id) {
            *heard = now;
        }
        let note = str::from_utf8(&message.payload).ok().and_then(|text| note_of(text, &self.origin.taps()));
        let Some((track, event)) = note else { return };
        if self.players.len() >= MAX_PLAYERS && !self.players.contains_key(&id) {
            return tracing::warn!("a note of a relay was not played: {MAX_PLAYERS} play already");
        }
        let (player, _) = self.players.entry(id).or_insert_with(|| (self.origin.player(), now));
        if let Err(error) = player.play(track, event).await {
            tracing::warn!("a note of a relay was not played: {error}");
        }
    }

    /// Ends what players hold that are gone.
    pub(super) fn sweep(&mut self, now: Instant) {
        for (_, (player, _)) in
            self.players.extract_if(|_, (_, heard)| now.duration_since(*heard) >= LIFETIME)
        {
            // A busy engine is waited for.
            tokio::spawn(player.leave());
        }
    }
}

/// A relay's side: plays on the server's tracks.
pub(super) struct FarPlayer {
    bus: Bus,
    subject: String,
    held: Vec<(Uuid, u8)>,
    /// Runs while something is held.
    beat: Option<JoinHandle<()>>,
}

impl FarPlayer {
    /// Somebody who holds nothing yet.
    pub(super) fn new(bus: Bus) -> Self {
        let subject = bus.subject(&format!("note.{}", Uuid::new_v4().simple()));
        Self { bus, subject, held: Vec::new(), beat: None }
    }

    fn rest(&mut self) {
        if let Some(beat) = self.beat.take() {
            beat.abort();
        }
    }
}

async fn beat(bus: Bus, subject: String) {
    loop {
        tokio::time::sleep(BEAT).await;
        // While NATS is away the server ends what is held, and that is what is heard.
        let _ = bus.publish(&subject, None, Bytes::new()).await;
    }
}

#[async_trait]
impl Player for FarPlayer {
    async fn play(&mut self, track: Uuid, event: LiveEvent) -> Result<(), String> {
        let (pitch, velocity, on) = match event {
            LiveEvent::NoteOn { pitch, velocity } => (pitch, velocity, true),
            LiveEvent::NoteOff { pitch } => (pitch, 0, false),
            LiveEvent::Control { .. } => return Err(String::from("only notes are played through a relay")),
        };
        let note =
            serde_json::to_vec(&ClientMessage::Note { track, pitch, velocity, on }).unwrap_or_default();
        let sent = self.bus.publish(&self.subject, None, note.into()).await;
        sent.map_err(|_| format!("NATS is away at {}", self.bus.shown()))?;
        self.held.retain(|held| *held != (track, pitch));
        if on {
            self.held.push((track, pitch));
        }
        if self.held.is_empty() {
            self.rest();
        } else if self.beat.is_none() {
            self.beat = Some(tokio::spawn(beat(self.bus.clone(), self.subject.clone())));
        }
        Ok(())
    }

    async fn leave(mut self: Box<Self>) {
        for (track, pitch) in std::mem::take(&mut self.held) {
            let _ = self.play(track, LiveEvent::NoteOff { pitch }).await;
        }
    }
}

impl Drop for FarPlayer {
    fn drop(&mut self) {
        self.rest();
    }
}
