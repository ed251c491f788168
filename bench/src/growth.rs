//! What more of something costs, for plots: a line is a cost over a size, with the order in which it may grow.

mod files;

use std::hint::black_box;

use engine_core::analysis::spectrum::{Spectrum, SpectrumConfig};
use engine_core::composition::{Clip, Instrument, Note, Track};
use engine_core::control::TapId;
use engine_core::control::{Program, Quantum};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic};
use engine_core::units::{MAX_TRACKS, PPQ, SampleRate};
use rustix::time::{ClockId, clock_gettime};

use crate::compare::{Line, Order, Table};
use crate::engine::{composition, engine};
use crate::server::client::Clients;
use crate::server::measure;
use crate::server::process::{Server, Who, pin_clients};

/// Rounds over all sizes, so that what disturbs the machine for a while disturbs all.
const ROUNDS: usize = 5;

pub fn run(table: &mut Table) {
    tracks(table);
    fft_size(table);
    files::run(table);
    clients(table);
}

fn clients(table: &mut Table) {
    pin_clients();
    let line = Line {
        name: "server, clients of a spectrum of 10 Hz × 1 KiB",
        size: "clients",
        unit: "% of a core",
        order: Order::Linear,
    };
    rounds(table, &line, 3, &[10, 100, 1_000, 10_000], |n_clients| {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        clients.connect(n_clients, server.address, "/api/ws/spectrum?fps=10&channels=1&bands=992", &[]);
        let (counts, seconds) = measure(&server, &mut clients);
        assert!(counts.messages > 0, "something came");
        100.0 * seconds / crate::server::MEASURE.as_secs_f64()
    });
}

/// The engine, and the meters and integrating loudness of all taps. Two notes sound on each track, of 128 that can.
fn tracks(table: &mut Table) {
    let line = Line {
        name: "engine and meters, a quantum (2.67 ms) of tracks with two notes each",
        size: "tracks",
        unit: "µs",
        order: Order::Linear,
    };
    rounds(table, &line, ROUNDS, &[1, 2, 4, 8, 16, 32, MAX_TRACKS], |n_tracks| {
        const N_QUANTA: u32 = 1_000;
        let length = 600 * PPQ;
        let notes = [45, 64].map(|pitch| Note { pitch, velocity: 100, start: 0, length });
        let track = Track {
            clips: vec![Clip::new(0, length, notes.to_vec())],
            ..Track::new("t", Instrument::program(81))
        };
        let composition = composition(length, vec![track; n_tracks]);
        let mut engine = engine(Program::compile(&composition));
        let mut feed = Feed::new(SampleRate::DEFAULT);
        let meters = Subscription::new(Topic::Meters, TapId::MASTER, Some(60), &StreamOptions::default());
        feed.subscribe(&meters.expect("the options are in range")).expect("it is the first");
        let mut quantum = Quantum::new();
        let mut play = || {
            for _ in 0..N_QUANTA {
                engine.process(None, &mut quantum);
                feed.process(&quantum, &mut |_, frame| _ = black_box(frame));
            }
        };
        play();
        let before = cpu_seconds();
        play();
        let micros = (cpu_seconds() - before) * 1e6 / f64::from(N_QUANTA);
        assert_eq!(usize::from(quantum.n_voices), 2 * n_tracks, "all notes sound");
        micros
    });
}

/// Window, transform and levels of a mono spectrum, with as many bands at every size.
fn fft_size(table: &mut Table) {
    let line = Line {
        name: "a spectrum frame of 256 bands",
        size: "FFT size",
        unit: "µs",
        order: Order::Linearithmic,
    };
    rounds(table, &line, ROUNDS, &[256, 1_024, 4_096, 16_384, 32_768], |fft_size| {
        let n_frames = (32_768 / fft_size).max(8) as u32 * 20;
        let config = SpectrumConfig {
            fft_size: fft_size as u32,
            bands: 256,
            channels: 1,
            ..SpectrumConfig::default()
        };
        let mut spectrum = Spectrum::new(SampleRate::DEFAULT, &config).expect("valid");
        let input = crate::spectrum::noise(fft_size);
        let mut levels = vec![0.0f32; 256];
        let mut frames = || {
            for _ in 0..n_frames {
                spectrum.process(black_box(&input), black_box(&input));
                spectrum.snapshot(&mut levels);
                black_box(&levels);
            }
        };
        frames();
        let before = cpu_seconds();
        frames();
        (cpu_seconds() - before) * 1e6 / f64::from(n_frames)
    });
}

/// Measures every size in turn, and that a few times.
fn rounds(
    table: &mut Table,
    line: &Line<'_>,
    n_rounds: usize,
    sizes: &[usize],
    mut cost: impl FnMut(usize) -> f64,
) {
    let mut costs = vec![Vec::new(); sizes.len()];
    for _ in 0..n_rounds {
        for (costs, size) in costs.iter_mut().zip(sizes) {
            costs.push(cost(*size));
        }
    }
    for (costs, size) in costs.into_iter().zip(sizes) {
        table.point(line, *size, costs);
    }
}

/// Processor time of this thread, which others on the machine hardly change.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
