//! What threads that must be on time ask the system for: to run before what may wait. Else a busy machine holds up
//! sound and streams by a tick of its scheduler and more, 4 to 20 ms.
//!
//! Sound comes before streams: whoever writes to clients must not keep a callback waiting. What writes to more than a few
//! clients at once, and answers REST, stays at normal priority.

/// How the threads of sound and streams are scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// As all others.
    #[default]
    Normal,
    /// Before all that is not real-time, where Linux allows it: to root, with `CAP_SYS_NICE`, or up to `RLIMIT_RTPRIO`.
    /// Elsewhere as all others.
    RealTime,
}

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It renders or records.
    Sound,
    /// It measures, and hands out what it measured.
    Streams,
}

impl Priority {
    /// Gives the calling thread this priority, from normal. Called once in a thread, before it has anything to do in time:
    /// it asks the system.
    ///
    /// # Errors
    /// Why the system refuses; the thread goes on as it was.
    pub fn apply(self, role: Role) -> Result<(), Refused> {
        match self {
            Self::Normal => Ok(()),
            Self::RealTime => real_time(role),
        }
    }
}

#[cfg(target_os = "linux")]
pub use thread_priority::Error as Refused;

#[cfg(target_os = "linux")]
fn real_time(role: Role) -> Result<(), Refused> {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };

    // Low in 1 to 99: above what is not real-time, below what the kernel does for devices.
    let level: u8 = match role {
        Role::Sound => 10,
        Role::Streams => 5,
    };
    let level = ThreadPriorityValue::try_from(level).map_err(|_| Refused::Priority("not a level"))?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(level), policy)
}

/// Nothing else is asked.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub struct Refused;

#[cfg(not(target_os = "linux"))]
impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("only Linux is asked for it")
    }
}

#[cfg(not(target_os = "linux"))]
fn real_time(_: Role) -> Result<(), Refused> {
    Err(Refused)
}
