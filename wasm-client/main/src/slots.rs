//! The newest frame of each stream, until somebody draws it.

use std::collections::BTreeMap;

use engine_core::control::TapId;
use engine_core::protocol::json::{Body, Envelope};
use engine_core::protocol::{Axis, Directory, Frame, Header, Payload, Topic, decode_payload};

/// Axes that are kept; a server that sends more loses the ones with the lowest ids.
const MAX_AXES: usize = 64;

/// Number of a stream: its topic, and the tap's number.
pub type SlotKey = (u8, u16);

struct Slot {
    envelope: Envelope,
    frame: Frame,
    is_fresh: bool,
}

/// A slot for each stream, and what is needed to give names to the numbers in frames.
pub struct Slots {
    directory: Directory,
    axes: BTreeMap<u32, Axis>,
    slots: BTreeMap<SlotKey, Slot>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            directory: Directory { sample_rate: 0, taps: Vec::new() },
            axes: BTreeMap::new(),
            slots: BTreeMap::new(),
        }
    }
}

impl Slots {
    /// The taps changed: numbers in later frames mean these.
    pub fn set_directory(&mut self, directory: Directory) {
        self.directory = directory;
        self.slots.clear();
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
        if let Some(older) = self.slots.get(&key).filter(|slot| slot.is_fresh) {
            frame.absorb(&older.frame);
            envelope.dropped = envelope.dropped.saturating_add(older.envelope.dropped).saturating_add(1);
        }
        self.slots.insert(key, Slot { envelope, frame, is_fresh: true });
    }

    fn keep_axis(&mut self, axis: Axis) {
        self.axes.insert(axis.id, axis);
        while self.axes.len() > MAX_AXES {
            self.axes.pop_first();
        }
    }

    /// Hands out every frame that was not handed out before, as JSON would say it. A spectrum whose axis has not
    /// come stays.
    pub fn drain(&mut self, out: &mut dyn FnMut(SlotKey, &Envelope, Body)) {
        for (key, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.is_fresh) {
            let axis = match &slot.frame.payload {
                Payload::Spectrum(spectrum) => self.axes.get(&spectrum.axis),
                _ => None,
            };
            if let Some(body) = Body::new(&slot.frame, &self.directory, axis) {
                slot.is_fresh = false;
                out(*key, &slot.envelope, body);
            }
        }
    }

    /// The newest transport frame, drained or not.
    pub fn transport(&self) -> Option<&Frame> {
        self.slots.get(&(Topic::Transport as u8, TapId::MASTER.0)).map(|slot| &slot.frame)
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.slots.clear();
    }
}
