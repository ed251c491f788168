//! The flight recorder: ten minutes, found again by position, and the same bits from a file.

use std::collections::VecDeque;

use engine_core::composition::Composition;
use engine_core::control::{Quantum, TapId};
use engine_core::math::db_from_gain;
use engine_core::protocol::recorder::{
    RECORDER_LANES, RECORDER_LEN, Recorder, Recording, RecordingError, checksum,
};
use engine_core::protocol::{
    DecodeError, Directory, Feed, FeedId, Flags, Frame, HEADER_LEN, Header, Payload, Topic, encode_payload,
};
use engine_core::units::{QUANTUM, SampleRate};
use proptest::prelude::*;
use uuid::Uuid;

use crate::common::{ORGAN, composition, note, track};

/// Low, so that ten minutes are short.
const RATE: SampleRate = SampleRate::new(8_000).unwrap();
const TICK: u64 = 800;

fn song(n_tracks: usize) -> Composition {
    composition(16, &[(0, 120.0)], (0..n_tracks).map(|_| track(ORGAN, &[note(69, 0, 960)])).collect())
}

/// A feed and its recorder, with a sound that says which tick it is.
struct Flight {
    feed: Feed,
    ids: Vec<FeedId>,
    recorder: Recorder,
    quantum: Quantum,
    n_quanta: u64,
    /// Payloads of the last ticks as a stream would have sent them.
    sent: VecDeque<(u64, Vec<u8>)>,
}

impl Flight {
    fn new(song: &Composition, n_lanes: usize) -> Self {
        let mut flight = Self {
            feed: Feed::new(RATE),
            ids: Vec::new(),
            recorder: Recorder::new(RATE, n_lanes),
            quantum: Quantum::new(),
            n_quanta: 0,
            sent: VecDeque::new(),
        };
        flight.load(song);
        flight
    }

    fn load(&mut self, song: &Composition) {
        let directory = Directory::new(RATE, Some(song));
        self.quantum.n_tracks = song.tracks.len() as u16;
        self.ids.drain(..).for_each(|id| self.feed.unsubscribe(id));
        let wanted = Recorder::subscriptions(&directory);
        self.ids = wanted.iter().map(|s| self.feed.subscribe(s).unwrap()).collect();
        self.recorder.retap(&directory);
    }

    fn fly(&mut self, seconds: u64) {
        for _ in 0..seconds * 8_000 / QUANTUM as u64 {
            self.quantum.sample_position = self.n_quanta * QUANTUM as u64;
            let blocks = [&mut self.quantum.master, &mut self.quantum.input];
            for (at, block) in blocks.into_iter().chain(&mut self.quantum.tracks[..]).take(4).enumerate() {
                for i in 0..QUANTUM {
                    let position = self.n_quanta * QUANTUM as u64 + i as u64;
                    let sign = if position % 8 < 4 { 1.0 } else { -1.0 };
                    block.left[i] = sign * amplitude(self.n_quanta / 50, at);
                    block.right[i] = 0.5 * block.left[i];
                }
            }
            self.quantum.discontinuity = self.n_quanta.is_multiple_of(1_000);
            let Self { feed, recorder, quantum, sent, .. } = self;
            feed.process(quantum, &mut |_, frame| {
                recorder.push(frame);
                let mut bytes = Vec::new();
                encode_payload(&frame.payload, &mut bytes);
                sent.push_back((frame.sample_position, bytes));
            });
            while self.sent.front().is_some_and(|(at, _)| at + TICK * RECORDER_LEN as u64 <= self.position())
            {
                self.sent.pop_front();
            }
            self.n_quanta += 1;
        }
    }

    /// Of the newest tick.
    fn position(&self) -> u64 {
        self.sent.back().map_or(0, |(at, _)| *at)
    }
}

/// 0.8 s long; of each tap another.
fn amplitude(stretch: u64, tap: usize) -> f32 {
    ((stretch * 37 + tap as u64 * 11) % 997 + 1) as f32 / 1000.0
}

