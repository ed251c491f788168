//! The parts of what measures and plays in an AudioWorklet, and where they begin.
//!
//! Streams of a topic need their part from the moment that they are subscribed; `partsOf` in wasm-client/src/wasm.ts says
//! which.

use crate::split::Part;

/// Each is `antiphon_NAME.wasm`.
pub(crate) const PARTS: [Part; 5] = [
    // Meters with loudness, transport and sound, and what all others need.
    Part { name: "analysis", below: None, exports: &[], entries: &[], pointed_to: &[] },
    Part {
        name: "spectrum",
        below: Some(0),
        exports: &[],
        entries: &[
            "4feed4unit12new_spectrum",
            "8spectrum17Spectrum$LT$F$GT$7process",
            "8spectrum17Spectrum$LT$F$GT$8snapshot",
            "drop_in_place$LT$engine_core..analysis..spectrum..Spectrum$GT$",
            "6binary15encode_spectrum",
            "6binary11encode_axis",
        ],
        pointed_to: &[],
    },
    Part {
        name: "music",
        below: Some(1),
        exports: &[],
        entries: &[
            "4unit8Listener3new",
            "4unit8Listener7process",
            "4unit8Listener8snapshot",
            "drop_in_place$LT$engine_core..analysis..music..Music$GT$",
            "4text11write_music",
        ],
        pointed_to: &[],
    },
    // Waveform, stereo image, needles, triggers and analytics.
    Part {
        name: "scope",
        below: Some(0),
        exports: &[],
        entries: &[
            "4feed4unit12new_waveform",
            "8waveform8Waveform7process",
            "8waveform8Waveform8snapshot",
            "6binary15encode_waveform",
            "4feed4unit10new_stereo",
            "6stereo6Stereo6points",
            "6binary13encode_stereo",
            "4feed4unit11new_needles",
            "10ballistics7Needles7process",
            "4feed4unit11new_trigger",
            "7trigger7Trigger7process",
            "4text13write_trigger",
            "4text15write_analytics",
        ],
        pointed_to: &[],
    },
    // The engine.
    Part {
        name: "worklet",
        below: Some(0),
        exports: &["init_engine", "begin_sample", "sample_plane", "keep_sample", "load", "update", "command"],
        entries: &["6engine6Engine7process17h"],
        pointed_to: &["4blep9EdgeTable3new"],
    },
];
