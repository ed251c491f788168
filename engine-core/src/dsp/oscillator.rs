//! Oscillators: saw, pulse and triangle without audible aliases, a sine by polynomial, and noise.
//!
//! A phase is a `u32` that wraps by itself: it never drifts, and sixteen of them are made at once. The ideal
//! wave is written for a whole span, in loops that vectorise, and each edge then gets the residual of
//! [`EdgeTable`]. That reaches 24 samples into the past, so a [`Mix`] is that far behind its oscillators: whoever
//! starts a note renders [`LEAD_SPANS`] at once that are not heard, and no delay is.

use serde::{Deserialize, Serialize};

use super::blep::{EdgeTable, TAPS};
use crate::units::{QUANTUM, SPAN};

/// Wave shapes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wave {
    /// One partial, peak ±1.
    Sine,
    /// All partials, 1/n, peak ±1.
    Saw,
    /// Width 0…1; at 0.5 odd partials, 1/n, peak ±1; at other widths high and low differ, the mean is 0.
    Pulse(f32),
    /// Odd partials, 1/n², peak ±1.
    Triangle,
}

/// A whole turn in units of a phase.
const TURN: f32 = 4_294_967_296.0;
/// The fastest step, in turns: beyond it a period has too few samples for two edges.
const MAX_STEP: f32 = 0.45;

/// Step of a phase for a frequency in turns per frame (Hz / sample rate), held below 0.45.
#[inline]
pub fn step_from_turns(turns: f32) -> u32 {
    (turns.clamp(0.0, MAX_STEP) * TURN) as u32
}

/// Sine of a phase in turns (1 is a whole period), for phases from −0.5 up. Error below 3e-6.
///
/// A polynomial, since libm's sine takes several times as long, and the ear cannot tell.
#[inline]
pub fn sin_turns(phase: f32) -> f32 {
    sin_half_turn(phase - ((phase + 0.5) as i32) as f32)
}

/// [`sin_turns`] for −0.5…0.5.
#[inline(always)]
fn sin_half_turn(x: f32) -> f32 {
    sin_quarter_turn((0.25 - (x.abs() - 0.25).abs()).copysign(x))
}

/// [`sin_turns`] for −0.25…0.25, where an odd Taylor-like polynomial (least maximum error) holds.
#[inline(always)]
pub(crate) fn sin_quarter_turn(x: f32) -> f32 {
    let x2 = x * x;
    x * (core::f32::consts::TAU + x2 * (-41.341_68 + x2 * (81.602_2 + x2 * (-76.569_9 + x2 * 39.657_7))))
}

/// Phases of the frames of a span.
#[inline(always)]
fn phases(phase: u32, step: u32) -> [u32; SPAN] {
    // Sums, since SSE2 has no product of whole numbers.
    let two = step.wrapping_add(step);
    let (four, steps) = (two.wrapping_add(two), [0, step, two, two.wrapping_add(step)]);
    let mut first = phase;
    let mut out = [0; SPAN];
    for out in out.as_chunks_mut::<4>().0 {
        *out = steps.map(|steps| first.wrapping_add(steps));
        first = first.wrapping_add(four);
    }
    out
}

/// −1 at phase 0, rising to 1.
#[inline(always)]
fn ramp(phase: u32) -> f32 {
    (phase ^ 0x8000_0000) as i32 as f32 * (2.0 / TURN)
}

/// Sines of the frames of a span, the phase of each moved on by `offsets` turns (−8…8).
#[inline]
pub fn sines(phase: u32, step: u32, offsets: &[f32; SPAN]) -> [f32; SPAN] {
    // Adding and taking away 1.5·2²³ rounds to the nearest whole number, in two steps on every target.
    const ROUND: f32 = 12_582_912.0;
    let mut out = [0.0; SPAN];
    for ((out, phase), offset) in out.iter_mut().zip(phases(phase, step)).zip(offsets) {
        let x = phase as i32 as f32 * (1.0 / TURN) + offset;
        *out = sin_half_turn(x - ((x + ROUND) - ROUND));
    }
    out
}

