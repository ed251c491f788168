//! State-variable filter in its trapezoidal (zero-delay feedback) form.
//!
//! Source: A. Simper, "Linear Trapezoidal Integrated SVF" (Cytomic, 2013). Stable for any cutoff below
//! Nyquist while it is modulated.

use crate::math::{self, flush};

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
        let g = math::tan(core::f32::consts::PI * cutoff.clamp(1e-5, 0.49));
        let k = 1.0 / q;
        let a1 = 1.0 / (1.0 + g * (g + k));
        Self { a1, a2: g * a1, a3: g * g * a1, k }
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
}
