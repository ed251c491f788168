//! Pitch of one voice: P. McLeod and G. Wyvill, "A smarter way to find pitch" (2005), the MPM.

use alloc::boxed::Box;
use alloc::vec;

use crate::analysis::ring::Ring;
use crate::dsp::fft::{MIN_FFT_SIZE, RealFft};

/// Lowest pitch, Hz, a little below the 40 Hz that is promised.
const MIN_HZ: f64 = 38.0;
/// Highest pitch, Hz, a little above the 4 kHz that are promised.
const MAX_HZ: f64 = 4_200.0;
/// Seconds that are looked at, at least: two and a half periods of the lowest pitch.
const WINDOW_SECONDS: f64 = 0.063;
/// The first maximum that comes this near to the greatest one is the period: lower, and overtones win; higher,
/// and the sharp peaks of a bright tone fall between two lags and its octave wins.
const NEARLY_THE_GREATEST: f32 = 0.85;
/// What is less periodic than this has no pitch.
const MIN_CLARITY: f32 = 0.8;
/// Mean square below which there is silence: −80 dBFS.
const SILENCE: f64 = 1e-8;
/// Multiples of the period up to this lag sharpen the estimate, in seconds; more would smear a vibrato.
const REFINE_SECONDS: f64 = 0.02;

/// The newest samples, and their pitch when someone asks.
pub(super) struct Pitch {
    ring: Ring,
    fft: RealFft,
    /// The window and as much silence, so that the correlation does not wrap; then its power spectrum.
    padded: Box<[f32]>,
    re: Box<[f32]>,
    im: Box<[f32]>,
    /// Normalised square difference, −1..1, by lag.
    nsdf: Box<[f32]>,
    rate: f64,
}

impl Pitch {
    pub(super) fn new(rate: f64) -> Self {
        let n = ((WINDOW_SECONDS * rate) as usize).next_power_of_two().max(MIN_FFT_SIZE);
        Self {
            ring: Ring::new(n),
            fft: RealFft::new(2 * n),
            padded: vec![0.0; 2 * n].into(),
            re: vec![0.0; n + 1].into(),
            im: vec![0.0; n + 1].into(),
            nsdf: vec![0.0; ((rate / MIN_HZ) as usize + 2).min(n / 2)].into(),
            rate,
        }
    }

    pub(super) fn reset(&mut self) {
        self.ring.reset();
    }

    pub(super) fn process(&mut self, samples: &[f32]) {
        self.ring.append(samples);
    }

    /// Hz, or `None` where there is no pitch from 38 to 4200 Hz, and the clarity of the period, 0 to 1.
    pub(super) fn estimate(&mut self) -> (Option<f32>, f32) {
        if !self.correlate() {
            return (None, 0.0);
        }
        let Some((lag, height)) = self.period() else { return (None, 0.0) };
        let clarity = height.clamp(0.0, 1.0);
        let hz = self.rate / self.refined(lag);
        let is_pitch = clarity >= MIN_CLARITY && (MIN_HZ..=MAX_HZ).contains(&hz);
        (is_pitch.then_some(hz as f32), clarity)
    }

    /// Fills `nsdf`; false for silence.
    fn correlate(&mut self) -> bool {
        let n = self.ring.len();
        let (older, newer) = self.ring.pieces();
        let sum: f64 = older.iter().chain(newer).map(|&x| f64::from(x)).sum();
        let mean = (sum / n as f64) as f32;
        let (window, silence) = self.padded.split_at_mut(n);
        window.iter_mut().zip(older.iter().chain(newer)).for_each(|(out, x)| *out = x - mean);
        silence.fill(0.0);
        let energy: f64 = window.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        if energy < SILENCE * n as f64 {
            return false;
        }
        // Squares that leave the sums at each lag, kept before the window is overwritten.
        let mut both = 2.0 * energy;
        for (lag, slot) in self.nsdf.iter_mut().enumerate() {
            *slot = (0.5 * both) as f32;
            let (first, last) = (f64::from(window[lag]), f64::from(window[n - 1 - lag]));
            both = (both - first * first - last * last).max(0.0);
        }
        self.fft.forward(&self.padded, &mut self.re, &mut self.im);
        super::even_powers(&self.re, &self.im, &mut self.padded);
        self.fft.forward(&self.padded, &mut self.re, &mut self.im);
        let scale = 1.0 / (2 * n) as f32;
        for (slot, sum) in self.nsdf.iter_mut().zip(&self.re) {
            *slot = if *slot > 0.0 { scale * sum / *slot } else { 0.0 };
        }
        true
    }

