//! Helpers of the tests that cross crates.
//!
//! The parity test plays one [`scenario`] natively and in WebAssembly and compares the [`recording`]s byte
//! for byte; [`golden`] notices when both change together.

use std::path::PathBuf;

pub mod scenario;

pub mod recording;

pub mod golden;

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_path_buf()
}

/// A folder for what tests leave behind, under `target`.
pub fn scratch() -> PathBuf {
    let folder = root().join("target/tests");
    std::fs::create_dir_all(&folder).expect("target can be written");
    folder
}
