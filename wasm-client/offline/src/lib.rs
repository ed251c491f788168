//! The module that a page loads when it needs it: decodes audio files, renders compositions, writes MIDI files. The
//! same crates as in the server, so the same bits.
//!
//! ```text
//! WAV AIFF FLAC MP3 OGG ─ audio-files ─▶ planes of f32, at the engine's rate ─▶ the worklet's samples
//! file, or planes of f32 ─ Analyzer (engine-core) ─▶ report (JSON)
//! composition (JSON) + files ─ Render (engine-core) ─▶ WAV, piece by piece
//! composition (JSON) ─▶ Standard MIDI File
//! ```
//!
//! [`Offline`] is plain Rust, tested natively; `abi` is its skin in wasm.
//!
//! Invariants:
//! - The wasm module has no imports, so that a worker needs nothing but the compiled module.
//! - One instance serves one job: whatever a hostile file does to its memory ends with it.
#![deny(unsafe_code)]

mod error;

mod offline;

mod report;

mod tape;

#[cfg(target_arch = "wasm32")]
mod abi;

pub use error::Failure;
pub use offline::Offline;
