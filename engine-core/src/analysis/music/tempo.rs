//! Tempo: the autocorrelation of the onset strength, weighted by a preferred tempo as in D. P. W. Ellis, "Beat
//! tracking by dynamic programming" (2007).

use alloc::boxed::Box;
use alloc::vec;

use crate::dsp::fft::RealFft;

/// Strengths that are looked at: 10 s.
const WINDOW: usize = 2_048;
/// A new look, every half second.
const HOP: usize = 100;
/// Strengths that the first look needs: 3 s.
const FIRST: u64 = 600;
/// Lags that are kept: four beats at the slowest tempo.
const N_LAGS: usize = 1_280;
/// Tempi that are told, beats a minute.
const RANGE_BPM: [f64; 2] = [40.0, 240.0];
/// Centre and width (standard deviation, octaves) of the preference among tempi that fit equally well.
const PREFERRED_BPM: f64 = 120.0;
const PREFERRED_OCTAVES: f64 = 1.0;
/// A half or a third of the period that repeats nearly as well is the beat.
const DIVIDES: f64 = 0.92;
/// Less periodic is no tempo.
const MIN_STRENGTH: f64 = 0.15;
/// Less onset than this is silence, dB².
const SILENCE: f64 = 0.01;
/// Time constant in a live stream, looks: 4 s.
const MEMORY_LOOKS: f64 = 8.0;
/// Spreads an onset over 30 ms, since nobody plays to 5 ms.
const SMOOTHING: [f32; 7] = [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25];

/// Tempo of a row of onset strengths.
pub(super) struct Tempo {
    /// Strengths a second.
    rate: f64,
    forget: f64,
    /// The newest strengths, as a ring.
    strengths: Box<[f32]>,
    n_frames: u64,
    fft: RealFft,
    padded: Box<[f32]>,
    re: Box<[f32]>,
    im: Box<[f32]>,
    /// Mean product of strengths by lag, dB², summed over the looks: what is loud counts more than what fades.
    correlation: Box<[f64]>,
    /// Beats a minute and strength.
    found: Option<(f64, f64)>,
}

impl Tempo {
    /// For `rate` strengths a second; `forgets` what is long past, or is about the whole.
    pub(super) fn new(rate: f64, forgets: bool) -> Self {
        Self {
            rate,
            forget: if forgets { 1.0 / MEMORY_LOOKS } else { 0.0 },
            strengths: vec![0.0; WINDOW].into(),
            n_frames: 0,
            fft: RealFft::new(2 * WINDOW),
            padded: vec![0.0; 2 * WINDOW].into(),
            re: vec![0.0; WINDOW + 1].into(),
            im: vec![0.0; WINDOW + 1].into(),
            correlation: vec![0.0; N_LAGS].into(),
            found: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.strengths.fill(0.0);
        self.correlation.fill(0.0);
        (self.n_frames, self.found) = (0, None);
    }

    /// Beats a minute, 40 to 240, and how periodic the onsets are, 0 to 1.
    pub(super) fn found(&self) -> Option<(f64, f64)> {
        self.found
    }

    pub(super) fn push(&mut self, strength: f32) {
        self.strengths[(self.n_frames % WINDOW as u64) as usize] = strength;
        self.n_frames += 1;
        if self.n_frames >= FIRST && self.n_frames.is_multiple_of(HOP as u64) {
            self.look();
            self.found = self.find();
        }
    }

    /// Adds the autocorrelation of the window to the mean.
    fn look(&mut self) {
        let n = self.n_frames.min(WINDOW as u64) as usize;
        let oldest = (self.n_frames - n as u64) as usize;
        let (window, silence) = self.padded.split_at_mut(n);
        silence.fill(0.0);
        window.fill(0.0);
        for i in 0..n {
            let x = self.strengths[(oldest + i) % WINDOW];
            for (j, w) in SMOOTHING.iter().enumerate() {
                // The three at each end that fall outside are not missed.
                if let Some(slot) = (i + j).checked_sub(SMOOTHING.len() / 2).and_then(|i| window.get_mut(i)) {
                    *slot += w * x;
                }
            }
        }
        let mean = window.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        window.iter_mut().for_each(|x| *x -= mean as f32);
        self.fft.forward(&self.padded, &mut self.re, &mut self.im);
        super::even_powers(&self.re, &self.im, &mut self.padded);
        self.fft.forward(&self.padded, &mut self.re, &mut self.im);
        let scale = 1.0 / (2 * WINDOW) as f64;
        for (lag, (sum, &r)) in self.correlation.iter_mut().zip(&self.re).enumerate() {
            // Fewer pairs at greater lags; too few say nothing.
            let pairs = n.saturating_sub(lag);
            let mean = if 3 * pairs > n { scale * f64::from(r) / pairs as f64 } else { 0.0 };
            *sum = *sum * (1.0 - self.forget) + mean;
        }
    }

    fn find(&self) -> Option<(f64, f64)> {
        if self.correlation[0] < SILENCE {
            return None;
        }
        let shortest = (60.0 * self.rate / RANGE_BPM[1]) as usize;
        let longest = (60.0 * self.rate / RANGE_BPM[0]) as usize + 1;
        let mut best: Option<(f64, f64)> = None;
        for lag in shortest..=longest {
            let Some((lag, height)) = self.maximum_near(lag as f64, 0) else { continue };
            let octaves = libm::log2(60.0 * self.rate / lag / PREFERRED_BPM) / PREFERRED_OCTAVES;
            let score = height * libm::exp(-0.5 * octaves * octaves);
            if best.is_none_or(|(_, least)| score > least) {
                best = Some((lag, score));
            }
        }
        let (mut lag, _) = best?;
        let (_, mut height) = self.maximum_near(lag, 2)?;
        for parts in [3.0, 2.0, 2.0] {
            let beats =
                [1.0, 2.0, 3.0, 4.0].map(|n| self.maximum_near(n * lag, 4).map_or(0.0, |(_, height)| height));
            let greatest = beats.iter().fold(0.0, |a, &b| if b > a { b } else { a });
            if let Some((part, part_height)) = self.maximum_near(lag / parts, 2)
                && part_height >= DIVIDES * greatest
                && part >= shortest as f64
            {
                (lag, height) = (part, part_height);
            }
        }
        let strength = height / self.correlation[0];
        (strength >= MIN_STRENGTH).then(|| (60.0 * self.rate / self.refined(lag), strength.min(1.0)))
    }

    /// Lag and height of the local maximum at most `reach` lags from one; `None` where there is none.
    fn maximum_near(&self, lag: f64, reach: usize) -> Option<(f64, f64)> {
        let c = &self.correlation;
        let nearest = (lag + 0.5) as usize;
        let around = nearest.saturating_sub(reach).max(1)..=(nearest + reach).min(N_LAGS - 2);
        let is_peak = |&i: &usize| c[i] > 0.0 && c[i] > c[i - 1] && c[i] >= c[i + 1];
        let top = around.filter(is_peak).reduce(|a, b| if c[b] > c[a] { b } else { a })?;
        let (at, height) = super::parabola(top, [c[top - 1], c[top], c[top + 1]].map(|x| x as f32));
        Some((at, f64::from(height)))
    }

    /// The beat from two and four of them: an error of a part of a lag shrinks with it.
    fn refined(&self, lag: f64) -> f64 {
        let two = self.maximum_near(2.0 * lag, 4).map_or(lag, |(two, _)| 0.5 * two);
        self.maximum_near(4.0 * two, 4).map_or(two, |(four, _)| 0.25 * four)
    }
}
