//! What becomes of the streams of relays that die, on a NATS of their own.

#[path = "../../../tests/common/nats.rs"]
mod nats;
#[path = "../../../tests/common/ready.rs"]
mod ready;

use async_nats::Subscriber;
use engine_core::control::TapId;
use engine_core::protocol::{Flags, Header, StreamOptions, Subscription, Topic};
use futures_util::StreamExt;
use tokio::time::timeout;

use self::nats::Nats;
use super::super::bus::NatsOptions;
use super::super::letters::StreamName;
use super::*;
use crate::audio::{AudioStats, DeviceChoice, Keeper, Renderer, connect, open, reopen};
use crate::priority::Priority;
use crate::publisher::Publisher;

/// A server without the rest of it; the sound goes on as long as the keeper is there.
fn origin() -> (Arc<Local>, Keeper) {
    let device = open(&DeviceChoice::Null, None).unwrap();
    let rate = device.info().rate;
    let (engine, render_ends, publisher_ends) = connect(256);
    let audio = Arc::<AudioStats>::default();
    let renderer = Renderer::new(rate, render_ends, audio.clone());
    let keeper = Keeper::start(device, move || reopen(&DeviceChoice::Null, rate), false, renderer);
    let device_name = Box::new(String::new);
    let publisher =
        Publisher::start(rate, publisher_ends, audio, Arc::default(), device_name, None, Priority::Normal);
    let local = Local { publisher: publisher.unwrap(), engine: Arc::new(engine), epoch: 1 };
    (Arc::new(local), keeper.unwrap())
}

/// The header of the next frame.
async fn next(frames: &mut Subscriber) -> Header {
    let message = timeout(Duration::from_secs(20), frames.next()).await.expect("a frame").expect("NATS");
    Header::split(&message.payload[16..]).expect("behind the id of the taps").0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_its_time_when_its_relay_dies_and_another_takes_over() {
    let nats = Nats::start(&[]);
    let servers = vec![Bus::server(&nats.url()).unwrap()];
    let options = NatsOptions { servers, name: String::from("test"), credentials: None };
    let bus = Bus::connect(&options).await.unwrap();
    let (origin, _keeper) = origin();
    let mut leases = Leases::new(bus.clone(), origin);
    let options = StreamOptions::default();
    let subscription = Subscription::new(Topic::Meters, TapId::MASTER, Some(60), &options).unwrap();
    let stream = StreamName { tap: String::from("master"), subscription, private: None };
    let subject = bus.subject(&format!("frames.{}", stream.key()));
    let mut frames = bus.subscribe(subject).await.unwrap();
    let asks =
        |relay: u128| LeaseRequest { relay: Uuid::from_u128(relay), stream: stream.clone(), is_needed: true };
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let lifetime = LIFETIME.as_secs();

    leases.take(asks(1), at(0)).await.unwrap();
    assert!(next(&mut frames).await.flags.contains(Flags::SNAPSHOT));
    // The first relay is killed now: it releases nothing. A second one came before.
    leases.take(asks(2), at(lifetime - 1)).await.unwrap();
    leases.sweep(at(lifetime));
    let held = leases.streams.values().flat_map(|stream| stream.holders.keys().copied());
    assert_eq!(Vec::from_iter(held), [Uuid::from_u128(2)]);
    let before = next(&mut frames).await.seq;
    assert!(next(&mut frames).await.seq > before, "the same stream goes on for the second");

    // That one is killed too. Its lease lasts to the end and no longer.
    leases.sweep(at(2 * lifetime - 2));
    assert_eq!(leases.streams.len(), 1);
    leases.sweep(at(2 * lifetime - 1));
    assert_eq!(leases.streams.len(), 0);

    // A third one finds nobody's stream: it begins anew.
    leases.take(asks(3), at(2 * lifetime)).await.unwrap();
    let mut header = next(&mut frames).await;
    while header.seq != 1 {
        // What was on its way.
        assert!(header.seq > before);
        header = next(&mut frames).await;
    }
    assert!(header.flags.contains(Flags::SNAPSHOT));
    assert_eq!(next(&mut frames).await.seq, 2);
}
