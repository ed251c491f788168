//! The ring of samples, and its reader.

use alloc::boxed::Box;
use alloc::vec;

use engine_core::dsp::sinc::{MAX_TAPS, SincTable, dot};

use crate::pace::Pace;

/// Frames that the ring holds: 2.7 s at 48,000 Hz.
const RING: usize = 1 << 17;
/// Most frames of one push.
pub const MAX_PUSH: usize = 1 << 14;
/// How long a fade takes, and how much of what is known is held back for it.
const FADE_SECONDS: f64 = 0.005;
/// After an under-run that much more waits before it goes on.
const GROWTH: f64 = 1.5;
/// However bad the network, no more than this waits.
const MAX_DEPTH_SECONDS: f64 = 1.0;
/// When that much more waits than is needed (the page was stopped, or a burst came), it is left out.
const MAX_EXCESS_SECONDS: f64 = 0.4;
/// A gap up to this long is silence of its length; after a longer one it goes on at once.
const MAX_GAP_SECONDS: f64 = 0.5;
/// Places where the sound does not go on as before; more than these are as good as one.
const MAX_SEAMS: usize = 16;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Times that nothing was left to play.
    pub under_runs: u32,
    /// Times that sound was left out, since too much waited.
    pub skips: u32,
    /// Times that sound was missing, or jumped, before it arrived.
    pub gaps: u32,
}

/// Turns stretches of sound into a stream. Positions are frames of the source, counted by its engine.
pub struct Listener {
    rate_in: f64,
    rate_out: f64,
    table: SincTable,
    /// Two planes, each written twice in a row, so that any window of it is contiguous.
    planes: [Box<[f32]>; 2],
    /// Frames written since the start.
    written: u64,
    /// Frame that is read next, and the part of it.
    read: u64,
    fraction: f64,
    seams: [u64; MAX_SEAMS],
    n_seams: usize,
    /// Position after the last frame that was written.
    position: Option<u64>,
    /// Depth at which it starts, seconds.
    depth: f64,
    is_playing: bool,
    is_skipping: bool,
    gain: f64,
    pace: Pace,
    counters: Counters,
}

impl Listener {
    /// For a source and an output at these rates (Hz). `latency_ms` waits before it starts;
    /// then as much as jitter needs. Allocates.
    pub fn new(rate_in: u32, rate_out: u32, latency_ms: f64) -> Self {
        let plane = || vec![0.0; 2 * RING].into_boxed_slice();
        let mut listener = Self {
            rate_in: f64::from(rate_in.max(1)),
            rate_out: f64::from(rate_out.max(1)),
            table: SincTable::new(),
            planes: [plane(), plane()],
            // A window of silence before the first frame.
            written: MAX_TAPS as u64,
            read: MAX_TAPS as u64,
            fraction: 0.0,
            seams: [0; MAX_SEAMS],
            n_seams: 0,
            position: None,
            depth: 0.0,
            is_playing: false,
            is_skipping: false,
            gain: 0.0,
            pace: Pace::new(),
            counters: Counters::default(),
        };
        listener.set_latency(latency_ms);
        listener
    }

    /// Waits for that much, 20 to 1000 ms, from the next start on.
    pub fn set_latency(&mut self, latency_ms: f64) {
        let seconds = if latency_ms.is_finite() { latency_ms / 1000.0 } else { 0.0 };
        self.depth = seconds.clamp(0.02, MAX_DEPTH_SECONDS);
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What waits, in seconds.
    pub fn depth_seconds(&self) -> f64 {
        self.available() / self.rate_in
    }

    /// By how much faster than real time it is read.
    pub fn correction(&self) -> f64 {
        self.pace.correction()
    }

    /// Position of the frame that is heard next; `None` before the first one came.
    pub fn heard_position(&self) -> Option<f64> {
        self.position.map(|end| end as f64 - self.available())
    }

    /// Takes a stretch whose last frame is the one before `end`. `is_cut`: it does not go on where the one before
    /// ended, whatever the positions say.
    pub fn push(&mut self, end: u64, is_cut: bool, left: &[f32], right: &[f32]) {
        let n = left.len().min(right.len()).min(MAX_PUSH);
        let (left, right) = (&left[left.len() - n..], &right[right.len() - n..]);
        if self.is_playing {
            self.pace.arrived(self.depth_seconds());
        }
        let begin = end.saturating_sub(n as u64);
        let position = self.position.unwrap_or(begin);
        let gap = begin.saturating_sub(position);
        let silence = if gap as f64 <= MAX_GAP_SECONDS * self.rate_in { gap } else { 0 };
        // More than the ring holds: what waits is older than anybody wants to hear. What has no place is a gap.
        let waits = self.written + silence + n as u64 - self.read;
        self.is_skipping |= waits > (RING - 2 * MAX_PUSH) as u64;
        if waits > (RING - MAX_TAPS) as u64 {
            return;
        }
        if self.position.is_some() && (begin != position || is_cut) {
            self.counters.gaps += 1;
            self.mark_seam();
            (0..silence).for_each(|_| self.write(0.0, 0.0));
            self.mark_seam();
        }
        self.position = Some(end);
        for (left, right) in left.iter().zip(right) {
            self.write(*left, *right);
        }
    }

    /// Makes the next samples, as many as both slices have.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let n = left.len().min(right.len());
        let seconds = n as f64 / self.rate_out;
        let speed = self.rate_in / self.rate_out * (1.0 + self.pace.advance(seconds));
        if !self.is_playing && self.depth_seconds() >= self.depth {
            self.is_playing = true;
            self.pace.restart();
        }
        if self.is_playing && self.pace.excess().is_some_and(|excess| excess > MAX_EXCESS_SECONDS) {
            self.is_skipping = true;
        }
        for (left, right) in left[..n].iter_mut().zip(&mut right[..n]) {
            [*left, *right] = self.frame(speed);
        }
        self.drop_seams();
    }