/// Frames by which oscillators run ahead of what is heard: an edge reaches so far into the past.
const LEAD: usize = TAPS / 2;
/// Spans that an oscillator is asked for before the first that is heard.
pub const LEAD_SPANS: usize = LEAD.div_ceil(SPAN);

/// Where the oscillators of a note are summed, up to a quantum at a time. All notes can share one.
#[derive(Clone, Debug)]
pub struct Mix {
    channels: [[f32; TAPS + QUANTUM]; 2],
}

/// What edges of the last spans add to the next ones: the memory of a note's mix.
#[derive(Clone, Copy, Debug)]
pub struct MixRest {
    channels: [[f32; TAPS]; 2],
}

impl MixRest {
    /// Silence.
    pub const SILENCE: Self = Self { channels: [[0.0; TAPS]; 2] };
}

impl Mix {
    /// Silence. Allocate it once.
    pub const SILENCE: Self = Self { channels: [[0.0; TAPS + QUANTUM]; 2] };

    /// Starts the next `n_spans` of a note, in one channel or two.
    #[inline]
    pub fn begin<const CHANNELS: usize>(&mut self, rest: &MixRest, n_spans: usize) {
        for (channel, rest) in self.channels[..CHANNELS].iter_mut().zip(&rest.channels) {
            channel[..TAPS].copy_from_slice(rest);
            channel[TAPS..TAPS + n_spans * SPAN].fill(0.0);
        }
    }

    /// Adds span `span` of a wave that needs no correction.
    #[inline(always)]
    pub fn add<const CHANNELS: usize>(&mut self, span: usize, wave: &[f32; SPAN], gains: [f32; 2]) {
        let from = LEAD + span * SPAN;
        for (channel, gain) in self.channels[..CHANNELS].iter_mut().zip(gains) {
            for (sum, x) in channel[from..from + SPAN].iter_mut().zip(wave) {
                *sum += x * gain;
            }
        }
    }

    /// Adds an edge after which `at` is the first frame.
    #[inline(always)]
    fn add_edge<const CHANNELS: usize>(&mut self, at: usize, residual: &[f32; TAPS], gains: [f32; 2]) {
        for (channel, gain) in self.channels[..CHANNELS].iter_mut().zip(gains) {
            for (sum, x) in channel[at..at + TAPS].iter_mut().zip(residual) {
                *sum += x * gain;
            }
        }
    }

    /// Ends the spans: keeps what belongs to the next ones.
    #[inline]
    pub fn end<const CHANNELS: usize>(&self, rest: &mut MixRest, n_spans: usize) {
        let n = n_spans * SPAN;
        for (channel, rest) in self.channels[..CHANNELS].iter().zip(&mut rest.channels) {
            rest.copy_from_slice(&channel[n..n + TAPS]);
        }
    }

    /// Both channels of the spans that were ended.
    #[inline]
    pub fn channels(&self, n_spans: usize) -> (&[f32], &[f32]) {
        let [first, second] = &self.channels;
        (&first[..n_spans * SPAN], &second[..n_spans * SPAN])
    }

    /// A channel of the spans that were ended, or room for them.
    #[inline]
    pub fn channel_mut(&mut self, channel: usize, n_spans: usize) -> &mut [f32] {
        &mut self.channels[channel][..n_spans * SPAN]
    }
}

/// A phase, and for pulses the phase since the wave should fall.
#[derive(Clone, Copy, Debug)]
pub struct Oscillator {
    phase: u32,
    fall: u32,
}

impl Oscillator {
    /// An oscillator for a [`Mix`]: after [`LEAD_SPANS`] that are not heard, it passes `phase` turns (0…1) in
    /// frame `at` of the first span that is.
    pub fn new(wave: Wave, phase: f32, step: u32, at: usize) -> Self {
        let before = LEAD_SPANS * SPAN - LEAD;
        Self::without_lead(wave, phase, step, at + before)
    }

