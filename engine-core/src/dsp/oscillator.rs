//! Oscillators: a sine by polynomial, and saw, pulse and triangle with polyBLEP edges.

use serde::{Deserialize, Serialize};

/// Wave shapes, all of peak ±1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wave {
    /// One partial.
    Sine,
    /// All partials, 1/n.
    Saw,
    /// Width 0…1; at 0.5 odd partials, 1/n.
    Pulse(f32),
    /// Odd partials, 1/n².
    Triangle,
}

/// Sine of a phase in turns (1 is a whole period), for phases from −0.5 up. Error below 3e-6.
///
/// A polynomial, since libm's sine takes several times as long, and the ear cannot tell.
#[inline]
pub fn sin_turns(phase: f32) -> f32 {
    // Fold to −0.25…0.25, where the odd Taylor-like polynomial (least maximum error) holds.
    let centred = phase - ((phase + 0.5) as i32) as f32;
    let folded = if centred > 0.25 {
        0.5 - centred
    } else if centred < -0.25 {
        -0.5 - centred
    } else {
        centred
    };
    let x2 = folded * folded;
    folded * (core::f32::consts::TAU + x2 * (-41.341_68 + x2 * (81.602_2 + x2 * (-76.569_9 + x2 * 39.657_7))))
}

/// The correction around a unit step at phase 0: the residue of a band-limited step, two samples long.
#[inline]
fn poly_blep(phase: f32, step: f32) -> f32 {
    if phase < step {
        let t = phase / step;
        t + t - t * t - 1.0
    } else if phase > 1.0 - step {
        let t = (phase - 1.0) / step;
        t * t + t + t + 1.0
    } else {
        0.0
    }
}

/// A phase that runs from 0 to 1, and the last output, which the triangle integrates.
#[derive(Clone, Copy, Debug)]
pub struct Oscillator {
    phase: f32,
    integral: f32,
}

impl Oscillator {
    /// Starts at `phase` turns, 0…1.
    pub fn new(phase: f32) -> Self {
        // The triangle that belongs to this phase, so that it starts without an offset.
        let integral = if phase < 0.5 { 4.0 * phase - 1.0 } else { 3.0 - 4.0 * phase };
        Self { phase, integral }
    }

    /// The phase now, 0…1, and a step on: for who makes a wave of its own.
    #[inline]
    pub fn advance(&mut self, step: f32) -> f32 {
        let phase = self.phase;
        self.phase += step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        phase
    }

    /// The next sample; `step` is frequency / sample rate, below 0.5.
    #[inline]
    pub fn sample(&mut self, wave: Wave, step: f32) -> f32 {
        let phase = self.advance(step);
        match wave {
            Wave::Sine => sin_turns(phase),
            Wave::Saw => 2.0 * phase - 1.0 - poly_blep(phase, step),
            Wave::Pulse(width) => pulse(phase, width, step),
            Wave::Triangle => {
                // A leaky integral of the square forgets any offset in some tens of periods.
                self.integral = (self.integral + 4.0 * step * pulse(phase, 0.5, step)) * (1.0 - 0.02 * step);
                self.integral
            }
        }
    }
}

#[inline]
fn pulse(phase: f32, width: f32, step: f32) -> f32 {
    let naive = if phase < width { 1.0 } else { -1.0 };
    let since_fall = if phase < width { phase - width + 1.0 } else { phase - width };
    naive + poly_blep(phase, step) - poly_blep(since_fall, step)
}

/// White noise, −1…1, from a fixed seed: the same on every target and in every run.
#[derive(Clone, Copy, Debug)]
pub struct Noise(u32);

impl Noise {
    /// Different seeds give different noise.
    pub fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// The next sample (xorshift32).
    #[inline]
    pub fn sample(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        // The top 24 bits are exact in f32.
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::TAU;

    #[test]
    fn sine_is_close_to_libm() {
        let worst = (-500..4000)
            .map(|i| {
                let phase = f64::from(i) / 1000.0;
                (f64::from(sin_turns(phase as f32)) - libm::sin(phase * TAU)).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 3e-6, "{worst}");
    }

    /// Amplitude of the partial at `hz` by correlation with a sine and a cosine.
    fn partial(samples: &[f32], hz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, &x) in samples.iter().enumerate() {
            let angle = TAU * hz * i as f64 / 48_000.0;
            re += f64::from(x) * libm::cos(angle);
            im += f64::from(x) * libm::sin(angle);
        }
        2.0 * libm::sqrt(re * re + im * im) / samples.len() as f64
    }

    #[test]
    fn partials_have_the_textbook_levels() {
        // 480 Hz: whole periods in a second, partials far below the corrected edges' roll-off.
        let render = |wave| {
            let mut osc = Oscillator::new(0.0);
            (0..96_000).map(|_| osc.sample(wave, 0.01)).skip(48_000).collect::<alloc::vec::Vec<f32>>()
        };
        let pi = core::f64::consts::PI;
        for (wave, n, expected) in [
            (Wave::Sine, 1.0, 1.0),
            (Wave::Saw, 1.0, 2.0 / pi),
            (Wave::Saw, 2.0, 1.0 / pi),
            (Wave::Pulse(0.5), 1.0, 4.0 / pi),
            (Wave::Pulse(0.5), 2.0, 0.0),
            (Wave::Pulse(0.5), 3.0, 4.0 / (3.0 * pi)),
            (Wave::Triangle, 1.0, 8.0 / (pi * pi)),
            (Wave::Triangle, 3.0, 8.0 / (9.0 * pi * pi)),
        ] {
            let got = partial(&render(wave), 480.0 * n);
            assert!((got - expected).abs() < 0.01, "{wave:?} partial {n}: {got}, not {expected}");
        }
    }
}
