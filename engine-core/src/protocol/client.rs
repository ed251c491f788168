//! What clients say, JSON in both encodings.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::subscription::{StreamOptions, Topic};
use uuid::Uuid;

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Starts a stream, or changes the options of one that runs (same topic and tap).
    Subscribe {
        /// What.
        topic: Topic,
        /// Where: `master` (the default), `input` or a track's id.
        #[serde(default)]
        tap: Option<String>,
        /// Frames per second, 1 to 120; 30 when absent.
        #[serde(default)]
        fps: Option<u16>,
        /// Options of the topic.
        #[serde(default)]
        options: StreamOptions,
    },
    /// Ends a stream.
    Unsubscribe {
        /// What.
        topic: Topic,
        /// Where; all taps of the topic when absent.
        #[serde(default)]
        tap: Option<String>,
    },
    /// Asks for a `pong` with the server's times.
    Ping {
        /// The client's clock, Unix milliseconds.
        t0: f64,
    },
    /// After a reconnection: what the client had.
    Resume {
        /// Epoch of the connection that was lost.
        epoch: u16,
        /// Last `seq` of each topic, by name.
        topics: BTreeMap<String, u32>,
    },
    /// Plays a note live.
    Note {
        /// The track's id.
        track: Uuid,
        /// MIDI pitch, 0 to 127.
        pitch: u8,
        /// 1 to 127; ignored when `on` is false.
        velocity: u8,
        /// Strikes or releases.
        on: bool,
    },
}
