//! Sounds: the settings of the built-in synthesiser, and which General MIDI programme gets which.

use crate::dsp::envelope::AdsrSettings;
use crate::dsp::lfo::LfoSettings;
use crate::dsp::oscillator::Wave;
use crate::dsp::svf::FilterMode;

/// Oscillators that a note has at most.
pub(super) const MAX_UNISON: usize = 7;

/// Where the sound comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// Oscillators of one wave, detuned against each other and spread left and right.
    Subtractive(Oscillators),
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

/// The oscillators of a subtractive sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Oscillators {
    pub(super) wave: Wave,
    /// How many, 1 to [`MAX_UNISON`].
    pub(super) unison: usize,
    /// Distance of the outermost two, in cents.
    pub(super) detune: f32,
    /// How far left and right the outermost two are, 0 (mono) to 1.
    pub(super) width: f32,
    /// Level of a sine an octave below.
    pub(super) sub: f32,
    /// Level of white noise.
    pub(super) noise: f32,
}

/// A filter that moves with the note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FilterSettings {
    pub(super) mode: FilterMode,
    /// Cutoff above the note's own frequency, in octaves.
    pub(super) octaves: f32,
    /// Further opening by the envelope at full velocity, in octaves.
    pub(super) env_octaves: f32,
    /// The envelope.
    pub(super) env: AdsrSettings,
    /// Resonance, 0.5 and up.
    pub(super) q: f32,
}

/// What the LFO moves, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Movement {
    pub(super) lfo: LfoSettings,
    /// Pitch: vibrato, in cents.
    pub(super) cents: f32,
    /// Cutoff, in octaves.
    pub(super) octaves: f32,
    /// Width of a pulse.
    pub(super) width: f32,
}

impl Movement {
    /// Whether it moves anything.
    pub(super) fn is_any(&self) -> bool {
        self.cents != 0.0 || self.octaves != 0.0 || self.width != 0.0
    }
}

/// A sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patch {
    pub(super) source: Source,
    pub(super) amp: AdsrSettings,
    /// `None` leaves the source as it is.
    pub(super) filter: Option<FilterSettings>,
    pub(super) movement: Movement,
    /// Linear; set so that all patches are equally loud to 1.5 LU (tested), the bass 3 LU more.
    pub(super) gain: f32,
}

const fn adsr(attack: f32, decay: f32, sustain: f32, release: f32) -> AdsrSettings {
    AdsrSettings { attack, decay, sustain, release }
}

/// A low-pass that opens at once and falls back in `env_decay` seconds.
const fn filter(octaves: f32, env_octaves: f32, env_decay: f32, q: f32) -> Option<FilterSettings> {
    swell(octaves, env_octaves, adsr(0.001, env_decay, 0.0, env_decay), q)
}

const fn swell(octaves: f32, env_octaves: f32, env: AdsrSettings, q: f32) -> Option<FilterSettings> {
    Some(FilterSettings { mode: FilterMode::Low, octaves, env_octaves, env, q })
}

const fn unison(wave: Wave, unison: usize, detune: f32, width: f32) -> Oscillators {
    Oscillators { wave, unison, detune, width, sub: 0.0, noise: 0.0 }
}

/// Two oscillators that lean to either side: width without a hole in the middle.
const fn pair(wave: Wave, detune: f32) -> Oscillators {
    unison(wave, 2, detune, 0.45)
}

const VIBRATO: LfoSettings = LfoSettings { hz: 5.5, fade_seconds: 0.5 };

const fn vibrato(cents: f32) -> Movement {
    Movement { lfo: VIBRATO, cents, octaves: 0.0, width: 0.0 }
}

