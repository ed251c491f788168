//! What waits of one stream: the newest frame, merged, or a bounded queue of what cannot be merged.

use std::collections::VecDeque;
use std::sync::Arc;

use engine_core::control::TapId;
use engine_core::protocol::json::{Envelope, Limits};
use engine_core::protocol::{Flags, Payload, Topic};

use crate::publisher::EncodedFrame;

/// Triggers of a tap that may wait; later ones are only counted, in `dropped`.
const MAX_TRIGGERS: usize = Limits::SERVER.max_waiting_triggers as usize;
/// Audio of a tap that may wait: more is dropped whole, the oldest first, and what follows is marked.
const MAX_AUDIO_MS: u32 = Limits::SERVER.max_waiting_audio_ms as u32;

/// A frame that goes out, and what its connection calls it.
pub(super) struct Due {
    pub(super) frame: Arc<EncodedFrame>,
    pub(super) envelope: Envelope,
    /// Of its axis, if the client does not know that yet.
    pub(super) axis: Option<Envelope>,
}

/// The newest frame of one topic and tap, or those that wait in order. Never removed, so that `seq` goes on after a
/// new subscription.
#[repr(C)]
pub(super) struct Slot {
    pub(super) pending: Option<Arc<EncodedFrame>>,
    /// Of topics whose every frame arrives, instead of `pending`.
    queue: Option<Box<Queue>>,
    pub(super) seq: u32,
    /// The axis that the client knows, and the number of axes that it was sent.
    pub(super) axis: Option<u32>,
    pub(super) axis_seq: u32,
    pub(super) dropped: u16,
    pub(super) tap: TapId,
    pub(super) topic: Topic,
    /// `pending` is, or covers, a frame that is no snapshot.
    pub(super) has_measured: bool,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Arc<EncodedFrame>>,
    /// Where the next stretch of sound begins if none is missing.
    audio_end: Option<u64>,
}

impl Slot {
    pub(super) fn new(topic: Topic, tap: TapId) -> Self {
        Self {
            pending: None,
            queue: None,
            seq: 0,
            axis: None,
            axis_seq: 0,
            dropped: 0,
            tap,
            topic,
            has_measured: false,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.pending, self.has_measured, self.dropped) = (None, false, 0);
        if let Some(queue) = &mut self.queue {
            queue.frames.clear();
        }
    }

    /// What comes is another stream.
    pub(super) fn renew(&mut self) {
        self.clear();
        self.queue = None;
    }

    /// What waits in order.
    pub(super) fn queue(&self) -> impl Iterator<Item = &Arc<EncodedFrame>> {
        self.queue.iter().flat_map(|queue| &queue.frames)
    }

    /// Queues a frame; the result counts those that had no room.
    pub(super) fn push(&mut self, frame: &Arc<EncodedFrame>, sample_rate: u32) -> u16 {
        let Queue { frames, .. } = &mut **self.queue.get_or_insert_default();
        if self.topic == Topic::Trigger && frames.len() >= MAX_TRIGGERS {
            return 1;
        }
        frames.push_back(frame.clone());
        let audio_len = |frame: &Arc<EncodedFrame>| match &frame.frame().payload {
            Payload::Audio(audio) => audio.n_frames(),
            _ => 0,
        };
        let mut n_waiting: usize = frames.iter().map(audio_len).sum();
        let mut n_dropped = 0;
        while n_waiting > (sample_rate / 1000 * MAX_AUDIO_MS) as usize && frames.len() > 1 {
            n_waiting -= frames.pop_front().as_ref().map_or(0, audio_len);
            n_dropped += 1;
        }
        n_dropped
    }

    /// Numbers a frame that goes out.
    pub(super) fn due(&mut self, frame: Arc<EncodedFrame>, epoch: u16) -> Due {
        self.seq += 1;
        let envelope = Envelope { seq: self.seq, epoch, dropped: std::mem::take(&mut self.dropped) };
        let axis_id = frame.axis().map(|axis| axis.id());
        let is_new_axis = axis_id.is_some() && axis_id != self.axis;
        let axis = is_new_axis.then(|| {
            self.axis = axis_id;
            self.axis_seq += 1;
            Envelope { seq: self.axis_seq, epoch, dropped: 0 }
        });
        Due { frame, envelope, axis }
    }

    /// The next frame to send.
    pub(super) fn pop(&mut self) -> Option<Arc<EncodedFrame>> {
        let Some(queue) = &mut self.queue else {
            self.has_measured = false;
            return self.pending.take();
        };
        let frame = queue.frames.pop_front()?;
        let Payload::Audio(audio) = &frame.frame().payload else { return Some(frame) };
        let end = frame.frame().sample_position;
        let start = end - audio.n_frames() as u64;
        let is_cut = queue.audio_end.replace(end).is_some_and(|expected| expected != start);
        Some(if is_cut { Arc::new(frame.marked(Flags::DISCONTINUITY)) } else { frame })
    }
}
