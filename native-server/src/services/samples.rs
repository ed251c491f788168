//! Samples: files with sound in them, kept as they came and decoded for the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use audio_files::Audio;
use bytes::Bytes;
use engine_core::composition::{Composition, CompositionSpec, midi};
use engine_core::control::{Program, Sample};
use engine_core::protocol::rest::{FieldError, SampleInfo, SamplePage};
use engine_core::units::SampleRate;
use uuid::Uuid;

use super::ServiceError;
use crate::store::SampleStore;

/// Longest MIDI file.
pub const MAX_MIDI_BYTES: usize = 8 << 20;
/// Longest file of a recording.
pub const MAX_FILE_BYTES: usize = 128 << 20;
/// Longest recording.
pub const MAX_SECONDS: u64 = audio_files::MAX_SAMPLE_SECONDS;
/// All files together.
pub const MAX_TOTAL_BYTES: u64 = 1 << 30;

/// Tempo of a composition that is made of a recording, unless another one is asked for.
const DEFAULT_BPM: f64 = 120.0;

/// A file that was found to be a sample, and is not kept yet.
#[derive(Clone, Debug)]
pub struct NewSample {
    /// What it is. Its id is new.
    pub info: SampleInfo,
    /// The file itself.
    pub file: Bytes,
}

impl NewSample {
    /// Decodes a file. Takes its time: not for an async thread.
    ///
    /// # Errors
    /// Not audio that can be decoded, too long, or a name that is none.
    pub fn read(file: Bytes, name: &str) -> Result<Self, ServiceError> {
        let n_chars = name.chars().count();
        if !(1..=200).contains(&n_chars) {
            return Err(ServiceError::invalid("name", format!("{n_chars} characters; 1 to 200 are allowed")));
        }
        if file.len() > MAX_FILE_BYTES {
            let detail = format!("the file has {} bytes; {MAX_FILE_BYTES} are allowed", file.len());
            return Err(ServiceError::TooLarge(detail));
        }
        let audio = decode(file.clone())?;
        let info = SampleInfo {
            id: Uuid::new_v4(),
            name: name.to_string(),
            media_type: audio_files::media_type(&file).to_string(),
            bytes: u32::try_from(file.len()).unwrap_or(u32::MAX),
            // In range: the longest recording at the highest rate has 1.4 · 10⁹ frames.
            frames: u32::try_from(audio.len()).unwrap_or(u32::MAX),
            sample_rate: audio.rate,
            channels: audio.channels.len() as u8,
            seconds: audio.len() as f64 / f64::from(audio.rate),
            is_damaged: audio.n_damaged > 0 || audio.is_cut_short,
        };
        Ok(Self { info, file })
    }
}

/// What the engine plays of a file, at `rate`. Takes its time: not for an async thread.
///
/// # Errors
/// Not audio that can be decoded.
pub fn sample(file: Bytes, rate: SampleRate) -> Result<Sample, ServiceError> {
    Ok(decode(file)?.into_sample(rate))
}

fn decode(file: Bytes) -> Result<Audio, ServiceError> {
    audio_files::decode_within(file, MAX_SECONDS).map_err(|error| ServiceError::Audio(error.to_string()))
}

/// A composition that was made of a file, and the samples that it needs.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the file is.
    pub composition: Composition,
    /// None for a MIDI file, one for a recording.
    pub samples: Vec<NewSample>,
}

