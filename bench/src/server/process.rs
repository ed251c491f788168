//! A server in a process of its own, on a core of its own, and what it costs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use rustix::thread::{CpuSet, sched_setaffinity};

/// Of the servers, and of the load.
pub const SERVER_CORE: usize = 0;
pub const CLIENT_CORE: usize = 1;

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Ours,
    /// axum and `tokio::sync::broadcast`, with small buffers.
    Tuned,
    /// The same as its documentation shows it.
    Default,
}

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts one, and waits until it listens.
    pub fn start(who: Who) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", &SERVER_CORE.to_string()]);
        match who {
            Who::Ours => {
                command.arg(program()).args([
                    "serve",
                    "--null-device",
                    "--bind",
                    "127.0.0.1:0",
                    "--db",
                    "memory",
                ]);
                command.args(["--no-play", "--recorder", "off", "--max-connections", "20000"]);
            }
            Who::Tuned | Who::Default => {
                let name = if who == Who::Tuned { "tuned" } else { "default" };
                command.arg(env::current_exe().expect("a path")).args(["--peer", name]);
            }
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.expect("taskset (of util-linux) and the server run");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = lines.find_map(|line| address_in(&line.ok()?)).expect("a line with its address");
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Processor time of each of its threads so far, by their numbers, seconds. That of a process is told in hundredths.
    pub fn cpu_seconds(&self) -> BTreeMap<String, f64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let seconds = threads.filter_map(|thread| {
            let thread = thread.ok()?;
            // Nanoseconds; none of a thread that ended a moment ago.
            let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanos: f64 = stat.split(' ').next()?.parse().ok()?;
            Some((thread.file_name().into_string().ok()?, nanos / 1e9))
        });
        seconds.collect()
    }

    /// Resident memory, bytes.
    pub fn memory(&self) -> f64 {
        memory(self.child.id(), "VmRSS:")
    }
}

/// The program that is measured.
pub fn program() -> PathBuf {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/antiphon");
    env::var_os("ANTIPHON_SERVER").map_or_else(|| PathBuf::from(built), PathBuf::from)
}

/// What a process has used so far.
pub struct Usage {
    pub cpu_seconds: f64,
    /// The most memory that was resident, bytes; 0 when it has ended.
    pub peak: f64,
}

impl Usage {
    pub fn of(process: u32) -> Self {
        let peak = memory(process, "VmHWM:");
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("nobody has waited for it");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
        // utime and stime are fields 14 and 15 of proc(5); 3 is the first after the name.
        let cpu_seconds = (ticks(11) + ticks(12)) / rustix::param::clock_ticks_per_second() as f64;
        Self { cpu_seconds, peak }
    }
}

/// A line of a process's status, bytes; 0 when it has ended.
fn memory(process: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("nobody has waited for it");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = |line: &str| line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
    line.map_or(0.0, kib) * 1024.0
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `127.0.0.1:port` in a line.
fn address_in(line: &str) -> Option<SocketAddr> {
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == ':';
    line.split(|c| !digits(c)).find_map(|word| word.trim_matches(['.', ':']).parse().ok())
}

/// Has this thread run before all that is not real-time, and what is of a lower level, where the system allows it.
pub fn promote(level: u8) {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let level = ThreadPriorityValue::try_from(level).expect("1 to 99");
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(level), policy);
}

/// Puts this thread on a core, or the last one there is.
pub fn pin(core: usize) {
    let n = std::thread::available_parallelism().map_or(1, usize::from);
    let mut set = CpuSet::new();
    set.set(core.min(n - 1));
    let _ = sched_setaffinity(None, &set);
}
