//! The project's commands. `cargo xtask help` lists them.

mod compose;

use std::path::PathBuf;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_path_buf()
}

fn main() -> anyhow::Result<()> {
    compose::run(&root())
}
