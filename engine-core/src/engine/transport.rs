//! The playhead: where it is at every frame, and how long until something happens.

use crate::control::{PlayState, Program};
use crate::time::seconds_per_tick;
use crate::units::Ticks;

/// What the playhead meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// The loop region's end: it jumps.
    Loop,
    /// The composition's end: it stops.
    End,
    /// Another tempo.
    Tempo,
    /// A beat of the metronome; true on the first of a bar.
    Beat(bool),
    /// The next event of the program.
    Event,
}

/// A moving position in ticks.
///
/// It is not advanced by adding: the position is an anchor plus frames times ticks per frame, and the anchor
/// moves only where something happens. So the frame at which an event falls does not depend on how the
/// time before it was cut into blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    pub(super) state: PlayState,
    anchor_tick: f64,
    frames: u64,
    ticks_per_frame: f64,
    /// Tempo-map point in force, and the seconds at which it starts.
    tempo_idx: usize,
    tempo_seconds: f64,
    next_event: usize,
    /// Tick of the metronome's next beat.
    next_beat: f64,
    pub(super) loop_enabled: bool,
    pub(super) loop_start: Ticks,
    pub(super) loop_end: Ticks,
    /// The playhead is before the region's end, so it will jump there.
    loop_armed: bool,
    pub(super) metronome: bool,
    sample_rate: f64,
}

impl Transport {
    pub(super) fn new(sample_rate: f64, program: &Program) -> Self {
        let mut transport = Self {
            state: PlayState::Stopped,
            anchor_tick: 0.0,
            frames: 0,
            ticks_per_frame: 0.0,
            tempo_idx: 0,
            tempo_seconds: 0.0,
            next_event: 0,
            next_beat: 0.0,
            loop_enabled: false,
            loop_start: 0,
            loop_end: program.length,
            loop_armed: false,
            metronome: false,
            sample_rate,
        };
        transport.locate(program, 0.0);
        transport
    }

    /// The playhead, in ticks.
    pub(super) fn tick(&self) -> f64 {
        self.anchor_tick + self.frames as f64 * self.ticks_per_frame
    }

    /// The playhead, in seconds from the composition's start.
    pub(super) fn seconds(&self, program: &Program) -> f64 {
        let point = program.tempo.points()[self.tempo_idx];
        self.tempo_seconds + (self.tick() - f64::from(point.tick)) * seconds_per_tick(point.bpm)
    }

    /// Tempo at the playhead.
    pub(super) fn bpm(&self, program: &Program) -> f64 {
        program.tempo.points()[self.tempo_idx].bpm
    }

    /// Moves the playhead; what is out of range is held at the nearest end.
    pub(super) fn locate(&mut self, program: &Program, tick: f64) {
        let tick = if tick.is_finite() { tick.clamp(0.0, f64::from(program.length)) } else { 0.0 };
        self.next_event = program.events.partition_point(|event| f64::from(event.tick) < tick);
        self.anchor(program, tick);
        self.next_beat = self.beat_from(program, tick, true);
        self.arm_loop();
    }

    /// Makes the present position the anchor again, after a change of the tempo map.
    pub(super) fn tempo_changed(&mut self, program: &Program) {
        self.anchor(program, self.tick());
    }

    /// Switches the click, from the next beat on.
    pub(super) fn set_metronome(&mut self, program: &Program, enabled: bool) {
        self.metronome = enabled;
        self.next_beat = self.beat_from(program, self.tick(), true);
    }

    pub(super) fn set_loop(&mut self, enabled: bool, start: Ticks, end: Ticks, length: Ticks) {
        let end = end.min(length);
        self.loop_enabled = enabled && start < end;
        (self.loop_start, self.loop_end) = (start.min(end), end);
        self.arm_loop();
    }

    /// What is due at this very frame, if anything. The caller carries it out, and asks again.
    pub(super) fn due(&self, program: &Program) -> Option<Boundary> {
        let (boundary, tick) = self.next(program)?;
        (self.frames_until(tick) == 0).then_some(boundary)
    }

    /// Frames that pass before something is due; `limit` at most.
    pub(super) fn frames_to_next(&self, program: &Program, limit: usize) -> usize {
        self.next(program)
            .and_then(|(_, tick)| usize::try_from(self.frames_until(tick)).ok())
            .map_or(limit, |frames| frames.min(limit))
    }