    /// An oscillator that passes `phase` turns in frame `at` of its first span: for who makes a wave of its own.
    pub fn without_lead(wave: Wave, phase: f32, step: u32, at: usize) -> Self {
        let start = ((phase * TURN) as u32).wrapping_sub(step.wrapping_mul(at as u32));
        let width = if let Wave::Pulse(width) = wave { width } else { 0.5 };
        Self { phase: start, fall: start.wrapping_sub((width * TURN) as u32) }
    }

    /// The phase, then moved on by a span.
    #[inline]
    pub fn advance(&mut self, step: u32) -> u32 {
        let phase = self.phase;
        self.phase = phase.wrapping_add(step.wrapping_mul(SPAN as u32));
        phase
    }

    /// Adds span `span` to `mix`. A pulse's width glides there.
    #[inline(always)]
    pub fn render<const CHANNELS: usize>(
        &mut self,
        wave: Wave,
        step: u32,
        edges: &EdgeTable,
        mix: &mut Mix,
        span: usize,
        gains: [f32; 2],
    ) {
        let phase = self.advance(step);
        match wave {
            Wave::Sine => mix.add::<CHANNELS>(span, &sines(phase, step, &[0.0; SPAN]), gains),
            Wave::Saw => saw::<CHANNELS>(phase, step, edges, mix, span, gains),
            Wave::Pulse(width) => {
                // Two saws: the distance of their jumps is the width. It changes by other steps of the second,
                // so a jump is never skipped; half as fast as the phase at most, lest one run backwards.
                let width = i64::from((width.clamp(0.02, 0.98) * TURN) as u32);
                let glide = (width - i64::from(phase.wrapping_sub(self.fall))) / SPAN as i64;
                let limit = i64::from(step / 2);
                let fall_step = (i64::from(step) - glide.clamp(-limit, limit)) as u32;
                saw::<CHANNELS>(self.fall, fall_step, edges, mix, span, gains);
                saw::<CHANNELS>(phase, step, edges, mix, span, gains.map(|gain| -gain));
                self.fall = self.fall.wrapping_add(fall_step.wrapping_mul(SPAN as u32));
            }
            Wave::Triangle => triangle::<CHANNELS>(phase, step, edges, mix, span, gains),
        }
    }
}

#[inline(always)]
fn saw<const CHANNELS: usize>(
    phase: u32,
    step: u32,
    edges: &EdgeTable,
    mix: &mut Mix,
    span: usize,
    gains: [f32; 2],
) {
    mix.add::<CHANNELS>(span, &phases(phase, step).map(ramp), gains);
    for_each_wrap(phase, step, |at, fraction| {
        mix.add_edge::<CHANNELS>(span * SPAN + at, &edges.jump(fraction), gains.map(|gain| -2.0 * gain));
    });
}

fn triangle<const CHANNELS: usize>(
    phase: u32,
    step: u32,
    edges: &EdgeTable,
    mix: &mut Mix,
    span: usize,
    gains: [f32; 2],
) {
    mix.add::<CHANNELS>(span, &phases(phase, step).map(|phase| 1.0 - 2.0 * ramp(phase).abs()), gains);
    // It rises by 4 per turn, then falls by 4.
    let slope = 8.0 * (step as f32 / TURN);
    for (phase, change) in [(phase, slope), (phase.wrapping_add(0x8000_0000), -slope)] {
        for_each_wrap(phase, step, |at, fraction| {
            let corner = edges.corner(fraction);
            mix.add_edge::<CHANNELS>(span * SPAN + at, &corner, gains.map(|gain| change * gain));
        });
    }
}

