//! Compositions: kept, changed, and one of them played.

use std::future::Future;
use std::sync::Arc;

use engine_core::composition::{Composition, CompositionSpec, midi};
use engine_core::control::Command;
use engine_core::protocol::rest::{CompositionPage, CompositionSummary, HistoryPage, HistoryStep};
use engine_core::units::SampleRate;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use super::ServiceError;
use super::player::Player;
use crate::audio::EngineQueue;
use crate::publisher::{EngineState, Publisher, unix_ms};
use crate::store::{Change, CompositionStore, Direction, Listed, Loaded, StoreError, Stored};

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
    player: Player,
}

impl CompositionStateService {
    /// A service over a store; nothing plays yet.
    pub fn new(
        store: Arc<dyn CompositionStore>,
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        rate: SampleRate,
    ) -> Self {
        let player = Player::new(engine, publisher, rate);
        Self { inner: Arc::new(Inner { store, player }), turn: Arc::default() }
    }

    /// At most `limit` compositions after a cursor of an earlier page.
    ///
    /// # Errors
    /// A cursor that no page had.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<CompositionPage, ServiceError> {
        let mut found = self.inner.store.list(cursor_of(cursor)?, limit + 1).await?;
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
    /// A value out of range, or an id that exists.
    pub async fn create(&self, spec: CompositionSpec, label: Label) -> Result<Stored, ServiceError> {
        Ok(self.inner.store.insert(validated(spec)?, label.now()).await?)
    }

    /// Adds the composition of a MIDI file.
    ///
    /// # Errors
    /// Not a MIDI file that can be played.
    pub async fn import(&self, bytes: &[u8], name: &str) -> Result<Stored, ServiceError> {
        self.create(midi::import(bytes, name)?.into_spec(), Label::new("imported")).await
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
        label: Label,
        change: impl FnOnce(&CompositionSpec) -> Result<CompositionSpec, ServiceError> + Send,
    ) -> Result<Stored, ServiceError> {
        let turn = self.turn().await;
        let id = self.loaded()?.id();
        self.change_in_turn(turn, id, &Precondition::None, label, change).await
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
        let inner = self.inner.clone();
        complete(turn, async move {
            let place = inner.player.reserve_for(id)?;
            let new = inner.store.replace(old.revision, composition, label.now()).await?;
            if let Some(place) = place {
                inner.player.go_on_with(place, &new).await;
            }
            Ok(new)
        })
        .await
    }

    /// Goes one step back or forth in a composition's history. When it plays, that is heard.
    ///
    /// # Errors
    /// Unknown id, a revision that `precondition` does not allow, or no step there.
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
            let place = inner.player.reserve_for(id)?;
            let new = inner.store.travel(id, old.revision, direction).await?;
            if let Some(place) = place {
                inner.player.go_on_with(place, &new).await;
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
        let history = self.inner.store.history(id, cursor_of(cursor)?, limit).await?;
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
    /// Unknown id, or a busy engine.
    pub async fn load(&self, id: Uuid, then: &[Command]) -> Result<EngineState, ServiceError> {
        let turn = self.turn().await;
        let (inner, then) = (self.inner.clone(), then.to_vec());
        complete(turn, async move {
            let stored = inner.store.get(id).await?;
            let place = inner.player.reserve()?;
            inner.store.set_loaded(id).await?;
            Ok(inner.player.load(place, stored, &then).await)
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

fn cursor_of(cursor: Option<&str>) -> Result<Option<u64>, ServiceError> {
    let refused =
        |text: &str| ServiceError::invalid("cursor", format!("{text:?} is not a cursor of an earlier page"));
    cursor.map(|text| text.parse().map_err(|_| refused(text))).transpose()
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
