//! JSON messages, parsed by the browser, as our own structs.
//!
//! Tagged enums and flattened structs are read in pieces, a struct at a time: serde would buffer them in a type of
//! its own, which is 40 KB of code.

use engine_core::analysis::ballistics::Ballistics;
use engine_core::protocol::json::{
    AnalyticsFrame, Body, Envelope, MasterMeters, MetersFrame, MusicFrame, TrackMeters,
};
use engine_core::protocol::{Tap, Topic};
use js_sys::Reflect;
use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::read::read;

/// What the connection needs of `hello`; the page gets all of it, as it came.
#[derive(Deserialize)]
pub(crate) struct HelloMessage {
    pub(crate) epoch: u16,
    pub(crate) sample_rate: u32,
    pub(crate) taps: Vec<Tap>,
}

/// `error` of the server.
#[derive(Deserialize)]
pub(crate) struct ErrorMessage {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// `pong` of the server.
#[derive(Deserialize)]
pub(crate) struct PongMessage {
    pub(crate) t0: f64,
    pub(crate) t1: f64,
    pub(crate) t2: f64,
}

/// What every frame has.
pub(crate) fn envelope(message: &JsValue) -> Option<Envelope> {
    #[derive(Deserialize)]
    struct Numbers {
        seq: u32,
        epoch: u16,
        dropped: u16,
    }
    let Numbers { seq, epoch, dropped } = read(message)?;
    Some(Envelope { seq, epoch, dropped })
}

/// The values of a frame of that topic; `None` if they are not there.
pub(crate) fn body(topic: &str, message: &JsValue) -> Option<Body> {
    match Topic::from_name(topic)? {
        Topic::Transport => read(message).map(Body::Transport),
        Topic::Meters => meters(message).map(Body::Meters),
        Topic::Spectrum => read(message).map(Body::Spectrum),
        Topic::Waveform => read(message).map(Body::Waveform),
        Topic::Analytics => {
            let (Position { sample_position }, values) = (read(message)?, read(message)?);
            Some(Body::Analytics(AnalyticsFrame { sample_position, values }))
        }
        Topic::Stereo => read(message).map(Body::Stereo),
        Topic::Music => {
            #[derive(Deserialize)]
            struct Place {
                tap: String,
                sample_position: u64,
                key_name: String,
            }
            let (Place { tap, sample_position, key_name }, values) = (read(message)?, read(message)?);
            Some(Body::Music(MusicFrame { tap, sample_position, key_name, values }))
        }
        Topic::Trigger => read(message).map(Body::Trigger),
        Topic::Audio => read(message).map(Body::Audio),
        Topic::Axis => None,
    }
}

#[derive(Deserialize)]
struct Position {
    sample_position: u64,
}

fn meters(message: &JsValue) -> Option<MetersFrame> {
    #[derive(Deserialize)]
    struct Name {
        track_id: String,
        name: String,
        lufs_momentary: Option<f32>,
        lufs_short_term: Option<f32>,
        lufs_integrated: Option<f32>,
        lra: Option<f32>,
    }
    #[derive(Deserialize)]
    struct Loudness {
        lufs_momentary: f32,
        lufs_short_term: f32,
        lufs_integrated: f32,
        lra: f32,
        correlation: f32,
    }
    #[derive(Deserialize)]
    struct Head {
        sample_position: u64,
        #[serde(default)]
        loudness_resets: u16,
        #[serde(default)]
        ballistics: Option<Ballistics>,
    }
    let Head { sample_position, loudness_resets, ballistics } = read(message)?;
    let tracks = js_sys::Array::from(&Reflect::get(message, &"tracks".into()).ok()?);
    let tracks = tracks.iter().map(|track| {
        let Name { track_id, name, lufs_momentary, lufs_short_term, lufs_integrated, lra } = read(&track)?;
        let levels = read(&track)?;
        Some(TrackMeters { track_id, name, levels, lufs_momentary, lufs_short_term, lufs_integrated, lra })
    });
    let master = Reflect::get(message, &"master".into()).ok()?;
    let Loudness { lufs_momentary, lufs_short_term, lufs_integrated, lra, correlation } = read(&master)?;
    let levels = read(&master)?;
    Some(MetersFrame {
        sample_position,
        tracks: tracks.collect::<Option<_>>()?,
        master: MasterMeters { levels, lufs_momentary, lufs_short_term, lufs_integrated, lra, correlation },
        loudness_resets,
        ballistics,
    })
}
