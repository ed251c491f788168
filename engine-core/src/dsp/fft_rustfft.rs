//! rustfft behind [`Fft`]: any length, for the native offline analyser. Its bits depend on the processor,
//! so live frames never come from it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::fft::Fft;
use super::window::Window;

/// A real FFT of any length ≥ 2, as a complex one with zero imaginary parts.
pub struct RustFft {
    plan: Arc<dyn rustfft::Fft<f64>>,
    window: Box<[f64]>,
    buffer: Box<[Complex<f64>]>,
    scratch: Box<[Complex<f64>]>,
}

impl RustFft {
    /// Plans and allocates.
    ///
    /// # Panics
    /// When `n` < 2.
    pub fn new(n: usize) -> Self {
        assert!(n >= 2, "FFT size");
        let plan = FftPlanner::new().plan_fft_forward(n);
        let scratch = vec![Complex::default(); plan.get_inplace_scratch_len()].into();
        Self { plan, window: vec![1.0; n].into(), buffer: vec![Complex::default(); n].into(), scratch }
    }
}

impl Fft for RustFft {
    fn len(&self) -> usize {
        self.buffer.len()
    }

    fn set_window(&mut self, window: Window) {
        window.fill(&mut self.window);
    }

    fn powers(&mut self, input: &[f32], gain: f64, powers: &mut [f32]) {
        assert!(input.len() == self.len() && powers.len() == self.n_bins(), "FFT buffers");
        for ((z, &x), w) in self.buffer.iter_mut().zip(input).zip(&self.window) {
            *z = Complex::new(f64::from(x) * w, 0.0);
        }
        self.plan.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for (power, z) in powers.iter_mut().zip(&*self.buffer) {
            *power = (gain * z.norm_sqr()) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::fft::RealFft;

    #[test]
    fn both_transforms_agree() {
        let input: alloc::vec::Vec<f32> = (0..512u32).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let (mut ours, mut theirs) = (RealFft::new(512), RustFft::new(512));
        let (mut our_powers, mut their_powers) = (vec![0.0; 257], vec![0.0; 257]);
        for window in [None, Some(Window::Hann), Some(Window::FlatTop)] {
            if let Some(window) = window {
                ours.set_window(window);
                theirs.set_window(window);
            }
            ours.powers(&input, 1.0, &mut our_powers);
            theirs.powers(&input, 1.0, &mut their_powers);
            for (ours, theirs) in our_powers.iter().zip(&their_powers) {
                assert!((theirs - ours).abs() < 1e-6 * (1.0 + ours), "{window:?}: {ours}, not {theirs}");
            }
        }
        assert_eq!(RustFft::new(1000).n_bins(), 501);
    }
}
