//! JSON messages, parsed by the browser, as our own structs.
//!
//! Tagged enums and flattened structs are read in pieces, a struct at a time: serde would buffer them in a type of
//! its own, which is 40 KB of code.

use engine_core::analysis::ballistics::Ballistics;
use engine_core::control::TapId;
use engine_core::protocol::json::{Body, Envelope, MasterMeters, MetersFrame, TrackMeters};
use engine_core::protocol::{Axis, Directory, Flags, Frame, Payload, Tap, Topic};
use js_sys::{JSON, Reflect};
use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::inbound::frame_from_body;
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

/// A frame of that topic, with its axis where it is a spectrum; `None` if something is missing.
pub(crate) fn frame(topic: &str, message: &JsValue, directory: &Directory) -> Option<(Frame, Option<Axis>)> {
    let body = match Topic::from_name(topic)? {
        Topic::Transport => Body::Transport(read(message)?),
        Topic::Meters => Body::Meters(meters(message)?),
        Topic::Spectrum => Body::Spectrum(read(message)?),
        Topic::Waveform => Body::Waveform(read(message)?),
        Topic::Stereo => Body::Stereo(read(message)?),
        Topic::Audio => Body::Audio(read(message)?),
        topic @ (Topic::Analytics | Topic::Music | Topic::Trigger) => {
            return Some((text(topic, message, directory)?, None));
        }
        Topic::Axis => return None,
    };
    frame_from_body(body, directory)
}

/// A frame whose JSON the binary encoding has too, and which so is read by nobody but the page.
fn text(topic: Topic, message: &JsValue, directory: &Directory) -> Option<Frame> {
    #[derive(Deserialize)]
    struct Place {
        tap: Option<String>,
        sample_position: u64,
    }
    let Place { tap, sample_position } = read(message)?;
    let tap = tap.map_or(Some(TapId::MASTER), |tap| directory.find(&tap).ok())?;
    let text = JSON::stringify(message).ok()?.into();
    Some(Frame { tap, flags: Flags::default(), sample_position, payload: Payload::Text(topic, text) })
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
        loudness_resets: Option<u16>,
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
        // Absent of servers that cannot start it anew.
        loudness_resets: loudness_resets.unwrap_or_default(),
        ballistics,
    })
}
