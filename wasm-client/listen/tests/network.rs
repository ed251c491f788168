//! The buffer against a simulated network: seeded delays that vary by 50 ms, clocks that differ by 200 ppm.

#[path = "../../main/tests/common/seeded.rs"]
mod seeded;

use std::f64::consts::TAU;

use antiphon_listen::{Counters, Listener};
use seeded::Seeded;

const RATE: u32 = 48_000;
const HZ: f64 = 997.0;
/// Frames of a stretch: 30 a second.
const STRETCH: usize = 1600;
const QUANTUM: usize = 128;

/// A sine that a source makes, and a network that carries it.
struct Network {
    random: Seeded,
    /// The source's clock against ours.
    drift: f64,
    jitter_seconds: f64,
    sent: u64,
    /// Arrival (our time) and last position of what is on its way, in order: TCP reorders nothing.
    under_way: std::collections::VecDeque<(f64, u64)>,
    last_arrival: f64,
}

impl Network {
    fn new(seed: u64, drift_ppm: f64, jitter_ms: f64) -> Self {
        Self {
            random: Seeded(seed),
            drift: drift_ppm * 1e-6,
            jitter_seconds: jitter_ms / 1000.0,
            sent: 1_000_000,
            under_way: std::collections::VecDeque::new(),
            last_arrival: 0.0,
        }
    }

    fn tone(position: u64) -> f32 {
        (0.5 * (TAU * HZ * position as f64 / f64::from(RATE)).sin()) as f32
    }

    /// Sends and delivers what is due until `now`.
    fn run(&mut self, now: f64, listener: &mut Listener) {
        loop {
            let made = (self.sent + STRETCH as u64 - 1_000_000) as f64 / f64::from(RATE) / (1.0 + self.drift);
            if made > now {
                break;
            }
            self.sent += STRETCH as u64;
            let arrival = made + 0.020 + self.random.next() * self.jitter_seconds;
            self.last_arrival = self.last_arrival.max(arrival);
            self.under_way.push_back((self.last_arrival, self.sent));
        }
        while let Some(&(arrival, end)) = self.under_way.front().filter(|(arrival, _)| *arrival <= now) {
            debug_assert!(arrival <= now);
            self.under_way.pop_front();
            let samples: Vec<f32> = (end - STRETCH as u64..end).map(Self::tone).collect();
            listener.push(end, false, &samples, &samples);
        }
    }
}

/// Plays for so long; what came out.
fn play(listener: &mut Listener, network: &mut Network, from: f64, seconds: f64) -> Vec<f32> {
    let mut out = Vec::new();
    let n_quanta = (seconds * f64::from(RATE)) as usize / QUANTUM;
    for quantum in 0..n_quanta {
        network.run(from + (quantum * QUANTUM) as f64 / f64::from(RATE), listener);
        let (mut left, mut right) = ([0.0; QUANTUM], [0.0; QUANTUM]);
        listener.render(&mut left, &mut right);
        assert_eq!(left, right);
        out.extend(left);
    }
    out
}

/// The greatest second difference that a sine of that level and frequency does not have: a click, or a jump of phase.
fn worst_bend(samples: &[f32]) -> f64 {
    let k = 2.0 * (TAU * HZ / f64::from(RATE)).cos();
    let bend = |w: &[f32]| (f64::from(w[2]) - k * f64::from(w[1]) + f64::from(w[0])).abs();
    samples.windows(3).map(bend).fold(0.0, f64::max)
}

/// A fade of 240 samples begins and ends with a bend of a 240th of the level, a half; and turns the sine while it lasts.
/// A click bends by far more.
const FADE_BEND: f64 = 1.1 * 0.5 / 240.0;

#[test]
fn a_tone_is_whole_under_50_ms_of_jitter_and_200_ppm_of_drift() {
    for (seed, drift) in [(1, 0.0), (2, 200.0), (3, -200.0)] {
        let mut listener = Listener::new(RATE, RATE, 120.0);
        let mut network = Network::new(seed, drift, 50.0);
        let out = play(&mut listener, &mut network, 0.0, 300.0);
        assert_eq!(listener.counters(), Counters::default(), "seed {seed}, {drift} ppm");
        let start = out.iter().position(|x| *x != 0.0).unwrap() + 480;
        // After the fade-in: full level, and no sample off the sine by more than 0.02 % of it. 500 ppm more or less of
        // pitch bend it by less.
        let bend = worst_bend(&out[start..]);
        assert!(bend < 1e-4, "seed {seed}, {drift} ppm: {bend}");
        let peak = out[start..].iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!((0.4995..0.5005).contains(&peak), "{peak}");
        // It found the other clock, and no more waits than jitter, stretch and margin need.
        let found = listener.correction() * 1e6;
        assert!((found - drift).abs() < 60.0, "seed {seed}: {found} ppm instead of {drift}");
        assert!((0.02..0.15).contains(&listener.depth_seconds()), "{} s", listener.depth_seconds());
    }
}

