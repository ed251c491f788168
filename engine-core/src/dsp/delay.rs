//! A stereo delay: echoes with a tone filter in the loop, straight or from side to side.

use core::f64::consts::PI;

use super::delay_line::{DelayLine, FadingTap, Tap};
use super::smooth::Smoothed;
use crate::buffer::StereoBlock;
use crate::math::flush;

/// How a delay works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelaySettings {
    /// Time between echoes, at least 2 frames; fractions count.
    pub frames: f32,
    /// Level of each echo against the one before, below 1.
    pub feedback: f32,
    /// The channels' sum enters on the left, and each echo is on the other side than the one before.
    pub ping_pong: bool,
    /// Corner of the low-pass in the loop (6 dB per octave and echo), Hz / sample rate.
    pub tone_turns: f64,
    /// Output = dry·(1 − mix) + echoes·mix.
    pub mix: f32,
}

/// Two delay lines that feed themselves or each other.
#[derive(Clone, Debug)]
pub struct Delay {
    lines: [DelayLine; 2],
    tap: FadingTap,
    /// State of the low-passes.
    tone: [f32; 2],
    /// The low-pass as a trapezoidal integrator: G = g/(1 + g).
    tone_gain: Smoothed,
    feedback: Smoothed,
    /// 0 straight, 1 from side to side.
    cross: Smoothed,
    mix: Smoothed,
}

impl Delay {
    /// At rest.
    pub fn new(settings: &DelaySettings, sample_rate: f32) -> Self {
        let g = libm::tan(PI * settings.tone_turns.clamp(1e-5, 0.49));
        let smoothed = |value| Smoothed::new(value, sample_rate);
        let mix = smoothed(settings.mix);
        // Longer than the tap by a glide: that much is faded out of when a longer line takes over.
        let line = DelayLine::new(settings.frames as usize + 1 + mix.n_frames() as usize);
        Self {
            lines: [line.clone(), line],
            tap: FadingTap::new(Tap::new(settings.frames), sample_rate),
            tone: [0.0; 2],
            tone_gain: smoothed((g / (1.0 + g)) as f32),
            feedback: smoothed(settings.feedback),
            cross: smoothed(if settings.ping_pong { 1.0 } else { 0.0 }),
            mix,
        }
    }

    /// Glides to the settings of `other`, and takes its memory if the time became longer than its own holds.
    pub fn glide_to(&mut self, other: &mut Self) {
        if other.lines[0].capacity() > self.lines[0].capacity() {
            for (own, other) in self.lines.iter_mut().zip(&mut other.lines) {
                other.copy_from(own, self.mix.n_frames() as usize);
                core::mem::swap(own, other);
            }
        }
        self.tap.set(other.tap.target());
        self.tone_gain.set(other.tone_gain.target());
        self.feedback.set(other.feedback.target());
        self.cross.set(other.cross.target());
        self.mix.set(other.mix.target());
    }

    /// Adds echoes to a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        for (left, right) in block.left.iter_mut().zip(&mut block.right) {
            self.tap.advance();
            let tone_gain = self.tone_gain.advance();
            let mut echo = [0.0; 2];
            for ((echo, line), state) in echo.iter_mut().zip(&self.lines).zip(&mut self.tone) {
                let v = (self.tap.read(line) - *state) * tone_gain;
                *echo = v + *state;
                *state = flush(*echo + v);
            }
            let (feedback, cross, mix) = (self.feedback.advance(), self.cross.advance(), self.mix.advance());
            let middle = 0.5 * (*left + *right);
            let own = 1.0 - cross;
            let into_left = own * (*left + feedback * echo[0]) + cross * (middle + feedback * echo[1]);
            let into_right = own * (*right + feedback * echo[1]) + cross * (feedback * echo[0]);
            self.lines[0].push(flush(into_left));
            self.lines[1].push(flush(into_right));
            *left += (echo[0] - *left) * mix;
            *right += (echo[1] - *right) * mix;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::noise::Noise;
    use crate::units::QUANTUM;
    use alloc::vec::Vec;

    const RATE: f32 = 48_000.0;
    const SETTINGS: DelaySettings =
        DelaySettings { frames: 1_000.0, feedback: 0.5, ping_pong: false, tone_turns: 0.4, mix: 1.0 };

    /// What an impulse on the left (and half of it on the right) becomes.
    fn response(delay: &mut Delay, n_quanta: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for n in 0..n_quanta {
            let mut block = StereoBlock::SILENCE;
            if n == 0 {
                (block.left[0], block.right[0]) = (1.0, 0.5);
            }
            delay.process(&mut block);
            left.extend(block.left);
            right.extend(block.right);
        }
        (left, right)
    }

    /// Sum around echo `n`: the low-pass passes DC unchanged.
    fn echo(samples: &[f32], n: usize) -> f32 {
        samples[n * 1_000 - 40..n * 1_000 + 500].iter().sum()
    }

