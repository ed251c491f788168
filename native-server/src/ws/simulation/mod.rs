//! Thousands of clients in one thread, with a clock and a chance of our own: the very code that decides (the
//! publisher's hub, mailbox, conversation, inspector), the very bytes, and a network that cuts, stalls and breaks
//! them anywhere. Meanwhile tracks come, go and change places.
//!
//! What must hold whatever happens:
//! - `seq` counts up by one for each topic on each connection;
//! - no peak is lost: every frame of meters has the loudest sample since the frame before it, however many were
//!   merged into it, in both encodings;
//! - what a frame says of a track is that track's, whatever number it has now; a stream follows its track and ends
//!   with it;
//! - a client that reads at once gets every frame at once, whatever the others do;
//! - what waits for a client is bounded;
//! - who stalls, is silent, talks too much or breaks the protocol is closed with the right code, in time;
//! - when all are gone nothing is left.

mod network;
mod peer;
mod world;

use std::time::Duration;

pub(super) use self::network::Chance;
use self::peer::{Manner, Peer};
use self::world::World;
use super::client::Timing;

/// Shorter than in life, so that all of it happens within the simulated time.
const TIMING: Timing = Timing {
    ping: Duration::from_millis(800),
    silence: Duration::from_millis(1800),
    stall: Duration::from_millis(700),
};
/// What the systems between server and client hold, bytes: all that is said at one moment.
const PIPE: usize = 6 << 10;
/// A moment of simulated time: one quantum at 48 kHz.
const STEP: Duration = Duration::from_nanos(2_666_667);
const N_STEPS: u64 = 2200;

/// Runs it all, and returns a number that stands for every byte that every client got.
fn run(seed: u64, n_peers: u64) -> u64 {
    let mut chance = Chance(seed);
    let mut world = World::new();
    let mut peers: Vec<Peer> = Vec::new();
    for step in 0..N_STEPS {
        while (peers.len() as u64) < (n_peers * (step + 1) / 150).min(n_peers) {
            let peer = Peer::new(peers.len() as u64, &mut chance, &mut world);
            peers.push(peer);
        }
        world.play(&mut chance);
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
    assert_eq!(world.hub.len(), (0, 0), "nobody is left");
    assert!(peers.iter().any(Peer::has_followed_a_track), "nobody followed a track to another place");
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
    world.hub.hand_out_snapshots(|_| 1e12);
    world.hub.awake().drain(..).for_each(|sink| sink.wake());
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
