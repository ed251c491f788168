//! The pool of voices: who plays a note, and who gives way when all are busy.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use core::ops::Range;

use super::channel::{Channel, Channels, Controls};
use super::drums::DrumVoice;
use super::moves::Moves;
use super::patch::patch_for_program;
use super::sampler::{SamplerContext, SamplerVoice};
use super::synth::{SynthContext, SynthVoice};
use super::tails::Tails;
use crate::buffer::StereoBlock;
use crate::control::{ActiveNote, MAX_ACTIVE_NOTES, Sample, StripSettings};
use crate::dsp::blep::EdgeTable;
use crate::dsp::mix::Mix;
use crate::dsp::sinc::SincTable;
use crate::dsp::svf::{LANES, Lanes};
use crate::units::{MAX_TRACKS, SPAN};

/// Notes that can sound at once.
const MAX_VOICES: usize = 128;

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "voices lie in a fixed pool; boxing one would allocate")]
enum Sound {
    Synth(SynthVoice),
    Drum(DrumVoice),
    Sampler(SamplerVoice),
}

#[derive(Clone, Copy, Debug)]
struct Voice {
    note: ActiveNote,
    /// Number of its note-on; the smaller, the older.
    serial: u32,
    /// Its note-off has not come. Without this, the pedal may still hold it.
    is_down: bool,
    sound: Sound,
}

impl Voice {
    fn is_done(&self) -> bool {
        match &self.sound {
            Sound::Synth(voice) => voice.is_done(),
            Sound::Drum(voice) => voice.is_done(),
            Sound::Sampler(voice) => voice.is_done(),
        }
    }

    /// Held, by its key or by the pedal.
    fn is_held(&self) -> bool {
        match &self.sound {
            Sound::Synth(voice) => voice.is_held(),
            Sound::Drum(voice) => voice.is_held(),
            Sound::Sampler(voice) => voice.is_held(),
        }
    }

    fn level(&self) -> f32 {
        match &self.sound {
            Sound::Synth(voice) => voice.level(),
            Sound::Drum(voice) => voice.level(),
            Sound::Sampler(voice) => voice.level(),
        }
    }

    /// Adds the next frames, at most a quantum, to `left` and `right`.
    fn render(&mut self, tools: &mut Tools, world: World<'_>, left: &mut [f32], right: &mut [f32]) {
        let controls = world.channels.get(self.note.track).controls;
        match &mut self.sound {
            Sound::Synth(voice) => voice.render(&mut tools.synth(controls), left, right),
            Sound::Drum(voice) => voice.render(left, right),
            Sound::Sampler(voice) => voice.render(&tools.sampler(world.samples, controls), left, right),
        }
    }

    fn release(&mut self) {
        self.is_down = false;
        match &mut self.sound {
            Sound::Synth(voice) => voice.release(),
            Sound::Drum(voice) => voice.release(),
            Sound::Sampler(voice) => voice.release(),
        }
    }
}

/// What voices are made with.
struct Tools {
    edges: EdgeTable,
    sinc: SincTable,
    /// Where each synthesiser note in turn is mixed.
    mix: Box<Mix>,
    /// Where several are filtered at once.
    lanes: Box<Lanes>,
}

impl Tools {
    fn synth(&mut self, controls: Controls) -> SynthContext<'_> {
        SynthContext { edges: &self.edges, mix: &mut self.mix, lanes: &mut self.lanes, controls }
    }

    fn sampler<'a>(&'a self, samples: &'a [Option<Arc<Sample>>], controls: Controls) -> SamplerContext<'a> {
        SamplerContext { sinc: &self.sinc, samples, controls }
    }
}

/// What voices depend on besides themselves.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) channels: &'a Channels,
    pub(super) samples: &'a [Option<Arc<Sample>>],
}

/// Notes that wait in lanes for the filter.
#[derive(Default)]
struct Begun {
    /// Slot and first lane of each.
    notes: [(usize, usize); LANES],
    n_notes: usize,
    n_lanes: usize,
}

impl Begun {
    fn push(&mut self, slot: usize, n_lanes: usize) {
        self.notes[self.n_notes] = (slot, self.n_lanes);
        self.n_notes += 1;
        self.n_lanes += n_lanes;
    }
}

/// All voices of all tracks.
///
/// When none is free, the quietest released voice gives way; when all are held, the oldest that only the pedal
/// holds; then the oldest. It fades out from that very frame on, and so does a hit that another one chokes.
pub(super) struct Voices {
    slots: Box<[Option<Voice>]>,
    sample_rate: f32,
    serial: u32,
    tools: Tools,
    tails: Tails,
}

