//! The newest frame of each stream, until somebody draws it; of triggers and audio, all of them.

use std::collections::VecDeque;

use engine_core::control::TapId;
use engine_core::protocol::json::{Body, Envelope};
use engine_core::protocol::{Axis, Directory, Flags, Frame, Header, Payload, Topic, decode_payload};

/// Axes that are kept; a server that sends more loses the oldest ones.
const MAX_AXES: usize = 64;

/// Frames of a trigger or of audio that wait for a page which does not draw; the oldest go first, and are counted.
const MAX_QUEUED: usize = 256;

/// Number of a stream: its topic, and the tap's number.
pub type SlotKey = (u8, u16);

/// What a frame says.
#[derive(Debug, PartialEq)]
pub enum Content<'a> {
    /// Values.
    Body(Box<Body>),
    /// A topic whose binary payload is JSON. The browser parses it better than we.
    Text {
        /// Which.
        topic: Topic,
        /// An object.
        text: &'a str,
        /// Of topics that are of one tap: which.
        tap: Option<String>,
        /// From the header.
        sample_position: u64,
    },
}

struct Slot {
    key: SlotKey,
    envelope: Envelope,
    frame: Frame,
    is_fresh: bool,
}

/// A slot for each stream, and what is needed to give names to the numbers in frames.
pub struct Slots {
    directory: Directory,
    /// Oldest first.
    axes: Vec<Axis>,
    slots: Vec<Slot>,
    /// In the order in which they came.
    queue: VecDeque<Slot>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            directory: Directory { sample_rate: 0, taps: Vec::new() },
            axes: Vec::new(),
            slots: Vec::new(),
            queue: VecDeque::new(),
        }
    }
}

impl Slots {
    /// The taps changed: numbers in later frames mean these.
    pub fn set_directory(&mut self, directory: Directory) {
        self.directory = directory;
        self.clear();
    }

    /// Names of the taps.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Takes a message of binary frames. `accept` sees topic, tap and number of each and says whether it is kept.
    /// Survives any bytes: what cannot be read is skipped.
    pub fn push_bytes(&mut self, mut bytes: &[u8], accept: &mut dyn FnMut(Topic, &str, u32) -> bool) {
        while let Some((header, payload, rest)) = Header::split(bytes) {
            bytes = rest;
            let Ok(payload) = decode_payload(&header, payload) else { continue };
            let frame = Frame {
                tap: TapId(header.tap),
                flags: header.flags,
                sample_position: header.sample_position,
                payload,
            };
            let envelope = Envelope { seq: header.seq, epoch: header.epoch, dropped: header.dropped };
            self.push(frame, envelope, accept);
        }
    }

    /// Takes a frame that came as JSON, with its axis where it is a spectrum.
    pub fn push_json(
        &mut self,
        (frame, axis): (Frame, Option<Axis>),
        envelope: Envelope,
        accept: &mut dyn FnMut(Topic, &str, u32) -> bool,
    ) {
        if let Some(axis) = axis {
            self.keep_axis(axis);
        }
        self.push(frame, envelope, accept);
    }

    fn push(
        &mut self,
        mut frame: Frame,
        mut envelope: Envelope,
        accept: &mut dyn FnMut(Topic, &str, u32) -> bool,
    ) {
        let topic = match frame.payload {
            Payload::Axis(axis) => return self.keep_axis(axis),
            ref payload => payload.topic(),
        };
        if !accept(topic, &self.directory.key(frame.tap), envelope.seq) {
            return;
        }
        let key = (topic as u8, frame.tap.0);
        if topic.is_queued() {
            return self.enqueue(Slot { key, envelope, frame, is_fresh: true });
        }
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.key == key) else {
            return self.slots.push(Slot { key, envelope, frame, is_fresh: true });
        };
        if slot.is_fresh {
            frame.absorb(&slot.frame);
            envelope.dropped = envelope.dropped.saturating_add(slot.envelope.dropped).saturating_add(1);
        }
        *slot = Slot { key, envelope, frame, is_fresh: true };
    }

    fn enqueue(&mut self, slot: Slot) {
        self.queue.push_back(slot);
        if self.queue.len() <= MAX_QUEUED {
            return;
        }
        let Some(lost) = self.queue.pop_front() else { return };
        if let Some(next) = self.queue.iter_mut().find(|slot| slot.key == lost.key) {
            let n_dropped = lost.envelope.dropped.saturating_add(1);
            next.envelope.dropped = next.envelope.dropped.saturating_add(n_dropped);
            next.frame.flags = next.frame.flags.with(Flags::DISCONTINUITY);
        }
    }

    fn keep_axis(&mut self, axis: Axis) {
        if self.axes.iter().any(|known| known.id == axis.id) {
            return;
        }
        if self.axes.len() == MAX_AXES {
            self.axes.remove(0);
        }
        self.axes.push(axis);
    }

    /// Hands out what may not wait for an animation frame: triggers and audio.
    pub fn drain_queue(&mut self, out: &mut dyn FnMut(SlotKey, &Envelope, Content<'_>)) {
        let Self { directory, axes, queue, .. } = self;
        for slot in queue.drain(..) {
            if let Some(content) = slot.content(directory, axes) {
                out(slot.key, &slot.envelope, content);
            }
        }
    }

    /// Whether [`Self::drain_queue`] has something.
    pub fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Hands out every frame that was not handed out before, as JSON would say it. A spectrum whose axis has not
    /// come stays.
    pub fn drain(&mut self, out: &mut dyn FnMut(SlotKey, &Envelope, Content<'_>)) {
        let Self { directory, axes, slots, .. } = self;
        for slot in slots.iter_mut().filter(|slot| slot.is_fresh) {
            if let Some(content) = slot.content(directory, axes) {
                out(slot.key, &slot.envelope, content);
                slot.is_fresh = false;
            }
        }
        self.drain_queue(out);
    }

    /// The newest transport frame, drained or not.
    pub fn transport(&self) -> Option<&Frame> {
        self.slots.iter().map(|slot| &slot.frame).find(|frame| matches!(frame.payload, Payload::Transport(_)))
    }

    /// Forgets what waits of a stream.
    pub fn forget(&mut self, topic: Topic, tap: &str) {
        let Ok(tap) = self.directory.find(tap) else { return };
        let key = (topic as u8, tap.0);
        self.slots.retain(|slot| slot.key != key);
        self.queue.retain(|slot| slot.key != key);
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.queue.clear();
    }
}

impl Slot {
    fn content(&self, directory: &Directory, axes: &[Axis]) -> Option<Content<'_>> {
        let frame = &self.frame;
        let axis = match &frame.payload {
            Payload::Spectrum(spectrum) => axes.iter().find(|axis| axis.id == spectrum.axis),
            _ => None,
        };
        match &frame.payload {
            Payload::Text(topic, text) => Some(Content::Text {
                topic: *topic,
                text,
                tap: topic.is_per_tap().then(|| directory.key(frame.tap)),
                sample_position: frame.sample_position,
            }),
            _ => Body::new(frame, directory, axis).map(|body| Content::Body(Box::new(body))),
        }
    }
}
