//! The publisher: a thread that measures what was rendered and hands the frames out.
//!
//! ```text
//! Renderer ─Rendered─▶ Hub ─Arc<EncodedFrame>─▶ every Sink that has the stream
//!                       │└───Frame─▶ FlightRecorder (REST reads it)
//!                       └──────────▶ EngineState (REST waits on it)
//! ```
//!
//! What decides is the `hub`; this file gives it a thread, a clock and a queue.
//!
//! Architecture invariant: it never waits for a client. A sink only swaps a slot, or writes what there is room for.

mod clock;
mod encoded;
mod recorder;
mod registry;

mod hub;
mod load;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_core::control::{Command, Quantum, TapId, TransportSnapshot};
use engine_core::protocol::{Analytics, Directory, Subscription, Topic};
use engine_core::units::{QUANTUM, SampleRate};
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
use crate::audio::{AudioStats, PublisherEnds, Rendered};
use crate::priority::Priority;

/// How often an empty queue is looked at: a quantum lasts 2.7 ms at 48 kHz.
const TICK: Duration = Duration::from_millis(3);

/// The longest that quanta wait for others to be measured with: the clock by which they are due may be set back.
const LONGEST_WAIT: Duration = Duration::from_millis(16);

/// From when a quantum's first sample is played until it is measured: by then it has been seen in the queue, so that
/// streams tick as evenly as samples do.
const DELAY_MS: f64 = 4.0;

