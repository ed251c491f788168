//! The worklet's logic, natively: numbering, axes, snapshots, refusals.

use std::collections::BTreeMap;

use antiphon_worklet::{MAX_LANES, Refused, Worklet};
use engine_core::analysis::waveform::WaveformMode;
use engine_core::buffer::StereoBlock;
use engine_core::composition::Composition;
use engine_core::control::{Command, Program, TapId};
use engine_core::protocol::{FeedId, Flags, Header, StreamOptions, Subscription, Topic};

const EPOCH: u16 = 0xbeef;

fn worklet() -> Worklet {
    Worklet::new(48_000, EPOCH).expect("48 kHz is a rate")
}

fn subscription(topic: Topic, fps: u16, options: &StreamOptions) -> Vec<u8> {
    let subscription = Subscription::new(topic, TapId::MASTER, Some(fps), options).expect("it is in range");
    postcard::to_stdvec(&subscription).expect("it is plain data")
}

fn headers(mut bytes: &[u8]) -> Vec<Header> {
    let mut headers = Vec::new();
    while let Some((header, _, rest)) = Header::split(bytes) {
        headers.push(header);
        bytes = rest;
    }
    assert!(bytes.is_empty(), "bytes after the last frame");
    headers
}

#[test]
fn rates_that_the_engine_does_not_play_are_refused() {
    assert!(Worklet::new(7_999, 0).is_none());
    assert!(Worklet::new(192_001, 0).is_none());
}

#[test]
fn a_stream_starts_with_its_axis_and_a_snapshot_and_numbers_go_up_by_one() {
    let mut worklet = worklet();
    worklet.subscribe(1, &subscription(Topic::Spectrum, 60, &StreamOptions::default())).expect("it is fresh");
    let mut seen = Vec::new();
    for quantum in 0..200 {
        worklet.render(None, 0.0);
        let new = headers(worklet.frames(1));
        assert!(quantum != 0 || new.len() >= 2, "axis and snapshot come at once");
        seen.extend(new);
        assert!(worklet.frames(0).is_empty());
    }
    assert_eq!(seen[0].topic, Topic::Axis as u8);
    assert!(seen[1].flags.contains(Flags::SNAPSHOT));
    assert!(seen[1..].iter().all(|header| header.topic == Topic::Spectrum as u8 && header.epoch == EPOCH));
    assert!(seen[1..].windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    // 200 quanta are 0.533 s: 32 frames at 60 a second, one of them perhaps on the edge.
    assert!((32..=34).contains(&(seen.len() - 1)), "{} frames", seen.len() - 1);
}

#[test]
fn lanes_number_for_themselves_and_end_for_themselves() {
    let mut worklet = worklet();
    let scope = StreamOptions { mode: Some(WaveformMode::Scope), ..StreamOptions::default() };
    let buckets = StreamOptions { mode: Some(WaveformMode::Buckets), ..StreamOptions::default() };
    let first = worklet.subscribe(0, &subscription(Topic::Waveform, 30, &scope)).expect("it is fresh");
    worklet.subscribe(1, &subscription(Topic::Waveform, 60, &buckets)).expect("another lane");
    let mut counts = BTreeMap::new();
    for quantum in 0..400 {
        if quantum == 200 {
            worklet.unsubscribe(first);
        }
        worklet.render(None, 0.0);
        for lane in 0..2 {
            let new = headers(worklet.frames(lane));
            assert!(quantum < 200 || lane == 1 || new.is_empty());
            *counts.entry(lane).or_insert(0) += new.len();
        }
    }
    assert!(counts[&1] > 3 * counts[&0], "{counts:?}");
}

#[test]
fn a_stream_that_takes_anothers_place_counts_on() {
    let mut worklet = worklet();
    let mut seqs = Vec::new();
    for fps in [30, 60, 120] {
        let stream = worklet.subscribe(0, &subscription(Topic::Meters, fps, &StreamOptions::default()));
        for _ in 0..50 {
            worklet.render(None, 0.0);
            seqs.extend(headers(worklet.frames(0)).iter().map(|header| header.seq));
        }
        worklet.unsubscribe(stream.expect("its place is free"));
    }
    assert!(seqs.len() > 20);
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u32), "{seqs:?}");
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let mut worklet = worklet();
    let meters = subscription(Topic::Meters, 30, &StreamOptions::default());
    assert_eq!(worklet.subscribe(0, &meters), Ok(FeedId(0)));
    assert_eq!(worklet.subscribe(0, &meters), Err(Refused::Lane));
    assert_eq!(worklet.subscribe(MAX_LANES, &meters), Err(Refused::Lane));
    assert_eq!(worklet.subscribe(1, &meters[..3]), Err(Refused::Bytes));
    let odd = StreamOptions { fft_size: Some(1000), ..StreamOptions::default() };
    assert_eq!(worklet.subscribe(1, &subscription(Topic::Spectrum, 30, &odd)), Err(Refused::Option));
    assert_eq!(worklet.load(&[0xff; 9]), Err(Refused::Bytes));
    assert_eq!(worklet.command(&[0xff]), Err(Refused::Bytes));
    let program = postcard::to_stdvec(&Program::default()).expect("it is plain data");
    assert_eq!(worklet.load(&program), Ok(()));
}

