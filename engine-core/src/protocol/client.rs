//! What clients say, JSON in both encodings.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::subscription::{StreamOptions, Topic};
use crate::analysis::trigger::TriggerKind;

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
        #[serde(default, deserialize_with = "object")]
        options: StreamOptions,
    },
    /// Ends a stream.
    Unsubscribe {
        /// What.
        topic: Topic,
        /// Where; all taps of the topic when absent.
        #[serde(default)]
        tap: Option<String>,
        /// Of triggers: which; all kinds when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<TriggerKind>,
    },
    /// Asks for a `pong` with the server's times.
    Ping {
        /// The client's clock, Unix milliseconds.
        t0: f64,
    },
    /// After a reconnection, and after what is to go on was subscribed: what the client had. Each stream of these topics
    /// sends its state, marked as a discontinuity, since the client missed whatever jumped meanwhile; a topic without a
    /// stream on this socket is answered with the error `not_subscribed`.
    Resume {
        /// Epoch of the connection that was lost.
        epoch: u16,
        /// Last `seq` of each topic, by name.
        #[serde(with = "by_name")]
        #[cfg_attr(
            feature = "schema",
            schema(value_type = alloc::collections::BTreeMap<String, u32>),
            ts(as = "alloc::collections::BTreeMap<String, u32>")
        )]
        topics: Vec<(String, u32)>,
    },
    /// Plays a note live.
    Note {
        /// The track's id.
        track: Uuid,
        /// MIDI pitch, 0 to 127.
        pitch: u8,
        /// 1 to 127; when `on` is false 0 to 255, and of no meaning.
        velocity: u8,
        /// Strikes or releases.
        on: bool,
    },
}

/// Reads a value of an object only; derived code takes arrays of the fields' values, too.
///
/// # Errors
/// It is no object, or not one of this shape.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_map(Object(PhantomData))
}

/// A JSON object as pairs: a tree for ten of them would be 3 KB of a connection's module.
mod by_name {
    use core::fmt;

    use serde::de::{Deserializer, MapAccess, Visitor};
    use serde::ser::Serializer;

    use super::{String, Vec};

    type Pairs = Vec<(String, u32)>;

    pub(super) fn serialize<S: Serializer>(pairs: &Pairs, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(name, number)| (name, number)))
    }

    /// Of a name that is there twice, the last counts.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Pairs::new();
                while let Some((name, number)) = map.next_entry::<String, u32>()? {
                    pairs.retain(|(known, _)| *known != name);
                    pairs.push((name, number));
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_a_client_had_is_an_object() {
        let text = r#"{"type":"resume","epoch":7,"topics":{"meters":3,"spectrum":41}}"#;
        let topics = Vec::from([("meters".to_string(), 3), ("spectrum".to_string(), 41)]);
        let message = ClientMessage::Resume { epoch: 7, topics };
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        assert_eq!(serde_json::from_str::<ClientMessage>(text).unwrap(), message);
        let twice = r#"{"type":"resume","epoch":7,"topics":{"spectrum":1,"meters":3,"spectrum":41}}"#;
        assert_eq!(serde_json::from_str::<ClientMessage>(twice).unwrap(), message);
    }
}
