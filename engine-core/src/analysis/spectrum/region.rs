//! The bands that one length of transform serves.

use alloc::boxed::Box;

use crate::analysis::greater;
use crate::analysis::spectrum_bands::{Bands, Plan};
use crate::boxed;
use crate::dsp::fft::Fft;
use crate::units::SampleRate;

/// Where a shorter transform takes over: its bins are as fine as a sixth of an octave there, the main lobe of a
/// usual window as a third.
const LOWEST_BIN: f64 = 24.0;

/// Lowest centre of a band that a transform of `len` serves beside a longer one.
pub(super) fn lowest_hz(rate: SampleRate, len: usize) -> f64 {
    LOWEST_BIN * rate.as_f64() / len as f64
}

pub(super) struct Region<F> {
    fft: F,
    /// Power gain that makes a full-scale sine on a bin 1.
    gain: f64,
    powers: [Box<[f32]>; 2],
    bands: Bands,
    /// Levels of one transform among several.
    levels: Box<[f32]>,
}

impl<F: Fft> Region<F> {
    /// For bands between the edges of `spans`; `is_highest` when no other region is above.
    pub(super) fn new(mut fft: F, plan: &Plan, spans: &[[f64; 3]], is_highest: bool) -> Self {
        let (n, n_bins) = (fft.len(), fft.n_bins());
        fft.set_window(plan.window);
        let amplitude_gain = 2.0 / (n as f64 * plan.window.coherent_gain());
        Self {
            fft,
            gain: amplitude_gain * amplitude_gain,
            powers: [boxed::filled(n_bins, 0.0), boxed::filled(n_bins, 0.0)],
            bands: Bands::new(plan, spans, is_highest),
            levels: boxed::filled(spans.len(), 0.0),
        }
    }

    pub(super) fn n_bands(&self) -> usize {
        self.bands.len()
    }

    /// Levels of both channels' newest samples: one output for their mean power, or one each. Transforms that
    /// are shorter than what there is overlap by half and reach back over `n_new` samples, so that nothing falls
    /// between two frames.
    pub(super) fn measure(
        &mut self,
        newest: [&[f32]; 2],
        n_new: usize,
        left_out: &mut [f32],
        mut right_out: Option<&mut [f32]>,
    ) {
        if self.bands.len() == 0 {
            return;
        }
        let (n, n_all) = (self.fft.len(), newest[0].len());
        let mut n_back = 0;
        loop {
            for (powers, newest) in self.powers.iter_mut().zip(newest) {
                let samples = &newest[n_all - n_back - n..][..n];
                self.fft.powers(samples, self.gain, powers);
                // 0 Hz and half the sample rate have no mirror image that holds half of their amplitude.
                powers[0] *= 0.25;
                if n.is_multiple_of(2) {
                    powers[n / 2] *= 0.25;
                }
            }
            let [left, right] = &mut self.powers;
            if let Some(out) = &mut right_out {
                write(&mut self.bands, &mut self.levels, right, out, n_back > 0);
            } else {
                for (l, r) in left.iter_mut().zip(right.iter()) {
                    *l = 0.5 * (*l + r);
                }
            }
            write(&mut self.bands, &mut self.levels, left, left_out, n_back > 0);
            n_back += n / 2;
            if n_back >= n_new || n_back + n > n_all {
                break;
            }
        }
    }
}

/// Writes the levels, or what of them is greater than what is there.
fn write(bands: &mut Bands, levels: &mut [f32], powers: &mut [f32], out: &mut [f32], merges: bool) {
    if merges {
        bands.write(powers, levels);
        for (out, &level) in out.iter_mut().zip(&*levels) {
            *out = greater(level, *out);
        }
    } else {
        bands.write(powers, out);
    }
}
