use super::*;
use crate::dsp::noise::Noise;
use alloc::vec::Vec;
use core::f64::consts::TAU;

const RATE: f64 = 48_000.0;
const SETTINGS: ReverbSettings =
    ReverbSettings { decay_seconds: 2.0, predelay_seconds: 0.0, damping: 0.4, mix: 1.0 };

/// Response of both channels to an impulse in both.
fn response(settings: &ReverbSettings, rate: f64, seconds: f64) -> [Vec<f64>; 2] {
    let mut reverb = Reverb::new(settings, rate as f32);
    let mut out = [Vec::new(), Vec::new()];
    for n in 0..(seconds * rate) as usize / QUANTUM {
        let mut block = StereoBlock::SILENCE;
        if n == 0 {
            (block.left[0], block.right[0]) = (1.0, 1.0);
        }
        reverb.process(&mut block);
        out[0].extend(block.left.map(f64::from));
        out[1].extend(block.right.map(f64::from));
    }
    out
}

/// An octave around `hz`: four cookbook band-passes (constant peak gain) in a row.
fn octave(samples: &[f64], hz: f64, rate: f64) -> Vec<f64> {
    let w = TAU * hz / rate;
    let alpha = libm::sin(w) / 2.0;
    let (a0, a1, a2) = (1.0 + alpha, -2.0 * libm::cos(w), 1.0 - alpha);
    let mut out = samples.to_vec();
    for _ in 0..4 {
        let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
        for x in &mut out {
            let y = (alpha * (*x - x2) - a1 * y1 - a2 * y2) / a0;
            (x2, x1, y2, y1) = (x1, *x, y1, y);
            *x = y;
        }
    }
    out
}

/// T30 of ISO 3382-1: a line through the backward integral from −5 to −35 dB, extended to −60 dB.
fn decay_seconds(samples: &[f64], rate: f64) -> f64 {
    let total: f64 = samples.iter().map(|x| x * x).sum();
    let (mut rest, mut points) = (total, Vec::new());
    for (n, x) in samples.iter().enumerate() {
        let db = 10.0 * libm::log10(rest / total);
        if db < -35.0 {
            break;
        }
        if db <= -5.0 {
            points.push((n as f64 / rate, db));
        }
        rest -= x * x;
    }
    let n = points.len() as f64;
    let (mean_t, mean_db) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let slope = points.iter().map(|p| (p.0 - mean_t) * (p.1 - mean_db)).sum::<f64>()
        / points.iter().map(|p| (p.0 - mean_t) * (p.0 - mean_t)).sum::<f64>();
    -60.0 / slope
}

#[test]
fn it_decays_in_the_stated_time_at_middle_frequencies() {
    for (rate, decay) in
        [(48_000.0, 0.3f32), (48_000.0, 1.0), (44_100.0, 2.0), (48_000.0, 6.0), (96_000.0, 1.0)]
    {
        for damping in [0.0, 0.4, 1.0] {
            let settings = ReverbSettings { decay_seconds: decay, damping, ..SETTINGS };
            let [left, right] = response(&settings, rate, f64::from(decay) * 1.2);
            for channel in [&left, &right] {
                for hz in [500.0, 1_000.0] {
                    let got = decay_seconds(&octave(channel, hz, rate), rate) / f64::from(decay);
                    assert!(
                        (got - 1.0).abs() < 0.1,
                        "{decay} s, damping {damping}, {hz} Hz at {rate}: {got}"
                    );
                }
            }
            let high = decay_seconds(&octave(&left, 8_000.0, rate), rate) / f64::from(decay);
            match damping {
                // Reading between samples costs the moving lines 1.3 dB a second up here.
                0.0 => assert!((0.85..1.1).contains(&high), "{high}"),
                0.4 => assert!((0.3..0.75).contains(&high), "{high}"),
                // A pass through a line takes at most the low-pass's own loss, and a short decay has few passes.
                _ if decay < 1.0 => assert!(high < 0.75, "{high}"),
                _ => assert!((0.1..0.4).contains(&high), "{decay} s at {rate}: {high}"),
            }
        }
    }
}

#[test]
fn echoes_are_dense_within_a_tenth_of_a_second() {
    // J. Abel, P. Huang, "A simple, robust measure of reverberation echo density" (AES 121st, 2006): the part
    // of the samples in a window that lie outside its standard deviation, against that of Gaussian noise.
    let settings = ReverbSettings { damping: 0.0, ..SETTINGS };
    let [left, right] = response(&settings, RATE, 1.0);
    for channel in [left, right] {
        let density = |from_ms: usize| {
            let window = &channel[from_ms * 48..(from_ms + 20) * 48];
            let sigma = libm::sqrt(window.iter().map(|x| x * x).sum::<f64>() / window.len() as f64);
            let outside = window.iter().filter(|x| x.abs() > sigma).count() as f64;
            outside / window.len() as f64 / libm::erfc(core::f64::consts::FRAC_1_SQRT_2)
        };
        assert!((80..900).step_by(10).all(|ms| density(ms) > 0.85));
    }
}

