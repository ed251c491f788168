//! Tracks and clips of a composition, one at a time. Each change is one of the composition.

use engine_core::composition::{CompositionSpec, Track};
use engine_core::protocol::rest::AnyClip;
use uuid::Uuid;

use super::{CompositionStateService, Label, Precondition, ServiceError};
use crate::store::Stored;

/// A track of a composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackPath {
    /// Id of the composition.
    pub composition: Uuid,
    /// Id of the track.
    pub track: Uuid,
}

/// A clip of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipPath {
    /// Where the track is.
    pub track: TrackPath,
    /// Id of the clip.
    pub clip: Uuid,
}

/// The clips of a track: first those of notes, then those of samples.
pub fn clips_of(track: &Track) -> impl Iterator<Item = AnyClip> {
    let notes = track.clips.iter().cloned().map(AnyClip::Notes);
    notes.chain(track.audio_clips.iter().copied().map(AnyClip::Audio))
}

impl CompositionStateService {
    /// A track, and the composition that it is in.
    ///
    /// # Errors
    /// Unknown ids.
    pub async fn track(&self, path: TrackPath) -> Result<(Stored, Track), ServiceError> {
        found_track(self.get(path.composition).await?, path)
    }

    /// Adds a track at the end; what has no id gets one.
    ///
    /// # Errors
    /// Unknown composition, an id that exists, a revision that `precondition` does not allow, or a value out of
    /// range.
    pub async fn add_track(
        &self,
        composition: Uuid,
        precondition: &Precondition,
        mut track: Track,
    ) -> Result<(Stored, Track), ServiceError> {
        if track.id.is_nil() {
            track.id = Uuid::new_v4();
        }
        let path = TrackPath { composition, track: track.id };
        let label = Label::new(format!("added track {}", track.name));
        let mut prefix = String::new();
        let changed = self.change(composition, precondition, label, |spec| {
            if track_idx(spec, path).is_ok() {
                return Err(exists("track", path.track));
            }
            prefix = format!("tracks[{}].", spec.tracks.len());
            let mut spec = spec.clone();
            spec.tracks.push(track);
            Ok(spec)
        });
        let changed = changed.await;
        found_track(changed.map_err(|error| below(&prefix, error))?, path)
    }

    /// Changes a track by a function of its present value.
    ///
    /// # Errors
    /// Unknown ids, a revision that `precondition` does not allow, what `change` refuses, or a value out of range.
    pub async fn change_track(
        &self,
        path: TrackPath,
        precondition: &Precondition,
        change: impl FnOnce(&Track) -> Result<Track, ServiceError> + Send,
    ) -> Result<(Stored, Track), ServiceError> {
        let label = Label::new("changed a track");
        let mut prefix = String::new();
        let changed = self.change(path.composition, precondition, label, |spec| {
            let mut spec = spec.clone();
            let idx = track_idx(&spec, path)?;
            prefix = format!("tracks[{idx}].");
            let track = change(&spec.tracks[idx])?;
            check_id(track.id, path.track)?;
            spec.tracks[idx] = Track { id: path.track, ..track };
            Ok(spec)
        });
        let changed = changed.await;
        found_track(changed.map_err(|error| below(&prefix, error))?, path)
    }

    /// Removes a track.
    ///
    /// # Errors
    /// Unknown ids, or a revision that `precondition` does not allow.
    pub async fn remove_track(
        &self,
        path: TrackPath,
        precondition: &Precondition,
    ) -> Result<Stored, ServiceError> {
        self.change(path.composition, precondition, Label::new("removed a track"), |spec| {
            let mut spec = spec.clone();
            spec.tracks.remove(track_idx(&spec, path)?);
            Ok(spec)
        })
        .await
    }

    /// A clip, and the composition that it is in.
    ///
    /// # Errors
    /// Unknown ids.
    pub async fn clip(&self, path: ClipPath) -> Result<(Stored, AnyClip), ServiceError> {
        found_clip(self.get(path.track.composition).await?, path)
    }

    /// Adds a clip to a track; without an id it gets one.
    ///
    /// # Errors
    /// Unknown ids, a clip id that exists, a revision that `precondition` does not allow, or a value out of range.
    pub async fn add_clip(
        &self,
        path: TrackPath,
        precondition: &Precondition,
        mut clip: AnyClip,
    ) -> Result<(Stored, AnyClip), ServiceError> {
        if clip.id().is_nil() {
            clip.set_id(Uuid::new_v4());
        }
        let path = ClipPath { track: path, clip: clip.id() };
        let changed = self.change_clips(path, precondition, "added a clip", |track| {
            if find_clip(track, path.clip).is_ok() {
                return Err(exists("clip", path.clip));
            }
            put_clip(track, clip);
            Ok(())
        });
        found_clip(changed.await?, path)
    }

