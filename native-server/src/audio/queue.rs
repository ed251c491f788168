//! The queues between the host and the audio thread: bounded, lock-free for the audio thread, made once.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine_core::control::{Command, Quantum};
use engine_core::engine::Project;
use rtrb::{Consumer, Producer, RingBuffer};

/// Commands that can wait for the next quantum (2.7 ms at 48 kHz).
const COMMANDS: usize = 256;

/// Notes and controllers on their way to a recording: far more than are played in a callback.
const PLAYED: usize = 1024;

/// What the host sends to the engine.
pub enum ToEngine {
    /// Carried out before the next quantum.
    Command(Command),
    /// Becomes what is played, from its start; the old project comes back to be dropped by the publisher.
    Load(Box<Project>),
    /// Becomes what is played while it goes on; the old project comes back like that of a load.
    Update(Box<Project>),
}

/// A quantum on its way to the publisher.
pub struct Rendered {
    /// What was rendered.
    pub quantum: Box<Quantum>,
    /// How many messages from the host this quantum reflects.
    pub applied: u64,
    /// When the device asked for its first frame; only of the first quantum that a callback rendered.
    pub asked: Option<Instant>,
}

/// A note or controller that was played live, and has reached the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// Its number among the messages from the host: the first quantum whose [`Rendered::applied`] reaches it starts
    /// with it.
    pub number: u64,
    /// What was played.
    pub command: Command,
}

/// The audio thread's ends. A quantum is always in exactly one place: free, full, or in hand.
pub struct RenderEnds {
    pub(super) commands: Consumer<ToEngine>,
    pub(super) retired: Producer<Box<Project>>,
    pub(super) full: Producer<Rendered>,
    pub(super) free: Consumer<Box<Quantum>>,
    pub(super) played: Producer<Played>,
}

/// The publisher's ends.
pub struct PublisherEnds {
    /// Quanta to be measured.
    pub full: Consumer<Rendered>,
    /// Where they go afterwards.
    pub free: Producer<Box<Quantum>>,
    /// Projects that no longer play, to be dropped.
    pub retired: Consumer<Box<Project>>,
    /// What was played live. It is there before the quantum that starts with it.
    pub played: Consumer<Played>,
}

/// The queue has no room: the audio thread does not run, or is far behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

impl fmt::Display for QueueFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audio engine is busy; try again in a second")
    }
}

impl std::error::Error for QueueFull {}

/// The host's end of the command queue.
pub struct EngineQueue {
    sender: Mutex<Sender>,
}

struct Sender {
    ring: Producer<ToEngine>,
    sent: u64,
    /// Places that are promised to somebody.
    n_reserved: usize,
}

/// A place for one message, which is certain to be free.
pub struct Place<'a> {
    queue: &'a EngineQueue,
}

impl Place<'_> {
    /// Queues messages as [`EngineQueue::send`] does, or `instead` when there is no room for all of them.
    pub fn send(
        self,
        messages: impl IntoIterator<Item = ToEngine, IntoIter: ExactSizeIterator>,
        instead: impl FnOnce() -> ToEngine,
    ) -> u64 {
        let mut sender = self.queue.sender();
        // One place is this one's own.
        if sender.send(messages, 1).is_err() {
            let sent = sender.push(instead());
            debug_assert!(sent.is_ok(), "the place was reserved");
        }
        sender.sent
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.sender().n_reserved -= 1;
    }
}

impl Sender {
    fn send(
        &mut self,
        messages: impl IntoIterator<Item = ToEngine, IntoIter: ExactSizeIterator>,
        n_own: usize,
    ) -> Result<u64, QueueFull> {
        let messages = messages.into_iter();
        if self.ring.slots() + n_own < messages.len() + self.n_reserved {
            return Err(QueueFull);
        }
        for message in messages {
            self.push(message)?;
        }
        Ok(self.sent)
    }

    fn push(&mut self, message: ToEngine) -> Result<(), QueueFull> {
        self.ring.push(message).map_err(|_| QueueFull)?;
        self.sent += 1;
        Ok(())
    }
}

