//! How loud a click is.

use core::f64::consts::TAU;

const RATE: f64 = 48_000.0;

/// The greatest of what a high pass at 1 kHz leaves, dBFS.
///
/// A tone of 50 Hz whose gain moves smoothly has nothing up there; a jump or a corner in its gain has a
/// spectrum that falls slowly, and is heard as a click. Eighth order (four cookbook sections with the q of a
/// Butterworth filter), in f64: the tone itself is 208 dB down.
pub(crate) fn click_dbfs(samples: &[f64]) -> f64 {
    let w = TAU * 1_000.0 / RATE;
    let mut residue = Vec::from(samples);
    for k in 0..4 {
        let q = 0.5 / libm::cos(core::f64::consts::PI * (2.0 * f64::from(k) + 1.0) / 16.0);
        let (c, alpha) = (libm::cos(w), libm::sin(w) / (2.0 * q));
        let (b, a0) = ((1.0 + c) / 2.0, 1.0 + alpha);
        let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
        for x in &mut residue {
            let y = (b * (*x - 2.0 * x1 + x2) + 2.0 * c * y1 - (1.0 - alpha) * y2) / a0;
            (x2, x1, y2, y1) = (x1, *x, y1, y);
            *x = y;
        }
    }
    // Without the start, where the tone sets in with a corner.
    20.0 * libm::log10(residue[20_000..].iter().fold(1e-12, |a, x| a.max(x.abs())))
}
