//! Stereo image: correlation, balance, width, and points for a goniometer.

use alloc::boxed::Box;

use super::finite;
use crate::boxed;
use crate::math::wide;
use crate::units::SampleRate;

/// Time constant of the averages.
const SMOOTHING_SECONDS: f64 = 0.3;
/// Points that are kept.
pub const MAX_POINTS: usize = 1_024;
/// Points a second at most: [`MAX_POINTS`] then cover 43 ms, a frame at 24 fps.
const POINTS_PER_SECOND: u32 = 24_000;
/// Mean square below which a channel counts as silent: −120 dBFS.
const SILENCE: f64 = 1e-12;

/// Image of a stereo stream over the last third of a second (exponential, 300 ms).
#[derive(Clone, Debug)]
pub struct Stereo {
    coefficient: f64,
    /// Means of l², r² and l·r.
    means: [f64; 3],
    points: Box<[[i8; 2]]>,
    newest: usize,
    every: u32,
    frame: u32,
}

impl Stereo {
    /// At rest: silence came before.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            coefficient: 1.0 - libm::exp(-1.0 / (SMOOTHING_SECONDS * rate.as_f64())),
            means: [0.0; 3],
            points: boxed::filled(MAX_POINTS, [0; 2]),
            newest: 0,
            every: rate.hz().div_ceil(POINTS_PER_SECOND),
            frame: 0,
        }
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        self.means = [0.0; 3];
        self.points.fill([0; 2]);
        (self.newest, self.frame) = (0, 0);
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        for (&l, &r) in left.iter().zip(right) {
            let (l, r) = (finite(l), finite(r));
            let (wide_l, wide_r) = (f64::from(l), f64::from(r));
            for (mean, x) in self.means.iter_mut().zip([wide_l * wide_l, wide_r * wide_r, wide_l * wide_r]) {
                let next = *mean + self.coefficient * (x - *mean);
                // Far below what is shown, far above the slow subnormals.
                *mean = if next.abs() < 1e-30 { 0.0 } else { next };
            }
            if self.frame == 0 {
                self.newest = (self.newest + 1) % MAX_POINTS;
                self.points[self.newest] = [i8_from_unit(0.5 * (r - l)), i8_from_unit(0.5 * (l + r))];
                self.frame = self.every;
            }
            self.frame -= 1;
        }
    }

    /// Correlation of the channels, −1 (opposite) to 1 (equal); 0 when one of them is silent (−120 dBFS).
    pub fn correlation(&self) -> f32 {
        let [l, r, lr] = self.means;
        if l < SILENCE || r < SILENCE {
            return 0.0;
        }
        (lr / wide::sqrt(l * r)).clamp(-1.0, 1.0) as f32
    }

    /// Balance, −1 (left only) to 1 (right only): (R − L)/(R + L) of the RMS values; 0 for silence.
    pub fn balance(&self) -> f32 {
        let [l, r, _] = self.means;
        if l + r < SILENCE {
            return 0.0;
        }
        let (l, r) = (wide::sqrt(l), wide::sqrt(r));
        ((r - l) / (r + l)) as f32
    }

    /// Width, 0 (mono) to 1 (opposite channels): S/(M + S) of the RMS values, with M = (L + R)/2 and
    /// S = (L − R)/2. Independent channels of equal level, or one channel alone, have 0.5. 0 for silence.
    pub fn width(&self) -> f32 {
        let [l, r, lr] = self.means;
        if l + r < SILENCE {
            return 0.0;
        }
        // Rounding may take the smaller of the two just below zero.
        let (mid, side) = (wide::sqrt((l + r + 2.0 * lr).max(0.0)), wide::sqrt((l + r - 2.0 * lr).max(0.0)));
        (side / (mid + side)) as f32
    }

    /// The newest points [x, y] of the goniometer, oldest first; points that do not exist yet are [0, 0], and
    /// beyond [`MAX_POINTS`] `out` is filled with [0, 0]. x = (R − L)/2 and y = (L + R)/2, full scale 127:
    /// mono is upright, left leans left. At most 24,000 points a second are kept.
    pub fn points(&self, out: &mut [[i8; 2]]) {
        let (newest, rest) = out.split_at_mut(out.len().min(MAX_POINTS));
        rest.fill([0; 2]);
        let first = self.newest + 1 + MAX_POINTS - newest.len();
        for (i, point) in newest.iter_mut().enumerate() {
            *point = self.points[(first + i) % MAX_POINTS];
        }
    }
}