/// Makes a composition of a MIDI file or a recording; a recording starts at the first beat at `bpm`, or at 120. Takes
/// its time: not for an async thread.
///
/// # Errors
/// Neither of the two, or values that a composition may not have.
pub fn open_file(file: Bytes, name: &str, bpm: Option<f64>) -> Result<Opened, ServiceError> {
    if file.starts_with(b"MThd") {
        if file.len() > MAX_MIDI_BYTES {
            let detail = format!("the MIDI file has {} bytes; {MAX_MIDI_BYTES} are allowed", file.len());
            return Err(ServiceError::TooLarge(detail));
        }
        if bpm.is_some() {
            return Err(ServiceError::invalid("bpm", "a MIDI file brings its own tempo; leave bpm out"));
        }
        return Ok(Opened { composition: midi::import(&file, name)?, samples: Vec::new() });
    }
    let sample = NewSample::read(file, name).map_err(|error| match error {
        ServiceError::Audio(detail) => ServiceError::Audio(format!(
            "neither a Standard MIDI File, which starts with MThd, nor a recording: {detail}"
        )),
        other => other,
    })?;
    let bpm = bpm.unwrap_or(DEFAULT_BPM);
    let composition = Composition::from_audio(name, sample.info.id, sample.info.seconds, bpm)?;
    Ok(Opened { composition, samples: vec![sample] })
}

/// Keeps samples, and decodes them for those who play.
pub struct SampleService {
    store: Arc<dyn SampleStore>,
    /// The engine's.
    rate: SampleRate,
    /// Decoded samples that a program still holds: playing decodes each once, and nobody has to free them.
    in_use: Mutex<HashMap<Uuid, Weak<Sample>>>,
    /// Held while one is added, so that the sum is right.
    adding: tokio::sync::Mutex<()>,
    /// Decoders that run at once. Each takes a core, and one must be left for the sound card.
    decoders: tokio::sync::Semaphore,
}

impl SampleService {
    /// A service over a store, for an engine at `rate`.
    pub fn new(store: Arc<dyn SampleStore>, rate: SampleRate) -> Self {
        let decoders = tokio::sync::Semaphore::new(1);
        Self { store, rate, in_use: Mutex::default(), adding: tokio::sync::Mutex::default(), decoders }
    }

    /// At most `limit` samples after a cursor of an earlier page.
    ///
    /// # Errors
    /// A cursor that no page had.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<SamplePage, ServiceError> {
        let after = super::position_of(cursor)?;
        let mut found = self.store.list(after, limit + 1).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| has_more).map(|last| last.position.to_string());
        Ok(SamplePage { items: found.into_iter().map(|stored| stored.info).collect(), next_cursor })
    }

    /// One sample.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn info(&self, id: Uuid) -> Result<SampleInfo, ServiceError> {
        self.store.info(id).await?.ok_or_else(|| no_sample(id))
    }

    /// Its file, as it came.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn file(&self, id: Uuid) -> Result<Bytes, ServiceError> {
        self.store.file(id).await?.ok_or_else(|| no_sample(id))
    }

    /// Runs what decodes on a thread of its own.
    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let failed = |error: &dyn std::fmt::Display| ServiceError::Audio(format!("decoding failed: {error}"));
        let _permit = self.decoders.acquire().await.map_err(|error| failed(&error))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
    }

    /// Decodes a file and keeps it.
    ///
    /// # Errors
    /// See [`NewSample::read`], or no room; nothing is kept then.
    pub async fn add(&self, file: Bytes, name: String) -> Result<SampleInfo, ServiceError> {
        let sample = self.off_thread(move || NewSample::read(file, &name)).await?;
        self.put(sample).await
    }

    /// Keeps a sample.
    ///
    /// # Errors
    /// No room.
    pub async fn put(&self, NewSample { info, file }: NewSample) -> Result<SampleInfo, ServiceError> {
        let _adding = self.adding.lock().await;
        let total = self.store.total_bytes().await?;
        if total + file.len() as u64 > MAX_TOTAL_BYTES {
            return Err(ServiceError::TooLarge(format!(
                "samples take {total} bytes already, and this one has {}; {MAX_TOTAL_BYTES} are allowed: delete some",
                file.len()
            )));
        }
        self.store.put(info.clone(), file).await?;
        Ok(info)
    }

    /// Removes a sample that nothing uses; see
    /// [`CompositionStateService::remove_sample`](super::CompositionStateService::remove_sample).
    pub(super) async fn remove(&self, id: Uuid) -> Result<(), ServiceError> {
        if self.store.remove(id).await? { Ok(()) } else { Err(no_sample(id)) }
    }

    /// Whether all samples that a composition names are there.
    ///
    /// # Errors
    /// The fields that name others.
    pub(super) async fn check(&self, spec: &CompositionSpec) -> Result<(), ServiceError> {
        let mut is_there = HashMap::new();
        let mut errors = Vec::new();
        for (field, id) in spec.sample_uses() {
            let known = match is_there.get(&id) {
                Some(known) => *known,
                None => self.store.info(id).await?.is_some(),
            };
            is_there.insert(id, known);
            if !known {
                let message = format!("there is no sample {id}; POST /api/samples adds one");
                errors.push(FieldError { field, message });
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(errors)) }
    }

    /// Gives a program its samples, at the engine's rate.
    ///
    /// # Errors
    /// A file that cannot be decoded.
    pub(super) async fn resolve(&self, program: &mut Program) -> Result<(), ServiceError> {
        let samples = self.decoded(&program.sample_ids, self.rate).await?;
        program.resolve(|id| samples.get(id).cloned());
        Ok(())
    }

    /// Samples at a rate, by id; those that are not there are missing.
    ///
    /// # Errors
    /// A file that cannot be decoded.
    pub async fn decoded(
        &self,
        ids: &[Uuid],
        rate: SampleRate,
    ) -> Result<HashMap<Uuid, Arc<Sample>>, ServiceError> {
        let mut samples = HashMap::new();
        for &id in ids {
            let known = if rate == self.rate { self.playing(id) } else { None };
            let decoded = match known {
                Some(sample) => sample,
                None => {
                    let Some(file) = self.store.file(id).await? else { continue };
                    let decoded = Arc::new(self.off_thread(move || sample(file, rate)).await?);
                    if rate == self.rate {
                        self.remember(id, &decoded);
                    }
                    decoded
                }
            };
            samples.insert(id, decoded);
        }
        Ok(samples)
    }

    fn playing(&self, id: Uuid) -> Option<Arc<Sample>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).get(&id)?.upgrade()
    }

    fn remember(&self, id: Uuid, sample: &Arc<Sample>) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|_, sample| sample.strong_count() > 0);
        in_use.insert(id, Arc::downgrade(sample));
    }
}

