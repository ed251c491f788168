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
mod stalls;

use std::time::Duration;

use self::client::{Arrival, Clients, Counts};
use self::process::{CLIENT_CORE, SERVER_CORE, Server, Who, pin, promote};
use self::stalls::Stall;
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
    pin(CLIENT_CORE);
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
    // Single pairs lie a tenth around their median, and the goal lies there, too.
    const RUNS: usize = 9;
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
    // Of four sockets each, a core serves some 600.
    const N: usize = 500;
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
    let ratios = (0..RUNS).map(|_| updates(true) / updates(false)).collect();
    let case = Case {
        name: "four topics × 60 Hz on /stream, updates/s/core",
        peer: "four sockets",
        goal: Goal::AtLeast(3.0),
        note: "500 clients; meters, spectrum, waveform, stereo; the server's measuring counts on both sides",
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

/// What comes in a while.
fn arrivals(clients: &mut Clients, time: Duration) -> Vec<Arrival> {
    clients.read_for(SETTLE);
    clients.arrivals = Some(Vec::new());
    clients.read_for(time);
    clients.arrivals.take().expect("they were wanted")
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
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
        let delays = sorted(arrivals(&mut clients, 3 * MEASURE).iter().map(|arrival| arrival.delay));
        drop(stalled);
        // After the earliest.
        quantile(&delays, 0.99) - delays[0]
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

/// Distances of ticks from their own time. Server, client and the watch for [`stalls`] share a core, so that each is held up
/// where the others are.
fn jitter(table: &mut Table) {
    const TIME: Duration = Duration::from_secs(20);
    let once = || {
        let (stalls_alone, ()) = stalls::during(|| std::thread::sleep(SETTLE + TIME));
        pin(SERVER_CORE);
        // Before what is not real-time, as the server's threads; after them, since it is they who are measured.
        promote(1);
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        clients.connect(1, server.address, "/api/ws/meters?fps=120", &[]);
        let (stalls, arrivals) = stalls::during(|| arrivals(&mut clients, TIME));
        let median = quantile(&sorted(arrivals.iter().map(|arrival| arrival.delay)), 0.5);
        let (mut off, mut off_while_idle) = (Vec::new(), Vec::new());
        for Arrival { at, delay } in arrivals {
            let late = Duration::from_secs_f64((delay - median).max(0.0));
            off.push((delay - median).abs());
            if !stalls.iter().any(|stall| stall.explains(at - late, at)) {
                off_while_idle.push((delay - median).abs());
            }
        }
        let ms = |off: Vec<f64>| quantile(&sorted(off.into_iter()), 0.999) * 1e3;
        let ms_per_second = |stalls: &[Stall]| {
            let length: Duration = stalls.iter().map(Stall::length).sum();
            length.as_secs_f64() * 1e3 / (SETTLE + TIME).as_secs_f64()
        };
        [ms(off_while_idle), ms(off), ms_per_second(&stalls), ms_per_second(&stalls_alone)]
    };
    // In threads of their own, so that no other case has their priority.
    let runs: Vec<[f64; 4]> = (0..3).map(|_| std::thread::spawn(once).join().expect("it ends")).collect();
    let rows = [
        ("jitter of ticks (p99.9) while the machine is idle, one client at 120 Hz", Goal::AtMost(1.0), "ms"),
        ("the same, with the moments in which the core was held up", Goal::None, "ms"),
        ("how long the core was held up", Goal::None, "ms/s"),
        ("the same, without a server", Goal::None, "ms/s"),
    ];
    for (at, (name, goal, unit)) in rows.into_iter().enumerate() {
        let note = match at {
            0 => {
                "distance of arrivals from the sample positions' own time, of which the median is taken off; server \
                 and client at real-time priority where the system allows it; not counted is what came when the core \
                 held up a thread of higher priority, too, that does nothing but wake"
            }
            _ => "",
        };
        table.value(&Case { name, peer: "", goal, note }, unit, runs.iter().map(|run| run[at]).collect());
    }
}
