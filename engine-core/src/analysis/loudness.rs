//! Programme loudness: ITU-R BS.1770-5, EBU R 128, Tech 3341 (meter), Tech 3342 (loudness range).

use super::finite;
use super::loudness_histogram::{LoudnessHistogram, lufs_from_energy};
use crate::dsp::biquad::Biquad;
use crate::units::{FLOOR_DB, SampleRate};

/// Parts of a second in which energy is summed. Ten to a gating hop, and short enough for Tech 3341 cases 10,
/// 13 and 14, whose bursts start anywhere: half a part off 400 ms is 0.05 LU.
const PARTS_PER_SECOND: u32 = 100;
/// Parts of the momentary window, 400 ms.
const MOMENTARY: usize = 40;
/// Parts of the short-term window, 3 s.
const SHORT_TERM: usize = 300;
/// Parts between two gating blocks: 100 ms, which is the 75 % overlap of BS.1770-5 and above the 2.9 s of
/// Tech 3342.
const HOP: usize = 10;

/// Loudness of a stereo stream. All values are read with `&self`, −120 for none; momentary and short-term
/// move every 10 ms, as if silence had come before the stream.
#[derive(Clone, Debug)]
pub struct Loudness {
    rate: u32,
    filters: [[Biquad; 2]; 2],
    /// Σ (l² + r²) of the parts, weighted; a ring.
    parts: [f64; SHORT_TERM],
    /// Frames of each.
    part_frames: [u32; SHORT_TERM],
    /// Parts that are complete, since the start.
    n_parts: u64,
    energy: f64,
    n_frames: u32,
    /// Frames of the running part. A rate that 100 does not divide alternates between two lengths.
    n_frames_wanted: u32,
    remainder: u32,
    momentary: f64,
    short_term: f64,
    max_momentary: f64,
    max_short_term: f64,
    blocks: LoudnessHistogram,
    ranges: LoudnessHistogram,
}

impl Loudness {
    /// At rest, nothing measured.
    pub fn new(rate: SampleRate) -> Self {
        let filter = || [Biquad::k_weighting_shelf(rate), Biquad::k_weighting_high_pass(rate)];
        let mut new = Self {
            rate: rate.hz(),
            filters: [filter(), filter()],
            parts: [0.0; SHORT_TERM],
            part_frames: [0; SHORT_TERM],
            n_parts: 0,
            energy: 0.0,
            n_frames: 0,
            n_frames_wanted: 0,
            remainder: 0,
            momentary: 0.0,
            short_term: 0.0,
            max_momentary: 0.0,
            max_short_term: 0.0,
            blocks: LoudnessHistogram::default(),
            ranges: LoudnessHistogram::default(),
        };
        new.reset();
        new
    }

    /// Forgets everything, the filters' state too.
    pub fn reset(&mut self) {
        self.filters.iter_mut().flatten().for_each(Biquad::reset);
        // Silence before the start: windows have their full length from the first part on.
        self.parts.fill(0.0);
        self.part_frames.fill(self.rate / PARTS_PER_SECOND);
        (self.n_parts, self.energy, self.n_frames, self.remainder) = (0, 0.0, 0, 0);
        (self.momentary, self.short_term, self.max_momentary, self.max_short_term) = (0.0, 0.0, 0.0, 0.0);
        self.blocks.clear();
        self.ranges.clear();
        self.plan_part();
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, mut left: &[f32], mut right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        while !left.is_empty() {
            let n = left.len().min((self.n_frames_wanted - self.n_frames) as usize);
            let (l, r);
            (l, left) = left.split_at(n);
            (r, right) = right.split_at(n);
            let [[l_shelf, l_high_pass], [r_shelf, r_high_pass]] = &mut self.filters;
            for (&l, &r) in l.iter().zip(r) {
                let l = l_high_pass.process(l_shelf.process(f64::from(finite(l))));
                let r = r_high_pass.process(r_shelf.process(f64::from(finite(r))));
                self.energy += l * l + r * r;
            }
            self.n_frames += n as u32;
            if self.n_frames == self.n_frames_wanted {
                self.end_part();
            }
        }
    }

    /// Loudness of the last 400 ms, LUFS.
    pub fn momentary(&self) -> f32 {
        lufs(self.momentary)
    }

    /// Loudness of the last 3 s, LUFS.
    pub fn short_term(&self) -> f32 {
        lufs(self.short_term)
    }

    /// Greatest momentary loudness since the start, LUFS.
    pub fn max_momentary(&self) -> f32 {
        lufs(self.max_momentary)
    }

    /// Greatest short-term loudness since the start, LUFS.
    pub fn max_short_term(&self) -> f32 {
        lufs(self.max_short_term)
    }

    /// Loudness of everything since the start, LUFS, gated at −70 LUFS and 10 LU below the mean (BS.1770-5
    /// Annex 1). Scans a histogram: once a frame that is sent, not once a quantum.
    pub fn integrated(&self) -> f32 {
        self.blocks.gated_energy(-10.0).map_or(FLOOR_DB, lufs)
    }

    /// Loudness range, LU: from the 10th to the 95th percentile of the short-term loudness above −70 LUFS and
    /// 20 LU below its mean (Tech 3342). 0 before the first 3 s. Scans a histogram.
    pub fn range(&self) -> f32 {
        self.ranges.gated_percentiles(-20.0, [0.10, 0.95]).map_or(0.0, |[low, high]| (high - low) as f32)
    }

    fn plan_part(&mut self) {
        let frames = self.rate + self.remainder;
        self.n_frames_wanted = frames / PARTS_PER_SECOND;
        self.remainder = frames % PARTS_PER_SECOND;
    }

    fn end_part(&mut self) {
        let slot = (self.n_parts % SHORT_TERM as u64) as usize;
        self.parts[slot] = self.energy;
        self.part_frames[slot] = self.n_frames;
        self.n_parts += 1;
        (self.energy, self.n_frames) = (0.0, 0);
        self.plan_part();
        // Summed anew each time: a running sum would keep the rounding of what has left it.
        self.momentary = self.mean_of_last(MOMENTARY);
        self.short_term = self.mean_of_last(SHORT_TERM);
        self.max_momentary = self.max_momentary.max(self.momentary);
        self.max_short_term = self.max_short_term.max(self.short_term);
        if self.n_parts.is_multiple_of(HOP as u64) {
            if self.n_parts >= MOMENTARY as u64 {
                self.blocks.add(self.momentary);
            }
            if self.n_parts >= SHORT_TERM as u64 {
                self.ranges.add(self.short_term);
            }
        }
    }

    /// Mean of l² + r² over the newest `n` parts.
    fn mean_of_last(&self, n: usize) -> f64 {
        let end = (self.n_parts % SHORT_TERM as u64) as usize;
        // The ring in two pieces, oldest first.
        let (wrapped, straight) = (n.saturating_sub(end), end.min(n));
        let ranges = [SHORT_TERM - wrapped..SHORT_TERM, end - straight..end];
        let (mut energy, mut frames) = (0.0, 0u32);
        for range in ranges {
            for (part, n_frames) in self.parts[range.clone()].iter().zip(&self.part_frames[range]) {
                energy += part;
                frames += n_frames;
            }
        }
        energy / f64::from(frames)
    }
}

/// LUFS from energy, not below the floor.
fn lufs(energy: f64) -> f32 {
    let lufs = lufs_from_energy(energy) as f32;
    if lufs > FLOOR_DB { lufs } else { FLOOR_DB }
}

#[cfg(test)]
mod tests;
