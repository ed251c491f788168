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
    pub(super) topic: Topic,
    /// `pending` is, or covers, a frame that is no snapshot.
    pub(super) has_measured: bool,
    pub(super) tap: TapId,
    pub(super) dropped: u16,
    pub(super) seq: u32,
    /// The axis that the client knows, and the number of axes that it was sent.
    pub(super) axis: Option<u32>,
    pub(super) axis_seq: u32,
    /// Of topics whose every frame arrives, instead of `pending`.
    pub(super) queue: VecDeque<Arc<EncodedFrame>>,
    /// Where the next stretch of sound begins if none is missing.
    pub(super) audio_end: Option<u64>,
}

impl Slot {
    pub(super) fn new(topic: Topic, tap: TapId) -> Self {
        Self {
            pending: None,
            topic,
            has_measured: false,
            tap,
            dropped: 0,
            seq: 0,
            axis: None,
            axis_seq: 0,
            queue: VecDeque::new(),
            audio_end: None,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.pending, self.has_measured, self.dropped) = (None, false, 0);
        self.queue.clear();
    }

    /// Queues a frame; the result counts those that had no room.
    pub(super) fn push(&mut self, frame: &Arc<EncodedFrame>, sample_rate: u32) -> u16 {
        if self.topic == Topic::Trigger && self.queue.len() >= MAX_TRIGGERS {
            return 1;
        }
        self.queue.push_back(frame.clone());
        let audio_len = |frame: &Arc<EncodedFrame>| match &frame.frame().payload {
            Payload::Audio(audio) => audio.n_frames(),
            _ => 0,
        };
        let mut n_waiting: usize = self.queue.iter().map(audio_len).sum();
        let mut n_dropped = 0;
        while n_waiting > (sample_rate / 1000 * MAX_AUDIO_MS) as usize && self.queue.len() > 1 {
            n_waiting -= self.queue.pop_front().as_ref().map_or(0, audio_len);
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
        if !self.topic.is_queued() {
            self.has_measured = false;
            return self.pending.take();
        }
        let frame = self.queue.pop_front()?;
        let Payload::Audio(audio) = &frame.frame().payload else { return Some(frame) };
        let end = frame.frame().sample_position;
        let start = end - audio.n_frames() as u64;
        let is_cut = self.audio_end.replace(end).is_some_and(|expected| expected != start);
        Some(if is_cut { Arc::new(frame.marked(Flags::DISCONTINUITY)) } else { frame })
    }
}
