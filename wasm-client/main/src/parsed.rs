//! JSON messages, parsed by the browser, as our own structs.

use engine_core::control::TapId;
use engine_core::protocol::json::{
    AudioFrame, Body, Envelope, MasterMeters, MeterLevels, MetersFrame, SpectrumFrame, StereoFrame,
    TrackMeters, WaveformFrame,
};
use engine_core::protocol::{Axis, Directory, Flags, Frame, Payload, Tap, Topic};
use js_sys::JSON;
use wasm_bindgen::JsValue;

use crate::from_js::{Errors, Fields, FromJs, fields, from_js};
use crate::inbound::frame_from_body;

/// What the connection needs of `hello`; the page gets all of it, as it came.
pub(crate) struct HelloMessage {
    pub(crate) epoch: u16,
    pub(crate) sample_rate: u32,
    pub(crate) taps: Vec<Tap>,
}
fields!(HelloMessage { epoch, sample_rate, taps });

/// `pong` of the server.
pub(crate) struct PongMessage {
    pub(crate) t0: f64,
    pub(crate) t1: f64,
    pub(crate) t2: f64,
}
fields!(PongMessage { t0, t1, t2 });

/// What every frame has.
pub(crate) fn envelope(message: &JsValue) -> Option<Envelope> {
    from_js(message).ok()
}
fields!(Envelope { seq, epoch, dropped });

/// A frame of that topic, with its axis where it is a spectrum; `None` if something is missing.
pub(crate) fn frame(topic: &str, message: &JsValue, directory: &Directory) -> Option<(Frame, Option<Axis>)> {
    let body = match Topic::from_name(topic)? {
        Topic::Transport => Body::Transport(from_js(message).ok()?),
        Topic::Meters => Body::Meters(from_js(message).ok()?),
        Topic::Spectrum => Body::Spectrum(from_js(message).ok()?),
        Topic::Waveform => Body::Waveform(from_js(message).ok()?),
        Topic::Stereo => Body::Stereo(from_js(message).ok()?),
        Topic::Audio => Body::Audio(from_js(message).ok()?),
        topic @ (Topic::Analytics | Topic::Music | Topic::Trigger) => {
            return Some((text(topic, message, directory)?, None));
        }
        Topic::Axis => return None,
    };
    frame_from_body(body, directory)
}

/// A frame whose JSON the binary encoding has too, and which so is read by nobody but the page.
fn text(topic: Topic, message: &JsValue, directory: &Directory) -> Option<Frame> {
    struct Place {
        tap: Option<String>,
        sample_position: u64,
    }
    fields!(Place { tap, sample_position });
    let Place { tap, sample_position } = from_js(message).ok()?;
    let tap = tap.map_or(Some(TapId::MASTER), |tap| directory.find(&tap).ok())?;
    let text = JSON::stringify(message).ok()?.into();
    Some(Frame { tap, flags: Flags::default(), sample_position, payload: Payload::Text(topic, text) })
}

fields!(SpectrumFrame {
    tap,
    sample_position,
    sample_rate,
    fft_size,
    scale,
    channels,
    frequencies,
    magnitudes,
});
fields!(WaveformFrame {
    tap,
    sample_position,
    sample_rate,
    samples_left,
    samples_right,
    min_left,
    max_left,
    rms_left,
    min_right,
    max_right,
    rms_right,
});
fields!(StereoFrame { tap, sample_position, correlation, balance, width, points });
fields!(AudioFrame { tap, sample_position, sample_rate, discontinuity, samples_left, samples_right });
fields!(MeterLevels {
    peak_left,
    peak_right,
    rms_left,
    rms_right,
    true_peak_left,
    true_peak_right,
    clips,
    needle_left,
    needle_right,
    hold_left,
    hold_right,
});

impl FromJs for TrackMeters {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        let levels = MeterLevels::from_js(js, errors);
        let mut fields = Fields::new(js, errors);
        Self {
            track_id: fields.get("track_id"),
            name: fields.get("name"),
            levels,
            lufs_momentary: fields.get("lufs_momentary"),
            lufs_short_term: fields.get("lufs_short_term"),
            lufs_integrated: fields.get("lufs_integrated"),
            lra: fields.get("lra"),
        }
    }
}

impl FromJs for MasterMeters {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        let levels = MeterLevels::from_js(js, errors);
        let mut fields = Fields::new(js, errors);
        Self {
            levels,
            lufs_momentary: fields.get("lufs_momentary"),
            lufs_short_term: fields.get("lufs_short_term"),
            lufs_integrated: fields.get("lufs_integrated"),
            lra: fields.get("lra"),
            correlation: fields.get("correlation"),
        }
    }
}

fields!(MetersFrame { sample_position, tracks, master, loudness_resets = 0, ballistics });
