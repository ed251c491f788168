//! Names for the numbers in frames.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::subscription::OptionError;
use crate::composition::Composition;
use crate::control::TapId;
use crate::units::SampleRate;

/// A tap as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Tap {
    /// Its number in binary frames.
    pub id: u16,
    /// `master`, `input`, or the track's name.
    pub name: String,
    /// The track's id, where it is one; also what `tap` in messages takes.
    pub track_id: Option<Uuid>,
}

/// What gives names to the numbers in frames: the sample rate, and the taps of the composition that plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// Frames per second of the engine.
    pub sample_rate: u32,
    /// Master first, input last.
    pub taps: Vec<Tap>,
}

impl Directory {
    /// The taps of a composition.
    pub fn new(rate: SampleRate, composition: Option<&Composition>) -> Self {
        let fixed = |id: TapId, name: &str| Tap { id: id.0, name: name.to_string(), track_id: None };
        let mut taps = Vec::from([fixed(TapId::MASTER, "master")]);
        for (index, track) in (0u16..).zip(composition.iter().flat_map(|c| &c.tracks)) {
            taps.push(Tap { id: TapId::track(index).0, name: track.name.clone(), track_id: Some(track.id) });
        }
        taps.push(fixed(TapId::INPUT, "input"));
        Self { sample_rate: rate.hz(), taps }
    }

    /// The tap that a client named: `master`, `input` or a track's id.
    ///
    /// # Errors
    /// No such tap.
    pub fn find(&self, name: &str) -> Result<TapId, OptionError> {
        let asked = Uuid::try_parse(name).ok();
        let is_it =
            |tap: &&Tap| if tap.track_id.is_some() { tap.track_id == asked } else { tap.name == name };
        self.taps.iter().find(is_it).map(|tap| TapId(tap.id)).ok_or_else(|| {
            OptionError::new(
                "tap",
                format!("\"{name}\" is not master, input or the id of a track that plays"),
            )
        })
    }

    /// The tap of a number.
    pub fn get(&self, id: TapId) -> Option<&Tap> {
        self.taps.iter().find(|tap| tap.id == id.0)
    }

    /// What `tap` says in JSON frames: `master`, `input` or the track's id.
    pub fn key(&self, id: TapId) -> String {
        match self.get(id) {
            Some(Tap { track_id: Some(track), .. }) => track.to_string(),
            Some(tap) => tap.name.clone(),
            None => id.0.to_string(),
        }
    }
}
