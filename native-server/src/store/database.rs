//! Which database, and how it is opened.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use directories::ProjectDirs;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::MigrateError;
use sqlx::{ConnectOptions, Connection, Executor};
use tokio_rustls::rustls;

use super::{CompositionStore, MemorySamples, MemoryStore, SampleStore, SqlStore, migrations};

/// How long a call waits for a connection. A local database gives one within milliseconds.
const ACQUIRE: Duration = Duration::from_secs(1);
/// Connections that read and that write; SQLite has one writer at a time.
const TO_FILE: (u32, u32) = (3, 1);
const TO_SERVER: (u32, u32) = (4, 4);

/// What every connection to a file sets. FULL: a commit waits until the write-ahead log is on the disk.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Where the state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// Nowhere: it is gone when the server ends.
    Memory,
    /// In a SQLite file.
    File(PathBuf),
    /// In a PostgreSQL database, by its URL.
    Postgres(String),
}

impl Database {
    /// A file in the user's data directory; `None` where there is no such directory.
    pub fn default_file() -> Option<Self> {
        Some(Self::File(ProjectDirs::from("", "", "antiphon")?.data_dir().join("antiphon.db")))
    }
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_string())),
            Some((scheme, _)) => Err(format!(
                "{scheme}:// is not known; use a file's path, postgres://user@host/database, or memory"
            )),
            // SQLite's own name for it would be another database for each connection.
            None if text == "memory" || text == ":memory:" => Ok(Self::Memory),
            None if text.is_empty() => Err(String::from("use a file's path, a postgres:// URL, or memory")),
            None if text.starts_with("sqlite:") || text.starts_with("file:") => {
                Err(format!("{text} is no path; use a file's path alone, a postgres:// URL, or memory"))
            }
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

/// Without a password, which may be in a URL.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let place = rest.split(['?', '#']).next().unwrap_or_default();
                write!(f, "postgres://{}", place.rsplit_once('@').map_or(place, |(_, place)| place))
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

/// Why a database cannot be opened. The text says what to do.
#[derive(Debug)]
pub struct OpenError {
    database: Database,
    reason: String,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, reason } = self;
        write!(f, "the database {database} cannot be opened ({reason}); choose another with --db")
    }
}

impl std::error::Error for OpenError {}

/// The stores of one database.
pub struct Stores {
    /// Compositions.
    pub compositions: Arc<dyn CompositionStore>,
    /// Samples.
    pub samples: Arc<dyn SampleStore>,
}

/// Opens a database, and brings its schema up to date. A file that does not exist is created.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(database: &Database) -> Result<Stores, OpenError> {
    let opened = match database {
        Database::Memory => {
            let compositions = Arc::new(MemoryStore::default());
            return Ok(Stores { compositions, samples: Arc::new(MemorySamples::default()) });
        }
        Database::File(path) => open_file(path).await,
        Database::Postgres(url) => open_server(url).await,
    };
    let store = opened.map_err(|reason| OpenError { database: database.clone(), reason })?;
    let store = Arc::new(store);
    Ok(Stores { compositions: store.clone(), samples: store })
}

async fn open_file(path: &Path) -> Result<SqlStore, String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let text = path.to_str().ok_or("its path is not UTF-8")?;
    // The driver decodes the path, so that a percent sign or a question mark in it must be encoded.
    let encoded = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    // What follows the slashes would be taken for a host, which may not have blanks.
    let here = if matches!(path.components().next(), Some(Component::Normal(_))) { "./" } else { "" };
    connect(&format!("sqlite://{here}{encoded}?mode=rwc"), TO_FILE, PRAGMAS, migrations::SQLITE).await
}

async fn open_server(url: &str) -> Result<SqlStore, String> {
    connect(url, TO_SERVER, "", migrations::POSTGRES).await
}

/// Connections that begin with the statement `first`, to a database that is brought up to date.
async fn connect(
    url: &str,
    (n_readers, n_writers): (u32, u32),
    first: &'static str,
    schema: &'static migrations::Files,
) -> Result<SqlStore, String> {
    install_default_drivers();
    let text = |error: sqlx::Error| {
        if is_of_tls(&error) {
            format!("{error}; ?sslmode=verify-full&sslrootcert=FILE.pem names whose signatures are trusted")
        } else {
            error.to_string()
        }
    };
    let options = AnyConnectOptions::from_str(url).map_err(text)?.disable_statement_logging();
    // One connection apart: the pool would try for long, and then not say what was wrong.
    let mut connection = options.connect().await.map_err(text)?;
    connection.execute(first).await.map_err(text)?;
    connection.close().await.map_err(text)?;
    let setup = AnyPoolOptions::new().max_connections(n_readers + n_writers).acquire_timeout(ACQUIRE);
    let setup = setup.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(first).await.map(drop) })
    });
    let pool = setup.connect_lazy_with(options);
    migrations::migrate(&pool, schema).await.map_err(|error| reason_of(&error))?;
    Ok(SqlStore::new(pool, n_readers, n_writers))
}

/// A certificate that is not trusted comes from the socket, a file that is no certificate from the driver.
fn is_of_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        _ => false,
    }
}

fn reason_of(error: &MigrateError) -> String {
    match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => {
            String::from("it was written by another version of Antiphon; use that version, or a newer one")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_have_names() {
        assert_eq!(["memory", ":memory:"].map(str::parse), [Ok(Database::Memory), Ok(Database::Memory)]);
        assert_eq!("a b/c.db".parse(), Ok(Database::File(PathBuf::from("a b/c.db"))));
        let server: Database = "postgres://me:s3cret@host:5433/songs?sslmode=disable".parse().unwrap();
        assert_eq!(
            format!("{server} {server:?}"),
            "postgres://host:5433/songs Database(postgres://host:5433/songs)"
        );
        for wrong in ["mysql://host/songs", "sqlite://file", "sqlite:file", ""] {
            assert!(wrong.parse::<Database>().unwrap_err().contains("memory"), "{wrong}");
        }
    }
}