    /// Lag and height of the first of the greatest maxima, one between each two zero crossings.
    fn period(&self) -> Option<(f64, f32)> {
        let mut greatest = 0.0;
        self.key_maxima(|_, height| {
            greatest = if height > greatest { height } else { greatest };
            false
        });
        self.key_maxima(|_, height| height >= NEARLY_THE_GREATEST * greatest)
    }

    /// Lag and height of the first key maximum that is `wanted`.
    fn key_maxima(&self, mut wanted: impl FnMut(f64, f32) -> bool) -> Option<(f64, f32)> {
        let nsdf = &self.nsdf;
        let mut lag = nsdf.iter().position(|&x| x < 0.0)?;
        while lag + 1 < nsdf.len() {
            let mut best = None;
            while lag + 1 < nsdf.len() && nsdf[lag] >= 0.0 {
                if nsdf[lag] > nsdf[lag - 1] && nsdf[lag] >= nsdf[lag + 1] {
                    let peak = self.peak(lag);
                    best = best.filter(|best: &(f64, f32)| best.1 >= peak.1).or(Some(peak));
                }
                lag += 1;
            }
            if let Some((at, height)) = best
                && wanted(at, height)
            {
                return best;
            }
            while lag + 1 < nsdf.len() && nsdf[lag] < 0.0 {
                lag += 1;
            }
        }
        None
    }

    /// Top of the parabola through a local maximum and its neighbours.
    fn peak(&self, lag: usize) -> (f64, f32) {
        super::parabola(lag, [self.nsdf[lag - 1], self.nsdf[lag], self.nsdf[lag + 1]])
    }

    /// The period from a multiple of it, found by doubling: an error of a part of a lag shrinks with it.
    fn refined(&self, period: f64) -> f64 {
        let (mut best, mut multiple) = (period, 1.0);
        loop {
            multiple *= 2.0;
            let (expected, reach) = (multiple * best, (0.25 * period) as usize);
            let nearest = (expected + 0.5) as usize;
            if expected > REFINE_SECONDS * self.rate || nearest + reach + 1 >= self.nsdf.len() {
                return best;
            }
            let around = nearest - reach..=nearest + reach;
            let greatest =
                around.fold(nearest, |best, lag| if self.nsdf[lag] > self.nsdf[best] { lag } else { best });
            // On a slope the parabola has its top anywhere, or none.
            let is_top = self.nsdf[greatest] >= self.nsdf[greatest - 1].max(self.nsdf[greatest + 1]);
            if !is_top || self.nsdf[greatest] < MIN_CLARITY {
                return best;
            }
            let (lag, _) = self.peak(greatest);
            best = lag / multiple;
        }
    }
}

#[cfg(test)]
mod tests {
    use core::f64::consts::TAU;

    use super::*;
    use crate::analysis::test_signals::Noise;

    #[test]
    fn a_glide_over_a_chord_has_a_pitch_within_the_limits_or_none() {
        // Nearly periodic sounds whose multiples of the period are on a slope of the correlation.
        let mut noise = Noise(11);
        for _ in 0..400 {
            let mut pitch = Pitch::new(48_000.0);
            let [hz, ratio, glide, level] = core::array::from_fn(|_| f64::from(noise.next()) + 1.0);
            let (hz, mut phase) = (40.0 * libm::exp2(3.0 * hz), 0.0);
            let samples: [f32; 4_096] = core::array::from_fn(|n| {
                phase += hz * libm::exp2(glide * n as f64 / 4_096.0) / 48_000.0;
                (0.3 * libm::sin(TAU * phase) + 0.2 * level * libm::sin(TAU * phase * (1.0 + ratio))) as f32
            });
            pitch.process(&samples);
            let (hz, clarity) = pitch.estimate();
            assert!((0.0..=1.0).contains(&clarity));
            assert!(hz.is_none_or(|hz| (MIN_HZ..=MAX_HZ).contains(&f64::from(hz))));
        }
    }
}
