//! The publisher: a thread that measures what was rendered and hands the frames out.
//!
//! ```text
//! Renderer ─Rendered─▶ Hub ─Arc<EncodedFrame>─▶ every Sink that has the stream
//!                       │└───Frame─▶ FlightRecorder (REST reads it)
//!                       └──────────▶ EngineState (REST waits on it)
//! ```
//!
//! What decides is the `hub`; the `worker` gives it a thread, a clock and a queue, and this file is the way there.
//!
//! Architecture invariant: it never waits for a client. A sink only swaps a slot, or writes what there is room for.

mod clock;
mod encoded;
mod recorder;
mod registry;

mod hub;
mod load;
mod worker;

use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_core::control::{Command, Quantum, TapId, TransportSnapshot};
use engine_core::protocol::{Analytics, Directory, Selection, Subscription, Topic};
use engine_core::units::SampleRate;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

pub use self::clock::unix_ms;
pub use self::encoded::{EncodedFrame, JsonHead, SharedAxis};
pub(crate) use self::hub::Hub;
pub use self::recorder::FlightRecorder;
pub(crate) use self::registry::{Registry, Streams, wake_all};
pub use self::registry::{Sink, SubscribeError, new_sink_id};

use self::clock::SampleClock;
use self::load::LoadMeter;
use self::worker::Worker;
use crate::audio::{AudioStats, PublisherEnds};
use crate::priority::{Priority, Role};

/// What REST needs to know of the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineState {
    /// Messages from the host that this state reflects.
    pub applied: u64,
    /// Engine frames at `transport`.
    pub sample_position: u64,
    /// Where the transport stands.
    pub transport: TransportSnapshot,
    /// When, in Unix milliseconds.
    pub server_time: f64,
}

/// What stream connections count, for `analytics`.
#[derive(Debug, Default)]
pub struct StreamStats {
    /// Connections that are open.
    pub clients: AtomicU64,
    /// Frames sent since the start.
    pub frames_sent: AtomicU64,
    /// Frames merged into a newer one.
    pub frames_merged: AtomicU64,
    /// Quanta that wait to be measured.
    pub quanta_waiting: AtomicU64,
}

/// Follows what the engine renders, for a recording.
pub trait Tape: Send {
    /// Hears the next quantum, and what was played live at its first frame. Runs on the publisher's thread, so it must
    /// not wait. Returns whether it wants more.
    fn hear(&mut self, quantum: &Quantum, played: &[Command]) -> bool;
}

/// Names the device that plays, for `analytics`.
pub type DeviceName = Box<dyn Fn() -> String + Send>;

enum Control {
    Join {
        sink: Arc<dyn Sink>,
    },
    Subscribe {
        subscription: Subscription,
        sink: Arc<dyn Sink>,
        reply: oneshot::Sender<Result<(), SubscribeError>>,
    },
    Unsubscribe {
        which: Selection,
        sink: u64,
    },
    Resume {
        topics: Vec<Topic>,
        sink: u64,
    },
    Leave {
        sink: u64,
    },
    Follow {
        tape: Box<dyn Tape>,
        reply: oneshot::Sender<()>,
    },
    Taps {
        directory: Arc<Directory>,
        at: u64,
    },
    Revision {
        revision: u64,
        at: u64,
    },
    ResetLoudness {
        tap: Option<TapId>,
        reply: oneshot::Sender<()>,
    },
    Await {
        at: u64,
    },
    Stop,
}

