//! What the parity test plays: messages to the worklet at fixed quanta, as the bytes that it takes.

use antiphon_worklet::Worklet;
use engine_core::analysis::ballistics::Ballistics;
use engine_core::analysis::spectrum::{Scale, Weighting};
use engine_core::analysis::trigger::TriggerKind;
use engine_core::analysis::waveform::WaveformMode;
use engine_core::buffer::StereoBlock;
use engine_core::composition::midi;
use engine_core::control::{Command, Program, StripChange, StripTarget, TapId};
use engine_core::protocol::{StreamOptions, Subscription, Topic};
use engine_core::units::{PPQ, QUANTUM};
use serde::Serialize;

use crate::recording::Recording;

/// A message to the worklet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Replaces the program.
    Load,
    /// Commands.
    Command,
    /// Starts a stream.
    Subscribe,
}

/// A message, and when it is given.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Before the quantum of this number is rendered.
    pub quantum: u32,
    /// What kind of message.
    pub call: Call,
    /// For subscriptions.
    pub lane: usize,
    /// Postcard.
    pub bytes: Vec<u8>,
}

/// A performance that is the same wherever it is played. Its JSON is what `parity/player.mjs` reads.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// Frames per second.
    pub sample_rate: u32,
    /// Number in the frames' headers.
    pub epoch: u16,
    /// How long it is.
    pub n_quanta: u32,
    /// First quantum that has input, and the one after the last.
    pub input: (u32, u32),
    /// Else the input is measured, and nothing plays.
    pub has_engine: bool,
    /// In the order of their quanta.
    pub steps: Vec<Step>,
}

/// Lanes that the scenario uses.
pub const N_LANES: usize = 3;

impl Scenario {
    /// Ten seconds of a MIDI file, with every topic subscribed, every instrument heard and every command
    /// given.
    pub fn new(midi_file: &[u8]) -> Self {
        let composition = midi::import(midi_file, "antiphon").expect("the bundled composition is valid");
        let sample_rate = 48_000;
        let second = |seconds: f64| (seconds * f64::from(sample_rate)) as u32 / QUANTUM as u32;
        let load = postcard::to_allocvec(&Program::compile(&composition)).expect("a program has bytes");
        let mut steps = vec![Step { quantum: 0, call: Call::Load, lane: 0, bytes: load }];
        steps.extend(subscriptions().into_iter().map(|(_, step)| step));
        steps.extend(performance().into_iter().map(|(seconds, command)| Step {
            quantum: second(seconds),
            call: Call::Command,
            lane: 0,
            bytes: postcard::to_allocvec(&command).expect("a command has bytes"),
        }));
        let input = (second(8.0), second(9.5));
        Self { sample_rate, epoch: 7, n_quanta: second(10.0), input, has_engine: true, steps }
    }

    /// With the streams of these topics only, played and then measured without an engine. Meters have needles where there
    /// are waveforms, which are of the same part.
    pub fn of(&self, topics: &[Topic]) -> [Self; 2] {
        let streams = subscriptions().into_iter().filter(|(topic, _)| topics.contains(topic));
        let mut streams: Vec<_> = streams.map(|(_, step)| step).collect();
        if topics.contains(&Topic::Waveform) {
            let needles = StreamOptions { ballistics: Some(Ballistics::Vu), ..StreamOptions::default() };
            streams.push(stream(2, Topic::Meters, TapId::MASTER, None, &needles));
        }
        let performance = self.steps.iter().filter(|step| step.call != Call::Subscribe);
        let played = Self { steps: performance.chain(&streams).cloned().collect(), ..self.clone() };
        [played, Self { input: (0, self.n_quanta), has_engine: false, steps: streams, ..self.clone() }]
    }

    /// Plays it natively.
    pub fn play(&self) -> Recording {
        let make = if self.has_engine { Worklet::new } else { Worklet::measuring };
        let mut worklet = make(self.sample_rate, self.epoch).expect("48 kHz is played");
        let mut recording = Recording::default();
        for quantum in 0..self.n_quanta {
            for step in self.steps.iter().filter(|step| step.quantum == quantum) {
                match step.call {
                    Call::Load => worklet.load(&step.bytes).expect("the program is valid"),
                    Call::Command => worklet.command(&step.bytes).expect("the command is valid"),
                    Call::Subscribe => {
                        worklet.subscribe(step.lane, &step.bytes).expect("the options are valid");
                    }
                }
            }
            let input = (self.input.0..self.input.1).contains(&quantum).then(|| input(quantum));
            worklet.render(input.as_ref(), f64::from(quantum) * 128.0 / 48.0);
            recording.push_audio(worklet.master());
            for lane in 0..N_LANES {
                recording.push_frames(worklet.frames(lane));
            }
        }
        recording
    }
}

