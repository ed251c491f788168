//! Loudness and true peak of a whole programme: what the analysis of a file says about its level.

use alloc::boxed::Box;

use super::layout::Layout;
use super::loudness::Loudness;
use super::true_peak::{DELAY, TruePeak};
use crate::math::db_from_gain;
use crate::units::SampleRate;

/// Measures a programme of one to six channels from its first frame on.
#[derive(Clone, Debug)]
pub struct Programme {
    loudness: Loudness,
    /// Detector and greatest value so far of each channel.
    peaks: Box<[(TruePeak, f32)]>,
}

/// Level of a programme (EBU R 128). Not below −120.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Gated loudness of all of it, LUFS.
    pub integrated: f32,
    /// Loudness range, LU.
    pub range: f32,
    /// Greatest momentary loudness, LUFS.
    pub max_momentary: f32,
    /// Greatest short-term loudness, LUFS.
    pub max_short_term: f32,
    /// Greatest true peak of all channels, dBTP.
    pub max_true_peak: f32,
}

impl Programme {
    /// Nothing measured.
    pub fn new(rate: SampleRate, layout: Layout) -> Self {
        let peaks = layout.speakers().iter().map(|_| (TruePeak::new(), 0.0)).collect();
        Self { loudness: Loudness::with_layout(rate, layout), peaks }
    }

    /// Takes frames of every channel, linear, full scale ±1; NaN and infinity count as 0. The bits do not depend on
    /// how a programme is cut. Never allocates.
    ///
    /// # Panics
    /// When the channels differ in length, or are not as many as the layout's.
    pub fn process(&mut self, channels: &[&[f32]]) {
        self.loudness.process_planar(channels);
        for ((detector, greatest), channel) in self.peaks.iter_mut().zip(channels) {
            *greatest = detector.process_above(channel, *greatest);
        }
    }

    /// What was measured, as if silence followed. The programme may go on.
    pub fn summary(&self) -> Summary {
        let l = &self.loudness;
        let greatest = (0..self.peaks.len()).map(|ch| self.true_peak(ch)).fold(0.0, super::greater);
        Summary {
            integrated: l.integrated(),
            range: l.range(),
            max_momentary: l.max_momentary(),
            max_short_term: l.max_short_term(),
            max_true_peak: db_from_gain(greatest),
        }
    }

    /// Loudness of the last 3 s, LUFS.
    pub fn short_term(&self) -> f32 {
        self.loudness.short_term()
    }

    /// Greatest true peak of a channel, linear; the points after its last samples too.
    pub fn true_peak(&self, channel: usize) -> f32 {
        let (detector, greatest) = &self.peaks[channel];
        detector.clone().process_above(&[0.0; 2 * DELAY], *greatest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise, sine};
    use alloc::vec::Vec;

    #[test]
    fn is_the_sum_of_its_units_however_it_is_cut() {
        let rate = SampleRate::DEFAULT;
        // Quiet, loud, quiet: points are left out before and after the peak.
        let shape = |i: usize| if (40_000..60_000).contains(&i) { 0.9 } else { 0.05 };
        let channels: Vec<Vec<f32>> = (1..=5)
            .map(|seed| Noise(seed).take(250_000).iter().enumerate().map(|(i, x)| shape(i) * x).collect())
            .collect();
        let layout = Layout::of_channels(5).unwrap();
        let (mut loudness, mut peak) = (Loudness::with_layout(rate, layout), 0.0f32);
        loudness.process_planar(&channels.iter().map(Vec::as_slice).collect::<Vec<_>>());
        channels.iter().for_each(|channel| peak = peak.max(TruePeak::new().process(channel)));
        for chunk in CHUNKS {
            let mut programme = Programme::new(rate, layout);
            for start in (0..250_000).step_by(chunk) {
                let part = start..250_000.min(start + chunk);
                programme.process(&channels.iter().map(|c| &c[part.clone()]).collect::<Vec<_>>());
            }
            let summary = programme.summary();
            assert_eq!(summary.max_true_peak, db_from_gain(peak));
            assert_eq!((summary.integrated, summary.range), (loudness.integrated(), loudness.range()));
            assert_eq!(summary.max_momentary, loudness.max_momentary());
            assert_eq!(summary.max_short_term, loudness.max_short_term());
        }
    }

    #[test]
    fn a_peak_between_the_last_samples_counts() {
        // fs/4 at 45°, cut between its two equal samples and the next.
        let tone = sine(102, 0.25, 0.5, 45.0);
        let mut programme = Programme::new(SampleRate::DEFAULT, Layout::MONO);
        programme.process(&[&[0.0; 64]]);
        programme.process(&[&tone[..2]]);
        assert!(programme.true_peak(0) > 0.43 && programme.peaks[0].1 < 0.36);
    }

    #[test]
    fn silence_and_bad_samples_read_the_floor() {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].repeat(10_000);
        let mut programme = Programme::new(SampleRate::DEFAULT, Layout::MONO);
        programme.process(&[&bad]);
        let floor = Summary {
            integrated: -120.0,
            range: 0.0,
            max_momentary: -120.0,
            max_short_term: -120.0,
            max_true_peak: -120.0,
        };
        assert_eq!(programme.summary(), floor);
    }
}