/// Calls `edge` for each frame, 1 to 16, that is the first after the phase wrapped, with the time since then
/// as a fraction of a frame. Frame 16 is the first of the next span.
#[inline(always)]
fn for_each_wrap(phase: u32, step: u32, mut edge: impl FnMut(usize, f32)) {
    let step = i64::from(step);
    let mut left = (1i64 << 32) - i64::from(phase);
    while left <= step * SPAN as i64 && step > 0 {
        // Both are whole numbers below 2³⁴, and a quotient that is none is more than 2⁻³² from one: exact.
        let mut frames = (left as f64 / step as f64) as i64;
        if frames * step < left {
            frames += 1;
        }
        edge(frames as usize, (frames * step - left) as f32 / step as f32);
        left += 1i64 << 32;
    }
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

    /// The next span.
    #[inline]
    pub fn span(&mut self) -> [f32; SPAN] {
        core::array::from_fn(|_| self.sample())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::f64::consts::TAU;

    use rustfft::FftPlanner;
    use rustfft::num_complex::Complex;

    use super::*;

    #[test]
    fn sine_is_close_to_libm() {
        let worst = (-500..4000)
            .map(|i| {
                let phase = f64::from(i) / 1000.0;
                (f64::from(sin_turns(phase as f32)) - libm::sin(phase * TAU)).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 3e-6, "{worst}");
        let step = step_from_turns(0.013);
        for (n, x) in sines(1 << 30, step, &[1.75; SPAN]).iter().enumerate() {
            let exact = libm::sin((0.25 + 0.013 * n as f64 + 1.75) * TAU);
            assert!((f64::from(*x) - exact).abs() < 4e-6, "{n}: {x}, not {exact}");
        }
    }

    /// A mono oscillator and its mix.
    struct Player {
        edges: EdgeTable,
        osc: Oscillator,
        mix: Mix,
        rest: MixRest,
        step: u32,
    }

    impl Player {
        fn new(wave: Wave, hz: f32) -> Self {
            let step = step_from_turns(hz / 48_000.0);
            let osc = Oscillator::new(wave, 0.0, step, 0);
            let (mix, rest) = (Mix::SILENCE, MixRest::SILENCE);
            let mut player = Self { edges: EdgeTable::new(), osc, mix, rest, step };
            player.spans(wave, LEAD_SPANS);
            player
        }

        fn spans(&mut self, wave: Wave, n: usize) -> &[f32] {
            self.mix.begin::<1>(&self.rest, n);
            for span in 0..n {
                self.osc.render::<1>(wave, self.step, &self.edges, &mut self.mix, span, [1.0; 2]);
            }
            self.mix.end::<1>(&mut self.rest, n);
            self.mix.channel_mut(0, n)
        }
    }

    /// `n` frames of a wave at `hz`, 48 kHz.
    fn render(wave: Wave, hz: f32, n: usize) -> Vec<f32> {
        let mut player = Player::new(wave, hz);
        let mut out = Vec::new();
        // Runs of all lengths give the same wave.
        for n_spans in (1..=8).cycle() {
            if out.len() >= n {
                break;
            }
            out.extend(player.spans(wave, n_spans));
        }
        out.truncate(n);
        out
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
        // 480 Hz: whole periods in a second. Up to 18 kHz the kernel is flat.
        let pi = core::f64::consts::PI;
        for (wave, n, expected) in [
            (Wave::Sine, 1.0, 1.0),
            (Wave::Saw, 1.0, 2.0 / pi),
            (Wave::Saw, 2.0, 1.0 / pi),
            (Wave::Saw, 38.0, 2.0 / (38.0 * pi)),
            (Wave::Pulse(0.5), 1.0, 4.0 / pi),
            (Wave::Pulse(0.5), 2.0, 0.0),
            (Wave::Pulse(0.5), 3.0, 4.0 / (3.0 * pi)),
            (Wave::Pulse(0.25), 2.0, 4.0 / (2.0 * pi)),
            (Wave::Pulse(0.25), 4.0, 0.0),
            (Wave::Triangle, 1.0, 8.0 / (pi * pi)),
            (Wave::Triangle, 3.0, 8.0 / (9.0 * pi * pi)),
            (Wave::Triangle, 37.0, 8.0 / (1369.0 * pi * pi)),
        ] {
            let got = partial(&render(wave, 480.0, 48_000), 480.0 * n);
            let limit = (0.01 * expected).max(1e-4);
            assert!((got - expected).abs() < limit, "{wave:?} partial {n}: {got}, not {expected}");
        }
    }

    #[test]
    fn waves_start_at_phase_0_and_have_no_mean() {
        // A quarter of a period in, where no edge is near.
        for (wave, quarter) in
            [(Wave::Sine, 1.0), (Wave::Saw, -0.5), (Wave::Pulse(0.5), 1.0), (Wave::Triangle, 0.0)]
        {
            let sound = render(wave, 100.0, 48_000);
            assert!((sound[120] - quarter).abs() < 1e-3, "{wave:?}: {}", sound[120]);
            let mean = sound.iter().map(|x| f64::from(*x)).sum::<f64>() / 48_000.0;
            assert!(mean.abs() < 1e-4, "{wave:?}: {mean}");
        }
    }

    /// The strongest peak off the harmonics, in dB below the fundamental.
    fn alias_db(sound: &[f32], hz: f64) -> f64 {
        const N: usize = 1 << 16;
        // 7-term Blackman-Harris: sidelobes at −180 dB, so that what is found is not the window's.
        // H. Albrecht, "A family of cosine-sum windows" (ICASSP 2001).
        const WINDOW: [f64; 7] = [
            0.271_051_400_693_42,
            -0.433_297_939_234_48,
            0.218_122_999_543_11,
            -0.065_925_446_388_03,
            0.010_811_742_098_37,
            -0.000_776_584_825_22,
            0.000_013_887_217_35,
        ];
        let mut bins: Vec<_> = (0..N)
            .map(|i| {
                let angle = TAU * i as f64 / N as f64;
                let window: f64 = (0..).zip(WINDOW).map(|(k, a)| a * libm::cos(f64::from(k) * angle)).sum();
                Complex::new(f64::from(sound[i]) * window, 0.0)
            })
            .collect();
        FftPlanner::new().plan_fft_forward(N).process(&mut bins);
        let bin_hz = 48_000.0 / N as f64;
        let (mut fundamental, mut alias) = (0.0f64, 0.0f64);
        for (bin, value) in bins[..N / 2].iter().enumerate() {
            let at = bin as f64 * bin_hz;
            let harmonic = libm::round(at / hz);
            let is_near = (at - harmonic * hz).abs() < 9.0 * bin_hz;
            match (is_near, harmonic as u32) {
                (true, 1) => fundamental = fundamental.max(value.norm()),
                (true, _) => {}
                (false, _) => alias = alias.max(value.norm()),
            }
        }
        20.0 * libm::log10(alias / fundamental)
    }

    #[test]
    fn aliases_are_60_db_below_the_fundamental() {
        // 5 kHz: aliases at 23, 18, 13, 8, 3, 2 … kHz. The others have theirs between all harmonics; 4.81 kHz has
        // one just below Nyquist, where the kernel has hardly begun to stop.
        for (hz, limit) in [
            (5000.0f32, -105.0),
            (4811.0, -60.0),
            (3123.7, -80.0),
            (2217.46, -70.0),
            (1046.5, -75.0),
            (440.0, -80.0),
        ] {
            for wave in [Wave::Saw, Wave::Pulse(0.5), Wave::Triangle] {
                let db = alias_db(&render(wave, hz, 1 << 16), f64::from(hz));
                std::eprintln!("{wave:?} {hz} Hz: {db:.1} dB");
                assert!(db < limit, "{wave:?} at {hz} Hz: {db} dB");
            }
        }
    }

    #[test]
    fn a_moving_width_makes_no_clicks() {
        // A jump that was not corrected would be 2.
        let mut player = Player::new(Wave::Pulse(0.5), 220.0);
        let (mut last, mut worst) = (0.0, 0.0f32);
        for n in 0..6000 {
            let width = 0.5 + 0.45 * sin_turns(n as f32 * SPAN as f32 * 7.0 / 48_000.0);
            for x in player.spans(Wave::Pulse(width), 1) {
                // The first starts in the middle of a jump.
                worst = worst.max(if n > 3 { (x - last).abs() } else { 0.0 });
                last = *x;
            }
        }
        // A band-limited jump of 2 rises by 2·2·0.448 per sample at most.
        assert!(worst < 1.82, "{worst}");
    }
}
