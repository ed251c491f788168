//! Power spectra of a stream at a fixed hop.

use alloc::boxed::Box;
use alloc::vec;

use crate::analysis::ring::Ring;
use crate::dsp::fft::RealFft;
use crate::dsp::window::Window;

/// Cuts a stream into overlapping Hann frames and transforms each.
pub(super) struct Frames {
    ring: Ring,
    fft: RealFft,
    window: Box<[f32]>,
    windowed: Box<[f32]>,
    re: Box<[f32]>,
    im: Box<[f32]>,
    hop: usize,
    until_next: usize,
}

impl Frames {
    /// Frames of `n` samples (a size of [`RealFft`]), one every `hop` samples; silence came before.
    pub(super) fn new(n: usize, hop: usize) -> Self {
        let mut window = vec![0.0; n];
        Window::Hann.fill(&mut window);
        // A full-scale sine on a bin has power 1.
        let gain = (2.0 / (n as f64 * Window::Hann.coherent_gain())) as f32;
        window.iter_mut().for_each(|w| *w *= gain);
        let bins = || vec![0.0; n / 2 + 1].into();
        Self {
            ring: Ring::new(n),
            fft: RealFft::new(n),
            window: window.into(),
            windowed: vec![0.0; n].into(),
            re: bins(),
            im: bins(),
            hop,
            until_next: hop,
        }
    }

    pub(super) fn n_bins(&self) -> usize {
        self.re.len()
    }

    pub(super) fn reset(&mut self) {
        self.ring.reset();
        self.until_next = self.hop;
    }

    /// Takes samples; calls `each` with the powers of the bins of every frame that they complete.
    pub(super) fn process(&mut self, mut samples: &[f32], mut each: impl FnMut(&[f32])) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.until_next));
            self.ring.append(now);
            self.until_next -= now.len();
            samples = later;
            if self.until_next == 0 {
                self.until_next = self.hop;
                each(self.powers());
            }
        }
    }

    fn powers(&mut self) -> &[f32] {
        let (older, newer) = self.ring.pieces();
        // Piece by piece: a chain of both would not vectorise.
        let (window_older, window_newer) = self.window.split_at(older.len());
        let (out_older, out_newer) = self.windowed.split_at_mut(older.len());
        for (out, samples, window) in [(out_older, older, window_older), (out_newer, newer, window_newer)] {
            for ((out, x), w) in out.iter_mut().zip(samples).zip(window) {
                *out = x * w;
            }
        }
        self.fft.forward(&self.windowed, &mut self.re, &mut self.im);
        for (re, im) in self.re.iter_mut().zip(&self.im) {
            *re = *re * *re + im * im;
        }
        &self.re
    }
}
