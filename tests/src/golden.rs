//! Hashes of what was once heard and found good, kept in `tests/golden`.
//!
//! A change of a single bit in audio or frames changes them. If the change is meant, run the test with
//! `UPDATE_GOLDEN=1` and commit the new hashes with the reason.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::json;
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
        let _ = writeln!(out, "{kind} {n_bytes} {}", hex(&hasher.finalize()));
    }
    out
}

fn hex(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Leaves the hash of what a target played for `docs/conformance.md`, if `ANTIPHON_CONFORMANCE` names a folder.
///
/// # Panics
/// The folder cannot be written.
pub fn note(target: &str, recording: &Recording) {
    let Some(folder) = std::env::var_os("ANTIPHON_CONFORMANCE") else { return };
    let sha256 = hex(&Sha256::digest(&recording.0));
    let row = json!({ "target": target, "bytes": recording.0.len(), "sha256": sha256 });
    fs::create_dir_all(&folder).expect("a folder for conformance");
    let name = format!("parity-{}.json", target.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    fs::write(Path::new(&folder).join(name), row.to_string()).expect("the folder can be written");
}

/// Compares with the committed file of that name.
///
/// # Panics
/// They differ.
pub fn check(name: &str, actual: &str) {
    let path = root().join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("tests/golden can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == actual,
        "tests/golden/{name} differs; if the change is meant, run this test with UPDATE_GOLDEN=1\n\
         was:\n{golden}is:\n{actual}"
    );
}
