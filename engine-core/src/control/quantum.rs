//! What the engine hands out: 128 frames of every tap, and where the transport stood.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::boxed;
use crate::buffer::StereoBlock;
use crate::units::{MAX_TRACKS, Ticks};

/// A point where audio can be listened to. On the wire it is this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TapId(pub u16);

impl TapId {
    /// What leaves the engine.
    pub const MASTER: Self = Self(0);
    /// What enters it: sound card, microphone or file.
    pub const INPUT: Self = Self(u16::MAX);

    /// The output of a track's strip, after its fader; by track index.
    pub const fn track(index: u16) -> Self {
        Self(index + 1)
    }

    /// The track's index, for the tap of a track.
    pub fn track_index(self) -> Option<usize> {
        (self != Self::MASTER && self != Self::INPUT).then(|| usize::from(self.0) - 1)
    }
}

/// Whether the playhead moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayState {
    /// At rest at the start, or where it was located.
    #[default]
    Stopped,
    /// Moving.
    Playing,
    /// At rest where it was paused.
    Paused,
}

/// A note that sounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveNote {
    /// Index of the track.
    pub track: u16,
    /// MIDI pitch.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// Notes that a snapshot can list; more sound, but are not listed.
pub const MAX_ACTIVE_NOTES: usize = 64;

/// The transport at the first frame of a quantum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransportSnapshot {
    /// Whether the playhead moves.
    pub state: PlayState,
    /// Beats of a count-in until the playhead moves, the present one included; 0 when there is none. The state
    /// stays at rest meanwhile: whoever extrapolates the playhead must not move it.
    pub count_in_beats: u16,
    /// Playhead in ticks, with fractions.
    pub tick: f64,
    /// Playhead in seconds from the composition's start.
    pub seconds: f64,
    /// Tempo at the playhead, in beats per minute.
    pub bpm: f64,
    /// Numerator of the time signature at the playhead.
    pub numerator: u8,
    /// Denominator of the time signature at the playhead.
    pub denominator: u8,
    /// Whether the loop region is in force.
    pub loop_enabled: bool,
    /// First tick of the loop region.
    pub loop_start: Ticks,
    /// Tick after the loop region.
    pub loop_end: Ticks,
    /// Whether the click sounds.
    pub metronome: bool,
    /// The armed track is recorded to, or will be after the count-in.
    pub recording: bool,
    /// Index of the track that recording goes to.
    pub armed: Option<u16>,
    /// Counts what a client could not have extrapolated: commands, loop wraps, note changes.
    pub revision: u32,
    /// Notes that are held; the first `n_active_notes` count.
    pub active_notes: [ActiveNote; MAX_ACTIVE_NOTES],
    /// How many of `active_notes` are in use.
    pub n_active_notes: usize,
}

impl Default for TransportSnapshot {
    fn default() -> Self {
        Self {
            state: PlayState::Stopped,
            count_in_beats: 0,
            tick: 0.0,
            seconds: 0.0,
            bpm: 120.0,
            numerator: 4,
            denominator: 4,
            loop_enabled: false,
            loop_start: 0,
            loop_end: 0,
            metronome: false,
            recording: false,
            armed: None,
            revision: 0,
            active_notes: [ActiveNote::default(); MAX_ACTIVE_NOTES],
            n_active_notes: 0,
        }
    }
}

/// 128 frames of every tap. Sized once for [`MAX_TRACKS`], so that a pool of them serves any composition.
#[derive(Clone, Debug)]
pub struct Quantum {
    /// Frames that the engine has rendered since it was made, at the first frame of this quantum.
    pub sample_position: u64,
    /// The playhead jumped (locate, loop wrap, load), or frames were lost before this quantum.
    pub discontinuity: bool,
    /// Where the transport stood at the first frame.
    pub transport: TransportSnapshot,
    /// Voices that sound.
    pub n_voices: u16,
    /// Tracks that the composition has.
    pub n_tracks: u16,
    /// What leaves the engine.
    pub master: StereoBlock,
    /// What entered it.
    pub input: StereoBlock,
    /// Strip outputs; the first `n_tracks` count.
    pub tracks: Box<[StereoBlock]>,
}

impl Quantum {
    /// Silence. Allocates: call it off the audio thread.
    pub fn new() -> Self {
        Self {
            sample_position: 0,
            discontinuity: false,
            transport: TransportSnapshot::default(),
            n_voices: 0,
            n_tracks: 0,
            master: StereoBlock::SILENCE,
            input: StereoBlock::SILENCE,
            tracks: boxed::filled(MAX_TRACKS, StereoBlock::SILENCE),
        }
    }

    /// The audio of a tap; `None` for a track that the composition does not have.
    pub fn tap(&self, id: TapId) -> Option<&StereoBlock> {
        match id {
            TapId::MASTER => Some(&self.master),
            TapId::INPUT => Some(&self.input),
            track => self.tracks[..usize::from(self.n_tracks)].get(track.track_index()?),
        }
    }
}

impl Default for Quantum {
    fn default() -> Self {
        Self::new()
    }
}
