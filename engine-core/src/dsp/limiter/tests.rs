use super::*;
use crate::dsp::noise::Noise;
use alloc::vec::Vec;
use core::f64::consts::{PI, TAU};

#[path = "../../../tests/common/true_peak.rs"]
mod true_peak;

use true_peak::reference_dbtp;

fn limit(samples: &[f32], rate: f32) -> Vec<f32> {
    let mut limiter = Limiter::new(rate);
    let mut out = Vec::new();
    for chunk in samples.chunks_exact(QUANTUM) {
        let mut block = StereoBlock::SILENCE;
        block.left.copy_from_slice(chunk);
        // The other channel is louder now and then, and must not open the gain of this one.
        block.right.iter_mut().zip(chunk).for_each(|(y, x)| *y = -0.9 * x);
        limiter.process(&mut block);
        out.extend(block.left);
    }
    out
}

/// Sines of `cycles` per sample; the phase goes on where the frequency changes.
fn tone(n: usize, parts: &[(usize, f64, f64)], phase_degrees: f64) -> Vec<f32> {
    let mut turns = phase_degrees / 360.0;
    (0..n)
        .map(|t| {
            let &(_, cycles, amplitude) = parts.iter().rev().find(|part| t >= part.0).unwrap();
            let y = amplitude * libm::sin(TAU * (turns - libm::floor(turns)));
            turns += cycles;
            y as f32
        })
        .collect()
}

fn hard_material() -> Vec<(&'static str, Vec<f32>)> {
    const N: usize = 96 * QUANTUM;
    let mut noise = Noise::new(3);
    let mut white = |gain: f32| (0..N).map(|_| gain * noise.sample()).collect::<Vec<f32>>();
    let square = |period: usize, gain: f32| {
        (0..N).map(|t| if t % period < period / 2 { gain } else { -gain }).collect::<Vec<f32>>()
    };
    let mut bursts = alloc::vec![0.0f32; N];
    for (n, x) in bursts.iter_mut().enumerate() {
        // A loud tone of fs/5 for 100 of 1,500 frames, out of silence.
        *x = if n % 1_500 < 100 { 4.0 * libm::sin(TAU * n as f64 / 5.0 + 1.0) as f32 } else { 0.0 };
    }
    let mut impulses = alloc::vec![0.0f32; N];
    impulses.iter_mut().step_by(997).for_each(|x| *x = 8.0);
    impulses.iter_mut().skip(1).step_by(997).for_each(|x| *x = 8.0);
    // Half of the samples at +1, half at −1, at random: the worst that a clipping converter can make.
    let bits = white(1.0).iter().map(|x| x.signum()).collect();
    Vec::from([
        ("fs/4 at 45°", tone(N, &[(0, 0.25, 2.0)], 45.0)),
        ("fs/4 at 45°, barely too loud", tone(N, &[(0, 0.25, 1.0)], 45.0)),
        ("fs/6 at 60°", tone(N, &[(0, 1.0 / 6.0, 1.4)], 60.0)),
        (
            "fs/6 to one period of fs/4",
            tone(N, &[(0, 1.0 / 6.0, 0.5), (6_000, 0.25, 1.0), (6_004, 1.0 / 6.0, 0.5)], 0.0),
        ),
        (
            "the same from 45°, louder",
            tone(N, &[(0, 1.0 / 6.0, 1.5), (6_000, 0.25, 3.0), (6_004, 1.0 / 6.0, 1.5)], 45.0),
        ),
        ("0.45 fs", tone(N, &[(0, 0.45, 1.5)], 20.0)),
        ("a sweep", (0..N).map(|t| 2.0 * libm::sin(PI * 0.45 * (t * t) as f64 / N as f64) as f32).collect()),
        ("square of fs/100", square(100, 1.0)),
        ("square of fs/10", square(10, 2.0)),
        ("square of fs/4", square(4, 1.0)),
        ("clipped noise", white(6.0).iter().map(|x| x.clamp(-1.0, 1.0)).collect()),
        ("white noise", white(1.5)),
        ("random signs", bits),
        ("bursts", bursts),
        ("pairs of impulses", impulses),
        ("a step", (0..N).map(|t| if t < N / 2 { 0.0 } else { 3.0 }).collect()),
    ])
}

