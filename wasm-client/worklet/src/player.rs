//! What fills the quanta that are measured: the engine, or no more than the input.

use alloc::sync::Arc;
use alloc::vec::Vec;

use engine_core::buffer::StereoBlock;
use engine_core::control::{Quantum, Sample};
use engine_core::engine::Engine;
use engine_core::protocol::{Feed, encode_payload, encode_without_music};
use engine_core::units::{QUANTUM, SampleRate};

use crate::lane::Encode;
use crate::worklet::SampleId;

/// What a [`Worklet`](crate::Worklet) measures.
pub trait Player {
    /// What writes what [its feed](Self::feed) measures.
    const ENCODE: Encode;

    /// At rest. Allocates all that it ever needs to render.
    fn new(rate: SampleRate) -> Self;

    /// What measures it. Allocates.
    fn feed(rate: SampleRate) -> Feed;

    /// Renders the next 128 frames into every tap of `out`. Without `input`, the input tap is silent. Never allocates.
    fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum);
}

/// The engine with the samples that its programs play.
pub struct Playing {
    pub(crate) rate: SampleRate,
    pub(crate) engine: Engine,
    /// By id: what plays, and what the next program needs.
    pub(crate) samples: Vec<(SampleId, Arc<Sample>)>,
}

impl Player for Playing {
    const ENCODE: Encode = encode_payload;

    fn new(rate: SampleRate) -> Self {
        Self { rate, engine: Engine::new(rate), samples: Vec::new() }
    }

    fn feed(rate: SampleRate) -> Feed {
        Feed::new(rate)
    }

    fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum) {
        self.engine.process(input, out);
    }
}

/// An engine's input, and its master while it is monitored: what an engine with nothing to play would hand out but for
/// its limiter. All that a page needs which only measures, in little more than a third of the bytes.
pub struct Measuring {
    is_monitored: bool,
    position: u64,
}

impl Measuring {
    /// The input is the master, or else the master is silent.
    pub(crate) fn monitor(&mut self, is_monitored: bool) {
        self.is_monitored = is_monitored;
    }
}

impl Player for Measuring {
    const ENCODE: Encode = encode_without_music;

    fn new(_: SampleRate) -> Self {
        Self { is_monitored: false, position: 0 }
    }

    fn feed(rate: SampleRate) -> Feed {
        Feed::without_music(rate)
    }

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
