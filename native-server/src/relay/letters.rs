//! What servers and relays say to one another, but for frames and requests: JSON.

use engine_core::protocol::{Directory, Subscription};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Namespace of ids that are made of contents; drawn at random.
const CONTENTS: Uuid = Uuid::from_u128(0x1f6e_4a52_0c0b_4f0e_8b8e_7d2c_96a4_51e7);

/// What a server is just now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ServerInfo {
    /// Version of the stream protocol.
    pub(super) protocol_version: u32,
    /// Changes when the server restarts.
    pub(super) epoch: u16,
    /// Its taps.
    pub(super) directory: Directory,
    /// Unix milliseconds.
    pub(super) server_time: f64,
}

/// Stands for a set of taps: equal for equal ones. Frames carry it, since numbers of taps mean nothing without.
pub(super) fn id_of_taps(directory: &Directory) -> Uuid {
    Uuid::new_v5(&CONTENTS, &serde_json::to_vec(directory).unwrap_or_default())
}

/// A relay needs a stream, still needs it, or needs it no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeaseRequest {
    /// Who asks.
    pub(super) relay: Uuid,
    /// What.
    pub(super) stream: StreamName,
    /// False: no longer.
    pub(super) is_needed: bool,
}

/// A stream under a name that does not depend on the numbers of taps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StreamName {
    /// `master`, `input` or a track's id; stands in for the number of the tap.
    pub(super) tap: String,
    /// All else.
    pub(super) subscription: Subscription,
    /// What nobody can share, such as a trigger, which counts from its beginning.
    pub(super) private: Option<Uuid>,
}

impl StreamName {
    /// The last part of its subject.
    pub(super) fn key(&self) -> String {
        let mut named = self.clone();
        named.subscription.tap = engine_core::control::TapId::MASTER;
        Uuid::new_v5(&CONTENTS, &serde_json::to_vec(&named).unwrap_or_default()).simple().to_string()
    }
}

/// What comes of a [`LeaseRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LeaseAnswer {
    /// The stream runs.
    Granted,
    /// The text says why not.
    Refused(String),
}

#[cfg(test)]
mod tests {
    use engine_core::control::TapId;
    use engine_core::protocol::{StreamOptions, Topic};

    use super::*;

    fn named(tap: TapId, fps: u16, private: Option<Uuid>) -> StreamName {
        let options = StreamOptions { attack_ms: Some(0.1), ..StreamOptions::default() };
        let subscription = Subscription::new(Topic::Spectrum, tap, Some(fps), &options).unwrap();
        StreamName { tap: String::from("a"), subscription, private }
    }

    #[test]
    fn a_stream_has_one_key_wherever_its_tap_is() {
        let key = named(TapId::track(1), 30, None).key();
        assert_eq!(key, named(TapId::track(5), 30, None).key());
        assert_ne!(key, named(TapId::track(1), 31, None).key());
        assert_ne!(key, named(TapId::track(1), 30, Some(Uuid::nil())).key());
        // And the same one on the other side of the wire.
        let sent = serde_json::to_vec(&named(TapId::track(1), 30, None)).unwrap();
        assert_eq!(key, serde_json::from_slice::<StreamName>(&sent).unwrap().key());
    }
}
