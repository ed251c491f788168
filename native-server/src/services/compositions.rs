//! Compositions: kept, changed, and one of them played.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use engine_core::composition::{Composition, CompositionSpec};
use engine_core::control::Command;
use engine_core::protocol::rest::{CompositionPage, CompositionSummary, HistoryPage, HistoryStep};
use engine_core::units::SampleRate;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use super::player::Player;
use super::samples::{Opened, open_file};
use super::{SampleService, ServiceError, position_of};
use crate::audio::EngineQueue;
use crate::publisher::{EngineState, Publisher, unix_ms};
use crate::store::{Change, CompositionStore, Direction, Listed, Loaded, StoreError, Stored};

/// States that a caller accepts (`If-Match`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any.
    #[default]
    None,
    /// One of these compositions at its revision.
    Revisions(Vec<(Uuid, u64)>),
}

impl Precondition {
    fn check(&self, stored: &Stored) -> Result<(), ServiceError> {
        match self {
            Self::Revisions(revisions) if !revisions.contains(&(stored.id(), stored.revision)) => {
                Err(StoreError::Stale(stored.revision).into())
            }
            _ => Ok(()),
        }
    }
}

/// What a change is called in the history.
#[derive(Clone, Debug)]
pub struct Label {
    text: String,
    gesture: Option<String>,
}

impl Label {
    /// A change that stands for itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), gesture: None }
    }

    /// One of the many small changes that a fader makes while it is dragged; together they are one step.
    pub fn gesture(text: impl Into<String>, name: impl Into<String>) -> Self {
        Self { text: text.into(), gesture: Some(name.into()) }
    }

    fn now(self) -> Change {
        Change { label: self.text, gesture: self.gesture, at: unix_ms() as u64 }
    }
}

/// Holds the compositions, and has the engine play one.
pub struct CompositionStateService {
    inner: Arc<Inner>,
    /// Held over every change, so that store and engine see changes in the same order.
    turn: Arc<Mutex<()>>,
}