impl Voices {
    pub(super) fn new(sample_rate: f32) -> Self {
        Self {
            slots: vec![None; MAX_VOICES].into_boxed_slice(),
            sample_rate,
            serial: 0,
            tools: Tools {
                edges: EdgeTable::new(),
                sinc: SincTable::new(),
                mix: Box::new(Mix::SILENCE),
                lanes: Box::new(Lanes::SILENCE),
            },
            tails: Tails::new(f64::from(sample_rate)),
        }
    }

    /// Starts a note at frame `frame` of the quantum.
    pub(super) fn note_on(
        &mut self,
        strip: &StripSettings,
        world: World<'_>,
        note: ActiveNote,
        frame: usize,
    ) {
        self.serial = self.serial.wrapping_add(1);
        let (at, rate) = (frame % SPAN, self.sample_rate);
        let channel = world.channels.get(note.track);
        let sound = if !strip.zones.is_empty() {
            let zone =
                strip.zones.iter().find(|zone| (zone.low_pitch..=zone.high_pitch).contains(&note.pitch));
            let Some(zone) = zone else { return };
            let context = self.tools.sampler(world.samples, channel.controls);
            Sound::Sampler(SamplerVoice::new(*zone, note.pitch, note.velocity, at, &context, rate))
        } else if strip.drums {
            let hit = DrumVoice::new(note.pitch, note.velocity, (at, self.serial), rate);
            let group = hit.choke_group();
            self.cut_if(world, |voice| match &voice.sound {
                Sound::Drum(drum) => {
                    group != 0 && voice.note.track == note.track && drum.choke_group() == group
                }
                _ => false,
            });
            Sound::Drum(hit)
        } else {
            let patch = patch_for_program(channel.program.unwrap_or(strip.program));
            let start = (at, self.serial);
            let mut context = self.tools.synth(channel.controls);
            Sound::Synth(SynthVoice::new(patch, note.pitch, note.velocity, start, &mut context, rate))
        };
        let slot = self.slot();
        self.cut(slot, world);
        self.slots[slot] = Some(Voice { note, serial: self.serial, is_down: true, sound });
    }

    /// Ends the oldest note of this track and pitch whose key is down: it is released, or left to the pedal.
    pub(super) fn note_off(&mut self, channel: &Channel, track: u16, pitch: u8) {
        let is_it = |v: &&mut Voice| v.note.track == track && v.note.pitch == pitch && v.is_down;
        if let Some(voice) = self.slots.iter_mut().flatten().filter(is_it).min_by_key(|v| v.serial) {
            // The pedal of a drum kit holds nothing: a hit rings out by itself.
            if channel.sustain && !matches!(voice.sound, Sound::Drum(_)) {
                voice.is_down = false;
            } else {
                voice.release();
            }
        }
    }

    /// Releases what only the pedals of tracks held which are up now.
    pub(super) fn lift_pedals(&mut self, channels: &Channels) {
        for voice in self.slots.iter_mut().flatten() {
            if !voice.is_down && !channels.get(voice.note.track).sustain {
                voice.release();
            }
        }
    }

    /// Releases everything; drums fade out at once, since they would ring on.
    pub(super) fn release_all(&mut self, world: World<'_>) {
        self.cut_if(world, |voice| matches!(voice.sound, Sound::Drum(_)));
        self.slots.iter_mut().flatten().for_each(Voice::release);
    }

    /// Releases the notes that nothing will end. Those that a pedal holds end with it.
    pub(super) fn release_unless(&mut self, will_end: impl Fn(&ActiveNote) -> bool) {
        for voice in self.slots.iter_mut().flatten() {
            if voice.is_down && voice.is_held() && !will_end(&voice.note) {
                voice.release();
            }
        }
    }

