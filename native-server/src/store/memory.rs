//! Compositions in memory: gone when the server ends.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine_core::composition::Composition;
use uuid::Uuid;

use super::{CompositionStore, StoreError, Stored};

/// Keeps compositions for as long as it lives.
#[derive(Default)]
pub struct MemoryStore {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    by_position: BTreeMap<u64, Stored>,
    positions: HashMap<Uuid, u64>,
    last_position: u64,
}

impl Shelf {
    fn entry(&mut self, id: Uuid, expected: u64) -> Result<&mut Stored, StoreError> {
        let position = self.positions.get(&id).ok_or(StoreError::NotFound(id))?;
        let stored = self.by_position.get_mut(position).ok_or(StoreError::NotFound(id))?;
        if stored.revision == expected { Ok(stored) } else { Err(StoreError::Stale(stored.revision)) }
    }
}

impl MemoryStore {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CompositionStore for MemoryStore {
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .shelf()
            .by_position
            .range((start, Bound::Unbounded))
            .take(limit)
            .map(|(_, s)| s.clone())
            .collect())
    }

    async fn get(&self, id: Uuid) -> Result<Stored, StoreError> {
        let shelf = self.shelf();
        let position = shelf.positions.get(&id).ok_or(StoreError::NotFound(id))?;
        shelf.by_position.get(position).cloned().ok_or(StoreError::NotFound(id))
    }

    async fn insert(&self, composition: Composition) -> Result<Stored, StoreError> {
        let mut shelf = self.shelf();
        if shelf.positions.contains_key(&composition.id) {
            return Err(StoreError::Exists(composition.id));
        }
        shelf.last_position += 1;
        let position = shelf.last_position;
        let stored = Stored { position, revision: 1, composition: Arc::new(composition) };
        shelf.positions.insert(stored.id(), position);
        shelf.by_position.insert(position, stored.clone());
        Ok(stored)
    }

    async fn replace(&self, expected: u64, composition: Composition) -> Result<Stored, StoreError> {
        let mut shelf = self.shelf();
        let stored = shelf.entry(composition.id, expected)?;
        stored.revision += 1;
        stored.composition = Arc::new(composition);
        Ok(stored.clone())
    }

    async fn remove(&self, id: Uuid, expected: u64) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        let position = shelf.entry(id, expected)?.position;
        shelf.by_position.remove(&position);
        shelf.positions.remove(&id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use engine_core::composition::CompositionSpec;

    use super::*;

    fn composition(name: &str) -> Composition {
        let id = Uuid::new_v4();
        Composition::new(CompositionSpec { id, name: name.to_string(), ..CompositionSpec::default() })
            .unwrap()
    }

    #[tokio::test]
    async fn keeps_revisions_and_order() {
        let store = MemoryStore::default();
        let a = store.insert(composition("a")).await.unwrap();
        let b = store.insert(composition("b")).await.unwrap();
        assert_eq!(store.insert((*a.composition).clone()).await, Err(StoreError::Exists(a.id())));
        assert_eq!(store.replace(1, (*a.composition).clone()).await.unwrap().revision, 2);
        assert_eq!(store.replace(1, (*a.composition).clone()).await, Err(StoreError::Stale(2)));
        let names =
            |list: Vec<Stored>| Vec::from_iter(list.iter().map(|stored| stored.composition.name.clone()));
        assert_eq!(names(store.list(None, 10).await.unwrap()), ["a", "b"]);
        assert_eq!(names(store.list(Some(a.position), 10).await.unwrap()), ["b"]);
        assert_eq!(store.remove(b.id(), 2).await, Err(StoreError::Stale(1)));
        store.remove(b.id(), 1).await.unwrap();
        assert_eq!(store.get(b.id()).await, Err(StoreError::NotFound(b.id())));
    }
}
