//! A minute with 500 clients that come and go, stall, reset their connections and send half messages, a fifth of them
//! at a relay, while others write, and while the sound card, NATS and the database go away and come back: no sequence
//! goes backwards, the sound has no gap, memory stays where it is, and nothing that was acknowledged is lost.
//!
//! `ANTIPHON_SOAK_SECONDS=600` makes it longer, `ANTIPHON_SOAK_CLIENTS` the crowd larger, `ANTIPHON_SERVER` names
//! another program. What it measured is printed as a line of JSON, before it is judged.

#![cfg(target_os = "linux")]

#[path = "../common/child.rs"]
mod child;
#[path = "../common/dice.rs"]
mod dice;
#[path = "../common/metrics.rs"]
mod metrics;
#[path = "../common/nats.rs"]
mod nats;
#[path = "../common/postgres.rs"]
mod postgres;
#[path = "../common/pulse.rs"]
mod pulse;
#[path = "../common/ready.rs"]
mod ready;

mod faults;
mod process;
mod visitor;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use child::Server;
use dice::Dice;
use faults::Machine;
use metrics::metric;
use nats::Nats;
use postgres::Postgres;
use process::Memory;
use pulse::Pulse;
use reqwest::Client;
use serde_json::json;

/// What one waits for comes within seconds; this only turns a hang into a failure.
const LIMIT: Duration = Duration::from_secs(30);
const WRITERS: u64 = 4;
/// One in so many is at the relay.
const RELAYED: u64 = 5;

/// What all see.
#[derive(Default)]
struct Field {
    is_over: AtomicBool,
    n_frames: AtomicU64,
    n_sessions: AtomicU64,
    n_resets: AtomicU64,
    n_turned_away: AtomicU64,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A program whose log belongs to the test's output; a pipe that nobody reads would stop it.
fn start(command: &str, args: &[&str], environment: &[(&str, &str)]) -> Arc<Server> {
    let mut server = Server::spawn(command, args, environment);
    let mut log = server.stderr();
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
    Arc::new(server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_leave_no_trace() {
    let n_seconds = number("ANTIPHON_SOAK_SECONDS", 60);
    let n_clients = number("ANTIPHON_SOAK_CLIENTS", 500);
    let (pulse, nats, postgres) = (Pulse::start(), Nats::start(&[]), Postgres::start());
    let sound = pulse.environment();
    let sound = sound.each_ref().map(|(name, value)| (*name, value.as_str()));
    let database = postgres.database("soak");
    let server = start("serve", &["--db", &database, "--nats", &nats.url()], &sound);
    let relay = start("relay", &["--nats", &nats.url()], &[]);
    let address = |n: u64| if n.is_multiple_of(RELAYED) { &relay } else { &server }.address.clone();

    let field = Arc::new(Field::default());
    let http = Client::new();
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| tokio::spawn(writer::write(field.clone(), http.clone(), address(n), n)))
        .collect();
    let clients: Vec<_> = (0..n_clients)
        .map(|n| tokio::spawn(visitor::visit(field.clone(), address(n), n.is_multiple_of(RELAYED), Dice(n))))
        .collect();
    let machine =
        Machine { field: field.clone(), http: http.clone(), server: server.clone(), pulse, nats, postgres };
    let faults = tokio::spawn(machine.run());

    let (began, mut of_server, mut of_relay) = (Instant::now(), Memory::default(), Memory::default());
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    while began.elapsed() < Duration::from_secs(n_seconds) {
        seconds.tick().await;
        of_server.look(server.id());
        of_relay.look(relay.id());
    }
    field.is_over.store(true, Ordering::Relaxed);
    let (faults, machine) = faults.await.unwrap();
    for client in clients {
        client.await.unwrap();
    }
    let (mut n_refused, mut n_cut_off, mut n_lost) = (0, 0, 0);
    back(&http, &server).await;
    for writer in writers {
        let written = writer.await.unwrap();
        n_refused += written.n_refused;
        n_cut_off += written.n_cut_off;
        n_lost += u64::from(!written.is_there(&http).await);
    }
    for place in [&server, &relay] {
        let ended = Instant::now();
        while metric(http.get(place.url("/metrics")).timeout(LIMIT), "antiphon_stream_clients").await > 0.0 {
            assert!(ended.elapsed() < 3 * LIMIT, "sessions of clients that are gone");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    drop(machine);

    let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
    let (n_frames, n_sessions) = (count(&field.n_frames), count(&field.n_sessions));
    let [server_kib, relay_kib] = [of_server.thirds(), of_relay.thirds()];
    println!(
        "{}",
        json!({
            "seconds": of_server.seconds(), "clients": n_clients, "sessions": n_sessions, "frames": n_frames,
            "resets": count(&field.n_resets), "turned_away": count(&field.n_turned_away), "refused": n_refused,
            "cut_off": n_cut_off,
            "losses": faults.n_losses, "nats": faults.n_nats, "database": faults.n_database,
            "lost": n_lost, "xruns": faults.n_xruns, "watched_seconds": faults.watched.as_secs_f64(),
            "waited_seconds": faults.waited.as_secs_f64(), "server_kib": server_kib, "relay_kib": relay_kib,
        })
    );
    assert_eq!(n_lost, 0, "writers whose last acknowledged change is not there");
    // What other programs take from the machine is not the clients' doing.
    assert!(
        faults.n_xruns == 0.0 || faults.waited > faults.watched / 5,
        "{} gaps, though the CPU was there within {:?} of {:?}",
        faults.n_xruns,
        faults.waited,
        faults.watched
    );
    assert!(n_sessions > n_clients && n_refused > 0, "{n_sessions} sessions, {n_refused} writes refused");
    assert!(faults.n_losses > 0 && count(&field.n_turned_away) > 0, "the card and NATS were away");
    for (whose, [middle, last]) in [("server", server_kib), ("relay", relay_kib)] {
        assert!(last < middle + middle / 10, "the {whose}'s memory grows: {middle} KiB, then {last} KiB");
    }
}

/// Waits until the database is used again.
async fn back(http: &Client, server: &Server) {
    let up = async || metric(http.get(server.url("/metrics")).timeout(LIMIT), "antiphon_database_up").await;
    while up().await < 1.0 {
        let _ = http.get(server.url("/api/compositions")).timeout(LIMIT).send().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
