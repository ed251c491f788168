//! The gates of loudness in bounded memory: a programme of any length as a histogram of its blocks.

use alloc::boxed::Box;

use crate::boxed;

/// −0.691 + 10·log10(energy), BS.1770-5 Annex 1; −∞ for silence.
pub(super) fn lufs_from_energy(energy: f64) -> f64 {
    -0.691 + 10.0 * libm::log10(energy)
}

/// LU of one bin. Blocks are told from each other by a gate only where both fall into one bin, and even there
/// their mean decides, so this bounds no result directly.
const BIN_LU: f64 = 0.05;
/// Absolute gate, LUFS (BS.1770-5 Annex 1, Tech 3342 section 3.1).
const ABSOLUTE_GATE: f64 = -70.0;
/// Up to +30 LUFS; louder blocks share the last bin, with their exact energy.
const N_BINS: usize = 2_000;

/// Blocks above the absolute gate, by loudness.
#[derive(Clone, Debug)]
pub(super) struct LoudnessHistogram {
    counts: Box<[u32]>,
    energies: Box<[f64]>,
}

impl Default for LoudnessHistogram {
    fn default() -> Self {
        Self { counts: boxed::filled(N_BINS, 0), energies: boxed::filled(N_BINS, 0.0) }
    }
}

impl LoudnessHistogram {
    /// Counts a block of the given energy (weighted mean square, summed over channels), if it is above −70 LUFS.
    pub(super) fn add(&mut self, energy: f64) {
        let above_gate = lufs_from_energy(energy) - ABSOLUTE_GATE;
        if above_gate > 0.0 {
            let bin = ((above_gate / BIN_LU) as usize).min(N_BINS - 1);
            self.counts[bin] = self.counts[bin].saturating_add(1);
            self.energies[bin] += energy;
        }
    }

    /// Mean energy of the blocks that have more than `relative_gate` of the mean energy of all: 0.1 is −10 LU.
    /// `None` without blocks.
    pub(super) fn gated_energy(&self, relative_gate: f64) -> Option<f64> {
        let (mut count, mut energy) = (0u64, 0.0);
        for (bin_count, bin_energy) in self.above(self.gate(relative_gate)?) {
            count += u64::from(bin_count);
            energy += bin_energy;
        }
        Some(energy / count as f64)
    }

    /// Loudness, LUFS, at each of the percentiles (0..1) of the blocks above the relative gate: the nearest
    /// rank, as in Tech 3342 section 5. `None` without blocks.
    pub(super) fn gated_percentiles<const N: usize>(
        &self,
        relative_gate: f64,
        fractions: [f64; N],
    ) -> Option<[f64; N]> {
        let gate = self.gate(relative_gate)?;
        let total: u64 = self.above(gate).map(|(count, _)| u64::from(count)).sum();
        Some(fractions.map(|fraction| {
            let rank = ((total - 1) as f64 * fraction + 0.5) as u64;
            let mut seen = 0;
            let bin = self.above(gate).find(|(count, _)| {
                seen += u64::from(*count);
                seen > rank
            });
            bin.map_or(ABSOLUTE_GATE, |(count, energy)| lufs_from_energy(energy / f64::from(count)))
        }))
    }

    /// Forgets every block.
    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        self.energies.fill(0.0);
    }

    /// Energy of the relative gate.
    fn gate(&self, relative_gate: f64) -> Option<f64> {
        let (count, energy) =
            self.above(0.0).fold((0, 0.0), |(n, e), (bin_n, bin_e)| (n + u64::from(bin_n), e + bin_e));
        (count > 0).then(|| energy / count as f64 * relative_gate)
    }

    /// Count and energy of the bins whose mean energy exceeds `gate`, from quiet to loud.
    fn above(&self, gate: f64) -> impl Iterator<Item = (u32, f64)> {
        let bins = self.counts.iter().copied().zip(self.energies.iter().copied());
        bins.filter(move |&(count, energy)| count > 0 && energy > gate * f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Energy of a block of that loudness.
    fn energy(lufs: f64) -> f64 {
        libm::pow(10.0, (lufs + 0.691) / 10.0)
    }

    #[test]
    fn agrees_with_sorting_all_blocks() {
        let mut histogram = LoudnessHistogram::default();
        let mut noise = crate::analysis::test_signals::Noise(3);
        let blocks: Vec<f64> = (0..3_000).map(|_| -40.0 + 35.0 * f64::from(noise.next())).collect();
        blocks.iter().for_each(|&lufs| histogram.add(energy(lufs)));
        let mean = |blocks: &[f64]| blocks.iter().map(|&l| energy(l)).sum::<f64>() / blocks.len() as f64;
        let gated = |gate_lu: f64| {
            let above: Vec<f64> = blocks.iter().copied().filter(|&l| l > -70.0).collect();
            let gate = lufs_from_energy(mean(&above)) + gate_lu;
            let mut above: Vec<f64> = above.into_iter().filter(|&l| l > gate).collect();
            above.sort_by(f64::total_cmp);
            above
        };
        let ours = lufs_from_energy(histogram.gated_energy(0.1).unwrap());
        assert!((ours - lufs_from_energy(mean(&gated(-10.0)))).abs() < 0.01);
        let sorted = gated(-20.0);
        let [low, high] = histogram.gated_percentiles(0.01, [0.1, 0.95]).unwrap();
        let at = |fraction: f64| sorted[((sorted.len() - 1) as f64 * fraction + 0.5) as usize];
        assert!((low - at(0.1)).abs() < 0.06 && (high - at(0.95)).abs() < 0.06);
    }

    #[test]
    fn equal_blocks_are_exact_and_quiet_ones_do_not_count() {
        let mut histogram = LoudnessHistogram::default();
        assert_eq!(histogram.gated_energy(0.1), None);
        for lufs in [-70.01, -200.0, f64::NEG_INFINITY] {
            histogram.add(energy(lufs));
        }
        histogram.add(0.0);
        assert_eq!(histogram.gated_percentiles(0.01, [0.5]), None);
        (0..100).for_each(|_| histogram.add(energy(-23.017)));
        let [median] = histogram.gated_percentiles(0.01, [0.5]).unwrap();
        assert!((median + 23.017).abs() < 1e-9);
        histogram.add(energy(45.0));
        assert!(lufs_from_energy(histogram.gated_energy(0.1).unwrap()) > 44.9);
        histogram.clear();
        assert_eq!(histogram.gated_energy(0.1), None);
    }
}
