//! Thousands of clients in one thread, with a clock and a chance of our own: the very code that decides (registry,
//! mailbox, conversation, inspector), the very bytes, and a network that cuts, stalls and breaks them anywhere.
//!
//! What must hold whatever happens:
//! - `seq` counts up by one for each topic on each connection;
//! - no peak is lost: every frame of meters has the loudest sample since the frame before it, however many were
//!   merged into it;
//! - a client that reads at once gets every frame at once, whatever the others do;
//! - what waits for a client is bounded;
//! - who stalls, is silent, talks too much or breaks the protocol is closed with the right code, in time;
//! - when all are gone nothing is left.

mod network;
mod peer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_core::control::Quantum;
use engine_core::math::db_from_gain;
use engine_core::protocol::{Directory, Feed, FeedId};
use engine_core::units::{QUANTUM, SampleRate};

use self::network::Chance;
use self::peer::{Manner, Peer};
use super::client::Timing;
use crate::publisher::{Registry, StreamStats};

/// Shorter than in life, so that all of it happens within the simulated time.
const TIMING: Timing = Timing {
    ping: Duration::from_millis(800),
    silence: Duration::from_millis(1800),
    stall: Duration::from_millis(700),
};
/// What the systems between server and client hold, bytes.
const PIPE: usize = 2 << 10;
/// A moment of simulated time: one quantum at 48 kHz.
const STEP: Duration = Duration::from_nanos(2_666_667);
const N_STEPS: u64 = 2200;

/// The server, but for its connections.
struct World {
    now: Instant,
    feed: Feed,
    registry: Registry,
    taps: Arc<Directory>,
    stats: Arc<StreamStats>,
    /// Streams whose present state somebody waits for, and who.
    snapshots: Vec<(FeedId, u64)>,
    /// Frames measured.
    position: u64,
    /// Samples that are not silent, by position.
    spikes: Vec<(u64, f32)>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Instant::now(),
            feed: Feed::new(SampleRate::DEFAULT),
            registry: Registry::default(),
            taps: Arc::new(Directory::new(SampleRate::DEFAULT, None)),
            stats: Arc::default(),
            snapshots: Vec::new(),
            position: 0,
            spikes: Vec::new(),
        }
    }

    /// Measures a quantum with a few spikes in it.
    fn measure(&mut self, quantum: &mut Quantum, chance: &mut Chance) {
        quantum.sample_position = self.position;
        quantum.master.left.fill(0.0);
        while chance.below(4) == 0 {
            let idx = chance.below(QUANTUM as u64);
            let gain = 10f32.powf(-(chance.below(1000) as f32) / 300.0);
            quantum.master.left[idx as usize] = gain;
            self.spikes.retain(|&(at, _)| at != self.position + idx);
            self.spikes.push((self.position + idx, gain));
        }
        self.position += QUANTUM as u64;
        let Self { feed, registry, taps, .. } = self;
        let mut awake = Vec::new();
        feed.process(quantum, &mut |id, frame| registry.deliver(id, frame, taps, None, &mut awake));
    }

    /// As in life: after the next quantum, since a new stream has measured nothing.
    fn hand_out_snapshots(&mut self) {
        let Self { feed, registry, taps, snapshots, .. } = self;
        for (id, only) in snapshots.drain(..) {
            let deliver =
                &mut |id, frame: &mut _| registry.deliver(id, frame, taps, Some(only), &mut Vec::new());
            feed.snapshot(id, deliver);
        }
    }

    /// The loudest sample from one position to before another, dB.
    fn loudest(&self, from: u64, to: u64) -> f64 {
        let start = self.spikes.partition_point(|&(at, _)| at < from.saturating_sub(QUANTUM as u64));
        let within = self.spikes[start..].iter().filter(|(at, _)| (from..to).contains(at));
        within.map(|(_, gain)| f64::from(db_from_gain(*gain))).fold(-120.0, f64::max)
    }
}

/// Runs it all, and returns a number that stands for every byte that every client got.
fn run(seed: u64, n_peers: u64) -> u64 {
    let mut chance = Chance(seed);
    let mut world = World::new();
    let mut quantum = Quantum::new();
    let mut peers: Vec<Peer> = Vec::new();
    for step in 0..N_STEPS {
        while (peers.len() as u64) < (n_peers * (step + 1) / 150).min(n_peers) {
            let peer = Peer::new(peers.len() as u64, &mut chance, &mut world);
            peers.push(peer);
        }
        world.measure(&mut quantum, &mut chance);
        advance(&mut peers, step, &mut world, &mut chance, false);
    }
    // Nothing new any more: what waits arrives.
    for step in N_STEPS..N_STEPS + 150 {
        advance(&mut peers, step, &mut world, &mut chance, true);
    }
    for peer in &peers {
        peer.check_before_the_end(&world);
    }
    for peer in &mut peers {
        peer.shut_down(&world);
    }
    for step in N_STEPS + 150..N_STEPS + 1100 {
        advance(&mut peers, step, &mut world, &mut chance, true);
        if peers.iter().all(|peer| peer.has_left(step)) {
            break;
        }
    }
    let mut digest = 0u64;
    for peer in &peers {
        peer.check_after_the_end();
        digest = digest.rotate_left(5) ^ peer.digest();
    }
    assert_eq!(world.registry.len(), (0, 0), "nobody is left");
    for _ in 0..1000 {
        quantum.sample_position += QUANTUM as u64;
        world.feed.process(&quantum, &mut |id, _| panic!("{id:?} is still measured"));
    }
    for manner in Manner::ALL {
        let of = || peers.iter().filter(|peer| peer.manner() == manner);
        let merged: u64 = of().map(Peer::n_merged).sum();
        assert!(of().all(|peer| peer.n_frames() > 0), "{manner:?} got something");
        assert!(merged > 0 || !matches!(manner, Manner::Slow | Manner::Moody), "{manner:?} missed nothing");
    }
    digest
}

fn advance(peers: &mut [Peer], step: u64, world: &mut World, chance: &mut Chance, is_over: bool) {
    world.now += STEP;
    world.hand_out_snapshots();
    for peer in peers {
        if !is_over {
            peer.act(step, chance);
        }
        peer.serve(step, world);
        peer.carry(step, chance, is_over);
        peer.listen(world);
    }
}

#[test]
fn nothing_is_lost_and_nobody_waits() {
    run(1, 2000);
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let digests = [run(2, 200), run(2, 200), run(3, 200)];
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
}