/// No quantum for so long: the sound card stands still.
const STANDSTILL: Duration = Duration::from_millis(100);

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
        topic: Topic,
        tap: Option<TapId>,
        sink: u64,
    },
    Snapshot {
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
            match priority.apply() {
                Ok(()) => tracing::info!("priority of sound and streams: {priority:?}"),
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

    /// Ends a sink's stream of a topic; on all taps when `tap` is `None`.
    pub fn unsubscribe(&self, topic: Topic, tap: Option<TapId>, sink: u64) {
        let _ = self.control.send(Control::Unsubscribe { topic, tap, sink });
    }

    /// Sends a sink the present state of its streams of these topics.
    pub fn snapshot(&self, topics: Vec<Topic>, sink: u64) {
        let _ = self.control.send(Control::Snapshot { topics, sink });
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

struct Worker {
    runtime: Handle,
    ends: PublisherEnds,
    hub: Hub,
    /// What is being recorded.
    tape: Option<Box<dyn Tape>>,
    /// What was played live at the start of the quantum that is being measured.
    played: Vec<Command>,
    clock: SampleClock,
    /// Position of the quantum by which the clock was set.
    observed: Option<u64>,
    state: watch::Sender<EngineState>,
    taps: watch::Sender<Arc<Directory>>,
    last_quantum: Instant,
    /// More than so many do not wait for their time: something is behind.
    max_waiting: usize,
    load: LoadMeter,
    audio: Arc<AudioStats>,
    streams: Arc<StreamStats>,
    device: DeviceName,
    analytics: Analytics,
}

impl Worker {
    fn run(mut self, control: &Receiver<Control>) {
        loop {
            let first = match control.recv_timeout(self.pause()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for message in first.into_iter().chain(control.try_iter()) {
                if !self.carry_out(message) {
                    return;
                }
            }
            self.drain();
            wake_all(self.hub.awake(), &self.runtime);
            // What takes long comes when the frames are on their way.
            while self.ends.retired.pop().is_ok() {}
            self.read_load();
        }
    }

    /// Returns false when the thread shall end.
    fn carry_out(&mut self, message: Control) -> bool {
        match message {
            Control::Join { sink } => self.hub.join(sink),
            Control::Subscribe { subscription, sink, reply } => {
                let _ = reply.send(self.hub.subscribe(&subscription, &sink));
            }
            Control::Unsubscribe { topic, tap, sink } => self.hub.unsubscribe(topic, tap, sink),
            Control::Snapshot { topics, sink } => self.hub.snapshot(&topics, sink),
            Control::Leave { sink } => self.hub.leave(sink),
            Control::Taps { directory, at } => self.hub.set_taps(directory, at),
            Control::Revision { revision, at } => self.hub.set_revision(revision, at),
            Control::ResetLoudness { tap, reply } => {
                self.hub.reset_loudness(tap);
                let _ = reply.send(());
            }
            Control::Follow { tape, reply } => {
                self.tape = Some(tape);
                let _ = reply.send(());
            }
            Control::Stop => return false,
        }
        true
    }

    /// Measures what is due. A device renders in bursts, of 21 ms and more; measured at once, streams faster
    /// than that would find several frames due at the same moment, and their slot holds one.
    fn drain(&mut self) {
        let mut latest = None;
        while let Some(left) = self.due_in() {
            if !left.is_zero() && self.ends.full.slots() <= self.max_waiting {
                break;
            }
            latest = self.measure_next().or(latest);
        }
        self.streams.quanta_waiting.store(self.ends.full.slots() as u64, Ordering::Relaxed);
        if let Some(state) = latest {
            self.last_quantum = Instant::now();
            self.hub.hand_out_snapshots(|position| self.clock.time_of(position));
            self.state.send_replace(state);
        } else if self.last_quantum.elapsed() > STANDSTILL {
            self.hub.hand_out_snapshots(|position| self.clock.time_of(position));
        }
    }

    /// Until a quantum is due that somebody waits for, or else the last one: to wake for each would cost more than to
    /// measure them.
    fn pause(&mut self) -> Duration {
        let Self { ends, hub, clock, state, .. } = self;
        let (applied, n_waiting) = (state.borrow().applied, ends.full.slots());
        let Ok(waiting) = ends.full.read_chunk(n_waiting) else { return TICK };
        let is_awaited = |waiting: &&Rendered| {
            waiting.applied != applied || hub.is_awaited_by(waiting.quantum.sample_position + QUANTUM as u64)
        };
        let (first, second) = waiting.as_slices();
        let next = first.iter().chain(second).find(is_awaited);
        let Some(next) = next.or(second.last()).or(first.last()) else { return TICK };
        until_due(clock, next.quantum.sample_position, unix_ms()).min(LONGEST_WAIT)
    }

    /// Until the next quantum is due, if one waits.
    fn due_in(&mut self) -> Option<Duration> {
        let Rendered { quantum, asked, .. } = self.ends.full.peek().ok()?;
        let (position, now) = (quantum.sample_position, unix_ms());
        if let Some(asked) = asked
            && self.observed.replace(position) != Some(position)
        {
            self.clock.observe(position, now - asked.elapsed().as_secs_f64() * 1e3);
        }
        Some(until_due(&self.clock, position, now))
    }

    fn measure_next(&mut self) -> Option<EngineState> {
        let Rendered { quantum, applied, .. } = self.ends.full.pop().ok()?;
        self.played.clear();
        while let Ok(played) = self.ends.played.peek()
            && played.number <= applied
        {
            self.played.push(played.command);
            let _ = self.ends.played.pop();
        }
        if self.tape.as_mut().is_some_and(|tape| !tape.hear(&quantum, &self.played)) {
            self.tape = None;
        }
        if self.hub.measure(&quantum, applied, |position| self.clock.time_of(position)) {
            self.taps.send_replace(self.hub.taps().clone());
        }
        let state = EngineState {
            applied,
            sample_position: quantum.sample_position,
            transport: quantum.transport,
            server_time: self.clock.time_of(quantum.sample_position),
        };
        let returned = self.ends.free.push(quantum);
        debug_assert!(returned.is_ok(), "the ring has as many places as the pool has quanta");
        Some(state)
    }

    fn read_load(&mut self) {
        let Some(load) = self.load.poll() else { return };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.analytics.cpu_usage = load.cpu_usage;
        self.analytics.memory_usage = load.memory_usage;
        self.analytics.buffer_size = self.audio.buffer_frames.load(Ordering::Relaxed);
        self.analytics.latency_ms = self.audio.latency_micros.load(Ordering::Relaxed) as f32 / 1e3;
        self.analytics.xruns = count(&self.audio.xruns);
        self.analytics.clients = u32::try_from(count(&self.streams.clients)).unwrap_or(u32::MAX);
        self.analytics.frames_sent = count(&self.streams.frames_sent);
        self.analytics.frames_merged = count(&self.streams.frames_merged);
        self.analytics.device = (self.device)();
        self.hub.set_analytics(self.analytics.clone());
    }
}

/// Until the quantum of that position is measured.
fn until_due(clock: &SampleClock, position: u64, now_ms: f64) -> Duration {
    Duration::from_secs_f64((clock.time_of(position) + DELAY_MS - now_ms).max(0.0) / 1e3)
}
