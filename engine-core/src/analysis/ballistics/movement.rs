//! The movements behind the needles, one channel each, a step a sample.

use core::f64::consts::{FRAC_PI_2, LN_10};

use super::magnitude;
use crate::math::wide;
use crate::units::SampleRate;

/// Positions below this are zero: −240 dB, far from the slow subnormals.
const REST: f64 = 1e-12;

/// One of the movements, for two channels.
#[derive(Clone, Debug)]
pub(super) enum Movement {
    Peak([PeakHold; 2]),
    QuasiPeak([QuasiPeak; 2]),
    Vu([Vu; 2]),
    Rms([Rms; 2]),
}

impl Movement {
    /// Highest and last position of a channel over samples of which there is at least one, linear.
    pub(super) fn process(&mut self, ch: usize, samples: &[f32]) -> (f32, f32) {
        match self {
            Self::Peak(channels) => channels[ch].run(samples),
            Self::QuasiPeak(channels) => channels[ch].run(samples),
            Self::Vu(channels) => channels[ch].run(samples),
            Self::Rms(channels) => channels[ch].run(samples),
        }
    }
}

/// Factor for one sample of a fall of so many dB a second.
fn fall(rate: SampleRate, db_per_second: f64) -> f64 {
    libm::exp(-LN_10 / 20.0 * db_per_second / rate.as_f64())
}

/// The greater, for positions that are never NaN.
#[inline(always)]
fn higher(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
fn at_rest(position: f64) -> f64 {
    if position > REST { position } else { 0.0 }
}

/// Rises at once, stays, then falls 20 dB in 1.7 s (the return time of IEC 60268-18).
#[derive(Clone, Copy, Debug)]
pub(super) struct PeakHold {
    fall: f64,
    hold_frames: u32,
    position: f64,
    n_held: u32,
}

impl PeakHold {
    pub(super) fn new(rate: SampleRate, hold_seconds: f64) -> Self {
        let hold_frames = libm::round(hold_seconds * rate.as_f64()) as u32;
        Self { fall: fall(rate, 20.0 / 1.7), hold_frames, position: 0.0, n_held: 0 }
    }

    pub(super) fn run(&mut self, samples: &[f32]) -> (f32, f32) {
        let mut highest = 0.0;
        for &x in samples {
            let x = magnitude(x);
            if x >= self.position {
                (self.position, self.n_held) = (x, 0);
            } else if self.n_held < self.hold_frames {
                self.n_held += 1;
            } else {
                self.position = higher(x, at_rest(self.position * self.fall));
            }
            highest = higher(self.position, highest);
        }
        (highest as f32, self.position as f32)
    }
}

/// Programme meter: capacitors that the rectified signal charges through resistors while it exceeds them, and
/// that lose their charge slowly. The mean of two, a fast and a slow one, meets the standard's tone bursts, which
/// one alone meets only at the edge of the tolerances.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuasiPeak {
    charge: [f64; 2],
    fall: f64,
    /// Half of what makes a steady sine read its amplitude.
    gain: f64,
    capacitors: [f64; 2],
}

impl QuasiPeak {
    /// IEC 60268-10 type I: 10 ms −1 dB, 5 ms −2 dB, 3 ms −4 dB, 0.4 ms −15 dB.
    pub(super) fn type_1(rate: SampleRate) -> Self {
        Self::new(rate, [450.0, 1_100.0], 20.0 / 1.7, 1.0225)
    }

    /// IEC 60268-10 type II: 10 ms −2 dB, 5 ms −4 dB, 1.5 ms −9 dB, 0.5 ms −17 dB.
    pub(super) fn type_2(rate: SampleRate) -> Self {
        Self::new(rate, [190.0, 890.0], 24.0 / 2.8, 1.0310)
    }

    fn new(rate: SampleRate, per_second: [f64; 2], db_per_second: f64, gain: f64) -> Self {
        Self {
            charge: per_second.map(|w| 1.0 - libm::exp(-w / rate.as_f64())),
            fall: fall(rate, db_per_second),
            gain: 0.5 * gain,
            capacitors: [0.0; 2],
        }
    }

