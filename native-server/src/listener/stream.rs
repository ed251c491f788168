//! A connection's bytes: its place among the counted connections, and an end to writes that nobody reads.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::caps::Place;

/// A TCP connection that fails when a write makes no progress for too long: a client that asks for a large
/// answer and never reads it would hold its place for ever.
pub(crate) struct Connection {
    tcp: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Connection {
    /// A connection that occupies `place` until it is dropped.
    pub(super) fn new(tcp: TcpStream, patience: Duration, place: Place) -> Self {
        Self { tcp, patience, stalled: None, _place: place }
    }

    /// The system's socket. Who writes to it says so by [`Self::has_progressed`].
    pub(crate) fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.tcp)
    }

    /// The client took something.
    pub(crate) fn has_progressed(&mut self) {
        self.stalled = None;
    }

    fn progress<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped reading")))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.progress(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.progress(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::super::caps::{Caps, Limits};
    use super::*;

    impl Connection {
        /// A connection to which can be written at once, and its other end.
        pub(crate) async fn pair(patience: Duration) -> (Self, TcpStream) {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            let place =
                Caps::new(Limits::default()).admit(address.ip()).unwrap_or_else(|_| panic!("a place"));
            let tcp = accepted.unwrap().0;
            tcp.writable().await.unwrap();
            (Self::new(tcp, patience, place), client.unwrap())
        }
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_ends() {
        let (mut connection, client) = Connection::pair(Duration::from_millis(100)).await;
        let endless = async { while connection.write_all(&[0; 65536]).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(20), endless).await.expect("it fails in time");
        drop(client);
    }
}
