//! State-variable filter in its trapezoidal (zero-delay feedback) form.
//!
//! Source: A. Simper, "Linear Trapezoidal Integrated SVF" (Cytomic, 2013). Stable for any cutoff below
//! Nyquist while it is modulated.
//!
//! [`Svf::process`] takes a sample at a time: each waits for the one before it. Voices filter together, in
//! [`Lanes`]: the same steps, for several signals at once.

use core::array::from_fn;

use super::phase::sin_quarter_turn;
use super::simd::{Kernel, ROW, Real, Vector};
use crate::math::flush;
use crate::units::{QUANTUM, SPAN};

/// Coefficients for a cutoff and a resonance.
#[derive(Clone, Copy, Debug, Default)]
pub struct SvfCoefficients {
    a1: f32,
    a2: f32,
    a3: f32,
    k: f32,
}

impl SvfCoefficients {
    /// `cutoff` is in turns per sample (Hz / sample rate) and is held below 0.49; `q` is 0.5 and up.
    pub fn new(cutoff: f32, q: f32) -> Self {
        // g = tan(π·cutoff) = s/c, multiplied out: with the polynomial and one division, a seventh of the time
        // that libm's tangent takes, and a moving filter needs this for every span.
        let half = cutoff.clamp(1e-5, 0.49) * 0.5;
        let (s, c) = (sin_quarter_turn(half), sin_quarter_turn(0.25 - half));
        let k = 1.0 / q;
        let scale = 1.0 / (c * c + s * (s + k * c));
        Self { a1: c * c * scale, a2: s * c * scale, a3: s * s * scale, k }
    }
}

/// The outputs of one step.
#[derive(Clone, Copy, Debug)]
pub struct SvfOutput {
    /// Below the cutoff.
    pub low: f32,
    /// Around the cutoff, peak gain q.
    pub band: f32,
    /// Above the cutoff.
    pub high: f32,
}

/// Which output is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterMode {
    /// Below the cutoff.
    Low,
    /// Around the cutoff; gain 1 there.
    Band,
    /// Above the cutoff.
    High,
}

/// Signals that are filtered together: a vector of AVX2, two of SSE2 or of WebAssembly, lest the next step waits for the
/// last.
pub const LANES: usize = ROW;

/// A step of each lane's filter. With s the state and u the input, it is y = c·s + d·u, s' = A·s + b·u.
#[derive(Clone, Debug)]
struct LaneSteps {
    state: [[[f32; LANES]; 2]; 2],
    input: [[f32; LANES]; 2],
    from_state: [[f32; LANES]; 2],
    through: [f32; LANES],
}

impl LaneSteps {
    /// Every lane as it is.
    const THROUGH: Self = Self {
        state: [[[0.0; LANES]; 2]; 2],
        input: [[0.0; LANES]; 2],
        from_state: [[0.0; LANES]; 2],
        through: [1.0; LANES],
    };

    /// Sets a lane's filter.
    #[inline]
    fn set(&mut self, lane: usize, c: &SvfCoefficients, mode: FilterMode) {
        assert!(lane < LANES, "once, for all that follow");
        // y = m0·u + m1·v1 + m2·v2; v1 and v2 as in `Svf::process`.
        let (m0, m1, m2) = match mode {
            FilterMode::Low => (0.0, 0.0, 1.0),
            FilterMode::Band => (0.0, c.k, 0.0),
            FilterMode::High => (1.0, -c.k, -1.0),
        };
        self.state[0][0][lane] = 2.0 * c.a1 - 1.0;
        self.state[0][1][lane] = -2.0 * c.a2;
        self.state[1][0][lane] = 2.0 * c.a2;
        self.state[1][1][lane] = 1.0 - 2.0 * c.a3;
        self.input[0][lane] = 2.0 * c.a2;
        self.input[1][lane] = 2.0 * c.a3;
        self.from_state[0][lane] = m1 * c.a1 + m2 * c.a2;
        self.from_state[1][lane] = m2 * (1.0 - c.a3) - m1 * c.a2;
        self.through[lane] = m0 + m1 * c.a2 + m2 * c.a3;
    }

    /// Leaves a lane as it is.
    fn set_through(&mut self, lane: usize) {
        let rows =
            self.state.as_flattened_mut().iter_mut().chain(&mut self.input).chain(&mut self.from_state);
        rows.for_each(|row| row[lane] = 0.0);
        self.through[lane] = 1.0;
    }
}

