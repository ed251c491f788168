use super::*;
use crate::control::{BusSettings, EffectSettings, MasterSettings, SendSettings, StripSettings};
use crate::units::{QUANTUM, SampleRate};
use alloc::vec::Vec;
use core::f64::consts::TAU;

#[path = "../../../tests/common/click.rs"]
mod click;

use click::click_dbfs;

const RATE: f64 = 48_000.0;

fn strip(sends: &[SendSettings]) -> StripSettings {
    StripSettings {
        id: uuid::Uuid::nil(),
        program: 0,
        drums: false,
        zones: Vec::new(),
        gain_db: 0.0,
        pan: 0.0,
        mute: false,
        solo: false,
        solo_safe: false,
        effects: Vec::new(),
        sends: sends.to_vec(),
    }
}

fn bus(effects: &[EffectSettings]) -> BusSettings {
    BusSettings { id: uuid::Uuid::nil(), gain_db: 0.0, pan: 0.0, mute: false, effects: effects.to_vec() }
}

fn program(strips: Vec<StripSettings>, buses: Vec<BusSettings>) -> Program {
    Program { strips, buses, ..Program::default() }
}

const POST: SendSettings = SendSettings { bus: 0, gain_db: -6.0, pre_fader: false };
const PRE: SendSettings = SendSettings { bus: 1, gain_db: -6.0, pre_fader: true };

/// A mixer whose tracks get a tone of 50 Hz on one, nothing on the others.
struct Bench {
    mixer: Mixer,
    rack: Rack,
    n_tracks: usize,
    frame: usize,
    out: [Vec<f64>; 2],
}

impl Bench {
    fn new(program: &Program) -> Self {
        let mut mixer = Mixer::new(RATE as f32);
        mixer.load(program);
        let rack = Rack::new(program, SampleRate::DEFAULT);
        Self { mixer, rack, n_tracks: program.strips.len(), frame: 0, out: [Vec::new(), Vec::new()] }
    }

    fn update(&mut self, program: &Program) {
        let mut rack = Rack::new(program, SampleRate::DEFAULT);
        let ids = |n| (0..n).map(|_| uuid::Uuid::nil());
        let tracks = Moves::new(ids(self.n_tracks), self.mixer.n_mixed_tracks(), ids(program.strips.len()));
        let buses = Moves::new(ids(self.mixer.n_buses), self.mixer.n_mixed_buses(), ids(program.buses.len()));
        self.mixer.update(program, &tracks, &buses);
        rack.take_over(&mut self.rack, &tracks, &buses);
        self.rack = rack;
        self.n_tracks = program.strips.len();
    }

    fn run(&mut self, n_quanta: usize) {
        let mut tracks = alloc::vec![StereoBlock::SILENCE; self.n_tracks];
        let mut master = StereoBlock::SILENCE;
        for _ in 0..n_quanta {
            tracks.fill(StereoBlock::SILENCE);
            for i in 0..QUANTUM {
                let turns = (self.frame + i) as f64 * 50.0 / RATE % 1.0;
                tracks[0].left[i] = (0.4 * libm::sin(TAU * turns)) as f32;
                tracks[0].right[i] = tracks[0].left[i];
            }
            self.frame += QUANTUM;
            let silence = [0.0; QUANTUM];
            self.mixer.process(&mut self.rack, &mut tracks, &StereoBlock::SILENCE, &silence, &mut master);
            self.out[0].extend(master.left.map(f64::from));
            self.out[1].extend(master.right.map(f64::from));
        }
    }

    /// Amplitude of the tone over the last 0.2 s, both channels.
    fn level(&mut self) -> [f64; 2] {
        self.run(200);
        [0, 1].map(|channel| {
            let tail = &self.out[channel][self.out[channel].len() - 9_600..];
            libm::sqrt(2.0 * tail.iter().map(|x| x * x).sum::<f64>() / 9_600.0) / 0.4
        })
    }
}

type Change = Box<dyn Fn(&mut Bench)>;

