//! What fills the quanta that are measured: the engine, or no more than the input.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use engine_core::buffer::StereoBlock;
use engine_core::control::{Quantum, Sample};
use engine_core::engine::Engine;
use engine_core::units::{QUANTUM, SampleRate};

use crate::worklet::SampleId;

/// What a [`Worklet`](crate::Worklet) measures.
pub(crate) enum Player {
    Measuring(Measuring),
    Playing(Box<Playing>),
}

impl Player {
    /// Renders the next 128 frames into every tap of `out`. Without `input`, the input tap is silent. Never allocates.
    pub(crate) fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum) {
        match self {
            Self::Measuring(measuring) => measuring.process(input, out),
            Self::Playing(playing) => playing.engine.process(input, out),
        }
    }
}

/// The engine with the samples that its programs play.
pub(crate) struct Playing {
    pub(crate) engine: Engine,
    /// By id: what plays, and what the next program needs.
    pub(crate) samples: Vec<(SampleId, Arc<Sample>)>,
}

impl Playing {
    /// At rest. Allocates all that it ever needs to render.
    pub(crate) fn new(rate: SampleRate) -> Self {
        Self { engine: Engine::new(rate), samples: Vec::new() }
    }
}

/// An engine's input, and its master while it is monitored: what an engine with nothing to play would hand out but for
/// its limiter. All that a page needs which only measures.
#[derive(Default)]
pub(crate) struct Measuring {
    pub(crate) is_monitored: bool,
    position: u64,
}

impl Measuring {
    fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum) {
        match input {
            Some(input) => out.input.sanitise(input),
            None => out.input.clear(),
        }
        if self.is_monitored {
            out.master.clone_from(&out.input);
        } else {
            out.master.clear();
        }
        out.sample_position = self.position;
        self.position += QUANTUM as u64;
    }
}
