//! Compositions and players that the tests share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod click;
pub(crate) mod conformance;
pub(crate) mod tones;
pub(crate) mod true_peak;

use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::control::{Program, Quantum};
use engine_core::dsp::limiter;
use engine_core::engine::{Engine, Project};
use engine_core::time::{TempoMap, TempoPoint};
use engine_core::units::{PPQ, QUANTUM, SampleRate};
use uuid::Uuid;

pub(crate) const DRUMS: Instrument = Instrument::drums();
pub(crate) const ORGAN: Instrument = Instrument::program(19);

pub(crate) fn note(pitch: u8, start: u32, length: u32) -> Note {
    Note { pitch, velocity: 100, start, length }
}

pub(crate) fn track(instrument: Instrument, notes: &[Note]) -> Track {
    let length = notes.iter().map(|n| n.start + n.length).max().unwrap_or(1);
    Track { clips: vec![Clip::new(0, length, notes.to_vec())], ..Track::new("Track", instrument) }
}

/// `tempo` is (tick, bpm).
pub(crate) fn composition(beats: u32, tempo: &[(u32, f64)], tracks: Vec<Track>) -> Composition {
    let points = tempo.iter().map(|&(tick, bpm)| TempoPoint { tick, bpm }).collect();
    let mut spec = CompositionSpec {
        name: "Test".into(),
        tempo: TempoMap::new(points).unwrap(),
        length: beats * PPQ,
        tracks,
        ..CompositionSpec::default()
    };
    let mut id = 0;
    spec.assign_ids(|| {
        id += 1;
        Uuid::from_u128(id)
    });
    Composition::new(spec).unwrap()
}

/// What an engine plays the composition with.
pub(crate) fn project(rate: u32, composition: &Composition) -> Box<Project> {
    Box::new(Project::new(Program::compile(composition), SampleRate::new(rate).unwrap()))
}

/// An engine with the composition loaded.
pub(crate) fn engine(rate: u32, composition: &Composition) -> Engine {
    let mut engine = Engine::new(SampleRate::new(rate).unwrap());
    engine.load(project(rate, composition));
    engine
}

/// Plays `n` quanta; returns the left channel of the master, without the limiter's delay.
pub(crate) fn play(engine: &mut Engine, n: usize) -> Vec<f32> {
    let mut quantum = Quantum::new();
    let mut out = Vec::with_capacity(n * QUANTUM);
    for _ in 0..n {
        engine.process(None, &mut quantum);
        out.extend(quantum.master.left);
    }
    out.drain(..limiter::DELAY);
    out
}
