//! What the process costs: processor time and memory, read now and then.

use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Readings closer together than this would be noise.
const PERIOD: Duration = Duration::from_millis(500);

/// Reads this process's load at most every half second.
pub(super) struct LoadMeter {
    system: Option<System>,
    pid: Option<Pid>,
    read_at: Option<Instant>,
}

/// Processor time and memory of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Load {
    /// Share of one core, 0 to the number of cores.
    pub cpu_usage: f32,
    /// Resident memory, bytes.
    pub memory_usage: u64,
}

impl LoadMeter {
    /// A meter without a reading.
    pub(super) fn new() -> Self {
        Self { system: System::new().ok(), pid: sysinfo::get_current_pid().ok(), read_at: None }
    }

    /// A new reading, if one is due.
    pub(super) fn poll(&mut self) -> Option<Load> {
        if self.read_at.is_some_and(|read_at| read_at.elapsed() < PERIOD) {
            return None;
        }
        self.read_at = Some(Instant::now());
        let (system, pid) = (self.system.as_mut()?, self.pid?);
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process = system.process(pid)?;
        Some(Load { cpu_usage: process.cpu_usage() / 100.0, memory_usage: process.memory() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process_and_not_too_often() {
        let mut meter = LoadMeter::new();
        let load = meter.poll().expect("the first reading is due at once");
        assert!(load.memory_usage > 100_000, "{load:?}");
        assert_eq!(meter.poll(), None);
    }
}
