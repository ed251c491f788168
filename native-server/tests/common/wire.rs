//! A WebSocket client of raw frames, which sends what no library would.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::LIMIT;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;
pub const FIN: u8 = 0x80;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame; `first` holds FIN, the reserved bits and the opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_start(first, payload.len());
    bytes.extend(masked(payload, 0));
    bytes
}

/// The header of a masked frame.
pub fn frame_start(first: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    if len < 126 {
        bytes.push(0x80 | len as u8);
    } else if let Ok(len) = u16::try_from(len) {
        bytes.push(0x80 | 126);
        bytes.extend_from_slice(&len.to_be_bytes());
    } else {
        bytes.push(0x80 | 127);
        bytes.extend_from_slice(&(len as u64).to_be_bytes());
    }
    bytes.extend_from_slice(&MASK);
    bytes
}

/// A part of a payload that begins at `position`, masked.
pub fn masked(part: &[u8], position: usize) -> impl Iterator<Item = u8> + '_ {
    part.iter().zip(MASK.iter().cycle().skip(position % 4)).map(|(byte, mask)| byte ^ mask)
}

/// A close frame with a code and a reason.
pub fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// What comes from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An unfragmented text, binary or pong: opcode and payload.
    Frame(u8, Vec<u8>),
    /// The code of a close frame, if it had one.
    Close(Option<u16>),
    /// The end of the connection.
    End,
}

/// Reads frames.
pub struct WireReader {
    tcp: OwnedReadHalf,
    bytes: Vec<u8>,
}

/// Sends an HTTP request's head, and reads the head of the answer, and its body if it has a length.
pub async fn request(address: SocketAddr, head: &str) -> String {
    // A connection that is over its limit may be ended before it is asked anything.
    let (tcp, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let _ = writer.write_all(head.as_bytes()).await;
    WireReader { tcp, bytes: Vec::new() }.answer(!head.starts_with("HEAD")).await
}

/// The head of a good upgrade request.
pub fn upgrade_head(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Opens a WebSocket.
pub async fn connect(address: SocketAddr, path: &str) -> (WireReader, OwnedWriteHalf) {
    let tcp = TcpStream::connect(address).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let (tcp, mut writer) = tcp.into_split();
    writer.write_all(upgrade_head(path).as_bytes()).await.unwrap();
    let mut reader = WireReader { tcp, bytes: Vec::new() };
    let answer = reader.answer(false).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the key's answer: {answer}");
    (reader, writer)
}

impl WireReader {
    async fn answer(&mut self, has_body: bool) -> String {
        let head_len = loop {
            if let Some(idx) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break idx + 4;
            }
            if !self.fill().await {
                break self.bytes.len();
            }
        };
        let head = String::from_utf8_lossy(&self.bytes[..head_len]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let len = head_len + length.filter(|_| has_body).unwrap_or(0);
        while self.bytes.len() < len && self.fill().await {}
        let rest = self.bytes.split_off(len.min(self.bytes.len()));
        String::from_utf8_lossy(&std::mem::replace(&mut self.bytes, rest)).into_owned()
    }

    /// False at the end.
    async fn fill(&mut self) -> bool {
        let read = timeout(LIMIT, self.tcp.read_buf(&mut self.bytes)).await.expect("bytes in time");
        read.is_ok_and(|n| n > 0)
    }

    async fn fill_to(&mut self, len: usize) -> bool {
        while self.bytes.len() < len {
            if !self.fill().await {
                return false;
            }
        }
        true
    }

    /// The next frame. Also checks what every server must do: final frames, no reserved bits, no mask.
    pub async fn next(&mut self) -> Seen {
        if !self.fill_to(2).await {
            return Seen::End;
        }
        let (first, second) = (self.bytes[0], self.bytes[1]);
        assert!(first & 0xf0 == FIN && second & 0x80 == 0, "{first:x} {second:x}");
        let (start, len) = match second {
            126 if self.fill_to(4).await => {
                (4, usize::from(u16::from_be_bytes([self.bytes[2], self.bytes[3]])))
            }
            127 if self.fill_to(10).await => {
                (10, u64::from_be_bytes(self.bytes[2..10].try_into().unwrap()) as usize)
            }
            len => (2, usize::from(len)),
        };
        if !self.fill_to(start + len).await {
            return Seen::End;
        }
        let rest = self.bytes.split_off(start + len);
        let payload = std::mem::replace(&mut self.bytes, rest).split_off(start);
        match first & 0x0f {
            CLOSE => Seen::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            opcode => Seen::Frame(opcode, payload),
        }
    }

    /// Reads on until the close frame, and then that the server ends the connection.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next().await {
                Seen::Frame(..) => {}
                Seen::Close(code) => {
                    assert_eq!(self.next().await, Seen::End, "nothing follows a close frame");
                    return code;
                }
                Seen::End => panic!("the connection ended without a close frame"),
            }
        }
    }
}
