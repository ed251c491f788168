//! Second-order sections in double precision, for measurement.

use core::f64::consts::PI;

use crate::units::SampleRate;

/// y = b0·x + b1·x₋₁ + b2·x₋₂ − a1·y₋₁ − a2·y₋₂, as transposed direct form II.
///
/// State and coefficients are f64: the pole of the K-weighting high pass at 192 kHz is 0.001 away from the
/// unit circle, where an f32 state would add noise above the gates of BS.1770.
#[derive(Clone, Debug, PartialEq)]
pub struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    s1: f64,
    s2: f64,
}

/// Of the K-weighting's shelf: of what is high, 10^(3.999843853973347/20), and that to the power of
/// 0.4996667741545416.
const SHELF_GAINS: [f64; 2] = [1.584_864_701_130_855_6, 1.258_720_930_232_561_7];

impl Biquad {
    /// From coefficients normalised to a0 = 1: `b` = b0, b1, b2 and `a` = a1, a2. Starts at rest.
    pub const fn new(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, s1: 0.0, s2: 0.0 }
    }

    /// First stage of the K-weighting: the high shelf of about +4 dB that models the head.
    ///
    /// BS.1770-5 Annex 1 prints coefficients for 48 kHz only; the analogue prototype behind them (found by
    /// libebur128: f0, gain and Q below) goes to any rate by the bilinear transform, pre-warped at f0.
    pub fn k_weighting_shelf(rate: SampleRate) -> Self {
        const F0: f64 = 1_681.974_450_955_533;
        const Q: f64 = 0.707_175_236_955_419_6;
        let k = libm::tan(PI * F0 / rate.as_f64());
        let [high, band] = SHELF_GAINS;
        let a0 = 1.0 + k / Q + k * k;
        Self::new(
            [
                (high + band * k / Q + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / Q + k * k) / a0,
            ],
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / Q + k * k) / a0],
        )
    }

    /// Second stage of the K-weighting: the RLB high pass at 38 Hz. Its numerator is 1, −2, 1 at every rate,
    /// as in BS.1770-5 Annex 1 Table 2.
    pub fn k_weighting_high_pass(rate: SampleRate) -> Self {
        const F0: f64 = 38.135_470_876_024_44;
        const Q: f64 = 0.500_327_037_323_877_3;
        let k = libm::tan(PI * F0 / rate.as_f64());
        let a0 = 1.0 + k / Q + k * k;
        Self::new([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / Q + k * k) / a0])
    }

    /// b0, b1, b2 and a1, a2.
    pub const fn coefficients(&self) -> ([f64; 3], [f64; 2]) {
        (self.b, self.a)
    }

    /// Filters one sample, which must be finite.
    #[inline(always)]
    pub fn process(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.s1;
        self.s1 = self.b[1] * x - self.a[0] * y + self.s2;
        self.s2 = self.b[2] * x - self.a[1] * y;
        // Subnormals are slow, and wasm cannot flush them by itself. Both parts at once: near a double pole
        // they almost cancel, and zeroing one alone would start a new response, for ever. After every sample,
        // not every block: the result must not depend on where blocks end.
        if self.s1.abs() + self.s2.abs() < 1e-30 {
            (self.s1, self.s2) = (0.0, 0.0);
        }
        y
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        (self.s1, self.s2) = (0.0, 0.0);
    }

    /// Gain (linear) at `hz`.
    pub fn gain(&self, hz: f64, rate: SampleRate) -> f64 {
        let w = 2.0 * PI * hz / rate.as_f64();
        let (c1, s1, c2, s2) = (libm::cos(w), libm::sin(w), libm::cos(2.0 * w), libm::sin(2.0 * w));
        let num = libm::hypot(self.b[0] + self.b[1] * c1 + self.b[2] * c2, self.b[1] * s1 + self.b[2] * s2);
        num / libm::hypot(1.0 + self.a[0] * c1 + self.a[1] * c2, self.a[0] * s1 + self.a[1] * s2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gains_of_the_shelf_are_those_of_the_prototype() {
        let high = libm::pow(10.0, 3.999_843_853_973_347 / 20.0);
        assert_eq!(SHELF_GAINS, [high, libm::pow(high, 0.499_666_774_154_541_6)]);
    }

    #[test]
    fn k_weighting_at_48_khz_is_the_standards_table() {
        // BS.1770-5 Annex 1, Tables 1 and 2.
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        let shelf = Biquad::k_weighting_shelf(SampleRate::DEFAULT);
        for (ours, theirs) in
            shelf.b.iter().zip([1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85])
        {
            close(*ours, theirs);
        }
        close(shelf.a[0], -1.690_659_293_182_41);
        close(shelf.a[1], 0.732_480_774_215_85);
        let high_pass = Biquad::k_weighting_high_pass(SampleRate::DEFAULT);
        close(high_pass.a[0], -1.990_047_454_833_98);
        close(high_pass.a[1], 0.990_072_250_366_21);
    }

    #[test]
    fn k_weighting_is_the_same_curve_at_every_rate() {
        let gain_db = |hz: f64, rate: u32| {
            let rate = SampleRate::new(rate).unwrap();
            let gain = Biquad::k_weighting_shelf(rate).gain(hz, rate)
                * Biquad::k_weighting_high_pass(rate).gain(hz, rate);
            20.0 * libm::log10(gain)
        };
        // +0.691 dB at 997 Hz is what the constant −0.691 of the loudness formula takes away again.
        assert!((gain_db(997.0, 48_000) - 0.691).abs() < 0.005);
        for rate in [44_100, 88_200, 96_000, 192_000] {
            for hz in [20.0, 38.0, 100.0, 997.0, 3_000.0] {
                let error = gain_db(hz, rate) - gain_db(hz, 48_000);
                assert!(error.abs() < 0.05, "{hz} Hz at {rate}: {error}");
            }
        }
    }

    #[test]
    fn processing_has_the_stated_gain_and_decays_to_exact_silence() {
        let rate = SampleRate::DEFAULT;
        let mut filter = Biquad::k_weighting_shelf(rate);
        let mut peak = 0.0f64;
        for i in 0..48_000 {
            let y = filter.process(libm::sin(2.0 * PI * 5_000.0 * f64::from(i) / 48_000.0));
            if i > 1_000 {
                peak = peak.max(y);
            }
        }
        assert!((peak / filter.gain(5_000.0, rate) - 1.0).abs() < 1e-3);
        let mut tail = Biquad::k_weighting_high_pass(rate);
        tail.process(1.0);
        for _ in 0..48_000 {
            tail.process(0.0);
        }
        assert_eq!((tail.s1, tail.s2), (0.0, 0.0));
        filter.reset();
        assert_eq!(filter, Biquad::k_weighting_shelf(rate));
    }
}