#[test]
fn several_commands_may_come_at_once() {
    let mut worklet = worklet();
    worklet
        .subscribe(0, &subscription(Topic::Transport, 120, &StreamOptions::default()))
        .expect("it is fresh");
    let program = Program { length: 3840, ..Program::default() };
    worklet.load(&postcard::to_stdvec(&program).expect("it is plain data")).expect("it is a program");
    let commands = [Command::SetMetronome { enabled: true }, Command::Play];
    let bytes: Vec<u8> =
        commands.iter().flat_map(|command| postcard::to_stdvec(command).expect("it is plain data")).collect();
    worklet.command(&bytes).expect("they are commands");
    let mut peak = 0.0f32;
    for _ in 0..8 {
        worklet.render(None, 1234.5);
        peak = worklet.master().left.iter().fold(peak, |peak, sample| peak.max(sample.abs()));
    }
    assert!(peak > 0.0, "the metronome clicks");
    let bytes = worklet.frames(0).to_vec();
    assert!(headers(&bytes).iter().all(|header| header.topic == Topic::Transport as u8));
}

#[test]
fn samples_wait_for_the_program_that_uses_them_and_go_with_it() {
    let mut worklet = worklet();
    let [kept, other] = [1u8, 2].map(|n| [n; 16]);
    let program = |id: [u8; 16]| {
        let composition =
            Composition::from_audio("x", uuid::Uuid::from_bytes(id), 0.5, 120.0).expect("in range");
        postcard::to_stdvec(&Program::compile(&composition)).expect("it is plain data")
    };
    let tone: Box<[f32]> = (0..24_000).map(|i| if i / 48 % 2 == 0 { 0.25 } else { -0.25 }).collect();
    worklet.add_sample(kept, tone.clone(), tone).expect("there is an engine");
    let mut peak = |id| {
        worklet.load(&program(id)).expect("it is a program");
        worklet
            .command(&postcard::to_stdvec(&Command::Play).expect("it is plain data"))
            .expect("it is a command");
        let mut peak = 0.0f32;
        for _ in 0..100 {
            worklet.render(None, 0.0);
            peak = worklet.master().left.iter().fold(peak, |peak, x| peak.max(x.abs()));
        }
        peak
    };
    assert!((0.2..0.3).contains(&peak(kept)));
    assert!((0.2..0.3).contains(&peak(kept)), "it is still there");
    assert_eq!(peak(other), 0.0, "a sample that is not there is silent");
    assert_eq!(peak(kept), 0.0, "it went with the program that used it");
}

