//! Databases of older versions, which had a row for each composition that was ever removed.

use engine_core::composition::{Composition, CompositionSpec};
use native_server::store::{Change, Database, open};
use sqlx::AnyPool;
use uuid::Uuid;

use crate::postgres::Postgres;

/// Puts a database back to the third migration, with these revisions of what was removed.
async fn put_back(url: &str, third: &'static str, removed: &[(Uuid, i64)]) {
    let pool = AnyPool::connect(url).await.unwrap();
    for statement in ["DROP TABLE highest_removed", "DELETE FROM _sqlx_migrations WHERE version = 4", third] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    for (id, revision) in removed {
        let insert = sqlx::query("INSERT INTO removed (id, revision) VALUES ($1, $2)");
        insert.bind(id.to_string()).bind(revision).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

async fn goes_on_counting(database: &Database, url: &str, third: &'static str) {
    let change = || Change { label: String::new(), gesture: None, at: 1 };
    let composition = |id| {
        Composition::new(CompositionSpec { id, name: String::from("x"), ..CompositionSpec::default() })
            .unwrap()
    };
    let ids = [1, 2].map(Uuid::from_u128);
    open(database).await.unwrap().compositions.close().await;
    for (removed, revisions) in [(&[(ids[0], 3), (ids[1], 70)][..], [71, 72]), (&[], [1, 2])] {
        put_back(url, third, removed).await;
        let store = open(database).await.unwrap().compositions;
        for (id, revision) in ids.into_iter().zip(revisions) {
            let stored = store.insert(composition(id), change()).await.unwrap();
            assert_eq!(stored.revision, revision);
            store.remove(id, revision).await.unwrap();
        }
        store.close().await;
    }
    // However many were removed: one row, and no table of the older version.
    let pool = AnyPool::connect(url).await.unwrap();
    let n_rows: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM highest_removed").fetch_one(&pool).await.unwrap();
    assert_eq!(n_rows, 1);
    assert!(sqlx::query("SELECT id FROM removed").fetch_all(&pool).await.is_err());
    pool.close().await;
}

#[tokio::test]
async fn revisions_go_on_in_a_sqlite_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("old.db");
    let url = format!("sqlite://{}", path.display());
    let third = include_str!("../../migrations/sqlite/0003_removed.sql");
    goes_on_counting(&Database::File(path), &url, third).await;
}

#[tokio::test]
async fn revisions_go_on_in_a_postgresql_server() {
    let postgres = Postgres::start();
    let url = postgres.database("old");
    let third = include_str!("../../migrations/postgres/0003_removed.sql");
    goes_on_counting(&Database::Postgres(url.clone()), &url, third).await;
}
