//! 64 voices of saw → filter → gain, rendered offline by the whole engine (with its envelopes, strip, mixer and
//! true-peak limiter, in stereo) and by graphs of others that do the three stages and nothing else, in mono.

use std::hint::black_box;

use engine_core::buffer::StereoBlock;
use engine_core::composition::{
    BandShape, Clip, Composition, CompositionSpec, Compressor, Delay, Effect, EqualiserBand, Instrument,
    Note, Reverb, Track,
};
use engine_core::control::{Command, Program, Quantum, StripChange, StripTarget, TapId};
use engine_core::dsp::blep::EdgeTable;
use engine_core::dsp::mix::{LEAD_SPANS, Mix, MixRest};
use engine_core::dsp::noise::Noise;
use engine_core::dsp::oscillator::{Oscillator, Wave};
use engine_core::dsp::phase::step_from_turns;
use engine_core::engine::{Engine, Project};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic};
use engine_core::units::{PPQ, QUANTUM, SPAN, SampleRate};
use fundsp::prelude32::{AudioUnit, BufferVec, Net, lowpass_hz, saw_hz};
use uuid::Uuid;
use web_audio_api::context::{BaseAudioContext, OfflineAudioContext};
use web_audio_api::node::{AudioNode, AudioScheduledSourceNode, BiquadFilterType, OscillatorType};

use crate::compare::{Case, Goal, Table};

const N_VOICES: u8 = 64;
/// C2 to E♭7.
const LOWEST_PITCH: u8 = 36;
const RATE: f32 = 48_000.0;
/// Long against the making of a graph or an engine, which each run does anew.
const SECONDS: usize = 10;
const N_FRAMES: usize = SECONDS * RATE as usize;
/// Of the saw whose aliases are measured: they fall on other multiples of 1 kHz than its partials do.
const ALIAS_HZ: f32 = 5_000.0;

pub fn run(table: &mut Table) {
    write_quantum_scenario().expect("the target folder can be written");
    let name = "64 voices of saw, filter, gain";
    let note = "Ours is the whole engine in stereo, with envelopes, a moving filter, mixer and a limiter that rests at this level; \
                theirs the three stages in mono.";
    let case = |peer, times| Case { name, peer, goal: Goal::AtLeast(times), note };
    let program = program();
    table.compare(&case("web-audio-api", 4.0), || whole_engine(&program), web_audio);
    table.compare(&case("fundsp", 5.0), || whole_engine(&program), fundsp);

    let ours = alias_db(&our_saw());
    for (peer, level) in [
        ("web-audio-api", alias_db(&web_audio_saws(&[ALIAS_HZ], N_FRAMES, None))),
        ("fundsp", alias_db(&fundsp_saw())),
    ] {
        let name = "strongest alias of a 5 kHz saw, of the peer";
        table.value(&Case { name, peer, goal: Goal::None, note: "" }, "dB", vec![level]);
        let name = "the same, ours above the peer's";
        table.value(&Case { name, peer, goal: Goal::AtMost(0.0), note: "" }, "dB", vec![ours - level]);
    }
    let case =
        Case { name: "strongest alias of a 5 kHz saw", peer: "ours", goal: Goal::AtMost(-60.0), note: "" };
    table.value(&case, "dB", vec![ours]);

    let case = Case {
        name: "every effect, limiter and meters: the tail after an impulse",
        peer: "noise",
        // It may cost 1.2 times as much.
        goal: Goal::AtLeast(0.833),
        note: "Arithmetic with denormals would make the tail several times slower.",
    };
    let (mut ours, mut peer) = (Effects::new(), Effects::new());
    table.compare(&case, || ours.tail(), || peer.noise());
}

/// A chord of all pitches that lasts.
fn program() -> Program {
    let length = (SECONDS as u32 + 1) * 2 * PPQ;
    let note = |i| Note { pitch: LOWEST_PITCH + i, velocity: 100, start: 0, length };
    let clip = Clip::new(0, length, (0..N_VOICES).map(note).collect());
    // The level of the peers' gains, 1/64: a mix at which the limiter rests, as it should.
    // GM programme 82: one saw through a low-pass that an envelope moves.
    let track = Track { clips: vec![clip], gain_db: -17.0, ..Track::new("saws", Instrument::program(81)) };
    Program::compile(&composition(length, vec![track]))
}

