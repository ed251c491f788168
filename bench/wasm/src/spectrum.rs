//! FFT and spectrum behind a raw ABI.

use engine_core::analysis::spectrum::{Spectrum, SpectrumConfig};
use engine_core::dsp::fft::RealFft;
use engine_core::units::SampleRate;

/// An FFT with its buffers.
pub struct Transform {
    fft: RealFft<f32>,
    input: Box<[f32]>,
    re: Box<[f32]>,
    im: Box<[f32]>,
}

/// A new FFT of `n` samples.
#[unsafe(no_mangle)]
pub extern "C" fn fft_new(n: usize) -> &'static mut Transform {
    let fft = RealFft::new(n);
    let zeros = |n| vec![0.0; n].into_boxed_slice();
    let (re, im) = (zeros(fft.n_bins()), zeros(fft.n_bins()));
    Box::leak(Box::new(Transform { fft, input: zeros(n), re, im }))
}

/// Where its input is.
#[unsafe(no_mangle)]
pub extern "C" fn fft_input(transform: &mut Transform) -> *mut f32 {
    transform.input.as_mut_ptr()
}

/// Where the real parts are.
#[unsafe(no_mangle)]
pub extern "C" fn fft_re(transform: &mut Transform) -> *mut f32 {
    transform.re.as_mut_ptr()
}

/// Transforms.
#[unsafe(no_mangle)]
pub extern "C" fn fft_run(transform: &mut Transform) {
    transform.fft.forward(&transform.input, &mut transform.re, &mut transform.im);
}

/// A spectrum of both channels with its buffers.
pub struct Frame {
    spectrum: Spectrum,
    input: Box<[f32]>,
    levels: Box<[f32]>,
}

/// A spectrum of `n` samples in `n_bands` logarithmic bands. Invalid options trap.
#[unsafe(no_mangle)]
pub extern "C" fn frame_new(n: usize, n_bands: usize) -> &'static mut Frame {
    let (fft_size, bands) = (n as u32, n_bands as u16);
    let config = SpectrumConfig { fft_size, bands, channels: 2, ..SpectrumConfig::default() };
    let spectrum = Spectrum::new(SampleRate::DEFAULT, &config).expect("valid options");
    Box::leak(Box::new(Frame { spectrum, input: vec![0.0; n].into(), levels: vec![0.0; 2 * n_bands].into() }))
}

/// Where its input is, for both channels alike.
#[unsafe(no_mangle)]
pub extern "C" fn frame_input(frame: &mut Frame) -> *mut f32 {
    frame.input.as_mut_ptr()
}

/// Where the levels of the left channel are.
#[unsafe(no_mangle)]
pub extern "C" fn frame_levels(frame: &mut Frame) -> *mut f32 {
    frame.levels.as_mut_ptr()
}

/// Takes the input and measures: two frames, one of each channel.
#[unsafe(no_mangle)]
pub extern "C" fn frame_run(frame: &mut Frame) {
    frame.spectrum.process(&frame.input, &frame.input);
    frame.spectrum.snapshot(&mut frame.levels);
}
