//! Levels of partials, aliases, clicks.

use alloc::vec::Vec;
use core::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::super::mix::MixRest;
use super::super::phase::{sin_turns, step_from_turns};
use super::*;

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
