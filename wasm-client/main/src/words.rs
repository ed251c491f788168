//! The words that options and frames have for what is one of a few.
//!
//! serde knows them too, but its readers and writers are 700 bytes for each enum. A test holds the two together.

use engine_core::analysis::ballistics::Ballistics;
use engine_core::analysis::spectrum::{Scale, Weighting};
use engine_core::analysis::trigger::{LoudnessMeasure, TriggerKind};
use engine_core::analysis::waveform::WaveformMode;
use engine_core::dsp::window::Window;
use engine_core::protocol::AudioFormat;
use wasm_bindgen::JsValue;

use crate::from_js::{Errors, FromJs, word};
use crate::to_js::ToJs;

macro_rules! words {
    ($($type:ident { $($variant:ident $word:literal),* })*) => {
        $(impl FromJs for $type {
            fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
                const ALL: &[$type] = &[$($type::$variant),*];
                ALL[word(js, &[$($word),*], errors)]
            }
        }

        impl ToJs for $type {
            fn to_js(&self) -> JsValue {
                JsValue::from_str(match self {
                    $(Self::$variant => $word),*
                })
            }
        })*

        #[cfg(test)]
        mod tests {
            use super::*;
            use serde_json::{from_value, to_value};

            #[test]
            fn words_are_those_of_serde() {
                $(
                    $(assert_eq!(to_value($type::$variant).unwrap(), $word);)*
                    // What is not one of them is refused with a list of all.
                    let error = from_value::<$type>("-".into()).unwrap_err().to_string();
                    assert_eq!(error.matches('`').count() / 2 - 1, [$($word),*].len(), "{error}");
                )*
            }
        }
    };
}

words! {
    AudioFormat { I16 "i16", F32 "f32" }
    Ballistics { Peak "peak", Ppm1 "ppm1", Ppm2 "ppm2", Vu "vu", K12 "k12", K14 "k14", K20 "k20" }
    LoudnessMeasure { Momentary "momentary", ShortTerm "short_term", Integrated "integrated" }
    Scale { Linear "linear", Log "log", Mel "mel", Bark "bark", Octave "octave" }
    TriggerKind { Clip "clip", Silence "silence", Loudness "loudness" }
    WaveformMode { Scope "scope", Buckets "buckets" }
    Weighting { None "none", A "a", C "c", Z "z" }
    Window {
        Hann "hann", Hamming "hamming", Blackman "blackman", BlackmanHarris "blackman_harris", FlatTop "flat_top",
        Rectangular "rectangular"
    }
}
