//! A recording as a composition: one track, one audio clip.

use alloc::string::String;
use alloc::vec::Vec;

use uuid::Uuid;

use super::{AudioClip, Composition, CompositionError, CompositionSpec, Instrument, Track};
use crate::math::wide;
use crate::time::TempoMap;
use crate::units::Ticks;

impl Composition {
    /// All of a sample that lasts `seconds`, from the first beat on, at a steady `bpm`. The tempo has no influence
    /// on the sound; it places bars and beats. The track and the clip have no ids yet.
    ///
    /// # Errors
    /// A name, tempo or length that a composition may not have.
    pub fn from_audio(
        name: impl Into<String>,
        sample: Uuid,
        seconds: f64,
        bpm: f64,
    ) -> Result<Self, CompositionError> {
        let name = name.into();
        let tempo = TempoMap::constant(bpm);
        let tempo = tempo.map_err(|error| CompositionError::new("bpm", alloc::format!("{error}")))?;
        // Up to the next tick, so that the last frame is inside. Casts saturate, and validation refuses the rest.
        let length = wide::ceil(tempo.ticks_from_seconds(seconds)) as Ticks;
        let clip = AudioClip {
            id: Uuid::nil(),
            sample,
            start: 0,
            offset_seconds: 0.0,
            length_seconds: seconds,
            gain_db: 0.0,
            fade_in_seconds: 0.0,
            fade_out_seconds: 0.0,
        };
        let track =
            Track { audio_clips: Vec::from([clip]), ..Track::new(name.clone(), Instrument::default()) };
        let tracks = Vec::from([track]);
        Self::new(CompositionSpec { name, tempo, length, tracks, ..CompositionSpec::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_recording_is_inside() {
        let id = Uuid::from_u128(7);
        for (seconds, bpm, length) in [(1.0, 120.0, 1920), (1.000_01, 120.0, 1921), (0.000_02, 20.0, 1)] {
            let composition = Composition::from_audio("Take 1", id, seconds, bpm).unwrap();
            assert_eq!(composition.length, length, "{seconds} s at {bpm}");
            let clip = composition.tracks[0].audio_clips[0];
            assert_eq!((clip.sample, clip.start, clip.length_seconds), (id, 0, seconds));
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let field =
            |name, seconds, bpm| Composition::from_audio(name, Uuid::nil(), seconds, bpm).unwrap_err().field;
        assert_eq!(field("x", 1.0, 19.0), "bpm");
        assert_eq!(field("x", 1.0, f64::NAN), "bpm");
        assert_eq!(field("", 1.0, 120.0), "name");
        assert_eq!(field("x", 1e12, 120.0), "length");
        assert_eq!(field("x", 0.0, 120.0), "tracks[0].audio_clips[0].start");
    }
}
