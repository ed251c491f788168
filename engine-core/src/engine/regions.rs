//! Audio clips as they sound: stretches of samples, frame for frame.
//!
//! A region's first frame is the first at or after its tick's exact time, and from there each frame plays one
//! frame of the sample, whatever the tempo. Entered in its middle (locate, loop, play), it goes on at the frame
//! that it would have reached. So its bits depend on nothing but its own data and the frame it starts at.

use alloc::boxed::Box;
use alloc::vec;

use super::moves::Moves;
use super::tails::Tails;
use super::transport::TOLERANCE;
use crate::buffer::StereoBlock;
use crate::control::{Program, Region, Sample};
use crate::math::wide;
use crate::units::MAX_TRACKS;

/// Regions that can sound at once. While all are in use, those that start later are not heard.
const MAX_REGIONS: usize = 256;
/// A region that is entered in its middle fades in for so long: a step in the waveform would click. Too short to be
/// heard as a fade. One that is cut off fades out with the other [`Tails`].
const ENTRY_SECONDS: f64 = 0.003;

/// All regions of all tracks.
pub(super) struct Regions {
    slots: Box<[Option<Playing>]>,
    tails: Tails,
    sample_rate: f64,
    entry_frames: usize,
}

impl Regions {
    pub(super) fn new(sample_rate: f64) -> Self {
        Self {
            slots: vec![None; MAX_REGIONS].into_boxed_slice(),
            tails: Tails::new(sample_rate),
            sample_rate,
            entry_frames: wide::ceil(ENTRY_SECONDS * sample_rate) as usize,
        }
    }

    /// Starts the region at `idx`, whose start is `seconds_ago` behind the playhead.
    pub(super) fn start(&mut self, program: &Program, idx: usize, seconds_ago: f64) {
        let Some(region) = program.regions.get(idx) else { return };
        let Some(sample) = sample(program, region.sample) else { return };
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_none()) {
            *slot = Playing::new(idx, region, sample, seconds_ago, self.sample_rate);
        }
    }

    /// Starts those of the first `n` regions that still sound at `seconds` and are not playing, in their middle.
    pub(super) fn enter(&mut self, program: &Program, n: usize, seconds: f64) {
        let points = program.tempo.points();
        let mut span = 0;
        for (idx, region) in program.regions[..n].iter().enumerate() {
            // They come in order, and so do the spans of the tempo map: one pass through both.
            while points.get(span + 1).is_some_and(|next| next.tick <= region.start) {
                span += 1;
            }
            let ago = seconds - program.tempo.seconds_in_span(span, f64::from(region.start));
            if ago < region.length_seconds && !self.plays(idx) {
                self.start(program, idx, ago);
            }
        }
    }

    /// Ends everything, with a short fade.
    pub(super) fn cut(&mut self, program: &Program) {
        for slot in &mut self.slots {
            if let Some(playing) = slot.take() {
                playing.end(program, self.entry_frames, &mut self.tails);
            }
        }
    }

    /// After an exchange of the program: regions that are in both play on, the others end with a short fade.
    /// What the new program has besides is still to be [entered](Self::enter).
    pub(super) fn update(&mut self, old: &Program, program: &Program, moves: &Moves<MAX_TRACKS>) {
        self.tails.reorder(moves);
        for idx in 0..self.slots.len() {
            let Some(mut playing) = self.slots[idx].take() else { continue };
            let Some(track) = moves.place(playing.track) else { continue };
            playing.track = track;
            match self.find(playing, old, program) {
                Some((region, sample)) => {
                    (playing.region, playing.sample) = (region, sample);
                    self.slots[idx] = Some(playing);
                }
                None => playing.end(old, self.entry_frames, &mut self.tails),
            }
        }
    }

    /// Forgets everything: other tracks come.
    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
        self.tails.clear();
    }

    /// Adds frames `from..to` of every region to its track's block.
    pub(super) fn render(&mut self, program: &Program, tracks: &mut [StereoBlock], from: usize, to: usize) {
        for slot in &mut self.slots {
            let Some(playing) = slot else { continue };
            let goes_on = match (tracks.get_mut(usize::from(playing.track)), sample(program, playing.sample))
            {
                (Some(block), Some(sample)) => playing.render(
                    sample,
                    &mut block.left[from..to],
                    &mut block.right[from..to],
                    self.entry_frames,
                ),
                _ => false,
            };
            if !goes_on {
                *slot = None;
            }
        }
        self.tails.render(tracks, from, to);
    }

    /// The same region of the same sample in the new program, and the sample's index there.
    ///
    /// Slots that are still to be updated hold indices of the old program; at worst an equal region is taken to be
    /// playing, and fades over into itself.
    fn find(&self, playing: Playing, old: &Program, program: &Program) -> Option<(usize, u16)> {
        let id = old.sample_ids.get(usize::from(playing.sample))?;
        let at = u16::try_from(program.sample_ids.iter().position(|other| other == id)?).ok()?;
        let is_whole = sample(program, at)?.len() >= playing.offset + playing.length;
        let wanted = Region { sample: at, track: playing.track, ..*old.regions.get(playing.region)? };
        let first = program.regions.partition_point(|region| region.start < wanted.start);
        let equal_starts = program.regions[first..].iter().take_while(|region| region.start == wanted.start);
        let mut same = (first..).zip(equal_starts).filter(|(_, region)| **region == wanted);
        let (region, _) = same.find(|(idx, _)| !self.plays(*idx))?;
        is_whole.then_some((region, at))
    }

    fn plays(&self, idx: usize) -> bool {
        self.slots.iter().flatten().any(|playing| playing.region == idx)
    }
}

