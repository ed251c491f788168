//! One note of a recorded instrument.

use alloc::sync::Arc;

use super::channel::Controls;
use super::chunk::Chunk;
use crate::control::{Sample, ZoneSettings};
use crate::dsp::envelope::{Adsr, AdsrSettings};
use crate::dsp::sinc::{Kernel, MAX_TAPS, SincTable, dot};
use crate::math::{exp2, wide};
use crate::units::SPAN;

/// The recording has its own shape: this one only ends it without a click.
const AMP: AdsrSettings = AdsrSettings { attack: 0.0, decay: 1.0, sustain: 1.0, release: 0.05 };
/// Beyond this a zone is played further from its root than any ear wants.
const MAX_SPEED: f64 = 16.0;
/// As of the synthesiser's notes.
const BEND_LEFT: f32 = 0.92;

/// A note of a sample. It knows the sample by its index, and looks it up for each chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct SamplerVoice {
    zone: ZoneSettings,
    /// Frame of the recording, with a fraction.
    position: f64,
    /// Semitones from the root, and the bend in force.
    interval: f32,
    bend: f32,
    /// The playhead went from the loop's end to its start.
    has_looped: bool,
    /// The recording is over.
    has_ended: bool,
    amp: Adsr,
    gain: f32,
    chunk: Chunk,
}

/// What all voices share.
#[derive(Clone, Copy)]
pub(super) struct SamplerContext<'a> {
    pub(super) sinc: &'a SincTable,
    pub(super) samples: &'a [Option<Arc<Sample>>],
    pub(super) controls: Controls,
}

impl SamplerVoice {
    /// A note that starts at frame `at` of a span.
    pub(super) fn new(
        zone: ZoneSettings,
        pitch: u8,
        velocity: u8,
        at: usize,
        context: &SamplerContext<'_>,
        sample_rate: f32,
    ) -> Self {
        let velocity = f32::from(velocity) / 127.0;
        let mut voice = Self {
            zone,
            position: 0.0,
            interval: f32::from(pitch) - f32::from(zone.root_pitch),
            bend: context.controls.bend,
            has_looped: false,
            has_ended: false,
            amp: Adsr::new(&AMP, sample_rate),
            gain: velocity * velocity,
            chunk: Chunk::EMPTY,
        };
        voice.make(at, context);
        voice
    }

    /// Index of the sample that it plays.
    pub(super) fn sample(&self) -> u16 {
        self.zone.sample
    }

    /// The sample has another index now.
    pub(super) fn set_sample(&mut self, sample: u16) {
        self.zone.sample = sample;
    }

    pub(super) fn release(&mut self) {
        let at = self.chunk.at;
        if self.amp.is_released() {
            return;
        }
        if at < SPAN {
            let level = if at > 0 && self.gain > 0.0 { self.chunk.amp[at - 1] / self.gain } else { 0.0 };
            self.amp.release_from(level);
            self.fill_amp(at);
        } else {
            self.amp.release();
        }
    }

    pub(super) fn is_held(&self) -> bool {
        !self.amp.is_released()
    }

    pub(super) fn is_done(&self) -> bool {
        self.chunk.at == SPAN && (self.has_ended || self.amp.is_done())
    }

    pub(super) fn level(&self) -> f32 {
        self.amp.level() * self.gain
    }

    /// Adds the next frames to `left` and `right`.
    pub(super) fn render(&mut self, context: &SamplerContext<'_>, left: &mut [f32], right: &mut [f32]) {
        let mut done = 0;
        while done < left.len() && !self.is_done() {
            if self.chunk.at == SPAN {
                self.make(0, context);
            }
            done += self.chunk.give(true, &mut left[done..], &mut right[done..]);
        }
    }

    fn fill_amp(&mut self, at: usize) {
        self.amp.fill(&mut self.chunk.amp, at, self.gain);
    }

    /// Makes the chunk, which starts at frame `at`.
    fn make(&mut self, at: usize, context: &SamplerContext<'_>) {
        self.fill_amp(at);
        self.chunk.at = at;
        self.chunk.channels = [[0.0; SPAN]; 2];
        let Some(Some(sample)) = context.samples.get(usize::from(self.zone.sample)) else {
            self.has_ended = true;
            return;
        };
        let left = self.bend - context.controls.bend;
        self.bend = context.controls.bend + if left.abs() < 0.01 { 0.0 } else { left * BEND_LEFT };
        let speed = f64::from(exp2((self.interval + self.bend) / 12.0)).min(MAX_SPEED);
        let kernel = context.sinc.kernel(speed);
        let region = Loop::new(&self.zone, sample.len(), self.is_held());
        for frame in at..SPAN {
            if let Some(Loop { start, end }) = region.filter(|region| self.position >= region.end as f64) {
                let length = (end - start) as f64;
                self.position -= length * wide::floor((self.position - end as f64) / length + 1.0);
                self.has_looped = true;
            }
            if self.position >= sample.len() as f64 {
                self.has_ended = true;
                break;
            }
            let [left, right] = self.read(sample, kernel, region);
            self.chunk.channels[0][frame] = left;
            self.chunk.channels[1][frame] = right;
            self.position += speed;
        }
    }