pub fn composition(length: u32, tracks: Vec<Track>) -> Composition {
    let mut spec = CompositionSpec { name: "bench".into(), length, tracks, ..CompositionSpec::default() };
    let mut id = 0;
    spec.assign_ids(|| {
        id += 1;
        Uuid::from_u128(id)
    });
    Composition::new(spec).expect("the composition is valid")
}

pub fn engine(program: Program) -> Engine {
    let mut engine = Engine::new(SampleRate::DEFAULT);
    engine.load(Box::new(Project::new(program, SampleRate::DEFAULT)));
    engine.command(Command::Play);
    engine
}

fn whole_engine(program: &Program) {
    let mut engine = engine(program.clone());
    let mut quantum = Quantum::new();
    for _ in 0..N_FRAMES / QUANTUM {
        engine.process(None, &mut quantum);
        black_box(&quantum.master);
    }
    assert_eq!(quantum.n_voices, u16::from(N_VOICES));
}

fn frequencies() -> Vec<f32> {
    let hz = |i: u8| 440.0 * ((f32::from(LOWEST_PITCH + i) - 69.0) / 12.0).exp2();
    (0..N_VOICES).map(hz).collect()
}

fn cutoff(hz: f32) -> f32 {
    (hz * 5.0).min(20_000.0)
}

fn web_audio() {
    black_box(web_audio_saws(&frequencies(), N_FRAMES, Some(1.0 / 64.0)));
}

/// Saws, each through a filter and a gain if there is one.
fn web_audio_saws(frequencies: &[f32], n_frames: usize, gain: Option<f32>) -> Vec<f32> {
    let mut context = OfflineAudioContext::new(1, n_frames, RATE);
    for &hz in frequencies {
        let mut saw = context.create_oscillator();
        saw.set_type(OscillatorType::Sawtooth);
        saw.frequency().set_value(hz);
        saw.start();
        let Some(level) = gain else {
            saw.connect(&context.destination());
            continue;
        };
        let mut filter = context.create_biquad_filter();
        filter.set_type(BiquadFilterType::Lowpass);
        filter.frequency().set_value(cutoff(hz));
        let gain = context.create_gain();
        gain.gain().set_value(level);
        saw.connect(&filter);
        filter.connect(&gain);
        gain.connect(&context.destination());
    }
    context.start_rendering_sync().get_channel_data(0).to_vec()
}

fn fundsp() {
    let voice = |hz: f32| Net::wrap(Box::new(saw_hz(hz) >> (lowpass_hz(cutoff(hz), 0.9) * (1.0 / 64.0))));
    let voices = frequencies().into_iter().map(voice).reduce(|sum, voice| sum + voice);
    let mut net = voices.expect("there are voices");
    net.set_sample_rate(f64::from(RATE));
    net.allocate();
    let (input, mut output) = (BufferVec::new(0), BufferVec::new(1));
    const BLOCK: usize = 64;
    for _ in 0..N_FRAMES / BLOCK {
        net.process(BLOCK, &input.buffer_ref(), &mut output.buffer_mut());
        black_box(output.channel_f32(0));
    }
}

fn fundsp_saw() -> Vec<f32> {
    let mut saw = saw_hz(ALIAS_HZ);
    saw.set_sample_rate(f64::from(RATE));
    (0..N_FRAMES).map(|_| saw.get_mono()).collect()
}

fn our_saw() -> Vec<f32> {
    let (edges, mut mix, mut rest) = (EdgeTable::new(), Mix::SILENCE, MixRest::SILENCE);
    let step = step_from_turns(ALIAS_HZ / RATE);
    let mut saw = Oscillator::new(Wave::Saw, 0.0, step, 0);
    let mut out = Vec::with_capacity(N_FRAMES);
    for span in 0..N_FRAMES / SPAN + LEAD_SPANS {
        mix.begin::<1>(&rest, 1);
        saw.render::<1>(Wave::Saw, step, &edges, &mut mix, 0, [1.0; 2]);
        mix.end::<1>(&mut rest, 1);
        if span >= LEAD_SPANS {
            out.extend_from_slice(mix.channels(1).0);
        }
    }
    out
}

