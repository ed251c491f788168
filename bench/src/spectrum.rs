//! FFTs and whole spectrum frames.

use std::hint::black_box;

use engine_core::analysis::spectrum::{Spectrum, SpectrumConfig};
use engine_core::dsp::fft::RealFft;
use engine_core::dsp::window::Window;
use engine_core::units::SampleRate;
use realfft::RealFftPlanner;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use crate::compare::{Case, Goal, Table};

/// Uniform in −1..1, from a fixed seed.
pub fn noise(n: usize) -> Vec<f32> {
    let mut seed = 1u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

pub fn run(table: &mut Table) {
    for n in [512, 2048, 4096, 32_768] {
        fft(table, n);
    }
    complex_fft(table, 4096);
    frame(table, 4096, 2);
    frame(table, 4096, 1);
}

fn fft(table: &mut Table, n: usize) {
    let input = noise(n);
    let mut ours = RealFft::<f32>::new(n);
    let (mut re, mut im) = (vec![0.0f32; n / 2 + 1], vec![0.0f32; n / 2 + 1]);
    let theirs = RealFftPlanner::<f32>::new().plan_fft_forward(n);
    let (mut samples, mut output) = (theirs.make_input_vec(), theirs.make_output_vec());
    let mut scratch = theirs.make_scratch_vec();
    let case = Case {
        name: &format!("real FFT, N = {n}, f32"),
        peer: "realfft",
        goal: if n == 4096 { Goal::AtLeast(1.1) } else { Goal::None },
        note: "realfft overwrites its input, which is therefore copied in for each run",
    };
    table.compare(
        &case,
        || {
            ours.forward(black_box(&input), &mut re, &mut im);
            black_box((&re, &im));
        },
        || {
            samples.copy_from_slice(black_box(&input));
            theirs.process_with_scratch(&mut samples, &mut output, &mut scratch).expect("lengths are right");
            black_box(&output);
        },
    );
}

fn complex_fft(table: &mut Table, n: usize) {
    let input = noise(n);
    let mut ours = RealFft::<f32>::new(n);
    let (mut re, mut im) = (vec![0.0f32; n / 2 + 1], vec![0.0f32; n / 2 + 1]);
    let theirs = FftPlanner::<f32>::new().plan_fft_forward(n);
    let mut buffer = vec![Complex::default(); n];
    let mut scratch = vec![Complex::default(); theirs.get_inplace_scratch_len()];
    let case = Case {
        name: &format!("real FFT, N = {n}, against a complex one"),
        peer: "rustfft",
        goal: Goal::None,
        note: "rustfft has no real transform: imaginary parts are 0",
    };
    table.compare(
        &case,
        || {
            ours.forward(black_box(&input), &mut re, &mut im);
            black_box((&re, &im));
        },
        || {
            for (z, &x) in buffer.iter_mut().zip(black_box(&input)) {
                *z = Complex::new(x, 0.0);
            }
            theirs.process_with_scratch(&mut buffer, &mut scratch);
            black_box(&buffer);
        },
    );
}

/// Window, FFT, dB of every bin, and 256 bands on a logarithmic axis, of both channels; or of their mean power,
/// which has two transforms but one set of levels.
fn frame(table: &mut Table, n: usize, n_channels: usize) {
    const N_BANDS: usize = 256;
    let input = noise(n);
    let config = SpectrumConfig {
        fft_size: n as u32,
        bands: N_BANDS as u16,
        channels: n_channels as u8,
        ..SpectrumConfig::default()
    };
    let mut ours = Spectrum::new(SampleRate::DEFAULT, &config).expect("valid");
    let mut levels = vec![0.0f32; N_BANDS * n_channels];

    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(n);
    let mut window = vec![0.0f32; n];
    Window::Hann.fill(&mut window);
    let (mut windowed, mut output) = (fft.make_input_vec(), fft.make_output_vec());
    let mut scratch = fft.make_scratch_vec();
    let mut db = vec![0.0f32; n / 2 + 1];
    let (mut powers, mut bands) = (vec![0.0f32; n / 2 + 1], vec![0.0f32; N_BANDS]);
    let edges: Vec<usize> = (0..=N_BANDS)
        .map(|i| (20.0 * 1_000f64.powf(i as f64 / N_BANDS as f64) / 48_000.0 * n as f64) as usize)
        .collect();
    let gain = 16.0 / (n * n) as f32;
    let goal = if n_channels == 2 { Goal::AtLeast(2.0) } else { Goal::None };
    let what = if n_channels == 2 { "both channels" } else { "mean of both channels" };
    let case = Case {
        name: &format!("whole spectrum frame, N = {n}: window, FFT, dB, {N_BANDS} bands; {what}"),
        peer: "realfft",
        goal,
        note: "ours transforms in f64 and interpolates narrow bands; the peer in f32, log10f for each bin",
    };
    table.compare(
        &case,
        || {
            ours.process(black_box(&input), black_box(&input));
            ours.snapshot(&mut levels);
            black_box(&levels);
        },
        || {
            for ch in 0..2 {
                for ((y, &x), w) in windowed.iter_mut().zip(black_box(&input)).zip(&window) {
                    *y = x * w;
                }
                fft.process_with_scratch(&mut windowed, &mut output, &mut scratch)
                    .expect("lengths are right");
                for (power, z) in powers.iter_mut().zip(&output) {
                    let new = gain * z.norm_sqr();
                    *power = if n_channels == 1 && ch == 1 { 0.5 * (*power + new) } else { new };
                }
                if n_channels == 1 && ch == 0 {
                    continue;
                }
                for (db, power) in db.iter_mut().zip(&powers) {
                    *db = 10.0 * power.max(1e-12).log10();
                }
                for (band, edge) in bands.iter_mut().zip(edges.windows(2)) {
                    let bins = &db[edge[0]..(edge[1]).max(edge[0] + 1)];
                    *band = bins.iter().fold(-120.0, |a, &b| if b > a { b } else { a });
                }
                black_box(&bands);
            }
        },
    );
}
