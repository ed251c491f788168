//! The flight recorder: what the last ten minutes were like, in memory that is allocated once.
//!
//! ```text
//! Feed ─meters, spectra─▶ Recorder ─▶ frames by sample position
//!                             └─▶ file ─▶ Recording ─▶ the same frames
//! ```
//!
//! Every tap has a lane, a ring of cells of 86 bytes: levels and loudness as in a meters frame, 64 bands as in a
//! narrow spectrum. Reading makes the very payloads again that were recorded, so a file holds the bits that a
//! stream would have sent.

mod checksum;
mod file;
mod lane;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

pub use self::checksum::checksum;
pub use self::file::{Recording, RecordingError};

use self::lane::{BANDS, LEVELS, LOUDNESS, Lane};
use super::binary::{decode_payload, encode_payload, unit_i16};
use super::directory::{Directory, Tap};
use super::frame::{Axis, Frame, Payload};
use super::header::{Flags, HEADER_LEN, Header};
use super::subscription::{StreamOptions, Subscription, Topic};
use crate::analysis::spectrum::{Spectrum, SpectrumConfig};
use crate::control::TapId;
use crate::dsp::fft::Fft;
use crate::dsp::window::Window;
use crate::units::{MAX_TRACKS, SampleRate};

/// Frames a second.
pub const RECORDER_FPS: u16 = 10;
/// Frames that are kept: ten minutes.
pub const RECORDER_LEN: usize = 6_000;
/// Bands of each spectrum, logarithmic from 20 Hz to 20 kHz.
pub const RECORDER_BANDS: usize = 64;
/// Lanes of a recorder that has room for every composition: master, all tracks, input.
pub const RECORDER_LANES: usize = MAX_TRACKS + 2;

/// When all lanes' cells of one number were recorded.
#[derive(Clone, Copy, Default)]
struct Tick {
    sample_position: u64,
    flags: Flags,
    /// Of the master, as on the wire.
    correlation: [u8; 2],
}

/// Keeps meters, loudness and bands of every tap. [`push`](Self::push) never allocates.
pub struct Recorder {
    rate: SampleRate,
    axis: Axis,
    ticks: Box<[Tick]>,
    /// Ticks since the start; the newest has number `n_ticks − 1`.
    n_ticks: u64,
    /// Master, tracks as they came, input.
    lanes: Box<[Lane]>,
    /// Lanes of the taps that are live, by the taps' present numbers.
    live: Vec<(TapId, usize)>,
}

/// What the spectra of a recorder are.
fn spectrum_options() -> StreamOptions {
    StreamOptions { bands: Some(RECORDER_BANDS as u16), ..StreamOptions::default() }
}

/// The length of an FFT. A recorder asks for the frequencies of bands, and transforms nothing; a browser's main thread
/// has no other use for the code of one.
struct NoFft(usize);

impl Fft for NoFft {
    fn len(&self) -> usize {
        self.0
    }

    fn set_window(&mut self, _: Window) {}

    fn powers(&mut self, _: &[f32], _: f64, _: &mut [f32]) {}
}

impl Recorder {
    /// Allocates for so many taps, at least 2: 522 KB each. Where there are more tracks than lanes the last ones
    /// are not recorded.
    pub fn new(rate: SampleRate, n_lanes: usize) -> Self {
        let config = SpectrumConfig { bands: RECORDER_BANDS as u16, ..SpectrumConfig::default() };
        let spectrum = Spectrum::with_fft(NoFft(config.fft_size as usize), rate, &config);
        let frequencies = spectrum.map(|s| s.frequencies().to_vec()).unwrap_or_default();
        let n_lanes = n_lanes.clamp(2, RECORDER_LANES);
        Self {
            rate,
            axis: Axis::new(config.fft_size, rate.hz(), config.scale, &frequencies),
            ticks: vec![Tick::default(); RECORDER_LEN].into(),
            n_ticks: 0,
            lanes: (0..n_lanes).map(|_| Lane::new()).collect(),
            live: Vec::with_capacity(n_lanes),
        }
    }

