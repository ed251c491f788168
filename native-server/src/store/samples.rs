//! Where samples are kept: files as they came, and what they hold. They never change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use engine_core::protocol::rest::SampleInfo;
use uuid::Uuid;

use super::StoreError;

/// A sample in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSample {
    /// Order of creation; lists are in this order.
    pub position: u64,
    /// What it is.
    pub info: SampleInfo,
}

/// Keeps the files of samples by their ids.
#[async_trait]
pub trait SampleStore: Send + Sync {
    /// At most `limit` samples after a position, in order of creation.
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<StoredSample>, StoreError>;

    /// What a sample is; `None` when it is not there.
    async fn info(&self, id: Uuid) -> Result<Option<SampleInfo>, StoreError>;

    /// The file of a sample; `None` when it is not there.
    async fn file(&self, id: Uuid) -> Result<Option<Bytes>, StoreError>;

    /// Bytes of all files together.
    async fn total_bytes(&self) -> Result<u64, StoreError>;

    /// Adds a sample. Its id is new.
    async fn put(&self, info: SampleInfo, file: Bytes) -> Result<(), StoreError>;

    /// Removes a sample; whether it was there.
    async fn remove(&self, id: Uuid) -> Result<bool, StoreError>;
}

/// Keeps samples for as long as it lives.
#[derive(Default)]
pub struct MemorySamples {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    by_position: BTreeMap<u64, (SampleInfo, Bytes)>,
    last_position: u64,
}

impl Shelf {
    /// A sample by its id; there are too few to need an index.
    fn find(&self, id: Uuid) -> Option<(u64, &SampleInfo, &Bytes)> {
        let found = self.by_position.iter().find(|(_, (info, _))| info.id == id);
        found.map(|(position, (info, file))| (*position, info, file))
    }
}

impl MemorySamples {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SampleStore for MemorySamples {
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<StoredSample>, StoreError> {
        let start = after.map_or(0, |after| after.saturating_add(1));
        let stored = |(position, (info, _)): (&u64, &(SampleInfo, Bytes))| StoredSample {
            position: *position,
            info: info.clone(),
        };
        Ok(self.shelf().by_position.range(start..).take(limit).map(stored).collect())
    }

    async fn info(&self, id: Uuid) -> Result<Option<SampleInfo>, StoreError> {
        Ok(self.shelf().find(id).map(|(_, info, _)| info.clone()))
    }

    async fn file(&self, id: Uuid) -> Result<Option<Bytes>, StoreError> {
        Ok(self.shelf().find(id).map(|(_, _, file)| file.clone()))
    }

    async fn total_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.shelf().by_position.values().map(|(_, file)| file.len() as u64).sum())
    }

    async fn put(&self, info: SampleInfo, file: Bytes) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        shelf.last_position += 1;
        let position = shelf.last_position;
        shelf.by_position.insert(position, (info, file));
        Ok(())
    }

    async fn remove(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut shelf = self.shelf();
        let position = shelf.find(id).map(|(position, ..)| position);
        Ok(position.is_some_and(|position| shelf.by_position.remove(&position).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str) -> SampleInfo {
        SampleInfo {
            id: Uuid::new_v4(),
            name: name.to_string(),
            media_type: String::from("audio/wav"),
            bytes: 3,
            frames: 1,
            sample_rate: 48_000,
            channels: 1,
            seconds: 1.0 / 48_000.0,
            is_damaged: false,
        }
    }

    #[tokio::test]
    async fn keeps_files_in_order_until_they_are_removed() {
        let store = MemorySamples::default();
        let (a, b) = (info("a"), info("b"));
        store.put(a.clone(), Bytes::from_static(b"abc")).await.unwrap();
        store.put(b.clone(), Bytes::from_static(b"defg")).await.unwrap();
        assert_eq!(store.total_bytes().await.unwrap(), 7);
        let first = store.list(None, 1).await.unwrap();
        assert_eq!(first[0].info, a);
        assert_eq!(store.list(Some(first[0].position), 9).await.unwrap()[0].info, b);
        assert_eq!(store.list(Some(u64::MAX), 9).await.unwrap(), []);
        assert_eq!(store.info(b.id).await.unwrap(), Some(b.clone()));
        assert_eq!(store.file(a.id).await.unwrap().unwrap(), "abc");
        assert!(store.remove(a.id).await.unwrap() && !store.remove(a.id).await.unwrap());
        assert_eq!(store.file(a.id).await.unwrap(), None);
        assert_eq!(store.total_bytes().await.unwrap(), 4);
    }
}
