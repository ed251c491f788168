//! What threads that must be on time ask the system for: to run before what may wait. Else a busy machine holds up
//! sound and streams by a tick of its scheduler and more, 4 to 20 ms.

use audio_thread_priority::promote_current_thread_to_real_time;
use engine_core::units::{QUANTUM, SampleRate};

/// How the threads of sound and streams are scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// As all others.
    #[default]
    Normal,
    /// Before all that is not real-time, where the system allows it: Linux to root, with `CAP_SYS_NICE`, or up to
    /// `RLIMIT_RTPRIO`.
    RealTime,
}

impl Priority {
    /// Gives the calling thread this priority, from normal. Called once in a thread, before it has anything to do in time:
    /// it asks the system, and allocates when that refuses.
    ///
    /// # Errors
    /// Why the system refuses; the thread goes on as it was.
    pub fn apply(self) -> Result<(), String> {
        match self {
            Self::Normal => Ok(()),
            // Some systems ask how often there is something to do. What is returned could only take the priority back.
            Self::RealTime => promote_current_thread_to_real_time(QUANTUM as u32, SampleRate::DEFAULT.hz())
                .map(drop)
                .map_err(|error| error.to_string()),
        }
    }
}
