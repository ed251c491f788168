//! One client, and the server's side of its connection.

mod hearing;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use engine_core::protocol::json::{Hello, Limits, ServerMessage, TopicInfo};
use engine_core::protocol::{Tap, VERSION};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::network::{Chance, Pipe};
use super::world::{Track, World};
use super::{PIPE, STEP, TIMING};
use crate::publisher::Sink;
use crate::ws::Encoding;
use crate::ws::conversation::Conversation;
use crate::ws::inspector::{Inspector, WireError};
use crate::ws::mailbox::Mailbox;
use crate::ws::messages::{Request, interpret};
use crate::ws::socket::MAX_MESSAGE;
use crate::ws::wire::{Wire, config};

/// What waits in front of a connection: what is said at one moment, however much longer it takes.
const MAX_BYTES: usize = 16 << 10;

/// What a client is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Reads all at once.
    Good,
    /// Reads less than comes.
    Slow,
    /// Stops reading for less than a stall, again and again.
    Moody,
    /// Stops reading for ever.
    Stalled,
    /// Reads, and says nothing: no pongs.
    Silent,
    /// Talks all the time.
    Chatty,
    /// Sends bytes that are no protocol.
    Broken,
    /// Vanishes, in the middle of anything.
    Vanishing,
    /// Says goodbye.
    Polite,
}

impl Manner {
    pub(super) const ALL: [Self; 9] = [
        Self::Good,
        Self::Slow,
        Self::Moody,
        Self::Stalled,
        Self::Silent,
        Self::Chatty,
        Self::Broken,
        Self::Vanishing,
        Self::Polite,
    ];
}

pub(super) struct Peer {
    id: u64,
    manner: Manner,
    encoding: Encoding,
    /// Of its meters.
    fps: u64,
    /// When it does what its manner says.
    moment: u64,
    mailbox: Arc<Mailbox>,
    talk: Conversation,
    inspector: Inspector,
    wire: Wire,
    server: Pipe,
    client: WebSocket<Pipe>,
    /// When the write began that is not done.
    stuck: Option<Instant>,
    /// The server's side is over, since this step.
    ended: Option<u64>,
    code: Option<u16>,
    seqs: BTreeMap<(String, u16), u64>,
    /// As the last hello says.
    taps: Vec<Tap>,
    /// Tracks whose waveforms it asked for, and where the last one was in each directory that it had.
    asked: Vec<Track>,
    places: Vec<u16>,
    /// Position of the last waveform.
    newest_waveform: u64,
    /// Position of the last frame of meters that was no snapshot, and the peak of snapshots since.
    meters: Option<(u64, f64)>,
    /// Position of the last frame of meters.
    newest: u64,
    n_frames: u64,
    n_merged: u64,
    n_pongs: u64,
    /// Folded over all that was read.
    digest: u64,
}