struct Inner {
    store: Arc<dyn CompositionStore>,
    samples: Arc<SampleService>,
    player: Player,
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
        let player = Player::new(engine, publisher, rate, samples.clone());
        Self { inner: Arc::new(Inner { store, samples, player }), turn: Arc::default() }
    }

    /// At most `limit` compositions after a cursor of an earlier page.
    ///
    /// # Errors
    /// A cursor that no page had.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<CompositionPage, ServiceError> {
        let mut found = self.inner.store.list(position_of(cursor)?, limit + 1).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let loaded = self.inner.player.playing().map(|playing| playing.id());
        let next_cursor = found.last().filter(|_| has_more).map(|last| last.position.to_string());
        let items = found.into_iter().map(|listed| summary(listed, loaded)).collect();
        Ok(CompositionPage { items, next_cursor })
    }

    /// One composition.
    ///
    /// # Errors
    /// Unknown id.
    pub async fn get(&self, id: Uuid) -> Result<Stored, ServiceError> {
        Ok(self.inner.store.get(id).await?)
    }

    /// Adds a composition; what has no id gets one.
    ///
    /// # Errors
    /// A value out of range, a sample that is not there, or an id that exists.
    pub async fn create(&self, spec: CompositionSpec, label: Label) -> Result<Stored, ServiceError> {
        let composition = validated(spec)?;
        // No sample may go between the check and the composition that uses it.
        let _turn = self.turn().await;
        self.inner.samples.check(&composition).await?;
        Ok(self.inner.store.insert(composition, label.now()).await?)
    }

    /// Adds the composition of a MIDI file or a recording; see [`open_file`].
    ///
    /// # Errors
    /// See there, or a name that is too long; nothing is kept then.
    pub async fn import(&self, file: Bytes, name: String, bpm: Option<f64>) -> Result<Stored, ServiceError> {
        // Names in files are cut; what was asked for is not.
        let n_chars = name.chars().count();
        if n_chars > 200 {
            return Err(ServiceError::invalid("name", format!("{n_chars} characters; 1 to 200 are allowed")));
        }
        let samples_of = &self.inner.samples;
        let Opened { composition, samples } =
            samples_of.off_thread(move || open_file(file, &name, bpm)).await?;
        let mut kept = Vec::new();
        for sample in samples {
            kept.push(samples_of.put(sample).await?.id);
        }
        let created = self.create(composition.into_spec(), Label::new("imported")).await;
        if created.is_err() {
            for id in kept {
                let _ = samples_of.remove(id).await;
            }
        }
        created
    }

    /// Removes a sample that no composition uses. Some may have used it before; what would need it again cannot be
    /// undone then.
    ///
    /// # Errors
    /// Unknown id, or the composition that uses it.
    pub async fn remove_sample(&self, id: Uuid) -> Result<(), ServiceError> {
        let _turn = self.turn().await;
        let store = &self.inner.store;
        let mut after = None;
        loop {
            let page = store.list(after, 100).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.position);
            for listed in &page {
                let composition = store.get(listed.id).await?.composition;
                if let Some((field, _)) = composition.sample_uses().find(|(_, used)| *used == id) {
                    return Err(ServiceError::InUse(format!(
                        "sample {id} is used by composition {} ({:?}) at {field}; change or delete that first",
                        composition.id, composition.name
                    )));
                }
            }
        }
        self.inner.samples.remove(id).await
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
        label: Label,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let turn = self.turn().await;
        self.change_in_turn(turn, id, precondition, label, change).await
    }

    /// Changes what plays; see [`Self::change`].
    ///
    /// # Errors
    /// As there, or nothing plays.
    pub async fn change_loaded(
        &self,
        precondition: &Precondition,
        label: Label,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let turn = self.turn().await;
        let id = self.loaded()?.id();
        self.change_in_turn(turn, id, precondition, label, change).await
    }

    async fn change_in_turn(
        &self,
        turn: OwnedMutexGuard<()>,
        id: Uuid,
        precondition: &Precondition,
        label: Label,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let old = self.inner.store.get(id).await?;
        precondition.check(&old)?;
        let spec = change(&old.composition)?;
        if spec.id != id && !spec.id.is_nil() {
            let message = format!("{} is not the id in the path, and ids cannot change", spec.id);
            return Err(ServiceError::invalid("id", message));
        }
        let composition = validated(CompositionSpec { id, ..spec })?;
        if composition == *old.composition {
            return Ok(old);
        }
        self.inner.samples.check(&composition).await?;
        let inner = self.inner.clone();
        complete(turn, async move {
            let heard = inner.player.prepare_for(id, &composition).await?;
            let new = inner.store.replace(old.revision, composition, label.now()).await?;
            if let Some((place, prepared)) = heard {
                inner.player.go_on_with(place, prepared, &new).await;
            }
            Ok(new)
        })
        .await
    }

    /// Goes one step back or forth in a composition's history. When it plays, that is heard.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, no step there, or one whose samples are gone.
    pub async fn travel(
        &self,
        id: Uuid,
        precondition: &Precondition,
        direction: Direction,
    ) -> Result<Stored, ServiceError> {
        let turn = self.turn().await;
        let old = self.inner.store.get(id).await?;
        precondition.check(&old)?;
        let inner = self.inner.clone();
        complete(turn, async move {
            let target = inner.store.beside(id, direction).await?;
            inner.samples.check(&target).await.map_err(without_samples)?;
            let heard = inner.player.prepare_for(id, &target).await?;
            let new = inner.store.travel(id, old.revision, direction).await?;
            if let Some((place, prepared)) = heard {
                inner.player.go_on_with(place, prepared, &new).await;
            }
            Ok(new)
        })
        .await
    }

    /// At most `limit` steps of a composition's history after a cursor of an earlier page, the newest first.
    ///
    /// # Errors
    /// Unknown id, or a cursor that no page had.
    pub async fn history(
        &self,
        id: Uuid,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let history = self.inner.store.history(id, position_of(cursor)?, limit).await?;
        let last = history.steps.last().filter(|last| last.number > history.oldest);
        Ok(HistoryPage {
            next_cursor: last.map(|last| last.number.to_string()),
            can_undo: history.current > history.oldest,
            can_redo: history.current < history.newest,
            items: history
                .steps
                .into_iter()
                .map(|step| HistoryStep {
                    step: step.number,
                    label: step.change.label,
                    changed_at: step.change.at as f64,
                    current: step.number == history.current,
                })
                .collect(),
        })
    }

    /// Removes a composition. When it plays, silence follows.
    ///
    /// # Errors
    /// Unknown id, or a revision that `precondition` does not allow.
    pub async fn remove(&self, id: Uuid, precondition: &Precondition) -> Result<(), ServiceError> {
        let turn = self.turn().await;
        let stored = self.inner.store.get(id).await?;
        precondition.check(&stored)?;
        let inner = self.inner.clone();
        complete(turn, async move {
            let place = inner.player.reserve_for(id)?;
            inner.store.remove(id, stored.revision).await?;
            if let Some(place) = place {
                inner.player.silence(place).await;
            }
            Ok(())
        })
        .await
    }

    /// Makes a composition what plays; the transport stands at its start. More commands may follow in the same
    /// quantum.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, a sample that is gone, or a busy engine.
    pub async fn load(
        &self,
        id: Uuid,
        precondition: &Precondition,
        then: &[Command],
    ) -> Result<EngineState, ServiceError> {
        let stored = self.inner.store.get(id).await?;
        precondition.check(&stored)?;
        // Decoding takes seconds: before the turn, so that faders move meanwhile. It is kept as long as `_decoded`.
        let _decoded = self.inner.player.prepare(&stored.composition).await?;
        let turn = self.turn().await;
        let (inner, then, precondition) = (self.inner.clone(), then.to_vec(), precondition.clone());
        complete(turn, async move {
            let stored = inner.store.get(id).await?;
            precondition.check(&stored)?;
            inner.samples.check(&stored.composition).await?;
            let prepared = inner.player.prepare(&stored.composition).await?;
            let place = inner.player.reserve()?;
            inner.store.set_loaded(id).await?;
            Ok(inner.player.load(place, prepared, stored, &then).await)
        })
        .await
    }

    /// What was loaded when the server ended the last time.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn last_loaded(&self) -> Result<Loaded, ServiceError> {
        Ok(self.inner.store.loaded().await?)
    }

    /// What plays.
    ///
    /// # Errors
    /// Nothing does.
    pub fn loaded(&self) -> Result<Stored, ServiceError> {
        self.inner.player.playing().ok_or_else(nothing_plays)
    }

    /// Whether the store answers.
    pub fn is_available(&self) -> bool {
        self.inner.store.is_available()
    }

    /// Waits for the change that is under way, and closes the store.
    pub async fn close(&self) {
        let _turn = self.turn().await;
        self.inner.store.close().await;
    }

    async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turn.clone().lock_owned().await
    }
}

/// Does something in its turn to the end, even when the client that asked for it has gone: half done, it would be
/// stored and not heard.
async fn complete<T: Send + 'static>(
    turn: OwnedMutexGuard<()>,
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<T, ServiceError> {
    let done = tokio::spawn(async move {
        let _turn = turn;
        work.await
    });
    done.await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Err(ServiceError::Unavailable(String::from("the server is shutting down"))),
    })
}

/// Undo and redo lead to a state that cannot be any more: no value of the request is wrong.
fn without_samples(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Invalid(_) => {
            ServiceError::Conflict(format!("samples of that state were deleted: {error}"))
        }
        other => other,
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

fn summary(listed: Listed, loaded: Option<Uuid>) -> CompositionSummary {
    let Listed { id, name, n_tracks, seconds, .. } = listed;
    CompositionSummary { id, name, n_tracks, seconds, loaded: loaded == Some(id) }
}
