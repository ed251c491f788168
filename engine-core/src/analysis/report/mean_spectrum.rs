//! Mean spectrum of a file.

use alloc::vec;
use alloc::vec::Vec;

use super::SpectrumReport;
use crate::analysis::spectrum::{Spectrum, SpectrumConfig, SpectrumError};
use crate::math::db_from_power;
use crate::units::{FLOOR_DB, SampleRate};

/// Mean and greatest of transforms that overlap by half (Welch 1967).
pub(super) struct MeanSpectrum {
    unit: Spectrum,
    fft_size: u32,
    magnitudes: Vec<f32>,
    /// Σ power of each band.
    powers: Vec<f64>,
    max: Vec<f32>,
    n_spectra: u32,
    /// Frames until the next transform.
    wanted: usize,
}

impl MeanSpectrum {
    pub(super) fn new(rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        let unit = Spectrum::new(rate, &SpectrumConfig { channels: 1, ..config.clone() })?;
        let n = unit.n_bands();
        Ok(Self {
            unit,
            fft_size: config.fft_size,
            magnitudes: vec![0.0; n],
            powers: vec![0.0; n],
            max: vec![FLOOR_DB; n],
            n_spectra: 0,
            wanted: config.fft_size as usize,
        })
    }

    pub(super) fn process(&mut self, [mut left, mut right]: [&[f32]; 2]) {
        while !left.is_empty() {
            let n = left.len().min(self.wanted);
            let (l, r);
            (l, left) = left.split_at(n);
            (r, right) = right.split_at(n);
            self.unit.process(l, r);
            self.wanted -= n;
            if self.wanted == 0 {
                self.take();
                self.wanted = self.fft_size as usize / 2;
            }
        }
    }

    fn take(&mut self) {
        self.unit.snapshot(&mut self.magnitudes);
        for ((power, max), &db) in self.powers.iter_mut().zip(&mut self.max).zip(&self.magnitudes) {
            if db > FLOOR_DB {
                *power += libm::pow(10.0, f64::from(db) / 10.0);
            }
            if db > *max {
                *max = db;
            }
        }
        self.n_spectra += 1;
    }

    /// A file that is shorter than a transform is one, in the middle of silence.
    pub(super) fn finish(mut self) -> SpectrumReport {
        if self.n_spectra == 0 {
            let silence = vec![0.0; self.wanted / 2];
            self.unit.process(&silence, &silence);
            self.take();
        }
        let n = f64::from(self.n_spectra);
        SpectrumReport {
            fft_size: self.fft_size,
            frequencies: self.unit.frequencies().to_vec(),
            mean: self.powers.iter().map(|power| db_from_power((power / n) as f32)).collect(),
            max: self.max,
        }
    }
}
