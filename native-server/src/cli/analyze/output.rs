//! Where pictures go.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::cli::whole_file::WholeFile;

/// Stands for the name of each file, without its folder and extension.
const NAME: &str = "{name}";

/// What a file's ending means.
pub(super) trait Format: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];
}

#[derive(Clone, Copy, Debug)]
pub(super) enum SpectrumFormat {
    Png,
    Svg,
}

impl Format for SpectrumFormat {
    const ALL: &'static [(&'static str, Self)] = &[("png", Self::Png), ("svg", Self::Svg)];
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OverviewFormat {
    Png,
    Svg,
    Dat,
    Json,
}

impl Format for OverviewFormat {
    const ALL: &'static [(&'static str, Self)] =
        &[("png", Self::Png), ("svg", Self::Svg), ("dat", Self::Dat), ("json", Self::Json)];
}

/// A path, perhaps with `{name}` in it, and what its ending means.
#[derive(Clone, Debug)]
pub(super) struct Output<F> {
    path: String,
    format: F,
}

impl<F: Format> Output<F> {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let ending = Path::new(text).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let format = F::ALL.iter().find(|(name, _)| ending.as_deref() == Some(name));
        let (_, format) = format.ok_or_else(|| {
            let names: Vec<&str> = F::ALL.iter().map(|(name, _)| *name).collect();
            format!("use a name that ends in .{}", names.join(", ."))
        })?;
        Ok(Self { path: text.to_string(), format: *format })
    }

    fn path(&self, file: &Path) -> PathBuf {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        self.path.replace(NAME, &name).into()
    }

    /// Writes what `make` returns for a file. It appears under its name only when it is complete.
    pub(super) fn write(
        &self,
        file: &Path,
        make: impl FnOnce(F) -> Result<Vec<u8>, String>,
    ) -> Result<(), String> {
        let path = self.path(file);
        let cannot = |error: &dyn std::fmt::Display| format!("cannot write {} ({error})", path.display());
        let bytes = make(self.format).map_err(|error| cannot(&error))?;
        let to = WholeFile::new(&path).map_err(|error| cannot(&error))?;
        to.file().write_all(&bytes).map_err(|error| cannot(&error))?;
        to.finish().map_err(|error| cannot(&error))
    }
}

/// Every picture has a place of its own, which is not that of a file that is measured.
pub(super) fn check<A: Format, B: Format>(
    files: &[PathBuf],
    spectrum: Option<&Output<A>>,
    overview: Option<&Output<B>>,
) -> Result<(), Failure> {
    let mut taken: HashSet<PathBuf> = files.iter().cloned().collect();
    let paths = [
        spectrum.map(|output| files.iter().map(|file| output.path(file)).collect()),
        overview.map(|output| files.iter().map(|file| output.path(file)).collect::<Vec<_>>()),
    ];
    for path in paths.into_iter().flatten().flatten() {
        if taken.contains(&path) {
            return Err(Failure(format!(
                "{} would be written over; with several files give a name with {NAME} in it, and another for each picture",
                path.display()
            )));
        }
        taken.insert(path);
    }
    Ok(())
}