/// The way to the publisher's thread. Clones share it.
#[derive(Clone)]
pub struct Publisher {
    control: Sender<Control>,
    state: watch::Receiver<EngineState>,
    taps: watch::Receiver<Arc<Directory>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Publisher {
    /// Starts the thread. Called in the runtime that writes to clients.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        rate: SampleRate,
        ends: PublisherEnds,
        audio: Arc<AudioStats>,
        streams: Arc<StreamStats>,
        device: DeviceName,
        recorder: Option<Arc<FlightRecorder>>,
        priority: Priority,
    ) -> std::io::Result<Self> {
        let (control_tx, control_rx) = mpsc::channel();
        let (state_tx, state_rx) = watch::channel(EngineState::default());
        let hub = Hub::new(rate, recorder);
        let (taps_tx, taps_rx) = watch::channel(hub.taps().clone());
        let max_waiting = ends.full.buffer().capacity() / 2;
        let worker = Worker {
            runtime: Handle::current(),
            ends,
            hub,
            tape: None,
            played: Vec::new(),
            clock: SampleClock::new(rate),
            observed: None,
            awaited: 0,
            state: state_tx,
            taps: taps_tx,
            last_quantum: Instant::now(),
            max_waiting,
            load: LoadMeter::new(),
            audio,
            streams,
            device,
            analytics: Analytics { sample_rate: rate.hz(), ..Analytics::default() },
        };
        let thread = thread::Builder::new().name(String::from("publisher")).spawn(move || {
            match priority.apply(Role::Streams) {
                Ok(()) => tracing::info!("priority of streams: {priority:?}"),
                Err(why) => {
                    tracing::info!("no real-time priority, so a busy machine holds up streams: {why}")
                }
            }
            worker.run(&control_rx);
        })?;
        Ok(Self {
            control: control_tx,
            state: state_rx,
            taps: taps_rx,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Adds a sink. It is told the taps at once, and again whenever they change.
    pub fn join(&self, sink: Arc<dyn Sink>) {
        let _ = self.control.send(Control::Join { sink });
    }

    /// Gives a sink a stream, whose snapshot follows at once.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub async fn subscribe(
        &self,
        subscription: Subscription,
        sink: Arc<dyn Sink>,
    ) -> Result<(), SubscribeError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.control.send(Control::Subscribe { subscription, sink, reply });
        sent.map_err(|_| SubscribeError::Closed)?;
        answer.await.map_err(|_| SubscribeError::Closed)?
    }

    /// Ends streams of a sink.
    pub fn unsubscribe(&self, which: Selection, sink: u64) {
        let _ = self.control.send(Control::Unsubscribe { which, sink });
    }

    /// Sends a sink, whose client was away, the present state of its streams of these topics.
    pub fn resume(&self, topics: Vec<Topic>, sink: u64) {
        let _ = self.control.send(Control::Resume { topics, sink });
    }

    /// Starts the loudness of a tap anew, or of all. Frames that are measured after this returns are of after it.
    pub async fn reset_loudness(&self, tap: Option<TapId>) {
        let (reply, answer) = oneshot::channel();
        let _ = self.control.send(Control::ResetLoudness { tap, reply });
        let _ = answer.await;
    }

    /// Removes a sink and ends all of its streams.
    pub fn leave(&self, sink: u64) {
        let _ = self.control.send(Control::Leave { sink });
    }

    /// Has a tape follow what is rendered, instead of the one before. It hears every quantum that reflects a message
    /// which is sent after this.
    pub async fn follow(&self, tape: Box<dyn Tape>) {
        let (reply, answer) = oneshot::channel();
        let _ = self.control.send(Control::Follow { tape, reply });
        let _ = answer.await;
    }

    /// Names the taps anew, from the quantum on that reflects message number `at`.
    pub fn set_taps(&self, directory: Directory, at: u64) {
        let _ = self.control.send(Control::Taps { directory: Arc::new(directory), at });
    }

    /// Says in transport frames which revision of the composition plays, from the quantum on that reflects message
    /// number `at`; 0 for no composition.
    pub fn set_revision(&self, revision: u64, at: u64) {
        let _ = self.control.send(Control::Revision { revision, at });
    }

    /// The taps of what plays.
    pub fn taps(&self) -> Arc<Directory> {
        self.taps.borrow().clone()
    }

    /// The taps, to wait for others.
    pub(crate) fn watch_taps(&self) -> watch::Receiver<Arc<Directory>> {
        self.taps.clone()
    }

    /// The engine's latest state.
    pub fn state(&self) -> EngineState {
        self.state.borrow().clone()
    }

    /// The first state that reflects message number `at`, or the latest one when the audio thread has not got
    /// there within `patience`.
    pub async fn state_after(&self, at: u64, patience: Duration) -> EngineState {
        let _ = self.control.send(Control::Await { at });
        let mut states = self.state.clone();
        let reached = tokio::time::timeout(patience, states.wait_for(|state| state.applied >= at)).await;
        match reached {
            Ok(Ok(state)) => state.clone(),
            _ => self.state(),
        }
    }

    /// Ends the thread and waits for it.
    pub fn stop(&self) {
        let _ = self.control.send(Control::Stop);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}
