//! rustfft behind [`Fft`]: any length, for the native offline analyser. Its bits depend on the processor,
//! so live frames never come from it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::fft::Fft;

/// A real FFT of any length ≥ 2, as a complex one with zero imaginary parts.
pub struct RustFft {
    plan: Arc<dyn rustfft::Fft<f32>>,
    buffer: Box<[Complex<f32>]>,
    scratch: Box<[Complex<f32>]>,
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
        Self { plan, buffer: vec![Complex::default(); n].into(), scratch }
    }
}

impl Fft for RustFft {
    fn len(&self) -> usize {
        self.buffer.len()
    }

    fn forward(&mut self, input: &[f32], re: &mut [f32], im: &mut [f32]) {
        let n_bins = self.n_bins();
        assert!(input.len() == self.len() && re.len() == n_bins && im.len() == n_bins, "FFT buffers");
        for (z, &x) in self.buffer.iter_mut().zip(input) {
            *z = Complex::new(x, 0.0);
        }
        self.plan.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for ((re, im), z) in re.iter_mut().zip(im).zip(&*self.buffer) {
            (*re, *im) = (z.re, z.im);
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
        let (mut re, mut im) = (vec![0.0; 257], vec![0.0; 257]);
        let (mut own_re, mut own_im) = (re.clone(), im.clone());
        RustFft::new(512).forward(&input, &mut re, &mut im);
        RealFft::new(512).forward(&input, &mut own_re, &mut own_im);
        for k in 0..257 {
            assert!((re[k] - own_re[k]).abs() + (im[k] - own_im[k]).abs() < 1e-4, "{k}");
        }
        assert_eq!(RustFft::new(1000).n_bins(), 501);
    }
}
