//! An equaliser of state-variable sections, whose curves are those of the RBJ cookbook.
//!
//! Source of the sections: A. Simper, "Linear Trapezoidal Integrated SVF" (Cytomic, 2013). The same poles and
//! zeros as the cookbook's biquads (both are bilinear transforms of the same prototypes), but it stays stable
//! and free of transients while its coefficients move, and f32 is enough for low corners.

use core::f64::consts::PI;

use super::smooth::Smoothed;
use crate::buffer::StereoBlock;
use crate::math::wide;

/// Sections that an equaliser has.
pub const MAX_SECTIONS: usize = 8;

/// One band: H(s) = m0 + (m1·s + m2)/(s² + k·s + 1), with s = j·tan(π·f/fs)/g.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    g: f32,
    k: f32,
    m: [f32; 3],
}

impl Section {
    /// Passes everything unchanged.
    pub const FLAT: Self = Self { g: 0.1, k: 1.0, m: [1.0, 0.0, 0.0] };

    /// A bell around `turns` (Hz / sample rate); the gain is `gain_db` there, `q` is its width.
    pub fn bell(turns: f64, gain_db: f64, q: f64) -> Self {
        let a = libm::pow(10.0, gain_db / 40.0);
        let k = 1.0 / (q * a);
        Self::new(tan(turns), k, [1.0, k * (a * a - 1.0), 0.0])
    }

    /// `gain_db` far below `turns`, half of it there.
    pub fn low_shelf(turns: f64, gain_db: f64, q: f64) -> Self {
        let a = libm::pow(10.0, gain_db / 40.0);
        let k = 1.0 / q;
        Self::new(tan(turns) / wide::sqrt(a), k, [1.0, k * (a - 1.0), a * a - 1.0])
    }

    /// `gain_db` far above `turns`, half of it there.
    pub fn high_shelf(turns: f64, gain_db: f64, q: f64) -> Self {
        let a = libm::pow(10.0, gain_db / 40.0);
        let k = 1.0 / q;
        Self::new(tan(turns) * wide::sqrt(a), k, [a * a, k * (1.0 - a) * a, 1.0 - a * a])
    }

    /// Falls by 12 dB per octave below `turns`; the gain there is `q`.
    pub fn high_pass(turns: f64, q: f64) -> Self {
        let k = 1.0 / q;
        Self::new(tan(turns), k, [1.0, -k, -1.0])
    }

    /// Falls by 12 dB per octave above `turns`; the gain there is `q`.
    pub fn low_pass(turns: f64, q: f64) -> Self {
        Self::new(tan(turns), 1.0 / q, [0.0, 0.0, 1.0])
    }

    fn new(g: f64, k: f64, m: [f64; 3]) -> Self {
        Self { g: g as f32, k: k as f32, m: m.map(|m| m as f32) }
    }

    /// Gain (linear) at `turns`, from the transfer function.
    pub fn gain(&self, turns: f64) -> f64 {
        let w = tan(turns) / f64::from(self.g);
        let (k, m) = (f64::from(self.k), self.m.map(f64::from));
        let (re, im) = (1.0 - w * w, k * w);
        libm::hypot(m[0] * re + m[2], m[0] * im + m[1] * w) / libm::hypot(re, im)
    }
}

/// tan(π·turns), below Nyquist.
fn tan(turns: f64) -> f64 {
    libm::tan(PI * turns.clamp(1e-5, 0.49))
}

/// What one frame needs of a section.
#[derive(Clone, Copy)]
struct Step {
    a: [f32; 3],
    m: [f32; 3],
}

impl Step {
    #[inline(always)]
    fn new(g: f32, k: f32, m: [f32; 3]) -> Self {
        let a1 = 1.0 / (1.0 + g * (g + k));
        Self { a: [a1, g * a1, g * g * a1], m }
    }
}

/// A section that glides to new coefficients, and its state for two channels.
#[derive(Clone, Copy, Debug)]
struct Band {
    /// g, k, m0, m1, m2.
    coefficients: [Smoothed; 5],
    state: [[f32; 2]; 2],
}

