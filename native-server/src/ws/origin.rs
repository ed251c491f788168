//! Where sessions have their frames from: the publisher of this process, or a server far away.

use std::sync::Arc;

use async_trait::async_trait;
use engine_core::protocol::{Directory, Selection, Subscription, Topic};
use uuid::Uuid;

use super::mailbox::Clock;
use crate::audio::EngineQueue;
use crate::publisher::{Publisher, Sink, SubscribeError, unix_ms};
use crate::services::{LiveEvent, LivePlayer};

/// What a session needs of the engine. None of it waits for long.
#[async_trait]
pub trait Origin: Send + Sync {
    /// Stands for this run of the server.
    ///
    /// # Errors
    /// It cannot be reached; the text says why.
    fn epoch(&self) -> Result<u16, String>;
    /// The taps of what plays.
    fn taps(&self) -> Arc<Directory>;
    /// The server's clock.
    fn clock(&self) -> Clock;
    /// Adds a sink, which is told the taps at once.
    fn join(&self, sink: Arc<dyn Sink>);
    /// Gives a sink a stream, whose snapshot follows.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    async fn subscribe(&self, subscription: Subscription, sink: Arc<dyn Sink>) -> Result<(), SubscribeError>;
    /// Ends streams of a sink.
    fn unsubscribe(&self, which: Selection, sink: u64);
    /// Sends a sink, whose client was away, the present state of its streams of these topics, as a discontinuity. It is
    /// told the topics of which it has none.
    fn resume(&self, topics: Vec<Topic>, sink: u64);
    /// Removes a sink and ends all of its streams.
    fn leave(&self, sink: u64);
    /// Somebody who plays live.
    fn player(&self) -> Box<dyn Player>;
}

/// Plays notes; those that are held end with it.
#[async_trait]
pub trait Player: Send {
    /// Plays on a track.
    ///
    /// # Errors
    /// The engine does not take it just now; the text says why.
    async fn play(&mut self, track: Uuid, event: LiveEvent) -> Result<(), String>;
    /// Ends what is held.
    async fn leave(self: Box<Self>);
}

/// The engine of this process.
pub struct Local {
    /// Its frames.
    pub publisher: Publisher,
    /// The way to it.
    pub engine: Arc<EngineQueue>,
    /// Changes when the server restarts.
    pub epoch: u16,
}

#[async_trait]
impl Origin for Local {
    fn epoch(&self) -> Result<u16, String> {
        Ok(self.epoch)
    }

    fn taps(&self) -> Arc<Directory> {
        self.publisher.taps()
    }

    fn clock(&self) -> Clock {
        Arc::new(unix_ms)
    }

    fn join(&self, sink: Arc<dyn Sink>) {
        self.publisher.join(sink);
    }

    async fn subscribe(&self, subscription: Subscription, sink: Arc<dyn Sink>) -> Result<(), SubscribeError> {
        self.publisher.subscribe(subscription, sink).await
    }

    fn unsubscribe(&self, which: Selection, sink: u64) {
        self.publisher.unsubscribe(which, sink);
    }

    fn resume(&self, topics: Vec<Topic>, sink: u64) {
        self.publisher.resume(topics, sink);
    }

    fn leave(&self, sink: u64) {
        self.publisher.leave(sink);
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(LivePlayer::new(self.engine.clone(), self.publisher.clone()))
    }
}

#[async_trait]
impl Player for LivePlayer {
    async fn play(&mut self, track: Uuid, event: LiveEvent) -> Result<(), String> {
        Self::play(self, track, event).map_err(|error| error.to_string())
    }

    async fn leave(self: Box<Self>) {
        Self::leave(*self).await;
    }
}
