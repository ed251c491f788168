//! Compositions: kept, changed, and one of them played.

use std::sync::Arc;

use bytes::Bytes;
use engine_core::composition::{Composition, CompositionSpec};
use engine_core::control::{Command, Program};
use engine_core::engine::Project;
use engine_core::protocol::Directory;
use engine_core::protocol::rest::{CompositionPage, CompositionSummary};
use engine_core::units::SampleRate;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::changes::commands_between;
use super::samples::{Opened, open_file};
use super::{PATIENCE, SampleService, ServiceError, position_of};
use crate::audio::{EngineQueue, ToEngine};
use crate::publisher::{EngineState, Publisher};
use crate::store::{CompositionStore, Stored};

/// Revisions that a caller accepts (`If-Match`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any.
    #[default]
    None,
    /// One of these.
    Revisions(Vec<u64>),
}

impl Precondition {
    fn check(&self, stored: &Stored) -> Result<(), ServiceError> {
        match self {
            Self::Revisions(revisions) if !revisions.contains(&stored.revision) => {
                Err(crate::store::StoreError::Stale(stored.revision).into())
            }
            _ => Ok(()),
        }
    }
}

/// Holds the compositions, and has the engine play one.
pub struct CompositionStateService {
    store: Arc<dyn CompositionStore>,
    samples: Arc<SampleService>,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    rate: SampleRate,
    /// What plays. Held over every change, so that store and engine see changes in the same order.
    loaded: Mutex<Option<Uuid>>,
}

impl CompositionStateService {
    /// A service over a store; nothing plays yet.
    pub fn new(
        store: Arc<dyn CompositionStore>,
        samples: Arc<SampleService>,
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        rate: SampleRate,
    ) -> Self {
        Self { store, samples, engine, publisher, rate, loaded: Mutex::new(None) }
    }

