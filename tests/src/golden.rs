//! Hashes of what was once heard and found good, kept in `tests/golden`.
//!
//! A change of a single bit in audio or frames changes them. If the change is meant, run the test with
//! `UPDATE_GOLDEN=1` and commit the new hashes with the reason.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::recording::{Piece, Recording};
use crate::root;

/// One line for each kind of bytes (`pcm` and the topics), with their number and SHA-256.
pub fn hashes(recording: &Recording) -> String {
    let mut kinds: BTreeMap<&str, (usize, Sha256)> = BTreeMap::new();
    for piece in recording.pieces() {
        let (n_bytes, hasher) = kinds.entry(piece.kind()).or_default();
        let (Piece::Audio { bytes, .. } | Piece::Frame { bytes, .. }) = piece;
        *n_bytes += bytes.len();
        hasher.update(bytes);
    }
    let mut out = String::new();
    for (kind, (n_bytes, hasher)) in kinds {
        let hash = hasher.finalize();
        let hex = hash.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let _ = writeln!(out, "{kind} {n_bytes} {hex}");
    }
    out
}

/// Compares with the committed file of that name.
///
/// # Panics
/// They differ.
pub fn check(name: &str, actual: &str) {
    let path = root().join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("tests/golden can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == actual,
        "tests/golden/{name} differs; if the change is meant, run this test with UPDATE_GOLDEN=1\n\
         was:\n{golden}is:\n{actual}"
    );
}