/// The strongest multiple of 1 kHz that is no partial of 5 kHz, against the fundamental.
fn alias_db(samples: &[f32]) -> f64 {
    // A second from the middle: whole periods of all of them.
    let second = &samples[samples.len() / 2..][..RATE as usize];
    let level = |hz: u32| {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in (0u64..).zip(second) {
            let turns = (u64::from(hz) * i % RATE as u64) as f64 / f64::from(RATE);
            let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
            re += f64::from(*x) * cos;
            im += f64::from(*x) * sin;
        }
        re.hypot(im)
    };
    let strongest = (1..24).filter(|khz| khz % 5 != 0).map(|khz| level(khz * 1_000)).fold(0.0, f64::max);
    20.0 * (strongest / level(ALIAS_HZ as u32)).log10()
}

/// What the WebAssembly section plays: messages to the worklet's module, as the bytes that it takes.
fn write_quantum_scenario() -> std::io::Result<()> {
    let length = 600 * PPQ;
    // All that sustain, one a strip, two notes each.
    let programs = [19, 33, 48, 52, 61, 65, 73, 80, 81, 82, 86, 88, 95, 20, 40, 56];
    let tracks = programs.map(|program| {
        let notes = [45, 64].map(|pitch| Note { pitch, velocity: 100, start: 0, length });
        Track {
            clips: vec![Clip::new(0, length, notes.to_vec())],
            ..Track::new("t", Instrument::program(program))
        }
    });
    let program = Program::compile(&composition(length, tracks.to_vec()));
    let meters = Subscription::new(Topic::Meters, TapId::MASTER, Some(60), &StreamOptions::default());
    let meters = meters.expect("the options are in range");
    let bytes = |result: postcard::Result<Vec<u8>>| result.expect("a message has bytes");
    let scenario = serde_json::json!({
        "sample_rate": SampleRate::DEFAULT.hz(),
        "load": bytes(postcard::to_allocvec(&program)),
        "subscribe": bytes(postcard::to_allocvec(&meters)),
        "command": bytes(postcard::to_allocvec(&Command::Play)),
    });
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder)?;
    std::fs::write(format!("{folder}/quantum.json"), scenario.to_string())
}

/// An engine whose input goes through every effect with a memory, and on into the meters.
struct Effects {
    engine: Engine,
    feed: Feed,
    quantum: Quantum,
    noise: Noise,
}

impl Effects {
    /// Long enough for the shortest reverb to fall through all that an f32 can hold, 760 dB.
    const N_QUANTA: usize = 3 * RATE as usize / QUANTUM;

    fn new() -> Self {
        let mut spec = composition(PPQ, Vec::new()).into_spec();
        let bands = vec![EqualiserBand { shape: BandShape::LowShelf, hz: 40.0, gain_db: 6.0, q: 0.7 }];
        spec.master.effects = vec![
            Effect::Equaliser { bands },
            Effect::Compressor(Compressor::default()),
            Effect::Delay(Delay { time_ms: 20.0, ..Delay::default() }),
            Effect::Reverb(Reverb { decay_seconds: 0.2, ..Reverb::default() }),
        ];
        let composition = Composition::new(spec).expect("the composition is valid");
        let mut engine = engine(Program::compile(&composition));
        engine.command(Command::SetStrip { target: StripTarget::Input, change: StripChange::GainDb(0.0) });
        let mut feed = Feed::new(SampleRate::DEFAULT);
        let meters = Subscription::new(Topic::Meters, TapId::MASTER, None, &StreamOptions::default());
        feed.subscribe(&meters.expect("the options are in range")).expect("it is the first");
        Self { engine, feed, quantum: Quantum::new(), noise: Noise::new(1) }
    }

    fn run(&mut self, mut input: impl FnMut(&mut Noise, usize) -> f32) {
        let mut block = StereoBlock::SILENCE;
        for n in 0..Self::N_QUANTA {
            let noise = &mut self.noise;
            block.left = std::array::from_fn(|i| input(noise, n * QUANTUM + i));
            block.right = block.left;
            self.engine.process(Some(&block), &mut self.quantum);
            self.feed.process(&self.quantum, &mut |_, frame| {
                black_box(frame);
            });
        }
    }

    fn tail(&mut self) {
        self.run(|noise, i| black_box(noise.sample()) * if i == 0 { 0.5 } else { 0.0 });
    }

    fn noise(&mut self) {
        self.run(|noise, _| noise.sample() * 0.05);
    }
}