fn payloads(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    while let Some((header, payload, rest)) = Header::split(bytes) {
        out.push((header.sample_position, payload.to_vec()));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    out
}

#[test]
fn ten_minutes_wrap_around_and_are_found_by_position() {
    let mut flight = Flight::new(&song(2), 4);
    flight.fly(640);
    let recorder = &flight.recorder;
    let range = recorder.range().unwrap();
    assert!((range.end() - range.start()).abs_diff((RECORDER_LEN as u64 - 1) * TICK) <= QUANTUM as u64);
    assert_eq!(*range.end(), flight.position());
    // What is read is what was sent, to the bit, all ticks and four taps.
    let mut bytes = Vec::new();
    assert_eq!(recorder.read(&range, None, usize::MAX, &mut bytes), None);
    let read = payloads(&bytes);
    assert_eq!(read.len(), RECORDER_LEN * 5);
    assert!(read == flight.sent.iter().cloned().collect::<Vec<_>>());
    // Scrubbing: any position leads to the tick that measured it, and its peak is that of the sound then.
    let mut seed = 1u64;
    for _ in 0..500 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let position = range.start() + (seed >> 33) % (range.end() - range.start());
        let at = recorder.at(position).unwrap();
        assert!(at > position && at - position <= TICK + QUANTUM as u64, "{position} is not in {at}");
        let frames: Vec<Frame> = recorder.frames(&(at..=at), None).collect();
        assert_eq!(frames.iter().map(|f| f.tap).collect::<Vec<_>>(), [0, 0, 1, 2, u16::MAX].map(TapId));
        let Payload::Meters(meters) = &frames[0].payload else { panic!("{frames:?}") };
        // A tick that is all within one stretch.
        let [first, last] = [at - TICK - QUANTUM as u64, at - 1].map(|p| p / (50 * QUANTUM as u64));
        if first == last {
            for (order, (_, block)) in [0, 2, 3, 1].into_iter().zip(&meters.taps) {
                let db = db_from_gain(block.peak[0]) - db_from_gain(amplitude(first, order));
                assert!(db.abs() < 0.006, "{db} dB at {position}");
            }
        }
        assert_eq!(meters.tap_loudness.len(), 4);
    }
    assert_eq!(recorder.at(0), Some(*range.start()));
    assert_eq!(recorder.at(u64::MAX), Some(*range.end()));
    assert_eq!(recorder.frames(&(0..=range.start() - 1), None).count(), 0);
    assert_eq!(recorder.frames(&(range.end() + 1..=u64::MAX), None).count(), 0);
    let marked = recorder.frames(&range, None).filter(|f| f.flags.contains(Flags::DISCONTINUITY));
    // One in 16 s, with five frames each.
    assert!((37 * 5..=38 * 5).contains(&marked.count()));
}

#[test]
fn reading_in_pieces_is_reading_at_once() {
    let mut flight = Flight::new(&song(2), 4);
    flight.fly(30);
    let range = flight.recorder.range().unwrap();
    let (mut whole, mut pieces, mut next) = (Vec::new(), Vec::new(), Some(*range.start()));
    flight.recorder.read(&range, Some(TapId::track(1)), usize::MAX, &mut whole);
    while let Some(from) = next {
        next = flight.recorder.read(&(from..=*range.end()), Some(TapId::track(1)), 7, &mut pieces);
    }
    assert!(whole == pieces && payloads(&whole).len() == 2 * 300);
}

#[test]
fn a_file_holds_the_same_bits() {
    let mut flight = Flight::new(&song(2), 8);
    flight.fly(20);
    let recorder = &flight.recorder;
    let range = recorder.range().unwrap();
    let file = recorder.save(&range, None);
    let recording = Recording::open(file.clone()).unwrap();
    assert_eq!(recording.as_bytes(), file);
    assert_eq!(recording.directory(), &recorder.directory());
    assert_eq!(recording.directory().taps.iter().map(|tap| tap.id).collect::<Vec<_>>(), [0, 1, 2, u16::MAX]);
    assert_eq!(recording.range(), Some(range.clone()));
    let middle = *range.start() + 50 * TICK..=*range.end() - 50 * TICK;
    for (positions, tap) in [(&range, None), (&middle, None), (&middle, Some(TapId::INPUT))] {
        let live: Vec<Frame> = recorder.frames(positions, tap).collect();
        assert!(live.len() >= 190 && live == recording.frames(positions, tap).collect::<Vec<_>>());
    }
    for position in [0, 5_000, 77_777, u64::MAX] {
        assert_eq!(recording.at(position), recorder.at(position));
    }
    let Some(Payload::Spectrum(spectrum)) = recording.frames(&middle, None).nth(1).map(|f| f.payload) else {
        panic!("a spectrum")
    };
    assert_eq!(recording.axis(spectrum.axis), Some(recorder.axis()));
    // Nothing recorded is a recording too.
    let empty = Recorder::new(RATE, 2).save(&(0..=9), None);
    assert_eq!(Recording::open(empty).unwrap().range(), None);
}

