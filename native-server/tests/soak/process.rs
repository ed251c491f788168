//! What the system knows of a process.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Resident memory, in KiB.
pub(crate) fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// How long a thread could run and did not get a processor.
pub(crate) fn waited_for_cpu(process: u32, thread: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut threads = threads.map(|entry| entry.unwrap().path());
    let name = |folder: &PathBuf| fs::read_to_string(folder.join("comm")).unwrap_or_default();
    let folder = threads.find(|folder| name(folder).trim() == thread);
    let folder = folder.unwrap_or_else(|| panic!("no thread is called {thread}"));
    let times = fs::read_to_string(folder.join("schedstat")).unwrap();
    Duration::from_nanos(times.split(' ').nth(1).unwrap().parse().unwrap())
}

/// Resident memory over time.
#[derive(Default)]
pub(crate) struct Memory(Vec<u64>);

impl Memory {
    pub(crate) fn look(&mut self, process: u32) {
        self.0.push(resident(process));
    }

    pub(crate) fn seconds(&self) -> usize {
        self.0.len()
    }

    /// Medians of the second third and of the last, KiB. The first fills caches and pools; from then on there is
    /// nothing to keep.
    pub(crate) fn thirds(&self) -> [u64; 2] {
        let third = self.0.len() / 3;
        [&self.0[third..2 * third], &self.0[2 * third..]].map(|part| {
            let mut sorted = part.to_vec();
            sorted.sort_unstable();
            sorted[sorted.len() / 2]
        })
    }
}