    fn read(&self, sample: &Sample, kernel: &Kernel, region: Option<Loop>) -> [f32; 2] {
        let n = kernel.n_taps();
        let whole = self.position as usize;
        let mut taps = [0.0; MAX_TAPS];
        kernel.taps((self.position - whole as f64) as f32, &mut taps);
        let first = whole as i64 - (n as i64 / 2 - 1);
        // Frames around a loop's ends come from the other one, as if it were unrolled.
        let low = if self.has_looped { i64::from(self.zone.loop_start) } else { 0 };
        let high = region.map_or(sample.len(), |region| region.end) as i64;
        let read = |channel: &[f32]| {
            if first >= low && first + n as i64 <= high {
                return dot(&channel[first as usize..first as usize + n], &taps[..n]);
            }
            let mut frames = [0.0; MAX_TAPS];
            for (idx, frame) in (first..).zip(&mut frames[..n]) {
                let idx = match region {
                    Some(Loop { start, end }) if idx >= high || (idx < low && self.has_looped) => {
                        let (start, end) = (start as i64, end as i64);
                        start + (idx - start).rem_euclid(end - start)
                    }
                    _ => idx,
                };
                *frame = usize::try_from(idx).ok().and_then(|idx| channel.get(idx)).copied().unwrap_or(0.0);
            }
            dot(&frames[..n], &taps[..n])
        };
        [read(&sample.left), read(&sample.right)]
    }
}

/// A loop in force.
#[derive(Clone, Copy, Debug)]
struct Loop {
    start: usize,
    end: usize,
}

impl Loop {
    /// `None` without a loop inside the sample, or when the note is over.
    fn new(zone: &ZoneSettings, len: usize, is_held: bool) -> Option<Self> {
        let (start, end) = (zone.loop_start as usize, (zone.loop_end as usize).min(len));
        (is_held && start < end).then_some(Self { start, end })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::math::sin;

    const RATE: f32 = 48_000.0;

    fn zone(loop_start: u32, loop_end: u32) -> ZoneSettings {
        ZoneSettings { sample: 0, root_pitch: 60, low_pitch: 0, high_pitch: 127, loop_start, loop_end }
    }

    /// A sine of period 100 on the left, half as loud on the right.
    fn sample(len: usize) -> [Option<Arc<Sample>>; 1] {
        let wave: Vec<f32> =
            (0..len).map(|i| sin(core::f32::consts::TAU * (i % 100) as f32 / 100.0)).collect();
        let half = wave.iter().map(|x| x / 2.0).collect();
        [Some(Arc::new(Sample::new(wave.into(), half)))]
    }

    struct Player {
        sinc: SincTable,
        samples: [Option<Arc<Sample>>; 1],
    }

    impl Player {
        fn context(&self) -> SamplerContext<'_> {
            SamplerContext { sinc: &self.sinc, samples: &self.samples, controls: Controls::default() }
        }

        fn note(&self, zone: ZoneSettings, pitch: u8) -> SamplerVoice {
            SamplerVoice::new(zone, pitch, 127, 0, &self.context(), RATE)
        }

        fn render(&self, voice: &mut SamplerVoice, n: usize) -> [Vec<f32>; 2] {
            let (mut left, mut right) = (alloc::vec![0.0; n], alloc::vec![0.0; n]);
            voice.render(&self.context(), &mut left, &mut right);
            [left, right]
        }
    }

    fn player(len: usize) -> Player {
        Player { sinc: SincTable::new(), samples: sample(len) }
    }

    #[test]
    fn at_its_root_a_sample_is_itself_and_ends_with_itself() {
        let player = player(4000);
        let mut voice = player.note(zone(0, 0), 60);
        let [left, right] = player.render(&mut voice, 5000);
        for (i, (left, right)) in left.iter().zip(&right).enumerate().take(3900).skip(100) {
            let exact = sin(core::f32::consts::TAU * (i % 100) as f32 / 100.0);
            assert!((left - exact).abs() < 1e-4 && (right - exact / 2.0).abs() < 1e-4, "{i}: {left}");
        }
        assert!(left[4016..].iter().all(|x| *x == 0.0) && voice.is_done());
    }

    #[test]
    fn a_loop_is_seamless_while_the_note_is_held_and_left_after_it() {
        let player = player(2000);
        // 60 whole periods of 1,500 to 1,600 and so on; a fifth above the root.
        let mut voice = player.note(zone(1500, 1600), 67);
        let [left, _] = player.render(&mut voice, 48_000);
        let step = 1.0 / 100.0 * libm::exp2f(7.0 / 12.0);
        let curve = -(core::f32::consts::TAU * step) * (core::f32::consts::TAU * step);
        for (i, w) in left.windows(3).enumerate().take(47_000).skip(2000) {
            // A sine's second difference is itself times a constant: any seam would stand out.
            let second = w[2] - 2.0 * w[1] + w[0];
            assert!((second - curve * w[1]).abs() < 2e-4, "seam at {i}: {second}");
        }
        assert!(!voice.is_done());
        voice.release();
        let [tail, _] = player.render(&mut voice, 1000);
        assert!(tail[..100].iter().any(|x| x.abs() > 0.5), "the recording goes on behind the loop");
        assert!(voice.is_done() && tail[600..].iter().all(|x| *x == 0.0));
    }

    #[test]
    fn missing_samples_and_impossible_loops_are_survived() {
        let mut player = player(50);
        for zone in [zone(10, 11), zone(49, 5000), zone(60, 70), zone(0, 50)] {
            for pitch in [0, 60, 127] {
                let mut voice = player.note(zone, pitch);
                let sound = player.render(&mut voice, 2000);
                assert!(sound.iter().flatten().all(|x| x.is_finite() && x.abs() < 2.0));
            }
        }
        let mut voice = player.note(zone(0, 50), 60);
        player.samples = [None];
        player.render(&mut voice, 100);
        assert!(voice.is_done());
    }
}
