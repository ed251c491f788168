//! The serving side: says what the server is, grants streams, plays notes, answers requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use engine_core::protocol::VERSION;
use futures_util::StreamExt;
use tokio::sync::{Semaphore, watch};

use super::bus::{Bus, NatsError};
use super::leases::Leases;
use super::letters::{LeaseAnswer, LeaseRequest, ServerInfo};
use super::players::{BEAT, FarPlayers};
use super::tunnel;
use crate::listener::until;
use crate::ws::{Local, Origin};

/// Time for a server of our name to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often relays that are gone are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Requests of relays that are answered at a time.
const MAX_REQUESTS: usize = 256;

/// Makes sure that no other server has the name: relays would show now this one and now that one.
///
/// # Errors
/// One has.
pub(crate) async fn check_name(bus: &Bus) -> Result<(), NatsError> {
    match bus.ask(bus.subject("info"), Bytes::new(), PATIENCE).await {
        Ok(_) => Err(NatsError::NameTaken(bus.shown().to_string(), bus.name().to_string())),
        Err(_) => Ok(()),
    }
}

/// Serves relays until `shutdown` turns true. `calls` answers their requests: who may ask is for them to check.
pub(crate) async fn serve(bus: Bus, origin: Arc<Local>, calls: Router, mut shutdown: watch::Receiver<bool>) {
    let subscribe = |part| bus.subscribe(bus.subject(part));
    let subscribed = (
        subscribe("info").await,
        subscribe("lease").await,
        subscribe("note.*").await,
        subscribe("rest").await,
    );
    let (Some(mut infos), Some(mut requests), Some(mut notes), Some(mut calls_in)) = subscribed else {
        return;
    };
    let mut players = FarPlayers::new(origin.clone());
    let mut leases = Leases::new(bus.clone(), origin.clone());
    let mut taps = origin.publisher.watch_taps();
    let mut is_connected = bus.watch();
    // The connection may be older than this.
    is_connected.mark_changed();
    let mut sweep = tokio::time::interval(SWEEP);
    let mut beats = tokio::time::interval(BEAT);
    let places = Arc::new(Semaphore::new(MAX_REQUESTS));
    loop {
        tokio::select! {
            Some(question) = infos.next() => {
                if let Some(answers) = question.reply {
                    let _ = bus.publish(&answers, None, info(&origin)).await;
                }
            }
            Some(message) = requests.next() => {
                let taken = match serde_json::from_slice::<LeaseRequest>(&message.payload) {
                    Ok(request) => leases.take(request, Instant::now()).await,
                    Err(error) => Err(error.to_string()),
                };
                if let Some(answers) = message.reply {
                    let answer = taken.map_or_else(LeaseAnswer::Refused, |()| LeaseAnswer::Granted);
                    let answer = serde_json::to_vec(&answer).unwrap_or_default();
                    let _ = bus.publish(&answers, None, answer.into()).await;
                }
            }
            Some(message) = notes.next() => players.take(&message, Instant::now()).await,
            Some(message) = calls_in.next() => {
                let Some(answers) = message.reply else { continue };
                let (bus, calls, places) = (bus.clone(), calls.clone(), places.clone());
                tokio::spawn(async move {
                    tunnel::answer(&bus, &calls, &message.payload, &answers, &places).await;
                });
            }
            Ok(()) = taps.changed() => say_changed(&bus, &origin).await,
            Ok(()) = is_connected.changed() => {
                if bus.is_connected() {
                    say_changed(&bus, &origin).await;
                }
            }
            _ = sweep.tick() => leases.sweep(Instant::now()),
            _ = beats.tick() => players.sweep(Instant::now()),
            () = until(&mut shutdown) => return,
            else => return,
        }
    }
}

async fn say_changed(bus: &Bus, origin: &Local) {
    let _ = bus.publish(&bus.subject("changed"), None, info(origin)).await;
}

fn info(origin: &Local) -> Bytes {
    let info = ServerInfo {
        protocol_version: VERSION,
        epoch: origin.epoch,
        directory: (*origin.taps()).clone(),
        server_time: (origin.clock())(),
    };
    serde_json::to_vec(&info).unwrap_or_default().into()
}
