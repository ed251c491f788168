//! State-variable filter in its trapezoidal (zero-delay feedback) form.
//!
//! Source: A. Simper, "Linear Trapezoidal Integrated SVF" (Cytomic, 2013). Stable for any cutoff below
//! Nyquist while it is modulated.
//!
//! [`Svf::process`] takes a sample at a time: each waits for the one before it. Voices use
//! [`Svf::process_spans`] with an [`SvfKernel`], the same filter with four steps multiplied out, so that four
//! samples are computed at once and only the state waits.

use super::phase::sin_quarter_turn;
use crate::math::flush;
use crate::units::SPAN;

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

/// Four steps of the filter in one, for one cutoff.
///
/// With s the state and u the input, a step is y = c·s + d·u, s' = A·s + b·u. Four of them are
/// y = O·s + H·u and s' = A⁴·s + K·u.
#[derive(Clone, Copy, Debug, Default)]
pub struct SvfKernel {
    /// O, by columns.
    from_state: [[f32; 4]; 2],
    /// H, by columns: the impulse response, each later by one.
    from_input: [[f32; 4]; 4],
    /// A⁴, by rows.
    state: [[f32; 2]; 2],
    /// K, by rows.
    input: [[f32; 4]; 2],
}

impl SvfKernel {
    /// Multiplies the steps out.
    pub fn new(c: &SvfCoefficients, mode: FilterMode) -> Self {
        // y = m0·u + m1·v1 + m2·v2; v1 and v2 as in `Svf::process`.
        let (m0, m1, m2) = match mode {
            FilterMode::Low => (0.0, 0.0, 1.0),
            FilterMode::Band => (0.0, c.k, 0.0),
            FilterMode::High => (1.0, -c.k, -1.0),
        };
        let d = m0 + m1 * c.a2 + m2 * c.a3;
        let a = [[2.0 * c.a1 - 1.0, -2.0 * c.a2], [2.0 * c.a2, 1.0 - 2.0 * c.a3]];
        let b = [2.0 * c.a2, 2.0 * c.a3];
        let (mut from_state, mut response, mut input) = ([[0.0; 4]; 2], [d; 4], [[0.0; 4]; 2]);
        let mut row = [m1 * c.a1 + m2 * c.a2, m2 * (1.0 - c.a3) - m1 * c.a2];
        let mut column = b;
        for n in 0..4 {
            (from_state[0][n], from_state[1][n]) = (row[0], row[1]);
            (input[0][3 - n], input[1][3 - n]) = (column[0], column[1]);
            if n < 3 {
                response[n + 1] = row[0] * b[0] + row[1] * b[1];
            }
            row = [row[0] * a[0][0] + row[1] * a[1][0], row[0] * a[0][1] + row[1] * a[1][1]];
            column = [a[0][0] * column[0] + a[0][1] * column[1], a[1][0] * column[0] + a[1][1] * column[1]];
        }
        let square = |a: [[f32; 2]; 2]| {
            let entry = |i: usize, j: usize| a[i][0] * a[0][j] + a[i][1] * a[1][j];
            [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
        };
        let [h0, h1, h2, h3] = response;
        Self {
            from_state,
            from_input: [[h0, h1, h2, h3], [0.0, h0, h1, h2], [0.0, 0.0, h0, h1], [0.0, 0.0, 0.0, h0]],
            state: square(square(a)),
            input,
        }
    }
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

    /// Filters spans in place; their number leaves no trace.
    #[inline]
    pub fn process_spans(&mut self, kernel: &SvfKernel, samples: &mut [f32]) {
        let SvfKernel { from_state: [o1, o2], from_input: [h0, h1, h2, h3], state, input } = kernel;
        let (mut s1, mut s2) = (self.ic1, self.ic2);
        for span in samples.as_chunks_mut::<SPAN>().0 {
            for four in span.as_chunks_mut::<4>().0 {
                let [u0, u1, u2, u3] = *four;
                for (n, y) in four.iter_mut().enumerate() {
                    *y = (o1[n] * s1 + o2[n] * s2) + ((h0[n] * u0 + h1[n] * u1) + (h2[n] * u2 + h3[n] * u3));
                }
                let [k1, k2] = input.map(|k| (k[0] * u0 + k[1] * u1) + (k[2] * u2 + k[3] * u3));
                (s1, s2) =
                    (state[0][0] * s1 + (state[0][1] * s2 + k1), state[1][0] * s1 + (state[1][1] * s2 + k2));
            }
            (s1, s2) = (flush(s1), flush(s2));
        }
        (self.ic1, self.ic2) = (s1, s2);
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
    fn spans_are_the_samples_one_by_one() {
        type Pick = fn(SvfOutput, f32) -> f32;
        let picks: [(FilterMode, Pick); 3] = [
            (FilterMode::Low, |o, _| o.low),
            (FilterMode::Band, |o, q| o.band / q),
            (FilterMode::High, |o, _| o.high),
        ];
        for (mode, pick) in picks {
            for (cutoff, q) in [(0.0005, 0.7), (0.02, 4.0), (0.2, 0.5), (0.49, 1.0)] {
                let c = SvfCoefficients::new(cutoff, q);
                let kernel = SvfKernel::new(&c, mode);
                let (mut one, mut span) = (Svf::default(), Svf::default());
                let mut noise = crate::dsp::noise::Noise::new(3);
                for _ in 0..2000 {
                    let mut samples = noise.span();
                    let exact = samples.map(|x| pick(one.process(x, &c), q));
                    span.process_spans(&kernel, &mut samples);
                    for (x, exact) in samples.iter().zip(exact) {
                        assert!((x - exact).abs() < 2e-5, "{mode:?} {cutoff} {q}: {x}, not {exact}");
                    }
                }
            }
        }
    }
}