    /// Forgets the voices of tracks from `n_tracks` on, which are gone.
    pub(super) fn forget_tracks_from(&mut self, n_tracks: usize) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|voice| usize::from(voice.note.track) >= n_tracks) {
                *slot = None;
            }
        }
    }

    /// Gives samples their new indices. Voices whose sample has none fade out; `world` still has the old ones.
    pub(super) fn renumber_samples(&mut self, world: World<'_>, new_index: impl Fn(u16) -> Option<u16>) {
        for slot in 0..self.slots.len() {
            if let Some(Voice { sound: Sound::Sampler(voice), .. }) = &mut self.slots[slot] {
                match new_index(voice.sample()) {
                    Some(sample) => voice.set_sample(sample),
                    None => self.cut(slot, world),
                }
            }
        }
    }

    /// Tracks have other places now.
    pub(super) fn reorder(&mut self, moves: &Moves<MAX_TRACKS>) {
        self.tails.reorder(moves);
        for slot in &mut self.slots {
            let Some(voice) = slot else { continue };
            match moves.place(voice.note.track) {
                Some(track) => voice.note.track = track,
                None => *slot = None,
            }
        }
    }

    /// Forgets everything: other tracks come, and what sounds belongs to none of them.
    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
        self.tails.clear();
    }

    /// Adds frames `from..to` of every voice to its track's block.
    pub(super) fn render(&mut self, world: World<'_>, tracks: &mut [StereoBlock], from: usize, to: usize) {
        // Notes of the synthesiser whose spans are whole go through the filter together. The order in which voices
        // are added is that of their slots all the same, so that no bit depends on who else sounds.
        let n_spans = if from.is_multiple_of(SPAN) { (to - from) / SPAN } else { 0 };
        let mut begun = Begun::default();
        for slot in 0..self.slots.len() {
            let n_lanes = match &self.slots[slot] {
                Some(voice) if usize::from(voice.note.track) >= tracks.len() => continue,
                Some(Voice { sound: Sound::Synth(note), .. }) if n_spans > 0 && note.is_on_grid() => {
                    note.n_lanes()
                }
                Some(_) => {
                    self.end(&mut begun, n_spans, world, tracks, from..to);
                    self.render_slot(slot, world, tracks, from..to);
                    continue;
                }
                None => continue,
            };
            if begun.n_lanes + n_lanes > LANES {
                self.end(&mut begun, n_spans, world, tracks, from..to);
            }
            if let Some(Voice { note, sound: Sound::Synth(synth), .. }) = &mut self.slots[slot] {
                let controls = world.channels.get(note.track).controls;
                synth.begin(n_spans, begun.n_lanes, &mut self.tools.synth(controls));
                begun.push(slot, n_lanes);
            }
        }
        self.end(&mut begun, n_spans, world, tracks, from..to);
        self.tails.render(tracks, from, to);
    }

    /// Filters and adds the notes that were begun, and lets each render what is left of its last span.
    fn end(
        &mut self,
        begun: &mut Begun,
        n_spans: usize,
        world: World<'_>,
        tracks: &mut [StereoBlock],
        frames: Range<usize>,
    ) {
        let Begun { notes, n_notes, .. } = core::mem::take(begun);
        if n_notes == 0 {
            return;
        }
        self.tools.lanes.process(n_spans);
        let middle = frames.start + n_spans * SPAN;
        for (slot, lane) in &notes[..n_notes] {
            if let Some(Voice { note, sound: Sound::Synth(synth), .. }) = &mut self.slots[*slot] {
                let block = &mut tracks[usize::from(note.track)];
                let (left, right) =
                    (&mut block.left[frames.start..middle], &mut block.right[frames.start..middle]);
                synth.end(*lane, &self.tools.lanes, left, right);
            }
        }
        for (slot, _) in &notes[..n_notes] {
            self.render_slot(*slot, world, tracks, middle..frames.end);
        }
    }

    /// Renders one voice by itself, and frees its slot when it is over.
    fn render_slot(
        &mut self,
        slot: usize,
        world: World<'_>,
        tracks: &mut [StereoBlock],
        frames: Range<usize>,
    ) {
        let Some(voice) = &mut self.slots[slot] else { return };
        if !frames.is_empty() {
            let block = &mut tracks[usize::from(voice.note.track)];
            voice.render(&mut self.tools, world, &mut block.left[frames.clone()], &mut block.right[frames]);
        }
        if voice.is_done() {
            self.slots[slot] = None;
        }
    }

    /// How many sound.
    pub(super) fn count(&self) -> u16 {
        self.slots.iter().flatten().map(|_| 1u16).sum()
    }

    /// Lists the held notes; returns how many were listed.
    pub(super) fn list_held(&self, notes: &mut [ActiveNote; MAX_ACTIVE_NOTES]) -> usize {
        let held = self.slots.iter().flatten().filter(|voice| voice.is_held());
        notes.iter_mut().zip(held).map(|(note, voice)| *note = voice.note).count()
    }

    /// Lets voices fade out instead of playing on.
    fn cut_if(&mut self, world: World<'_>, is_it: impl Fn(&Voice) -> bool) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].as_ref().is_some_and(&is_it) {
                self.cut(slot, world);
            }
        }
    }

    fn cut(&mut self, slot: usize, world: World<'_>) {
        if let Some(voice) = &mut self.slots[slot] {
            let tools = &mut self.tools;
            self.tails.add(voice.note.track, |left, right| voice.render(tools, world, left, right));
        }
        self.slots[slot] = None;
    }

    fn slot(&self) -> usize {
        if let Some(free) = self.slots.iter().position(Option::is_none) {
            return free;
        }
        let (mut best, mut best_rank) = (0, (u8::MAX, f32::INFINITY, u32::MAX));
        for (idx, voice) in self.slots.iter().enumerate() {
            let Some(voice) = voice else { continue };
            let held = u8::from(voice.is_held()) + u8::from(voice.is_down);
            let rank = (held, if held > 0 { 0.0 } else { voice.level() }, voice.serial);
            if rank < best_rank {
                (best, best_rank) = (idx, rank);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests;