impl EngineQueue {
    /// Queues messages that take effect in the same quantum, all or none. Returns the number that
    /// [`Rendered::applied`] reaches with the first quantum that reflects them.
    ///
    /// # Errors
    /// No room for all of them.
    pub fn send(
        &self,
        messages: impl IntoIterator<Item = ToEngine, IntoIter: ExactSizeIterator>,
    ) -> Result<u64, QueueFull> {
        self.sender().send(messages, 0)
    }

    /// Reserves a place, for what must not fail after something else has been done.
    ///
    /// # Errors
    /// No room for a message.
    pub fn reserve(&self) -> Result<Place<'_>, QueueFull> {
        let mut sender = self.sender();
        if sender.ring.slots() <= sender.n_reserved {
            return Err(QueueFull);
        }
        sender.n_reserved += 1;
        Ok(Place { queue: self })
    }

    /// Messages that wait for the audio thread.
    pub fn n_waiting(&self) -> usize {
        COMMANDS - self.sender().ring.slots()
    }

    fn sender(&self) -> MutexGuard<'_, Sender> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the queues, with a pool of `n_quanta`.
pub fn connect(n_quanta: usize) -> (EngineQueue, RenderEnds, PublisherEnds) {
    let (command_tx, command_rx) = RingBuffer::new(COMMANDS);
    let (retired_tx, retired_rx) = RingBuffer::new(COMMANDS);
    let (played_tx, played_rx) = RingBuffer::new(PLAYED);
    let (full_tx, full_rx) = RingBuffer::new(n_quanta);
    let (mut free_tx, free_rx) = RingBuffer::new(n_quanta);
    for _ in 0..n_quanta {
        let pushed = free_tx.push(Box::new(Quantum::new()));
        debug_assert!(pushed.is_ok(), "the ring has as many places as the pool");
    }
    (
        EngineQueue { sender: Mutex::new(Sender { ring: command_tx, sent: 0, n_reserved: 0 }) },
        RenderEnds {
            commands: command_rx,
            retired: retired_tx,
            full: full_tx,
            free: free_rx,
            played: played_tx,
        },
        PublisherEnds { full: full_rx, free: free_tx, retired: retired_rx, played: played_rx },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_takes_nothing() {
        let (queue, _render, _publisher) = connect(1);
        let play = || ToEngine::Command(Command::Play);
        assert_eq!(queue.send(Vec::from_iter((0..COMMANDS - 1).map(|_| play()))), Ok(255));
        assert_eq!(queue.send([play(), play()]), Err(QueueFull));
        assert_eq!(queue.send([play()]), Ok(256), "a refused batch leaves its room free");
        assert_eq!(queue.send([play()]), Err(QueueFull));
    }

    #[test]
    fn a_reserved_place_is_free_whatever_others_send() {
        let (queue, mut render, _publisher) = connect(1);
        let play = || ToEngine::Command(Command::Play);
        let place = queue.reserve().unwrap();
        assert_eq!(queue.send(Vec::from_iter((0..COMMANDS).map(|_| play()))), Err(QueueFull));
        assert_eq!(queue.send(Vec::from_iter((0..COMMANDS - 1).map(|_| play()))), Ok(255));
        assert!(queue.reserve().is_err() && queue.send([play()]).is_err());
        assert_eq!(
            place.send([play(), play()], || ToEngine::Command(Command::Stop)),
            256,
            "one place, one message"
        );
        assert_eq!(queue.n_waiting(), COMMANDS);
        let mut last = None;
        while let Ok(message) = render.commands.pop() {
            last = Some(message);
        }
        assert!(matches!(last, Some(ToEngine::Command(Command::Stop))));
        // With room there is no need for the other message, and a place that is given up is free again.
        assert_eq!(queue.reserve().unwrap().send([play(), play()], || unreachable!()), 258);
        drop(queue.reserve().unwrap());
        assert_eq!(queue.send(Vec::from_iter((0..COMMANDS - 2).map(|_| play()))), Ok(512));
    }
}