impl Band {
    fn new(section: Section, sample_rate: f32) -> Self {
        let Section { g, k, m } = section;
        let coefficients = [g, k, m[0], m[1], m[2]].map(|c| Smoothed::new(c, sample_rate));
        Self { coefficients, state: [[0.0; 2]; 2] }
    }

    fn glide_to(&mut self, other: &Self) {
        // A flat band has no frequency to come from, and none to go to: only its gain moves.
        if self.is_idle() {
            for idx in 0..2 {
                self.coefficients[idx].jump(other.coefficients[idx].target());
            }
        }
        let n_fixed = if other.is_idle() { 2 } else { 0 };
        for (own, other) in self.coefficients.iter_mut().zip(&other.coefficients).skip(n_fixed) {
            own.set(other.target());
        }
    }

    /// Passes everything unchanged.
    fn is_idle(&self) -> bool {
        let [_, _, m0, m1, m2] = &self.coefficients;
        self.is_settled() && m0.value() == 1.0 && m1.value() == 0.0 && m2.value() == 0.0
    }

    fn is_settled(&self) -> bool {
        self.coefficients.iter().all(Smoothed::is_settled)
    }

    fn process(&mut self, block: &mut StereoBlock) {
        let step_of = |c: [f32; 5]| Step::new(c[0], c[1], [c[2], c[3], c[4]]);
        if self.is_idle() {
            self.state = [[0.0; 2]; 2];
        } else if self.is_settled() {
            let step = step_of(self.coefficients.map(|c| c.value()));
            let [mut left_state, mut right_state] = self.state;
            for (left, right) in block.left.iter_mut().zip(&mut block.right) {
                *left = advance(&mut left_state, &step, *left);
                *right = advance(&mut right_state, &step, *right);
            }
            self.state = [left_state, right_state];
        } else {
            for (left, right) in block.left.iter_mut().zip(&mut block.right) {
                let step = step_of(self.coefficients.each_mut().map(Smoothed::advance));
                *left = advance(&mut self.state[0], &step, *left);
                *right = advance(&mut self.state[1], &step, *right);
            }
        }
    }
}

#[inline(always)]
fn advance(state: &mut [f32; 2], step: &Step, x: f32) -> f32 {
    let v3 = x - state[1];
    let v1 = step.a[0] * state[0] + step.a[1] * v3;
    let v2 = state[1] + step.a[1] * state[0] + step.a[2] * v3;
    let next = [2.0 * v1 - state[0], 2.0 * v2 - state[1]];
    // Both at once: for a low corner one part is thousands of times smaller than the other, and zeroing it
    // alone would keep the other from ever moving again.
    *state = if next[0].abs() + next[1].abs() < 1e-15 { [0.0; 2] } else { next };
    step.m[0] * x + step.m[1] * v1 + step.m[2] * v2
}

/// Up to [`MAX_SECTIONS`] sections in a row, stereo.
#[derive(Clone, Debug)]
pub struct Equaliser {
    bands: [Band; MAX_SECTIONS],
}

impl Equaliser {
    /// At rest. Sections beyond [`MAX_SECTIONS`] are left out.
    pub fn new(sections: impl IntoIterator<Item = Section>, sample_rate: f32) -> Self {
        let mut bands = [Band::new(Section::FLAT, sample_rate); MAX_SECTIONS];
        for (band, section) in bands.iter_mut().zip(sections) {
            *band = Band::new(section, sample_rate);
        }
        Self { bands }
    }

    /// Glides to the settings of `other`.
    pub fn glide_to(&mut self, other: &Self) {
        for (own, other) in self.bands.iter_mut().zip(&other.bands) {
            own.glide_to(other);
        }
    }

