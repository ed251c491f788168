//! The mixer: channel strips and master are part of the composition.

use std::sync::Arc;

use engine_core::composition::{CompositionSpec, GAIN_DB_RANGE, PAN_RANGE, Track};
use engine_core::protocol::rest::{
    ChannelPatch, FieldError, MasterPatch, MasterStrip, MixerChannel, MixerState,
};
use uuid::Uuid;

use super::{CompositionStateService, Label, ServiceError};

/// Reads and changes the mixer of what plays. All of it is part of the composition.
pub struct MixerService {
    compositions: Arc<CompositionStateService>,
}

impl MixerService {
    /// A service for what `compositions` has loaded.
    pub fn new(compositions: Arc<CompositionStateService>) -> Self {
        Self { compositions }
    }

    /// All strips. Without a composition there are no channels, and the master is at 0 dB.
    pub async fn state(&self) -> MixerState {
        let Ok(loaded) = self.compositions.loaded() else {
            return MixerState { channels: Vec::new(), master: MasterStrip { gain_db: 0.0 } };
        };
        let CompositionSpec { tracks, master, .. } = &**loaded.composition;
        MixerState {
            channels: tracks.iter().map(channel).collect(),
            master: MasterStrip { gain_db: master.gain_db },
        }
    }

    /// The strip of a track.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn channel(&self, id: Uuid) -> Result<MixerChannel, ServiceError> {
        let loaded = self.compositions.loaded()?;
        find(&loaded.composition.tracks, id)
    }

    /// Changes the strip of a track; a change of the composition.
    ///
    /// # Errors
    /// Unknown id, or a value out of range.
    pub async fn patch_channel(&self, id: Uuid, patch: ChannelPatch) -> Result<MixerChannel, ServiceError> {
        let mut errors = Vec::new();
        errors.extend(patch.gain_db.and_then(gain_error));
        errors.extend(patch.pan.filter(|pan| !PAN_RANGE.contains(pan)).map(|pan| FieldError {
            field: String::from("pan"),
            message: format!("{pan} is not between -1 and 1"),
        }));
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let loaded = self.compositions.loaded()?;
        let MixerChannel { name, .. } = find(&loaded.composition.tracks, id)?;
        let label = label_of(&patch, id, &name);
        let changed = self.compositions.change_loaded(label, move |spec| {
            let mut spec = spec.clone();
            let track = spec.tracks.iter_mut().find(|track| track.id == id).ok_or_else(|| no_channel(id))?;
            track.gain_db = patch.gain_db.unwrap_or(track.gain_db);
            track.pan = patch.pan.unwrap_or(track.pan);
            track.mute = patch.mute.unwrap_or(track.mute);
            track.solo = patch.solo.unwrap_or(track.solo);
            track.solo_safe = patch.solo_safe.unwrap_or(track.solo_safe);
            Ok(spec)
        });
        find(&changed.await?.composition.tracks, id)
    }

    /// The master strip.
    pub async fn master(&self) -> MasterStrip {
        self.state().await.master
    }

    /// Changes the master strip; a change of the composition.
    ///
    /// # Errors
    /// A value out of range, or nothing plays.
    pub async fn patch_master(&self, patch: MasterPatch) -> Result<MasterStrip, ServiceError> {
        let Some(gain_db) = patch.gain_db else { return Ok(self.master().await) };
        if let Some(error) = gain_error(gain_db) {
            return Err(ServiceError::Invalid(vec![error]));
        }
        let label = Label::gesture("gain_db of the master", "master gain_db");
        let changed = self.compositions.change_loaded(label, move |spec| {
            let mut spec = spec.clone();
            spec.master.gain_db = gain_db;
            Ok(spec)
        });
        Ok(MasterStrip { gain_db: changed.await?.composition.master.gain_db })
    }
}

/// Faders and pans are dragged; switches are not.
fn label_of(patch: &ChannelPatch, id: Uuid, name: &str) -> Label {
    let ChannelPatch { gain_db, pan, mute, solo, solo_safe } = patch;
    let is_switch = mute.is_some() || solo.is_some() || solo_safe.is_some();
    let fields = [
        ("gain_db", gain_db.is_some()),
        ("pan", pan.is_some()),
        ("mute", mute.is_some()),
        ("solo", solo.is_some()),
        ("solo_safe", solo_safe.is_some()),
    ];
    let fields = Vec::from_iter(fields.into_iter().filter(|field| field.1).map(|field| field.0)).join(", ");
    let text = format!("{fields} of {name}");
    if is_switch { Label::new(text) } else { Label::gesture(text, format!("{id} {fields}")) }
}

fn gain_error(gain_db: f32) -> Option<FieldError> {
    (!GAIN_DB_RANGE.contains(&gain_db)).then(|| FieldError {
        field: String::from("gain_db"),
        message: format!("{gain_db} is not between -120 and 12 dB"),
    })
}

fn no_channel(id: Uuid) -> ServiceError {
    ServiceError::NotFound(format!("there is no mixer channel {id}; its id is that of a track of what plays"))
}

fn find(tracks: &[Track], id: Uuid) -> Result<MixerChannel, ServiceError> {
    tracks.iter().find(|track| track.id == id).map(channel).ok_or_else(|| no_channel(id))
}

fn channel(track: &Track) -> MixerChannel {
    MixerChannel {
        id: track.id,
        name: track.name.clone(),
        color: track.color.clone(),
        gain_db: track.gain_db,
        pan: track.pan,
        mute: track.mute,
        solo: track.solo,
        solo_safe: track.solo_safe,
    }
}