    /// At most `limit` compositions after a cursor of an earlier page.
    ///
    /// # Errors
    /// A cursor that no page had.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<CompositionPage, ServiceError> {
        let after = position_of(cursor)?;
        let mut found = self.store.list(after, limit + 1).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let loaded = *self.loaded.lock().await;
        let next_cursor = found.last().filter(|_| has_more).map(|last| last.position.to_string());
        let items = found.iter().map(|stored| summary(stored, loaded)).collect();
        Ok(CompositionPage { items, next_cursor })
    }

    /// One composition.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn get(&self, id: Uuid) -> Result<Stored, ServiceError> {
        Ok(self.store.get(id).await?)
    }

    /// Adds a composition; what has no id gets one.
    ///
    /// # Errors
    /// A value out of range, a sample that is not there, or an id that exists.
    pub async fn create(&self, spec: CompositionSpec) -> Result<Stored, ServiceError> {
        let composition = validated(spec)?;
        // No sample may go between the check and the composition that uses it.
        let _loaded = self.loaded.lock().await;
        self.samples.check(&composition).await?;
        Ok(self.store.insert(composition).await?)
    }

    /// Adds the composition of a MIDI file or a recording; see [`open_file`].
    ///
    /// # Errors
    /// See there; nothing is kept then.
    pub async fn import(&self, file: Bytes, name: String, bpm: Option<f64>) -> Result<Stored, ServiceError> {
        let Opened { composition, samples } =
            self.samples.off_thread(move || open_file(file, &name, bpm)).await?;
        let mut kept = Vec::new();
        for sample in samples {
            kept.push(self.samples.put(sample).await?.id);
        }
        let created = self.create(composition.into_spec()).await;
        if created.is_err() {
            for id in kept {
                let _ = self.samples.remove(id).await;
            }
        }
        created
    }

    /// Removes a sample that no composition uses.
    ///
    /// # Errors
    /// Unknown id, or the composition that uses it.
    pub async fn remove_sample(&self, id: Uuid) -> Result<(), ServiceError> {
        let _loaded = self.loaded.lock().await;
        let mut after = None;
        loop {
            let page = self.store.list(after, 100).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.position);
            for Stored { composition, .. } in &page {
                if let Some((field, _)) = composition.sample_uses().find(|(_, used)| *used == id) {
                    return Err(ServiceError::InUse(format!(
                        "sample {id} is used by composition {} ({:?}) at {field}; change or delete that first",
                        composition.id, composition.name
                    )));
                }
            }
        }
        self.samples.remove(id).await
    }

    /// Changes a composition by a function of its present value. When it plays, the change is heard, and this
    /// returns when the engine has it.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, what `change` refuses, a value out of range, or a
    /// sample that is not there; nothing is changed then.
    pub async fn change(
        &self,
        id: Uuid,
        precondition: &Precondition,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let loaded = self.loaded.lock().await;
        self.change_locked(*loaded, id, precondition, change).await
    }

    /// Changes what plays; see [`Self::change`].
    ///
    /// # Errors
    /// As there, or nothing plays.
    pub async fn change_loaded(
        &self,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let loaded = self.loaded.lock().await;
        let id = loaded.ok_or_else(nothing_plays)?;
        self.change_locked(*loaded, id, &Precondition::None, change).await
    }

    async fn change_locked(
        &self,
        loaded: Option<Uuid>,
        id: Uuid,
        precondition: &Precondition,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let old = self.store.get(id).await?;
        precondition.check(&old)?;
        let spec = change(&old.composition)?;
        if spec.id != id && !spec.id.is_nil() {
            return Err(ServiceError::invalid(
                "id",
                format!("{} is not the id in the path, and ids cannot change", spec.id),
            ));
        }
        let composition = validated(CompositionSpec { id, ..spec })?;
        if composition == *old.composition {
            return Ok(old);
        }
        self.samples.check(&composition).await?;
        if loaded == Some(id) {
            // First the engine, which may be busy: then nothing was changed.
            self.play_change(&old.composition, &composition).await?;
        }
        Ok(self.store.replace(old.revision, composition).await?)
    }

    async fn play_change(&self, old: &Composition, new: &Composition) -> Result<(), ServiceError> {
        let (old_program, mut program) = (Program::compile(old), Program::compile(new));
        let messages: Vec<ToEngine> = match commands_between(&old_program, &program) {
            Some(commands) => commands.into_iter().map(ToEngine::Command).collect(),
            None => {
                self.samples.resolve(&mut program).await?;
                vec![ToEngine::Update(Box::new(Project::new(program, self.rate)))]
            }
        };
        let at = self.engine.send(messages)?;
        let taps = Directory::new(self.rate, Some(new));
        if taps != Directory::new(self.rate, Some(old)) {
            self.publisher.set_taps(taps, at);
        }
        self.publisher.state_after(at, PATIENCE).await;
        Ok(())
    }

    /// Removes a composition. When it plays, silence follows.
    ///
    /// # Errors
    /// Unknown id, or a revision that `precondition` does not allow.
    pub async fn remove(&self, id: Uuid, precondition: &Precondition) -> Result<(), ServiceError> {
        let mut loaded = self.loaded.lock().await;
        let stored = self.store.get(id).await?;
        precondition.check(&stored)?;
        if *loaded == Some(id) {
            let at =
                self.engine.send([ToEngine::Load(Box::new(Project::new(Program::default(), self.rate)))])?;
            self.publisher.set_taps(Directory::new(self.rate, None), at);
            self.publisher.state_after(at, PATIENCE).await;
            *loaded = None;
        }
        Ok(self.store.remove(id, stored.revision).await?)
    }

    /// Makes a composition what plays; the transport stands at its start. More commands may follow in the same
    /// quantum.
    ///
    /// # Errors
    /// Unknown id, a sample that is gone, or a busy engine.
    pub async fn load(&self, id: Uuid, then: &[Command]) -> Result<EngineState, ServiceError> {
        // Decoding takes seconds: before the lock, so that faders move meanwhile. It is kept as long as `_decoded`.
        let sample_ids = Program::compile(&self.store.get(id).await?.composition).sample_ids;
        let _decoded = self.samples.decoded(&sample_ids, self.rate).await?;
        let mut loaded = self.loaded.lock().await;
        let stored = self.store.get(id).await?;
        self.samples.check(&stored.composition).await?;
        let mut program = Program::compile(&stored.composition);
        self.samples.resolve(&mut program).await?;
        let load = ToEngine::Load(Box::new(Project::new(program, self.rate)));
        let commands = then.iter().copied().map(ToEngine::Command);
        let at = self.engine.send(Vec::from_iter(std::iter::once(load).chain(commands)))?;
        self.publisher.set_taps(Directory::new(self.rate, Some(&stored.composition)), at);
        *loaded = Some(id);
        Ok(self.publisher.state_after(at, PATIENCE).await)
    }

    /// What plays.
    ///
    /// # Errors
    /// Nothing does.
    pub async fn loaded(&self) -> Result<Stored, ServiceError> {
        let id = self.loaded.lock().await.ok_or_else(nothing_plays)?;
        Ok(self.store.get(id).await?)
    }
}

fn nothing_plays() -> ServiceError {
    ServiceError::NotFound(String::from(
        "no composition is loaded; POST /api/compositions/{id}/load makes one play",
    ))
}

fn validated(mut spec: CompositionSpec) -> Result<Composition, ServiceError> {
    spec.assign_ids(Uuid::new_v4);
    Ok(Composition::new(spec)?)
}

fn summary(stored: &Stored, loaded: Option<Uuid>) -> CompositionSummary {
    let composition = &stored.composition;
    CompositionSummary {
        id: composition.id,
        name: composition.name.clone(),
        n_tracks: u32::try_from(composition.tracks.len()).unwrap_or(u32::MAX),
        seconds: composition.tempo.seconds_from_ticks(f64::from(composition.length)),
        loaded: loaded == Some(composition.id),
    }
}
