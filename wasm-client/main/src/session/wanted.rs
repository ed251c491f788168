//! Streams that a session's subscribers want, and how a server is asked for them.

use engine_core::analysis::trigger::TriggerKind;
use engine_core::protocol::{ClientMessage, StreamOptions, Topic};

use super::StreamKey;

/// A stream that is asked for on every connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) key: StreamKey,
    pub(super) fps: Option<u16>,
    pub(super) options: StreamOptions,
    /// Number of the newest frame on this connection.
    pub(super) last_seq: Option<u32>,
    /// Until this ping is answered, frames are of the stream that this one takes the place of.
    pub(super) fence: Option<f64>,
}

impl Wanted {
    pub(super) fn is(&self, key: &StreamKey, kind: Option<TriggerKind>) -> bool {
        self.key == *key && self.options.kind == kind
    }

    pub(super) fn subscribe(&self) -> ClientMessage {
        let (topic, tap) = self.key.clone();
        ClientMessage::Subscribe { topic, tap: Some(tap), fps: self.fps, options: self.options.clone() }
    }
}

/// Whether frames of a topic look otherwise with other options. Triggers do not, and each of them counts.
pub(super) fn has_options(topic: Topic) -> bool {
    matches!(topic, Topic::Meters | Topic::Spectrum | Topic::Waveform | Topic::Stereo | Topic::Audio)
}

pub(super) fn unsubscribe((topic, tap): &StreamKey, kind: Option<TriggerKind>) -> ClientMessage {
    ClientMessage::Unsubscribe { topic: *topic, tap: Some(tap.clone()), kind }
}
