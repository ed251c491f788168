//! What more of something costs, for plots: a line is a cost over a size, with the order in which it may grow.

mod files;

use std::hint::black_box;
use std::sync::Arc;

use engine_core::analysis::spectrum::{Spectrum, SpectrumConfig};
use engine_core::buffer::StereoBlock;
use engine_core::composition::{AudioClip, BandShape, Composition, Effect, EqualiserBand, Instrument, Track};
use engine_core::control::{Program, Quantum, Sample, TapId};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic};
use engine_core::units::{MAX_TRACKS, PPQ, SampleRate};
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

use crate::compare::{Line, Order, Table};
use crate::engine::{composition, engine};
use crate::server::client::Clients;
use crate::server::process::{CLIENT_CORE, Server, Who, pin};
use crate::server::{MEASURE, measure};

/// Rounds over all sizes, so that what disturbs the machine for a while disturbs all.
const ROUNDS: usize = 5;

pub fn run(table: &mut Table) {
    tracks(table);
    fft_size(table);
    files::run(table);
    clients(table);
}

fn clients(table: &mut Table) {
    pin(CLIENT_CORE);
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
        let (counts, seconds) = measure(&server, &mut clients, MEASURE);
        assert!(counts.messages > 0, "something came");
        100.0 * seconds / MEASURE.as_secs_f64()
    });
}

/// The engine, and the meters and integrating loudness of all taps. Notes would not do: 128 sound at most.
fn tracks(table: &mut Table) {
    let line = Line {
        name: "engine and meters, a quantum (2.67 ms) of tracks with a recording and an equaliser each",
        size: "tracks",
        unit: "µs",
        order: Order::Linear,
    };
    let sample = Arc::new(Sample::new(recording().into(), recording().into()));
    rounds(table, &line, ROUNDS, &[1, 4, 16, 64, MAX_TRACKS], |n_tracks| {
        const N_QUANTA: u32 = 1_000;
        let mut program = Program::compile(&recordings(n_tracks));
        program.resolve(|_| Some(sample.clone()));
        let mut engine = engine(program);
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
        let micros = second_run_micros(&mut play) / f64::from(N_QUANTA);
        let is_heard = |tap: &StereoBlock| tap.left.iter().any(|x| *x != 0.0);
        assert!(quantum.tracks[..n_tracks].iter().all(is_heard), "all recordings sound");
        micros
    });
}

/// Eight seconds of noise, longer than what is measured.
fn recording() -> Vec<f32> {
    crate::spectrum::noise(8 * SampleRate::DEFAULT.hz() as usize)
}

fn recordings(n_tracks: usize) -> Composition {
    let clip = AudioClip {
        id: Uuid::nil(),
        sample: Uuid::from_u128(1),
        start: 0,
        offset_seconds: 0.0,
        length_seconds: 8.0,
        gain_db: -30.0,
        fade_in_seconds: 0.0,
        fade_out_seconds: 0.0,
    };
    let equaliser = Effect::Equaliser {
        bands: vec![EqualiserBand { shape: BandShape::Bell, hz: 1_000.0, gain_db: 3.0, q: 0.7 }; 4],
    };
    let track =
        Track { audio_clips: vec![clip], effects: vec![equaliser], ..Track::new("t", Instrument::default()) };
    composition(16 * PPQ, vec![track; n_tracks])
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
        second_run_micros(&mut frames) / f64::from(n_frames)
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

/// Microseconds that `work` takes once it is warm.
fn second_run_micros(work: &mut impl FnMut()) -> f64 {
    work();
    let before = cpu_seconds();
    work();
    (cpu_seconds() - before) * 1e6
}

/// Processor time of this thread, which others on the machine hardly change.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