const PIANO: Patch = Patch {
    source: Source::Fm { ratio: 1.0, index: 0.28, index_decay: 0.5 },
    amp: adsr(0.002, 1.1, 0.0, 0.12),
    filter: None,
    movement: vibrato(0.0),
    gain: 0.201,
};
const ELECTRIC_PIANO: Patch = Patch {
    source: Source::Fm { ratio: 14.0, index: 0.09, index_decay: 0.12 },
    amp: adsr(0.002, 1.4, 0.0, 0.15),
    gain: 0.160,
    ..PIANO
};
const BELL: Patch = Patch {
    source: Source::Fm { ratio: 3.5, index: 0.35, index_decay: 0.7 },
    amp: adsr(0.001, 0.9, 0.0, 0.5),
    gain: 0.150,
    ..PIANO
};
const ORGAN: Patch = Patch {
    source: Source::Organ([0.5, 0.35, 0.22, 0.12]),
    amp: adsr(0.012, 0.1, 1.0, 0.05),
    filter: None,
    movement: vibrato(3.0),
    gain: 0.204,
};
const PLUCK: Patch = Patch {
    source: Source::Subtractive(pair(Wave::Saw, 4.0)),
    amp: adsr(0.002, 0.35, 0.0, 0.12),
    filter: filter(0.8, 4.0, 0.13, 0.9),
    movement: vibrato(0.0),
    gain: 0.299,
};
const BASS: Patch = Patch {
    source: Source::Subtractive(Oscillators { sub: 0.6, ..unison(Wave::Saw, 2, 3.0, 0.2) }),
    amp: adsr(0.004, 0.8, 0.45, 0.06),
    filter: filter(1.2, 2.6, 0.16, 1.1),
    movement: vibrato(0.0),
    gain: 0.227,
};
const STRINGS: Patch = Patch {
    source: Source::Subtractive(unison(Wave::Saw, 3, 15.0, 0.7)),
    amp: adsr(0.10, 0.4, 0.85, 0.28),
    filter: filter(2.4, 0.8, 0.6, 0.6),
    movement: vibrato(6.0),
    gain: 0.16,
};
const CHOIR: Patch = Patch {
    source: Source::Subtractive(pair(Wave::Pulse(0.38), 11.0)),
    amp: adsr(0.14, 0.5, 0.9, 0.35),
    filter: filter(1.5, 0.4, 0.8, 0.8),
    movement: Movement { width: 0.05, ..vibrato(9.0) },
    gain: 0.0984,
};
const BRASS: Patch = Patch {
    source: Source::Subtractive(pair(Wave::Saw, 7.0)),
    amp: adsr(0.035, 0.3, 0.8, 0.10),
    // The brightness of brass comes after the tone.
    filter: swell(1.3, 2.4, adsr(0.06, 0.4, 0.35, 0.15), 0.8),
    movement: vibrato(5.0),
    gain: 0.1666,
};
const REED: Patch = Patch {
    source: Source::Subtractive(Oscillators { noise: 0.02, ..unison(Wave::Pulse(0.5), 1, 0.0, 0.0) }),
    amp: adsr(0.03, 0.2, 0.85, 0.08),
    filter: filter(2.2, 0.8, 0.3, 0.7),
    movement: vibrato(8.0),
    gain: 0.1105,
};
const FLUTE: Patch = Patch {
    source: Source::Subtractive(Oscillators { noise: 0.04, ..unison(Wave::Triangle, 1, 0.0, 0.0) }),
    amp: adsr(0.045, 0.2, 0.9, 0.10),
    filter: filter(2.6, 0.4, 0.2, 0.6),
    movement: Movement { octaves: 0.15, ..vibrato(10.0) },
    gain: 0.1847,
};
const LEAD: Patch = Patch {
    source: Source::Subtractive(Oscillators { sub: 0.25, ..unison(Wave::Saw, 3, 11.0, 0.4) }),
    amp: adsr(0.008, 0.4, 0.75, 0.12),
    filter: filter(2.2, 2.0, 0.3, 1.3),
    movement: vibrato(9.0),
    gain: 0.1444,
};
/// One saw and nothing that moves but the filter: the plainest of synthesiser tones.
const SAW_LEAD: Patch = Patch {
    source: Source::Subtractive(unison(Wave::Saw, 1, 0.0, 0.0)),
    filter: filter(2.4, 1.6, 0.3, 0.9),
    movement: vibrato(0.0),
    gain: 0.1796,
    ..LEAD
};
const SQUARE_LEAD: Patch =
    Patch { source: Source::Subtractive(pair(Wave::Pulse(0.5), 7.0)), gain: 0.0909, ..LEAD };
const PAD: Patch = Patch {
    source: Source::Subtractive(Oscillators { sub: 0.2, ..unison(Wave::Saw, 5, 22.0, 0.9) }),
    amp: adsr(0.35, 0.8, 0.8, 0.7),
    filter: swell(1.6, 1.0, adsr(0.5, 1.2, 0.3, 0.8), 0.7),
    movement: Movement {
        lfo: LfoSettings { hz: 0.4, fade_seconds: 0.0 },
        cents: 4.0,
        octaves: 0.3,
        width: 0.0,
    },
    gain: 0.1426,
};
const SUPER_SAW: Patch = Patch {
    source: Source::Subtractive(unison(Wave::Saw, 7, 36.0, 1.0)),
    filter: filter(2.8, 1.6, 0.5, 0.7),
    movement: vibrato(0.0),
    gain: 0.1549,
    ..LEAD
};
const SWEEP_PAD: Patch = Patch {
    source: Source::Subtractive(pair(Wave::Pulse(0.4), 14.0)),
    filter: swell(0.8, 2.6, adsr(1.2, 1.5, 0.4, 0.9), 1.4),
    movement: Movement {
        lfo: LfoSettings { hz: 0.3, fade_seconds: 0.0 },
        cents: 3.0,
        octaves: 0.2,
        width: 0.25,
    },
    gain: 0.0897,
    ..PAD
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
        81 => &SAW_LEAD,
        86 | 90 => &SUPER_SAW,
        82..=85 | 87 => &LEAD,
        91 => &CHOIR,
        95 => &SWEEP_PAD,
        88..=103 => &PAD,
        104..=111 => &PLUCK,
        _ => &BELL,
    }
}
