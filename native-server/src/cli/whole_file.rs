//! Files that are written whole or not at all: they grow under a name of their own, beside the one they are to have.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, NamedTempFile};

/// Those that are growing.
static GROWING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn growing() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    GROWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that grows. Dropped, or when the program is told to end, it is gone.
pub(super) struct WholeFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file that is to be at `path`. Where that is a link, it stays one.
    ///
    /// # Errors
    /// There cannot be one: the folder is not there or may not be written, or what is at `path` is no file.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        // A device would be replaced by a file, which root may do.
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("what is there is no file"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        #[cfg(unix)]
        remove_at_end();
        // Held until the name is known: there is no file that nobody removes.
        let mut growing = growing();
        let file = builder().tempfile_in(folder).map_err(|error| without_name(&error))?;
        growing.insert(file.path().to_path_buf());
        Ok(Self { file, path })
    }

    /// What to write to.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the file its name. What was there is gone, but for its permissions.
    ///
    /// # Errors
    /// It cannot have that name.
    pub(super) fn finish(self) -> io::Result<()> {
        if let Ok(old) = fs::metadata(&self.path) {
            self.file().set_permissions(old.permissions())?;
        }
        let mut growing = growing();
        growing.remove(self.file.path());
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Files that others may read as the system's settings say, where temporary ones are their owner's alone.
fn builder() -> Builder<'static, 'static> {
    #[cfg_attr(not(unix), expect(unused_mut))]
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// The error without the name that nobody knows.
fn without_name(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let what = text.split(" at path ").next().unwrap_or(&text);
    io::Error::new(error.kind(), what)
}

/// Sees to it that Ctrl-C and SIGTERM remove what is growing, and then end the program as they always do.
#[cfg(unix)]
fn remove_at_end() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Without them the program ends all the same, and leaves what it has written.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                // Held to the end: nothing new begins.
                let growing = growing();
                for path in growing.iter() {
                    let _ = fs::remove_file(path);
                }
                let _ = emulate_default_handler(signal);
            }
        });
    });
}
