//! A feed-forward compressor whose gain is computed and smoothed in decibels.
//!
//! Source: D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design" (JAES 60/6, 2012):
//! gain computer (eq. 4), then a smooth branching detector on the gain reduction (eq. 16), "log domain".

use alloc::boxed::Box;
use alloc::vec;

use super::smooth::Smoothed;
use crate::buffer::StereoBlock;
use crate::math::{exp, exp2, fast_db_from_power, flush};

/// For this long a peak counts as the level, so that tones from 40 Hz on (two peaks a period) have a level
/// without ripple, and are not distorted by a gain that follows their wave.
pub const HOLD_SECONDS: f32 = 0.0125;
/// Frames whose peak is kept as one number.
const CHUNK: usize = 32;
/// log2(10)/20: octaves of gain in a decibel.
const OCTAVES_PER_DB: f32 = 0.166_096_4;

/// How a compressor works. Levels are of peaks, dBFS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompressorSettings {
    /// Level above which it works, dBFS.
    pub threshold_db: f32,
    /// Input dB for one output dB above the threshold, 1 and up.
    pub ratio: f32,
    /// Time constant of a falling gain.
    pub attack_seconds: f32,
    /// Time constant of a rising gain, after [`HOLD_SECONDS`].
    pub release_seconds: f32,
    /// Width of the soft transition around the threshold, dB.
    pub knee_db: f32,
    /// Gain afterwards, dB.
    pub makeup_db: f32,
}

impl CompressorSettings {
    /// Gain reduction, dB (0 and up), that a lasting level gets.
    pub fn reduction_db(&self, level_db: f32) -> f32 {
        reduction_db(level_db, self.threshold_db, 1.0 - 1.0 / self.ratio, self.knee_db)
    }
}

/// The static curve; `slope` is 1 − 1/ratio.
#[inline(always)]
fn reduction_db(level_db: f32, threshold_db: f32, slope: f32, knee_db: f32) -> f32 {
    let over = level_db - threshold_db;
    let into_knee = over + 0.5 * knee_db;
    if into_knee <= 0.0 {
        0.0
    } else if into_knee < knee_db {
        slope * into_knee * into_knee / (2.0 * knee_db)
    } else {
        slope * over
    }
}

/// A stereo compressor; both channels get the same gain, so the image stays.
#[derive(Clone, Debug)]
pub struct Compressor {
    threshold_db: Smoothed,
    slope: Smoothed,
    knee_db: Smoothed,
    makeup_db: Smoothed,
    attack_rate: f32,
    release_rate: f32,
    /// Peaks of the last chunks.
    held: Box<[f32]>,
    held_at: usize,
    held_peak: f32,
    /// Peak of the chunk that is being filled, and how far it is.
    chunk_peak: f32,
    chunk_frames: usize,
    reduction_db: f32,
}

impl Compressor {
    /// At rest.
    pub fn new(settings: &CompressorSettings, sample_rate: f32) -> Self {
        let rate = |seconds: f32| 1.0 - exp(-1.0 / (seconds * sample_rate));
        let smoothed = |value| Smoothed::new(value, sample_rate);
        let n_chunks = (HOLD_SECONDS * sample_rate / CHUNK as f32) as usize + 1;
        Self {
            threshold_db: smoothed(settings.threshold_db),
            slope: smoothed(1.0 - 1.0 / settings.ratio),
            knee_db: smoothed(settings.knee_db),
            makeup_db: smoothed(settings.makeup_db),
            attack_rate: rate(settings.attack_seconds),
            release_rate: rate(settings.release_seconds),
            held: vec![0.0; n_chunks].into_boxed_slice(),
            held_at: 0,
            held_peak: 0.0,
            chunk_peak: 0.0,
            chunk_frames: 0,
            reduction_db: 0.0,
        }
    }

    /// Glides to the settings of `other`.
    pub fn glide_to(&mut self, other: &Self) {
        self.threshold_db.set(other.threshold_db.target());
        self.slope.set(other.slope.target());
        self.knee_db.set(other.knee_db.target());
        self.makeup_db.set(other.makeup_db.target());
        (self.attack_rate, self.release_rate) = (other.attack_rate, other.release_rate);
    }

