//! Compositions: kept, changed, and one of them played.

use std::sync::Arc;

use engine_core::composition::{Composition, CompositionSpec, midi};
use engine_core::control::{Command, Program};
use engine_core::engine::Project;
use engine_core::protocol::Directory;
use engine_core::protocol::rest::{CompositionPage, CompositionSummary};
use engine_core::units::SampleRate;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::changes::commands_between;
use super::{PATIENCE, ServiceError};
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
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        rate: SampleRate,
    ) -> Self {
        Self { store, engine, publisher, rate, loaded: Mutex::new(None) }
    }

    /// At most `limit` compositions after a cursor of an earlier page.
    ///
    /// # Errors
    /// A cursor that no page had.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<CompositionPage, ServiceError> {
        let after = cursor.map(str::parse).transpose().map_err(|_| {
            ServiceError::invalid(
                "cursor",
                format!("{:?} is not a cursor of an earlier page", cursor.unwrap_or("")),
            )
        })?;
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
    /// A value out of range, or an id that exists.
    pub async fn create(&self, spec: CompositionSpec) -> Result<Stored, ServiceError> {
        Ok(self.store.insert(validated(spec)?).await?)
    }

    /// Adds the composition of a MIDI file.
    ///
    /// # Errors
    /// Not a MIDI file that can be played.
    pub async fn import(&self, bytes: &[u8], name: &str) -> Result<Stored, ServiceError> {
        self.create(midi::import(bytes, name)?.into_spec()).await
    }

    /// Changes a composition by a function of its present value. When it plays, the change is heard, and this
    /// returns when the engine has it.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, what `change` refuses, or a value out of
    /// range; nothing is changed then.
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
        if loaded == Some(id) {
            // First the engine, which may be busy: then nothing was changed.
            self.play_change(&old.composition, &composition).await?;
        }
        Ok(self.store.replace(old.revision, composition).await?)
    }

    async fn play_change(&self, old: &Composition, new: &Composition) -> Result<(), ServiceError> {
        let (old_program, program) = (Program::compile(old), Program::compile(new));
        let messages: Vec<ToEngine> = match commands_between(&old_program, &program) {
            Some(commands) => commands.into_iter().map(ToEngine::Command).collect(),
            None => vec![ToEngine::Update(Box::new(Project::new(program, self.rate)))],
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
    /// Unknown id, or a busy engine.
    pub async fn load(&self, id: Uuid, then: &[Command]) -> Result<EngineState, ServiceError> {
        let mut loaded = self.loaded.lock().await;
        let stored = self.store.get(id).await?;
        let program = Program::compile(&stored.composition);
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
