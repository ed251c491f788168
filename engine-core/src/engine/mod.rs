//! The engine: transport, sequencer, voices and mixer, one quantum at a time.

use alloc::boxed::Box;

use crate::buffer::StereoBlock;
use crate::control::{Command, Program, Quantum};
use crate::units::SampleRate;

/// Plays a [`Program`].
pub struct Engine {
    program: Box<Program>,
}

impl Engine {
    /// An engine at rest with nothing to play. Allocates everything it will ever need.
    pub fn new(_rate: SampleRate) -> Self {
        Self { program: Box::default() }
    }

    /// Replaces what is played and hands back the old program, to be dropped off the audio thread.
    /// The transport stops and goes to the start; loop and metronome settings are kept off.
    /// Runs on the audio thread.
    pub fn load(&mut self, program: Box<Program>) -> Box<Program> {
        core::mem::replace(&mut self.program, program)
    }

    /// Carries out a command from the next frame on. Runs on the audio thread.
    pub fn command(&mut self, _command: Command) {}

    /// Renders the next 128 frames into every tap of `out`. Runs on the audio thread.
    pub fn process(&mut self, _input: Option<&StereoBlock>, _out: &mut Quantum) {}
}