/// Power spectrum of a Hann-windowed stretch.
fn spectrum(samples: &[f64]) -> Vec<f64> {
    use rustfft::{FftPlanner, num_complex::Complex};
    let n = samples.len();
    let mut buffer: Vec<Complex<f64>> = samples
        .iter()
        .enumerate()
        .map(|(i, x)| Complex::new(x * (0.5 - 0.5 * libm::cos(TAU * i as f64 / n as f64)), 0.0))
        .collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut buffer);
    buffer[..n / 2].iter().map(Complex::norm_sqr).collect()
}

/// Flatness of a spectrum in bands of 50 lines, and its greatest line against the mean of its band in dB.
fn flatness(samples: &[f64]) -> (f64, f64) {
    let power = spectrum(samples);
    let (mut flatness, mut n, mut peak) = (0.0, 0.0, 0.0f64);
    for band in power[100..8_000].chunks_exact(50) {
        let mean = band.iter().sum::<f64>() / 50.0;
        flatness += libm::exp(band.iter().map(|p| libm::log(p / mean)).sum::<f64>() / 50.0);
        n += 1.0;
        peak = band.iter().fold(peak, |a, p| a.max(p / mean));
    }
    (flatness / n, 10.0 * libm::log10(peak))
}

/// One second from `from` on of what falls by 60 dB in `decay`, made as loud at its end as at its start.
fn level_second(samples: &[f64], from: usize, decay: f64) -> Vec<f64> {
    let rise = 3.0 * core::f64::consts::LN_10 / (decay * RATE);
    samples[from..from + 48_000].iter().enumerate().map(|(i, x)| x * libm::exp(rise * i as f64)).collect()
}

#[test]
fn the_tail_is_noise_and_does_not_ring() {
    // In a diffuse tail the power of a spectral line has an exponential distribution: a flatness (geometric
    // over arithmetic mean) of e^−γ = 0.56 and more, and the greatest of some thousand lines 9 to 10 dB above
    // the mean. Lines that ring stand far above their neighbours and lower the flatness.
    let mut uniform = Noise::new(77);
    let gaussian: Vec<f64> =
        (0..48_000).map(|_| (0..12).map(|_| f64::from(uniform.sample())).sum()).collect();
    let (ideal, ideal_peak) = flatness(&gaussian);
    assert!(ideal > 0.56 && ideal_peak < 10.5, "{ideal} {ideal_peak}");
    // A ringing one, to see that the measure sees it: Schroeder's four parallel combs.
    let mut combs = alloc::vec![0.0f64; 110_000];
    for ms in [29.7, 37.1, 41.1, 43.7] {
        let period = (ms * 48.0) as usize;
        for n in (0..combs.len()).step_by(period) {
            combs[n] += libm::pow(10.0, -3.0 * n as f64 / (2.0 * RATE));
        }
    }
    let (ringing, ringing_peak) = flatness(&level_second(&combs, 48_000, 2.0));
    assert!(ringing < 0.2, "{ringing} {ringing_peak}");
    for decay in [1.0f32, 3.0, 10.0] {
        let settings = ReverbSettings { decay_seconds: decay, damping: 0.2, ..SETTINGS };
        let decay = f64::from(decay);
        for channel in response(&settings, RATE, decay * 0.3 + 1.5) {
            let (flat, peak) = flatness(&level_second(&channel, (decay * 0.3 * RATE) as usize, decay));
            assert!(flat > 0.47 && peak < 13.0, "{decay} s: flatness {flat}, greatest {peak} dB");
        }
    }
}

#[test]
fn noise_keeps_its_level_and_the_channels_are_independent() {
    for decay_seconds in [0.1f32, 0.5, 2.0, 10.0] {
        // Up to 3 kHz: above, the reading between samples of the moving lines takes some of a long decay.
        let band = [crate::dsp::equaliser::Section::low_pass(3_000.0 / RATE, 0.7); 4];
        let mut band = crate::dsp::equaliser::Equaliser::new(band, RATE as f32);
        let settings = ReverbSettings { decay_seconds, damping: 0.0, ..SETTINGS };
        let mut reverb = Reverb::new(&settings, RATE as f32);
        let mut noise = Noise::new(5);
        let (mut dry, mut wet, mut product) = (0.0, 0.0, 0.0);
        let n_settle = (f64::from(decay_seconds) * RATE) as usize / QUANTUM;
        for n in 0..n_settle + 2_000 {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                block.left[i] = noise.sample();
                block.right[i] = block.left[i];
            }
            band.process(&mut block);
            let before = block.clone();
            reverb.process(&mut block);
            if n >= n_settle {
                for i in 0..QUANTUM {
                    dry += before.left[i] * before.left[i];
                    wet += 0.5 * (block.left[i] * block.left[i] + block.right[i] * block.right[i]);
                    product += block.left[i] * block.right[i];
                }
            }
        }
        let level = 10.0 * libm::log10f(wet / dry);
        assert!(level.abs() < 1.5, "{decay_seconds} s: {level} dB");
        // In the shortest there are a few echoes only.
        assert!(decay_seconds < 0.5 || (product / wet).abs() < 0.1, "{decay_seconds} s: {}", product / wet);
    }
}

