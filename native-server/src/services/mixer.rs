//! The mixer: channel strips and master are part of the composition.

use std::sync::Arc;

use engine_core::composition::{GAIN_DB_RANGE, PAN_RANGE, Track};
use engine_core::protocol::rest::{
    ChannelPatch, FieldError, MasterPatch, MasterStrip, MixerChannel, MixerState,
};
use uuid::Uuid;

use super::{CompositionStateService, Label, Precondition, ServiceError};
use crate::store::Stored;

/// Reads and changes the mixer of what plays. All of it is part of the composition, which every call answers with.
/// A caller may say which revisions of it a change is for.
pub struct MixerService {
    compositions: Arc<CompositionStateService>,
}

impl MixerService {
    /// A service for what `compositions` has loaded.
    pub fn new(compositions: Arc<CompositionStateService>) -> Self {
        Self { compositions }
    }

    /// All strips. Without a composition there are no channels, and the master is at 0 dB.
    pub fn state(&self) -> (Option<Stored>, MixerState) {
        let Ok(loaded) = self.compositions.loaded() else {
            return (None, MixerState { channels: Vec::new(), master: MasterStrip { gain_db: 0.0 } });
        };
        let channels = loaded.composition.tracks.iter().map(channel).collect();
        let master = master(&loaded);
        (Some(loaded), MixerState { channels, master })
    }

    /// The strip of a track.
    ///
    /// # Errors
    /// Unknown id.
    pub fn channel(&self, id: Uuid) -> Result<(Stored, MixerChannel), ServiceError> {
        found(self.compositions.loaded()?, id)
    }

    /// Changes the strip of a track; a change of the composition.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, or a value out of range.
    pub async fn patch_channel(
        &self,
        id: Uuid,
        precondition: &Precondition,
        patch: ChannelPatch,
    ) -> Result<(Stored, MixerChannel), ServiceError> {
        let mut errors = Vec::new();
        errors.extend(patch.gain_db.and_then(gain_error));
        errors.extend(patch.pan.filter(|pan| !PAN_RANGE.contains(pan)).map(|pan| FieldError {
            field: String::from("pan"),
            message: format!("{pan} is not between -1 and 1"),
        }));
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let (_, MixerChannel { name, .. }) = self.channel(id)?;
        let label = label_of(&patch, id, &name);
        let changed = self.compositions.change_loaded(precondition, label, move |spec| {
            let mut spec = spec.clone();
            let track = spec.tracks.iter_mut().find(|track| track.id == id).ok_or_else(|| no_channel(id))?;
            track.gain_db = patch.gain_db.unwrap_or(track.gain_db);
            track.pan = patch.pan.unwrap_or(track.pan);
            track.mute = patch.mute.unwrap_or(track.mute);
            track.solo = patch.solo.unwrap_or(track.solo);
            track.solo_safe = patch.solo_safe.unwrap_or(track.solo_safe);
            Ok(spec)
        });
        found(changed.await?, id)
    }

    /// Changes the master strip; a change of the composition.
    ///
    /// # Errors
    /// A value out of range, a revision that `precondition` does not allow, or nothing plays.
    pub async fn patch_master(
        &self,
        precondition: &Precondition,
        MasterPatch { gain_db }: MasterPatch,
    ) -> Result<(Stored, MasterStrip), ServiceError> {
        if let Some(error) = gain_db.and_then(gain_error) {
            return Err(ServiceError::Invalid(vec![error]));
        }
        let label = Label::gesture("gain_db of the master", "master gain_db");
        let changed = self.compositions.change_loaded(precondition, label, move |spec| {
            let mut spec = spec.clone();
            spec.master.gain_db = gain_db.unwrap_or(spec.master.gain_db);
            Ok(spec)
        });
        let changed = changed.await?;
        let strip = master(&changed);
        Ok((changed, strip))
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

fn found(stored: Stored, id: Uuid) -> Result<(Stored, MixerChannel), ServiceError> {
    let track = stored.composition.tracks.iter().find(|track| track.id == id);
    let channel = track.map(channel).ok_or_else(|| no_channel(id))?;
    Ok((stored, channel))
}

fn master(stored: &Stored) -> MasterStrip {
    MasterStrip { gain_db: stored.composition.master.gain_db }
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
