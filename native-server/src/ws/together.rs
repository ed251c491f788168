//! Writes to many clients in one go: what is due to each is put together first, and one system call sends it all.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use super::ring::{AT_ONCE, Outlet, Ring};
use super::session::{Line, Turn};
use crate::publisher::Sink;

thread_local! {
    static RING: RefCell<Ring> = RefCell::new(Ring::new());
}

/// Wakes sinks, of whom those with room are written to here and now.
pub(crate) fn wake_together(sinks: &[Arc<dyn Sink>]) {
    RING.with_borrow_mut(|ring| match ring.obstacle() {
        None => sinks.chunks(AT_ONCE).for_each(|some| wake_some(some, ring)),
        Some(_) => sinks.iter().for_each(|sink| sink.wake()),
    });
}

/// How many clients are written to, in words for the log.
pub(crate) fn manner() -> String {
    if let Some(value) = std::env::var_os("ANTIPHON_IO_URING")
        && value != "off"
    {
        tracing::warn!("ANTIPHON_IO_URING is {value:?}, which means nothing: it can only be \"off\"");
    }
    match Ring::new().obstacle() {
        None => format!("io_uring, {AT_ONCE} clients at a time (those with TLS one by one)"),
        Some(why) => format!("a system call for each client ({why})"),
    }
}

fn wake_some(sinks: &[Arc<dyn Sink>], ring: &mut Ring) {
    let now = Instant::now();
    let lines: SmallVec<[Option<Arc<Line>>; AT_ONCE]> = sinks.iter().map(|sink| sink.line()).collect();
    let mut turns: SmallVec<[(&Arc<dyn Sink>, Turn<'_>); AT_ONCE]> = SmallVec::new();
    // Whose own task has to go on. It is woken when no turn is held for which it may wait.
    let mut others: SmallVec<[&Arc<dyn Sink>; AT_ONCE]> = SmallVec::new();
    for (sink, line) in sinks.iter().zip(&lines) {
        let Some(mut turn) = line.as_ref().and_then(|line| line.begin(now)) else {
            others.push(sink);
            continue;
        };
        if turn.outlet().is_some() {
            turns.push((sink, turn));
        } else if !turn.sent(0, now) {
            others.push(sink);
        }
    }
    let outlets: SmallVec<[Outlet<'_>; AT_ONCE]> =
        turns.iter_mut().filter_map(|(_, turn)| turn.outlet()).collect();
    let mut sent = [0; AT_ONCE];
    ring.send_all(&outlets, &mut sent[..outlets.len()]);
    drop(outlets);
    for ((sink, mut turn), n) in turns.into_iter().zip(sent) {
        if !turn.sent(n, now) {
            others.push(sink);
        }
    }
    others.iter().for_each(|sink| sink.wake());
}