#[test]
fn true_peaks_stay_at_or_below_the_ceiling() {
    for (name, samples) in hard_material() {
        let out = limit(&samples, 48_000.0);
        let reference = reference_dbtp(&out);
        assert!(reference <= f64::from(CEILING_DB), "{name}: {reference} dBTP");
        // Loud material is brought to the ceiling, not far below it.
        assert!(reference > f64::from(CEILING_DB) - 0.25, "{name}: {reference} dBTP");
    }
}

#[test]
fn quiet_sound_is_only_delayed() {
    let mut noise = Noise::new(7);
    let quiet: Vec<f32> = (0..200 * QUANTUM).map(|_| 0.15 * noise.sample()).collect();
    assert!(limit(&quiet, 48_000.0)[DELAY..] == quiet[..quiet.len() - DELAY]);
    // Loud for a while: afterwards the gain comes back to exactly 1.
    let mut mixed = quiet.clone();
    mixed[..4_000].iter_mut().for_each(|x| *x *= 20.0);
    mixed.extend(core::iter::repeat_n(quiet, 4).flatten());
    let out = limit(&mixed, 48_000.0);
    let n = mixed.len();
    assert!(out[n - 20_000..] == mixed[n - 20_000 - DELAY..n - DELAY]);
}

#[test]
fn gain_reduction_is_not_clipping() {
    // A loud sine keeps its shape: what the gain takes away, it takes from the whole period.
    let out = limit(&tone(200 * QUANTUM, &[(0, 1.0 / 48.0, 3.0)], 0.0), 48_000.0);
    let tail = &out[out.len() - 4_800..];
    let level = |harmonic: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in tail.iter().enumerate() {
            let angle = TAU * (harmonic * i as f64 / 48.0 % 1.0);
            re += f64::from(*x) * libm::cos(angle);
            im += f64::from(*x) * libm::sin(angle);
        }
        libm::hypot(re, im)
    };
    assert!(level(3.0) < 1e-3 * level(1.0), "{} {}", level(3.0), level(1.0));
    assert!((20.0 * libm::log10(level(1.0) / 2_400.0) - f64::from(TARGET_DB)).abs() < 0.05);
}

#[test]
fn the_gain_has_no_corners() {
    // A burst on a constant: the output between bursts is the gain itself.
    let samples: Vec<f32> =
        (0..300 * QUANTUM).map(|t| if (9_000..9_010).contains(&t) { 5.0 } else { 0.1 }).collect();
    let out = limit(&samples, 48_000.0);
    let gains: Vec<f32> = out.iter().map(|y| y / 0.1).collect();
    let second = |range: core::ops::Range<usize>| {
        gains[range].windows(3).fold(0.0f32, |a, w| a.max((w[2] - 2.0 * w[1] + w[0]).abs()))
    };
    // From 1 to 0.17 in 64 frames by two averages of 32: the slope changes by 0.83/32² a frame.
    assert!(second(5_000..9_000 + DELAY - 1) < 1.01e-3, "{}", second(5_000..9_000 + DELAY - 1));
    assert!(second(9_012 + DELAY..30_000) < 1.01e-3);
}

#[test]
fn what_is_not_a_number_does_not_stay() {
    let mut limiter = Limiter::new(48_000.0);
    for n in 0..20 {
        let mut block = StereoBlock { left: [0.25; QUANTUM], right: [0.25; QUANTUM] };
        if n == 2 {
            (block.left[5], block.right[9]) = (f32::NAN, f32::INFINITY);
        }
        limiter.process(&mut block);
        assert!(n < 6 || block.left.iter().chain(&block.right).all(|x| x.is_finite()));
    }
}
