//! Programme loudness: ITU-R BS.1770-5, EBU R 128, Tech 3341 (meter), Tech 3342 (loudness range).

use alloc::boxed::Box;

use super::k_weighting::KWeighting;
use super::layout::Layout;
use super::loudness_histogram::{LoudnessHistogram, lufs_from_energy};
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

/// Loudness of a stream of one to six channels. All values are read with `&self`, −120 for none; momentary and
/// short-term move every 10 ms, as if silence had come before the stream.
#[derive(Clone, Debug)]
pub struct Loudness {
    rate: u32,
    pairs: Box<[Pair]>,
    n_channels: usize,
    /// Σ of the weighted squares of the parts; a ring.
    parts: [f64; SHORT_TERM],
    /// Frames of each.
    part_frames: [u32; SHORT_TERM],
    /// Parts that are complete, since the start.
    n_parts: u64,
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

/// Two channels, or one twice with no weight the second time.
#[derive(Clone, Debug)]
struct Pair {
    filter: KWeighting,
    weights: [f64; 2],
    /// Σ y² of each in the running part.
    energy: [f64; 2],
}

impl Loudness {
    /// For a stereo stream; at rest, nothing measured.
    pub fn new(rate: SampleRate) -> Self {
        Self::with_layout(rate, Layout::STEREO)
    }

    /// For any layout; at rest, nothing measured.
    pub fn with_layout(rate: SampleRate, layout: Layout) -> Self {
        let pairs = layout.speakers().chunks(2).map(|pair| Pair {
            filter: KWeighting::new(rate),
            weights: [pair[0].weight(), pair.get(1).map_or(0.0, |speaker| speaker.weight())],
            energy: [0.0; 2],
        });
        let mut new = Self {
            rate: rate.hz(),
            pairs: pairs.collect(),
            n_channels: layout.speakers().len(),
            parts: [0.0; SHORT_TERM],
            part_frames: [0; SHORT_TERM],
            n_parts: 0,
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
        for pair in &mut self.pairs {
            pair.filter.reset();
            pair.energy = [0.0; 2];
        }
        // Silence before the start: windows have their full length from the first part on.
        self.parts.fill(0.0);
        self.part_frames.fill(self.rate / PARTS_PER_SECOND);
        (self.n_parts, self.n_frames, self.remainder) = (0, 0, 0);
        (self.momentary, self.short_term, self.max_momentary, self.max_short_term) = (0.0, 0.0, 0.0, 0.0);
        self.blocks.clear();
        self.ranges.clear();
        self.plan_part();
    }

    /// Takes frames of a stereo stream, linear, full scale ±1; NaN and infinity count as 0. Runs on the audio
    /// thread.
    ///
    /// # Panics
    /// When the channels differ in length, or the layout is not of two channels.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        self.process_planar(&[left, right]);
    }

    /// Takes frames of every channel of the layout, in its order. See [`process`](Self::process).
    ///
    /// # Panics
    /// When the channels differ in length, or are not as many as the layout's.
    pub fn process_planar(&mut self, channels: &[&[f32]]) {
        assert!(channels.len() == self.n_channels, "not the layout's number of channels");
        let n_frames = channels[0].len();
        assert!(channels.iter().all(|channel| channel.len() == n_frames), "channels differ in length");
        let mut start = 0;
        while start < n_frames {
            let n = (n_frames - start).min((self.n_frames_wanted - self.n_frames) as usize);
            for (pair, channels) in self.pairs.iter_mut().zip(channels.chunks(2)) {
                let (first, second) = (channels[0], channels[channels.len() - 1]);
                pair.filter.process(&first[start..][..n], &second[start..][..n], &mut pair.energy);
            }
            start += n;
            self.n_frames += n as u32;
            if self.n_frames == self.n_frames_wanted {
                self.end_part();
            }
        }
    }

    /// Frames until momentary, short-term and integrated loudness move again: at least 1.
    pub fn frames_to_update(&self) -> usize {
        (self.n_frames_wanted - self.n_frames) as usize
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
        self.blocks.gated_energy(0.1).map_or(FLOOR_DB, lufs)
    }

