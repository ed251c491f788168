//! Compositions in memory: gone when the server ends.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine_core::composition::Composition;
use uuid::Uuid;

use super::history::{Change, Direction, History, Step, n_kept};
use super::{CompositionStore, Listed, Loaded, StoreError, Stored};

/// Keeps compositions for as long as it lives.
#[derive(Default)]
pub struct MemoryStore {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    by_position: BTreeMap<u64, Kept>,
    positions: HashMap<Uuid, u64>,
    /// The highest revision of all that were removed.
    highest_removed: u64,
    last_position: u64,
    loaded: Option<Option<Uuid>>,
}

struct Kept {
    position: u64,
    revision: u64,
    current: u64,
    steps: BTreeMap<u64, Entry>,
}

struct Entry {
    change: Change,
    size: u64,
    composition: Arc<Composition>,
}

impl Entry {
    fn new(composition: Composition, change: Change) -> Self {
        let mut size = Count(0);
        // Counting cannot fail, and neither can a composition, which has only numbers and text.
        let _ = serde_json::to_writer(&mut size, &*composition);
        Self { change, size: size.0, composition: Arc::new(composition) }
    }
}

/// Counts what is written.
struct Count(u64);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn beside(&self, direction: Direction) -> Result<(&u64, &Entry), StoreError> {
        let beside = match direction {
            Direction::Undo => self.steps.range(..self.current).next_back(),
            Direction::Redo => self.steps.range(self.current + 1..).next(),
        };
        beside.ok_or(StoreError::NoStep(direction))
    }

    fn entry(&self) -> &Entry {
        &self.steps[&self.current]
    }

    fn stored(&self) -> Stored {
        let composition = self.entry().composition.clone();
        Stored { position: self.position, revision: self.revision, composition }
    }
}

impl Shelf {
    fn get(&self, id: Uuid) -> Result<&Kept, StoreError> {
        let position = self.positions.get(&id).ok_or(StoreError::NotFound(id))?;
        self.by_position.get(position).ok_or(StoreError::NotFound(id))
    }

    fn expect(&mut self, id: Uuid, revision: u64) -> Result<&mut Kept, StoreError> {
        let position = self.positions.get(&id).ok_or(StoreError::NotFound(id))?;
        let kept = self.by_position.get_mut(position).ok_or(StoreError::NotFound(id))?;
        if kept.revision == revision { Ok(kept) } else { Err(StoreError::Stale(kept.revision)) }
    }
}

impl MemoryStore {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CompositionStore for MemoryStore {
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<Listed>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let shelf = self.shelf();
        let range = shelf.by_position.range((start, Bound::Unbounded)).take(limit);
        Ok(range.map(|(&position, kept)| Listed::new(position, &kept.entry().composition)).collect())
    }

    async fn get(&self, id: Uuid) -> Result<Stored, StoreError> {
        self.shelf().get(id).map(Kept::stored)
    }

    async fn insert(&self, composition: Composition, change: Change) -> Result<Stored, StoreError> {
        let mut shelf = self.shelf();
        let id = composition.id;
        if shelf.positions.contains_key(&id) {
            return Err(StoreError::Exists(id));
        }
        shelf.last_position += 1;
        let position = shelf.last_position;
        let steps = BTreeMap::from([(1, Entry::new(composition, change))]);
        let revision = shelf.highest_removed + 1;
        let kept = Kept { position, revision, current: 1, steps };
        let stored = kept.stored();
        shelf.positions.insert(id, position);
        shelf.by_position.insert(position, kept);
        Ok(stored)
    }

    async fn replace(
        &self,
        expected: u64,
        composition: Composition,
        change: Change,
    ) -> Result<Stored, StoreError> {
        let mut shelf = self.shelf();
        let kept = shelf.expect(composition.id, expected)?;
        kept.revision += 1;
        let undone = kept.steps.split_off(&(kept.current + 1));
        if !(undone.is_empty() && kept.entry().change.continues_with(&change)) {
            kept.current += 1;
        }
        kept.steps.insert(kept.current, Entry::new(composition, change));
        let n_kept = n_kept(kept.steps.values().rev().map(|entry| entry.size));
        while kept.steps.len() > n_kept {
            kept.steps.pop_first();
        }
        Ok(kept.stored())
    }

    async fn beside(&self, id: Uuid, direction: Direction) -> Result<Composition, StoreError> {
        let shelf = self.shelf();
        let (_, entry) = shelf.get(id)?.beside(direction)?;
        Ok((*entry.composition).clone())
    }

    async fn travel(&self, id: Uuid, expected: u64, direction: Direction) -> Result<Stored, StoreError> {
        let mut shelf = self.shelf();
        let kept = shelf.expect(id, expected)?;
        kept.current = *kept.beside(direction)?.0;
        kept.revision += 1;
        Ok(kept.stored())
    }

    async fn history(&self, id: Uuid, before: Option<u64>, limit: usize) -> Result<History, StoreError> {
        let shelf = self.shelf();
        let kept = shelf.get(id)?;
        let steps = kept.steps.range(..before.unwrap_or(u64::MAX)).rev().take(limit);
        let number = |step: Option<(&u64, &Entry)>| step.map_or(kept.current, |(number, _)| *number);
        Ok(History {
            current: kept.current,
            oldest: number(kept.steps.first_key_value()),
            newest: number(kept.steps.last_key_value()),
            steps: steps.map(|(&number, entry)| Step { number, change: entry.change.clone() }).collect(),
        })
    }

    async fn remove(&self, id: Uuid, expected: u64) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        let position = shelf.expect(id, expected)?.position;
        shelf.by_position.remove(&position);
        shelf.positions.remove(&id);
        shelf.highest_removed = shelf.highest_removed.max(expected);
        if shelf.loaded == Some(Some(id)) {
            shelf.loaded = Some(None);
        }
        Ok(())
    }

    async fn loaded(&self) -> Result<Loaded, StoreError> {
        Ok(match self.shelf().loaded {
            None => Loaded::Never,
            Some(None) => Loaded::Nothing,
            Some(Some(id)) => Loaded::Composition(id),
        })
    }

    async fn set_loaded(&self, id: Uuid) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        shelf.get(id)?;
        shelf.loaded = Some(Some(id));
        Ok(())
    }
}