fn no_sample(id: Uuid) -> ServiceError {
    ServiceError::NotFound(format!("there is no sample {id}"))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::store::{StoreError, StoredSample};

    /// A store that says how full it is, and must not be given more.
    struct Full(u64);

    #[async_trait]
    impl SampleStore for Full {
        async fn list(&self, _: Option<u64>, _: usize) -> Result<Vec<StoredSample>, StoreError> {
            Ok(Vec::new())
        }
        async fn info(&self, _: Uuid) -> Result<Option<SampleInfo>, StoreError> {
            Ok(None)
        }
        async fn file(&self, _: Uuid) -> Result<Option<Bytes>, StoreError> {
            Ok(None)
        }
        async fn total_bytes(&self) -> Result<u64, StoreError> {
            Ok(self.0)
        }
        async fn put(&self, info: SampleInfo, _: Bytes) -> Result<(), StoreError> {
            assert!(self.0 + u64::from(info.bytes) <= MAX_TOTAL_BYTES);
            Ok(())
        }
        async fn remove(&self, _: Uuid) -> Result<bool, StoreError> {
            Ok(false)
        }
    }

    #[tokio::test]
    async fn all_samples_together_have_a_limit() {
        let flac = Bytes::from_static(include_bytes!("../../../audio-files/tests/data/tone.flac"));
        let with = |total| SampleService::new(Arc::new(Full(total)), SampleRate::DEFAULT);
        let room = MAX_TOTAL_BYTES - flac.len() as u64;
        assert!(with(room).add(flac.clone(), String::from("a")).await.is_ok());
        let refused = with(room + 1).add(flac, String::from("a")).await.unwrap_err();
        assert!(matches!(&refused, ServiceError::TooLarge(text) if text.contains("1073741824")), "{refused}");
    }
}
