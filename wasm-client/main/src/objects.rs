//! Frames as JavaScript objects. Those that come often keep their object and its arrays: a picture 60 times a
//! second should not make garbage 60 times a second.

use engine_core::protocol::json::{
    AudioFrame, Body, Envelope, MeterLevels, MetersFrame, SpectrumFrame, StereoFrame, WaveformFrame,
};
use js_sys::{Array, Float32Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::clock::Heard;
use crate::names::{get, name, number, set};
use crate::slots::{Content, SlotKey, Slots};
use crate::to_js::ToJs;

/// A frame as an object that nobody reuses.
#[cfg(feature = "local")]
pub(crate) fn fresh(envelope: &Envelope, body: Body) -> JsValue {
    FrameObject::new().update(envelope, &Content::Body(Box::new(body)))
}

/// The objects that were handed out, by stream.
#[derive(Default)]
pub(crate) struct Objects {
    objects: Vec<(SlotKey, FrameObject)>,
}

/// A playhead, in an object that is reused: it is asked for at every animation frame.
#[derive(Default)]
pub(crate) struct HeardObject(Option<Object>);

impl HeardObject {
    pub(crate) fn update(&mut self, heard: Option<Heard>) -> JsValue {
        let Some(heard) = heard else { return JsValue::NULL };
        let object = self.0.get_or_insert_with(Object::new);
        number(object, "position_beats", heard.beats);
        number(object, "position_seconds", heard.seconds);
        number(object, "sample_position", heard.sample);
        set(object, "is_playing", &heard.is_playing.into());
        object.clone().into()
    }
}

struct FrameObject {
    object: Object,
    arrays: Vec<(&'static str, Float32Array)>,
    /// Of stereo: a view of two numbers for each point, into one array.
    points: Vec<f32>,
    /// Of meters: an object for each tap; their ids, to see when others are needed.
    tracks: Vec<(String, Object)>,
}

impl Objects {
    /// Forgets all: the taps changed.
    pub(crate) fn clear(&mut self) {
        self.objects.clear();
    }

    /// The objects of all frames that were not drained before.
    pub(crate) fn drain(&mut self, slots: &mut Slots) -> Array {
        let drained = Array::new();
        slots.drain(&mut |key, envelope, content| {
            drained.push(&self.update(key, envelope, &content));
        });
        drained
    }

    /// The objects of triggers and audio that were not drained before.
    pub(crate) fn drain_queue(&mut self, slots: &mut Slots) -> Array {
        let drained = Array::new();
        slots.drain_queue(&mut |key, envelope, content| {
            drained.push(&self.update(key, envelope, &content));
        });
        drained
    }

    /// The object of a stream, with the values of its newest frame.
    fn update(&mut self, key: SlotKey, envelope: &Envelope, content: &Content<'_>) -> JsValue {
        let idx = self.objects.iter().position(|(its, _)| *its == key).unwrap_or_else(|| {
            self.objects.push((key, FrameObject::new()));
            self.objects.len() - 1
        });
        self.objects[idx].1.update(envelope, content)
    }
}

impl FrameObject {
    fn new() -> Self {
        Self { object: Object::new(), arrays: Vec::new(), points: Vec::new(), tracks: Vec::new() }
    }

    fn update(&mut self, envelope: &Envelope, content: &Content<'_>) -> JsValue {
        let topic = match content {
            Content::Body(body) => self.body(body),
            Content::Text { topic, text, tap, sample_position } => {
                let name = self.text(topic.name(), text, *sample_position);
                if let Some(tap) = tap {
                    set(&self.object, "tap", &JsValue::from_str(tap));
                }
                name
            }
        };
        set(&self.object, "type", &name(topic));
        number(&self.object, "seq", f64::from(envelope.seq));
        number(&self.object, "epoch", f64::from(envelope.epoch));
        number(&self.object, "dropped", f64::from(envelope.dropped));
        self.object.clone().into()
    }

    fn body(&mut self, body: &Body) -> &'static str {
        match body {
            Body::Spectrum(frame) => self.spectrum(frame),
            Body::Waveform(frame) => self.waveform(frame),
            Body::Meters(frame) => self.meters(frame),
            Body::Stereo(frame) => self.stereo(frame),
            Body::Audio(frame) => self.audio(frame),
            // A few a second, of any shape: a fresh object.
            Body::Transport(frame) => self.replace("transport", frame.to_js()),
            Body::Music(_) | Body::Trigger(_) | Body::Analytics(_) => {
                unreachable!("these are decoded as text")
            }
        }
    }

    fn text(&mut self, name: &'static str, text: &str, sample_position: u64) -> &'static str {
        let parsed =
            JSON::parse(text).ok().filter(JsValue::is_object).unwrap_or_else(|| Object::new().into());
        let name = self.replace(name, parsed);
        number(&self.object, "sample_position", sample_position as f64);
        name
    }

    fn replace(&mut self, name: &'static str, values: JsValue) -> &'static str {
        self.object = values.unchecked_into();
        name
    }

    fn spectrum(&mut self, frame: &SpectrumFrame) -> &'static str {
        let object = &self.object;
        set(object, "tap", &JsValue::from_str(&frame.tap));
        number(object, "sample_position", frame.sample_position as f64);
        number(object, "sample_rate", f64::from(frame.sample_rate));
        number(object, "fft_size", f64::from(frame.fft_size));
        set(object, "scale", &JsValue::from_str(&frame.scale));
        number(object, "channels", f64::from(frame.channels));
        self.array("frequencies", Some(&frame.frequencies));
        self.array("magnitudes", Some(&frame.magnitudes));
        "spectrum"
    }

    fn waveform(&mut self, frame: &WaveformFrame) -> &'static str {
        set(&self.object, "tap", &JsValue::from_str(&frame.tap));
        number(&self.object, "sample_position", frame.sample_position as f64);
        number(&self.object, "sample_rate", f64::from(frame.sample_rate));
        self.array("samples_left", frame.samples_left.as_deref());
        self.array("samples_right", frame.samples_right.as_deref());
        self.array("min_left", frame.min_left.as_deref());
        self.array("max_left", frame.max_left.as_deref());
        self.array("rms_left", frame.rms_left.as_deref());
        self.array("min_right", frame.min_right.as_deref());
        self.array("max_right", frame.max_right.as_deref());
        self.array("rms_right", frame.rms_right.as_deref());
        "waveform"
    }

    fn stereo(&mut self, frame: &StereoFrame) -> &'static str {
        let object = &self.object;
        set(object, "tap", &JsValue::from_str(&frame.tap));
        number(object, "sample_position", frame.sample_position as f64);
        number(object, "correlation", frame.correlation.into());
        number(object, "balance", frame.balance.into());
        number(object, "width", frame.width.into());
        self.points.clear();
        self.points.extend(frame.points.iter().flatten());
        let is_same = self.arrays.first().is_some_and(|(_, all)| all.length() as usize == self.points.len());
        if is_same {
            self.arrays[0].1.copy_from(&self.points);
        } else {
            let all = Float32Array::from(&self.points[..]);
            let views = (0..all.length()).step_by(2).map(|at| all.subarray(at, at + 2));
            set(&self.object, "points", &views.collect::<Array>());
            self.arrays = vec![("points", all)];
        }
        "stereo"
    }

    /// Several may come at once, and none replaces another: fresh objects.
    fn audio(&mut self, frame: &AudioFrame) -> &'static str {
        self.replace("audio", Object::new().into());
        set(&self.object, "tap", &JsValue::from_str(&frame.tap));
        number(&self.object, "sample_position", frame.sample_position as f64);
        number(&self.object, "sample_rate", f64::from(frame.sample_rate));
        set(&self.object, "discontinuity", &frame.discontinuity.into());
        set(&self.object, "samples_left", &Float32Array::from(&frame.samples_left[..]));
        set(&self.object, "samples_right", &Float32Array::from(&frame.samples_right[..]));
        "audio"
    }

    fn meters(&mut self, frame: &MetersFrame) -> &'static str {
        let ids_match = self.tracks.len() == frame.tracks.len()
            && self.tracks.iter().zip(&frame.tracks).all(|((id, _), track)| *id == track.track_id);
        // Without ballistics objects have no needles: others are made when that changes.
        let has_needles = !get(&self.object, "ballistics").is_undefined();
        if !ids_match
            || has_needles != frame.ballistics.is_some()
            || !Reflect::has(&self.object, &"master".into()).unwrap_or(false)
        {
            let object = |track: &_| (Clone::clone(track), Object::new());
            self.tracks = frame.tracks.iter().map(|track| object(&track.track_id)).collect();
            let array: Array = self.tracks.iter().map(|(_, object)| object).collect();
            for ((_, object), track) in self.tracks.iter().zip(&frame.tracks) {
                set(object, "track_id", &JsValue::from_str(&track.track_id));
                set(object, "name", &JsValue::from_str(&track.name));
            }
            set(&self.object, "tracks", &array);
            set(&self.object, "master", &Object::new());
        }
        number(&self.object, "sample_position", frame.sample_position as f64);
        number(&self.object, "loudness_resets", frame.loudness_resets.into());
        for ((_, object), track) in self.tracks.iter().zip(&frame.tracks) {
            levels(object, &track.levels);
            let loudness = [
                ("lufs_momentary", track.lufs_momentary),
                ("lufs_short_term", track.lufs_short_term),
                ("lufs_integrated", track.lufs_integrated),
                ("lra", track.lra),
            ];
            for (name, value) in loudness {
                if let Some(value) = value {
                    number(object, name, value.into());
                }
            }
        }
        let master: Object = get(&self.object, "master").unchecked_into();
        levels(&master, &frame.master.levels);
        number(&master, "lufs_momentary", frame.master.lufs_momentary.into());
        number(&master, "lufs_short_term", frame.master.lufs_short_term.into());
        number(&master, "lufs_integrated", frame.master.lufs_integrated.into());
        number(&master, "lra", frame.master.lra.into());
        number(&master, "correlation", frame.master.correlation.into());
        if has_needles || frame.ballistics.is_some() {
            set(&self.object, "ballistics", &frame.ballistics.to_js());
        }
        "meters"
    }

    fn array(&mut self, name: &'static str, values: Option<&[f32]>) {
        let idx = self.arrays.iter().position(|(its, _)| *its == name);
        match (values, idx) {
            (None, None) => {}
            (None, Some(idx)) => {
                self.arrays.swap_remove(idx);
                set(&self.object, name, &JsValue::UNDEFINED);
            }
            (Some(values), Some(idx)) if self.arrays[idx].1.length() as usize == values.len() => {
                self.arrays[idx].1.copy_from(values);
            }
            (Some(values), idx) => {
                let array = Float32Array::from(values);
                set(&self.object, name, &array);
                match idx {
                    Some(idx) => self.arrays[idx].1 = array,
                    None => self.arrays.push((name, array)),
                }
            }
        }
    }
}

fn levels(object: &Object, levels: &MeterLevels) {
    number(object, "peak_left", levels.peak_left.into());
    number(object, "peak_right", levels.peak_right.into());
    number(object, "rms_left", levels.rms_left.into());
    number(object, "rms_right", levels.rms_right.into());
    number(object, "true_peak_left", levels.true_peak_left.into());
    number(object, "true_peak_right", levels.true_peak_right.into());
    number(object, "clips", levels.clips.into());
    let optional = |name, value: Option<f32>| value.into_iter().for_each(|x| number(object, name, x.into()));
    optional("needle_left", levels.needle_left);
    optional("needle_right", levels.needle_right);
    optional("hold_left", levels.hold_left);
    optional("hold_right", levels.hold_right);
}
