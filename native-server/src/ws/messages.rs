//! What clients say on a stream socket, and what comes of it. Nothing a client says closes the socket.

use std::sync::Arc;

use engine_core::protocol::json::ServerMessage;
use engine_core::protocol::rest::{FieldError, LiveNote};
use engine_core::protocol::{ClientMessage, Directory, OptionError, Selection, Subscription, Topic, object};
use serde::Deserialize as _;
use serde_json::Value;
use uuid::Uuid;

use super::mailbox::Mailbox;
use super::origin::{Origin, Player};
use crate::publisher::{Sink, SubscribeError};
use crate::services::LiveEvent;

/// Carries out the messages of one client.
pub(super) struct Messages {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) origin: Arc<dyn Origin>,
    pub(super) player: Box<dyn Player>,
}

/// A message that makes sense.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Subscribe(Subscription),
    Unsubscribe(Selection),
    Ping(f64),
    Resume(Vec<Topic>),
    Play(Uuid, LiveEvent),
}

/// A refusal: a stable code, and a text that says what is allowed.
#[derive(Debug)]
pub(super) struct Refusal(&'static str, String);

impl Refusal {
    /// The answer to a message. It names the stream as the message did, which may say that even where the rest of it
    /// cannot be read.
    pub(super) fn of(self, text: &str) -> ServerMessage {
        let Self(code, message) = self;
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let topic = Topic::deserialize(&said["topic"]).ok();
        let unnamed = (said["type"] == "subscribe").then_some("master");
        let tap = topic.and_then(|_| said["tap"].as_str().or(unnamed)).map(str::to_owned);
        ServerMessage::Error { code: code.to_string(), message, topic, tap }
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Self {
        Self("invalid_option", error.to_string())
    }
}

impl From<SubscribeError> for Refusal {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Option(error) => error.into(),
            SubscribeError::TooMany => Self("too_many_subscriptions", error.to_string()),
            SubscribeError::Closed => Self("shutting_down", error.to_string()),
        }
    }
}

/// What a message asks for, with the taps that there are.
pub(super) fn interpret(text: &str, taps: &Directory) -> Result<Request, Refusal> {
    let mut json = serde_json::Deserializer::from_str(text);
    let message = object(&mut json).and_then(|message| json.end().map(|()| message));
    Ok(match message.map_err(|error| Refusal("invalid_message", error.to_string()))? {
        ClientMessage::Subscribe { topic, tap, fps, options } => {
            let tap = taps.find(tap.as_deref().unwrap_or("master"))?;
            Request::Subscribe(Subscription::new(topic, tap, fps, &options)?)
        }
        ClientMessage::Unsubscribe { topic, tap, kind } => {
            let tap = tap.map(|tap| taps.find(&tap)).transpose()?;
            Request::Unsubscribe(Selection::new(topic, tap, kind)?)
        }
        ClientMessage::Ping { t0 } => Request::Ping(t0),
        // A number counts frames of a connection that is gone, so it does not say what was missed since: what comes is
        // marked whatever it is.
        ClientMessage::Resume { topics, .. } => {
            let named = topics.iter().map(|(name, _)| {
                Topic::from_name(name)
                    .ok_or_else(|| Refusal("invalid_message", format!("there is no topic {name:?}")))
            });
            Request::Resume(named.collect::<Result<_, _>>()?)
        }
        ClientMessage::Note { track, pitch, velocity, on } => {
            Request::Play(track, note(taps, LiveNote { track, pitch, velocity, on })?)
        }
    })
}

fn note(taps: &Directory, note: LiveNote) -> Result<LiveEvent, Refusal> {
    let LiveNote { track, pitch, velocity, on } = note;
    let invalid = |why: String| Refusal("invalid_option", why);
    if taps.find(&track.to_string()).is_err() {
        return Err(invalid(format!(
            "track: {track} is not a track of what plays; hello lists them as taps"
        )));
    }
    note.check().map_err(|FieldError { field, message }| invalid(format!("{field}: {message}")))?;
    Ok(if on { LiveEvent::NoteOn { pitch, velocity } } else { LiveEvent::NoteOff { pitch } })
}

impl Messages {
    /// Carries out a message, or answers with an error.
    pub(super) async fn handle(&mut self, text: &str) {
        let received = (self.origin.clock())();
        let outcome = match interpret(text, &self.origin.taps()) {
            Ok(request) => self.carry_out(request, received).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = outcome {
            self.mailbox.post(&refusal.of(text));
        }
    }

    async fn carry_out(&mut self, request: Request, received: f64) -> Result<(), Refusal> {
        match request {
            Request::Subscribe(subscription) => {
                self.origin.subscribe(subscription, self.mailbox.clone()).await?;
            }
            Request::Unsubscribe(which) => {
                self.origin.unsubscribe(which, self.mailbox.id());
                self.mailbox.forget(which);
            }
            Request::Ping(t0) => {
                self.mailbox.post(&ServerMessage::Pong { t0, t1: received, t2: (self.origin.clock())() });
            }
            Request::Resume(topics) => self.origin.resume(topics, self.mailbox.id()),
            Request::Play(track, event) => {
                self.player.play(track, event).await.map_err(|why| Refusal("busy", why))?;
            }
        }
        Ok(())
    }
}