#[test]
fn no_change_of_a_strip_clicks() {
    let set = |target, change| move |bench: &mut Bench| bench.mixer.set(target, change);
    let track = StripTarget::Track(0);
    let changes: [(&str, Change); 13] = [
        ("0 to -60 dB", Box::new(set(track, StripChange::GainDb(-60.0)))),
        ("+12 dB", Box::new(set(track, StripChange::GainDb(12.0)))),
        ("to the left", Box::new(set(track, StripChange::Pan(-1.0)))),
        ("to the right", Box::new(set(track, StripChange::Pan(1.0)))),
        ("mute", Box::new(set(track, StripChange::Mute(true)))),
        ("another's solo", Box::new(set(StripTarget::Track(1), StripChange::Solo(true)))),
        ("own solo", Box::new(set(track, StripChange::Solo(true)))),
        ("solo-safe", Box::new(set(track, StripChange::SoloSafe(true)))),
        ("unmute", Box::new(set(track, StripChange::Mute(false)))),
        ("send from pre to post", Box::new(|bench: &mut Bench| bench.mixer.set_send(0, 1, 12.0, false))),
        ("send to silence", Box::new(|bench: &mut Bench| bench.mixer.set_send(0, 0, -120.0, false))),
        ("bus to +6 dB", Box::new(set(StripTarget::Bus(1), StripChange::GainDb(6.0)))),
        ("master to -60 dB", Box::new(set(StripTarget::Master, StripChange::GainDb(-60.0)))),
    ];
    // Quiet enough for the limiter to have no part in it, at the loudest of all this.
    let p = program(Vec::from([strip(&[POST, PRE]), strip(&[])]), Vec::from([bus(&[]), bus(&[])]));
    let p = Program { master: MasterSettings { gain_db: -36.0, ..p.master.clone() }, ..p };
    // At different places in the wave, and a second change before the glide of the first is over.
    for offset in [0, 1, 3, 5] {
        for between in [1, 3, 60] {
            let mut bench = Bench::new(&p);
            bench.run(200 + offset);
            for (_, change) in &changes {
                change(&mut bench);
                bench.run(between);
            }
            bench.run(200);
            for channel in &bench.out {
                let click = click_dbfs(channel);
                assert!(click < -80.0, "every {between} quanta: {click} dBFS");
            }
        }
    }
    // Each alone, at the highest level that the limiter lets pass.
    for (name, change) in &changes {
        let p = program(Vec::from([strip(&[]), strip(&[])]), Vec::from([bus(&[]), bus(&[])]));
        let p = Program { master: MasterSettings { gain_db: -8.0, ..p.master.clone() }, ..p };
        let mut bench = Bench::new(&p);
        bench.run(203);
        change(&mut bench);
        bench.run(200);
        let click = bench.out.iter().map(|channel| click_dbfs(channel)).fold(-240.0, f64::max);
        assert!(click < -80.0, "{name}: {click} dBFS");
    }
}

#[test]
fn sends_are_taken_where_they_say() {
    let close = |got: [f64; 2], expected: f64| {
        for got in got {
            assert!((got - expected).abs() < 1e-3, "{got}, not {expected}");
        }
    };
    let half = f64::from(crate::math::gain_from_db(-6.0));
    let mut bench = Bench::new(&program(Vec::from([strip(&[POST, PRE])]), Vec::from([bus(&[]), bus(&[])])));
    let set = |bench: &mut Bench, target, change| bench.mixer.set(target, change);
    set(&mut bench, StripTarget::Master, StripChange::GainDb(-12.0));
    let master = f64::from(crate::math::gain_from_db(-12.0));
    close(bench.level(), master * (1.0 + 2.0 * half));
    // The fader takes the post send with it, not the pre one; nor does pan.
    set(&mut bench, StripTarget::Track(0), StripChange::GainDb(-120.0));
    close(bench.level(), master * half);
    set(&mut bench, StripTarget::Track(0), StripChange::Pan(1.0));
    close(bench.level(), master * half);
    // Mute and the others' solo silence both.
    set(&mut bench, StripTarget::Track(0), StripChange::Mute(true));
    close(bench.level(), 0.0);
    set(&mut bench, StripTarget::Track(0), StripChange::Mute(false));
    // From post to pre by command.
    bench.mixer.set_send(0, 0, -6.0, true);
    close(bench.level(), master * 2.0 * half);
    bench.mixer.set_send(0, 1, f32::NAN, false);
    bench.mixer.set_send(0, 7, 0.0, true);
    bench.mixer.set_send(9, 0, 0.0, true);
    close(bench.level(), master * 2.0 * half);
    // A bus has a fader of its own.
    set(&mut bench, StripTarget::Bus(0), StripChange::Mute(true));
    close(bench.level(), master * half);
    set(&mut bench, StripTarget::Bus(1), StripChange::Pan(-1.0));
    let [left, right] = bench.level();
    assert!((left - master * half * core::f64::consts::SQRT_2).abs() < 1e-3 && right == 0.0);
}