/// −127..127 from −1..1, rounded, limited.
fn i8_from_unit(x: f32) -> i8 {
    let scaled = 127.0 * x;
    // A cast truncates towards zero and saturates.
    ((scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i8).max(-127)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise, sine};
    use alloc::vec;
    use alloc::vec::Vec;

    fn after(left: &[f32], right: &[f32]) -> Stereo {
        let mut stereo = Stereo::new(SampleRate::DEFAULT);
        stereo.process(left, right);
        stereo
    }

    fn near(a: f32, b: f32, tolerance: f32) {
        assert!((a - b).abs() <= tolerance, "{a}, not {b}");
    }

    #[test]
    fn known_images() {
        let tone = sine(96_000, 1_000.0 / 48_000.0, 0.5, 0.0);
        let opposite: Vec<f32> = tone.iter().map(|x| -x).collect();
        let silence = vec![0.0; tone.len()];
        let quarter = sine(96_000, 1_000.0 / 48_000.0, 0.5, 90.0);
        for (l, r, correlation, balance, width) in [
            (&tone, &tone, 1.0, 0.0, 0.0),
            (&tone, &opposite, -1.0, 0.0, 1.0),
            (&tone, &quarter, 0.0, 0.0, 0.5),
            (&tone, &silence, 0.0, -1.0, 0.5),
            (&silence, &tone, 0.0, 1.0, 0.5),
            (&silence, &silence, 0.0, 0.0, 0.0),
        ] {
            let stereo = after(l, r);
            near(stereo.correlation(), correlation, 0.002);
            near(stereo.balance(), balance, 0.002);
            near(stereo.width(), width, 0.002);
        }
        let half: Vec<f32> = tone.iter().map(|x| 0.5 * x).collect();
        near(after(&tone, &half).balance(), -1.0 / 3.0, 1e-4);
        let independent = after(&Noise(1).take(96_000), &Noise(2).take(96_000));
        near(independent.correlation(), 0.0, 0.05);
    }

    #[test]
    fn values_settle_in_about_a_third_of_a_second() {
        let tone = sine(48_000, 1_000.0 / 48_000.0, 0.5, 0.0);
        let opposite: Vec<f32> = tone.iter().map(|x| -x).collect();
        let mut stereo = after(&tone, &tone);
        stereo.process(&tone[..14_400], &opposite[..14_400]);
        // (1 − e^−1)·(−1) + e^−1·1, and the first second was not infinite.
        near(stereo.correlation(), 2.0 * 0.3679 - 1.0, 0.03);
    }

    #[test]
    fn points_are_the_newest_frames_upright_for_mono() {
        let mut stereo = after(&[1.0, 0.5, 1.0, 9.0, 0.0, 0.0], &[1.0, 0.5, 0.0, 9.0, -1.0, 0.0]);
        let mut points = [[1i8; 2]; 4];
        stereo.points(&mut points);
        // Every second frame at 48 kHz.
        assert_eq!(points, [[0, 0], [0, 127], [-64, 64], [-64, -64]]);
        stereo.process(&[-1.0], &[-1.0]);
        let mut many = [[1i8; 2]; MAX_POINTS + 1];
        stereo.points(&mut many);
        assert_eq!((many[MAX_POINTS - 1], many[MAX_POINTS]), ([0, -127], [0, 0]));
        stereo.reset();
        stereo.points(&mut many);
        assert!(many.iter().all(|&point| point == [0, 0]));
    }

    #[test]
    fn bits_do_not_depend_on_blocks_and_bad_samples_are_silence() {
        let (l, r) = (Noise(3).take(30_000), Noise(4).take(30_000));
        let read = |s: &Stereo| {
            let mut points = [[0; 2]; MAX_POINTS];
            s.points(&mut points);
            ([s.correlation(), s.balance(), s.width()].map(f32::to_bits), points)
        };
        let whole = read(&after(&l, &r));
        for chunk in CHUNKS {
            let mut stereo = Stereo::new(SampleRate::DEFAULT);
            l.chunks(chunk).zip(r.chunks(chunk)).for_each(|(l, r)| stereo.process(l, r));
            assert!(read(&stereo) == whole, "chunks of {chunk}");
        }
        let bad = after(&[f32::NAN, f32::INFINITY], &[f32::INFINITY, f32::NAN]);
        assert_eq!((bad.correlation(), bad.balance(), bad.width()), (0.0, 0.0, 0.0));
    }
}
