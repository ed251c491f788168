//! Waveform overview of a whole file: minima and maxima at every zoom level, from one pass.
//!
//! Level 0 has a pair for every `samples_per_pixel` frames, each further level one for two of the level below,
//! up to a single pair: [`WaveformData`] of any level holds what BBC audiowaveform writes at that zoom, byte
//! for byte.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::waveform_data::{CHANNELS_RANGE, WaveformBits, WaveformData};

/// Frames that a pair of level 0 may cover.
pub const SAMPLES_PER_PIXEL_RANGE: RangeInclusive<u32> = 2..=1 << 20;

/// What the samples of the file were before they became f32. They are measured in 16 bits, as audiowaveform
/// does, and it brings them there in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SampleKind {
    /// Integers of any width: the upper 16 bits, ⌊32768·x⌋.
    #[default]
    Integer,
    /// Floating point: 32767·x, cut off towards zero. Beyond full scale it is limited; audiowaveform's cast is
    /// undefined there (seen to wrap around). NaN counts as 0.
    Float,
}

/// Options of an overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverviewConfig {
    /// Frames per second, 1 to 2³¹ − 1; only written to the data.
    pub sample_rate: u32,
    /// Channels that go in, 1 to 24.
    pub n_channels: u16,
    /// Frames that a pair of level 0 covers, in [`SAMPLES_PER_PIXEL_RANGE`].
    pub samples_per_pixel: u32,
    /// Every channel on its own; otherwise their mean, cut off towards zero.
    pub split_channels: bool,
    /// What the samples were.
    pub kind: SampleKind,
}

impl Default for OverviewConfig {
    fn default() -> Self {
        Self {
            sample_rate: 48_000,
            n_channels: 2,
            samples_per_pixel: 256,
            split_channels: false,
            kind: SampleKind::Integer,
        }
    }
}

/// An overview that cannot be: the value that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverviewError {
    /// Zero, or above 2³¹ − 1.
    SampleRate(u32),
    /// Not 1 to 24.
    Channels(u16),
    /// Not in [`SAMPLES_PER_PIXEL_RANGE`].
    SamplesPerPixel(u32),
}

impl OverviewError {
    /// Name of the field in [`OverviewConfig`].
    pub const fn field(self) -> &'static str {
        match self {
            Self::SampleRate(_) => "sample_rate",
            Self::Channels(_) => "n_channels",
            Self::SamplesPerPixel(_) => "samples_per_pixel",
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::SampleRate(_) => "1 to 2147483647",
            Self::Channels(_) => "1 to 24",
            Self::SamplesPerPixel(_) => "2 to 1048576",
        }
    }
}

impl core::fmt::Display for OverviewError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for OverviewError {}

/// Least and greatest sample of a span.
#[derive(Clone, Copy, Debug)]
struct Pair {
    min: i16,
    max: i16,
}

impl Pair {
    /// Of no samples.
    const EMPTY: Self = Self { min: i16::MAX, max: i16::MIN };

    fn merged(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// The pyramid.
///
/// Memory: less than 8 bytes for `samples_per_pixel` frames of a channel that comes out; an hour of stereo at
/// 48 kHz, split, takes 11 MB at 256.
#[derive(Clone, Debug)]
pub struct Overview {
    config: OverviewConfig,
    n_out: usize,
    /// Pairs of complete spans by level, channels interleaved.
    levels: Vec<Vec<Pair>>,
    /// The span of level 0 that is being filled, by channel.
    filling: Vec<Pair>,
    n_filled: u32,
    /// Complete pairs of a channel beyond which level 0 is given up.
    max_pixels: usize,
}

impl Overview {
    /// Allocates for a file of `n_frames`.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn new(config: &OverviewConfig, n_frames: u64) -> Result<Self, OverviewError> {
        Self::within(config, n_frames, usize::MAX)
    }

    /// As [`new`](Self::new), but whenever level 0 has more than `max_pixels` pairs, it is given up for the next one:
    /// `samples_per_pixel` doubles, and memory does not grow with the file. What is left is the same to the bit.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn within(config: &OverviewConfig, n_frames: u64, max_pixels: usize) -> Result<Self, OverviewError> {
        let c = *config;
        if !(1..=i32::MAX as u32).contains(&c.sample_rate) {
            return Err(OverviewError::SampleRate(c.sample_rate));
        }
        if !CHANNELS_RANGE.contains(&c.n_channels) {
            return Err(OverviewError::Channels(c.n_channels));
        }
        if !SAMPLES_PER_PIXEL_RANGE.contains(&c.samples_per_pixel) {
            return Err(OverviewError::SamplesPerPixel(c.samples_per_pixel));
        }
        let n_out = if c.split_channels { usize::from(c.n_channels) } else { 1 };
        let mut levels = vec![];
        let n_pixels = n_frames / u64::from(c.samples_per_pixel);
        let mut n_pixels = n_pixels.min(max_pixels.saturating_add(1) as u64) as usize;
        while n_pixels > 0 || levels.is_empty() {
            levels.push(Vec::with_capacity(n_pixels * n_out));
            n_pixels /= 2;
        }
        Ok(Self { config: c, n_out, levels, filling: vec![Pair::EMPTY; n_out], n_filled: 0, max_pixels })
    }

    /// Takes frames, a slice for each channel, linear, full scale ±1. Allocates only after the `n_frames` that
    /// were announced.
    ///
    /// # Panics
    /// When there is another number of channels than configured, or they differ in length.
    pub fn process(&mut self, channels: &[&[f32]]) {
        match self.config.kind {
            SampleKind::Integer => self.fill(channels, |x| limited(libm::floorf(32_768.0 * x))),
            SampleKind::Float => self.fill(channels, |x| limited(32_767.0 * x)),
        }
    }

