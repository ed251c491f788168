//! What is sent to many is made once: a frame to a client allocates nothing of its own.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{config, start_with};
use engine_core::protocol::{Flags, Header, Topic};
use native_server::server::Config;

/// The system's allocator, counting on all threads.
struct Counting;

static N_ALLOCATED: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A client that asks for a stream and is there when its hello is: `bytes` is what came behind that.
struct Client {
    tcp: TcpStream,
    bytes: Vec<u8>,
}

impl Client {
    fn connect(address: std::net::SocketAddr, protocol: &str) -> Self {
        let mut tcp = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /api/ws/meters?fps=60 HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {protocol}\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            tcp.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        tcp.set_nonblocking(true).unwrap();
        Self { tcp, bytes: Vec::with_capacity(1 << 20) }
    }

    /// Reads what has come, without allocating.
    fn read(&mut self) {
        let mut some = [0; 16 << 10];
        loop {
            match self.tcp.read(&mut some) {
                Ok(0) => panic!("closed"),
                Ok(n) => {
                    assert!(self.bytes.len() + n <= self.bytes.capacity());
                    self.bytes.extend_from_slice(&some[..n]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Whole messages so far.
    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (head, len) = match *rest {
                [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
                [_, len @ 0..126, ..] => (2, usize::from(len)),
                _ => return None,
            };
            let message = rest.get(head..head + len)?;
            rest = &rest[head + len..];
            Some(message)
        })
    }
}

/// Clients have equal frames, each under numbers of its own.
fn check_frames(clients: &[Client]) {
    let mut payloads = HashMap::new();
    for client in clients {
        for (message, seq) in client.messages().skip(1).zip(1..) {
            let (header, payload, rest) = Header::split(message).unwrap();
            assert_eq!((header.seq, rest), (seq, &[][..]));
            // What was merged covers what its client missed.
            if header.dropped == 0 && header.flags == Flags::default() {
                assert_eq!(*payloads.entry(header.sample_position).or_insert(payload), payload);
            }
        }
    }
    assert!(!payloads.is_empty());
}

/// Allocations of a server while its clients get so many frames each, after those that make what all share.
async fn n_allocated(protocol: &'static str, n_clients: usize, n_frames: usize) -> u64 {
    let server = start_with(Config { recorder: false, ..config() }).await;
    let address = server.server.address();
    let read = move || {
        let mut clients: Vec<_> = (0..n_clients).map(|_| Client::connect(address, protocol)).collect();
        let mut wait_for = |n: usize| {
            while clients.iter().any(|client| client.messages().nth(n).is_none()) {
                clients.iter_mut().for_each(Client::read);
                std::thread::yield_now();
            }
        };
        // A hello, a snapshot, and the first frames.
        wait_for(8);
        let before = N_ALLOCATED.load(Ordering::Relaxed);
        wait_for(8 + n_frames);
        let n_allocated = N_ALLOCATED.load(Ordering::Relaxed) - before;
        for client in &clients {
            let frames = client.messages().skip(1);
            let is_meters = |message: &[u8]| match protocol {
                common::BINARY => {
                    Header::split(message).is_some_and(|(h, ..)| h.topic == Topic::Meters as u8)
                }
                _ => message.starts_with(br#"{"type":"meters""#),
            };
            assert!(frames.filter(|frame| is_meters(frame)).count() >= n_frames);
        }
        if protocol == common::BINARY {
            check_frames(&clients);
        }
        n_allocated
    };
    let n_allocated = tokio::task::spawn_blocking(read).await.unwrap();
    server.server.shutdown().await;
    n_allocated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_to_a_client_allocates_nothing_of_its_own() {
    for protocol in [common::BINARY, common::JSON] {
        // A task wakes 64 clients, and a frame is measured and encoded once for all.
        let n = n_allocated(protocol, 256, 40).await;
        assert!(n < 256 * 40 / 4, "{protocol}: {n} allocations for 256 clients × 40 frames");
        // So few are written to by the publisher's own thread; what is shared shows when there is one alone.
        let (alone, eight) = (n_allocated(protocol, 1, 160).await, n_allocated(protocol, 8, 160).await);
        assert!(
            eight < alone + 7 * 160 / 4,
            "{protocol}: {eight} allocations for 8 clients, {alone} for one"
        );
    }
}
