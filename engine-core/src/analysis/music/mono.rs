//! Left and right as one channel, at a rate that is enough for music.

/// Highest rate that is not halved, Hz.
const MAX_RATE: u32 = 64_000;

/// (L + R)/2, halved in rate until it is at most 64 kHz: nothing above 16 kHz tells a note, and cost would rise
/// with the rate. What is opposite in the two channels cancels, as on a mono speaker.
#[derive(Clone, Debug)]
pub(super) struct Mono {
    halvers: [Halver; 2],
    n_halvings: u32,
}

impl Mono {
    pub(super) fn new(hz: u32) -> Self {
        let n_halvings = if hz > 2 * MAX_RATE { 2 } else { u32::from(hz > MAX_RATE) };
        Self { halvers: Default::default(), n_halvings }
    }

    pub(super) fn reset(&mut self) {
        self.halvers = Default::default();
    }

    /// Frames that go in for one sample that comes out: 1, 2 or 4.
    pub(super) fn ratio(&self) -> u32 {
        1 << self.n_halvings
    }

    /// Mixes into `out`, as long as the channels; returns the samples that came out.
    pub(super) fn process(&mut self, left: &[f32], right: &[f32], out: &mut [f32]) -> usize {
        for ((out, &l), &r) in out.iter_mut().zip(left).zip(right) {
            *out = 0.5 * (super::finite(l) + super::finite(r));
        }
        let halvers = &mut self.halvers[..self.n_halvings as usize];
        halvers.iter_mut().fold(left.len(), |n, halver| halver.process(&mut out[..n]))
    }
}

/// Half the rate: (1, 3, 3, 1)/8, −3 dB at 0.18 of the rate that comes out, a triple zero at its double.
#[derive(Clone, Debug, Default)]
pub(super) struct Halver {
    last: [f32; 3],
    is_odd: bool,
}

impl Halver {
    /// In place; returns the samples that came out.
    pub(super) fn process(&mut self, samples: &mut [f32]) -> usize {
        let mut n = 0;
        for i in 0..samples.len() {
            let [a, b, c] = self.last;
            let d = samples[i];
            self.last = [b, c, d];
            if self.is_odd {
                samples[n] = 0.125 * (a + d) + 0.375 * (b + c);
                n += 1;
            }
            self.is_odd = !self.is_odd;
        }
        n
    }
}
