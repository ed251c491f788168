//! What waits to be sent to one client: control messages in order, and the newest frame of each stream.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine_core::control::TapId;
use engine_core::protocol::json::{Hello, Limits, ServerMessage};
use engine_core::protocol::{Directory, Flags, Selection, Topic};
use smallvec::SmallVec;
use tokio::sync::Notify;

use super::Encoding;
use super::outgoing::{Batch, Closing, Kind, Outgoing, Outlet, Taken};
use super::session::{Line, Turn};
use super::slot::{Due, Slot};
use crate::publisher::{EncodedFrame, JsonHead, Sink, StreamStats};

/// Answers that a client may leave unread before it is closed.
const MAX_CONTROL: usize = Limits::SERVER.max_unread_answers as usize;

/// Frames of one moment that need no memory of their own.
const MOST_AT_ONCE: usize = 8;

/// The server's time, Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> f64 + Send + Sync>;

/// A client's mailbox: the publisher and the reader put in, the writer takes out.
///
/// What each frame touches comes first and close together, here, in `Slot` and in `Client`: of a thousand clients
/// little is left in the cache from one frame to the next, and to wait for memory is most of what is done for a client.
#[repr(C)]
pub struct Mailbox {
    id: u64,
    inner: Mutex<Inner>,
    encoding: Encoding,
    /// What is written to without a detour, while it is open.
    line: Line,
    /// The first hello of every connection, but for the taps and the time.
    hello: Arc<Hello>,
    stats: Arc<StreamStats>,
    clock: Clock,
    wake: Notify,
}

#[repr(C)]
struct Inner {
    is_awake: bool,
    /// Of the server whose frames these are.
    epoch: u16,
    sample_rate: u32,
    /// What is rare.
    words: Option<Box<Words>>,
    /// Most connections have one.
    slots: SmallVec<[Slot; 1]>,
}

/// What is said beside frames.
#[derive(Default)]
struct Words {
    /// The newest, before all else: only one waits, however often the taps change.
    hello: Option<String>,
    control: VecDeque<String>,
    closing: Option<Closing>,
}

impl Inner {
    fn slot(&mut self, topic: Topic, tap: TapId) -> &mut Slot {
        let idx = self.slots.iter().position(|slot| slot.topic == topic && slot.tap == tap);
        let idx = idx.unwrap_or_else(|| {
            self.slots.reserve_exact(1);
            self.slots.push(Slot::new(topic, tap));
            self.slots.len() - 1
        });
        &mut self.slots[idx]
    }

    fn words(&mut self) -> &mut Words {
        self.words.get_or_insert_default()
    }
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new(
        id: u64,
        encoding: Encoding,
        hello: Arc<Hello>,
        stats: Arc<StreamStats>,
        clock: Clock,
    ) -> Self {
        let inner = Inner {
            is_awake: false,
            epoch: hello.epoch,
            sample_rate: hello.sample_rate,
            words: None,
            slots: SmallVec::new(),
        };
        let (inner, line, wake) = (Mutex::new(inner), Line::default(), Notify::new());
        Self { id, inner, encoding, line, hello, stats, clock, wake }
    }

    /// Control messages and frames that wait.
    #[cfg(test)]
    pub(super) fn n_waiting(&self) -> (usize, usize) {
        self.with(|inner| {
            let frames = inner.slots.iter().filter(|slot| slot.pending.is_some());
            (inner.words.as_ref().map_or(0, |words| words.control.len()), frames.count())
        })
    }

    /// Queues a control message.
    pub fn post(&self, message: &ServerMessage) {
        let Ok(text) = serde_json::to_string(message) else { return };
        self.with(|inner| {
            let words = inner.words();
            if words.control.len() >= MAX_CONTROL {
                let _ = words.closing.get_or_insert(Closing::UNREAD);
            } else {
                words.control.push_back(text);
            }
        });
        self.wake.notify_one();
    }

    /// Queues the end: what is waiting goes out first.
    pub fn close(&self, closing: Closing) {
        self.with(|inner| _ = inner.words().closing.get_or_insert(closing));
        self.wake.notify_one();
    }

    /// What it is said by.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Waits until there is something to send.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Has [`Self::changed`] return once more.
    pub fn remind(&self) {
        self.wake.notify_one();
    }

    /// Takes everything that is due, as messages by themselves.
    pub fn take(&self) -> Batch {
        let mut written = Vec::new();
        let Taken { n_frames, closing, .. } = self.take_into(&mut written);
        let messages = written.into_iter().map(|(kind, bytes)| match kind {
            Kind::Text => Outgoing::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Kind::Binary => Outgoing::Binary(bytes),
        });
        Batch { messages: messages.collect(), n_frames, closing }
    }