#[test]
fn a_changed_program_plays_on_where_the_old_one_was() {
    let mut spec =
        Composition::from_audio("x", uuid::Uuid::from_u128(1), 0.5, 120.0).expect("in range").into_spec();
    let [first, second] = [-6.0, -12.0].map(|gain_db| {
        spec.tracks[0].gain_db = gain_db;
        let composition = Composition::new(spec.clone()).expect("in range");
        postcard::to_stdvec(&Program::compile(&composition)).expect("it is plain data")
    });
    let tone: Box<[f32]> = (0..24_000).map(|i| if i / 48 % 2 == 0 { 0.5 } else { -0.5 }).collect();
    // The master, quantum by quantum; a program may come before the hundredth.
    let play = |changed: Option<&[u8]>| -> Vec<f32> {
        let mut worklet = worklet();
        let id = *uuid::Uuid::from_u128(1).as_bytes();
        worklet.add_sample(id, tone.clone(), tone.clone()).expect("there is an engine");
        worklet.load(&first).expect("it is a program");
        worklet.command(&postcard::to_stdvec(&Command::Play).expect("plain data")).expect("a command");
        let mut heard = Vec::new();
        for quantum in 0..180 {
            if let (100, Some(changed)) = (quantum, changed) {
                worklet.update(changed).expect("it is a program");
            }
            worklet.render(None, 0.0);
            heard.extend(worklet.master().left);
        }
        heard
    };
    let before = play(None);
    assert!(play(Some(&first)) == before, "the same again: not a bit of the sound is another");
    let after = play(Some(&second));
    assert!(after[..100 * 128] == before[..100 * 128]);
    let peak = |samples: &[f32]| samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    // 60 quanta are 160 ms: a strip's gain has arrived. It went there in one direction, without a gap.
    assert!((peak(&after[160 * 128..]) / peak(&before[160 * 128..]) - 0.501).abs() < 0.002);
    let peaks: Vec<f32> = after[98 * 128..160 * 128].chunks(128).map(peak).collect();
    assert!(peaks.windows(2).all(|pair| pair[1] <= pair[0] + 1e-4), "{peaks:?}");
    assert_eq!(worklet().update(&[0xff; 9]), Err(Refused::Bytes));
}

/// Noise with what no sound has in it, from a fixed seed.
fn block(seed: &mut u32) -> StereoBlock {
    let mut next = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        let x = (f64::from(*seed) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
        if seed.is_multiple_of(997) { f32::NAN } else { 5.0 * x }
    };
    StereoBlock { left: std::array::from_fn(|_| next()), right: std::array::from_fn(|_| next()) }
}

#[test]
fn without_an_engine_the_input_makes_the_same_frames_to_the_byte() {
    let mut whole = worklet();
    let mut small = Worklet::measuring(48_000, EPOCH).expect("48 kHz is a rate");
    let all = StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() };
    for topic in [Topic::Meters, Topic::Spectrum, Topic::Waveform, Topic::Stereo, Topic::Music, Topic::Audio]
    {
        let options = if topic == Topic::Meters { &all } else { &StreamOptions::default() };
        let subscription = Subscription::new(topic, TapId::INPUT, Some(60), options).expect("it is in range");
        let bytes = postcard::to_stdvec(&subscription).expect("it is plain data");
        whole.subscribe(0, &bytes).expect("it is fresh");
        small.subscribe(0, &bytes).expect("it is fresh");
    }
    let mut seed = 5;
    let mut n_bytes = 0;
    for quantum in 0..800 {
        // Silence in the middle, which is an input that is not connected.
        let input = (quantum / 200 != 2).then(|| block(&mut seed));
        whole.render(input.as_ref(), 0.0);
        small.render(input.as_ref(), 0.0);
        assert!(whole.frames(0) == small.frames(0), "quantum {quantum}");
        assert_eq!(small.master(), &StereoBlock::SILENCE);
        n_bytes += small.frames(0).len();
    }
    assert!(n_bytes > 100_000, "{n_bytes} bytes");
}

#[test]
fn without_an_engine_the_input_is_heard_when_it_is_monitored_and_what_plays_is_refused() {
    let mut small = Worklet::measuring(48_000, EPOCH).expect("48 kHz is a rate");
    small.monitor(true);
    let mut input = block(&mut 9);
    (input.left[0], input.left[1]) = (0.5, f32::INFINITY);
    small.render(Some(&input), 0.0);
    assert_eq!(small.master().left[..2], [0.5, 0.0]);
    assert!(small.master().left.iter().all(|x| x.abs() <= 4.0));
    let program = postcard::to_stdvec(&Program::default()).expect("it is plain data");
    let play = postcard::to_stdvec(&Command::Play).expect("it is plain data");
    assert_eq!(small.load(&program), Err(Refused::Engine));
    assert_eq!(small.update(&program), Err(Refused::Engine));
    assert_eq!(small.command(&play), Err(Refused::Engine));
    assert_eq!(small.add_sample([0; 16], Box::default(), Box::default()), Err(Refused::Engine));
}
