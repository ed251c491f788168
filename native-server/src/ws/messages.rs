//! What clients say on a stream socket, and what comes of it. Nothing a client says closes the socket.

use std::sync::Arc;

use engine_core::control::Command;
use engine_core::protocol::json::ServerMessage;
use engine_core::protocol::{ClientMessage, OptionError, Subscription, Topic};
use uuid::Uuid;

use super::mailbox::Mailbox;
use crate::audio::{EngineQueue, ToEngine};
use crate::publisher::{Publisher, Sink, SubscribeError, unix_ms};

/// Carries out the messages of one client.
pub(super) struct Messages {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) publisher: Publisher,
    pub(super) engine: Arc<EngineQueue>,
}

/// A refusal: a stable code, and a text that says what is allowed.
struct Refusal(&'static str, String);

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Self {
        Self("invalid_option", error.to_string())
    }
}

impl Messages {
    /// Carries out a message, or answers with an error.
    pub(super) async fn handle(&self, text: &str) {
        let received = unix_ms();
        let outcome = match serde_json::from_str(text) {
            Ok(message) => self.carry_out(message, received).await,
            Err(error) => Err(Refusal("invalid_message", error.to_string())),
        };
        if let Err(Refusal(code, message)) = outcome {
            self.mailbox.post(&ServerMessage::Error { code: code.to_string(), message });
        }
    }

    async fn carry_out(&self, message: ClientMessage, received: f64) -> Result<(), Refusal> {
        match message {
            ClientMessage::Subscribe { topic, tap, fps, options } => {
                let tap = self.publisher.taps().find(tap.as_deref().unwrap_or("master"))?;
                let subscription = Subscription::new(topic, tap, fps, &options)?;
                let subscribed = self.publisher.subscribe(subscription, self.mailbox.clone()).await;
                subscribed.map_err(|error| match error {
                    SubscribeError::Option(error) => error.into(),
                    SubscribeError::TooMany => Refusal("too_many_subscriptions", error.to_string()),
                    SubscribeError::Closed => Refusal("shutting_down", error.to_string()),
                })
            }
            ClientMessage::Unsubscribe { topic, tap } => {
                let tap = tap.map(|tap| self.publisher.taps().find(&tap)).transpose()?;
                self.publisher.unsubscribe(topic, tap, self.mailbox.id());
                self.mailbox.forget(topic, tap);
                Ok(())
            }
            ClientMessage::Ping { t0 } => {
                self.mailbox.post(&ServerMessage::Pong { t0, t1: received, t2: unix_ms() });
                Ok(())
            }
            ClientMessage::Resume { topics, .. } => {
                let named = topics.keys().map(|name| {
                    Topic::from_name(name)
                        .ok_or_else(|| Refusal("invalid_message", format!("there is no topic {name:?}")))
                });
                self.publisher.snapshot(named.collect::<Result<_, _>>()?, self.mailbox.id());
                Ok(())
            }
            ClientMessage::Note { track, pitch, velocity, on } => self.play(track, pitch, velocity, on),
        }
    }

    fn play(&self, track: Uuid, pitch: u8, velocity: u8, on: bool) -> Result<(), Refusal> {
        let tap = self.publisher.taps().find(&track.to_string())?;
        let index = tap.track_index().and_then(|index| u16::try_from(index).ok());
        let track = index.ok_or_else(|| Refusal("invalid_option", format!("{track} is not a track")))?;
        if pitch > 127 {
            return Err(Refusal("invalid_option", format!("pitch: {pitch} is not between 0 and 127")));
        }
        let command = match on {
            true if !(1..=127).contains(&velocity) => {
                return Err(Refusal(
                    "invalid_option",
                    format!("velocity: {velocity} is not between 1 and 127"),
                ));
            }
            true => Command::NoteOn { track, pitch, velocity },
            false => Command::NoteOff { track, pitch },
        };
        self.engine
            .send([ToEngine::Command(command)])
            .map(drop)
            .map_err(|error| Refusal("busy", error.to_string()))
    }
}
