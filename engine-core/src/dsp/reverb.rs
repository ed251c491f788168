//! A reverb: a feedback delay network of sixteen lines.
//!
//! Sources: J.-M. Jot, A. Chaigne, "Digital delay networks for designing artificial reverberators" (AES 90th,
//! 1991) for the network whose every mode decays at the stated rate: each line is attenuated in proportion
//! to its length. M. R. Schroeder, "Natural sounding artificial reverberation" (JAES 10/3, 1962) for the
//! all-pass diffusers before it.
//!
//! Sixteen lines mixed by a Hadamard matrix make the echoes dense within some 80 ms. Every second line slowly
//! changes its length by a quarter of a millisecond, so that no mode stays where it is: without that, long
//! decays ring, since 0.8 modes per Hz are fewer than a hall has. The movement is a function of the frame
//! number alone: the same input gives the same bits.

mod line;

use core::f64::consts::PI;

use self::line::{Diffuser, Line, prime_from};
use super::delay_line::{DelayLine, FadingTap, Tap};
use super::phase::sin_turns;
use super::smooth::Smoothed;
use crate::buffer::StereoBlock;
use crate::math::{flush, wide};
use crate::units::QUANTUM;

/// Delay lines of the network.
const LINES: usize = 16;
/// Lengths of the lines in milliseconds; the frames are the primes from there on. Near a geometric series, with
/// no simple ratio between two.
const LINE_MS: [f64; LINES] =
    [19.1, 21.3, 24.7, 27.1, 30.3, 33.7, 36.9, 41.9, 46.1, 51.1, 56.3, 62.9, 69.7, 76.1, 83.9, 93.1];
/// Lines whose length moves: every second.
const MOVING: usize = 8;
/// How far it moves to either side.
const MOVE_MS: f64 = 0.25;
/// How often, in Hz; no common period within hours.
const MOVE_HZ: [f64; MOVING] = [0.311, 0.473, 0.617, 0.829, 0.367, 0.541, 0.709, 0.971];
/// All-pass diffusers, left and right, in milliseconds.
const DIFFUSER_MS: [[f64; 4]; 2] = [[2.3, 4.1, 7.7, 12.7], [2.7, 4.7, 7.1, 13.3]];
/// Coefficient of the diffusers for long decays.
const DIFFUSION: f64 = 0.62;
/// Frequency at which the decay is as stated, in Hz: between the octaves of 500 and 1,000 Hz, which
/// ISO 3382-1 averages for "mid".
const MID_HZ: f64 = 707.0;
/// From here on damping works, in Hz.
const DAMPING_HZ: f64 = 4_500.0;
/// With full damping, high frequencies decay this much faster, and once more.
const DAMPING_FACTOR: f64 = 6.0;
/// Frames in which another decay is reached; many quanta, since it is followed in pieces of one.
const LOSS_GLIDE: u32 = 32 * QUANTUM as u32;
/// Longest predelay, in seconds.
const MAX_PREDELAY_SECONDS: f32 = 0.2;

/// How a reverb sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReverbSettings {
    /// Time in which it falls by 60 dB at middle frequencies, 0.1 to 20 s.
    pub decay_seconds: f32,
    /// Before the first reflection, 0 to 0.2 s.
    pub predelay_seconds: f32,
    /// How much faster high frequencies fall, 0 to 1.
    pub damping: f32,
    /// Output = dry·(1 − mix) + reverb·mix. White noise has the same level in both.
    pub mix: f32,
}

/// Attenuation of the lines, once for each; everything that depends on decay and damping.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Loss {
    /// Gain at low frequencies.
    gain: [f32; LINES],
    /// Gain at the highest frequency against the lowest.
    shelf: [f32; LINES],
    diffusion: f32,
    /// Level of the output.
    level: f32,
}

impl Loss {
    fn new(settings: &ReverbSettings, lengths: &[usize; LINES], sample_rate: f64) -> Self {
        let decay = f64::from(settings.decay_seconds);
        let (g, mid) = (prewarped(DAMPING_HZ, sample_rate), prewarped(MID_HZ, sample_rate));
        let (mut gain, mut shelf) = ([0.0; LINES], [0.0; LINES]);
        let mut power = 0.0;
        for (idx, &length) in lengths.iter().enumerate() {
            let at_mid = libm::pow(10.0, -3.0 * length as f64 / (decay * sample_rate));
            let top = libm::pow(at_mid, DAMPING_FACTOR * f64::from(settings.damping));
            // |top + (1 − top)·low-pass| at the middle, of which the line's gain makes up.
            let (re, im) = (1.0, mid / g);
            let shelf_at_mid = libm::hypot(re, top * im) / libm::hypot(re, im);
            gain[idx] = (at_mid / shelf_at_mid) as f32;
            shelf[idx] = top as f32;
            power += at_mid * at_mid / LINES as f64;
        }
        // Noise of power 1 into every line leaves power/(1 − power) in it: the sum over all passes.
        let level = wide::sqrt((1.0 - power) / power);
        // Diffusers must have rung out before the network has.
        let longest = DIFFUSER_MS[1][3] / 1_000.0;
        let diffusion = DIFFUSION.min(libm::pow(10.0, -3.0 * longest / (0.5 * decay)));
        Self { gain, shelf, diffusion: diffusion as f32, level: level as f32 }
    }

