//! Commands to the engine. Each takes effect at the start of the next quantum.

use serde::{Deserialize, Serialize};

use crate::composition::ControlKind;
use crate::units::Ticks;

/// What a host asks of the engine. Values are validated by whoever makes the command; the engine clamps
/// what is left, since the audio thread has nobody to report to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Starts from where the transport stands.
    Play,
    /// Starts from where the transport stands after some bars of clicks, in the metre and at the tempo of that
    /// place, metronome or not. Nothing while playing. `Stop`, `Pause` and `Locate` call it off, `Play` cuts it
    /// short.
    PlayWithCountIn {
        /// 0 to 16; 0 is `Play`.
        bars: u8,
    },
    /// Stops and goes back to the start.
    Stop,
    /// Stops where it is.
    Pause,
    /// Goes on after a pause; nothing in any other state.
    Resume,
    /// Moves the playhead to a tick, fractions allowed.
    Locate {
        /// New position.
        tick: f64,
    },
    /// Replaces the tempo of the tempo-map point in force at `at_tick`.
    SetTempo {
        /// A tick in the span whose tempo changes.
        at_tick: f64,
        /// Beats per minute, 20 to 400.
        bpm: f64,
    },
    /// Sets the loop region, half-open; the playhead jumps from `end` to `start`.
    SetLoop {
        /// Whether the region is in force.
        enabled: bool,
        /// First tick of the region.
        start: Ticks,
        /// Tick after the region; greater than `start`.
        end: Ticks,
    },
    /// Switches the click on each beat.
    SetMetronome {
        /// Whether it sounds.
        enabled: bool,
    },
    /// Changes one parameter of a channel strip.
    SetStrip {
        /// Which strip.
        target: StripTarget,
        /// What changes.
        change: StripChange,
    },
    /// Changes a send of a track; nothing if the track does not send to that bus.
    SetSend {
        /// Index of the track.
        track: u16,
        /// Index of the bus.
        bus: u16,
        /// −120 to +12 dB.
        gain_db: f32,
        /// Before fader and pan.
        pre_fader: bool,
    },
    /// Plays a note live, whatever the transport does.
    NoteOn {
        /// Index of the track.
        track: u16,
        /// MIDI pitch.
        pitch: u8,
        /// 1 to 127.
        velocity: u8,
    },
    /// Ends a note that was played live.
    NoteOff {
        /// Index of the track.
        track: u16,
        /// MIDI pitch.
        pitch: u8,
    },
    /// Moves a controller live. It holds until the program moves it, or the playhead jumps.
    Control {
        /// Index of the track.
        track: u16,
        /// Which controller.
        kind: ControlKind,
        /// In the range of its kind.
        value: f32,
    },
    /// Chooses the track that is recorded to. What is being recorded ends.
    Arm {
        /// Index of the track; none for nothing.
        track: Option<u16>,
    },
    /// Records to the armed track, from where the transport stands: at once while it plays, else like
    /// `PlayWithCountIn`. It ends when the playhead stops or is moved; a loop goes on. Nothing when nothing is armed.
    Record {
        /// 0 to 16.
        count_in_bars: u8,
    },
}

/// A channel strip of the mixer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StripTarget {
    /// The strip of a track, by its index.
    Track(u16),
    /// A bus, by its index. It has no solo.
    Bus(u16),
    /// The sum of all.
    Master,
    /// The input, when it is monitored. Its gain starts at −120 dB: unheard.
    Input,
}

/// One parameter of a channel strip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum StripChange {
    /// Fader, −120 to +12 dB.
    GainDb(f32),
    /// −1 to 1.
    Pan(f32),
    /// Silenced.
    Mute(bool),
    /// Heard alone.
    Solo(bool),
    /// Heard even while others are soloed.
    SoloSafe(bool),
}
