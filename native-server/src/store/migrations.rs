//! The schema's history, embedded in the program. Each database has its own dialect of the same tables.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::pin::Pin;

use sqlx::AnyPool;
use sqlx::error::BoxDynError;
use sqlx::migrate::{MigrateError, Migration, MigrationSource, MigrationType, Migrator};

/// Description and statements, in order; the first has version 1.
pub(super) type Files = [(&'static str, &'static str)];

pub(super) const SQLITE: &Files = &[
    ("compositions", include_str!("../../migrations/sqlite/0001_compositions.sql")),
    ("samples", include_str!("../../migrations/sqlite/0002_samples.sql")),
    ("removed", include_str!("../../migrations/sqlite/0003_removed.sql")),
    ("highest removed", include_str!("../../migrations/sqlite/0004_highest_removed.sql")),
];

pub(super) const POSTGRES: &Files = &[
    ("compositions", include_str!("../../migrations/postgres/0001_compositions.sql")),
    ("samples", include_str!("../../migrations/postgres/0002_samples.sql")),
    ("removed", include_str!("../../migrations/postgres/0003_removed.sql")),
    ("highest removed", include_str!("../../migrations/postgres/0004_highest_removed.sql")),
];

#[derive(Debug)]
struct Embedded(&'static Files);

impl<'s> MigrationSource<'s> for Embedded {
    fn resolve(self) -> Pin<Box<dyn Future<Output = Result<Vec<Migration>, BoxDynError>> + Send + 's>> {
        let migration = |(version, &(description, sql)): (i64, &(&'static str, &'static str))| {
            let is_without_transaction = false;
            Migration::new(
                version,
                Cow::Borrowed(description),
                MigrationType::Simple,
                Cow::Borrowed(sql),
                is_without_transaction,
            )
        };
        Box::pin(ready(Ok((1..).zip(self.0).map(migration).collect())))
    }
}

/// Brings a database to the present schema.
///
/// # Errors
/// It was written by a newer version, or does not answer.
pub(super) async fn migrate(pool: &AnyPool, files: &'static Files) -> Result<(), MigrateError> {
    Migrator::new(Embedded(files)).await?.run(pool).await
}