/// Signals of several voices, and their filters.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// A quantum of each.
    pub signals: [[f32; QUANTUM]; LANES],
    steps: LaneSteps,
    /// By span and lane: filters that change there.
    changes: [[(SvfCoefficients, FilterMode); LANES]; QUANTUM / SPAN],
    /// A bit for each lane.
    changed: [u8; QUANTUM / SPAN],
    state: [[f32; LANES]; 2],
}

impl Lanes {
    /// Silence that is left as it is. Allocate it once.
    pub const SILENCE: Self = Self {
        signals: [[0.0; QUANTUM]; LANES],
        steps: LaneSteps::THROUGH,
        changes: [[(SvfCoefficients { a1: 0.0, a2: 0.0, a3: 0.0, k: 0.0 }, FilterMode::Low); LANES];
            QUANTUM / SPAN],
        changed: [0; QUANTUM / SPAN],
        state: [[0.0; LANES]; 2],
    };

    /// Leaves a lane as it is.
    pub fn set_through(&mut self, lane: usize) {
        self.load(lane, &Svf::default());
        self.steps.set_through(lane);
    }

    /// A lane's filter from span `span` on. Until it is set again it stays, also when other signals come.
    #[inline]
    pub fn set(&mut self, lane: usize, span: usize, c: &SvfCoefficients, mode: FilterMode) {
        self.changes[span][lane] = (*c, mode);
        self.changed[span] |= 1 << lane;
    }

    /// Gives a lane a filter's state.
    pub fn load(&mut self, lane: usize, svf: &Svf) {
        (self.state[0][lane], self.state[1][lane]) = (svf.ic1, svf.ic2);
    }

    /// The state of a lane's filter.
    pub fn stored(&self, lane: usize) -> Svf {
        Svf { ic1: self.state[0][lane], ic2: self.state[1][lane] }
    }

    /// Filters the first spans of every signal in place. A lane's bits depend neither on the others' nor on how
    /// many spans there are.
    pub fn process(&mut self, n_spans: usize) {
        f32::run(Filtering { lanes: self, n_spans });
    }
}

/// [`Lanes::process`].
struct Filtering<'a> {
    lanes: &'a mut Lanes,
    n_spans: usize,
}

impl Kernel<f32> for Filtering<'_> {
    #[inline(always)]
    fn run<V: Vector<Elem = f32>>(self) {
        let Lanes { signals, steps, changes, changed, state } = self.lanes;
        // Both rows of the state in registers; of the vectors, the first `PER_ROW` count.
        let mut s: [[V; ROW]; 2] = [0, 1].map(|row| from_fn(|i| V::load(&state[row], i % V::PER_ROW)));
        for (span, (changes, changed)) in changes.iter().zip(changed).enumerate().take(self.n_spans) {
            while *changed != 0 {
                let lane = changed.trailing_zeros() as usize;
                steps.set(lane, &changes[lane].0, changes[lane].1);
                *changed &= *changed - 1;
            }
            for row in span * (SPAN / ROW)..(span + 1) * (SPAN / ROW) {
                for part in 0..V::PER_ROW {
                    // As many frames as a vector holds: frame by frame, then lane by lane again.
                    let mut frames: [V; ROW] =
                        V::transposed(from_fn(|lane| V::load(&signals[lane].as_chunks().0[row], part)));
                    for frame in frames.chunks_exact_mut(V::PER_ROW) {
                        for (i, x) in frame.iter_mut().enumerate() {
                            *x = step(steps, i, &mut s, *x);
                        }
                    }
                    let place = |lane: usize| lane % V::N * V::PER_ROW + lane / V::N;
                    let columns = V::transposed(from_fn(|at| frames[place(at)]));
                    for (lane, signal) in signals.iter_mut().enumerate() {
                        columns[place(lane)].store(&mut signal.as_chunks_mut().0[row], part);
                    }
                }
            }
            for (state, s) in state.iter_mut().zip(&mut s) {
                (0..V::PER_ROW).for_each(|i| s[i].store(state, i));
                state.iter_mut().for_each(|x| *x = flush(*x));
                (0..V::PER_ROW).for_each(|i| s[i] = V::load(state, i));
            }
        }
    }
}