    /// Loudness range, LU: from the 10th to the 95th percentile of the short-term loudness above −70 LUFS and
    /// 20 LU below its mean (Tech 3342). 0 before the first 3 s. Scans a histogram.
    pub fn range(&self) -> f32 {
        self.ranges.gated_percentiles(0.01, [0.10, 0.95]).map_or(0.0, |[low, high]| (high - low) as f32)
    }

    fn plan_part(&mut self) {
        let frames = self.rate + self.remainder;
        self.n_frames_wanted = frames / PARTS_PER_SECOND;
        self.remainder = frames % PARTS_PER_SECOND;
    }

    fn end_part(&mut self) {
        let slot = (self.n_parts % SHORT_TERM as u64) as usize;
        self.parts[slot] = 0.0;
        for pair in &mut self.pairs {
            let [first, second] = core::mem::take(&mut pair.energy);
            self.parts[slot] += first * pair.weights[0] + second * pair.weights[1];
            pair.filter.flush();
        }
        self.part_frames[slot] = self.n_frames;
        self.n_parts += 1;
        self.n_frames = 0;
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

    /// Mean of the weighted squares over the newest `n` parts.
    fn mean_of_last(&self, n: usize) -> f64 {
        let end = (self.n_parts % SHORT_TERM as u64) as usize;
        // The ring in two pieces, oldest first.
        let (wrapped, straight) = (n.saturating_sub(end), end.min(n));
        let (mut energy, mut frames) = (0.0, 0u32);
        for range in [SHORT_TERM - wrapped..SHORT_TERM, end - straight..end] {
            energy += sum(&self.parts[range.clone()]);
            frames += self.part_frames[range].iter().sum::<u32>();
        }
        energy / f64::from(frames)
    }
}

/// Sum in four interleaved parts, which do not wait for each other.
fn sum(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    rest.iter().fold((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]), |sum, value| sum + value)
}

/// LUFS from energy, not below the floor.
fn lufs(energy: f64) -> f32 {
    let lufs = lufs_from_energy(energy) as f32;
    if lufs > FLOOR_DB { lufs } else { FLOOR_DB }
}

#[cfg(test)]
mod tests {
    // The cases of the standards are in `tests/analysis/loudness.rs`.
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise};
    use alloc::vec::Vec;

    #[test]
    fn the_bits_do_not_depend_on_blocks_or_on_what_came_before_a_reset() {
        // At 22,050 Hz a part is 220.5 frames.
        for rate in [22_050, 48_000] {
            let rate = SampleRate::new(rate).unwrap();
            let mut noise = Noise(11);
            let n = 4 * rate.hz() as usize;
            let samples: Vec<f32> = (0..n).map(|i| noise.next() * i as f32 / n as f32).collect();
            let read = |m: &Loudness| {
                [
                    m.momentary(),
                    m.short_term(),
                    m.integrated(),
                    m.range(),
                    m.max_momentary(),
                    m.max_short_term(),
                ]
                .map(f32::to_bits)
            };
            let mut whole = Loudness::new(rate);
            whole.process(&samples, &samples);
            assert!(whole.range() > 0.0 && whole.integrated() > -30.0);
            for chunk in CHUNKS {
                let mut meter = Loudness::new(rate);
                meter.process(&samples[..12_345], &samples[1..12_346]);
                meter.reset();
                samples.chunks(chunk).for_each(|part| meter.process(part, part));
                assert_eq!(read(&meter), read(&whole), "chunks of {chunk}");
            }
        }
    }

    #[test]
    fn silence_and_bad_samples_read_the_floor() {
        let mut meter = Loudness::new(SampleRate::DEFAULT);
        let read = |m: &Loudness| [m.momentary(), m.short_term(), m.integrated(), m.max_momentary()];
        assert_eq!(read(&meter), [FLOOR_DB; 4]);
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].repeat(48_000);
        meter.process(&bad, &bad);
        assert_eq!(read(&meter), [FLOOR_DB; 4]);
        assert_eq!(meter.range(), 0.0);
    }
}
