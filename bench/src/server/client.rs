//! Load: many clients in one thread, which read and count and do nothing else.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// Handshakes that go on at once.
const AT_A_TIME: usize = 50;

/// What arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// WebSocket messages.
    pub messages: u64,
    /// Frames of topics in them; one for each message of a peer.
    pub updates: u64,
    /// All that the connections carried.
    pub bytes: u64,
}

/// Clients that are connected.
pub struct Clients {
    poll: Poll,
    sockets: Vec<Reader>,
    buffer: Box<[u8]>,
    /// Of every frame, when wanted.
    pub arrivals: Option<Vec<Arrival>>,
    start: Instant,
}

/// When a frame came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub at: Instant,
    /// Seconds from the end of its samples to its arrival, plus a constant.
    pub delay: f64,
}

struct Reader {
    tcp: TcpStream,
    parser: Parser,
}

impl Clients {
    /// Nobody yet.
    pub fn new() -> Self {
        Self {
            poll: Poll::new().expect("epoll"),
            sockets: Vec::new(),
            buffer: vec![0; 64 << 10].into(),
            arrivals: None,
            start: Instant::now(),
        }
    }

    /// Connects more, who say what they have to say.
    pub fn connect(&mut self, n: usize, address: SocketAddr, path: &str, messages: &[&str]) {
        for first in (0..n).step_by(AT_A_TIME) {
            let asked = (first..n.min(first + AT_A_TIME)).map(|_| ask(address, path, messages));
            let asked: Vec<_> = asked.collect::<Result<_, _>>().expect("connections");
            for tcp in asked {
                let (tcp, rest) = upgraded(tcp).expect("a WebSocket");
                let mut tcp = TcpStream::from_std(tcp);
                let token = Token(self.sockets.len());
                self.poll.registry().register(&mut tcp, token, Interest::READABLE).expect("epoll takes it");
                let mut parser = Parser { looks_inside: path.starts_with("/api/"), ..Parser::default() };
                parser.feed(&rest, &mut |_| {});
                self.sockets.push(Reader { tcp, parser });
            }
            // Nobody shall look stalled while the others connect.
            self.read_for(Duration::from_millis(1));
        }
    }

    /// Reads for a while, and tells what came.
    pub fn read_for(&mut self, time: Duration) -> Counts {
        let (end, mut counts) = (Instant::now() + time, Counts::default());
        let mut events = Events::with_capacity(1024);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return counts;
            }
            match self.poll.poll(&mut events, Some(left)) {
                Ok(()) => events.iter().for_each(|event| self.read(event, &mut counts)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn read(&mut self, event: &Event, counts: &mut Counts) {
        let Self { sockets, buffer, arrivals, start, .. } = self;
        let reader = &mut sockets[event.token().0];
        loop {
            let n = match reader.tcp.read(buffer) {
                Ok(0) => panic!("the server closed connection {}", event.token().0),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            };
            counts.bytes += n as u64;
            let now = Instant::now();
            let seconds = now.duration_since(*start).as_secs_f64();
            let mut updates = 0;
            counts.messages += reader.parser.feed(&buffer[..n], &mut |position| {
                updates += 1;
                if let Some(arrivals) = arrivals {
                    arrivals.push(Arrival { at: now, delay: seconds - position as f64 / 48_000.0 });
                }
            });
            counts.updates += updates;
            // Less than there was room for: nothing is left.
            if n < buffer.len() {
                return;
            }
        }
    }
}

/// A connection that asks for a WebSocket, and says what it has to say.
pub fn ask(address: SocketAddr, path: &str, messages: &[&str]) -> io::Result<std::net::TcpStream> {
    let mut tcp = std::net::TcpStream::connect(address)?;
    let protocol = if path == "/" { "" } else { "Sec-WebSocket-Protocol: antiphon.v1.binary\r\n" };
    let mut bytes = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n"
    )
    .into_bytes();
    for text in messages {
        // A mask of zeros leaves the text as it is.
        bytes.push(0x81);
        match text.len() {
            len @ 0..126 => bytes.push(0x80 | len as u8),
            len => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(len as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(text.as_bytes());
    }
    tcp.write_all(&bytes)?;
    Ok(tcp)
}

/// The connection after its handshake, and what was read beyond that.
fn upgraded(mut tcp: std::net::TcpStream) -> io::Result<(std::net::TcpStream, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let mut some = [0; 1024];
        match tcp.read(&mut some)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => bytes.extend_from_slice(&some[..n]),
        }
    };
    if !bytes.starts_with(b"HTTP/1.1 101 ") {
        return Err(io::Error::other(String::from_utf8_lossy(&bytes).into_owned()));
    }
    tcp.set_nonblocking(true)?;
    Ok((tcp, bytes.split_off(end)))
}

/// Follows messages, and the frames of topics in binary ones, through bytes cut anywhere.
#[derive(Default)]
struct Parser {
    looks_inside: bool,
    head: [u8; 10],
    n_head: usize,
    /// Of the present message.
    n_left: u64,
    is_binary: bool,
    /// Of a topic's frame.
    header: [u8; 24],
    n_header: usize,
    n_payload_left: usize,
}

impl Parser {
    /// The number of messages that end here; `on_update` gets the sample position of each frame that does.
    fn feed(&mut self, mut bytes: &[u8], on_update: &mut dyn FnMut(u64)) -> u64 {
        let mut n_messages = 0;
        while !bytes.is_empty() {
            if self.n_left == 0 {
                self.head[self.n_head] = bytes[0];
                self.n_head += 1;
                bytes = &bytes[1..];
                let (len, n_left) = match self.head[1] {
                    126 => (4, u64::from(u16::from_be_bytes([self.head[2], self.head[3]]))),
                    127 => (10, u64::from_be_bytes(self.head[2..].try_into().expect("eight"))),
                    len => (2, u64::from(len)),
                };
                if self.n_head < len || self.n_head < 2 {
                    continue;
                }
                assert!(matches!(self.head[0], 0x81 | 0x82 | 0x89), "opcode {:x}", self.head[0]);
                (self.n_head, self.n_left) = (0, n_left);
                self.is_binary = self.head[0] == 0x82;
                continue;
            }
            let n = bytes.len().min(usize::try_from(self.n_left).unwrap_or(usize::MAX));
            let (piece, rest) = bytes.split_at(n);
            self.n_left -= n as u64;
            bytes = rest;
            if self.is_binary && self.looks_inside {
                self.look(piece, on_update);
            }
            if self.n_left == 0 && self.is_binary {
                n_messages += 1;
                if !self.looks_inside {
                    on_update(0);
                }
            }
        }
        n_messages
    }

    fn look(&mut self, mut piece: &[u8], on_update: &mut dyn FnMut(u64)) {
        while !piece.is_empty() {
            if self.n_payload_left == 0 {
                let n = piece.len().min(24 - self.n_header);
                self.header[self.n_header..][..n].copy_from_slice(&piece[..n]);
                self.n_header += n;
                piece = &piece[n..];
                if self.n_header == 24 {
                    self.n_header = 0;
                    let len = self.header[16..20].try_into().expect("four");
                    self.n_payload_left = u32::from_le_bytes(len) as usize;
                }
                continue;
            }
            let n = piece.len().min(self.n_payload_left);
            self.n_payload_left -= n;
            piece = &piece[n..];
            // 15 is the axis, which comes once.
            if self.n_payload_left == 0 && self.header[0] != 15 {
                on_update(u64::from_le_bytes(self.header[8..16].try_into().expect("eight")));
            }
        }
    }
}
