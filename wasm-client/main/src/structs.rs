//! The engine's structs that options, messages and frames are made of, as JavaScript has them.

use engine_core::protocol::json::{Hello, Limits, NoteInfo, TopicInfo, TransportFrame};
#[cfg(feature = "connection")]
use engine_core::protocol::{ClientMessage, rest::LiveNote};
use engine_core::protocol::{StreamOptions, Tap};

use crate::from_js::fields;
use crate::to_js::written;
#[cfg(feature = "connection")]
use {
    crate::to_js::{Made, ToJs},
    js_sys::{Object, Reflect},
    wasm_bindgen::JsValue,
};

macro_rules! both {
    ($type:ident $fields:tt) => {
        fields!($type $fields);
        written!($type $fields);
    };
}

written!(Hello { version, epoch, sample_rate, channels, taps, topics, limits, server_time });
both!(Tap { id, name, track_id });
written!(TopicInfo { id, name });
written!(Limits {
    max_fps,
    max_message_bytes,
    max_subscriptions,
    max_messages_per_second,
    max_message_burst,
    max_unread_answers,
    max_waiting_triggers,
    max_waiting_audio_ms,
    max_active_notes,
});
#[cfg(feature = "connection")]
fields!(LiveNote { track, pitch, velocity, on });
both!(StreamOptions {
    fft_size,
    window,
    scale,
    bands,
    fraction,
    weighting,
    channels,
    min_hz,
    max_hz,
    attack_ms,
    release_ms,
    hold_ms,
    multi_resolution,
    wide,
    mode,
    samples,
    window_ms,
    ballistics,
    tap_loudness,
    points,
    kind,
    seconds,
    below_db,
    measure,
    above_lufs,
    below_lufs,
    once,
    format,
});
both!(NoteInfo { track_id, pitch, velocity });
both!(TransportFrame {
    is_playing,
    is_paused,
    is_recording,
    position_beats,
    position_seconds,
    sample_position,
    tempo,
    time_signature_num,
    time_signature_den,
    loop_enabled,
    loop_start,
    loop_end,
    metronome_enabled,
    armed_track_id,
    count_in_beats,
    active_notes,
    server_time,
    composition_revision = 0,
    discontinuity,
});

#[cfg(feature = "connection")]
impl ToJs for ClientMessage {
    fn to_js(&self) -> JsValue {
        let made = Made::new();
        let kind = match self {
            Self::Subscribe { topic, tap, fps, options } => {
                made.put("topic", topic.name());
                made.put("tap", tap);
                made.put("fps", fps);
                made.put("options", options);
                "subscribe"
            }
            Self::Unsubscribe { topic, tap, kind } => {
                made.put("topic", topic.name());
                made.put("tap", tap);
                made.put("kind", kind);
                "unsubscribe"
            }
            Self::Ping { t0 } => {
                made.put("t0", t0);
                "ping"
            }
            Self::Resume { epoch, topics } => {
                made.put("epoch", epoch);
                made.put("topics", &ByName(topics));
                "resume"
            }
            Self::Note { track, pitch, velocity, on } => {
                made.put("track", track);
                made.put("pitch", pitch);
                made.put("velocity", velocity);
                made.put("on", on);
                "note"
            }
        };
        made.put("type", kind);
        made.done()
    }
}

/// An object whose names are not ours.
#[cfg(feature = "connection")]
struct ByName<'a>(&'a [(String, u32)]);

#[cfg(feature = "connection")]
impl ToJs for ByName<'_> {
    fn to_js(&self) -> JsValue {
        let object = Object::new();
        for (name, number) in self.0 {
            // Cannot fail: the object is ours and plain.
            let _ = Reflect::set(&object, &name.to_js(), &number.to_js());
        }
        object.into()
    }
}
