//! The mixer: channel strips are part of the composition, the master is the server's own.

use std::sync::{Arc, Mutex, PoisonError};

use engine_core::composition::{GAIN_DB_RANGE, PAN_RANGE, Track};
use engine_core::control::{Command, StripChange, StripTarget};
use engine_core::protocol::rest::{
    ChannelPatch, FieldError, MasterPatch, MasterStrip, MixerChannel, MixerState,
};
use uuid::Uuid;

use super::{CompositionStateService, PATIENCE, ServiceError};
use crate::audio::{EngineQueue, ToEngine};
use crate::publisher::Publisher;

/// Reads and changes the mixer of what plays.
pub struct MixerService {
    compositions: Arc<CompositionStateService>,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    master: Mutex<MasterStrip>,
}

impl MixerService {
    /// The master starts at 0 dB.
    pub fn new(
        compositions: Arc<CompositionStateService>,
        engine: Arc<EngineQueue>,
        publisher: Publisher,
    ) -> Self {
        Self { compositions, engine, publisher, master: Mutex::new(MasterStrip { gain_db: 0.0 }) }
    }

    /// All strips. Without a composition there are no channels.
    pub async fn state(&self) -> MixerState {
        let loaded = self.compositions.loaded().await;
        let channels = loaded
            .map_or_else(|_| Vec::new(), |stored| stored.composition.tracks.iter().map(channel).collect());
        MixerState { channels, master: self.master() }
    }

    /// The strip of a track.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn channel(&self, id: Uuid) -> Result<MixerChannel, ServiceError> {
        let loaded = self.compositions.loaded().await?;
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
        let changed = self.compositions.change_loaded(|spec| {
            let mut spec = spec.clone();
            let track = spec.tracks.iter_mut().find(|track| track.id == id).ok_or_else(|| no_channel(id))?;
            track.gain_db = patch.gain_db.unwrap_or(track.gain_db);
            track.pan = patch.pan.unwrap_or(track.pan);
            track.mute = patch.mute.unwrap_or(track.mute);
            track.solo = patch.solo.unwrap_or(track.solo);
            Ok(spec)
        });
        find(&changed.await?.composition.tracks, id)
    }

    /// The master strip.
    pub fn master(&self) -> MasterStrip {
        *self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the master strip.
    ///
    /// # Errors
    /// A value out of range, or a busy engine.
    pub async fn patch_master(&self, patch: MasterPatch) -> Result<MasterStrip, ServiceError> {
        let Some(gain_db) = patch.gain_db else { return Ok(self.master()) };
        if let Some(error) = gain_error(gain_db) {
            return Err(ServiceError::Invalid(vec![error]));
        }
        let change = StripChange::GainDb(gain_db);
        let at = {
            // Held while sending, so that the last to be sent is the one that is kept.
            let mut master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
            let at = self
                .engine
                .send([ToEngine::Command(Command::SetStrip { target: StripTarget::Master, change })])?;
            master.gain_db = gain_db;
            at
        };
        self.publisher.state_after(at, PATIENCE).await;
        Ok(MasterStrip { gain_db })
    }
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
    }
}