    /// Filters a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        for band in &mut self.bands {
            band.process(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::QUANTUM;
    use core::f64::consts::TAU;

    const RATE: f64 = 48_000.0;

    /// Magnitude of the biquad that R. Bristow-Johnson's "Audio EQ Cookbook" gives, evaluated on the circle.
    fn cookbook(shape: &str, hz: f64, gain_db: f64, q: f64, at_hz: f64) -> f64 {
        let a = libm::pow(10.0, gain_db / 40.0);
        let w0 = TAU * hz / RATE;
        let (c, alpha) = (libm::cos(w0), libm::sin(w0) / (2.0 * q));
        let s = 2.0 * libm::sqrt(a) * alpha;
        let (p, m) = (a + 1.0, a - 1.0);
        let (b, d) = match shape {
            "bell" => {
                ([1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a], [1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a])
            }
            "low shelf" => (
                [a * (p - m * c + s), 2.0 * a * (m - p * c), a * (p - m * c - s)],
                [p + m * c + s, -2.0 * (m + p * c), p + m * c - s],
            ),
            "high shelf" => (
                [a * (p + m * c + s), -2.0 * a * (m + p * c), a * (p + m * c - s)],
                [p - m * c + s, 2.0 * (m - p * c), p - m * c - s],
            ),
            "high pass" => {
                ([(1.0 + c) / 2.0, -(1.0 + c), (1.0 + c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
            }
            _ => ([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha]),
        };
        let w = TAU * at_hz / RATE;
        let magnitude = |p: [f64; 3]| {
            libm::hypot(
                p[0] + p[1] * libm::cos(w) + p[2] * libm::cos(2.0 * w),
                p[1] * libm::sin(w) + p[2] * libm::sin(2.0 * w),
            )
        };
        magnitude(b) / magnitude(d)
    }

    fn section(shape: &str, hz: f64, gain_db: f64, q: f64) -> Section {
        let turns = hz / RATE;
        match shape {
            "bell" => Section::bell(turns, gain_db, q),
            "low shelf" => Section::low_shelf(turns, gain_db, q),
            "high shelf" => Section::high_shelf(turns, gain_db, q),
            "high pass" => Section::high_pass(turns, q),
            _ => Section::low_pass(turns, q),
        }
    }

    const SHAPES: [&str; 5] = ["bell", "low shelf", "high shelf", "high pass", "low pass"];

    fn db(gain: f64) -> f64 {
        20.0 * libm::log10(gain)
    }

    /// Gain in dB for a sine of a whole number of periods in a second, by correlation over the second second.
    fn measured(eq: &mut Equaliser, hz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for block_idx in 0..750 {
            let mut block = StereoBlock::SILENCE;
            let angle = |i: usize| TAU * ((hz * (block_idx * QUANTUM + i) as f64 / RATE) % 1.0);
            for i in 0..QUANTUM {
                block.left[i] = (0.25 * libm::sin(angle(i))) as f32;
                block.right[i] = -block.left[i];
            }
            eq.process(&mut block);
            for i in 0..QUANTUM {
                assert_eq!(block.left[i], -block.right[i]);
                if block_idx >= 375 {
                    re += f64::from(block.left[i]) * libm::sin(angle(i));
                    im += f64::from(block.left[i]) * libm::cos(angle(i));
                }
            }
        }
        db(8.0 * libm::hypot(re, im) / RATE)
    }

    #[test]
    fn the_stated_response_is_the_cookbooks() {
        for shape in SHAPES {
            for (hz, gain_db, q) in
                [(40.0, 24.0, 0.7), (1_000.0, -9.0, 10.0), (12_000.0, 6.0, 0.1), (20_000.0, -24.0, 1.0)]
            {
                let section = section(shape, hz, gain_db, q);
                for at in [20.0, 39.0, 200.0, 990.0, 5_000.0, 11_000.0, 19_000.0, 23_000.0] {
                    let error = db(section.gain(at / RATE)) - db(cookbook(shape, hz, gain_db, q, at));
                    assert!(error.abs() < 1e-3, "{shape} {hz} {gain_db} {q} at {at}: {error} dB");
                }
            }
        }
    }

    #[test]
    fn the_measured_response_is_the_stated_one() {
        for (shape, q) in SHAPES.iter().zip([0.9, 0.7, 0.5, 2.0, 0.7]) {
            for hz in [50.0, 1_000.0, 9_000.0] {
                let section = section(shape, hz, 12.0, q);
                let mut eq = Equaliser::new([section], 48_000.0);
                for at in [30.0, 50.0, 700.0, 1_000.0, 9_000.0, 15_000.0] {
                    let (got, stated) = (measured(&mut eq, at), db(section.gain(at / RATE)));
                    // Below −80 dB the rounding of f32 shows.
                    if stated > -80.0 {
                        assert!((got - stated).abs() < 0.01, "{shape} {hz} at {at}: {got}, not {stated}");
                    }
                }
            }
        }
    }

    #[test]
    fn eight_bands_multiply() {
        let bands = (1..=8).map(|n| Section::bell(400.0 * f64::from(n) / RATE, f64::from(n) - 4.0, 2.0));
        let bands = alloc::vec::Vec::from_iter(bands);
        let mut eq = Equaliser::new(bands.clone(), 48_000.0);
        for at in [400.0, 1_500.0, 3_200.0] {
            let stated = bands.iter().map(|band| db(band.gain(at / RATE))).sum::<f64>();
            assert!((measured(&mut eq, at) - stated).abs() < 0.01);
        }
    }

    #[test]
    fn a_glide_ends_at_the_new_curve_without_a_click() {
        // A tone of 60 Hz while the bands move far; what the move adds above 2 kHz is the click.
        let narrow = [Section::bell(100.0 / RATE, 18.0, 4.0), Section::high_pass(30.0 / RATE, 0.7)];
        let wide = [Section::low_shelf(2_000.0 / RATE, -12.0, 0.7)];
        let mut eq = Equaliser::new(narrow, 48_000.0);
        let mut high_pass = Equaliser::new([Section::high_pass(2_000.0 / RATE, 0.7); 4], 48_000.0);
        let mut worst = 0.0f32;
        for block_idx in 0..1_000 {
            if block_idx == 500 {
                eq.glide_to(&Equaliser::new(wide, 48_000.0));
            }
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                let turns = (block_idx * QUANTUM + i) as f64 / 800.0 % 1.0;
                block.left[i] = (0.1 * libm::sin(TAU * turns)) as f32;
                block.right[i] = -block.left[i];
            }
            eq.process(&mut block);
            high_pass.process(&mut block);
            if block_idx > 100 {
                worst = block.left.iter().fold(worst, |a, x| a.max(x.abs()));
            }
        }
        let click = db(f64::from(worst));
        assert!(click < -80.0, "{click} dBFS");
        assert!((measured(&mut eq, 1_000.0) - db(wide[0].gain(1_000.0 / RATE))).abs() < 0.01);
        eq.glide_to(&Equaliser::new([], 48_000.0));
        for _ in 0..20 {
            eq.process(&mut StereoBlock { left: [0.5; QUANTUM], right: [-0.5; QUANTUM] });
        }
        let mut block = StereoBlock { left: [0.25; QUANTUM], right: [0.125; QUANTUM] };
        let same = block.clone();
        eq.process(&mut block);
        assert_eq!(block, same, "without bands nothing changes");
    }

    #[test]
    fn a_tail_ends_in_exact_silence() {
        let mut eq = Equaliser::new([Section::bell(20.0 / RATE, 24.0, 10.0)], 48_000.0);
        let mut block = StereoBlock::SILENCE;
        block.left[0] = 1.0;
        eq.process(&mut block);
        // Poles of q = 40 at 20 Hz: a time constant of 0.6 s, and 300 dB to fall.
        for _ in 0..10_000 {
            block = StereoBlock::SILENCE;
            eq.process(&mut block);
        }
        assert_eq!(block, StereoBlock::SILENCE);
    }
}
