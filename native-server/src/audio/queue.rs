//! The queues between the host and the audio thread: bounded, lock-free for the audio thread, made once.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use engine_core::control::{Command, Quantum};
use engine_core::engine::Project;
use rtrb::{Consumer, Producer, RingBuffer};

/// Commands that can wait for the next quantum (2.7 ms at 48 kHz).
const COMMANDS: usize = 256;

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
}

/// The audio thread's ends. A quantum is always in exactly one place: free, full, or in hand.
pub struct RenderEnds {
    pub(super) commands: Consumer<ToEngine>,
    pub(super) retired: Producer<Box<Project>>,
    pub(super) full: Producer<Rendered>,
    pub(super) free: Consumer<Box<Quantum>>,
}

/// The publisher's ends.
pub struct PublisherEnds {
    /// Quanta to be measured.
    pub full: Consumer<Rendered>,
    /// Where they go afterwards.
    pub free: Producer<Box<Quantum>>,
    /// Projects that no longer play, to be dropped.
    pub retired: Consumer<Box<Project>>,
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
        let messages = messages.into_iter();
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.ring.slots() < messages.len() {
            return Err(QueueFull);
        }
        for message in messages {
            sender.ring.push(message).map_err(|_| QueueFull)?;
            sender.sent += 1;
        }
        Ok(sender.sent)
    }
}

/// Makes the queues, with a pool of `n_quanta`.
pub fn connect(n_quanta: usize) -> (EngineQueue, RenderEnds, PublisherEnds) {
    let (command_tx, command_rx) = RingBuffer::new(COMMANDS);
    let (retired_tx, retired_rx) = RingBuffer::new(COMMANDS);
    let (full_tx, full_rx) = RingBuffer::new(n_quanta);
    let (mut free_tx, free_rx) = RingBuffer::new(n_quanta);
    for _ in 0..n_quanta {
        let pushed = free_tx.push(Box::new(Quantum::new()));
        debug_assert!(pushed.is_ok(), "the ring has as many places as the pool");
    }
    (
        EngineQueue { sender: Mutex::new(Sender { ring: command_tx, sent: 0 }) },
        RenderEnds { commands: command_rx, retired: retired_tx, full: full_tx, free: free_rx },
        PublisherEnds { full: full_rx, free: free_tx, retired: retired_rx },
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
}
