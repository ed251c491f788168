//! The server against axum with `tokio::sync::broadcast`: frames per second of a core, what a topic and a connection
//! cost, and what clients feel of one another.
//!
//! ```text
//! core 0: a server ─TCP─▶ core 1: clients that read and count
//! ```
//! A server's work is the processor time of its process, so that a machine on which others run as well changes the
//! figures little; times of arrival (the last two) are only worth something on an idle machine.

pub mod client;
pub mod peer;
pub mod process;

use std::time::Duration;

use self::client::{Clients, Counts};
use self::process::{Server, Who, pin_clients};
use crate::compare::{Case, Goal, Table};

/// Runs of each side, in turn.
const RUNS: usize = 5;
const N_CLIENTS: usize = 1_000;
/// Until all is as it stays.
const SETTLE: Duration = Duration::from_millis(1_500);
pub const MEASURE: Duration = Duration::from_secs(3);

/// 24 bytes of header, 8 of the spectrum's own, a byte for each band: 1 KiB.
const KIB: &str = "/api/ws/spectrum?fps=60&channels=1&bands=992";

pub fn run(table: &mut Table) {
    pin_clients();
    fan_out(table);
    listening(table);
    topics(table);
    memory(table);
    stalled(table);
    jitter(table);
}

/// What came in a while, and the server's processor time meanwhile.
pub fn measure(server: &Server, clients: &mut Clients, time: Duration) -> (Counts, f64) {
    clients.read_for(SETTLE);
    let before = server.cpu_seconds();
    let counts = clients.read_for(time);
    // A thread that has ended since did nothing meanwhile: those that come and go first wait in vain for ten seconds.
    let since = |(thread, seconds): (String, f64)| seconds - before.get(&thread).unwrap_or(&0.0);
    (counts, server.cpu_seconds().into_iter().map(since).sum())
}

/// Frames per second of processor time.
fn frames_per_second(who: Who) -> f64 {
    let server = Server::start(who);
    let mut clients = Clients::new();
    let path = if who == Who::Ours { KIB } else { "/" };
    clients.connect(N_CLIENTS, server.address, path, &[]);
    let (counts, seconds) = measure(&server, &mut clients, MEASURE);
    counts.messages as f64 / seconds
}

fn fan_out(table: &mut Table) {
    let runs: Vec<[f64; 3]> =
        (0..RUNS).map(|_| [Who::Ours, Who::Tuned, Who::Default].map(frames_per_second)).collect();
    for (at, who, goal) in [(1, "small buffers, no delay", 1.35), (2, "defaults", 2.0)] {
        let case = Case {
            name: &format!("{N_CLIENTS} clients × 60 Hz × 1 KiB, frames/s/core; the peer with {who}"),
            peer: "axum",
            goal: Goal::AtLeast(goal),
            note: "ours includes the engine and the spectrum; the peer sends the same bytes by tokio's broadcast",
        };
        table.value(&case, "×", runs.iter().map(|run| run[0] / run[at]).collect());
    }
    for (at, peer) in [(0, ""), (1, "axum"), (2, "axum")] {
        let what = ["ours", "small buffers, no delay", "defaults"][at];
        let case = Case { name: &format!("the same, {what}"), peer, goal: Goal::None, note: "" };
        table.value(&case, "frames/s/core", runs.iter().map(|run| run[at]).collect());
    }
}

/// Clients that hear the master as it is, in 16 bits.
fn listening(table: &mut Table) {
    const N: usize = 250;
    let once = || {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        clients.connect(N, server.address, "/api/ws/audio", &[]);
        let (counts, seconds) = measure(&server, &mut clients, MEASURE);
        let client_seconds = N as f64 * MEASURE.as_secs_f64();
        [client_seconds / seconds, counts.bytes as f64 / client_seconds / 1e3]
    };
    let runs: Vec<[f64; 2]> = (0..RUNS).map(|_| once()).collect();
    for (at, name, unit) in [
        (0, "sound in 16 bits to 250 clients, of whom a core serves", "clients/core"),
        (1, "the same, on each connection", "kB/s"),
    ] {
        let case = Case { name, peer: "", goal: Goal::None, note: "" };
        table.value(&case, unit, runs.iter().map(|run| run[at]).collect());
    }
}