    fn run(&mut self, samples: &[f32]) -> (f32, f32) {
        let [mut slow, mut fast] = self.capacitors;
        let mut highest = 0.0;
        for &x in samples {
            let x = magnitude(x);
            for (z, charge) in [&mut slow, &mut fast].into_iter().zip(self.charge) {
                let fallen = at_rest(*z * self.fall);
                *z = fallen + charge * higher(x - fallen, 0.0);
            }
            highest = higher(slow + fast, highest);
        }
        self.capacitors = [slow, fast];
        ((self.gain * highest) as f32, (self.gain * (slow + fast)) as f32)
    }
}

/// Volume unit meter: a damped mass behind a rectifier, so it shows the mean magnitude, π/2 times that here.
///
/// IEC 60268-17: 99 % after 300 ms, then 1 to 1.5 % too far; 1.25 % gives the damping, and that the speed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vu {
    /// What a sample's time makes of deviation and velocity: exact for a mass, spring and damper.
    step: [[f64; 2]; 2],
    position: f64,
    velocity: f64,
}

impl Vu {
    /// Damping ratio whose overshoot, exp(−πζ/√(1 − ζ²)), is 1.25 %.
    const DAMPING: f64 = 0.812_716_986;
    /// Radians per second with which the step response first reaches 99 % after 300 ms.
    const SPEED: f64 = 13.511_912_6;

    pub(super) fn new(rate: SampleRate) -> Self {
        let (zeta, omega) = (Self::DAMPING, Self::SPEED);
        let root = wide::sqrt(1.0 - zeta * zeta);
        let damped = omega * root;
        let seconds = 1.0 / rate.as_f64();
        let decay = libm::exp(-zeta * omega * seconds);
        let (sin, cos) = (libm::sin(damped * seconds), libm::cos(damped * seconds));
        let step = [
            [decay * (cos + zeta / root * sin), decay * sin / damped],
            [-omega * omega * decay * sin / damped, decay * (cos - zeta / root * sin)],
        ];
        Self { step, position: 0.0, velocity: 0.0 }
    }

    fn run(&mut self, samples: &[f32]) -> (f32, f32) {
        let [[a, b], [c, d]] = self.step;
        let mut highest = 0.0;
        for &x in samples {
            let target = FRAC_PI_2 * magnitude(x);
            let deviation = self.position - target;
            let (position, velocity) =
                (target + (a * deviation + b * self.velocity), c * deviation + d * self.velocity);
            let moves = position.abs() + velocity.abs() > REST;
            (self.position, self.velocity) = if moves { (position, velocity) } else { (0.0, 0.0) };
            highest = higher(self.position, highest);
        }
        // Falling, the needle swings a little below its rest.
        (highest as f32, higher(self.position, 0.0) as f32)
    }
}

/// The averaging half of a K-System meter: RMS that is at 99 % of a step after 600 ms, √2 times that here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rms {
    coefficient: f64,
    mean_square: f64,
}

impl Rms {
    pub(super) fn new(rate: SampleRate) -> Self {
        // 99 % of the RMS is 0.9801 of the mean square.
        let seconds = -0.6 / libm::log(1.0 - 0.99 * 0.99);
        Self { coefficient: 1.0 - libm::exp(-1.0 / (seconds * rate.as_f64())), mean_square: 0.0 }
    }

    fn run(&mut self, samples: &[f32]) -> (f32, f32) {
        let mut highest = 0.0;
        for &x in samples {
            let x = magnitude(x);
            let next = self.mean_square + self.coefficient * (x * x - self.mean_square);
            self.mean_square = if next > REST * REST { next } else { 0.0 };
            highest = higher(self.mean_square, highest);
        }
        [highest, self.mean_square].map(|power| wide::sqrt(2.0 * power) as f32).into()
    }
}
