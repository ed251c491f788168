//! Sounds: the settings of the built-in synthesiser, and which General MIDI programme gets which.

use crate::dsp::envelope::AdsrSettings;
use crate::dsp::oscillator::Wave;

/// Where the sound comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// Two oscillators of one wave, detuned against each other and spread left and right.
    Pair {
        wave: Wave,
        /// Distance of the two, in cents.
        detune: f32,
        /// Level of a sine an octave below.
        sub: f32,
    },
    /// A sine modulated by another (phase modulation, as in the classic FM pianos).
    Fm {
        /// Frequency of the modulator, in multiples of the note's.
        ratio: f32,
        /// Depth at full velocity, in turns.
        index: f32,
        /// Time constant with which the depth falls, in seconds.
        index_decay: f32,
    },
    /// Drawbars: sines at 1, 2, 3 and 4 times the note's frequency.
    Organ([f32; 4]),
}

/// A low-pass filter that opens with the note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FilterSettings {
    /// Cutoff above the note's own frequency, in octaves.
    pub(super) octaves: f32,
    /// Further opening by the envelope at full velocity, in octaves.
    pub(super) env_octaves: f32,
    /// Time constant with which the envelope falls, in seconds.
    pub(super) env_decay: f32,
    /// Resonance, 0.5 and up.
    pub(super) q: f32,
}

/// A sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patch {
    pub(super) source: Source,
    pub(super) amp: AdsrSettings,
    /// `None` leaves the source as it is.
    pub(super) filter: Option<FilterSettings>,
    /// Depth of the vibrato (5.5 Hz, fades in over half a second), in cents.
    pub(super) vibrato: f32,
    /// Linear; set so that all patches are equally loud to 1.5 LU (tested), the bass 3 LU more.
    pub(super) gain: f32,
}

const fn adsr(attack: f32, decay: f32, sustain: f32, release: f32) -> AdsrSettings {
    AdsrSettings { attack, decay, sustain, release }
}

const fn filter(octaves: f32, env_octaves: f32, env_decay: f32, q: f32) -> Option<FilterSettings> {
    Some(FilterSettings { octaves, env_octaves, env_decay, q })
}

const PIANO: Patch = Patch {
    source: Source::Fm { ratio: 1.0, index: 0.28, index_decay: 0.5 },
    amp: adsr(0.002, 1.1, 0.0, 0.12),
    filter: None,
    vibrato: 0.0,
    gain: 0.168,
};
const ELECTRIC_PIANO: Patch = Patch {
    source: Source::Fm { ratio: 14.0, index: 0.09, index_decay: 0.12 },
    amp: adsr(0.002, 1.4, 0.0, 0.15),
    filter: None,
    vibrato: 0.0,
    gain: 0.160,
};
const BELL: Patch = Patch {
    source: Source::Fm { ratio: 3.5, index: 0.35, index_decay: 0.7 },
    amp: adsr(0.001, 0.9, 0.0, 0.5),
    filter: None,
    vibrato: 0.0,
    gain: 0.150,
};
const ORGAN: Patch = Patch {
    source: Source::Organ([0.5, 0.35, 0.22, 0.12]),
    amp: adsr(0.012, 0.1, 1.0, 0.05),
    filter: None,
    vibrato: 3.0,
    gain: 0.204,
};
const PLUCK: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 4.0, sub: 0.0 },
    amp: adsr(0.002, 0.35, 0.0, 0.12),
    filter: filter(0.8, 4.0, 0.13, 0.9),
    vibrato: 0.0,
    gain: 0.406,
};
const BASS: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 3.0, sub: 0.6 },
    amp: adsr(0.004, 0.8, 0.45, 0.06),
    filter: filter(1.2, 2.6, 0.16, 1.1),
    vibrato: 0.0,
    gain: 0.286,
};
const STRINGS: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 13.0, sub: 0.0 },
    amp: adsr(0.10, 0.4, 0.85, 0.28),
    filter: filter(2.4, 0.8, 0.6, 0.6),
    vibrato: 6.0,
    gain: 0.240,
};
const CHOIR: Patch = Patch {
    source: Source::Pair { wave: Wave::Pulse(0.38), detune: 11.0, sub: 0.0 },
    amp: adsr(0.14, 0.5, 0.9, 0.35),
    filter: filter(1.5, 0.4, 0.8, 0.8),
    vibrato: 9.0,
    gain: 0.134,
};
const BRASS: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 7.0, sub: 0.0 },
    amp: adsr(0.035, 0.3, 0.8, 0.10),
    filter: filter(1.4, 2.6, 0.35, 0.8),
    vibrato: 5.0,
    gain: 0.257,
};
const REED: Patch = Patch {
    source: Source::Pair { wave: Wave::Pulse(0.5), detune: 2.0, sub: 0.0 },
    amp: adsr(0.03, 0.2, 0.85, 0.08),
    filter: filter(2.2, 0.8, 0.3, 0.7),
    vibrato: 8.0,
    gain: 0.155,
};
const FLUTE: Patch = Patch {
    source: Source::Pair { wave: Wave::Triangle, detune: 2.0, sub: 0.0 },
    amp: adsr(0.045, 0.2, 0.9, 0.10),
    filter: filter(2.6, 0.4, 0.2, 0.6),
    vibrato: 10.0,
    gain: 0.267,
};
const LEAD: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 9.0, sub: 0.25 },
    amp: adsr(0.008, 0.4, 0.75, 0.12),
    filter: filter(2.2, 2.0, 0.3, 1.3),
    vibrato: 9.0,
    gain: 0.222,
};
const SQUARE_LEAD: Patch =
    Patch { source: Source::Pair { wave: Wave::Pulse(0.5), detune: 7.0, sub: 0.0 }, gain: 0.138, ..LEAD };
const PAD: Patch = Patch {
    source: Source::Pair { wave: Wave::Saw, detune: 17.0, sub: 0.2 },
    amp: adsr(0.35, 0.8, 0.8, 0.7),
    filter: filter(1.6, 1.0, 1.2, 0.7),
    vibrato: 4.0,
    gain: 0.228,
};

/// The sound of a General MIDI programme, 0 to 127.
pub(super) fn patch_for_program(program: u8) -> &'static Patch {
    match program {
        4 | 5 => &ELECTRIC_PIANO,
        0..=7 => &PIANO,
        8..=15 => &BELL,
        16..=23 => &ORGAN,
        24..=31 => &PLUCK,
        32..=39 => &BASS,
        45 | 46 => &PLUCK,
        52..=54 => &CHOIR,
        40..=51 | 55 => &STRINGS,
        56..=63 => &BRASS,
        64..=71 => &REED,
        72..=79 => &FLUTE,
        80 => &SQUARE_LEAD,
        81..=87 => &LEAD,
        91 => &CHOIR,
        88..=103 => &PAD,
        104..=111 => &PLUCK,
        _ => &BELL,
    }
}
