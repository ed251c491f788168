use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise, sine};
use crate::dsp::window::Window;
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

fn assert_close(ours: &[f32], exact: &[f64], what: &str) {
    for (ours, &exact) in ours.iter().zip(exact) {
        if exact > -100.0 {
            let error = (f64::from(*ours) - exact).abs();
            assert!(error <= 0.01, "{what}: {ours}, not {exact}");
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
        (SpectrumConfig { attack_ms: -1.0, ..d() }, SpectrumError::AttackMs(-1.0)),
        (SpectrumConfig { release_ms: 60_001.0, ..d() }, SpectrumError::ReleaseMs(60_001.0)),
        (SpectrumConfig { hold_ms: f32::INFINITY, ..d() }, SpectrumError::HoldMs(f32::INFINITY)),
    ] {
        assert_eq!(Spectrum::new(RATE, &config).err(), Some(error));
    }
    assert!(Spectrum::new(RATE, &SpectrumConfig { min_hz: f32::NAN, ..d() }).is_err());
    assert!(Spectrum::new(RATE, &SpectrumConfig { max_hz: f32::NAN, ..d() }).is_err());
    assert!(Spectrum::new(RATE, &SpectrumConfig { attack_ms: f32::NAN, ..d() }).is_err());
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

/// Harris 1978, Table 1, scallop loss in dB: Rectangular 3.92, Hann 1.42, Hamming 1.78 (of the rounded 0.54), Blackman
/// 1.10, four-term Blackman-Harris 0.83; flat top of MATLAB: Heinzel 2002 gives 0.01 for its kind.
#[test]
fn between_bins_a_tone_loses_what_the_tables_say() {
    for (window, table, digit) in [
        (Window::Rectangular, 3.92, 0.005),
        (Window::Hann, 1.42, 0.005),
        (Window::Hamming, 1.78, 0.03),
        (Window::Blackman, 1.10, 0.005),
        (Window::BlackmanHarris, 0.83, 0.005),
        (Window::FlatTop, 0.01, 0.005),
    ] {
        for fft_size in [256, 4_096, 32_768] {
            let level = |bin: f64| {
                let tone = sine(fft_size, bin / fft_size as f64, 1.0, 40.0);
                let out = magnitudes(&bins(fft_size as u32, window), &tone, &tone);
                out.into_iter().fold(FLOOR_DB, f32::max)
            };
            let middle = (fft_size / 4) as f64;
            assert!(level(middle).abs() < 0.01, "{window:?} on a bin of {fft_size}: {}", level(middle));
            let loss = -f64::from(level(middle + 0.5));
            // A real tone's image at −f leaks in, less the longer the transform.
            let image = 20.0 / fft_size as f64;
            assert!(
                (loss - table).abs() < digit + 0.005 + image,
                "{window:?} between bins of {fft_size}: {loss}"
            );
        }
    }
}

/// What an f32 transform gets wrong by 0.05 dB: bins at −95 dBFS a quarter and an eighth of the spectrum away from
/// a full-scale tone, where the rounding of its halves ends up.
#[test]
fn a_strong_tone_does_not_disturb_weak_ones_far_away() {
    for shift in 8..=15 {
        let n = 1usize << shift;
        let bin = n / 16 + 3;
        let mut tone = sine(n, bin as f64 / n as f64, 1.0 - 1e-3, 77.0);
        for other in [bin + n / 16, bin + n / 8, bin + n / 4, n / 2 - bin] {
            let weak = sine(n, other as f64 / n as f64, 1.8e-5, 10.0);
            tone.iter_mut().zip(weak).for_each(|(x, weak)| *x += weak);
        }
        for window in [Window::Hann, Window::BlackmanHarris, Window::Rectangular] {
            let exact = exact_db(&tone, window, rustfft_f64);
            let ours = magnitudes(&bins(n as u32, window), &tone, &tone);
            assert_close(&ours, &exact, &alloc::format!("{window:?} at 2^{shift}"));
        }
    }
}

#[test]
fn several_resolutions_part_low_tones_and_catch_bursts() {
    let config = SpectrumConfig { bands: 512, multi_resolution: true, ..SpectrumConfig::default() };
    let mut spectrum = Spectrum::new(RATE, &config).unwrap();
    assert_eq!(spectrum.fft_size(), 8_192);
    // 60 frames a second of 800 samples: two tones 20 Hz apart, and 5 ms of 5 kHz now and then.
    let n = 48_000;
    let (a, b) = (sine(n, 90.0 / 48_000.0, 0.25, 0.0), sine(n, 110.0 / 48_000.0, 0.25, 0.0));
    let mut signal: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let burst = sine(240, 5_000.0 / 48_000.0, 0.5, 0.0);
    let starts = [20_100, 30_000, 40_650];
    for start in starts {
        signal[start..].iter_mut().zip(&burst).for_each(|(x, burst)| *x += burst);
    }
    let mut out = vec![0.0; spectrum.n_bands()];
    let frequencies = spectrum.frequencies().to_vec();
    let band = |hz: f32| frequencies.partition_point(|&f| f < hz);
    let high = band(4_800.0)..band(5_200.0);
    let mut seen = Vec::new();
    for (frame, samples) in signal.chunks(800).enumerate() {
        spectrum.process(samples, samples);
        spectrum.snapshot(&mut out);
        let loudest = |bands: &[f32]| bands.iter().copied().fold(FLOOR_DB, f32::max);
        if loudest(&out[high.clone()]) > -20.0 {
            seen.push((frame + 1) * 800);
        }
        if frame > 12 {
            let peaks = [loudest(&out[band(86.0)..band(94.0)]), loudest(&out[band(106.0)..band(114.0)])];
            let dip = out[band(98.0)..band(102.0)].iter().copied().fold(0.0, f32::min);
            for peak in peaks {
                assert!((peak + 12.04).abs() < 1.0, "frame {frame}: {peaks:?}");
                assert!(dip < peak - 6.0, "frame {frame}: {dip} between {peaks:?}");
            }
        }
    }
    for start in starts {
        // Seen in a frame that ends within 20 ms of its start, and gone 30 ms later.
        assert!(seen.iter().any(|&end| (start..=start + 960).contains(&end)), "{start}: {seen:?}");
    }
    assert!(seen.iter().all(|&end| starts.iter().any(|&s| (s..s + 240 + 1_440).contains(&end))), "{seen:?}");
}

#[test]
fn no_burst_falls_between_slow_frames_of_several_resolutions() {
    let config = SpectrumConfig { multi_resolution: true, ..SpectrumConfig::default() };
    for start in (0..4_000).step_by(130) {
        let mut spectrum = Spectrum::new(RATE, &config).unwrap();
        let mut signal = vec![0.0; 4_800];
        signal[start..start + 240].copy_from_slice(&sine(240, 5_000.0 / 48_000.0, 1.0, 0.0));
        spectrum.process(&signal, &signal);
        let mut out = vec![0.0; spectrum.n_bands()];
        spectrum.snapshot(&mut out);
        let loudest = out.iter().copied().fold(FLOOR_DB, f32::max);
        assert!(loudest > -10.0, "{start}: {loudest}");
    }
}

#[test]
fn several_resolutions_keep_levels_on_every_scale() {
    for scale in [Scale::Linear, Scale::Log, Scale::Mel, Scale::Bark, Scale::Octave] {
        for hz in [100.0, 500.0, 1_000.0, 2_200.0, 5_000.0, 15_000.0] {
            let config = SpectrumConfig {
                scale,
                multi_resolution: true,
                window: Window::FlatTop,
                ..Default::default()
            };
            let tone = sine(8_192, hz / 48_000.0, 1.0, 0.0);
            let loudest = magnitudes(&config, &tone, &tone).into_iter().fold(FLOOR_DB, f32::max);
            // An octave band sums power within its edges; the wide lobe of a flat top does not fit into the lowest.
            let tolerance = if scale == Scale::Octave { 1.5 } else { 0.1 };
            assert!(loudest.abs() < tolerance, "{scale:?} at {hz} Hz: {loudest}");
        }
    }
    for hz in [8_000, 22_050, 44_100, 96_000, 192_000] {
        let rate = SampleRate::new(hz).unwrap();
        let config = SpectrumConfig { multi_resolution: true, ..SpectrumConfig::default() };
        let spectrum = Spectrum::new(rate, &config).unwrap();
        assert!(f64::from(hz) / spectrum.fft_size() as f64 <= 6.0, "{hz}");
    }
}

#[test]
fn levels_rise_hold_and_fall_as_asked() {
    let config =
        SpectrumConfig { attack_ms: 50.0, release_ms: 200.0, hold_ms: 500.0, ..SpectrumConfig::default() };
    let mut spectrum = Spectrum::new(RATE, &config).unwrap();
    let mut out = vec![0.0; spectrum.n_bands()];
    let band = spectrum.frequencies().partition_point(|&f| f < 1_500.0);
    let tone = sine(480_000, 1_500.0 / 48_000.0, 1.0, 0.0);
    let silence = vec![0.0; 480];
    // 10 ms a frame. The transform is full after 9; from then the distance to the goal falls by e each 50 ms.
    let mut shown = Vec::new();
    for samples in tone.chunks(480).take(100) {
        spectrum.process(samples, samples);
        spectrum.snapshot(&mut out);
        shown.push(out[band - 1].max(out[band]));
    }
    let goal = shown[99];
    assert!(goal.abs() < 1.0, "{goal}");
    let ratio = (goal - shown[14]) / (goal - shown[19]);
    assert!((ratio - core::f32::consts::E).abs() < 0.05, "attack: {ratio}");
    shown.clear();
    for _ in 0..400 {
        spectrum.process(&silence, &silence);
        spectrum.snapshot(&mut out);
        shown.push(out[band - 1].max(out[band]));
    }
    // Held for half a second after it last rose; then, with nothing left in the window, it falls by e each 200 ms.
    assert_eq!(shown[48], goal);
    assert!(shown[55] < goal - 1.0, "release: {}", shown[55]);
    let ratio = (shown[60] - FLOOR_DB) / (shown[80] - FLOOR_DB);
    assert!((ratio - core::f32::consts::E).abs() < 0.05, "release: {ratio}");
    assert_eq!(shown[399], FLOOR_DB);
    spectrum.reset();
    spectrum.snapshot(&mut out);
    assert!(out.iter().all(|&db| db == FLOOR_DB));
}
