//! The playhead: where it is at every frame, and how long until something happens.

use super::count_in::CountIn;
use crate::control::{PlayState, Program};
use crate::math::{self, wide};
use crate::time::Beat;
use crate::units::Ticks;

/// A frame that is so little late is on time: without this, rounding would move what falls on a frame to the
/// next one. In frames; the largest rounding is a tenth of it (six days at 192 kHz).
pub(super) const TOLERANCE: f64 = 1e-4;

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
    /// A beat before the playhead moves; true on the first of a bar.
    CountInBeat(bool),
    /// The count-in is over: the playhead moves.
    CountInEnd,
    /// The next audio region of the program.
    Region,
    /// The next event of the program.
    Event,
}

/// A position, and what is done there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    tick: f64,
    /// What lies before this tick is done; the rest may be due at this very frame.
    pending_from: f64,
}

/// A moving position.
///
/// It is not advanced by adding: the position is an origin in seconds plus frames over the sample rate, and the
/// origin moves only at locates, loop ends and tempo commands. Events are compared in the tempo map's own
/// seconds. So the frame at which an event falls depends neither on how the time before it was cut into blocks
/// nor on how many tempo changes lie before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    pub(super) state: PlayState,
    /// The position at the origin, in ticks: where `frames` counts from.
    origin_tick: f64,
    /// The same in seconds from the composition's start.
    origin_seconds: f64,
    /// At the origin, what lies before this tick is done.
    origin_pending: f64,
    frames: u64,
    /// Tempo-map point in force.
    tempo_idx: usize,
    next_event: usize,
    next_region: usize,
    next_beat: Beat,
    pub(super) loop_enabled: bool,
    pub(super) loop_start: Ticks,
    pub(super) loop_end: Ticks,
    /// The playhead is before the region's end, so it will jump there.
    loop_armed: bool,
    pub(super) metronome: bool,
    count_in: Option<CountIn>,
    sample_rate: f64,
}

impl Transport {
    pub(super) fn new(sample_rate: f64, program: &Program) -> Self {
        let mut transport = Self {
            state: PlayState::Stopped,
            origin_tick: 0.0,
            origin_seconds: 0.0,
            origin_pending: 0.0,
            frames: 0,
            tempo_idx: 0,
            next_event: 0,
            next_region: 0,
            next_beat: Beat { tick: 0.0, downbeat: true },
            loop_enabled: false,
            loop_start: 0,
            loop_end: program.length,
            loop_armed: false,
            metronome: false,
            count_in: None,
            sample_rate,
        };
        transport.locate(program, 0.0);
        transport
    }

    /// The playhead, in ticks.
    pub(super) fn tick(&self, program: &Program) -> f64 {
        // At the origin the tick is known; on the way back from seconds it would be rounded.
        if self.frames == 0 {
            return self.origin_tick;
        }
        program.tempo.ticks_in_span(self.tempo_idx, self.seconds())
    }

    /// The playhead, in seconds from the composition's start.
    pub(super) fn seconds(&self) -> f64 {
        self.origin_seconds + self.frames as f64 / self.sample_rate
    }

    /// Tempo at the playhead.
    pub(super) fn bpm(&self, program: &Program) -> f64 {
        program.tempo.points()[self.tempo_idx].bpm
    }

    /// Beats until the playhead moves; 0 when there is no count-in.
    pub(super) fn count_in_beats(&self) -> u16 {
        self.count_in.as_ref().map_or(0, CountIn::beats_left)
    }

    /// Index of the first region that has not started at the playhead.
    pub(super) fn next_region(&self) -> usize {
        self.next_region
    }

    /// Starts to move, at once.
    pub(super) fn play(&mut self) {
        self.count_in = None;
        self.state = PlayState::Playing;
    }

    /// Comes to rest, also from a count-in.
    pub(super) fn rest(&mut self, state: PlayState) {
        self.count_in = None;
        self.state = state;
    }

    /// Starts to move after `bars` bars of clicks, in the metre and at the tempo of the playhead.
    pub(super) fn play_after(&mut self, program: &Program, bars: u8) {
        if self.state == PlayState::Playing {
            return;
        }
        let tick = self.tick(program);
        let signature = program.time_signatures.at(tick);
        self.count_in = CountIn::new(tick, signature, self.bpm(program), self.sample_rate, bars);
        if self.count_in.is_none() {
            self.play();
        }
    }