#[test]
fn tracks_keep_their_lane_and_the_longest_gone_gives_his_up() {
    let alone = |id| {
        let mut spec = song(1).into_spec();
        spec.tracks[0].id = Uuid::from_u128(id);
        Composition::new(spec).unwrap()
    };
    let (two, other, third) = (song(2), alone(1001), alone(1002));
    let mut flight = Flight::new(&two, 4);
    flight.fly(16);
    // The second track alone: it is number 1 now, but its lane is the second.
    let mut spec = two.clone().into_spec();
    spec.tracks.remove(0);
    flight.load(&Composition::new(spec).unwrap());
    flight.fly(16);
    let names = |flight: &Flight| flight.recorder.directory();
    assert_eq!(names(&flight).taps[1..3].iter().map(|t| t.track_id).collect::<Vec<_>>(), {
        let ids = two.tracks.iter().map(|t| Some(t.id));
        ids.collect::<Vec<_>>()
    });
    let range = flight.recorder.range().unwrap();
    let spectra = |flight: &Flight, tap| flight.recorder.frames(&range, Some(TapId(tap))).count() - 320;
    assert_eq!((spectra(&flight, 1), spectra(&flight, 2)), (160, 320));
    // A new track takes the lane of the one that is gone.
    flight.load(&other);
    flight.fly(16);
    assert_eq!(names(&flight).taps[1].track_id, Some(other.tracks[0].id));
    assert_eq!((spectra(&flight, 1), spectra(&flight, 2)), (0, 320));
    // Then the one that was gone first, although the other was there first.
    flight.load(&third);
    assert_eq!(names(&flight).taps[2].track_id, Some(third.tracks[0].id));
    // More tracks than lanes: the last are not recorded.
    let mut flight = Flight::new(&song(5), 4);
    flight.fly(1);
    assert_eq!(names(&flight).taps.len(), 4);
    let full = song(64);
    assert_eq!(Flight::new(&full, RECORDER_LANES).recorder.directory(), Directory::new(RATE, Some(&full)));
}

fn file() -> Vec<u8> {
    let mut flight = Flight::new(&song(1), 3);
    flight.fly(1);
    flight.recorder.save(&(0..=u64::MAX), None)
}

/// With the checksum made right again.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    let sum = checksum(0, &bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn broken_files_say_what_is_wrong() {
    let file = file();
    for len in 0..file.len() {
        assert!(Recording::open(file[..len].to_vec()).is_err(), "{len} bytes");
    }
    for at in 0..file.len() {
        let mut bytes = file.clone();
        bytes[at] ^= 0x40;
        assert!(Recording::open(bytes).is_err(), "byte {at}");
    }
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = file.clone();
        change(&mut bytes);
        Recording::open(resealed(bytes)).unwrap_err()
    };
    // After magic, version, rate and three taps, whose names are "master", that of the track, and "input".
    let axis = 18 + 3 * 21 + 6 + song(1).tracks[0].name.len() + 5;
    let n_axis = HEADER_LEN + Header::split(&file[axis..]).unwrap().1.len();
    assert_eq!(error(&|b| b[0] = b'B'), RecordingError::Magic);
    assert_eq!(error(&|b| b[8] = 2), RecordingError::Version(2));
    assert_eq!(error(&|b| b[14] = 0xff), RecordingError::SampleRate(0x00ff_1f40));
    assert_eq!(error(&|b| b[16] = 67), RecordingError::Taps);
    assert_eq!(error(&|b| b[37] = 0xff), RecordingError::Taps);
    assert_eq!(error(&|b| b[axis + 16] += 1), RecordingError::Frame(axis + n_axis + 1, DecodeError::Short));
    assert_eq!(
        error(&|b| b[axis + HEADER_LEN] ^= 1),
        RecordingError::Axis(axis + n_axis + second(&file, axis))
    );
    assert_eq!(
        error(&|b| b[axis + n_axis + 8] = 0xff),
        RecordingError::Order(axis + n_axis + second(&file, axis))
    );
    for error in [RecordingError::Magic, RecordingError::Checksum, RecordingError::Order(7)] {
        assert!(error.to_string().len() > 20);
    }
}

/// Bytes of the frame of meters, which comes after the axis.
fn second(file: &[u8], axis: usize) -> usize {
    let (_, _, rest) = Header::split(&file[axis..]).unwrap();
    let (header, payload, _) = Header::split(rest).unwrap();
    assert_eq!(header.topic, Topic::Meters as u8);
    HEADER_LEN + payload.len()
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(changes in prop::collection::vec((0usize..6_000, any::<u8>()), 1..6), cut in 0usize..300) {
        let mut bytes = file();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(bytes.len().saturating_sub(cut).max(4));
        if let Ok(recording) = Recording::open(resealed(bytes)) {
            let n = recording.frames(&(0..=u64::MAX), Some(TapId::track(0))).count();
            prop_assert!(n <= 10 * 3 && recording.at(1234).is_some());
        }
    }
}
