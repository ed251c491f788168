//! Renders a composition faster than it sounds: for files, not for ears.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use uuid::Uuid;

use super::{Engine, Project};
use crate::buffer::StereoBlock;
use crate::composition::{Composition, Effect};
use crate::control::{Command, PlayState, Program, Quantum, Sample};
use crate::math::{gain_from_db, wide};
use crate::units::{QUANTUM, SampleRate};

/// What is quieter than this, dBFS, is the end of a tail.
pub const TAIL_DB: f32 = -90.0;
/// Longest tail by default.
pub const DEFAULT_TAIL_SECONDS: f64 = 30.0;

/// A composition as a row of blocks: the master's bits as an engine plays them live from the start, the
/// limiter's delay included.
///
/// It ends when, after the composition's end, what sounds on (releases, echoes, reverb) has fallen below
/// [`TAIL_DB`] for longer than any echo takes, and then at the last block above it; at the latest `tail_seconds` after
/// the end. Allocates and takes its time: not for the audio thread.
pub struct Render {
    engine: Engine,
    quantum: Box<Quantum>,
    /// Blocks below the threshold, held back until a louder one shows that they are not the end.
    quiet: VecDeque<StereoBlock>,
    /// Blocks that come before what is held back.
    ready: VecDeque<StereoBlock>,
    /// Quiet blocks that make an end.
    patience: usize,
    threshold: f32,
    n_rendered: u64,
    /// Frames of the composition itself, and of composition and longest tail.
    n_frames: u64,
    max_frames: u64,
    has_ended: bool,
}

impl Render {
    /// A render at `rate`. `find` fetches samples, at that rate; what is missing is silent.
    pub fn new(
        composition: &Composition,
        find: impl FnMut(&Uuid) -> Option<Arc<Sample>>,
        rate: SampleRate,
        tail_seconds: f64,
    ) -> Self {
        let mut program = Program::compile(composition);
        program.resolve(find);
        let frames = |seconds| frames(seconds, rate);
        let n_frames = n_frames(composition, rate);
        let mut engine = Engine::new(rate);
        engine.load(Box::new(Project::new(program, rate)));
        engine.command(Command::Play);
        Self {
            engine,
            quantum: Box::default(),
            quiet: VecDeque::new(),
            ready: VecDeque::new(),
            patience: frames(longest_gap(composition)) as usize / QUANTUM + 1,
            threshold: gain_from_db(TAIL_DB),
            n_rendered: 0,
            n_frames,
            max_frames: n_frames.saturating_add(frames(tail_seconds)),
            has_ended: false,
        }
    }

    /// How much of the composition is done, 0 to 1. The tail has no length that could be known.
    pub fn progress(&self) -> f64 {
        if self.n_frames == 0 { 1.0 } else { (self.n_rendered as f64 / self.n_frames as f64).min(1.0) }
    }

    /// Frames that the composition lasts, without its tail.
    pub fn n_frames(&self) -> u64 {
        self.n_frames
    }

    fn advance(&mut self) {
        self.engine.process(None, &mut self.quantum);
        self.n_rendered += QUANTUM as u64;
        let block = self.quantum.master.clone();
        let is_over = self.quantum.transport.state == PlayState::Stopped && self.n_rendered > self.n_frames;
        let is_quiet = block.left.iter().chain(&block.right).all(|x| x.abs() < self.threshold);
        if is_over && is_quiet {
            self.quiet.push_back(block);
            self.has_ended = self.quiet.len() > self.patience;
        } else {
            self.ready.append(&mut self.quiet);
            self.ready.push_back(block);
        }
        self.has_ended |= self.n_rendered >= self.max_frames.max(self.n_frames + QUANTUM as u64);
    }
}

impl Iterator for Render {
    type Item = StereoBlock;

    fn next(&mut self) -> Option<StereoBlock> {
        while self.ready.is_empty() && !self.has_ended {
            self.advance();
        }
        self.ready.pop_front()
    }
}

/// Frames that a composition lasts, without its tail.
pub fn n_frames(composition: &Composition, rate: SampleRate) -> u64 {
    frames(composition.tempo.seconds_from_ticks(f64::from(composition.length)), rate)
}

fn frames(seconds: f64, rate: SampleRate) -> u64 {
    wide::ceil(seconds.max(0.0) * rate.as_f64()) as u64
}

/// Seconds of silence that can lie between two sounds of a tail: the longest echo, or what comes before a room.
fn longest_gap(composition: &Composition) -> f64 {
    let tracks = composition.tracks.iter().map(|track| &track.effects);
    let buses = composition.buses.iter().map(|bus| &bus.effects);
    let chains = tracks.chain(buses).chain([&composition.master.effects]);
    let gap = |effect: &Effect| match effect {
        Effect::Delay(delay) => delay.time_ms,
        Effect::Reverb(reverb) => reverb.predelay_ms + 100.0,
        Effect::Equaliser { .. } | Effect::Compressor(_) => 0.0,
    };
    // Effects follow one another, so their gaps add up; a little more, for attacks and the limiter.
    let total = chains.map(|chain| chain.iter().map(gap).sum::<f32>()).fold(0.0, f32::max);
    f64::from(2.0 * total) / 1000.0 + 0.1
}
