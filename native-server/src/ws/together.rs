//! Writes to many clients in one go: what is due to each is put together first, and one system call sends it all.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use super::ring::{AT_ONCE, Outlet, Ring};
use super::session::Turn;
use crate::publisher::Sink;

thread_local! {
    static RING: RefCell<Ring> = RefCell::new(Ring::new());
}

/// Wakes sinks, of whom those with room are written to here and now.
pub(crate) fn wake_together(sinks: &[Arc<dyn Sink>]) {
    RING.with_borrow_mut(|ring| match ring.obstacle() {
        None => sinks.chunks(AT_ONCE).for_each(|some| {
            wake_some(some, |outlets, sent| ring.send_all(outlets, sent));
        }),
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

/// Wakes as many as [`Ring::send_all`] takes.
fn wake_some(sinks: &[Arc<dyn Sink>], send_all: impl FnOnce(&[Outlet<'_>], &mut [usize])) {
    let now = Instant::now();
    let mut turns: SmallVec<[(&Arc<dyn Sink>, Turn<'_>); AT_ONCE]> = SmallVec::new();
    // Whose own task has to go on. It is woken when no turn is held for which it may wait.
    let mut others: SmallVec<[&Arc<dyn Sink>; AT_ONCE]> = SmallVec::new();
    sinks.iter().for_each(|sink| sink.prefetch());
    for sink in sinks {
        match sink.turn() {
            Some(turn) => turns.push((sink, turn)),
            None => others.push(sink),
        }
    }
    // As `prefetch` does it.
    turns.iter_mut().for_each(|(_, turn)| _ = black_box(turn.outlet()));
    turns.iter_mut().for_each(|(_, turn)| turn.collect(now));
    turns.retain(|(sink, turn)| {
        if turn.outlet().is_some() {
            return true;
        }
        if !turn.sent(0, now) {
            others.push(*sink);
        }
        false
    });
    let outlets: SmallVec<[Outlet<'_>; AT_ONCE]> =
        turns.iter_mut().filter_map(|(_, turn)| turn.outlet()).collect();
    let mut sent = [0; AT_ONCE];
    send_all(&outlets, &mut sent[..outlets.len()]);
    drop(outlets);
    for ((sink, mut turn), n) in turns.into_iter().zip(sent) {
        if !turn.sent(n, now) {
            others.push(sink);
        }
    }
    others.iter().for_each(|sink| sink.wake());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine_core::protocol::{Flags, Header};
    use futures_util::{FutureExt, StreamExt};
    use socket2::SockRef;
    use tokio::net::TcpStream;
    use tokio::task::unconstrained;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::super::Encoding;
    use super::super::mailbox::Mailbox;
    use super::super::mailbox::tests::{mailbox, meters};
    use super::super::simulation::Chance;
    use super::*;
    use crate::listener::Connection;

    /// A mailbox whose line is open, and who hears it.
    async fn client() -> (Arc<Mailbox>, WebSocketStream<TcpStream>) {
        let (ours, theirs) = Connection::pair(Duration::from_secs(60)).await;
        let mailbox = Arc::new(mailbox(Encoding::Binary));
        mailbox.line().open_over(ours);
        (mailbox, WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
    }

    async fn next(client: &mut WebSocketStream<TcpStream>) -> (u64, u32, u16) {
        let patience = Duration::from_secs(20);
        let message = tokio::time::timeout(patience, client.next()).await.expect("it comes in time");
        let Some(Ok(Message::Binary(bytes))) = message else { panic!("{message:?}") };
        let (header, _, rest) = Header::split(&bytes).unwrap();
        assert!(rest.is_empty() && header.flags == Flags::default());
        (header.sample_position, header.seq, header.dropped)
    }

    /// Wakes sinks with a ring that sends all, a part, or nothing, which is also what a failure looks like. Returns to
    /// how many it was to send.
    async fn wake(sinks: &[Arc<dyn Sink>], chance: &mut Chance) -> usize {
        let mut n_outlets = 0;
        let send_all = |outlets: &[Outlet<'_>], sent: &mut [usize]| {
            n_outlets = outlets.len();
            for ((socket, bytes), n) in outlets.iter().zip(sent) {
                let len = match chance.below(4) {
                    0 => 0,
                    1 => chance.below(bytes.len() as u64 + 1) as usize,
                    _ => bytes.len(),
                };
                *n = if len == 0 { 0 } else { socket.send(&bytes[..len]).unwrap_or(0) };
            }
        };
        // As a task of the publisher's does it.
        unconstrained(async { wake_some(sinks, send_all) }).await;
        n_outlets
    }

    #[tokio::test]
    async fn whatever_a_ring_sends_each_client_gets_its_own_bytes_once_and_in_order() {
        let mut chance = Chance(5);
        let mut clients = Vec::new();
        for _ in 0..AT_ONCE {
            clients.push(client().await);
        }
        let sinks: Vec<Arc<dyn Sink>> = clients.iter().map(|(mailbox, _)| mailbox.clone() as _).collect();
        for n in 1..=100 {
            for (at, sink) in (n * 1000..).zip(&sinks) {
                assert!(sink.offer(&meters(at, 0.5)));
            }
            assert_eq!(wake(&sinks, &mut chance).await, AT_ONCE);
            for (at, (mailbox, client)) in (n * 1000..).zip(&mut clients) {
                assert_eq!(next(client).await, (at, n as u32, 0));
                assert!(mailbox.changed().now_or_never().is_none(), "nothing is left to its task");
            }
        }
    }

    #[tokio::test]
    async fn who_has_no_room_is_left_to_its_task_and_holds_up_nobody() {
        let mut chance = Chance(6);
        let [(full, mut late), (plain, mut prompt)] = [client().await, client().await];
        SockRef::from(late.get_ref()).set_recv_buffer_size(4096).unwrap();
        let sinks: [Arc<dyn Sink>; 2] = [full.clone(), plain.clone()];
        let mut n = 0;
        while full.changed().now_or_never().is_none() {
            n += 1;
            sinks.iter().for_each(|sink| assert!(sink.offer(&meters(n, 0.5))));
            assert_eq!(wake(&sinks, &mut chance).await, 2);
            assert_eq!(next(&mut prompt).await, (n, n as u32, 0));
        }
        // What comes now waits in the mailbox.
        sinks.iter().for_each(|sink| assert!(sink.offer(&meters(n + 1, 0.5))));
        assert_eq!(wake(&sinks, &mut chance).await, 1);
        assert_eq!(next(&mut prompt).await, (n + 1, n as u32 + 1, 0));
        let read = async {
            for at in 1..=n {
                assert_eq!(next(&mut late).await, (at, at as u32, 0));
            }
        };
        tokio::join!(full.line().go_on(), read);
        assert_eq!(wake(&sinks[..1], &mut chance).await, 1);
        assert_eq!(next(&mut late).await, (n + 1, n as u32 + 1, 0));
    }
}