    /// Changes a clip by a function of its present value.
    ///
    /// # Errors
    /// Unknown ids, a revision that `precondition` does not allow, what `change` refuses, or a value out of range.
    pub async fn change_clip(
        &self,
        path: ClipPath,
        precondition: &Precondition,
        change: impl FnOnce(&AnyClip) -> Result<AnyClip, ServiceError> + Send,
    ) -> Result<(Stored, AnyClip), ServiceError> {
        let changed = self.change_clips(path, precondition, "changed a clip", |track| {
            let mut clip = change(&find_clip(track, path.clip)?)?;
            check_id(clip.id(), path.clip)?;
            clip.set_id(path.clip);
            put_clip(track, clip);
            Ok(())
        });
        found_clip(changed.await?, path)
    }

    /// Removes a clip.
    ///
    /// # Errors
    /// Unknown ids, or a revision that `precondition` does not allow.
    pub async fn remove_clip(
        &self,
        path: ClipPath,
        precondition: &Precondition,
    ) -> Result<Stored, ServiceError> {
        self.change_clips(path, precondition, "removed a clip", |track| {
            find_clip(track, path.clip)?;
            track.clips.retain(|clip| clip.id != path.clip);
            track.audio_clips.retain(|clip| clip.id != path.clip);
            Ok(())
        })
        .await
    }

    async fn change_clips(
        &self,
        path: ClipPath,
        precondition: &Precondition,
        label: &str,
        change: impl FnOnce(&mut Track) -> Result<(), ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let mut prefix = String::new();
        let changed = self.change(path.track.composition, precondition, Label::new(label), |spec| {
            let mut spec = spec.clone();
            let idx = track_idx(&spec, path.track)?;
            let track = &mut spec.tracks[idx];
            change(track)?;
            let field = match (notes_idx(track, path.clip), audio_idx(track, path.clip)) {
                (Some(clip), _) => format!("clips[{clip}]"),
                (None, Some(clip)) => format!("audio_clips[{clip}]"),
                (None, None) => String::new(),
            };
            prefix = format!("tracks[{idx}].{field}.");
            Ok(spec)
        });
        let changed = changed.await;
        changed.map_err(|error| below(&prefix, error))
    }
}

fn track_idx(spec: &CompositionSpec, path: TrackPath) -> Result<usize, ServiceError> {
    let idx = spec.tracks.iter().position(|track| track.id == path.track);
    let TrackPath { composition, track } = path;
    idx.ok_or_else(|| {
        ServiceError::NotFound(format!("there is no track {track} in composition {composition}"))
    })
}

fn notes_idx(track: &Track, id: Uuid) -> Option<usize> {
    track.clips.iter().position(|clip| clip.id == id)
}

fn audio_idx(track: &Track, id: Uuid) -> Option<usize> {
    track.audio_clips.iter().position(|clip| clip.id == id)
}

fn find_clip(track: &Track, id: Uuid) -> Result<AnyClip, ServiceError> {
    let no_clip = || ServiceError::NotFound(format!("there is no clip {id} on track {}", track.id));
    clips_of(track).find(|clip| clip.id() == id).ok_or_else(no_clip)
}

/// Puts a clip where the one of its id was, or at the end. A clip may change its kind.
fn put_clip(track: &mut Track, clip: AnyClip) {
    let id = clip.id();
    match clip {
        AnyClip::Notes(clip) => {
            track.audio_clips.retain(|other| other.id != id);
            match notes_idx(track, id) {
                Some(idx) => track.clips[idx] = clip,
                None => track.clips.push(clip),
            }
        }
        AnyClip::Audio(clip) => {
            track.clips.retain(|other| other.id != id);
            match audio_idx(track, id) {
                Some(idx) => track.audio_clips[idx] = clip,
                None => track.audio_clips.push(clip),
            }
        }
    }
}

fn found_track(stored: Stored, path: TrackPath) -> Result<(Stored, Track), ServiceError> {
    let track = stored.composition.tracks[track_idx(&stored.composition, path)?].clone();
    Ok((stored, track))
}

fn found_clip(stored: Stored, path: ClipPath) -> Result<(Stored, AnyClip), ServiceError> {
    let clip = find_clip(&stored.composition.tracks[track_idx(&stored.composition, path.track)?], path.clip)?;
    Ok((stored, clip))
}

fn exists(what: &str, id: Uuid) -> ServiceError {
    ServiceError::Exists(format!("there is a {what} {id} already; change it with PUT, or leave its id out"))
}

fn check_id(new: Uuid, old: Uuid) -> Result<(), ServiceError> {
    if new == old || new.is_nil() {
        return Ok(());
    }
    Err(ServiceError::invalid("id", format!("{new} is not the id in the path, and ids cannot change")))
}

/// Errors of a part name the fields of that part, and not of the composition around it.
fn below(prefix: &str, error: ServiceError) -> ServiceError {
    let ServiceError::Invalid(mut errors) = error else { return error };
    for error in &mut errors {
        if let Some(field) = error.field.strip_prefix(prefix) {
            error.field = field.to_string();
        }
    }
    ServiceError::Invalid(errors)
}