    /// Compresses a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        for (left, right) in block.left.iter_mut().zip(&mut block.right) {
            let peak = self.peak(left.abs().max(right.abs()));
            let reduction = reduction_db(
                fast_db_from_power(peak * peak),
                self.threshold_db.advance(),
                self.slope.advance(),
                self.knee_db.advance(),
            );
            let step = reduction - self.reduction_db;
            let rate = if step > 0.0 { self.attack_rate } else { self.release_rate };
            self.reduction_db = flush(self.reduction_db + step * rate);
            let gain_db = self.makeup_db.advance() - self.reduction_db;
            if gain_db != 0.0 {
                let gain = exp2(gain_db * OCTAVES_PER_DB);
                *left *= gain;
                *right *= gain;
            }
        }
    }

    /// The greatest of the last [`HOLD_SECONDS`], this frame included.
    #[inline(always)]
    fn peak(&mut self, peak: f32) -> f32 {
        self.chunk_peak = self.chunk_peak.max(peak);
        self.chunk_frames += 1;
        if self.chunk_frames == CHUNK {
            self.held[self.held_at] = self.chunk_peak;
            self.held_at = (self.held_at + 1) % self.held.len();
            self.held_peak = self.held.iter().fold(0.0, |a, &b| f32::max(a, b));
            (self.chunk_peak, self.chunk_frames) = (0.0, 0);
        }
        self.held_peak.max(self.chunk_peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::noise::Noise;
    use crate::math::gain_from_db;
    use crate::units::QUANTUM;
    use alloc::vec::Vec;

    const RATE: f32 = 48_000.0;
    const SETTINGS: CompressorSettings = CompressorSettings {
        threshold_db: -20.0,
        ratio: 4.0,
        attack_seconds: 0.01,
        release_seconds: 0.1,
        knee_db: 6.0,
        makeup_db: 3.0,
    };

    /// Gain in dB, frame by frame, that a tone with the envelope `level_db(seconds)` gets.
    fn gains(settings: &CompressorSettings, seconds: f32, level_db: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut compressor = Compressor::new(settings, RATE);
        let mut gains = Vec::new();
        for n in 0..(seconds * RATE) as usize / QUANTUM {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                // A square of 100 Hz: its level is its amplitude at every frame.
                let t = n * QUANTUM + i;
                let sign = if (t / 240).is_multiple_of(2) { 1.0 } else { -1.0 };
                block.left[i] = sign * gain_from_db(level_db(t as f32 / RATE));
            }
            let dry = block.clone();
            compressor.process(&mut block);
            gains.extend(block.left.iter().zip(dry.left).map(|(y, x)| 20.0 * libm::log10f(y / x)));
        }
        gains
    }

    /// Output level in dB for a lasting sine, from its RMS over a second.
    fn sine_output(settings: &CompressorSettings, hz: f32, level_db: f32) -> f32 {
        let mut compressor = Compressor::new(settings, RATE);
        let (mut power, amplitude) = (0.0f64, gain_from_db(level_db));
        for n in 0..1_125 {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                let turns = f64::from(hz) * (n * QUANTUM + i) as f64 / f64::from(RATE) % 1.0;
                block.right[i] = amplitude * libm::sin(turns * core::f64::consts::TAU) as f32;
            }
            compressor.process(&mut block);
            if n >= 750 {
                power += block.right.iter().map(|x| f64::from(x * x)).sum::<f64>();
            }
        }
        (10.0 * libm::log10(2.0 * power / f64::from(RATE))) as f32
    }

    #[test]
    fn the_static_curve_is_within_a_tenth_of_a_decibel() {
        for ratio in [1.0f32, 2.0, 4.0, 20.0] {
            for knee_db in [0.0f32, 6.0, 24.0] {
                let settings = CompressorSettings { ratio, knee_db, ..SETTINGS };
                for hz in [40.0, 997.0] {
                    for level_db in [-60.0f32, -31.0, -24.0, -20.0, -18.0, -12.0, 0.0] {
                        // The textbook's curve, written as there.
                        let over = level_db - settings.threshold_db;
                        let expected = if 2.0 * over < -knee_db {
                            level_db
                        } else if 2.0 * over.abs() <= knee_db && knee_db > 0.0 {
                            let x = over + knee_db / 2.0;
                            level_db + (1.0 / ratio - 1.0) * x * x / (2.0 * knee_db)
                        } else {
                            settings.threshold_db + over / ratio
                        };
                        let got = sine_output(&settings, hz, level_db) - settings.makeup_db;
                        assert!(
                            (got - expected).abs() < 0.1,
                            "{settings:?} {hz} Hz {level_db}: {got}, {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn attack_and_release_have_the_stated_time_constants() {
        for (attack_seconds, release_seconds) in [(0.01, 0.1), (0.05, 0.4), (0.001, 0.05)] {
            let settings = CompressorSettings { attack_seconds, release_seconds, makeup_db: 0.0, ..SETTINGS };
            // 1 s at −8 dBFS, then silence as far as the curve is concerned. 12 dB over: 9 dB of reduction.
            let gains = gains(&settings, 3.0, |t| if t < 1.0 { -8.0 } else { -50.0 });
            let at = |seconds: f32| gains[(seconds * RATE) as usize];
            let full = 9.0f32;
            assert!((at(0.99) + full).abs() < 0.01);
            let time_to = |from: f32, reduction: f32| {
                let start = (from * RATE) as usize;
                let falls = from == 0.0;
                let n =
                    gains[start..].iter().position(|g| if falls { -g >= reduction } else { -g <= reduction });
                n.unwrap() as f32 / RATE
            };
            let attack = time_to(0.0, full * (1.0 - 1.0 / core::f32::consts::E));
            assert!((attack / attack_seconds - 1.0).abs() < 0.03, "{attack} {attack_seconds}");
            let release = time_to(1.0, full / core::f32::consts::E) - HOLD_SECONDS;
            let tolerance = 0.03 * release_seconds + CHUNK as f32 / RATE;
            assert!((release - release_seconds).abs() < tolerance, "{release} {release_seconds}");
        }
    }

    #[test]
    fn a_steady_tone_is_not_distorted() {
        let mut compressor = Compressor::new(&CompressorSettings { attack_seconds: 0.001, ..SETTINGS }, RATE);
        let mut out = Vec::new();
        for n in 0..750 {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                let turns = (n * QUANTUM + i) as f64 / 960.0 % 1.0;
                block.left[i] = libm::sin(turns * core::f64::consts::TAU) as f32;
            }
            compressor.process(&mut block);
            out.extend(block.left);
        }
        // 50 Hz over the last second: the third harmonic.
        let level = |harmonic: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in out[48_000..].iter().enumerate() {
                let angle = core::f64::consts::TAU * (harmonic * i as f64 / 960.0 % 1.0);
                re += f64::from(*x) * libm::cos(angle);
                im += f64::from(*x) * libm::sin(angle);
            }
            libm::hypot(re, im)
        };
        assert!(level(3.0) < 1e-4 * level(1.0), "{}", level(3.0) / level(1.0));
    }

    #[test]
    fn changes_glide_and_silence_is_silent() {
        let mut compressor = Compressor::new(&SETTINGS, RATE);
        let mut noise = Noise::new(3);
        let mut last = 1.0f32;
        for n in 0..400 {
            if n == 200 {
                let louder =
                    CompressorSettings { threshold_db: -60.0, ratio: 20.0, attack_seconds: 1e-4, ..SETTINGS };
                compressor.glide_to(&Compressor::new(&louder, RATE));
            }
            let mut block = StereoBlock { left: [0.5; QUANTUM], right: [0.5; QUANTUM] };
            block.right.iter_mut().for_each(|x| *x *= noise.sample());
            compressor.process(&mut block);
            for gain in block.left.map(|y| y / 0.5) {
                assert!(n == 0 || (gain / last - 1.0).abs() < 0.03, "{gain} after {last}");
                last = gain;
            }
        }
        for _ in 0..4_000 {
            let mut block = StereoBlock::SILENCE;
            compressor.process(&mut block);
            assert_eq!(block, StereoBlock::SILENCE);
        }
        assert_eq!(compressor.reduction_db, 0.0, "flushed");
    }
}