impl Peer {
    pub(super) fn new(id: u64, chance: &mut Chance, world: &mut World) -> Self {
        let manner = Manner::ALL[(id % 9) as usize];
        let encoding = if id % 5 == 4 { Encoding::Json } else { Encoding::Binary };
        let hello = Hello {
            version: VERSION,
            epoch: 7,
            sample_rate: 48_000,
            channels: 2,
            taps: Vec::new(),
            topics: TopicInfo::all(),
            limits: Limits::SERVER,
            server_time: 0.0,
        };
        let mailbox = Mailbox::new(id, encoding, Arc::new(hello), world.stats.clone(), Arc::new(|| 1e12));
        let mailbox = Arc::new(mailbox);
        world.hub.join(mailbox.clone());
        let grain = if id.is_multiple_of(7) { 1 } else { 1 + chance.below(2000) as usize };
        let fps = [10, 25, 30, 60, 120][chance.below(5) as usize];
        let pipe = || Pipe { room: PIPE, grain, ..Pipe::default() };
        let mut peer = Self {
            id,
            manner,
            encoding,
            moment: 200 + chance.below(400),
            talk: Conversation::new(TIMING, world.now),
            mailbox,
            inspector: Inspector::new(MAX_MESSAGE),
            wire: Wire::new(MAX_MESSAGE),
            server: pipe(),
            client: WebSocket::from_raw_socket(pipe(), Role::Client, Some(config(1 << 20))),
            fps,
            stuck: None,
            ended: None,
            code: None,
            seqs: BTreeMap::new(),
            taps: Vec::new(),
            asked: Vec::new(),
            places: Vec::new(),
            newest_waveform: 0,
            meters: None,
            newest: 0,
            n_frames: 0,
            n_merged: 0,
            n_pongs: 0,
            digest: 0,
        };
        peer.say(&format!(r#"{{"type":"subscribe","topic":"meters","fps":{fps}}}"#));
        let bands = 32 + 16 * chance.below(3);
        peer.say(&format!(r#"{{"type":"subscribe","topic":"spectrum","options":{{"bands":{bands}}}}}"#));
        peer
    }

    fn say(&mut self, text: &str) {
        let _ = self.client.write(Message::text(text));
    }

    /// Whether the client reads at this step. Who stalls wakes up when it is too late.
    fn reads(&self, step: u64) -> bool {
        match self.manner {
            Manner::Stalled => step < self.moment || !self.talk.is_open(),
            Manner::Moody => step % 300 > 150,
            _ => true,
        }
    }

    /// Moves bytes both ways.
    pub(super) fn carry(&mut self, step: u64, chance: &mut Chance, is_over: bool) {
        let up = match self.manner {
            Manner::Silent if step > self.moment => 0,
            _ => chance.below(4000) as usize,
        };
        let from = &mut self.client.get_mut().outgoing;
        let bytes: Vec<u8> = from.drain(..up.min(from.len())).collect();
        self.client.get_mut().room += bytes.len();
        // Whatever the cuts are, a byte that breaks the protocol is found where it is.
        if self.ended.is_none() {
            match self.inspector.look(&bytes) {
                Ok(()) => self.server.incoming.extend(bytes),
                Err((_, error)) => self.broke(error, step),
            }
        }
        let down = match self.manner {
            _ if is_over => usize::MAX,
            Manner::Slow if self.encoding == Encoding::Json => 60,
            Manner::Slow => 20,
            _ if self.reads(step) => usize::MAX,
            _ => 0,
        };
        let from = &mut self.server.outgoing;
        let bytes: Vec<u8> = from.drain(..down.min(from.len())).collect();
        self.server.room += bytes.len();
        self.client.get_mut().incoming.extend(bytes);
    }

    fn broke(&mut self, error: WireError, step: u64) {
        let error = Error::Io(io::Error::new(io::ErrorKind::InvalidData, error));
        if let Some(closing) = self.talk.broke(&error) {
            self.wire.close(&closing);
        }
        self.end(step);
    }

    fn end(&mut self, step: u64) {
        self.ended.get_or_insert(step);
    }

    /// What the session does.
    pub(super) fn serve(&mut self, step: u64, world: &mut World) {
        if let Some(ended) = self.ended {
            let _ = self.flush();
            if step == ended + 1 {
                world.hub.leave(self.id);
            }
            return;
        }
        if world.now >= self.talk.deadline() && !self.talk.tick(&mut self.wire, world.now) {
            return self.end(step);
        }
        if !self.hear(step, world) || !self.speak(step, world) {
            return;
        }
        match (self.talk.is_pending(), self.talk.is_open()) {
            (true, true) => drop(self.stuck.get_or_insert(world.now)),
            (false, true) => self.stuck = None,
            (_, false) => {
                if let Some(since) = self.stuck.take().filter(|_| self.manner == Manner::Stalled) {
                    let late = (world.now - since).saturating_sub(TIMING.stall);
                    assert!(late <= 2 * STEP, "client {} was closed {late:?} late", self.id);
                }
            }
        }
        let (n_control, n_frames) = self.mailbox.n_waiting();
        let n_bytes = self.wire.rest().len();
        assert!(n_control <= 64 && n_frames <= 3 && n_bytes <= MAX_BYTES, "{}: {n_bytes} bytes", self.id);
    }

    /// Reads what came in. False when it was the last.
    fn hear(&mut self, step: u64, world: &mut World) -> bool {
        if self.server.incoming.is_empty() && !self.server.is_cut && self.talk.is_open() {
            return true;
        }
        loop {
            match self.wire.read() {
                Ok(Some(message)) => {
                    if let Some(text) = self.talk.heard(message, &self.mailbox, world.now) {
                        self.carry_out(&text, world);
                    }
                }
                Ok(None) => {
                    let from = &mut self.server;
                    let n = from.grain.min(from.incoming.len());
                    if n == 0 && !from.is_cut {
                        return true;
                    }
                    let bytes: Vec<u8> = from.incoming.drain(..n).collect();
                    self.wire.receive(&bytes);
                }
                Err(error) => {
                    if let Some(closing) = self.talk.broke(&error) {
                        self.wire.close(&closing);
                    }
                    self.end(step);
                    return false;
                }
            }
        }
    }

    /// Writes what is due, as far as there is room. False when it failed.
    fn speak(&mut self, step: u64, world: &World) -> bool {
        loop {
            if self.talk.can_collect() {
                self.talk.collect(&self.mailbox, &mut self.wire, world.now);
            }
            match self.flush() {
                Ok(()) if self.talk.is_pending() => drop(self.talk.sent(&mut self.wire, world.now)),
                Ok(()) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => {
                    self.end(step);
                    return false;
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.wire.rest().is_empty() {
            let n = self.server.write(self.wire.rest())?;
            self.wire.advance(n);
        }
        Ok(())
    }

    fn carry_out(&mut self, text: &str, world: &mut World) {
        match interpret(text, world.hub.taps()) {
            Ok(Request::Subscribe(subscription)) => {
                let sink: Arc<dyn Sink> = self.mailbox.clone();
                world.hub.subscribe(&subscription, &sink).expect("a good stream");
            }
            Ok(Request::Unsubscribe(which)) => {
                world.hub.unsubscribe(which, self.id);
                self.mailbox.forget(which);
            }
            Ok(Request::Ping(t0)) => {
                self.mailbox.post(&ServerMessage::Pong { t0, t1: t0 + 1.0, t2: t0 + 1.5 });
            }
            Ok(Request::Resume(topics)) => world.hub.resume(&topics, self.id),
            Ok(Request::Play(..)) => panic!("nobody plays here"),
            // A track that was there when the client asked.
            Err(refusal) if text.contains("tap") => self.mailbox.post(&refusal.of(text)),
            Err(refusal) => panic!("{text}: {refusal:?}"),
        }
    }

    /// What the client does of its own accord.
    pub(super) fn act(&mut self, step: u64, chance: &mut Chance) {
        match self.manner {
            Manner::Chatty if step > self.moment => {
                (0..5).for_each(|_| self.say(r#"{"type":"ping","t0":5}"#));
            }
            Manner::Broken if step == self.moment => {
                let (bytes, _) = self.breakage();
                let _ = self.client.flush();
                self.client.get_mut().outgoing.extend(bytes);
            }
            Manner::Vanishing if step == self.moment => {
                self.server.is_cut = true;
                self.client.get_mut().is_cut = true;
            }
            Manner::Polite if step == self.moment => drop(self.client.close(None)),
            _ if chance.below(200) == 0 => {
                let bands = 32 + 16 * chance.below(3);
                self.say(&match chance.below(4) {
                    0 => String::from(r#"{"type":"ping","t0":5}"#),
                    1 => String::from(r#"{"type":"resume","epoch":7,"topics":{"meters":1,"spectrum":1}}"#),
                    2 => return self.watch_a_track(chance),
                    _ => format!(
                        r#"{{"type":"subscribe","topic":"spectrum","fps":40,"options":{{"bands":{bands}}}}}"#
                    ),
                });
            }
            _ => {}
        }
    }

    /// Asks for the waveform of another track.
    fn watch_a_track(&mut self, chance: &mut Chance) {
        let tracks: Vec<Track> = self.taps.iter().filter_map(|tap| tap.track_id).map(Track::of).collect();
        if tracks.is_empty() {
            return;
        }
        let track = tracks[chance.below(tracks.len() as u64) as usize];
        self.asked.push(track);
        self.places.clear();
        self.newest_waveform = 0;
        self.say(r#"{"type":"unsubscribe","topic":"waveform"}"#);
        let options = r#"{"mode":"buckets","samples":16}"#;
        let id = track.id();
        self.say(&format!(
            r#"{{"type":"subscribe","topic":"waveform","tap":"{id}","fps":10,"options":{options}}}"#
        ));
    }

    /// Bytes that break the protocol, and the code that they get.
    pub(super) fn breakage(&self) -> (&'static [u8], u16) {
        const ALL: [(&[u8], u16); 5] = [
            (b"\xff\xff\xff\xff", 1002),
            (b"\x81\x01x", 1002),
            (b"\x81\x82\0\0\0\0\xc3\x28", 1007),
            (b"\x81\xfe\x10\x01\0\0\0\0", 1009),
            (b"\x82\x81\0\0\0\0x", 1003),
        ];
        ALL[(self.id / 9 % 5) as usize]
    }

    /// Nothing was measured for a while, and all read.
    pub(super) fn check_before_the_end(&self, world: &World) {
        let stays = matches!(self.manner, Manner::Good | Manner::Slow | Manner::Moody);
        assert_eq!(self.ended.is_none(), stays, "client {} ({:?}): {:?}", self.id, self.manner, self.code);
        if stays {
            let period = 48_000 / self.fps + 256;
            assert!(self.newest + period > world.position, "client {} has all that was due", self.id);
            assert_eq!(self.taps, world.hub.taps().taps, "client {} knows the tracks", self.id);
            let watched = self.asked.last().filter(|_| self.newest_waveform > 0);
            if watched.is_some_and(|track| self.taps.iter().any(|tap| tap.track_id == Some(track.id()))) {
                let newest = self.newest_waveform;
                assert!(newest + 4800 + 256 > world.position, "client {} lost its track", self.id);
            }
        }
    }

    pub(super) fn shut_down(&mut self, world: &World) {
        if self.ended.is_none() {
            self.talk.shut_down(&mut self.wire, world.now);
        }
    }

    /// Whether the server has forgotten it.
    pub(super) fn has_left(&self, step: u64) -> bool {
        self.ended.is_some_and(|ended| step > ended)
    }

    pub(super) fn check_after_the_end(&self) {
        let expected = match self.manner {
            Manner::Good | Manner::Slow | Manner::Moody => Some(1001),
            Manner::Stalled | Manner::Silent => Some(4408),
            Manner::Chatty => Some(4429),
            Manner::Broken => Some(self.breakage().1),
            Manner::Vanishing | Manner::Polite => None,
        };
        assert_eq!(self.code, expected, "client {} ({:?})", self.id, self.manner);
        assert!(self.ended.is_some());
        assert_eq!(Arc::strong_count(&self.mailbox), 1, "only we remember client {}", self.id);
    }

    pub(super) fn manner(&self) -> Manner {
        self.manner
    }

    /// Whether a waveform went on when its track had moved.
    pub(super) fn has_followed_a_track(&self) -> bool {
        self.places.len() > 1
    }

    pub(super) fn n_frames(&self) -> u64 {
        self.n_frames
    }

    pub(super) fn n_merged(&self) -> u64 {
        self.n_merged
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }
}
