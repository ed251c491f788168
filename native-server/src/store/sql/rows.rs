//! Rows as values, and values as SQL knows them.

use std::sync::Arc;

use engine_core::composition::Composition;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::Failure;
use crate::store::{Change, Listed, StoreError, Stored};

pub(super) fn stored(row: &AnyRow) -> Result<Stored, Failure> {
    Ok(Stored {
        position: unsigned(row.try_get("position")?),
        revision: unsigned(row.try_get("revision")?),
        composition: Arc::new(composition_of(row)?),
    })
}

pub(super) fn composition_of(row: &AnyRow) -> Result<Composition, Failure> {
    let document: &str = row.try_get("document")?;
    Ok(serde_json::from_str(document).map_err(|error| StoreError::Unreadable(error.to_string()))?)
}

pub(super) fn listed(row: &AnyRow) -> Result<Listed, Failure> {
    let n_tracks: i64 = row.try_get("n_tracks")?;
    Ok(Listed {
        position: unsigned(row.try_get("position")?),
        id: id_from(row.try_get("id")?)?,
        name: row.try_get("name")?,
        n_tracks: u32::try_from(n_tracks).unwrap_or_default(),
        seconds: row.try_get("seconds")?,
    })
}

/// When and in which gesture a step was made; without its label.
pub(super) fn change_of(row: &AnyRow) -> Result<Change, Failure> {
    let gesture: String = row.try_get("gesture")?;
    Ok(Change {
        label: String::new(),
        gesture: Some(gesture).filter(|gesture| !gesture.is_empty()),
        at: unsigned(row.try_get("changed_at")?),
    })
}

pub(super) fn id_from(text: &str) -> Result<Uuid, StoreError> {
    Uuid::parse_str(text).map_err(|error| StoreError::Unreadable(format!("{text:?} as an id: {error}")))
}

/// PostgreSQL's text holds every character but this one.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// SQL knows no unsigned numbers. None of ours is large.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
