//! What a quantum is to a recording: the engine says when it rolls, this finds where it wraps and what was lost.

use engine_core::control::{PlayState, Quantum};
use engine_core::units::{PPQ, QUANTUM, SampleRate};

/// A quantum in which the playhead moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    /// Tick of the first frame.
    pub(super) from: f64,
    /// Tick after the last frame, or the loop's end where it jumps.
    pub(super) to: f64,
    /// It is the first after a loop's end, at this tick.
    pub(super) wrapped_at: Option<f64>,
    /// Frames since the recording began, with those that were lost.
    pub(super) frame: u64,
    /// With `wrapped_at`: the frame at which the playhead jumped, fractions included.
    pub(super) wrap_frame: f64,
}

/// What a quantum is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// Not yet recorded.
    Waiting,
    /// Before the playhead moves.
    CountIn,
    /// Recorded.
    Rolling(Span),
    /// No longer recorded.
    Over,
}

/// Follows the quanta of one recording.
#[derive(Debug)]
pub(super) struct Follower {
    rate: f64,
    has_begun: bool,
    /// Sample position at the first frame that was recorded.
    origin: Option<u64>,
    last_tick: f64,
}

impl Follower {
    pub(super) fn new(rate: SampleRate) -> Self {
        Self { rate: rate.as_f64(), has_begun: false, origin: None, last_tick: 0.0 }
    }

    /// Frames since the first that was recorded; 0 before.
    pub(super) fn frame(&self, quantum: &Quantum) -> u64 {
        self.origin.map_or(0, |origin| quantum.sample_position - origin)
    }

    pub(super) fn follow(&mut self, quantum: &Quantum) -> Phase {
        let now = &quantum.transport;
        if !now.recording {
            return if self.has_begun { Phase::Over } else { Phase::Waiting };
        }
        self.has_begun = true;
        if now.state != PlayState::Playing {
            return Phase::CountIn;
        }
        let is_first = self.origin.is_none();
        let frame = quantum.sample_position - *self.origin.get_or_insert(quantum.sample_position);
        let ticks_per_frame = now.bpm * f64::from(PPQ) / (60.0 * self.rate);
        let end = now.tick + QUANTUM as f64 * ticks_per_frame;
        let loop_end = f64::from(now.loop_end);
        let to = if now.loop_enabled && now.tick < loop_end { end.min(loop_end) } else { end };
        // Whatever else moves the playhead back ends the recording.
        let has_wrapped = !is_first && now.tick < self.last_tick;
        self.last_tick = now.tick;
        let overshoot = (now.tick - f64::from(now.loop_start)).max(0.0) / ticks_per_frame;
        Phase::Rolling(Span {
            from: now.tick,
            to,
            wrapped_at: has_wrapped.then_some(loop_end),
            frame,
            wrap_frame: (frame as f64 - overshoot).max(0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use engine_core::composition::{Composition, CompositionSpec, Instrument, Track};
    use engine_core::control::{Command, Program};
    use engine_core::engine::{Engine, Project};
    use engine_core::time::TempoMap;

    use super::*;

    #[test]
    fn a_real_transport_is_followed() {
        let spec = CompositionSpec {
            name: String::from("x"),
            tempo: TempoMap::constant(100.0).unwrap(),
            length: 16 * 960,
            tracks: vec![Track::new("a", Instrument::default())],
            ..CompositionSpec::default()
        };
        let program = Program::compile(&Composition::new(spec).unwrap());
        let mut engine = Engine::new(SampleRate::DEFAULT);
        drop(engine.load(Box::new(Project::new(program, SampleRate::DEFAULT))));
        let mut follower = Follower::new(SampleRate::DEFAULT);
        let mut quantum = Quantum::new();
        let mut next = |engine: &mut Engine| {
            engine.process(None, &mut quantum);
            follower.follow(&quantum)
        };
        assert_eq!(next(&mut engine), Phase::Waiting);
        engine.command(Command::Arm { track: Some(0) });
        engine.command(Command::SetLoop { enabled: true, start: 100, end: 500 });
        engine.command(Command::Record { count_in_bars: 1 });
        // A bar at 100 bpm takes 115,200 frames: exactly 900 quanta.
        for _ in 0..900 {
            assert_eq!(next(&mut engine), Phase::CountIn);
        }
        let (mut spans, mut wraps) = (Vec::new(), Vec::new());
        for _ in 0..600 {
            let Phase::Rolling(span) = next(&mut engine) else { panic!("it rolls") };
            if let Some(at) = span.wrapped_at {
                wraps.push((at, span.wrap_frame));
            }
            spans.push(span);
        }
        assert_eq!((spans[0].from, spans[0].frame), (0.0, 0));
        assert!(spans.iter().all(|span| span.from < span.to && span.to <= 500.0));
        // 500 ticks to the first wrap, then 400 a pass; a tick takes 30 frames.
        let frames = Vec::from_iter(wraps.iter().map(|wrap| wrap.1));
        assert_eq!(wraps.len(), 6);
        for (idx, frame) in frames.iter().enumerate() {
            assert!((frame - (15_000.0 + 12_000.0 * idx as f64)).abs() < 1e-3, "{frames:?}");
        }
        engine.command(Command::Pause);
        assert_eq!(next(&mut engine), Phase::Over);
    }
}
