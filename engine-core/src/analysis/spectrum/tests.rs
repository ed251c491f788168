use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise, sine};
use crate::units::FLOOR_DB;
use alloc::vec::Vec;
use rustfft::{FftPlanner, num_complex::Complex};

const RATE: SampleRate = SampleRate::DEFAULT;

/// Every bin from 0 Hz to half the sample rate.
fn bins(fft_size: u32, window: Window) -> SpectrumConfig {
    SpectrumConfig {
        fft_size,
        window,
        scale: Scale::Linear,
        bands: 0,
        min_hz: 0.0,
        max_hz: 24_000.0,
        ..SpectrumConfig::default()
    }
}

fn magnitudes(config: &SpectrumConfig, left: &[f32], right: &[f32]) -> Vec<f32> {
    let mut spectrum = Spectrum::new(RATE, config).unwrap();
    spectrum.process(left, right);
    let mut out = vec![0.0; spectrum.n_bands() * spectrum.n_channels()];
    spectrum.snapshot(&mut out);
    out
}

/// dBFS of each bin by the definition, in f64.
fn exact_db(samples: &[f32], window: Window, spectrum: impl Fn(&[f64]) -> Vec<(f64, f64)>) -> Vec<f64> {
    let n = samples.len();
    let step = core::f64::consts::TAU / n as f64;
    let terms: &[f64] = match window {
        Window::Hann => &[0.5, -0.5],
        Window::BlackmanHarris => &[0.35875, -0.48829, 0.14128, -0.01168],
        _ => &[1.0],
    };
    let w = |i: usize| -> f64 {
        terms.iter().enumerate().map(|(k, a)| a * libm::cos(step * (k * i) as f64)).sum()
    };
    let sum: f64 = (0..n).map(w).sum();
    let windowed: Vec<f64> = samples.iter().enumerate().map(|(i, &x)| f64::from(x) * w(i)).collect();
    let bins = spectrum(&windowed).into_iter().take(n / 2 + 1).enumerate();
    bins.map(|(k, (re, im))| {
        let sides = if k == 0 || k == n / 2 { 1.0 } else { 2.0 };
        20.0 * libm::log10(libm::hypot(re, im) * sides / sum)
    })
    .collect()
}

fn naive_dft(x: &[f64]) -> Vec<(f64, f64)> {
    let n = x.len();
    let bin = |k: usize| {
        x.iter().enumerate().fold((0.0, 0.0), |(re, im), (t, x)| {
            let angle = core::f64::consts::TAU * ((k * t) % n) as f64 / n as f64;
            (re + x * libm::cos(angle), im - x * libm::sin(angle))
        })
    };
    (0..=n / 2).map(bin).collect()
}

fn rustfft_f64(x: &[f64]) -> Vec<(f64, f64)> {
    let mut z: Vec<_> = x.iter().map(|&x| Complex::new(x, 0.0)).collect();
    FftPlanner::new().plan_fft_forward(x.len()).process(&mut z);
    z.into_iter().map(|z| (z.re, z.im)).collect()
}

/// 0.01 dB above −90 dBFS and 0.02 dB above −100: there, the rounding of a strong tone in an f32 transform is
/// no longer small. rustfft's f32 is off by up to 0.019 dB on the same signals.
fn assert_close(ours: &[f32], exact: &[f64], what: &str) {
    for (ours, &exact) in ours.iter().zip(exact) {
        let error = (f64::from(*ours) - exact).abs();
        if exact > -100.0 {
            let tolerance = if exact > -90.0 { 0.01 } else { 0.02 };
            assert!(error <= tolerance, "{what}: {ours}, not {exact}");
        } else {
            assert!(*ours < -99.9, "{what}: {ours}, not {exact}");
        }
    }
}

/// A tone between bins over noise at −60 dBFS, at half of full scale.
fn programme(n: usize) -> Vec<f32> {
    let noise = Noise(n as u32).take(n);
    sine(n, 0.0721, 0.5, 30.0).iter().zip(noise).map(|(x, noise)| x + 0.001 * noise).collect()
}

#[test]
fn agrees_with_a_naive_dft_in_f64() {
    for window in [Window::Hann, Window::BlackmanHarris, Window::Rectangular] {
        let samples = programme(512);
        let exact = exact_db(&samples, window, naive_dft);
        assert_close(&magnitudes(&bins(512, window), &samples, &samples), &exact, "naive");
    }
}