fn sample(program: &Program, idx: u16) -> Option<&Sample> {
    program.samples.get(usize::from(idx)).and_then(Option::as_deref)
}

/// A region that sounds. All counts are frames.
#[derive(Clone, Copy, Debug)]
struct Playing {
    /// Index in the program.
    region: usize,
    track: u16,
    sample: u16,
    gain: f32,
    /// Frame of the sample at the region's start.
    offset: usize,
    /// Since the region's start.
    at: usize,
    length: usize,
    fade_in: usize,
    fade_out: usize,
    /// Since it was entered in its middle; `None` when it was not, or long ago.
    entered: Option<usize>,
}

impl Playing {
    /// `None` when nothing of it is left to sound.
    fn new(idx: usize, region: &Region, sample: &Sample, seconds_ago: f64, sample_rate: f64) -> Option<Self> {
        let frames = |seconds: f64| wide::rint(seconds * sample_rate) as usize;
        let offset = frames(region.offset_seconds);
        let length = frames(region.length_seconds).min(sample.len().saturating_sub(offset));
        // The conversion holds what rounding made negative at 0.
        let at = wide::floor(seconds_ago * sample_rate + TOLERANCE) as usize;
        (at < length).then(|| Self {
            region: idx,
            track: region.track,
            sample: region.sample,
            gain: region.gain,
            offset,
            at,
            length,
            fade_in: frames(region.fade_in_seconds),
            fade_out: frames(region.fade_out_seconds),
            entered: (at > 0).then_some(0),
        })
    }

    /// Fades out, from where it is.
    fn end(mut self, program: &Program, entry_frames: usize, tails: &mut Tails) {
        if let Some(sample) = sample(program, self.sample) {
            tails.add(self.track, |left, right| {
                self.render(sample, left, right, entry_frames);
            });
        }
    }

    /// Adds the next frames; false when it has ended.
    fn render(&mut self, sample: &Sample, left: &mut [f32], right: &mut [f32], entry_frames: usize) -> bool {
        let n = left.len().min(self.length - self.at);
        let first = self.offset + self.at;
        let (from_left, from_right) = (&sample.left[first..first + n], &sample.right[first..first + n]);
        let fades = self.at < self.fade_in
            || (self.at + n).saturating_add(self.fade_out) > self.length
            || self.entered.is_some();
        if fades {
            for i in 0..n {
                let gain = self.faded_gain(entry_frames);
                left[i] += from_left[i] * gain;
                right[i] += from_right[i] * gain;
            }
        } else {
            add(&mut left[..n], from_left, self.gain);
            add(&mut right[..n], from_right, self.gain);
            self.at += n;
        }
        self.at < self.length
    }

    /// The gain of this frame, which then counts as done.
    fn faded_gain(&mut self, entry_frames: usize) -> f32 {
        // Counted so that a fade-out and a fade-in of equal length add up to one.
        let mut gain = self.gain * part(self.at, self.fade_in) * part(self.length - self.at, self.fade_out);
        if let Some(entered) = self.entered {
            gain *= part(entered, entry_frames);
            self.entered = (entered + 1 < entry_frames).then_some(entered + 1);
        }
        self.at += 1;
        gain
    }
}

/// How far a linear ramp is: 0 to 1.
fn part(count: usize, of: usize) -> f32 {
    if count < of { (count as f64 / of as f64) as f32 } else { 1.0 }
}

fn add(sum: &mut [f32], from: &[f32], gain: f32) {
    for (sum, x) in sum.iter_mut().zip(from) {
        *sum += x * gain;
    }
}