/// One frame of the `i`th vector of lanes.
#[inline(always)]
fn step<V: Vector<Elem = f32>>(c: &LaneSteps, i: usize, s: &mut [[V; ROW]; 2], u: V) -> V {
    let (s1, s2) = (s[0][i], s[1][i]);
    let load = |row: &[f32; LANES]| V::load(row, i);
    let row = |[a, b]: [&[f32; LANES]; 2], d| load(a) * s1 + (load(b) * s2 + load(d) * u);
    s[0][i] = row(c.state[0].each_ref(), &c.input[0]);
    s[1][i] = row(c.state[1].each_ref(), &c.input[1]);
    row(c.from_state.each_ref(), &c.through)
}

/// One filter for one channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Svf {
    ic1: f32,
    ic2: f32,
}

impl Svf {
    /// Filters one sample.
    #[inline]
    pub fn process(&mut self, input: f32, c: &SvfCoefficients) -> SvfOutput {
        let v3 = input - self.ic2;
        let v1 = c.a1 * self.ic1 + c.a2 * v3;
        let v2 = self.ic2 + c.a2 * self.ic1 + c.a3 * v3;
        self.ic1 = flush(2.0 * v1 - self.ic1);
        self.ic2 = flush(2.0 * v2 - self.ic2);
        SvfOutput { low: v2, band: v1, high: input - c.k * v1 - v2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;

    /// Gain at `hz` for a cutoff of 1 kHz at 48 kHz, q 0.7071.
    fn gain(hz: f32, pick: fn(SvfOutput) -> f32) -> f32 {
        let c = SvfCoefficients::new(1000.0 / 48_000.0, core::f32::consts::FRAC_1_SQRT_2);
        let mut svf = Svf::default();
        let peak = (0..48_000).fold(0.0f32, |peak, i| {
            let x = math::sin(core::f32::consts::TAU * (hz * i as f32 / 48_000.0 % 1.0));
            let y = pick(svf.process(x, &c)).abs();
            if i > 24_000 { peak.max(y) } else { peak }
        });
        math::db_from_gain(peak)
    }

    #[test]
    fn slopes_are_those_of_a_second_order_butterworth() {
        assert!(gain(100.0, |o| o.low).abs() < 0.1);
        assert!((gain(1000.0, |o| o.low) + 3.01).abs() < 0.1);
        assert!((gain(1000.0, |o| o.high) + 3.01).abs() < 0.1);
        assert!((gain(100.0, |o| o.high) + 40.0).abs() < 0.5);
        assert!(gain(10_000.0, |o| o.low) < -39.0);
    }

    #[test]
    fn lanes_are_the_samples_one_by_one() {
        type Pick = fn(SvfOutput, f32) -> f32;
        let picks: [(FilterMode, Pick); 3] = [
            (FilterMode::Low, |o, _| o.low),
            (FilterMode::Band, |o, q| o.band / q),
            (FilterMode::High, |o, _| o.high),
        ];
        for (mode, pick) in picks {
            let cutoffs = [(0.0005, 0.7), (0.02, 4.0), (0.2, 0.5), (0.49, 1.0)];
            let mut lanes = Lanes::SILENCE;
            let filters = cutoffs.map(|(cutoff, q)| SvfCoefficients::new(cutoff, q));
            (0..4).for_each(|i| lanes.set(2 * i, 0, &filters[i], mode));
            let mut single = [Svf::default(); 4];
            let mut noise = crate::dsp::noise::Noise::new(3);
            for n in 0..500 {
                let n_spans = 1 + n % 8;
                let input: [f32; QUANTUM] = core::array::from_fn(|_| noise.sample());
                lanes.signals = [input; LANES];
                lanes.process(n_spans);
                for (i, (single, c)) in single.iter_mut().zip(&filters).enumerate() {
                    for (x, u) in lanes.signals[2 * i].iter().zip(&input).take(n_spans * SPAN) {
                        let exact = pick(single.process(*u, c), cutoffs[i].1);
                        assert!((x - exact).abs() < 2e-5, "{mode:?} {:?}: {x}, not {exact}", cutoffs[i]);
                    }
                }
                assert!(lanes.signals[1] == input, "a lane without a filter");
            }
        }
    }
}