    /// What a recorder subscribes to record these taps. Meters come first: they begin a tick.
    pub fn subscriptions(directory: &Directory) -> Vec<Subscription> {
        let fps = Some(RECORDER_FPS);
        let meters = StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() };
        let meters = Subscription::new(Topic::Meters, TapId::MASTER, fps, &meters);
        let spectra = directory
            .taps
            .iter()
            .map(|tap| Subscription::new(Topic::Spectrum, TapId(tap.id), fps, &spectrum_options()));
        core::iter::once(meters).chain(spectra).flatten().collect()
    }

    /// Names the taps of the frames that follow. A track keeps its lane whatever its number is now; a new one takes
    /// a free lane, or that of the track that is gone for the longest time.
    pub fn retap(&mut self, directory: &Directory) {
        self.live.clear();
        let last = self.lanes.len() - 1;
        for tap in &directory.taps {
            let id = TapId(tap.id);
            let idx = match id {
                TapId::MASTER => Some(0),
                TapId::INPUT => Some(last),
                _ => self.lane_of_track(tap, directory),
            };
            let Some(idx) = idx else { continue };
            self.lanes[idx].name(tap, idx, idx == last);
            self.live.push((id, idx));
        }
    }

    fn lane_of_track(&mut self, tap: &Tap, directory: &Directory) -> Option<usize> {
        let tracks = 1..self.lanes.len() - 1;
        let known = |lane: &Lane| lane.tap().is_some_and(|known| known.track_id == tap.track_id);
        if let Some(idx) = tracks.clone().find(|&idx| known(&self.lanes[idx])) {
            return Some(idx);
        }
        let is_live = |lane: &Lane| {
            lane.tap().is_some_and(|known| directory.taps.iter().any(|tap| tap.track_id == known.track_id))
        };
        let idx =
            tracks.filter(|&idx| !is_live(&self.lanes[idx])).min_by_key(|&idx| self.lanes[idx].newest())?;
        self.lanes[idx].forget();
        Some(idx)
    }

    /// Records a frame of its [subscriptions](Self::subscriptions); all others, and snapshots, are ignored.
    pub fn push(&mut self, frame: &Frame) {
        if frame.flags.contains(Flags::SNAPSHOT) {
            return;
        }
        match &frame.payload {
            Payload::Meters(meters) => {
                if self.range().is_some_and(|range| frame.sample_position <= *range.end()) {
                    return;
                }
                let slot = (self.n_ticks % RECORDER_LEN as u64) as usize;
                self.ticks[slot] = Tick {
                    sample_position: frame.sample_position,
                    flags: frame.flags,
                    correlation: unit_i16(meters.correlation),
                };
                self.n_ticks += 1;
                self.lanes.iter_mut().for_each(|lane| lane.begin(slot));
                for (at, (tap, block)) in meters.taps.iter().enumerate() {
                    let loudness = match *tap {
                        TapId::MASTER => Some(&meters.loudness),
                        _ => meters.tap_loudness.get(at),
                    };
                    if let Some(lane) = lane_of(&self.live, &mut self.lanes, *tap) {
                        lane.put_meters(slot, self.n_ticks, block, loudness);
                    }
                }
            }
            Payload::Spectrum(spectrum) if self.n_ticks > 0 => {
                let slot = ((self.n_ticks - 1) % RECORDER_LEN as u64) as usize;
                if self.ticks[slot].sample_position == frame.sample_position
                    && let Some(lane) = lane_of(&self.live, &mut self.lanes, frame.tap)
                {
                    lane.put_bands(slot, &spectrum.magnitudes);
                }
            }
            _ => {}
        }
    }

    /// Frames per second of the engine.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// The bands of all recorded spectra.
    pub fn axis(&self) -> &Axis {
        &self.axis
    }

    /// Names of the taps in recorded frames. A track that is gone keeps its number while its lane holds frames.
    pub fn directory(&self) -> Directory {
        let oldest = self.n_ticks.saturating_sub(RECORDER_LEN as u64);
        let is_there = |(idx, lane): &(usize, &Lane)| {
            lane.newest() > oldest || self.live.iter().any(|(_, live)| live == idx)
        };
        let lanes = self.lanes.iter().enumerate().filter(is_there);
        Directory {
            sample_rate: self.rate.hz(),
            taps: lanes.filter_map(|(_, lane)| lane.tap().cloned()).collect(),
        }
    }

    /// Sample positions of the oldest and the newest tick; `None` before the first.
    pub fn range(&self) -> Option<RangeInclusive<u64>> {
        let newest = self.n_ticks.checked_sub(1)?;
        let oldest = self.n_ticks.saturating_sub(RECORDER_LEN as u64);
        Some(self.tick(oldest).sample_position..=self.tick(newest).sample_position)
    }

    /// Appends the frames, headers and payloads, of the ticks in `positions`, oldest first: one of meters and one
    /// of the spectrum of each tap; of one `tap`, its spectrum, and meters of the master and of it. At most
    /// `max_ticks` ticks; the result is where to go on, `None` when all are there.
    pub fn read(
        &self,
        positions: &RangeInclusive<u64>,
        tap: Option<TapId>,
        max_ticks: usize,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let mut number = self.first_from(*positions.start());
        for _ in 0..max_ticks {
            if number >= self.n_ticks || self.tick(number).sample_position > *positions.end() {
                return None;
            }
            self.write_tick(number, tap, out);
            number += 1;
        }
        let next = (number < self.n_ticks).then(|| self.tick(number).sample_position)?;
        (next <= *positions.end()).then_some(next)
    }

    /// [`read`](Self::read), as values.
    pub fn frames(&self, positions: &RangeInclusive<u64>, tap: Option<TapId>) -> impl Iterator<Item = Frame> {
        let mut bytes = Vec::new();
        let mut next = Some(*positions.start());
        let end = *positions.end();
        let mut at = 0;
        core::iter::from_fn(move || {
            while at == bytes.len() {
                (at, _) = (0, bytes.clear());
                next = self.read(&(next?..=end), tap, 1, &mut bytes);
            }
            let (frame, rest) = frame_from(&bytes[at..])?;
            at = bytes.len() - rest.len();
            Some(frame)
        })
    }

    /// The position of the tick that measured the frame of that number: the first that ends after it, or the newest.
    pub fn at(&self, sample_position: u64) -> Option<u64> {
        let range = self.range()?;
        let number = self.first_from(sample_position.saturating_add(1));
        Some(if number < self.n_ticks { self.tick(number).sample_position } else { *range.end() })
    }

    /// A file of the ticks in `positions`; see [`Recording::open`].
    pub fn save(&self, positions: &RangeInclusive<u64>, tap: Option<TapId>) -> Vec<u8> {
        let mut out = self.file_head();
        self.read(positions, tap, usize::MAX, &mut out);
        let sum = checksum(0, &out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// How a file begins. What [`read`](Self::read) gives follows, and then the [`checksum`] of all that.
    pub fn file_head(&self) -> Vec<u8> {
        let mut out = file::head(&self.directory());
        let axis = Payload::Axis(self.axis.clone());
        append(&mut out, Topic::Axis, TapId::MASTER, &Tick::default(), 0, |out| encode_payload(&axis, out));
        out
    }

    fn tick(&self, number: u64) -> &Tick {
        &self.ticks[(number % RECORDER_LEN as u64) as usize]
    }

    /// Number of the first tick at or after a position.
    fn first_from(&self, sample_position: u64) -> u64 {
        let (mut low, mut high) = (self.n_ticks.saturating_sub(RECORDER_LEN as u64), self.n_ticks);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.tick(middle).sample_position < sample_position {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn write_tick(&self, number: u64, tap: Option<TapId>, out: &mut Vec<u8>) {
        let slot = (number % RECORDER_LEN as u64) as usize;
        let tick = &self.ticks[slot];
        // Numbers of frames start at 1, as on a connection.
        let seq = (number + 1) as u32;
        let is_wanted = |id: TapId| tap.is_none_or(|tap| tap == id);
        let lanes = || self.lanes.iter().filter_map(|lane| Some((TapId(lane.tap()?.id), lane)));
        let metered = || {
            lanes().filter(|(id, lane)| (*id == TapId::MASTER || is_wanted(*id)) && lane.has(slot, LEVELS))
        };
        if metered().next().is_some() {
            append(out, Topic::Meters, TapId::MASTER, tick, seq, |out| {
                let n = metered().count() as u16;
                out.extend_from_slice(&n.to_le_bytes());
                out.extend_from_slice(&[0, 0]);
                for (id, lane) in metered() {
                    out.extend_from_slice(&id.0.to_le_bytes());
                    out.extend_from_slice(lane.levels(slot));
                }
                out.extend_from_slice(self.lanes[0].loudness(slot));
                out.extend_from_slice(&tick.correlation);
                let has_all = metered().all(|(_, lane)| lane.has(slot, LOUDNESS));
                out.extend_from_slice(&if has_all { n } else { 0 }.to_le_bytes());
                if has_all {
                    metered().for_each(|(_, lane)| out.extend_from_slice(lane.loudness(slot)));
                }
            });
        }
        for (id, lane) in lanes().filter(|(id, lane)| is_wanted(*id) && lane.has(slot, BANDS)) {
            append(out, Topic::Spectrum, id, tick, seq, |out| {
                out.extend_from_slice(&self.axis.id.to_le_bytes());
                out.extend_from_slice(&(RECORDER_BANDS as u16).to_le_bytes());
                out.extend_from_slice(&[1, 0]);
                out.extend_from_slice(lane.bands(slot));
            });
        }
    }
}

fn lane_of<'a>(live: &[(TapId, usize)], lanes: &'a mut [Lane], tap: TapId) -> Option<&'a mut Lane> {
    let (_, idx) = live.iter().find(|(id, _)| *id == tap)?;
    lanes.get_mut(*idx)
}

/// Appends a header and the payload that `write` makes.
fn append(
    out: &mut Vec<u8>,
    topic: Topic,
    tap: TapId,
    tick: &Tick,
    seq: u32,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    write(out);
    let header = Header {
        topic: topic as u8,
        flags: tick.flags,
        tap: tap.0,
        seq,
        sample_position: tick.sample_position,
        payload_len: (out.len() - start - HEADER_LEN) as u32,
        ..Header::default()
    };
    out[start..start + HEADER_LEN].copy_from_slice(&header.encode());
}

/// The frame at the start of bytes that [`Recorder::read`] wrote, and what follows it; `None` for other bytes.
pub fn frame_from(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (header, payload, rest) = Header::split(bytes)?;
    let payload = decode_payload(&header, payload).ok()?;
    let frame = Frame {
        tap: TapId(header.tap),
        flags: header.flags,
        sample_position: header.sample_position,
        payload,
    };
    Some((frame, rest))
}
