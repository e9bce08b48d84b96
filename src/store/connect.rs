//! Opening the database.

use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteJournalMode, SqliteSynchronous};

use super::{dialect::Dialect, error};
use crate::error::{Error, Result};

/// Readers of one SQLite file; each has a thread and a page cache of its own.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection before the database counts as gone.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longest that one reading statement may take on PostgreSQL.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;

/// Which database a URL is of.
pub fn dialect_of(url: &str) -> Result<Dialect> {
    if url.starts_with("sqlite:") {
        Ok(Dialect::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Dialect::Postgres)
    } else {
        let reason = "the URL must begin with sqlite:, postgres: or postgresql:".to_owned();
        Err(error::from(DbErr::Conn(RuntimeErr::Internal(reason))))
    }
}

/// The connections that write and read, and how the database is spoken to.
pub async fn open(url: &str) -> Result<(DatabaseConnection, DatabaseConnection, Dialect)> {
    let dialect = dialect_of(url)?;
    if dialect == Dialect::Postgres {
        let write = Database::connect(postgres(url, 4, None)).await.map_err(error::from)?;
        return Ok((write, open_reader(url).await?, dialect));
    }
    let path = sqlite_path(url);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::bad_input("LEDGERLINE_DATABASE_URL", "must name a file, as in sqlite://data/ledgerline.db"));
    }
    if let Some(folder) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::Unavailable(std::sync::Arc::new(e)))?;
    }
    let write = Database::connect(sqlite(url, 1, false)).await.map_err(error::from)?;
    let read = Database::connect(sqlite(url, SQLITE_READERS, true)).await.map_err(error::from)?;
    Ok((write, read, dialect))
}

/// The file that a URL of SQLite names.
pub fn sqlite_path(url: &str) -> &str {
    url.trim_start_matches("sqlite:").trim_start_matches("//").split('?').next().unwrap_or_default()
}

/// Connections that read from a PostgreSQL, a replica's too.
pub async fn open_reader(url: &str) -> Result<DatabaseConnection> {
    Database::connect(postgres(url, POSTGRES_CONNECTIONS, Some(STATEMENT_TIMEOUT_MS))).await.map_err(error::from)
}

fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .journal_mode(SqliteJournalMode::Wal)
                // An acknowledged event survives a power cut; group commit pays for it.
                .synchronous(SqliteSynchronous::Full)
                .auto_vacuum(SqliteAutoVacuum::None)
                .page_size(8192)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                .create_if_missing(true)
                .pragma("wal_autocheckpoint", "10000")
                .pragma("temp_store", "memory")
                // Of the usual 50 rows, a page of 50 fills all and reads one more: the thread of the connection would wait for
                // room, which is two switches of threads a page.
                .row_buffer_size(128);
            if read_only {
                let sqlite = sqlite.statement_cache_capacity(128).pragma("query_only", "1");
                sqlite.pragma("cache_size", "-16384").pragma("mmap_size", "1073741824")
            } else {
                // A kept statement keeps its values, and one of hundreds of rows is rarely asked for twice.
                sqlite.statement_cache_capacity(24).pragma("cache_size", "-32768")
            }
        });
    options
}

fn postgres(url: &str, connections: u32, statement_timeout_ms: Option<u32>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE)
        .set_application_name("ledgerline")
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .map_sqlx_postgres_opts(move |postgres| {
            let postgres = postgres.options([
                ("synchronous_commit", "on"),
                ("jit", "off"),
                // Planning for every partition anew takes longer than most statements do. What a plan for unknown
                // values gets wrong is the size of a range: it would rather sort a few rows than read them in the
                // order of an index, and the few are all events of an organization. Where there is no index in the
                // order of the list, it sorts all the same.
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_sort", "off"),
            ]);
            match statement_timeout_ms {
                Some(ms) => postgres.options([("statement_timeout", ms.to_string())]),
                None => postgres,
            }
        });
    options
}
