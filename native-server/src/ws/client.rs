//! The clock of one connection: when to ping, and when to give it up. Without IO: the session says what
//! happened and when, and asks what is due.
//!
//! ```text
//! Open ──close(reason)──▶ Leaving ──goodbye is over──▶ Abort
//! ```

use std::time::{Duration, Instant};

use engine_core::protocol::json::Limits;

use super::outgoing::Closing;

/// Messages and control frames a client may send in a second, in the long run.
const MESSAGES_PER_SECOND: u16 = Limits::SERVER.max_messages_per_second;
/// How many it may send at once after it was quiet: a page that subscribes all it has, chords of live notes.
const BURST: u16 = Limits::SERVER.max_message_burst;
/// Time for the client's answer to our close.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a connection may be silent or stuck.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between pings.
    pub ping: Duration,
    /// Without any whole message or pong the connection is dead.
    pub silence: Duration,
    /// A write that takes longer means that the client stopped reading: close code 4408.
    pub stall: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(45),
            stall: Duration::from_secs(10),
        }
    }
}

/// What a connection has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send a ping.
    Ping,
    /// Send a close frame as the last thing.
    Close(Closing),
    /// End it without another word.
    Abort,
}

/// The state of one connection.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Client {
    /// When the write began that is going on.
    writing: Option<Instant>,
    /// When the last thing was said to a client that is to go.
    leaving: Option<Instant>,
    /// A ping became due during a write.
    owes_ping: bool,
    heard: Instant,
    pinged: Instant,
    allowance: Allowance,
    timing: Timing,
}

impl Client {
    /// A client that has just connected.
    pub(super) fn new(timing: Timing, now: Instant) -> Self {
        let allowance = Allowance { n: f64::from(BURST), at: now };
        Self { writing: None, leaving: None, owes_ping: false, heard: now, pinged: now, allowance, timing }
    }

    /// A whole message or control frame came in. Returns whether it shall be looked at.
    ///
    /// # Errors
    /// They come too fast.
    pub(super) fn received(&mut self, now: Instant) -> Result<bool, Closing> {
        if self.leaving.is_some() {
            return Ok(false);
        }
        self.heard = now;
        if self.allowance.take(now) { Ok(true) } else { Err(Closing::TOO_FAST) }
    }

    /// A write begins; it may be stuck for a while.
    pub(super) fn write_began(&mut self, now: Instant) {
        self.writing.get_or_insert(now);
    }

    /// The write that was going on is done. Returns whether a ping is due, which had to wait for it: a client
    /// that reads slowly is written to all the time, and must not be taken for silent.
    pub(super) fn write_ended(&mut self) -> bool {
        self.writing = None;
        std::mem::take(&mut self.owes_ping)
    }

    /// Whether nothing is being written, so that more may be.
    pub(super) fn is_free(&self) -> bool {
        self.writing.is_none() && self.leaving.is_none()
    }

    /// The close frame is on its way, ours or the answer to the client's.
    pub(super) fn leave(&mut self, now: Instant) {
        self.leaving.get_or_insert(now);
    }

    /// Whether it is to go.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// What is due, at most one thing at a time.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        if let Some(left) = self.leaving {
            return (now >= left + GOODBYE).then_some(Due::Abort);
        }
        if self.writing.is_some_and(|began| now >= began + self.timing.stall) {
            return Some(Due::Close(Closing::STALLED));
        }
        if now >= self.heard + self.timing.silence {
            return Some(Due::Close(Closing::SILENT));
        }
        if now >= self.pinged + self.timing.ping {
            self.pinged = now;
            self.owes_ping = self.writing.is_some();
            return (!self.owes_ping).then_some(Due::Ping);
        }
        None
    }

    /// When `due` is to be asked again, unless something happens before.
    pub(super) fn deadline(&self) -> Instant {
        match (self.leaving, self.writing) {
            (Some(left), _) => left + GOODBYE,
            (None, writing) => {
                let stall = writing.map(|began| began + self.timing.stall);
                let others = [self.heard + self.timing.silence, self.pinged + self.timing.ping];
                others.into_iter().chain(stall).min().unwrap_or(others[0])
            }
        }
    }
}

/// Messages that a client may still send at once: a bucket that fills while it is quiet.
#[derive(Clone, Debug)]
struct Allowance {
    n: f64,
    at: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(MESSAGES_PER_SECOND);
        self.n = (self.n + gained).min(f64::from(BURST));
        self.at = now;
        let has_one = self.n >= 1.0;
        self.n -= f64::from(u8::from(has_one));
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn pings_every_twenty_seconds_and_gives_up_after_forty_five() {
        let start = Instant::now();
        let mut client = Client::new(Timing::default(), start);
        let mut happened = Vec::new();
        while happened.len() < 4 {
            let now = client.deadline();
            match client.due(now) {
                Some(Due::Close(closing)) => {
                    happened.push((now - start, closing.code));
                    client.leave(now);
                }
                Some(Due::Ping) => happened.push((now - start, 0)),
                Some(Due::Abort) => happened.push((now - start, 1)),
                None => panic!("nothing is due at the deadline"),
            }
        }
        let expected = [(20.0, 0), (40.0, 0), (45.0, 4408), (47.0, 1)];
        assert_eq!(happened, expected.map(|(at, what)| (seconds(at), what)));
    }

    #[test]
    fn who_answers_stays() {
        let start = Instant::now();
        let mut client = Client::new(Timing::default(), start);
        for _ in 0..100 {
            let now = client.deadline();
            assert_eq!(client.due(now), Some(Due::Ping));
            assert_eq!(client.received(now + seconds(0.1)), Ok(true));
        }
    }

    #[test]
    fn a_write_of_ten_seconds_is_a_stall() {
        let start = Instant::now();
        let mut client = Client::new(Timing::default(), start);
        client.write_began(start);
        assert_eq!(client.due(start + seconds(9.9)), None);
        client.write_ended();
        client.write_began(start + seconds(9.9));
        assert_eq!(client.due(start + seconds(19.8)), None);
        assert!(!client.is_free());
        assert_eq!(client.due(start + seconds(19.9)), Some(Due::Close(Closing::STALLED)));
    }

    #[test]
    fn a_ping_waits_for_the_write() {
        let start = Instant::now();
        let mut client = Client::new(Timing::default(), start);
        client.write_began(start + seconds(15.0));
        assert_eq!(client.due(start + seconds(20.0)), None);
        assert!(client.write_ended());
        client.write_began(start + seconds(21.0));
        assert!(!client.write_ended(), "once");
    }

    #[test]
    fn the_long_run_counts_and_a_burst_is_forgiven() {
        let start = Instant::now();
        let mut client = Client::new(Timing::default(), start);
        assert!((0..BURST).all(|_| client.received(start) == Ok(true)));
        assert_eq!(client.received(start), Err(Closing::TOO_FAST));
        let mut client = Client::new(Timing::default(), start);
        let rate = f64::from(MESSAGES_PER_SECOND);
        assert!((0..10_000).all(|n| client.received(start + seconds(f64::from(n) / rate)) == Ok(true)));
        let too_fast = (0..10_000)
            .find(|&n| client.received(start + seconds(100.0 + f64::from(n) / rate / 2.0)).is_err());
        assert!(too_fast.is_some_and(|n| (500..700).contains(&n)), "{too_fast:?}");
    }
}