    /// As [`process`](Self::process), from samples that already have 16 bits.
    ///
    /// # Panics
    /// When there is another number of channels than configured, or they differ in length.
    pub fn process_i16(&mut self, channels: &[&[i16]]) {
        self.fill(channels, |x| x);
    }

    fn fill<T: Copy>(&mut self, channels: &[&[T]], i16_from: impl Fn(T) -> i16 + Copy) {
        assert!(channels.len() == usize::from(self.config.n_channels), "number of channels");
        assert!(channels.iter().all(|ch| ch.len() == channels[0].len()), "channels differ in length");
        let n_frames = channels[0].len();
        let mut start = 0;
        while start < n_frames {
            let room = (self.config.samples_per_pixel - self.n_filled) as usize;
            let span = start..n_frames.min(start + room);
            if self.config.split_channels {
                for (filling, channel) in self.filling.iter_mut().zip(channels) {
                    take(filling, channel[span.clone()].iter().map(|&x| i16_from(x)));
                }
            } else {
                let filling = &mut self.filling[0];
                match channels {
                    [one] => take(filling, one[span.clone()].iter().map(|&x| i16_from(x))),
                    [left, right] => {
                        let frames = left[span.clone()].iter().zip(&right[span.clone()]);
                        let wide = |x| i32::from(i16_from(x));
                        take(filling, frames.map(|(&l, &r)| ((wide(l) + wide(r)) / 2) as i16));
                    }
                    _ => {
                        let sum = |i| channels.iter().map(|ch| i32::from(i16_from(ch[i]))).sum::<i32>();
                        let n = channels.len() as i32;
                        take(filling, span.clone().map(|i| (sum(i) / n) as i16));
                    }
                }
            }
            self.n_filled += span.len() as u32;
            start = span.end;
            if self.n_filled == self.config.samples_per_pixel {
                self.complete();
            }
        }
    }

    /// Puts the span that is full on level 0, and every second pair on the level above.
    fn complete(&mut self) {
        self.levels[0].extend_from_slice(&self.filling);
        self.filling.fill(Pair::EMPTY);
        self.n_filled = 0;
        let mut level = 0;
        while self.levels[level].len().is_multiple_of(2 * self.n_out) {
            if level + 1 == self.levels.len() {
                self.levels.push(vec![]);
            }
            let (below, above) = self.levels.split_at_mut(level + 1);
            let last_two = &below[level][below[level].len() - 2 * self.n_out..];
            let (first, second) = last_two.split_at(self.n_out);
            above[0].extend(first.iter().zip(second).map(|(a, b)| a.merged(*b)));
            level += 1;
        }
        if self.levels[0].len() / self.n_out > self.max_pixels {
            self.coarsen();
        }
    }

    /// Gives up level 0. Its last pair, if it is none of two, begins to fill one of the next level.
    fn coarsen(&mut self) {
        // What no snapshot could say any more is of no use to be made.
        let Some(doubled) = self.samples_per_pixel(1).filter(|_| self.levels.len() > 1) else { return };
        let finest = self.levels.remove(0);
        if !(finest.len() / self.n_out).is_multiple_of(2) {
            self.filling.copy_from_slice(&finest[finest.len() - self.n_out..]);
            self.n_filled = self.config.samples_per_pixel;
        }
        self.config.samples_per_pixel = doubled;
    }

    /// Levels so far, at least 1: the last has a single pair.
    pub fn n_levels(&self) -> usize {
        let n_pixels = self.levels[0].len() / self.n_out + usize::from(self.n_filled > 0);
        let halvings = n_pixels.max(1).next_power_of_two().ilog2() as usize;
        // What the file format cannot say does not exist.
        (0..=halvings).take_while(|&level| self.samples_per_pixel(level).is_some()).count()
    }

    fn samples_per_pixel(&self, level: usize) -> Option<u32> {
        let frames = u64::from(self.config.samples_per_pixel).checked_shl(level as u32)?;
        i32::try_from(frames).ok().map(|frames| frames as u32)
    }

    /// Everything so far at `samples_per_pixel`·2^`level`; the last pair covers what is left. Allocates.
    ///
    /// # Panics
    /// When `level` is not below [`n_levels`](Self::n_levels).
    pub fn snapshot(&self, level: usize, bits: WaveformBits) -> WaveformData {
        assert!(level < self.n_levels(), "zoom level");
        // What the levels below have that does not fill a pair of this one yet.
        let mut rest = (self.n_filled > 0).then(|| self.filling.clone());
        for pairs in self.levels.iter().take(level) {
            let n_pixels = pairs.len() / self.n_out;
            if !n_pixels.is_multiple_of(2) {
                let odd = &pairs[pairs.len() - self.n_out..];
                let rest = rest.get_or_insert_with(|| vec![Pair::EMPTY; self.n_out]);
                rest.iter_mut().zip(odd).for_each(|(rest, odd)| *rest = rest.merged(*odd));
            }
        }
        let complete = self.levels.get(level).map_or(&[][..], |pairs| pairs);
        let pairs = complete.iter().chain(rest.iter().flatten());
        let points = pairs.flat_map(|pair| [pair.min, pair.max]).map(|x| bits.scaled(x)).collect();
        WaveformData {
            sample_rate: self.config.sample_rate,
            samples_per_pixel: self.samples_per_pixel(level).unwrap_or(u32::MAX),
            bits,
            n_channels: self.n_out as u16,
            points,
        }
    }
}

/// An integer from −32768 to 32767, cut off towards zero; 0 for NaN. A cast saturates.
fn limited(x: f32) -> i16 {
    x as i16
}

fn take(filling: &mut Pair, samples: impl Iterator<Item = i16>) {
    for x in samples {
        filling.min = filling.min.min(x);
        filling.max = filling.max.max(x);
    }
}