    fn between(&self, other: &Self, blend: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * blend;
        let each = |a: &[f32; LINES], b: &[f32; LINES]| core::array::from_fn(|i| mix(a[i], b[i]));
        Self {
            gain: each(&self.gain, &other.gain),
            shelf: each(&self.shelf, &other.shelf),
            diffusion: mix(self.diffusion, other.diffusion),
            level: mix(self.level, other.level),
        }
    }
}

fn prewarped(hz: f64, sample_rate: f64) -> f64 {
    libm::tan(PI * (hz / sample_rate).min(0.45))
}

/// The network, with a predelay and diffusers before it.
#[derive(Clone, Debug)]
pub struct Reverb {
    predelay_lines: [DelayLine; 2],
    predelay: FadingTap,
    diffusers: [[Diffuser; 4]; 2],
    lines: [Line; LINES],
    phases: [f32; MOVING],
    /// Turns per quantum.
    phase_steps: [f32; MOVING],
    depth: f32,
    /// Where the moving lines are read at the start of this quantum and of the next. In between it is a
    /// straight line.
    ahead: [[f32; 2]; MOVING],
    /// Trapezoidal one-pole: G = g/(1 + g).
    low_gain: f32,
    from: Loss,
    to: Loss,
    next: Option<Loss>,
    /// From `from` to `to`.
    blend: Smoothed,
    mix: Smoothed,
}

impl Reverb {
    /// At rest. For 8 to 192 kHz: a line must be longer than a quantum.
    pub fn new(settings: &ReverbSettings, sample_rate: f32) -> Self {
        let rate = f64::from(sample_rate);
        let mut above = 0;
        let lengths = LINE_MS.map(|ms| {
            above = prime_from(above.max((ms * 0.001 * rate) as usize) + 1);
            above
        });
        let diffusers =
            DIFFUSER_MS.map(|row| row.map(|ms| Diffuser::new(prime_from((ms * 0.001 * rate) as usize))));
        let loss = Loss::new(settings, &lengths, rate);
        let depth = (MOVE_MS * 0.001 * rate) as f32;
        let g = prewarped(DAMPING_HZ, rate);
        let predelay_line = DelayLine::new((MAX_PREDELAY_SECONDS * sample_rate) as usize + 2);
        let mut reverb = Self {
            predelay_lines: [predelay_line.clone(), predelay_line],
            predelay: FadingTap::new(Tap::new(settings.predelay_seconds * sample_rate), sample_rate),
            diffusers,
            lines: lengths.map(Line::new),
            phases: [0.0, 0.25, 0.5, 0.75, 0.125, 0.375, 0.625, 0.875],
            phase_steps: MOVE_HZ.map(|hz| (hz * QUANTUM as f64 / rate) as f32),
            depth,
            ahead: [[depth + 1.5; 2]; MOVING],
            low_gain: (g / (1.0 + g)) as f32,
            from: loss,
            to: loss,
            next: None,
            blend: Smoothed::with_frames(1.0, LOSS_GLIDE),
            mix: Smoothed::new(settings.mix, sample_rate),
        };
        // Twice, for the start of the first quantum and of the second.
        reverb.move_on();
        reverb.move_on();
        reverb
    }

    /// Glides to the settings of `other`, which runs at the same rate.
    pub fn glide_to(&mut self, other: &Self) {
        self.predelay.set(other.predelay.target());
        self.mix.set(other.mix.target());
        let loss = other.next.unwrap_or(other.to);
        if loss != self.next.unwrap_or(self.to) {
            self.next = Some(loss);
        }
    }

