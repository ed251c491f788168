//! Audio files for hosts: what engine-core, which opens no file, needs around it.
//!
//! ```text
//! WAV AIFF FLAC MP3 OGG ─ decode ─▶ Audio (planar f32) ─ resample ─▶ Sample ─▶ Program
//!                       └ a block at a time ─▶ Analyzer (engine-core) ─▶ Report
//! Render (engine-core) ─ blocks ─▶ WavFile (16, 24 or 32 bits)
//! ```
//!
//! Invariants:
//! - Nothing here runs on an audio thread.
//! - Equal bytes in give equal bits out, on every machine: the resampler and the dither are plain arithmetic over
//!   libm, and the decoders run without their machine-dependent SIMD paths. Tables of the MP3 decoder come from C's
//!   `powf`, which has to be rounded correctly for them, as glibc's is; `wasm-client/offline` brings such a one.
#![forbid(unsafe_code)]

mod head;
mod layout;
mod reader;
mod resample;

mod decode;

mod analysis;

mod wav;

pub use analysis::{AnalysisError, FileAnalysis, PcmAnalysis};
pub use decode::{
    Audio, DecodeError, MAX_SAMPLE_SECONDS, MAX_SECONDS, RATES, decode, decode_bytes, decode_within,
    media_type,
};
pub use resample::Resampler;
pub use wav::{SampleFormat, WavError, WavFile, WavStream};