/// Four topics of sixty frames a second on one socket, against a socket for each.
fn topics(table: &mut Table) {
    const N: usize = 250;
    const TOPICS: [&str; 4] = ["meters", "spectrum", "waveform", "stereo"];
    let updates = |is_one: bool| {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        if is_one {
            let wanted = TOPICS.map(|topic| format!(r#"{{"type":"subscribe","topic":"{topic}","fps":60}}"#));
            let mut messages = vec![r#"{"type":"unsubscribe","topic":"transport"}"#];
            messages.extend(wanted.iter().map(String::as_str));
            clients.connect(N, server.address, "/api/ws/stream", &messages);
        } else {
            for topic in TOPICS {
                clients.connect(N, server.address, &format!("/api/ws/{topic}?fps=60"), &[]);
            }
        }
        // What it costs is little on one socket, and what else the machine does has its part in it.
        let (counts, seconds) = measure(&server, &mut clients, 2 * MEASURE);
        counts.updates as f64 / seconds
    };
    let ratios = (0..2 * RUNS).map(|_| updates(true) / updates(false)).collect();
    let case = Case {
        name: "four topics × 60 Hz on /stream, updates/s/core",
        peer: "four sockets",
        goal: Goal::AtLeast(3.0),
        note: "250 clients; meters, spectrum, waveform, stereo; the server's measuring counts on both sides",
    };
    table.value(&case, "×", ratios);
}

fn memory(table: &mut Table) {
    const N: usize = 4_000;
    let grown = || {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        // The first ones make what all share.
        clients.connect(50, server.address, "/api/ws/transport", &[]);
        clients.read_for(SETTLE);
        let before = server.memory();
        clients.connect(N, server.address, "/api/ws/transport", &[]);
        clients.read_for(2 * SETTLE);
        (server.memory() - before) / N as f64 / 1024.0
    };
    let case = Case {
        name: "memory of a connection, of 4,000 that watch a transport at rest",
        peer: "",
        goal: Goal::AtMost(4.0),
        note: "growth of the server's resident memory",
    };
    table.value(&case, "KB", (0..3).map(|_| grown()).collect());
}

/// Times of arrival after the earliest, sorted.
fn delays(clients: &mut Clients, time: Duration) -> Vec<f64> {
    clients.read_for(SETTLE);
    clients.delays = Some(Vec::new());
    clients.read_for(time);
    let mut delays = clients.delays.take().expect("they were wanted");
    delays.sort_by(f64::total_cmp);
    let earliest = delays[0];
    delays.iter_mut().for_each(|delay| *delay -= earliest);
    delays
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

/// A tenth of the clients never read.
fn stalled(table: &mut Table) {
    const N: usize = 200;
    let p99 = |n_stalled: usize| {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        let stalled: Vec<_> = (0..n_stalled).map(|_| client::ask(server.address, KIB, &[])).collect();
        clients.connect(N - n_stalled, server.address, KIB, &[]);
        // Their systems take some 2 s of it; then the server's writes wait, and it closes them 10 s later.
        clients.read_for(2 * MEASURE);
        // The slowest hundredth comes in few bursts, of which a short while has more or less by chance.
        let p99 = quantile(&delays(&mut clients, 3 * MEASURE), 0.99);
        drop(stalled);
        p99
    };
    let ratios = (0..RUNS).map(|_| p99(N / 10) / p99(0)).collect();
    let case = Case {
        name: "delay (p99) of 180 clients while 20 others never read",
        peer: "nobody stalls",
        goal: Goal::AtMost(1.1),
        note: "time of arrival after the earliest; worth something on an idle machine only",
    };
    table.value(&case, "×", ratios);
}

fn jitter(table: &mut Table) {
    let late = || {
        // As the server's threads have it: else this one's own lateness would be measured on a machine that does more.
        process::promote();
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        clients.connect(1, server.address, "/api/ws/meters?fps=120", &[]);
        let delays = delays(&mut clients, Duration::from_secs(20));
        let median = quantile(&delays, 0.5);
        let mut off: Vec<f64> = delays.iter().map(|delay| (delay - median).abs()).collect();
        off.sort_by(f64::total_cmp);
        quantile(&off, 0.999) * 1e3
    };
    let case = Case {
        name: "jitter of ticks (p99.9), one client at 120 Hz",
        peer: "",
        goal: Goal::AtMost(1.0),
        note: "distance of arrivals from the sample positions' own time, of which the median is taken off; server and \
               client at real-time priority where the system allows it; worth something on an idle machine only",
    };
    // In threads of their own, so that no other case has their priority.
    let runs = (0..3).map(|_| std::thread::spawn(late).join().expect("it ends"));
    table.value(&case, "ms", runs.collect());
}