    fn frame(&mut self, speed: f64) -> [f32; 2] {
        if !self.is_playing {
            return [0.0; 2];
        }
        let step = 1.0 / (FADE_SECONDS * self.rate_in);
        let n_taps = self.table.kernel(self.rate_in / self.rate_out).n_taps();
        let known = self.available() - (n_taps / 2 + 1) as f64;
        if known <= 0.0 {
            self.is_playing = false;
            self.is_skipping = false;
            self.gain = 0.0;
            self.counters.under_runs += 1;
            self.depth = (self.depth * GROWTH).min(MAX_DEPTH_SECONDS);
            return [0.0; 2];
        }
        let mut limit = (known * step).min(1.0);
        for seam in &self.seams[..self.n_seams] {
            let distance = *seam as f64 - (self.read as f64 + self.fraction);
            // The kernel looks to both sides.
            limit = limit.min((distance.abs() - (n_taps / 2) as f64).max(0.0) * step);
        }
        let rise = if self.is_skipping { -step } else { step };
        self.gain = (self.gain + rise * speed).min(limit).max(0.0);
        if self.is_skipping && self.gain == 0.0 {
            self.skip();
        }
        let mut out = [0.0; 2];
        if self.gain > 0.0 {
            let mut taps = [0.0; MAX_TAPS];
            let kernel = self.table.kernel(self.rate_in / self.rate_out);
            kernel.taps(self.fraction as f32, &mut taps);
            let start = (self.read as usize + RING - (n_taps / 2 - 1)) % RING;
            for (out, plane) in out.iter_mut().zip(&self.planes) {
                *out = dot(&plane[start..start + n_taps], &taps[..n_taps]) * self.gain as f32;
            }
        }
        let next = self.fraction + speed;
        self.read += next as u64;
        self.fraction = next - (next as u64) as f64;
        out
    }

    /// Leaves out what waits too long. Called in silence.
    fn skip(&mut self) {
        self.is_skipping = false;
        let keep = (self.depth * self.rate_in) as u64;
        let to = self.written.saturating_sub(keep);
        if to > self.read {
            self.read = to;
            self.counters.skips += 1;
        }
        self.pace.restart();
    }

    fn available(&self) -> f64 {
        self.written as f64 - self.read as f64 - self.fraction
    }

    fn write(&mut self, left: f32, right: f32) {
        let at = (self.written % RING as u64) as usize;
        for (plane, x) in self.planes.iter_mut().zip([left, right]) {
            let x = if x.is_finite() { x } else { 0.0 };
            plane[at] = x;
            plane[at + RING] = x;
        }
        self.written += 1;
    }

    fn mark_seam(&mut self) {
        if self.n_seams == MAX_SEAMS {
            self.n_seams -= 1;
        }
        self.seams[self.n_seams] = self.written;
        self.n_seams += 1;
    }

    /// Seams that lie behind, further than a fade takes.
    fn drop_seams(&mut self) {
        let behind = self.read.saturating_sub((2.0 * FADE_SECONDS * self.rate_in) as u64 + MAX_TAPS as u64);
        let mut n = 0;
        for idx in 0..self.n_seams {
            if self.seams[idx] >= behind {
                self.seams[n] = self.seams[idx];
                n += 1;
            }
        }
        self.n_seams = n;
    }
}
