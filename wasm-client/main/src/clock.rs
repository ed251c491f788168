//! What is heard now: the server's clock as it is seen from here, and the playhead at any sample near the newest
//! transport frame.
//!
//! Time comes in as milliseconds; nothing here reads a clock.

use engine_core::control::{PlayState, TransportSnapshot};
use engine_core::protocol::{Frame, Payload, Transport};
use engine_core::units::{PPQ, QUANTUM, beats_from_ticks};

/// Round trips that are remembered. With delays that vary evenly by 50 ms, the least of sixteen is within a few
/// milliseconds of the least there can be.
const N_TRIPS: usize = 16;
/// Transport frames that are remembered: five come in a second, and what is heard is older than what is newest.
const N_POINTS: usize = 16;
/// After this long without a frame the playhead waits: the connection is gone, and guessing on would be a lie.
pub const MAX_AHEAD_SECONDS: f64 = 1.5;
/// So far a source that takes over goes on by itself: the other one is known to be gone.
pub const MAX_GONE_SECONDS: f64 = 60.0;

/// The other end's clock against ours, from pings and pongs.
///
/// Each direction has a least delay, which load on the way only lengthens, so the least of several is nearest to it
/// (RFC 5905 filters whole round trips by that; a direction by itself converges sooner). Where the two least delays
/// differ, half of the difference is an error that no exchange can show.
#[derive(Default)]
pub struct Clock {
    /// Our time at the server minus the server's on the way up, and the same on the way down.
    trips: Vec<(f64, f64)>,
}

impl Clock {
    /// A pong came at `t3`: the ping left at `t0` (both our time), and the server had it from `t1` to `t2`.
    pub fn pong(&mut self, t0: f64, t1: f64, t2: f64, t3: f64) {
        if ![t0, t1, t2, t3].iter().all(|t| t.is_finite()) || t3 - t0 < t2 - t1 {
            return;
        }
        if self.trips.len() == N_TRIPS {
            self.trips.remove(0);
        }
        self.trips.push((t1 - t0, t3 - t2));
    }

    /// What has to be added to our time for the server's; `None` before the first pong.
    pub fn offset(&self) -> Option<f64> {
        let (up, down) = self.least()?;
        Some((up - down) / 2.0)
    }

    /// The offset is at most this far off.
    pub fn uncertainty(&self) -> Option<f64> {
        let (up, down) = self.least()?;
        Some((up + down) / 2.0)
    }

    /// Another server, or ours after a pause: what was measured says nothing.
    pub fn clear(&mut self) {
        self.trips.clear();
    }

    fn least(&self) -> Option<(f64, f64)> {
        self.trips.iter().copied().reduce(|(up, down), trip| (up.min(trip.0), down.min(trip.1)))
    }
}

/// A playhead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Quarter notes.
    pub beats: f64,
    /// Seconds.
    pub seconds: f64,
    /// Engine frames, with fractions.
    pub sample: f64,
    /// It moves.
    pub is_playing: bool,
}

struct Point {
    sample: u64,
    transport: Transport,
}

/// The last transport frames.
#[derive(Default)]
pub struct Playhead {
    points: Vec<Point>,
}

impl Playhead {
    /// A transport frame came. Frames that came before are ignored; one whose samples are counted anew, by another
    /// engine, replaces all.
    pub fn observe(&mut self, frame: &Frame) {
        let Payload::Transport(transport) = &frame.payload else { return };
        // The frame stands at the end of a quantum, the snapshot at its first frame.
        let sample = frame.sample_position.saturating_sub(QUANTUM as u64);
        if let Some(newest) = self.points.last() {
            if sample < newest.sample || newest.transport.server_time > transport.server_time {
                self.points.clear();
            } else if newest.transport == *transport {
                return;
            }
        }
        if self.points.len() == N_POINTS {
            self.points.remove(0);
        }
        self.points.push(Point { sample, transport: transport.clone() });
    }

    /// Another connection, another composition.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// The sample that the engine made at `server_ms`. A frame may be seen late but never early, so the earliest of
    /// the remembered ones counts.
    pub fn sample_at(&self, server_ms: f64, sample_rate: u32) -> Option<f64> {
        let per_ms = f64::from(sample_rate) / 1000.0;
        let begins =
            self.points.iter().map(|point| point.transport.server_time - point.sample as f64 / per_ms);
        Some((server_ms - begins.reduce(f64::min)?) * per_ms)
    }

    /// The playhead when `sample` sounds: from the last frame that is not after it, or from the first; at most
    /// `max_ahead` seconds after it.
    pub fn at(&self, sample: f64, sample_rate: u32, max_ahead: f64) -> Option<Heard> {
        let point =
            self.points.iter().rev().find(|point| point.sample as f64 <= sample).or(self.points.first())?;
        let ahead = (sample - point.sample as f64) / f64::from(sample_rate);
        // Not `clamp`: the message of its panic prints floats, with 20 KB of code.
        let (tick, seconds) = extrapolated(&point.transport.snapshot, ahead.max(0.0).min(max_ahead));
        let is_playing = point.transport.snapshot.state == PlayState::Playing;
        Some(Heard { beats: beats_from_ticks(tick), seconds, sample, is_playing })
    }
}

/// Tick and seconds, `ahead` seconds after a snapshot.
fn extrapolated(snapshot: &TransportSnapshot, ahead: f64) -> (f64, f64) {
    let &TransportSnapshot { tick, seconds, bpm, loop_enabled, loop_start, loop_end, .. } = snapshot;
    if snapshot.state != PlayState::Playing {
        return (tick, seconds);
    }
    let ticks_per_second = bpm / 60.0 * f64::from(PPQ);
    let to = tick + ahead * ticks_per_second;
    let (start, end) = (f64::from(loop_start), f64::from(loop_end));
    // Only a playhead that was before the loop's end runs into it; one beyond goes on to the end of the piece.
    if loop_enabled && end > start && tick < end && to >= end {
        let (beyond, length) = (to - start, end - start);
        // Not `%`, which wasm has not for floats.
        let wrapped = start + (beyond - (beyond / length).floor() * length).max(0.0);
        return (wrapped, seconds + ahead - (to - wrapped) / ticks_per_second);
    }
    (to, seconds + ahead)
}