#[test]
fn agrees_with_rustfft_at_every_size() {
    for shift in 8..=15 {
        for window in [Window::Hann, Window::BlackmanHarris, Window::Rectangular] {
            let n = 1 << shift;
            for samples in [programme(n), Noise(shift).take(n), sine(n, 0.1, 1.0, 0.0)] {
                let exact = exact_db(&samples, window, rustfft_f64);
                let ours = magnitudes(&bins(1 << shift, window), &samples, &samples);
                assert_close(&ours, &exact, &alloc::format!("{window:?} at 2^{shift}"));
            }
        }
    }
}

#[test]
fn a_full_scale_sine_on_a_bin_reads_0_dbfs_on_every_scale() {
    // 1.5 kHz is bin 128 of 4096 at 48 kHz.
    let tone = sine(4_096, 1_500.0 / 48_000.0, 1.0, 20.0);
    for window in [Window::Hann, Window::Hamming, Window::Blackman, Window::BlackmanHarris, Window::FlatTop] {
        for scale in [Scale::Linear, Scale::Log, Scale::Mel, Scale::Bark, Scale::Octave] {
            for bands in [16, 100, 256] {
                let config = SpectrumConfig { window, scale, bands, ..SpectrumConfig::default() };
                let out = magnitudes(&config, &tone, &tone);
                let loudest = out.iter().copied().fold(FLOOR_DB, f32::max);
                assert!(loudest.abs() < 0.01, "{window:?} {scale:?} {bands}: {loudest}");
            }
        }
    }
}

#[test]
fn low_tones_keep_their_level_in_narrow_bands() {
    // Between any two bins; a Hann window alone would lose up to 1.42 dB.
    for window in [Window::Hann, Window::BlackmanHarris] {
        for i in 0..40 {
            let hz = 60.0 + f64::from(i) * 2.93;
            let tone = sine(4_096, hz / 48_000.0, 1.0, 0.0);
            let config = SpectrumConfig { window, ..SpectrumConfig::default() };
            let mut spectrum = Spectrum::new(RATE, &config).unwrap();
            spectrum.process(&tone, &tone);
            let mut out = vec![0.0; spectrum.n_bands()];
            spectrum.snapshot(&mut out);
            let loudest = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
            assert!(out[loudest].abs() < 0.3, "{window:?} at {hz} Hz: {}", out[loudest]);
            assert!((f64::from(spectrum.frequencies()[loudest]) / hz - 1.0).abs() < 0.06, "{hz} Hz");
        }
    }
}

#[test]
fn octaves_read_the_power_of_noise() {
    // White noise of variance 1/3: a band holds its share of 24 kHz; a full-scale sine has power 1/2.
    let mut noise = Noise(77);
    let config =
        SpectrumConfig { fft_size: 32_768, scale: Scale::Octave, fraction: 1, ..SpectrumConfig::default() };
    let mut spectrum = Spectrum::new(RATE, &config).unwrap();
    let (mut out, mut powers) = (vec![0.0; spectrum.n_bands()], vec![0.0f64; spectrum.n_bands()]);
    for _ in 0..8 {
        spectrum.process(&noise.take(32_768), &noise.take(32_768));
        spectrum.snapshot(&mut out);
        powers.iter_mut().zip(&out).for_each(|(p, &db)| *p += libm::pow(10.0, f64::from(db) / 10.0) / 8.0);
    }
    for (hz, power) in spectrum.frequencies().iter().zip(powers).skip(4) {
        let half_octave = libm::pow(10.0, 0.15);
        let share = f64::from(*hz) * (half_octave - 1.0 / half_octave) / 24_000.0;
        let expected = 10.0 * libm::log10(share / 3.0 / 0.5);
        assert!((10.0 * libm::log10(power) - expected).abs() < 0.4, "{hz} Hz: {power} {expected}");
    }
}

#[test]
fn one_channel_never_cancels_and_two_are_apart() {
    let tone = sine(4_096, 1_500.0 / 48_000.0, 1.0, 0.0);
    let opposite: Vec<f32> = tone.iter().map(|x| -x).collect();
    let silence = vec![0.0; 4_096];
    let loudest = |out: &[f32]| out.iter().copied().fold(FLOOR_DB, f32::max);
    let config = SpectrumConfig::default();
    assert!(loudest(&magnitudes(&config, &tone, &opposite)).abs() < 0.01);
    assert!((loudest(&magnitudes(&config, &tone, &silence)) + 3.01).abs() < 0.01);
    let out = magnitudes(&SpectrumConfig { channels: 2, ..config }, &tone, &silence);
    assert_eq!(out.len(), 512);
    assert!(loudest(&out[..256]).abs() < 0.01 && out[256..].iter().all(|&db| db == FLOOR_DB));
}

