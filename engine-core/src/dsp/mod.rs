//! Signal-processing parts that engine and analysis share. One idea a file, nothing that knows a track.

pub mod biquad;
pub mod blep;
pub mod compressor;
pub mod delay;
pub mod delay_line;
pub mod envelope;
pub mod equaliser;
pub mod fft;
#[cfg(feature = "rustfft")]
pub mod fft_rustfft;
pub mod lfo;
pub mod limiter;
pub mod mix;
pub mod noise;
pub mod oscillator;
pub mod oversample;
pub mod phase;
pub mod reverb;
pub mod simd;
pub mod sinc;
pub mod smooth;
pub mod svf;
pub mod window;