#[test]
fn solo_silences_the_others_but_not_the_safe_ones_and_not_buses() {
    let strips = Vec::from([strip(&[POST]), strip(&[])]);
    let mut bench = Bench::new(&program(strips, Vec::from([bus(&[])])));
    bench.mixer.set(StripTarget::Master, StripChange::GainDb(-12.0));
    let all = bench.level();
    bench.mixer.set(StripTarget::Track(1), StripChange::Solo(true));
    assert_eq!(bench.level(), [0.0; 2], "neither the track nor its send");
    bench.mixer.set(StripTarget::Track(0), StripChange::SoloSafe(true));
    let safe = bench.level();
    assert!((safe[0] / all[0] - 1.0).abs() < 1e-6);
    bench.mixer.set(StripTarget::Track(0), StripChange::SoloSafe(false));
    bench.mixer.set(StripTarget::Track(0), StripChange::Solo(true));
    assert!((bench.level()[0] / all[0] - 1.0).abs() < 1e-6, "its bus is heard with it");
    bench.mixer.set(StripTarget::Track(0), StripChange::Mute(true));
    assert_eq!(bench.level(), [0.0; 2], "mute is stronger than solo");
    // Solo on what has none changes nothing.
    bench.mixer.set(StripTarget::Track(0), StripChange::Mute(false));
    bench.mixer.set(StripTarget::Bus(0), StripChange::Solo(true));
    bench.mixer.set(StripTarget::Master, StripChange::Solo(true));
    assert!((bench.level()[0] / all[0] - 1.0).abs() < 1e-6);
}

#[test]
fn an_update_glides_and_effects_come_and_go_without_a_click() {
    use crate::composition::{BandShape, Compressor, Delay, EqualiserBand, Reverb};
    let boost = |gain_db| {
        let band = EqualiserBand { shape: BandShape::Bell, hz: 50.0, gain_db, q: 1.0 };
        EffectSettings::Equaliser(Vec::from([band]))
    };
    let delay = |time_ms| EffectSettings::Delay(Delay { time_ms, ..Delay::default() });
    let reverb = EffectSettings::Reverb(Reverb::default());
    let compressor = EffectSettings::Compressor(Compressor { attack_ms: 50.0, ..Compressor::default() });
    let with = |effects: &[EffectSettings],
                gain_db: f32,
                sends: &[SendSettings],
                n_buses: usize,
                on_bus: &[EffectSettings]| {
        let track = StripSettings { effects: effects.to_vec(), gain_db, ..strip(sends) };
        let p = program(Vec::from([track]), alloc::vec![bus(on_bus); n_buses]);
        Program { master: MasterSettings { gain_db: -18.0, effects: Vec::new() }, ..p }
    };
    let mut bench = Bench::new(&with(&[], 0.0, &[], 0, &[]));
    bench.run(200);
    for next in [
        with(&[boost(6.0)], 0.0, &[], 0, &[]),
        with(&[boost(-6.0)], -6.0, &[POST], 1, core::slice::from_ref(&reverb)),
        with(&[delay(200.0), boost(3.0)], 3.0, &[POST, PRE], 2, &[delay(30.0)]),
        with(&[delay(700.0)], 3.0, &[PRE], 2, &[delay(90.0)]),
        with(&[compressor, delay(100.0), reverb], 0.0, &[], 0, &[]),
        with(&[], -3.0, &[], 0, &[]),
    ] {
        bench.update(&next);
        bench.run(150);
    }
    for channel in &bench.out {
        let click = click_dbfs(channel);
        assert!(click < -80.0, "{click} dBFS");
    }
    let expected = f64::from(crate::math::gain_from_db(-21.0));
    assert!((bench.level()[0] - expected).abs() < 1e-3, "everything is gone");
}

#[test]
fn an_effect_of_the_same_kind_keeps_its_sound() {
    use crate::composition::Delay;
    let with = |mix, time_ms| {
        let delay = Delay { time_ms, feedback: 0.9, mix, tone_hz: 20_000.0, ping_pong: false };
        let strips =
            Vec::from([StripSettings { effects: Vec::from([EffectSettings::Delay(delay)]), ..strip(&[]) }]);
        program(strips, Vec::new())
    };
    let mut bench = Bench::new(&with(1.0, 300.0));
    bench.run(1);
    let mut tracks = [StereoBlock::SILENCE];
    let mut echoes = |bench: &mut Bench, n: usize| {
        let mut power = 0.0f32;
        for _ in 0..n {
            tracks[0] = StereoBlock::SILENCE;
            let mut master = StereoBlock::SILENCE;
            let silence = [0.0; QUANTUM];
            bench.mixer.process(&mut bench.rack, &mut tracks, &StereoBlock::SILENCE, &silence, &mut master);
            power += master.left.iter().map(|x| x * x).sum::<f32>();
        }
        power
    };
    let before = echoes(&mut bench, 400);
    bench.update(&with(1.0, 310.0));
    let after = echoes(&mut bench, 400);
    assert!(before > 0.0 && after > 0.2 * before, "{before} {after}");
    // A longer time than the old memory holds: what was there comes later.
    bench.update(&with(1.0, 1_900.0));
    assert!(echoes(&mut bench, 900) > 0.01 * before);
}
