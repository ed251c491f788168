//! One connection after the upgrade: moves bytes and time between a socket and its [`Conversation`].
//!
//! ```text
//! publisher ─wake─▶ a turn, or `together` those of many ─ all at once, as long as the client makes room
//!                    └ no room ─▶ the connection's own task: waits, reads, pings, closes
//! ```

use std::future::poll_fn;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use hyper::upgrade::OnUpgrade;
use tokio::sync::watch;
use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::error::Error;

use super::client::Timing;
use super::conversation::Conversation;
use super::mailbox::Mailbox;
use super::messages::Messages;
use super::ring::Outlet;
use super::socket::{MAX_MESSAGE, Socket};
use crate::listener::until;
use crate::publisher::StreamStats;

/// What a mailbox is said by, while its connection is open: the connection's own task has it, and whoever wakes the
/// mailbox writes to it.
#[derive(Default)]
pub(super) struct Line(Mutex<Option<Open>>);

#[repr(C)]
struct Open {
    talk: Conversation,
    socket: Socket,
    stats: Arc<StreamStats>,
}

impl Line {
    /// Opens it; false when the connection breaks before.
    pub(super) async fn open(&self, on_upgrade: OnUpgrade, stats: Arc<StreamStats>, timing: Timing) -> bool {
        let Some(socket) = Socket::open(on_upgrade, MAX_MESSAGE).await else { return false };
        self.begin_with(socket, stats, timing);
        true
    }

    fn begin_with(&self, socket: Socket, stats: Arc<StreamStats>, timing: Timing) {
        let talk = Conversation::new(timing, Instant::now());
        *self.lock() = Some(Open { talk, socket, stats });
    }

    /// Opens it without a handshake.
    #[cfg(test)]
    pub(super) fn open_over(&self, connection: crate::listener::Connection) {
        self.begin_with(Socket::over_tcp(connection), Arc::default(), Timing::default());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on it, while it is open.
    fn with<T>(&self, act: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.lock().as_mut().map(act)
    }

    /// Waits on it, while it is open.
    async fn poll<T>(&self, mut act: impl FnMut(&mut Open, &mut Context<'_>) -> Poll<T>) -> T {
        poll_fn(|cx| self.with(|open| act(open, cx)).unwrap_or(Poll::Pending)).await
    }

    /// What its task does when a write had no room.
    #[cfg(test)]
    pub(super) async fn go_on(&self) {
        self.poll(|open, cx| open.poll_say(Instant::now(), cx)).await.unwrap();
    }

    /// Says why a client is no longer listened to. Nothing else is said any more.
    async fn break_off(&self, error: Error) {
        let Some(Open { mut talk, mut socket, stats }) = self.lock().take() else { return };
        if let Some(closing) = talk.broke(&error) {
            socket.say_goodbye(&closing).await;
        }
        talk.leave(Instant::now());
        *self.lock() = Some(Open { talk, socket, stats });
    }

    /// Ends it. The socket may have something left to do: see [`Socket::finish`].
    pub(super) fn end(&self) -> Option<Socket> {
        self.lock().take().map(|open| open.socket)
    }

    /// Takes the turn, if there is room for what waits in the mailbox and nobody else is at it.
    pub(super) fn begin<'a>(&'a self, mailbox: &'a Mailbox) -> Option<Turn<'a>> {
        let open = match self.0.try_lock() {
            Ok(open) => open,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        open.as_ref()?.talk.can_collect().then_some(Turn { mailbox, open })
    }

    /// See [`Sink::prefetch`](crate::publisher::Sink::prefetch).
    pub(super) fn prefetch(&self) {
        black_box(self.0.is_poisoned());
    }
}

/// A line to which nobody else writes meanwhile.
pub struct Turn<'a> {
    mailbox: &'a Mailbox,
    open: MutexGuard<'a, Option<Open>>,
}

impl Turn<'_> {
    /// See [`Conversation::collect`].
    pub(super) fn collect(&mut self, now: Instant) {
        if let Some(Open { talk, socket, .. }) = self.open.as_mut() {
            talk.collect(self.mailbox, &mut socket.wire, now);
        }
    }

    /// See [`Socket::outlet`].
    pub(super) fn outlet(&mut self) -> Option<Outlet<'_>> {
        self.open.as_mut()?.socket.outlet()
    }

    /// So many bytes of it are out. Writes the rest as long as there is room; false when the task has to go on.
    pub(super) fn sent(&mut self, n: usize, now: Instant) -> bool {
        let Some(open) = self.open.as_mut() else { return false };
        open.socket.advance(n);
        // The task, woken now, puts its own waker in this one's place.
        matches!(open.poll_say(now, &mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
    }
}

impl Open {
    /// Writes all that is pending, and what becomes due when it is written.
    fn poll_say(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.talk.is_pending() {
            ready!(self.socket.poll_flush(cx))?;
            let n_frames = self.talk.sent(&mut self.socket.wire, now);
            self.stats.frames_sent.fetch_add(n_frames, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

/// Serves a connection until all is said. Returns whether something is left to do: [`Socket::finish`].
///
/// What is rare is boxed, here and there: thousands of connections wait, each in memory of this future's size.
pub(super) async fn run(
    mailbox: &Mailbox,
    messages: &mut Messages,
    mut shutdown: watch::Receiver<bool>,
) -> bool {
    let line = mailbox.line();
    let mut alarm = pin!(sleep_until(Instant::now().into()));
    let mut end = pin!(until(&mut shutdown));
    loop {
        let state = line.with(|Open { talk, .. }| {
            (talk.deadline(), talk.can_collect(), talk.is_pending(), talk.is_open())
        });
        let Some((deadline, can_collect, is_pending, is_open)) = state else { return false };
        // An alarm that rings too early only looks at the clock; to move it at every write would cost as much as the
        // write.
        if deadline < alarm.deadline().into_std() {
            alarm.as_mut().reset(deadline.into());
        }
        tokio::select! {
            biased;
            () = mailbox.changed(), if can_collect => {
                line.with(|Open { talk, socket, .. }| {
                    if talk.can_collect() {
                        talk.collect(mailbox, &mut socket.wire, Instant::now());
                    } else {
                        // The publisher's thread has begun a write since we looked. What came after that is taken when
                        // it has ended, and nobody tells of it twice.
                        mailbox.remind();
                    }
                });
            }
            said = line.poll(|open, cx| open.poll_say(Instant::now(), cx)), if is_pending => {
                if said.is_err() {
                    return true;
                }
            }
            received = line.poll(|open, cx| open.socket.poll_receive(cx)) => match received {
                Some(Ok(message)) => {
                    let heard = line.with(|open| open.talk.heard(message, mailbox, Instant::now()));
                    if let Some(text) = heard.flatten() {
                        Box::pin(messages.handle(&text)).await;
                    }
                }
                Some(Err(error)) => {
                    Box::pin(line.break_off(error)).await;
                    return true;
                }
                None => return true,
            },
            () = alarm.as_mut() => {
                let deadline = line.with(|Open { talk, socket, .. }| {
                    talk.tick(&mut socket.wire, Instant::now()).then(|| talk.deadline())
                });
                let Some(deadline) = deadline.flatten() else { return false };
                alarm.as_mut().reset(deadline.into());
            }
            () = end.as_mut(), if is_open => {
                line.with(|Open { talk, socket, .. }| talk.shut_down(&mut socket.wire, Instant::now()));
            }
        }
    }
}