#[test]
fn weighting_applies_to_narrow_and_wide_bands() {
    for (hz, a) in [(99.609_375, -19.17), (1_500.0, 0.8)] {
        let tone = sine(4_096, hz / 48_000.0, 1.0, 0.0);
        let config = SpectrumConfig { weighting: Weighting::A, ..SpectrumConfig::default() };
        let flat = magnitudes(&SpectrumConfig::default(), &tone, &tone);
        let loudest = (0..flat.len()).max_by(|&a, &b| flat[a].total_cmp(&flat[b])).unwrap();
        let weighted = magnitudes(&config, &tone, &tone)[loudest] - flat[loudest];
        assert!((weighted - a).abs() < 0.2, "{hz} Hz: {weighted}");
    }
}

#[test]
fn bits_do_not_depend_on_blocks_and_bad_samples_are_silence() {
    let (l, r) = (Noise(5).take(60_000), Noise(6).take(60_000));
    let config = SpectrumConfig { channels: 2, ..SpectrumConfig::default() };
    let whole = magnitudes(&config, &l, &r);
    assert_eq!(magnitudes(&config, &l[60_000 - 4_096..], &r[60_000 - 4_096..]), whole);
    for chunk in CHUNKS {
        let mut spectrum = Spectrum::new(RATE, &config).unwrap();
        let mut out = vec![0.0; 512];
        for (l, r) in l.chunks(chunk).zip(r.chunks(chunk)) {
            spectrum.process(l, r);
        }
        spectrum.snapshot(&mut out);
        assert!(out.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits()), "chunks of {chunk}");
        spectrum.reset();
        spectrum.process(&[f32::NAN, f32::INFINITY], &[f32::NEG_INFINITY, f32::NAN]);
        spectrum.snapshot(&mut out);
        assert!(out.iter().all(|&db| db == FLOOR_DB));
    }
    // Finite, though far beyond full scale: never NaN or infinity.
    let huge = magnitudes(&config, &[f32::MAX; 4_096], &[1e30; 4_096]);
    assert!(huge.iter().all(|db| db.is_finite()));
}

#[test]
fn bad_options_are_named() {
    let d = SpectrumConfig::default;
    for (config, error) in [
        (SpectrumConfig { fft_size: 1_000, ..d() }, SpectrumError::FftSize(1_000)),
        (SpectrumConfig { fft_size: 65_536, ..d() }, SpectrumError::FftSize(65_536)),
        (SpectrumConfig { bands: 0, ..d() }, SpectrumError::Bands(0)),
        (SpectrumConfig { bands: 8_193, ..d() }, SpectrumError::Bands(8_193)),
        (SpectrumConfig { fraction: 25, scale: Scale::Octave, ..d() }, SpectrumError::Fraction(25)),
        (SpectrumConfig { channels: 3, ..d() }, SpectrumError::Channels(3)),
        (SpectrumConfig { min_hz: 0.0, ..d() }, SpectrumError::MinHz(0.0)),
        (SpectrumConfig { min_hz: 24_000.0, ..d() }, SpectrumError::MinHz(24_000.0)),
        (SpectrumConfig { max_hz: 20.0, ..d() }, SpectrumError::MaxHz(20.0)),
    ] {
        assert_eq!(Spectrum::new(RATE, &config).err(), Some(error));
    }
    assert!(Spectrum::new(RATE, &SpectrumConfig { min_hz: f32::NAN, ..d() }).is_err());
    assert!(Spectrum::new(RATE, &SpectrumConfig { max_hz: f32::NAN, ..d() }).is_err());
    assert_eq!(alloc::string::ToString::to_string(&SpectrumError::Channels(3)), "channels must be 1 or 2");
    // The default limit of 20 kHz is above half of 8 kHz.
    let low = Spectrum::new(SampleRate::new(8_000).unwrap(), &d()).unwrap();
    assert!(*low.frequencies().last().unwrap() < 4_000.0);
    let config: SpectrumConfig = serde_json::from_str(r#"{"scale":"bark","weighting":"a"}"#).unwrap();
    assert_eq!(config, SpectrumConfig { scale: Scale::Bark, weighting: Weighting::A, ..d() });
}

#[cfg(feature = "rustfft")]
#[test]
fn another_fft_of_any_length_takes_its_place() {
    // 4,800 frames: 1.5 kHz is bin 150.
    let tone = sine(4_800, 1_500.0 / 48_000.0, 1.0, 0.0);
    let fft = crate::dsp::fft_rustfft::RustFft::new(4_800);
    let mut spectrum = Spectrum::with_fft(fft, RATE, &SpectrumConfig::default()).unwrap();
    spectrum.process(&tone, &tone);
    let mut out = vec![0.0; spectrum.n_bands()];
    spectrum.snapshot(&mut out);
    assert!(out.iter().copied().fold(FLOOR_DB, f32::max).abs() < 0.01);
}