#[test]
fn the_depth_follows_the_jitter() {
    let mut listener = Listener::new(RATE, RATE, 300.0);
    let mut network = Network::new(9, 0.0, 0.0);
    play(&mut listener, &mut network, 0.0, 5.0);
    let before = listener.depth_seconds();
    play(&mut listener, &mut network, 5.0, 300.0);
    assert!(listener.depth_seconds() < before - 0.08, "{before} s, then {} s", listener.depth_seconds());
    assert_eq!(listener.counters(), Counters::default());
}

#[test]
fn an_under_run_fades_and_what_follows_waits_longer() {
    let mut listener = Listener::new(RATE, RATE, 60.0);
    let mut network = Network::new(3, 0.0, 0.0);
    let mut out = play(&mut listener, &mut network, 0.0, 2.0);
    // Nothing arrives for 0.4 s, then all at once.
    for _ in 0..150 {
        let (mut left, mut right) = ([0.0; QUANTUM], [0.0; QUANTUM]);
        listener.render(&mut left, &mut right);
        out.extend(left);
    }
    assert_eq!(listener.counters().under_runs, 1);
    out.extend(play(&mut listener, &mut network, 2.4, 2.0));
    assert_eq!(listener.counters(), Counters { under_runs: 1, ..Counters::default() });
    assert!(worst_bend(&out) < FADE_BEND, "{}", worst_bend(&out));
    assert!(out[out.len() - 4800..].iter().any(|x| x.abs() > 0.49));
}

#[test]
fn gaps_cuts_and_bursts_fade() {
    let mut listener = Listener::new(RATE, RATE, 100.0);
    let stretch = |end: u64| -> Vec<f32> { (end - 4800..end).map(Network::tone).collect() };
    let mut out = Vec::new();
    let mut run = |listener: &mut Listener, n: usize| {
        for _ in 0..n {
            let (mut left, mut right) = ([0.0; QUANTUM], [0.0; QUANTUM]);
            listener.render(&mut left, &mut right);
            out.extend(left);
        }
    };
    let mut end = 10_000;
    for idx in 0..40 {
        // A hole of 20 ms, one of minutes, another engine that counts anew, and a cut that no position tells.
        end = match idx {
            10 => end + 4800 + 960,
            20 => end + 48_000_000,
            25 => 123_456,
            _ => end + 4800,
        };
        let samples = stretch(end);
        listener.push(end, idx == 30, &samples, &samples);
        if idx >= 2 {
            run(&mut listener, 37);
        }
    }
    assert_eq!(listener.counters().gaps, 4);
    // A page that was stopped: seconds of sound at once, and then twice as much.
    for _ in 0..60 {
        end += 4800;
        let samples = stretch(end);
        listener.push(end, false, &samples, &samples);
    }
    run(&mut listener, 1000);
    for _ in 0..20 {
        end += 4800;
        let samples = stretch(end);
        listener.push(end, false, &samples, &samples);
        run(&mut listener, 37);
    }
    assert!(listener.counters().skips >= 1);
    assert!(worst_bend(&out) < FADE_BEND, "{}", worst_bend(&out));
}

#[test]
fn rates_may_differ() {
    let mut listener = Listener::new(RATE, 44_100, 120.0);
    let mut out = Vec::new();
    for idx in 0..300u64 {
        let end = (idx + 1) * 480;
        let samples: Vec<f32> = (end - 480..end).map(Network::tone).collect();
        listener.push(end, false, &samples, &samples);
        let (mut left, mut right) = ([0.0; 441], [0.0; 441]);
        listener.render(&mut left, &mut right);
        out.extend(left);
    }
    let tail = &out[out.len() - 44_100..];
    let upward = tail.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
    assert!((995..=999).contains(&upward), "{upward} Hz");
    assert!((listener.heard_position().unwrap() / 48_000.0 - 3.0).abs() < 0.2);
}

#[test]
fn nonsense_is_silence() {
    let mut listener = Listener::new(0, 0, f64::NAN);
    listener.push(0, true, &[f32::NAN; 4], &[1.0; 2]);
    listener.push(u64::MAX, true, &[f32::INFINITY; 40_000], &[f32::NAN; 40_000]);
    let (mut left, mut right) = ([1.0; QUANTUM], [1.0; QUANTUM]);
    for _ in 0..100 {
        listener.render(&mut left, &mut right);
        assert!(left.iter().chain(&right).all(|x| x.is_finite() && x.abs() <= 1.0));
    }
}