    /// Moves on by `frames`, in which nothing is due.
    pub(super) fn advance(&mut self, frames: usize) {
        if self.state == PlayState::Playing {
            self.frames += frames as u64;
        }
    }

    /// Index of the event that is due, which then counts as done.
    pub(super) fn take_event(&mut self) -> usize {
        self.next_event += 1;
        self.next_event - 1
    }

    /// The beat that is due counts as done.
    pub(super) fn take_beat(&mut self, program: &Program) {
        self.next_beat = self.beat_from(program, self.next_beat, false);
    }

    /// Enters the next span of the tempo map. What the last frame went too far is kept, at the new tempo.
    pub(super) fn take_tempo(&mut self, program: &Program) {
        let point = program.tempo.points()[self.tempo_idx + 1];
        let overshoot_frames = (self.tick() - f64::from(point.tick)) / self.ticks_per_frame;
        self.tempo_seconds += (f64::from(point.tick)
            - f64::from(program.tempo.points()[self.tempo_idx].tick))
            * seconds_per_tick(self.bpm(program));
        self.tempo_idx += 1;
        self.ticks_per_frame = self.ticks_per_frame_at(point.bpm);
        self.anchor_tick = f64::from(point.tick) + overshoot_frames * self.ticks_per_frame;
        self.frames = 0;
    }

    /// Jumps from the loop region's end to its start, keeping what the last frame went too far.
    pub(super) fn take_loop(&mut self, program: &Program) {
        let overshoot = (self.tick() - f64::from(self.loop_end)).max(0.0);
        let start = self.loop_start;
        self.locate(program, f64::from(start));
        self.anchor(program, f64::from(start) + overshoot);
    }

    /// The first boundary ahead. Of several at one tick, the order here decides: a loop or an end comes before
    /// the events that lie there, which belong to what follows.
    fn next(&self, program: &Program) -> Option<(Boundary, f64)> {
        if self.state != PlayState::Playing {
            return None;
        }
        let mut first: Option<(Boundary, f64)> = None;
        let mut consider = |boundary, tick: f64| {
            if first.is_none_or(|(_, earliest)| tick < earliest) {
                first = Some((boundary, tick));
            }
        };
        if self.loop_armed {
            consider(Boundary::Loop, f64::from(self.loop_end));
        }
        consider(Boundary::End, f64::from(program.length));
        if let Some(point) = program.tempo.points().get(self.tempo_idx + 1) {
            consider(Boundary::Tempo, f64::from(point.tick));
        }
        if let Some(event) = program.events.get(self.next_event) {
            consider(Boundary::Event, f64::from(event.tick));
        }
        if self.metronome {
            let signature = program.time_signatures.at(self.next_beat);
            let into = self.next_beat - f64::from(signature.tick);
            let bar = f64::from(signature.ticks_per_bar());
            consider(Boundary::Beat(into - libm::floor(into / bar) * bar < 0.5), self.next_beat);
        }
        first
    }

    fn frames_until(&self, tick: f64) -> u64 {
        // A frame that is a millionth late is on time: without this, rounding would move events by a frame.
        let frame = libm::ceil((tick - self.anchor_tick) / self.ticks_per_frame - 1e-6);
        if frame > self.frames as f64 { frame as u64 - self.frames } else { 0 }
    }

    fn anchor(&mut self, program: &Program, tick: f64) {
        self.tempo_idx = program.tempo.index_at(tick);
        let point = program.tempo.points()[self.tempo_idx];
        self.tempo_seconds = program.tempo.seconds_from_ticks(f64::from(point.tick));
        self.ticks_per_frame = self.ticks_per_frame_at(point.bpm);
        self.anchor_tick = tick;
        self.frames = 0;
    }

    fn ticks_per_frame_at(&self, bpm: f64) -> f64 {
        1.0 / (seconds_per_tick(bpm) * self.sample_rate)
    }

    fn arm_loop(&mut self) {
        self.loop_armed = self.loop_enabled && self.tick() < f64::from(self.loop_end);
    }

    /// The first beat at `tick` or, unless `inclusive`, after it.
    fn beat_from(&self, program: &Program, tick: f64, inclusive: bool) -> f64 {
        let signature = program.time_signatures.at(tick);
        let start = f64::from(signature.tick);
        let beat = f64::from(signature.ticks_per_beat());
        let count = libm::ceil((tick - start) / beat);
        let next = start + count * beat;
        if inclusive || next > tick { next } else { next + beat }
    }
}