/// A saw and its half, of values that floats hold exactly, so that `player.mjs` makes the same ones.
fn input(quantum: u32) -> StereoBlock {
    let mut block = StereoBlock::SILENCE;
    for idx in 0..QUANTUM {
        let sample = ((quantum as usize * QUANTUM + idx) % 96) as f32 / 64.0 - 0.5;
        block.left[idx] = sample;
        block.right[idx] = sample / 2.0;
    }
    block
}

fn stream(lane: usize, topic: Topic, tap: TapId, fps: Option<u16>, options: &StreamOptions) -> Step {
    let subscription = Subscription::new(topic, tap, fps, options).expect("the options are in range");
    let bytes = postcard::to_allocvec(&subscription).expect("a subscription has bytes");
    Step { quantum: 0, call: Call::Subscribe, lane, bytes }
}

fn subscriptions() -> Vec<(Topic, Step)> {
    let mut steps = Vec::new();
    let mut add = |lane, topic, tap, fps, options: StreamOptions| {
        steps.push((topic, stream(lane, topic, tap, fps, &options)));
    };
    let loud = StreamOptions {
        kind: Some(TriggerKind::Loudness),
        above_lufs: Some(-20.0),
        once: Some(false),
        ..StreamOptions::default()
    };
    for topic in Topic::STREAMS {
        let options = if topic == Topic::Trigger { loud.clone() } else { StreamOptions::default() };
        add(0, topic, TapId::MASTER, None, options);
    }
    let spectrum = |options| (Topic::Spectrum, options);
    let waveform = |options| (Topic::Waveform, options);
    let default = StreamOptions::default;
    for (lane, tap, (topic, options)) in [
        (0, TapId::track(0), spectrum(StreamOptions { fft_size: Some(1024), ..default() })),
        (
            1,
            TapId::MASTER,
            spectrum(StreamOptions {
                fft_size: Some(8192),
                scale: Some(Scale::Mel),
                channels: Some(2),
                wide: Some(true),
                weighting: Some(Weighting::A),
                ..default()
            }),
        ),
        (
            1,
            TapId::INPUT,
            spectrum(StreamOptions { scale: Some(Scale::Octave), fraction: Some(3), ..default() }),
        ),
        (
            2,
            TapId::MASTER,
            spectrum(StreamOptions { scale: Some(Scale::Linear), fft_size: Some(256), ..default() }),
        ),
        (2, TapId::INPUT, spectrum(StreamOptions { scale: Some(Scale::Bark), ..default() })),
        (1, TapId::MASTER, waveform(StreamOptions { mode: Some(WaveformMode::Buckets), ..default() })),
        (0, TapId::INPUT, waveform(default())),
    ] {
        add(lane, topic, tap, Some(60), options);
    }
    steps
}

/// Seconds and commands, in order: all sections of the piece, all kinds of commands.
fn performance() -> Vec<(f64, Command)> {
    let bar = |number: u32| f64::from((number - 1) * 4 * PPQ);
    let strip = |track, change| Command::SetStrip { target: StripTarget::Track(track), change };
    let master = |change| Command::SetStrip { target: StripTarget::Master, change };
    let input = |change| Command::SetStrip { target: StripTarget::Input, change };
    vec![
        (0.0, Command::Play),
        (1.5, Command::SetMetronome { enabled: true }),
        (2.0, Command::Locate { tick: bar(6) }),
        (2.5, strip(0, StripChange::Pan(-0.3))),
        (3.0, Command::SetTempo { at_tick: bar(6), bpm: 147.0 }),
        (3.5, strip(1, StripChange::GainDb(-7.5))),
        (4.0, Command::Locate { tick: bar(14) }),
        (4.1, Command::SetMetronome { enabled: false }),
        (4.5, strip(7, StripChange::Mute(true))),
        (5.0, strip(7, StripChange::Mute(false))),
        (5.2, strip(4, StripChange::Solo(true))),
        (5.6, strip(4, StripChange::Solo(false))),
        (6.0, Command::SetLoop { enabled: true, start: bar(25) as u32, end: bar(26) as u32 }),
        (6.0, Command::Locate { tick: bar(25) + 0.25 }),
        (7.0, master(StripChange::GainDb(3.0))),
        (7.5, Command::Pause),
        (7.7, Command::NoteOn { track: 3, pitch: 64, velocity: 90 }),
        (8.0, input(StripChange::GainDb(-6.0))),
        (8.2, Command::NoteOff { track: 3, pitch: 64 }),
        (8.5, Command::Resume),
        (9.7, Command::Stop),
    ]
}
