//! Says what is due to many clients at once: their bytes are put together first, and then go out in one go.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;
use socket2::SockRef;

use super::session::{Line, Turn};
use crate::publisher::Sink;

/// Clients that are written to in one go: some 0.4 ms.
pub(crate) const AT_ONCE: usize = 64;

/// Wakes sinks.
pub(crate) fn say_together(sinks: &[Arc<dyn Sink>]) {
    let now = Instant::now();
    let lines: SmallVec<[Option<Arc<Line>>; AT_ONCE]> = sinks.iter().map(|sink| sink.line()).collect();
    // Who is busy, or speaks TLS, is woken by itself: after the turns, of which another thread may wait for one.
    let mut others: SmallVec<[&Arc<dyn Sink>; AT_ONCE]> = SmallVec::new();
    let mut turns: SmallVec<[(&Arc<dyn Sink>, Turn<'_>); AT_ONCE]> = SmallVec::new();
    for (sink, line) in sinks.iter().zip(&lines) {
        match line.as_ref().and_then(|line| line.begin(now)) {
            Some(turn) => turns.push((sink, turn)),
            None => others.push(sink),
        }
    }
    let mut outlets: SmallVec<[(SockRef<'_>, &[u8]); AT_ONCE]> = SmallVec::new();
    let mut sent: SmallVec<[io::Result<usize>; AT_ONCE]> = SmallVec::new();
    for (_, turn) in &mut turns {
        if let Some(outlet) = turn.as_mut().and_then(|open| open.outlet()) {
            outlets.push(outlet);
        }
    }
    send_all(&outlets, &mut sent);
    drop(outlets);
    let mut sent = sent.into_iter();
    let mut n_frames = 0;
    for (sink, mut turn) in turns {
        let Some(open) = turn.as_mut() else { continue };
        if open.outlet().is_some()
            && let Some(Ok(n)) = sent.next()
        {
            n_frames += open.wrote(n, now);
        }
        if !open.say_rest(now) {
            others.push(sink);
        }
    }
    if let Some(Some(line)) = lines.first() {
        line.count(n_frames);
    }
    others.iter().for_each(|sink| sink.wake());
}

fn send_all(outlets: &[(SockRef<'_>, &[u8])], sent: &mut SmallVec<[io::Result<usize>; AT_ONCE]>) {
    #[cfg(target_os = "linux")]
    if super::ring::send_all(outlets, sent) {
        return;
    }
    sent.extend(outlets.iter().map(|(socket, bytes)| socket.send(bytes)));
}
