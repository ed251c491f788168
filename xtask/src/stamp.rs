//! Skips a step whose inputs are the same as when it last succeeded.
//!
//! Contents are compared, not times: a fresh checkout or a branch switched to and fro builds nothing twice.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

/// Made by other steps or by tools: never an input when found inside a folder that is one.
const NOT_SOURCES: [&str; 6] = ["target", "node_modules", "dist", "pkg", "test-results", "playwright-report"];

/// A step of the build.
pub(crate) struct Step<'a> {
    /// What it is called on the screen and in `target/xtask`.
    pub(crate) name: &'a str,
    /// Files and folders that it reads, from the root. One that does not exist counts as empty.
    pub(crate) inputs: &'a [&'a str],
    /// Files that it makes; if one is gone, the step runs again.
    pub(crate) outputs: &'a [&'a str],
}

impl Step<'_> {
    /// Runs `make` unless nothing changed. Only success is remembered.
    pub(crate) fn run(&self, root: &Path, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let file = root.join("target/xtask").join(format!("{}.stamp", self.name.replace(' ', "-")));
        let hash = format!("{:016x}", self.hash(root)?);
        let is_complete = self.outputs.iter().all(|path| root.join(path).exists());
        if is_complete && fs::read_to_string(&file).is_ok_and(|saved| saved == hash) {
            return Ok(());
        }
        eprintln!("── {}", self.name);
        // Removed first, so that an interrupted step is not taken for a finished one.
        let _ = fs::remove_file(&file);
        make().with_context(|| format!("{} failed", self.name))?;
        fs::create_dir_all(file.parent().expect("has a folder"))?;
        fs::write(&file, hash).with_context(|| format!("cannot write {}", file.display()))
    }

    fn hash(&self, root: &Path) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        // Another xtask may make something else of the same inputs.
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        for input in self.inputs {
            input.hash(&mut hasher);
            hash_path(&root.join(input), &mut hasher)?;
        }
        Ok(hasher.finish())
    }
}

fn hash_path(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        for entry in crate::entries(path)? {
            let name = entry.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if !NOT_SOURCES.contains(&name) && !name.ends_with(".tsbuildinfo") {
                name.hash(hasher);
                hash_path(&entry, hasher)?;
            }
        }
    } else if path.exists() {
        fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.hash(hasher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_step_runs_once_until_an_input_changes_or_an_output_is_gone() {
        let root = std::env::temp_dir().join(format!("antiphon-stamp-{}", std::process::id()));
        fs::create_dir_all(root.join("in/node_modules")).unwrap();
        fs::write(root.join("in/a"), "1").unwrap();
        let n_runs = Cell::new(0);
        let step = Step { name: "a step", inputs: &["in", "missing"], outputs: &["out"] };
        let run = || {
            step.run(&root, || {
                n_runs.set(n_runs.get() + 1);
                Ok(fs::write(root.join("out"), "")?)
            })
            .unwrap();
            n_runs.get()
        };
        assert_eq!(run(), 1);
        assert_eq!(run(), 1);
        fs::write(root.join("in/node_modules/x"), "not a source").unwrap();
        assert_eq!(run(), 1);
        fs::write(root.join("in/a"), "2").unwrap();
        assert_eq!(run(), 2);
        fs::rename(root.join("in/a"), root.join("in/b")).unwrap();
        assert_eq!(run(), 3);
        fs::remove_file(root.join("out")).unwrap();
        assert_eq!(run(), 4);
        fs::write(root.join("in/b"), "3").unwrap();
        assert!(step.run(&root, || anyhow::bail!("broken")).is_err());
        assert_eq!(run(), 5, "a failure is not remembered as done");
        fs::remove_dir_all(root).unwrap();
    }
}