    /// Moves the playhead and ends a count-in; what is out of range is held at the nearest end.
    pub(super) fn locate(&mut self, program: &Program, tick: f64) {
        let tick = if tick.is_finite() { math::within(tick, 0.0, f64::from(program.length)) } else { 0.0 };
        self.count_in = None;
        self.next_event = program.events.partition_point(|event| f64::from(event.tick) < tick);
        self.next_region = program.regions.partition_point(|region| f64::from(region.start) < tick);
        self.tempo_idx = program.tempo.index_at(tick);
        self.set_origin(program, tick);
        self.origin_pending = tick;
        self.next_beat = program.time_signatures.beat_at_or_after(tick);
        self.arm_loop(program);
    }

    /// Where the playhead stands, for [`tempo_changed`](Self::tempo_changed).
    pub(super) fn place(&self, program: &Program) -> Place {
        // What lies between two frames is due at the later one: up to the last frame everything is done, but
        // not all that lies before the playhead.
        let pending_from = if self.frames == 0 {
            self.origin_pending
        } else {
            let frames = (self.frames - 1) as f64 + TOLERANCE;
            let last = self.origin_seconds + frames / self.sample_rate;
            wide::floor(program.tempo.ticks_from_seconds(last)) + 1.0
        };
        Place { tick: self.tick(program), pending_from }
    }

    /// After a change of the tempo map: the playhead stays where it stood before the change.
    pub(super) fn tempo_changed(&mut self, program: &Program, before: Place) {
        self.set_origin(program, before.tick);
        self.origin_pending = before.pending_from;
    }

    /// After an exchange of the program: the playhead stays where it is, and what is not done yet comes from
    /// the new one. A count-in goes on; so does the loop, as far as it lies inside the composition.
    pub(super) fn update(&mut self, old: &Program, program: &Program) {
        let Place { tick, pending_from } = self.place(old);
        let tick = tick.min(f64::from(program.length));
        self.next_event = program.events.partition_point(|event| f64::from(event.tick) < pending_from);
        self.next_region = program.regions.partition_point(|region| f64::from(region.start) < pending_from);
        self.next_beat = program.time_signatures.beat_at_or_after(pending_from);
        // Most updates leave the tempo alone, and then the origin stays to the bit.
        if old.tempo != program.tempo || tick < self.tick(old) {
            self.tempo_idx = program.tempo.index_at(tick);
            self.set_origin(program, tick);
            self.origin_pending = pending_from;
        }
        self.set_loop(program, self.loop_enabled, self.loop_start, self.loop_end);
    }

    /// Index of the first event that is not done.
    pub(super) fn next_event(&self) -> usize {
        self.next_event
    }

    /// Switches the click, from the next beat on.
    pub(super) fn set_metronome(&mut self, program: &Program, enabled: bool) {
        self.metronome = enabled;
        self.next_beat = program.time_signatures.beat_at_or_after(self.tick(program));
    }

    /// Sets the loop region as far as it lies inside the composition; an empty one is never in force.
    pub(super) fn set_loop(&mut self, program: &Program, enabled: bool, start: Ticks, end: Ticks) {
        let end = end.min(program.length);
        self.loop_enabled = enabled && start < end;
        (self.loop_start, self.loop_end) = (start.min(end), end);
        self.arm_loop(program);
    }

    /// What is due at this very frame, if anything. The caller carries it out, and asks again.
    pub(super) fn due(&self, program: &Program) -> Option<Boundary> {
        let (boundary, frames) = self.next(program)?;
        (frames == 0).then_some(boundary)
    }

    /// Frames that pass before something is due; `limit` at most.
    pub(super) fn frames_to_next(&self, program: &Program, limit: usize) -> usize {
        self.next(program)
            .and_then(|(_, frames)| usize::try_from(frames).ok())
            .map_or(limit, |frames| frames.min(limit))
    }

    /// Moves on by `frames`, in which nothing is due.
    pub(super) fn advance(&mut self, frames: usize) {
        if self.state == PlayState::Playing {
            self.frames += frames as u64;
        } else if let Some(count_in) = &mut self.count_in {
            count_in.advance(frames);
        }
    }