#[test]
fn predelay_and_mix_are_as_stated() {
    let first = |predelay_seconds| {
        let [left, _] = response(&ReverbSettings { predelay_seconds, ..SETTINGS }, RATE, 0.5);
        left.iter().position(|x| x.abs() > 1e-6).unwrap() as f64 / RATE
    };
    assert!((first(0.1) - first(0.0) - 0.1).abs() < 2e-4);
    assert!((0.015..0.04).contains(&first(0.0)), "{}", first(0.0));
    let mut block = StereoBlock { left: [0.5; QUANTUM], right: [-0.25; QUANTUM] };
    let dry = block.clone();
    Reverb::new(&ReverbSettings { mix: 0.0, ..SETTINGS }, RATE as f32).process(&mut block);
    assert_eq!(block, dry);
}

#[test]
fn the_longest_decay_is_stable_and_ends_in_silence() {
    let settings = ReverbSettings { decay_seconds: 20.0, damping: 0.0, ..SETTINGS };
    let mut reverb = Reverb::new(&settings, RATE as f32);
    let mut noise = Noise::new(8);
    let mut power = Vec::new();
    for n in 0..45_000 {
        let mut block = StereoBlock::SILENCE;
        block.left.iter_mut().chain(&mut block.right).for_each(|x| *x = noise.sample());
        reverb.process(&mut block);
        if n % 4_500 == 4_499 {
            power.push(block.left.iter().map(|x| x * x).sum::<f32>() / QUANTUM as f32);
        }
    }
    // Two minutes of noise of power 1/3: it neither grows nor dies.
    assert!(power[3..].iter().all(|p| (0.1..1.0).contains(p)), "{power:?}");
    reverb.glide_to(&Reverb::new(&ReverbSettings { decay_seconds: 1.0, ..settings }, RATE as f32));
    let mut block = StereoBlock::SILENCE;
    for _ in 0..2_500 {
        block = StereoBlock::SILENCE;
        reverb.process(&mut block);
    }
    assert_eq!(block, StereoBlock::SILENCE);
    assert!(reverb.lines.iter().all(|line| line.low == 0.0));
}

#[test]
fn changes_do_not_click() {
    let mut reverb = Reverb::new(&SETTINGS, RATE as f32);
    let section = crate::dsp::equaliser::Section::high_pass(2_000.0 / RATE, 0.7);
    let mut high_pass = crate::dsp::equaliser::Equaliser::new([section; 4], RATE as f32);
    let mut worst = 0.0f32;
    for n in 0..3_000 {
        let mut block = StereoBlock::SILENCE;
        for i in 0..QUANTUM {
            let turns = (n * QUANTUM + i) as f64 / 800.0 % 1.0;
            block.left[i] = (0.2 * libm::sin(turns * TAU)) as f32;
            block.right[i] = block.left[i];
        }
        let change = match n {
            2_000 => Some(ReverbSettings { decay_seconds: 0.2, ..SETTINGS }),
            2_003 => Some(ReverbSettings { decay_seconds: 4.0, damping: 1.0, ..SETTINGS }),
            2_300 => Some(ReverbSettings { predelay_seconds: 0.15, mix: 0.2, ..SETTINGS }),
            _ => None,
        };
        if let Some(settings) = change {
            reverb.glide_to(&Reverb::new(&settings, RATE as f32));
        }
        reverb.process(&mut block);
        high_pass.process(&mut block);
        if n > 1_900 {
            worst = block.left.iter().chain(&block.right).fold(worst, |a, x| a.max(x.abs()));
        }
    }
    let click = 20.0 * libm::log10f(worst);
    assert!(click < -80.0, "{click} dBFS");
}

#[test]
fn it_runs_at_every_rate() {
    for rate in [8_000.0, 22_050.0, 192_000.0] {
        let mut reverb =
            Reverb::new(&ReverbSettings { predelay_seconds: 0.2, damping: 0.0, ..SETTINGS }, rate);
        let mut noise = Noise::new(1);
        let mut power = 0.0;
        for _ in 0..2_000 {
            let mut block = StereoBlock::SILENCE;
            block.left.iter_mut().for_each(|x| *x = noise.sample());
            reverb.process(&mut block);
            power += block.right.iter().map(|x| x * x).sum::<f32>() / QUANTUM as f32 / 2_000.0;
        }
        // The left half of the lines gets noise of power 1/3.
        assert!((0.05..0.5).contains(&power), "{rate}: {power}");
    }
}
