//! The publisher's thread: waits until something is due, measures it, and hands it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use engine_core::control::Command;
use engine_core::protocol::{Analytics, Directory};
use engine_core::units::QUANTUM;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::clock::SampleClock;
use super::load::LoadMeter;
use super::{Control, DeviceName, EngineState, Hub, StreamStats, Tape, unix_ms, wake_all};
use crate::audio::{AudioStats, PublisherEnds, Rendered};

/// How often the queue is looked at for a quantum that is late: one lasts 2.7 ms at 48 kHz.
const TICK: Duration = Duration::from_millis(3);

/// The longest that quanta wait for others to be measured with: the clock by which they are due may be set back. Between
/// two ticks at 60 Hz there are 17 ms.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// From when a quantum's first sample is played until it is measured: by then it has been seen in the queue, so that
/// streams tick as evenly as samples do.
const DELAY_MS: f64 = 4.0;

/// No quantum for so long: the sound card stands still.
const STANDSTILL: Duration = Duration::from_millis(100);

/// What the thread works with.
pub(super) struct Worker {
    pub(super) runtime: Handle,
    pub(super) ends: PublisherEnds,
    pub(super) hub: Hub,
    /// What is being recorded.
    pub(super) tape: Option<Box<dyn Tape>>,
    /// What was played live at the start of the quantum that is being measured.
    pub(super) played: Vec<Command>,
    pub(super) clock: SampleClock,
    /// Position of the quantum by which the clock was set.
    pub(super) observed: Option<u64>,
    /// The last message whose effect somebody waits for.
    pub(super) awaited: u64,
    pub(super) state: watch::Sender<EngineState>,
    pub(super) taps: watch::Sender<Arc<Directory>>,
    pub(super) last_quantum: Instant,
    /// More than so many do not wait for their time: something is behind.
    pub(super) max_waiting: usize,
    pub(super) load: LoadMeter,
    pub(super) audio: Arc<AudioStats>,
    pub(super) streams: Arc<StreamStats>,
    pub(super) device: DeviceName,
    pub(super) analytics: Analytics,
}

impl Worker {
    /// Works until it is told to stop, or the last handle is gone.
    pub(super) fn run(mut self, control: &Receiver<Control>) {
        loop {
            let first = match control.recv_timeout(self.pause()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // What was played before the messages came is not measured by them.
            self.drain();
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
            Control::Unsubscribe { which, sink } => self.hub.unsubscribe(which, sink),
            Control::Resume { topics, sink } => self.hub.resume(&topics, sink),
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
            Control::Await { at } => self.awaited = self.awaited.max(at),
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

    /// Until a quantum is due that somebody waits for, here or still to come: to wake for each would cost more than to
    /// measure them.
    fn pause(&mut self) -> Duration {
        let Self { ends, hub, clock, state, awaited, .. } = self;
        let (applied, n_waiting) = (state.borrow().applied, ends.full.slots());
        let Ok(waiting) = ends.full.read_chunk(n_waiting) else { return TICK };
        let (first, second) = waiting.as_slices();
        let waiting = first.iter().chain(second);
        let waiting = waiting.map(|rendered| (rendered.quantum.sample_position, rendered.applied));
        let wait = match next_of(waiting, applied, hub.next_awaited()) {
            Next::Here(position) => until_due(clock, position, unix_ms()),
            _ if *awaited > applied => TICK,
            // What is late may come at any time.
            Next::ToCome(position) => until_due(clock, position, unix_ms()).max(TICK),
            Next::Nothing => LONGEST_WAIT,
        };
        wait.min(LONGEST_WAIT)
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

/// The next quantum that somebody waits for, by its position.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It waits to be measured.
    Here(u64),
    /// It was not rendered yet.
    ToCome(u64),
    Nothing,
}

/// Of the quanta that wait, by position and the last message that each reflects, and those to come, the next in which
/// position `awaited` lies, or which reflects another message than `applied`.
fn next_of(mut waiting: impl Iterator<Item = (u64, u64)>, applied: u64, awaited: Option<u64>) -> Next {
    let quantum = QUANTUM as u64;
    let is_it = |&(position, its_applied): &(u64, u64)| {
        its_applied != applied || awaited.is_some_and(|at| at <= position + quantum)
    };
    match (waiting.find(is_it), awaited) {
        (Some((position, _)), _) => Next::Here(position),
        (None, Some(at)) => Next::ToCome(at.saturating_sub(1) / quantum * quantum),
        (None, None) => Next::Nothing,
    }
}

/// Until the quantum of that position is measured.
fn until_due(clock: &SampleClock, position: u64, now_ms: f64) -> Duration {
    Duration::from_secs_f64((clock.time_of(position) + DELAY_MS - now_ms).max(0.0) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_sleeps_until_somebody_waits_for_a_quantum() {
        const Q: u64 = QUANTUM as u64;
        let next = |applied, awaited| {
            next_of([(0, 7), (Q, 7), (2 * Q, 8), (3 * Q, 8)].into_iter(), applied, awaited)
        };
        // A tick at the end of the second; the first that reflects a message; what comes first of both.
        assert_eq!(next(8, None), Next::Here(0), "the first two reflect another message");
        assert_eq!(next(7, None), Next::Here(2 * Q));
        assert_eq!(next(7, Some(2 * Q)), Next::Here(Q));
        assert_eq!(next(7, Some(4 * Q)), Next::Here(2 * Q));
        // None of those that wait.
        let next = |awaited| next_of([(0, 7), (Q, 7)].into_iter(), 7, awaited);
        assert_eq!(next(Some(2 * Q)), Next::Here(Q), "a quantum's end is its own");
        assert_eq!(next(Some(2 * Q + 1)), Next::ToCome(2 * Q));
        assert_eq!(next(Some(3 * Q)), Next::ToCome(2 * Q));
        assert_eq!(next(None), Next::Nothing);
    }
}