    /// Adds the reverb to a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        let (start, step) = self.loss_of_block();
        let mut input = [[0.0; QUANTUM]; 2];
        for i in 0..QUANTUM {
            self.predelay.advance();
            for (channel, (input, line)) in input.iter_mut().zip(&mut self.predelay_lines).enumerate() {
                line.push(if channel == 0 { block.left[i] } else { block.right[i] });
                input[i] = self.predelay.read(line);
            }
        }
        for (input, row) in input.iter_mut().zip(&mut self.diffusers) {
            for diffuser in row {
                diffuser.process(input, start.diffusion, step.diffusion);
            }
        }
        let mut network = [[0.0; QUANTUM]; LINES];
        for (idx, (line, out)) in self.lines.iter().zip(&mut network).enumerate() {
            if idx % (LINES / MOVING) == 1 {
                let ahead = self.ahead[idx / (LINES / MOVING)];
                line.read_moving(out, ahead[0], (ahead[1] - ahead[0]) / QUANTUM as f32);
            } else {
                line.read(out);
            }
        }
        self.move_on();
        for (group, (lines, network)) in
            self.lines.chunks_exact_mut(4).zip(network.as_chunks_mut::<4>().0).enumerate()
        {
            attenuate(lines, network, group * 4, &start, &step, self.low_gain);
        }
        let mut wet = StereoBlock::SILENCE;
        for (idx, line) in network.iter().enumerate() {
            let [left, right] = OUTPUT_SIGNS.map(|signs| sign(signs, idx));
            for ((wet_left, wet_right), x) in wet.left.iter_mut().zip(&mut wet.right).zip(line) {
                *wet_left += left * x;
                *wet_right += right * x;
            }
        }
        hadamard(&mut network);
        for (idx, feedback) in network.iter_mut().enumerate() {
            let (input, sign) = (&input[idx % 2], sign(INPUT_SIGNS, idx));
            for (x, input) in feedback.iter_mut().zip(input) {
                *x = flush(*x * MATRIX_GAIN + sign * input);
            }
            // Not to the line that it stands for: the matrix is its own inverse, and two passes would undo
            // each other.
            self.lines[(5 * idx + 3) % LINES].write(feedback);
        }
        let mut level = start.level * OUTPUT_GAIN;
        for i in 0..QUANTUM {
            let mix = self.mix.advance();
            block.left[i] += (wet.left[i] * level - block.left[i]) * mix;
            block.right[i] += (wet.right[i] * level - block.right[i]) * mix;
            level += step.level * OUTPUT_GAIN;
        }
    }

    fn move_on(&mut self) {
        for ((ahead, phase), step) in self.ahead.iter_mut().zip(&mut self.phases).zip(self.phase_steps) {
            // At least one sample lies on the older side.
            *ahead = [ahead[1], self.depth * (1.0 + sin_turns(*phase)) + 1.5];
            *phase += step;
            if *phase >= 1.0 {
                *phase -= 1.0;
            }
        }
    }

    /// Where the losses start in this block, and how they change from frame to frame: a glide is followed in
    /// straight pieces of a quantum.
    fn loss_of_block(&mut self) -> (Loss, Loss) {
        if let (true, Some(next)) = (self.blend.is_settled(), self.next) {
            (self.from, self.to, self.next) = (self.to, next, None);
            self.blend.jump(0.0);
            self.blend.set(1.0);
        }
        let start = self.from.between(&self.to, self.blend.value());
        let zero = Loss { gain: [0.0; LINES], shelf: [0.0; LINES], diffusion: 0.0, level: 0.0 };
        if self.blend.is_settled() {
            return (self.to, zero);
        }
        for _ in 0..QUANTUM {
            self.blend.advance();
        }
        let end = self.from.between(&self.to, self.blend.value());
        let slope = |a: f32, b: f32| (b - a) / QUANTUM as f32;
        let step = Loss {
            gain: core::array::from_fn(|i| slope(start.gain[i], end.gain[i])),
            shelf: core::array::from_fn(|i| slope(start.shelf[i], end.shelf[i])),
            diffusion: slope(start.diffusion, end.diffusion),
            level: slope(start.level, end.level),
        };
        (start, step)
    }
}

/// Attenuates four lines, from `first` on. Together, because each recursion alone waits for itself.
fn attenuate(
    lines: &mut [Line],
    network: &mut [[f32; QUANTUM]; 4],
    first: usize,
    start: &Loss,
    step: &Loss,
    low_gain: f32,
) {
    let part = |values: &[f32; LINES]| -> [f32; 4] { core::array::from_fn(|i| values[first + i]) };
    let (mut gain, mut shelf) = (part(&start.gain), part(&start.shelf));
    let (gain_step, shelf_step) = (part(&step.gain), part(&step.shelf));
    let mut state: [f32; 4] = core::array::from_fn(|i| lines[i].low);
    let [a, b, c, d] = network;
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        for (i, x) in [a, b, c, d].into_iter().enumerate() {
            let v = (*x - state[i]) * low_gain;
            let low = v + state[i];
            state[i] = flush(low + v);
            *x = gain[i] * (low + shelf[i] * (*x - low));
            gain[i] += gain_step[i];
            shelf[i] += shelf_step[i];
        }
    }
    for (line, state) in lines.iter_mut().zip(state) {
        line.low = state;
    }
}

/// 1/√16 makes the Hadamard matrix orthogonal: it neither gains nor loses energy.
const MATRIX_GAIN: f32 = 0.25;
/// Each output is a sum of sixteen lines.
const OUTPUT_GAIN: f32 = 0.25;
/// Signs by line, as bits: of the inputs, and of the two outputs, which are orthogonal to each other also over
/// the lines of one input.
const INPUT_SIGNS: u16 = 0b0110_1011_0011_1000;
const OUTPUT_SIGNS: [u16; 2] = [0b0101_1010_0110_1001, 0b0110_0110_1010_1010];

fn sign(signs: u16, idx: usize) -> f32 {
    if signs >> idx & 1 == 1 { -1.0 } else { 1.0 }
}

/// Multiplies by the Hadamard matrix of order 16 (entries ±1), frame by frame.
fn hadamard(lines: &mut [[f32; QUANTUM]; LINES]) {
    let mut half = 1;
    while half < LINES {
        for pair in lines.chunks_exact_mut(2 * half) {
            let (first, second) = pair.split_at_mut(half);
            for (a, b) in first.iter_mut().zip(second) {
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = (*a + *b, *a - *b);
                }
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests;