    #[test]
    fn echoes_come_in_time_and_fall_by_the_feedback() {
        let (left, right) = response(&mut Delay::new(&SETTINGS, RATE), 40);
        assert!(left[..1_000].iter().all(|x| *x == 0.0) && left[1_000] > 0.5, "{}", left[1_000]);
        for n in 1..5 {
            let level = libm::powf(0.5, n as f32 - 1.0);
            assert!((echo(&left, n) - level).abs() < 1e-3 && (echo(&right, n) - level / 2.0).abs() < 1e-3);
        }
        let (left, right) =
            response(&mut Delay::new(&DelaySettings { ping_pong: true, ..SETTINGS }, RATE), 40);
        for n in 1..5 {
            let level = 0.75 * libm::powf(0.5, n as f32 - 1.0);
            let (here, there) = if n % 2 == 1 { (&left, &right) } else { (&right, &left) };
            assert!((echo(here, n) - level).abs() < 1e-3 && echo(there, n).abs() < 1e-6, "echo {n}");
        }
    }

    #[test]
    fn fractions_of_a_frame_and_the_tone_filter_are_heard() {
        // The delay of a low tone from its phase; the corner from its level.
        let transfer = |settings: DelaySettings, hz: f64| {
            let mut delay = Delay::new(&DelaySettings { feedback: 0.0, ..settings }, RATE);
            let (mut re, mut im) = (0.0, 0.0);
            for n in 0..750 {
                let mut block = StereoBlock::SILENCE;
                let angle =
                    |i: usize| core::f64::consts::TAU * (hz * (n * QUANTUM + i) as f64 / 48_000.0 % 1.0);
                for i in 0..QUANTUM {
                    block.left[i] = libm::sin(angle(i)) as f32;
                }
                delay.process(&mut block);
                if n >= 375 {
                    for i in 0..QUANTUM {
                        re += f64::from(block.left[i]) * libm::sin(angle(i));
                        im += f64::from(block.left[i]) * libm::cos(angle(i));
                    }
                }
            }
            (libm::hypot(re, im) / 24_000.0, libm::atan2(im, re))
        };
        let open = DelaySettings { tone_turns: 0.49, ..SETTINGS };
        let phase = |frames| transfer(DelaySettings { frames, ..open }, 100.0).1;
        for fraction in [0.25f32, 0.5, 0.9] {
            let shift = (phase(1_000.0) - phase(1_000.0 + fraction)) / core::f64::consts::TAU * 480.0;
            assert!((shift - f64::from(fraction)).abs() < 1e-3, "{fraction}: {shift}");
        }
        let dark = DelaySettings { tone_turns: 2_000.0 / 48_000.0, ..SETTINGS };
        let level = |hz| 20.0 * libm::log10(transfer(dark, hz).0);
        assert!((level(2_000.0) + 3.01).abs() < 0.02 && level(100.0).abs() < 0.02);
        // A first-order low-pass, whose frequencies the bilinear transform bends.
        let bent = |hz: f64| libm::tan(PI * hz / 48_000.0);
        let expected = -10.0 * libm::log10(1.0 + libm::pow(bent(15_000.0) / bent(2_000.0), 2.0));
        assert!((level(15_000.0) - expected).abs() < 0.02, "{}", level(15_000.0));
    }

    #[test]
    fn changes_keep_the_echoes_and_do_not_click() {
        let mut delay = Delay::new(&SETTINGS, RATE);
        let mut high_pass = crate::dsp::equaliser::Equaliser::new(
            [crate::dsp::equaliser::Section::high_pass(2_000.0 / 48_000.0, 0.7); 4],
            RATE,
        );
        let mut worst = 0.0f32;
        for n in 0..1_500 {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                let turns = (n * QUANTUM + i) as f64 / 800.0 % 1.0;
                block.left[i] = 0.2 * libm::sin(turns * core::f64::consts::TAU) as f32;
            }
            match n {
                400 => delay.glide_to(&mut Delay::new(&DelaySettings { frames: 30_000.5, ..SETTINGS }, RATE)),
                800 => delay.glide_to(&mut Delay::new(
                    &DelaySettings { frames: 3_000.0, mix: 0.2, ..SETTINGS },
                    RATE,
                )),
                1_200 => delay.glide_to(&mut Delay::new(
                    &DelaySettings { ping_pong: true, feedback: 0.9, tone_turns: 0.01, ..SETTINGS },
                    RATE,
                )),
                _ => {}
            }
            delay.process(&mut block);
            high_pass.process(&mut block);
            if n > 300 {
                worst = block.left.iter().chain(&block.right).fold(worst, |a, x| a.max(x.abs()));
            }
        }
        let click = 20.0 * libm::log10f(worst);
        assert!(click < -80.0, "{click} dBFS");
    }

    #[test]
    fn the_loudest_loop_is_stable_and_ends_in_silence() {
        let settings = DelaySettings { feedback: 0.95, frames: 48.5, ping_pong: true, ..SETTINGS };
        let mut delay = Delay::new(&settings, RATE);
        let mut noise = Noise::new(11);
        for _ in 0..4_000 {
            let mut block = StereoBlock::SILENCE;
            block.left.iter_mut().chain(&mut block.right).for_each(|x| *x = noise.sample());
            delay.process(&mut block);
            assert!(block.left.iter().all(|x| x.abs() < 20.0));
        }
        let mut block = StereoBlock::SILENCE;
        for _ in 0..1_000 {
            block = StereoBlock::SILENCE;
            delay.process(&mut block);
        }
        assert_eq!(block, StereoBlock::SILENCE);
    }
}