    /// Index of the event that is due, which then counts as done.
    pub(super) fn take_event(&mut self) -> usize {
        self.next_event += 1;
        self.next_event - 1
    }

    /// Index of the region that is due, which then counts as started.
    pub(super) fn take_region(&mut self) -> usize {
        self.next_region += 1;
        self.next_region - 1
    }

    /// The beat that is due counts as done.
    pub(super) fn take_beat(&mut self, program: &Program) {
        self.next_beat = program.time_signatures.beat_at_or_after(self.next_beat.tick + 1.0);
    }

    /// The count-in's beat that is due counts as done.
    pub(super) fn take_count_in_beat(&mut self) {
        if let Some(count_in) = &mut self.count_in {
            count_in.take_beat();
        }
    }

    /// Lets the playhead go. The count-in need not last a whole number of frames; what it went too far is kept.
    pub(super) fn take_count_in_end(&mut self, program: &Program) {
        if let Some(count_in) = self.count_in.take() {
            self.set_origin_seconds(program, self.seconds() + count_in.overshoot_seconds());
        }
        self.state = PlayState::Playing;
    }

    /// Enters the next span of the tempo map.
    pub(super) fn take_tempo(&mut self) {
        self.tempo_idx += 1;
    }

    /// Jumps from the loop region's end to its start, keeping what the last frame went too far.
    pub(super) fn take_loop(&mut self, program: &Program) {
        let end = program.tempo.seconds_from_ticks(f64::from(self.loop_end));
        let overshoot = (self.seconds() - end).max(0.0);
        self.locate(program, f64::from(self.loop_start));
        self.set_origin_seconds(program, self.origin_seconds + overshoot);
    }

    /// The first boundary ahead, and in how many frames. Of several at one tick, the order here decides: a loop
    /// or an end comes before the events that lie there, which belong to what follows.
    fn next(&self, program: &Program) -> Option<(Boundary, u64)> {
        if self.state != PlayState::Playing {
            return self.count_in.as_ref().map(CountIn::next);
        }
        let mut first = (Boundary::End, f64::from(program.length));
        let mut consider = |boundary, tick: f64, is_first_of_equals: bool| {
            if tick < first.1 || (is_first_of_equals && tick == first.1) {
                first = (boundary, tick);
            }
        };
        if self.loop_armed {
            consider(Boundary::Loop, f64::from(self.loop_end), true);
        }
        if let Some(point) = program.tempo.points().get(self.tempo_idx + 1) {
            consider(Boundary::Tempo, f64::from(point.tick), false);
        }
        if let Some(region) = program.regions.get(self.next_region) {
            consider(Boundary::Region, f64::from(region.start), false);
        }
        if let Some(event) = program.events.get(self.next_event) {
            consider(Boundary::Event, f64::from(event.tick), false);
        }
        if self.metronome {
            consider(Boundary::Beat(self.next_beat.downbeat), self.next_beat.tick, false);
        }
        Some((first.0, self.frames_until(program, first.1)))
    }

    /// `tick` lies in the present span of the tempo map, or at its end.
    fn frames_until(&self, program: &Program, tick: f64) -> u64 {
        let seconds = program.tempo.seconds_in_span(self.tempo_idx, tick) - self.origin_seconds;
        let frame = wide::ceil(seconds * self.sample_rate - TOLERANCE);
        if frame > self.frames as f64 { frame as u64 - self.frames } else { 0 }
    }

    fn set_origin(&mut self, program: &Program, tick: f64) {
        self.origin_tick = tick;
        self.origin_seconds = program.tempo.seconds_in_span(self.tempo_idx, tick);
        self.frames = 0;
    }

    fn set_origin_seconds(&mut self, program: &Program, seconds: f64) {
        self.origin_tick = program.tempo.ticks_in_span(self.tempo_idx, seconds);
        self.origin_seconds = seconds;
        self.frames = 0;
    }

    fn arm_loop(&mut self, program: &Program) {
        self.loop_armed = self.loop_enabled && self.tick(program) < f64::from(self.loop_end);
    }
}
