//! When the machine itself holds a core up: a thread that runs before all others there has nothing to do but to wake, and
//! takes down when it could not. What is late in such a moment says nothing of the program that is measured.
//!
//! A kernel's thread that cannot be interrupted, or a virtual machine that does not run, does this for milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::process::{SERVER_CORE, pin, promote};

/// Between two wakings: no stall of twice the time is missed.
const PERIOD: Duration = Duration::from_micros(500);
/// Waking takes some 0.1 ms; what is later was held up.
const LATE: Duration = Duration::from_micros(300);

/// A time in which the core did nothing for anybody.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    from: Instant,
    until: Instant,
}

impl Stall {
    /// Whether what was due and happened then was held up by it, at least in part.
    pub fn explains(&self, due: Instant, happened: Instant) -> bool {
        // It began at some time since the last waking. What had to wait for its end comes one after the other.
        due <= self.until && happened + PERIOD >= self.from && happened <= self.until + PERIOD
    }

    pub fn length(&self) -> Duration {
        self.until - self.from
    }
}

/// Before the threads of the server.
const FIRST: u8 = 50;

/// What the server's core had while `work` was done elsewhere, and its result.
pub fn during<T>(work: impl FnOnce() -> T) -> (Vec<Stall>, T) {
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            pin(SERVER_CORE);
            promote(FIRST);
            watch(&ends)
        });
        let done = work();
        ends.store(true, Ordering::Relaxed);
        (watch.join().expect("it only sleeps"), done)
    })
}

fn watch(ends: &AtomicBool) -> Vec<Stall> {
    let (mut stalls, mut due) = (Vec::new(), Instant::now());
    while !ends.load(Ordering::Relaxed) {
        due += PERIOD;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = Instant::now();
        if now > due + LATE {
            stalls.push(Stall { from: due, until: now });
            due = now;
        }
    }
    stalls
}