    /// Takes everything that is due. What is usual allocates nothing.
    pub fn take_into(&self, out: &mut impl Outlet) -> Taken {
        let mut taken = Taken::default();
        // Encoding happens after the lock is given back: the publisher must not wait for it.
        let due: SmallVec<[Due; MOST_AT_ONCE]> = self.with(|inner| {
            inner.is_awake = false;
            if let Some(words) = inner.words.take() {
                for said in words.hello.into_iter().chain(words.control) {
                    out.message(Kind::Text, said.len()).extend_from_slice(said.as_bytes());
                    taken.n_messages += 1;
                }
                taken.closing = words.closing;
            }
            let epoch = inner.epoch;
            let mut due = SmallVec::new();
            for slot in &mut inner.slots {
                while let Some(frame) = slot.pop() {
                    due.push(slot.due(frame, epoch));
                }
            }
            due
        });
        taken.n_frames = due.len() as u64;
        match self.encoding {
            Encoding::Json => {
                for Due { frame, envelope, .. } in &due {
                    let (head, body) = (JsonHead::new(frame.topic(), *envelope), frame.json_body());
                    let to = out.message(Kind::Text, head.as_bytes().len() + body.len());
                    to.extend_from_slice(head.as_bytes());
                    to.extend_from_slice(body.as_bytes());
                }
                taken.n_messages += due.len();
            }
            Encoding::Binary if due.is_empty() => {}
            Encoding::Binary => {
                let len = |due: &Due| due.frame.binary_len() + due.axis.map_or(0, |_| due.frame.axis_len());
                let to = out.message(Kind::Binary, due.iter().map(len).sum());
                for Due { frame, envelope, axis } in &due {
                    if let Some(axis) = axis {
                        frame.write_axis(*axis, to);
                    }
                    frame.write_binary(*envelope, to);
                }
                taken.n_messages += 1;
            }
        }
        taken
    }

    /// Forgets what waits of streams that the client ended. Triggers of several kinds wait in one queue: those of one
    /// kind stay there.
    pub fn forget(&self, Selection { topic, tap, kind }: Selection) {
        if kind.is_some() {
            return;
        }
        self.with(|inner| {
            for slot in &mut inner.slots {
                if slot.topic == topic && tap.is_none_or(|tap| slot.tap == tap) {
                    slot.renew();
                }
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Mailbox {
    fn id(&self) -> u64 {
        self.id
    }

    fn offer(&self, frame: &Arc<EncodedFrame>) -> bool {
        let (topic, tap) = (frame.topic(), frame.frame().tap);
        self.with(|inner| {
            let sample_rate = inner.sample_rate;
            let slot = inner.slot(topic, tap);
            slot.dropped = slot.dropped.saturating_add(frame.dropped());
            if topic.is_queued() {
                let n_dropped = slot.push(frame, sample_rate);
                slot.dropped = slot.dropped.saturating_add(n_dropped);
                self.stats.frames_merged.fetch_add(n_dropped.into(), Ordering::Relaxed);
                return !std::mem::replace(&mut inner.is_awake, true);
            }
            // A snapshot repeats what other frames say: to merge it loses nothing, and does not count.
            let is_measured = !frame.frame().flags.contains(Flags::SNAPSHOT);
            if is_measured && slot.has_measured {
                slot.dropped = slot.dropped.saturating_add(1);
                self.stats.frames_merged.fetch_add(1, Ordering::Relaxed);
            }
            slot.has_measured |= is_measured;
            slot.pending = Some(match slot.pending.take() {
                None => frame.clone(),
                Some(older) => frame.covering(&older),
            });
            !std::mem::replace(&mut inner.is_awake, true)
        })
    }

    fn renew(&self, topic: Topic, tap: TapId) {
        // Triggers of several kinds wait in one queue, and what happened, happened.
        if topic != Topic::Trigger {
            self.forget(Selection { topic, tap: Some(tap), kind: None });
        }
    }

    fn prefetch(&self) {
        black_box((self.id, self.inner.is_poisoned()));
        self.line.prefetch();
    }

    fn turn(&self) -> Option<Turn<'_>> {
        self.line.begin(self)
    }

    fn wake(&self) {
        // To wake a task for every client would cost as much as what it does.
        let is_said = self.turn().is_some_and(|mut turn| {
            let now = Instant::now();
            turn.collect(now);
            turn.sent(0, now)
        });
        if !is_said {
            self.wake.notify_one();
        }
    }

    fn end(&self) {
        self.close(Closing::FAILED);
    }

    fn restart(&self, epoch: u16) {
        self.with(|inner| inner.epoch = epoch);
    }

    fn tell(&self, message: &ServerMessage) {
        self.post(message);
    }

    fn retap(&self, taps: &Directory) {
        let taps = Arc::new(taps.clone());
        self.with(|inner| {
            inner.sample_rate = taps.sample_rate;
            let hello = ServerMessage::Hello(Hello {
                epoch: inner.epoch,
                sample_rate: taps.sample_rate,
                taps: taps.taps.clone(),
                server_time: (self.clock)(),
                ..Hello::clone(&self.hello)
            });
            inner.words().hello = serde_json::to_string(&hello).ok();
            let mut fired = Vec::new();
            for slot in &mut inner.slots {
                if slot.topic == Topic::Trigger {
                    fired.extend(slot.queue().filter_map(|frame| frame.moved(&taps)));
                }
                slot.clear();
            }
            // What happened, happened: only the tap's number is another.
            for frame in fired {
                inner.slot(Topic::Trigger, frame.frame().tap).push(&Arc::new(frame), taps.sample_rate);
            }
        });
        self.wake.notify_one();
    }
}

#[cfg(test)]
pub(super) mod tests;
