//! Window functions: cosine sums, in the periodic form that spectral analysis wants.

use core::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::simd::Real;
use crate::boxed;

/// Window of a spectrum.
///
/// Coefficients: F. J. Harris, "On the use of windows for harmonic analysis with the DFT" (1978); flat top:
/// G. D'Antona and A. Ferrero, "Digital signal processing for measurement systems" (2006), as in MATLAB and SciPy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Good for everything: side lobes fall by 18 dB an octave.
    #[default]
    Hann,
    /// Nearest side lobe −43 dB, but they do not fall.
    Hamming,
    /// Side lobes −58 dB.
    Blackman,
    /// Four terms, side lobes −92 dB.
    BlackmanHarris,
    /// Levels of tones between bins right within 0.01 dB; widest main lobe.
    FlatTop,
    /// No window: the narrowest main lobe and the worst leakage.
    Rectangular,
}

impl Window {
    /// w(i) = Σ (−1)^k · a_k · cos(2πki/N).
    const fn coefficients(self) -> &'static [f64] {
        match self {
            Self::Hann => &[0.5, 0.5],
            Self::Hamming => &[0.54, 0.46],
            Self::Blackman => &[0.42, 0.5, 0.08],
            Self::BlackmanHarris => &[0.35875, 0.48829, 0.14128, 0.01168],
            Self::FlatTop => &[0.215_578_95, 0.416_631_58, 0.277_263_158, 0.083_578_947, 0.006_947_368],
            Self::Rectangular => &[1.0],
        }
    }

    /// Writes the window of length `out.len()`, periodic (the sample after the last would be the first),
    /// peak 1 in the middle. Allocates.
    pub fn fill<T: Real>(self, out: &mut [T]) {
        let n = out.len();
        let cosines = boxed::from_fn(n, |i| libm::cos(TAU * i as f64 / n as f64));
        for (i, w) in out.iter_mut().enumerate() {
            let mut sum = 0.0;
            let mut sign = 1.0;
            for (k, a) in self.coefficients().iter().enumerate() {
                sum += sign * a * cosines[k * i % n];
                sign = -sign;
            }
            *w = T::from_f64(sum);
        }
    }

    /// Mean of the window, 0..1: what it does to the amplitude of a tone on a bin.
    pub fn coherent_gain(self) -> f64 {
        self.coefficients()[0]
    }

    /// Equivalent noise bandwidth in bins, ≥ 1: mean square over squared mean.
    pub fn noise_bandwidth(self) -> f64 {
        let a = self.coefficients();
        let rest: f64 = a[1..].iter().map(|a| a * a).sum();
        (a[0] * a[0] + 0.5 * rest) / (a[0] * a[0])
    }

    /// How far the bins beside a tone that lies on a bin are below it, in dB; at most 24.
    pub fn neighbour_db(self) -> f32 {
        match self.coefficients() {
            [a0, a1, ..] => (20.0 * libm::log10(2.0 * a0 / a1)) as f32,
            _ => 24.0,
        }
    }

    /// Most that a tone between two bins loses, in dB, rounded up to 0.01.
    pub fn scalloping_loss_db(self) -> f32 {
        match self {
            Self::Hann => 1.43,
            Self::Hamming => 1.76,
            Self::Blackman => 1.10,
            Self::BlackmanHarris => 0.83,
            Self::FlatTop => 0.02,
            Self::Rectangular => 3.93,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Window; 6] = [
        Window::Hann,
        Window::Hamming,
        Window::Blackman,
        Window::BlackmanHarris,
        Window::FlatTop,
        Window::Rectangular,
    ];

    #[test]
    fn stated_figures_are_those_of_the_samples() {
        for window in ALL {
            let mut w = [0.0f32; 1024];
            window.fill(&mut w);
            let sum: f64 = w.iter().map(|&w| f64::from(w)).sum();
            let squares: f64 = w.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
            assert!((sum / 1024.0 - window.coherent_gain()).abs() < 1e-7, "{window:?}");
            assert!((1024.0 * squares / (sum * sum) - window.noise_bandwidth()).abs() < 1e-6, "{window:?}");
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &w) in w.iter().enumerate() {
                let angle = core::f64::consts::PI * i as f64 / 1024.0;
                re += f64::from(w) * libm::cos(angle);
                im += f64::from(w) * libm::sin(angle);
            }
            let loss = -20.0 * libm::log10(libm::hypot(re, im) / sum);
            let stated = f64::from(window.scalloping_loss_db());
            assert!(loss <= stated + 1e-6 && stated < loss + 0.011, "{window:?}: {loss}");
        }
    }

    #[test]
    fn windows_are_periodic_symmetric_and_peak_at_one() {
        for window in ALL {
            let mut w = [0.0f32; 256];
            window.fill(&mut w);
            assert!((w[128] - 1.0).abs() < 1e-6, "{window:?}");
            for i in 1..128 {
                assert!((w[i] - w[256 - i]).abs() < 1e-6, "{window:?}");
            }
        }
        let mut hann = [0.0f32; 8];
        Window::Hann.fill(&mut hann);
        assert_eq!((hann[0], hann[2]), (0.0, 0.5));
    }

    #[test]
    fn names_are_snake_case() {
        assert_eq!(serde_json::to_string(&Window::BlackmanHarris).unwrap(), "\"blackman_harris\"");
        assert_eq!(serde_json::from_str::<Window>("\"flat_top\"").unwrap(), Window::FlatTop);
    }
}
